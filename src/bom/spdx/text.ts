/**
 * Untrusted text brought into the shapes that SPDX fields ask for. What does not fit a field is left out of it by these
 * functions (undefined); the caller says it in a comment instead.
 */

import type { Party } from '../../catalog/types.ts';
import { printable } from '../../diag/index.ts';
import { withoutCredentials } from '../values.ts';

/** One line without controls, trimmed; may be empty. */
export function line(text: string): string {
  return printable(text.replace(/[\t\r\n]+/g, ' ')).trim();
}

/** Free text: line breaks stay, everything else that a terminal or a parser would trip over is escaped. */
export function block(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((each) => printable(each.replaceAll('\t', ' ')).trimEnd())
    .join('\n')
    .trim();
}

/** The field alone, or no field at all when there is nothing to say: SPDX knows no empty values. */
export function optional<Key extends string>(key: Key, value: string | undefined): Partial<Record<Key, string>> {
  const fields: Partial<Record<Key, string>> = {};
  if (value !== undefined && value !== '') fields[key] = value;
  return fields;
}

/** `Organization: name (email)`, the form of creator, supplier and originator; undefined without a name. */
export function actor(kind: 'Organization' | 'Person', party: Party): string | undefined {
  const name = line(party.name);
  if (name === '') return undefined;
  const email = party.email === undefined ? '' : line(party.email);
  if (/^[^\s()]+$/.test(email)) return `${kind}: ${name} (${email})`;
  // Readers take trailing parentheses for the address, so a name that ends in some gets an empty pair after it.
  return name.endsWith(')') ? `${kind}: ${name} ()` : `${kind}: ${name}`;
}

/** A web address that a reader may follow; undefined for everything else, scripts and data URLs included. */
export function webUrl(text: string): string | undefined {
  return url(text, /^(?:https?|ftp):$/);
}

/** A download location: a web address or a version control location such as `git+https://…@commit`. */
export function downloadUrl(text: string): string | undefined {
  return url(text, /^(?:https?|ftp|git|(?:git|hg|svn|bzr)\+[a-z-]+):$/);
}

function url(text: string, protocol: RegExp): string | undefined {
  if (text.length > 8192 || /[^!-~]/.test(text)) return undefined;
  const plain = withoutCredentials(text);
  const parsed = URL.canParse(plain) ? new URL(plain) : undefined;
  return parsed !== undefined && protocol.test(parsed.protocol) && parsed.hostname !== '' ? plain : undefined;
}
