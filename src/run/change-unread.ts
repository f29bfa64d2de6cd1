/** The document for a change that cannot be read so far: whoever reads it must see no pass, and none of an earlier run. */
import { OperationalError, type RuleId } from '../diag/index.ts';
import { GitRefusal } from '../git/index.ts';
import type { World } from '../io/index.ts';
import { type ChangeReport, changeSchema, type ReportedRepository } from '../report/change.ts';
import { verificationTime } from '../report/verification.ts';
import type { ChangeRequest } from './change-request.ts';

/** Undecided, with the error as the one finding. */
export function unreadChange(request: ChangeRequest, error: OperationalError, world: World): ChangeReport {
  return {
    ...reportStart(request, request.now ?? world.now()),
    ...undecided(error, ruleOf(error, error.code), { path: request.repository }),
  };
}

export function reportStart(request: ChangeRequest, now: number) {
  return {
    schema: changeSchema,
    tool: request.tool,
    time: verificationTime(now),
    replayedTime: request.now !== undefined,
    requested: request.range,
  } as const;
}

/** What is judged, without what was asked. */
export type Judged = Omit<ChangeReport, keyof ReturnType<typeof reportStart>>;

export function undecided({ message, hints }: OperationalError, rule: RuleId, repository: ReportedRepository): Judged {
  return {
    outcome: 'undecided',
    reason: message,
    repository,
    commits: [],
    risks: [],
    evidence: { counted: [], refused: [] },
    approvals: { needed: 0, counted: [], authors: [] },
    findings: [{ rule, weight: 'undecided', message, commits: [], hints }],
    notes: [],
  };
}

/** What stops the search for the repository and the range is no matter of evidence. Throws what it is given, marked as such. */
export function refuseRange(error: unknown): never {
  if (error instanceof OperationalError && !(error instanceof GitRefusal)) throw new RangeUnreadable(error);
  throw error;
}

class RangeUnreadable extends OperationalError {
  constructor({ code, message, hints, cause }: OperationalError) {
    super(code, message, { hints, cause });
  }
}

function ruleOf(error: OperationalError, code: OperationalError['code']): RuleId {
  return rules.get(code) ?? (error instanceof RangeUnreadable ? 'range-unreadable' : 'evidence-unreachable');
}

const rules: ReadonlyMap<OperationalError['code'], RuleId> = new Map([
  ['malformed', 'schema-invalid'],
  ['digest-mismatch', 'object-mismatch'],
  ['unsupported', 'unsupported-repository'],
]);
