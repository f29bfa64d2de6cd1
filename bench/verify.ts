/**
 * Verification: a cold process for one bundle beside a bare Node and its peers, and a batch in one process beside a loop
 * over @sigstore/verify. The bundle is a real one of the data folder, or one that is made here where there is none.
 *
 *   node bench/verify.ts [--runs N] [--count N] [--check]
 *
 * Everything runs offline with the same trusted root. `--check` ends with 1 when a goal is missed.
 */
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { dataDir } from '../test/kit/data.ts';
import { fileBundle, issuer, makeInstance, rootJson, sha256Of } from '../test/kit/signed.ts';
import { type Candidate, type Failed, type Measured, measureInTurn } from './measure.ts';
import { program, root } from './programs.ts';
import { alignRows, inMilliseconds } from './rows.ts';

/** DESIGN: wall time of a cold process to that of a bare Node, and bundles in a second. */
export const verifyGoals = { cold: 2, rate: 500 };

export interface VerifyResult {
  /** Ratio to a bare Node; undefined when it could not be measured. */
  readonly cold: number | undefined;
  /** Bundles in a second. */
  readonly rate: number | undefined;
}

interface Sample {
  readonly name: string;
  /** `sha256:…` */
  readonly digest: string;
  readonly bundle: string;
  readonly root: string;
  readonly identity: string;
  readonly issuer: string;
  /** What cosign needs to be told besides; undefined where it cannot verify the sample. */
  readonly cosign?: readonly string[];
}

export function measureVerify(runs: number, count: number, print: (text: string) => void): VerifyResult {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidewaiter-bench-'));
  try {
    const sample = prepareSample(folder);
    print(`\nverify one bundle, cold: ${sample.name}, ${runs} runs`);
    const cold = measureInTurn([bare, own(sample), sigstoreJs(sample, [sample.bundle]), ...peers(sample)], runs, false);
    print(table(cold));
    print(`\nverify ${count} bundles in one process, 3 runs`);
    const many = copies(sample, count, folder);
    const batch = measureInTurn([ownBatch(sample, many.directory), sigstoreJs(sample, many.files)], 3, false);
    print(rates(batch, count));
    return { cold: ratio(cold[1]!, cold[0]!), rate: rate(batch[0]!, count) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A GitHub attestation: DSSE, P-256 leaf, Rekor entry with promise and proof, SCT. */
const realSample = 'real/github-cli-custom-issuer';

function prepareSample(folder: string): Sample {
  return dataDir === undefined ? madeSample(folder) : dataSample(path.join(dataDir, 'sigstore'));
}

function dataSample(data: string): Sample {
  const text = (name: string) => readFileSync(path.join(data, realSample, name), 'utf8').trim();
  const digest = text('digest');
  return {
    name: 'a GitHub attestation',
    digest,
    bundle: path.join(data, realSample, 'bundle.sigstore.json'),
    root: path.join(data, 'trust/public-good.json'),
    identity: text('identity'),
    issuer: text('issuer'),
    cosign: ['--type', 'slsaprovenance1', '--digest', digest.slice('sha256:'.length), '--digestAlg', 'sha256'],
  };
}

function madeSample(folder: string): Sample {
  const instance = makeInstance();
  const content = Buffer.from('what is signed\n');
  const identity = 'https://ci.example/acme/release';
  const at = (name: string, text: string) => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  return {
    name: 'a bundle made here (no TIDEWAITER_TEST_DATA)',
    digest: sha256Of(content),
    bundle: at('made.sigstore.json', fileBundle(instance, identity, content)),
    root: at('root.json', rootJson(instance)),
    identity,
    issuer,
  };
}

const bare: Candidate = { name: 'node -e 0', command: [process.execPath, '-e', '0'] };

/** Real samples go by the trusted root that is inside, as users have it. */
function pins({ identity, issuer, root, cosign }: Sample): readonly string[] {
  const trust = cosign === undefined ? ['--trusted-root', root] : [];
  return ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer, ...trust];
}

function own(sample: Sample): Candidate {
  const args = ['verify', sample.digest, '--bundle', sample.bundle, ...pins(sample)];
  return { name: 'tidewaiter', command: [process.execPath, program, ...args] };
}

function ownBatch(sample: Sample, directory: string): Candidate {
  const args = ['verify', sample.digest, '--bundles', directory, ...pins(sample)];
  return { name: 'tidewaiter --bundles', command: [process.execPath, program, ...args] };
}

function sigstoreJs(sample: Sample, files: readonly string[]): Candidate {
  const list = files.length === 1 ? files[0]! : path.dirname(files[0]!);
  const script = path.join(root, 'bench', 'sigstore-js.mjs');
  return { name: '@sigstore/verify', command: [process.execPath, script, sample.root, sample.identity, list] };
}

function peers(sample: Sample): readonly Candidate[] {
  const cosign = findCosign();
  if (cosign === undefined || sample.cosign === undefined) return [];
  const args = ['verify-blob-attestation', '--bundle', sample.bundle, '--trusted-root', sample.root];
  const signer = ['--certificate-identity', sample.identity, '--certificate-oidc-issuer', sample.issuer];
  return [{ name: 'cosign', command: [cosign, ...args, ...signer, ...sample.cosign] }];
}

function findCosign(): string | undefined {
  const folders = [process.env['TIDEWAITER_PEERS'] ?? '', ...(process.env['PATH'] ?? '').split(path.delimiter)];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => path.join(folder, 'cosign'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function copies({ bundle }: Sample, count: number, folder: string) {
  const directory = path.join(folder, 'batch');
  mkdirSync(directory);
  const text = readFileSync(bundle);
  const files = Array.from({ length: count }, (_, at) => path.join(directory, `${at}.sigstore.json`));
  for (const file of files) writeFileSync(file, text);
  return { directory, files };
}

function table(results: ReadonlyArray<Measured | Failed>): string {
  const rows = results.flatMap((each) =>
    'failure' in each
      ? []
      : [
          [
            each.name,
            inMilliseconds(each.wall),
            each.spread.map(inMilliseconds).join(' … '),
            show(ratio(each, results[0]!)),
          ],
        ],
  );
  return withFailures(alignRows([['', 'wall', 'least … greatest', 'to node -e 0'], ...rows]), results);
}

function rates(results: ReadonlyArray<Measured | Failed>, count: number): string {
  const rows = results.flatMap((each) =>
    'failure' in each ? [] : [[each.name, inMilliseconds(each.wall), `${rate(each, count)?.toFixed(0)}/s`]],
  );
  return withFailures(alignRows([['', 'wall', 'bundles'], ...rows]), results);
}

function withFailures(text: string, results: ReadonlyArray<Measured | Failed>): string {
  const failed = results.flatMap((each) => ('failure' in each ? [`  ${each.name} failed: ${each.failure}`] : []));
  return [text, ...failed].join('\n');
}

function ratio(one: Measured | Failed, to: Measured | Failed): number | undefined {
  return 'failure' in one || 'failure' in to ? undefined : one.wall / to.wall;
}

function rate(one: Measured | Failed, count: number): number | undefined {
  return 'failure' in one ? undefined : (count * 1000) / one.wall;
}

function show(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(2);
}

function main(): void {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '25' },
      count: { type: 'string', default: '1000' },
      check: { type: 'boolean', default: false },
    },
  });
  const { cold, rate } = measureVerify(Number(values.runs), Number(values.count), console.log);
  const met = cold !== undefined && cold <= verifyGoals.cold && rate !== undefined && rate >= verifyGoals.rate;
  console.log(
    `\ngoals: cold at most ${verifyGoals.cold} (${show(cold)}), at least ${verifyGoals.rate}/s (${rate?.toFixed(0) ?? '-'})`,
  );
  if (values.check && !met) process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
