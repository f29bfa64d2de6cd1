/** Addresses of packages as lockfiles write them. */
import type { Origin } from './types.ts';

/** A registry by its address: what it serves is told apart by names. */
export function registryOrigin(address: string): Origin {
  const url = parseUrl(address);
  if (url === undefined || url.protocol === 'file:') return { kind: 'local', place: 'a local path', address };
  return { kind: 'registry', place: placeOfUrl(url).replace(/\/$/, ''), address };
}

/** One file at an address of its own. */
export function fileOrigin(address: string): Origin {
  const url = parseUrl(address);
  if (url === undefined || url.protocol === 'file:') return { kind: 'local', place: 'a local path', address };
  return { kind: 'url', place: placeOfUrl(url), address };
}

/** A repository of sources; `git+ssh://git@host/a/b.git#rev`, `git@host:a/b`, `https://host/a/b`. */
export function gitOrigin(address: string): Origin {
  const plain = address.replace(/^git\+/, '').split(/[#?]/, 1)[0]!;
  const short = /^(?:[^@/:\s]{1,64}@)?([A-Za-z0-9.-]{2,}):(?!\/\/)(.*)$/.exec(plain);
  const url = short === null ? parseUrl(plain) : parseUrl(`ssh://${short[1]}/${short[2]}`);
  if (url === undefined || url.protocol === 'file:') return { kind: 'local', place: 'a local path', address };
  const path = url.pathname.replace(/\/$/, '').replace(/\.git$/, '');
  const insecure = url.protocol === 'http:' || url.protocol === 'git:' ? url.protocol : '';
  return { kind: 'git', place: `git ${insecure}${url.host}${path}`, address };
}

export function isGitAddress(address: string): boolean {
  return (
    /^(?:git\+|git:|ssh:|github:|gitlab:|bitbucket:|git@)/.test(address) ||
    /^https?:\/\/[^#?\s]*\.git(?:[#?]|$)/.test(address)
  );
}

/** `github:a/b`, `gitlab:a/b`, `bitbucket:a/b` written out. */
export function expandHost(address: string): string {
  const match = /^(github|gitlab|bitbucket):(.*)$/.exec(address);
  if (match === null) return address;
  const host = { github: 'github.com', gitlab: 'gitlab.com', bitbucket: 'bitbucket.org' }[match[1]!];
  return `https://${host}/${match[2]}`;
}

/** What stands behind `#`. */
export function revisionOf(address: string): string {
  const hash = address.indexOf('#');
  return hash < 0 ? '' : address.slice(hash + 1);
}

/**
 * A package of npm's: `https://registry.example/prefix/@scope/name/-/name-1.0.0.tgz`. The registry is what stands before the
 * name; without `/-/` it is one file for itself. `found` is the name that stands there.
 */
export function npmOrigin(address: string): { readonly origin: Origin; readonly found?: string } {
  const url = parseUrl(address);
  if (url === undefined || url.protocol === 'file:') return { origin: fileOrigin(address) };
  if (isGitAddress(address)) return { origin: gitOrigin(expandHost(address)) };
  if (url.host === 'npm.pkg.github.com') return { origin: registryOrigin(`${url.protocol}//${url.host}`) };
  const path = decoded(url.pathname);
  const end = path.indexOf('/-/');
  if (end < 0) return { origin: fileOrigin(address) };
  const segments = path.slice(1, end).split('/');
  const scoped = segments.at(-2)?.startsWith('@') === true;
  const found = segments.slice(scoped ? -2 : -1).join('/');
  const prefix = segments.slice(0, scoped ? -2 : -1).join('/');
  const host = url.host === 'registry.yarnpkg.com' ? 'registry.npmjs.org' : url.host;
  const place = `${url.protocol}//${host}${prefix === '' ? '' : `/${prefix}`}`;
  return { origin: { kind: 'registry', place, address: `${place}${path.slice(path.indexOf(found) - 1)}` }, found };
}

/** Whether bytes of this address can be changed on the way. */
export function isInsecure({ address, place }: Origin): boolean {
  return /^(?:git\+)?(?:http|git|ftp):/i.test(address) || /^git (?:http|git):/.test(place);
}

function placeOfUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function parseUrl(address: string): URL | undefined {
  return URL.canParse(address) ? new URL(address) : undefined;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
