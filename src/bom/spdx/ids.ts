import { createHash } from 'node:crypto';

/** Makes identifiers of letters, digits, `.` and `-`, one per text and document, the same in every document. */
export type IdMaker = (readable: string, text: string) => string;

/**
 * `prefix` + `readable`, cleaned and cut, + the beginning of the SHA-256 of `text`: people see what it is, and the same
 * thing has the same identifier in every document, whatever else is in it.
 */
export function idMaker(prefix: string): IdMaker {
  const taken = new Set<string>();
  return (readable, text) => {
    const clean = readable
      .slice(0, 200)
      .replace(/[^A-Za-z0-9.]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 80);
    const digest = createHash('sha256').update(text, 'utf8').digest('hex');
    const start = clean === '' ? prefix : `${prefix}${clean}-`;
    // Whoever makes the image chooses the text and could search for two with the same 64 bits.
    const short = `${start}${digest.slice(0, 16)}`;
    const id = taken.has(short) ? `${start}${digest}` : short;
    taken.add(id);
    return id;
  };
}

/** A UUID of version 8 (RFC 9562 §5.8) from the SHA-256 of the text. */
export function contentUuid(text: string): string {
  const bytes = createHash('sha256').update(text, 'utf8').digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
