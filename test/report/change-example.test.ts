/** The example in docs/formats/change.md is what is written. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findRule } from '../../src/diag/index.ts';
import type { ChangeReport } from '../../src/report/change.ts';
import { fixesOf } from '../../src/report/change-fix.ts';
import { writeChangeJson } from '../../src/report/change-json.ts';
import { root } from '../kit/data.ts';
import { aCommit, aFinding, agentCommit, aReport, aStatement, id } from './change-sample.ts';

const place = path.join(root, 'docs/formats/change.example.json');

/** Every part of the format: a person's commit, an agent's that is covered and one that is not, a merge that adds something. */
function example(): ChangeReport {
  const sample = aReport();
  const covered = { ...agentCommit, id: id('c1'), coveredBy: [aStatement.place], missing: [], vouchedBy: 'alice' };
  const unknown = aCommit({
    id: id('d3'),
    parents: [id('c2'), id('ba5e')],
    subject: "Merge branch 'main' into feature",
    class: 'unknown',
    because: 'it calls itself renovate, which a name does not prove; no sign of an agent, and no signature',
    calledBot: 'renovate',
    signature: {
      state: 'unknown-key',
      format: 'openpgp',
      signer: '4AEE18F83AFDEB23',
      matched: [],
      why: 'nobody has it',
    },
    replay: 'residual',
    duty: true,
    missing: ['agent-undeclared'],
  });
  return {
    ...sample,
    tool: { name: 'tidewaiter', version: '0.1.0' },
    commits: [aCommit(), covered, { ...agentCommit, parents: [id('c1')] }, unknown],
    risks: [...sample.risks, { path: 'infra/main.tf', reason: 'policy', pattern: 'infra/**' }],
    evidence: { ...sample.evidence, counted: [aStatement] },
    approvals: {
      needed: 2,
      counted: [{ person: 'bob', place: 'bob.json', how: 'signed', carriedOver: false }],
      authors: ['alice'],
    },
    findings: [
      ...sample.findings,
      {
        rule: 'hidden-text',
        weight: 'denied',
        message: 'an added line holds U+202E',
        commits: [],
        path: 'src/a.py',
        line: 3,
        hints: [],
      },
    ],
  };
}

it('the example in the documentation is what is written, byte for byte', () => {
  const digest = (text: string) => createHash('sha1').update(text).digest('hex');
  // Ids that look like ids.
  const text = writeChangeJson(example()).replace(/\b[0-9a-f]{2,4}0{36,38}\b/g, digest);
  if (process.env['UPDATE'] === '1') writeFileSync(place, text);
  expect(readFileSync(place, 'utf8')).toBe(text);
});

it('the page names every field, and rules that there are', () => {
  const page = readFileSync(path.join(root, 'docs/formats/change.md'), 'utf8');
  const report = JSON.parse(readFileSync(place, 'utf8')) as ChangeReport;
  const known = new Set([
    'tree',
    'id',
    'parents',
    'author',
    'committer',
    'subject',
    'changedPaths',
    'expected',
    'got',
    'tool',
  ]);
  const fields = [
    ...Object.keys(report),
    ...report.commits.flatMap((each) => Object.keys(each)),
    ...report.findings.flatMap((each) => Object.keys(each)),
  ];
  for (const field of new Set(fields)) if (!known.has(field)) expect(page).toMatch(new RegExp(`[\`."]${field}\\b`));
  for (const { rule } of report.findings) expect(findRule(rule)?.id).toBe(rule);
});

describe('the pages of the rules show what is printed', () => {
  const [commit, parent] = ['4bfb7b9597a77380e67f121479ad5df3bd6d882e', '28b7fd1512f2ff9d0b8d719226a341a46ac603e1'];
  const report = aReport({ requested: 'main..feature', commits: [aCommit({ id: commit, parents: [parent] })] });
  it.each([
    'agent-undeclared',
    'base-mismatch',
    'landing-residual',
    'provenance-missing',
    'provenance-signature',
    'range-gap',
    'repo-mismatch',
    'stale',
    'subject-mismatch',
    'tree-mismatch',
  ] as const)('%s', (rule) => {
    const page = readFileSync(path.join(root, 'docs/rules', `${rule}.md`), 'utf8');
    const told = [...page.matchAll(/^ {2}do {8}(.*)$/gm)].map(([, text]) => text);
    expect(told).toEqual(fixesOf(aFinding({ rule, commits: [commit] }), report));
  });
});
