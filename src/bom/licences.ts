/**
 * Licence claims, as packages declare them, in the terms of the SPDX list.
 *
 *   MIT                        { id: 'MIT' }
 *   GPLv2+ and (mit or ISC)    { expression: 'GPL-2.0-or-later AND (MIT OR ISC)' }
 *   SEE LICENSE IN COPYING     { name: 'SEE LICENSE IN COPYING' }
 *
 * An expression is one of SPDX 2.3 Annex D: AND binds tighter than OR, WITH tighter than both, in any case, `|` as OR, and
 * each operand a licence that licence-spellings.ts is sure of. A claim with a single doubtful operand stays a name as a
 * whole. So does `A or B, and C`: in Debian's grammar the comma changes the precedence.
 */
import { findException, findLicence, isListedLicence } from './licence-spellings.ts';

export type Licence = { readonly id: string } | { readonly expression: string } | { readonly name: string };

/** What a CycloneDX component can say: one expression, or a list of licences that all apply (1.4 to 1.7 forbid both). */
export type LicenceChoice =
  | { readonly expression: string }
  | { readonly licences: ReadonlyArray<{ readonly id: string } | { readonly name: string }> };

/** Undefined for a claim that claims nothing: empty, `NOASSERTION`, or the `UNKNOWN` of old Python packages. */
export function parseLicence(text: string): Licence | undefined {
  const claim = parseClaim(text);
  if (claim === undefined || 'name' in claim) return claim;
  const expression = format(claim.term);
  return isListedLicence(expression) ? { id: expression } : { expression };
}

/** All claims of one package together, without repetitions, sorted; undefined when nothing is claimed. */
export function joinLicences(claims: readonly string[]): LicenceChoice | undefined {
  const parsed = claims.map(parseClaim).filter((claim) => claim !== undefined);
  if (parsed.length === 0) return undefined;
  const terms = distinct(parsed.flatMap((claim) => ('term' in claim ? [claim.term] : [])));
  const names = parsed.flatMap((claim) => ('name' in claim ? [claim.name] : []));
  if (names.length > 0 || terms.every((term) => isListedLicence(format(term)))) return { licences: list(terms, names) };
  // A lone claim keeps the order in which it was written.
  return { expression: format(terms.length === 1 ? terms[0]! : sorted(combine('AND', terms))) };
}

/** A list can hold no expression: what is only joined by AND becomes items, anything else a name. */
function list(terms: readonly Term[], names: readonly string[]): Array<{ id: string } | { name: string }> {
  const texts = terms.flatMap((term) => operands('AND', term)).map(format);
  const all = new Set([...texts.map((text) => (isListedLicence(text) ? text : cut(text))), ...names]);
  return [...all].sort().map((text) => (isListedLicence(text) ? { id: text } : { name: text }));
}

type Term = string | { readonly operator: 'AND' | 'OR'; readonly terms: readonly Term[] };

/** More is no licence expression, but an attempt to exhaust the stack or the processor. */
const maxDepth = 32;
const maxExpression = 16_384;
/** Bytes. */
const maxName = 1024;

function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim();
}

/** `License :: OSI Approved :: MIT License` of Python packages. */
function withoutClassifier(claim: string): string {
  return claim.startsWith('License ::') ? claim.slice(claim.lastIndexOf('::') + 2).trim() : claim;
}

function parseClaim(text: string): { readonly term: Term } | { readonly name: string } | undefined {
  const claim = withoutClassifier(oneLine(text));
  if (claim === '' || claim === 'NOASSERTION' || claim === 'UNKNOWN') return undefined;
  const term = parseTerm(claim);
  return term === undefined ? { name: cut(claim) } : { term };
}

function parseTerm(claim: string): Term | undefined {
  if (claim.length > maxExpression) return undefined;
  const single = findLicence(claim);
  if (single !== undefined) return single;
  const tokens = tokenize(claim);
  const at = { index: 0 };
  const term = parseOperands(tokens, at, 'OR', 0);
  return at.index === tokens.length ? term : undefined;
}

/** Parentheses, operators in upper case, and the names between them. */
function tokenize(claim: string): string[] {
  const words = claim.match(/[()]|\|+|[^\s()|]+/g) ?? [];
  const tokens: string[] = [];
  let inName = false;
  for (const [index, word] of words.entries()) {
    const operator = operatorOf(word, words[index + 1]);
    if (operator !== undefined) tokens.push(operator);
    else if (inName) tokens[tokens.length - 1] += ` ${word}`;
    else tokens.push(word);
    inName = operator === undefined;
  }
  return tokens;
}

function operatorOf(word: string, next: string | undefined): string | undefined {
  if (word === '(' || word === ')') return word;
  if (word === '|' || word === '||') return 'OR';
  // "or later" belongs to the name.
  if (!/^(?:and|or|with)$/i.test(word) || /^(?:any|later|newer)$/i.test(next ?? '')) return undefined;
  return word.toUpperCase();
}

interface Cursor {
  index: number;
}

function parseOperands(tokens: readonly string[], at: Cursor, operator: 'AND' | 'OR', depth: number): Term | undefined {
  const terms: Term[] = [];
  do {
    const term = operator === 'OR' ? parseOperands(tokens, at, 'AND', depth) : parseOperand(tokens, at, depth);
    if (term === undefined) return undefined;
    terms.push(term);
  } while (tokens[at.index] === operator && ++at.index > 0);
  return combine(operator, terms);
}

function parseOperand(tokens: readonly string[], at: Cursor, depth: number): Term | undefined {
  const token = tokens[at.index++];
  if (token === undefined || token.endsWith(',')) return undefined;
  if (token === '(') {
    const inner = depth < maxDepth ? parseOperands(tokens, at, 'OR', depth + 1) : undefined;
    return tokens[at.index++] === ')' ? inner : undefined;
  }
  const licence = findLicence(token);
  if (licence === undefined || tokens[at.index] !== 'WITH') return licence;
  const exception = findException(tokens[at.index + 1] ?? '');
  at.index += 2;
  return exception === undefined ? undefined : `${licence} WITH ${exception}`;
}

/** `A AND (B AND A)` is `A AND B`. */
function combine(operator: 'AND' | 'OR', terms: readonly Term[]): Term {
  const flat = distinct(terms.flatMap((term) => operands(operator, term)));
  return flat.length === 1 ? flat[0]! : { operator, terms: flat };
}

function operands(operator: 'AND' | 'OR', term: Term): readonly Term[] {
  return typeof term !== 'string' && term.operator === operator ? term.terms : [term];
}

function distinct(terms: readonly Term[]): Term[] {
  return [...new Map(terms.map((term) => [format(term), term])).values()];
}

function sorted(term: Term): Term {
  if (typeof term === 'string') return term;
  const byText = new Map(term.terms.map((each) => [format(each), each]));
  return { operator: term.operator, terms: [...byText.keys()].sort().map((text) => byText.get(text)!) };
}

function format(term: Term): string {
  if (typeof term === 'string') return term;
  const texts = term.terms.map((each) =>
    typeof each !== 'string' && each.operator === 'OR' ? `(${format(each)})` : format(each),
  );
  return texts.join(` ${term.operator} `);
}

/** By bytes, between characters. */
function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxName) return text;
  const ellipsis = '…';
  return (
    new TextDecoder().decode(bytes.subarray(0, maxName - Buffer.byteLength(ellipsis)), { stream: true }) + ellipsis
  );
}
