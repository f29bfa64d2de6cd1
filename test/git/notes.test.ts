import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { readNotes, readNotesFor } from '../../src/git/notes.ts';
import type { ObjectFormat, ObjectId, ObjectType } from '../../src/git/types.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { type FakeContent, type MemoryStore, memoryStore } from './memory-store.ts';

const one = '1'.repeat(40);
const two = `12${'2'.repeat(38)}`;

function notesOf(store: MemoryStore, files: Readonly<Record<string, FakeContent>>): ObjectId {
  const ident = 'A <a@b> 1 +0000';
  return store.put('commit', `tree ${store.putTree(files)}\nauthor ${ident}\ncommitter ${ident}\n\nnotes\n`);
}

function fanned(id: string, levels: number): string {
  return [...Array.from({ length: levels }, (_, at) => id.slice(2 * at, 2 * at + 2)), id.slice(2 * levels)].join('/');
}

describe('notes', () => {
  it('are found at any depth of directories', async () => {
    const store = memoryStore();
    const commit = notesOf(store, { [fanned(one, 0)]: 'a', [fanned(two, 3)]: 'b' });
    const { notes, foreign } = await readNotes(store, commit);
    expect([...notes.keys()].sort()).toEqual([one, two]);
    expect((await store.read(notes.get(two)![0]!, 'blob')).bytes.toString()).toBe('b');
    expect(foreign).toBe(0);
  });

  it('pass over and count what is no note', async () => {
    const store = memoryStore();
    const commit = notesOf(store, {
      [one]: 'a',
      'README.md': 'x',
      'zz/x': 'x',
      [`12/${'2'.repeat(37)}`]: 'too short',
      [two]: { mode: '120000', content: 'a link' },
      'abc/d': 'x',
    });
    const { notes, foreign } = await readNotes(store, commit);
    expect([...notes.keys()]).toEqual([one]);
    expect(foreign).toBe(5);
  });

  it('give both where two places hold a note for one object', async () => {
    const store = memoryStore();
    const { notes } = await readNotes(store, notesOf(store, { [one]: 'a', [fanned(one, 1)]: 'b' }));
    expect(notes.get(one)).toHaveLength(2);
  });

  it('of a few objects are found without reading the others', async () => {
    const store = memoryStore();
    const ids = Array.from({ length: 256 }, (_, at) => at.toString(16).padStart(2, '0').repeat(20));
    const commit = notesOf(store, Object.fromEntries(ids.map((id) => [fanned(id, 1), id])));
    store.reads.count = 0;
    const { notes } = await readNotesFor(store, commit, [ids[7]!, ids[9]!, two]);
    expect([...notes.keys()].sort()).toEqual([ids[7], ids[9]].sort());
    // The commit, its tree, and one directory for each of three ids.
    expect(store.reads.count).toBe(5);
  });
});

describe.each(['sha1', 'sha256'] as const)('notes that git wrote in a repository of %s', (format: ObjectFormat) => {
  const directory = temporaryDirectory();

  it('are all read', async () => {
    const env = { PATH: process.env['PATH'], HOME: directory, GIT_CONFIG_NOSYSTEM: '1' };
    const people = ['-c', 'user.name=A', '-c', 'user.email=a@b'];
    const git = (args: readonly string[], input?: string): string =>
      execFileSync('git', [...people, ...args], {
        cwd: directory,
        env,
        ...(input !== undefined && { input }),
      }).toString();
    git(['init', '-q', `--object-format=${format}`, '.']);
    const marks = Array.from({ length: 120 }, (_, at) => at);
    const blobs = marks.map((at) => `blob\nmark :${at + 1}\ndata ${`${at}`.length}\n${at}\n`).join('');
    const notes = marks.map((at) => `N inline :${at + 1000}\ndata ${`note ${at}`.length}\nnote ${at}\n`).join('');
    const commits = marks
      .map((at) => `commit refs/heads/b${at}\nmark :${at + 1000}\ncommitter A <a@b> ${at + 1} +0000\ndata 1\nx\n`)
      .join('');
    git(
      ['fast-import', '--quiet', '--export-marks=marks'],
      `${blobs}${commits}commit refs/notes/x\ncommitter A <a@b> 1 +0000\ndata 1\nn\n${notes}`,
    );
    const store = memoryStore(format);
    for (const line of git(['cat-file', '--batch-all-objects', '--batch-check']).trim().split('\n')) {
      const [id = '', type = ''] = line.split(' ');
      const bytes = execFileSync('git', ['cat-file', type, id], { cwd: directory, env });
      expect(store.put(type as ObjectType, bytes)).toBe(id);
    }
    const commit = git(['rev-parse', 'refs/notes/x']).trim();
    const { notes: found, foreign } = await readNotes(store, commit);
    const listed = git(['notes', '--ref=x', 'list']).trim().split('\n');
    expect([...found].map(([object, blob]) => `${blob.join()} ${object}`).sort()).toEqual(listed.sort());
    expect(found.size).toBe(120);
    expect(foreign).toBe(0);
    const some = [...found.keys()].slice(0, 5);
    expect([...(await readNotesFor(store, commit, some)).notes.keys()].sort()).toEqual(some.sort());
  }, 60_000);
});
