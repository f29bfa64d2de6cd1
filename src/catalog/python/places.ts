/**
 * Where Python keeps what it knows of an installed package, next to the package, in any letter case:
 *
 *     site-packages/requests-2.22.0.dist-info/METADATA, RECORD, INSTALLER, REQUESTED, direct_url.json     wheels
 *     dist-packages/six-1.16.0.egg-info/PKG-INFO, requires.txt, installed-files.txt                       setuptools
 *     dist-packages/PyYAML-5.3.1.egg-info                                                  distutils: the metadata itself
 *     site-packages/foo-1.0-py3.8.egg/EGG-INFO/PKG-INFO                                                   easy_install
 *
 * importlib.metadata reads more than any tool writes: METADATA or PKG-INFO in either directory, and a file in the place of
 * either. What Python takes for installed counts here.
 *
 * https://packaging.python.org/en/latest/specifications/recording-installed-packages/
 */
import { baseOf, parentOf } from '../../archive/path.ts';

export type Part = 'metadata' | 'record' | 'installed-files' | 'requires' | 'direct-url' | 'installer' | 'requested';

export interface Place {
  readonly part: Part;
  /** The directory (or, from distutils, the file) that all parts of one package share. */
  readonly home: string;
  /** The directory that is on the module path: what it lies in. */
  readonly site: string;
  readonly form: 'wheel' | 'egg' | 'file';
}

export function placeOf(path: string): Place | undefined {
  const parent = parentOf(path);
  const name = baseOf(path);
  if (/\.(?:egg|dist)-info$/i.test(name)) return { part: 'metadata', home: path, site: parent, form: 'file' };
  const form = /dist-info$/i.test(parent) ? 'wheel' : /egg-info$/i.test(parent) ? 'egg' : undefined;
  const part = (form === 'wheel' ? wheelParts : eggParts).get(name.toLowerCase());
  if (form === undefined || part === undefined) return undefined;
  const site = parentOf(parent);
  // Inside foo.egg the module path holds the egg, and its neighbours lie beside it.
  return { part, home: parent, site: isInsideEgg(parent) ? parentOf(site) : site, form };
}

/** `requests-2.22.0.dist-info`, `foo_bar-1.0-py3.8.egg-info`: name and version, as far as they stand there. */
export function namedBy({ home }: Place): { readonly name?: string; readonly version?: string } {
  const directory = baseOf(isInsideEgg(home) ? parentOf(home) : home);
  const stem = /^(.+)\.(?:dist-info|egg-info|egg)$/is
    .exec(directory)?.[1]
    ?.replace(/-py\d(?:\.\d{1,3})?(?:-[\w.-]+)?$/, '');
  if (stem === undefined) return {};
  // Dashes of a name are written as underscores, but not by every tool: the version starts at the first digit after one.
  const version = /-(\d[^-]*(?:-[^-]+)?)$/.exec(stem);
  if (version?.[1] === undefined) return { name: stem };
  const name = stem.slice(0, version.index);
  return name === '' ? {} : { name, version: version[1] };
}

function isInsideEgg(home: string): boolean {
  return baseOf(home).toUpperCase() === 'EGG-INFO';
}

const wheelParts: ReadonlyMap<string, Part> = new Map([
  ['metadata', 'metadata'],
  ['pkg-info', 'metadata'],
  ['record', 'record'],
  ['installer', 'installer'],
  ['requested', 'requested'],
  ['direct_url.json', 'direct-url'],
]);

const eggParts: ReadonlyMap<string, Part> = new Map([
  ['pkg-info', 'metadata'],
  ['metadata', 'metadata'],
  ['record', 'record'],
  ['installed-files.txt', 'installed-files'],
  ['requires.txt', 'requires'],
]);
