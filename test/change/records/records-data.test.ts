/** Records as they stand in public repositories. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import {
  entirePath,
  parseAgentTrace,
  parseEntireCheckpoint,
  parseGitAiNote,
} from '../../../src/change/records/index.ts';
import { describeData, readData } from '../../kit/data.ts';

describeData('the notes of git-ai', (dir) => {
  const files = readdirSync(path.join(dir, 'agents/notes/git-ai')).sort();
  const notes = files.map((file) => {
    const commit = /-([0-9a-f]{40})\.note$/.exec(file)![1]!;
    return [file, commit, parseGitAiNote(readData(`agents/notes/git-ai/${file}`), commit)] as const;
  });

  it.each(notes)('%s is read without a complaint', (_, commit, note) => {
    expect(note.complaints).toEqual([]);
    expect([note.commit, note.schema]).toEqual([commit, 'authorship/3.0.0']);
    for (const agent of note.agents) expect(['claude', 'codex', 'pi']).toContain(agent.tool);
    for (const { ranges } of note.lines) expect(ranges.length).toBeGreaterThan(0);
  });

  it('are 22, of which 2 are of people only', () => {
    expect(notes).toHaveLength(22);
    const people = notes.filter(([, , { agents }]) => agents.length === 0);
    expect(people.map(([file]) => file.slice(0, 30))).toEqual([
      'cloudflare+workers-oauth-provi',
      'codeprakhar25+agentdiff-a55fd2',
    ]);
    for (const [, , { lines }] of people) expect(lines).toEqual([]);
  });

  it('name session, model, lines and whose session it was', () => {
    const [, , note] = notes.find(([file]) => file.startsWith('git-ai-project+git-ai-6031de49'))!;
    expect(note.agents).toEqual([
      { tool: 'claude', model: 'claude-opus-4-6', session: 'ac381f5d-82d0-459b-b1f2-f85792a62a07' },
    ]);
    expect(note.humanAuthors).toEqual(['Sasha Varlamov <sasha@sashavarlamov.com>']);
    expect(note.lines.map(({ path: file, session, ranges }) => [file, session, ranges[0]])).toEqual([
      ['Taskfile.yml', 's_af2d349a5e032c', { start: 103, end: 103 }],
      ['Taskfile.yml', 's_af2d349a5e032c', { start: 152, end: 152 }],
      ['Taskfile.yml', 's_af2d349a5e032c', { start: 58, end: 58 }],
    ]);
  });
});

describeData('the traces of agentdiff', (dir) => {
  const files = readdirSync(path.join(dir, 'agents/agentdiff')).sort();
  const records = files.flatMap((file) => parseAgentTrace(readData(`agents/agentdiff/${file}`)));

  it('are 55, all about a commit and without a complaint', () => {
    expect(records).toHaveLength(55);
    expect(records.flatMap(({ complaints }) => complaints)).toEqual([]);
    expect(records.filter(({ commit }) => commit === undefined)).toEqual([]);
  });

  it('name an agent, but where only a human wrote', () => {
    const tools = records.map(({ agents }) => [...new Set(agents.map(({ tool }) => tool))].join());
    const counts = [...Map.groupBy(tools, (tool) => tool)].map(([tool, list]) => [tool, list.length] as const);
    // Ten were written in a person's name, by an agent that is not named.
    expect(new Map(counts)).toEqual(
      new Map([
        ['', 19],
        ['claude-code', 18],
        ['Prakhar Khatri', 10],
        ['cursor', 8],
      ]),
    );
    expect(new Set(records.flatMap(({ models }) => models))).toEqual(
      new Set(['claude-sonnet-4-6', 'composer-2', 'default', 'gpt-5.5', 'gpt-5.5-extra-high']),
    );
    expect(records[0]?.agents).toEqual([{ tool: 'claude-code', session: '9b229a5f-2c47-41a1-8de8-615670a423a1' }]);
  });
});

describeData('the checkpoints of Entire', () => {
  const read = (name: string) => parseEntireCheckpoint(readData(`agents/entire/${name}`));

  it('name their session, and an agent that Entire does not know', () => {
    const { agents, checkpoint, complaints } = read('00_c9e2351016_0_metadata.json');
    expect(agents).toEqual([{ tool: 'unknown', session: '253fd5ef-38bf-4f4a-804a-98df5088a868' }]);
    expect([checkpoint, complaints]).toEqual(['00c9e2351016', []]);
    expect(entirePath(checkpoint!)).toBe('00/c9e2351016/metadata.json');
    expect(read('00_c9e2351016_3_metadata.json').agents[0]?.session).toBe('1ecba475-5b18-4058-a0cb-e87703f6f792');
    expect(read('01_3118c3a750_0_metadata.json').agents[0]?.session).toMatch(/^2026-01-05-4555072a/);
  });

  it('may be about several sessions, which they only point at', () => {
    const { agents, files, complaints } = read('01_3118c3a750_metadata.json');
    expect([agents, files.length, complaints]).toEqual([[{ tool: 'unknown' }], 7, []]);
  });
});
