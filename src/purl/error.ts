/** A text or a set of components that is no purl. The message is one line and safe to show. */
export class PurlError extends Error {
  override readonly name = 'PurlError';
}

/** Longest purl that is read or written, in characters. Real ones stay below 1,000; the rest is an attempt to hurt. */
export const maxLength = 65_536;
