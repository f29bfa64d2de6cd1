/**
 * What the file name of an archive says: Maven's `artifact-version[-classifier].jar`, OSGi's `name_1.2.3.jar`, and the
 * rarer `name.1.2.3.jar`. Only a last resort, because anybody can rename a file.
 *
 *   log4j-1.2-api-2.17.1.jar -> log4j-1.2-api 2.17.1        guava-31.1-jre.jar -> guava 31.1-jre
 *   org.eclipse.osgi_3.18.0.v2022.jar -> org.eclipse.osgi 3.18.0.v2022        app.jar -> app
 *   netty-epoll-4.1.1.Final-linux-x86_64.jar -> netty-epoll 4.1.1.Final, classifier linux-x86_64
 */

export interface FileName {
  /** The name without its suffix. */
  readonly stem: string;
  readonly name: string;
  readonly version?: string;
  /** Only words that no version ends with: anything may follow behind a dash in a version, too. */
  readonly classifier?: string;
  /** Lower case, without the dot. */
  readonly suffix: string;
}

/** `path` may be the path of a file or the name of a zip entry, with `/` or `\`. */
export function parseFileName(path: string): FileName {
  const base = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'), path.lastIndexOf('!')) + 1);
  const dot = base.lastIndexOf('.');
  // Names come from archives too and may be 64 KiB long; nobody's artifact is.
  // Bytes that are not UTF-8 cannot be part of a package URL.
  const stem = base.slice(0, Math.max(dot, 0)).slice(0, 256).toWellFormed();
  const suffix = base.slice(dot + 1).toLowerCase();
  const classifier = (attached.exec(stem) ?? variant.exec(stem))?.[1];
  const bare = classifier === undefined ? stem : stem.slice(0, -classifier.length - 1);
  const { name, version } = splitOsgi(bare) ?? splitMaven(bare) ?? splitDots(bare) ?? { name: bare };
  return {
    stem,
    name: name === '' ? stem : name,
    ...(version !== undefined && name !== '' && { version }),
    ...(classifier !== undefined && { classifier }),
    suffix,
  };
}

/** What Maven attaches to any archive. */
const attached = /-(test-sources|sources|javadoc|tests)$/;

/** What builds attach behind a version: whole applications, and native code by system and processor. */
const variant =
  /(?<=-v?\d[\w.+-]{0,100})-((?:all|dependencies|exec|fat|indy|jar-with-dependencies|no_?aop|plain|shaded|shadow|slim|standalone|test|test-fixtures|uber|with-dependencies)|(?:natives?-)?(?:linux|macos|mac|osx|windows|win)(?:[-_](?:aarch_?64|amd64|arm|arm64|armv[67]\w{0,3}|i[36]86|loongarch_?64|ppc64le|ppcle_64|riscv64|s390x|s390_64|x64|x86|x86_32|x86_64)(?:-(?:fedora|suse|musl|debug|gpu)){0,2})?)$/;

interface Split {
  readonly name: string;
  readonly version?: string;
}

function splitOsgi(stem: string): Split | undefined {
  const match = /_(\d+\.\d+\.\d+(?:\.[\w.-]+)?)$/.exec(stem);
  return match === null ? undefined : { name: stem.slice(0, match.index), version: match[1]! };
}

function splitMaven(stem: string): Split | undefined {
  const parts = stem.split('-');
  let first = parts.findIndex((part, index) => index > 0 && startsVersion(part));
  if (first < 0) return undefined;
  // `log4j-1.2-api-2.17.1`: a number that is followed by a word and by a full version belongs to the name.
  for (let later = first + 1; later < parts.length; later++) {
    const between = parts.slice(first + 1, later);
    if (/^\d+\.\d/.test(parts[later]!) && between.some((part) => isWord(part))) first = later;
  }
  // `log4j-1.2-1.2.17`: a line of versions that is part of a file's name goes before the version itself.
  const name = parts.slice(0, first).join('-');
  if (parts[first + 1]?.startsWith(`${parts[first]}.`) === true) first++;
  const version = parts.slice(first).join('-');
  // Distributions install `maven-core-3.x.jar`: that is a range, not a version.
  return /(^|\.)x$/i.test(version) ? { name } : { name, version };
}

function splitDots(stem: string): Split | undefined {
  const match = /[._](\d+(?:\.\d+)+)$/.exec(stem);
  return match === null ? undefined : { name: stem.slice(0, match.index), version: match[1]! };
}

function startsVersion(part: string): boolean {
  return /^(?:v?\d|build\d|rc?\d+(?:\W|$))/i.test(part);
}

/** Words that follow a number inside a version. */
const qualifiers =
  /^(?:alpha|beta|rc|cr|m|milestone|final|ga|release|snapshot|sp|pre|preview|dev|b|build|jre|android|incubating)\d*$/i;

function isWord(part: string): boolean {
  return /^[a-z]+$/i.test(part) && !qualifiers.test(part);
}
