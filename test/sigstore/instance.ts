/** A private Sigstore instance for tests: an authority, a log, and signatures that are sound unless a test spoils them. */
import { createHash, sign } from 'node:crypto';
import { inTotoPayload, pae } from '../../src/sigstore/dsse.ts';
import type {
  Artifact,
  Authority,
  HashName,
  LogEntry,
  SignedContent,
  SignedEntity,
  TrustRoot,
} from '../../src/sigstore/types.ts';
import {
  type CertificateShape,
  codeSigning,
  type Keys,
  type Made,
  makeAuthority,
  makeCertificate,
} from '../kit/certificate.ts';
import { utf8 } from '../kit/der.ts';
import { signedAt, type TestLog, testLog } from './log.ts';

export const issuer = 'https://accounts.example';
export const who = 'https://ci.example/acme/release';
export const bytes = Buffer.from('what is signed\n');

export interface Instance {
  readonly root: TrustRoot;
  readonly log: TestLog;
  readonly authority: Authority;
  /** Issues certificates. */
  readonly intermediate: Made;
  /** A certificate for the signer. */
  leaf(shape?: CertificateShape): Made;
}

/** What Fulcio puts into a certificate, without its issuer. */
export const leafShape = {
  notBefore: signedAt - 60_000,
  notAfter: signedAt + 540_000,
  extendedKeyUsage: [codeSigning],
  uris: [who],
  extensions: [{ oid: '1.3.6.1.4.1.57264.1.8', value: utf8(issuer) }],
} satisfies CertificateShape;

export function makeInstance(name = 'test', changes: Partial<TrustRoot> = {}): Instance {
  const log = testLog();
  const { intermediate, authority } = makeAuthority();
  const root: TrustRoot = {
    name,
    digest: '00'.repeat(32),
    tlogs: [log.key],
    ctlogs: [],
    certificateAuthorities: [authority],
    timestampAuthorities: [],
    ...changes,
  };
  const leaf = (shape: CertificateShape = {}) => makeCertificate({ ...leafShape, issuer: intermediate, ...shape });
  return { root, log, authority, intermediate, leaf };
}

export function artifactOf(content: Buffer, ...algorithms: readonly string[]): Artifact {
  const names = algorithms.length === 0 ? ['sha256', 'sha512'] : algorithms;
  return { name: 'artifact', digests: new Map(names.map((each) => [each, digest(each, content)])), bytes: content };
}

/** The same, by its digests alone. */
export function digestsOnly(content: Buffer, ...algorithms: readonly string[]): Artifact {
  const { name, digests } = artifactOf(content, ...algorithms);
  return { name, digests };
}

export const statementAbout = (content: Buffer): object => ({
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'artifact', digest: { sha256: digest('sha256', content) } }],
  predicateType: 'https://example.com/predicate',
  predicate: {},
});

export function signStatement(keys: Keys, statement: unknown, payloadType = inTotoPayload): SignedContent {
  const payload = Buffer.from(JSON.stringify(statement));
  return { kind: 'dsse', payloadType, payload, signature: signWith(keys, pae(payloadType, payload)) };
}

export function signMessage(keys: Keys, content: Buffer, hash: HashName = 'sha256'): SignedContent {
  return { kind: 'message', signature: signWith(keys, content, hash) };
}

/** A signature by certificate, logged with promise and proof. */
export function certified(
  { log }: Instance,
  leaf: Made,
  content: SignedContent,
  changes: Partial<SignedEntity> = {},
): SignedEntity {
  return {
    format: 'bundle v0.3',
    content,
    material: { kind: 'certificate', leaf: leaf.der, chain: [] },
    entries: [logged(log, content, certificatePem(leaf.der))],
    timestamps: [],
    requires: 'proof',
    ...changes,
  };
}

/** A signature by a plain key, without anything. */
export function keyed(content: SignedContent, changes: Partial<SignedEntity> = {}): SignedEntity {
  return {
    format: 'bundle v0.3',
    content,
    material: { kind: 'key' },
    entries: [],
    timestamps: [],
    requires: 'proof',
    ...changes,
  };
}

/** An entry as Rekor v1 writes it. `pem` is the certificate or key that it names. */
export function logged(log: TestLog, content: SignedContent, pem: string, artifact = bytes): LogEntry {
  const kind = content.kind === 'dsse' ? 'dsse' : 'hashedrekord';
  const spec = content.kind === 'dsse' ? dsseSpec(content, pem) : hashedRekordSpec(content, pem, artifact);
  const body = Buffer.from(JSON.stringify({ apiVersion: '0.0.1', kind, spec }));
  return { ...log.entry(body), kind: { kind, version: '0.0.1' } };
}

function dsseSpec(content: SignedContent & { kind: 'dsse' }, pem: string): object {
  return {
    envelopeHash: { algorithm: 'sha256', value: '00'.repeat(32) },
    payloadHash: { algorithm: 'sha256', value: digest('sha256', content.payload) },
    signatures: [{ signature: content.signature.toString('base64'), verifier: Buffer.from(pem).toString('base64') }],
  };
}

function hashedRekordSpec(content: SignedContent, pem: string, artifact: Buffer): object {
  return {
    data: { hash: { algorithm: 'sha256', value: digest('sha256', artifact) } },
    signature: {
      content: content.signature.toString('base64'),
      publicKey: { content: Buffer.from(pem).toString('base64') },
    },
  };
}

function signWith({ privateKey }: Keys, data: Buffer, hash: HashName = 'sha256'): Buffer {
  return sign(privateKey.asymmetricKeyType === 'ed25519' ? null : hash, data, privateKey);
}

export function certificatePem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

export function keyPem({ publicKey }: Keys): string {
  return publicKey.export({ format: 'pem', type: 'spki' }).toString();
}

export function digest(algorithm: string, content: Buffer): string {
  return createHash(algorithm).update(content).digest('hex');
}
