import { describe, expect, it } from 'vitest';
import { digestArtifact } from '../../src/run/verify-artifact.ts';
import { verifyAhead } from '../../src/sigstore/ahead.ts';
import { parseBundle } from '../../src/sigstore/bundle.ts';
import type { SignedEntity } from '../../src/sigstore/types.ts';
import { outcomeOf, verifyEntity } from '../../src/sigstore/verify.ts';
import { describeData } from '../kit/data.ts';
import { fileBundle, makeInstance, sha256Of, statementBundle } from '../kit/signed.ts';
import { realBundles } from './bundles.ts';
import { refusalOf } from './refusal.ts';

const instance = makeInstance();
const trust = [instance.root];
const content = Buffer.from('what is released\n');
const digest = sha256Of(content);
const artifact = digestArtifact(digest, 'sha256', digest.slice('sha256:'.length));
const release = 'https://ci.example/acme/release';
const signed = () => parseBundle(statementBundle(instance, release, digest));

/** The same with one bit of these bytes turned, everything else being the very same objects. */
function spoiled(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1;
  return copy;
}

/** The last letter of its base64 that stands for six bits turns into another. */
function withOtherSignature(checkpoint: string): string {
  return checkpoint.replace(/(.)(.{4}\n)$/s, (_, letter: string, rest: string) => (letter === 'A' ? 'B' : 'A') + rest);
}

function withContent(entity: SignedEntity, changes: object): SignedEntity {
  return { ...entity, content: { ...entity.content, ...changes } as SignedEntity['content'] };
}

describe('work ahead of a verification', () => {
  it('changes nothing about what holds', async () => {
    const entity = signed();
    const before = verifyEntity(entity, trust, artifact);
    await verifyAhead(entity, trust);
    expect(verifyEntity(entity, trust, artifact)).toEqual(before);
  });

  it.each(['leaf', 'signature', 'payload'] as const)('finds out a %s that was changed', async (part) => {
    const entity = signed();
    const { material } = entity;
    if (entity.content.kind !== 'dsse' || material.kind !== 'certificate') throw new Error('not as it was made');
    const changed =
      part === 'leaf'
        ? { ...entity, material: { ...material, leaf: spoiled(material.leaf, material.leaf.length - 1) } }
        : withContent(entity, { [part]: spoiled(entity.content[part], entity.content[part].length - 2) });
    const before = refusalOf(() => verifyEntity(changed, trust, artifact));
    await verifyAhead(changed, trust);
    expect(refusalOf(() => verifyEntity(changed, trust, artifact))).toEqual(before);
  });

  it.each(['promise', 'checkpoint'] as const)('finds out a %s of the log that was changed', async (part) => {
    const entity = signed();
    const [entry] = entity.entries;
    if (entry?.promise === undefined || entry.proof === undefined) throw new Error('not as it was made');
    await verifyAhead(entity, trust);
    const { promise, proof } = entry;
    const other =
      part === 'promise'
        ? { ...entry, promise: spoiled(promise, promise.length - 1) }
        : { ...entry, proof: { ...proof, checkpoint: withOtherSignature(proof.checkpoint) } };
    const changed = { ...entity, entries: [other] };
    const before = refusalOf(() => verifyEntity(changed, trust, artifact));
    expect(before.code).toBe('invalid');
    await verifyAhead(changed, trust);
    expect(refusalOf(() => verifyEntity(changed, trust, artifact))).toEqual(before);
  });

  it('is for these keys alone: a log of the same id is not believed', async () => {
    const other = makeInstance().root;
    const entity = signed();
    await verifyAhead(entity, trust);
    const tlogs = instance.root.tlogs.map((log, at) => ({ ...log, key: other.tlogs[at]!.key }));
    expect(refusalOf(() => verifyEntity(entity, [{ ...instance.root, tlogs }], artifact)).code).toBe('invalid');
  });

  it('is for these bytes alone: an answer is not taken for other content under the same signature', async () => {
    const entity = signed();
    await verifyAhead(entity, trust);
    if (entity.content.kind !== 'dsse') throw new Error('not as it was made');
    const payload = Buffer.from(entity.content.payload.toString().replace(digest.slice(7), 'f'.repeat(64)));
    expect(refusalOf(() => verifyEntity(withContent(entity, { payload }), trust, artifact)).code).toBe('invalid');
  });

  it('is for this certificate alone: another leaf in the same entity is asked for anew', async () => {
    const entity = signed();
    await verifyAhead(entity, trust);
    const { material } = entity;
    if (material.kind !== 'certificate') throw new Error('not as it was made');
    const leaf = instance.leaf({ uris: ['https://ci.example/mallory/release'] }).der;
    const changed = { ...entity, material: { ...material, leaf } };
    expect(refusalOf(() => verifyEntity(changed, trust, artifact)).code).toBe('invalid');
  });

  it('does not believe an authority of the same name', async () => {
    const other = makeInstance();
    const entity = parseBundle(statementBundle(other, release, digest));
    await verifyAhead(entity, [other.root]);
    expect(refusalOf(() => verifyEntity(entity, trust, artifact)).code).not.toBe('wrong-subject');
  });

  it('has nothing to say about what cannot be read, or is signed with a plain key', async () => {
    const entity = parseBundle(fileBundle(instance, release, content));
    const unreadable = { ...entity, material: { kind: 'certificate', leaf: Buffer.from('x'), chain: [] } } as const;
    await expect(verifyAhead(unreadable, trust)).resolves.toBeUndefined();
    await expect(verifyAhead({ ...entity, material: { kind: 'key' } }, trust)).resolves.toBeUndefined();
  });
});

describeData('real bundles', () => {
  it('are judged the same with the work ahead and without', async () => {
    for (const { name, entity, trust: root } of realBundles()) {
      // Each time from fresh certificates: what was checked is remembered by them.
      const judge = () => outcomeOf(() => verifyEntity(entity, [root], artifact));
      const before = judge();
      await verifyAhead(entity, [root]);
      expect([name, judge()]).toEqual([name, before]);
    }
  });
});
