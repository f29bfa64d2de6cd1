/** Lockfiles by their names, which manifest each belongs to, and what a change makes of them. */
import { quoted } from '../../../diag/index.ts';
import { VerifyError } from '../../../sigstore/failure.ts';
import type { Draft } from '../findings.ts';
import { compareLocks } from './compare.ts';
import { readComposerLock, readNpmLock, readPipfileLock } from './json-locks.ts';
import { readGemfileLock, readGoSum } from './plain-locks.ts';
import { readPnpmLock } from './pnpm-lock.ts';
import { readCargoLock, readPoetryLock, readUvLock } from './toml-locks.ts';
import type { Lock, LockReader, UnreadLock } from './types.ts';
import { readYarnLock } from './yarn-lock.ts';

export interface LockKind {
  readonly name: string;
  /** Undefined for a kind that is not read. */
  readonly read?: LockReader;
  /** Names of manifests that ask for what it locks. */
  readonly manifests: readonly string[];
}

/** By the last segment of the path, whatever its case: a file system may take one for the other. */
export function findLockKind(name: string): LockKind | undefined {
  const plain = name.toLowerCase();
  return kinds.find((kind) => kind.name.toLowerCase() === plain);
}

/** `before` is undefined where there was none. */
export function* judgeLock(kind: LockKind, before: Buffer | undefined, after: Buffer): Generator<Draft> {
  if (kind.read === undefined) {
    yield risk('a lockfile of a kind that is not read: what it names was not compared');
    return;
  }
  const present = readLock(kind.read, after);
  if ('unread' in present) {
    yield risk(`the lockfile could not be read, and was not compared: ${present.unread}`);
    return;
  }
  const old = before === undefined ? undefined : readLock(kind.read, before);
  if (old !== undefined && 'unread' in old) {
    yield risk(`the old lockfile could not be read, and nothing was compared with it: ${old.unread}`);
    yield* compareLocks(undefined, present);
    return;
  }
  yield* compareLocks(old, present);
}

/** Said where no manifest in the folder of the lockfile or below it (workspaces) is part of the change. */
export function lockAlone(kind: LockKind): Draft {
  const manifests = kind.manifests.map((name) => quoted(name)).join(' or ');
  return risk(`the lockfile changed, and no ${manifests} did`);
}

function readLock(read: LockReader, bytes: Buffer): Lock | UnreadLock {
  try {
    return read(bytes);
  } catch (error) {
    if (error instanceof VerifyError) return { unread: error.message };
    throw error;
  }
}

function risk(message: string): Draft {
  return { rule: 'lockfile-source', weight: 'risk', message };
}

const npm: readonly string[] = ['package.json'];
const pip: readonly string[] = ['pyproject.toml'];

const kinds: readonly LockKind[] = [
  { name: 'package-lock.json', read: readNpmLock, manifests: npm },
  { name: 'npm-shrinkwrap.json', read: readNpmLock, manifests: npm },
  { name: 'yarn.lock', read: readYarnLock, manifests: npm },
  { name: 'pnpm-lock.yaml', read: readPnpmLock, manifests: [...npm, 'pnpm-workspace.yaml'] },
  { name: 'Cargo.lock', read: readCargoLock, manifests: ['Cargo.toml'] },
  { name: 'go.sum', read: readGoSum, manifests: ['go.mod'] },
  { name: 'go.work.sum', read: readGoSum, manifests: ['go.work', 'go.mod'] },
  { name: 'poetry.lock', read: readPoetryLock, manifests: pip },
  { name: 'uv.lock', read: readUvLock, manifests: pip },
  { name: 'Pipfile.lock', read: readPipfileLock, manifests: ['Pipfile'] },
  { name: 'Gemfile.lock', read: readGemfileLock, manifests: ['Gemfile'] },
  { name: 'gems.locked', read: readGemfileLock, manifests: ['gems.rb'] },
  { name: 'composer.lock', read: readComposerLock, manifests: ['composer.json'] },
  { name: 'bun.lock', manifests: npm },
  { name: 'bun.lockb', manifests: npm },
  { name: 'deno.lock', manifests: ['deno.json', 'deno.jsonc', 'package.json'] },
  { name: 'pdm.lock', manifests: pip },
  { name: 'pylock.toml', manifests: pip },
  { name: 'pixi.lock', manifests: ['pixi.toml', 'pyproject.toml'] },
  { name: 'conda-lock.yml', manifests: ['environment.yml', 'pyproject.toml'] },
  { name: 'packages.lock.json', manifests: ['Directory.Packages.props'] },
  { name: 'Package.resolved', manifests: ['Package.swift'] },
  { name: 'Podfile.lock', manifests: ['Podfile'] },
  { name: 'Cartfile.resolved', manifests: ['Cartfile'] },
  { name: 'pubspec.lock', manifests: ['pubspec.yaml'] },
  { name: 'mix.lock', manifests: ['mix.exs'] },
  { name: 'rebar.lock', manifests: ['rebar.config'] },
  { name: 'gradle.lockfile', manifests: ['build.gradle', 'build.gradle.kts'] },
  { name: 'verification-metadata.xml', manifests: ['build.gradle', 'build.gradle.kts'] },
  { name: 'flake.lock', manifests: ['flake.nix'] },
  { name: 'Chart.lock', manifests: ['Chart.yaml'] },
  { name: '.terraform.lock.hcl', manifests: ['versions.tf', 'main.tf', 'providers.tf'] },
  { name: 'conan.lock', manifests: ['conanfile.txt', 'conanfile.py'] },
  { name: 'MODULE.bazel.lock', manifests: ['MODULE.bazel'] },
  { name: 'Manifest.toml', manifests: ['Project.toml'] },
  { name: 'cabal.project.freeze', manifests: ['cabal.project'] },
  { name: 'stack.yaml.lock', manifests: ['stack.yaml'] },
];
