import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { realDisk } from '../../src/io/disk.ts';
import { sha256 } from '../kit/image.ts';
import { refusal, show } from '../kit/scanned.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';

const temporary = temporaryDirectory();
const project = {
  'package.json': '{}',
  'src/a.ts': 'a',
  'node_modules/x/index.js': 'x',
  '.git/config': 'g',
  '.hidden': 'h',
};

describe('a directory', () => {
  it('is a source tree, without what package managers and git put there', async () => {
    const { files, source } = await show(`dir:${writeTree(temporary, project)}`);
    expect(files).toEqual({ 'package.json': '{}', 'src/a.ts': 'a', '.hidden': 'h' });
    expect(source.subject).toMatchObject({ kind: 'source', layers: [] });
  });

  it('is shown with everything but git when everything is asked for', async () => {
    const { files } = await show(`dir:${writeTree(temporary, project)}`, { everything: true });
    expect(Object.keys(files)).toEqual(['.hidden', 'node_modules/x/index.js', 'package.json', 'src/a.ts']);
  });

  it.each(['etc/os-release', 'var/lib/dpkg/status', 'lib/apk/db/installed', 'var/lib/rpm/Packages'])(
    'with %s is a root file system, of which nothing is left out',
    async (mark) => {
      const { files, source } = await show(`dir:${writeTree(temporary, { ...project, [mark]: 'x' })}`);
      expect(source.subject.kind).toBe('rootfs');
      expect(Object.keys(files).sort()).toEqual([...Object.keys(project), mark].sort());
    },
  );

  it('with a link to a file as its mark is a root file system too', async () => {
    const place = writeTree(temporary, { 'usr/lib/system': 'x' });
    mkdirSync(path.join(place, 'etc'));
    symlinkSync('../usr/lib/system', path.join(place, 'etc/os-release'));
    expect((await show(place)).source.subject.kind).toBe('rootfs');
  });

  it("is not this machine's system because a link leads there", async () => {
    const place = writeTree(temporary, project);
    const system = writeTree(temporary, { 'os-release': 'ID=x' });
    symlinkSync(system, path.join(place, 'etc'));
    expect((await show(place)).source.subject.kind).toBe('source');
  });

  it('is a source tree when files have the names of system directories', async () => {
    const { source, files } = await show(writeTree(temporary, { etc: 'e', usr: 'u', var: 'v', lib: 'l' }));
    expect([source.subject.kind, Object.keys(files)]).toEqual(['source', ['etc', 'lib', 'usr', 'var']]);
  });

  it('never lets a link lead out of it', async () => {
    const outside = writeTree(temporary, { secret: 's', 'd/secret': 's' });
    const place = writeTree(temporary, { inside: 'i' });
    symlinkSync(path.join(outside, 'secret'), path.join(place, 'file'));
    symlinkSync(outside, path.join(place, 'directory'));
    symlinkSync('..', path.join(place, 'up'));
    symlinkSync('/', path.join(place, 'root'));
    const { files, scanned } = await show(place);
    expect(files).toEqual({ inside: 'i' });
    expect(['file', 'directory/secret', 'up/secret', 'root/etc'].map((at) => scanned.tree.resolve(at))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(scanned.tree.resolve('root/inside')).toBe('inside');
  });

  it('may hold links that lead in circles, into themselves and nowhere', async () => {
    const place = writeTree(temporary, { 'd/a': 'a' });
    for (const [name, to] of [
      ['one', 'two'],
      ['two', 'one'],
      ['self', 'self'],
      ['nowhere', 'no/where'],
      ['d/up', '..'],
    ] as const) {
      symlinkSync(to, path.join(place, name));
    }
    const { files, gaps } = await show(place);
    expect([files, gaps]).toEqual([{ 'd/a': 'a' }, []]);
  });

  it('may be named through a link', async () => {
    const link = path.join(temporary, 'link-to-tree');
    symlinkSync(writeTree(temporary, { a: 'a' }), link);
    expect((await show(`dir:${link}`)).files).toEqual({ a: 'a' });
  });

  it('shows a file of several names under each of them', async () => {
    const place = writeTree(temporary, { a: 'a' });
    linkSync(path.join(place, 'a'), path.join(place, 'b'));
    expect((await show(place)).files).toEqual({ a: 'a', b: 'a' });
  });

  it('passes over pipes, sockets and devices without opening them', async () => {
    const place = writeTree(temporary, { a: 'a' });
    execFileSync('mkfifo', [path.join(place, 'package.json')]);
    const server = createServer().listen(path.join(place, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    const { files, scanned } = await show(place);
    server.close();
    expect(files).toEqual({ a: 'a' });
    expect([scanned.tree.kindOf('package.json'), scanned.tree.kindOf('socket')]).toEqual(['other', 'other']);
  });

  it('keeps names that are not UTF-8 apart, and reads their files', async () => {
    const place = writeTree(temporary, {});
    const name = (byte: number) => Buffer.concat([Buffer.from(`${place}/x`), Buffer.of(byte)]);
    writeFileSync(name(0xff), 'ff');
    writeFileSync(name(0xfe), 'fe');
    mkdirSync(name(0xfd));
    writeFileSync(Buffer.concat([name(0xfd), Buffer.from('/in')]), 'in');
    expect((await show(place)).files).toEqual({ 'x\udcff': 'ff', 'x\udcfe': 'fe', 'x\udcfd/in': 'in' });
  });

  it('takes names that begin like whiteouts for names', async () => {
    const { files } = await show(writeTree(temporary, { a: 'a', '.wh.a': 'w', 'd/.wh..wh..opq': 'o', 'd/b': 'b' }));
    expect(Object.keys(files)).toEqual(['.wh.a', 'a', 'd/.wh..wh..opq', 'd/b']);
  });

  it('is limited in entries and in depth', async () => {
    const place = writeTree(temporary, { 'a/b/c/d': 'x', e: 'x' });
    expect(await refusal(place, { limits: { entries: 3 } })).toMatch(
      /^limit: it has more than the limit of 3 entries\n.*--max-entries/,
    );
    expect(await refusal(place, { limits: { pathDepth: 2 } })).toMatch(
      /^limit: the path "a\/b\/c" is deeper .*\n.*--max-path-depth/,
    );
  });

  it('that is not there, or is no directory, is refused', async () => {
    expect(await refusal(`dir:${temporary}/none`)).toMatch(/^io: .*no such file/);
    const file = path.join(temporary, 'no-directory');
    writeFileSync(file, 'x');
    expect(await refusal(`dir:${file}`)).toMatch(
      /^io: cannot list the directory ".*": a part of the path is not a directory/,
    );
  });

  it.skipIf(process.getuid?.() === 0)(
    'names what it may not look into, and goes on (needs not to be root)',
    async () => {
      const place = writeTree(temporary, { 'closed/a': 'a', open: 'o', secret: 's' });
      chmodSync(path.join(place, 'closed'), 0);
      chmodSync(path.join(place, 'secret'), 0);
      const { files, gaps } = await show(place);
      chmodSync(path.join(place, 'closed'), 0o700);
      expect(files).toEqual({ open: 'o', secret: '' });
      expect(gaps.map(({ path: at, reason }) => [at, reason])).toEqual([
        ['closed', expect.stringMatching(/^cannot list the directory ".*closed": permission denied$/)],
        ['secret', 'cannot read the file: permission denied'],
      ]);
    },
  );

  it('names what the disk refuses to give, and goes on', async () => {
    const place = writeTree(temporary, { 'closed/a': 'a', open: 'o', secret: 's' });
    const refuse = () => {
      throw new OperationalError('io', 'permission denied');
    };
    const disk = {
      ...realDisk,
      list: (at: Buffer) => (at.toString().endsWith('closed') ? refuse() : realDisk.list(at)),
      readStart: (at: Buffer, max: number) =>
        at.toString().endsWith('secret') ? refuse() : realDisk.readStart(at, max),
    };
    const { files, gaps } = await show(place, { disk });
    expect(files).toEqual({ open: 'o', secret: '' });
    expect(gaps.map(({ path: at, rule }) => [at, rule])).toEqual([
      ['secret', 'unreadable-file'],
      ['closed', 'unreadable-file'],
    ]);
  });

  it('stays whole when what it listed is gone or has become something else', async () => {
    const place = writeTree(temporary, { gone: 'g', swapped: 's', stays: 'x' });
    const outside = path.join(mkdtempSync(path.join(temporary, 'out-')), 'secret');
    writeFileSync(outside, 'secret');
    const disk = {
      ...realDisk,
      list: (at: Buffer) => {
        const entries = realDisk.list(at);
        execFileSync('rm', [path.join(place, 'gone')]);
        execFileSync('ln', ['-sf', outside, path.join(place, 'swapped')]);
        return entries;
      },
    };
    const { files, gaps } = await show(place, { disk });
    expect(files).toEqual({ gone: '', stays: 'x', swapped: '' });
    expect(gaps.map(({ path: at }) => at)).toEqual(['gone', 'swapped']);
  });
});

describe('a file', () => {
  it('is read with its digest', async () => {
    const place = writeTree(temporary, { 'package-lock.json': '{}' });
    for (const target of [`file:${place}/package-lock.json`, `${place}/package-lock.json`]) {
      const { files, source } = await show(target);
      expect(files).toEqual({ 'package-lock.json': '{}' });
      expect(source.subject).toMatchObject({
        kind: 'file',
        name: 'package-lock.json',
        digest: sha256(Buffer.from('{}')),
      });
    }
  });

  it('is read through a link, under the name that was given', async () => {
    const place = writeTree(temporary, { 'store/abc': '{}' });
    symlinkSync('store/abc', path.join(place, 'package-lock.json'));
    const { files } = await show(`file:${place}/package-lock.json`);
    expect(files).toEqual({ 'package-lock.json': '{}' });
  });

  it('that is a pipe, a device, a socket, a directory or nothing is refused and not waited for', async () => {
    const pipe = path.join(temporary, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(await refusal(`file:${pipe}`)).toMatch(/^unsupported: ".*pipe" is not a regular file/);
    expect(await refusal(pipe)).toMatch(/^unsupported: /);
    expect(await refusal('/dev/zero')).toMatch(/^unsupported: /);
    expect(await refusal('file:/dev/zero')).toMatch(/^unsupported: /);
    expect(await refusal(`oci-archive:${pipe}`)).toMatch(/^usage: /);
    expect(await refusal(`file:${temporary}`)).toMatch(/^unsupported: /);
    expect(await refusal(`file:${temporary}/none`)).toMatch(/^not-found: there is no file/);
    expect(await refusal(`${temporary}/none`)).toMatch(/^not-found: there is no file or directory/);
  });

  it('over the cap on bytes is refused', async () => {
    const place = writeTree(temporary, { a: 'x'.repeat(1000) });
    expect(await refusal(`file:${place}/a`, { limits: { bytes: 999 } })).toMatch(
      /^limit: the file is larger than the limit of 999 bytes/,
    );
  });
});

describe('a pipe with a writer', () => {
  it('is refused all the same: what is read once cannot be verified', async () => {
    const pipe = path.join(temporary, 'written');
    execFileSync('mkfifo', [pipe]);
    const writer = spawn('sh', ['-c', `echo x > '${pipe}'`]);
    expect(await refusal(`file:${pipe}`)).toMatch(/^unsupported: /);
    writer.kill();
  });
});
