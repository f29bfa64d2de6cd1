import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  entirePath,
  parseAgentTrace,
  parseEntireCheckpoint,
  parseGitAiNote,
  parseGitvowNote,
} from '../../../src/change/records/index.ts';

const commit = 'a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0';
const unknown = [{ tool: 'unknown' }];

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

describe('a note of git-ai', () => {
  const session = { agent_id: { tool: 'claude', id: 'u-1', model: 'opus' }, human_author: 'A <a@acme.example>' };
  const log = { schema_version: 'authorship/3.0.0', git_ai_version: '1.6.10', base_commit_sha: commit };
  const note = (map: string, more: object) => Buffer.from(`${map}---\n${JSON.stringify({ ...log, ...more })}`);

  it('lists sessions and the lines of each', () => {
    const map = 'src/a.ts\n  s_1::t_9 1,3-5\n"with space.ts"\n  s_1 7\n';
    const got = parseGitAiNote(note(map, { prompts: {}, sessions: { s_1: session } }), commit);
    expect(got).toEqual({
      kind: 'git-ai-note',
      agents: [{ tool: 'claude', model: 'opus', session: 'u-1' }],
      complaints: [],
      commit,
      schema: 'authorship/3.0.0',
      version: '1.6.10',
      humanAuthors: ['A <a@acme.example>'],
      lines: [
        {
          path: 'src/a.ts',
          session: 's_1',
          ranges: [
            { start: 1, end: 1 },
            { start: 3, end: 5 },
          ],
        },
        { path: 'with space.ts', session: 's_1', ranges: [{ start: 7, end: 7 }] },
      ],
    });
  });

  it('of the second schema is JSON alone', () => {
    const got = parseGitAiNote(
      json({
        files: {
          'a.ts': [
            [[4, [10, 12]], 'h1', 'u-1', 0],
            [[1], 'h1'],
          ],
        },
        authors: { h1: { username: 'A', email: 'a@acme.example' } },
        prompts: { 'u-1': { ...session, messages: [] } },
        schema_version: 'authorship/2.0.0',
        base_commit_sha: commit,
      }),
    );
    expect([got.complaints, got.agents.length, got.lines.length]).toEqual([[], 1, 2]);
    expect(got.lines[0]?.ranges[1]).toEqual({ start: 10, end: 12 });
  });

  it('of people only names no agent', () => {
    const map = 'src/a.ts\n  h_12 1\n';
    const got = parseGitAiNote(note(map, { prompts: {}, humans: { h_12: { author: 'A' } } }));
    expect([got.agents, got.complaints]).toEqual([[], []]);
  });

  it.each<readonly [string, Buffer, RegExp]>([
    ['of a session that it does not list', note('a\n  s_2 1\n', { sessions: { s_1: session } }), /lines of "s_2"/],
    ['of a person that it does not list', note('a\n  h_2 1\n', {}), /lines of "h_2"/],
    ['that it cannot read', note('a\n  s_1 one\n', { sessions: { s_1: session } }), /not understood: " {2}s_1 one"/],
    ['before any path', note('  s_1 1\n', { sessions: { s_1: session } }), /not understood/],
  ])('with lines %s has an unknown agent', (_, bytes, message) => {
    const got = parseGitAiNote(bytes);
    expect(got.agents).toContainEqual({ tool: 'unknown' });
    expect(got.complaints[0]).toMatch(message);
  });

  it.each<readonly [string, Buffer, RegExp]>([
    [
      'an unknown schema',
      Buffer.from(`---\n${JSON.stringify({ ...log, schema_version: 'authorship/9' })}`),
      /authorship\/9/,
    ],
    ['no schema', Buffer.from('---\n{}'), /schema "none"/],
    ['another commit', note('', { base_commit_sha: 'b'.repeat(40) }), /about another commit: b{40}/],
    ['no commit id', note('', { base_commit_sha: 'HEAD' }), /no commit id: "HEAD"/],
    ['a range that is none', note('a\n  s_1 5-3\n', { sessions: { s_1: session } }), /range .* none: "5-3"/],
    ['a session without a tool', note('', { sessions: { s_1: {} } }), /"s_1" without a tool/],
    [
      'a tool that is no string',
      note('', { sessions: { s_1: { agent_id: { tool: 5 } } } }),
      /tool that is not a string/,
    ],
  ])('with %s is read with a complaint', (_, bytes, message) => {
    expect(parseGitAiNote(bytes, commit).complaints[0]).toMatch(message);
  });

  it.each<readonly [string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['no JSON', Buffer.from('a\n  s_1 1\n---\n{')],
    ['a member twice', Buffer.from('---\n{"prompts":{},"prompts":{}}')],
    ['a list', Buffer.from('---\n[]')],
    ['bytes that are no text', Buffer.of(0xff, 0xfe)],
    ['a session that is no object', note('', { sessions: { s_1: 1 } })],
  ])('with %s has an unknown agent', (_, bytes) => {
    const got = parseGitAiNote(bytes);
    expect(got.agents).toContainEqual({ tool: 'unknown' });
    expect(got.complaints).not.toEqual([]);
  });

  it('keeps names from outside apart from what objects inherit', () => {
    const got = parseGitAiNote(Buffer.from('---\n{"sessions":{"__proto__":{"agent_id":{"tool":"constructor"}}}}'));
    expect(got.agents).toEqual([{ tool: 'constructor', session: '__proto__' }]);
  });

  it('stops to complain at some point', () => {
    const sessions = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`s_${at}`, {}]));
    const { complaints } = parseGitAiNote(note('', { sessions }));
    expect(complaints).toHaveLength(51);
    expect(complaints.at(-1)).toBe('the git-ai note has 150 faults more');
  });
});

describe('a record of Agent Trace', () => {
  const range = { start_line: 1, end_line: 5 };
  const conversation = {
    url: 'https://x.example/1',
    contributor: { type: 'ai', model_id: 'anthropic/opus' },
    ranges: [range],
  };
  const record = {
    version: '0.1.0',
    id: '550e8400-e29b-41d4-a716-446655440000',
    timestamp: '2026-01-23T14:30:00Z',
    vcs: { type: 'git', revision: commit },
    tool: { name: 'cursor', version: '2.4.0' },
    files: [{ path: 'src/a.ts', conversations: [conversation] }],
  };
  const read = (change: object) => parseAgentTrace(json({ ...record, ...change }))[0]!;
  const by = (contributor: object | undefined, ranges: object[] = [range]) =>
    read({ files: [{ path: 'a', conversations: [{ ...(contributor && { contributor }), ranges }] }] });

  it('names tool, model, session, commit and files', () => {
    expect(read({})).toEqual({
      kind: 'agent-trace',
      number: 1,
      models: ['anthropic/opus'],
      files: [{ path: 'src/a.ts', ranges: [{ start: 1, end: 5 }] }],
      agents: [{ tool: 'cursor', model: 'anthropic/opus', session: 'https://x.example/1' }],
      complaints: [],
      commit,
    });
    const session = { metadata: { conversation_id: 'c-1' } };
    expect(read(session).agents[0]?.session).toBe('c-1');
  });

  it('has no agent only where every contributor is human', () => {
    expect([by({ type: 'human' }).agents, by({ type: 'human' }).files[0]?.ranges]).toEqual([[], []]);
    for (const type of ['ai', 'mixed', 'unknown', 'robot', 'Human'])
      expect(by({ type }).agents).toEqual([{ tool: 'cursor' }]);
    expect(by(undefined).agents).toEqual([{ tool: 'cursor' }]);
    expect(by({ type: 'human' }, [{ ...range, contributor: { type: 'ai' } }]).agents).toEqual([{ tool: 'cursor' }]);
    const mixed = by({ type: 'ai' }, [
      { ...range, contributor: { type: 'human' } },
      { start_line: 7, end_line: 7 },
    ]);
    expect(mixed.files[0]?.ranges).toEqual([{ start: 7, end: 7 }]);
  });

  it.each<readonly [string, object, RegExp]>([
    ['no version', { version: undefined }, /has no version/],
    ['no commit', { vcs: undefined }, /names no commit/],
    ['a revision of another system', { vcs: { type: 'jj', revision: 'kkmp' } }, /"jj", not of git/],
    ['a short revision', { vcs: { type: 'git', revision: 'a1b2c3d' } }, /no commit id: "a1b2c3d"/],
    ['a path from the root', { files: [{ path: '/home/a/b', conversations: [conversation] }] }, /not relative/],
    ['a path of Windows', { files: [{ path: 'C:\\a', conversations: [conversation] }] }, /not relative/],
    ['backslashes', { files: [{ path: 'src\\a', conversations: [conversation] }] }, /backslashes/],
    ['a path that leaves', { files: [{ path: 'a/../../b', conversations: [conversation] }] }, /leaves the repository/],
    ['no files', { files: [] }, /no files/],
    ['files that are no list', { files: {} }, /not a list/],
    [
      'a range that is none',
      { files: [{ path: 'a', conversations: [{ contributor: { type: 'ai' }, ranges: [{}] }] }] },
      /is none/,
    ],
  ])('with %s is read with a complaint', (_, change, message) => {
    const { agents, complaints } = read(change);
    expect(complaints[0]).toMatch(message);
    expect(agents.length).toBeGreaterThan(0);
  });

  it('may be a flat line, which names neither commit nor agent', () => {
    const flat = {
      schema: 'agent-trace/v0.1.0',
      session_id: '8f5a',
      file_path: '/Users/a/src/build.ts',
      start_line: 2,
      end_line: 2,
      tool: 'Edit',
    };
    const [got] = parseAgentTrace(json(flat));
    expect(got?.agents).toEqual([{ tool: 'unknown', session: '8f5a' }]);
    expect(got?.commit).toBeUndefined();
    expect(got?.complaints).toEqual([
      'line 1 is a flat line and no record of Agent Trace 0.1: it names no commit and no agent',
      'line 1 has a path that is not relative: "/Users/a/src/build.ts"',
    ]);
  });

  it('is told by its line, and a broken one does not hide the others', () => {
    const got = parseAgentTrace(Buffer.from(`${JSON.stringify(record)}\r\n\nnonsense\n${JSON.stringify(record)}\n`));
    expect(got.map(({ number, agents }) => [number, agents[0]?.tool])).toEqual([
      [1, 'cursor'],
      [3, 'unknown'],
      [4, 'cursor'],
    ]);
    expect(got[1]?.complaints[0]).toMatch(/^line 3 cannot be read: /);
  });

  it('may be a document of its own, or several in a list', () => {
    expect(parseAgentTrace(Buffer.from(JSON.stringify(record, null, 2)))[0]?.commit).toBe(commit);
    expect(parseAgentTrace(json([record, record, 1])).map(({ agents }) => agents[0]?.tool)).toEqual([
      'cursor',
      'cursor',
      'unknown',
    ]);
    expect(parseAgentTrace(Buffer.from(' \n'))).toEqual([]);
    expect(parseAgentTrace(Buffer.of(0xff)).map(({ agents }) => agents)).toEqual([unknown]);
  });
});

describe('a checkpoint of Entire', () => {
  it('names agent, model and session', () => {
    const got = parseEntireCheckpoint(
      json({
        checkpoint_id: '00c9e2351016',
        session_id: 's-1',
        agent: 'Claude Code',
        agents: ['Codex'],
        model: 'opus',
      }),
    );
    expect(got.agents).toEqual([
      { tool: 'Claude Code', model: 'opus', session: 's-1' },
      { tool: 'Codex', model: 'opus', session: 's-1' },
    ]);
    expect(got.complaints).toEqual([]);
  });

  it('that breaks its format is told', () => {
    expect(parseEntireCheckpoint(json({ checkpoint_id: '../../x' }))).toMatchObject({
      agents: unknown,
      complaints: [
        'the Entire checkpoint has a checkpoint_id that is none: "../../x"',
        'the Entire checkpoint names no session',
      ],
    });
    expect(parseEntireCheckpoint(json([])).agents).toEqual(unknown);
  });

  it('lies where its id says, and nowhere else', () => {
    expect(entirePath('013118c3a750')).toBe('01/3118c3a750/metadata.json');
    for (const id of ['013118c3a75', '013118C3A750', '../../../../', '']) expect(entirePath(id)).toBeUndefined();
  });
});

describe('a session note of gitvow', () => {
  const note = (id: string, models: object) =>
    `gitvow-session\n${JSON.stringify({ schema: 9, session_id: id, usage: { models }, files_written_by_agent_this_session: ['a.ts'] }, null, 1)}\n`;

  it('names session and models, and not the turns that no model made', () => {
    expect(parseGitvowNote(Buffer.from(note('s-1', { 'claude-opus-5': 3, '<synthetic>': 1 })))).toEqual({
      kind: 'gitvow-note',
      files: ['a.ts'],
      agents: [{ tool: 'unknown', model: 'claude-opus-5', session: 's-1' }],
      complaints: [],
    });
  });

  it('may be several after a squash', () => {
    const got = parseGitvowNote(Buffer.from(`${note('s-1', {})}\n${note('s-2', {})}`));
    expect(got.agents.map(({ session }) => session)).toEqual(['s-1', 's-2']);
    expect(got.complaints).toEqual([]);
  });

  it.each(['8f3d5c71-574a', '[{"sessionId":"x"}]', 'gitvow-session', 'gitvow-session\n[]', ''])(
    'that is something else (%j) is still a note of a session',
    (text) => {
      const { agents, complaints } = parseGitvowNote(Buffer.from(text));
      expect(agents).toEqual(unknown);
      expect(complaints).not.toEqual([]);
    },
  );
});

describe('any bytes', () => {
  const readers = [parseGitAiNote, parseAgentTrace, parseEntireCheckpoint, parseGitvowNote];
  const members = fc.constantFrom(
    'prompts',
    'sessions',
    'files',
    'agent_id',
    'tool',
    'schema_version',
    'vcs',
    'data',
    'agent',
    'metadata',
    'usage',
    'conversations',
    'contributor',
    'ranges',
    'path',
    'session',
    'file_path',
    'agents',
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, true, 0, 1.5, '', 'x', '__proto__', commit),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(members, tie('any'), { maxKeys: 5 }),
    ),
  })).any;

  it('are read without throwing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
          value.map((each) => json(each)),
          value.map((each) => Buffer.from(`a b\n  s 1,2-\n---\n${JSON.stringify(each)}`)),
          value.map((each) => Buffer.from(`gitvow-session\n${JSON.stringify(each)}`)),
        ),
        (bytes) => {
          for (const read of readers) expect(read(bytes)).toBeDefined();
        },
      ),
      { numRuns: 500 },
    );
  });
});
