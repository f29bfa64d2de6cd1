/**
 * `direct_url.json`: written when a package was installed from an address and not by name from an index.
 *
 *     {"url": "https://github.com/ann/x.git", "vcs_info": {"vcs": "git", "commit_id": "3b1bb80b…"}}
 *     {"url": "https://example.org/x-1.0.zip", "archive_info": {"hashes": {"sha256": "…"}}}
 *     {"url": "file:///src/x", "dir_info": {"editable": true}}
 *
 * Refused: what is not a JSON object with a `url`.
 * https://packaging.python.org/en/latest/specifications/direct-url-data-structure/
 */
import { hashNames } from '../hash-names.ts';
import type { Hash } from '../types.ts';

export interface DirectUrl {
  /** Without credentials. */
  readonly url: string;
  readonly kind: 'vcs' | 'archive' | 'directory';
  /** `git+https://…@commit` for vcs. */
  readonly vcsUrl?: string;
  readonly hashes: readonly Hash[];
  readonly editable: boolean;
}

const maxBytes = 2 ** 20;

export function parseDirectUrl(bytes: Buffer): DirectUrl | undefined {
  const json = parseObject(bytes);
  const stated = json?.['url'];
  if (json === undefined || typeof stated !== 'string' || !/^[^\s\p{C}]{1,4096}$/u.test(stated)) return undefined;
  const url = withoutSecrets(stated);
  const vcs = asObject(json['vcs_info']);
  const archive = asObject(json['archive_info']);
  const editable = asObject(json['dir_info'])?.['editable'] === true;
  if (vcs !== undefined) {
    const system = typeof vcs['vcs'] === 'string' && /^[a-z]{1,10}$/.test(vcs['vcs']) ? vcs['vcs'] : 'git';
    const commit = typeof vcs['commit_id'] === 'string' ? `@${vcs['commit_id'].slice(0, 200)}` : '';
    return { url, kind: 'vcs', vcsUrl: `${system}+${url}${commit}`, hashes: [], editable };
  }
  if (archive === undefined)
    return { url, kind: url.startsWith('file:') ? 'directory' : 'archive', hashes: [], editable };
  return { url, kind: 'archive', hashes: parseHashes(archive), editable };
}

/** `hashes`, and before pip 23 `hash`: `sha256=…`. */
function parseHashes(archive: Readonly<Record<string, unknown>>): readonly Hash[] {
  const stated = new Map(Object.entries(asObject(archive['hashes']) ?? {}));
  const single = typeof archive['hash'] === 'string' ? archive['hash'].split('=', 2) : [];
  if (stated.size === 0 && single[0] !== undefined) stated.set(single[0], single[1]);
  const hashes: Hash[] = [];
  for (const [name, value] of stated) {
    const algorithm = hashNames.get(name.toLowerCase());
    const content = typeof value === 'string' ? value.toLowerCase() : '';
    if (algorithm !== undefined && content.length === 2 * algorithm.bytes && /^[0-9a-f]+$/.test(content)) {
      hashes.push({ alg: algorithm.alg, content });
    }
  }
  return hashes;
}

function parseObject(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  if (bytes.length > maxBytes) return undefined;
  try {
    return asObject(JSON.parse(bytes.toString('utf8')));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

/** Without user and password; pip itself keeps `git@`, the one user that is no secret. */
function withoutSecrets(url: string): string {
  return url.replace(/^([a-z][\w+.-]{0,30}:\/\/)(?!git@)[^/?#]*@/i, '$1');
}
