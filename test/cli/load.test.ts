/** The code that V8 made of the program at build time: it is used when it fits, and nothing changes when it does not. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatCode, load, scripts } from '../../src/io/load.ts';
import { buildProgram, type Program } from '../kit/built.ts';
import { root } from '../kit/data.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const temporary = temporaryDirectory();
const source = "exports.say = () => { const inner = () => 'one'; return inner(); };\n";

/** In a place of its own: what was loaded from a path is kept. */
function place(text: string, cache?: Buffer): string {
  const file = path.join(mkdtempSync(path.join(temporary, 'load-')), 'file.cjs');
  writeFileSync(file, text);
  if (cache !== undefined) writeFileSync(`${file}.cache`, cache);
  return file;
}

/** What the file says, and whether V8 refused the code: undefined when it was not shown any. */
function run(file: string) {
  const { say } = load(file) as { say(): string };
  return { said: say(), refused: scripts.get(file)?.cachedDataRejected };
}

function codeOf(text: string): Buffer {
  const file = place(text);
  run(file);
  return formatCode(Buffer.from(text), scripts.get(file)!.createCachedData());
}

describe('loading a file', () => {
  const cache = codeOf(source);

  it('takes the code that was made of it', () => {
    expect(run(place(source, cache))).toEqual({ said: 'one', refused: false });
  });

  it('passes over the code of another source, be it of the same length', () => {
    expect(run(place(source.replace('one', 'two'), cache))).toEqual({ said: 'two', refused: undefined });
    expect(run(place(`${source}\n`, cache))).toEqual({ said: 'one', refused: undefined });
  });

  it('passes over code that was cut, made longer, or changed in one bit', () => {
    const lengths = [0, 1, 10, 40, 90, cache.length >> 1, cache.length - 1];
    const changed = [0, 3, 30, 60, 100, cache.length >> 1, cache.length - 1].map((at) => {
      const copy = Buffer.from(cache);
      copy[at]! ^= 4;
      return copy;
    });
    const all = [...lengths.map((length) => cache.subarray(0, length)), Buffer.concat([cache, cache]), ...changed];
    for (const each of all) expect(run(place(source, each))).toEqual({ said: 'one', refused: undefined });
  });

  it('passes over the code of another Node', () => {
    const other = Buffer.concat([Buffer.from('v1.2.3 beos x64\n'), cache.subarray(cache.indexOf('\n') + 1)]);
    expect(run(place(source, other))).toEqual({ said: 'one', refused: undefined });
  });

  it('survives code that V8 itself refuses', () => {
    const refused = formatCode(Buffer.from(source), Buffer.from('this is no code of V8'));
    expect(run(place(source, refused))).toEqual({ said: 'one', refused: true });
  });

  it('reads text beyond ASCII, and what it requires, once', () => {
    const file = place("const other = require('./other.cjs'); exports.say = () => '§ ' + other.count + ' 🎉';\n");
    writeFileSync(
      path.join(path.dirname(file), 'other.cjs'),
      "exports.count = require('./other.cjs') === exports && require('node:path').sep;\n",
    );
    expect(run(file).said).toBe(`§ ${path.sep} 🎉`);
    expect(load(file)).toBe(load(file));
  });
});

describe('the built program', () => {
  let program: Program;
  const files = ['start', 'verify'].map((name) => path.join(temporary, `program/dist/${name}.cjs.cache`));
  const bundle = path.join(root, 'fixtures/code-cache/bundle.sigstore.json');
  const digest = 'sha256:c9709ce6fd5b67b59b4a28758cf14d3f411803c4b89b6068b1f1a8e4ee94c8ef';
  const identity =
    'https://github.com/trailofbits/pypi-attestation-models/.github/workflows/release.yml@refs/tags/v0.0.4a2';
  const pins = ['--certificate-identity', identity, '--certificate-oidc-issuer'];

  beforeAll(() => {
    program = buildProgram(path.join(temporary, 'program'));
    for (const file of files) copyFileSync(file, `${file}.kept`);
  });

  /** Makes the program say on standard error, for each file that has its code beside it, whether V8 refused that. */
  function telling(flags = '') {
    const tell = `import vm from 'node:vm';
      vm.Script = class extends vm.Script { constructor(...all) { super(...all);
        if (this.cachedDataRejected !== undefined) process.stderr.write(String(this.cachedDataRejected) + '\\n'); } };`;
    return {
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(tell)} ${flags}`,
      TIDEWAITER_CACHE_DIR: path.join(temporary, 'none'),
    };
  }

  /** The codes and outputs of a verification that passes and of one that is denied, and what V8 said of the code. */
  function verify(flags = '') {
    const env = telling(flags);
    const results = ['https://token.actions.githubusercontent.com', 'https://accounts.example'].map((issuer) =>
      program.run(['verify', digest, '--bundle', bundle, ...pins, issuer], { env }),
    );
    return {
      codes: results.map(({ status }) => status),
      said: results.map(({ stdout }) => stdout),
      refused: results[0]!.stderr.trim().split('\n'),
    };
  }

  it('has code that V8 takes for a scan too, under the flags of a scan', () => {
    const { status, stderr } = program.run(['scan', `oci:${root}/fixtures/image`, '-o', 'cyclonedx-json'], {
      env: telling(),
    });
    const said = stderr.split('\n').filter((line) => /^(?:true|false)$/.test(line));
    expect(status).toBe(0);
    expect(said).not.toContain('true');
    const ours = readFileSync(files[0]!).toString('latin1').startsWith(`${process.version} `);
    expect(said.length > 5).toBe(ours);
  });

  it('says the same with the code, without it, with code that is spoiled, and under other flags of V8', () => {
    const first = verify();
    expect(first.codes).toEqual([0, 1]);
    const ours = readFileSync(files[0]!).toString('latin1').startsWith(`${process.version} `);
    expect(first.refused).toEqual(ours ? ['false', 'false'] : ['']);
    const flagged = verify('--stack-trace-limit=7');
    expect([flagged.codes, flagged.said]).toEqual([first.codes, first.said]);
    for (const file of files) writeFileSync(file, readFileSync(file).fill(0, 5000, 9000));
    expect(verify()).toEqual({ ...first, refused: [''] });
    for (const file of files) rmSync(file);
    expect(verify()).toEqual({ ...first, refused: [''] });
    for (const file of files) copyFileSync(`${file}.kept`, file);
    expect(verify()).toEqual(first);
  });
});
