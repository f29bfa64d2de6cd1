/**
 * Detached OpenPGP signatures (RFC 9580) by keys that a policy lists, as `git commit -S` has gpg make them.
 *
 * A signature says which key made it, by number; without that key nothing can be checked. A subkey signs for its primary
 * key, where that key bound it for signing and it signed back. What counts is decided at the time of judging: a signature
 * that is there now was made before now, and nothing else about its time is proved, least of all the date in it. So a key
 * that is valid now counts, one that has expired is unproved, and one that was revoked counts for nothing.
 *
 * Refused by name: more than one signature, signatures over text (they hold over other line ends too), SHA-1, MD5 and
 * RIPEMD, DSA and ElGamal, versions other than 4 and 6, critical subpackets and notations that are not known. Any revocation in
 * the file of a key counts, whether its own signature holds or not: to leave one aside would be the worse mistake.
 */
import type { AnyKeyPacket, Config, KeyID, PublicKey } from 'openpgp';
import { quoted } from '../diag/index.ts';
import { invalid, malformed, VerifyError } from './failure.ts';
import {
  keyFingerprint,
  keyIdOf,
  type Packet,
  parseArmor,
  parsePackets,
  parseSignaturePacket,
  Subpackets,
  Tags,
} from './openpgp-packets.ts';
import { type OpenPgpSignature, parseOpenPgpSignature } from './openpgp-signature.ts';

/** One primary key with its subkeys. */
export interface OpenPgpKey {
  /** Of the primary key, upper-case hex. */
  readonly fingerprint: string;
  /** The primary key first. */
  readonly parts: readonly OpenPgpPart[];
  readonly key: PublicKey;
}

export interface OpenPgpPart {
  readonly fingerprint: string;
  /** 16 upper-case hex digits. */
  readonly keyId: string;
  /** `soft`: replaced or retired, so that what it signed before would still be right if anything proved the time. */
  readonly revoked?: 'hard' | 'soft';
}

/** Public keys, armoured or not, at least one. Throws VerifyError `malformed` or `unsupported`. */
export async function parseOpenPgpKeys(armoredOrBytes: string | Buffer): Promise<readonly OpenPgpKey[]> {
  if (typeof armoredOrBytes === 'string' && armoredOrBytes.includes('-----BEGIN PGP PRIVATE KEY')) throw privateKey();
  const bytes = typeof armoredOrBytes === 'string' ? parseArmor(armoredOrBytes, 'PUBLIC KEY BLOCK') : armoredOrBytes;
  const parts = readKeyParts(parsePackets(bytes));
  const { readKeys, config } = await library();
  let keys: readonly PublicKey[];
  try {
    keys = await readKeys({ binaryKeys: Uint8Array.from(bytes), config });
  } catch (cause) {
    throw malformed(`the OpenPGP key cannot be read: ${reasonOf(cause)}`, cause);
  }
  return parts.map((each, index) => {
    const [primary] = each;
    const key = keys[index];
    if (primary === undefined || key?.getFingerprint().toUpperCase() !== primary.fingerprint) {
      throw new VerifyError('unsupported', 'one of the OpenPGP keys is of a kind that is not supported');
    }
    return { fingerprint: primary.fingerprint, parts: each, key };
  });
}

/**
 * Which of the keys made it over these bytes. `now` is the time of judging, in milliseconds. Throws VerifyError: `untrusted` where
 * none of the keys is the one that it names, `invalid` where it does not hold or its key is revoked, `unproved` where
 * its key has expired, `unsupported`, `malformed`.
 */
export async function verifyOpenPgp(
  armoredSignature: string,
  payload: Buffer,
  keys: readonly OpenPgpKey[],
  now: number,
): Promise<{ readonly fingerprint: string; readonly keyId: string }> {
  const signature = parseOpenPgpSignature(armoredSignature);
  const { keyId, fingerprint = keyId } = signature;
  const isMaker = (part: OpenPgpPart): boolean =>
    part.keyId === keyId && part.fingerprint === (signature.fingerprint ?? part.fingerprint);
  const makers = keys.flatMap((key) => key.parts.filter(isMaker).map((part) => ({ key, part })));
  if (makers.length === 0) {
    throw new VerifyError('untrusted', `nobody listed has the OpenPGP key ${fingerprint} that the signature names`);
  }
  let failure: VerifyError | undefined;
  for (const { key, part } of makers) {
    try {
      const expires = await verifyMath(signature, payload, key, part);
      checkRevoked(keys, key, part);
      await checkValid(key, part, now);
      if (expires <= now) throw unproved('the OpenPGP signature has expired, and nothing proves when it was made');
      return { fingerprint: key.fingerprint, keyId };
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error;
      failure ??= error;
    }
  }
  throw failure!;
}

const Revocations = { key: 0x20, subkey: 0x28 } as const;

const mostKeys = 256;

function unsupported(message: string): VerifyError {
  return new VerifyError('unsupported', message);
}

function unproved(message: string): VerifyError {
  return new VerifyError('unproved', message);
}

function privateKey(): VerifyError {
  return unsupported('this is a private OpenPGP key: give the public one, "gpg --armor --export" writes it');
}

/** For each primary key its parts. */
function readKeyParts(packets: readonly Packet[]): readonly (readonly OpenPgpPart[])[] {
  const keys: OpenPgpPart[][] = [];
  for (const { tag, body } of packets) {
    const parts = keys.at(-1);
    if (tag === Tags.secretKey || tag === Tags.secretSubkey) throw privateKey();
    if (tag === Tags.publicKey) keys.push([partOf(body)]);
    else if (tag === Tags.publicSubkey && parts !== undefined) parts.push(partOf(body));
    else if (tag === Tags.signature && parts !== undefined) revoke(parts, body);
  }
  if (keys.length === 0) throw malformed('there is no OpenPGP public key');
  if (keys.length > mostKeys) throw unsupported(`more than ${mostKeys} OpenPGP keys in one file are not supported`);
  return keys;
}

function partOf(body: Buffer): OpenPgpPart {
  const fingerprint = keyFingerprint(body);
  if (fingerprint === undefined) throw unsupported(`OpenPGP keys of version ${body[0] ?? 0} are not supported`);
  return { fingerprint, keyId: keyIdOf(fingerprint) };
}

/** A revocation stands behind the key or the subkey that it is about. */
function revoke(parts: OpenPgpPart[], body: Buffer): void {
  const type = body[0] === 3 ? body[2] : body[1];
  if (type !== Revocations.key && type !== Revocations.subkey) return;
  const at = type === Revocations.key ? 0 : parts.length - 1;
  const part = parts[at]!;
  const revoked = part.revoked === 'hard' || !isSoft(body) ? 'hard' : 'soft';
  parts[at] = { ...part, revoked };
}

/** RFC 9580 §5.2.3.31: replaced by another key, or no longer used. Everything else may mean that it was stolen. */
function isSoft(body: Buffer): boolean {
  try {
    const { subpackets } = parseSignaturePacket(body);
    const reasons = subpackets.filter(({ type, hashed }) => hashed && type === Subpackets.revocationReason);
    return reasons.length === 1 && (reasons[0]!.body[0] === 1 || reasons[0]!.body[0] === 3);
  } catch (error) {
    if (error instanceof VerifyError) return false;
    throw error;
  }
}

/** That this key made it over these bytes; gives when it expires, as it says. */
async function verifyMath(
  { bytes }: OpenPgpSignature,
  payload: Buffer,
  { key }: OpenPgpKey,
  part: OpenPgpPart,
): Promise<number> {
  const { config, createMessage, enums, readSignature, SignaturePacket } = await library();
  const { keyPacket, created } = makerOf(key, part);
  try {
    const [signature] = (await readSignature({ binarySignature: Uint8Array.from(bytes), config })).packets;
    const [literal] = (await createMessage({ binary: payload })).packets;
    if (!(signature instanceof SignaturePacket) || signature.created === null || literal === undefined) {
      throw unsupported('the OpenPGP signature is of a kind that is not supported');
    }
    // As of its own time, which is its maker's word: what it is worth is decided by the caller.
    await signature.verify(keyPacket, enums.signature.binary, literal, signature.created, true, config);
    if (created > signature.created) throw invalid('the OpenPGP signature says it is older than its key');
    return Number(signature.getExpirationTime());
  } catch (cause) {
    if (cause instanceof VerifyError) throw cause;
    const reason = reasonOf(cause);
    if (/critical|insecure|support/i.test(reason)) throw unsupported(`the OpenPGP signature is refused: ${reason}`);
    throw invalid(`the OpenPGP signature does not hold: ${reason}`, { cause });
  }
}

/** Whether the key may sign, now: bound to its primary key, for signing, both unexpired and strong enough. */
async function checkValid({ key }: OpenPgpKey, part: OpenPgpPart, now: number): Promise<void> {
  const { config } = await library();
  const { id } = makerOf(key, part);
  const faultAt = async (at: Date | null): Promise<string | undefined> => {
    try {
      const found = await key.getSigningKey(id, at, undefined, config);
      return isPart(found, part) ? undefined : 'another key has the same number';
    } catch (cause) {
      return reasonOf(cause);
    }
  };
  if ((await faultAt(new Date(now))) === undefined) return;
  // Without a time, expiry is left aside: what is still wrong is wrong at any time.
  const fault = await faultAt(null);
  if (fault === undefined) {
    throw unproved(
      `the OpenPGP key ${part.fingerprint} is not valid now, and nothing proves that it was when it signed`,
    );
  }
  throw unsupported(`the OpenPGP key ${part.fingerprint} does not count for signatures: ${fault}`);
}

function makerOf(key: PublicKey, part: OpenPgpPart): { keyPacket: AnyKeyPacket; created: Date; id: KeyID } {
  const found = key.getKeys().find((each) => isPart(each, part));
  if (found === undefined) throw unsupported(`the OpenPGP key ${part.fingerprint} is of a kind that is not supported`);
  return { keyPacket: found.keyPacket, created: found.getCreationTime(), id: found.getKeyID() };
}

function isPart(key: { getFingerprint(): string }, { fingerprint }: OpenPgpPart): boolean {
  return key.getFingerprint().toUpperCase() === fingerprint;
}

/** Wherever it is listed: one copy that says it was revoked is enough. */
function checkRevoked(keys: readonly OpenPgpKey[], key: OpenPgpKey, part: OpenPgpPart): void {
  const involved = [key.fingerprint, part.fingerprint];
  const revocations = keys
    .flatMap(({ parts }) => parts)
    .filter(({ fingerprint, revoked }) => revoked !== undefined && involved.includes(fingerprint));
  if (revocations.some(({ revoked }) => revoked === 'hard')) {
    throw invalid(`the OpenPGP key ${part.fingerprint} was revoked: its signatures count for nothing`);
  }
  if (revocations.length > 0) {
    throw unproved(
      `the OpenPGP key ${part.fingerprint} was replaced or retired, and nothing proves that it signed before`,
    );
  }
}

type Library = Pick<
  typeof import('openpgp'),
  'createMessage' | 'enums' | 'readKeys' | 'readSignature' | 'SignaturePacket'
> & { readonly config: Config };

let loaded: Promise<Library> | undefined;

/** Loaded by the first signature whose key is listed, or the first list of keys: it is larger than all the rest. */
function library(): Promise<Library> {
  loaded ??= import('openpgp').then((openpgp) => ({
    createMessage: openpgp.createMessage,
    enums: openpgp.enums,
    readKeys: openpgp.readKeys,
    readSignature: openpgp.readSignature,
    SignaturePacket: openpgp.SignaturePacket,
    // What decides is stated here and does not move with the defaults of a later version.
    config: {
      ...openpgp.config,
      minRSABits: 2047,
      knownNotations: [],
      rejectHashAlgorithms: new Set([openpgp.enums.hash.md5, openpgp.enums.hash.ripemd]),
      rejectMessageHashAlgorithms: new Set([
        openpgp.enums.hash.md5,
        openpgp.enums.hash.ripemd,
        openpgp.enums.hash.sha1,
      ]),
      rejectPublicKeyAlgorithms: new Set([openpgp.enums.publicKey.elgamal, openpgp.enums.publicKey.dsa]),
      allowMissingKeyFlags: false,
      ignoreMalformedPackets: false,
    },
  }));
  return loaded;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? quoted(cause.message, 200) : 'for no known reason';
}
