import { describe, expect, it } from 'vitest';
import { isEditableBy, tierOf } from '../../src/change/tier.ts';
import type { EvidenceSigner } from '../../src/change/types.ts';
import type { ChangesRule } from '../../src/policy/types.ts';

const gitHub = 'https://token.actions.githubusercontent.com';
const platform = 'https://github.com/acme/agents/.github/workflows/attest.yml';
const own = 'https://github.com/acme/shop/.github/workflows/agent.yml';

const rule = {
  repository: 'https://github.com/acme/shop',
  baseRef: 'refs/heads/main',
  agents: { hosted: ['devin'] },
} as unknown as ChangesRule;

type Workflow = NonNullable<EvidenceSigner['workflow']>;

const workflow = (
  changes: Partial<Record<keyof Workflow, string | true | undefined>> = {},
  issuer = gitHub,
): EvidenceSigner => {
  const all = {
    signer: platform,
    signerRef: 'refs/tags/v3',
    config: own,
    sourceRepository: 'https://github.com/acme/shop',
    trigger: 'push',
    runner: 'github-hosted',
    pinned: true,
    ...changes,
  };
  const there = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return {
    matched: ['agent-platform'],
    shown: 'x',
    kind: 'certificate',
    certificate: { issuer, subject: `${all.signer}@${all.signerRef}`, type: 'uri' },
    workflow: there as unknown as Workflow,
  };
};

const login = (type: 'uri' | 'email' | 'other'): EvidenceSigner => ({
  matched: ['x'],
  shown: 'x',
  kind: 'certificate',
  certificate: { issuer: 'https://issuer.example', subject: 'x', type },
});

describe('a signer stands', () => {
  it.each<[string, EvidenceSigner, string]>([
    ['a reusable workflow of another repository', workflow(), 'isolated'],
    ['the same for a pull request', workflow({ trigger: 'pull_request' }), 'isolated'],
    [
      'a workflow that ran in another repository',
      workflow({ config: platform, sourceRepository: 'https://github.com/acme/agents' }),
      'isolated',
    ],
    ["a workflow of the change's own repository", workflow({ signer: own }), 'job'],
    [
      'the same, called by another workflow',
      workflow({ signer: own, config: `${own}x`, signerRef: 'refs/heads/main' }),
      'job',
    ],
    ['the same in other letters', workflow({ signer: own.replace('acme/shop', 'ACME/Shop') }), 'job'],
    ['a workflow at the ref of a pull request', workflow({ signerRef: 'refs/pull/7/merge' }), 'job'],
    ['a machine of somebody’s own', workflow({ runner: 'self-hosted' }), 'job'],
    ['a machine that is not named', workflow({ runner: undefined }), 'job'],
    ['a workflow at no ref', workflow({ signerRef: undefined }), 'job'],
    ['a workflow for an unknown repository', workflow({ sourceRepository: undefined }), 'job'],
    ['a workflow that is no file', workflow({ signer: 'https://github.com/acme/agents' }), 'job'],
    [
      'a GitLab pipeline of another project',
      workflow(
        { signer: 'https://gitlab.com/acme/agents//.gitlab-ci.yml', runner: 'gitlab-hosted' },
        'https://gitlab.com',
      ),
      'job',
    ],
    ['a workload of a cluster', login('uri'), 'job'],
    ['somebody who logged in', login('email'), 'local-key'],
    ['a user name', login('other'), 'local-key'],
    ['a key', { matched: ['ci-key'], shown: 'key', kind: 'key' }, 'local-key'],
    ['an SSH key', { matched: ['alice'], person: 'alice', shown: 'key', kind: 'ssh' }, 'local-key'],
    ['a platform that the policy calls hosted', { ...login('uri'), matched: ['devin'] }, 'isolated'],
    ['a hosted key', { matched: ['devin'], shown: 'key', kind: 'key' }, 'isolated'],
    ['a person whom the policy calls hosted', { ...workflow(), matched: ['devin'], person: 'alice' }, 'local-key'],
  ])('%s: as it should', (_, signer, tier) => {
    expect(tierOf(signer, rule)).toBe(tier);
  });
});

const touched = (...paths: string[]): Buffer[] => paths.map((each) => Buffer.from(each));

describe('a signer can be edited by the change', () => {
  const mine = (changes: Partial<Record<keyof Workflow, string | true | undefined>> = {}) =>
    workflow({ signer: own, signerRef: 'refs/heads/main', pinned: undefined, ...changes });

  it.each<[string, EvidenceSigner, readonly Buffer[]]>([
    ['when the change touches its file', mine(), touched('.github/workflows/agent.yml')],
    ['when the change touches its file by another spelling', mine(), touched('.GitHub/Workflows/AGENT.yml')],
    ['when it is taken from a pull request', mine({ signerRef: 'refs/pull/7/merge' }), []],
    ['when it is taken from the branch of the change', mine({ signerRef: 'refs/heads/agent/x' }), []],
    ['when it is taken from nowhere that is known', mine({ signerRef: undefined }), []],
    ['when it is taken from a tag that nobody pins', mine({ signerRef: 'refs/tags/v3' }), []],
    [
      'when the pinned file is touched',
      mine({ signerRef: 'refs/tags/v3', pinned: true }),
      touched('.github/workflows/agent.yml'),
    ],
    [
      'when the repository is written in other letters',
      mine({ signer: own.replace('acme', 'Acme'), signerRef: 'x' }),
      [],
    ],
    ['when its file cannot be placed', mine({ signer: 'https://github.com/acme/shop' }), []],
  ])('%s', (_, signer, paths) => {
    expect(isEditableBy(signer, paths, rule)).toBe(true);
  });

  it.each<[string, EvidenceSigner, readonly Buffer[]]>([
    ['on the protected branch', mine(), touched('src/x.ts', '.github/workflows/agent.yml.md')],
    ['at a pinned tag', mine({ signerRef: 'refs/tags/v3', pinned: true }), touched('x')],
    ['in another repository', workflow({ signerRef: 'refs/heads/dev' }), touched('.github/workflows/attest.yml')],
    ['with a key', { matched: ['x'], shown: 'x', kind: 'key' }, touched('.github/workflows/agent.yml')],
  ])('not %s', (_, signer, paths) => {
    expect(isEditableBy(signer, paths, rule)).toBe(false);
  });
});
