/** Records that tools keep in refs and files: they say which agent it was, and make a commit an agent's. */
import { describe, expect, it } from 'vitest';
import { aShop } from '../kit/change.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const checkpoint = JSON.stringify({ checkpoint_id: '0123456789ab', session_id: 's', agent: 'Claude Code' });
const gitAi = (tool: string) =>
  `src/a.ts\n  s1::t1 1-2\n---\n${JSON.stringify({ schema_version: 'authorship/3.0.0', sessions: { s1: { agent_id: { tool, id: '1', model: 'm' } } } })}\n`;

describe('records in refs and files', () => {
  it('the checkpoint that a trailer of Entire names says which agent it was', async () => {
    const shop = aShop(temporaryDirectory());
    const id = shop.unsignedCommit({ message: 'work\n\nEntire-Checkpoint: 0123456789ab\n' });
    shop.repo.commit({
      branch: 'entire/checkpoints/v1',
      parents: [],
      only: true,
      files: { '01/23456789ab/metadata.json': checkpoint },
    });
    const { report } = await shop.judge('main..feature');
    const signs = report.commits.find((each) => each.id === id)!.signs.map(({ agent, place }) => `${agent} ${place}`);
    expect(signs).toContain('claude-code note:refs/heads/entire/checkpoints/v1');
  });

  it('a note of git-ai makes a commit an agent’s, and a note on another commit does not', async () => {
    const shop = aShop(temporaryDirectory());
    const id = shop.unsignedCommit({});
    const other = shop.unsignedCommit({});
    const notes = shop.repo.commit({ branch: null, parents: [], only: true, files: { [id]: gitAi('claude') } });
    shop.repo.ref('refs/notes/ai', notes);
    const { report } = await shop.judge('main..feature');
    const classes = new Map(report.commits.map((each) => [each.id, each.class]));
    expect([classes.get(id), classes.get(other)]).toEqual(['agent', 'unknown']);
  });

  it('a trace file that a commit writes makes it an agent’s', async () => {
    const shop = aShop(temporaryDirectory());
    const record = {
      version: '0.1.0',
      id: '1',
      timestamp: '2026-01-01T00:00:00Z',
      tool: { name: 'cursor', version: '1' },
      files: [
        {
          path: 'src/a.ts',
          conversations: [
            { contributor: { type: 'ai', model_id: 'anthropic/claude' }, ranges: [{ start_line: 1, end_line: 2 }] },
          ],
        },
      ],
    };
    const id = shop.unsignedCommit({ files: { '.agent-trace/traces.jsonl': `${JSON.stringify(record)}\n` } });
    const { report } = await shop.judge('main..feature');
    expect(report.commits.find((each) => each.id === id)).toMatchObject({
      class: 'agent',
      signs: [{ agent: 'cursor', kind: 'record', place: 'record:.agent-trace/traces.jsonl' }],
    });
  });
});
