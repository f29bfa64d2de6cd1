/**
 * Writes XML 1.0 as UTF-8, element by element, indented by two spaces. No mixed content, no DTD, no comments.
 *
 * XML cannot hold every character, not even as a reference: C0 controls other than tab, line feed and carriage return,
 * surrogates, U+FFFE and U+FFFF. Those become visible escapes such as `\x1b`. `]]>` must not stand in text, so `>` is
 * always escaped. Carriage returns, and all white space in attributes, are written as references, because a reader
 * would otherwise turn them into something else.
 *
 * https://www.w3.org/TR/xml/#charsets
 */
import { printable } from '../diag/index.ts';

export type Attributes = Readonly<Record<string, string | undefined>>;

export interface XmlWriter {
  /** An element with elements in it; `body` writes them. */
  within(name: string, body: () => void, attributes?: Attributes): void;
  /** An element with text; nothing at all for undefined. */
  text(name: string, value: string | undefined, attributes?: Attributes): void;
  /** An element that only has attributes. */
  empty(name: string, attributes: Attributes): void;
  toString(): string;
}

/** Element and attribute names are ours and are not escaped. */
export function xmlWriter(): XmlWriter {
  const out = pieceJoiner();
  out.add('<?xml version="1.0" encoding="UTF-8"?>\n');
  let indent = '';
  return {
    within(name, body, attributes) {
      out.add(indent, '<', name, formatAttributes(attributes), '>\n');
      indent += '  ';
      body();
      indent = indent.slice(2);
      out.add(indent, '</', name, '>\n');
    },
    text(name, value, attributes) {
      if (value === undefined) return;
      out.add(indent, '<', name, formatAttributes(attributes), '>', escapeText(value), '</', name, '>\n');
    },
    empty(name, attributes) {
      out.add(indent, '<', name, formatAttributes(attributes), '/>\n');
    },
    toString: out.toString,
  };
}

/** Joins millions of short strings in batches; one by one, each would cost a string object that lives for a moment. */
function pieceJoiner(): { add(...pieces: readonly string[]): void; toString(): string } {
  const chunks: string[] = [];
  let batch: string[] = [];
  return {
    add(...pieces) {
      batch.push(...pieces);
      if (batch.length < 8192) return;
      chunks.push(batch.join(''));
      batch = [];
    },
    toString: () => chunks.join('') + batch.join(''),
  };
}

// Surrogates are looked for as code points, so that a pair passes and a lone one does not.
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;
// Most text needs nothing; this says so without the slower look at code points.
const suspicious = /[\u0000-\u001f&<>"\ud800-\udfff\ufffe\uffff]/;

/** The same text with escapes for what XML cannot hold. */
export function xmlText(value: string): string {
  if (!suspicious.test(value)) return value;
  return value.replace(forbidden, (character) => {
    const code = character.charCodeAt(0);
    return code >= 0xfffe ? `\\u{${code.toString(16)}}` : printable(character);
  });
}

function escapeText(value: string): string {
  return suspicious.test(value) ? xmlText(value).replace(/[&<>\r]/g, reference) : value;
}

function escapeAttribute(value: string): string {
  return suspicious.test(value) ? xmlText(value).replace(/[&<>"\t\n\r]/g, reference) : value;
}

function formatAttributes(attributes: Attributes | undefined): string {
  let written = '';
  for (const name in attributes) {
    const value = attributes[name];
    if (value !== undefined) written += ` ${name}="${escapeAttribute(value)}"`;
  }
  return written;
}

const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function reference(character: string): string {
  return named[character] ?? `&#${character.charCodeAt(0)};`;
}
