/**
 * The values that only `changes` has: what is wrong with one and what to write instead, or undefined. What could never match,
 * and what would match everything while it looks like a limit, is refused while its author is looking.
 */
import { quoted } from '../diag/index.ts';

/** `https://github.com/acme/shop`: letter by letter what statements name, so that there is one spelling and no second. */
export function repositoryFault(text: string): string | undefined {
  const example = 'like https://github.com/acme/shop';
  if (!/^https:\/\/[^/]/.test(text)) return `must be a whole URL that begins with https://, ${example}`;
  if (!URL.canParse(text)) return `is no URL; write it ${example}`;
  const { username, password, search, hash, host, pathname } = new URL(text);
  if (username !== '' || password !== '' || /^https:\/\/[^/]*@/.test(text))
    return 'must be without a user before the host';
  if (search !== '' || hash !== '' || /[?#]/.test(text)) return 'must be without "?" and "#"';
  const plain = `https://${host}${pathname.replace(/\/{1,100}$/, '').replace(/\.git$/, '')}`;
  const [first, second] = new URL(plain).pathname.slice(1).split('/');
  if (first === undefined || first === '') return `names no repository; write it ${example}`;
  if (second === undefined && forges.has(host)) return `names an owner and no repository; write it ${example}`;
  if (plain !== text) return `must be written as statements have it: ${plain.slice(0, 300)}`;
  return pathname.includes('//') ? 'has an empty segment: no slash at the end, none twice' : undefined;
}

/** Where a repository lies below its owner. */
const forges: ReadonlySet<string> = new Set(['github.com', 'gitlab.com', 'bitbucket.org', 'codeberg.org']);

/** `refs/heads/main`, as git's check-ref-format has it. */
export function baseRefFault(text: string): string | undefined {
  if (!text.startsWith('refs/')) return `must be the full name of a branch; write refs/heads/${text.slice(0, 200)}`;
  const [, remote] = /^refs\/remotes\/[^/]+\/(.+)$/.exec(text) ?? [];
  if (remote !== undefined)
    return `must be what the branch is called where it lies; write refs/heads/${remote.slice(0, 200)}`;
  if (!text.startsWith('refs/heads/')) return 'must be a branch, like refs/heads/main';
  const isName =
    text.length <= 1000 &&
    !/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\.$/.test(text) &&
    text.split('/').every((each) => each !== '' && !each.startsWith('.') && !each.endsWith('.lock'));
  return isName ? undefined : `is no name that git has for a branch: ${quoted(text)}`;
}

/** A pattern for paths in the repository. Other tools' patterns have signs that stand for themselves here. */
export function pathPatternFault(pattern: string): string | undefined {
  const segments = pattern.replace(/^\//, '').replace(/\/$/, '').split('/');
  if (pattern.startsWith('!')) return 'begins with "!": a path cannot be taken out; name those that are meant';
  if (segments.includes('..') || segments.includes('.')) {
    return 'matches nothing: write it from the root of the repository, without "." and ".."';
  }
  const sign = /[?{}[\]\\]/.exec(pattern)?.[0];
  if (sign === '\\') return 'has a backslash, which is no slash; write "/" between segments';
  if (sign !== undefined) return `has "${sign}", which is not special here; write "*", or one pattern for each`;
  return segmentsFault(pattern, segments);
}

/** A pattern for a name; `form` is the least that it must have, for people. */
export function namePatternFault(pattern: string, what: 'model' | 'runtime' | 'tool'): string | undefined {
  const segments = pattern.split('/');
  const fault = segmentsFault(pattern, segments);
  if (fault !== undefined) return fault;
  if (/^[*/]+$/.test(pattern)) return `allows every ${what}; leave it out if that is meant`;
  if (what === 'model' && segments.length < 2) {
    return `matches nothing: a model is named with its provider, like anthropic/${quoted(pattern, 60).slice(1, -1)}`;
  }
  return undefined;
}

/** `api.github.com:443`, `*.acme.example:443`, `[2001:db8::1]:443`; `*` for any port. */
export function endpointFault(text: string): string | undefined {
  const [, host = '', port = ''] = /^(.{0,300}):([^:]{0,6})$/.exec(text) ?? [];
  if (host === '') return 'must be HOST:PORT, like api.github.com:443';
  if (port !== '*' && (!/^[1-9][0-9]{0,4}$/.test(port) || Number(port) > 65_535)) {
    return 'must end in a port from 1 to 65535, or in :* for any';
  }
  if (/[A-Z]/.test(host)) return 'must be in lower case, as host names are compared';
  if (/^\[[0-9a-f:.]+\]$/.test(host)) return undefined;
  if (/^\*+$/.test(host)) return 'allows every host; leave network out if that is meant';
  const plain = host.startsWith('*.') ? host.slice(2) : host;
  if (plain.includes('*')) return 'may have "*" for the first label only, like *.acme.example:443';
  if (host !== plain && !plain.includes('.')) return 'must name the domain in full, like *.acme.example:443';
  const isHost = plain.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
  return isHost ? undefined : `names no host: ${quoted(host)}`;
}

/** `https://refs.arewm.com/agent-commit/v0.3` */
export function buildTypeFault(text: string): string | undefined {
  if (text.includes('*')) return 'is compared whole and cannot be a pattern; write it out';
  return /^[A-Za-z][A-Za-z0-9+.-]*:[\u0021-\u007e]+$/.test(text) ? undefined : 'must be a URI, as provenance states it';
}

/** `merge`: a word, so that nobody approves by a sentence. */
export function operationFault(text: string): string | undefined {
  return /^[a-z][a-z0-9-]{0,63}$/.test(text) ? undefined : 'must be a word in lower case, like merge';
}

/** Words of a sandbox. They are compared whole. */
export function wordFault(text: string): string | undefined {
  return text.includes('*') ? 'is compared whole and cannot be a pattern; write it out' : undefined;
}

function segmentsFault(pattern: string, segments: readonly string[]): string | undefined {
  if (pattern.length > 1000) return 'is longer than 1000 characters';
  if (segments.includes('')) return 'has an empty segment: no slash at an end, none twice';
  return segments.some((each) => each !== '**' && each.includes('**'))
    ? 'has "**" inside a segment; it has to stand alone between slashes'
    : undefined;
}
