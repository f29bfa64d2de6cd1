/** What the commands of `trust` do, loaded when one of them runs. */
import { Exit, type ExitCode, exitForError, OperationalError, quoted, worstExit } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import { colorWanted, formatError, shown } from '../report/index.ts';
import { guardOutputs } from '../run/guarded-disk.ts';
import { formatTrustJson, formatTrustTable, listRoots } from '../run/trust-show.ts';
import { type Updated, type UpdateOptions, updatePrivateRoot, updateRoot } from '../run/trust-update.ts';
import { isShippedName, type ShippedName, shippedNames } from '../sigstore/shipped.ts';
import type { ShowFlags, UpdateFlags } from './trust.ts';

/** 3 when an updated root is there and cannot be believed. */
export async function showRoots(flags: ShowFlags, world: World): Promise<ExitCode> {
  const { output } = flags;
  if (output !== 'table' && output !== 'json') {
    throw usage(`${quoted(output)} is no output format`, 'choose one of table, json');
  }
  const roots = await listRoots(flags.trustedRoot, world);
  await world.stdout.write(output === 'json' ? formatTrustJson(roots, world.now()) : formatTrustTable(roots));
  return roots.some(({ from }) => from === 'refused') ? Exit.undecided : Exit.pass;
}

export async function updateRoots(flags: UpdateFlags, world: World, version: string): Promise<ExitCode> {
  if (flags.offline === true) {
    throw usage('an update needs the network, and --offline forbids it', 'leave out --offline, or use trust show');
  }
  const options = { timeoutSeconds: seconds(flags.timeout), userAgent: `tidewaiter/${version}` };
  if (flags.tufRoot !== undefined || flags.to !== undefined) return updatePrivate(flags, options, world);
  const names = flags.root.length === 0 ? usual : [...new Set(flags.root)].map(shippedName);
  if (flags.tufUrl !== undefined && flags.root.length !== 1) {
    throw usage('--tuf-url serves one trusted root', 'say which one with --root NAME, or give --tuf-root and --to');
  }
  const mirror = flags.tufUrl === undefined ? {} : { url: flags.tufUrl };
  return worstExit(await oneByOne(names, { ...options, ...mirror }, world));
}

/** Staging is for those who test Sigstore itself. */
const usual: readonly ShippedName[] = ['public-good', 'github'];

/** One that fails does not keep the others from being updated. */
async function oneByOne(
  names: readonly ShippedName[],
  options: UpdateOptions,
  world: World,
): Promise<readonly ExitCode[]> {
  const codes: ExitCode[] = [];
  for (const name of names) {
    try {
      await say(await updateRoot(name, options, world), world);
      codes.push(Exit.pass);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      await world.stderr.write(formatError(error, { color: colorWanted(world.env, world.stderr.isTerminal) }));
      codes.push(exitForError(error.code));
    }
  }
  return codes;
}

async function updatePrivate(flags: UpdateFlags, options: UpdateOptions, world: World): Promise<ExitCode> {
  const { tufUrl: url, tufRoot: tufRootFile, to } = flags;
  if (url === undefined || tufRootFile === undefined || to === undefined) {
    throw usage('--tuf-root, --tuf-url and --to go together', 'give all three, or none to update the known roots');
  }
  if (flags.root.length > 0) {
    throw usage('--root and --tuf-root do not go together', 'a repository of your own cannot speak for a known root');
  }
  const guarded = guardOutputs(world, [to]);
  await say(await updatePrivateRoot({ ...options, url, tufRootFile, to }, guarded), world);
  return Exit.pass;
}

function say({ name, url, digest, versions, changed }: Updated, world: World): Promise<void> {
  const how = changed ? 'updated' : 'still the newest';
  return world.stdout.write(
    `${shown(name)}: ${how}, sha256:${digest} (${shown(url)}, targets ${versions.targets}, TUF root ${versions.root})\n`,
  );
}

function shippedName(name: string): ShippedName {
  if (isShippedName(name)) return name;
  throw usage(`there is no trusted root ${quoted(name)}`, `the known ones are ${shippedNames.join(', ')}`);
}

function seconds(text: string): number {
  if (/^[1-9][0-9]{0,3}$/.test(text)) return Number(text);
  throw usage(`--timeout needs a whole number of seconds above 0, not ${quoted(text)}`, 'for example --timeout 30');
}

function usage(message: string, hint: string): OperationalError {
  return new OperationalError('usage', message, { hints: [hint] });
}
