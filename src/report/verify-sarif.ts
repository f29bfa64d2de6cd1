/** A verification as SARIF: what speaks against each target. Where the requirement is met, the rest is a note. */

import { findRule } from '../diag/index.ts';
import { type SarifFinding, writeSarif } from './sarif.ts';
import { type Failure, type TargetResult, titleOf, type Verification } from './verification.ts';

export function writeVerificationSarif(verification: Verification, exitCode: number): string {
  const { tool, outcome, results, notes } = verification;
  return writeSarif({
    tool,
    decided: outcome !== 'undecided',
    exitCode,
    notifications: [
      ...results
        .filter((each) => each.outcome === 'undecided')
        .map(({ target, reason }) => `${titleOf(target)}: ${reason}`),
      ...notes,
    ],
    findings: results.flatMap(findingsOf),
  });
}

function findingsOf({ target, outcome, findings, signatures, reason }: TargetResult): readonly SarifFinding[] {
  const level = outcome === 'pass' ? 'note' : 'error';
  const title = titleOf(target);
  const about = (failure: Failure, place: string, file = pathOf(target.requested)): SarifFinding => ({
    rule: failure.rule,
    level,
    message: textOf(failure, place),
    subject: title,
    place,
    file,
  });
  const all = [
    ...findings.map((failure) => about(failure, title)),
    ...signatures.flatMap(({ failure, place, file }) => (failure === undefined ? [] : [about(failure, place, file)])),
  ];
  if (all.length > 0 || outcome === 'pass') return all;
  // Whatever the reason: a target that did not pass never leaves the list empty.
  return [about({ rule: 'requirement-unmet', message: reason, hints: [] }, title)];
}

function textOf({ rule, message, expected, got, differences = [], hints }: Failure, place: string): string {
  const fields = differences.map((each) => `${each.field}: expected ${each.expected}, got ${each.got ?? 'nothing'}`);
  const parts = [
    ...(expected === undefined ? [] : [`expected ${expected}`]),
    ...(got === undefined ? [] : [`got ${got}`]),
    ...fields,
  ];
  // What the rule itself says to do stands beside the rule.
  const todo = hints.filter((hint) => hint !== findRule(rule)?.help);
  const more = todo.length === 0 ? '' : `; to do: ${todo.join('; ')}`;
  return `${place}: ${message}${parts.length === 0 ? '' : ` (${parts.join('; ')})`}${more}`;
}

/** Services that show findings want a file: the target without its prefix, where it has one. */
function pathOf(requested: string): string {
  return requested.replace(/^(?:oci|oci-archive|docker-archive|file|dir):/, '');
}
