/** What a command line may not ask for, whatever the command: an output that is an input, and one value given twice. */
import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { anImage, layout, ociArchive, tagged } from '../kit/image.ts';
import { keyBundle, keyPem, makeKeys } from '../kit/signed.ts';
import { file } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';
import { run } from '../kit/world.ts';

const temporary = temporaryDirectory();
const keys = makeKeys();
const content = Buffer.from('what is released\n');
const lock = JSON.stringify({
  name: 'x',
  version: '1.0.0',
  lockfileVersion: 3,
  packages: { '': { name: 'x', version: '1.0.0' }, 'node_modules/a': { version: '1.0.0' } },
});
const image = tagged(anImage().layer(file('a', 'a')).built(), '1.0');
const fresh = () => {
  const place = writeTree(temporary, {
    'app.txt': content,
    'app.json': keyBundle(keys, content),
    'k.pem': keys.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    'x.pub': keyPem(keys),
    'p.json': '{}',
    'policy.yaml': 'version: 1\nidentities:\n  a: { key: x.pub }\n',
    'project/package-lock.json': lock,
    'project/bom.json': '{}',
    'image.tar': ociArchive(layout([image])),
  });
  symlinkSync('x.pub', path.join(place, 'link'));
  linkSync(path.join(place, 'x.pub'), path.join(place, 'hard'));
  return place;
};

describe('an output that is also an input is refused, and nothing is written', () => {
  const attest = ['attest', './app.txt', '--predicate', 'p.json', '--type', 'https://x.example/v1', '--key', 'k.pem'];
  const verify = ['verify', './app.txt', '--bundle', 'app.json', '--key', 'x.pub'];
  it.each<[string, readonly string[]]>([
    ['k.pem', [...attest, '-o', 'bundle=k.pem']],
    ['app.txt', [...attest, '-o', 'bundle=app.txt']],
    ['p.json', [...attest, '-o', 'bundle', '-o', 'bundle=p.json']],
    ['x.pub', [...verify, '-o', 'json=x.pub']],
    ['x.pub', [...verify, '-o', 'json=link']],
    ['x.pub', [...verify, '-o', 'json=hard']],
    ['app.json', [...verify, '-o', 'sarif=app.json']],
    ['app.txt', [...verify, '-o', 'table=sub/../app.txt']],
    ['policy.yaml', [...verify.slice(0, 4), '--policy', 'policy.yaml', '--identity', 'a', '-o', 'json=policy.yaml']],
    ['x.pub', [...verify.slice(0, 4), '--policy', 'policy.yaml', '--identity', 'a', '-o', 'json=x.pub']],
    ['project/package-lock.json', ['scan', 'file:project/package-lock.json', '-o', 'json=project/package-lock.json']],
    ['project/package-lock.json', ['scan', 'dir:project', '-o', 'json=project/package-lock.json']],
    ['image.tar', ['scan', './image.tar', '-o', 'json=image.tar']],
    ['p.json', ['trust', 'update', '--tuf-url', 'https://tuf.test', '--tuf-root', 'p.json', '--to', 'p.json']],
  ])('%s: %j', async (victim, args) => {
    const place = fresh();
    mkdirSync(path.join(place, 'sub'));
    const before = readFileSync(path.join(place, victim));
    const home = process.cwd();
    process.chdir(place);
    const { code, stdout, stderr } = await run(args).finally(() => process.chdir(home));
    expect([code, stdout], stderr).toEqual([2, '']);
    expect(stderr).toMatch(/the output ".*" is also an input.*\n {2}hint: name another file/);
    expect(readFileSync(path.join(place, victim))).toEqual(before);
  });

  it('but what an earlier run wrote beside the inputs is written anew', async () => {
    const place = fresh();
    const bom = path.join(place, 'project/bom.json');
    for (const text of ['{}', '{}'.padEnd(200_000)]) {
      writeFileSync(bom, text);
      const { code, stderr } = await run(['scan', `dir:${place}/project`, '-o', `json=${bom}`]);
      expect([code, stderr]).toEqual([0, '']);
      expect(readFileSync(bom, 'utf8')).toContain('pkg:npm/a@1.0.0');
    }
    const out = path.join(place, 'out.json');
    const args = ['verify', `${place}/app.txt`, '--bundle', `${place}/app.json`, '--key', `${place}/x.pub`];
    for (const _ of [1, 2]) expect((await run([...args, '-o', `json=${out}`])).code).toBe(0);
  });
});

describe('an option that takes one value', () => {
  it.each<[readonly string[], string]>([
    [['verify', '--bundles', 'a', '--bundles', 'b'], '--bundles'],
    [['verify', './x', '--policy', 'a', '--policy', 'a'], '--policy'],
    [['verify', './x', '--type', 'a', '--type', 'b'], '--type'],
    [['verify', './x', '--max-root-age', '10', '--max-root-age', '400'], '--max-root-age'],
    [['attest', './x', '--key', 'a', '--key', 'b'], '--key'],
    [['scan', '.', '--platform', 'linux/amd64', '--platform=all'], '--platform'],
    [['scan', '.', '--max-ratio', '1', '--max-ratio', '2'], '--max-ratio'],
    [['trust', 'update', '--timeout', '1', '--timeout', '2'], '--timeout'],
    [['trust', 'show', '-o', 'json', '--output', 'table'], '--output'],
  ])('takes it once: %j', async (args, flag) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      `error[usage]: ${flag} is given twice, and takes one value\n  hint: keep the one that is meant\n`,
    );
  });
});
