/**
 * The dependency list that cargo-auditable puts into programs: section `.dep-v0`, JSON compressed with zlib.
 *
 *   { "packages": [
 *     { "name": "shop", "version": "1.4.0", "source": "local", "root": true, "dependencies": [1] },
 *     { "name": "itoa", "version": "1.0.11", "source": "crates.io" },
 *     { "name": "cc", "version": "1.1.6", "source": "crates.io", "kind": "build" } ] }
 *
 * `dependencies` are indices into the list. `kind` is `runtime` when absent. `source` is `crates.io`, `git`, `local`,
 * `registry` (another one) or something newer. Linking several Rust libraries into one program may join their sections:
 * then one stream follows the other. Refused: more than 8 MiB of JSON (the format's own advice), text that is not UTF-8,
 * anything but the shape above. https://github.com/rust-secure-code/cargo-auditable, PARSING.md and the schema beside it
 */
import { inflateSync } from 'node:zlib';
import { type ReportGap, Unreadable } from '../types.ts';

export interface AuditedCrate {
  readonly name: string;
  readonly version?: string;
  readonly source?: string;
  readonly build: boolean;
  readonly root: boolean;
  /** Indices into the list, each once. */
  readonly dependencies: readonly number[];
  /** True when some of `dependencies` could not be read. */
  readonly incomplete: boolean;
}

/** One entry per crate at its index; undefined where a crate could not be read, which was reported. */
export type AuditedCrates = readonly (AuditedCrate | undefined)[];

/** The lists in a section, usually one. Throws Unreadable when there is none that can be read. */
export function parseAuditSection(section: Buffer, gap: ReportGap): AuditedCrates[] {
  const lists: AuditedCrates[] = [];
  let rest = section;
  while (lists.length === 0 || rest.length > 0) {
    try {
      const { json, consumed } = inflate(rest);
      lists.push(parseAuditJson(json, gap));
      rest = withoutLeadingZeros(rest.subarray(consumed));
    } catch (error) {
      if (!(error instanceof Unreadable) || lists.length === 0) throw error;
      gap(`a further dependency list in it: ${error.message}`);
      return lists;
    }
    if (lists.length === maxLists && rest.length > 0) {
      gap(`it has more than ${maxLists} dependency lists`);
      return lists;
    }
  }
  return lists;
}

const maxLists = 4;
const maxJsonSize = 8 * 1024 * 1024;
/** Far above real programs, and what fits in memory when every byte of the JSON is used against us. */
const maxCrates = 50_000;
const maxEdges = 500_000;

function inflate(bytes: Buffer): { json: Buffer; consumed: number } {
  try {
    // With `info`, zlib also hands out its engine, which knows how much of the input belonged to the stream.
    const result = inflateSync(bytes, { maxOutputLength: maxJsonSize, info: true }) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    return { json: result.buffer, consumed: result.engine.bytesWritten };
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    throw new Unreadable(`its Rust dependency list ${tooLarge ? 'is larger than 8 MiB' : 'cannot be decompressed'}`);
  }
}

/** Sections are filled up with zeros. */
function withoutLeadingZeros(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start < 0 ? bytes.subarray(bytes.length) : bytes.subarray(start);
}

export function parseAuditJson(json: Buffer, gap: ReportGap): AuditedCrates {
  const packages = field(parseJson(json), 'packages');
  if (!Array.isArray(packages)) throw new Unreadable('its Rust dependency list is no list');
  if (packages.length > maxCrates) throw new Unreadable(`its Rust dependency list has more than ${maxCrates} crates`);
  const crates = packages.map((each: unknown) => parseCrate(each, packages.length));
  const edges = crates.reduce((sum, crate) => sum + (crate?.dependencies.length ?? 0), 0);
  if (edges > maxEdges) throw new Unreadable(`its Rust dependency list has more than ${maxEdges} dependencies`);
  const unread = crates.filter((crate) => crate === undefined).length;
  if (unread > 0) gap(`unreadable crates in its Rust dependency list: ${unread}`);
  const lacking = crates.filter((crate) => crate !== undefined && crate.version === undefined).length;
  if (lacking > 0) gap(`crates without version in its Rust dependency list: ${lacking}`);
  const incomplete = crates.filter((crate) => crate?.incomplete === true).length;
  if (incomplete > 0) gap(`crates with unreadable dependencies in its Rust dependency list: ${incomplete}`);
  return crates;
}

function parseJson(json: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    throw new Unreadable('its Rust dependency list is no JSON');
  }
}

function parseCrate(value: unknown, count: number): AuditedCrate | undefined {
  const name = text(field(value, 'name'), /^[\p{L}\p{N}_-]{1,256}$/u);
  if (name === undefined) return undefined;
  const version = text(field(value, 'version'), /^\S{1,256}$/);
  const source = text(field(value, 'source'), /^\S{1,1024}$/);
  const stated = field(value, 'dependencies') ?? [];
  const indices: unknown[] = Array.isArray(stated) ? stated : [];
  const dependencies = new Set(
    indices.filter((each) => typeof each === 'number' && Number.isInteger(each) && each >= 0 && each < count),
  ) as ReadonlySet<number>;
  return {
    name,
    ...(version === undefined ? {} : { version }),
    ...(source === undefined ? {} : { source }),
    build: field(value, 'kind') === 'build',
    root: field(value, 'root') === true,
    dependencies: [...dependencies],
    incomplete: !Array.isArray(stated) || new Set(indices).size > dependencies.size,
  };
}

/** A crate's name as Cargo allows it, a version or a source: short and without spaces. */
function text(value: unknown, pattern: RegExp): string | undefined {
  return typeof value === 'string' && pattern.test(value) ? value : undefined;
}

/** An own property of an object; undefined for everything else, so that `__proto__` in the input means nothing. */
function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
