import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signOfKey, signsOfBranch, signsOfNote, signsOfRecord } from '../../../src/change/signs/index.ts';

describe('keys of vendors', () => {
  it.each([
    ['SHA256:32dP45eSMmVSt/G/CGvcxl/P+MO3Nwj9xeTh/GSA2wc', 'claude-code'],
    ['SHA256:/ZGdxqU+YWGLYEplYKh2c36jVXjB1wQzjGRo7qwO46I', 'cursor'],
  ])('%s is of %s', (fingerprint, agent) => {
    expect(signOfKey(fingerprint)).toMatchObject({
      agent,
      kind: 'key',
      part: 'authored',
      text: fingerprint,
      place: { in: 'signature' },
    });
  });

  it.each([
    'SHA256:32dp45esmmvst/g/cgvcxl/p+mo3nwj9xeth/gsa2wc',
    'SHA256:32dP45eSMmVSt/G/CGvcxl/P+MO3Nwj9xeTh/GSA2w',
    '',
    'constructor',
  ])('%j is of nobody', (fingerprint) => {
    expect(signOfKey(fingerprint)).toBeUndefined();
  });
});

describe('branches', () => {
  it.each([
    ['claude/fix-login-011CU', 'claude-code'],
    ['refs/heads/claude/fix', 'claude-code'],
    ['refs/remotes/origin/claude/fix', 'claude-code'],
    ['refs/remotes/fork-of-jane/codex/fix', 'codex'],
    ['origin/claude/fix', 'claude-code'],
    ['jane:copilot/fix-1', 'copilot'],
    ['copilot/fix-1', 'copilot'],
    ['cursor/fix-1a2b', 'cursor'],
    ['devin/1743528869-fix', 'devin'],
    ['codex/fix', 'codex'],
    ['CODEX/fix', 'codex'],
    ['openhands/fix', 'openhands'],
    ['openhands-fix-issue-12', 'openhands'],
    ['aider/fix', 'aider'],
    ['alert-autofix-7', 'copilot-autofix'],
    ['gemini-fix', 'gemini-cli'],
    ['windsurf/fix', 'windsurf'],
    ['seer/fix', 'seer'],
    ['polecat/fix', 'unknown'],
    ['agent/fix', 'unknown'],
    ['improve-docs-8490806669227208146', 'jules'],
    ['jules/improve-8490806669227208146', 'jules'],
  ])('%s is of %s', (name, agent) => {
    expect(signsOfBranch(name)).toMatchObject([{ agent, kind: 'branch', text: name, place: { in: 'branch', name } }]);
  });

  it.each([
    'main',
    'claude',
    'claude/',
    'claudette/x',
    'feature/claude/x',
    'fix-claude-login',
    'refs/tags/claude/x',
    'refs/heads/feature/codex/x',
    'openhands-fix-issue-x',
    'openhands-fix-issue-',
    'release-20261122',
    'backup-20261122093000',
    'devin',
    'jules/fix',
    'agents/x',
    'dependabot/npm_and_yarn/x-1.2.3',
    '',
  ])('%j is of nobody', (name) => {
    expect(signsOfBranch(name)).toEqual([]);
  });
});

describe('notes and records', () => {
  it('a note of git-ai names its agents', () => {
    const recorded = [
      { tool: 'claude', model: 'claude-opus-4-6', session: '55103ecc' },
      { tool: 'pi', model: 'gpt-5.6-sol' },
    ];
    expect(signsOfNote('refs/notes/ai', recorded)).toMatchObject([
      {
        agent: 'claude-code',
        kind: 'note',
        text: 'claude claude-opus-4-6 55103ecc',
        place: { in: 'note', name: 'refs/notes/ai' },
      },
      { agent: 'unknown', name: 'pi', text: 'pi gpt-5.6-sol' },
    ]);
  });

  it.each([
    ['claude-code', 'claude-code'],
    ['Claude Code', 'claude-code'],
    ['cursor', 'cursor'],
    ['codex', 'codex'],
    ['github-copilot', 'copilot'],
    ['github-copilot-cli', 'copilot'],
    ['gemini', 'gemini-cli'],
    ['amp', 'amp'],
    ['opencode', 'opencode'],
    ['droid', 'factory-droid'],
    ['windsurf', 'windsurf'],
    ['Agent', 'unknown'],
    ['constructor', 'unknown'],
    ['', 'unknown'],
  ])('the tool %j is %s', (tool, agent) => {
    expect(signsOfRecord('.agent-trace/traces.jsonl', [{ tool }])).toMatchObject([
      { agent, kind: 'record', place: { in: 'record', name: '.agent-trace/traces.jsonl' } },
    ]);
  });

  it('a record that names no tool is of an unknown agent', () => {
    expect(signsOfRecord('x', [{ tool: 'unknown' }])).toMatchObject([{ agent: 'unknown', name: 'an unknown agent' }]);
  });

  it('lines of a human are no sign', () => {
    expect(signsOfNote('refs/notes/ai', [{ tool: 'human' }])).toEqual([]);
    expect(signsOfNote('refs/notes/ai', [])).toEqual([]);
  });

  it.each([
    'refs/agentdiff/meta',
    'refs/agentdiff/traces/feat%2Fx',
    'refs/notes/sessions',
    'refs/notes/gitvow/steps',
    'entire/checkpoints/v1',
    'refs/heads/entire/checkpoints/v1',
  ])('%s is there for agents only', (ref) => {
    expect(signsOfNote(ref, [])).toMatchObject([{ agent: 'unknown', kind: 'note' }]);
  });

  it.each(['refs/notes/ai', `refs/ai/authorship/${'0'.repeat(40)}`, 'refs/notes/commits', 'refs/agentdifference'])(
    '%s says nothing without an agent in it',
    (ref) => {
      expect(signsOfNote(ref, [])).toEqual([]);
    },
  );

  it('keeps 200 of many, and never throws', () => {
    const many = Array.from({ length: 1000 }, (_, at) => ({ tool: 'claude', session: String(at) }));
    expect(signsOfRecord('x', many)).toHaveLength(200);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, tool) => {
        signsOfBranch(name);
        signOfKey(name);
        expect(signsOfNote(name, [{ tool, model: name }]).every(({ text }) => text.length <= 500)).toBe(true);
      }),
    );
  });
});
