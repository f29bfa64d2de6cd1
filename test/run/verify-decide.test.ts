/** The answer from what was found: the published cases, and what must hold whatever was found. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckedSignature, Failure, VerificationOutcome } from '../../src/report/verification.ts';
import { exitOf } from '../../src/run/verify.ts';
import type { Checked } from '../../src/run/verify-check.ts';
import { decide, type SubjectDigest } from '../../src/run/verify-decide.ts';
import { pinsOf } from '../../src/run/verify-pins.ts';
import { publicKeyFromSpki } from '../../src/sigstore/keys.ts';
import { keyPin } from '../../src/sigstore/pin.ts';
import type { Signature, Verified } from '../../src/sigstore/types.ts';
import { makeKeys, spkiOf } from '../kit/certificate.ts';
import { root } from '../kit/data.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';
import { parseScript } from '../kit/txtar.ts';
import { run } from '../kit/world.ts';

interface Sighting {
  readonly verdict: CheckedSignature['verdict'];
  readonly by?: string;
  readonly on?: string;
}

interface Vector {
  readonly name: string;
  readonly required: {
    readonly rule: 'any' | 'all' | 'threshold';
    readonly of: readonly string[];
    readonly count?: number;
  };
  readonly digests?: readonly {
    readonly digest: string;
    readonly role: 'index' | 'manifest';
    readonly under?: readonly string[];
  }[];
  readonly signatures: readonly Sighting[];
  readonly outcome: VerificationOutcome;
  readonly exit: number;
}

const docs = path.join(root, 'docs/formats');
const vectors = JSON.parse(readFileSync(path.join(docs, 'verification.vectors.json'), 'utf8')) as readonly Vector[];
const keys = new Map(['alice', 'bob', 'carol', 'mallory'].map((name) => [name, publicKeyFromSpki(spkiOf(makeKeys()))]));
const absent: Failure = { rule: 'signature-absent', code: 'absent', message: 'nothing', hints: [] };

function outcomeOf({ required, digests, signatures }: Pick<Vector, 'required' | 'digests' | 'signatures'>) {
  const of = required.of.map((name) => ({ name, pins: [keyPin(keys.get(name)!)] }));
  const pins = pinsOf([
    required.rule === 'threshold' ? { kind: 'threshold', of, count: required.count ?? 1 } : { kind: required.rule, of },
  ]);
  const subjects = (digests ?? [{ digest: 'only', role: 'manifest' as const }]).map(
    (each): SubjectDigest => ({ ...each, under: 'under' in each ? (each.under ?? []) : [] }),
  );
  return decide(
    subjects,
    signatures.map((each) => checked(each, subjects[0]!.digest)),
    pins,
    { absent },
  );
}

function checked({ verdict, by, on }: Sighting, first: string): Checked {
  const digest = on ?? first;
  const signer = { kind: 'key', fingerprint: keys.get(by ?? 'mallory')!.fingerprint } as const;
  const signature = { format: 'bundle v0.3', signer, times: [] } as Signature as Verified<Signature>;
  return {
    signature: {
      place: 'x',
      attachedTo: digest,
      format: 'x',
      verdict,
      subjects: [],
      matched: by === undefined ? [] : [by],
      times: [],
    },
    counts: verdict === 'trusted' ? [{ digest, verified: signature }] : [],
  };
}

describe('the published cases', () => {
  it.each(vectors)('$name', (vector) => {
    const { outcome } = outcomeOf(vector);
    expect([outcome, exitOf(outcome)]).toEqual([vector.outcome, vector.exit]);
  });

  it('have every verdict in them', () => {
    const page = readFileSync(path.join(docs, 'verification.md'), 'utf8');
    const section = /## Verdicts\n([\s\S]*?)\n## /.exec(page)?.[1] ?? '';
    const verdicts = [...section.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1]);
    const known = new Set(vectors.flatMap(({ signatures }) => signatures.map(({ verdict }) => verdict as string)));
    expect(verdicts.length).toBeGreaterThan(10);
    expect([...known].sort()).toEqual(verdicts.sort());
  });
});

const verdicts = [
  'trusted',
  'negative',
  'not-counted',
  'unsigned',
  'absent',
  'unreachable',
  'malformed',
  'unsupported',
  'unproved',
  'invalid',
  'untrusted',
  'wrong-subject',
  'wrong-identity',
  'too-old',
] as const;
const sighting = fc.record({
  verdict: fc.constantFrom(...verdicts),
  by: fc.constantFrom('alice', 'bob', 'carol', 'mallory'),
  on: fc.constantFrom('index', 'amd64', 'arm64', 'elsewhere'),
});
const found = fc.array(sighting, { maxLength: 6 });
const digests = [
  { digest: 'index', role: 'index' },
  { digest: 'amd64', role: 'manifest', under: ['index'] },
  { digest: 'arm64', role: 'manifest', under: ['index'] },
] as const;
const required = { rule: 'all', of: ['alice', 'bob'] } as const;

describe('whatever was found', () => {
  it('passes only when everyone who has to has signed every platform, or the index', () => {
    fc.assert(
      fc.property(found, (signatures) => {
        const signed = (name: string, on: string) =>
          signatures.some((each) => each.verdict === 'trusted' && each.by === name && [on, 'index'].includes(each.on));
        const all = ['amd64', 'arm64'].every((on) => required.of.every((name) => signed(name, on)));
        expect(outcomeOf({ required, digests, signatures }).outcome === 'pass').toBe(all);
      }),
    );
  });

  it('gives the same answer in any order, and what does not count never makes it a pass', () => {
    fc.assert(
      fc.property(found, sighting, (signatures, more) => {
        const { outcome } = outcomeOf({ required, digests, signatures });
        expect(outcomeOf({ required, digests, signatures: signatures.toReversed() }).outcome).toBe(outcome);
        if (more.verdict === 'trusted' || outcome === 'pass') return;
        expect(outcomeOf({ required, digests, signatures: [...signatures, more] }).outcome).not.toBe('pass');
      }),
    );
  });

  it('of nothing to be signed is no pass', () => {
    expect(outcomeOf({ required, signatures: [{ verdict: 'trusted', by: 'alice' }] }).outcome).toBe('denied');
    const pins = pinsOf([{ kind: 'any', of: [{ name: 'alice', pins: [keyPin(keys.get('alice')!)] }] }]);
    expect(decide([], [], pins, { absent }).outcome).toBe('undecided');
  });
});

describe('the example in the documentation', () => {
  const place = path.join(docs, 'verification.example.json');
  const temporary = temporaryDirectory();

  it('is what is written, byte for byte', async () => {
    const { files } = parseScript(readFileSync(path.join(root, 'test/scripts/verify-file.txtar'), 'utf8'));
    const folder = writeTree(temporary, Object.fromEntries(files));
    const before = process.cwd();
    process.chdir(folder);
    try {
      const args = ['verify', './app.txt', '--bundle', 'keyless.sigstore.json', '--bundle', 'statement.sigstore.json'];
      const pins = [
        '--certificate-identity',
        'https://ci.example/acme/release',
        '--certificate-oidc-issuer',
        'https://accounts.example',
        '--trusted-root',
        'root.json',
      ];
      const { code, stdout } = await run([...args, ...pins, '-o', 'json']);
      if (process.env['UPDATE'] === '1') writeFileSync(place, stdout);
      expect([code, stdout]).toEqual([0, readFileSync(place, 'utf8')]);
    } finally {
      process.chdir(before);
    }
  });
});
