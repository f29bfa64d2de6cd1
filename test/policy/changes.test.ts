import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { readPolicy } from '../../src/policy/index.ts';
import { root } from '../kit/data.ts';
import { gitHub, workflow } from '../sigstore/identities.ts';

const page = readFileSync(path.join(root, 'docs/formats/policy.md'), 'utf8');
const example =
  [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((each) => each[1] ?? '').find((each) => /^changes:/m.test(each)) ??
  '';

const day = 24 * 3600 * 1000;

const head = [
  'version: 1',
  'identities:',
  `  platform: { issuer: ${gitHub}, signer: { workflow: ${workflow} }, source: { repository: https://github.com/acme/shop } }`,
  '  renovate: { key: keys/renovate.pub }',
  '  mine: { issuer: https://accounts.google.com, subject: alice@acme.example }',
  '  packages: { openpgp: keys/packages.asc }',
  'people:',
  '  alice: { keys: [keys/alice.pub], identities: [mine], accounts: [github:alice] }',
  '  bob: { accounts: [github:Bob-2] }',
  '  carol: { emails: [carol@acme.example] }',
];
const target = ['changes:', '  repository: https://github.com/acme/shop', '  baseRef: refs/heads/main'];
const policy = (...lines: readonly string[]): string => [...head, ...target, ...lines, ''].join('\n');
const changesOf = (text: string) => readPolicy(text, 'p.yaml').changes;

function messageOf(text: string): string {
  try {
    readPolicy(text, 'p.yaml');
  } catch (error) {
    if (error instanceof OperationalError && error.code === 'configuration') return error.message;
    throw error;
  }
  return 'is read';
}

describe('what a policy says of changes', () => {
  it('is read as its page shows it', () => {
    const read = readPolicy(example, 'tidewaiter.policy.yaml');
    expect(read.changes).toMatchObject({
      repository: 'https://github.com/acme/shop',
      baseRef: 'refs/heads/main',
      unknown: 'treat-as-agent',
      bots: ['renovate'],
      agents: {
        provenance: { kind: 'any', of: ['agent-platform', 'devin-platform'], count: 1 },
        tier: 'isolated',
        hosted: ['devin-platform'],
        buildTypes: ['https://refs.arewm.com/agent-commit/v0.3'],
        models: ['anthropic/*', 'openai/*'],
        runtimes: ['claude-code'],
        tools: ['mcp-github'],
        sandbox: {
          network: ['api.github.com:443'],
          filesystem: ['ephemeral-clone'],
          credentials: ['proxy-injected'],
        },
        decision: { kind: 'any', of: ['agent-runtime'] },
        maxAge: 7 * day,
      },
      highRisk: {
        paths: ['infra/**', '**/migrations/*.sql'],
        approvals: 2,
        by: ['alice', 'bob'],
        records: ['review-workflow'],
        operation: 'merge',
        carryOver: 'replay',
      },
    });
    expect(read.people.get('bob')).toMatchObject({ accounts: ['github:bob'], presence: 'required' });
  });

  it('has the stricter meaning where nothing is said', () => {
    expect(changesOf(policy())).toEqual({
      repository: 'https://github.com/acme/shop',
      baseRef: 'refs/heads/main',
      unknown: 'treat-as-agent',
      bots: [],
      agents: {
        hosted: [],
        buildTypes: ['https://refs.arewm.com/agent-commit/v0.3', 'https://refs.arewm.com/agent-commit/v0.2'],
        place: { line: 11, column: 1 },
      },
      highRisk: {
        paths: [],
        approvals: 1,
        by: [],
        records: [],
        operation: 'merge',
        carryOver: 'never',
        place: { line: 11, column: 1 },
      },
      place: { line: 11, column: 1 },
    });
  });

  it('may ask for a sandbox without saying more, and tells where', () => {
    const agents = changesOf(policy('  agents: { sandbox: required, maxAge: 3 }'))?.agents;
    expect(agents).toMatchObject({ sandbox: { place: { line: 14, column: 13 } }, maxAge: 3 * day });
    expect(Object.keys(agents?.sandbox ?? {})).toEqual(['place']);
  });

  it('is not there in a policy without it', () => {
    const text = 'version: 1\npeople: { a: { keys: [k] } }\n';
    expect(readPolicy(text, 'p.yaml')).not.toHaveProperty('changes');
  });

  it('is left to the command that judges changes, as presence is', () => {
    const text = policy().replace('keys: [keys/alice.pub]', 'keys: [keys/alice.pub], presence: required');
    expect(readPolicy(text, 'p.yaml').unjudged.map((each) => [each.path, each.judgedBy])).toEqual([
      ['changes', 'change'],
      ['people.alice.presence', 'change'],
    ]);
    expect(readPolicy(text, 'p.yaml').people.get('alice')?.presence).toBe('required');
  });

  const design = path.join(root, '../shared/DESIGN.md');
  it.skipIf(!existsSync(design))('is read from the sample of the design as it stands', () => {
    const sample = /```yaml\n(version: 1[\s\S]*?)```/.exec(readFileSync(design, 'utf8'))?.[1] ?? '';
    expect(changesOf(sample)).toMatchObject({
      agents: { provenance: { of: ['agent-platform'] }, models: ['anthropic/*', 'openai/*'] },
      highRisk: { paths: ['.github/**', '**/package-lock.json'], approvals: 1, by: ['alice'] },
    });
  });

  it.each<[string, string, string]>([
    [
      'an unknown part',
      '  agent: {}',
      '14:3: changes.agent is not known here; known are: repository, baseRef, unknown, bots, agents, highRisk',
    ],
    [
      'an unknown field of agents',
      '  agents: { model: x }',
      '14:13: changes.agents.model is not known here; known are: provenance, tier, hosted, buildTypes, models, runtimes, tools, sandbox, decision, maxAge',
    ],
    [
      'an unknown field of highRisk',
      '  highRisk: { path: x }',
      '14:15: changes.highRisk.path is not known here; known are: paths, approvals, by, records, operation, carryOver',
    ],
    [
      'nothing for agents',
      '  agents:',
      '14:3: changes.agents must be a mapping with: provenance, tier, hosted, buildTypes, models, runtimes, tools, sandbox, decision, maxAge',
    ],
    [
      'another word for the unknown',
      '  unknown: allow',
      '14:3: changes.unknown must be treat-as-agent or treat-as-human',
    ],
    ['an empty list of bots', '  bots: []', '14:3: changes.bots must not be empty'],
    [
      'a bot that is nobody',
      '  bots: [dependabot]',
      '14:10: changes.bots[0] names no identity: "dependabot" is not among platform, renovate, mine, packages',
    ],
    [
      'a bot that is a person',
      '  bots: [alice]',
      '14:10: changes.bots[0] is a person; name an identity that belongs to nobody',
    ],
    [
      "a bot with a person's identity",
      '  bots: [mine]',
      '14:10: changes.bots[0] is an identity of alice, who is a person; name one that belongs to nobody',
    ],
    [
      'a bot that vouches for agents',
      '  bots: [platform]\n  agents: { provenance: { any: [platform] } }',
      '14:10: changes.bots[0] vouches for agents already; give the bot an identity of its own',
    ],
    ['a bot twice', '  bots: [renovate, renovate]', '14:20: changes.bots[1] stands twice'],
    [
      'provenance by nobody',
      '  agents: { provenance: { any: [x] } }',
      '14:33: changes.agents.provenance.any[0] names nobody: "x" is not among platform, renovate, mine, packages, alice, bob, carol',
    ],
    [
      'provenance without a rule',
      '  agents: { provenance: {} }',
      '14:13: changes.agents.provenance must have exactly one of any, all and threshold',
    ],
    [
      'provenance by an OpenPGP key',
      '  agents: { provenance: { any: [packages] } }',
      '14:33: changes.agents.provenance.any[0] is an OpenPGP key, which signs packages and commits and not statements; name a Sigstore identity or a key',
    ],
    [
      'provenance by somebody without a key',
      '  agents: { provenance: { any: [carol] } }',
      '14:33: changes.agents.provenance.any[0] has no key and no Sigstore identity to sign statements with; add one under people.carol',
    ],
    [
      'a threshold that cannot be met',
      '  agents: { decision: { threshold: { of: [platform], count: 2 } } }',
      '14:54: changes.agents.decision.threshold.count can never be met: only 1 are named; lower it or name more',
    ],
    ['another tier', '  agents: { tier: high }', '14:13: changes.agents.tier must be local-key, job or isolated'],
    [
      'a hosted platform that vouches for nothing',
      '  agents: { hosted: [platform] }',
      '14:22: changes.agents.hosted[0] vouches for nothing: provenance does not name it; add it there, or remove it here',
    ],
    [
      'a hosted platform that is a person',
      '  agents: { provenance: { any: [alice] }, hosted: [alice] }',
      '14:52: changes.agents.hosted[0] is a person; name an identity that belongs to nobody',
    ],
    [
      'a pattern for build types',
      '  agents: { buildTypes: ["https://x/*"] }',
      '14:26: changes.agents.buildTypes[0] is compared whole and cannot be a pattern; write it out',
    ],
    [
      'a build type that is no URI',
      '  agents: { buildTypes: [agent-commit] }',
      '14:26: changes.agents.buildTypes[0] must be a URI, as provenance states it',
    ],
    ['no models', '  agents: { models: [] }', '14:13: changes.agents.models must not be empty'],
    [
      'every model',
      '  agents: { models: ["**"] }',
      '14:22: changes.agents.models[0] allows every model; leave it out if that is meant',
    ],
    [
      'every model of every provider',
      '  agents: { models: ["*/*"] }',
      '14:22: changes.agents.models[0] allows every model; leave it out if that is meant',
    ],
    [
      'a model without its provider',
      '  agents: { models: [claude-*] }',
      '14:22: changes.agents.models[0] matches nothing: a model is named with its provider, like anthropic/claude-*',
    ],
    [
      'a model that ends in a slash',
      '  agents: { models: [anthropic/] }',
      '14:22: changes.agents.models[0] has an empty segment: no slash at an end, none twice',
    ],
    [
      'stars within a model',
      '  agents: { models: [anthropic/claude**] }',
      '14:22: changes.agents.models[0] has "**" inside a segment; it has to stand alone between slashes',
    ],
    [
      'every runtime',
      '  agents: { runtimes: ["*"] }',
      '14:24: changes.agents.runtimes[0] allows every runtime; leave it out if that is meant',
    ],
    [
      'every tool',
      '  agents: { tools: ["*"] }',
      '14:21: changes.agents.tools[0] allows every tool; leave it out if that is meant',
    ],
    [
      'another sandbox',
      '  agents: { sandbox: yes }',
      '14:13: changes.agents.sandbox must be "required", or a mapping with network, filesystem or credentials, each a list of texts that is not empty',
    ],
    [
      'a sandbox of nothing',
      '  agents: { sandbox: {} }',
      '14:13: changes.agents.sandbox says nothing; write sandbox: required, or add network, filesystem or credentials',
    ],
    [
      'a sandbox without a port',
      '  agents: { sandbox: { network: [api.github.com] } }',
      '14:34: changes.agents.sandbox.network[0] must be HOST:PORT, like api.github.com:443',
    ],
    [
      'a sandbox with a port that is none',
      '  agents: { sandbox: { network: ["api.github.com:https"] } }',
      '14:34: changes.agents.sandbox.network[0] must end in a port from 1 to 65535, or in :* for any',
    ],
    [
      'a sandbox with a port beyond all',
      '  agents: { sandbox: { network: ["api.github.com:65536"] } }',
      '14:34: changes.agents.sandbox.network[0] must end in a port from 1 to 65535, or in :* for any',
    ],
    [
      'a sandbox that allows every host',
      '  agents: { sandbox: { network: ["*:443"] } }',
      '14:34: changes.agents.sandbox.network[0] allows every host; leave network out if that is meant',
    ],
    [
      'a sandbox with a star in a host',
      '  agents: { sandbox: { network: ["api.*:443"] } }',
      '14:34: changes.agents.sandbox.network[0] may have "*" for the first label only, like *.acme.example:443',
    ],
    [
      'a sandbox with a star before a top domain',
      '  agents: { sandbox: { network: ["*.com:443"] } }',
      '14:34: changes.agents.sandbox.network[0] must name the domain in full, like *.acme.example:443',
    ],
    [
      'a sandbox in upper case',
      '  agents: { sandbox: { network: ["API.github.com:443"] } }',
      '14:34: changes.agents.sandbox.network[0] must be in lower case, as host names are compared',
    ],
    [
      'a sandbox with a URL',
      '  agents: { sandbox: { network: ["https://api.github.com:443"] } }',
      '14:34: changes.agents.sandbox.network[0] names no host: "https://api.github.com"',
    ],
    [
      'a pattern for the file system',
      '  agents: { sandbox: { filesystem: ["*"] } }',
      '14:37: changes.agents.sandbox.filesystem[0] is compared whole and cannot be a pattern; write it out',
    ],
    [
      'an age in hours',
      '  agents: { maxAge: 12h }',
      '14:13: changes.agents.maxAge must be a number of days like 90d, not "12h"',
    ],
    [
      'approvals by nobody',
      '  highRisk: { by: [dave] }',
      '14:20: changes.highRisk.by[0] names nobody: "dave" is not among alice, bob, carol',
    ],
    [
      'approvals by an identity',
      '  highRisk: { by: [platform] }',
      '14:20: changes.highRisk.by[0] is an identity; only people approve, so list it under the identities of a person and name them',
    ],
    [
      'approvals by somebody who cannot',
      '  highRisk: { by: [carol] }',
      '14:20: changes.highRisk.by[0] has nothing to approve with; add keys, identities or accounts under people.carol',
    ],
    ['approvals by one twice', '  highRisk: { by: [alice, alice] }', '14:27: changes.highRisk.by[1] stands twice'],
    [
      'more approvals than people are named',
      '  highRisk: { approvals: 2, by: [alice] }',
      '14:15: changes.highRisk.approvals can never be met: 2 must approve, and only 1 are named under by',
    ],
    [
      'more approvals than there are people',
      '  highRisk: { approvals: 3 }',
      '14:15: changes.highRisk.approvals can never be met: 3 must approve, and only 2 of people: can approve',
    ],
    ['no approvals', '  highRisk: { approvals: 0 }', '14:15: changes.highRisk.approvals must be at least 1'],
    ['half an approval', '  highRisk: { approvals: 1.5 }', '14:15: changes.highRisk.approvals must be a whole number'],
    [
      'records of approvals by a person',
      '  highRisk: { records: [alice] }',
      '14:25: changes.highRisk.records[0] is a person; name an identity that belongs to nobody',
    ],
    [
      'records of approvals by whoever vouches for agents',
      '  agents: { provenance: { any: [platform] } }\n  highRisk: { records: [platform] }',
      '15:25: changes.highRisk.records[0] vouches for agents already; approvals have to be recorded by another identity',
    ],
    [
      'a sentence for an operation',
      '  highRisk: { operation: "merge or deploy" }',
      '14:15: changes.highRisk.operation must be a word in lower case, like merge',
    ],
    [
      'another way to carry over',
      '  highRisk: { carryOver: always }',
      '14:15: changes.highRisk.carryOver must be never or replay',
    ],
    ['an empty path', '  highRisk: { paths: [""] }', '14:23: changes.highRisk.paths[0] must not be empty'],
    [
      'a path that is taken out',
      '  highRisk: { paths: ["!docs/**"] }',
      '14:23: changes.highRisk.paths[0] begins with "!": a path cannot be taken out; name those that are meant',
    ],
    [
      'a path from here',
      '  highRisk: { paths: [./docs/**] }',
      '14:23: changes.highRisk.paths[0] matches nothing: write it from the root of the repository, without "." and ".."',
    ],
    [
      'a path upwards',
      '  highRisk: { paths: [docs/../**] }',
      '14:23: changes.highRisk.paths[0] matches nothing: write it from the root of the repository, without "." and ".."',
    ],
    [
      'braces in a path',
      '  highRisk: { paths: ["*.{js,ts}"] }',
      '14:23: changes.highRisk.paths[0] has "{", which is not special here; write "*", or one pattern for each',
    ],
    [
      'a class in a path',
      '  highRisk: { paths: ["[Mm]akefile"] }',
      '14:23: changes.highRisk.paths[0] has "[", which is not special here; write "*", or one pattern for each',
    ],
    [
      'a path of Windows',
      '  highRisk: { paths: ["docs\\\\x"] }',
      '14:23: changes.highRisk.paths[0] has a backslash, which is no slash; write "/" between segments',
    ],
    [
      'stars within a path',
      '  highRisk: { paths: [docs/a**] }',
      '14:23: changes.highRisk.paths[0] has "**" inside a segment; it has to stand alone between slashes',
    ],
    [
      'two slashes in a path',
      '  highRisk: { paths: [docs//x] }',
      '14:23: changes.highRisk.paths[0] has an empty segment: no slash at an end, none twice',
    ],
  ])('is refused with its place for %s', (_, lines, message) => {
    expect(messageOf(policy(lines))).toBe(`p.yaml:${message}`);
  });

  describe('lets a workflow make, record or decide', () => {
    const flow = (signer: string) =>
      policy('').replace(
        /platform: \{.*/,
        `platform: { issuer: ${gitHub}, ${signer}, source: { repository: https://github.com/acme/shop } }`,
      );
    const roles: readonly (readonly [place: string, line: string])[] = [
      ['14:10: changes.bots[0]', '  bots: [platform]'],
      ['14:25: changes.highRisk.records[0]', '  highRisk: { records: [platform] }'],
      ['14:31: changes.agents.decision.any[0]', '  agents: { decision: { any: [platform] } }'],
      ['14:31: changes.agents.decision.all[0]', '  agents: { decision: { all: [platform] } }'],
      [
        '14:53: changes.agents.decision.threshold.of[1]',
        '  agents: { decision: { threshold: { of: [renovate, platform], count: 1 } } }',
      ],
    ];

    it.each(roles)('only where it says from which ref it is taken: %s', (place, line) => {
      const read = (signer: string) => messageOf(`${flow(signer).trimEnd()}\n${line}\n`);
      expect(read(`signer: { workflow: ${workflow} }`)).toBe(
        `p.yaml:${place} is a workflow at whatever ref, in the form that whoever pushed it gave it; add signer.ref or signer.digest to identities.platform`,
      );
      expect(read(`signer: { workflow: ${workflow}, ref: { pattern: "refs/heads/*" } }`)).toBe(
        `p.yaml:${place} is a workflow at any ref that fits a pattern, and whoever pushes such a one decides what it does; write one ref, or tags, in identities.platform.signer.ref`,
      );
      expect(read(`subject: { pattern: "${workflow}@refs/heads/*" }, signer: { workflow: ${workflow} }`)).toContain(
        `p.yaml:${place} is a workflow at whatever ref`,
      );
      for (const signer of [
        `signer: { workflow: ${workflow}, ref: refs/heads/main }`,
        `signer: { workflow: ${workflow}, ref: { pattern: "refs/tags/v*" } }`,
        `signer: { workflow: ${workflow}, digest: ${'a'.repeat(40)} }`,
        `subject: ${workflow}@refs/heads/main`,
      ]) {
        expect(read(signer), signer).toBe('is read');
      }
    });

    it('and asks the same of the identities of a person who decides', () => {
      const person = policy('  agents: { decision: { any: [dave] } }').replace(
        'people:',
        'people:\n  dave: { identities: [platform] }',
      );
      expect(messageOf(person)).toContain('p.yaml:15:31: changes.agents.decision.any[0] is a workflow at whatever ref');
    });

    it('and lets none approve, whose it is said to be', () => {
      const person = policy('  highRisk: { by: [dave] }').replace(
        'people:',
        'people:\n  dave: { identities: [platform] }',
      );
      expect(messageOf(person)).toBe(
        'p.yaml:15:20: changes.highRisk.by[0] has nothing to approve with; add keys, identities or accounts under people.dave',
      );
    });
  });

  it.each<[string, string]>([
    ['acme/shop', 'must be a whole URL that begins with https://, like https://github.com/acme/shop'],
    ['http://github.com/acme/shop', 'must be a whole URL that begins with https://, like https://github.com/acme/shop'],
    [
      'git@github.com:acme/shop.git',
      'must be a whole URL that begins with https://, like https://github.com/acme/shop',
    ],
    [
      'git+https://github.com/acme/shop',
      'must be a whole URL that begins with https://, like https://github.com/acme/shop',
    ],
    ['https://github.com/acme/shop.git', 'must be written as statements have it: https://github.com/acme/shop'],
    ['https://github.com/acme/shop/', 'must be written as statements have it: https://github.com/acme/shop'],
    ['https://GitHub.com/acme/shop', 'must be written as statements have it: https://github.com/acme/shop'],
    ['https://github.com:443/acme/shop', 'must be written as statements have it: https://github.com/acme/shop'],
    ['https://github.com/acme/x/../shop', 'must be written as statements have it: https://github.com/acme/shop'],
    ['https://me@github.com/acme/shop', 'must be without a user before the host'],
    ['https://me:secret@github.com/acme/shop', 'must be without a user before the host'],
    ['https://@github.com/acme/shop', 'must be without a user before the host'],
    ['https://github.com/acme/shop?x', 'must be without "?" and "#"'],
    ['https://github.com/acme/shop#x', 'must be without "?" and "#"'],
    ['https://github.com', 'names no repository; write it like https://github.com/acme/shop'],
    ['https://github.com/acme', 'names an owner and no repository; write it like https://github.com/acme/shop'],
    ['https://git.example/a//b', 'has an empty segment: no slash at the end, none twice'],
    ['https://git.example:70000/a', 'is no URL; write it like https://github.com/acme/shop'],
  ])('does not take the repository %s', (repository, message) => {
    const text = policy().replace(
      'https://github.com/acme/shop\n  baseRef',
      `${JSON.stringify(repository)}\n  baseRef`,
    );
    expect(messageOf(text)).toBe(`p.yaml:12:3: changes.repository ${message}`);
  });

  it.each([
    'https://git.example/shop',
    'https://git.example:8443/a/b/c',
    'https://github.com/Acme/Shop',
    'https://gitlab.com/group/sub/shop',
  ])('takes the repository %s', (repository) => {
    const text = policy().replace('https://github.com/acme/shop\n  baseRef', `${repository}\n  baseRef`);
    expect(changesOf(text)?.repository).toBe(repository);
  });

  it.each<[string, string]>([
    ['main', 'must be the full name of a branch; write refs/heads/main'],
    ['origin/main', 'must be the full name of a branch; write refs/heads/origin/main'],
    ['refs/remotes/origin/main', 'must be what the branch is called where it lies; write refs/heads/main'],
    ['refs/tags/v1', 'must be a branch, like refs/heads/main'],
    ['refs/heads/', 'is no name that git has for a branch: "refs/heads/"'],
    ['refs/heads/*', 'is no name that git has for a branch: "refs/heads/*"'],
    ['refs/heads/a..b', 'is no name that git has for a branch: "refs/heads/a..b"'],
    ['refs/heads/.a', 'is no name that git has for a branch: "refs/heads/.a"'],
    ['refs/heads/a.lock', 'is no name that git has for a branch: "refs/heads/a.lock"'],
    ['refs/heads/a b', 'is no name that git has for a branch: "refs/heads/a b"'],
    ['refs/heads/a@{1}', 'is no name that git has for a branch: "refs/heads/a@{1}"'],
  ])('does not take the branch %s', (baseRef, message) => {
    const text = policy().replace('refs/heads/main', JSON.stringify(baseRef));
    expect(messageOf(text)).toBe(`p.yaml:13:3: changes.baseRef ${message}`);
  });

  it('asks for the repository and for the branch', () => {
    expect(messageOf('version: 1\nchanges: { baseRef: refs/heads/main }\n')).toBe(
      'p.yaml:2:1: changes.repository is missing',
    );
    expect(messageOf('version: 1\nchanges: { repository: https://github.com/acme/shop }\n')).toBe(
      'p.yaml:2:1: changes.baseRef is missing',
    );
  });

  it('can ask for approvals only where somebody can give one', () => {
    const text = (more: string) => `version: 1\n${target.join('\n')}\n${more}`;
    expect(changesOf(text(''))?.highRisk.approvals).toBe(1);
    expect(messageOf(text('  highRisk: { paths: [infra/**] }\n'))).toBe(
      'p.yaml:5:3: changes.highRisk can never be met: 1 must approve, and only 0 of people: can approve',
    );
  });

  it('takes hosts by name, by domain, by address and at any port', () => {
    const network = ['api.github.com:443', '*.acme.example:443', '[2001:db8::1]:22', '10.0.0.1:*', 'localhost:8080'];
    const text = policy(`  agents: { sandbox: { network: ${JSON.stringify(network)} } }`);
    expect(changesOf(text)?.agents.sandbox?.network).toEqual(network);
  });

  it('ends, and throws nothing but its own error, for whatever text stands in it', () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('*', '**', 'a/b', '[', 'refs/heads/x', 'github:a'),
    );
    const field = fc.constantFrom(
      'repository',
      'baseRef',
      'models',
      'network',
      'paths',
      'by',
      'buildTypes',
      'accounts',
    );
    fc.assert(
      fc.property(field, word, (name, value) => {
        const text = JSON.stringify(value);
        const line = {
          repository: policy().replace('https://github.com/acme/shop\n  baseRef', `${text}\n  baseRef`),
          baseRef: policy().replace('refs/heads/main', () => text),
          models: policy(`  agents: { models: [${text}] }`),
          buildTypes: policy(`  agents: { buildTypes: [${text}] }`),
          network: policy(`  agents: { sandbox: { network: [${text}] } }`),
          paths: policy(`  highRisk: { paths: [${text}] }`),
          by: policy(`  highRisk: { by: [${text}] }`),
          accounts: policy().replace('github:alice', () => text),
        }[name];
        expect(messageOf(line ?? '')).toMatch(/^(?:p\.yaml:\d+:\d+: |is read$)/);
      }),
    );
  });
});

describe('accounts of people', () => {
  it.each<[string, string]>([
    ['alice', 'must be FORGE:LOGIN, like github:alice'],
    ['gitlab:alice', 'is of a forge whose reviews are not read: "gitlab"; github is'],
    ['GitHub:alice', 'is of a forge whose reviews are not read: "GitHub"; github is'],
    ['github:', 'holds no login of GitHub: ""; it has letters, digits and dashes'],
    ['github:a b', 'holds no login of GitHub: "a b"; it has letters, digits and dashes'],
    ['github:a:b', 'holds no login of GitHub: "a:b"; it has letters, digits and dashes'],
    ['github:dependabot[bot]', 'is the account of a program; a person has an account of their own'],
  ])('are refused when they are like %s', (account, message) => {
    const text = policy().replace('accounts: [github:alice]', `accounts: [${JSON.stringify(account)}]`);
    expect(messageOf(text)).toBe(`p.yaml:8:67: people.alice.accounts[0] ${message}`);
  });

  it('belong to one person, in upper and in lower case', () => {
    expect(messageOf(policy().replace('github:Bob-2', 'github:ALICE'))).toBe(
      'p.yaml:9:21: people.bob.accounts[0] is listed already, under people.alice; it can belong to one person only',
    );
  });
});
