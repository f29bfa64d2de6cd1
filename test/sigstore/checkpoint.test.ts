import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifyCheckpoint } from '../../src/sigstore/checkpoint.ts';
import { publicKeyFromSpki } from '../../src/sigstore/keys.ts';
import type { LogKey } from '../../src/sigstore/types.ts';
import { describeData, readData } from '../kit/data.ts';
import { realBundles } from './bundles.ts';
import { logName, sha256, testKey, testLog } from './log.ts';
import { expectRefusal, refusalOf } from './refusal.ts';

const root = sha256(Buffer.from('root'));
const base64 = root.toString('base64');
const log = testLog();
const signed = (text: string) => `${text}\n${log.signatureLine(text)}`;
const body = `${logName}\n7\n${base64}\n`;

describe('a checkpoint', () => {
  it('says origin, size and root hash', () => {
    expect(verifyCheckpoint(log.checkpoint(7, root), log.key)).toEqual({ origin: logName, size: 7, rootHash: root });
  });

  it('may name the tree after the log, as Rekor v1 does, and have further lines', () => {
    const text = `${logName} - 2605736670972794746\n23083062\n${base64}\nTimestamp: 1689177396617352539\nother\n`;
    expect(verifyCheckpoint(signed(text), log.key)).toMatchObject({ size: 23083062 });
  });

  it.each(['P-256', 'P-384', 'ed25519', 'rsa'] as const)('may be signed with a key of kind %s', (kind) => {
    const other = testLog(testKey(kind));
    expect(verifyCheckpoint(other.checkpoint(7, root), other.key).size).toBe(7);
  });

  it('may carry the key id of the C2SP kind, whichever id the trusted root lists', () => {
    const ed25519 = testLog(testKey('ed25519'));
    const raw = ed25519.signer.key.spki.subarray(-32);
    const id = sha256(Buffer.concat([Buffer.from(`${logName}\n`), Buffer.of(1), raw]));
    const note = `${body}\n${ed25519.signatureLine(body, logName, id.subarray(0, 4))}`;
    expect(verifyCheckpoint(note, ed25519.key).size).toBe(7);
    expect(verifyCheckpoint(note, { ...ed25519.key, logId: id }).size).toBe(7);
  });

  it('may be signed by witnesses too, before and after the log', () => {
    const [one, two] = [testLog(), testLog()];
    const witnesses = [one.signatureLine(body, 'witness.example'), two.signatureLine(body, 'other.example/ring-a')];
    const note = `${body}\n${witnesses[0]}${log.signatureLine(body)}${witnesses[1]}`;
    expect(verifyCheckpoint(note, log.key).size).toBe(7);
  });

  it.each([
    ['https://log.example', 'log.example'],
    ['http://log.example:8080', 'log.example'],
    ['http://log.example:8080', 'log.example:8080'],
    ['https://log.example/2026/', 'log.example/2026'],
    ['log.example', 'log.example'],
    ['localhost:8000', 'localhost:8000'],
  ])('of the log at %s may be signed as %s', (baseUrl, name) => {
    const text = `${name}\n7\n${base64}\n`;
    const note = `${text}\n${log.signatureLine(text, name)}`;
    expect(verifyCheckpoint(note, { ...log.key, baseUrl }).origin).toBe(name);
  });

  it.each([
    ['a longer name', 'log.example.org'],
    ['a name before it', 'xlog.example'],
    ['a shorter name', 'log.exampl'],
    ['another case', 'LOG.example'],
    ['a path that the log has not', 'log.example/2026'],
  ])('is refused when it is signed as %s, by the right key', (_, name) => {
    const text = `${name}\n7\n${base64}\n`;
    const note = `${text}\n${log.signatureLine(text, name)}`;
    const refusal = refusalOf(() => verifyCheckpoint(note, log.key));
    expect(refusal).toMatchObject({ code: 'invalid', expected: logName, got: name });
  });

  it.each([
    'log.example.org',
    'log.example - ',
    'log.example - 12x',
    'log.example -12',
    'log.example 12',
    'other.example - 12',
    'xlog.example',
    ' log.example',
  ])('is refused when its origin is "%s"', (origin) => {
    expectRefusal(() => verifyCheckpoint(log.checkpoint(7, root, origin), log.key), 'invalid', /another log/);
  });

  it('is refused when only a witness signed it', () => {
    const note = `${body}\n${testLog().signatureLine(body, 'witness.example')}`;
    expectRefusal(() => verifyCheckpoint(note, log.key), 'invalid', /no signature of the log/);
  });

  it('is refused when another key signed it in the name of the log, with its own hint or with ours', () => {
    const other = testLog();
    const honest = `${body}\n${other.signatureLine(body)}`;
    expectRefusal(() => verifyCheckpoint(honest, log.key), 'invalid', /no signature of the log/);
    const forged = `${body}\n${other.signatureLine(body, logName, log.key.logId.subarray(0, 4))}`;
    expectRefusal(() => verifyCheckpoint(forged, log.key), 'invalid', /does not hold/);
  });

  it('is refused when the log signed it twice, once wrongly', () => {
    const wrong = testLog().signatureLine(body, logName, log.key.logId.subarray(0, 4));
    const note = `${body}\n${log.signatureLine(body)}${wrong}`;
    expectRefusal(() => verifyCheckpoint(note, log.key), 'invalid', /does not hold/);
  });

  it.each([
    ['no origin', `\n7\n${base64}\n`],
    ['no size', `${logName}\n${base64}\n`],
    ['no root hash', `${logName}\n7\n`],
    ['a signed size', `${logName}\n+7\n${base64}\n`],
    ['a negative size', `${logName}\n-7\n${base64}\n`],
    ['a size with leading zeros', `${logName}\n07\n${base64}\n`],
    ['a size in hexadecimal', `${logName}\n0x7\n${base64}\n`],
    ['a size with a space', `${logName}\n7 \n${base64}\n`],
    ['a size beyond 2^53', `${logName}\n9007199254740992\n${base64}\n`],
    ['a root hash of 31 bytes', `${logName}\n7\n${root.subarray(1).toString('base64')}\n`],
    ['a root hash without padding', `${logName}\n7\n${base64.replace('=', '')}\n`],
    ['a root hash of base64url', `${logName}\n7\n${Buffer.alloc(32, 0xfb).toString('base64url')}=\n`],
    ['an empty line in the text', `${logName}\n7\n${base64}\n\nmore\n`],
    ['a carriage return', `${logName}\r\n7\r\n${base64}\r\n`],
    ['a NUL', `${logName}\u0000\n7\n${base64}\n`],
    ['half a surrogate pair', `${logName}\n7\n${base64}\n\ud800\n`],
  ])('is malformed with %s, though the log signed it', (_, text) => {
    expectRefusal(() => verifyCheckpoint(signed(text), log.key), 'malformed', /checkpoint/);
  });

  it.each([
    ['nothing', ''],
    ['no signature lines', `${body}\n`],
    ['no empty line', `${body}${log.signatureLine(body)}`],
    ['no newline at its end', log.checkpoint(7, root).trimEnd()],
    ['a hyphen for the dash', log.checkpoint(7, root).replace('\u2014', '-')],
    ['two spaces', log.checkpoint(7, root).replace(`\u2014 ${logName} `, `\u2014 ${logName}  `)],
    ['text after its signatures', `${log.checkpoint(7, root)}more\n`],
    ['an empty line after its signatures', `${log.checkpoint(7, root)}\n`],
    ['a signature that is the hint alone', `${body}\n\u2014 ${logName} AAAAAA==\n`],
    ['a signature that is no base64', `${body}\n\u2014 ${logName} AAAAAAA\n`],
    ['a name with a plus', `${body}\n\u2014 log+example AAAAAAAA\n`],
    ['too many signatures', `${body}\n${'\u2014 w AAAAAAAA\n'.repeat(100)}${log.signatureLine(body)}`],
    ['a megabyte of text', signed(`${body}${'x'.repeat(1 << 20)}\n`)],
  ])('is malformed with %s', (_, note) => {
    expectRefusal(() => verifyCheckpoint(note, log.key), 'malformed', /checkpoint/);
  });

  it('is refused for a log whose address in the trusted root is none', () => {
    const lost = { ...log.key, baseUrl: 'https://' };
    expectRefusal(() => verifyCheckpoint(log.checkpoint(7, root), lost), 'invalid', /no signature of the log/);
  });

  it('is refused with any one character changed, added or taken away in its text', () => {
    const note = log.checkpoint(7, root);
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.string({ maxLength: 2 }), (at, replacement) => {
        const changed = note.slice(0, at) + replacement + note.slice(at + 1);
        if (changed !== note) refusalOf(() => verifyCheckpoint(changed, log.key));
      }),
      { numRuns: 500 },
    );
  });

  it('ends in a result or a refusal, whatever it is given', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(logName, '7', base64, '', `\u2014 ${logName} AAAAAAAA`),
      fc.base64String().map((text) => `\u2014 ${logName} ${text}`),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        refusalOf(() => verifyCheckpoint(`${lines.join('\n')}\n`, log.key));
      }),
    );
  });
});

describeData('real checkpoints', () => {
  const listed = realBundles().flatMap(({ name, entity, trust }) =>
    entity.entries.flatMap(({ logId, proof }) => {
      const key = trust.tlogs.find((tlog) => tlog.logId.equals(logId));
      return proof === undefined ? [] : [{ name, proof, key }];
    }),
  );

  /** What is wrong is the checkpoint itself. */
  const bad = new Map([
    ['conformance/checkpoint-bad-keyhint_fail', 'invalid'],
    ['conformance/rekor2-checkpoint-missing-log-signature_fail', 'malformed'],
    ['conformance/rekor2-checkpoint-missing-origin_fail', 'malformed'],
    ['conformance/rekor2-checkpoint-missing-size_fail', 'malformed'],
  ]);

  it('holds in every bundle of a known log, but for the four that were made to fail', () => {
    let held = 0;
    for (const { name, proof, key } of listed) {
      if (key === undefined) {
        expect(name).toBe('conformance/bundle-from-wrong-instance_fail');
        continue;
      }
      const code = bad.get(name);
      if (code === undefined) {
        expect(verifyCheckpoint(proof.checkpoint, key).size, name).toBe(proof.treeSize);
        held++;
      } else expect(refusalOf(() => verifyCheckpoint(proof.checkpoint, key)).code, name).toBe(code);
    }
    expect([listed.length, held]).toEqual([39, 34]);
  });

  it('of any log does not hold for another', () => {
    const keys = [...new Map(realBundles().flatMap(({ trust }) => trust.tlogs.map((each) => [each.baseUrl, each])))];
    for (const { proof, key } of listed) {
      for (const [, other] of keys) {
        if (key === undefined || other.key.fingerprint === key.key.fingerprint) continue;
        refusalOf(() => verifyCheckpoint(proof.checkpoint, other));
        refusalOf(() => verifyCheckpoint(proof.checkpoint, { ...other, baseUrl: key.baseUrl, logId: key.logId }));
      }
    }
  });

  it('of golang.org/x/mod holds', () => {
    const { vkey, checkpoints } = JSON.parse(readData('ledger/sumdb-generated.json').toString()) as {
      vkey: string;
      checkpoints: readonly string[];
    };
    const [name, id, encoded] = /^(.*?)\+([0-9a-f]{8})\+(.*)$/.exec(vkey)!.slice(1) as [string, string, string];
    const key: LogKey = {
      logId: Buffer.from(id, 'hex'),
      baseUrl: `https://${name}`,
      key: ed25519Key(Buffer.from(encoded, 'base64').subarray(1)),
      validFor: { start: 0 },
    };
    expect(checkpoints.map((note) => verifyCheckpoint(note, key).size)).toEqual([0, 1, 256, 257, 600]);
  });
});

function ed25519Key(raw: Buffer) {
  return publicKeyFromSpki(Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]));
}
