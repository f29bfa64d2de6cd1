/**
 * Merkle tree of a transparency log: a leaf is SHA-256(0x00 ‖ entry), a node SHA-256(0x01 ‖ left ‖ right). The prefixes
 * keep a node from passing for an entry.
 *
 *     size 3, index 2:   root = node(node(leaf 0, leaf 1), leaf 2)   proof = [node(leaf 0, leaf 1)]
 *
 * An inclusion proof lists the siblings on the way from the leaf to the root. For an index and a size there is exactly one
 * number of them: a proof that is longer or shorter is refused, as are hashes that are not 32 bytes, and an index that is
 * not below the size.
 * RFC 9162 §2.1.1 and §2.1.3.2 (the tree is the same as in RFC 6962)
 */
import { hash } from 'node:crypto';
import { invalid, malformed } from './failure.ts';

export interface Inclusion {
  readonly leafHash: Buffer;
  /** Whole numbers up to 2^53 - 1: shifts of 32 bits are no use here. */
  readonly index: number;
  readonly size: number;
  readonly hashes: readonly Buffer[];
  readonly rootHash: Buffer;
}

/** Throws VerifyError `malformed` when there is no such proof, `invalid` when it leads to another root. */
export function verifyInclusion({ leafHash, index, size, hashes, rootHash }: Inclusion): void {
  if (!isCount(index) || !isCount(size) || index >= size) {
    throw malformed('the inclusion proof is for an index outside the tree');
  }
  if (![leafHash, rootHash, ...hashes].every((each) => each.length === hashLength)) {
    throw malformed('the inclusion proof has a hash that is not 32 bytes');
  }
  if (!climb(leafHash, index, size, hashes).equals(rootHash)) {
    throw invalid('the inclusion proof does not lead to the root hash of the log');
  }
}

export function hashLeaf(entry: Buffer): Buffer {
  return sha256(leafPrefix, entry);
}

const hashLength = 32;
const leafPrefix = Buffer.of(0);
const nodePrefix = Buffer.of(1);

function climb(leaf: Buffer, index: number, size: number, hashes: readonly Buffer[]): Buffer {
  let node = index;
  let last = size - 1;
  let value = leaf;
  for (const sibling of hashes) {
    if (last === 0) throw malformed('the inclusion proof is too long for its tree');
    if (node % 2 === 1 || node === last) {
      value = sha256(nodePrefix, sibling, value);
      // The last node of a level with an odd number of nodes rises until it has a sibling to its left.
      while (node % 2 === 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      value = sha256(nodePrefix, value, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) throw malformed('the inclusion proof is too short for its tree');
  return value;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function sha256(...parts: readonly Buffer[]): Buffer {
  return hash('sha256', Buffer.concat(parts), 'buffer');
}
