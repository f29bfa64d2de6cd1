/**
 * Workflows that the author of the change can edit, or have taken from a ref of their own. Each attack in a real repository,
 * beside a twin without it. For provenance: threats-evidence.test.ts.
 */
import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { formatBundle } from '../../src/sigstore/write-bundle.ts';
import {
  type agentStatement,
  approvalStatement,
  aShop,
  denied,
  type PolicyShape,
  passes,
  policyText,
  type Shop,
  shopAddress,
  unapproved,
} from '../kit/change.ts';
import { utf8 } from '../kit/der.ts';
import type { Files } from '../kit/repository.ts';
import { rootJson } from '../kit/signed.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { signCommit } from '../sigstore/gitsign-commit.ts';
import { certified, makeInstance, signStatement } from '../sigstore/instance.ts';

const temporary = temporaryDirectory();
const instance = makeInstance();
const gitHub = 'https://token.actions.githubusercontent.com';
const own = 'https://github.com/acme/shop/.github/workflows/record.yml';
const elsewhere = 'https://github.com/acme/reviews/.github/workflows/record.yml';
const main = 'refs/heads/main';
const feature = 'refs/heads/feature';
const risky: Files = { 'infra/main.tf': 'region = "us"\n' };
const edit: Files = { '.github/workflows/record.yml': 'on: push\n' };

/** A policy with the identity `flow`, a workflow of GitHub by a root of its own. */
function flowShop(signer: string, policy: PolicyShape): Shop {
  const flow = `{ trust: corp, issuer: "${gitHub}", signer: ${signer}, source: { repository: "${shopAddress}" } }`;
  const identities = { flow, ...policy.identities };
  const text = policyText({ ...policy, identities }).replace(
    '\n',
    `\ntrust: { corp: { root: trust/corp.json, issuers: ["${gitHub}"] } }\n`,
  );
  return aShop(temporary, { files: { 'tidewaiter.policy.yaml': text, 'trust/corp.json': rootJson(instance) } });
}

function leafOf(workflow: string, ref: string) {
  const signer = `${workflow}@${ref}`;
  const claims = { 8: gitHub, 9: signer, 11: 'self-hosted', 12: shopAddress, 14: ref, 20: 'push' };
  return instance.leaf({
    uris: [signer],
    extensions: Object.entries(claims).map(([number, value]) => ({
      oid: `1.3.6.1.4.1.57264.1.${number}`,
      value: utf8(value),
    })),
  });
}

function signedBy(shop: Shop, workflow: string, ref: string, statement: object): string {
  const leaf = leafOf(workflow, ref);
  return shop.file('signed.json', formatBundle(certified(instance, leaf, signStatement(leaf, statement))));
}

async function configurationOf(run: Promise<unknown>): Promise<string> {
  const thrown = await run.then(
    () => 'nothing was thrown',
    (error: unknown) => error,
  );
  return thrown instanceof OperationalError && thrown.code === 'configuration' ? thrown.message : String(thrown);
}

type Signing = readonly [what: string, signer: string, workflow: string, ref: string, files: Files];

const atMain = (workflow: string) => `{ workflow: "${workflow}", ref: ${main} }`;
const sound: readonly Signing[] = [
  ['of the protected branch', atMain(own), own, main, {}],
  ['of another repository', atMain(elsewhere), elsewhere, main, edit],
  ['of a tag that the policy names', `{ workflow: "${own}", ref: refs/tags/v1 }`, own, 'refs/tags/v1', {}],
];
const editable: readonly Signing[] = [
  ['that it edits', atMain(own), own, main, edit],
  ['that it edits in other letters', atMain(own), own, main, { '.github/Workflows/RECORD.yml': 'x\n' }],
  ['of its own branch, where the policy names that', `{ workflow: "${own}", ref: ${feature} }`, own, feature, {}],
  [
    'of a tag that it made, where any will do',
    `{ workflow: "${own}", ref: { pattern: "refs/tags/*" } }`,
    own,
    'refs/tags/evil',
    {},
  ],
];

describe('a record of approvals by a workflow', () => {
  const judged = ([, signer, workflow, ref, files]: Signing, approver = 'alice') => {
    const shop = flowShop(signer, { highRisk: { records: '[flow]' } });
    const head = shop.agentCommit({ files: { ...risky, ...files } });
    const record = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: main, digest: { gitCommit: head } }],
      predicateType: 'https://drvelvetfog.github.io/source-review-coverage/v0.1',
      predicate: {
        reviewCoverage: { result: 'identity' },
        approvals: [{ overTree: { digest: { gitTree: shop.repo.treeOf(head) } }, approver }],
      },
    };
    const evidence = [shop.attest({ base: shop.base, head }), signedBy(shop, workflow, ref, record)];
    return shop.judge('main..feature', { evidence });
  };

  it.each(sound)('%s counts', async (...each) => {
    expect(await judged(each)).toMatchObject(passes);
    expect(await judged(each, 'nobody')).toMatchObject({ outcome: 'approval' });
  });

  it.each(editable)('of a change %s counts for nothing', async (...each) => {
    expect(await judged(each)).toMatchObject(unapproved('high-risk-path', 'signer-editable'));
  });
});

describe('a commit by a bot that is a workflow', () => {
  const judged = ([, signer, workflow, ref, files]: Signing, policy: PolicyShape = { changes: { bots: '[flow]' } }) => {
    const shop = flowShop(signer, policy);
    const leaf = leafOf(workflow, ref);
    const head = shop.repo.commit({
      branch: 'feature',
      parents: [shop.base],
      files: { 'src/app.py': 'x()\n', ...files },
      author: 'flow <flow@acme.example>',
      sign: (payload) => signCommit(instance, { leaf, payload }).armored,
    });
    return shop.judge('main..feature', { evidence: [shop.approve({ by: 'bob', base: shop.base, head })] });
  };

  it.each(sound)('%s is the bot’s', async (...each) => {
    const verdict = await judged(each);
    expect(verdict).toMatchObject(passes);
    expect(verdict.report.commits[0]).toMatchObject({ class: 'bot' });
  });

  it.each(editable)('of a change %s is nobody’s', async (...each) => {
    const verdict = await judged(each);
    expect(verdict).toMatchObject(denied('agent-undeclared'));
    expect(verdict.report.commits[0]).toMatchObject({
      class: 'unknown',
      because: 'no sign of an agent, and signed by a workflow that the change can edit',
    });
  });

  it('proves no person either, where the policy gives the workflow to one', async () => {
    const persons = { people: { carol: '{ identities: [flow] }' } };
    expect(await judged(sound[0]!, persons)).toMatchObject(passes);
    for (const each of editable) expect(await judged(each, persons)).toMatchObject(denied('agent-undeclared'));
  });
});

describe('a decision of the runtime that a workflow signed', () => {
  const judged = ([, signer, workflow, ref, files]: Signing) => {
    const shop = flowShop(signer, { agents: { decision: '{ any: [flow] }' } });
    const head = shop.agentCommit({ files: { 'src/app.py': 'x()\n', ...files } });
    const decision = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { gitCommit: head } }],
      predicateType: 'https://in-toto.io/attestation/svr/v0.2',
      predicate: {
        verifier: { id: 'https://runtime.acme.example', policies: [] },
        timeCreated: '2026-01-20T00:00:00Z',
        properties: ['RUNTIME_POLICY_ALLOWED'],
      },
    };
    const sha256 = hash('sha256', JSON.stringify(decision), 'hex');
    const named = (each: object) => {
      const statement = each as ReturnType<typeof agentStatement>;
      const runDetails = statement.predicate['runDetails'] as object;
      const byproducts = [{ name: 'policy-decision', digest: { sha256 } }];
      return { ...statement, predicate: { ...statement.predicate, runDetails: { ...runDetails, byproducts } } };
    };
    const evidence = [
      shop.attest({ base: shop.base, head, change: named }),
      signedBy(shop, workflow, ref, decision),
      shop.approve({ by: 'bob', base: shop.base, head }),
    ];
    return shop.judge('main..feature', { evidence });
  };

  it.each(sound)('%s counts', async (...each) => {
    expect(await judged(each)).toMatchObject(passes);
  });

  it.each(editable)('of a change %s counts for nothing', async (...each) => {
    const verdict = await judged(each);
    expect(verdict).toMatchObject(denied('decision-missing', 'provenance-missing'));
    const told = verdict.report.findings.find(({ rule }) => rule === 'decision-missing');
    expect(told?.message).toContain('the change can edit the workflow that signed it');
  });
});

describe('an approval that a workflow signed', () => {
  const judged = ([, signer, workflow, ref, files]: Signing) => {
    const shop = flowShop(signer, { people: { carol: '{ identities: [flow], keys: [keys/carol.pub] }' } });
    const head = shop.agentCommit({ files: { ...risky, ...files } });
    const approval = approvalStatement({ base: shop.base, head, tree: shop.repo.treeOf(head) });
    const evidence = [shop.attest({ base: shop.base, head }), signedBy(shop, workflow, ref, approval)];
    const byHand = shop.approve({ by: 'carol', base: shop.base, head });
    const judge = (...more: string[]) => shop.judge('main..feature', { evidence: [...evidence, ...more] });
    return { judge, byHand };
  };

  it.each([...sound, ...editable])('%s is no consent of the person to whom the policy gives it', async (...each) => {
    const { judge, byHand } = judged(each);
    const rule = editable.some(([what]) => what === each[0]) ? 'signer-editable' : 'approval-not-human';
    expect(await judge()).toMatchObject(unapproved('high-risk-path', rule));
    expect(await judge(byHand)).toMatchObject(passes);
  });
});

describe('a policy that lets a workflow speak from any branch', () => {
  const loose = `{ workflow: "${own}" }`;
  const branches = `{ workflow: "${own}", ref: { pattern: "refs/heads/*" } }`;
  it.each<[string, PolicyShape]>([
    ['changes.highRisk.records[0]', { highRisk: { records: '[flow]' } }],
    ['changes.bots[0]', { changes: { bots: '[flow]' } }],
    ['changes.agents.decision.any[0]', { agents: { decision: '{ any: [flow] }' } }],
    [
      'changes.agents.decision.threshold.of[1]',
      { agents: { decision: '{ threshold: { of: [release-key, flow], count: 1 } }' } },
    ],
  ])('is refused for %s', async (place, policy) => {
    for (const signer of [loose, branches]) {
      const shop = flowShop(signer, policy);
      shop.agentCommit({ files: risky });
      const message = await configurationOf(shop.judge('main..feature'));
      expect(message).toMatch(/^git:[0-9a-f]{40}:tidewaiter\.policy\.yaml:5:\d+: /);
      expect(message).toContain(`${place} is a workflow at `);
    }
    const shop = flowShop(atMain(own), policy);
    shop.agentCommit({ files: risky });
    expect(await shop.judge('main..feature')).toMatchObject({ outcome: 'denied' });
  });
});
