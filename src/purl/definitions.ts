/**
 * The registered purl types, as data. Each file under definitions/ is published with the purl specification and follows
 * its type definition schema (ECMA-427, clause 6); definitions/SOURCE.md says which edition. The list is literal, so that
 * it is read without a file system and a missing type is seen in review.
 */
import alpm from './definitions/alpm-definition.json' with { type: 'json' };
import apk from './definitions/apk-definition.json' with { type: 'json' };
import bazel from './definitions/bazel-definition.json' with { type: 'json' };
import bitbucket from './definitions/bitbucket-definition.json' with { type: 'json' };
import bitnami from './definitions/bitnami-definition.json' with { type: 'json' };
import brew from './definitions/brew-definition.json' with { type: 'json' };
import cargo from './definitions/cargo-definition.json' with { type: 'json' };
import chromeExtension from './definitions/chrome-extension-definition.json' with { type: 'json' };
import cocoapods from './definitions/cocoapods-definition.json' with { type: 'json' };
import composer from './definitions/composer-definition.json' with { type: 'json' };
import conan from './definitions/conan-definition.json' with { type: 'json' };
import conda from './definitions/conda-definition.json' with { type: 'json' };
import cpan from './definitions/cpan-definition.json' with { type: 'json' };
import cran from './definitions/cran-definition.json' with { type: 'json' };
import deb from './definitions/deb-definition.json' with { type: 'json' };
import docker from './definitions/docker-definition.json' with { type: 'json' };
import gem from './definitions/gem-definition.json' with { type: 'json' };
import generic from './definitions/generic-definition.json' with { type: 'json' };
import git from './definitions/git-definition.json' with { type: 'json' };
import github from './definitions/github-definition.json' with { type: 'json' };
import golang from './definitions/golang-definition.json' with { type: 'json' };
import hackage from './definitions/hackage-definition.json' with { type: 'json' };
import hex from './definitions/hex-definition.json' with { type: 'json' };
import huggingface from './definitions/huggingface-definition.json' with { type: 'json' };
import julia from './definitions/julia-definition.json' with { type: 'json' };
import luarocks from './definitions/luarocks-definition.json' with { type: 'json' };
import maven from './definitions/maven-definition.json' with { type: 'json' };
import mlflow from './definitions/mlflow-definition.json' with { type: 'json' };
import npm from './definitions/npm-definition.json' with { type: 'json' };
import nuget from './definitions/nuget-definition.json' with { type: 'json' };
import oci from './definitions/oci-definition.json' with { type: 'json' };
import opam from './definitions/opam-definition.json' with { type: 'json' };
import otp from './definitions/otp-definition.json' with { type: 'json' };
import pub from './definitions/pub-definition.json' with { type: 'json' };
import pypi from './definitions/pypi-definition.json' with { type: 'json' };
import qpkg from './definitions/qpkg-definition.json' with { type: 'json' };
import rpm from './definitions/rpm-definition.json' with { type: 'json' };
import swid from './definitions/swid-definition.json' with { type: 'json' };
import swift from './definitions/swift-definition.json' with { type: 'json' };
import vcpkg from './definitions/vcpkg-definition.json' with { type: 'json' };
import vscodeExtension from './definitions/vscode-extension-definition.json' with { type: 'json' };
import yocto from './definitions/yocto-definition.json' with { type: 'json' };

/** What we read of a component's definition. */
export interface ComponentDefinition {
  /** `required`, `optional` or `prohibited`. */
  readonly requirement?: string;
  /** False: the canonical form is lower case. Absent: true. */
  readonly case_sensitive?: boolean;
  /** A regular expression that the canonical value matches. */
  readonly permitted_characters?: string;
}

export interface TypeDefinition {
  readonly type: string;
  readonly namespace_definition: ComponentDefinition;
  readonly name_definition: ComponentDefinition;
  readonly version_definition?: ComponentDefinition;
  readonly subpath_definition?: ComponentDefinition;
  /** A `default_value` in here is what a reader assumes; it is neither added to nor removed from a purl. */
  readonly qualifiers_definition?: ReadonlyArray<{ readonly key: string; readonly requirement?: string }>;
}

const list: readonly TypeDefinition[] = [
  alpm,
  apk,
  bazel,
  bitbucket,
  bitnami,
  brew,
  cargo,
  chromeExtension,
  cocoapods,
  composer,
  conan,
  conda,
  cpan,
  cran,
  deb,
  docker,
  gem,
  generic,
  git,
  github,
  golang,
  hackage,
  hex,
  huggingface,
  julia,
  luarocks,
  maven,
  mlflow,
  npm,
  nuget,
  oci,
  opam,
  otp,
  pub,
  pypi,
  qpkg,
  rpm,
  swid,
  swift,
  vcpkg,
  vscodeExtension,
  yocto,
];

const byType = new Map(list.map((definition) => [definition.type, definition]));

/** The definition of a type in lower case; undefined for a type that is not registered. */
export function findDefinition(type: string): TypeDefinition | undefined {
  return byType.get(type);
}
