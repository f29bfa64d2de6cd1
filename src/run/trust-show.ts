/** `trust show`: which trusted roots there are, where each comes from, how old it is, and whom it believes until when. */
import { OperationalError, printableJson } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import { shown } from '../report/index.ts';
import { findShipped, isShippedName, rootAge, shippedNames } from '../sigstore/shipped.ts';
import type { Authority, LogKey, TimeRange, TrustRoot } from '../sigstore/types.ts';
import { day, type LoadedRoot, loadRoot, loadRootFile } from './trust.ts';

/** Beyond this age `trust show` asks for an update. What a verdict accepts is said by policy, not by this. */
export const staleAfterDays = 180;

export const trustSchema = 'tidewaiter.trust/v1';

export interface ListedRoot {
  readonly name: string;
  readonly from: LoadedRoot['from'] | 'refused';
  readonly file?: string;
  /** Hex SHA-256. */
  readonly digest?: string;
  readonly published?: string;
  readonly ageDays?: number;
  readonly stale?: boolean;
  /** TUF repository. */
  readonly updates?: string;
  /** Why the updated root is not used. */
  readonly error?: { readonly message: string; readonly hints: readonly string[] };
  readonly parties: readonly Party[];
}

export interface Party {
  readonly kind: 'log' | 'certificate log' | 'certificate authority' | 'timestamp authority';
  readonly uri: string;
  /** Hex id of a log. */
  readonly id?: string;
  readonly start: string;
  readonly end?: string;
  readonly state: 'valid' | 'ended' | 'not yet';
}

/** Every known root, and those in the files. Throws OperationalError for a file that cannot be read. */
export async function listRoots(files: readonly string[], world: World): Promise<readonly ListedRoot[]> {
  const listed: ListedRoot[] = [];
  for (const name of shippedNames) {
    try {
      listed.push(describe(await loadRoot(name, world), world.now()));
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      const { message, hints } = error;
      listed.push({
        name,
        from: 'refused',
        updates: findShipped(name).tuf.url,
        error: { message, hints },
        parties: [],
      });
    }
  }
  for (const file of files) {
    for (const root of await loadRootFile(file, world)) listed.push(describe(root, world.now()));
  }
  return listed;
}

function describe({ root, from, published, file }: LoadedRoot, now: number): ListedRoot {
  const age = published === undefined ? undefined : rootAge(published, now);
  return {
    name: root.name,
    from,
    ...(file === undefined ? {} : { file }),
    digest: root.digest,
    ...(published === undefined ? {} : { published: new Date(published).toISOString() }),
    ...(age === undefined ? {} : { ageDays: age, stale: age > staleAfterDays }),
    ...(from !== 'file' && isShippedName(root.name) ? { updates: findShipped(root.name).tuf.url } : {}),
    parties: partiesOf(root, now),
  };
}

function partiesOf(root: TrustRoot, now: number): readonly Party[] {
  const log = (kind: Party['kind']) => (each: LogKey) => ({
    kind,
    uri: each.baseUrl,
    id: each.logId.toString('hex'),
    ...validity(each.validFor, now),
  });
  const authority = (kind: Party['kind']) => (each: Authority) => ({
    kind,
    uri: each.uri,
    ...validity(each.validFor, now),
  });
  return [
    ...root.tlogs.map(log('log')),
    ...root.ctlogs.map(log('certificate log')),
    ...root.certificateAuthorities.map(authority('certificate authority')),
    ...root.timestampAuthorities.map(authority('timestamp authority')),
  ];
}

function validity({ start, end }: TimeRange, now: number): Pick<Party, 'start' | 'end' | 'state'> {
  const over = end !== undefined && now > end;
  return {
    start: new Date(start).toISOString(),
    ...(end === undefined ? {} : { end: new Date(end).toISOString() }),
    state: over ? 'ended' : now < start ? 'not yet' : 'valid',
  };
}

export function formatTrustJson(roots: readonly ListedRoot[], now: number): string {
  const document = { schema: trustSchema, time: new Date(now).toISOString(), roots };
  return `${printableJson(JSON.stringify(document, undefined, 2))}\n`;
}

export function formatTrustTable(roots: readonly ListedRoot[]): string {
  return roots
    .map((root) => [shown(root.name), ...facts(root), ...partyLines(root.parties)].join('\n') + '\n')
    .join('\n');
}

function facts({ from, file, digest, published, ageDays, stale, updates, error, name }: ListedRoot): readonly string[] {
  const origin = { shipped: 'inside tidewaiter', updated: 'trust update', file: 'a file', refused: 'refused' }[from];
  const lines: (readonly [string, string | undefined])[] = [
    ['from', file === undefined ? origin : `${origin}, ${file}`],
    ['refused', error?.message],
    ...(error?.hints ?? []).map((hint) => ['hint', hint] as const),
    ['digest', digest && `sha256:${digest}`],
    [
      'as of',
      published === undefined
        ? error
          ? undefined
          : 'not known'
        : `${day(Date.parse(published))} (${ageDays} days old)`,
    ],
    ['stale', stale === true ? `older than ${staleAfterDays} days; tidewaiter trust update --root ${name}` : undefined],
    ['updates', updates],
  ];
  return lines.flatMap(([label, value]) => (value === undefined ? [] : [`  ${label.padEnd(8)} ${shown(value)}`]));
}

function partyLines(parties: readonly Party[]): readonly string[] {
  const [kinds, uris] = [parties.map(({ kind }) => kind), parties.map(({ uri }) => shown(uri))];
  const [kindWidth, uriWidth] = [kinds, uris].map((texts) => Math.max(0, ...texts.map((text) => text.length)));
  return parties.map(({ kind, start, end, state }, at) => {
    const until = end === undefined ? `since ${start.slice(0, 10)}` : `${start.slice(0, 10)} to ${end.slice(0, 10)}`;
    const note = state === 'valid' ? '' : `, ${state}`;
    return `  ${kind.padEnd(kindWidth ?? 0)}  ${(uris[at] ?? '').padEnd(uriWidth ?? 0)}  ${until}${note}`;
  });
}
