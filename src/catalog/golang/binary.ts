/**
 * Go programs and shared libraries, from the build information in them (build-info.ts, module-list.ts).
 *
 * Packages: the main module, which requires all others; every module that was linked in; and the standard library with
 * the version of the Go release. A replaced module is what replaced it, as that is the code in the program; when a
 * directory did, it has no published identity: it keeps its name and loses its version. `(devel)` is no version.
 *
 * Nothing tells which module needs which other, so the edges of all but the main module are unknown. `h1:` sums are of a
 * module's tree, not of a file, and stand in a property.
 */
import { looksExecutable, readExecutables } from '../executable/index.ts';
import type { Cataloger, Found, Package, ReportGap } from '../types.ts';
import { type BuildInfoText, buildInfoMagic, findBuildInfo, functionTable, hasFunctionTable } from './build-info.ts';
import { type GoModule, isDirectory, isModulePath, type ModuleList, parseModuleList } from './module-list.ts';

interface GoProgram extends Pick<ModuleList, 'main' | 'dependencies' | 'packagePath'> {
  /** As the linker wrote it: `go1.22.3`, `go1.26.8 X:jsonv2`, `devel go1.23-…`. */
  readonly goVersion: string;
  /** How it was built, as properties of the application. */
  readonly build: Readonly<Record<string, string>>;
  readonly confidence: number;
}

/** One entry per architecture in the file. */
export const goBinary: Cataloger<readonly GoProgram[]> = {
  id: 'go/binary',
  kind: 'installed',
  needles: [buildInfoMagic, functionTable],
  wants: looksExecutable,
  read({ bytes }, gap) {
    const programs = readExecutables(bytes, gap, (executable) => {
      const info = findBuildInfo(executable);
      if (info !== undefined) return readProgram(info, gap);
      if (hasFunctionTable(executable)) gap('is a Go program without build information: what is in it cannot be told');
      return undefined;
    });
    return programs.length === 0 ? undefined : programs;
  },
  assemble: (found) => found.flatMap((each) => each.fact.flatMap((program, index) => packagesOf(each, program, index))),
};

function readProgram({ goVersion, modules, atItsPlace }: BuildInfoText, gap: ReportGap): GoProgram {
  if (modules === undefined) gap('its Go module list is damaged');
  const { settings, damagedLines, ...list } = parseModuleList(modules ?? '');
  if (damagedLines > 0) gap(`damaged lines in its Go module list: ${damagedLines}`);
  return { ...list, goVersion, build: buildProperties(settings), confidence: atItsPlace ? 0.9 : 0.7 };
}

/** Settings that become properties, and the property each becomes. */
const reportedSettings = [
  ['GOARCH', 'go:arch'],
  ['GOOS', 'go:os'],
  ['vcs', 'go:vcs'],
  ['vcs.revision', 'go:vcs-revision'],
  ['vcs.time', 'go:vcs-time'],
  ['vcs.modified', 'go:vcs-modified'],
] as const;

function buildProperties(settings: ReadonlyMap<string, string>): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const [setting, property] of reportedSettings) {
    const value = settings.get(setting);
    if (value !== undefined && value !== '') properties[property] = value;
  }
  const version = versionFromFlags(settings.get('-ldflags') ?? '');
  return version === undefined ? properties : { ...properties, 'go:ldflags-version': version };
}

/** The version that a build script put into `main.version`: a claim under no rule, hence a property and no version. */
function versionFromFlags(flags: string): string | undefined {
  return /(?:^|[\s'"])-X[\s=]['"]?main\.(?:version|Version|VERSION)=([^\s'"]+)/.exec(flags)?.[1];
}

function packagesOf({ path, layer }: Found<unknown>, program: GoProgram, index: number): Package[] {
  const { main, dependencies } = mainModule(program);
  const common = {
    places: [{ path, layer }],
    technique: 'binary-analysis',
    confidence: program.confidence,
  } as const;
  const keyed = (number: number) => `${layer}:${path}#${index}.${number}`;
  const libraries: Package[] = [{ ...common, ...standardLibrary(program), key: keyed(0) }];
  for (const dependency of dependencies) {
    libraries.push({ ...common, ...modulePackage(dependency), key: keyed(libraries.length), requiresIncomplete: true });
  }
  if (main === undefined) return libraries;
  const { properties, ...identity } = modulePackage(main);
  const application: Package = {
    ...common,
    ...identity,
    key: keyed(libraries.length),
    kind: 'application',
    requires: libraries.map(({ key }) => key),
    properties: {
      ...properties,
      ...program.build,
      ...(program.packagePath === undefined ? {} : { 'go:package-path': program.packagePath }),
    },
  };
  return [application, ...libraries];
}

interface MainAndDependencies {
  readonly main: GoModule | undefined;
  readonly dependencies: readonly GoModule[];
}

/**
 * `go build file.go` names no main module; then it is the only dependency built from a directory, if there is just one.
 * Programs built without modules still tell the import path of their main package.
 */
function mainModule({ main, dependencies, packagePath }: GoProgram): MainAndDependencies {
  const fileList = 'command-line-arguments';
  if (main !== undefined && main.path !== fileList) {
    // With workspaces and vendoring the main module may be listed among the dependencies once more.
    return {
      main,
      dependencies: dependencies.filter(({ path, version }) => path !== main.path || version !== main.version),
    };
  }
  const local = dependencies.filter(({ version }) => version === develVersion);
  if (local.length === 1) return { main: local[0], dependencies: dependencies.filter((each) => each !== local[0]) };
  const named = packagePath !== undefined && packagePath !== fileList && isModulePath(packagePath);
  return { main: named ? { path: packagePath, version: develVersion } : undefined, dependencies };
}

const develVersion = '(devel)';

function modulePackage(stated: GoModule): Pick<Package, 'name' | 'version' | 'purl' | 'kind' | 'properties'> {
  const { replacement } = stated;
  const byDirectory = replacement !== undefined && isDirectory(replacement.path);
  const path = replacement === undefined || byDirectory ? stated.path : replacement.path;
  const { version, sum } = replacement ?? stated;
  const properties: Record<string, string> = {};
  if (sum !== undefined) properties['go:h1'] = sum;
  if (replacement !== undefined) properties['go:replaces'] = `${stated.path}@${stated.version}`;
  if (byDirectory) properties['go:replaced-by'] = replacement.path;
  if (version === develVersion) properties['go:version-devel'] = 'true';
  const known = version !== '' && version !== develVersion;
  return {
    name: path,
    ...(known ? { version } : {}),
    purl: golangPurl(path, known ? version : undefined),
    kind: 'library',
    properties,
  };
}

/** Letter case stays: Go tells `Sirupsen` from `sirupsen`, and what the type makes of it is for the purl room to say. */
function golangPurl(path: string, version: string | undefined): Package['purl'] {
  const slash = path.lastIndexOf('/');
  return {
    type: 'golang',
    ...(slash > 0 ? { namespace: path.slice(0, slash) } : {}),
    name: path.slice(slash + 1),
    ...(version === undefined ? {} : { version }),
  };
}

/**
 * `go1.22.3` is release 1.22.3; what follows a space names experiments (`X:jsonv2`) or who built it. A development
 * version of Go is no release, so its standard library has no version.
 */
function standardLibrary({ goVersion }: GoProgram): Pick<Package, 'name' | 'version' | 'purl' | 'kind' | 'properties'> {
  const version = /^go(\d\S*)/.exec(goVersion)?.[1];
  return {
    name: 'stdlib',
    ...(version === undefined ? {} : { version }),
    purl: { type: 'golang', name: 'stdlib', ...(version === undefined ? {} : { version }) },
    kind: 'library',
    properties: { 'go:toolchain': goVersion },
  };
}
