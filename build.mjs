/** Builds the program as a few bundled files, and the entry script beside them: `node build.mjs [DIRECTORY]`, by default dist. */
import { chmod, cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { rolldown } from 'rolldown';

/** commander asks for it to start programs that tidewaiter does not have; loading it costs a sixth of node's own start. */
const noChildProcess = {
  name: 'no-child-process',
  resolveId: (id, importer) =>
    id === 'node:child_process' && /[\\/]commander[\\/]/.test(importer ?? '') ? '\0no-child-process' : undefined,
  load: (id) => (id === '\0no-child-process' ? 'export default {};' : undefined),
};

const directory = process.argv[2] ?? path.join(import.meta.dirname, 'dist');
const source = (file) => path.join(import.meta.dirname, 'src', file);

await rm(directory, { recursive: true, force: true });
const bundle = await rolldown({
  cwd: import.meta.dirname,
  input: { main: source('cli/main.ts') },
  plugins: [noChildProcess],
  platform: 'node',
  logLevel: 'warn',
});
// CommonJS: node links a graph of ES modules 40 ms slower, which is nearly as long as it takes to start.
await bundle.write({
  dir: directory,
  format: 'cjs',
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
  // What every start needs, and what every verification needs, in one file each: thirty small ones are slower to find.
  codeSplitting: {
    groups: [
      { name: 'start', test: /src[\\/](?:diag|io[\\/](?!tuf)|cli[\\/](?:main|program))/ },
      {
        name: 'verify',
        test: /src[\\/](?:sigstore[\\/](?!roots|signing|write|keyless|tuf|digest-signature|cosign|simple|ssh)|run[\\/](?:verify(?!-image|-policy)|trust\.|read-whole)|cli[\\/](?:verify-options|outputs)|report[\\/]verify-table)/,
      },
    ],
  },
});
await bundle.close();
await cp(source('tidewaiter.cjs'), path.join(directory, 'tidewaiter.cjs'));
await chmod(path.join(directory, 'tidewaiter.cjs'), 0o755);
