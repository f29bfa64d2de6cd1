/**
 * Manifests that count when no lockfile lies beside them or above them (a workspace has one lockfile, at its root): then
 * they are the only word on what the project needs.
 *
 *     package.json            {"dependencies": {"left-pad": "^1.3.0"}}        no package-lock.json, no yarn.lock, …
 *
 * What they say is not read: whether they state dependencies at all is, so that the many that only hold settings are no
 * gap. Text is searched, not parsed: a word in a comment makes a gap too many, which is the safer mistake.
 */
import { asObject, parseJsonObject } from '../npm/json.ts';

export interface Manifest {
  readonly what: string;
  readonly name: RegExp;
  /** Base names of the lockfiles that take its place. */
  readonly locks: readonly string[];
  /** Throws Unreadable. */
  statesDependencies(bytes: Buffer): boolean;
}

/** Bytes of one. */
export const maxManifest = 16 * 2 ** 20;

export const npmLocks: readonly string[] = ['package-lock.json', 'npm-shrinkwrap.json'];

const pythonLocks = ['poetry.lock', 'pdm.lock', 'uv.lock', 'pylock.toml', 'Pipfile.lock', 'pixi.lock'];

export const manifests: readonly Manifest[] = [
  {
    what: 'npm without a lockfile',
    name: /^package\.json$/,
    locks: [...npmLocks, 'yarn.lock', 'pnpm-lock.yaml', 'pnpm-lock.yml', 'bun.lock', 'bun.lockb', 'deno.lock'],
    statesDependencies: packageJsonStates,
  },
  {
    what: 'Python projects without a lockfile',
    name: /^(?:pyproject\.toml|setup\.py|setup\.cfg|Pipfile)$/,
    locks: pythonLocks,
    statesDependencies: mentions(
      /dependencies|dependency-groups|install_requires|extras_require|^\[(?:dev-)?packages\]/m,
    ),
  },
  {
    what: 'conda without a lockfile',
    name: /^environment\.ya?ml$/,
    locks: ['conda-lock.yml', 'conda-lock.yaml'],
    statesDependencies: mentions(/^dependencies[ \t]*:/m),
  },
  {
    what: 'Cargo without a lockfile',
    name: /^Cargo\.toml$/,
    locks: ['Cargo.lock'],
    statesDependencies: mentions(/dependencies/),
  },
  {
    what: 'Bundler without a lockfile',
    name: /^(?:Gemfile|gems\.rb|[^/]+\.gemspec)$/,
    locks: ['Gemfile.lock', 'gems.locked'],
    statesDependencies: mentions(/\bgem\b|dependency\b/),
  },
  {
    what: 'Composer without a lockfile',
    name: /^composer\.json$/,
    locks: ['composer.lock'],
    statesDependencies: mentions(/"require(?:-dev)?"/),
  },
  {
    what: 'Dart pub without a lockfile',
    name: /^pubspec\.ya?ml$/,
    locks: ['pubspec.lock'],
    statesDependencies: mentions(/dependencies[ \t]*:/),
  },
  {
    what: 'Mix without a lockfile',
    name: /^mix\.exs$/,
    locks: ['mix.lock'],
    statesDependencies: mentions(/\bdeps\b/),
  },
  {
    what: 'CocoaPods without a lockfile',
    name: /^Podfile$/,
    locks: ['Podfile.lock'],
    statesDependencies: mentions(/\bpod\b/),
  },
  {
    what: 'Swift packages without a lockfile',
    name: /^Package\.swift$/,
    locks: ['Package.resolved', '.package.resolved'],
    statesDependencies: mentions(/\.package\b/),
  },
];

const dependencyFields = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];

function packageJsonStates(bytes: Buffer): boolean {
  const json = parseJsonObject(bytes, maxManifest);
  return dependencyFields.some((field) => Object.keys(asObject(json[field]) ?? {}).length > 0);
}

function mentions(word: RegExp): (bytes: Buffer) => boolean {
  return (bytes) => word.test(bytes.toString('latin1'));
}
