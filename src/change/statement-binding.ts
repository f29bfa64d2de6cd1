/** Whether a statement is about this change: every commit and name in it is held against what was recomputed. */
import { plural } from '../diag/index.ts';
import type { ChangesRule } from '../policy/types.ts';
import { isContent } from './authors.ts';
import { headOf, isRewritten, type Problem, type StatementContext } from './statement-context.ts';
import type { AgentChange } from './types.ts';

/** Repository, branch, base, commit, tree and digest: everything that ties a statement to this change. */
export function bindingProblem(statement: AgentChange, context: StatementContext): Problem | undefined {
  return (
    placeProblem(statement, context.rule) ??
    commitProblem(statement, context) ??
    headlessProblem(statement, context) ??
    baseProblem(statement, context) ??
    digestProblem(statement, context)
  );
}

function placeProblem(statement: AgentChange, rule: ChangesRule): Problem | undefined {
  const named = [
    statement.repository,
    ...(statement.subjectRepository === undefined ? [] : [statement.subjectRepository]),
  ];
  const other = named.find((each) => each !== rule.repository);
  if (other !== undefined) {
    return {
      rule: 'repo-mismatch',
      message: 'provenance is about another repository',
      expected: rule.repository,
      got: other,
    };
  }
  if (statement.baseRef === rule.baseRef) return undefined;
  return {
    rule: 'repo-mismatch',
    message: 'provenance is for another branch',
    expected: rule.baseRef,
    got: statement.baseRef,
  };
}

function commitProblem(statement: AgentChange, { relations, range }: StatementContext): Problem | undefined {
  const { subject } = statement;
  const head = headOf(statement, range.head.id);
  const landing = relations.landingOf(head);
  if (landing.kind === 'residual') {
    return {
      rule: relations.inBase(head) ? 'replayed' : 'landing-residual',
      message: relations.inBase(head)
        ? 'provenance is about a commit that is in the base branch already'
        : landing.why !== undefined
          ? landing.why
          : `merging the attested commit ${head} onto the base does not make this change`,
      expected: range.head.tree,
      ...(landing.tree !== undefined && { got: landing.clean ? landing.tree : `${landing.tree}, with conflicts` }),
    };
  }
  if (landing.kind === 'unverifiable') {
    return {
      rule: 'subject-mismatch',
      message: 'provenance is about a commit that this repository does not have',
      expected: range.head.id,
      got: head,
    };
  }
  if (subject.kind === 'change') return undefined;
  const tree = relations.treeOf(head);
  if (subject.tree === undefined) {
    return { rule: 'schema-invalid', message: 'provenance names no gitTree beside its gitCommit' };
  }
  if (subject.tree === tree) return undefined;
  return {
    rule: 'tree-mismatch',
    message: `provenance names a tree that ${head} does not have`,
    ...(tree !== undefined && { expected: tree }),
    got: subject.tree,
  };
}

/**
 * A digest alone names two trees and no history. From an older base it would fit a change that takes back what the base has done
 * since, and over several commits it says nothing of what was added on the way and taken back.
 */
function headlessProblem(
  { subject, baseCommit }: AgentChange,
  { range, commits }: StatementContext,
): Problem | undefined {
  if (subject.kind === 'commit' || subject.commit !== undefined) return undefined;
  const remedy = 'name the head: externalParameters.target.headCommit';
  if (baseCommit !== range.mergeBase.id) {
    return {
      rule: 'base-mismatch',
      message: `provenance names a change and not the commit that it ends at, and starts elsewhere than the range; ${remedy}`,
      expected: range.mergeBase.id,
      got: baseCommit,
    };
  }
  const made = commits.filter((facts) => isContent({ facts }));
  if (made.length === 1) return undefined;
  return {
    rule: 'subject-mismatch',
    message: `provenance names a change and not the commit that it ends at, and ${plural(made.length, 'commit')} of the range add content, where that is about one; ${remedy}`,
    expected: range.head.id,
  };
}

function baseProblem(statement: AgentChange, { relations, graph, range }: StatementContext): Problem | undefined {
  const { baseCommit, sourceCommit } = statement;
  const mismatch = (message: string, got: string): Problem => ({
    rule: 'base-mismatch',
    message,
    expected: range.mergeBase.id,
    got,
  });
  if (sourceCommit !== undefined && sourceCommit !== baseCommit) {
    return mismatch(
      'provenance names two different commits that the agent started from',
      `${baseCommit} and ${sourceCommit}`,
    );
  }
  const head = headOf(statement, range.head.id);
  if (baseCommit === head) return mismatch('provenance starts and ends at one commit', baseCommit);
  if (!relations.isAncestor(baseCommit, head)) {
    return mismatch(`provenance starts from a commit that ${head} does not have in its history`, baseCommit);
  }
  if (relations.inBase(baseCommit) || graph.has(baseCommit)) return undefined;
  // Only a commit that was squashed or rebased since can be meant; the chain of statements has to reach the base.
  if (isRewritten(head, relations)) return undefined;
  return mismatch('provenance starts from a commit that is neither in the base branch nor in this range', baseCommit);
}

function digestProblem(statement: AgentChange, { relations, range }: StatementContext): Problem | undefined {
  const { subject, changeDigest, baseCommit } = statement;
  const stated = [
    ...(subject.kind === 'change' ? [subject.changeDigest] : []),
    ...(changeDigest === undefined ? [] : [changeDigest]),
  ];
  if (stated.length === 0) return undefined;
  const ours = relations.changeDigest(baseCommit, headOf(statement, range.head.id));
  const wrong = stated.find((each) => each !== ours);
  if (wrong === undefined) return undefined;
  return {
    rule: 'subject-mismatch',
    message: 'provenance states another change than the one between its two commits',
    ...(ours !== undefined && { expected: ours }),
    got: wrong,
  };
}
