/** What the user asks about, with the digests that signatures may be over. */
import { createHash } from 'node:crypto';
import type { Disk } from '../io/index.ts';
import { parseStatement } from '../sigstore/statement.ts';
import type { Artifact, HashName, SignedEntity } from '../sigstore/types.ts';
import { outcomeOf } from '../sigstore/verify.ts';

/** A larger file is hashed in pieces and not kept: keys that sign bytes and no digest (Ed25519) cannot be verified then. */
const maxKept = 64 * 1024 * 1024;

/** Throws OperationalError. */
export async function readArtifact(file: string, disk: Disk, entities: readonly SignedEntity[]): Promise<Artifact> {
  const hashes = new Map(hashesFor(entities).map((name) => [name, createHash(name)]));
  const keep = entities.some(({ content }) => content.kind === 'message');
  const opened = await disk.open(file);
  try {
    let bytes: Buffer | undefined;
    if (opened.size <= maxKept) {
      bytes = await opened.read(0, opened.size);
      for (const hash of hashes.values()) hash.update(bytes);
    } else {
      for await (const piece of opened.stream()) for (const hash of hashes.values()) hash.update(piece);
    }
    const digests = new Map([...hashes].map(([name, hash]) => [name, hash.digest('hex')]));
    return { name: file, digests, ...(keep && bytes !== undefined ? { bytes } : {}) };
  } finally {
    await opened.close();
  }
}

export function digestArtifact(name: string, algorithm: string, value: string): Artifact {
  return { name, digests: new Map([[algorithm, value]]) };
}

/**
 * Hashing is most of the work for a large file, so only those hashes are made that a signature is over. None may be left
 * out: a statement of which one digest is right and another one wrong is not about the file.
 */
function hashesFor(entities: readonly SignedEntity[]): readonly HashName[] {
  const others = (['sha384', 'sha512'] as const).filter((name) => entities.some((entity) => speaksOf(entity, name)));
  return ['sha256', ...others];
}

function speaksOf({ content }: SignedEntity, name: HashName): boolean {
  if (content.kind === 'dsse') return mentions(content.payload, name);
  // A curve may bring a hash of its own, and not every bundle says which.
  return true;
}

/** In JSON a letter or digit stands for itself or behind a `\u`: only where there is one, the statement has to be read. */
function mentions(payload: Buffer, name: HashName): boolean {
  if (payload.includes(`"${name}"`)) return true;
  if (!payload.includes('\\u')) return false;
  const statement = outcomeOf(() => parseStatement(payload));
  // What is no statement is refused when it is verified.
  return statement.ok && statement.value.subjects.some(({ digest }) => digest.has(name));
}
