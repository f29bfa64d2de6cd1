/**
 * Loads the files that the program is built as. Beside some of them lies the code that V8 made of them when they were
 * built (`FILE.cache`): compiling it anew would take a third of the time of a short command.
 *
 *     v24.21.0 linux x64\n   SHA-256 of the source, 32   SHA-256 of the code, 32   V8's code
 *
 * V8 looks at the length of a source and not at the source, and believes what code it is given. So it is used only by the
 * version that made it, for exactly the source that it was made of, and as it was written; V8 itself refuses that of other
 * flags. Whatever is wrong with it, the source is compiled as if it were not there.
 */
import { isAscii } from 'node:buffer';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { constants, Script } from 'node:vm';

/** Loads a file with all that it requires beside it, each once, and gives what it exports. */
export function load(file: string): unknown {
  const known = modules.get(file);
  if (known !== undefined) return known.exports;
  const module: LoadedModule = { exports: {} };
  modules.set(file, module);
  const script = compile(file);
  scripts.set(file, script);
  const directory = dirname(file);
  const requireOther = createRequire(file);
  const require = (id: string) => (/^\.\/[^/]+\.cjs$/.test(id) ? load(join(directory, id)) : requireOther(id));
  const run = script.runInThisContext() as RunModule;
  run.call(module.exports, module.exports, require, module, file, directory);
  return module.exports;
}

/** What was loaded, by its path: the build takes the code from here. */
export const scripts = new Map<string, Script>();

interface LoadedModule {
  exports: object;
}

type RunModule = (
  exports: object,
  require: (id: string) => unknown,
  module: LoadedModule,
  filename: string,
  dirname: string,
) => void;

const modules = new Map<string, LoadedModule>();

function compile(file: string): Script {
  const source = readFileSync(file);
  // On the first line, so that the numbers of lines stay. Joined as bytes: as text both would be kept.
  const wrapped = Buffer.concat([before, source, after]);
  const cachedData = readCode(`${file}.cache`, source);
  return new Script(isAscii(wrapped) ? wrapped.toString('latin1') : wrapped.toString(), {
    filename: file,
    // Packages that are loaded on demand may be ES modules.
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
}

const before = Buffer.from('(function (exports, require, module, __filename, __dirname) { ');
const after = Buffer.from('\n})');

/** The code for this source; undefined when there is none that can be used. */
function readCode(file: string, source: Buffer): Buffer | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return undefined;
  }
  const code = bytes.subarray(headLength);
  return headOf(source, code).equals(bytes.subarray(0, headLength)) ? code : undefined;
}

/** What `readCode` reads. */
export function formatCode(source: Buffer, code: Buffer): Buffer {
  return Buffer.concat([headOf(source, code), code]);
}

function headOf(source: Buffer, code: Buffer): Buffer {
  return Buffer.concat([maker, hash('sha256', source, 'buffer'), hash('sha256', code, 'buffer')]);
}

const maker = Buffer.from(`${process.version} ${process.platform} ${process.arch}\n`);
const headLength = maker.length + 2 * 32;
