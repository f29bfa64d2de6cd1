/**
 * Installed Python packages, from the directory that pip, setuptools, a distribution's packager or any other installer
 * leaves beside the code. Copies that a package brings along (setuptools/_vendor/*.dist-info) are packages as well.
 */
import type { Cataloger, Found, Package, ReportGap } from '../types.ts';
import { Unreadable } from '../types.ts';
import { type DirectUrl, parseDirectUrl } from './direct-url.ts';
import { type Metadata, parseMetadata } from './metadata.ts';
import { namedBy, type Place, placeOf } from './places.ts';
import { type FileList, ownedPaths, parseInstalledFiles, parseRecord } from './record.ts';
import { normalizedName, parseRequiresText, type Requirement } from './requirement.ts';
import { type FindPackages, packageFinder } from './sites.ts';

type Fact = { readonly place: Place } & (
  | { readonly part: 'metadata'; readonly metadata: Metadata }
  | { readonly part: 'files'; readonly files: FileList; readonly directory: string }
  | { readonly part: 'requires'; readonly requires: readonly Requirement[] }
  | { readonly part: 'direct-url'; readonly directUrl: DirectUrl }
  | { readonly part: 'installer'; readonly installer: string }
  | { readonly part: 'requested' }
);

/** All that the files of one home say. */
interface Home {
  readonly place: Place;
  readonly path: string;
  readonly layer: number;
  metadata?: Metadata;
  files: Array<{ readonly files: FileList; readonly directory: string }>;
  requires?: readonly Requirement[];
  directUrl?: DirectUrl;
  installer?: string;
  requested?: boolean;
}

interface Named {
  readonly home: Home;
  readonly key: string;
  /** As declared. */
  readonly displayName: string;
  readonly name: string;
  readonly site: string;
  readonly version?: string;
}

const maxMetadata = 8 * 2 ** 20;
const maxList = 16 * 2 ** 20;
const maxSmall = 2 ** 20;

export const pythonInstalled: Cataloger<Fact> = {
  id: 'python/installed',
  kind: 'installed',
  maxBytes: (path) => {
    const part = placeOf(path)?.part;
    return part === 'metadata' ? maxMetadata : part === 'record' || part === 'installed-files' ? maxList : maxSmall;
  },
  wants: ({ path }) => placeOf(path) !== undefined,
  read: ({ path, bytes }, gap) => {
    const place = placeOf(path);
    if (place === undefined) return undefined;
    return readPart(place, bytes, gap);
  },
  assemble: (found) => {
    const named = collectHomes(found).flatMap(nameHome);
    const find = packageFinder(named);
    return named.map((each) => toPackage(each, find));
  },
};

function readPart(place: Place, bytes: Buffer, gap: ReportGap): Fact | undefined {
  switch (place.part) {
    case 'metadata': {
      const metadata = parseMetadata(bytes);
      if (metadata.name === undefined && namedBy(place).name === undefined) throw new Unreadable('it states no name');
      if (metadata.name === undefined) gap('it states no name: taken from the name of the directory');
      return { place, part: 'metadata', metadata };
    }
    case 'record':
    case 'installed-files': {
      const files = place.part === 'record' ? parseRecord(bytes) : parseInstalledFiles(bytes);
      if (files.refused > 0) gap(`${files.refused} lines name no file in the form of the list`);
      if (files.isCut) gap('lists more than a million files; the rest was not read');
      return { place, part: 'files', files, directory: place.part === 'record' ? place.site : place.home };
    }
    case 'requires':
      return { place, part: 'requires', requires: parseRequiresText(bytes) };
    case 'direct-url': {
      const directUrl = parseDirectUrl(bytes);
      if (directUrl === undefined) throw new Unreadable('not a JSON object with a url');
      return { place, part: 'direct-url', directUrl };
    }
    case 'installer': {
      const installer = bytes.toString('utf8', 0, 100).split('\n', 1)[0]?.trim() ?? '';
      return installer === '' ? undefined : { place, part: 'installer', installer };
    }
    case 'requested':
      return { place, part: 'requested' };
  }
}

function collectHomes(found: readonly Found<Fact>[]): readonly Home[] {
  const homes = new Map<string, Home>();
  for (const { path, layer, fact } of found) {
    // METADATA and metadata in one directory, or PKG-INFO: both are told, so that neither can hide the other.
    const first = fact.part === 'metadata' ? homes.get(fact.place.home)?.metadata : undefined;
    const isSecond = first !== undefined;
    if (isSecond && fact.part === 'metadata' && isSamePackage(first, fact.metadata)) continue;
    const id = isSecond ? path : fact.place.home;
    const known = homes.get(id);
    // The metadata is where people should look; the other parts stand in for it when it is missing.
    const home: Home =
      known === undefined || fact.part === 'metadata' ? { files: [], ...known, place: fact.place, path, layer } : known;
    homes.set(id, home);
    addFact(home, fact);
  }
  return [...homes.values()];
}

function isSamePackage(one: Metadata, other: Metadata): boolean {
  return one.name === other.name && one.version === other.version;
}

function addFact(home: Home, fact: Fact): void {
  switch (fact.part) {
    case 'metadata':
      home.metadata = fact.metadata;
      break;
    case 'files':
      home.files.push({ files: fact.files, directory: fact.directory });
      break;
    case 'requires':
      home.requires = fact.requires;
      break;
    case 'direct-url':
      home.directUrl = fact.directUrl;
      break;
    case 'installer':
      home.installer = fact.installer;
      break;
    case 'requested':
      home.requested = true;
  }
}

/** None when only parts without a name are left of it, for example of an uninstalled package. */
function nameHome(home: Home): readonly Named[] {
  const fromPath = namedBy(home.place);
  const displayName = home.metadata?.name ?? fromPath.name;
  if (displayName === undefined) return [];
  const name = normalizedName(displayName);
  const isSame = fromPath.name !== undefined && normalizedName(fromPath.name) === name;
  const version = home.metadata?.version ?? (isSame ? fromPath.version : undefined);
  return [
    { home, key: home.path, displayName, name, site: home.place.site, ...(version !== undefined && { version }) },
  ];
}

function toPackage({ home, key, displayName, version, site }: Named, find: FindPackages): Package {
  const { metadata, directUrl, files } = home;
  const properties = {
    ...(home.installer !== undefined && { 'python:installer': home.installer }),
    ...(home.requested === true && { 'python:direct': 'true' }),
    ...(directUrl?.editable === true && { 'python:editable': 'true' }),
  };
  const vcs = metadata?.vcs ?? (directUrl?.kind === 'vcs' ? directUrl.url : undefined);
  const qualifiers = addressQualifiers(directUrl);
  return {
    key,
    purl: {
      type: 'pypi',
      name: displayName,
      ...(version !== undefined && { version }),
      ...(qualifiers !== undefined && { qualifiers }),
    },
    name: displayName,
    ...(version !== undefined && { version }),
    ...(metadata !== undefined && metadata.licenses.length > 0 && { licenses: metadata.licenses }),
    ...(directUrl !== undefined && directUrl.hashes.length > 0 && { hashes: directUrl.hashes }),
    ...(metadata !== undefined && metadata.authors.length > 0 && { authors: metadata.authors }),
    ...(metadata?.description !== undefined && { description: metadata.description }),
    ...(metadata?.homepage !== undefined && { homepage: metadata.homepage }),
    ...(vcs !== undefined && { vcs }),
    ...(directUrl?.kind === 'archive' && { distribution: directUrl.url }),
    places: [{ path: home.path, layer: home.layer }],
    ...requirements(home, key, site, find),
    ...(files.length > 0 && { owns: () => ownedBy(files) }),
    technique: metadata === undefined ? 'filename' : 'manifest-analysis',
    confidence: metadata === undefined ? 0.6 : 1,
    ...(Object.keys(properties).length > 0 && { properties }),
  };
}

function addressQualifiers(directUrl: DirectUrl | undefined): Readonly<Record<string, string>> | undefined {
  if (directUrl?.vcsUrl !== undefined) return { vcs_url: directUrl.vcsUrl };
  const isRemote = directUrl?.kind === 'archive' && !directUrl.url.startsWith('file:');
  return isRemote ? { download_url: directUrl.url } : undefined;
}

/** Nothing at all where nothing was stated: metadata lost, or distutils, which knew no requirements. */
function requirements(
  { metadata, requires: fromEgg, place }: Home,
  key: string,
  site: string,
  find: FindPackages,
): Pick<Package, 'requires' | 'requiresIncomplete'> {
  const stated = [...(metadata?.requires ?? []), ...(fromEgg ?? [])];
  if (metadata === undefined || (place.form === 'file' && stated.length === 0)) return {};
  const requires = new Set<string>();
  let incomplete = false;
  for (const { name, conditional } of stated) {
    const keys = find(name, site);
    for (const each of keys) requires.add(each);
    if (keys.length === 0 && !conditional) incomplete = true;
  }
  requires.delete(key);
  return { requires: [...requires], ...(incomplete && { requiresIncomplete: true }) };
}

function* ownedBy(lists: Home['files']): Generator<string> {
  for (const { files, directory } of lists) yield* ownedPaths(files, directory);
}
