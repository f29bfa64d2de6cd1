/**
 * Where package managers that are not read yet keep what they installed. A kind leaves this table on the day that its
 * own cataloger comes.
 *
 *     var/lib/pacman/local/bash-5.2.026-2/desc                                Arch Linux
 *     var/db/pkg/app-shells/bash-5.2/CONTENTS                                 Gentoo
 *     usr/lib/ruby/gems/3.0.0/specifications/rails-6.0.0.gemspec              RubyGems
 *     opt/conda/conda-meta/openssl-3.0.0-h1.json                              conda
 *
 * Places are looked for at any depth, so that a root directory inside the image (a chroot, a build stage) is seen too.
 */
import type { Kind } from './kinds.ts';

export const installedKinds: readonly Kind[] = [
  // Distributions.
  // Immutable systems keep the database elsewhere: usr/lib/pacman, usr/lib/holo/pacmandb.
  {
    what: 'pacman',
    name: /^desc$/,
    place: /(?:^|\/)(?:(?:var|usr)\/lib\/(?:holo\/)?)?pacman(?:db)?\/local\/[^/]+\/desc$/,
  },
  { what: 'Portage', name: /^(?:PF|CONTENTS)$/, place: /(?:^|\/)var\/db\/pkg\/[^/]+\/[^/]+\/(?:PF|CONTENTS)$/ },
  { what: 'XBPS', name: /^pkgdb-[\d.]+\.plist$/, place: /(?:^|\/)var\/db\/xbps\/[^/]+$/ },
  { what: 'eopkg', name: /^metadata\.xml$/, place: /(?:^|\/)var\/lib\/eopkg\/package\/[^/]+\/metadata\.xml$/ },
  { what: 'FreeBSD pkg', name: /^local\.sqlite$/, place: /(?:^|\/)var\/db\/pkg\/local\.sqlite$/ },
  { what: 'pkgsrc', name: /^\+CONTENTS$/, place: /(?:^|\/)(?:var\/db\/pkg|pkg\/pkgdb|pkgdb)\/[^/]+\/\+CONTENTS$/ },
  { what: 'Nix', name: /^db\.sqlite$/, place: /(?:^|\/)nix\/var\/nix\/db\/db\.sqlite$/ },
  { what: 'Guix', name: /^db\.sqlite$/, place: /(?:^|\/)var\/guix\/db\/db\.sqlite$/ },
  { what: 'Chisel', name: /^manifest\.wall$/, place: /(?:^|\/)var\/lib\/chisel\/manifest\.wall$/ },
  {
    what: 'Bottlerocket',
    name: /^application-inventory\.json$/,
    place: /(?:^|\/)usr\/share\/bottlerocket\/application-inventory\.json$/,
  },
  {
    what: 'Container-Optimized OS',
    name: /^cos-package-info\.json$/,
    place: /(?:^|\/)etc\/cos-package-info\.json$/,
  },

  // Systems inside the system.
  {
    what: 'container images',
    name: /^(?:oci-layout|images\.json|repositories\.json)$/,
    place: /(?:^|\/)(?:oci-layout|(?:overlay|vfs|btrfs|zfs)-images\/images\.json|image\/[^/]+\/repositories\.json)$/,
    content: /imageLayoutVersion|sha256:|"digest"|"layer"/,
  },

  // Managers on top of a distribution.
  {
    what: 'Homebrew',
    name: /^(?:INSTALL_RECEIPT\.json|[^/]+\.rb)$/,
    place: /(?:^|\/)Cellar\/[^/]+\/[^/]+\/(?:INSTALL_RECEIPT\.json|\.brew\/[^/]+\.rb)$/,
  },
  {
    what: 'snap',
    name: /^(?:snap\.yaml|manifest\.yaml|dpkg\.yaml|[^/]+\.snap)$/,
    place:
      /(?:^|\/)(?:meta\/snap\.yaml|snap\/manifest\.yaml|usr\/share\/snappy\/dpkg\.yaml|lib\/snapd\/(?:seed\/)?snaps\/[^/]+\.snap)$/,
  },
  {
    what: 'Flatpak',
    name: /^metadata$/,
    place: /(?:^|\/)flatpak\/(?:app|runtime)\/[^/]+\/[^/]+\/[^/]+\/[^/]+\/metadata$/,
  },
  {
    what: 'Bitnami',
    name: /^(?:\.bitnami_components\.json|\.spdx-[^/]+\.spdx)$/,
    place: /(?:^|\/)opt\/bitnami\/(?:[^/]+\/)?[^/]+$/,
  },
  { what: 'conda', name: /^[^/]+\.json$/, place: /(?:^|\/)conda-meta\/[^/]+$/ },
  { what: 'Spack', name: /^spec\.(?:json|yaml)$/, place: /(?:^|\/)\.spack\/spec\.(?:json|yaml)$/ },

  { what: 'vcpkg', name: /^status$/, place: /(?:^|\/)vcpkg\/status$/ },
  { what: 'Conan', name: /^conaninfo\.txt$/ },

  // Languages.
  {
    what: 'RubyGems',
    name: /^[^/]+\.gemspec$/,
    place: /(?:^|\/)(?:specifications\/(?:default\/)?[^/]+|bundler\/gems\/[^/]+\/[^/]+)$/,
  },
  { what: 'Composer', name: /^installed\.json$/, place: /(?:^|\/)composer\/installed\.json$/ },
  { what: 'PEAR', name: /^[^/]+\.reg$/, place: /(?:^|\/)\.registry\/(?:\.channel\.[^/]+\/)?[^/]+$/ },
  { what: '.NET', name: /^[^/]+\.deps\.json$/i },
  {
    what: 'R',
    name: /^(?:DESCRIPTION|package\.rds)$/,
    // Only installed packages have compiled metadata; a library is also known by its name.
    place: /(?:^|\/)(?:(?:[^/]+-)?library\/(?:[^/]+\/){1,4}DESCRIPTION|[^/]+\/Meta\/package\.rds)$/,
  },
  {
    what: 'LuaRocks',
    name: /^[^/]+\.rockspec$/,
    place: /(?:^|\/)rocks(?:-[\d.]+)?\/[^/]+\/[^/]+\/[^/]+$/,
  },
  {
    what: 'Julia',
    name: /^(?:Julia)?(?:Project|Manifest(?:-v[\d.]+)?)\.toml$/,
    place: /(?:^|\/)(?:\.julia|julia|depot)\/(?:packages\/[^/]+\/[^/]+|environments\/[^/]+)\/[^/]+$/,
  },
  { what: 'opam', name: /^opam$/, place: /(?:^|\/)\.opam-switch\/packages\/[^/]+\/opam$/ },
  { what: 'Nimble', name: /^[^/]+\.nimble$/, place: /(?:^|\/)\.?nimble\/pkgs2?\/[^/]+\/[^/]+$/ },
  { what: 'SWI-Prolog', name: /^pack\.pl$/, place: /(?:^|\/)pack\/[^/]+\/pack\.pl$/ },
  // Where `make install` of a distribution says what it wrote; the packages of Linux distributions leave it out.
  {
    what: 'Perl modules',
    name: /^\.packlist$/,
    place: /(?:^|\/)perl5?\/(?:[^/]+\/){0,3}auto\/(?:[^/]+\/){1,16}\.packlist$/,
  },
  {
    what: 'Erlang and Elixir',
    name: /^[^/]+\.app$/,
    // Those of a distribution are in its packages.
    place: /(?:^|(?<!(?:^|\/)usr\/lib(?:64)?\/erlang)\/)(?:lib|plugins)\/[^/]+\/ebin\/[^/]+\.app$/,
    content: /\{\s*application\s*,/,
  },
  {
    what: 'Haskell',
    name: /^[^/]+\.conf$/,
    place: /^(?!(?:usr|var)\/lib(?:64)?\/ghc).*package\.conf\.d\/[^/]+\.conf$/s,
    content: /^name:/m,
  },
  { what: 'cargo install', name: /^\.crates2?\.(?:toml|json)$/, content: /"[\w-]+ \d/ },
  { what: 'rustup', name: /^components$/, place: /(?:^|\/)lib\/rustlib\/components$/ },
  {
    what: 'Java runtimes',
    name: /^release$/,
    // Where distributions keep theirs: usr/lib/jvm/java-17-openjdk-amd64.
    place: /(?:^|\/)(?<!(?:^|\/)usr\/lib(?:64)?\/jvm\/(?=(?:java|jre|temurin)-\d))[^/]+\/release$/,
    content: /^JAVA_VERSION=/m,
  },
  {
    what: 'WordPress',
    name: /^[^/]+\.php$/,
    place: /(?:^|\/)(?:wp-includes\/version|wp-content\/(?:mu-)?plugins\/(?:[^/]+\/)?[^/]+)\.php$/,
    content: /Plugin Name:|\$wp_version\b/,
  },
  { what: 'Electron archives', name: /^[^/]+\.asar$/ },
  { what: 'zipped Python applications', name: /^[^/]+\.(?:pyz|pex)$/ },
  { what: 'zipped Python eggs', name: /^[^/]+\.egg$/i, place: /(?:^|\/)(?:site|dist)-packages\/[^/]+$/ },
];

interface ListedKind {
  readonly what: string;
  /** From the root. */
  readonly directory: string;
  /** Of what lies in it. */
  readonly name: RegExp;
}

/** Known by what lies in one directory; told only where the kind has no database that is told already. */
export const listedKinds: readonly ListedKind[] = [
  // Images made by Nix seldom bring the database along.
  { what: 'Nix', directory: 'nix/store', name: /^[0-9a-z]{32}-(?!.*\.(?:drv|lock)$)/s },
  { what: 'Guix', directory: 'gnu/store', name: /^[0-9a-z]{32}-(?!.*\.(?:drv|lock)$)/s },
  { what: 'Slackware', directory: 'var/log/packages', name: /-[^-]+-[^-]+-[^-]+$/s },
  { what: 'Slackware', directory: 'var/lib/pkgtools/packages', name: /-[^-]+-[^-]+-[^-]+$/s },
  { what: 'Clear Linux', directory: 'usr/share/clear/bundles', name: /^[^.]/ },
];
