import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policyDigest } from '../../src/policy/digest.ts';
import { root } from '../kit/data.ts';

const page = readFileSync(path.join(root, 'docs/formats/policy.md'), 'utf8');
const vectors = [...page.matchAll(/^\| `version: 1␊` \| .* \| `([0-9a-f]{64})` \|$/gm)].map((each) => each[1]);
const policy = { bytes: Buffer.from('version: 1\n') };
const file = (name: string, text?: string) => ({ name, ...(text !== undefined && { bytes: Buffer.from(text) }) });

describe('the digest of a policy', () => {
  it('is what its page says', () => {
    const files = [file('./keys/b.pub', 'b\n'), file('keys/a.pub', 'a\n'), file('trust/é.json')];
    expect([policyDigest([policy]), policyDigest([policy, ...files])]).toEqual(vectors);
  });

  it('does not depend on the order of the files, nor on how a path is written', () => {
    const files = [file('a', '1'), file('b', '2'), file('c')];
    const digest = policyDigest([policy, ...files]);
    expect(policyDigest([...files.toReversed(), policy])).toBe(digest);
    expect(policyDigest([policy, file('./a', '1'), file('x/../b', '2'), file('c')])).toBe(digest);
  });

  it('is another one for another policy, another file, a file less, and a file that is gone', () => {
    const digests = [
      policyDigest([policy, file('a', '1')]),
      policyDigest([{ bytes: Buffer.from('version: 1 \n') }, file('a', '1')]),
      policyDigest([policy, file('a', '2')]),
      policyDigest([policy, file('b', '1')]),
      policyDigest([policy]),
      policyDigest([policy, file('a')]),
      policyDigest([policy, file('a', '')]),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('tells names apart whatever they hold', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[./]/.test(text));
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 2, maxLength: 2 }), ([one = '', other = '']) => {
        expect(policyDigest([policy, file(one, 'x')])).not.toBe(policyDigest([policy, file(other, 'x')]));
        const joined = file(`${one}\nfile - 1 ${other}`);
        expect(policyDigest([policy, joined])).not.toBe(policyDigest([policy, file(one), file(other)]));
      }),
    );
  });
});
