/**
 * What we keep of a package.json: a few short fields, because an image may hold 30,000 of them.
 *
 *     {"name": "accepts", "version": "1.3.8", "license": "MIT", "dependencies": {"mime-types": "~2.1.34"}}
 *
 * https://docs.npmjs.com/cli/configuring-npm/package-json
 */
import type { Hash, Package, Party } from '../types.ts';
import { asLink, parseAuthors, parseLicenses, parseRepository } from './fields.ts';
import { parseIntegrity } from './integrity.ts';
import { asObject, asText, type JsonObject } from './json.ts';
import { cleanVersion } from './names.ts';

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private: boolean;
  readonly licenses: readonly string[];
  readonly authors: readonly Party[];
  readonly description?: string;
  readonly homepage?: string;
  readonly vcs?: string;
  /** Where npm before 7 says that it came from. */
  readonly resolved?: string;
  readonly hashes: readonly Hash[];
  /** Names as `require` would say them: it does not run without these. */
  readonly needs: readonly string[];
  /** Optional and peer dependencies: used when they are there. */
  readonly takes: readonly string[];
  /** True when it names more dependencies than we keep. */
  readonly isCut: boolean;
}

// The largest real manifests name some thousand; each name costs a look-up in every directory above.
const maxDependencies = 10_000;

/** Undefined when it has no name or no version: then it configures a directory, but is no package. */
export function parseManifest(json: JsonObject): Manifest | undefined {
  const name = asText(json['name']);
  const version = asText(json['version'], 256);
  if (name === undefined || version === undefined) return undefined;
  const optional = keysOf(json['optionalDependencies']);
  const isOptional = new Set(optional);
  const needs = keysOf(json['dependencies']).filter((dependency) => !isOptional.has(dependency));
  const takes = [...optional, ...keysOf(json['peerDependencies'])];
  const description = asText(json['description'], 500);
  const homepage = asLink(json['homepage']);
  const vcs = parseRepository(json['repository']);
  const resolved = asText(json['_resolved'], 4096);
  return {
    name,
    version: cleanVersion(version),
    private: json['private'] === true,
    licenses: parseLicenses(json),
    authors: parseAuthors(json),
    ...(description !== undefined && { description }),
    ...(homepage !== undefined && { homepage }),
    ...(vcs !== undefined && { vcs }),
    ...(resolved !== undefined && { resolved }),
    hashes: statedHashes(json),
    needs: needs.slice(0, maxDependencies),
    takes: takes.slice(0, maxDependencies),
    isCut: Math.max(needs.length, takes.length) > maxDependencies,
  };
}

/** Says of itself that it is an editor extension or a Unity package: same file name, other ecosystem. */
export function isForeign(json: JsonObject): boolean {
  const isEditorExtension =
    asObject(json['contributes']) !== undefined || asObject(json['engines'])?.['vscode'] !== undefined;
  return isEditorExtension || typeof json['unity'] === 'string';
}

/** The fields of a package that its manifest alone decides. */
export function manifestFields(manifest: Manifest): Partial<Package> {
  return {
    ...(manifest.licenses.length > 0 && { licenses: manifest.licenses }),
    ...(manifest.authors.length > 0 && { authors: manifest.authors }),
    ...(manifest.description !== undefined && { description: manifest.description }),
    ...(manifest.homepage !== undefined && { homepage: manifest.homepage }),
    ...(manifest.vcs !== undefined && { vcs: manifest.vcs }),
  };
}

function statedHashes(json: JsonObject): readonly Hash[] {
  const integrity = asText(json['_integrity']);
  const hashes = integrity === undefined ? undefined : parseIntegrity(integrity);
  if (hashes !== undefined) return hashes;
  const shasum = asText(json['_shasum'])?.toLowerCase() ?? '';
  return /^[0-9a-f]{40}$/.test(shasum) ? [{ alg: 'SHA-1', content: shasum }] : [];
}

/** Dependency names; anything but an object holds none. */
function keysOf(value: unknown): readonly string[] {
  return Object.keys(asObject(value) ?? {});
}
