/**
 * YAML 1.2 as far as a policy needs it: mappings with text keys, lists, plain values. What a reader could take for something
 * else than its author meant is refused, with the place: duplicate keys, tags, directives (YAML 1.1 has other booleans and
 * numbers), several documents, merge keys (they arrive as an unknown key), keys that are no text, deep nesting, aliases
 * that unfold into a great many nodes or into themselves.
 */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
} from 'yaml';
import { OperationalError, quoted } from '../diag/index.ts';

export type Path = readonly (string | number)[];

export interface Place {
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

export interface YamlFile {
  readonly name: string;
  /** Objects have no prototype. */
  readonly value: unknown;
  /** Where that path begins, or the nearest thing above it that is there. */
  placeOf(path: Path): Place;
  /** An error `NAME:LINE:COLUMN: PATH MESSAGE`. */
  fault(path: Path, message: string): OperationalError;
}

const maxLength = 256 * 1024;
const maxLexemes = 100_000;
const maxDepth = 32;
const maxNodes = 20_000;

/** Throws OperationalError `configuration`. */
export function readYaml(text: string, name: string): YamlFile {
  const lines = new LineCounter();
  const places = new Map<string, number>();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const placeOf = (path: Path): Place => {
    for (let length = path.length; length > 0; length--) {
      const offset = places.get(placeKey(path.slice(0, length)));
      if (offset !== undefined) return placeAt(offset);
    }
    return placeAt(places.get('') ?? 0);
  };
  const faultAt = ({ line, column }: Place, message: string): OperationalError =>
    new OperationalError('configuration', `${name}:${line}:${column}: ${message}`);
  const refuse: Refuse = (offset, message) => faultAt(placeAt(offset), message);
  if (text.length > maxLength) throw faultAt({ line: 1, column: 1 }, `longer than ${maxLength} characters`);
  const value = unfold(parse(text, lines, refuse), places, refuse);
  const fault = (path: Path, message: string): OperationalError =>
    faultAt(placeOf(path), path.length === 0 ? message : `${formatPath(path)} ${message}`);
  return { name, value, placeOf, fault };
}

/** `images[0].signed.any[1]` */
export function formatPath(path: Path): string {
  return path.map((step, at) => (typeof step === 'number' ? `[${step}]` : `${at === 0 ? '' : '.'}${step}`)).join('');
}

type Refuse = (offset: number, message: string) => OperationalError;

// Keys hold no control characters (see keyOf), so no two paths meet in one text.
function placeKey(path: Path): string {
  return path.map((step) => `\n${step}`).join('');
}

function parse(text: string, lines: LineCounter, refuse: Refuse): Document.Parsed {
  // The library compares every key of a mapping with every other; unfold looks them up.
  const composer = new Composer({ version: '1.2', schema: 'core', merge: false, uniqueKeys: false, strict: true });
  const [document, second] = [...composer.compose(readTokens(text, lines, refuse))];
  if (document === undefined || document.contents === null)
    throw refuse(0, 'the file is empty; begin with: version: 1');
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw refuse(problem.pos[0], problem.message);
  if (second !== undefined) throw refuse(second.range[0], 'a second document begins here; keep one in a file');
  const { yaml, tags } = document.directives;
  if (yaml.explicit === true || Object.keys(tags).length > 1) throw refuse(0, 'a % directive is not read; remove it');
  return document;
}

// Tokens are nested by the parser's own stack; the composer then calls itself for every level of them.
function readTokens(text: string, lines: LineCounter, refuse: Refuse): readonly CST.Token[] {
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  let left = maxLexemes;
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    left -= 1;
    if (left < 0) throw refuse(parser.offset, `more than ${maxLexemes} words and signs before this`);
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > maxDepth) throw refuse(parser.offset, `nested deeper than ${maxDepth} levels`);
  }
  tokens.push(...parser.end());
  return tokens;
}

function unfold(document: Document.Parsed, places: Map<string, number>, refuse: Refuse): unknown {
  let left = maxNodes;
  const anchors = new Map<string, Node>();
  const read = (node: Node | null, path: Path, above: number, viaAlias: boolean): unknown => {
    if (node === null) return null;
    const start = node.range?.[0] ?? above;
    left -= 1;
    if (left < 0 || path.length > maxDepth) throw refuse(start, 'too much, or aliases that unfold into too much');
    if ('tag' in node && node.tag !== undefined) throw refuse(start, `the tag ${quoted(String(node.tag))} is not read`);
    if (!places.has(placeKey(path))) places.set(placeKey(path), start);
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target === undefined) throw refuse(start, `nothing before this has the anchor ${quoted(node.source)}`);
      return read(target, path, start, true);
    }
    // An anchor may be set anew further down; what is read again for an alias sets none.
    if (node.anchor !== undefined && !viaAlias) anchors.set(node.anchor, node);
    if (isScalar(node)) return node.value;
    if (isSeq<Node | null>(node)) return node.items.map((item, at) => read(item, [...path, at], start, viaAlias));
    if (!isMap<Node, Node | null>(node)) throw refuse(start, 'this is neither a mapping nor a list nor a value');
    const object: Record<string, unknown> = Object.create(null);
    for (const { key, value } of node.items) {
      const name = keyOf(key, start, refuse);
      const offset = key.range?.[0] ?? start;
      if (Object.hasOwn(object, name)) throw refuse(offset, `the key ${quoted(name)} stands twice; keep one of them`);
      const inner = [...path, name];
      places.set(placeKey(inner), offset);
      object[name] = read(value, inner, offset, viaAlias);
    }
    return object;
  };
  return read(document.contents, [], 0, false);
}

function keyOf(key: Node | null, parent: number, refuse: Refuse): string {
  const offset = key?.range?.[0] ?? parent;
  if (!isScalar(key) || key.tag !== undefined || typeof key.value !== 'string') {
    throw refuse(offset, 'a key has to be text; put it in quotes');
  }
  // A key of this name vanishes in many a library on the way.
  if (/[\u0000-\u001f\u007f]/.test(key.value) || key.value === '' || key.value === '__proto__') {
    throw refuse(offset, `${quoted(key.value)} cannot be a key`);
  }
  return key.value;
}
