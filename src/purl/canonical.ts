/**
 * The canonical components of a purl: the rules of ECMA-427 clause 5.6, then those of the type. Reading and writing both
 * pass through here, so that `parse(format(p))` cannot differ from `p` in anything but spelling.
 *
 *   { type: 'PyPI', name: 'Foo_Bar', version: '' }  ->  { type: 'pypi', name: 'foo-bar' }
 *
 * Refused: a bad type or qualifier key, a qualifier given twice, text that is not Unicode, and whatever the type's
 * definition excludes. A type that is not registered is allowed and has no further rules.
 */
import { quoted } from '../diag/index.ts';
import { type ComponentDefinition, findDefinition, type TypeDefinition } from './definitions.ts';
import { PurlError } from './error.ts';
import type { Purl } from './index.ts';
import { findTypeRules, type Parts } from './type-rules.ts';

/** The same purl in canonical spelling, without empty components; `qualifiers` are sorted and have no prototype. */
export function canonicalPurl(purl: Purl): Purl {
  if (!/^[a-z][a-z0-9.-]*$/i.test(purl.type)) throw new PurlError(`${quoted(purl.type)} is not a purl type`);
  const type = purl.type.toLowerCase();
  const parts: Parts = {
    namespace: segments(purl.namespace).join('/'),
    name: trimSlashes(purl.name),
    version: purl.version ?? '',
    qualifiers: canonicalQualifiers(purl.qualifiers),
    subpath: segments(purl.subpath)
      // Must not climb out of the package, however the dots were spelled.
      .filter((segment) => segment !== '.' && segment !== '..')
      .join('/'),
  };
  for (const text of [parts.namespace, parts.name, parts.version, parts.subpath, ...parts.qualifiers.values()]) {
    if (!text.isWellFormed()) throw new PurlError(`${quoted(text)} is not Unicode text`);
  }
  applyType(type, parts);
  if (parts.name === '') throw new PurlError(`a ${type} purl needs a name`);
  return withoutEmpty(type, parts);
}

function canonicalQualifiers(qualifiers: Purl['qualifiers']): Map<string, string> {
  const byKey = new Map<string, string>();
  for (const [written, value] of Object.entries(qualifiers ?? {})) {
    if (!/^[a-z][a-z0-9._-]*$/i.test(written)) throw new PurlError(`${quoted(written)} is not a qualifier key`);
    const key = written.toLowerCase();
    if (value === '') continue;
    if (byKey.has(key)) throw new PurlError(`the qualifier ${quoted(key)} is given twice`);
    byKey.set(key, value);
  }
  return byKey;
}

function applyType(type: string, parts: Parts): void {
  const definition = findDefinition(type);
  const rules = findTypeRules(type);
  if (definition !== undefined) lowerCase(definition, parts);
  rules?.normalise?.(parts);
  if (definition !== undefined) checkDefinition(definition, parts, rules?.namespaceOptional === true);
  const refusal = rules?.refuse?.(parts);
  if (refusal !== undefined) throw new PurlError(`${type}: ${refusal}`);
}

function lowerCase(definition: TypeDefinition, parts: Parts): void {
  const lower = (rule: ComponentDefinition | undefined, text: string) =>
    rule?.case_sensitive === false ? text.toLowerCase() : text;
  parts.namespace = lower(definition.namespace_definition, parts.namespace);
  parts.name = lower(definition.name_definition, parts.name);
  parts.version = lower(definition.version_definition, parts.version);
  parts.subpath = lower(definition.subpath_definition, parts.subpath);
}

function checkDefinition(definition: TypeDefinition, parts: Parts, namespaceOptional: boolean): void {
  const { type } = definition;
  const { requirement } = definition.namespace_definition;
  if (requirement === 'prohibited' && parts.namespace !== '') {
    throw new PurlError(`a ${type} purl has no namespace, but ${quoted(parts.namespace)} is given`);
  }
  if (requirement === 'required' && parts.namespace === '' && !namespaceOptional) {
    throw new PurlError(`a ${type} purl needs a namespace`);
  }
  checkCharacters(type, 'namespace', definition.namespace_definition, parts.namespace);
  checkCharacters(type, 'name', definition.name_definition, parts.name);
  checkCharacters(type, 'version', definition.version_definition, parts.version);
  checkCharacters(type, 'subpath', definition.subpath_definition, parts.subpath);
  for (const qualifier of definition.qualifiers_definition ?? []) {
    if (qualifier.requirement === 'required' && !parts.qualifiers.has(qualifier.key)) {
      throw new PurlError(`a ${type} purl needs the qualifier "${qualifier.key}"`);
    }
  }
}

function checkCharacters(type: string, what: string, rule: ComponentDefinition | undefined, text: string): void {
  if (rule?.permitted_characters === undefined || text === '') return;
  if (!new RegExp(rule.permitted_characters).test(text)) {
    throw new PurlError(`${quoted(text)} is not a ${what} of ${type}`);
  }
}

function withoutEmpty(type: string, parts: Parts): Purl {
  const qualifiers: Record<string, string> = Object.create(null);
  for (const key of [...parts.qualifiers.keys()].sort()) qualifiers[key] = parts.qualifiers.get(key)!;
  return {
    type,
    ...(parts.namespace !== '' && { namespace: parts.namespace }),
    name: parts.name,
    ...(parts.version !== '' && { version: parts.version }),
    ...(parts.qualifiers.size > 0 && { qualifiers }),
    ...(parts.subpath !== '' && { subpath: parts.subpath }),
  };
}

function segments(path: string | undefined): string[] {
  return (path ?? '').split('/').filter((segment) => segment !== '');
}

/** By hand, because `/\/+$/` takes quadratic time on a long run of slashes that something follows. */
function trimSlashes(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === '/') start++;
  while (end > start && text[end - 1] === '/') end--;
  return text.slice(start, end);
}
