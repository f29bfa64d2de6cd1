/** The flags of `change` as the use case wants them, each checked with a message of its own. */
import { Exit, type ExitCode, exitForError, OperationalError, quoted } from '../diag/index.ts';
import { isNamePart } from '../git/ref-name.ts';
import { parseRangeText } from '../git/revision.ts';
import type { World } from '../io/index.ts';
import type { ChangeReport } from '../report/change.ts';
import { colorWanted } from '../report/color.ts';
import { shown } from '../report/text.ts';
import { exitOfChange, judgeChange } from '../run/change.ts';
import type { ChangeRequest } from '../run/change-request.ts';
import { guardOutputs } from '../run/guarded-disk.ts';
import { fullBranch } from './branch-name.ts';
import type { ChangeFlags } from './change.ts';
import { type Output, parseOutputs } from './outputs.ts';
import { parseTime } from './rfc3339.ts';

const formats = ['table', 'json', 'sarif', 'github', 'summary'] as const;
type Format = (typeof formats)[number];

/** Judges the change and writes its outputs. Throws OperationalError. */
export async function change(
  ranges: readonly string[],
  flags: ChangeFlags,
  outside: World,
  version: string,
): Promise<ExitCode> {
  const outputs = parseOutputs<Format>(flags.output, formats);
  const request = changeRequest(oneRange(ranges), flags, version);
  const world = guardOutputs(
    outside,
    outputs.map(({ file }) => file),
  );
  let report: ChangeReport;
  try {
    report = await judgeChange(request, world);
  } catch (error) {
    if (error instanceof OperationalError) await writeUnread(request, error, outputs, world);
    throw error;
  }
  await writeNotes(report, world);
  await writeAll(report, outputs, world);
  return exitOfChange(report.outcome);
}

/** Throws OperationalError `usage`. */
export function changeRequest(range: string, flags: ChangeFlags, version: string): ChangeRequest {
  const { repository, policy, baseRef, headRef, evidence, notes, reviews, explain, now, maxObjectBytes } = flags;
  const text = range.replace(/^git:/, '');
  if (text === '') throw usage('the range is empty', 'write BASE..HEAD, for example origin/main..HEAD');
  // Wrong usage is said before anything is opened.
  parseRangeText(text);
  refuseEmpty('--repository', [repository], 'give the folder of the repository');
  refuseEmpty('--policy', [policy], 'give a file, or git:REV:PATH; without --policy it is read from the tree of BASE');
  refuseEmpty('--evidence', evidence, 'give a file, a folder or oci:DIR');
  refuseEmpty('--reviews', reviews, 'give the file with the reviews');
  refuseEmpty('--explain', [explain], 'name a commit of the range: its id, at least four digits of it, or a branch');
  for (const each of notes) refuseNoRef('--notes', each, 'write it as refs/notes/commits');
  const maxBytes = maxObjectBytes === undefined ? undefined : wholeNumber('--max-object-bytes', maxObjectBytes);
  return {
    range: text,
    repository: repository ?? '.',
    ...(policy !== undefined && { policy }),
    ...(baseRef !== undefined && { baseRef: fullBranch(baseRef, '--base-ref') }),
    ...(headRef !== undefined && { headRef: branchName(headRef) }),
    evidence,
    notes,
    reviews,
    ...(explain !== undefined && { explain }),
    ...(now !== undefined && { now: parseTime(now, '--now') }),
    ...(maxBytes !== undefined && { maxObjectBytes: maxBytes }),
    tool: { name: 'tidewaiter', version },
  };
}

/** Other tools take both names one by one. */
function oneRange([range = '', ...more]: readonly string[]): string {
  if (more.length === 0) return range;
  const names = [range, ...more].filter((each) => each !== '..');
  const isPair = names.length === 2 && names.every((each) => !each.includes('..'));
  throw usage(
    `there are too many arguments: ${quoted(more[0] ?? '')} is one more than the range`,
    isPair ? `write ${names.join('..')}` : 'write one range: BASE..HEAD',
  );
}

/** A variable that is not set in a pipeline must not look as if nothing had been asked for. */
function refuseEmpty(flag: string, values: readonly (string | undefined)[], hint: string): void {
  if (values.includes('')) throw usage(`${flag} is empty`, hint);
}

function refuseNoRef(flag: string, name: string, hint: string): void {
  if (!isNamePart(name) || name.startsWith('-')) throw usage(`${flag} ${quoted(name)} is no name of a ref`, hint);
}

function branchName(name: string): string {
  refuseNoRef('--head-ref', name, 'write the name of the branch: claude/fix-login; leave it out where there is none');
  return name;
}

function wholeNumber(flag: string, text: string): number {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  throw usage(`${flag} needs a whole number above 0, not ${quoted(text)}`, `write it in bytes: ${flag} 104857600`);
}

/** Beyond this many, remarks are only counted here; JSON lists them all. */
const mostNotes = 20;

async function writeNotes({ notes }: ChangeReport, world: World): Promise<void> {
  const left = notes.length - mostNotes;
  const lines = [
    ...notes.slice(0, mostNotes).map((note) => `note: ${shown(note)}\n`),
    ...(left > 0 ? [`note: ${left} more are listed in the output as JSON\n`] : []),
  ];
  // Remarks are no result: when standard error is gone, the rest goes on.
  for (const line of lines) await world.stderr.write(line).catch(() => {});
}

/** Whoever reads documents must not find that of an earlier run, or none: it says that nothing was decided. */
async function writeUnread(
  request: ChangeRequest,
  error: OperationalError,
  outputs: readonly Output<Format>[],
  world: World,
): Promise<void> {
  if (exitForError(error.code) !== Exit.undecided) return;
  const { unreadChange } = await import('../run/change-unread.ts');
  // On a screen the error itself says it.
  const documents = outputs.filter(({ format, file }) => format !== 'table' || file !== undefined);
  await writeAll(unreadChange(request, error, world), documents, world);
}

async function writeAll(report: ChangeReport, outputs: readonly Output<Format>[], world: World): Promise<void> {
  for (const output of outputs) {
    const text = await format(report, output, world);
    if (output.file === undefined) await world.stdout.write(text);
    else await world.disk.write(output.file, text);
  }
}

async function format(report: ChangeReport, { format: wanted, file }: Output<Format>, world: World): Promise<string> {
  switch (wanted) {
    case 'json': {
      const { writeChangeJson } = await import('../report/change-json.ts');
      return writeChangeJson(report);
    }
    case 'sarif': {
      const { writeChangeSarif } = await import('../report/change-sarif.ts');
      return writeChangeSarif(report, exitOfChange(report.outcome));
    }
    case 'github': {
      const { writeChangeGitHub } = await import('../report/change-github.ts');
      return writeChangeGitHub(report);
    }
    case 'summary': {
      const { writeChangeSummary } = await import('../report/change-summary.ts');
      return writeChangeSummary(report);
    }
    case 'table':
      return formatTable(report, file, world);
  }
}

async function formatTable(report: ChangeReport, file: string | undefined, world: World): Promise<string> {
  const onTerminal = file === undefined && world.stdout.isTerminal;
  const look = {
    color: file === undefined && colorWanted(world.env, world.stdout.isTerminal),
    ...(onTerminal ? { width: world.stdout.columns } : {}),
  };
  const commit = report.commits.find(({ id }) => id === report.explained);
  if (commit !== undefined) {
    const { writeChangeExplanation } = await import('../report/change-explain.ts');
    return writeChangeExplanation(report, commit, look);
  }
  const { writeChangeTable } = await import('../report/change-table.ts');
  return writeChangeTable(report, look);
}

function usage(message: string, ...hints: string[]): OperationalError {
  return new OperationalError('usage', message, { hints });
}
