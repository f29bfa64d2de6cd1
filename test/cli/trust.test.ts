import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseRecord } from '../../src/run/trust-record.ts';
import { shippedText, shippedTufRoot } from '../../src/sigstore/shipped.ts';
import { describeData, readData } from '../kit/data.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';
import { defaultKeys, newKeys, type Repository, startServer, tufRepository } from '../kit/tuf.ts';
import { run } from '../kit/world.ts';

const temporary = temporaryDirectory();
const server = await startServer();
afterAll(() => server.close());

const now = () => Date.UTC(2026, 10, 22);
const document = shippedText('staging');
const good = tufRepository({ targets: { 'trusted_root.json': document } });

let work = '';
beforeEach(() => {
  work = writeTree(temporary, { 'root.json': good.root });
});
const cache = () => path.join(work, 'cache');
const to = () => path.join(work, 'trusted_root.json');
const trust = (...args: string[]) => run(['trust', ...args], { env: { TIDEWAITER_CACHE_DIR: cache() }, now });
const updateFrom = (url: string, ...more: string[]) =>
  trust('update', '--tuf-url', url, '--tuf-root', path.join(work, 'root.json'), '--to', to(), ...more);
const update = (repository: Repository) => {
  server.serve(repository.files);
  return updateFrom(server.url);
};
const leftOvers = () => (existsSync(path.join(cache(), 'trust')) ? readdirSync(path.join(cache(), 'trust')) : []);

describe('an update from a repository of your own', () => {
  it('writes the trusted root, byte for byte, where it was told', async () => {
    const { code, stdout, stderr } = await update(good);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/trusted_root\.json: updated, sha256:44deb991[0-9a-f]+ \(http:.*targets 1, TUF root 1\)\n$/);
    expect(readFileSync(to(), 'utf8')).toBe(document);
    expect(leftOvers()).toEqual([expect.stringMatching(/^private-[0-9a-f]{16}\.json$/)]);
  });

  it('says when there is nothing new', async () => {
    await update(good);
    expect((await update(good)).stdout).toMatch(/still the newest/);
  });

  it('goes from root to root, each signed by the one before, and does not ask for them again', async () => {
    const keys = newKeys();
    const second = tufRepository({ versions: { root: 2 }, targets: { 'trusted_root.json': document } });
    // The keys below the root are new; the root's own is not.
    const third = tufRepository({
      versions: { root: 3, timestamp: 2 },
      keys: { ...keys, root: defaultKeys.root },
      targets: { 'trusted_root.json': document },
    });
    const files = new Map([...second.files, ...third.files]);
    server.serve(files);
    expect((await updateFrom(server.url)).stdout).toMatch(/TUF root 3\)/);
    server.serve(files);
    expect((await updateFrom(server.url)).stdout).toMatch(/still the newest/);
    expect(server.asked).toContain('4.root.json');
    expect(server.asked).not.toContain('3.root.json');
  });
});

describe('an update that cannot be believed ends with 3, one clear message, and changes nothing', () => {
  const targets = { 'trusted_root.json': document };
  const past = '2026-01-01T00:00:00Z';
  const targetFile = [...good.files.keys()].find((name) => name.startsWith('targets/'))!;
  const longer = new Map(good.files).set(targetFile, `${document} `);
  const changed = new Map(good.files).set(targetFile, document.replace('rekor.sigstage.dev', 'rekor.sigstagf.dev'));
  const noRoot = tufRepository({ targets: { 'trusted_root.json': '{}' } });
  it.each<[string, ReadonlyMap<string, string>, RegExp]>([
    [
      'expired timestamp',
      tufRepository({ targets, expires: { timestamp: past } }).files,
      /its TUF timestamp expired on 2026-01-01T00:00:00Z\n/,
    ],
    [
      'expired snapshot',
      tufRepository({ targets, expires: { snapshot: past } }).files,
      /its TUF snapshot expired on 2026-01-01T/,
    ],
    [
      'expired targets',
      tufRepository({ targets, expires: { targets: past } }).files,
      /its TUF targets expired on 2026-01-01T/,
    ],
    [
      'expired root',
      tufRepository({ targets, versions: { root: 2 }, expires: { root: past } }).files,
      /its TUF root expired on 2026-01-01T/,
    ],
    [
      'wrong signature on the timestamp',
      tufRepository({ targets, forged: 'timestamp' }).files,
      /timestamp is signed by 0 of the 1 keys/,
    ],
    [
      'wrong signature on the snapshot',
      tufRepository({ targets, forged: 'snapshot' }).files,
      /snapshot is signed by 0 of the 1 keys/,
    ],
    [
      'wrong signature on the targets',
      tufRepository({ targets, forged: 'targets' }).files,
      /targets is signed by 0 of the 1 keys/,
    ],
    [
      'wrong signature on the next root',
      tufRepository({ targets, versions: { root: 2 }, forged: 'root' }).files,
      /root is signed by 0 of the 1 keys/,
    ],
    ['target of another length', longer, /^error\[limit\]: .*trusted_root.json" sends more than 12722 bytes/],
    ['target of another content', changed, /^error\[digest-mismatch\]: .* a file is not the one that was signed/],
    [
      'no target of that name',
      tufRepository({ targets: { 'other.json': document } }).files,
      /has no target "trusted_root.json"/,
    ],
    ['a target that is no trusted root', noRoot.files, /is not believed: .*trusted root/],
    ['no JSON', new Map(good.files).set('timestamp.json', '<html>'), /its TUF metadata is not in order/],
    ['no repository', new Map(), /^error\[io\]: ".*timestamp.json" answered with status 404/],
  ])('%s', async (_, files, why) => {
    writeFileSync(to(), 'as it was');
    server.serve(files);
    const { code, stdout, stderr } = await updateFrom(server.url);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(why);
    expect(stderr.match(/^error/gm)).toHaveLength(1);
    expect(stderr).toMatch(/\n {2}hint: ".*" was not touched: verification goes on offline/);
    expect(readFileSync(to(), 'utf8')).toBe('as it was');
    expect(leftOvers()).toEqual([]);
  });

  it.each<[string, 'timestamp' | 'snapshot' | 'targets']>([
    ['an older timestamp', 'timestamp'],
    ['an older snapshot', 'snapshot'],
    ['older targets', 'targets'],
  ])('rollback: %s than was seen before', async (_, role) => {
    const base = { timestamp: 5, snapshot: 5, targets: 5 };
    await update(tufRepository({ targets, versions: base }));
    const newer = { timestamp: 6, snapshot: 6, targets: 6 };
    const { code, stderr } = await update(tufRepository({ targets, versions: { ...newer, [role]: 4 } }));
    expect(code).toBe(3);
    expect(stderr).toMatch(/it offers version 4 where version 5 was seen before \(a rollback\)/);
  });

  it('endless data', async () => {
    server.serve(good.files);
    server.misbehave('timestamp.json', (response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x20)));
      };
      response.on('drain', more);
      more();
    });
    const { code, stderr } = await updateFrom(server.url);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error\[limit\]: ".*timestamp.json" sends more than 16384 bytes\n/);
  });

  it.each<[string, (response: import('node:http').ServerResponse) => void]>([
    ['says nothing', () => {}],
    ['starts and stops', (response) => void response.write('{')],
    [
      'sends a byte now and then',
      (response) => {
        const timer = setInterval(() => response.write(' '), 100);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('a server that %s', async (_, how) => {
    server.serve(good.files);
    server.misbehave('timestamp.json', how);
    const { code, stderr } = await updateFrom(server.url, '--timeout', '1');
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error\[io\]: ".*timestamp.json" did not answer within 1 s\n/);
  });

  it.each<[string, (response: import('node:http').ServerResponse) => void, RegExp]>([
    ['cuts the connection', (response) => void response.destroy(), /the connection was cut/],
    ['is broken', (response) => void response.writeHead(503).end(), /answered with status 503/],
  ])('a server that %s', async (_, how, why) => {
    server.serve(good.files);
    server.misbehave('timestamp.json', how);
    const { code, stderr } = await updateFrom(server.url);
    expect(code).toBe(3);
    expect(stderr).toMatch(why);
  });

  it('no network', async () => {
    const gone = await startServer();
    await gone.close();
    const { code, stderr } = await updateFrom(gone.url);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^error\[io\]: ".*1\.root\.json|2\.root\.json" cannot be reached: the connection was refused\n/,
    );
  });

  it('a threshold that one key reaches under many ids', async () => {
    const aliased = tufRepository({ targets, threshold: 3, aliases: 2 });
    writeFileSync(path.join(work, 'root.json'), aliased.root);
    const second = tufRepository({ targets, threshold: 3, aliases: 2, versions: { root: 2 } });
    const { code, stderr } = await update(second);
    expect(code).toBe(3);
    expect(stderr).toMatch(/root is signed by 1 of the 3 keys/);
  });
});

describe('an update of a known root', () => {
  it('is not made from a repository that its TUF root did not sign, and says what verification goes on with', async () => {
    server.serve(new Map(tufRepository({ versions: { root: 17 }, targets: { 'trusted_root.json': document } }).files));
    const { code, stdout, stderr } = await trust('update', '--root', 'public-good', '--tuf-url', server.url);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toBe(
      `error[malformed]: "${server.url}" is not believed: its TUF root is signed by 0 of the 3 keys that it needs\n` +
        '  hint: nothing was changed: verification goes on offline with the trusted root inside tidewaiter, of 2026-08-21 (92 days old)\n',
    );
  });

  it('of two goes on with the second when the first fails', async () => {
    const fetched = vi
      .spyOn(globalThis, 'fetch')
      .mockRejectedValue(new TypeError('fetch failed', { cause: { code: 'ENOTFOUND' } }));
    try {
      const { code, stderr } = await trust('update');
      expect(code).toBe(3);
      expect(stderr.match(/^error\[io\]: .*there is no such host, or no network$/gm)).toHaveLength(2);
      expect(fetched.mock.calls.map(([url]) => new URL(String(url)).host)).toEqual([
        'tuf-repo-cdn.sigstore.dev',
        'tuf-repo.github.com',
      ]);
    } finally {
      fetched.mockRestore();
    }
  });
});

describeData('the metadata of the public instance, expired since', () => {
  const snapshot = () => {
    const file = (name: string) => readData(`sigstore/trust/tuf-public-good/${name}`).toString();
    return new Map([
      ['15.root.json', file('tuf-root.json')],
      ['timestamp.json', file('tuf-timestamp.json')],
      ['165.snapshot.json', file('tuf-snapshot.json')],
      ['14.targets.json', file('tuf-targets.json')],
      [
        `targets/${'6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66'}.trusted_root.json`,
        file('trusted_root.public-good.json'),
      ],
    ]);
  };

  it('is refused as expired, and offline verification goes on', async () => {
    server.serve(snapshot());
    const { code, stderr } = await trust('update', '--root', 'public-good', '--tuf-url', server.url);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /is not believed: its TUF timestamp expired on 2026-08-28T19:25:56Z\n {2}hint: nothing was changed/,
    );
  });

  it('is refused from the root of its own time as well', async () => {
    writeFileSync(path.join(work, 'root.json'), snapshot().get('15.root.json')!);
    server.serve(snapshot());
    const { code, stderr } = await updateFrom(server.url);
    expect(code).toBe(3);
    expect(stderr).toMatch(/its TUF (?:root|timestamp) expired on 2026-/);
  });

  it('was good in its time: what it brought then is used until tidewaiter carries something newer', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 7, 25) });
    try {
      server.serve(snapshot());
      const then = { env: { TIDEWAITER_CACHE_DIR: cache() }, now: () => Date.UTC(2026, 7, 25) };
      const updated = await run(['trust', 'update', '--root', 'public-good', '--tuf-url', server.url], then);
      expect([updated.stderr, updated.code]).toEqual(['', 0]);
      expect(updated.stdout).toMatch(/^public-good: still the newest, sha256:6494e21e.*targets 14, TUF root 16\)\n$/);
    } finally {
      vi.useRealTimers();
    }
    const { code, stdout } = await trust('show');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^public-good\n {2}from {5}trust update, .*public-good.json\n.*\n {2}as of {4}2026-08-25 \(89 days old\)$/m,
    );
  });

  describe('in the cache folder, changed by somebody', () => {
    const place = () => path.join(cache(), 'trust/public-good.json');
    const write = (change: (record: Record<string, unknown> & { metadata: Record<string, unknown> }) => void) => {
      const files = snapshot();
      const record = {
        schema: 'tidewaiter.trust-record/v1',
        name: 'public-good',
        url: 'https://example.com',
        updated: '2026-08-25T00:00:00.000Z',
        tufRoot: 16,
        digest: '6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66',
        document: [...files.values()].at(-1)!,
        metadata: {
          roots: [],
          timestamp: files.get('timestamp.json')!,
          snapshot: files.get('165.snapshot.json')!,
          targets: files.get('14.targets.json')!,
        },
      };
      change(record);
      mkdirSync(path.dirname(place()), { recursive: true });
      writeFileSync(place(), JSON.stringify(record));
    };

    it('is used when nothing was changed', async () => {
      write(() => {});
      expect((await trust('show')).stdout).toMatch(/from {5}trust update/);
    });

    const other = tufRepository({ targets: { 'trusted_root.json': document } });
    it.each<[string, Parameters<typeof write>[0], RegExp]>([
      ['another document', (record) => Object.assign(record, { document }), /its digest is not that/],
      [
        'another document with its digest',
        (record) =>
          Object.assign(record, {
            document,
            digest: '44deb991d4bbf2150751ccee235d9810bce4434383c26d8898c1bcadbace6ed8',
          }),
        /the length of target "trusted_root.json" is not the signed one/,
      ],
      [
        'metadata of somebody else',
        (record) =>
          Object.assign(record, {
            document,
            digest: '44deb991d4bbf2150751ccee235d9810bce4434383c26d8898c1bcadbace6ed8',
            metadata: { roots: [], timestamp: other.timestamp, snapshot: other.snapshot, targets: other.targets },
          }),
        /the TUF timestamp is signed by 0 of the 1 keys/,
      ],
      [
        'a root of somebody else',
        (record) => Object.assign(record.metadata, { roots: [tufRepository({ versions: { root: 17 } }).root] }),
        /the TUF root is signed by 0 of the 3 keys/,
      ],
      [
        'a date after its time',
        (record) => Object.assign(record, { updated: '2026-11-21T00:00:00.000Z' }),
        /claims to be newer/,
      ],
      ['another name', (record) => Object.assign(record, { name: 'github' }), /it is of "github"/],
      ['another schema', (record) => Object.assign(record, { schema: 'x' }), /it is no tidewaiter.trust-record\/v1/],
      ['a part less', (record) => void delete record.metadata['targets'], /a part of it is missing/],
    ])('is refused by name with %s, and the one inside is not taken in its stead', async (_, change, why) => {
      write(change);
      const { code, stdout } = await trust('show');
      expect(code).toBe(3);
      expect(stdout).toMatch(
        /^public-good\n {2}from {5}refused\n {2}refused {2}the updated trusted root ".*public-good.json" is refused: /,
      );
      expect(stdout).toMatch(why);
      expect(stdout).toMatch(/hint {5}replace it: tidewaiter trust update --root public-good/);
    });

    it.each(['', '{', 'null', '[]', '{"schema":1}', '\ud800'])('is refused when it is %j', async (text) => {
      write(() => {});
      writeFileSync(place(), text);
      const { code, stdout } = await trust('show');
      expect(code).toBe(3);
      expect(stdout).toMatch(/from {5}refused/);
    });

    it.each<[string, Parameters<typeof write>[0]]>([
      ['was made before the TUF root inside', (record) => Object.assign(record, { tufRoot: 15 })],
      ['is older than the one inside', (record) => Object.assign(record, { updated: '2026-08-20T00:00:00.000Z' })],
    ])('gives way to the one inside when it %s', async (_, change) => {
      write(change);
      const { code, stdout } = await trust('show');
      expect(code).toBe(0);
      expect(stdout).toMatch(/^public-good\n {2}from {5}inside tidewaiter\n/);
    });
  });
});

describe('what stands in the way of the cache folder ends with 3', () => {
  const show = (env: Readonly<Record<string, string>>) => run(['trust', 'show'], { env, now });
  const place = (...parts: readonly string[]) => path.join(work, ...parts);
  beforeEach(() => {
    writeFileSync(place('file'), '');
    symlinkSync('loop', place('loop'));
    symlinkSync('nowhere', place('dangling'));
    mkdirSync(place('half'));
    writeFileSync(place('half', 'trust'), '');
    mkdirSync(place('folder', 'trust', 'public-good.json'), { recursive: true });
    mkdirSync(place('broken', 'trust'), { recursive: true });
    symlinkSync('nowhere', place('broken', 'trust', 'public-good.json'));
  });

  it.each([
    ['a file', 'file', /"[^"]*\/file" is no directory/],
    ['a file above it', 'file/below', /"[^"]*\/file" is no directory/],
    ['a link to itself', 'loop', /"[^"]*\/loop" is no directory/],
    ['a link to nothing', 'dangling', /"[^"]*\/dangling" is no directory/],
    ['a file inside it', 'half', /"[^"]*\/half\/trust" is no directory/],
    ['a folder for an update', 'folder', /"[^"]*\/public-good\.json" is not a regular file/],
    ['a link to nothing for an update', 'broken', /there is no file "[^"]*\/public-good\.json"/],
  ])('%s', async (_, name, why) => {
    writeFileSync(place('app'), 'x');
    writeFileSync(place('app.sigstore.json'), '{}');
    const { code, stdout } = await show({ TIDEWAITER_CACHE_DIR: place(name) });
    expect([code, stdout]).toEqual([3, expect.stringMatching(why)]);
    const pin = ['--certificate-identity', 'a', '--certificate-oidc-issuer', 'https://a.example'];
    const ran = await run(['verify', place('app'), ...pin], { env: { TIDEWAITER_CACHE_DIR: place(name) }, now });
    expect([ran.code, ran.stdout, ran.stderr]).toEqual([3, '', expect.stringMatching(why)]);
  });

  it.each<[string, (work: string) => Readonly<Record<string, string>>]>([
    ['nothing', (folder) => ({ TIDEWAITER_CACHE_DIR: `${folder}/none/at/all` })],
    ['an empty folder', (folder) => ({ TIDEWAITER_CACHE_DIR: folder })],
    ['a home that is not there', () => ({ HOME: '/nonexistent' })],
    ['no home', () => ({ HOME: '/dev/null' })],
    ['no environment', () => ({})],
  ])('but not %s', async (_, env) => {
    const { code, stdout } = await show(env(work));
    expect([code, stdout.match(/from {5}inside tidewaiter/g)?.length]).toEqual([0, 3]);
  });
});

describe('a command line that cannot be acted on ends with 2', () => {
  it.each<[string[], RegExp]>([
    [['update', '--offline'], /an update needs the network, and --offline forbids it/],
    [
      ['update', '--root', 'private'],
      /there is no trusted root "private"\n {2}hint: the known ones are public-good, github, staging/,
    ],
    [['update', '--tuf-url', 'https://example.com'], /--tuf-url serves one trusted root/],
    [['update', '--root', 'github', '--tuf-url', 'ftp://example.com'], /is no URL of a TUF repository/],
    [['update', '--root', 'github', '--tuf-url', 'https://me:secret@example.com'], /is no URL of a TUF repository/],
    [['update', '--tuf-root', 'x'], /--tuf-root, --tuf-url and --to go together/],
    [['update', '--to', 'x'], /go together/],
    [
      ['update', '--root', 'github', '--tuf-root', 'x', '--to', 'x', '--tuf-url', 'https://example.com'],
      /do not go together/,
    ],
    [['update', '--timeout', '0'], /--timeout needs a whole number/],
    [['show', '-o', 'yaml'], /"yaml" is no output format/],
    [['show', '--nope'], /unknown option/],
    [['update', 'x'], /too many arguments/],
    [['forget'], /unknown command/],
    [[], /Usage: tidewaiter trust/],
  ])('%j', async (args, why) => {
    const { code, stdout, stderr } = await trust(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(why);
  });

  it('a TUF root that is none', async () => {
    writeFileSync(path.join(work, 'root.json'), '{"signed":{}}');
    const { code, stderr } = await updateFrom(server.url);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error\[configuration\]: ".*root.json" is no TUF root: /);
  });

  it('no folder to keep anything in', async () => {
    const { code, stderr } = await run(['trust', 'update'], { env: {}, now });
    expect(code).toBe(2);
    expect(stderr).toMatch(/set HOME, or name a folder with TIDEWAITER_CACHE_DIR/);
  });
});

describe('trust show', () => {
  it('lists each known root with its age, its digest and whom it believes', async () => {
    const { code, stdout, stderr } = await trust('show');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatchInlineSnapshot(`
      "public-good
        from     inside tidewaiter
        digest   sha256:6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66
        as of    2026-08-21 (92 days old)
        updates  https://tuf-repo-cdn.sigstore.dev
        log                    https://rekor.sigstore.dev                       since 2021-01-12
        log                    https://log2025-1.rekor.sigstore.dev             since 2025-09-23
        certificate log        https://ctfe.sigstore.dev/test                   2021-03-14 to 2022-10-31, ended
        certificate log        https://ctfe.sigstore.dev/2022                   since 2022-10-20
        certificate authority  https://fulcio.sigstore.dev                      2021-03-07 to 2022-12-31, ended
        certificate authority  https://fulcio.sigstore.dev                      since 2022-04-13
        timestamp authority    https://timestamp.sigstore.dev/api/v1/timestamp  since 2025-07-04

      github
        from     inside tidewaiter
        digest   sha256:f7a479f2bd2cc8d0389c74e99319a68524f3019d283d1c93d6de24362717012c
        as of    2026-06-12 (163 days old)
        updates  https://tuf-repo.github.com
        certificate authority  fulcio.githubapp.com     2023-10-27 to 2024-05-25, ended
        certificate authority  fulcio.githubapp.com     2024-05-13 to 2024-10-25, ended
        certificate authority  fulcio.githubapp.com     2024-10-07 to 2025-06-19, ended
        certificate authority  fulcio.githubapp.com     2025-05-27 to 2025-12-09, ended
        certificate authority  fulcio.githubapp.com     2025-11-13 to 2026-07-13, ended
        certificate authority  fulcio.githubapp.com     since 2026-06-12
        timestamp authority    timestamp.githubapp.com  2023-10-27 to 2024-05-25, ended
        timestamp authority    timestamp.githubapp.com  2024-05-13 to 2024-10-25, ended
        timestamp authority    timestamp.githubapp.com  2024-10-07 to 2025-06-19, ended
        timestamp authority    timestamp.githubapp.com  2025-05-27 to 2025-12-09, ended
        timestamp authority    timestamp.githubapp.com  2025-11-13 to 2026-07-13, ended
        timestamp authority    timestamp.githubapp.com  since 2026-06-12

      staging
        from     inside tidewaiter
        digest   sha256:44deb991d4bbf2150751ccee235d9810bce4434383c26d8898c1bcadbace6ed8
        as of    2026-08-21 (92 days old)
        updates  https://tuf-repo-cdn.sigstage.dev
        log                    https://rekor.sigstage.dev                       since 2021-01-12
        log                    https://log2025-alpha1.rekor.sigstage.dev        2025-04-16 to 2025-09-04, ended
        log                    https://log2025-alpha2.rekor.sigstage.dev        2025-08-08 to 2025-09-28, ended
        log                    https://log2025-alpha3.rekor.sigstage.dev        since 2025-09-22
        log                    https://log2026-1.us-east4.rekor.sigstage.dev    since 2026-06-12
        certificate log        https://ctfe.sigstage.dev/test                   2021-03-14 to 2022-07-31, ended
        certificate log        https://ctfe.sigstage.dev/2022                   2022-07-01 to 2022-07-31, ended
        certificate log        https://ctfe.sigstage.dev/2022-2                 since 2022-07-01
        certificate log        https://log2026-1.ctfe.sigstage.dev              since 2026-01-14
        certificate log        https://log2026-1.us-east4.ctfe.sigstage.dev     since 2026-06-12
        certificate authority  https://fulcio.sigstage.dev                      since 2022-04-14
        certificate authority  https://fulcio.sigstage.dev                      since 2026-06-12
        timestamp authority    https://timestamp.sigstage.dev/api/v1/timestamp  since 2025-04-09
        timestamp authority    https://timestamp.sigstage.dev/api/v1/timestamp  since 2026-06-12
      "
    `);
  });

  it('says the same as JSON', async () => {
    const { code, stdout } = await trust('show', '-o', 'json', '--offline');
    expect(code).toBe(0);
    const { schema, time, roots } = JSON.parse(stdout) as {
      schema: string;
      time: string;
      roots: Record<string, unknown>[];
    };
    expect([schema, time]).toEqual(['tidewaiter.trust/v1', '2026-11-22T00:00:00.000Z']);
    expect(
      roots.map(({ name, from, digest, published, ageDays, stale }) => [name, from, digest, published, ageDays, stale]),
    ).toEqual([
      [
        'public-good',
        'shipped',
        '6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66',
        '2026-08-21T19:25:56.000Z',
        92,
        false,
      ],
      [
        'github',
        'shipped',
        'f7a479f2bd2cc8d0389c74e99319a68524f3019d283d1c93d6de24362717012c',
        '2026-06-12T00:00:00.000Z',
        163,
        false,
      ],
      [
        'staging',
        'shipped',
        '44deb991d4bbf2150751ccee235d9810bce4434383c26d8898c1bcadbace6ed8',
        '2026-08-21T19:23:59.000Z',
        92,
        false,
      ],
    ]);
    expect(roots[0]).toHaveProperty('parties.0', {
      kind: 'log',
      uri: 'https://rekor.sigstore.dev',
      id: 'c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d',
      start: '2021-01-12T11:53:27.000Z',
      state: 'valid',
    });
  });

  it('says which are stale, and how to renew them', async () => {
    const { stdout } = await run(['trust', 'show'], { env: {}, now: () => Date.UTC(2028, 0) });
    expect(stdout.match(/^ {2}stale .*older than 180 days; tidewaiter trust update --root \S+$/gm)).toHaveLength(3);
  });

  it('shows what is in a file, several roots one by one', async () => {
    const file = path.join(work, 'mine.jsonl');
    writeFileSync(file, `${shippedText('github')}\n${JSON.stringify(JSON.parse(document))}\n`);
    const { code, stdout } = await trust('show', '--trusted-root', file);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^mine\.jsonl\n {2}from {5}a file, .*\n {2}digest {3}sha256:f7a479f2.*\n {2}as of {4}not known\n/m,
    );
    expect(stdout).toMatch(/^mine\.jsonl#2\n/m);
  });

  it('ends with 2 for a file that holds none', async () => {
    const { code, stdout, stderr } = await trust('show', '--trusted-root', path.join(work, 'root.json'));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error\[configuration\]: ".*root.json" is no trusted root: /);
  });

  it('prints help, and ends with 0, when asked to', async () => {
    const { code, stdout } = await trust('update', '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: tidewaiter trust update \[options\]/);
  });
});

it('records what an update brought so that the next process can prove it', async () => {
  await update(good);
  const [name] = leftOvers();
  const record = parseRecord(readFileSync(path.join(cache(), 'trust', name!), 'utf8'));
  expect(record).toMatchObject({ url: server.url, updated: now(), tufRoot: 1, document, metadata: { roots: [] } });
  expect((await shippedTufRoot('staging')).length).toBeGreaterThan(0);
});
