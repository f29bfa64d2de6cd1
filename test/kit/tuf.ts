/**
 * A TUF repository for tests, signed with keys of its own, and a server on localhost that misbehaves on request.
 */
import { generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Role = 'root' | 'timestamp' | 'snapshot' | 'targets';

export interface RepositoryOptions {
  /** Versions; 1 where absent. */
  readonly versions?: Partial<Record<Role, number>>;
  readonly expires?: Partial<Record<Role, string>>;
  readonly targets?: Readonly<Record<string, string>>;
  /** Signed by somebody else. */
  readonly forged?: Role;
  /** Of the root; default 1. */
  readonly threshold?: number;
  /** The root names the same key again under other ids, up to this many. */
  readonly aliases?: number;
  readonly keys?: Keys;
}

export type Keys = Readonly<Record<Role, KeyObject>>;

export interface Repository {
  readonly root: string;
  readonly timestamp: string;
  readonly snapshot: string;
  readonly targets: string;
  /** By path below the repository's URL. */
  readonly files: Map<string, string>;
}

export function newKeys(): Keys {
  const key = () => generateKeyPairSync('ed25519').privateKey;
  return { root: key(), timestamp: key(), snapshot: key(), targets: key() };
}

export const far = '2999-01-01T00:00:00Z';
export const defaultKeys = newKeys();

export function tufRepository(options: RepositoryOptions = {}): Repository {
  const { versions = {}, keys = defaultKeys, targets: documents = {} } = options;
  const signed = (role: Role, fields: object) => {
    const key = options.forged === role ? newKeys()[role] : keys[role];
    const head = {
      _type: role,
      spec_version: '1.0.31',
      version: versions[role] ?? 1,
      expires: options.expires?.[role] ?? far,
    };
    return envelope({ ...head, ...fields }, idOf(keys[role]), key, role === 'root' ? (options.aliases ?? 0) : 0);
  };
  const root = signed('root', rootFields(keys, options));
  const targets = signed('targets', {
    targets: Object.fromEntries(
      Object.entries(documents).map(([name, text]) => [
        name,
        { length: Buffer.byteLength(text), hashes: { sha256: hash('sha256', text) } },
      ]),
    ),
  });
  const snapshot = signed('snapshot', { meta: { 'targets.json': { version: versions.targets ?? 1 } } });
  const timestamp = signed('timestamp', { meta: { 'snapshot.json': { version: versions.snapshot ?? 1 } } });
  const files = new Map([
    [`${versions.root ?? 1}.root.json`, root],
    ['timestamp.json', timestamp],
    [`${versions.snapshot ?? 1}.snapshot.json`, snapshot],
    [`${versions.targets ?? 1}.targets.json`, targets],
    ...Object.entries(documents).map(([name, text]) => [`targets/${hash('sha256', text)}.${name}`, text] as const),
  ]);
  return { root, timestamp, snapshot, targets, files };
}

function rootFields(keys: Keys, { threshold = 1, aliases = 0 }: RepositoryOptions): object {
  const listed: Record<string, object> = {};
  const roles: Record<string, object> = {};
  for (const [role, key] of Object.entries(keys)) {
    const ids = [idOf(key), ...(role === 'root' ? aliasesOf(idOf(key), aliases) : [])];
    const point = key.asymmetricKeyType === 'ed25519' ? key.export({ format: 'jwk' }).x : undefined;
    const text = Buffer.from(point ?? '', 'base64url').toString('hex');
    for (const id of ids) listed[id] = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: text } };
    roles[role] = { keyids: ids, threshold: role === 'root' ? threshold : 1 };
  }
  return { consistent_snapshot: true, keys: listed, roles };
}

function idOf(key: KeyObject): string {
  return hash('sha256', String(key.export({ format: 'jwk' }).x));
}

function aliasesOf(id: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => hash('sha256', `${id} ${at}`));
}

function envelope(signed: object, id: string, key: KeyObject, aliases: number): string {
  const sig = sign(null, Buffer.from(canonicalJson(signed)), key).toString('hex');
  const signatures = [id, ...aliasesOf(id, aliases)].map((keyid) => ({ keyid, sig }));
  return JSON.stringify({ signatures, signed }, undefined, 1);
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${canonicalJson(each)}`).join(',')}}`;
}

export interface Server {
  readonly url: string;
  /** What it serves from now on. */
  serve(files: ReadonlyMap<string, string>): void;
  /** Answers for one path with something else than a file. */
  misbehave(path: string, how: (response: ServerResponse) => void): void;
  /** Paths that were asked for. */
  readonly asked: string[];
  close(): Promise<void>;
}

export async function startServer(): Promise<Server> {
  let files: ReadonlyMap<string, string> = new Map();
  const special = new Map<string, (response: ServerResponse) => void>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const name = (request.url ?? '').slice(1);
    asked.push(name);
    const odd = special.get(name);
    if (odd !== undefined) return odd(response);
    const text = files.get(name);
    if (text === undefined) response.writeHead(404);
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    serve: (next) => {
      files = next;
      special.clear();
      asked.length = 0;
    },
    misbehave: (name, how) => void special.set(name, how),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
