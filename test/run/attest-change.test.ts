import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readChangeStatement } from '../../src/change/statements/index.ts';
import type { AgentChange } from '../../src/change/types.ts';
import { judgeChange } from '../../src/run/change.ts';
import { parseBundle } from '../../src/sigstore/bundle.ts';
import { parsePublicKey } from '../../src/sigstore/keys.ts';
import { parseTrustRoot } from '../../src/sigstore/trust-root.ts';
import { verifyEntity } from '../../src/sigstore/verify.ts';
import { worldWith } from '../git/open.ts';
import { describeData, readData } from '../kit/data.ts';
import { hashFolder, makeRepository, runGit } from '../kit/repository.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { run } from '../kit/world.ts';
import { type Instance, identityToken, startInstance, stopServices } from '../sigstore/signing-services.ts';
import { filesIn, makeShop, newKey, pem, publicPem, type Shop } from './shop.ts';

const temporary = temporaryDirectory();
const key = newKey();
const publicKey = parsePublicKey(publicPem(key));
const file = filesIn(temporary, {
  'plain.key': pem(key),
  'sandbox.json':
    '{"network":{"mode":"allowlist","allowedEgress":["api.github.com:443"]},"filesystem":"ephemeral-clone"}',
  'long-task.md': 'Please fix the login form. '.repeat(20),
  'short-task.md': 'fix login',
});
const signing = ['--key', file('plain.key')];
const said = [
  ...['--model', 'anthropic/claude-opus-4-6', '--runtime', 'claude-code@2.1.0'],
  ...['--builder-id', 'https://agents.acme.example/platform'],
];
const agents = 'agents: { provenance: { any: [platform] } }\nhighRisk: { approvals: 1 }\n';
const people = 'alice: { keys: [keys/alice.pub] }\n';
const keys = { 'keys/platform.pub': publicPem(key), 'keys/alice.pub': publicPem(newKey()) };
const identities = 'platform: { key: keys/platform.pub }\n';

let shop: Shop;
let bare: Shop;
beforeAll(() => {
  shop = makeShop(temporary, { identities, people, changes: agents, files: keys });
  const repository = makeRepository(temporary);
  const base = repository.commit({ files: { 'a.ts': 'a\n' } });
  bare = { repository, base, head: repository.commit({ branch: 'topic', parents: [base], files: { 'a.ts': 'b\n' } }) };
});

const path_ = { PATH: process.env['PATH'] };

function attest(of: Shop, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const branch = of === bare ? 'topic' : 'agent/topic';
  return run(['attest', `git:main..${branch}`, '--repository', of.repository.path, ...args], {
    env: { ...path_, TMPDIR: temporary, ...env },
  });
}

interface Payload {
  readonly subject: readonly [{ name: string; uri: string; digest: Record<string, string> }];
  readonly predicate: {
    readonly buildDefinition: {
      readonly externalParameters: { readonly task?: object; readonly target: object };
      readonly internalParameters: Record<string, unknown>;
      readonly resolvedDependencies: readonly object[];
    };
    readonly runDetails: {
      readonly builder: { id: string };
      readonly metadata?: Record<string, string>;
      readonly byproducts: readonly { name: string; digest: { sha256: string }; mediaType?: string }[];
    };
  };
}

/** The statement, when the signature over it holds for this commit and tree. */
function statementOf(
  bundle: string,
  { repository, head }: Shop,
): { payload: Payload; read: AgentChange; text: string } {
  const entity = parseBundle(bundle);
  const digests = new Map([
    ['gitCommit', head],
    ['gitTree', repository.treeOf(head)],
  ]);
  verifyEntity(entity, [], { name: head, digests }, { key: publicKey });
  if (entity.content.kind !== 'dsse') throw new Error('no envelope');
  const text = entity.content.payload.toString('utf8');
  const read = readChangeStatement(entity.content.payload, entity.content.payloadType);
  if (read.kind !== 'agent-change') throw new Error('no provenance');
  return { payload: JSON.parse(text) as Payload, read, text };
}

const usual = ['--source-repository', 'https://github.com/acme/shop', ...said];

describe('provenance of a change', () => {
  it('names head, tree, base, repository and branch, and the digest of the change', async () => {
    const before = hashFolder(bare.repository.gitDir);
    const { code, stdout, stderr } = await attest(bare, [...usual, ...signing]);
    expect([code, stdout.split('\n').length]).toEqual([0, 2]);
    expect(stderr).toContain('note: the branch is refs/heads/main, from BASE\n');
    const { read, payload } = statementOf(stdout, bare);
    expect(read).toMatchObject({
      buildType: 'https://refs.arewm.com/agent-commit/v0.3',
      subject: { kind: 'commit', commit: bare.head, tree: bare.repository.treeOf(bare.head) },
      repository: 'https://github.com/acme/shop',
      subjectRepository: 'https://github.com/acme/shop',
      baseRef: 'refs/heads/main',
      baseCommit: bare.base,
      sourceCommit: bare.base,
      models: ['anthropic/claude-opus-4-6'],
      runtime: { name: 'claude-code', version: '2.1.0' },
      builderId: 'https://agents.acme.example/platform',
    });
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    const record = `tidewaiter.change-digest/v1\n100644 ${sha256('a\n')} 100644 ${sha256('b\n')} a.ts\0`;
    expect(read.changeDigest).toBe(sha256(record));
    expect(payload.subject[0].uri).toBe('git+https://github.com/acme/shop@refs/heads/topic');
    expect(hashFolder(bare.repository.gitDir)).toBe(before);
  });

  it('counts for the commits of the change, by the policy of the base', async () => {
    const out = file('counts.json');
    const { code, stderr } = await attest(shop, [...said, ...signing, '-o', `bundle=${out}`]);
    expect(code).toBe(0);
    expect(stderr).toContain('note: the repository is https://github.com/acme/shop, from the policy of the base\n');
    const git = `  git -C ${shop.repository.path}`;
    expect(stderr).toContain(`${git} notes --ref=refs/notes/provenance append -F ${out} ${shop.head}\n`);
    expect(stderr).toContain(`${git} push origin refs/notes/provenance\n`);
    const report = await judgeChange(
      {
        range: 'main..agent/topic',
        repository: shop.repository.path,
        evidence: [out],
        notes: [],
        reviews: [],
        tool: { name: 'tidewaiter', version: '0' },
      },
      worldWith({ TMPDIR: temporary }),
    );
    // Nothing but the approval of the workflow is missing.
    expect([report.outcome, report.evidence.counted.map(({ covers }) => covers)]).toEqual(['approval', [1]]);
  });

  it('has everything that SLSA provenance v1 requires', async () => {
    const stated = ['--task', 'https://acme.example/1', '--task', file('long-task.md'), '--session', 'run-1'];
    const times = ['--started-on', '2026-01-01T00:00:00Z', '--finished-on', '2026-01-01T00:10:00Z'];
    const { stdout, stderr } = await attest(bare, [...usual, ...signing, ...stated, ...times]);
    expect(stderr).not.toContain('also asks for');
    const validate = new Ajv().compile(provenanceSchema);
    expect([validate(statementOf(stdout, bare).payload), validate.errors]).toEqual([true, null]);
  });

  it('is the same for the same claim, whenever it is made', async () => {
    const [one, other] = await Promise.all([
      attest(bare, [...usual, ...signing]),
      attest(bare, [...usual, ...signing]),
    ]);
    expect(statementOf(one.stdout, bare).text).toBe(statementOf(other.stdout, bare).text);
  });

  it('is of version 0.2 where that is asked for', async () => {
    const { stdout } = await attest(bare, [...usual, ...signing, '--build-type', 'v0.2']);
    expect(statementOf(stdout, bare).read.buildType).toBe('https://refs.arewm.com/agent-commit/v0.2');
  });

  it('of a repository of SHA-256 names its longer ids', async () => {
    const repository = makeRepository(temporary, { format: 'sha256' });
    const base = repository.commit({ files: { 'a.ts': 'a\n' } });
    const head = repository.commit({ branch: 'topic', parents: [base], files: { 'a.ts': 'b\n' } });
    const args = ['attest', 'git:main..topic', '--repository', repository.path, ...usual, ...signing];
    const { stdout } = await run(args, { env: { ...path_, TMPDIR: temporary } });
    expect(statementOf(stdout, { repository, base, head }).read.baseCommit).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('what is said of the agent', () => {
  it('comes from flags: tools, sandbox, session, and every further model as a subagent in the same sandbox', async () => {
    const digest = 'ab'.repeat(32);
    const { stdout } = await attest(bare, [
      ...usual,
      ...signing,
      ...['--model', 'anthropic/claude-haiku-4', '--tool', `@acme/mcp@sha256:${digest}`, '--tool', 'bash'],
      ...['--sandbox', file('sandbox.json'), '--session', 's-1'],
    ]);
    const { read } = statementOf(stdout, bare);
    expect(read.models).toEqual(['anthropic/claude-opus-4-6', 'anthropic/claude-haiku-4']);
    expect(read.tools).toEqual([{ name: '@acme/mcp', digest: `sha256:${digest}` }, { name: 'bash' }]);
    expect([read.sandbox?.allowedEgress, read.subagents?.[0]?.sandbox?.filesystem, read.invocationId]).toEqual([
      ['api.github.com:443'],
      'ephemeral-clone',
      's-1',
    ]);
  });

  it('comes from a file of the platform, and a flag goes before it', async () => {
    const platform = {
      agent: {
        model: { provider: 'openai', modelId: 'gpt-5.3' },
        runtime: { name: 'codex', version: '1' },
        tools: ['shell'],
      },
      sandboxPolicy: { network: 'none' },
      subagents: [
        {
          invocationId: 'sub-1',
          agent: { model: { provider: 'openai', modelId: 'mini' }, runtime: { name: 'codex' } },
          sandboxPolicy: { network: 'none' },
        },
      ],
      builder: { id: 'https://platform.example', version: { platform: '7' } },
      metadata: { invocationId: 'run-7', startedOn: '2026-01-01T00:00:00Z' },
      resolvedDependencies: [{ name: 'mcp', uri: 'oci://x', digest: { sha256: 'ab'.repeat(32) } }],
      byproducts: [{ name: 'session-transcript', digest: { sha256: 'cd'.repeat(32) } }],
    };
    const at = filesIn(temporary, { 'agent.json': JSON.stringify(platform) })('agent.json');
    const args = [
      '--source-repository',
      'git@github.com:acme/shop.git',
      '--agent',
      at,
      '--runtime',
      'codex@2',
      ...signing,
    ];
    const { code, stdout } = await attest(bare, args);
    expect(code).toBe(0);
    const { read, payload } = statementOf(stdout, bare);
    expect(read).toMatchObject({
      repository: 'https://github.com/acme/shop',
      models: ['openai/gpt-5.3', 'openai/mini'],
      runtime: { name: 'codex', version: '2' },
      tools: [{ name: 'shell' }],
      sandbox: { networkMode: 'none' },
      builderId: 'https://platform.example',
      invocationId: 'run-7',
      startedOn: '2026-01-01T00:00:00Z',
    });
    expect(payload.predicate.buildDefinition.resolvedDependencies.length).toBe(2);
    expect(read.byproducts.map(({ name }) => name)).toEqual(['change.diff', 'session-transcript']);
  });

  it.each([
    ['{"agent":{"prompt":"secret"}}', /"prompt" that could hold a prompt/],
    ['{"task":{"content":"fix the login"}}', /task.content/],
    ['{"byproducts":[{"name":"prompts","content":"c2VjcmV0"}]}', /"content" that could hold a prompt/],
    ['{"byproducts":[{"name":"change.diff","digest":{"sha256":"00"}}]}', /called change.diff, which is computed/],
    ['{"resolvedDependencies":[{"name":"source","uri":"x:y"}]}', /called source, which is computed/],
    ['{"byproducts":[{"name":"x","uri":"a:b","annotations":{"note":"secret"}}]}', /"note" that is not known/],
    ['{"modle":{}}', /"modle" that is not known/],
    ['{"agent":{},"agent":{}}', /twice/],
    ['{"sandboxPolicy":{"network":"allowlist"}}', /the list is missing/],
    ['{"sandboxPolicy":{"net":"none"}}', /"net" that is not known/],
    ['[]', /not an object/],
    ['', /JSON/],
  ])('in a file is read strictly: %s', async (text, message) => {
    const at = filesIn(temporary, { 'agent.json': text })('agent.json');
    const { code, stdout, stderr } = await attest(bare, [...usual, ...signing, '--agent', at]);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(message);
  });

  it('comes from the environment of a GitHub Actions job, which is said', async () => {
    const env = {
      GITHUB_ACTIONS: 'true',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'acme/other',
      GITHUB_BASE_REF: 'release/1',
      GITHUB_WORKFLOW_REF: 'acme/other/.github/workflows/agent.yml@refs/heads/main',
      GITHUB_RUN_ID: '42',
      GITHUB_RUN_ATTEMPT: '2',
    };
    const { stdout, stderr } = await attest(bare, ['--model', 'a/b', '--runtime', 'c', ...signing], env);
    expect(statementOf(stdout, bare).read).toMatchObject({
      repository: 'https://github.com/acme/other',
      baseRef: 'refs/heads/release/1',
      builderId: 'https://github.com/acme/other/.github/workflows/agent.yml@refs/heads/main',
      invocationId: 'https://github.com/acme/other/actions/runs/42/attempts/2',
    });
    for (const what of ['repository', 'branch', 'builder', 'session']) {
      expect(stderr).toMatch(new RegExp(`note: the ${what} is .*, from GitHub Actions\n`));
    }
    // The policy of the base says where the change belongs, whatever the job says.
    const inShop = await attest(shop, ['--model', 'a/b', '--runtime', 'c', ...signing], env);
    expect(statementOf(inShop.stdout, shop).read.repository).toBe('https://github.com/acme/shop');
    const flags = await attest(bare, [...usual, '--session', 'mine', ...signing], env);
    expect(statementOf(flags.stdout, bare).read).toMatchObject({
      repository: 'https://github.com/acme/shop',
      builderId: 'https://agents.acme.example/platform',
      invocationId: 'mine',
    });
  });

  it('comes from the environment of a GitLab job', async () => {
    const env = {
      GITLAB_CI: 'true',
      CI_PROJECT_URL: 'https://gitlab.com/acme/shop',
      CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main',
      CI_COMMIT_REF_NAME: 'topic',
      CI_JOB_URL: 'https://gitlab.com/acme/shop/-/jobs/7',
    };
    const { stdout } = await attest(bare, ['--model', 'a/b', '--runtime', 'c', ...signing], env);
    expect(statementOf(stdout, bare).read).toMatchObject({
      repository: 'https://gitlab.com/acme/shop',
      builderId: 'https://gitlab.com/acme/shop//.gitlab-ci.yml@refs/heads/topic',
      invocationId: 'https://gitlab.com/acme/shop/-/jobs/7',
    });
  });

  it('that the policy of the base will not accept is told', async () => {
    const { code, stderr } = await attest(shop, [
      ...said,
      ...signing,
      ...['--source-repository', 'https://github.com/acme/fork', '--base-ref', 'release'],
    ]);
    expect(code).toBe(0);
    expect(stderr).toContain('the repository is https://github.com/acme/fork, and the policy of the base is for');
    expect(stderr).toContain('the branch is refs/heads/release, and the policy of the base is for refs/heads/main');
  });
});

describe('a task', () => {
  it('is an address and the digest of its text, and never the text', async () => {
    const args = ['--task', 'https://acme.example/issues/1', '--task', file('long-task.md')];
    const { stdout } = await attest(bare, [...usual, ...signing, ...args]);
    const { payload, text } = statementOf(stdout, bare);
    const sha256 = createHash('sha256')
      .update(readFileSync(file('long-task.md')))
      .digest('hex');
    expect(payload.predicate.buildDefinition.externalParameters.task).toEqual({
      uri: 'https://acme.example/issues/1',
      content: { digest: { sha256 } },
    });
    expect(text).not.toContain('login');
  });

  it('that is so short that it could be guessed has no digest', async () => {
    const { stdout, stderr } = await attest(bare, [...usual, ...signing, '--task', file('short-task.md')]);
    const { text } = statementOf(stdout, bare);
    expect(text).not.toContain(createHash('sha256').update('fix login').digest('hex'));
    expect(stderr).toContain('could be guessed from their digest');
  });
});

describe('records of other tools', () => {
  const trace = (revision: string, model: string, tool = 'cursor') =>
    JSON.stringify({
      version: '0.1.0',
      id: 'x',
      timestamp: '2026-01-23T14:30:00Z',
      vcs: { type: 'git', revision },
      tool: { name: tool },
      metadata: { session_id: 'sess-1' },
      files: [
        {
          path: 'a.ts',
          conversations: [{ contributor: { type: 'ai', model_id: model }, ranges: [{ start_line: 1, end_line: 1 }] }],
        },
      ],
    });
  const needed = ['--source-repository', 'https://github.com/acme/shop', '--builder-id', 'https://x.example/'];

  it('of Agent Trace give model, runtime and session, and their digest', async () => {
    const text = `${trace('ab'.repeat(20), 'openai/gpt-9')}\n${trace(bare.head, 'anthropic/claude-opus-4-6')}\n`;
    const at = filesIn(temporary, { 't.jsonl': text })('t.jsonl');
    const { stdout, stderr } = await attest(bare, [...needed, ...signing, '--agent-trace', at]);
    const { read } = statementOf(stdout, bare);
    expect(read).toMatchObject({
      models: ['anthropic/claude-opus-4-6'],
      runtime: { name: 'cursor' },
      invocationId: 'sess-1',
    });
    const sha256 = createHash('sha256').update(text).digest('hex');
    expect(read.byproducts).toContainEqual({ name: 'agent-trace', sha256 });
    expect(stderr).toContain('1 record of 2 records in');
  });

  it('that name a model without saying whose it is are not guessed about', async () => {
    const at = filesIn(temporary, { 't.jsonl': trace(bare.head, 'claude-opus-4-6') })('t.jsonl');
    const { code, stdout, stderr } = await attest(bare, [...needed, ...signing, '--agent-trace', at]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('--model provider/claude-opus-4-6');
    const named = await attest(bare, [
      ...needed,
      ...signing,
      '--agent-trace',
      at,
      '--model',
      'anthropic/claude-opus-4-6',
    ]);
    expect(statementOf(named.stdout, bare).read.models).toEqual(['anthropic/claude-opus-4-6']);
  });

  it('that are about other commits are refused', async () => {
    const at = filesIn(temporary, { 't.jsonl': trace('ab'.repeat(20), 'openai/gpt-9') })('t.jsonl');
    const { code, stderr } = await attest(bare, [...needed, ...signing, '--agent-trace', at]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/no record in .* is about a commit of the range/);
  });

  it('that show several tools at work hide none of them', async () => {
    const text = `${trace(bare.head, 'openai/gpt-9', 'codex')}\n${trace(bare.head, 'xai/grok', 'cursor')}\n`;
    const at = filesIn(temporary, { 't.jsonl': text })('t.jsonl');
    const { stdout } = await attest(bare, [...usual, ...signing, '--agent-trace', at]);
    const { read } = statementOf(stdout, bare);
    expect(read.models).toEqual(['anthropic/claude-opus-4-6', 'openai/gpt-9', 'xai/grok']);
    expect(read.subagents?.map(({ runtime }) => runtime.name)).toEqual(['codex', 'cursor']);
  });

  it('of git-ai come from the notes on these commits', async () => {
    const { repository, base, head } = makeShop(temporary, { people, files: keys });
    const note = [
      'a.ts',
      '  b8eb1cc478a3826a 1',
      '---',
      JSON.stringify({
        schema_version: 'authorship/3.0.0',
        git_ai_version: '1.6.10',
        base_commit_sha: head,
        prompts: {
          b8eb1cc478a3826a: {
            agent_id: { tool: 'codex', id: '019d', model: 'gpt-5.3-codex' },
            messages: [{ type: 'user', text: 'the secret plan' }],
          },
        },
      }),
    ].join('\n');
    runGit(repository.path, ['notes', '--ref=refs/notes/ai', 'add', '-F', '-', head], note);
    const args = [...needed, ...signing, '--git-ai', '--model', 'openai/gpt-5.3-codex'];
    const { code, stdout, stderr } = await attest({ repository, base, head }, args);
    expect(code).toBe(0);
    const { read, text } = statementOf(stdout, { repository, base, head });
    expect(read).toMatchObject({ models: ['openai/gpt-5.3-codex'], runtime: { name: 'codex' }, invocationId: '019d' });
    expect(read.byproducts.map(({ name }) => name)).toEqual(['change.diff', `git-ai-note/${head}`]);
    expect(text).not.toContain('secret plan');
    expect(stderr).toContain('1 note of git-ai is of this range');
  });

  it('of git-ai that are not there are not passed over', async () => {
    const { code, stderr } = await attest(bare, [...needed, ...signing, '--git-ai']);
    expect(code).toBe(3);
    expect(stderr).toContain('git fetch origin refs/notes/ai:refs/notes/ai');
  });
});

describe('what cannot be attested', () => {
  it.each([
    [['--model', 'a/b'], 2, /which runtime the agent had/],
    [['--runtime', 'c'], 2, /which model the agent had/],
    [['--model', 'claude', '--runtime', 'c'], 2, /not PROVIDER\/MODEL/],
    [['--model', 'a/b', '--runtime', 'c@sha256:00'], 2, /a digest that is none/],
    [['--model', 'a/b', '--runtime', ''], 2, /--runtime is empty/],
    [[...said, '--build-type', 'nonsense'], 2, /is no URI/],
    [[...said, '--task', 'https://user:secret@acme.example/'], 2, /a user or a password/],
    [[...said, '--base-ref', 'refs/tags/v1'], 2, /is no branch/],
    [[...said, '--source-repository', 'not a url'], 2, /no address of a repository/],
    [[...said, '--attach'], 2, /nothing is written into a repository/],
    [[...said, '--predicate', 'x.json'], 2, /--predicate does not go with a range/],
    [[...said, '--started-on', '2026-01-02T00:00:00Z', '--finished-on', '2026-01-01T00:00:00Z'], 2, /ends before/],
    [[...said, '--key', '/nonexistent'], 2, /no file/],
    [[...said, '--offline'], 2, /--offline forbids it/],
  ])('%s', async (args, code, message) => {
    const { code: got, stdout, stderr } = await attest(shop, args as readonly string[]);
    expect([got, stdout]).toEqual([code, '']);
    expect(stderr).toMatch(message as RegExp);
    expect(stderr).not.toContain('secret');
  });

  it.each([
    ['main..main', /both are the same commit/],
    ['agent/topic..main', /has all of/],
    ['main..nowhere', /there is no "nowhere"/],
  ])('a range such as %s', async (range, message) => {
    const args = ['attest', `git:${range}`, '--repository', shop.repository.path, ...said, ...signing];
    const { code, stdout, stderr } = await run(args, { env: { ...path_, TMPDIR: temporary } });
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(message);
  });

  it('a shallow clone', async () => {
    const clone = path.join(temporary, 'shallow');
    runGit(temporary, [
      'clone',
      '--quiet',
      '--depth=1',
      '--branch=agent/topic',
      `file://${shop.repository.path}`,
      clone,
    ]);
    const args = ['attest', 'git:HEAD~1..HEAD', '--repository', clone, ...said, ...signing];
    const { code, stderr } = await run(args, { env: { ...path_, TMPDIR: temporary } });
    expect(code).toBe(3);
    expect(stderr).toContain('git fetch --unshallow');
  });

  it('a change whose output would replace what is read', async () => {
    for (const target of [file('plain.key'), path.join(shop.repository.gitDir, 'HEAD')]) {
      const { code, stderr } = await attest(shop, [...said, ...signing, '-o', `bundle=${target}`]);
      expect([code, readFileSync(target, 'utf8').includes('dsse')]).toEqual([2, false]);
      expect(stderr).toContain('is also an input');
    }
  });

  it('a flag of changes beside another target', async () => {
    const { code, stderr } = await run(['attest', file('sandbox.json'), '--model', 'a/b', ...signing]);
    expect(code).toBe(2);
    expect(stderr).toContain('--model is said of a change, and the target is none');
  });
});

describe('without a key', () => {
  let acme: Instance;
  beforeAll(async () => {
    acme = await startInstance({ name: 'acme' });
  });
  afterAll(stopServices);

  it('the job signs with its token, as it does for other statements', async () => {
    const services = filesIn(temporary, {
      root: acme.trustedRoot,
      config: acme.signingConfig(2),
      token: identityToken(),
    });
    const args = [
      ...['attest', 'git:main..topic', '--repository', bare.repository.path, ...usual],
      ...['--signing-config', services('config'), '--trusted-root', services('root')],
      ...['--identity-token', services('token')],
    ];
    const { code, stdout } = await run(args, { now: () => Date.now(), env: { ...path_, TMPDIR: temporary } });
    expect(code).toBe(0);
    const artifact = { name: '', digests: new Map([['gitCommit', bare.head]]) };
    const { signer } = verifyEntity(parseBundle(stdout), [parseTrustRoot(acme.trustedRoot, 'acme')], artifact);
    expect(signer).toMatchObject({ identity: { issuer: 'https://token.actions.githubusercontent.com' } });
  });
});

const places = ['/opt/peers/bin', ...(process.env['PATH'] ?? '').split(path.delimiter)];
const cosign = places.map((each) => path.join(each, 'cosign')).find((each) => existsSync(each));

describe.skipIf(cosign === undefined)(`cosign${cosign === undefined ? ' (needs cosign)' : ''}`, () => {
  it('verifies our provenance about this commit, and about no other', async () => {
    const out = file('cosign.json');
    await attest(bare, [...usual, ...signing, '-o', `bundle=${out}`]);
    const publicFile = filesIn(temporary, { 'key.pub': publicPem(key) })('key.pub');
    const verify = (commit: string) =>
      spawnSync(
        cosign ?? '',
        [
          ...['verify-blob-attestation', '--bundle', out, '--key', publicFile, '--type', 'slsaprovenance1'],
          ...['--insecure-ignore-tlog=true', '--digest', commit, '--digestAlg', 'gitCommit'],
        ],
        { env: { HOME: temporary, HTTPS_PROXY: 'http://127.0.0.1:9' }, encoding: 'utf8', timeout: 60_000 },
      ).status;
    expect([verify(bare.head), verify(bare.base)]).toEqual([0, 1]);
  });
});

describeData('real records', () => {
  it('of Agent Trace that name no commit of the range are refused by name', async () => {
    const [name] = JSON.parse(readData('agents/index.json').toString('utf8')).flatMap(
      ({ file: each }: { file: string }) => (/trace.*\.jsonl?$/.test(each) ? [each] : []),
    ) as readonly string[];
    expect(name).toBeDefined();
    const at = filesIn(temporary, { 'real.jsonl': readData(`agents/${name}`) })('real.jsonl');
    const { code, stderr } = await attest(bare, [...usual, ...signing, '--agent-trace', at]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/no record in .* is about a commit of the range/);
  });
});

/** What https://slsa.dev/spec/v1.1/provenance and in-toto's statement and resource descriptor require. */
const digestSet = { type: 'object', minProperties: 1, additionalProperties: { type: 'string', minLength: 1 } };
const resource = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    uri: { type: 'string' },
    digest: digestSet,
    mediaType: { type: 'string' },
    annotations: { type: 'object' },
  },
  additionalProperties: false,
  anyOf: [{ required: ['uri'] }, { required: ['digest'] }],
};
const time = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' };
const provenanceSchema = {
  type: 'object',
  required: ['_type', 'subject', 'predicateType', 'predicate'],
  additionalProperties: false,
  properties: {
    _type: { const: 'https://in-toto.io/Statement/v1' },
    subject: { type: 'array', minItems: 1, maxItems: 1, items: { ...resource, required: ['digest'] } },
    predicateType: { const: 'https://slsa.dev/provenance/v1' },
    predicate: {
      type: 'object',
      required: ['buildDefinition', 'runDetails'],
      additionalProperties: false,
      properties: {
        buildDefinition: {
          type: 'object',
          required: ['buildType', 'externalParameters'],
          additionalProperties: false,
          properties: {
            buildType: { type: 'string', pattern: '^https://' },
            externalParameters: {
              type: 'object',
              required: ['task', 'target'],
              properties: {
                task: { type: 'object', required: ['uri', 'content'], properties: { content: resource } },
                target: { type: 'object', required: ['repository', 'baseRef', 'baseCommit'] },
              },
            },
            internalParameters: {
              type: 'object',
              required: ['agent'],
              properties: { agent: { type: 'object', required: ['model', 'runtime'] } },
            },
            resolvedDependencies: { type: 'array', minItems: 1, items: resource },
          },
        },
        runDetails: {
          type: 'object',
          required: ['builder', 'metadata'],
          additionalProperties: false,
          properties: {
            builder: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
            metadata: {
              type: 'object',
              required: ['invocationId', 'startedOn', 'finishedOn'],
              additionalProperties: false,
              properties: { invocationId: { type: 'string' }, startedOn: time, finishedOn: time },
            },
            byproducts: { type: 'array', items: resource },
          },
        },
      },
    },
  },
};
