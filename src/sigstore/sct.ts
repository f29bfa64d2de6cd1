/**
 * Signed certificate timestamps: certificate transparency logs sign, before a certificate is issued, that they will show
 * it. The certificate carries them in an extension (1.3.6.1.4.1.11129.2.4.2), an OCTET STRING with a list:
 *
 *     00 78                                       length of all
 *     00 76                                       length of one
 *       00 <log id, 32> <time, 8> 00 00           version 1, SHA-256 of the log's key, milliseconds, extensions
 *       04 03 00 47 <signature>                   SHA-256, ECDSA (01: RSA), length
 *
 * What the log signed is the certificate without this extension, and the key of its issuer, so that nobody else's
 * certificate with the same content will do:
 *
 *     00 00 <time> 00 01 <SHA-256 of the issuer's key> <length, 3> <tbsCertificate> <extensions, with their length>
 *
 * Extensions are signed and may hold anything (static logs put the index there). One timestamp by a known log must hold;
 * those of unknown logs and versions are passed over, one of a known log that does not hold is a failure.
 * RFC 6962 §3.2 and §3.3
 */
import { hash } from 'node:crypto';
import { children, contextTag, type Der, explicit, octetString, oid, readDer, Tag } from './der.ts';
import { invalid, malformed, VerifyError } from './failure.ts';
import { verifyBytes, verifyBytesAhead } from './keys.ts';
import type { Certificate, KeyKind, LogKey } from './types.ts';

/**
 * `issuer` is the certificate that signed `leaf`, which the caller has checked. Throws VerifyError: `unproved` without
 * timestamps, `untrusted` when none is of a log that is listed for its time, `invalid`, `malformed`.
 */
export function verifyScts(leaf: Certificate, issuer: Certificate, ctlogs: readonly LogKey[]): void {
  for (const each of logged(leaf, issuer, ctlogs)) verifySct(each);
}

/** The timestamps are checked on another thread (keys.ts): it decides nothing. May reject with VerifyError. */
export async function verifySctsAhead(
  leaf: Certificate,
  issuer: Certificate,
  ctlogs: readonly LogKey[],
): Promise<void> {
  const all = logged(leaf, issuer, ctlogs);
  await Promise.all(all.map(({ sct, log, signed }) => verifyBytesAhead(log.key, signed, sct.signature, 'sha256')));
}

/** A timestamp by a log that is known for its time, and what it is over. */
interface Logged {
  readonly sct: Sct;
  readonly log: LogKey;
  readonly signed: Buffer;
}

/** Made once for each leaf, so that an answer for a signature in it is found again. */
function logged(leaf: Certificate, issuer: Certificate, ctlogs: readonly LogKey[]): readonly Logged[] {
  const known = made.get(leaf);
  if (known?.issuer === issuer && known.ctlogs === ctlogs) return known.all;
  const all = readLogged(leaf, issuer, ctlogs);
  made.set(leaf, { issuer, ctlogs, all });
  return all;
}

const made = new WeakMap<
  Certificate,
  { readonly issuer: Certificate; readonly ctlogs: readonly LogKey[]; readonly all: readonly Logged[] }
>();

function readLogged(leaf: Certificate, issuer: Certificate, ctlogs: readonly LogKey[]): readonly Logged[] {
  const extension = leaf.extensions.get(sctList);
  if (extension === undefined) {
    throw new VerifyError(
      'unproved',
      'the certificate has no certificate transparency timestamp: nothing shows that its issuance was logged',
    );
  }
  const timestamps = parseList(octetString(readDer(extension.value)));
  const known = timestamps.flatMap((sct) => {
    const log = ctlogs.find(({ logId, validFor }) => logId.equals(sct.logId) && isWithin(sct.time, validFor));
    return log === undefined ? [] : [{ sct, log }];
  });
  if (known.length === 0) {
    throw new VerifyError(
      'untrusted',
      'the issuance of the certificate was logged nowhere that the trusted root knows',
      {
        got: timestamps.map(({ logId }) => logId.toString('hex')).join(', '),
      },
    );
  }
  const issuerKeyHash = hash('sha256', issuer.spki, 'buffer');
  const precertificate = withoutList(leaf.tbs);
  return known.map(({ sct, log }) => ({ sct, log, signed: signedBytes(sct, issuerKeyHash, precertificate) }));
}

const sctList = '1.3.6.1.4.1.11129.2.4.2';

interface Sct {
  readonly logId: Buffer;
  /** Milliseconds. */
  readonly time: number;
  readonly timeBytes: Buffer;
  readonly extensions: Buffer;
  readonly hashAlgorithm: number;
  readonly signatureAlgorithm: number;
  readonly signature: Buffer;
}

function verifySct({ sct, log, signed }: Logged): void {
  // RFC 6962 §2.1.4: SHA-256, and what the log's key is for. The codes are not signed: others would mean the same bytes.
  if (sct.hashAlgorithm !== sha256Code || sct.signatureAlgorithm !== signatureCodes.get(log.key.kind)) {
    throw invalid('a certificate transparency timestamp has an algorithm that is not that of its log');
  }
  if (!verifyBytes(log.key, signed, sct.signature, 'sha256')) {
    throw invalid('a certificate transparency timestamp does not hold for this certificate');
  }
}

function signedBytes(sct: Sct, issuerKeyHash: Buffer, precertificate: Buffer): Buffer {
  return Buffer.concat([
    Buffer.of(version1, certificateTimestamp),
    sct.timeBytes,
    Buffer.of(0, precertificateEntry),
    issuerKeyHash,
    sized(precertificate, 3),
    sized(sct.extensions, 2),
  ]);
}

const version1 = 0;
const certificateTimestamp = 0;
const precertificateEntry = 1;
const sha256Code = 4;
const signatureCodes: ReadonlyMap<KeyKind, number> = new Map([
  ['rsa', 1],
  ['P-256', 3],
  ['P-384', 3],
  ['P-521', 3],
]);
const mostTimestamps = 16;

function parseList(bytes: Buffer): readonly Sct[] {
  const [list, end] = takeSized(bytes, 0);
  if (end !== bytes.length) throw cutOff();
  const found: Sct[] = [];
  let count = 0;
  for (let at = 0; at < list.length; ) {
    const [one, next] = takeSized(list, at);
    if (++count > mostTimestamps)
      throw malformed(`the certificate has more than ${mostTimestamps} transparency timestamps`);
    if (one[0] === version1) found.push(parseSct(one));
    at = next;
  }
  if (count === 0) throw malformed('the list of certificate transparency timestamps is empty');
  return found;
}

function parseSct(bytes: Buffer): Sct {
  const [logIdAt, timeAt, extensionsAt] = [1, 33, 41];
  if (bytes.length < extensionsAt) throw cutOff();
  const timeBytes = bytes.subarray(timeAt, extensionsAt);
  const [extensions, algorithmsAt] = takeSized(bytes, extensionsAt);
  const [hashAlgorithm, signatureAlgorithm] = [bytes[algorithmsAt], bytes[algorithmsAt + 1]];
  if (hashAlgorithm === undefined || signatureAlgorithm === undefined) throw cutOff();
  const [signature, end] = takeSized(bytes, algorithmsAt + 2);
  if (end !== bytes.length) throw cutOff();
  const logId = bytes.subarray(logIdAt, timeAt);
  // Beyond 2^53 it is rounded, and no log is listed for that time.
  const time = Number(timeBytes.readBigUInt64BE());
  return { logId, time, timeBytes, extensions, hashAlgorithm, signatureAlgorithm, signature };
}

/** What the two bytes before it say is its length, and where it ends. */
function takeSized(bytes: Buffer, at: number): readonly [Buffer, number] {
  if (bytes.length - at < 2) throw cutOff();
  const start = at + 2;
  const end = start + bytes.readUInt16BE(at);
  if (end > bytes.length) throw cutOff();
  return [bytes.subarray(start, end), end];
}

function cutOff(): VerifyError {
  return malformed('the list of certificate transparency timestamps does not end where it says');
}

/** The tbsCertificate as the log saw it. Only the lengths around the extension change. */
function withoutList(tbs: Buffer): Buffer {
  const parts = children(readDer(tbs)).map((part) => {
    if (part.tag !== contextTag(3)) return part.bytes;
    const kept = children(explicit(part, 3)).filter((extension) => oid(children(extension)[0]) !== sctList);
    // No extensions at all are not an empty list of them (RFC 5280 §4.1).
    return kept.length === 0 ? Buffer.alloc(0) : element(contextTag(3), [element(Tag.sequence, kept.map(bytesOf))]);
  });
  return element(Tag.sequence, parts);
}

function bytesOf({ bytes }: Der): Buffer {
  return bytes;
}

function element(tag: number, parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content]);
  const width = content.length < 0x100 ? 1 : content.length < 0x10000 ? 2 : 3;
  return Buffer.concat([Buffer.of(tag, 0x80 + width), sized(content, width)]);
}

/** Its length in so many bytes, and then itself. parseCertificate has capped it long before three bytes are too few. */
function sized(bytes: Buffer, width: number): Buffer {
  const length = Buffer.alloc(width);
  length.writeUIntBE(bytes.length, 0, width);
  return Buffer.concat([length, bytes]);
}

function isWithin(at: number, { start, end }: LogKey['validFor']): boolean {
  return at >= start && (end === undefined || at <= end);
}
