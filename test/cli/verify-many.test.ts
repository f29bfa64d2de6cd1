/** A directory of many bundles, some of them spoiled: the same answer to the letter, however many cores there are. */
import { describe, expect, it } from 'vitest';
import { fileBundle, issuer, makeInstance, rootJson, sha256Of, statementBundle } from '../kit/signed.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';
import { run } from '../kit/world.ts';

const temporary = temporaryDirectory();
const instance = makeInstance();
const release = 'https://ci.example/acme/release';
const content = Buffer.from('what is released\n');
const digest = sha256Of(content);
const folder = writeTree(temporary, { 'root.json': rootJson(instance) });
const pins = [
  '--certificate-identity',
  release,
  '--certificate-oidc-issuer',
  issuer,
  '--trusted-root',
  `${folder}/root.json`,
];

const good = fileBundle(instance, release, content);
const statement = statementBundle(instance, release, digest);
const kinds: readonly string[] = [
  good,
  statement,
  fileBundle(instance, 'https://ci.example/mallory/release', content),
  statementBundle(instance, release, sha256Of(Buffer.from('another\n'))),
  statement.replace(signatureOf(statement), signatureOf(statementBundle(instance, release, digest))),
  statementBundle(makeInstance(), release, digest),
  'no bundle at all',
  '',
];
const bundles = Array.from({ length: 48 }, (_, at) => kinds[at % kinds.length]!);

function signatureOf(bundle: string): string {
  return (JSON.parse(bundle) as { dsseEnvelope: { signatures: [{ sig: string }] } }).dsseEnvelope.signatures[0].sig;
}

async function answers(...args: readonly string[]) {
  const each: unknown[] = [];
  for (const cores of [1, 2, 8]) {
    for (const format of ['json', 'table']) each.push(await run(['verify', ...args, ...pins, '-o', format], { cores }));
  }
  return { one: each.slice(0, 2), others: [each.slice(2, 4), each.slice(4, 6)] };
}

describe('many bundles', () => {
  it('about one digest are judged the same on one core and on several', async () => {
    const directory = writeTree(
      temporary,
      Object.fromEntries(bundles.map((text, at) => [`many/${at}.sigstore.json`, text])),
    );
    const { one, others } = await answers(digest, '--bundles', `${directory}/many`);
    expect(others).toEqual([one, one]);
    const { document } = await verification(digest, '--bundles', `${directory}/many`);
    expect(Map.groupBy(document.results[0].signatures, ({ verdict }) => verdict).get('trusted')).toHaveLength(12);
  });

  it('beside their files are judged the same on one core and on several', async () => {
    const files = bundles.flatMap((text, at) => [
      [`beside/${at}`, content] as const,
      [`beside/${at}.sigstore.json`, text] as const,
    ]);
    const directory = writeTree(temporary, Object.fromEntries(files));
    const { one, others } = await answers('--bundles', `${directory}/beside`);
    expect(others).toEqual([one, one]);
    const { code, document } = await verification('--bundles', `${directory}/beside`);
    const passed = document.results.filter(({ outcome }) => outcome === 'pass');
    expect([code, document.results.length, passed.length]).toEqual([3, 48, 12]);
  });

  it('are refused when one that was named is not there', async () => {
    const named = Array.from({ length: 12 }, () => ['--bundle', `${folder}/gone.json`]).flat();
    expect(await run(['verify', digest, ...named, ...pins])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('there is no file'),
    });
  });
});

interface Answer {
  readonly results: readonly [
    { readonly outcome: string; readonly signatures: readonly { readonly verdict: string }[] },
  ];
}

async function verification(...args: readonly string[]): Promise<{ code: number; document: Answer }> {
  const { code, stdout } = await run(['verify', ...args, ...pins, '-o', 'json']);
  return { code, document: JSON.parse(stdout) as Answer };
}
