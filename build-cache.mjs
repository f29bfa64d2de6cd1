/**
 * Writes the code that V8 made of the built program beside its files: `node build-cache.mjs DIRECTORY`. One signature is
 * verified first: V8 compiles a function when it is first called, and what is not called would not be there.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const directory = path.resolve(process.argv[2]);
// A release of pypi-attestation-models on PyPI, from the public instance: it holds for good.
const workflow =
  'https://github.com/trailofbits/pypi-attestation-models/.github/workflows/release.yml@refs/tags/v0.0.4a2';
const verification = [
  'verify',
  'sha256:c9709ce6fd5b67b59b4a28758cf14d3f411803c4b89b6068b1f1a8e4ee94c8ef',
  ...['--bundle', path.join(import.meta.dirname, 'fixtures/code-cache/bundle.sigstore.json')],
  ...['--certificate-identity', workflow],
  ...['--certificate-oidc-issuer', 'https://token.actions.githubusercontent.com'],
];

/** Of a smaller source, the code takes as long to read as to make. */
const worthIt = 1 << 14;

const { load, scripts, formatCode } = createRequire(import.meta.url)(path.join(directory, 'load.cjs'));
// No trusted root of whoever builds it.
process.env.TIDEWAITER_CACHE_DIR = path.join(directory, 'no-such-folder');
process.argv = [process.execPath, 'tidewaiter', ...verification];
load(path.join(directory, 'main.cjs')).start();
process.on('exit', (status) => {
  if (status !== 0) return;
  for (const [file, script] of scripts) {
    const source = readFileSync(file);
    if (source.length >= worthIt) writeFileSync(`${file}.cache`, formatCode(source, script.createCachedData()));
  }
});
