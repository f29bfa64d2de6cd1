/**
 * The few elements of a Maven project file (pom.xml) that say what the archive around it is.
 *
 *   <project>
 *     <parent><groupId>org.slf4j</groupId><version>1.7.36</version></parent>
 *     <artifactId>slf4j-api</artifactId>
 *     <licenses><license><name>MIT License</name></license></licenses>
 *   </project>
 *
 * Group and version are inherited from the parent where the project has none; `${…}` is filled in from the properties
 * of this file and from nowhere else. One pass over the text, no XML library: names, text, comments, CDATA and the five
 * entities plus character references. A document type is refused, so entities cannot grow or reach for files.
 * https://maven.apache.org/ref/current/maven-model/maven.html
 */
import { Unreadable } from '../types.ts';
import { asId, asText, asVersion } from './coordinates.ts';

export interface PomXml {
  readonly group?: string;
  readonly artifact?: string;
  readonly version?: string;
  /** As declared; Maven means that any of them may be chosen. */
  readonly licenses: readonly string[];
  readonly homepage?: string;
  readonly vcs?: string;
  readonly organization?: string;
}

/** Deeper elements exist only in the configuration of plugins, or in an attack. */
const maxDepth = 256;
/** Characters of a value and number of values: properties may be filled into each other. */
const maxText = 2000;
const maxTexts = 2000;

/** Throws Unreadable for a document type, for text that is not XML, and for elements nested without end. */
export function parsePomXml(bytes: Buffer): PomXml {
  const texts = new Map<string, string>();
  const licenses: string[] = [];
  walkXml(decode(bytes), (path, text) => {
    if (path !== 'project/licenses/license') {
      if (text.length <= maxText && texts.size < maxTexts && kept.test(path) && !texts.has(path)) texts.set(path, text);
      return;
    }
    const license = asText(texts.get(`${path}/name`)) ?? asText(texts.get(`${path}/url`));
    texts.delete(`${path}/name`);
    texts.delete(`${path}/url`);
    if (license !== undefined && licenses.length < 50) licenses.push(license);
  });
  return { ...projectFacts(texts), licenses };
}

/** The elements whose text is looked at, by path from the root. */
const kept =
  /^project\/(?:groupId|artifactId|version|url|parent\/(?:groupId|version)|scm\/url|organization\/name|properties\/[^/]+|licenses\/license\/(?:name|url))$/;

function projectFacts(texts: ReadonlyMap<string, string>): Omit<PomXml, 'licenses'> {
  const value = (...paths: string[]) => {
    const found = paths.map((path) => texts.get(`project/${path}`)).find((text) => text !== undefined && text !== '');
    return found === undefined ? undefined : interpolate(found, texts);
  };
  const group = asId(value('groupId', 'parent/groupId'));
  const artifact = asId(value('artifactId'));
  const version = asVersion(value('version', 'parent/version'));
  const homepage = asText(value('url'));
  const vcs = asText(value('scm/url'));
  const organization = asText(value('organization/name'));
  return {
    ...(group !== undefined && { group }),
    ...(artifact !== undefined && { artifact }),
    ...(version !== undefined && { version }),
    ...(homepage !== undefined && { homepage }),
    ...(vcs !== undefined && { vcs }),
    ...(organization !== undefined && { organization }),
  };
}

/** Fills in `${…}` once more for values that hold one themselves; what stays open stays visible, and is no value. */
function interpolate(text: string, texts: ReadonlyMap<string, string>): string {
  let filled = text;
  for (let round = 0; round < 3 && filled.includes('${') && filled.length < 1000; round++) {
    filled = filled.replace(/\$\{([\w.-]{1,200})\}/g, (whole, name: string) => {
      const path = name.replace(/^(?:project|pom)\./, '');
      return texts.get(`project/properties/${name}`) ?? texts.get(`project/${path}`) ?? whole;
    });
  }
  return filled;
}

/** The encoding that the file declares; everything but UTF-16 and Latin-1 reads well enough as UTF-8. */
function decode(bytes: Buffer): string {
  const mark = bytes.subarray(0, 2).toString('hex');
  if (mark === 'fffe') return bytes.subarray(2).toString('utf16le');
  if (mark === 'feff')
    return Buffer.from(bytes.subarray(2, bytes.length & ~1))
      .swap16()
      .toString('utf16le');
  const declared = /^[^>]{0,100}encoding=["'](?:iso-8859-1|us-ascii|windows-1252)["']/i;
  return declared.test(bytes.toString('latin1', 0, 200)) ? bytes.toString('latin1') : bytes.toString('utf8');
}

/** Calls back at the end of each element of depth 2 to 4 with its path and the text that is directly in it. */
function walkXml(xml: string, leave: (path: string, text: string) => void): void {
  const open: string[] = [];
  let text = '';
  let at = 0;
  while (at < xml.length) {
    const next = xml.indexOf('<', at);
    if (next < 0) break;
    if (isShallow(open.length)) text += unescapeText(xml.slice(at, next));
    const markup = readMarkup(xml, next);
    at = markup.end;
    if (markup.kind === 'cdata' && isShallow(open.length)) text += markup.value;
    if (markup.kind === 'open') {
      if (open.length === maxDepth) throw new Unreadable('elements nested too deeply');
      open.push(markup.value);
      text = '';
    } else if (markup.kind === 'close') {
      if (open.at(-1) !== markup.value) throw new Unreadable('its elements do not match');
      if (isShallow(open.length)) leave(open.join('/'), text.trim());
      open.pop();
      text = '';
    }
  }
  if (open.length > 0 || at === 0) throw new Unreadable('its elements do not end');
}

function isShallow(depth: number): boolean {
  return depth >= 2 && depth <= 4;
}

interface Markup {
  readonly kind: 'open' | 'close' | 'cdata' | 'none';
  /** The local name of an element, or the text of a CDATA section. */
  readonly value: string;
  /** The first character after it. */
  readonly end: number;
}

/** What begins with the `<` at a place. Each character is looked at once: the search always goes on behind the end. */
function readMarkup(xml: string, at: number): Markup {
  if (xml.startsWith('<!--', at)) return { kind: 'none', value: '', end: endOf(xml, '-->', at + 4) };
  if (xml.startsWith('<?', at)) return { kind: 'none', value: '', end: endOf(xml, '?>', at + 2) };
  if (xml.startsWith('<![CDATA[', at)) {
    const end = endOf(xml, ']]>', at + 9);
    return { kind: 'cdata', value: xml.slice(at + 9, end - 3), end };
  }
  // Entities of a document type can grow without end or name local files.
  if (xml.startsWith('<!', at)) throw new Unreadable('it has a document type');
  const end = tagEnd(xml, at);
  const closing = xml[at + 1] === '/';
  const name = /^[^\s/>]*/.exec(xml.slice(at + (closing ? 2 : 1), Math.min(end, at + 202)))![0];
  const value = name.slice(name.indexOf(':') + 1);
  if (value === '') throw new Unreadable('it is not XML');
  if (closing) return { kind: 'close', value, end };
  return { kind: xml[end - 2] === '/' ? 'none' : 'open', value, end };
}

function endOf(xml: string, mark: string, from: number): number {
  const found = xml.indexOf(mark, from);
  if (found < 0) throw new Unreadable('its elements do not end');
  return found + mark.length;
}

/** Behind the `>` of a tag; one inside a quoted attribute does not count. */
function tagEnd(xml: string, from: number): number {
  let quote = '';
  for (let at = from; at < xml.length; at++) {
    const character = xml[at]!;
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '>') return at + 1;
  }
  throw new Unreadable('its elements do not end');
}

const entities: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['apos', "'"],
  ['quot', '"'],
]);

function unescapeText(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{1,10}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return entities.get(String(name)) ?? whole;
    const code = decimal !== undefined ? Number(decimal) : Number.parseInt(String(hex), 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
