/**
 * PEM, text around DER (RFC 7468, strict):
 *
 *     -----BEGIN PUBLIC KEY-----
 *     MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…
 *     -----END PUBLIC KEY-----
 *
 * Refused: text outside the blocks, headers inside them, labels that differ, base64 that is not canonical. Readers
 * differ in what they pass over, and what one passes over another may take for the key.
 */
import { malformed } from './failure.ts';

export interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
}

const mostBlocks = 64;
const mostCharacters = 1 << 20;

/** The blocks in their order, at least one. Throws `malformed`. */
export function parsePem(text: string): PemBlock[] {
  if (text.length > mostCharacters) throw malformed(`PEM: longer than ${mostCharacters} characters`);
  const blocks: PemBlock[] = [];
  const lines = text.split('\n').map((line) => line.trim());
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    if (line === '') continue;
    const label = labelOf(line);
    const end = lines.indexOf(`-----END ${label}-----`, at);
    if (end === -1) throw malformed(`PEM: the block "${label}" does not end`);
    if (blocks.length === mostBlocks) throw malformed(`PEM: more than ${mostBlocks} blocks`);
    blocks.push({ label, der: decode(lines.slice(at + 1, end).join('')) });
    at = end;
  }
  if (blocks.length === 0) throw malformed('PEM: there is no block');
  return blocks;
}

function labelOf(line: string): string {
  const label = /^-----BEGIN ([A-Z0-9 ]{1,64})-----$/.exec(line)?.[1];
  if (label === undefined) throw malformed('PEM: there is text outside of a block');
  return label;
}

function decode(base64: string): Buffer {
  const der = Buffer.from(base64, 'base64');
  // Node skips what is not base64; only the canonical spelling comes back unchanged.
  if (der.length === 0 || der.toString('base64') !== base64)
    throw malformed('PEM: the content is not canonical base64');
  return der;
}
