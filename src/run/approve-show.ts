/** What is about to be signed, for the person who signs: on standard error, every string of the change made harmless. */
import type { Approval } from '../change/types.ts';
import { plural } from '../diag/index.ts';
import { bytesText } from '../git/path-text.ts';
import { shown } from '../report/text.ts';
import type { ApprovalFacts, ApprovedCommit } from './approve-facts.ts';

/** Lines, each with its end. */
export function describeApproval(approval: Omit<Approval, 'kind'>, facts: ApprovalFacts): string {
  const { range, commits, risky, content, changedPaths, policy } = facts;
  const { operation, repository, baseRef, expires } = approval;
  const head = range.head.ref === undefined ? '' : `  ${range.head.ref}`;
  const lines = [
    `approving ${operation} of ${plural(commits.length, 'commit')} into ${baseRef} of ${repository}`,
    `  from    ${range.mergeBase.id}`,
    `  to      ${range.head.id}${head}`,
    `  tree    ${range.head.tree}`,
    `  until   ${new Date(expires).toISOString().replace('.000Z', 'Z')}`,
    `  policy  ${policy.from}`,
    'commits',
    ...some(commits.map(commitLine), 'commit'),
    `${plural(changedPaths, 'path')} changed, ${risky.length === 0 ? 'none' : risky.length} of high risk`,
    ...some(
      risky.map(({ path, reason }) => `${bytesText(path)}  (${reason})`),
      'path',
    ),
    ...(content.length === 0 ? [] : ['what the diff may not show']),
    ...some(
      content.map(({ rule, weight, path, line, message }) => {
        const where = line === undefined ? bytesText(path) : `${bytesText(path)}:${line}`;
        return `${weight} ${rule}  ${where}  ${message}`;
      }),
      'finding',
    ),
    ...(range.landing.clean
      ? []
      : ['it does not merge into the base without conflicts, so it will change before it lands']),
  ];
  return lines.map((line) => `${shown(line)}\n`).join('');
}

const most = 200;

/** What is too much to read is at least counted. */
function some(lines: readonly string[], noun: string): readonly string[] {
  const left = lines.length - most;
  const more = left > 0 ? [`  … and ${plural(left, noun)} more: look at all of it with tidewaiter change`] : [];
  return [...lines.slice(0, most).map((line) => `  ${cut(line)}`), ...more];
}

const longest = 300;

function cut(line: string): string {
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}

function commitLine({ facts, class: made, because, vouchedBy }: ApprovedCommit): string {
  const { commit, merge } = facts;
  const { author } = commit;
  const subject = commit.message.trimStart().split('\n', 1)[0] ?? '';
  const vouched = vouchedBy === undefined ? '' : `, signed by ${vouchedBy}`;
  const odd = merge === undefined || merge.replay === 'clean' ? '' : `, a merge that its parents do not explain`;
  return `${commit.id.slice(0, 12)}  ${made} (${because}${vouched}${odd})  ${author.name} <${author.email}>  ${subject.slice(0, 100)}`;
}
