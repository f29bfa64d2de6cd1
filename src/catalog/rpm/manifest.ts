/**
 * The package list of distroless Azure Linux (CBL-Mariner) images, which have no rpm database:
 * `var/lib/rpmmanifest/container-manifest-2`, one package a line, ten fields between tabs, written by `rpm -qa`:
 *
 *   name, version-release, install time, build time, vendor, epoch, size, arch, epoch number, source rpm
 *   vim   9.0-1.cm2        1653816591    1653753130  Microsoft Corporation  2  45000  x86_64  2  vim-9.0-1.cm2.src.rpm
 *
 * `(none)` stands for nothing. There are no file lists and no dependencies. A line that has no ten fields is a gap.
 * Refused: files of more than 16 MiB, lines of more than 16 KiB.
 *
 * Format: "Distroless" in the documentation of Azure Linux's toolkit.
 */
import { isUtf8 } from 'node:buffer';
import type { AssembleContext, Cataloger, Found, Package, ReportGap } from '../types.ts';
import {
  isReleaseFile,
  keyIn,
  manifestPath,
  manifestRoot,
  type ReleaseFact,
  readRelease,
  type System,
  systemsOf,
} from './layout.ts';
import { describeRecord } from './package.ts';
import { identify, type RpmRecord } from './record.ts';

interface ManifestFact {
  readonly kind: 'manifest';
  readonly records: readonly RpmRecord[];
}

export const rpmManifest: Cataloger<ManifestFact | ReleaseFact> = {
  id: 'rpm/container-manifest',
  kind: 'installed',
  anchors: [manifestPath],
  maxBytes: () => 16 * 1024 * 1024,
  wants: (file) => manifestRoot(file.path) !== undefined || isReleaseFile(file),
  read(file, gap) {
    if (manifestRoot(file.path) === undefined) return readRelease(file);
    return { kind: 'manifest', records: parseManifest(file.bytes, gap) };
  },
  assemble,
};

// An image of this kind has some dozen packages.
const maxRecords = 50_000;
const maxLine = 16 * 1024;

/** Line by line: the text as a whole, cut into fields, would take many times the size of the file. */
function parseManifest(bytes: Buffer, gap: ReportGap): readonly RpmRecord[] {
  const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
  const records: RpmRecord[] = [];
  let unread = 0;
  let firstUnread = 0;
  for (let start = 0, number = 1; start < bytes.length; number++) {
    const feed = bytes.indexOf(0x0a, start);
    const end = feed < 0 ? bytes.length : feed;
    const isLong = end - start > maxLine;
    const line = isLong ? '' : bytes.toString(encoding, start, end);
    start = end + 1;
    if (!isLong && line.trim() === '') continue;
    if (records.length === maxRecords) {
      gap(`it has more than ${maxRecords} packages; those from line ${number} on are not counted`);
      break;
    }
    const record = isLong ? undefined : parseLine(line);
    if (record !== undefined) records.push(record);
    else if (unread++ === 0) firstUnread = number;
  }
  if (unread > 0) gap(`lines that cannot be read: ${unread}, the first is line ${firstUnread}`);
  return records;
}

function parseLine(line: string): RpmRecord | undefined {
  const fields = line.split('\t').map(parseField);
  const [name, versionRelease, installTime, buildTime, vendor, , size, arch, epoch, sourceRpm] = fields;
  if (fields.length < 10 || name === undefined || versionRelease === undefined) return undefined;
  // Neither part can hold a hyphen.
  const [version, release, ...more] = versionRelease.split('-');
  if (version === undefined || version === '' || release === undefined || release === '' || more.length > 0) {
    return undefined;
  }
  return {
    name,
    version,
    release,
    epoch: parseNumber(epoch),
    arch,
    vendor,
    sourceRpm,
    size: parseNumber(size),
    installTime: parseNumber(installTime),
    buildTime: parseNumber(buildTime),
  };
}

function parseField(text: string): string | undefined {
  const value = text.trim();
  return value === '' || value === '(none)' ? undefined : value;
}

function parseNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function assemble(
  found: readonly Found<ManifestFact | ReleaseFact>[],
  context: Pick<AssembleContext, 'distro'>,
): readonly Package[] {
  return systemsOf<ManifestFact>(found, manifestRoot, context.distro).flatMap(packagesOf);
}

function packagesOf({ root, distro, found }: System<ManifestFact>): Package[] {
  const packages = new Map<string, Package>();
  for (const { path, layer, fact } of found) {
    for (const record of fact.records) {
      const key = keyIn(root, identify(record));
      const described = describeRecord(record, distro);
      packages.set(key, { ...described, key, places: [{ path, layer }], requiresIncomplete: true });
    }
  }
  return [...packages.values()];
}
