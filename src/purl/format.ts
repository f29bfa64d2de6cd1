/** Writing a purl: ECMA-427 clauses 5.2 to 5.6. The counterpart of parse.ts, which shows the format. */
import { canonicalPurl } from './canonical.ts';
import { maxLength, PurlError } from './error.ts';
import type { Purl } from './index.ts';

/** The canonical purl of these components. Throws PurlError when there is none. */
export function formatPurl(purl: Purl): string {
  const { type, namespace, name, version, qualifiers, subpath } = canonicalPurl(purl);
  let text = `pkg:${type}/`;
  if (namespace !== undefined) text += `${encodePath(namespace)}/`;
  // The name of a git repository is a path on its host (see type-rules.ts); all other names are one segment.
  text += type === 'git' ? encodePath(name) : encode(name);
  if (version !== undefined) text += `@${encode(version)}`;
  if (qualifiers !== undefined) {
    const pairs = Object.entries(qualifiers).map(([key, value]) => `${key}=${encode(value)}`);
    text += `?${pairs.join('&')}`;
  }
  if (subpath !== undefined) text += `#${encodePath(subpath)}`;
  if (text.length > maxLength) throw new PurlError(`the purl is longer than ${maxLength} characters`);
  return text;
}

function encodePath(path: string): string {
  return path.split('/').map(encode).join('/');
}

/** All but letters, digits, `.-_~` and `:` as `%XX` of its UTF-8 bytes. The built-in spares `!*'()` and encodes `:`. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!*'()]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':');
}
