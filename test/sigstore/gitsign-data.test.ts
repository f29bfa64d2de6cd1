/** Signed commits of public repositories: gitsign with and without its log entry, and S/MIME. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDetachedData } from '../../src/sigstore/cms.ts';
import { children, type Der, explicit, readDer, Tag } from '../../src/sigstore/der.ts';
import { type GitsignSignature, gitsignClaim, verifyGitsign } from '../../src/sigstore/gitsign.ts';
import { parsePem } from '../../src/sigstore/pem.ts';
import { shippedRoot } from '../../src/sigstore/shipped.ts';
import type { TrustRoot } from '../../src/sigstore/types.ts';
import { describeData, readData } from '../kit/data.ts';
import { element, explicitly, sequence } from '../kit/der.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { armour, splitCommit } from './gitsign-commit.ts';
import { refusalOf } from './refusal.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const google = 'https://accounts.google.com';

/** Every commit with its entry inside, by its beginning, and the one who signed it. */
const proved: Readonly<Record<string, string>> = {
  'carabiner-dev+ampel-b4654624': 'puerco@carabiner.dev',
  'carabiner-dev+ampel-bbc9a77d': 'puerco@carabiner.dev',
  'sigstore+gitsign-34701435': 'billy@chainguard.dev',
  'sigstore+gitsign-a283a6f3': 'billy@chainguard.dev',
  'sigstore+gitsign-ac15fa73': 'billy@chainguard.dev',
  'sigstore+gitsign-c47e8bf5': 'billy@chainguard.dev',
  'sigstore+gitsign-e704581d': 'billy@chainguard.dev',
  'wlynch+gitsign-34701435': 'billy@chainguard.dev',
  'wlynch+gitsign-a283a6f3': 'billy@chainguard.dev',
  'wlynch+gitsign-dc68e8ce': 'billy@chainguard.dev',
  'wlynch+gitsign-e704581d': 'billy@chainguard.dev',
};
const mail = /^(?:anchore\+syft-(?:0e312aaa|46cdfe7b|6368de92)|steveyegge\+beads)/;

describeData('a commit signed by certificate', (dir) => {
  const folder = path.join(dir, 'agents/commits/x509');
  const cases = readdirSync(folder)
    .sort()
    .map((file) => {
      const name = file.replace(/^(.*-[0-9a-f]{8})[0-9a-f]*\.commit$/, '$1');
      return [name, splitCommit(readFileSync(path.join(folder, file)))] as const;
    });
  const roots: readonly TrustRoot[] = [shippedRoot('public-good'), shippedRoot('github'), shippedRoot('staging')];

  it('is one of 58, and those with an entry are those that the index names', () => {
    const index = JSON.parse(readData('agents/index.json').toString()) as { file: string; note: string }[];
    const embedded = index.filter(({ file, note }) => file.includes('/x509/') && note.includes('embedded rekor=True'));
    expect(cases).toHaveLength(58);
    expect(embedded.map(({ file }) => path.basename(file).replace(/[0-9a-f]{32}\.commit$/, '')).sort()).toEqual(
      Object.keys(proved).sort(),
    );
  });

  it.each(cases)('%s is proved, unproved or of nobody that is known', (name, { armored, payload }) => {
    const who = proved[name];
    if (who !== undefined) {
      const { identity, trust, times } = verifyGitsign(armored, payload, roots);
      expect([identity.issuer, identity.subject, trust]).toEqual([
        google,
        { type: 'email', value: who },
        'public-good',
      ]);
      expect(times).toEqual([{ at: expect.any(Number), source: 'log', by: 'https://rekor.sigstore.dev' }]);
      return;
    }
    const { code } = refusalOf(() => verifyGitsign(armored, payload, roots));
    expect(code).toBe(mail.test(name) ? 'untrusted' : 'unproved');
    expect(gitsignClaim(armored)).toMatch(mail.test(name) ? /DigiCert|IdenTrust/ : /\(https:\/\//);
  });

  it.each(cases)('%s is invalid over anything else', (_, { armored, payload }) => {
    const { code, message } = refusalOf(() => verifyGitsign(armored, Buffer.concat([payload, Buffer.of(10)]), roots));
    expect([code, message]).toEqual(['invalid', 'CMS: the signature is about other content']);
  });

  it.each(cases)('%s is invalid when its signature is spoiled', (_, { armored, payload }) => {
    const der = Buffer.from(derOf(armored));
    // A view of the same bytes.
    const { signature } = readDetachedData(readDer(der)).signer;
    signature[signature.length - 1]! ^= 1;
    expect(refusalOf(() => verifyGitsign(armour(der), payload, roots)).code).toBe('invalid');
  });

  it('with an entry is refused, or says the same, with any byte changed', () => {
    const good = cases.filter(([name]) => proved[name] !== undefined);
    const expected = good.map(([, { armored, payload }]) => verifyGitsign(armored, payload, roots));
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(10_000), fc.integer({ min: 1, max: 255 }), (which, at, change) => {
        const { armored, payload } = good[which]![1];
        const der = Buffer.from(derOf(armored));
        der[at % der.length]! ^= change;
        let got: GitsignSignature;
        try {
          got = verifyGitsign(armour(der), payload, roots);
        } catch {
          refusalOf(() => verifyGitsign(armour(der), payload, roots));
          return;
        }
        expect(got).toEqual(expected[which]);
      }),
      { numRuns: 300 },
    );
  });

  it('does not take the entry of another commit by the same signer', () => {
    const good = cases.filter(([name]) => proved[name]?.startsWith('puerco') === true);
    const [one, two] = good.map(([, commit]) => commit);
    const donor = signerOf(derOf(two!.armored)).at(-1)!;
    const swapped = withLastField(derOf(one!.armored), donor.bytes);
    const { code, message } = refusalOf(() => verifyGitsign(armour(swapped), one!.payload, roots));
    expect([code, message]).toEqual(['invalid', expect.stringMatching(/proof|root hash|promise/)]);
    const same = withLastField(derOf(one!.armored), signerOf(derOf(one!.armored)).at(-1)!.bytes);
    expect(verifyGitsign(armour(same), one!.payload, roots).times).toHaveLength(1);
  });

  it('is not vouched for by another instance', () => {
    for (const [name, { armored, payload }] of cases) {
      if (proved[name] === undefined) continue;
      expect(refusalOf(() => verifyGitsign(armored, payload, roots.slice(1))).code).toBe('untrusted');
    }
  });
});

describe.skipIf(!hasOpenssl)('openssl as a peer', () => {
  describeData('over real commits', (dir) => {
    const folder = path.join(dir, 'agents/commits/x509');
    const directory = temporaryDirectory();

    it.each(readdirSync(folder).sort())('finds that the signature in %s holds, as we do', (file) => {
      const { armored, payload } = splitCommit(readFileSync(path.join(folder, file)));
      const [message, content] = [path.join(directory, 'message'), path.join(directory, 'content')];
      writeFileSync(message, derOf(armored));
      writeFileSync(content, payload);
      const args = ['cms', '-verify', '-noverify', '-binary', '-inform', 'DER', '-in', message, '-content', content];
      const out = execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
      expect(out.equals(payload)).toBe(true);
      let code = 'good';
      try {
        verifyGitsign(armored, payload, []);
      } catch {
        code = refusalOf(() => verifyGitsign(armored, payload, [])).code;
      }
      // Without a trusted root: that the signature holds was seen before.
      expect(code).toBe('untrusted');
    });
  });
});

function derOf(armored: string): Buffer {
  return parsePem(armored)[0]!.der;
}

/** The fields of the only SignerInfo; the last ones are the unsigned attributes. */
function signerOf(der: Buffer): readonly Der[] {
  const data = children(explicit(children(readDer(der))[1], 0));
  return children(children(data.at(-1), Tag.set)[0]);
}

function withLastField(der: Buffer, field: Buffer): Buffer {
  const [type, content] = children(readDer(der));
  const data = children(explicit(content, 0));
  const signer = sequence(
    ...signerOf(der)
      .slice(0, -1)
      .map(({ bytes }) => bytes),
    field,
  );
  const head = data.slice(0, -1).map(({ bytes }) => bytes);
  return sequence(type!.bytes, explicitly(0, sequence(...head, element(Tag.set, signer))));
}
