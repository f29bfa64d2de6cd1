/** The document for a change that cannot be read so far: whoever reads it must see no pass, and none of an earlier run. */
import type { OperationalError, RuleId } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import { type ChangeReport, changeSchema } from '../report/change.ts';
import { verificationTime } from '../report/verification.ts';
import type { ChangeRequest } from './change-request.ts';

/** Undecided, with the error as the one finding. */
export function unreadChange(request: ChangeRequest, error: OperationalError, world: World): ChangeReport {
  const { code, message, hints } = error;
  return {
    schema: changeSchema,
    tool: request.tool,
    time: verificationTime(request.now ?? world.now()),
    replayedTime: request.now !== undefined,
    requested: request.range,
    outcome: 'undecided',
    reason: message,
    repository: { path: request.repository },
    commits: [],
    risks: [],
    evidence: { counted: [], refused: [] },
    approvals: { needed: 0, counted: [], authors: [] },
    findings: [{ rule: rules.get(code) ?? 'evidence-unreachable', weight: 'undecided', message, commits: [], hints }],
    notes: [],
  };
}

const rules: ReadonlyMap<OperationalError['code'], RuleId> = new Map([
  ['malformed', 'schema-invalid'],
  ['digest-mismatch', 'object-mismatch'],
  ['unsupported', 'unsupported-repository'],
]);
