/**
 * One package of a dpkg or opkg database, out of its stanza.
 *
 *     Package: bash
 *     Status: install ok installed
 *     Architecture: amd64
 *     Source: bash (5.2.15-2)
 *     Version: 5.2.15-2+b8
 *
 * `Status` is three words: what is wanted, a flag, and the state the package is in; only the state tells what is on disk
 * (dpkg(1), "Package states"). `not-installed` and `config-files` have none of the package's programs on disk. Every
 * other state has some: a package that is wanted away but still installed is there, and so is one that was unpacked but
 * never configured, which is how a package is put into an image whose architecture is not the builder's. A stanza
 * of a status file without `Status` is not installed for dpkg and opkg; it is named as a gap, since it looks like a
 * package. A state that dpkg does not know is counted as installed, and named.
 */
import { quoted } from '../../diag/index.ts';
import type { Party } from '../types.ts';
import { fieldOf, type Stanza } from './control.ts';
import { parseMaintainer } from './maintainer.ts';

export interface PackageRecord {
  readonly name: string;
  readonly version: string;
  readonly architecture?: string;
  /** `same`, `foreign`, `allowed`. */
  readonly multiArch?: string;
  /** Name of the source package, where it is stated. */
  readonly source?: string;
  readonly sourceVersion?: string;
  /** The Status line where it is another than `install ok installed`. */
  readonly status?: string;
  /** Relations as they stand: Pre-Depends and Depends. */
  readonly depends: readonly string[];
  readonly provides?: string;
  readonly maintainer?: Party;
  readonly homepage?: string;
  readonly description?: string;
  readonly section?: string;
  readonly priority?: string;
  readonly essential: boolean;
  /** KiB for dpkg, bytes for opkg. */
  readonly installedSize?: string;
  /** opkg only. */
  readonly license?: string;
  readonly cpeId?: string;
}

/** What a stanza says: an installed package, one that is known and not installed, or something that has to be named. */
export interface Reading {
  readonly name: string;
  readonly architecture: string;
  readonly record?: PackageRecord;
  readonly problem?: string;
}

/** `statusRequired`: the file is a status file, whose stanzas state whether the package is installed. */
export function readStanza(stanza: Stanza, statusRequired: boolean): Reading {
  const name = fieldOf(stanza, 'package');
  if (name === undefined) return { name: '', architecture: '', problem: 'a record without a Package field' };
  const architecture = fieldOf(stanza, 'architecture') ?? '';
  const version = fieldOf(stanza, 'version');
  const status = fieldOf(stanza, 'status');
  const presence = presenceOf(status, statusRequired);
  const problems = [
    presence.problem,
    repeatedFields(stanza),
    oversizedFields(stanza),
    presence.installed && version === undefined ? 'is installed, but has no Version' : undefined,
  ].filter((problem) => problem !== undefined);
  const record = presence.installed && version !== undefined ? recordOf(stanza, name, version, status) : undefined;
  return {
    name,
    architecture,
    ...(record !== undefined && { record }),
    ...(problems.length > 0 && { problem: `package ${quoted(name)} ${problems.join(', ')}` }),
  };
}

const absentStates: ReadonlySet<string> = new Set(['not-installed', 'config-files']);

/** opkg's post-inst-failed and removal-failed included. */
const presentStates: ReadonlySet<string> = new Set([
  ...['installed', 'half-installed', 'unpacked', 'half-configured', 'triggers-awaited', 'triggers-pending'],
  ...['post-inst-failed', 'removal-failed'],
]);

interface Presence {
  readonly installed: boolean;
  readonly problem?: string;
}

function presenceOf(status: string | undefined, required: boolean): Presence {
  if (status === undefined) {
    return required
      ? { installed: false, problem: 'has no Status, so nothing says that it is installed' }
      : { installed: true };
  }
  const state = status.split(/\s+/)[2]?.toLowerCase();
  if (state === undefined) return { installed: true, problem: 'has a Status of fewer than three words' };
  if (absentStates.has(state)) return { installed: false };
  return presentStates.has(state)
    ? { installed: true }
    : { installed: true, problem: 'is in a state that is not known' };
}

/** What is stated twice of these could mislead. */
const stateOnce: readonly string[] = [
  ...['package', 'version', 'status', 'architecture', 'pre-depends', 'depends', 'provides'],
];

function repeatedFields(stanza: Stanza): string | undefined {
  const repeated = stateOnce.filter((name) => stanza.repeated.has(name));
  return repeated.length === 0 ? undefined : `states ${repeated.join(', ')} more than once`;
}

function oversizedFields(stanza: Stanza): string | undefined {
  const oversized = stateOnce.filter((name) => stanza.oversized.has(name));
  return oversized.length === 0 ? undefined : `has a ${oversized.join(', ')} too long to be read`;
}

function recordOf(stanza: Stanza, name: string, version: string, status: string | undefined): PackageRecord {
  const optional = {
    architecture: fieldOf(stanza, 'architecture'),
    multiArch: fieldOf(stanza, 'multi-arch')?.toLowerCase(),
    status: status === undefined || /^install\s+ok\s+installed$/i.test(status) ? undefined : status,
    provides: stanza.fields.get('provides'),
    maintainer: parseMaintainer(fieldOf(stanza, 'maintainer')),
    homepage: fieldOf(stanza, 'homepage') ?? fieldOf(stanza, 'url'),
    description: fieldOf(stanza, 'description'),
    section: fieldOf(stanza, 'section'),
    priority: fieldOf(stanza, 'priority'),
    installedSize: fieldOf(stanza, 'installed-size'),
    license: fieldOf(stanza, 'license'),
    cpeId: fieldOf(stanza, 'cpe-id'),
  };
  return {
    name,
    version,
    ...sourceOf(stanza),
    depends: ['pre-depends', 'depends'].flatMap((field) => stanza.fields.get(field) ?? []),
    essential: fieldOf(stanza, 'essential')?.toLowerCase() === 'yes',
    ...definedOnly(optional),
  };
}

/** `Source: bash (5.2.15-2)`; the version only where it differs. OpenWrt's Source is a folder, SourceName the name. */
function sourceOf(stanza: Stanza): { source?: string; sourceVersion?: string } {
  const stated = fieldOf(stanza, 'sourcename') ?? fieldOf(stanza, 'source');
  if (stated === undefined) return {};
  const open = stated.indexOf('(');
  const source = (open < 0 ? stated : stated.slice(0, open)).trim();
  const version =
    open < 0
      ? ''
      : stated
          .slice(open + 1)
          .replace(/\).*$/, '')
          .trim();
  if (source === '') return {};
  return version === '' ? { source } : { source, sourceVersion: version };
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function definedOnly<T extends object>(values: T): Defined<T> {
  const defined: Defined<T> = {};
  for (const key in values) {
    const value = values[key];
    if (value !== undefined) defined[key] = value as Exclude<T[typeof key], undefined>;
  }
  return defined;
}
