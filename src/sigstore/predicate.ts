/** Members of predicates, read strictly: what is missing or of another type is malformed, never a default. */
import { malformed } from './failure.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { readTimestamp } from './protojson.ts';
import { digestSet } from './statement.ts';

/** A thing that a predicate names: in-toto's ResourceDescriptor, SLSA v0.2's material. */
export interface Resource {
  readonly uri?: string;
  readonly name?: string;
  readonly digest: ReadonlyMap<string, string>;
}

export function predicateObject(value: unknown, where: string): JsonObject {
  // Statements are parsed by json.ts, so that what is an object there is one of its objects.
  const json = value as Json | undefined;
  if (!isJsonObject(json)) throw malformed(`${where} is not an object`);
  return json;
}

export function objectIn(parent: JsonObject, name: string, where: string): JsonObject {
  return predicateObject(parent[name], `${where}.${name}`);
}

export function optionalObjectIn(parent: JsonObject, name: string, where: string): JsonObject | undefined {
  return (parent[name] ?? undefined) === undefined ? undefined : objectIn(parent, name, where);
}

/** A string with something in it. */
export function textIn(parent: JsonObject, name: string, where: string): string {
  const value = optionalTextIn(parent, name, where);
  if (value === undefined || value === '') throw malformed(`${where} has no ${name}`);
  return value;
}

export function optionalTextIn(parent: JsonObject, name: string, where: string): string | undefined {
  const value = parent[name] ?? undefined;
  if (value !== undefined && typeof value !== 'string') throw malformed(`${where}.${name} is not a string`);
  return value;
}

/** A time in milliseconds. */
export function optionalTimeIn(parent: JsonObject, name: string, where: string): number | undefined {
  const value = parent[name] ?? undefined;
  return value === undefined ? undefined : readTimestamp(value, `${where}.${name}`).ms;
}

export function listIn(parent: JsonObject, name: string, where: string): readonly Json[] {
  const value = parent[name] ?? [];
  if (!Array.isArray(value)) throw malformed(`${where}.${name} is not a list`);
  return value;
}

export function resourcesIn(parent: JsonObject, name: string, where: string): readonly Resource[] {
  return listIn(parent, name, where).map((each, index) => resource(each, `${where}.${name}[${index}]`));
}

export function resource(value: Json | undefined, where: string): Resource {
  const object = predicateObject(value, where);
  const uri = optionalTextIn(object, 'uri', where);
  const name = optionalTextIn(object, 'name', where);
  const digest = optionalObjectIn(object, 'digest', where);
  // A dependency may be named without a digest: it is then worth as little as it says.
  const isStated = digest !== undefined && Object.keys(digest).length > 0;
  return {
    ...(uri !== undefined && { uri }),
    ...(name !== undefined && { name }),
    digest: isStated ? digestSet(digest, where) : new Map(),
  };
}
