/**
 * Evidence that must not count, of threats T13, T15, T16, T28 and T30 to T32. The change is the same in an attack and its twin; what
 * is said about it, by whom, or where it lies differs in one thing.
 *
 *   T13 unpinned identities      'T13: …'        T30 another base branch     'T30: …'
 *   T15 evidence in the change   'T15: …'        T31 who signs from where    'T31: …'
 *   T16 notes                    'T16: …'        T32 prompts stay secret     'T32: …'
 *   T28 SHA-1                    'T28: …'        (and the sandboxes and runtimes of §4.2: 'terms: …')
 */
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { formatBundle } from '../../src/sigstore/write-bundle.ts';
import {
  agentStatement,
  aShop,
  denied,
  passes,
  platforms,
  policyText,
  type Shop,
  type Statement,
  unapproved,
  undecided,
} from '../kit/change.ts';
import { utf8 } from '../kit/der.ts';
import { writeLooseAs } from '../kit/repository.ts';
import { rootJson } from '../kit/signed.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { certified, keyed, makeInstance, signStatement } from '../sigstore/instance.ts';

const temporary = temporaryDirectory();
const instance = makeInstance();
const gitHub = 'https://token.actions.githubusercontent.com';
const agents = 'https://github.com/acme/agents/.github/workflows/attest.yml';
const own = 'https://github.com/acme/shop/.github/workflows/agent.yml';

/** A policy that believes workflows of GitHub by a trusted root of its own. */
function workflowPolicy(pin: string, more: { readonly agents?: Readonly<Record<string, string>> } = {}): string {
  const identities = {
    platform: `{ trust: corp, issuer: "${gitHub}", ${pin}, source: { repository: "https://github.com/acme/shop" } }`,
  };
  const text = policyText({ identities, agents: { tier: null, hosted: null, ...more.agents } });
  return text.replace('\n', `\ntrust: { corp: { root: trust/corp.json, issuers: ["${gitHub}"] } }\n`);
}

const pinned = `signer: { workflow: "${agents}", ref: refs/tags/v3 }`;

/** What a run of a workflow writes into its certificate. */
interface Run {
  readonly workflow?: string;
  readonly ref?: string;
  readonly repository?: string;
  readonly runner?: string;
  readonly trigger?: string;
  readonly issuer?: string;
  readonly instance?: ReturnType<typeof makeInstance>;
}

function byWorkflow(shop: Shop, head: string, run: Run = {}): string {
  const { workflow = agents, ref = 'refs/tags/v3', repository = 'https://github.com/acme/shop' } = run;
  const { runner = 'github-hosted', trigger = 'push', issuer = gitHub, instance: of = instance } = run;
  const signer = `${workflow}@${ref}`;
  const claims = { 8: issuer, 9: signer, 11: runner, 12: repository, 14: 'refs/heads/feature', 20: trigger };
  const leaf = of.leaf({
    uris: [signer],
    extensions: Object.entries(claims).map(([number, value]) => ({
      oid: `1.3.6.1.4.1.57264.1.${number}`,
      value: utf8(value),
    })),
  });
  const statement = agentStatement({ base: shop.base, head, tree: shop.repo.treeOf(head) });
  return shop.file('attest.sigstore.json', formatBundle(certified(of, leaf, signStatement(leaf, statement))));
}

const workflowShop = (policy = workflowPolicy(pinned)) =>
  aShop(temporary, { files: { 'tidewaiter.policy.yaml': policy, 'trust/corp.json': rootJson(instance) } });

async function codeOf(run: Promise<unknown>): Promise<string> {
  const thrown = await run.then(
    () => 'nothing was thrown',
    (error: unknown) => error,
  );
  return thrown instanceof OperationalError ? thrown.code : String(thrown);
}

describe('T13: a certificate that is sound counts', () => {
  const shop = workflowShop();
  const head = shop.agentCommit({ files: { 'src/app.py': 'good()\n' } });
  const judge = (run: Run) => shop.judge('main..feature', { evidence: [byWorkflow(shop, head, run)] });

  it('for the workflow that the policy pins, at its ref and for its repository', async () => {
    expect(await judge({})).toMatchObject(passes);
  });

  it.each<[string, Run, string]>([
    ['another workflow of the same repository', { workflow: agents.replace('attest', 'test') }, 'identity-mismatch'],
    ['the same file in a fork', { workflow: agents.replace('acme', 'mallory') }, 'identity-mismatch'],
    ['another branch of it', { ref: 'refs/heads/v3' }, 'identity-mismatch'],
    ['a tag that begins with it', { ref: 'refs/tags/v3.evil' }, 'identity-mismatch'],
    ['a run for another repository', { repository: 'https://github.com/mallory/shop' }, 'identity-mismatch'],
    ['another case', { workflow: agents.replace('acme', 'Acme') }, 'identity-mismatch'],
    ['another issuer under the same root', { issuer: 'https://accounts.example' }, 'identity-mismatch'],
    ['another authority that says the same', { instance: makeInstance('evil') }, 'provenance-signature'],
  ])('and not for %s', async (_, run, rule) => {
    expect(await judge(run)).toMatchObject(denied('provenance-missing', rule));
  });

  it.each([
    ['any workflow', '{ pattern: "https://github.com/acme/shop/.github/workflows/*" }'],
    ['any owner', '{ pattern: "https://github.com/**" }'],
    ['a regular expression', '".*"'],
  ])('and a policy that would believe %s is refused', async (_, workflow) => {
    const loose = workflowShop(workflowPolicy(`signer: { workflow: ${workflow} }`));
    loose.agentCommit({ files: { 'src/app.py': 'good()\n' } });
    expect(await codeOf(loose.judge('main..feature'))).toBe('configuration');
  });
});

describe('T31: the signer of provenance has to stand where the agent is not', () => {
  it('a workflow elsewhere on a machine of the forge does, one on a machine of its own does not', async () => {
    const shop = workflowShop();
    const head = shop.agentCommit({ files: { 'src/app.py': 'good()\n' } });
    const judge = (run: Run) => shop.judge('main..feature', { evidence: [byWorkflow(shop, head, run)] });
    expect(await judge({ runner: 'self-hosted' })).toMatchObject(denied('provenance-missing', 'tier-too-low'));
    expect(await judge({})).toMatchObject(passes);
  });

  it("the change's own repository is too near, unless the policy takes less", async () => {
    const pin = `signer: { workflow: "${own}", ref: refs/heads/main }`;
    const run = { workflow: own, ref: 'refs/heads/main' };
    const strict = workflowShop(workflowPolicy(pin));
    const loose = workflowShop(workflowPolicy(pin, { agents: { tier: 'job' } }));
    for (const [shop, verdict] of [
      [strict, denied('provenance-missing', 'tier-too-low')],
      [loose, passes],
    ] as const) {
      const head = shop.agentCommit({ files: { 'src/app.py': 'good()\n' } });
      expect(await shop.judge('main..feature', { evidence: [byWorkflow(shop, head, run)] })).toMatchObject(verdict);
    }
  });

  it('a workflow that the change itself edits, or that it can move, vouches for nothing', async () => {
    const pin = `signer: { workflow: "${own}" }`;
    const shop = workflowShop(workflowPolicy(pin, { agents: { tier: 'job' } }));
    const head = shop.agentCommit({ files: { 'src/app.py': 'good()\n' } });
    const judge = (ref: string, at = head, branch = 'feature') =>
      shop.judge(`main..${branch}`, {
        evidence: [
          byWorkflow(shop, at, { workflow: own, ref }),
          shop.approve({ by: 'bob', base: shop.base, head: at }),
        ],
      });
    expect(await judge('refs/heads/main')).toMatchObject(passes);
    expect(await judge('refs/heads/feature')).toMatchObject(denied('provenance-missing', 'signer-editable'));
    const edit = shop.agentCommit({ branch: 'edit', files: { '.github/workflows/agent.yml': 'on: push\n' } });
    expect(await judge('refs/heads/main', edit, 'edit')).toMatchObject(denied('provenance-missing', 'signer-editable'));
  });

  it('a plain key is near, unless the policy says that it is a platform', async () => {
    for (const [agentsRule, verdict] of [
      [{ hosted: null }, denied('provenance-missing', 'tier-too-low')],
      [{}, passes],
    ] as const) {
      const shop = aShop(temporary, { policy: { agents: agentsRule } });
      const head = shop.agentCommit({ files: { 'src/app.py': 'good()\n' } });
      const evidence = [shop.attest({ base: shop.base, head })];
      expect(await shop.judge('main..feature', { evidence })).toMatchObject(verdict);
    }
  });

  it('a key that the policy has for something else, or does not have, vouches for nothing', async () => {
    const shop = aShop(temporary);
    const head = shop.agentCommit({ files: { 'src/app.py': 'good()\n' } });
    const judge = (by: keyof typeof platforms) =>
      shop.judge('main..feature', { evidence: [shop.attest({ base: shop.base, head, by })] });
    expect(await judge('release-key')).toMatchObject({ outcome: 'denied', code: 1 });
    expect((await judge('release-key')).rules).toContain('provenance-missing');
    expect(await judge('stranger')).toMatchObject(denied('provenance-missing', 'provenance-signature'));
    expect(await judge('platform')).toMatchObject(passes);
  });
});

describe('T15: evidence that lies in the change', () => {
  it('is not looked for there, and its own commit is covered by nothing it says', async () => {
    const shop = aShop(temporary);
    const work = shop.agentCommit({ files: { 'src/app.py': 'good()\n' } });
    const bundle = shop.attest({ base: shop.base, head: work });
    const { readFileSync } = await import('node:fs');
    shop.agentCommit({ files: { '.tidewaiter/attest.sigstore.json': readFileSync(bundle) } });
    expect(await shop.judge('main..feature')).toMatchObject(denied('provenance-missing'));
    expect(await shop.judge('main..feature', { evidence: [bundle] })).toMatchObject(denied('range-gap'));
    shop.repo.checkout('feature');
    const checkedOut = `${shop.repo.path}/.tidewaiter`;
    expect(await shop.judge('main..feature', { evidence: [checkedOut] })).toMatchObject(denied('range-gap'));
    // The twin: a person carries it, and the signature decides as anywhere.
    const carried = shop.humanCommit({
      branch: 'carried',
      parents: [work],
      files: { '.tidewaiter/attest.sigstore.json': readFileSync(bundle) },
    });
    expect(await shop.judge(`main..${carried}`, { evidence: [bundle] })).toMatchObject(passes);
  });
});

describe('T16: evidence in notes', () => {
  function noted() {
    const shop = aShop(temporary);
    const head = shop.agentCommit({ files: { 'src/app.py': 'good()\n' } });
    const write = (file: string, ...options: string[]) =>
      shop.repo.git('notes', 'add', '-f', '-F', file, ...options, head);
    return { shop, head, write };
  }

  it('counts by its signature, one line each', async () => {
    const { shop, head, write } = noted();
    write(shop.attest({ base: shop.base, head }));
    expect(await shop.judge('main..feature')).toMatchObject(passes);
    shop.repo.git('notes', 'append', '-m', 'Reviewed-by: somebody', head);
    expect(await shop.judge('main..feature')).toMatchObject(passes);
  });

  it('that is nonsense does not count, and keeps nobody from being judged', async () => {
    const build = (byAgent: boolean) => {
      const shop = aShop(temporary);
      const head = byAgent ? shop.agentCommit({ files: { a: 'a' } }) : shop.humanCommit({ files: { a: 'a' } });
      const note = (content: string) =>
        shop.repo.commit({ branch: null, parents: [], only: true, files: { [head]: content } });
      const tree = shop.repo.tree({ x: 'y' });
      shop.repo.ref('refs/notes/blob', shop.repo.object('blob', 'x'));
      shop.repo.ref('refs/notes/tree', tree);
      shop.repo.ref('refs/notes/ai', shop.repo.object('blob', 'y'));
      shop.repo.ref('refs/notes/large', note('a'.repeat(33 * 1024 * 1024)));
      const misled = shop.repo.object(
        'tree',
        Buffer.concat([Buffer.from(`100644 ${head}\0`), Buffer.from(tree, 'hex')]),
      );
      shop.repo.ref('refs/notes/misled', shop.repo.commit({ branch: null, parents: [], tree: misled }));
      return { shop, head, evidence: [shop.attest({ base: shop.base, head })] };
    };
    const human = await build(false).shop.judge('main..feature');
    expect(human).toMatchObject(passes);
    const { shop, head, evidence } = build(true);
    expect(await shop.judge('main..feature', { evidence })).toMatchObject(passes);
    const verdict = await shop.judge('main..feature');
    expect(verdict).toMatchObject(denied('object-too-large', 'provenance-missing', 'schema-invalid'));
    expect(verdict.report.evidence.refused.map(({ place, rule }) => `${place} ${rule}`).sort()).toEqual([
      'refs/notes/blob schema-invalid',
      `refs/notes/large on ${head} object-too-large`,
      `refs/notes/misled on ${head} schema-invalid`,
      'refs/notes/tree schema-invalid',
    ]);
  });

  it('that is not what its name says leaves nothing to judge from', async () => {
    const shop = aShop(temporary);
    const head = shop.humanCommit({ files: { a: 'a' } });
    const id = shop.repo.object('blob', 'a note');
    const note = { mode: '100644', id };
    shop.repo.ref('refs/notes/x', shop.repo.commit({ branch: null, parents: [], only: true, files: { [head]: note } }));
    expect(await shop.judge('main..feature')).toMatchObject(passes);
    const file = path.join(shop.repo.gitDir, 'objects', id.slice(0, 2), id.slice(2));
    rmSync(file, { force: true });
    writeLooseAs(shop.repo.gitDir, id, 'blob', Buffer.from('another'));
    expect(await shop.judge('main..feature')).toMatchObject(undecided('object-mismatch'));
  });

  it('is missing where somebody wrote over it, whatever the history of the notes has', async () => {
    const { shop, head, write } = noted();
    write(shop.attest({ base: shop.base, head }));
    expect(await shop.judge('main..feature')).toMatchObject(passes);
    write(shop.file('note.txt', 'looks good to me\n'));
    expect(await shop.judge('main..feature')).toMatchObject(denied('provenance-missing'));
  });

  it('is missing where the ref was removed, and refused where it was asked for by name', async () => {
    const { shop, head, write } = noted();
    write(shop.attest({ base: shop.base, head }));
    expect(await shop.judge('main..feature', { notes: ['commits'] })).toMatchObject(passes);
    shop.repo.ref('refs/notes/commits', undefined);
    expect(await shop.judge('main..feature')).toMatchObject(denied('provenance-missing'));
    expect(await codeOf(shop.judge('main..feature', { notes: ['commits'] }))).toBe('not-found');
  });

  it('of another commit says nothing, on whatever commit it hangs', async () => {
    const { shop, head, write } = noted();
    const other = shop.agentCommit({ branch: 'other', files: { 'src/app.py': 'other()\n' } });
    write(shop.attest({ base: shop.base, head: other }));
    expect(await shop.judge('main..feature')).toMatchObject(denied('landing-residual', 'provenance-missing'));
    write(shop.attest({ base: shop.base, head }));
    expect(await shop.judge('main..feature')).toMatchObject(passes);
  });
});

describe('T28: a SHA-1 repository', () => {
  it('is named as one, and the SHA-256 of the change binds what SHA-1 might not', async () => {
    for (const format of ['sha1', 'sha256'] as const) {
      const shop = aShop(temporary, { format });
      const head = shop.agentCommit({ files: { 'src/app.py': 'good()\n' } });
      const judge = (digest?: string) =>
        shop.judge('main..feature', {
          evidence: [shop.attest({ base: shop.base, head, ...(digest !== undefined && { digest }) })],
        });
      const { report, ...plain } = await judge();
      expect(plain).toMatchObject(passes);
      expect(report.repository.objectFormat).toBe(format);
      expect(await judge(report.range!.changeDigest)).toMatchObject(passes);
      expect(await judge('ab'.repeat(32))).toMatchObject(denied('provenance-missing', 'subject-mismatch'));
    }
  });

  it('by the change alone, for signers that know no git digests', async () => {
    const shop = aShop(temporary);
    const head = shop.agentCommit({ files: { 'src/app.py': 'good()\n' } });
    const { report } = await shop.judge('main..feature');
    const subject = (sha256: string) => [{ name: 'change.diff', digest: { sha256 } }];
    const judge = (sha256: string) =>
      shop.judge('main..feature', { evidence: [shop.attest({ base: shop.base, head, subjects: subject(sha256) })] });
    expect(await judge(report.range!.changeDigest)).toMatchObject(passes);
    expect(await judge('ab'.repeat(32))).toMatchObject(denied('provenance-missing', 'subject-mismatch'));
  });
});

describe('T30: the same head for two branches', () => {
  it('provenance and approvals for the one say nothing for the other', async () => {
    const shop = aShop(temporary);
    const head = shop.agentCommit({ files: { 'infra/main.tf': 'region = "us"\n' } });
    const judge = (forProvenance: string, forApproval: string) =>
      shop.judge('main..feature', {
        evidence: [
          shop.attest({ base: shop.base, head, baseRef: forProvenance }),
          shop.approve({ by: 'bob', base: shop.base, head, baseRef: forApproval }),
        ],
      });
    const [main, release] = ['refs/heads/main', 'refs/heads/release'];
    expect(await judge(main, main)).toMatchObject(passes);
    expect(await judge(release, main)).toMatchObject(denied('provenance-missing', 'repo-mismatch'));
    expect(await judge(main, release)).toMatchObject(unapproved('high-risk-path', 'repo-mismatch'));
  });

  it('the sibling branch is not judged by the policy of this one', async () => {
    const shop = aShop(temporary);
    const head = shop.agentCommit({ files: { 'src/app.py': 'good()\n' } });
    shop.repo.ref('refs/heads/release', shop.base);
    const evidence = [shop.attest({ base: shop.base, head })];
    expect(await shop.judge('main..feature', { evidence })).toMatchObject(passes);
    expect(await shop.judge('release..feature', { evidence })).toMatchObject({
      outcome: 'undecided',
      code: 3,
      rules: ['base-ref-mismatch'],
    });
  });
});

describe('terms: what provenance says of the work', () => {
  /** `internalParameters`, and beside them byproducts. */
  interface Work {
    readonly sandbox?: object;
    readonly subagents?: readonly object[];
    readonly byproducts?: readonly object[];
  }
  const withWork =
    ({ sandbox, subagents, byproducts }: Work) =>
    (statement: Statement): object => {
      const copy = structuredClone(statement) as unknown as {
        predicate: { buildDefinition: { internalParameters: object }; runDetails: object };
      };
      Object.assign(copy.predicate.buildDefinition.internalParameters, {
        ...(sandbox && { sandboxPolicy: sandbox }),
        ...(subagents && { subagents }),
      });
      if (byproducts !== undefined) Object.assign(copy.predicate.runDetails, { byproducts });
      return copy;
    };
  const closed = { network: { mode: 'none' }, credentials: 'none', filesystem: 'ephemeral-clone' };
  const subagent = (changes: object = {}) => ({
    invocationId: 'sub-1',
    agent: { model: { provider: 'anthropic', modelId: 'x' }, runtime: { name: 'claude-code' } },
    sandboxPolicy: closed,
    ...changes,
  });
  const seen = (remote: string, invocationId = 'run-1') => [
    {
      name: 'observed-network',
      annotations: { observations: [{ invocationId, connections: [{ remote, direction: 'egress' }] }] },
    },
  ];
  const strict = {
    sandbox: '{ network: ["api.github.com:443"], filesystem: [ephemeral-clone], credentials: [none] }',
    runtimes: '[claude-code]',
    tools: '[mcp-github]',
    models: '["anthropic/*"]',
  };
  const shop = aShop(temporary, { policy: { agents: strict } });
  const head = shop.agentCommit({ files: { 'src/app.py': 'good()\n' } });
  const judge = (work: Work) =>
    shop.judge('main..feature', { evidence: [shop.attest({ base: shop.base, head, change: withWork(work) })] });

  it.each<[string, Work]>([
    ['no network', {}],
    ['an allow-list within the policy', { sandbox: { ...closed, network: ['api.github.com:443'] } }],
    ['subagents that keep to it as well', { subagents: [subagent()] }],
  ])('%s is enough', async (_, work) => {
    expect(await judge(work)).toMatchObject(passes);
  });

  it.each<[string, Work, string]>([
    ['an open network', { sandbox: { ...closed, network: 'open' } }, 'sandbox-egress'],
    [
      'a target that the policy does not list',
      { sandbox: { ...closed, network: ['evil.example:443'] } },
      'sandbox-egress',
    ],
    ['other credentials', { sandbox: { ...closed, credentials: 'user-token' } }, 'sandbox-egress'],
    ['no word about the file system', { sandbox: { network: 'none', credentials: 'none' } }, 'sandbox-missing'],
    [
      'a connection that was seen from a sandbox without any',
      { byproducts: seen('api.github.com:443') },
      'sandbox-egress',
    ],
    ['a subagent without a sandbox', { subagents: [subagent({ sandboxPolicy: undefined })] }, 'sandbox-missing'],
    [
      'a subagent with an open network',
      { subagents: [subagent({ sandboxPolicy: { ...closed, network: 'open' } })] },
      'sandbox-egress',
    ],
    [
      'a subagent that was seen to connect elsewhere',
      { subagents: [subagent()], byproducts: seen('evil.example:443', 'sub-1') },
      'sandbox-egress',
    ],
    [
      'a subagent with another runtime',
      {
        subagents: [subagent({ agent: { model: { provider: 'anthropic', modelId: 'x' }, runtime: { name: 'evil' } } })],
      },
      'runtime-not-allowed',
    ],
    [
      'a subagent with another model',
      {
        subagents: [
          subagent({ agent: { model: { provider: 'evil', modelId: 'x' }, runtime: { name: 'claude-code' } } }),
        ],
      },
      'model-not-allowed',
    ],
    [
      'a tool of a subagent',
      {
        subagents: [
          subagent({
            agent: {
              model: { provider: 'anthropic', modelId: 'x' },
              runtime: { name: 'claude-code' },
              tools: ['shell'],
            },
          }),
        ],
      },
      'runtime-not-allowed',
    ],
  ])('%s is not', async (_, work, rule) => {
    expect(await judge(work)).toMatchObject(denied('provenance-missing', rule));
  });
});

describe("terms: the runtime's own decision and the age of provenance", () => {
  it('the decision has to be there, to say "passed", and to be by whom the policy names', async () => {
    const policy = {
      identities: { runtime: '{ key: keys/release.pub }', 'release-key': null },
      agents: { decision: '{ any: [runtime] }' },
    };
    const shop = aShop(temporary, { policy });
    const head = shop.agentCommit({ files: { 'src/app.py': 'good()\n' } });
    const decision = (properties: string, at = head) => ({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { gitCommit: at } }],
      predicateType: 'https://slsa.dev/verification_summary/v1',
      predicate: {
        verifier: { id: 'https://runtime.example' },
        timeVerified: '2026-01-01T00:00:00Z',
        resourceUri: 'git+https://github.com/acme/shop',
        policy: { uri: 'https://runtime.example/policy' },
        verificationResult: properties,
        verifiedLevels: ['SLSA_SOURCE_LEVEL_1'],
      },
    });
    const judge = async (record: object, by: keyof typeof platforms, { named = record, given = true } = {}) => {
      const sha256 = createHash('sha256').update(JSON.stringify(named)).digest('hex');
      const change = (statement: Statement): object => {
        const copy = structuredClone(statement) as unknown as { predicate: { runDetails: object } };
        Object.assign(copy.predicate.runDetails, { byproducts: [{ name: 'policy-decision', digest: { sha256 } }] });
        return copy;
      };
      const bundle = formatBundle(keyed(signStatement(platforms[by], record)));
      return shop.judge('main..feature', {
        evidence: [
          shop.attest({ base: shop.base, head, change }),
          ...(given ? [shop.file('decision.json', bundle)] : []),
        ],
      });
    };
    const missing = denied('decision-missing', 'provenance-missing');
    const passed = decision('PASSED');
    expect(await judge(passed, 'release-key')).toMatchObject(passes);
    expect(await judge(passed, 'release-key', { given: false })).toMatchObject(missing);
    expect(await judge(decision('FAILED'), 'release-key')).toMatchObject(missing);
    expect(await judge(passed, 'platform')).toMatchObject(missing);
    expect(await judge(passed, 'release-key', { named: decision('FAILED') })).toMatchObject(missing);
    expect(await judge(decision('PASSED', shop.base), 'release-key')).toMatchObject(missing);
  });

  it('the age counts from a proved time, and a key alone proves none', async () => {
    for (const [maxAge, verdict] of [
      ['60d', passes],
      ['7d', denied('provenance-missing', 'stale')],
    ] as const) {
      const shop = workflowShop(workflowPolicy(pinned, { agents: { maxAge } }));
      const head = shop.agentCommit({ files: { 'src/app.py': 'good()\n' } });
      expect(await shop.judge('main..feature', { evidence: [byWorkflow(shop, head)] })).toMatchObject(verdict);
    }
    const keys = aShop(temporary, { policy: { agents: { maxAge: '60d' } } });
    const head = keys.agentCommit({ files: { 'src/app.py': 'good()\n' } });
    const evidence = [keys.attest({ base: keys.base, head })];
    expect(await keys.judge('main..feature', { evidence })).toMatchObject(denied('provenance-missing', 'stale'));
  });
});

describe('T32: what was said to the agent', () => {
  it('is in no report, even where a statement holds it', async () => {
    const shop = aShop(temporary);
    const head = shop.agentCommit({ files: { 'src/app.py': 'good()\n' } });
    const secret = 'hunter2-the-password-is';
    const withPrompt = (statement: Statement): object => {
      const copy = structuredClone(statement) as unknown as {
        predicate: { buildDefinition: { externalParameters: { task: object; prompt?: string } } };
      };
      copy.predicate.buildDefinition.externalParameters.prompt = secret;
      Object.assign(copy.predicate.buildDefinition.externalParameters.task, { content: secret });
      return copy;
    };
    const judge = (base: string) =>
      shop.judge('main..feature', { evidence: [shop.attest({ base, head, change: withPrompt })] });
    for (const verdict of [await judge(shop.base), await judge(head)]) {
      expect(JSON.stringify(verdict.report)).not.toContain(secret);
    }
    expect(await judge(shop.base)).toMatchObject(passes);
    expect(await judge(head)).toMatchObject(denied('base-mismatch', 'provenance-missing'));
  });
});
