import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readChangeStatement, runtimesOf, sandboxesOf } from '../../../src/change/statements/index.ts';
import type { AgentChange } from '../../../src/change/types.ts';
import { inTotoPayload } from '../../../src/sigstore/dsse.ts';
import { VerifyError } from '../../../src/sigstore/failure.ts';
import { describeData, readData } from '../../kit/data.ts';
import { patched, readVectors } from './vectors.ts';

const { example, vectors, textOf } = readVectors('agent-change');

const read = (text: string): AgentChange => {
  const statement = readChangeStatement(Buffer.from(text), inTotoPayload);
  if (statement.kind !== 'agent-change') throw new Error(`it is ${statement.kind}`);
  return statement;
};

const failureOf = (text: string): VerifyError => {
  try {
    readChangeStatement(Buffer.from(text), inTotoPayload);
  } catch (error) {
    if (error instanceof VerifyError) return error;
    throw error;
  }
  throw new Error('it was read');
};

describe("provenance of an agent's change", () => {
  it.each(vectors.filter((each) => each.expect === 'accepted'))('accepts $name', (vector) => {
    expect(read(textOf(vector)).kind).toBe('agent-change');
  });

  it.each(vectors.filter((each) => each.expect === 'refused'))('refuses $name', (vector) => {
    const failure = failureOf(textOf(vector));
    expect(failure.code).toBe(vector.code);
    expect(failure.message).toContain(vector.message);
  });

  it('says who made what from where', () => {
    const { byproducts, subagents, sandbox, ...rest } = read(example);
    expect(rest).toEqual({
      kind: 'agent-change',
      buildType: 'https://refs.arewm.com/agent-commit/v0.3',
      subject: {
        kind: 'commit',
        commit: '9300370e0723f7e13a22a2dccdc343dadd39e4e9',
        tree: '982a89a236a51b35b84070a97ac5c5d488e1b601',
      },
      repository: 'https://github.com/acme/shop',
      subjectRepository: 'https://github.com/acme/shop',
      baseRef: 'refs/heads/main',
      baseCommit: '134593d9158efd253e979e2e8d87b939945d091e',
      sourceCommit: '134593d9158efd253e979e2e8d87b939945d091e',
      changeDigest: 'e100d6378bb923b996ea822190ad3f1d2f96f4d6f7d1f6efabd7f06741f633f5',
      builderId: 'https://agents.acme.example/platform/v1',
      models: ['anthropic/claude-opus-4-6', 'anthropic/claude-sonnet-4-6'],
      runtime: { name: 'claude-code', version: '1.2.0' },
      tools: [{ name: 'mcp-github', digest: `sha256:${'2'.repeat(64)}` }, { name: 'mcp-filesystem' }],
      invocationId: 'run-1',
      startedOn: '2026-01-01T00:00:00Z',
      finishedOn: '2026-01-01T00:10:00Z',
    });
    expect(byproducts.map(({ name }) => name)).toEqual(['change.diff', 'observed-network', 'policy-decision']);
    expect(byproducts[2]?.sha256).toBe('2'.repeat(64));
    expect(sandbox).toEqual({
      networkMode: 'allowlist',
      allowedEgress: ['api.github.com:443', 'api.anthropic.com:443'],
      credentials: 'proxy-injected',
      filesystem: 'ephemeral-clone',
      observed: ['api.github.com:443'],
    });
    expect(subagents?.map(({ invocationId, model }) => [invocationId, model])).toEqual([
      ['sub-1', 'anthropic/claude-sonnet-4-6'],
    ]);
  });

  it('counts the runtime and the sandbox of a subagent as well', () => {
    const agents = '/predicate/buildDefinition/internalParameters/subagents/0';
    const change = read(
      patched(example, [
        { op: 'replace', path: `${agents}/agent/runtime`, value: { name: 'rogue' } },
        { op: 'remove', path: `${agents}/sandboxPolicy` },
      ]),
    );
    expect(runtimesOf(change)).toEqual([{ name: 'claude-code', version: '1.2.0' }, { name: 'rogue' }]);
    expect(sandboxesOf(change).map((each) => each?.networkMode)).toEqual(['allowlist', undefined]);
    expect(sandboxesOf(change)[1]).toBeUndefined();
  });

  it('gives connections that belong to nobody to the agent, and leaves incoming ones out', () => {
    const connections = [{ remote: 'evil.example:443' }, { remote: 'peer.example:80', direction: 'ingress' }];
    const content = Buffer.from(JSON.stringify({ observations: [{ connections }] })).toString('base64');
    const change = read(
      patched(example, [
        {
          op: 'add',
          path: '/predicate/runDetails/byproducts/3',
          value: { name: 'observed-network', content },
        },
      ]),
    );
    expect(change.sandbox?.observed).toEqual(['api.github.com:443', 'evil.example:443']);
    expect(change.subagents?.[0]?.sandbox?.observed).toEqual(['api.anthropic.com:443']);
  });

  it('does not put the provider before an id that has it', () => {
    const path = '/predicate/buildDefinition/internalParameters/agent/model/modelId';
    const change = read(patched(example, [{ op: 'replace', path, value: 'anthropic/claude-x' }]));
    expect(change.models[0]).toBe('anthropic/claude-x');
  });

  it('keeps a base that its source contradicts, for whoever judges it', () => {
    const path = '/predicate/buildDefinition/resolvedDependencies/0/digest/gitCommit';
    const change = read(patched(example, [{ op: 'replace', path, value: 'b'.repeat(40) }]));
    expect(change.sourceCommit).not.toBe(change.baseCommit);
  });

  it('takes the head of a change that is named by its digest from the target', () => {
    const found = vectors.find(({ name }) => name.includes('the head that it ends at'))!;
    expect(read(textOf(found)).subject).toEqual({
      kind: 'change',
      changeDigest: 'e100d6378bb923b996ea822190ad3f1d2f96f4d6f7d1f6efabd7f06741f633f5',
      commit: '9300370e0723f7e13a22a2dccdc343dadd39e4e9',
    });
  });

  it('accepts another build type where the policy names it, and then no other', () => {
    const path = '/predicate/buildDefinition/buildType';
    const other = patched(example, [{ op: 'replace', path, value: 'https://agents.example/commit/v1' }]);
    const types = ['https://agents.example/commit/v1'];
    expect(readChangeStatement(Buffer.from(other), inTotoPayload, types).kind).toBe('agent-change');
    expect(() => readChangeStatement(Buffer.from(example), inTotoPayload, types)).toThrow(VerifyError);
  });

  it('of any damaged document is read or refused by a VerifyError', () => {
    fc.assert(
      fc.property(fc.nat(example.length), fc.nat(8), fc.string({ maxLength: 8 }), (at, cut, insert) => {
        const damaged = example.slice(0, at) + insert + example.slice(at + cut);
        try {
          read(damaged);
        } catch (error) {
          if (!(error instanceof VerifyError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('with any value in any place is read or refused by a VerifyError', () => {
    const places = placesIn(JSON.parse(example) as unknown);
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.jsonValue({ maxDepth: 3 }), (path, value) => {
        try {
          read(patched(example, [{ op: 'replace', path, value }]));
        } catch (error) {
          if (!(error instanceof VerifyError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function placesIn(value: unknown, at = ''): readonly string[] {
  if (typeof value !== 'object' || value === null) return [at];
  const inner = Object.entries(value).flatMap(([name, each]) => placesIn(each, `${at}/${name}`));
  return at === '' ? inner : [at, ...inner];
}

describeData('the example over a real pull request', () => {
  it('is read', () => {
    const bytes = readData('agents/predicate-example/1-agent-change.statement.json');
    const change = readChangeStatement(bytes, inTotoPayload) as AgentChange;
    expect(change).toMatchObject({
      repository: 'https://github.com/slsa-framework/source-tool',
      subjectRepository: 'https://github.com/slsa-framework/source-tool',
      baseCommit: '134593d9158efd253e979e2e8d87b939945d091e',
      sourceCommit: '134593d9158efd253e979e2e8d87b939945d091e',
      subject: { kind: 'commit', tree: '982a89a236a51b35b84070a97ac5c5d488e1b601' },
      sandbox: { networkMode: 'allowlist', allowedEgress: ['api.github.com:443'] },
    });
  });
});
