/**
 * The one spelling of a repository's address that addresses are compared in, whether they come from a policy, a statement or a
 * flag.
 *
 *   git+https://GitHub.com/acme/Shop.git/   ->  https://github.com/acme/Shop
 *   git@github.com:acme/shop.git            ->  https://github.com/acme/shop
 *   ssh://git@github.com/acme/shop          ->  https://github.com/acme/shop
 *
 * `git+` before, `/` and one `.git` behind are taken off; scheme and host are lower case. Over SSH, the user `git` at the usual
 * port serves what the same host serves over https. Letters of the path stay as they are: on many hosts two repositories
 * differ in them alone, and two spellings of one only fail to match.
 *
 * What is not understood (another user, a password, a query, a fragment, white space, `..`) comes out as it went in: it is
 * equal to itself and to nothing that a policy can name.
 */

export function normalRepository(text: string): string {
  return findRepository(text) ?? text;
}

/** The normal form; undefined for what is not understood. */
export function findRepository(text: string): string | undefined {
  if (text.length > maxLength || /[\s\u0000-\u001f\u007f\\]/.test(text)) return undefined;
  const bare = text.startsWith('git+') ? text.slice('git+'.length) : text;
  const address = addressOf(bare);
  return address && `${address.scheme}://${address.host}${address.path}`;
}

/** Without what a resource descriptor puts behind: `@REF`, as SLSA writes it, or `/commit/ID` for this very commit. */
export function repositoryOfUri(uri: string, commit?: string): string {
  const scheme = uri.indexOf('://');
  const path = scheme === -1 ? -1 : uri.indexOf('/', scheme + 3);
  const at = path === -1 ? -1 : uri.indexOf('@', path);
  const bare = at === -1 ? uri : uri.slice(0, at);
  const page = `/commit/${commit ?? ''}`;
  return normalRepository(commit !== undefined && bare.endsWith(page) ? bare.slice(0, -page.length) : bare);
}

const maxLength = 2048;

interface Address {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
}

function addressOf(text: string): Address | undefined {
  const url = /^(https?|git|ssh):\/\/([^/?#]*)(\/[^?#]*)$/i.exec(text);
  if (url !== null) return fromUrl(lower(url[1] ?? ''), url[2] ?? '', url[3] ?? '');
  // scp's form has no scheme; a path that begins with a slash is another one than what a host serves.
  const scp = /^git@([A-Za-z0-9.-]+):([^/:?#][^?#]*)$/.exec(text);
  return scp === null ? undefined : withPath('https', lower(scp[1] ?? ''), `/${scp[2] ?? ''}`);
}

function fromUrl(scheme: string, authority: string, path: string): Address | undefined {
  if (scheme === 'ssh') {
    const host = /^git@([A-Za-z0-9.-]+)(?::22)?$/.exec(authority)?.[1];
    return host === undefined ? undefined : withPath('https', lower(host), path);
  }
  const host = lower(authority);
  // No user: what stands before an @ may look like a host.
  if (!/^[a-z0-9][a-z0-9.-]*(?::[0-9]{1,5})?$/.test(host)) return undefined;
  return withPath(scheme, scheme === 'https' && host.endsWith(':443') ? host.slice(0, -':443'.length) : host, path);
}

function withPath(scheme: string, host: string, path: string): Address | undefined {
  const bare = withoutSlashes(path);
  const named = bare.endsWith('.git') && !bare.endsWith('/.git') ? withoutSlashes(bare.slice(0, -'.git'.length)) : bare;
  // What has it twice is no other spelling of what has it once, and must not become one.
  if (named.endsWith('.git')) return undefined;
  if (named === '' || named.split('/').some((segment) => segment === '.' || segment === '..')) return undefined;
  return { scheme, host, path: named };
}

function withoutSlashes(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  return path.slice(0, end);
}

/** ASCII alone: the Kelvin sign must not become a k. */
function lower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
