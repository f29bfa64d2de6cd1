/**
 * Whether an approval would count, asked of the same functions that `change` asks: it is read back as evidence, its signature held
 * against the policy, and judged. What would count for nobody is not written, and nor is what an agent, a bot or a workflow
 * signed, or somebody who made the change.
 */
import { judgeApprovals } from '../change/approvals.ts';
import { authorsOf } from '../change/authors.ts';
import { signOfKey } from '../change/signs/index.ts';
import type { Approval, EvidenceSigner, VerifiedEvidence } from '../change/types.ts';
import type { RuleId } from '../diag/index.ts';
import { findCommit } from '../git/find-commit.ts';
import type { World } from '../io/index.ts';
import type { TokenIdentity } from '../sigstore/identity-token.ts';
import { isWorkflowIssuer } from '../sigstore/issuers.ts';
import type { PinnedValue } from '../sigstore/pin.ts';
import type { ApprovalFacts } from './approve-facts.ts';
import { collectEvidence } from './change-evidence.ts';
import { relationsOf } from './change-relations.ts';

/** Why it is not written. */
export interface Refusal {
  readonly rule: RuleId;
  readonly message: string;
  readonly hints: readonly string[];
}

/** `signed` is the text of the bundle or envelope, `now` in milliseconds. Nothing: it counts. */
export async function whyNot(
  signed: string,
  approval: Omit<Approval, 'kind'>,
  facts: ApprovalFacts,
  now: number,
  world: World,
): Promise<Refusal | undefined> {
  const evidence = await readBack(signed, facts, now, world);
  if ('rule' in evidence) return evidence;
  const { statement, signer } = evidence;
  if (statement.kind !== 'approval' || !isSame(statement, approval)) {
    return { rule: 'schema-invalid', message: 'the new approval reads as something else than was meant', hints: [] };
  }
  return machineBehind(signer) ?? (await judged(evidence, facts, now));
}

/**
 * What can be said of a token before it is used: signing with it publishes who signed. The token is not verified; the certificate
 * is, afterwards.
 */
export function whyNotToken({ issuer, name }: TokenIdentity, facts: ApprovalFacts): Refusal | undefined {
  if (isWorkflowIssuer(issuer) || machineIssuers.test(issuer) || isServiceAccount(name)) {
    return notHuman(
      `the identity token is that of a job or a machine (${name}, ${issuer}), and no human stands behind it`,
    );
  }
  const { certificates } = facts.policy.signers;
  const people = new Set(
    certificates.flatMap(({ person, pin }) => (person !== undefined && matches(pin.subject, name) ? [person] : [])),
  );
  if (people.size === 0) {
    return {
      rule: 'identity-unpinned',
      message: `the identity token names ${name}, and the policy knows nobody by that name`,
      hints: unknownHints,
    };
  }
  const authors = authorsOf(facts.commits, [], facts.policy.policy);
  const author = [...people].find((person) => authors.has(person));
  return author === undefined ? undefined : selfMade(author);
}

const unknownHints = [
  'sign with a key or identity that the policy lists under people',
  'or have yourself listed there first, by a change of the policy that others approve',
];
const humanHints = ['a person has to run this, with a key or identity of their own that the policy lists under people'];

/** Beside forges' workflows: CI services and clusters whose tokens no human ever has. */
const machineIssuers =
  /^https:\/\/(?:agent\.buildkite\.com|oidc\.codefresh\.io|oidc\.circleci\.com|kubernetes\.default\.svc|container\.googleapis\.com|oidc\.eks\.)/;

function matches(pinned: PinnedValue | undefined, name: string): boolean {
  if (pinned === undefined) return false;
  return typeof pinned === 'string' ? pinned === name : pinned.matches(name);
}

async function readBack(
  signed: string,
  { policy, repository }: ApprovalFacts,
  now: number,
  { disk }: World,
): Promise<VerifiedEvidence | Refusal> {
  const known = (commit: string) => findCommit(repository.objects, commit);
  const { verified, refused } = await collectEvidence(
    { evidence: [], notes: [{ place: 'the new approval', bytes: Buffer.from(signed) }], reviews: [] },
    { disk, signers: policy.signers, buildTypes: policy.rule.agents.buildTypes, now, known },
  );
  const [evidence] = verified;
  if (evidence !== undefined) return evidence;
  const [reason] = refused;
  return {
    rule: reason?.rule ?? 'schema-invalid',
    message: reason?.message ?? 'the new approval cannot be read back',
    hints: unknownHints,
  };
}

function isSame(one: Omit<Approval, 'kind'>, other: Omit<Approval, 'kind'>): boolean {
  const names = ['operation', 'repository', 'baseRef', 'mergeBase', 'head', 'tree', 'expires'] as const;
  return names.every((name) => one[name] === other[name]);
}

/** Whatever person the policy makes of it. */
function machineBehind({ fingerprint, workflow, certificate }: EvidenceSigner): Refusal | undefined {
  const vendor = fingerprint === undefined ? undefined : signOfKey(fingerprint);
  if (vendor !== undefined) return notHuman(`the key is that of ${vendor.name}, an agent`);
  if (workflow !== undefined) return notHuman(`the signer is a workflow (${workflow.signer})`);
  if (certificate === undefined) return undefined;
  const { issuer, subject } = certificate;
  const isMachine = isWorkflowIssuer(issuer) || machineIssuers.test(issuer) || isServiceAccount(subject);
  return isMachine ? notHuman(`the signer is a machine (${subject})`) : undefined;
}

function isServiceAccount(name: string): boolean {
  return name.endsWith('.gserviceaccount.com');
}

/** By everything but the operation, which may be another one than the policy asks for here. */
async function judged(evidence: VerifiedEvidence, facts: ApprovalFacts, now: number): Promise<Refusal | undefined> {
  const { statement, signer } = evidence;
  const { policy, range, ids, repository, graph, commits, touched, risky, content } = facts;
  const { rule } = policy;
  const operation = statement.kind === 'approval' ? statement.operation : '';
  const by = operation === rule.highRisk.operation ? rule.highRisk.by : [];
  const relations = await relationsOf([evidence], range, ids, repository, { ...policy.signers, now });
  const { counted, refused } = judgeApprovals({
    policy: policy.policy,
    rule: { ...rule, highRisk: { ...rule.highRisk, operation, by } },
    range,
    graph,
    relations,
    commits,
    evidence: [evidence],
    reviews: [],
    changedPaths: touched,
    risky,
    content,
    now,
  });
  if (counted.length === 1) return undefined;
  const [reason] = refused;
  if (reason?.rule === 'approval-self' && signer.person !== undefined) return selfMade(signer.person);
  const message = reason?.message ?? 'it would count for nobody';
  return { rule: reason?.rule ?? 'approval-not-human', message, hints: humanHints };
}

function selfMade(person: string): Refusal {
  return {
    rule: 'approval-self',
    message: `${person} made the change, or a part of it, and cannot approve it`,
    hints: ['ask somebody else whom the policy lists under people'],
  };
}

function notHuman(message: string): Refusal {
  return { rule: 'approval-not-human', message, hints: humanHints };
}
