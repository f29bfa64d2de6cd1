import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { root } from '../kit/data.ts';
import { anImage, anIndex, layout, tagged } from '../kit/image.ts';
import { file, symlink } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';
import { broken, capture, run } from '../kit/world.ts';

const temporary = temporaryDirectory();
const image = `oci:${path.join(root, 'fixtures/image')}`;
const npm = (name: string, version = '1.0.0') =>
  file(`node_modules/${name}/package.json`, JSON.stringify({ name, version }));

describe('a command line that cannot be acted on ends with 2, says why, and writes nothing', () => {
  it.each<[string[], RegExp]>([
    [['scan', image, '-o', 'yaml'], /"yaml" is no output format\n {2}hint: choose one of table, cyclonedx-json/],
    [['scan', image, '-o', 'cyclonedx-json@1.1'], /"cyclonedx-json@1.1" is no output format/],
    [['scan', image, '-o', 'table@1.4'], /is no output format/],
    [['scan', image, '-o', 'cyclonedx-json@1.4@1.5'], /is no output format/],
    [['scan', image, '-o', 'constructor'], /"constructor" is no output format/],
    [['scan', image, '-o', 'json='], /names no file/],
    [['scan', image, '-o', 'json', '-o', 'table'], /two outputs go to "standard output"/],
    [['scan', image, '-o', 'json=x', '-o', 'purls=x'], /two outputs go to "x"/],
    [['scan', image, '-o', 'json=x', '-o', 'purls=./x'], /two outputs go to ".\/x"/],
    [['scan', image, '--platform', 'all', '-o', 'json'], /several platforms make several json documents/],
    [['scan', image, '--now', '2026-02-31T00:00:00Z'], /is not a time/],
    [['scan', image, '--now', '9999-12-31T23:59:59-12:00'], /is not a time/],
    [['scan', image, '--platform', 'linux'], /"linux" is not a platform/],
    [['scan', image, '--max-bytes', '0'], /--max-bytes needs a whole number above 0, not "0"/],
    [['scan', image, '--max-entries', '-1'], /--max-entries/],
    [['scan', image, '--max-ratio', '1e9'], /--max-ratio needs a whole number/],
    [['scan', image, '--now', 'yesterday'], /--now "yesterday" is not a time/],
    [['scan', image, '--now', '2026-13-01T00:00:00Z'], /is not a time/],
    [['scan', image, '--author', '<x@example.com>'], /is not a name/],
    [['scan', image, '--exclude', '/'], /names nothing/],
    [['scan', ''], /the target is empty/],
    [['scan', 'oci:'], /names nothing after its prefix/],
    [['scan', 'docker://debian'], /cannot be scanned/],
    [['rules', 'no-such-rule'], /there is no rule "no-such-rule"/],
    [['scn'], /unknown command/],
    [['scan', '--nope', image], /unknown option/],
  ])('%j', async (args, why) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(why);
  });
});

describe('what cannot be done ends with 3', () => {
  it.each<[string[], RegExp]>([
    [['scan', './no-such-place'], /^error\[not-found\]: there is no file or directory ".\/no-such-place"\n/],
    [
      ['scan', `file:${path.join(root, 'LICENSE')}`],
      /^error\[unsupported\]: nothing in "LICENSE" is recognised\n {2}hint: files are recognised by their names/,
    ],
    [['scan', `${image}:9.9.9`], /^error\[not-found\]: the layout has no image "9.9.9"\n {2}hint: .*":1.4.0"/],
    [
      ['scan', image, '-o', 'json=/no/such/directory/bom.json'],
      /^error\[io\]: cannot write "\/no\/such\/directory\/bom.json": there is no such file or directory/,
    ],
    [['scan', `${image}@latest`], /^error\[malformed\]: "latest" is not a sha256 or sha512 digest/],
    [['scan', image, '-o', `json=${temporary}`], /^error\[io\]: cannot write/],
    [
      ['scan', image, '--max-entries', '5'],
      /^error\[limit\]: .*limit of 5 entries.*\n {2}hint: raise it with --max-entries/,
    ],
  ])('%j', async (args, why) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(why);
  });

  it('a write that fails: standard output closed', async () => {
    const stdout = broken(new OperationalError('io', 'cannot write to standard output: nobody reads it any more'));
    for (const args of [['scan', image], ['scan', image, '-o', 'json'], ['--help'], ['rules']]) {
      expect((await run(args, { stdout })).code).toBe(3);
    }
  });

  it('a write that breaks in a way that nobody foresaw, told as a bug', async () => {
    const { code, stderr } = await run(['rules'], { stdout: broken(new TypeError('x\u001b[31m is undefined')) });
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^error\[bug\]: this is a bug in tidewaiter, nothing was decided\n {2}TypeError: x\\x1b\[31m is undefined/,
    );
  });

  it('an error that nobody can read keeps its code', async () => {
    const stderr = broken(new OperationalError('io', 'closed'));
    expect((await run(['scan', './no-such-place'], { stderr })).code).toBe(3);
    expect((await run(['scan', image, '-o', 'purls'], { stderr })).code).toBe(0);
  });
});

describe('a source tree without a lockfile', () => {
  it('is read for what is installed in it, and that is said', async () => {
    const target = writeTree(temporary, { 'node_modules/ms/package.json': '{"name":"ms","version":"2.1.3"}' });
    const { code, stdout, stderr } = await run(['scan', `dir:${target}`, '-o', 'purls']);
    expect([code, stdout]).toEqual([0, 'pkg:npm/ms@2.1.3\n']);
    expect(stderr).toContain('no lockfile was found here, so what is installed was counted instead');
  });
});

describe('help that was asked for', () => {
  it.each([[['help']], [['help', 'scan']], [['--help']], [['scan', '--help']]])('%j ends with 0', async (argv) => {
    const { code, stdout } = await run(argv);
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: tidewaiter');
  });

  it('is none where a command is missing', async () => {
    expect((await run([])).code).toBe(2);
  });

  it('is none of a command that is not there', async () => {
    const { code, stdout, stderr } = await run(['help', 'scann']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain("unknown command 'scann'");
  });
});

describe('gaps', () => {
  const place = writeTree(
    temporary,
    layout([anImage().layer(npm('a'), file('var/lib/rpm/rpmdb.sqlite', 'broken')).built()]),
  );

  it('are named in the table, and a pass without --strict', async () => {
    const { code, stdout, stderr } = await run(['scan', `oci:${place}`]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /could not read everything, packages may be missing above \(1 gap\):\n {2}var\/lib\/rpm\/rpmdb.sqlite \(layer 1, rpm\/.*\): /,
    );
  });

  it('are named on standard error when no table shows them', async () => {
    const { code, stdout, stderr } = await run(['scan', `oci:${place}`, '-o', 'purls']);
    expect([code, stdout]).toEqual([0, 'pkg:npm/a@1.0.0\n']);
    expect(stderr).toMatch(/^gap\[unreadable-file\]: var\/lib\/rpm\/rpmdb.sqlite/);
  });

  it('end with 3 when none are allowed, with the output written all the same', async () => {
    const { code, stdout, stderr } = await run(['scan', `oci:${place}`, '--strict', '-o', 'purls']);
    expect([code, stdout]).toEqual([3, 'pkg:npm/a@1.0.0\n']);
    expect(stderr).toMatch(/error\[incomplete\]: 1 gap in coverage, and --strict allows none\n {2}hint: /);
  });

  it('are gone with what is left out', async () => {
    const { code, stderr } = await run([
      'scan',
      `oci:${place}`,
      '--strict',
      '-o',
      'purls',
      '--exclude',
      'var/lib/rpm/**',
    ]);
    expect([code, stderr]).toEqual([0, '']);
  });

  it('include a pattern that left out nothing, as a remark', async () => {
    const { stderr } = await run(['scan', image, '-o', 'purls', '--exclude', 'no/such/**']);
    expect(stderr).toBe('note: no file matched --exclude\n');
  });
});

describe('the same input', () => {
  it.each(['table', 'json', 'purls', 'cyclonedx-json', 'cyclonedx-xml', 'spdx-json', 'cyclonedx-json@1.4'])(
    'gives the same bytes as %s, however many cores there are',
    async (format) => {
      const one = await run(['scan', image, '-o', format], { cores: 1 });
      const many = await run(['scan', image, '-o', format], { cores: 8 });
      expect([one.code, one.stdout.length > 100]).toEqual([0, true]);
      expect(many).toEqual(one);
    },
  );
});

describe('several platforms', () => {
  const out = (name: string) => path.join(temporary, name);

  it('are written to a file each', async () => {
    const { code } = await run(['scan', image, '--platform', 'all', '-o', `purls=${out('all.purls.txt')}`]);
    expect(code).toBe(0);
    const texts = ['amd64', 'arm64'].map((arch) => readFileSync(out(`all.purls.linux-${arch}.txt`), 'utf8'));
    expect(texts[0]).toContain('arch=x86_64');
    expect(texts[1]).toContain('arch=aarch64');
    expect(existsSync(out('all.purls.txt'))).toBe(false);
  });

  it('are told apart even when two images are for the same one', async () => {
    const windows = (version: string) =>
      anImage()
        .on('windows', 'amd64')
        .editConfig((config) => ({ ...config, 'os.version': version }))
        .layer(npm(`v${version}`))
        .built();
    const place = writeTree(temporary, layout([anIndex([windows('10.0.1'), windows('10.0.2')])]));
    const { code } = await run(['scan', `oci:${place}`, '--platform', 'all', '-o', `purls=${out('win.txt')}`]);
    expect(code).toBe(0);
    const written = readdirSync(temporary).filter((name) => name.startsWith('win.'));
    expect(written.map((name) => readFileSync(out(name), 'utf8')).sort()).toEqual([
      'pkg:npm/v10.0.1@1.0.0\n',
      'pkg:npm/v10.0.2@1.0.0\n',
    ]);
    expect(written.every((name) => /^win\.windows-amd64-sha256-[0-9a-f]{64}\.txt$/.test(name))).toBe(true);
  });

  it("are chosen by this machine's own", async () => {
    const { stdout } = await run(['scan', image, '-o', 'purls'], { host: { os: 'linux', architecture: 'arm64' } });
    expect(stdout).toContain('arch=aarch64');
  });

  it('cannot lead a file out of its directory by their names', async () => {
    const evil = (name: string) => anImage().on('../../x', name).layer(npm('a')).built();
    const place = writeTree(temporary, layout([anIndex([evil('../../../y'), evil('/z')])]));
    const inside = writeTree(temporary, {});
    const { code } = await run(['scan', `oci:${place}`, '--platform', 'all', '-o', `purls=${inside}/bom.txt`]);
    expect(code).toBe(0);
    expect(readdirSync(inside)).toHaveLength(2);
  });
});

describe('a file that is written', () => {
  it('takes the place of the one before as a whole, and goes where a link leads', async () => {
    const real = path.join(temporary, 'real.txt');
    const link = path.join(temporary, 'link.txt');
    writeFileSync(real, 'old');
    const { symlinkSync, lstatSync } = await import('node:fs');
    symlinkSync(real, link);
    expect((await run(['scan', image, '-o', `purls=${link}`])).code).toBe(0);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, 'utf8')).toMatch(/^pkg:/);
  });

  it('stays as it was when the scan fails', async () => {
    const place = path.join(temporary, 'kept.txt');
    writeFileSync(place, 'old');
    const wrong = writeTree(
      temporary,
      layout([
        anImage()
          .layer(npm('a'))
          .lying({ diffId: `sha256:${'1'.repeat(64)}` })
          .built(),
      ]),
    );
    expect((await run(['scan', `oci:${wrong}`, '-o', `purls=${place}`])).code).toBe(3);
    expect(readFileSync(place, 'utf8')).toBe('old');
  });
});

describe('text from an image', () => {
  const nasty = '\u001b[31mred\u0007\r\n::set-output name=x::y\u202e\u200b\u009b2J';
  // What terminals obey or hide. Newlines end our own lines.
  const raw = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200b]/;
  const hostile = anImage()
    .labelled({ [nasty]: nasty, __proto__x: nasty })
    .editConfig((config) => ({
      ...config,
      os: `linux${nasty}`,
      architecture: nasty,
      'os.version': nasty,
      author: nasty,
    }))
    .layer(
      file('etc/os-release', `ID=alpine\nVERSION_ID=3\nPRETTY_NAME="${nasty.replaceAll('\n', '')}"\n`),
      file('lib/apk/db/installed', `P:na\u001bme\nV:1\u001b[2J\nA:x\nL:${nasty.replaceAll('\n', '')}\n\n`),
      file(`node_modules/x/package.json`, JSON.stringify({ name: nasty, version: nasty })),
      file(`${nasty}/node_modules/y/package.json`, JSON.stringify({ name: 'y', version: '1.0.0' })),
      file(`${nasty}/var/lib/rpm/rpmdb.sqlite`, 'broken'),
      file(`../climb${nasty}`, 'x'),
      file(
        Buffer.concat([Buffer.from('x'), Buffer.of(0x9b, 0xff), Buffer.from('/node_modules/z/package.json')]),
        '{"name":"z","version":"1.0.0"}',
      ),
      symlink(`${nasty}/link`, nasty),
    );
  const place = writeTree(temporary, layout([tagged(hostile.built(), `t${nasty}`)]));

  it.each([
    ['table', {}],
    ['table', { stdout: capture(true, 60) }],
    ['purls', {}],
  ])('never reaches a terminal raw: %s', async (format, world) => {
    const env = { NO_COLOR: '1' };
    const { code, stdout, stderr } = await run(['scan', `oci:${place}`, '-o', format], { ...world, env });
    const shown = 'stdout' in world ? world.stdout.text() : stdout;
    expect(code).toBe(0);
    expect(shown).toMatch(/y/);
    for (const text of [shown, stderr]) {
      expect(text).not.toMatch(raw);
      expect(text).not.toMatch(/^\s*::/m);
    }
  });

  it('is all there in documents, escaped as their format does it', async () => {
    for (const format of ['json', 'cyclonedx-json', 'spdx-json']) {
      const { code, stdout } = await run(['scan', `oci:${place}`, '-o', format]);
      expect(code).toBe(0);
      expect(() => JSON.parse(stdout)).not.toThrow();
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    }
    const { stdout } = await run(['scan', `oci:${place}`, '-o', 'json']);
    const facts = JSON.parse(stdout) as { claims: { labels: { name: string; value: string }[] } };
    expect(facts.claims.labels).toContainEqual({ name: nasty, value: nasty });
  });

  it('and from a command line is shown harmless in errors', async () => {
    const wrong = writeTree(
      temporary,
      layout([tagged(anImage().built(), `a${nasty}`), tagged(anImage().layer(npm('b')).built(), nasty)]),
    );
    for (const args of [
      ['scan', `oci:${wrong}`],
      ['scan', `./${nasty}`],
      ['scan', `oci:${nasty}`],
      ['scan', nasty],
      ['scan', image, '-o', nasty],
      ['scan', image, '--platform', nasty],
      ['scan', image, '--max-bytes', nasty],
      ['scan', image, '--author', `${nasty}<`],
      ['scan', image, `--${nasty}`],
      [nasty],
      ['rules', nasty],
      ['scan', `oci:${place}`, '--platform', 'linux/s390x'],
    ]) {
      const { code, stdout, stderr } = await run(args);
      expect([code, stdout]).toEqual([expect.toBeOneOf([2, 3]), '']);
      expect(stderr, args.join(' ')).not.toMatch(raw);
      expect(stderr, args.join(' ')).not.toMatch(/^\s*::/m);
    }
  });
});
