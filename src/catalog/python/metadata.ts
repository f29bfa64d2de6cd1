/**
 * Core metadata: what METADATA (wheels), PKG-INFO (eggs) and single-file `.egg-info` hold. Headers as in mail, names in any
 * case, continued on lines that start with a space; the long description follows after an empty line and is not read.
 *
 *     Metadata-Version: 2.1
 *     Name: requests
 *     Version: 2.22.0
 *     Classifier: License :: OSI Approved :: Apache Software License
 *     Requires-Dist: PySocks (!=1.5.7,>=1.5.6) ; extra == 'socks'
 *
 * Of a header that may occur once the first counts, as in importlib.metadata. Lines that are no headers (a summary that
 * was broken over several lines) are passed over; a missing name or version is for the caller to notice.
 * https://packaging.python.org/en/latest/specifications/core-metadata/
 */
import type { Party } from '../types.ts';
import { parseRequirement, type Requirement } from './requirement.ts';

export interface Metadata {
  readonly name?: string;
  readonly version?: string;
  readonly licenses: readonly string[];
  readonly authors: readonly Party[];
  readonly description?: string;
  readonly homepage?: string;
  readonly vcs?: string;
  readonly requires: readonly Requirement[];
}

export function parseMetadata(bytes: Buffer): Metadata {
  const headers = parseHeaders(bytes);
  const first = (name: string) => {
    const value = headers.get(name)?.find((each) => isStated(each));
    return value?.slice(0, 1000);
  };
  const links = projectLinks(headers.get('project-url') ?? []);
  const optional = {
    name: firstLine(first('name')),
    version: firstLine(first('version')),
    description: first('summary')?.slice(0, 500),
    homepage: asLink(first('home-page')) ?? links.homepage,
    vcs: links.vcs,
  };
  const stated = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  const requirements = [
    ...(headers.get('requires-dist') ?? []).map((text) => parseRequirement(text)),
    // Old eggs name modules here, which need not be called as the package that brings them.
    ...(headers.get('requires') ?? []).map((text) => parseRequirement(text, true)),
  ];
  return {
    ...stated,
    licenses: parseLicenses(headers),
    authors: [
      ...parsePeople(first('author'), first('author-email')),
      ...parsePeople(first('maintainer'), first('maintainer-email')),
    ],
    requires: requirements.filter((requirement) => requirement !== undefined),
  };
}

function firstLine(text: string | undefined): string | undefined {
  return text?.split('\n', 1)[0];
}

type Headers = ReadonlyMap<string, readonly string[]>;

// A list longer than this is nobody's metadata.
const maxHeaders = 20_000;

function parseHeaders(bytes: Buffer): Headers {
  const headers = new Map<string, string[]>();
  let values: string[] | undefined;
  let count = 0;
  for (const line of headerLines(bytes)) {
    if (/^[ \t]/.test(line)) {
      const last = values?.pop();
      if (last !== undefined) values?.push(continued(last, line.trim()));
      continue;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (!/^[a-z][a-z0-9-]{0,60}$/.test(name) || ++count > maxHeaders) {
      values = undefined;
      continue;
    }
    values = headers.get(name) ?? [];
    headers.set(name, values);
    values.push(line.slice(colon + 1).trim());
  }
  return headers;
}

function continued(value: string, line: string): string {
  if (value === '') return line;
  return value.length < 10_000 ? `${value}\n${line}` : value;
}

/** The lines before the first empty one, without decoding a description of megabytes. */
function* headerLines(bytes: Buffer): Generator<string> {
  let start = bytes.indexOf('\ufeff') === 0 ? 3 : 0;
  let isBegun = false;
  while (start < bytes.length) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline;
    const line = bytes.toString('utf8', start, end).replace(/\r$/, '');
    start = end + 1;
    if (line.trim() === '') {
      if (isBegun) return;
      continue;
    }
    isBegun = true;
    yield line;
  }
}

/** distutils and setuptools write UNKNOWN for what nobody gave. */
function isStated(value: string): boolean {
  return value !== '' && value.toUpperCase() !== 'UNKNOWN' && value !== 'None';
}

/**
 * License-Expression replaces everything else. License is a name, unless someone put the whole text there; then and
 * without it the classifiers speak.
 */
function parseLicenses(headers: Headers): readonly string[] {
  const expression = headers.get('license-expression')?.find(isStated);
  if (expression !== undefined) return [expression.slice(0, 1000)];
  const stated = headers.get('license')?.find(isStated);
  if (stated !== undefined && !stated.includes('\n') && stated.length <= 300) return [stated];
  const classified = (headers.get('classifier') ?? [])
    .filter((classifier) => /^License ?::/i.test(classifier))
    .map((classifier) => classifier.slice(classifier.lastIndexOf('::') + 2).trim())
    .filter((name) => name !== '');
  if (classified.length > 0) return [...new Set(classified)];
  return stated === undefined ? [] : [(stated.split('\n', 1)[0] ?? '').slice(0, 300)].filter(isStated);
}

/** `Author: Ann` with `Author-email: ann@example.org`, or only the latter as `Ann <ann@example.org>, …`. */
function parsePeople(names: string | undefined, addresses: string | undefined): readonly Party[] {
  const people = (addresses ?? '').split(',', 50).flatMap((part): Party[] => {
    const open = part.indexOf('<');
    const close = part.indexOf('>', open);
    const email = (open >= 0 && close > open ? part.slice(open + 1, close) : part).trim();
    const name = open > 0 ? part.slice(0, open).replaceAll('"', '').trim() : '';
    if (!/^[^\s@]+@[^\s@]+$/.test(email)) return isStated(part.trim()) ? [{ name: part.trim() }] : [];
    return [{ name: name === '' ? email : name, email }];
  });
  if (names === undefined) return people;
  const [only] = people;
  if (people.length === 1 && only?.name === only?.email && only?.email !== undefined) {
    return [{ name: names, email: only.email }];
  }
  return [{ name: names }, ...people.filter(({ name }) => name !== names)];
}

/** `Project-URL: Source, https://…`: labels are free, these are the well-known ones. */
function projectLinks(values: readonly string[]): {
  readonly homepage?: string | undefined;
  readonly vcs?: string | undefined;
} {
  const links = new Map<string, string>();
  for (const value of values) {
    const comma = value.indexOf(',');
    const label = value
      .slice(0, Math.max(0, comma))
      .toLowerCase()
      .replace(/[^a-z]/g, '');
    const link = asLink(value.slice(comma + 1).trim());
    if (link !== undefined && !links.has(label)) links.set(label, link);
  }
  const sources = ['source', 'repository', 'sourcecode', 'github', 'code'];
  return {
    homepage: links.get('homepage'),
    vcs: sources.map((label) => links.get(label)).find((link) => link !== undefined),
  };
}

function asLink(text: string | undefined): string | undefined {
  return text !== undefined && /^[a-z][a-z0-9+.-]{1,20}:[^\s\p{C}]+$/iu.test(text) ? text : undefined;
}
