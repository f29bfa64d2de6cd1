/** Builds dist/: the program as a few bundled files, and the entry script beside them. */
import { chmod, cp, rm } from 'node:fs/promises';
import { rolldown } from 'rolldown';

await rm('dist', { recursive: true, force: true });
const bundle = await rolldown({
  input: { main: 'src/cli/main.ts' },
  platform: 'node',
  logLevel: 'warn',
});
await bundle.write({ dir: 'dist', format: 'esm', chunkFileNames: '[name].js', minify: false });
await bundle.close();
await cp('src/tidewaiter.cjs', 'dist/tidewaiter.cjs');
await chmod('dist/tidewaiter.cjs', 0o755);
