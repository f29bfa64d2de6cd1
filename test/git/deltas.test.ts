/** Packs of some kilobytes whose deltas grow to more than anybody has memory for. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { makeRepository, runGit, type TestRepository } from '../kit/repository.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { open, refusal } from './open.ts';

const parent = temporaryDirectory();
const block = 0xff_0000;
const limits = { maxObjectBytes: 64 * 1024 * 1024 };

/** The object of `head` and then `copies` blocks, as a delta over the one with a single block; gives its id. */
function plant(made: TestRepository, type: 'commit' | 'blob', head: Buffer, copies: number): string {
  const filler = Buffer.alloc(block, 0x61);
  const base = Buffer.concat([head, filler]);
  const size = head.length + copies * block;
  const whole = createHash('sha1').update(`${type} ${size}\0`).update(head);
  for (let at = 0; at < copies; at += 1) whole.update(filler);
  const baseName = createHash('sha1').update(`${type} ${base.length}\0`).update(base).digest();
  // Copies: the length of the head from 0, then a block from there, again and again.
  const start = head.length === 0 ? [] : [0x80 | 0x10 | 0x20, head.length & 255, head.length >> 8];
  const each = Buffer.from([0x80 | 0x01 | 0x02 | 0x40, head.length & 255, head.length >> 8, 0xff]);
  const delta = Buffer.concat([varint(base.length), varint(size), Buffer.from(start), ...Array(copies).fill(each)]);
  const pack = Buffer.concat([
    Buffer.from('PACK\0\0\0\x02\0\0\0\x02', 'latin1'),
    entryHead(type === 'commit' ? 1 : 3, base.length),
    deflateSync(base),
    entryHead(7, delta.length),
    baseName,
    deflateSync(delta),
  ]);
  const file = path.join(made.gitDir, 'objects/pack', `pack-${type}${copies}.pack`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, Buffer.concat([pack, createHash('sha1').update(pack).digest()]));
  runGit(made.path, ['index-pack', file]);
  return whole.digest('hex');
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 127) | 128);
  }
}

function entryHead(type: number, length: number): Buffer {
  const rest = length >>> 4;
  const first = (type << 4) | (length & 15);
  return rest === 0 ? Buffer.from([first]) : Buffer.concat([Buffer.from([first | 128]), varint(rest)]);
}

function commitHead(made: TestRepository, parentCommit: string): Buffer {
  const who = 'a <a@b.c> 1700000000 +0000';
  return Buffer.from(`tree ${made.treeOf(parentCommit)}\nparent ${parentCommit}\nauthor ${who}\ncommitter ${who}\n\n`);
}

describe('objects that grow out of small deltas', () => {
  it('never get the memory that they ask for: a walk over such a commit is refused', async () => {
    const made = makeRepository(parent);
    const base = made.commit({ files: { a: '1' } });
    const bomb = plant(made, 'commit', commitHead(made, base), 40);
    const above = made.commit({ branch: 'above', parents: [bomb], tree: made.treeOf(base) });
    const why = await refusal((await open(made.path, {}, limits)).listRange(base, above));
    expect(why).toMatchObject({
      rule: 'object-too-large',
      text: expect.stringMatching(/^git rev-list needs more memory/),
    });
    const twin = plant(made, 'commit', commitHead(made, base), 2);
    const sound = made.commit({ branch: 'sound', parents: [twin], tree: made.treeOf(base) });
    expect(await (await open(made.path, {}, limits)).listRange(base, sound)).toEqual([twin, sound]);
  }, 60_000);

  it('are refused by their name, and what is asked for with them is read', async () => {
    const made = makeRepository(parent);
    made.commit({ files: { a: '1' } });
    const bomb = plant(made, 'blob', Buffer.from('x'), 40);
    const large = plant(made, 'blob', Buffer.from('x'), 3);
    const small = Array.from({ length: 40 }, (_, at) => made.object('blob', `small ${at}`));
    const { objects } = await open(made.path);
    const before = small.slice(0, 20).map((id) => objects.read(id, 'blob'));
    const refused = refusal(objects.read(bomb, 'blob'));
    const after = [large, ...small.slice(20)].map((id) => objects.read(id, 'blob'));
    expect(await refused).toMatchObject({ rule: 'object-too-large', text: expect.stringContaining(bomb) });
    const read = await Promise.all([...before, ...after]);
    expect(read.map(({ id }) => id)).toEqual([...small.slice(0, 20), large, ...small.slice(20)]);
  }, 60_000);
});
