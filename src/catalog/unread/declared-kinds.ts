/**
 * Files in which a project declares what it needs, of ecosystems that are not read yet: lockfiles, and the manifests that
 * are all there is in their ecosystem. A kind leaves this table on the day that its own cataloger comes.
 */
import type { Kind } from './kinds.ts';

export const declaredKinds: readonly Kind[] = [
  // JavaScript.
  { what: 'Yarn', name: /^yarn\.lock$/ },
  { what: 'pnpm', name: /^pnpm-lock\.ya?ml$/ },
  { what: 'Bun', name: /^bun\.lockb?$/ },
  { what: 'Deno', name: /^deno\.lock$/ },

  // Python.
  { what: 'pip requirements', name: /^(?=[^/]*requirements)[^/]*\.(?:txt|in)$/i },
  { what: 'pip requirements', name: /^[^/]+\.(?:txt|in)$/, place: /(?:^|\/)requirements\/[^/]+$/ },
  { what: 'Poetry', name: /^poetry\.lock$/ },
  { what: 'Pipenv', name: /^Pipfile\.lock$/ },
  { what: 'PDM', name: /^pdm\.lock$/ },
  { what: 'uv', name: /^(?:uv\.lock|[^/]+\.py\.lock)$/ },
  { what: 'pylock', name: /^pylock(?:\.[^/]+)?\.toml$/ },
  { what: 'conda', name: /^(?:[^/]+\.)?conda-lock\.ya?ml$/ },
  { what: 'Pixi', name: /^pixi\.lock$/ },

  // Go, Rust, Ruby, PHP.
  { what: 'Go modules', name: /^go\.mod$/ },
  { what: 'Go dep', name: /^Gopkg\.lock$/ },
  { what: 'Cargo', name: /^Cargo\.lock$/ },
  { what: 'Bundler', name: /^(?:Gemfile(?:\.[^/]+)?\.lock|gems\.locked)$/ },
  { what: 'Composer', name: /^composer\.lock$/ },

  // Java.
  { what: 'Maven', name: /^pom\.xml$/ },
  { what: 'Gradle', name: /^(?:[^/]+\.lockfile|libs\.versions\.toml)$/ },
  { what: 'Gradle', name: /^verification-metadata\.xml$/, place: /(?:^|\/)gradle\/verification-metadata\.xml$/ },
  { what: 'sbt', name: /^[^/]+\.sbt\.lock$/ },
  { what: 'Bazel', name: /^(?:MODULE\.bazel\.lock|(?:[^/]+_)?maven_install\.json)$/ },

  // .NET.
  { what: 'NuGet', name: /^(?:packages(?:\.[^/]+)?\.lock\.json|project\.assets\.json)$/i },
  { what: 'NuGet', name: /^(?:packages(?:\.[^/]+)?\.config|[^/]*Packages\.props)$/i },
  { what: 'Paket', name: /^paket\.lock$/ },

  // Native code.
  { what: 'Conan', name: /^(?:conan\.lock|conanfile\.(?:txt|py))$/ },
  { what: 'vcpkg', name: /^vcpkg\.json$/ },
  { what: 'CocoaPods', name: /^Podfile\.lock$/ },
  { what: 'Swift packages', name: /^\.?[Pp]ackage\.resolved$/ },
  { what: 'Carthage', name: /^Cartfile\.resolved$/ },

  // The others.
  { what: 'Mix', name: /^mix\.lock$/ },
  { what: 'Rebar', name: /^rebar\.lock$/ },
  { what: 'Dart pub', name: /^pubspec\.lock$/ },
  { what: 'Stack', name: /^stack\.yaml\.lock$/ },
  { what: 'Cabal', name: /^cabal\.project(?:\.[^/]+)?\.freeze$/ },
  { what: 'Julia', name: /^(?:Julia)?Manifest(?:-v[\d.]+)?\.toml$/ },
  { what: 'renv', name: /^renv\.lock$/ },
  { what: 'Packrat', name: /^packrat\.lock$/ },
  { what: 'LuaRocks', name: /^luarocks\.lock$/ },
  { what: 'Nimble', name: /^nimble\.lock$/ },
  { what: 'Terraform', name: /^\.terraform\.lock\.hcl$/ },
  { what: 'Nix flakes', name: /^flake\.lock$/ },
];
