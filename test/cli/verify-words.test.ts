/** What `verify` and `attest` say to whoever asks wrongly, and what they write when there is nothing to judge. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { makeFolder } from '../../src/io/make-folder.ts';
import { readPolicy } from '../../src/policy/read.ts';
import type { Verification } from '../../src/report/verification.ts';
import { formatBundle } from '../../src/sigstore/write-bundle.ts';
import { utf8 } from '../kit/der.ts';
import { anImage, anIndex, type Item, layout, tagged } from '../kit/image.ts';
import { tagOf } from '../kit/papers.ts';
import {
  cosignSignature,
  fileBundle,
  issuer,
  keyBundle,
  keyPem,
  makeInstance,
  makeKeys,
  rootJson,
  sha256Of,
  statement,
} from '../kit/signed.ts';
import { file } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';
import { run } from '../kit/world.ts';
import { certified, signStatement } from '../sigstore/instance.ts';

const temporary = temporaryDirectory();
const instance = makeInstance();
const keys = makeKeys();
const content = Buffer.from('what is released\n');
const gitHub = 'https://token.actions.githubusercontent.com';
const reusable = 'https://github.com/tools/ci/.github/workflows/release.yml';

/** A statement by a workflow of GitHub Actions that ran for a repository. */
function workflowBundle(workflow: string, source: string): string {
  const name = `${workflow}@refs/heads/main`;
  const claims = { 8: gitHub, 9: name, 12: source };
  const extensions = Object.entries(claims).map(([at, text]) => ({
    oid: `1.3.6.1.4.1.57264.1.${at}`,
    value: utf8(text),
  }));
  const leaf = instance.leaf({ uris: [name], extensions });
  return formatBundle(
    certified(instance, leaf, signStatement(leaf, statement(sha256Of(content), 'https://x.example/v1'))),
  );
}

const folder = writeTree(temporary, {
  'app.txt': content,
  'app.json': keyBundle(keys, content),
  'keyless.json': fileBundle(instance, 'https://ci.example/acme/release', content),
  'reusable.json': workflowBundle(reusable, 'https://github.com/acme/shop'),
  'own.json': workflowBundle(
    'https://github.com/acme/shop/.github/workflows/release.yml',
    'https://github.com/acme/shop',
  ),
  'root.json': rootJson(instance),
  'x.pub': keyPem(keys),
  empty: '',
  'app.sig': Buffer.from('signature of some length').toString('base64'),
  SHA256SUMS: `${sha256Of(content).slice(7)}  app.txt\n`,
  'app.json.gz': gzipSync('{}'),
  'list.json': '[]',
  'sub/x': 'x',
});
const at = (name: string) => path.join(folder, name);
const app = at('app.txt');
const byKey = ['--key', at('x.pub')];
const pins = (identity: string, from = issuer) => [
  '--certificate-identity',
  identity,
  '--certificate-oidc-issuer',
  from,
  '--trusted-root',
  at('root.json'),
];

describe('a command line that means something else than it says ends with 2, with what to write', () => {
  const bundle = ['--bundle', at('app.json')];
  it.each<[readonly string[], RegExp, RegExp]>([
    [[app, ...pins('https://github.com/a/*')], /compared letter by letter, "\*" included/, /write it into a policy/],
    [[app, ...pins('a', 'https://*.example')], /--certificate-oidc-issuer is compared letter by letter/, /policy/],
    [[app, ...pins('a', 'accounts.example')], /is no URL/, /with its scheme: https:\/\/accounts\.example/],
    [[app, ...pins('a', `${gitHub}/`)], /ends in a slash/, /write it without: https:\/\/token\.actions/],
    [[app, ...pins(reusable, gitHub), '--certificate-github-workflow-repository', 'x'], /needs OWNER\/NAME/, /.git/],
    [[app, ...pins('a@b.example'), '--certificate-github-workflow-repository', 'a/b'], /GitHub Actions/, /policy/],
    [[app, ...byKey, '--certificate-github-workflow-repository', 'a/b'], /goes with --certificate-identity/, /policy/],
    [['--bundles', folder, ...byKey, '--platform', 'linux/amd64'], /--platform chooses among images/, /leave/],
    [[app, '--signature', 'x'], /--signature is no option here/, /--bundle FILE/],
    [[app, '--certificate', 'x'], /--certificate is no option here/, /--bundle FILE/],
    [[app, '--owner', 'x'], /--owner is no option here/, /--certificate-identity/],
    [[app, '--repo', 'a/b'], /--repo is no option here/, /--certificate-github-workflow-repository/],
    [[app, '--source-uri', 'x'], /--source-uri is no option here/, /--certificate-identity/],
    [[app, '-y'], /--yes is no option here/, /leave it out/],
    [[`sha1:${'a'.repeat(40)}`, ...bundle, ...byKey], /nothing is signed by its sha1/, /gitCommit:HEX/],
    [[`md5:${'a'.repeat(32)}`, ...bundle, ...byKey], /nothing is signed by its md5/, /sha256:HEX/],
    [['https://acme.example/app.tgz', ...bundle, ...byKey], /is an address/, /download it first/],
    [[app, ...bundle, '--key', at('SHA256SUMS')], /cannot be used as a public key/, /OpenSSH line/],
  ])('%j', async (args, why, hint) => {
    const { code, stdout, stderr } = await run(['verify', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(why);
    expect(stderr.slice(stderr.indexOf('\n'))).toMatch(hint);
  });

  it('keeps an issuer that ends in a slash by itself', async () => {
    const { code } = await run(['verify', app, '--bundle', at('keyless.json'), ...pins('a', `${issuer}/`)]);
    expect(code).toBe(1);
  });

  it('shows a policy that can be read', async () => {
    const { stderr } = await run(['verify', app, '--certificate-identity-regexp', '.*']);
    const policy = readPolicy(/\{ version: .*\}/.exec(stderr)![0], 'hint');
    expect(policy.identities.get('release')).toMatchObject({ kind: 'certificate', pin: { issuer: gitHub } });
  });

  it('of attest says the same', async () => {
    const before = process.cwd();
    process.chdir(folder);
    const attest = (target: string, ...more: readonly string[]) =>
      run(['attest', target, '--predicate', 'list.json', '--type', 'https://x.example/v1', '--key', 'x.pub', ...more]);
    try {
      expect((await attest('app.txt')).stderr).toMatch(/hint: give one object/);
      writeFileSync('list.json', '{}');
      expect((await attest('app.txt')).stderr).toMatch(
        /is read as the name of an image.*\n {2}hint: write "\.\/app\.txt"/,
      );
      const { code, stderr } = await attest('.');
      expect([code, stderr]).toEqual([2, expect.stringMatching(/has no digest that a statement could be about/)]);
      expect(stderr).not.toMatch(/--bundles/);
      expect((await attest('./app.txt', '-y')).stderr).toMatch(/--yes is no option here/);
    } finally {
      process.chdir(before);
    }
  });
});

describe('a file that is no bundle', () => {
  it.each([
    ['empty', /nothing of it has arrived/],
    ['x.pub', /that is a key: give it with --key FILE/],
    ['app.sig', /cosign sign-blob --bundle/],
    ['SHA256SUMS', /give it as the target/],
    ['app.json.gz', /gunzip/],
  ])('is called what it is, with what to do: %s', async (name, hint) => {
    const { code, stdout } = await run(['verify', app, '--bundle', at(name), ...byKey]);
    expect([code, stdout]).toEqual([3, expect.stringMatching(hint)]);
    expect(stdout).not.toMatch(/fetch it again: what/);
  });
});

describe('what cannot be read at all', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['target', [at('nope.txt'), '--bundle', at('app.json'), ...byKey], /nope\.txt/],
    ['bundle', [app, '--bundle', at('nope.json'), ...byKey], /nope\.json/],
    ['image', [`oci:${at('nope')}`, ...byKey], /nope/],
    ['root', [app, ...pins('a').slice(0, 4), '--trusted-root', at('nope.json')], /nope\.json/],
    ['directory', ['--bundles', at('sub'), ...byKey], /holds no bundle/],
  ])('is undecided in every document, and nothing of an earlier run stays: %s', async (_, args, why) => {
    const [old, table] = [at('out.sarif'), at('out.txt')];
    for (const each of [old, table]) writeFileSync(each, 'an earlier run');
    const ran = await run(['verify', ...args, '-o', 'json', '-o', `sarif=${old}`, '-o', `table=${table}`]);
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringMatching(why)]);
    const document = JSON.parse(ran.stdout) as Verification;
    expect([document.outcome, document.results.map(({ outcome }) => outcome)]).toEqual(['undecided', ['undecided']]);
    expect(document.results[0]?.findings[0]?.message).toMatch(why);
    expect(document.results[0]?.findings[0]?.hints.length).toBeGreaterThan(0);
    const [sarif] = JSON.parse(readFileSync(old, 'utf8')).runs;
    expect([sarif.invocations[0].executionSuccessful, sarif.invocations[0].exitCode]).toEqual([false, 3]);
    expect(sarif.results).toHaveLength(1);
    expect(readFileSync(table, 'utf8')).toMatch(/^not decided: /m);
  });

  it.skipIf(process.getuid?.() === 0)('is named by its path, with a hint', async () => {
    mkdirSync(at('closed'), { recursive: true });
    chmodSync(at('closed'), 0);
    const { stderr } = await run(['verify', at('closed/x'), ...byKey]);
    expect(stderr).toMatch(/cannot look at ".*closed\/x": permission denied\n {2}hint: /);
  });

  it('as an output in a directory that is not there has a hint', async () => {
    const out = at('none/out.json');
    const ran = await run(['verify', app, '--bundle', at('app.json'), ...byKey, '-o', `json=${out}`]);
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringMatching(/cannot write .*\n {2}hint: make the directory/)]);
  });
});

describe('every failure in JSON says what to do', () => {
  it('by the rule where nothing better is known, and SARIF has what is better in its message', async () => {
    const json = await run(['verify', app, '--bundle', at('keyless.json'), ...pins('a@b.example'), '-o', 'json']);
    const failure = (JSON.parse(json.stdout) as Verification).results[0]?.signatures[0]?.failure;
    expect([failure?.rule, failure?.hints]).toEqual(['wrong-identity', [expect.stringMatching(/^compare the pin/)]]);
    const sarif = await run(['verify', app, '--bundle', at('x.pub'), ...byKey, '-o', 'sarif']);
    expect(JSON.parse(sarif.stdout).runs[0].results[0].message.text).toMatch(
      /; to do: that is a key: give it with --key/,
    );
  });
});

describe('a reusable workflow that ran for another repository', () => {
  const args = (name: string, workflow: string) => [
    'verify',
    app,
    '--bundle',
    at(name),
    ...pins(`${workflow}@refs/heads/main`, gitHub),
  ];
  const pin = (name: string) => ['--certificate-github-workflow-repository', name];

  it('is noted by both names where nothing pins the source', async () => {
    const { code, stderr } = await run(args('reusable.json', reusable));
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^note: https:\/\/github\.com\/tools\/ci\/\S* has signed, .* https:\/\/github\.com\/acme\/shop, /,
    );
    expect(stderr).toMatch(
      /--certificate-github-workflow-repository OWNER\/NAME, or by source\.repository in a policy/,
    );
    const own = await run(args('own.json', 'https://github.com/acme/shop/.github/workflows/release.yml'));
    expect([own.code, own.stderr]).toEqual([0, '']);
  });

  it('counts for the pinned repository alone, compared whole', async () => {
    const good = await run([...args('reusable.json', reusable), ...pin('acme/shop')]);
    expect([good.code, good.stderr]).toEqual([0, '']);
    for (const other of ['acme/sho', 'acme/shop2', 'Acme/shop', 'tools/ci']) {
      const { code, stdout } = await run([...args('reusable.json', reusable), ...pin(other)]);
      expect([code, stdout]).toEqual([
        1,
        expect.stringMatching(/expected {2}source\.repository https:\/\/github\.com\//),
      ]);
    }
  });

  it('is shown with its repository, and with the time that is proved', async () => {
    const { stdout } = await run(args('reusable.json', reusable));
    expect(stdout).toMatch(/^ {2}signed +20\d\d-\S+Z \(log \S+\)$/m);
    expect(stdout).toMatch(/^ {2}logged +index \d+ of \S+$/m);
    expect(stdout).toMatch(/^ {2}repository +https:\/\/github\.com\/acme\/shop$/m);
  });
});

describe('an image', () => {
  const amd = anImage().on('linux', 'amd64').layer(file('a', 'a')).built();
  const arm = anImage().on('linux', 'arm64').layer(file('b', 'b')).built();
  const digestIn = (item: Item) => (item.descriptor as { digest: string }).digest;
  const sig = tagged(cosignSignature(keys, digestIn(amd)), tagOf(digestIn(amd), '.sig'));
  const place = `oci:${writeTree(temporary, layout([tagged(anIndex([amd, arm]), '1.4'), sig]))}:1.4`;

  it('is called what was asked for', async () => {
    const { stdout } = await run(['verify', place, ...byKey, '--platform', 'linux/amd64']);
    expect(stdout.startsWith(`${place}\n`)).toBe(true);
    expect(stdout).toContain(`passed: ${place}: `);
    const sarif = JSON.parse((await run(['verify', place, ...byKey, '-o', 'sarif'])).stdout);
    expect(sarif.runs[0].results[0].message.text).toContain(place);
  });

  it('of which one platform is signed is undecided about the other, and says so', async () => {
    const { code, stdout } = await run(['verify', place, ...byKey]);
    expect([code, stdout]).toEqual([3, expect.stringMatching(/linux\/arm64: no signature is about this one, though/)]);
    expect(stdout).not.toMatch(/nothing that is signed/);
  });

  it('in a layout that was only begun is said to be missing', async () => {
    const begun = writeTree(temporary, {
      'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
      'index.json': '{"schemaVersion":2,"manifests":null}',
    });
    for (const command of [['scan'], ['verify', ...byKey]]) {
      const { code, stderr } = await run([...command, `oci:${begun}`]);
      expect([code, stderr]).toEqual([3, expect.stringMatching(/holds no image\n {2}hint: /)]);
    }
    writeFileSync(path.join(begun, 'index.json'), '{"schemaVersion":2,"manifests":4}');
    expect((await run(['scan', `oci:${begun}`])).stderr).toMatch(/it is number where .* array belongs\n {2}hint: /);
  });
});

describe('a policy', () => {
  it('gives an age in days with or without the unit, and may begin with a byte order mark', () => {
    for (const age of ['90', '90d', '"90"']) {
      const policy = readPolicy(`\ufeffversion: 1\ntrust: { public-good: { maxAge: ${age} } }\n`, 'p');
      expect(policy.trust.get('public-good')?.maxAge).toBe(90 * 86_400_000);
    }
  });
});

describe('a folder', () => {
  it('is made with what is missing above it', () => {
    const deep = path.join(temporary, 'a/b/c');
    makeFolder(deep);
    makeFolder(deep);
    expect(existsSync(deep)).toBe(true);
  });

  it.runIf(existsSync('/proc/self'))('that cannot be made ends in an error, and in no loop', async () => {
    expect(() => makeFolder('/proc/tidewaiter/x')).toThrow();
    const env = { TIDEWAITER_CACHE_DIR: '/proc/tidewaiter/x' };
    const { code, stderr } = await run(['trust', 'update', '--root', 'github'], { env });
    expect([code, stderr]).toEqual([3, expect.stringMatching(/cannot write to "\/proc\/tidewaiter\/x/)]);
  });
});
