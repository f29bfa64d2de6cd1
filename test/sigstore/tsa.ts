/** Timestamps made on the spot: sound by default, and on request wrong in one way. */
import { createHash, sign } from 'node:crypto';
import type { HashName } from '../../src/sigstore/types.ts';
import type { Made } from '../kit/certificate.ts';
import {
  element,
  explicitly,
  generalizedTime,
  implicitly,
  integer,
  nothing,
  octets,
  oid,
  sequence,
} from '../kit/der.ts';

export interface TimestampShape {
  /** The certificate in whose name it is made, with its key. */
  readonly signer: Made;
  readonly signed: Buffer;
  /** `20250601120000Z` when absent. */
  readonly genTime?: string;
  readonly status?: number;
  /** The token alone, without a response around it. */
  readonly bare?: boolean;
  readonly hash?: HashName;
  /** Instead of the digest of `signed`. */
  readonly digest?: Buffer;
  readonly hashOid?: string;
  readonly version?: number;
  /** After genTime. */
  readonly optional?: readonly Buffer[];
  /** Embedded, DER. */
  readonly certificates?: readonly Buffer[];
  /** The [0] of certificates is left out. */
  readonly noCertificates?: boolean;
  readonly contentType?: string;
  readonly cmsVersion?: number;
  readonly signerVersion?: number;
  /** The signer by key id instead of by issuer and number. */
  readonly keyId?: Buffer;
  readonly serial?: Buffer;
  /** Instead of those that belong there. */
  readonly attributes?: (usual: readonly Buffer[]) => readonly Buffer[];
  readonly signingCertificate?: Buffer | null;
  readonly signatureAlgorithm?: Buffer;
  readonly signature?: Buffer;
  /** So many SignerInfos. */
  readonly signers?: number;
  readonly unsigned?: boolean;
}

const hashOids = {
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
};
export const tstInfo = '1.2.840.113549.1.9.16.1.4';
const signedData = '1.2.840.113549.1.7.2';

export function makeTimestamp(shape: TimestampShape): Buffer {
  const hash = shape.hash ?? 'sha256';
  const algorithm = sequence(oid(shape.hashOid ?? hashOids[hash]), nothing);
  const info = sequence(
    integer(shape.version ?? 1),
    oid('1.3.6.1.4.1.57264.2'),
    sequence(algorithm, octets(shape.digest ?? digest(hash, shape.signed))),
    integer(4711),
    generalizedTime(shape.genTime ?? '20250601120000Z'),
    ...(shape.optional ?? []),
  );
  const signers = Array.from({ length: shape.signers ?? 1 }, () => signerInfo(shape, info));
  const data = sequence(
    integer(shape.cmsVersion ?? 3),
    element(0x31, sequence(oid(hashOids.sha256))),
    sequence(oid(shape.contentType ?? tstInfo), explicitly(0, octets(info))),
    ...(shape.noCertificates === true ? [] : [explicitly(0, ...(shape.certificates ?? []))]),
    element(0x31, ...signers),
  );
  const token = sequence(oid(signedData), explicitly(0, data));
  return shape.bare === true ? token : sequence(sequence(integer(shape.status ?? 0)), token);
}

export function attribute(name: string, ...values: readonly Buffer[]): Buffer {
  return sequence(oid(name), element(0x31, ...values));
}

/** SigningCertificateV2 with SHA-256. */
export function signingCertificateV2(der: Buffer): Buffer {
  return attribute('1.2.840.113549.1.9.16.2.47', sequence(sequence(sequence(octets(digest('sha256', der))))));
}

function signerInfo(shape: TimestampShape, info: Buffer): Buffer {
  const { signer } = shape;
  const usual = [
    attribute('1.2.840.113549.1.9.3', oid(shape.contentType ?? tstInfo)),
    attribute('1.2.840.113549.1.9.4', octets(digest('sha256', info))),
    ...(shape.signingCertificate === null ? [] : [shape.signingCertificate ?? signingCertificateV2(signer.der)]),
  ];
  const attributes = Buffer.concat(shape.attributes === undefined ? usual : shape.attributes(usual));
  const signature = shape.signature ?? sign(...signing(signer, element(0x31, attributes)));
  const id =
    shape.keyId === undefined
      ? sequence(signer.certificate.issuer, integer(shape.serial ?? signer.certificate.serial))
      : implicitly(0, shape.keyId);
  return sequence(
    integer(shape.signerVersion ?? (shape.keyId === undefined ? 1 : 3)),
    id,
    sequence(oid(hashOids.sha256)),
    explicitly(0, attributes),
    shape.signatureAlgorithm ?? algorithmOf(signer),
    octets(signature),
    ...(shape.unsigned === true ? [explicitly(1, attribute('1.2.3', octets(Buffer.from('anything'))))] : []),
  );
}

function signing({ privateKey }: Made, data: Buffer): [string | null, Buffer, Made['privateKey']] {
  return [privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256', data, privateKey];
}

function algorithmOf({ privateKey }: Made): Buffer {
  if (privateKey.asymmetricKeyType === 'ed25519') return sequence(oid('1.3.101.112'));
  if (privateKey.asymmetricKeyType === 'rsa') return sequence(oid('1.2.840.113549.1.1.11'), nothing);
  return sequence(oid('1.2.840.10045.4.3.2'));
}

function digest(hash: string, data: Buffer): Buffer {
  return createHash(hash).update(data).digest();
}
