/** One installed package, as an entry of a database or a line of a manifest tells it. */
import type { ReportGap } from '../types.ts';
import { Unreadable } from '../types.ts';
import { type FileList, readFiles } from './files.ts';
import { copyStrings, type Header, readHex, readNumbers, readStrings, readText, type StringList } from './header.ts';

export interface RpmRecord {
  readonly name: string;
  readonly version: string;
  /** Absent only in damaged or hand-made entries. */
  readonly release?: string | undefined;
  readonly epoch?: number | undefined;
  /** Absent on imported keys. */
  readonly arch?: string | undefined;
  readonly vendor?: string | undefined;
  readonly packager?: string | undefined;
  readonly license?: string | undefined;
  readonly sourceRpm?: string | undefined;
  readonly url?: string | undefined;
  readonly summary?: string | undefined;
  /** Bytes on disk. */
  readonly size?: number | undefined;
  /** Seconds since 1970. */
  readonly installTime?: number | undefined;
  readonly buildTime?: number | undefined;
  /** `nodejs:18:8060020220523160029:ad008a3a`. */
  readonly modularityLabel?: string | undefined;
  readonly digests?: Digests | undefined;
  readonly provides?: Capabilities | undefined;
  readonly requires?: Capabilities | undefined;
  readonly files?: FileList | undefined;
}

/** Lower-case hex. Of the header and the payload, which are parts of the package file; none is the hash of that file. */
export interface Digests {
  /** MD5 of header and payload. */
  readonly sigmd5?: string | undefined;
  readonly sha1header?: string | undefined;
  readonly sha256header?: string | undefined;
  /** Of the compressed payload, with its algorithm: `sha256:…`. */
  readonly payload?: string | undefined;
}

/** What a package provides or requires: names, and for each the version and the comparison that go with it. */
export interface Capabilities {
  readonly names: StringList;
  /** Empty strings where no version is asked for. */
  readonly versions: StringList | undefined;
  readonly flags: Uint32Array | undefined;
}

const tags = {
  sigmd5: 261,
  sha1header: 269,
  sha256header: 273,
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  summary: 1004,
  buildTime: 1006,
  installTime: 1008,
  size: 1009,
  vendor: 1011,
  license: 1014,
  packager: 1015,
  url: 1020,
  arch: 1022,
  sourceRpm: 1044,
  longSize: 5009,
  payloadDigest: 5092,
  payloadDigestAlgorithm: 5093,
  modularityLabel: 5096,
} as const;

const provideTags = { names: 1047, flags: 1112, versions: 1113 } as const;
const requireTags = { names: 1049, flags: 1048, versions: 1050 } as const;

/** OpenPGP's numbers of hash algorithms (RFC 9580, section 9.5), as rpm uses them. */
const hashNames = new Map([
  [1, 'md5'],
  [2, 'sha1'],
  [8, 'sha256'],
  [9, 'sha384'],
  [10, 'sha512'],
]);

/**
 * Everything that is kept is copied, so that a record of a few kilobytes does not hold a database of many megabytes.
 * Throws Unreadable when the entry names no package; other damaged parts become gaps and stay absent.
 */
export function readRecord(header: Header, gap: ReportGap, withLists = true): RpmRecord {
  const name = readText(header, tags.name);
  const version = readText(header, tags.version);
  if (name === undefined || version === undefined) throw new Unreadable('it has no name or no version');
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      gap(`of ${name}: ${error.message}`);
      return undefined;
    }
  };
  const text = (tag: number) => attempt(() => readText(header, tag));
  const number = (tag: number) => attempt(() => readNumbers(header, tag)?.[0]);
  return {
    name,
    version,
    release: text(tags.release),
    epoch: number(tags.epoch),
    arch: text(tags.arch),
    vendor: text(tags.vendor),
    packager: text(tags.packager),
    license: text(tags.license),
    sourceRpm: text(tags.sourceRpm),
    url: text(tags.url),
    summary: text(tags.summary),
    // The long one is there only when the other cannot hold the number.
    size: number(tags.longSize) ?? number(tags.size),
    installTime: number(tags.installTime),
    buildTime: number(tags.buildTime),
    modularityLabel: text(tags.modularityLabel),
    digests: {
      sigmd5: attempt(() => readHex(header, tags.sigmd5)),
      sha1header: text(tags.sha1header),
      sha256header: text(tags.sha256header),
      payload: attempt(() => readPayloadDigest(header)),
    },
    ...(withLists && {
      provides: attempt(() => readCapabilities(header, provideTags)),
      requires: attempt(() => readCapabilities(header, requireTags)),
      files: attempt(() => readFiles(header)),
    }),
  };
}

/** About how many bytes of memory the texts of a record take. */
export function textCost(record: RpmRecord): number {
  let cost = 0;
  for (const value of [...Object.values(record), ...Object.values(record.digests ?? {})]) {
    if (typeof value === 'string') cost += value.length;
  }
  return cost;
}

/**
 * About how many bytes of memory the lists of a record take, at most, when they are looked at. A name that is needed
 * becomes an object or, within a rich dependency, several; files stay as they are.
 */
export function listCost({ provides, requires, files }: RpmRecord): number {
  let cost = 0;
  for (const each of [provides, requires]) {
    if (each === undefined) continue;
    cost += 8 * each.names.bytes.length + (each.versions?.bytes.length ?? 0) + 100 * each.names.count;
  }
  if (files !== undefined) cost += files.names.bytes.length + files.directories.bytes.length + 5 * files.names.count;
  return cost;
}

/** A record whose lists are too much: what it needs and what is its own is then unknown. */
export function withoutLists(record: RpmRecord): RpmRecord {
  return { ...record, provides: undefined, requires: undefined, files: undefined };
}

/** rpm keeps imported keys in the same database, as entries that were never built from anything. */
export function isPublicKey(record: RpmRecord): boolean {
  return (
    record.name === 'gpg-pubkey' &&
    record.arch === undefined &&
    record.sourceRpm === undefined &&
    record.files === undefined
  );
}

/** `1:2.0-3.el9`; an epoch of 0 is the same as none and is not shown. */
export function fullVersion(record: RpmRecord): string {
  return record.epoch ? `${record.epoch}:${versionRelease(record)}` : versionRelease(record);
}

export function versionRelease({ version, release }: RpmRecord): string {
  return release === undefined ? version : `${version}-${release}`;
}

/** Tells any two installed packages apart: `openssl-libs-1:3.0.7-2.el9.x86_64`. */
export function identify(record: RpmRecord): string {
  return `${record.name}-${fullVersion(record)}.${record.arch ?? '(none)'}`;
}

function readCapabilities(
  header: Header,
  wanted: { readonly names: number; readonly flags: number; readonly versions: number },
): Capabilities | undefined {
  const names = readStrings(header, wanted.names);
  if (names === undefined) return undefined;
  const versions = readStrings(header, wanted.versions);
  const flags = readNumbers(header, wanted.flags);
  return {
    names: copyStrings(names),
    versions: versions?.count === names.count ? copyStrings(versions) : undefined,
    flags: flags?.length === names.count ? Uint32Array.from(flags) : undefined,
  };
}

function readPayloadDigest(header: Header): string | undefined {
  const digest = readText(header, tags.payloadDigest);
  const algorithm = hashNames.get(readNumbers(header, tags.payloadDigestAlgorithm)?.[0] ?? 0);
  return digest === undefined || algorithm === undefined ? undefined : `${algorithm}:${digest}`;
}
