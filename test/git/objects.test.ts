import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeRepository, objectName, runGit, writeLooseAs } from '../kit/repository.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { open, refusal } from './open.ts';

const parent = temporaryDirectory();

describe('objects', () => {
  it('of every type come with the bytes that their name says, many at once, in any order', async () => {
    const made = makeRepository(parent);
    const tip = made.commit({ files: { a: 'one', 'b/c': 'two' } });
    const tag = made.tag('v1', tip);
    made.git('gc', '--quiet');
    const ids = Array.from({ length: 3000 }, (_, at) => made.object('blob', Buffer.alloc(at * 7, at)));
    const repository = await open(made.path);
    const blobs = await Promise.all(ids.map((id) => repository.objects.read(id, 'blob')));
    expect(blobs.every(({ bytes }, at) => bytes.equals(Buffer.alloc(at * 7, at)))).toBe(true);
    expect((await repository.objects.read(tip, 'commit')).type).toBe('commit');
    expect((await repository.objects.read(made.treeOf(tip), 'tree')).bytes.length).toBeGreaterThan(50);
    expect((await repository.objects.read(tag, 'tag')).bytes.toString()).toContain('tag v1');
    expect(await repository.objects.look(tag)).toMatchObject({ type: 'tag' });
    expect(await repository.objects.look(ids[2]!)).toEqual({ type: 'blob', size: 14 });
    expect(await repository.objects.look('1'.repeat(40))).toBeUndefined();
  });

  it('with other bytes than their name says are refused, from a loose file or from a pack', async () => {
    const made = makeRepository(parent);
    const good = made.object('blob', 'good');
    const forged = objectName('sha1', 'blob', Buffer.from('what was reviewed'));
    writeLooseAs(made.gitDir, forged, 'blob', Buffer.from('what is there'));
    const repository = await open(made.path);
    const why = await refusal(repository.objects.read(forged, 'blob'));
    expect(why).toMatchObject({ rule: 'object-mismatch' });
    expect(why.text).toContain(forged);
    expect((await repository.objects.read(good, 'blob')).bytes.toString()).toBe('good');
  });

  it('whose file cannot be unpacked end in a refusal that names it', async () => {
    const made = makeRepository(parent);
    const id = made.object('blob', 'good');
    writeFileSync(path.join(made.gitDir, 'objects', id.slice(0, 2), id.slice(2)), 'garbage');
    const repository = await open(made.path);
    const why = await refusal(repository.objects.read(id, 'blob'));
    expect(['object-mismatch', 'missing-object']).toContain(why.rule);
    expect(why.text).toContain(id);
  });

  it('of another type than was asked for are refused', async () => {
    const made = makeRepository(parent);
    const id = made.object('blob', 'tree');
    const repository = await open(made.path);
    expect(await refusal(repository.objects.read(id, 'tree'))).toMatchObject({ rule: 'schema-invalid' });
    // The same bytes as another type have another name.
    writeLooseAs(made.gitDir, objectName('sha1', 'blob', Buffer.from('x')), 'commit', Buffer.from('x'));
    const twin = objectName('sha1', 'blob', Buffer.from('x'));
    expect(await refusal(repository.objects.read(twin, 'commit'))).toMatchObject({ rule: 'object-mismatch' });
  });

  it('that are missing are refused, and an id that is none is never handed to git', async () => {
    const made = makeRepository(parent);
    const id = made.object('blob', 'here');
    const repository = await open(made.path);
    const wrong = [
      '1'.repeat(40),
      'HEAD',
      '',
      `${id}\n${id}`,
      id.slice(1),
      id.toUpperCase(),
      `${id}^{tree}`,
      'a'.repeat(64),
    ];
    const asked = wrong.map((each) => refusal(repository.objects.read(each, 'blob')));
    expect((await Promise.all(asked)).map(({ rule }) => rule)).toEqual(wrong.map(() => 'missing-object'));
    expect(await repository.objects.look('HEAD')).toBeUndefined();
    expect((await repository.objects.read(id, 'blob')).bytes.toString()).toBe('here');
  });

  it('beyond the cap are refused before they are read, and those after them still come', async () => {
    const made = makeRepository(parent);
    const large = Buffer.alloc(40 * 1024 * 1024, 'zero');
    const big = made.object('blob', large);
    const small = Array.from({ length: 600 }, (_, at) => made.object('blob', `small ${at}`));
    const repository = await open(made.path);
    const first = refusal(repository.objects.read(big, 'blob', 1000));
    const rest = Promise.all(small.map((id) => repository.objects.read(id, 'blob')));
    const again = refusal(repository.objects.read(big, 'blob', large.length - 1));
    const whole = repository.objects.read(big, 'blob', large.length);
    expect(await first).toMatchObject({ rule: 'object-too-large' });
    expect((await rest).map(({ bytes }) => bytes.toString())).toEqual(small.map((_, at) => `small ${at}`));
    expect(await again).toMatchObject({ rule: 'object-too-large' });
    expect((await whole).bytes.equals(large)).toBe(true);
    expect(await repository.objects.look(big)).toEqual({ type: 'blob', size: large.length });
    // A cap on something that is kept in memory holds as well.
    const tip = made.commit({ files: { a: '1' } });
    await repository.objects.read(tip, 'commit');
    expect(await refusal(repository.objects.read(tip, 'commit', 10))).toMatchObject({ rule: 'object-too-large' });
  });

  it('of SHA-256 are hashed by SHA-256', async () => {
    const made = makeRepository(parent, { format: 'sha256' });
    const id = made.object('blob', 'x');
    expect(id).toBe(createHash('sha256').update('blob 1\0x').digest('hex'));
    const forged = objectName('sha256', 'blob', Buffer.from('y'));
    writeLooseAs(made.gitDir, forged, 'blob', Buffer.from('z'));
    const repository = await open(made.path);
    expect((await repository.objects.read(id, 'blob')).bytes.toString()).toBe('x');
    expect(await refusal(repository.objects.read(forged, 'blob'))).toMatchObject({ rule: 'object-mismatch' });
  });

  it('forged in a pack are refused', async () => {
    const made = makeRepository(parent);
    made.object('blob', 'honest');
    const forged = objectName('sha1', 'blob', Buffer.from('claimed'));
    // A pack whose index gives an object another name: what verify-pack would find, and cat-file does not.
    const real = made.object('blob', 'in truth');
    runGit(made.path, ['pack-objects', '-q', path.join(made.gitDir, 'objects/pack/pack')], `${real}\n`);
    const pack = made.git('rev-parse', '--git-path', 'objects/pack');
    const index = runGit(made.path, ['-c', `alias.x=!cat '${path.resolve(made.path, pack)}'/*.idx`, 'x']);
    const at = index.indexOf(Buffer.from(real, 'hex'));
    Buffer.from(forged, 'hex').copy(index, at);
    index.fill(0, 8, 8 + 1024);
    for (let byte = Number.parseInt(forged.slice(0, 2), 16); byte < 256; byte += 1)
      index.writeUInt32BE(1, 8 + 4 * byte);
    const name = runGit(made.path, ['-c', `alias.x=!ls '${path.resolve(made.path, pack)}'/*.idx`, 'x'])
      .toString()
      .trim();
    runGit(made.path, ['-c', `alias.x=!chmod u+w '${name}'`, 'x']);
    writeFileSync(name, index);
    runGit(made.path, ['-c', `alias.x=!rm -f .git/objects/${real.slice(0, 2)}/${real.slice(2)}`, 'x']);
    expect(made.git('cat-file', 'blob', forged)).toBe('in truth');
    const repository = await open(made.path);
    expect(await refusal(repository.objects.read(forged, 'blob'))).toMatchObject({ rule: 'object-mismatch' });
  });
});
