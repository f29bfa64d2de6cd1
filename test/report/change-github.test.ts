import { describe, expect, it } from 'vitest';
import { writeChangeGitHub } from '../../src/report/change-github.ts';
import { aFinding, aHostileReport, anUndecided, aReport, hostile, id } from './change-sample.ts';

describe('annotations for GitHub', () => {
  it('have the answer first, then each finding at its file and line with what to do', () => {
    const findings = [
      aFinding({ rule: 'hidden-text', message: 'hidden', path: 'src/a.ts', line: 3, expected: 'none', got: 'U+202E' }),
      aFinding({ rule: 'high-risk-path', weight: 'approval', message: 'workflow', path: '.github/workflows/ci.yml' }),
      aFinding({ rule: 'merge-residual', weight: 'note', message: 'its own', commits: [id('c2')] }),
    ];
    expect(writeChangeGitHub(aReport({ findings, reason: 'no provenance' }))).toBe(
      [
        '::error title=tidewaiter%3A denied::origin/main..HEAD: no provenance',
        '::error file=src/a.ts,line=3,title=tidewaiter%3A hidden-text::hidden%0Aexpected: none%0Agot: U+202E%0Ado: remove the invisible or bidirectional characters, or write them as escapes',
        '::warning file=.github/workflows/ci.yml,title=tidewaiter%3A high-risk-path::workflow%0Ado: have a person whom the policy names approve it',
        '::notice title=tidewaiter%3A merge-residual::its own%0Acommits: c20000000000',
        '',
      ].join('\n'),
    );
  });

  it('begin with the answer of a pass, whatever else is said, and mark what --now judged', () => {
    const findings = [aFinding({ weight: 'warning', message: 'near' })];
    const text = writeChangeGitHub(aReport({ findings, outcome: 'pass', reason: 'fine', replayedTime: true }));
    expect(text.split('\n').map((line) => line.split(' ')[0])).toEqual(['::notice', '::warning', '']);
    expect(text).toContain('::origin/main..HEAD: fine (as of 2026-01-02T03:04:05Z, by --now)\n');
  });

  it('say the answer in the kind that fits it', () => {
    const first = (outcome: 'pass' | 'denied' | 'undecided' | 'approval') =>
      writeChangeGitHub(aReport({ findings: [], outcome })).split(' ')[0];
    expect([first('pass'), first('denied'), first('undecided'), first('approval')]).toEqual([
      '::notice',
      '::error',
      '::error',
      '::warning',
    ]);
    expect(writeChangeGitHub(anUndecided())).toContain('%0Ado: fetch its history: git fetch --unshallow\n');
  });

  it('are at most ten of a kind, the answer among them, and the rest is counted', () => {
    const findings = (['denied', 'approval', 'note'] as const).flatMap((weight) =>
      Array.from({ length: 25 }, (_, at) => aFinding({ weight, message: `${at}` })),
    );
    const lines = writeChangeGitHub(aReport({ findings })).trimEnd().split('\n');
    const count = (kind: string) => lines.filter((line) => line.startsWith(`::${kind} `)).length;
    expect([count('error'), count('warning'), count('notice'), lines.length]).toEqual([10, 10, 10, 33]);
    expect(lines.filter((line) => !line.startsWith('::'))).toEqual([
      '16 more errors not shown, of 26: -o json has all',
      '15 more warnings not shown, of 25: -o json has all',
      '15 more notices not shown, of 25: -o json has all',
    ]);
  });

  it('escape what the runner would take for an end, in properties and in the text', () => {
    const path = 'a,b:c%0A::error\r\n.ts';
    const [, line] = writeChangeGitHub(aReport({ findings: [aFinding({ path, message: '100%\n::x' })] })).split('\n');
    expect(line).toContain('::error file=a%2Cb%3Ac%250A%3A%3Aerror\\x0d\\x0a.ts,title=');
    expect(line).toContain('::100%25\\x0a::x%0A');
  });

  it('begin no command that is not ours, whatever stands in a commit', () => {
    const ours = /^::(?:error|warning|notice) (?:file=[^:,]*,)?(?:line=3,)?title=tidewaiter%3A [a-z -]+::[^\r\n]*$/;
    for (const text of hostile) {
      const lines = writeChangeGitHub(aHostileReport(text)).trimEnd().split('\n');
      expect(lines).toHaveLength(11);
      for (const line of lines) {
        expect(line).toMatch(ours);
        // The runner puts back what it finds escaped: a line of the text must not begin a command either.
        const put = line.slice(2).replace(/%0A/g, '\n').replace(/%25/g, '%');
        expect(put).not.toMatch(/\n\s*::/);
        expect(put).not.toMatch(/##(?:vso|teamcity)?\[/);
      }
    }
  });
});
