/**
 * A repository to judge: a base, and a long branch upon it. 2,000 files in 40 folders, one to three files in each commit, every
 * third with an agent's trailer, one merge in fifty that brings a commit of its own, and a base that has moved on. Always the
 * same, by a generator with a fixed seed; `git fast-import` writes it into one pack.
 */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import path from 'node:path';

export interface BenchRepository {
  readonly path: string;
  /** The protected branch. */
  readonly base: string;
  /** The branch of the change, and its beginning: a tenth of the commits. */
  readonly heads: readonly [short: string, long: string];
}

/** Makes it in `folder`, bare. `commits`: on the branch, those of merges included. */
export function makeBenchRepository(folder: string, commits: number): BenchRepository {
  const repository = path.join(folder, 'repository');
  git(folder, ['init', '-q', '--bare', '--initial-branch=main', repository]);
  git(repository, ['fast-import', '--quiet', '--depth=50'], Buffer.concat([...history(commits)]));
  return { path: repository, base: 'main', heads: ['short', 'long'] };
}

function git(folder: string, args: readonly string[], input?: Buffer): void {
  const { status, stderr, error } = spawnSync('git', args, {
    cwd: folder,
    ...(input !== undefined && { input }),
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    encoding: 'utf8',
  });
  if (status !== 0) throw error ?? new Error(`git ${args[0]} ended with ${status}: ${stderr.trim()}`);
}

const folders = 40;
const filesInFolder = 50;
const mergeEvery = 50;
const baseAhead = 20;
const longestFile = 3000;

/** The input of git-fast-import. Marks count commits from 1, the base. */
function* history(commits: number): Generator<Buffer> {
  const random = seeded(1);
  const files = new Map<string, string>();
  const write = (file: string, text: string): string => {
    files.set(file, text);
    return `M 644 inline ${file}\n${data(text)}`;
  };
  yield commit(
    'main',
    1,
    undefined,
    'base',
    [...firstFiles()].map((each) => write(...each)),
  );
  const names = [...files.keys()].filter((name) => name.startsWith('src/'));
  const edit = (mark: number): string => {
    const name = names[random(names.length)]!;
    const text = files.get(name)!;
    return write(name, text.length < longestFile ? `${text}more ${mark}\n` : `// anew ${mark}\n`);
  };
  const edits = (mark: number) => Array.from({ length: 1 + random(3) }, () => edit(mark));
  let tip = 1;
  for (let mark = 2; mark <= commits + 1; mark++) {
    if (mark === Math.floor(commits / 10) + 2) yield Buffer.from(`reset refs/heads/short\nfrom :${tip}\n\n`);
    if (mark % mergeEvery === 0 && mark <= commits) {
      const other = edits(mark);
      yield commit('side', mark, tip, message(mark), other);
      // Upon the same parent: git makes of both what each of them changed.
      yield commit('long', mark + 1, tip, 'merge the side', other, mark);
      tip = ++mark;
    } else {
      yield commit('long', mark, tip, message(mark), edits(mark));
      tip = mark;
    }
  }
  for (let mark = commits + 2, last = 1; mark <= commits + 1 + baseAhead; last = mark++) {
    yield commit('main', mark, last, `the base moves on ${mark}`, [write(`docs/page${mark}.md`, `page ${mark}\n`)]);
  }
}

function message(mark: number): string {
  const trailer = mark % 3 === 0 ? '\nCo-Authored-By: Claude <noreply@anthropic.com>\n' : '';
  return `change number ${mark}\n\nWhat it is about, in a line or two: some words that say why.\n${trailer}`;
}

function commit(
  branch: string,
  mark: number,
  parent: number | undefined,
  text: string,
  changes: readonly string[],
  other?: number,
): Buffer {
  const who = `Ada Example <ada@example.com> ${1_700_000_000 + mark} +0000`;
  const parents = [
    ...(parent === undefined ? [] : [`from :${parent}\n`]),
    ...(other === undefined ? [] : [`merge :${other}\n`]),
  ];
  const head = `commit refs/heads/${branch}\nmark :${mark}\nauthor ${who}\ncommitter ${who}\n${data(text)}`;
  return Buffer.from(`${head}${parents.join('')}${changes.join('')}\n`);
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

function* firstFiles(): Generator<readonly [file: string, text: string]> {
  for (let folder = 0; folder < folders; folder++) {
    for (let file = 0; file < filesInFolder; file++) {
      const lines = Array.from({ length: 40 }, (_, line) => `line ${line} of ${file}\n`);
      yield [`src/module${folder}/file${file}.ts`, lines.join('')];
    }
  }
  yield ['tidewaiter.policy.yaml', policy];
  const platform = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  yield ['keys/platform.pem', platform.export({ type: 'spki', format: 'pem' }).toString()];
  yield ['keys/ada.pub', sshLine(generateKeyPairSync('ed25519').publicKey)];
}

const policy = `version: 1
identities:
  platform: { key: keys/platform.pem }
people:
  ada: { keys: [keys/ada.pub], emails: [ada@example.com] }
changes:
  repository: https://github.com/acme/shop
  baseRef: refs/heads/main
  unknown: treat-as-agent
  agents: { provenance: { any: [platform] }, tier: local-key }
  highRisk: { paths: [ "deploy/**" ], approvals: 1, by: [ada] }
`;

/** `ssh-ed25519 AAAA…`: two strings, each with its length before it. */
function sshLine(key: KeyObject): string {
  const raw = Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url');
  const string = (bytes: Buffer) => [Buffer.from([0, 0, 0, bytes.length]), bytes];
  const blob = Buffer.concat([...string(Buffer.from('ssh-ed25519')), ...string(raw)]);
  return `ssh-ed25519 ${blob.toString('base64')} ada\n`;
}

/** Whole numbers from 0 up to `below`; mulberry32. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
