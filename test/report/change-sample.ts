/** Judged changes for tests of what is written from them. */
import fc from 'fast-check';
import { rules } from '../../src/diag/index.ts';
import {
  type ChangeReport,
  changeSchema,
  type ReportedCommit,
  type ReportedFinding,
  type ReportedStatement,
} from '../../src/report/change.ts';

export const id = (seed: string) => seed.padEnd(40, '0');
const tree = id('7ee');

export function aCommit(changes: Partial<ReportedCommit> = {}): ReportedCommit {
  return {
    id: id('a1'),
    tree,
    parents: [id('b0')],
    author: { name: 'Ada Example', email: 'ada@example.com' },
    committer: { name: 'Ada Example', email: 'ada@example.com' },
    subject: 'fix the login page',
    class: 'human',
    because: 'signed by alice',
    signs: [],
    signature: { state: 'good', format: 'ssh', signer: 'SHA256:abc', matched: ['alice'], person: 'alice' },
    changedPaths: 1,
    duty: false,
    coveredBy: [],
    missing: [],
    ...changes,
  };
}

export const agentCommit = aCommit({
  id: id('c2'),
  parents: [id('a1')],
  subject: 'add the search',
  class: 'agent',
  because: 'Claude Code: line 3 of the message, Co-Authored-By: Claude <noreply@anthropic.com>',
  signs: [
    {
      agent: 'claude-code',
      name: 'Claude Code',
      kind: 'trailer',
      part: 'assisted',
      text: 'Co-Authored-By: Claude <noreply@anthropic.com>',
      place: 'message:3',
    },
  ],
  signature: { state: 'none', matched: [] },
  duty: true,
  missing: ['provenance-missing'],
});

export function aFinding(changes: Partial<ReportedFinding> = {}): ReportedFinding {
  return {
    rule: 'provenance-missing',
    weight: 'denied',
    message: 'nothing covers it',
    commits: [],
    hints: [],
    ...changes,
  };
}

export const aStatement: ReportedStatement = {
  place: 'change.sigstore.json',
  digest: '5e'.repeat(32),
  signer: 'https://github.com/acme/agents/.github/workflows/attest.yml@refs/tags/v3',
  matched: ['agent-platform'],
  tier: 'isolated',
  landing: 'identity',
  base: id('b0'),
  head: id('c2'),
  models: ['anthropic/claude-opus-4-6'],
  runtime: 'claude-code',
  covers: 1,
};

/** Denied: an agent's commit without provenance, a workflow that nobody approved, one statement that does not fit. */
export function aReport(changes: Partial<ChangeReport> = {}): ChangeReport {
  return {
    schema: changeSchema,
    tool: { name: 'tidewaiter', version: '0.0.0' },
    time: '2026-01-02T03:04:05Z',
    replayedTime: false,
    requested: 'origin/main..HEAD',
    outcome: 'denied',
    reason: '1 commit made by agents, and no provenance that counts covers it',
    repository: { path: '.', objectFormat: 'sha1', gitVersion: '2.39.5' },
    policy: {
      from: `git:${id('ba5e')}:tidewaiter.policy.yaml`,
      digest: 'd1'.repeat(32),
      repository: 'https://github.com/acme/shop',
      baseRef: 'refs/heads/main',
      unknown: 'treat-as-agent',
    },
    range: {
      policyBase: { commit: id('ba5e'), tree, ref: 'refs/remotes/origin/main' },
      mergeBase: { commit: id('b0'), tree },
      head: { commit: id('c2'), tree, ref: 'refs/heads/feature' },
      landing: { clean: true, tree },
      changeDigest: 'cd'.repeat(32),
      behind: 2,
      changedPaths: 3,
    },
    commits: [aCommit(), agentCommit],
    risks: [{ path: '.github/workflows/ci.yml', reason: 'workflow' }],
    evidence: {
      counted: [],
      refused: [{ place: 'old.sigstore.json', rule: 'base-mismatch', message: 'provenance starts elsewhere' }],
    },
    approvals: { needed: 1, counted: [], authors: ['alice'] },
    findings: [
      aFinding({
        message: '1 commit made by agents, and no provenance that counts covers it',
        commits: [id('c2')],
      }),
      aFinding({
        rule: 'base-mismatch',
        message: 'provenance starts elsewhere',
        place: 'old.sigstore.json',
        expected: id('b0'),
        got: id('dead'),
      }),
      aFinding({
        rule: 'high-risk-path',
        weight: 'approval',
        message: 'a path of high risk: workflow',
        path: '.github/workflows/ci.yml',
      }),
      aFinding({
        rule: 'approval-missing',
        weight: 'approval',
        message: 'a change of high risk needs 1 approval; it has none',
        commits: [id('c2')],
        hints: [
          'have bob look at 3 changed paths and run: tidewaiter approve git:BASE..HEAD --operation merge --ssh-key ~/.ssh/id_ed25519 -o bundle=approval.json',
          'then judge it again, any other evidence as before: tidewaiter change BASE..HEAD --evidence approval.json',
        ],
      }),
    ],
    notes: ['BASE is 2 commits behind'],
    ...changes,
  };
}

/** The repository could not be judged at all. */
export function anUndecided(changes: Partial<ChangeReport> = {}): ChangeReport {
  const { policy: _policy, range: _range, ...rest } = aReport();
  return {
    ...rest,
    outcome: 'undecided',
    reason: 'the repository is a shallow clone: ".git/shallow"',
    commits: [],
    risks: [],
    evidence: { counted: [], refused: [] },
    approvals: { needed: 0, counted: [], authors: [] },
    findings: [
      aFinding({
        rule: 'shallow',
        weight: 'undecided',
        message: 'the repository is a shallow clone: ".git/shallow"',
        hints: ['fetch its history: git fetch --unshallow'],
      }),
    ],
    notes: [],
    ...changes,
  };
}

export const hostile = [
  '\u001b[31mred\u0007\u009b2J',
  'a\n::error file=x::forged\r\n::stop-commands::x',
  '::set-output name=x::y',
  '##[error]x ##vso[task.complete result=Succeeded]',
  '\u202egnp.exe\u2066 \u200b zero \u{e0041}tag',
  '</code></td></table><script>alert(1)</script><img src=x onerror=alert(1)>',
  '| a | b |\n|---|---|\n# title\n- [x](http://evil.example) ![i](//evil.example/p.png) @octocat #1 `code` **bold** ~~no~~',
  'https://evil.example/?q=1 www.evil.example mailto:a@b.example user@evil.example',
  '```\n~~~\n<!-- --> <details open> &lt;b&gt; &amp; $(id) `id` ; rm -rf / # \\',
  '%0A::error::x %25 , : = ;',
  'lone \ud800 and \udfff and byte \udcff',
  '__proto__',
  '',
  ' '.repeat(50),
  'x'.repeat(5000),
] as const;

/** The same text in every field that comes from outside, in each kind of finding. */
export function aHostileReport(text: string, outcome: ChangeReport['outcome'] = 'denied'): ChangeReport {
  const sign = { agent: text, name: text, kind: 'trailer', part: text, text, place: text };
  const commit = (made: ReportedCommit['class'], at: string) =>
    aCommit({
      id: id(at),
      author: { name: text, email: text },
      committer: { name: text, email: text },
      subject: text,
      class: made,
      because: text,
      vouchedBy: text,
      calledBot: text,
      signs: made === 'agent' ? [sign, sign] : [],
      signature: { state: 'unknown-key', format: text, signer: text, matched: [text], why: text },
      coveredBy: made === 'bot' ? [text] : [],
      missing: made === 'unknown' ? ['agent-undeclared'] : [],
      duty: true,
      replay: 'residual',
    });
  const statement = {
    ...aStatement,
    place: text,
    signer: text,
    matched: [text],
    tier: text,
    models: [text],
    runtime: text,
  };
  const weights = ['undecided', 'denied', 'approval', 'warning', 'note'] as const;
  const sample = aReport();
  return aReport({
    requested: text,
    outcome,
    reason: text,
    repository: { path: text },
    policy: { ...sample.policy!, from: text, repository: text, baseRef: text },
    range: { ...sample.range!, head: { commit: id('c2'), tree, ref: text } },
    commits: [commit('agent', 'e1'), commit('human', 'e2'), commit('bot', 'e3'), commit('unknown', 'e4')],
    risks: [{ path: text, reason: text, pattern: text }],
    evidence: { counted: [statement], refused: [{ place: text, rule: 'replayed', message: text }] },
    approvals: { needed: 2, counted: [{ person: text, place: text, how: text, carriedOver: true }], authors: [text] },
    findings: weights.flatMap((weight) => [
      aFinding({ weight, message: text, place: text, expected: text, got: text, hints: [text] }),
      aFinding({ rule: 'hidden-text', weight, message: text, path: text, line: 3, commits: [id('e1')] }),
    ]),
    notes: [text],
  });
}

const arbitraryText = fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.constantFrom(...hostile));

/** Few enough for every form to show all of them. */
export const arbitraryFindings: fc.Arbitrary<readonly ReportedFinding[]> = fc.array(
  fc.record(
    {
      rule: fc.constantFrom(...rules.map(({ id: rule }) => rule)),
      weight: fc.constantFrom(
        'undecided' as const,
        'denied' as const,
        'approval' as const,
        'warning' as const,
        'note' as const,
      ),
      message: arbitraryText,
      commits: fc.uniqueArray(fc.stringMatching(/^[0-9a-f]{40}$/), { maxLength: 5 }),
      hints: fc.array(arbitraryText, { maxLength: 2 }),
      path: fc.stringMatching(/^src\/[a-z/ :\\%]{1,12}$/),
      line: fc.integer({ min: 1, max: 9999 }),
      place: arbitraryText,
      expected: arbitraryText,
      got: arbitraryText,
    },
    { requiredKeys: ['rule', 'weight', 'message', 'commits', 'hints'] },
  ),
  { maxLength: 15 },
);
