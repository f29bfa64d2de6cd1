/**
 * TUF metadata, checked without a network: does this target come from the holders of that root?
 *
 *     root 16 (ours) -> root 17 -> root 18     each signed by enough keys of the one before, and by enough of its own
 *     timestamp -> snapshot -> targets         each signed by enough keys that the last root names for it
 *     targets: {"trusted_root.json": {"length": 6787, "hashes": {"sha256": "6494…"}}}
 *
 * A cache folder is a place where others may write: a build's cache, a shared home, whatever TIDEWAITER_CACHE_DIR names.
 * What was downloaded once is therefore proved again by every process that uses it, down from the root in the program.
 * Expiry is left to the caller, who knows the time that matters; so is freshness beyond it.
 *
 * Refused: threshold not reached (a key counts once, under however many ids it stands), a version that does not follow,
 * lengths and hashes that differ, a target that only a delegated role lists, a target without SHA-256 or SHA-512.
 * https://theupdateframework.github.io/specification/v1.0.33/ §4 (formats), §5 (client workflow)
 */
import { constants, createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import { quoted } from '../diag/index.ts';
import { invalid, malformed } from './failure.ts';
import { isJsonObject, type Json, type JsonObject, parseStrictJson } from './json.ts';

/** Documents as they were received. */
export interface TufMetadata {
  /** Every root after the one that is trusted already, in order. */
  readonly roots: readonly string[];
  readonly timestamp: string;
  readonly snapshot: string;
  readonly targets: string;
}

export interface ProvedTarget {
  readonly versions: TufVersions;
  /** Milliseconds: the first moment at which any of the metadata is no longer valid. */
  readonly expires: number;
}

export interface TufVersions {
  readonly root: number;
  readonly timestamp: number;
  readonly snapshot: number;
  readonly targets: number;
}

/**
 * Proves that `document` is the target `name`, from `trusted`, a TUF root that the caller has reason to trust. Roots up to
 * the trusted one are passed over. Throws VerifyError: malformed, invalid.
 */
export function proveTarget(trusted: string, metadata: TufMetadata, name: string, document: Buffer): ProvedTarget {
  const root = lastRoot(trusted, metadata.roots);
  const timestamp = signedBy(root, 'timestamp', metadata.timestamp);
  const snapshot = signedBy(root, 'snapshot', metadata.snapshot);
  matchMeta(timestamp, 'snapshot.json', snapshot, metadata.snapshot);
  const targets = signedBy(root, 'targets', metadata.targets);
  matchMeta(snapshot, 'targets.json', targets, metadata.targets);
  const target = member(member(targets.signed, 'targets', 'targets'), name, 'targets');
  matchContent(target, document, `target ${quoted(name)}`, true);
  return {
    versions: {
      root: root.version,
      timestamp: timestamp.version,
      snapshot: snapshot.version,
      targets: targets.version,
    },
    expires: Math.min(root.expires, timestamp.expires, snapshot.expires, targets.expires),
  };
}

/** Version of a root, unproved. Throws VerifyError `malformed`. */
export function tufRootVersion(text: string): number {
  return readDocument(text, 'root').version;
}

type Role = 'root' | 'timestamp' | 'snapshot' | 'targets';

interface Document {
  readonly signed: JsonObject;
  readonly signatures: ReadonlyMap<string, Buffer>;
  readonly version: number;
  readonly expires: number;
}

// A root a month for forty years; without a bound a cache file could keep us busy.
const maxRoots = 512;

function lastRoot(trusted: string, newer: readonly string[]): Document {
  if (newer.length > maxRoots) throw malformed(`there are more than ${maxRoots} TUF roots`);
  let root = readDocument(trusted, 'root');
  for (const text of newer) {
    const next = readDocument(text, 'root');
    if (next.version <= root.version) continue;
    if (next.version !== root.version + 1) {
      throw invalid(`TUF root ${next.version} does not follow root ${root.version}`);
    }
    requireThreshold(root, next, 'root');
    requireThreshold(next, next, 'root');
    root = next;
  }
  return root;
}

function signedBy(root: Document, role: Role, text: string): Document {
  const document = readDocument(text, role);
  requireThreshold(root, document, role);
  return document;
}

function readDocument(text: string, role: Role): Document {
  const json = parseStrictJson(text, `the TUF ${role}`);
  const signed = member(json, 'signed', role);
  if (signed['_type'] !== role) throw malformed(`the TUF ${role} is of another type`);
  const { version, expires, spec_version: spec } = signed;
  if (typeof spec !== 'string' || !/^1\.\d+(?:\.\d+)?$/.test(spec)) {
    throw malformed(`the TUF ${role} follows no specification that is known here`);
  }
  if (!isVersion(version)) throw malformed(`the TUF ${role} has no version`);
  // Fractions of a second stood in the first roots of Sigstore.
  const end = typeof expires === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(expires);
  const time = end ? Date.parse(expires.replace(/\.\d+/, '')) : Number.NaN;
  if (Number.isNaN(time)) throw malformed(`the TUF ${role} does not say when it expires`);
  return { signed, signatures: readSignatures(json, role), version, expires: time };
}

function readSignatures(json: Json, role: Role): ReadonlyMap<string, Buffer> {
  const list = isJsonObject(json) ? json['signatures'] : undefined;
  if (!Array.isArray(list)) throw malformed(`the TUF ${role} has no signatures`);
  const signatures = new Map<string, Buffer>();
  for (const each of list as readonly Json[]) {
    const { keyid, sig } = isJsonObject(each) ? each : {};
    if (typeof keyid !== 'string' || typeof sig !== 'string' || !/^(?:[0-9a-f]{2})*$/.test(sig)) {
      throw malformed(`a signature of the TUF ${role} is not one`);
    }
    if (signatures.has(keyid)) throw malformed(`a key signed the TUF ${role} twice`);
    signatures.set(keyid, Buffer.from(sig, 'hex'));
  }
  return signatures;
}

/** Enough of the keys that `root` names for the role have signed the document. */
function requireThreshold(root: Document, document: Document, role: Role): void {
  const { keyids, threshold } = member(member(root.signed, 'roles', 'root'), role, 'root');
  const keys = member(root.signed, 'keys', 'root');
  if (!isVersion(threshold) || !Array.isArray(keyids)) throw malformed(`the TUF root names no keys for the ${role}`);
  const data = Buffer.from(canonical(document.signed));
  const signers = new Set<string>();
  for (const id of keyids as readonly Json[]) {
    const signature = typeof id === 'string' ? document.signatures.get(id) : undefined;
    if (typeof id !== 'string' || signature === undefined) continue;
    const key = readKey(keys[id]);
    if (key === undefined || signers.has(key.identity)) continue;
    if (holds(key, data, signature)) signers.add(key.identity);
    if (signers.size === threshold) return;
  }
  throw invalid(`the TUF ${role} is signed by ${signers.size} of the ${threshold} keys that it needs`);
}

interface Key {
  readonly object: KeyObject;
  readonly hash: string | null;
  readonly padding: number | undefined;
  /** Equal for equal keys. */
  readonly identity: string;
}

interface Scheme {
  readonly type: string;
  readonly curve?: string;
  readonly hash: string | null;
  readonly padding?: number;
}

const schemes: ReadonlyMap<string, Scheme> = new Map([
  ['ed25519', { type: 'ed25519', hash: null }],
  ['ecdsa-sha2-nistp256', { type: 'ec', curve: 'prime256v1', hash: 'sha256' }],
  ['ecdsa-sha2-nistp384', { type: 'ec', curve: 'secp384r1', hash: 'sha384' }],
  ['rsassa-pss-sha256', { type: 'rsa', hash: 'sha256', padding: constants.RSA_PKCS1_PSS_PADDING }],
]);

/** Undefined for a key that cannot be used: TUF goes by the threshold, not by each key. */
function readKey(json: Json | undefined): Key | undefined {
  if (!isJsonObject(json) || !isJsonObject(json['keyval'])) return undefined;
  const scheme = typeof json['scheme'] === 'string' ? schemes.get(json['scheme']) : undefined;
  const text = json['keyval']['public'];
  if (scheme === undefined || typeof text !== 'string') return undefined;
  try {
    const object = createPublicKey(isEd25519Hex(scheme, text) ? ed25519Spki(text) : text);
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = object;
    if (type !== scheme.type || details?.namedCurve !== scheme.curve) return undefined;
    const identity = object.export({ format: 'der', type: 'spki' }).toString('base64');
    return { object, hash: scheme.hash, padding: scheme.padding, identity };
  } catch {
    return undefined;
  }
}

function isEd25519Hex(scheme: Scheme, text: string): boolean {
  return scheme.type === 'ed25519' && /^[0-9a-f]{64}$/.test(text);
}

/** RFC 8410 §4: the point behind a fixed header. */
function ed25519Spki(hex: string): { key: Buffer; format: 'der'; type: 'spki' } {
  return { key: Buffer.from(`302a300506032b6570032100${hex}`, 'hex'), format: 'der', type: 'spki' };
}

function holds(key: Key, data: Buffer, signature: Buffer): boolean {
  try {
    const options = key.padding === undefined ? key.object : { key: key.object, padding: key.padding };
    return verify(key.hash, data, options, signature);
  } catch {
    return false;
  }
}

/** What `from` says about `name` is true of this document. */
function matchMeta(from: Document, name: string, document: Document, text: string): void {
  const said = member(member(from.signed, 'meta', name), name, name);
  if (said['version'] !== document.version) {
    throw invalid(`${name} has version ${document.version}, and another is announced`);
  }
  matchContent(said, Buffer.from(text), name, false);
}

function matchContent(said: JsonObject, content: Buffer, what: string, hashed: boolean): void {
  const { length, hashes } = said;
  if (length !== undefined && length !== content.length) throw invalid(`the length of ${what} is not the signed one`);
  if (hashes !== undefined && !isJsonObject(hashes)) throw malformed(`the hashes of ${what} are none`);
  const known = Object.entries(hashes ?? {}).filter(([algorithm]) => algorithm === 'sha256' || algorithm === 'sha512');
  if (hashed && (known.length === 0 || length === undefined)) throw malformed(`${what} has no length or no hash`);
  for (const [algorithm, value] of known) {
    if (hash(algorithm, content) !== value) throw invalid(`the ${algorithm} of ${what} is not the signed one`);
  }
}

function member(json: Json | undefined, name: string, where: string): JsonObject {
  const value = isJsonObject(json) ? json[name] : undefined;
  if (!isJsonObject(value)) throw malformed(`there is no ${quoted(name)} in the TUF metadata (${where})`);
  return value;
}

function isVersion(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

/** Canonical JSON of the specification's §4.1: members by name, no spaces, nothing escaped but `"` and `\`. */
function canonical(value: Json | undefined): string {
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`;
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw malformed('TUF metadata has a fraction in it');
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonical).join(',')}]`;
  const object = value as JsonObject;
  const members = Object.keys(object)
    .sort()
    .map((name) => `${canonical(name)}:${canonical(object[name])}`);
  return `{${members.join(',')}}`;
}
