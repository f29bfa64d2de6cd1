/**
 * Changes to judge: a repository with a policy on its protected branch, commits by agents and by people, signed statements and
 * approvals about them. Everything is sound unless an override says otherwise, so that a test differs from its untouched
 * twin in one thing.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { realDisk } from '../../src/io/disk.ts';
import type { World } from '../../src/io/index.ts';
import { realGit } from '../../src/io/real.ts';
import type { ChangeReport } from '../../src/report/change.ts';
import { exitOfChange, judgeChange } from '../../src/run/change.ts';
import type { ChangeRequest } from '../../src/run/change-request.ts';
import { pae } from '../../src/sigstore/dsse.ts';
import { formatBundle } from '../../src/sigstore/write-bundle.ts';
import { keyed, keyPem, signStatement } from '../sigstore/instance.ts';
import { armorSsh, makeSshKey, signSsh, signSshBlob, type TestKey } from '../sigstore/ssh.ts';
import { type Keys, makeKeys } from './certificate.ts';
import { type CommitSpec, type Files, makeRepository, type TestRepository } from './repository.ts';
import { capture } from './world.ts';

/** When everything is judged. */
export const now = Date.UTC(2026, 1, 1);
export const shopAddress = 'https://github.com/acme/shop';
const inToto = 'application/vnd.in-toto+json';

/** People of the policy, and one whom it does not know. */
export const people = {
  alice: makeSshKey('ssh-ed25519'),
  bob: makeSshKey('ssh-ed25519'),
  carol: makeSshKey('ssh-ed25519'),
  mallory: makeSshKey('ssh-ed25519'),
} as const;
export type PersonName = keyof typeof people;

/** The platform that vouches for agents, another identity of the policy that does not, and one whom it does not know. */
export const platforms = { platform: makeKeys(), 'release-key': makeKeys(), stranger: makeKeys() } as const;

/** YAML in flow style, by key, upon what stands there; null takes a key out. */
type Yaml = Readonly<Record<string, string | null>>;

export interface PolicyShape {
  readonly identities?: Yaml;
  readonly people?: Yaml;
  readonly changes?: Yaml;
  readonly agents?: Yaml;
  readonly highRisk?: Yaml;
}

export interface ShopSpec {
  readonly policy?: PolicyShape;
  /** Beside the policy and its keys. */
  readonly files?: Files;
  readonly format?: 'sha1' | 'sha256';
}

export interface Shop {
  readonly repo: TestRepository;
  /** First commit of `main`. */
  readonly base: string;
  tip(branch: string): string;
  /** On `feature`, which starts at `main`, without any signature. */
  agentCommit(spec?: CommitSpec): string;
  /** On `feature`, with that person's name and SSH signature. */
  humanCommit(spec?: CommitSpec & { readonly by?: PersonName; readonly key?: TestKey }): string;
  /** On `feature`, in a person's name, without any signature. */
  unsignedCommit(spec?: CommitSpec): string;
  /** On `main`, signed by alice. */
  advance(files: Files, spec?: CommitSpec): string;
  /** git's own merge of one into the other, signed by nobody: upon `feature` unless it says otherwise. */
  merge(ours: string, theirs: string, spec?: CommitSpec): string;
  /** A signed statement about an agent's commits, in a file; gives its path. */
  attest(spec: Attested): string;
  approve(spec: Approved): string;
  /** Any statement in a DSSE envelope, by an SSH key. */
  signStatement(by: TestKey, statement: object): string;
  /** A file outside of the repository. */
  file(name: string, content: string): string;
  judge(range: string, more?: Judging): Promise<Verdict>;
}

export interface Attested {
  readonly base: string;
  readonly head: string;
  readonly by?: keyof typeof platforms | Keys | TestKey;
  readonly repository?: string;
  readonly baseRef?: string;
  /** What it says of them, where that is not so. */
  readonly commit?: string;
  readonly tree?: string;
  readonly source?: string;
  readonly digest?: string;
  readonly buildType?: string;
  readonly model?: readonly [provider: string, id: string];
  /** In place of `gitCommit` and `gitTree`. */
  readonly subjects?: readonly object[];
  /** The last word. */
  readonly change?: (statement: Statement) => object;
  readonly form?: 'bundle' | 'envelope';
}

export interface Approved {
  readonly by: PersonName | TestKey;
  readonly base: string;
  readonly head: string;
  readonly tree?: string;
  readonly operation?: string;
  readonly repository?: string;
  readonly baseRef?: string;
  readonly expires?: string;
}

export interface Statement {
  readonly subject: readonly object[];
  readonly predicate: Readonly<Record<string, unknown>>;
}

export type Judging = Partial<
  Pick<ChangeRequest, 'repository' | 'evidence' | 'notes' | 'reviews' | 'policy' | 'baseRef' | 'headRef'>
> & {
  readonly now?: number;
};

export interface Verdict {
  readonly outcome: ChangeReport['outcome'];
  readonly code: number;
  /** Of findings that are no remark: each once, sorted. */
  readonly rules: readonly string[];
  /** Of all findings. */
  readonly said: readonly string[];
  readonly report: ChangeReport;
}

/** `parent`: a temporary directory of the test file. */
export function aShop(parent: string, spec: ShopSpec = {}): Shop {
  const repo = makeRepository(parent, { ...(spec.format !== undefined && { format: spec.format }) });
  const outside = mkdtempSync(path.join(parent, 'evidence-'));
  const signedBy = (key: TestKey) => (payload: Buffer) => signSsh(key, payload);
  const base = repo.commit({
    files: [...entries(shopFiles(spec.policy)), ...entries(spec.files ?? {})],
    message: 'begin\n',
    author: identOf('alice'),
    sign: signedBy(people.alice),
  });
  let written = 0;
  const file = (name: string, content: string) => {
    written += 1;
    const place = path.join(outside, `${written}-${name}`);
    writeFileSync(place, content);
    return place;
  };
  const tip = (branch: string) => readFileSync(path.join(repo.gitDir, 'refs/heads', branch), 'utf8').trim();
  const started = (branch: string) => repo.git('for-each-ref', `refs/heads/${branch}`) !== '';
  const onFeature = (given: CommitSpec): CommitSpec => {
    const branch = given.branch === undefined ? 'feature' : given.branch;
    const parents = given.parents ?? [tip(branch !== null && started(branch) ? branch : 'main')];
    return { ...given, branch, parents };
  };
  const envelope = (by: TestKey, statement: object) => {
    const payload = Buffer.from(JSON.stringify(statement));
    const sig = armorSsh(signSshBlob(by, pae(inToto, payload), { namespace: 'dsse' }));
    return JSON.stringify({
      payloadType: inToto,
      payload: payload.toString('base64'),
      signatures: [{ sig: Buffer.from(sig).toString('base64') }],
    });
  };
  return {
    repo,
    base,
    tip,
    agentCommit: (given = {}) =>
      repo.commit(onFeature({ author: claude, message: `change\n\n${coAuthor}\n`, ...given })),
    humanCommit: ({ by = 'alice', key = people[by], ...given } = {}) =>
      repo.commit(onFeature({ author: identOf(by), sign: signedBy(key), ...given })),
    unsignedCommit: (given = {}) => repo.commit(onFeature({ author: identOf('alice'), ...given })),
    advance: (files, given = {}) =>
      repo.commit({
        files,
        message: 'main goes on\n',
        author: identOf('alice'),
        sign: signedBy(people.alice),
        ...given,
      }),
    merge: (ours, theirs, given = {}) =>
      repo.merge(ours, theirs, { branch: 'feature', author: identOf('alice'), ...given }),
    attest: (given) => {
      const { by = 'platform', form = 'bundle', change = (each: Statement) => each } = given;
      const statement = change(agentStatement({ ...given, tree: given.tree ?? repo.treeOf(given.head) }));
      const key = typeof by === 'string' ? platforms[by] : by;
      if (isSshKey(key)) return file('attest.json', envelope(key, statement));
      const content = signStatement(key, statement);
      if (form === 'bundle') return file('attest.sigstore.json', formatBundle(keyed(content)));
      if (content.kind !== 'dsse') throw new Error('a statement is an envelope');
      const signatures = [{ sig: content.signature.toString('base64') }];
      const { payload } = content;
      return file(
        'attest.json',
        JSON.stringify({ payloadType: inToto, payload: payload.toString('base64'), signatures }),
      );
    },
    approve: (given) =>
      file(
        'approve.json',
        envelope(
          typeof given.by === 'string' ? people[given.by] : given.by,
          approvalStatement({ ...given, tree: given.tree ?? repo.treeOf(given.head) }),
        ),
      ),
    signStatement: (by, statement) => file('statement.json', envelope(by, statement)),
    file,
    judge: async (range, more = {}) => {
      const request: ChangeRequest = {
        range,
        repository: repo.path,
        evidence: [],
        notes: [],
        reviews: [],
        now,
        tool: { name: 'tidewaiter', version: 'test' },
        ...more,
      };
      const report = await judgeChange(request, testWorld());
      const heavy = report.findings.filter(({ weight }) => weight !== 'note' && weight !== 'warning');
      return {
        outcome: report.outcome,
        code: exitOfChange(report.outcome),
        rules: [...new Set(heavy.map(({ rule }) => rule))].sort(),
        said: [...new Set(report.findings.map(({ rule }) => rule))].sort(),
        report,
      };
    },
  };
}

export const claude = 'Claude <noreply@anthropic.com>';
export const coAuthor = 'Co-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>';

export function identOf(person: PersonName): string {
  return `${person} <${person}@acme.example>`;
}

export const passes = { outcome: 'pass', code: 0, rules: [] } as const;

/** What `denied` and the like look like, for `toMatchObject`. */
export function denied(...rules: readonly string[]) {
  return { outcome: 'denied', code: 1, rules: [...rules].sort() } as const;
}

export function undecided(...rules: readonly string[]) {
  return { outcome: 'undecided', code: 3, rules: [...rules].sort() } as const;
}

/** Only approvals are missing. */
export function unapproved(...rules: readonly string[]) {
  return { outcome: 'approval', code: 4, rules: [...new Set(['approval-missing', ...rules])].sort() } as const;
}

export function testWorld(): World {
  return {
    disk: realDisk,
    git: realGit,
    env: { PATH: process.env['PATH'] ?? '' },
    stdout: capture(),
    stderr: capture(),
    now: () => now,
    cores: 2,
    host: { os: 'linux', architecture: 'amd64' },
  };
}

/** The policy and the keys that it names. */
export function shopFiles(shape: PolicyShape = {}): Readonly<Record<string, string>> {
  return {
    'tidewaiter.policy.yaml': policyText(shape),
    ...Object.fromEntries(Object.entries(people).map(([name, { line }]) => [`keys/${name}.pub`, `${line}\n`])),
    'keys/platform.pub': keyPem(platforms.platform),
    'keys/release.pub': keyPem(platforms['release-key']),
    'README.md': '# shop\n',
    'src/app.py': 'def pay():\n    check()\n    charge()\n',
    'infra/main.tf': 'region = "eu"\n',
  };
}

/** Alice and bob are people, the platform vouches for agents, whoever is not proved counts as an agent. */
export function policyText(shape: PolicyShape = {}): string {
  const person = (name: string) =>
    `{ keys: [keys/${name}.pub], emails: [${name}@acme.example], accounts: ["github:${name}"] }`;
  const identities = flow({
    platform: '{ key: keys/platform.pub }',
    'release-key': '{ key: keys/release.pub }',
    ...shape.identities,
  });
  const listed = flow({ alice: person('alice'), bob: person('bob'), ...shape.people });
  const agents = flow({ provenance: '{ any: [platform] }', tier: 'isolated', hosted: '[platform]', ...shape.agents });
  const highRisk = flow({ paths: '["infra/**"]', approvals: '1', ...shape.highRisk });
  const changes = flow({
    repository: shopAddress,
    baseRef: 'refs/heads/main',
    unknown: 'treat-as-agent',
    agents,
    highRisk,
    ...shape.changes,
  });
  return `version: 1\nidentities: ${identities}\npeople: ${listed}\nchanges: ${changes}\n`;
}

function isSshKey(key: Keys | TestKey): key is TestKey {
  return 'blob' in key;
}

function flow(values: Yaml): string {
  const pairs = Object.entries(values).filter(([, value]) => value !== null);
  return `{ ${pairs.map(([key, value]) => `${key}: ${value}`).join(', ')} }`;
}

function entries(files: Files) {
  return Array.isArray(files) ? (files as Extract<Files, readonly unknown[]>) : Object.entries(files);
}

/** Statement A of docs/formats/agent-change.md. */
export function agentStatement(given: Attested & { readonly tree: string }): Statement & object {
  const { base, head, commit = head, tree, source = base, digest, subjects } = given;
  const [provider, modelId] = given.model ?? ['anthropic', 'claude-opus-4-6'];
  return {
    ...{ _type: 'https://in-toto.io/Statement/v1', predicateType: 'https://slsa.dev/provenance/v1' },
    subject: subjects ?? [{ digest: { gitCommit: commit, gitTree: tree } }],
    predicate: {
      buildDefinition: {
        buildType: given.buildType ?? 'https://refs.arewm.com/agent-commit/v0.3',
        externalParameters: {
          task: { uri: `${shopAddress}/issues/42` },
          target: {
            repository: `git+${given.repository ?? shopAddress}`,
            baseRef: given.baseRef ?? 'refs/heads/main',
            baseCommit: base,
          },
        },
        internalParameters: {
          agent: { model: { provider, modelId }, runtime: { name: 'claude-code', version: '1.2.0' } },
          sandboxPolicy: { network: { mode: 'none' }, credentials: 'none', filesystem: 'ephemeral-clone' },
        },
        resolvedDependencies: [{ name: 'source', digest: { gitCommit: source } }],
      },
      runDetails: {
        builder: { id: 'https://agents.acme.example/platform/v1' },
        metadata: { invocationId: 'run-1' },
        byproducts: digest === undefined ? [] : [{ name: 'change.diff', digest: { sha256: digest } }],
      },
    },
  };
}

/** docs/formats/approval.md */
export function approvalStatement(given: Omit<Approved, 'by'> & { readonly tree: string }): object {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { gitCommit: given.head, gitTree: given.tree } }],
    predicateType: 'https://tidewaiter.dev/approval/v1',
    predicate: {
      operation: given.operation ?? 'merge',
      repository: given.repository ?? shopAddress,
      baseRef: given.baseRef ?? 'refs/heads/main',
      mergeBase: given.base,
      expires: given.expires ?? '2026-03-01T00:00:00Z',
    },
  };
}
