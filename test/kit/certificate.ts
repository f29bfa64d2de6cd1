/** Certificates made on the spot: sound by default, and on request wrong in one way. */
import { constants, createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { parseCertificate } from '../../src/sigstore/certificate.ts';
import type { Authority, Certificate, HashName, TimeRange } from '../../src/sigstore/types.ts';
import {
  bits,
  bool,
  element,
  explicitly,
  implicitly,
  integer,
  nothing,
  octets,
  oid,
  sequence,
  setOf,
  time,
  utf8,
} from './der.ts';

export const codeSigning = '1.3.6.1.5.5.7.3.3';
export const timeStamping = '1.3.6.1.5.5.7.3.8';
export const year = 365 * 24 * 3600 * 1000;
/** A moment at which everything made by default is valid. */
export const noon = Date.UTC(2025, 5, 1, 12);

export interface Keys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A certificate with the key to sign by. */
export interface Made extends Keys {
  readonly der: Buffer;
  readonly certificate: Certificate;
}

export interface CertificateShape {
  /** Common name, or a whole DER name. */
  readonly subject?: string | Buffer;
  /** Signs it; self-signed when absent. */
  readonly issuer?: Made;
  /** P-256 when absent. */
  readonly keys?: Keys;
  readonly serial?: Buffer;
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** A certificate authority, with the key usage of one. */
  readonly ca?: boolean;
  readonly pathLength?: number;
  /** Bits of the key usage by number: 0 digitalSignature, 5 keyCertSign. `null`: no such extension. */
  readonly keyUsage?: readonly number[] | null;
  readonly extendedKeyUsage?: readonly string[];
  readonly extendedKeyUsageCritical?: boolean;
  readonly uris?: readonly string[];
  readonly emails?: readonly string[];
  /** DER GeneralNames, after the above. */
  readonly names?: readonly Buffer[];
  /** Without the key identifiers. */
  readonly keyIds?: boolean;
  /** After all others, in this order. */
  readonly extensions?: readonly ExtensionShape[];
  readonly hash?: HashName;
  readonly pss?: boolean;
  /** Lies. */
  readonly version?: number;
  readonly outerAlgorithm?: Buffer;
  readonly innerAlgorithm?: Buffer;
  readonly breakSignature?: boolean;
}

export interface ExtensionShape {
  readonly oid: string;
  readonly critical?: boolean;
  readonly value: Buffer;
}

/** Makes and parses it. */
export function makeCertificate(shape: CertificateShape = {}): Made {
  const made = makeDer(shape);
  return { ...made, certificate: parseCertificate(made.der) };
}

/** As `makeCertificate`, for what must not parse. */
export function makeDer(shape: CertificateShape = {}): Keys & { readonly der: Buffer } {
  const keys = shape.keys ?? makeKeys();
  const subject = typeof shape.subject === 'object' ? shape.subject : name(shape.subject ?? 'test');
  const signer = shape.issuer?.privateKey ?? keys.privateKey;
  const algorithm = algorithmOf(signer, shape);
  const extensions = listExtensions(shape, keys);
  const tbs = sequence(
    ...(shape.version === 1 ? [] : [explicitly(0, integer((shape.version ?? 3) - 1))]),
    integer(shape.serial ?? Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    shape.innerAlgorithm ?? algorithm.der,
    shape.issuer?.certificate.subject ?? subject,
    sequence(time(shape.notBefore ?? noon - year), time(shape.notAfter ?? noon + year)),
    subject,
    spkiOf(keys),
    ...(extensions.length === 0 ? [] : [explicitly(3, sequence(...extensions.map(extension)))]),
  );
  const signature = algorithm.sign(tbs);
  if (shape.breakSignature === true) signature[signature.length - 1]! ^= 1;
  return { ...keys, der: sequence(tbs, shape.outerAlgorithm ?? algorithm.der, bits(signature)) };
}

/** Root, intermediate and an authority of both, as a trusted root would list them. */
export function makeAuthority(shape: { readonly validFor?: TimeRange; readonly purpose?: string } = {}): {
  readonly root: Made;
  readonly intermediate: Made;
  readonly authority: Authority;
} {
  const root = makeCertificate({ subject: 'root', ca: true });
  const intermediate = makeCertificate({
    subject: 'intermediate',
    issuer: root,
    ca: true,
    pathLength: 0,
    extendedKeyUsage: [shape.purpose ?? codeSigning],
  });
  const validFor = shape.validFor ?? { start: noon - year };
  const chain = [intermediate.certificate, root.certificate];
  return { root, intermediate, authority: { uri: 'https://ca.example', chain, validFor } };
}

export function makeKeys(kind: 'P-256' | 'P-384' | 'P-521' | 'rsa' | 'ed25519' = 'P-256'): Keys {
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  return kind === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: kind });
}

/** A DER name of one common name. */
export function name(commonName: string): Buffer {
  return sequence(setOf(sequence(oid('2.5.4.3'), utf8(commonName))));
}

export function spkiOf(keys: Keys): Buffer {
  return keys.publicKey.export({ format: 'der', type: 'spki' });
}

/** The DER of one extension. */
export function extension({ oid: id, critical, value }: ExtensionShape): Buffer {
  return sequence(oid(id), ...(critical === true ? [bool(true)] : []), octets(value));
}

function listExtensions(shape: CertificateShape, keys: Keys): ExtensionShape[] {
  const found: ExtensionShape[] = [];
  const add = (id: string, value: Buffer, critical = false): void => void found.push({ oid: id, critical, value });
  const { ca = false, pathLength } = shape;
  if (ca) add('2.5.29.19', sequence(bool(true), ...(pathLength === undefined ? [] : [integer(pathLength)])), true);
  const usage = shape.keyUsage === undefined ? [ca ? 5 : 0] : shape.keyUsage;
  if (usage !== null) add('2.5.29.15', namedBits(usage), true);
  if (shape.extendedKeyUsage !== undefined) {
    add('2.5.29.37', sequence(...shape.extendedKeyUsage.map(oid)), shape.extendedKeyUsageCritical);
  }
  if (shape.keyIds !== false) {
    add('2.5.29.14', octets(keyId(spkiOf(keys))));
    if (shape.issuer !== undefined) add('2.5.29.35', sequence(implicitly(0, keyId(spkiOf(shape.issuer)))));
  }
  const names = [
    ...(shape.uris ?? []).map((uri) => implicitly(6, Buffer.from(uri))),
    ...(shape.emails ?? []).map((email) => implicitly(1, Buffer.from(email))),
    ...(shape.names ?? []),
  ];
  if (names.length > 0) add('2.5.29.17', sequence(...names), true);
  return [...found, ...(shape.extensions ?? [])];
}

function keyId(spki: Buffer): Buffer {
  return createHash('sha256').update(spki).digest().subarray(0, 20);
}

function namedBits(numbers: readonly number[]): Buffer {
  const last = Math.max(...numbers);
  const content = Buffer.alloc(Math.floor(last / 8) + 1);
  for (const number of numbers) content[Math.floor(number / 8)]! |= 0x80 >> (number % 8);
  return element(0x03, Buffer.from([7 - (last % 8)]), content);
}

interface Signing {
  readonly der: Buffer;
  sign(data: Buffer): Buffer;
}

const ecdsaHashes = { sha256: '1.2.840.10045.4.3.2', sha384: '1.2.840.10045.4.3.3', sha512: '1.2.840.10045.4.3.4' };
const rsaHashes = { sha256: '1.2.840.113549.1.1.11', sha384: '1.2.840.113549.1.1.12', sha512: '1.2.840.113549.1.1.13' };
const plainHashes = {
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
};

function algorithmOf(key: KeyObject, { hash = 'sha256', pss }: CertificateShape): Signing {
  if (key.asymmetricKeyType === 'ed25519') {
    return { der: sequence(oid('1.3.101.112')), sign: (data) => sign(null, data, key) };
  }
  if (key.asymmetricKeyType === 'ec') {
    return { der: sequence(oid(ecdsaHashes[hash])), sign: (data) => sign(hash, data, key) };
  }
  if (pss !== true) return { der: sequence(oid(rsaHashes[hash]), nothing), sign: (data) => sign(hash, data, key) };
  const saltLength = { sha256: 32, sha384: 48, sha512: 64 }[hash];
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return { der: pssAlgorithm(hash, saltLength), sign: (data) => sign(hash, data, { key, padding, saltLength }) };
}

/** RSASSA-PSS with MGF1 over the same hash. */
export function pssAlgorithm(hash: HashName, saltLength: number, maskHash: HashName = hash): Buffer {
  const hashAlgorithm = sequence(oid(plainHashes[hash]), nothing);
  const mask = sequence(oid('1.2.840.113549.1.1.8'), sequence(oid(plainHashes[maskHash]), nothing));
  const parameters = [explicitly(0, hashAlgorithm), explicitly(1, mask), explicitly(2, integer(saltLength))];
  return sequence(oid('1.2.840.113549.1.1.10'), sequence(...parameters));
}
