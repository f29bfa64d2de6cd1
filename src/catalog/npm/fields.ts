/**
 * The free-form fields that package.json and the lockfiles share, in all the spellings that fifteen years of npm left:
 * `"license": "MIT"`, `{"type": "MIT"}`, `["MIT", "Apache2"]`, `"licenses": [{"type": "MIT", "url": …}]`;
 * `"author": "Ann <ann@example.org> (https://example.org)"` or an object; `"repository": "github:ann/x"` or an object.
 * https://docs.npmjs.com/cli/configuring-npm/package-json
 */
import type { Party } from '../types.ts';
import { asObject, asText, type JsonObject } from './json.ts';
import { parseSource, publicUrl } from './source.ts';

// More than anyone writes; what a hostile manifest can make us keep.
const maxListed = 50;

export function parseLicenses(manifest: JsonObject): readonly string[] {
  const stated = [manifest['license'], manifest['licenses']].flatMap((value) => asList(value));
  const names = stated.map((value) => {
    const object = asObject(value);
    return object === undefined
      ? asText(value)
      : (asText(object['type']) ?? asText(object['name']) ?? asText(object['url']));
  });
  return [...new Set(names.filter((name) => name !== undefined))];
}

/** Who wrote it: author and contributors; the maintainers only where neither is given. */
export function parseAuthors(manifest: JsonObject): readonly Party[] {
  const authors = [...asList(manifest['author']), ...asList(manifest['authors']), ...asList(manifest['contributors'])];
  const written = authors.map(parsePerson).filter((party) => party !== undefined);
  if (written.length > 0) return written.slice(0, maxListed);
  return asList(manifest['maintainers'])
    .map(parsePerson)
    .filter((party) => party !== undefined);
}

/** `Ann <ann@example.org> (https://example.org)` or an object of the same; without a name the address stands for it. */
export function parsePerson(value: unknown): Party | undefined {
  const object = asObject(value) ?? personFields(asText(value) ?? '');
  const email = asText(object['email'], 320) ?? asText(object['mail'], 320);
  const url = asLink(object['url']) ?? asLink(object['web']);
  const name = asText(object['name'], 200) ?? email ?? url;
  if (name === undefined) return undefined;
  return { name, ...(email !== undefined && { email }), ...(url !== undefined && { url }) };
}

export function parseRepository(value: unknown): string | undefined {
  const text = asText(asObject(value)?.['url'] ?? value);
  if (text === undefined || /[\s\p{C}]/u.test(text)) return undefined;
  // `ann/x` alone means GitHub here, and only here.
  const source = parseSource(/^[\w.-]+\/[\w.-]+$/.test(text) ? `github:${text}` : text);
  return source.kind === 'git' ? source.repository : source.kind === 'archive' ? source.url : undefined;
}

/** A link as stated; undefined for prose. */
export function asLink(value: unknown): string | undefined {
  const text = asText(value);
  return text === undefined || /[\s\p{C}]/u.test(text) ? undefined : publicUrl(text);
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, maxListed) : [value];
}

function personFields(text: string): JsonObject {
  const end = [text.indexOf('<'), text.indexOf('(')].filter((at) => at >= 0);
  return {
    name: text.slice(0, end.length > 0 ? Math.min(...end) : undefined),
    email: between(text, '<', '>'),
    url: between(text, '(', ')'),
  };
}

function between(text: string, open: string, close: string): string | undefined {
  const start = text.indexOf(open);
  const end = text.indexOf(close, start + 1);
  return start >= 0 && end > start ? text.slice(start + 1, end) : undefined;
}
