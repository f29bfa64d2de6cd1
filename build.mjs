/** Builds the program as a few bundled files, and the entry script beside them: `node build.mjs [DIRECTORY]`, by default dist. */
import { spawnSync } from 'node:child_process';
import { chmod, cp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build, rolldown } from 'rolldown';

/**
 * What commander asks Node for to start programs of its own, which tidewaiter does not have: loading it costs a tenth of
 * Node's own start.
 */
const unused = new Map([
  ['node:child_process', 'export default {};'],
  ['node:fs', 'export default {};'],
  ['node:process', 'export default process;'],
]);
const withoutUnused = {
  name: 'without-unused',
  resolveId: (id, importer) =>
    unused.has(id) && /[\\/]commander[\\/]/.test(importer ?? '') ? `\0unused ${id}` : undefined,
  load: (id) => unused.get(/^\0unused (.*)/.exec(id)?.[1] ?? ''),
};

/**
 * Names and lines stay as they are, since bug reports are to be read. Of comments only licences stay: the text is read and
 * hashed at every start. Of a text with one letter beyond ASCII in it, V8 keeps every letter in twice the memory.
 */
const written = {
  minifyInternalExports: false,
  comments: { legal: true, annotation: false, jsdoc: false },
  minify: {
    compress: false,
    mangle: false,
    codegen: { removeWhitespace: false, asciiOnly: true, legalComments: 'inline' },
  },
};

const directory = path.resolve(process.argv[2] ?? path.join(import.meta.dirname, 'dist'));
const source = (file) => path.join(import.meta.dirname, 'src', file);

await rm(directory, { recursive: true, force: true });
const bundle = await rolldown({
  cwd: import.meta.dirname,
  input: { main: source('cli/main.ts') },
  plugins: [withoutUnused],
  platform: 'node',
  logLevel: 'warn',
});
// CommonJS: node links a graph of ES modules 40 ms slower, which is nearly as long as it takes to start.
await bundle.write({
  ...written,
  dir: directory,
  format: 'cjs',
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
  // What every start needs, and what every verification needs, in one file each: thirty small ones are slower to find.
  codeSplitting: {
    groups: [
      {
        name: 'start',
        test: /src[\\/](?:diag|io[\\/](?!tuf|load|git)|archive[\\/]limits|sources[\\/](?:digest|platform|target)|run[\\/]guarded|cli[\\/](?:main|program|outputs))/,
      },
      {
        name: 'verify',
        test: /src[\\/](?:sigstore[\\/](?!roots|signing|write|keyless|tuf|digest-signature|cosign|simple|ssh|gitsign|openpgp|allowed|person|protobuf)|run[\\/](?:verify(?!-image|-policy)|trust\.|read-whole)|cli[\\/]verify-options|report[\\/]verify-table)/,
      },
    ],
  },
});
await bundle.close();
// What loads the others stands alone.
await build({
  input: source('io/load.ts'),
  platform: 'node',
  output: { ...written, format: 'cjs', file: path.join(directory, 'load.cjs') },
});
await cp(source('tidewaiter.cjs'), path.join(directory, 'tidewaiter.cjs'));
await chmod(path.join(directory, 'tidewaiter.cjs'), 0o755);
// In this order: what every command starts with is made without the flags that a scan gives to V8.
for (const command of ['verify', 'scan', 'change']) makeCodeCache(command);

/**
 * What V8 made of the files that a command needs is laid beside them (src/io/load.ts). By the Node that was installed
 * for tidewaiter, where there is one: it is of no use to another. Without it the program is slower and otherwise the same.
 */
function makeCodeCache(command) {
  const script = path.join(import.meta.dirname, 'build-cache.mjs');
  const { status, stderr, error } = spawnSync(pinnedNode(), [script, directory, command], {
    encoding: 'utf8',
    // Flags of V8 would make it of no use to a Node without them.
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  if (status !== 0)
    console.warn(`built without the code cache: ${error?.message ?? (stderr.trim() || `status ${status}`)}`);
}

function pinnedNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}/bin/node${process.platform === 'win32' ? '.exe' : ''}`;
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch {
    return process.execPath;
  }
}
