import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCommit, parseIdent } from '../../src/git/commit.ts';
import { GitRefusal } from '../../src/git/refusal.ts';
import type { GitObject, ObjectFormat } from '../../src/git/types.ts';
import { describeData } from '../kit/data.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';

const tree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
const parent = '5d1f3e6a4b825dc642cb6eb9a060e54bf8d69288';
const ident = 'A U Thor <a@acme.example> 1700000000 +0100';

function commitOf(bytes: Buffer | string, format: ObjectFormat = 'sha1'): GitObject {
  const content = Buffer.from(bytes);
  const id = createHash(format).update(`commit ${content.length}\0`).update(content).digest('hex');
  return { id, type: 'commit', bytes: content };
}

function lines(...each: string[]): string {
  return `${each.join('\n')}\n`;
}

function refusal(bytes: Buffer | string): string {
  try {
    parseCommit(commitOf(bytes));
  } catch (error) {
    if (error instanceof GitRefusal && error.rule === 'schema-invalid') return error.message;
    throw error;
  }
  return 'was parsed';
}

const good = lines(
  `tree ${tree}`,
  `parent ${parent}`,
  `author ${ident}`,
  `committer ${ident}`,
  '',
  'subject',
  '',
  'body',
);

describe('a commit object', () => {
  it('gives tree, parents in order, people and the whole message', () => {
    const second = parent.replace('5d', '6d');
    const commit = parseCommit(commitOf(good.replace(`parent ${parent}\n`, `parent ${parent}\nparent ${second}\n`)));
    expect(commit.tree).toBe(tree);
    expect(commit.parents).toEqual([parent, second]);
    expect(commit.author).toEqual({ name: 'A U Thor', email: 'a@acme.example', time: 1_700_000_000 });
    expect(commit.message).toBe('subject\n\nbody\n');
    expect(commit.signature).toBeUndefined();
  });

  it('may have no parent, no message and no blank line behind its headers', () => {
    const commit = parseCommit(commitOf(lines(`tree ${tree}`, `author ${ident}`, `committer ${ident}`)));
    expect(commit.parents).toEqual([]);
    expect(commit.message).toBe('');
  });

  it('takes its signature out of the payload, and the one for the other object format with it', () => {
    const unsigned = lines(`tree ${tree}`, `author ${ident}`, `committer ${ident}`, 'encoding x', '', 'message');
    const signed = unsigned
      .replace('encoding x\n', 'gpgsig-sha256 -----BEGIN PGP SIGNATURE-----\n other\nencoding x\n')
      .replace(
        '\n\nmessage',
        '\ngpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n \n -----END SSH SIGNATURE-----\n\nmessage',
      );
    const { signature } = parseCommit(commitOf(signed));
    expect(signature?.payload.toString()).toBe(unsigned);
    expect(signature?.armored).toBe('-----BEGIN SSH SIGNATURE-----\nAAAA\n\n-----END SSH SIGNATURE-----\n');
    expect(signature?.format).toBe('ssh');
  });

  it('keeps headers that nobody knows and tags that were merged in the payload', () => {
    const extra = 'mergetag object 1234\n type commit\n gpgsig no header\nHG:extra branch:default\n';
    const head = lines(`tree ${tree}`, `author ${ident}`, `committer ${ident}`) + extra;
    const commit = parseCommit(commitOf(`${head}gpgsig x\n\nmessage\ngpgsig y\n`));
    expect(commit.signature?.payload.toString()).toBe(`${head}\nmessage\ngpgsig y\n`);
    expect(commit.signature).not.toHaveProperty('format');
  });

  it('knows signatures by how they begin', () => {
    const format = (begin: string) =>
      parseCommit(commitOf(good.replace('\n\nsubject', `\ngpgsig ${begin}\n x\n\nsubject`))).signature?.format;
    expect(format('-----BEGIN PGP SIGNATURE-----')).toBe('openpgp');
    expect(format('-----BEGIN PGP MESSAGE-----')).toBe('openpgp');
    expect(format('-----BEGIN SIGNED MESSAGE-----')).toBe('x509');
    expect(format(' -----BEGIN SSH SIGNATURE-----')).toBeUndefined();
    expect(format('-----BEGIN SSH SIGNATURE----')).toBeUndefined();
  });

  it('reads a message as Latin-1 where it is no UTF-8', () => {
    const [head] = good.split('\n\n');
    const bytes = Buffer.concat([Buffer.from(`${head}\nencoding ISO-8859-1\n\n`), Buffer.from([0x63, 0xe9])]);
    expect(parseCommit(commitOf(bytes)).message).toBe('cé');
  });

  it.each([
    ['a second tree', good.replace('parent', `tree ${tree}\nparent`)],
    ['no tree', good.replace(`tree ${tree}\n`, '')],
    ['no author', good.replace(`author ${ident}\n`, '')],
    ['a second author', good.replace('committer', `author ${ident}\ncommitter`)],
    ['a second author behind the committer', good.replace('\n\nsubject', `\nauthor ${ident}\n\nsubject`)],
    ['a second committer', good.replace('\n\nsubject', `\ncommitter ${ident}\n\nsubject`)],
    ['a parent out of place', good.replace('\n\nsubject', `\nparent ${parent}\n\nsubject`)],
    ['an id that is too short', good.replace(tree, tree.slice(1))],
    ['an id of the other object format', good.replace(tree, tree.padEnd(64, '0'))],
    ['an id in upper case', good.replace(tree, tree.toUpperCase())],
    ['two signatures', good.replace('\n\nsubject', '\ngpgsig a\ngpgsig b\n\nsubject')],
    ['two encodings', good.replace('\n\nsubject', '\nencoding a\nencoding b\n\nsubject')],
    ['a signature header of another name', good.replace('\n\nsubject', '\ngpgsig-sha512 a\n\nsubject')],
    ['NUL in a header', good.replace('A U Thor', 'A\0Thor')],
    ['CR at the end of a header', good.replace(tree, `${tree}\r`)],
    ['CR in a name', good.replace('A U Thor', 'A\rThor')],
    ['CR instead of the blank line', good.replace('\n\nsubject', '\n\r\nsubject')],
    ['a continued author', good.replace('committer', ' more\ncommitter')],
    ['a header that goes on before it starts', ` ${good}`],
    ['an end in the middle of a header', good.slice(0, 60)],
    ['nothing', ''],
  ])('is refused with %s', (_, bytes) => {
    expect(refusal(bytes)).toMatch(/^commit [0-9a-f]{40} /);
  });

  it('ends in a commit or a refusal, whatever the bytes', () => {
    const pieces = fc.constantFrom(
      'tree ',
      tree,
      'parent ',
      'author ',
      ident,
      'committer ',
      'gpgsig ',
      '\n',
      '\n ',
      '\n\n',
      '\0',
      '\r',
      '<',
      '>',
      '\xff',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string({ maxLength: 5 })), { maxLength: 30 }), (parts) => {
        for (const text of [parts.join(''), good.slice(0, 150) + parts.join('')]) {
          const outcome = refusal(Buffer.from(text, 'latin1'));
          expect(outcome === 'was parsed' || outcome.startsWith('commit ')).toBe(true);
        }
      }),
    );
  });
});

describe('a person in a commit', () => {
  it.each([
    ['A <a@b> 1 +0000', { name: 'A', email: 'a@b', time: 1 }],
    ['A <<a@b>> 1 +0000', { name: 'A', email: '<a@b', time: 1 }],
    ['A <a@b> <c@d> 1 +0000', { name: 'A', email: 'a@b', time: 1 }],
    ['A <> 1 +0000', { name: 'A', email: '', time: 1 }],
    ['A <a@b> -1 +0000', { name: 'A', email: 'a@b' }],
    ['A <a@b>1 +0000', { name: 'A', email: 'a@b' }],
    ['A a@b 1 +0000', { name: 'A a@b 1 +0000', email: '' }],
    ['', { name: '', email: '' }],
  ])('%s', (line, expected) => {
    expect(parseIdent(Buffer.from(line))).toEqual(expected);
  });
});

describeData('real commits', (data) => {
  const root = path.join(data, 'agents/commits');
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.commit'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();

  it('are there', () => {
    expect(files.length).toBeGreaterThanOrEqual(178);
  });

  it.each(files.map((file) => [path.basename(file), file]))('%s', (name, file) => {
    const object = commitOf(readFileSync(file));
    const stated = /-([0-9a-f]{12,64})\.commit$/.exec(name)?.[1] ?? 'no id';
    expect(object.id.slice(0, stated.length)).toBe(stated);
    const commit = parseCommit(object);
    const folder = path.basename(path.dirname(file));
    const format = { ssh: 'ssh', 'agent-ssh-stripped': 'ssh', pgp: 'openpgp', x509: 'x509' }[folder];
    if (format !== undefined) expect(commit.signature?.format).toBe(format);
  });
});

const hasKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined;

describe.each(['sha1', 'sha256'] as const)('a commit that git signed in a repository of %s', (format) => {
  const directory = temporaryDirectory();

  it.skipIf(!hasKeygen)('verifies over our payload with ssh-keygen, and not over another one', () => {
    const key = path.join(directory, 'key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const env = { PATH: process.env['PATH'], HOME: directory, GIT_CONFIG_NOSYSTEM: '1' };
    const git = (...args: string[]): Buffer =>
      execFileSync(
        'git',
        ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${key}`, '-c', 'user.name=A', '-c', 'user.email=a@b', ...args],
        { cwd: directory, env },
      );
    git('init', '-q', `--object-format=${format}`, '.');
    git('commit', '-q', '--allow-empty', '-S', '-m', 'signed\n\nwith a body');
    const bytes = git('cat-file', 'commit', 'HEAD');
    const object = commitOf(bytes, format);
    expect(object.id).toBe(git('rev-parse', 'HEAD').toString().trim());
    const { signature } = parseCommit(object);
    expect(signature?.format).toBe('ssh');
    const file = path.join(directory, 'signature');
    writeFileSync(file, signature!.armored);
    const check = (input: Buffer) =>
      spawnSync('ssh-keygen', ['-Y', 'check-novalidate', '-n', 'git', '-s', file], { input }).status;
    expect(check(signature!.payload)).toBe(0);
    expect(check(bytes)).not.toBe(0);
  });

  it.skipIf(!hasKeygen)('verifies with git where a signature for the other object format stands beside it', () => {
    const home = writeTree(directory, {});
    const key = path.join(home, 'key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const env = { PATH: process.env['PATH'], HOME: home, GIT_CONFIG_NOSYSTEM: '1' };
    const git = (args: readonly string[], input?: string) =>
      spawnSync('git', args, { cwd: home, env, ...(input !== undefined && { input }) });
    git(['init', '-q', `--object-format=${format}`, '.']);
    const emptyTree = git(['hash-object', '-w', '-t', 'tree', '--stdin'], '').stdout.toString().trim();
    const head = lines(`tree ${emptyTree}`, `author ${ident}`, `committer ${ident}`, 'x-header one');
    const payload = `${head}\nmessage\n`;
    const { stdout: armored } = spawnSync('ssh-keygen', ['-Y', 'sign', '-n', 'git', '-f', key], { input: payload });
    const header = (name: string, text: string): string => `${name} ${text.trimEnd().replaceAll('\n', '\n ')}\n`;
    const [own, foreign] = format === 'sha1' ? ['gpgsig', 'gpgsig-sha256'] : ['gpgsig-sha256', 'gpgsig'];
    const commit = `${header(foreign, 'one\ntwo')}`;
    const bytes = `${head}${commit}${header(own, armored.toString())}\nmessage\n`;
    const id = git(['hash-object', '-w', '-t', 'commit', '--stdin'], bytes).stdout.toString().trim();
    const signers = path.join(home, 'signers');
    writeFileSync(signers, `me ${readFileSync(`${key}.pub`, 'utf8')}`);
    expect(git(['-c', `gpg.ssh.allowedSignersFile=${signers}`, 'verify-commit', id]).status).toBe(0);
    const { signature } = parseCommit(commitOf(bytes, format));
    expect(signature?.payload.toString()).toBe(payload);
    expect(signature?.armored).toBe(armored.toString());
  });
});
