import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAgentFile, parseSandboxFile } from '../../src/change/agent-file.ts';
import { readChangeStatement } from '../../src/change/statements/index.ts';
import { formatAgentChange } from '../../src/change/write-agent-change.ts';
import { VerifyError } from '../../src/sigstore/failure.ts';

const [commit, tree, base] = ['ab'.repeat(20), 'cd'.repeat(20), 'ef'.repeat(20)];
const sha256 = '12'.repeat(32);
const parse = (value: unknown) => parseAgentFile(Buffer.from(JSON.stringify(value)), 'agent.json');

function statementOf(value: unknown) {
  const { model, runtime, tools, task, builder, run, ...file } = parse(value);
  const payload = formatAgentChange({
    ...file,
    buildType: 'https://refs.arewm.com/agent-commit/v0.3',
    head: { commit, tree, ref: 'refs/heads/claude/ünï@x' },
    repository: 'https://github.com/acme/shop',
    baseRef: 'refs/heads/main',
    baseCommit: base,
    changeDigest: sha256,
    ...(task !== undefined && { task }),
    agent: { model: model ?? { provider: 'p', modelId: 'm' }, runtime: runtime ?? { name: 'r' }, tools },
    builder: builder ?? { id: 'https://x.example/' },
    run,
  });
  return readChangeStatement(payload, 'application/vnd.in-toto+json');
}

const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string(),
    fc.constantFrom('allowlist', sha256, '2026-01-01T00:00:00Z', 'observed-network', null, 1, true, {}),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(
    fc.constantFrom(
      ...['agent', 'model', 'provider', 'modelId', 'runtime', 'name', 'version', 'digest', 'tools', 'capabilities'],
      ...['sandboxPolicy', 'network', 'mode', 'allowedEgress', 'filesystem', 'credentials', 'subagents', 'role'],
      ...['task', 'uri', 'content', 'builder', 'id', 'metadata', 'invocationId', 'startedOn', 'finishedOn', 'sha256'],
      ...['resolvedDependencies', 'byproducts', 'mediaType', 'annotations', 'observations', '__proto__', 'start'],
    ),
    tie('value'),
    { maxKeys: 6 },
  ),
}));

describe('the file of a platform', () => {
  it('may say nothing at all', () => {
    expect(parse({})).toEqual({ tools: [], subagents: [], run: {}, dependencies: [], byproducts: [] });
  });

  it('becomes a statement that says the same, members with odd names included', () => {
    const statement = statementOf({
      agent: {
        model: { provider: 'anthropic', modelId: 'claude', digest: {} },
        runtime: { name: 'claude-code', version: '2', digest: { sha256 } },
        tools: [{ name: 'mcp', uri: 'oci://x', digest: { sha256 }, capabilities: ['read'] }, 'bash'],
      },
      builder: { id: 'https://x.example/', version: { constructor: '1', platform: '2' } },
      byproducts: [
        {
          name: 'observed-network',
          annotations: { observations: [{ connections: [{ remote: 'a.example:443', direction: 'egress' }] }] },
        },
        { name: 'policy-decision', digest: { sha256 }, annotations: { predicateType: 'https://slsa.dev/x' } },
      ],
      sandboxPolicy: { network: { mode: 'allowlist', allowedEgress: ['a.example:443'] } },
    });
    expect(statement).toMatchObject({
      models: ['anthropic/claude'],
      runtime: { name: 'claude-code', version: '2' },
      tools: [{ name: 'mcp', digest: `sha256:${sha256}` }, { name: 'bash' }],
      sandbox: { networkMode: 'allowlist', allowedEgress: ['a.example:443'], observed: ['a.example:443'] },
      subjectRepository: 'https://github.com/acme/shop',
    });
  });

  it('whatever it holds, is refused by name or becomes a statement that can be read', () => {
    fc.assert(
      fc.property(values.object, (value) => {
        try {
          expect(statementOf(value)).toMatchObject({ kind: 'agent-change', baseCommit: base });
        } catch (error) {
          if (!(error instanceof VerifyError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('as any bytes ends in a result or a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const each of [parseAgentFile, parseSandboxFile]) {
          try {
            each(Buffer.from(bytes), 'x');
          } catch (error) {
            if (!(error instanceof VerifyError)) throw error;
          }
        }
      }),
    );
  });
});

describe('a repository whose address has an @ in its path', () => {
  it('is stated where it is compared whole, and not in the address of the subject', () => {
    const payload = formatAgentChange({
      buildType: 'https://refs.arewm.com/agent-commit/v0.2',
      head: { commit, tree },
      repository: 'https://git.example/@acme/shop',
      baseRef: 'refs/heads/main',
      baseCommit: base,
      changeDigest: sha256,
      agent: { model: { provider: 'p', modelId: 'm' }, runtime: { name: 'r' }, tools: [] },
      subagents: [],
      dependencies: [],
      builder: { id: 'https://x.example/' },
      run: {},
      byproducts: [],
    });
    const statement = readChangeStatement(payload, 'application/vnd.in-toto+json');
    expect(statement).toMatchObject({ repository: 'https://git.example/@acme/shop', subject: { commit } });
    expect(statement).not.toHaveProperty('subjectRepository');
  });
});
