/**
 * The package list of distroless Azure Linux (CBL-Mariner) images, which have no rpm database:
 * `var/lib/rpmmanifest/container-manifest-2`, one package a line, ten fields between tabs, written by `rpm -qa`:
 *
 *   name, version-release, install time, build time, vendor, epoch, size, arch, epoch number, source rpm
 *   vim   9.0-1.cm2        1653816591    1653753130  Microsoft Corporation  2  45000  x86_64  2  vim-9.0-1.cm2.src.rpm
 *
 * `(none)` stands for nothing. There are no file lists and no dependencies. A line that has no ten fields is a gap.
 *
 * Format: "Distroless" in the documentation of Azure Linux's toolkit.
 */
import { isUtf8 } from 'node:buffer';
import type { AssembleContext, Cataloger, FileBytes, Found, Package, Place, ReportGap } from '../types.ts';
import { describeRecord } from './package.ts';
import { identify, type RpmRecord } from './record.ts';

const path = 'var/lib/rpmmanifest/container-manifest-2';

export const rpmManifest: Cataloger<readonly RpmRecord[]> = {
  id: 'rpm/container-manifest',
  kind: 'installed',
  anchors: [path],
  wants: (file) => file.path === path,
  read: ({ bytes }: FileBytes, gap) => parseManifest(bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1'), gap),
  assemble,
};

function parseManifest(text: string, gap: ReportGap): readonly RpmRecord[] {
  const records: RpmRecord[] = [];
  const unread: number[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const record = parseLine(line);
    if (record === undefined) unread.push(index + 1);
    else records.push(record);
  }
  if (unread.length > 0) gap(`lines that cannot be read: ${unread.length}, the first is line ${unread[0]}`);
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
  found: readonly Found<readonly RpmRecord[]>[],
  context: Pick<AssembleContext, 'distro'>,
): readonly Package[] {
  const packages = new Map<string, Package>();
  for (const { path, layer, fact } of found) {
    const place: Place = { path, layer };
    for (const record of fact) {
      const described = describeRecord(record, context.distro);
      packages.set(identify(record), { ...described, places: [place], requiresIncomplete: true });
    }
  }
  return [...packages.values()];
}
