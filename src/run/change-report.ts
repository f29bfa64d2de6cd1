/** From a judgement to the document that people and programs read. */
import { headOf } from '../change/statement-context.ts';
import type {
  ChangeFinding,
  ClassifiedCommit,
  CommitSigner,
  CountedStatement,
  Judgement,
  PathlessRange,
  RefusedEvidence,
  RiskyPath,
  Sign,
  SignatureFacts,
} from '../change/types.ts';
import { plural } from '../diag/index.ts';
import { bytesText } from '../git/path-text.ts';
import type {
  ReportedCommit,
  ReportedFinding,
  ReportedPoint,
  ReportedRange,
  ReportedSign,
  ReportedSignature,
  ReportedStatement,
} from '../report/change.ts';

export function reportedRange(range: PathlessRange, behind: number, changedPaths: number): ReportedRange {
  const point = ({ id, tree, ref }: PathlessRange['head']): ReportedPoint => ({
    commit: id,
    tree,
    ...(ref !== undefined && { ref }),
  });
  return {
    policyBase: point(range.policyBase),
    mergeBase: point(range.mergeBase),
    head: point(range.head),
    landing: range.landing,
    changeDigest: range.changeDigest,
    behind,
    changedPaths,
  };
}

export function reportedCommit(classified: ClassifiedCommit, statements: readonly CountedStatement[]): ReportedCommit {
  const { facts, signs, because, vouchedBy, duty, coveredBy, missing } = classified;
  const { commit, bot, signature, merge, changes } = facts;
  const ident = ({ name, email }: { readonly name: string; readonly email: string }) => ({ name, email });
  return {
    id: commit.id,
    tree: commit.tree,
    parents: commit.parents,
    author: ident(commit.author),
    committer: ident(commit.committer),
    subject: subjectOf(commit.message),
    class: classified.class,
    because,
    ...(vouchedBy !== undefined && { vouchedBy }),
    signs: signs.map(reportedSign),
    ...(bot !== undefined && { calledBot: bot.name }),
    signature: reportedSignature(signature),
    ...(merge !== undefined && { replay: merge.replay }),
    changedPaths: changes.length,
    duty,
    coveredBy: coveredBy.flatMap((at) => statements[at]?.evidence.place ?? []),
    missing,
  };
}

const longestSubject = 500;

function subjectOf(message: string): string {
  return message
    .slice(0, 4 * longestSubject)
    .trimStart()
    .split('\n', 1)[0]!
    .trimEnd()
    .slice(0, longestSubject);
}

export function reportedSign({ agent, name, kind, part, text, place }: Sign): ReportedSign {
  const where = 'line' in place ? `message:${place.line}` : 'name' in place ? `${place.in}:${place.name}` : place.in;
  return { agent, name, kind, part, text, place: where };
}

function reportedSignature(signature: SignatureFacts): ReportedSignature {
  if (signature.state === 'none') return { state: 'none', matched: [] };
  if (signature.state === 'good') {
    const { state, format, signer, matched, person, touched } = signature;
    return {
      state,
      format,
      signer: signerText(signer),
      matched,
      ...(person !== undefined && { person }),
      ...(touched !== undefined && { touched }),
    };
  }
  const { state, format, claimed, why } = signature;
  return {
    state,
    ...(format !== undefined && { format }),
    ...(claimed !== undefined && { signer: claimed }),
    matched: [],
    why,
  };
}

function signerText(signer: CommitSigner): string {
  return signer.kind === 'certificate' ? `${signer.subject} (${signer.issuer})` : signer.fingerprint;
}

export function reportedStatements({ statements, commits }: Judgement, range: PathlessRange): ReportedStatement[] {
  return statements.flatMap(({ evidence, landing, tier }, at) => {
    const { statement, place, digest, signer } = evidence;
    if (statement.kind !== 'agent-change') return [];
    return [
      {
        place,
        digest,
        signer: signer.shown,
        matched: signer.matched,
        tier,
        landing,
        base: statement.baseCommit,
        head: headOf(statement, range.head.id),
        models: statement.models,
        ...(statement.runtime !== undefined && { runtime: statement.runtime.name }),
        covers: commits.filter(({ coveredBy }) => coveredBy.includes(at)).length,
      },
    ];
  });
}

export function reportedRefusals(refused: readonly RefusedEvidence[], findings: readonly ChangeFinding[]) {
  const known = new Set(refused.map(({ place, rule }) => `${rule}\n${place}`));
  return [
    ...refused.map(({ place, rule, message }) => ({ place, rule, message })),
    // A warning is about a statement that counts.
    ...findings.flatMap(({ place, rule, message, weight }) =>
      place === undefined || weight === 'warning' || known.has(`${rule}\n${place}`) ? [] : [{ place, rule, message }],
    ),
  ];
}

export function reportedFinding(finding: ChangeFinding): ReportedFinding {
  const { rule, weight, message, commits, path, line, place, expected, got, hints } = finding;
  return {
    rule,
    weight,
    message,
    commits,
    ...(path !== undefined && { path: bytesText(path) }),
    ...(line !== undefined && { line }),
    ...(place !== undefined && { place }),
    ...(expected !== undefined && { expected }),
    ...(got !== undefined && { got }),
    hints,
  };
}

export function reportedRisks(risky: readonly RiskyPath[]) {
  return risky.map(({ path, reason, pattern }) => ({
    path: bytesText(path),
    reason,
    ...(pattern !== undefined && { pattern }),
  }));
}

/** One sentence for the whole. */
export function reasonOf({ outcome, commits, findings, approvals }: Judgement): string {
  if (outcome !== 'pass') {
    const worst = findings.find(({ weight }) => weight === outcome);
    if (outcome === 'approval') {
      const missing = findings.find(({ rule }) => rule === 'approval-missing');
      return missing?.message ?? worst?.message ?? 'an approval is missing';
    }
    return worst?.message ?? 'it could not be decided';
  }
  const [covered, others] = [commits.filter(isCovered), commits.filter((each) => !isCovered(each))];
  const agents = covered.filter((each) => each.class === 'agent').length;
  const empty = others.filter(({ facts }) => facts.merge?.replay === 'clean');
  const count = (made: ClassifiedCommit['class']) =>
    others.filter((each) => each.class === made && !empty.includes(each)).length;
  const parts = [
    some(agents, 'by agents, with provenance that counts'),
    some(covered.length - agents, 'by others, with provenance that counts'),
    some(count('human'), 'signed by a person of the policy'),
    some(count('bot'), 'signed by a listed bot'),
    some(count('unknown'), 'by nobody who is proved, as the policy allows'),
    some(empty.length, 'that only merge what is there'),
  ].filter((each) => each !== undefined);
  const approved =
    approvals.counted.length === 0 ? '' : `; approved by ${approvals.counted.map(({ person }) => person).join(', ')}`;
  return `${plural(commits.length, 'commit')}: ${parts.join(', ')}${approved}`;
}

function isCovered({ coveredBy }: ClassifiedCommit): boolean {
  return coveredBy.length > 0;
}

function some(count: number, what: string): string | undefined {
  return count === 0 ? undefined : `${count} ${what}`;
}
