/**
 * Writes the code that V8 made of the built program beside its files: `node build-cache.mjs DIRECTORY COMMAND`. The command
 * is run first: V8 compiles a function when it is first called, and what is not called would not be there. A file that has its
 * code from another command keeps it.
 */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { devNull, tmpdir } from 'node:os';
import path from 'node:path';

const directory = path.resolve(process.argv[2]);
const command = process.argv[3];
const fixture = (name) => path.join(import.meta.dirname, 'fixtures', name);
// A release of pypi-attestation-models on PyPI, from the public instance: it holds for good.
const workflow =
  'https://github.com/trailofbits/pypi-attestation-models/.github/workflows/release.yml@refs/tags/v0.0.4a2';
/** How to run each, and the status that it then ends with. */
const commands = {
  verify: () => ({
    args: [
      'verify',
      'sha256:c9709ce6fd5b67b59b4a28758cf14d3f411803c4b89b6068b1f1a8e4ee94c8ef',
      ...['--bundle', fixture('code-cache/bundle.sigstore.json')],
      ...['--certificate-identity', workflow],
      ...['--certificate-oidc-issuer', 'https://token.actions.githubusercontent.com'],
    ],
    status: 0,
  }),
  scan: () => ({
    args: ['scan', `oci:${fixture('image')}`, ...['-o', 'table'], ...['-o', `cyclonedx-json=${devNull}`]],
    status: 0,
  }),
  // Denied: half of it is an agent's, without provenance.
  change: () => ({ args: ['change', 'main..topic', '--repository', makeRepository(), '-o', 'table'], status: 1 }),
};

/** A base with a policy, and a branch with a merge in it. */
function makeRepository() {
  const temporary = mkdtempSync(path.join(tmpdir(), 'tidewaiter-build-'));
  process.on('exit', () => rmSync(temporary, { recursive: true, force: true }));
  const repository = path.join(temporary, 'repository');
  // A hook that installs packages has GIT_DIR in its environment: nothing may be written into that repository.
  const others = Object.entries(process.env).filter(([name]) => !/^GIT_/i.test(name));
  const env = { ...Object.fromEntries(others), GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_NOSYSTEM: '1' };
  const git = (args, input) => {
    const { status } = spawnSync('git', args, { cwd: temporary, input, env, stdio: ['pipe', 'ignore', 'ignore'] });
    // Without git there is nothing to make faster.
    if (status !== 0) process.exit(0);
  };
  const key = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' });
  const policy = `version: 1
identities: { platform: { key: platform.pem } }
changes:
  repository: https://github.com/acme/shop
  baseRef: refs/heads/main
  unknown: treat-as-agent
  agents: { provenance: { any: [platform] }, tier: local-key }
`;
  const data = (text) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const file = (name, text) => `M 644 inline ${name}\n${data(text)}`;
  const commit = (branch, mark, parents, message, files) => {
    const who = `A U Thor <author@acme.example> ${1_700_000_000 + mark} +0000`;
    const head = `commit refs/heads/${branch}\nmark :${mark}\nauthor ${who}\ncommitter ${who}\n${data(message)}`;
    return `${head}${parents.map((parent, at) => `${at === 0 ? 'from' : 'merge'} :${parent}\n`).join('')}${files}\n`;
  };
  const trailer = 'Co-Authored-By: Claude <noreply@anthropic.com>\n';
  const first = file('src/a.ts', 'a\n') + file('src/b.ts', 'b\n');
  const history = [
    commit('main', 1, [], 'base', first + file('platform.pem', key) + file('tidewaiter.policy.yaml', policy)),
    commit('topic', 2, [1], `one\n\n${trailer}`, file('src/a.ts', 'aa\n')),
    commit('side', 3, [1], 'side', file('src/b.ts', 'bb\n')),
    commit('topic', 4, [2, 3], 'merge', file('src/b.ts', 'bb\n')),
    commit('main', 5, [1], 'the base moves on', file('docs/c.md', 'c\n')),
  ];
  git(['init', '--quiet', '--bare', '--initial-branch=main', '--template=', repository]);
  git(['--git-dir', repository, 'fast-import', '--quiet'], history.join(''));
  return repository;
}

/** Of a smaller source, the code takes as long to read as to make. */
const worthIt = 1 << 14;

const { load, scripts, formatCode } = createRequire(import.meta.url)(path.join(directory, 'load.cjs'));
// No trusted root of whoever builds it.
process.env.TIDEWAITER_CACHE_DIR = path.join(directory, 'no-such-folder');
const { args, status: expected } = commands[command]();
process.argv = [process.execPath, 'tidewaiter', ...args];
load(path.join(directory, 'main.cjs')).start();
process.on('exit', (status) => {
  if (status !== expected) {
    // A git that is too old for change, for example.
    console.error(`${command} ended with ${status}`);
    process.exitCode = 1;
    return;
  }
  process.exitCode = 0;
  for (const [file, script] of scripts) {
    if (existsSync(`${file}.cache`)) continue;
    const source = readFileSync(file);
    if (source.length >= worthIt) writeFileSync(`${file}.cache`, formatCode(source, script.createCachedData()));
  }
});
