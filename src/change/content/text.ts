/** What sort of content a file holds, decided from its bytes alone: attributes belong to whoever made the change. */
import { isAscii, isUtf8 } from 'node:buffer';

export type Content =
  | { readonly kind: 'binary' }
  | {
      readonly kind: 'text';
      readonly text: string;
      /**
       * `mixed`: no UTF-8, but read as such with replacements, as most viewers do. `overlong`: it would be UTF-8 if none of its
       * characters were written in more bytes than they need.
       */
      readonly encoding: 'ascii' | 'utf-8' | 'utf-16' | 'mixed' | 'overlong';
    };

export function readContent(bytes: Buffer): Content {
  const wide = wideText(bytes);
  if (wide !== undefined) return wide;
  if (isBinary(bytes)) return { kind: 'binary' };
  if (isAscii(bytes)) return { kind: 'text', text: bytes.toString('latin1'), encoding: 'ascii' };
  const text = bytes.toString('utf8');
  if (isUtf8(bytes)) return { kind: 'text', text, encoding: 'utf-8' };
  return { kind: 'text', text, encoding: isOverlong(bytes) ? 'overlong' : 'mixed' };
}

/** As git decides without attributes: a NUL among the first 8000 bytes. */
export function isBinary(bytes: Buffer): boolean {
  return bytes.subarray(0, 8000).includes(0);
}

// A NUL right behind the mark is UTF-32, or no text.
function wideText(bytes: Buffer): Content | undefined {
  const little = bytes[0] === 0xff && bytes[1] === 0xfe;
  const big = bytes[0] === 0xfe && bytes[1] === 0xff;
  if (!(little || big) || bytes.length % 2 !== 0 || (little && bytes[2] === 0 && bytes[3] === 0)) return undefined;
  const ordered = big ? Buffer.from(bytes).swap16() : bytes;
  return { kind: 'text', text: ordered.toString('utf16le', 2).toWellFormed(), encoding: 'utf-16' };
}

/** Whether every sequence that breaks UTF-8 is an overlong one: another old encoding would break it in other ways too. */
function isOverlong(bytes: Buffer): boolean {
  const repaired = Buffer.from(bytes);
  for (let at = 0; at < bytes.length; at++) {
    const length = overlongLength(bytes, at);
    if (length > 0) repaired.fill(0x20, at, at + length);
  }
  return isUtf8(repaired);
}

function overlongLength(bytes: Buffer, at: number): number {
  const [first, second] = [bytes[at]!, bytes[at + 1] ?? 0];
  if (first === 0xc0 || first === 0xc1) return isTail(second) ? 2 : 0;
  if (first === 0xe0) return second >= 0x80 && second < 0xa0 && isTail(bytes[at + 2]) ? 3 : 0;
  if (first !== 0xf0 || second < 0x80 || second >= 0x90) return 0;
  return isTail(bytes[at + 2]) && isTail(bytes[at + 3]) ? 4 : 0;
}

function isTail(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
