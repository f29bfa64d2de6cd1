import { describe, expect, it } from 'vitest';
import { writeChangeSummary } from '../../src/report/change-summary.ts';
import {
  aCommit,
  aFinding,
  agentCommit,
  aHostileReport,
  anUndecided,
  aReport,
  aStatement,
  hostile,
  id,
} from './change-sample.ts';

/** What is left when everything that came from outside is taken out. */
function frame(markdown: string): string {
  return markdown.replace(/<code>[^<]*(?:<wbr>[^<]*)*<\/code>/g, 'T');
}

describe('the summary of a job', () => {
  it('has the answer, the findings with what to do, and a row for each commit', () => {
    const text = writeChangeSummary(aReport());
    expect(text).toMatch(/^## tidewaiter: denied\n\n<code>origin&#47;main&#46;&#46;HEAD<\/code>: <code>1 commit made/);
    expect(text).toContain('\n### Findings (4)\n\n- **denied** `provenance-missing`: <code>1 commit made by agents');
    expect(text).toContain(
      '  - **do** <code>then judge it again, any other evidence as before&#58; tidewaiter change origin&#47;main',
    );
    expect(text).toContain(
      '\n| `c20000000000` <code>add the search</code> | <code>agent Claude Code</code> | <code>message&#58;3, Co-Authored-By&#58; Claude &#60;noreply&#64;<wbr>anthropic&#46;com&#62;</code> | <code>missing&#58; provenance-missing</code> |\n',
    );
    expect(text).toContain('### High risk: 1 approval needed, 0 there');
    expect(text).toContain('\n- authors: <code>alice&#58; whoever made the change cannot approve it</code>\n');
    expect(text).not.toContain('as of');
    expect(writeChangeSummary(aReport({ replayedTime: true }))).toMatch(/^[^\n]*\n\n.*as of 2026-01-02.*by --now/);
    expect(text).toContain('### Evidence that was refused (1)');
    expect(text).toContain('### Remarks (1)');
  });

  it('has what counts, and says of a repository that cannot be judged why', () => {
    const counted = writeChangeSummary(aReport({ evidence: { counted: [aStatement], refused: [] } }));
    expect(counted).toContain(
      '### Evidence that counts (1)\n\n- <code>change&#46;sigstore&#46;json</code>: <code>by agent-platform',
    );
    expect(writeChangeSummary(anUndecided())).toContain(
      '**do** <code>fetch its history&#58; git fetch --unshallow</code>',
    );
  });

  it('lets no text out of its place: no markup, link, mention, row or command', () => {
    const rows = frame(writeChangeSummary(aHostileReport('plain'))).split('\n');
    for (const text of hostile) {
      const markdown = writeChangeSummary(aHostileReport(text));
      // What is empty is left out.
      if (text.trim() !== '') expect(frame(markdown).split('\n')).toEqual(rows);
      for (const [, inside] of markdown.matchAll(/<code>(.*?)<\/code>/gs)) {
        const left = inside!.replace(/&#\d+;(?:<wbr>)?/g, '');
        expect(left).toMatch(/^[\p{L}\p{N} ,;=+-]*$/u);
      }
      expect(markdown).not.toMatch(/^\s*::|##\[|##vso|https?:\/\/|www\.|@[a-z]/m);
      expect(frame(markdown)).not.toMatch(/<|\]\(/);
    }
  });

  it('shows of a long range what lacks something first, and counts the rest', () => {
    const commits = Array.from({ length: 500 }, (_, at) =>
      at % 50 === 49 ? { ...agentCommit, id: id(`f${at}f`) } : aCommit({ id: id(`e${at}e`) }),
    );
    const rows = writeChangeSummary(aReport({ commits })).match(/^\| `.*$/gm)!;
    expect(rows).toHaveLength(200);
    expect(rows.slice(0, 10).every((row) => row.startsWith('| `f'))).toBe(true);
    expect(writeChangeSummary(aReport({ commits }))).toContain('\n300 more commits left out here.\n');
  });

  it('has at most 1 MiB, cut between whole lines, and says so', () => {
    const loud = '::'.repeat(5000);
    const report = aReport({
      commits: Array.from({ length: 200 }, (_, at) => ({ ...agentCommit, id: id(`f${at}f`), subject: loud })),
      findings: Array.from({ length: 300 }, (_, at) =>
        aFinding({ message: `${at} ${loud}`, expected: loud, got: loud, place: loud, hints: [loud, loud, loud] }),
      ),
    });
    const text = writeChangeSummary(report);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1024 * 1024);
    expect(Buffer.byteLength(text)).toBeGreaterThan(1024 * 1000);
    expect(text.endsWith('\n_Cut here: a summary has at most 1 MiB. `-o json` has all._\n')).toBe(true);
    expect(text).toContain('## tidewaiter: denied');
    expect(frame(text)).not.toMatch(/<code|<wbr/);
  });
});
