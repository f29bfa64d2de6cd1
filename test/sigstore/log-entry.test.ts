import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifyLogEntry } from '../../src/sigstore/log-entry.ts';
import type { LogEntry } from '../../src/sigstore/types.ts';
import { describeData } from '../kit/data.ts';
import { realBundle, realBundles } from './bundles.ts';
import { signedAt, testKey, testLog } from './log.ts';
import { expectRefusal, refusalOf } from './refusal.ts';

const log = testLog();
const body = Buffer.from('{"kind":"test"}');
const full = log.entry(body);
const promised: LogEntry = without(full, 'proof');
const proved: LogEntry = without(full, 'promise');
/** As Rekor v2 gives it: one index, no time. */
const timeless: LogEntry = { ...without(without(full, 'promise'), 'integratedTime'), logIndex: 1 };
const time = { at: signedAt, source: 'log', by: 'https://log.example' };

describe('a log entry', () => {
  it('with a promise is proved, with the time and the index that the log signed', () => {
    const expected = { by: 'https://log.example', index: 1000, time, log: log.key };
    expect(verifyLogEntry(promised, [log.key], 'promise')).toEqual(expected);
    expect(verifyLogEntry(promised, [log.key], 'either')).toEqual(expected);
    expect(verifyLogEntry(full, [log.key], 'promise')).toEqual(expected);
    expect(verifyLogEntry(full, [log.key], 'proof')).toEqual(expected);
  });

  it('with a proof alone is proved, and has no time: nobody signed the one that it states', () => {
    const expected = { by: 'https://log.example', index: 1, log: log.key };
    expect(verifyLogEntry(proved, [log.key], 'proof')).toEqual(expected);
    expect(verifyLogEntry(proved, [log.key], 'either')).toEqual(expected);
    expect(verifyLogEntry(timeless, [log.key], 'proof')).toEqual(expected);
    expect(verifyLogEntry({ ...timeless, integratedTime: 0 }, [log.key], 'proof')).toEqual(expected);
  });

  it.each(['ed25519', 'rsa', 'P-384'] as const)('may be of a log with a key of kind %s', (kind) => {
    const other = testLog(testKey(kind));
    expect(verifyLogEntry(other.entry(body), [log.key, other.key], 'proof').log).toBe(other.key);
  });

  it('is unproved when what its format demands is not there', () => {
    expectRefusal(() => verifyLogEntry(proved, [log.key], 'promise'), 'unproved', /no inclusion promise/);
    expectRefusal(() => verifyLogEntry(promised, [log.key], 'proof'), 'unproved', /no inclusion proof/);
    const bare = without(promised, 'promise');
    for (const requires of ['promise', 'proof', 'either'] as const) {
      expectRefusal(() => verifyLogEntry(bare, [log.key], requires), 'unproved', /only the log itself/);
    }
  });

  it('is untrusted when its log is not listed', () => {
    expectRefusal(() => verifyLogEntry(full, [], 'proof'), 'untrusted', /does not list/);
    expectRefusal(() => verifyLogEntry(full, [testLog().key], 'proof'), 'untrusted', /does not list/);
    const cut = { ...full, logId: full.logId.subarray(0, 4) };
    expectRefusal(() => verifyLogEntry(cut, [log.key], 'proof'), 'untrusted', /does not list/);
  });

  it.each([
    ['at the start', { start: signedAt }, true],
    ['at the end', { start: 0, end: signedAt }, true],
    ['a moment before the start', { start: signedAt + 1 }, false],
    ['a moment after the end', { start: 0, end: signedAt - 1 }, false],
  ])('from %s of the time of its log', (_, validFor, good) => {
    const key = { ...log.key, validFor };
    for (const entry of [promised, full]) {
      if (good) expect(verifyLogEntry(entry, [key], 'either').time?.at).toBe(signedAt);
      else expectRefusal(() => verifyLogEntry(entry, [key], 'either'), 'untrusted', /from a time/);
    }
    // A time that nobody signed does not make a log valid either.
    if (!good) expectRefusal(() => verifyLogEntry(proved, [key], 'proof'), 'untrusted', /from a time/);
  });

  it('is read with the key that its log had at that time', () => {
    const before = { ...log.key, validFor: { start: 0, end: signedAt - 1 } };
    const then = { ...log.key, validFor: { start: signedAt } };
    expect(verifyLogEntry(full, [before, then], 'proof').log).toBe(then);
  });

  it.each([
    ['another body', { body: Buffer.from('{"kind":"tesu"}') }],
    ['another time', { integratedTime: signedAt / 1000 + 1 }],
    ['another index', { logIndex: 1001 }],
    ['the promise of another entry', { promise: log.promise(Buffer.from('x'), signedAt / 1000, 1000) }],
    ['the promise of another log', { promise: testLog().promise(body, signedAt / 1000, 1000) }],
    ['an empty promise', { promise: Buffer.alloc(0) }],
  ])('is invalid when its promise comes with %s', (_, change) => {
    expectRefusal(() => verifyLogEntry({ ...promised, ...change }, [log.key], 'promise'), 'invalid', /promise/);
  });

  it.each([
    ['no time', { integratedTime: 0 }],
    ['a time before all time', { integratedTime: -1 }],
    ['half a second', { integratedTime: 1.5 }],
    ['a time beyond all dates', { integratedTime: 2 ** 53 - 1 }],
    ['no index', { logIndex: Number.NaN }],
    ['a negative index', { logIndex: -1 }],
  ])('is malformed when its promise comes with %s', (_, change) => {
    const key = { ...log.key, validFor: { start: Number.NEGATIVE_INFINITY } };
    expectRefusal(() => verifyLogEntry({ ...promised, ...change }, [key], 'promise'), 'malformed', /log entry/);
  });

  it('needs both to hold where both are there, whichever is required', () => {
    const other = log.proof([Buffer.from('x'), Buffer.from('y'), Buffer.from('z')], 1);
    const badPromise = { ...full, promise: log.promise(body, signedAt / 1000, 7) };
    for (const requires of ['promise', 'proof', 'either'] as const) {
      expectRefusal(() => verifyLogEntry({ ...full, proof: other }, [log.key], requires), 'invalid', /root hash/);
      expectRefusal(() => verifyLogEntry(badPromise, [log.key], requires), 'invalid', /promise/);
    }
  });

  it('is invalid when the checkpoint is about another tree, though the log signed it', () => {
    const { proof } = full;
    const checkpoints = [
      log.checkpoint(4, proof.rootHash),
      log.checkpoint(3, Buffer.alloc(32)),
      log.proof([body, body], 0).checkpoint,
    ];
    for (const checkpoint of checkpoints) {
      const entry = { ...full, proof: { ...proof, checkpoint } };
      expectRefusal(() => verifyLogEntry(entry, [log.key], 'proof'), 'invalid', /another tree/);
    }
  });

  it('may have a checkpoint under the name of the machine that the log ran on, beside its own promise alone', () => {
    const { proof } = full;
    const named = (origin: string, name: string, of = log) => {
      const text = `${origin}\n3\n${proof.rootHash.toString('base64')}\n`;
      return { ...proof, checkpoint: `${text}\n${of.signatureLine(text, name, log.key.logId.subarray(0, 4))}` };
    };
    const pod = named('rekor-7d9-jds5x - 42', 'rekor-7d9-jds5x');
    expect(verifyLogEntry({ ...full, proof: pod }, [log.key], 'proof').time).toEqual(time);
    for (const entry of [proved, timeless]) {
      expectRefusal(() => verifyLogEntry({ ...entry, proof: pod }, [log.key], 'proof'), 'invalid', /no signature of/);
    }
    const wrong: readonly [LogEntry, RegExp][] = [
      [{ ...full, proof: pod, promise: log.promise(body, signedAt / 1000, 7) }, /promise/],
      [{ ...full, proof: named('rekor-7d9-jds5x - 42', 'rekor-7d9-other') }, /of another log/],
      [{ ...full, proof: named('rekor-7d9-jds5x - 42', 'rekor-7d9-jds5x', testLog()) }, /does not hold/],
    ];
    for (const [entry, why] of wrong) {
      expectRefusal(() => verifyLogEntry(entry, [log.key], 'proof'), 'invalid', why);
    }
  });

  it('is invalid when the root hash of the proof is that of a tree of its own, under the checkpoint of the log', () => {
    const own = testLog().proof([Buffer.from('before'), Buffer.from('forged')], 1);
    const entry = { ...timeless, body: Buffer.from('forged'), proof: { ...own, checkpoint: full.proof.checkpoint } };
    expectRefusal(() => verifyLogEntry(entry, [log.key], 'proof'), 'invalid', /another tree/);
    expectRefusal(() => verifyLogEntry({ ...entry, proof: own }, [log.key], 'proof'), 'invalid', /no signature/);
  });

  it('is malformed without a checkpoint', () => {
    const entry = { ...full, proof: { ...full.proof, checkpoint: '' } };
    expectRefusal(() => verifyLogEntry(entry, [log.key], 'proof'), 'malformed', /checkpoint/);
  });

  it('of a log without promises has one index', () => {
    expectRefusal(() => verifyLogEntry({ ...timeless, logIndex: 2 }, [log.key], 'proof'), 'invalid', /two indexes/);
  });

  it('never holds with a flipped bit anywhere that is signed', () => {
    const flip = (bytes: Buffer, at: number) => {
      const copy = Buffer.from(bytes);
      copy[at % copy.length]! ^= 1 << (at % 8);
      return copy;
    };
    fc.assert(
      fc.property(fc.nat(), fc.nat(5), (at, field) => {
        const { proof } = full;
        const changes: Partial<LogEntry>[] = [
          { body: flip(full.body, at) },
          { promise: flip(full.promise, at) },
          { logId: flip(full.logId, at) },
          { proof: { ...proof, rootHash: flip(proof.rootHash, at) } },
          { proof: { ...proof, hashes: [flip(proof.hashes[0]!, at), proof.hashes[1]!] } },
          { proof: { ...proof, checkpoint: flip(Buffer.from(proof.checkpoint), at).toString() } },
        ];
        refusalOf(() => verifyLogEntry({ ...full, ...changes[field] }, [log.key], 'proof'));
      }),
      { numRuns: 600 },
    );
  });
});

describeData('real log entries', () => {
  const listed = realBundles().flatMap(({ name, entity, trust, good }) =>
    entity.entries.map((entry) => ({ name, entry, trust, good, requires: entity.requires })),
  );

  it('hold in every good bundle', () => {
    const good = listed.filter((each) => each.good);
    let [times, proofs] = [0, 0];
    for (const { name, entry, trust, requires } of good) {
      const { time: at, index } = verifyLogEntry(entry, trust.tlogs, requires);
      expect(index, name).toBe(entry.logIndex);
      expect(at?.at, name).toBe(entry.promise === undefined ? undefined : (entry.integratedTime ?? 0) * 1000);
      if (at !== undefined) times++;
      if (entry.proof !== undefined) proofs++;
    }
    expect([good.length, times, proofs]).toEqual([27, 21, 23]);
  });

  it('do not hold where the log is what was made wrong', () => {
    const code = (name: string) => {
      const { entity, trust } = realBundle(`conformance/${name}_fail`);
      return refusalOf(() => verifyLogEntry(entity.entries[0]!, trust.tlogs, entity.requires)).code;
    };
    expect(code('bundle-from-wrong-instance')).toBe('untrusted');
    expect(code('checkpoint-bad-keyhint')).toBe('invalid');
    expect(code('rekor2-checkpoint-missing-log-signature')).toBe('malformed');
    expect(code('rekor2-checkpoint-missing-origin')).toBe('malformed');
    expect(code('rekor2-checkpoint-missing-size')).toBe('malformed');
  });

  it('do not hold with another body, time, proof or checkpoint', () => {
    for (const { entry, trust, requires } of listed.filter((each) => each.good)) {
      const body = Buffer.concat([entry.body, Buffer.from(' ')]);
      refusalOf(() => verifyLogEntry({ ...entry, body }, trust.tlogs, requires));
      if (entry.promise !== undefined) {
        const later = { ...entry, integratedTime: (entry.integratedTime ?? 0) + 1 };
        refusalOf(() => verifyLogEntry(later, trust.tlogs, requires));
      }
      const { proof } = entry;
      if (proof === undefined) continue;
      const wrong = [
        { ...proof, logIndex: proof.logIndex ^ 1 },
        { ...proof, treeSize: proof.treeSize + 1 },
        { ...proof, hashes: proof.hashes.slice(1) },
        { ...proof, checkpoint: proof.checkpoint.replace('\n', ' \n') },
      ];
      for (const each of wrong) refusalOf(() => verifyLogEntry({ ...entry, proof: each }, trust.tlogs, requires));
    }
  });
});

function without<K extends keyof LogEntry>(entry: LogEntry, field: K): LogEntry {
  const { [field]: _, ...rest } = entry;
  return rest as LogEntry;
}
