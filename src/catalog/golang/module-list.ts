/**
 * The module list inside Go's build information: lines of tab-separated columns.
 *
 *   path<TAB>example.com/shop/cmd/shop
 *   mod<TAB>example.com/shop<TAB>v1.4.0<TAB>
 *   dep<TAB>golang.org/x/net<TAB>v0.30.0<TAB>h1:AcW1SDZMkb8IpzCdQUaIq2sP4sZ4zw+55h6ynffypl4=
 *   dep<TAB>golang.org/x/text<TAB>v0.19.0
 *   =><TAB>github.com/acme/text<TAB>v0.19.1<TAB>h1:…        (replaces the module of the line before)
 *   build<TAB>-ldflags="-X main.version=1.4.0"
 *
 * Versions are as Go writes them: with `v`, or `(devel)` for a module built from a directory. Keys and values of build
 * settings may be quoted as Go string literals. Lines of other kinds are for later versions of Go and are passed over;
 * a line of a known kind with the wrong columns is counted as damaged. `BuildInfo.String` in Go's runtime/debug.
 */

export interface GoModule {
  readonly path: string;
  /** As stated; may be empty or `(devel)`. */
  readonly version: string;
  /** Checksum of the module's tree, `h1:` and base64. */
  readonly sum?: string;
  readonly replacement?: GoModule;
}

export interface ModuleList {
  /** Import path of the main package. */
  readonly packagePath?: string;
  readonly main?: GoModule;
  readonly dependencies: readonly GoModule[];
  /** Build settings: `vcs.revision`, `GOARCH`, `-ldflags` and others. */
  readonly settings: ReadonlyMap<string, string>;
  /** How many lines could not be read. */
  readonly damagedLines: number;
}

/** Of a module or package: segments between slashes, none of them empty or relative, so that it can be a purl. */
export function isModulePath(path: string): boolean {
  if (path.length > 4096 || /\s/.test(path)) return false;
  return path.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..');
}

/** What Go takes for a directory in a `replace` line, on any system. */
export function isDirectory(path: string): boolean {
  return /^(?:\.{0,2}[/\\]|\.{1,2}$|[A-Za-z]:)/.test(path);
}

/** The largest programs link about two thousand. */
const maxModules = 50_000;

export function parseModuleList(text: string): ModuleList {
  let packagePath: string | undefined;
  let main: GoModule | undefined;
  let damagedLines = 0;
  const dependencies: GoModule[] = [];
  const settings = new Map<string, string>();
  let replaceable: 'main' | 'dependency' | undefined;
  for (const line of text.split('\n')) {
    const tab = line.indexOf('\t');
    const kind = line.slice(0, Math.max(tab, 0));
    const rest = line.slice(tab + 1);
    if (kind === 'path') {
      packagePath = rest;
    } else if (kind === 'build') {
      const setting = parseSetting(rest);
      if (setting === undefined) damagedLines++;
      else settings.set(...setting);
    } else if (kind === 'mod' || kind === 'dep') {
      const module = parseModule(rest, isModulePath);
      replaceable = undefined;
      if (module === undefined) {
        damagedLines++;
      } else if (kind === 'mod') {
        main = module;
        replaceable = 'main';
      } else if (dependencies.length === maxModules) {
        damagedLines++;
      } else {
        dependencies.push(module);
        replaceable = 'dependency';
      }
    } else if (kind === '=>') {
      const replacement = parseModule(rest, (path) => isModulePath(path) || isDirectory(path));
      const last = dependencies.at(-1);
      if (replacement === undefined || replaceable === undefined) damagedLines++;
      else if (replaceable === 'main' && main !== undefined) main = { ...main, replacement };
      else if (last !== undefined) dependencies[dependencies.length - 1] = { ...last, replacement };
      replaceable = undefined;
    }
  }
  return {
    ...(packagePath === undefined || packagePath === '' ? {} : { packagePath }),
    ...(main === undefined ? {} : { main }),
    dependencies,
    settings,
    damagedLines,
  };
}

function parseModule(columns: string, isValid: (path: string) => boolean): GoModule | undefined {
  const [path, version, sum, ...more] = columns.split('\t', 4);
  if (path === undefined || version === undefined || more.length > 0) return undefined;
  if (!isValid(path) || !/^\S{0,1024}$/.test(version)) return undefined;
  return sum === undefined || sum === '' ? { path, version } : { path, version, sum };
}

function parseSetting(text: string): [key: string, value: string] | undefined {
  const key = isQuoted(text) ? quotedPrefix(text) : text.slice(0, Math.max(text.indexOf('='), 0));
  if (key === undefined || key === '' || text[key.length] !== '=') return undefined;
  const value = text.slice(key.length + 1);
  const plainKey = unquote(key);
  const plainValue = unquote(value);
  return plainKey === undefined || plainValue === undefined ? undefined : [plainKey, plainValue];
}

function isQuoted(text: string): boolean {
  return text.startsWith('"') || text.startsWith('`');
}

/** The Go string literal that a text begins with, with its quotes. */
function quotedPrefix(text: string): string | undefined {
  const quote = text[0];
  for (let at = 1; at < text.length; at++) {
    if (text[at] === quote) return text.slice(0, at + 1);
    if (text[at] === '\\' && quote === '"') at++;
  }
  return undefined;
}

/** The value of a Go string literal, the text itself when it is none, undefined when the literal is broken. */
function unquote(text: string): string | undefined {
  if (!isQuoted(text)) return text;
  if (quotedPrefix(text) !== text) return undefined;
  const body = text.slice(1, -1);
  if (text.startsWith('`')) return body;
  let broken = false;
  // As bytes, one per character, because `\x` and octal escapes are bytes: several may make up one character.
  const bytes = Buffer.from(body).toString('latin1');
  const plain = bytes.replace(escapeSequence, (_, sequence: string) => {
    const value = escapedBytes(sequence);
    broken ||= value === undefined;
    return value ?? '';
  });
  return broken ? undefined : Buffer.from(plain, 'latin1').toString('utf8');
}

const escapeSequence = /\\(x[0-9a-fA-F]{2}|[0-7]{3}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)/gs;

const shortEscapes: ReadonlyMap<string, string> = new Map([
  ['a', '\u0007'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ['\\', '\\'],
  ['"', '"'],
]);

function escapedBytes(sequence: string): string | undefined {
  if (sequence.length === 1) return shortEscapes.get(sequence);
  const isPoint = sequence.startsWith('u') || sequence.startsWith('U');
  const isHex = isPoint || sequence.startsWith('x');
  const code = isHex ? Number.parseInt(sequence.slice(1), 16) : Number.parseInt(sequence, 8);
  if (isPoint) return code <= 0x10ffff ? Buffer.from(String.fromCodePoint(code)).toString('latin1') : undefined;
  return code <= 0xff ? String.fromCharCode(code) : undefined;
}
