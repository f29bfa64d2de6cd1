// For any Node from 20 on: hands over to the Node that is installed beside tidewaiter when the running one is too old.
// The client is run as it is built (dist/conformance.js), or else from its source.
process.exitCode = 3;

const { spawn } = require('node:child_process');
const { existsSync } = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const built = path.join(__dirname, '..', '..', 'dist', 'conformance.js');
const client = existsSync(built) ? built : path.join(__dirname, 'conformance.ts');

/** Node from 22.22 on reads TypeScript as it is. */
function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major >= 24 || (major === 22 && minor >= 22);
}

if (isNewEnough(process.versions.node)) {
  import(pathToFileURL(client).href).then(({ start }) => start(), console.error);
} else {
  const node = require.resolve(`node-${process.platform}-${process.arch}/bin/node`);
  const child = spawn(node, [__filename, ...process.argv.slice(2)], { stdio: 'inherit' });
  child.on('exit', (code) => {
    process.exitCode = code ?? 3;
  });
}
