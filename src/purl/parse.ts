/**
 * Package URLs (purl), ECMA-427 clause 5: a URL that names a package in its ecosystem.
 *
 *   pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64&distro=bookworm#usr/share
 *       type namespace/name @version     ?qualifiers               #subpath
 *
 * Read from right to left: subpath, qualifiers, version, name, namespace, type; every component is percent-decoded on its
 * own. Slashes after `pkg:`, empty path segments, and `.` or `..` in the subpath mean nothing. A plus sign is a plus sign.
 *
 * Refused: another scheme, a missing name, broken percent-encoding or UTF-8, an encoded slash inside a namespace or
 * subpath segment, and everything that canonical.ts refuses.
 */
import { quoted } from '../diag/index.ts';
import { canonicalPurl } from './canonical.ts';
import { maxLength, PurlError } from './error.ts';
import type { Purl } from './index.ts';

export interface ParseOptions {
  /** Takes upper case in qualifier keys, which the standard forbids and other tools have written. */
  readonly lenient?: boolean;
}

/** The canonical components of a purl; absent ones are left out. Throws PurlError for everything that is no purl. */
export function parsePurl(text: string, options: ParseOptions = {}): Purl {
  if (text.length > maxLength) throw new PurlError(`the purl is longer than ${maxLength} characters`);
  const [beforeSubpath, subpath] = cutLast(text, '#');
  const [locator, query] = cutLast(beforeSubpath, '?');
  const [type, path] = splitType(locator);
  const [wholeName, version] = splitVersion(type, path);
  const segments = wholeName.split('/').filter((segment) => segment !== '');
  // Slashes at the end mean nothing, but a version says that a name was meant to stand before it.
  const name = version !== '' && wholeName.endsWith('/') ? undefined : segments.pop();
  if (name === undefined) throw new PurlError(`${quoted(text)} has no name`);
  return canonicalPurl({
    type,
    namespace: segments.map(decodeSegment).join('/'),
    name: decode(name),
    version: decode(version),
    qualifiers: parseQualifiers(query, options.lenient === true),
    subpath: subpath.split('/').map(decodeSegment).join('/'),
  });
}

function splitType(locator: string): [type: string, path: string] {
  if (!/^pkg:/i.test(locator)) throw new PurlError(`${quoted(locator)} does not start with "pkg:"`);
  let start = 'pkg:'.length;
  while (locator[start] === '/') start++;
  const end = locator.indexOf('/', start);
  if (end === -1) throw new PurlError(`${quoted(locator)} has no type, or no name`);
  return [locator.slice(start, end), locator.slice(end + 1)];
}

function splitVersion(type: string, path: string): [name: string, version: string] {
  // The "@" of an npm scope should be encoded and often is not: `pkg:npm/@babel/core` has a scope and no version.
  const onlyScope = type.toLowerCase() === 'npm' && path.lastIndexOf('@') === 0 && /^@[^/]+\/[^/]/.test(path);
  return onlyScope ? [path, ''] : cutLast(path, '@');
}

function parseQualifiers(query: string, lenient: boolean): Record<string, string> {
  // Keys come from the input: without a prototype `__proto__` is a key like any other (and then refused by its form).
  const qualifiers: Record<string, string> = Object.create(null);
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const key = equals === -1 ? pair : pair.slice(0, equals);
    if (!lenient && /[A-Z]/.test(key)) throw new PurlError(`the qualifier key ${quoted(key)} is not lower case`);
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
    // A pair without a value says nothing, neither here nor as a second one.
    if (value === '' && qualifiers[key] !== undefined) continue;
    if (qualifiers[key]) throw new PurlError(`the qualifier ${quoted(key)} is given twice`);
    qualifiers[key] = value;
  }
  return qualifiers;
}

/** Text before and after the last `separator`; all and nothing when there is none. */
function cutLast(text: string, separator: string): [before: string, after: string] {
  const at = text.lastIndexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function decodeSegment(segment: string): string {
  const text = decode(segment);
  // It would become two segments: another package than the one that was written.
  if (text.includes('/')) throw new PurlError(`${quoted(segment)} has an encoded slash inside a segment`);
  return text;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new PurlError(`${quoted(text)} is not percent-encoded UTF-8`);
  }
}
