import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { unreadInstalled } from '../../../src/catalog/unread/index.ts';
import { catalogFiles } from '../../kit/catalog.ts';

const known: ReadonlyArray<readonly [what: string, path: string]> = [
  ['pacman', 'var/lib/pacman/local/bash-5.2.026-2/desc'],
  ['pacman', 'usr/lib/holo/pacmandb/local/bash-5.2.026-2/desc'],
  ['pacman', 'opt/chroot/var/lib/pacman/local/bash-5.2.026-2/desc'],
  ['Portage', 'var/db/pkg/app-shells/bash-5.2/PF'],
  ['Portage', 'var/db/pkg/app-shells/bash-5.2/CONTENTS'],
  ['XBPS', 'var/db/xbps/pkgdb-0.38.plist'],
  ['eopkg', 'var/lib/eopkg/package/bash-5.2-1/metadata.xml'],
  ['FreeBSD pkg', 'var/db/pkg/local.sqlite'],
  ['pkgsrc', 'usr/pkg/pkgdb/bash-5.2/+CONTENTS'],
  ['Nix', 'nix/var/nix/db/db.sqlite'],
  ['Guix', 'var/guix/db/db.sqlite'],
  ['Chisel', 'var/lib/chisel/manifest.wall'],
  ['Bottlerocket', 'x86_64-bottlerocket-linux-gnu/sys-root/usr/share/bottlerocket/application-inventory.json'],
  ['Bottlerocket', 'usr/share/bottlerocket/application-inventory.json'],
  ['Container-Optimized OS', 'etc/cos-package-info.json'],
  ['Homebrew', 'home/linuxbrew/.linuxbrew/Cellar/jq/1.6/INSTALL_RECEIPT.json'],
  ['Homebrew', 'home/linuxbrew/.linuxbrew/Cellar/jq/1.6/.brew/jq.rb'],
  ['snap', 'snap/core22/1033/meta/snap.yaml'],
  ['snap', 'snap/manifest.yaml'],
  ['snap', 'var/lib/snapd/seed/snaps/core22_1033.snap'],
  ['Flatpak', 'var/lib/flatpak/app/org.gimp.GIMP/x86_64/stable/0123abcd/metadata'],
  ['Bitnami', 'opt/bitnami/.bitnami_components.json'],
  ['Bitnami', 'opt/bitnami/postgresql/.spdx-postgresql.spdx'],
  ['conda', 'opt/conda/conda-meta/openssl-3.0.0-h1.json'],
  ['conda', 'opt/conda/envs/a/conda-meta/openssl-3.0.0-h1.json'],
  ['Spack', 'opt/spack/linux/gcc/zlib-1.3-abc/.spack/spec.json'],
  ['vcpkg', 'src/vcpkg_installed/vcpkg/status'],
  ['Conan', 'root/.conan/data/zlib/1.3/_/_/package/abc/conaninfo.txt'],
  ['RubyGems', 'usr/lib/ruby/gems/3.0.0/specifications/rails-6.0.0.gemspec'],
  ['RubyGems', 'usr/lib/ruby/gems/3.0.0/specifications/default/json-2.5.1.gemspec'],
  ['RubyGems', 'app/vendor/bundle/ruby/3.2.0/bundler/gems/rails-0123abcd/rails.gemspec'],
  ['RubyGems', 'gems/specifications/two\nlines.gemspec'],
  ['Composer', 'app/vendor/composer/installed.json'],
  ['PEAR', 'usr/share/php/.registry/archive_tar.reg'],
  ['PEAR', 'usr/share/php/.registry/.channel.pecl.php.net/memcached.reg'],
  ['.NET', 'app/x.deps.json'],
  ['.NET', 'app/X.Deps.JSON'],
  ['R', 'usr/local/lib/R/site-library/dplyr/DESCRIPTION'],
  ['R', 'usr/lib/R/library/base/DESCRIPTION'],
  ['R', 'root/R/x86_64-pc-linux-gnu-library/4.3/dplyr/DESCRIPTION'],
  ['R', 'opt/rpackages/dplyr/Meta/package.rds'],
  ['LuaRocks', 'usr/local/lib/luarocks/rocks-5.4/lpeg/1.0.2-1/lpeg-1.0.2-1.rockspec'],
  ['Julia', 'root/.julia/packages/JSON/93Ea8/Project.toml'],
  ['Julia', 'root/.julia/environments/v1.10/Manifest.toml'],
  ['opam', 'home/opam/.opam/4.14/.opam-switch/packages/dune.3.0/opam'],
  ['Nimble', 'root/.nimble/pkgs2/jester-0.5.0-abc/jester.nimble'],
  ['SWI-Prolog', 'root/.local/share/swi-prolog/pack/hdt/pack.pl'],
  ['Perl modules', 'usr/local/lib/perl5/site_perl/5.38.2/x86_64-linux-gnu/auto/IO/Socket/SSL/.packlist'],
  ['Perl modules', 'usr/local/lib/x86_64-linux-gnu/perl/5.36.0/auto/JSON/.packlist'],
  ['Perl modules', 'root/perl5/lib/perl5/x86_64-linux-gnu/auto/JSON/PP/.packlist'],
  ['zipped Python eggs', 'usr/lib/python3/dist-packages/foo-1.0-py3.8.egg'],
  ['zipped Python applications', 'usr/local/bin/tool.pyz'],
  ['Electron archives', 'opt/app/resources/app.asar'],
  ['Perl modules', 'usr/local/lib/perl5/site_perl/5.36/x86_64-linux/auto/JSON/XS/.packlist'],
  ['rustup', 'usr/local/rustup/toolchains/stable-x86_64/lib/rustlib/components'],
];

test.each(known)('%s is known by %s', async (what, path) => {
  const { packages, gaps } = await catalogFiles(unreadInstalled, { [path]: 'x' });
  expect(packages).toEqual([]);
  expect(gaps).toEqual([{ path, reason: oneOf(what) }]);
});

function oneOf(what: string): string {
  return `1 file of ${what}, which tidewaiter does not read yet`;
}

const app = '{application, ssl,\n [{vsn, "11.1"}]}.\n';
const java = 'IMPLEMENTOR="x"\nJAVA_VERSION="21.0.3"\n';
const plugin = '<?php\n/*\nPlugin Name: x\nVersion: 5.3\n*/\n';

test.each<[what: string, path: string, content: string]>([
  ['Erlang and Elixir', 'usr/local/lib/erlang/lib/ssl-11.1/ebin/ssl.app', app],
  ['Erlang and Elixir', 'lib/ssl-11.1/ebin/ssl.app', app],
  ['Erlang and Elixir', 'opt/rabbitmq/plugins/cowboy-2.12.0/ebin/cowboy.app', app],
  ['Haskell', 'opt/ghc/9.4/lib/package.conf.d/bytestring-0.11.conf', 'name: bytestring\nversion: 0.11.5.3\n'],
  ['cargo install', 'root/.cargo/.crates.toml', '[v1]\n"ripgrep 14.0.0 (registry+x)" = ["rg"]\n'],
  ['cargo install', 'root/.cargo/.crates2.json', '{"installs":{"ripgrep 14.0.0 (registry+x)":{"bins":["rg"]}}}'],
  ['Java runtimes', 'opt/java/openjdk/release', java],
  ['Java runtimes', 'usr/lib/jvm/jdk-21.0.3+9/release', java],
  ['WordPress', 'var/www/html/wp-content/plugins/akismet/akismet.php', plugin],
  ['WordPress', 'wp-content/mu-plugins/one.php', plugin],
  ['WordPress', 'var/www/html/wp-includes/version.php', "<?php\n$wp_version = '6.5';\n"],
  ['container images', 'srv/image/oci-layout', '{"imageLayoutVersion":"1.0.0"}'],
  ['container images', 'var/lib/containers/storage/overlay-images/images.json', '[{"digest":"sha256:0"}]'],
  ['container images', 'var/lib/docker/image/overlay2/repositories.json', '{"a":{"a:1":"sha256:0"}}'],
])('%s is known by %s and what it says', async (what, path, content) => {
  expect((await catalogFiles(unreadInstalled, { [path]: content })).gaps).toEqual([{ path, reason: oneOf(what) }]);
  expect((await catalogFiles(unreadInstalled, { [path]: 'other' })).gaps).toEqual([]);
});

test.each<[path: string, content: string]>([
  ['usr/lib/erlang/lib/ssl-11.1/ebin/ssl.app', app],
  ['var/lib/ghc/package.conf.d/bytestring-0.11.conf', 'name: bytestring\n'],
  ['usr/lib/jvm/java-17-openjdk-amd64/release', java],
  ['usr/lib64/jvm/jre-17-openjdk/release', java],
  ['root/.cargo/.crates.toml', '[v1]\n'],
])('what a distribution installed, or nobody did, is no gap: %s', async (path, content) => {
  expect((await catalogFiles(unreadInstalled, { [path]: content })).gaps).toEqual([]);
});

const inStore = '0c6kzph7l0dcbfmjap64f0czdafn3b7x-openssl-3.0.13';

test.each<[what: string, entry: string, below: string]>([
  ['Nix', `nix/store/${inStore}`, '/lib/libssl.so.3'],
  ['Guix', `gnu/store/${inStore}`, '/lib/libssl.so.3'],
  ['Slackware', 'var/log/packages/bash-5.2.026-x86_64-1', ''],
  ['Slackware', 'var/lib/pkgtools/packages/aaa_base-15.0-x86_64-3', ''],
  ['Clear Linux', 'usr/share/clear/bundles/os-core', ''],
])('%s is known by what lies in %s', async (what, entry, below) => {
  const { gaps } = await catalogFiles(unreadInstalled, { [`${entry}${below}`]: 'x' });
  expect(gaps).toEqual([{ path: entry, reason: oneOf(what) }]);
});

test.each([`nix/store/${inStore}.drv`, 'nix/store/.links/0', 'var/log/packages/README', 'srv/nix/store/x'])(
  '%s is none',
  async (path) => {
    expect((await catalogFiles(unreadInstalled, { [path]: 'x' })).gaps).toEqual([]);
  },
);

test('a store beside its database is told once', async () => {
  const files = { 'nix/var/nix/db/db.sqlite': 'x', [`nix/store/${inStore}/bin/x`]: 'x' };
  expect((await catalogFiles(unreadInstalled, files)).gaps).toEqual([
    { path: 'nix/var/nix/db/db.sqlite', reason: oneOf('Nix') },
  ]);
});

test.each([
  'var/lib/pacman/local/ALPM_DB_VERSION',
  'var/lib/pacman/sync/core.db',
  'var/lib/pacman/local/bash-5.2.026-2/files',
  'var/db/pkg/app-shells/bash-5.2/BUILD_TIME',
  'nix/var/nix/db/db.sqlite-wal',
  'etc/nix/db.sqlite',
  'Cellar/jq/1.6/lib/jq.rb',
  'app/lib/jq.rb',
  'app/meta/snap.yaml.in',
  'opt/conda/conda-meta/history',
  'usr/lib/ruby/gems/3.0.0/gems/rails-6.0.0/rails.gemspec',
  'app/composer/not-installed.json',
  'app/deps.json',
  'app/x.runtimeconfig.json',
  'src/dplyr/DESCRIPTION',
  'usr/share/doc/status',
  'src/lpeg-1.0.2-1.rockspec',
  'app/Project.toml',
  'var/lib/dpkg/status',
  'usr/lib/python3/dist-packages/foo-1.0-py3.8.egg/EGG-INFO/PKG-INFO',
  'tmp/foo-1.0-py3.8.egg',
  'usr/local/lib/perl5/5.38.2/x86_64-linux-gnu/.packlist',
  'srv/phoenix/src/phoenix.app',
  'Applications/Foo.app',
  'var/www/html/wp-content/themes/x/functions.php',
  'var/www/html/wp-content/plugins/akismet/views/start.php',
])('%s is none', (path) => {
  expect(unreadInstalled.wants({ path, size: 1, mode: 0o644, head: Buffer.alloc(0) })).toBe(false);
});

describe('gaps', () => {
  const ruby = (version: string, name: string) => `usr/lib/ruby/gems/${version}/specifications/${name}.gemspec`;

  it('are one for each kind and tree, at the first file, with their number', async () => {
    const paths = [
      ruby('3.1.0', 'rack-3.0'),
      ruby('3.0.0', 'rails-6.0.0'),
      ruby('3.0.0', 'default/json-2.5.1'),
      ruby('3.0.0', 'actionview-6.0.0'),
      'app/vendor/composer/installed.json',
      'var/lib/pacman/local/bash-5.2-1/desc',
      'opt/root/var/lib/pacman/local/bash-5.2-1/desc',
    ];
    const { gaps } = await catalogFiles(unreadInstalled, Object.fromEntries(paths.map((path) => [path, ''])));
    expect(gaps.map(({ path, reason }) => [path, reason.slice(0, reason.indexOf(','))])).toEqual([
      ['app/vendor/composer/installed.json', '1 file of Composer'],
      [ruby('3.0.0', 'actionview-6.0.0'), '3 files of RubyGems'],
      [ruby('3.1.0', 'rack-3.0'), '1 file of RubyGems'],
      ['var/lib/pacman/local/bash-5.2-1/desc', '2 files of pacman'],
    ]);
  });

  it('do not depend on the order of the files, and count every file once', async () => {
    const paths = known.map(([, path]) => path);
    const { gaps: expected } = await catalogFiles(unreadInstalled, Object.fromEntries(paths.map((path) => [path, ''])));
    const sum = expected.reduce((total, { reason }) => total + Number.parseInt(reason, 10), 0);
    expect(sum).toBe(paths.length);
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(paths, { minLength: paths.length }), async (shuffled) => {
        const files = Object.fromEntries(shuffled.map((path) => [path, '']));
        expect((await catalogFiles(unreadInstalled, files)).gaps).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });
});

test('a file larger than is worth holding has a limit of its own', () => {
  expect(unreadInstalled.maxBytes?.('nix/var/nix/db/db.sqlite')).toBe(256 * 2 ** 20);
});

test('something is wanted below every anchor', () => {
  for (const anchor of unreadInstalled.anchors ?? []) {
    const below = known.filter(([, path]) => path === anchor || path.startsWith(`${anchor}/`));
    expect([anchor, below.length > 0]).toEqual([anchor, true]);
  }
});
