/**
 * Which package.json is a package? The name of the file says little: packages bring manifests for directories of
 * theirs (`{"type": "module"}`), whole packages as test data, templates, and copies of other packages.
 *
 * A module directory is `node_modules`, or Debian's `usr/share/nodejs` and `usr/lib/nodejs`. By its path a package.json is
 *
 * - installed: `…/node_modules/NAME/package.json` or `…/node_modules/@SCOPE/NAME/package.json`. Package managers that keep
 *   a store (`.pnpm/foo@1.0.0/node_modules/foo`, `.yarn/unplugged/…/node_modules/foo`) end in the same form; Yarn's
 *   `.store/SLUG/package` is taken too. Reported when it has a name and a version.
 * - copied: deeper inside an installed package (`next/dist/compiled/react/package.json`). Reported when it has a name, a
 *   version, no `private` and is not the package around it again: the code is there and can be vulnerable.
 * - an application: in no module directory (`app/package.json`, `opt/yarn-v1.22.22/package.json`). Reported when it has a
 *   name and a version and is no Unity package; an editor extension only when it is not where editors keep those and has
 *   node_modules beside it.
 * - nothing: test data, and examples and templates, whose manifests were never installed. Inside an installed package,
 *   whatever lies under a directory named for tests, with all its own node_modules; a node_modules under examples, docs
 *   or templates was installed by someone and counts. Outside, a manifest under such a directory below another
 *   application, or under one that only test suites have; with node_modules beside it, it is an application unless it is
 *   below the tests of another one.
 */

export type Place =
  | { readonly kind: 'installed' }
  /** `around` is the directory of the installed package that it lies in. */
  | { readonly kind: 'copied'; readonly around: string }
  /** `isDoubtful`: in a directory that applications are not in; one only if node_modules is beside it. */
  | { readonly kind: 'application'; readonly isDoubtful: boolean };

/** Undefined for what cannot be a package, whatever it says. `path` ends in `package.json`. */
export function placeOf(path: string): Place | undefined {
  const directories = path.split('/').slice(0, -1);
  let package_: Range | undefined;
  for (let at = 0; at < directories.length; at++) {
    if (!isModuleDirectory(directories, at)) continue;
    if (package_ !== undefined && isTestDataIn(directories, package_, at)) return undefined;
    package_ = packageRange(directories, at + 1);
  }
  if (package_ === undefined) return { kind: 'application', isDoubtful: isOnlyTestData(directories) };
  const { start, end } = package_;
  if (directories.length < end || start === directories.length) return undefined;
  if (directories[start]?.startsWith('.')) {
    const isYarnStore = directories[start] === '.store' && directories[start + 2] === 'package';
    return isYarnStore && directories.length === start + 3 ? { kind: 'installed' } : undefined;
  }
  if (directories.length === end) return { kind: 'installed' };
  if (directories.slice(end).some(isTestOrSample)) return undefined;
  return { kind: 'copied', around: directories.slice(0, end).join('/') };
}

/** What `path` is to the application at `directory`: its test data, an example or a template of it, or a part of it. */
export function roleIn(directory: string, path: string): 'test' | 'sample' | 'part' {
  const inside = path.slice(directory === '' ? 0 : directory.length + 1);
  const directories = inside.split('/').slice(0, -1);
  return directories.some(isTest) ? 'test' : directories.some(isTestOrSample) ? 'sample' : 'part';
}

/** Where editors keep their extensions: `.vscode-server/extensions/NAME/package.json`. */
export function isEditorFolder(path: string): boolean {
  return /(?:^|\/)extensions\/[^/]+\/package\.json$/.test(path);
}

/** Does this directory itself hold packages by their names? */
export function isModuleRoot(directory: string): boolean {
  const directories = directory.split('/');
  return isModuleDirectory(directories, directories.length - 1);
}

interface Range {
  readonly start: number;
  readonly end: number;
}

const testNames = /^(?:_*(?:tests?|specs?|fixtures?|mocks?)_*|test[-_]?(?:data|fixtures?)|__testfixtures__|e2e)$/i;

const sampleNames =
  /^(?:examples?|samples?|demos?|templates?|template-.*|boilerplates?|skeletons?|bench(?:marks?)?|docs?)$/i;

// Names that nobody gives to a directory that an application lives in, and placeholders of project generators.
const onlyTestNames = /^(?:__(?:tests?|mocks?|fixtures?|testfixtures)__|test[-_]?(?:data|fixtures?))$|[{<][{%]/i;

/** Is what lies between the package and the directory at `end` its test data? */
function isTestDataIn(directories: readonly string[], package_: Range, end: number): boolean {
  // Stores of package managers (.registry.example/test/1.0.0/node_modules/test) name directories after packages.
  return !directories[package_.start]?.startsWith('.') && directories.slice(package_.end, end).some(isTest);
}

function isTest(directory: string): boolean {
  return testNames.test(directory);
}

function isTestOrSample(directory: string): boolean {
  return testNames.test(directory) || sampleNames.test(directory);
}

function isOnlyTestData(directories: readonly string[]): boolean {
  const isDocumentation = directories[0] === 'usr' && directories[1] === 'share' && directories[2] === 'doc';
  return isDocumentation || directories.some((name) => onlyTestNames.test(name));
}

/** The directories of the package whose name starts at `start`: one, or two with a scope. */
function packageRange(directories: readonly string[], start: number): Range {
  return { start, end: start + (directories[start]?.startsWith('@') ? 2 : 1) };
}

function isModuleDirectory(directories: readonly string[], at: number): boolean {
  if (directories[at] === 'node_modules') return true;
  // usr/share/nodejs, usr/lib/nodejs, usr/lib/x86_64-linux-gnu/nodejs
  if (directories[at] !== 'nodejs' || directories[0] !== 'usr') return false;
  return (at === 2 && /^(?:share|lib)$/.test(directories[1] ?? '')) || (at === 3 && directories[1] === 'lib');
}
