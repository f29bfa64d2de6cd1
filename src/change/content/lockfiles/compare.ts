/**
 * Two states of one lockfile. A registry never serves other bytes for a version that it has served: a digest or a source that
 * changes while the version stays was changed by hand. A package from a place that no other package is from is how a
 * stranger's code comes in under a name that everybody knows.
 */
import { quoted } from '../../../diag/index.ts';
import type { Draft } from '../findings.ts';
import { isInsecure } from './origin.ts';
import type { Lock, LockEntry, Origin } from './types.ts';

export function* compareLocks(before: Lock | undefined, after: Lock): Generator<Draft> {
  const old = new Map<string, LockEntry[]>();
  for (const entry of before?.entries ?? []) {
    const same = old.get(keyOf(entry));
    if (same === undefined) old.set(keyOf(entry), [entry]);
    else same.push(entry);
  }
  const usual = before === undefined || before.entries.length === 0 ? usualOf(after, false) : usualOf(before, true);
  const said = new Set<string>();
  for (const entry of after.entries) {
    const same = old.get(keyOf(entry));
    const judged = same === undefined ? judgeNew(entry, usual) : judgeSame(same, entry, usual);
    for (const { weight, message } of judged) {
      const text = `${quoted(`${entry.name}@${entry.version}`, 120)} ${message}`;
      // The same package may stand in many places.
      if (said.has(text)) continue;
      said.add(text);
      yield { rule: 'lockfile-source', weight, message: text, ...(entry.line !== undefined && { line: entry.line }) };
    }
  }
  yield* judgeRegistries(before, after);
}

interface Judged {
  readonly weight: Draft['weight'];
  readonly message: string;
}

/** What other entries have: of the old file, or of the new one where there is no old one. */
interface Usual {
  readonly places: ReadonlySet<string>;
  /** Every package from a registry has a digest. */
  readonly digests: boolean;
  readonly hasOld: boolean;
}

function keyOf({ name, version }: LockEntry): string {
  return `${name}\0${version}`;
}

function usualOf({ entries }: Lock, hasOld: boolean): Usual {
  const counts = new Map<string, number>();
  for (const { origin } of entries) {
    const places = origin === undefined ? publicRegistries : [origin.place];
    for (const place of places) counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  let most = 0;
  for (const count of counts.values()) most = Math.max(most, count);
  const places = [...counts].filter(([, count]) => hasOld || count === most).map(([place]) => place);
  const fromRegistries = entries.filter(({ origin }) => origin === undefined || origin.kind === 'registry');
  const digests = fromRegistries.length > 0 && fromRegistries.every(({ integrity }) => integrity.size > 0);
  return { places: new Set(places), digests, hasOld };
}

/** What an entry means that names no place, where settings name none either. */
const publicRegistries: readonly string[] = [
  'https://registry.npmjs.org',
  'https://pypi.org/simple',
  'https://rubygems.org',
];

function* judgeNew(entry: LockEntry, usual: Usual): Generator<Judged> {
  const { origin, integrity, alias, misplaced } = entry;
  if (misplaced !== undefined) yield error(`is fetched from the place of another package, ${quoted(misplaced, 120)}`);
  if (alias !== undefined) yield risk(`is really ${quoted(alias, 120)}`);
  yield* judgePlace(origin, usual);
  const fromRegistry = origin === undefined || origin.kind === 'registry';
  if (fromRegistry && integrity.size === 0 && usual.digests && usual.hasOld)
    yield risk('has no digest, and all others have one');
}

function* judgePlace(origin: Origin | undefined, { places, hasOld }: Usual): Generator<Judged> {
  if (origin === undefined) return;
  const shown = quoted(origin.place);
  if (!hasOld && isInsecure(origin)) yield error(`comes from ${shown} without encryption`);
  else if (places.has(origin.place)) return;
  else if (origin.kind === 'local') yield risk(`is taken from a local path, ${quoted(origin.address)}`);
  else if (hasOld) yield error(`comes from ${shown}: no other package was from there before`);
  else yield risk(`comes from ${shown}: most packages are from elsewhere`);
}

/** Against the entry that it differs least from: a lockfile may hold a version twice, from two places. */
function judgeSame(olds: readonly LockEntry[], entry: LockEntry, usual: Usual): readonly Judged[] {
  let least: readonly Judged[] | undefined;
  for (const old of olds.slice(0, 100)) {
    const judged = [...differences(old, entry, usual)];
    if (judged.length === 0) return judged;
    if (least === undefined || judged.length < least.length) least = judged;
  }
  return least ?? [];
}

function* differences(old: LockEntry, entry: LockEntry, usual: Usual): Generator<Judged> {
  const [from, to] = [old.origin, entry.origin];
  const digests = compareDigests(old, entry);
  if (digests !== undefined) yield digests;
  if (entry.alias !== old.alias)
    yield error(`is now really ${quoted(entry.alias ?? entry.name, 120)}, at the same version`);
  if (entry.misplaced !== undefined && entry.misplaced !== old.misplaced) {
    yield error(`is now fetched from the place of another package, ${quoted(entry.misplaced, 120)}`);
  }
  if (from === undefined) return yield* judgePlace(to, usual);
  if (to === undefined) return yield risk('no longer says where it comes from');
  if (from.place !== to.place) {
    yield error(`comes from ${quoted(to.place)} instead of ${quoted(from.place)}, at the same version`);
  } else if (from.address !== to.address) {
    const proved = digests === undefined && entry.integrity.size > 0;
    const message = `has another address, ${quoted(to.address)}, at the same version`;
    yield proved ? risk(`${message}: its digest is the same`) : error(message);
  }
}

function compareDigests(old: LockEntry, entry: LockEntry): Judged | undefined {
  if (old.integrity.size === 0) return undefined;
  if (entry.integrity.size === 0) return error('has lost its digest');
  let [shared, added] = [false, false];
  for (const [label, digests] of entry.integrity) {
    const known = old.integrity.get(label);
    if (known === undefined) {
      added = true;
      continue;
    }
    const equal = [...digests].filter((digest) => known.has(digest)).length;
    if (equal === 0) return error(`has another digest (${quoted(label, 80)}) at the same version`);
    shared = true;
    if (equal < digests.size) added = true;
  }
  if (!shared) return risk('has digests of another kind at the same version: they cannot be compared');
  return added ? risk('has more digests than before at the same version') : undefined;
}

function* judgeRegistries(before: Lock | undefined, after: Lock): Generator<Draft> {
  for (const registry of after.registries ?? []) {
    if (before?.registries === undefined || before.registries.includes(registry)) continue;
    const message = `the lockfile now takes packages from ${quoted(registry)} too`;
    yield { rule: 'lockfile-source', weight: 'error', message };
  }
}

function error(message: string): Judged {
  return { weight: 'error', message };
}

function risk(message: string): Judged {
  return { weight: 'risk', message };
}
