/**
 * The lines of a commit message as people mean them. Squashed and generated messages hold what git does not take for
 * trailers: quoted, indented, in lists, in bold, joined by a backslash and an n that nobody expanded, or one behind the other.
 *
 *     * fix it\n\nCo-Authored-By: Claude <noreply@anthropic.com>      two pieces of text in one line
 *     > **Assisted-by:** Codex                                        a trailer inside a quote
 */
import { fold, isDisguised, visible } from './fold.ts';

export interface Piece {
  /** Line of the message, from 1, as git counts lines. */
  readonly line: number;
  /** Without invisible characters. */
  readonly text: string;
  /** It is not the whole line. */
  readonly joined: boolean;
  /** It stood behind other words, with no line end of any kind between. */
  readonly behindWords: boolean;
  /** Something in it is not what it looks like, or cannot be seen. */
  readonly disguised: boolean;
}

export interface TrailerLine {
  /** Folded, blanks and underscores as `-`. */
  readonly key: string;
  readonly value: string;
  /** Something stood before the key: a quote, a bullet, a star, a blank. */
  readonly marked: boolean;
  /** The key is not plain ASCII. */
  readonly disguised: boolean;
}

/** One after the other, so that a message of many million lines needs no memory of its own. */
export function* piecesOf(message: string): Generator<Piece> {
  let line = 0;
  for (let at = 0; at <= message.length; ) {
    const end = message.indexOf('\n', at);
    const raw = message.slice(at, end === -1 ? message.length : end);
    line++;
    if (raw !== '') yield* piecesOfLine(raw.endsWith('\r') ? raw.slice(0, -1) : raw, line);
    else yield { line, text: '', joined: false, behindWords: false, disguised: false };
    if (end === -1) return;
    at = end + 1;
  }
}

/** `Word: value`, whatever stands before it; undefined where there is no such thing. */
export function readTrailerLine(text: string): TrailerLine | undefined {
  if (!text.includes(':') && !otherColons.test(text)) return undefined;
  const start = text.search(contentStart);
  if (start === -1) return undefined;
  const head = text.slice(start, start + mostKey);
  const colon = head.search(colons);
  if (colon < 1) return undefined;
  const raw = head.slice(0, colon);
  const key = fold(raw)
    .replace(/[*_~`\s]+$/, '')
    .replace(/[\s_-]+/g, '-');
  if (!/^[a-z][a-z0-9-]*$/.test(key)) return undefined;
  return {
    key,
    value: text.slice(start + colon + 1, start + colon + 1 + mostValue).replace(/^[\s*_~]+/, ''),
    marked: start > 0,
    disguised: isDisguised(raw) || head[colon] !== ':',
  };
}

/** A line that only goes on: a blank before it, behind any marks of quotes. */
export function isContinuation(text: string): boolean {
  return /^(?:>[> ]*)?[ \t]/.test(text) && /\S/.test(text);
}

/** Text of a line without what marks quotes, lists and emphasis, at both ends. */
export function bareText(text: string): string {
  const start = text.search(footerStart);
  return start === -1 ? '' : text.slice(start, start + mostValue).replace(/[\s*_~.!]{1,20}$/, '');
}

export const mostValue = 1000;
const mostKey = 100;

/** Neither blank, mark of a quote or list, emphasis, nor emoji. Quotes, code and brackets are content: they cite. */
const contentStart = /[^\s>*+\-|•·#~_=.,!?(\p{So}\p{Sk}\p{Mn}–—]/u;
const footerStart = /[^\s>*+\-|•·#~_=.,!?(:\p{So}\p{Sk}\p{Mn}–—]/u;
const otherColons = /[：﹕∶ː꞉׃։˸]/;
const colons = /[:：﹕∶ː꞉׃։˸]/;
const otherLineEnds = /(?:\\r)?\\n|[\r\v\f\u0085\u2028\u2029]/;
const wordsBefore = /[\p{L}\p{N}]/u;
const joinedTrailer = /[ \t](?=co-authored-by:)/i;

function* piecesOfLine(raw: string, line: number): Generator<Piece> {
  if (!otherLineEnds.test(raw) && !joinedTrailer.test(raw)) {
    const text = visible(raw);
    return yield { line, text, joined: false, behindWords: false, disguised: text !== raw };
  }
  let joined = false;
  for (const part of raw.split(otherLineEnds)) {
    for (const [at, words] of splitTrailers(part).entries()) {
      const text = visible(words);
      yield { line, text, joined, behindWords: at > 0, disguised: text !== words };
      joined = true;
    }
  }
}

/** Marks of quotes and lists stay with the trailer that they stand before. */
function splitTrailers(part: string): readonly string[] {
  const parts = part.split(joinedTrailer);
  const [first = '', second] = parts;
  if (second !== undefined && !wordsBefore.test(first)) parts.splice(0, 2, `${first} ${second}`);
  return parts;
}
