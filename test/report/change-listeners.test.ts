/** The forms in which a judged change is written agree with each other, and no text from outside gets out of its place. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChangeReport } from '../../src/report/change.ts';
import { writeChangeExplanation } from '../../src/report/change-explain.ts';
import { fixesOf } from '../../src/report/change-fix.ts';
import { writeChangeGitHub } from '../../src/report/change-github.ts';
import { writeChangeJson } from '../../src/report/change-json.ts';
import { writeChangeSarif } from '../../src/report/change-sarif.ts';
import { writeChangeSummary } from '../../src/report/change-summary.ts';
import { writeChangeTable } from '../../src/report/change-table.ts';
import { shown } from '../../src/report/text.ts';
import { aFinding, aHostileReport, anUndecided, aReport, arbitraryFindings, hostile, id } from './change-sample.ts';
import { type SarifDocument, sarifErrors } from './sarif-schema.ts';

const plain = { color: false };
const outcomes = ['pass', 'denied', 'undecided', 'approval'] as const;

/** `rule path commits`, each once. */
type About = ReadonlySet<string>;
const about = (rule: string, path: string | undefined, commits: readonly string[]) =>
  JSON.stringify([rule, path ?? '', commits.map((each) => each.slice(0, 12)).sort()]);

function inTable(text: string): About {
  const found = new Set<string>();
  const blocks = text
    .split('\n\n')
    .filter((block) => /^(?:not decided|denied|needs approval|warning|note): [a-z-]+: ?/.test(block));
  for (const block of blocks) {
    const [title = '', ...lines] = block.split('\n');
    const rule = /^[a-z ]+: ([a-z-]+):/.exec(title)![1]!;
    let path: string | undefined;
    let commits: string[] = [];
    for (const line of lines) {
      const [, label, value = ''] = /^ {2}(path|commits?) +(.*)$/s.exec(line) ?? [];
      if (label === 'path') path = value.replace(/:\d+$/, '');
      else if (label !== undefined) commits = value.split(', ');
    }
    found.add(about(rule, path, commits));
  }
  return found;
}

function inSarif(text: string): About {
  const [run] = (JSON.parse(text) as SarifDocument).runs;
  return new Set(
    run.results.map(({ ruleId, locations: [location] }) => {
      const commits = location.logicalLocations.filter(({ kind }) => kind === 'commit');
      const { uri } = location.physicalLocation!.artifactLocation;
      // What has no path stands at the policy.
      const path = uri === 'tidewaiter.policy.yaml' || uri === '.' ? undefined : decodeURIComponent(uri);
      return about(
        ruleId,
        path === undefined ? undefined : shown(path),
        commits.map(({ fullyQualifiedName }) => fullyQualifiedName),
      );
    }),
  );
}

function inJson(text: string): About {
  const { findings } = JSON.parse(text) as ChangeReport;
  return new Set(
    findings.map(({ rule, path, commits }) => about(rule, path === undefined ? undefined : shown(path), commits)),
  );
}

const forms: readonly (readonly [name: string, write: (report: ChangeReport) => string])[] = [
  ['table', (report) => writeChangeTable(report, plain)],
  ['table on a terminal', (report) => writeChangeTable(report, { color: false, width: 40 })],
  ['explanation', (report) => report.commits.map((each) => writeChangeExplanation(report, each, plain)).join('')],
  ['json', writeChangeJson],
  ['sarif', (report) => writeChangeSarif(report, 1)],
  ['github', writeChangeGitHub],
  ['summary', writeChangeSummary],
];

describe('all forms', () => {
  it('have the same findings: rule, path and commits', () => {
    fc.assert(
      fc.property(arbitraryFindings, (drawn) => {
        // Of findings that say the same of different places, the table makes one block: here each has a message of its own.
        const findings = drawn.map((each, at) => ({ ...each, message: `${at}: ${each.message}` }));
        const report = aReport({ findings, outcome: 'denied' });
        const json = inJson(writeChangeJson(report));
        expect(json.size).toBe(
          new Set(findings.map(({ rule, path, commits }) => about(rule, path && shown(path), commits))).size,
        );
        expect(inTable(writeChangeTable(report, plain))).toEqual(json);
        const sarif = inSarif(writeChangeSarif(report, 1));
        if (findings.length > 0) expect(sarif).toEqual(json);
        else expect(sarif).toEqual(new Set([about('requirement-unmet', undefined, [])]));
      }),
    );
  });

  it('name every place of a finding that is said of several', () => {
    const findings = ['a.ts', 'b.ts', 'c.ts'].map((path) =>
      aFinding({ rule: 'hidden-text', message: 'hidden', path, line: 1 }),
    );
    const report = aReport({ findings });
    for (const write of [writeChangeTable, writeChangeSarif, writeChangeJson, writeChangeGitHub] as const) {
      const text = (write as (report: ChangeReport, options: object) => string)(report, plain);
      for (const path of ['a.ts', 'b.ts', 'c.ts']) expect(text).toContain(path);
    }
  });

  it.each(forms)('%s: shows nothing that a terminal or a log would obey, whatever stands in it', (_, write) => {
    for (const text of hostile) {
      for (const outcome of outcomes) {
        const written = write(aHostileReport(text, outcome));
        expect(written).not.toMatch(
          /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\u{e0041}]|\p{Surrogate}/u,
        );
        expect(written.endsWith('\n')).toBe(true);
        if (write === writeChangeJson) continue;
        for (const line of written.split('\n')) {
          expect(line).not.toMatch(
            /^\s*::(?!(?:error|warning|notice) (?:file=[^:,\n]*,)?(?:line=\d+,)?title=tidewaiter%3A [a-z -]+::)/,
          );
          if (write !== forms[4]![1]) expect(line).not.toMatch(/##(?:vso|teamcity)?\[/);
        }
      }
    }
  });

  it.each(forms)('%s: ends, and is the same from run to run, for any findings', (_, write) => {
    fc.assert(
      fc.property(arbitraryFindings, fc.constantFrom(...outcomes), (findings, outcome) => {
        const report = aReport({ findings, outcome });
        expect(write(report)).toBe(write(report));
      }),
      { numRuns: 30 },
    );
  });

  it.each(forms)('%s: takes subjects and messages of a megabyte', (_, write) => {
    const report = aHostileReport(`${'\u001b[2J😀::x'.repeat(120_000)}`);
    const written = write({ ...report, findings: report.findings.slice(0, 2), commits: report.commits.slice(0, 1) });
    expect(written).not.toContain('\u001b');
  });

  it.each(forms.filter(([name]) => name !== 'explanation'))('%s: takes 100,000 findings', (_, write) => {
    const findings = Array.from({ length: 100_000 }, (_each, at) =>
      aFinding({ rule: 'hidden-text', message: `hidden ${at % 7}`, path: `src/${at}.ts`, line: 1 }),
    );
    expect(write(aReport({ findings })).length).toBeGreaterThan(1000);
  });
});

function withFixes(report: ChangeReport) {
  return report.findings.map((each) => (each.weight === 'note' ? each : { ...each, hints: fixesOf(each, report) }));
}

describe('JSON', () => {
  it('is the report itself, with keys in one order, and with the commands for this range', () => {
    const report = aReport({ explained: id('c2') });
    const { explained: _, ...document } = report;
    const parsed = JSON.parse(writeChangeJson(report)) as ChangeReport;
    expect(parsed).toEqual({ ...document, findings: withFixes(report) });
    expect(parsed.findings[0]?.hints[0]).toContain('tidewaiter attest git:origin/main..HEAD ');
    expect(parsed.findings[3]?.hints[0]).toContain('tidewaiter approve git:origin/main..HEAD ');
    const { notes, findings, ...rest } = report;
    expect(writeChangeJson({ notes, findings, ...rest })).toBe(writeChangeJson(report));
  });

  it('keeps every text as it was, but for lone surrogates', () => {
    for (const text of hostile) {
      const parsed = JSON.parse(writeChangeJson(aHostileReport(text))) as ChangeReport;
      if (text.isWellFormed())
        expect(parsed).toEqual({ ...aHostileReport(text), findings: withFixes(aHostileReport(text)) });
      else expect(parsed.reason.isWellFormed()).toBe(true);
    }
  });
});

describe('SARIF', () => {
  const parsed = (report: ChangeReport, code = 1) =>
    (JSON.parse(writeChangeSarif(report, code)) as SarifDocument).runs[0];

  it('keeps to the format, whatever it is told', () => {
    const reports = [
      aReport(),
      anUndecided(),
      aReport({ findings: [], outcome: 'pass' }),
      aReport({ replayedTime: true }),
      ...hostile.flatMap((text) => outcomes.map((outcome) => aHostileReport(text, outcome))),
    ];
    for (const report of reports) expect(sarifErrors(writeChangeSarif(report, 1))).toEqual([]);
    fc.assert(
      fc.property(arbitraryFindings, (findings) => {
        expect(sarifErrors(writeChangeSarif(aReport({ findings }), 1))).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('marks what was judged as of another time, as a property and as a notification', () => {
    const marked = parsed(aReport({ findings: [], outcome: 'pass', replayedTime: true }), 0);
    expect(marked).toMatchObject({
      properties: { time: '2026-01-02T03:04:05Z', replayedTime: true },
      invocations: [
        {
          executionSuccessful: true,
          toolExecutionNotifications: [
            { message: { text: 'judged as of 2026-01-02T03:04:05Z, by --now: this is no decision of now' } },
            {},
          ],
        },
      ],
    });
    expect(parsed(aReport())).not.toHaveProperty('properties');
  });

  it('puts findings about a path at that file and line, and the others at the policy with their commits', () => {
    const findings = [
      aFinding({ rule: 'hidden-text', path: 'src/ä b%20#?.ts', line: 7 }),
      aFinding({ path: 'a\\b:c' }),
      aFinding({ commits: [id('c2'), id('a1')] }),
    ];
    const places = parsed(aReport({ findings })).results.map(({ locations: [location] }) => [
      location.physicalLocation!.artifactLocation.uri,
      location.physicalLocation!.region?.startLine,
      location.logicalLocations.map(({ fullyQualifiedName }) => fullyQualifiedName),
    ]);
    expect(places).toEqual([
      ['src/%C3%A4%20b%2520%23%3F.ts', 7, ['origin/main..HEAD']],
      ['a%5Cb%3Ac', undefined, ['origin/main..HEAD']],
      ['tidewaiter.policy.yaml', undefined, [id('c2'), id('a1')]],
    ]);
    const [elsewhere] = parsed(
      aReport({ findings: [aFinding()], policy: { ...aReport().policy!, from: '/etc/p.yaml' } }),
    ).results;
    expect(elsewhere!.locations[0].physicalLocation!.artifactLocation.uri).toBe('file:///etc/p.yaml');
  });

  it('calls what speaks against the change an error, and what waits for an approval a warning', () => {
    const weights = ['undecided', 'denied', 'approval', 'warning', 'note'] as const;
    const { results } = parsed(aReport({ findings: weights.map((weight) => aFinding({ weight })) }));
    expect(results.map(({ level }) => level)).toEqual(['error', 'error', 'warning', 'warning', 'note']);
  });

  it('never looks clean when nothing was decided, and says why', () => {
    const undecided = parsed(anUndecided(), 3);
    expect(undecided.invocations[0]).toMatchObject({ executionSuccessful: false, exitCode: 3 });
    expect(undecided.invocations[0]!.toolExecutionNotifications.map(({ message }) => message.text)).toEqual([
      'the repository is a shallow clone: ".git/shallow"',
    ]);
    expect(undecided.results).toHaveLength(1);
    for (const outcome of ['denied', 'undecided', 'approval'] as const) {
      expect(parsed(aReport({ findings: [], outcome })).results).toHaveLength(1);
    }
    expect(parsed(aReport({ findings: [], outcome: 'pass' })).results).toEqual([]);
    expect(parsed(aReport()).invocations[0]!.executionSuccessful).toBe(true);
  });

  it('has fingerprints that lines do not change, and that tell findings apart', () => {
    const prints = (...findings: ChangeReport['findings']) =>
      parsed(aReport({ findings })).results.map(({ partialFingerprints }) => JSON.stringify(partialFingerprints));
    const one = aFinding({ rule: 'hidden-text', path: 'a.ts', line: 1 });
    expect(prints(one)).toEqual(prints({ ...one, line: 100, message: 'other words' }));
    const all = prints(
      one,
      { ...one, line: 9 },
      { ...one, path: 'b.ts' },
      { ...one, rule: 'path-trick' },
      aFinding({ commits: [id('a1')] }),
      aFinding(),
    );
    expect(new Set(all).size).toBe(6);
  });
});
