/**
 * Which key an OpenPGP signature says it is by (RFC 9580 §5.2), read without any key: of most signatures on a forge the key
 * is not listed, and then this is all that can be known.
 *
 * Refused: what openpgp.ts says, before anything is computed.
 */
import { malformed, VerifyError } from './failure.ts';
import {
  keyIdOf,
  parseArmor,
  parsePackets,
  parseSignaturePacket,
  type SignaturePacket,
  Subpackets,
  Tags,
} from './openpgp-packets.ts';

/** What a signature says of itself: nothing of it is proved. */
export interface OpenPgpSignature {
  readonly bytes: Buffer;
  readonly keyId: string;
  readonly fingerprint?: string;
}

/** Throws VerifyError `malformed` or `unsupported`. */
export function parseOpenPgpSignature(armored: string): OpenPgpSignature {
  if (armored.length > mostCharacters) {
    throw malformed(`the OpenPGP signature is longer than ${mostCharacters} characters`);
  }
  if (armored.startsWith('-----BEGIN PGP MESSAGE-----')) {
    throw unsupported('an OpenPGP message where a detached signature is expected is not supported');
  }
  const bytes = parseArmor(armored, 'SIGNATURE');
  const packets = parsePackets(bytes);
  const [packet] = packets;
  if (packet === undefined || packet.tag !== Tags.signature) throw malformed('this is no OpenPGP signature');
  // Of several, each reader could take another one for the signature.
  if (packets.length > 1) throw unsupported('more than one OpenPGP packet in a signature is not supported');
  const signature = parseSignaturePacket(packet.body);
  checkKind(signature);
  return { bytes, ...readIssuer(signature) };
}

const mostCharacters = 1 << 16;

/** RFC 9580 §9.5: those that nobody finds collisions for. */
const hashes: ReadonlyMap<number, boolean> = new Map([
  [1, false],
  [2, false],
  [3, false],
  [8, true],
  [9, true],
  [10, true],
  [11, true],
  [12, true],
  [14, true],
]);

/** RFC 9580 §9.1: RSA, ECDSA, EdDSA in the three ways that it is written. */
const keyAlgorithms: ReadonlySet<number> = new Set([1, 3, 19, 22, 27, 28]);

function checkKind({ type, hashAlgorithm, keyAlgorithm, subpackets }: SignaturePacket): void {
  if (type === 0x01) throw unsupported('an OpenPGP signature over text, whatever its line ends, is not supported');
  if (type !== 0x00) throw unsupported(`an OpenPGP signature of the type ${type} is not one over a file`);
  const strong = hashes.get(hashAlgorithm);
  if (strong !== true) {
    throw unsupported(
      strong === false
        ? 'an OpenPGP signature with MD5, SHA-1 or RIPEMD is too weak'
        : `the hash algorithm ${hashAlgorithm} of an OpenPGP signature is not supported`,
    );
  }
  if (!keyAlgorithms.has(keyAlgorithm)) {
    const name = keyAlgorithm === 17 ? ' (DSA)' : '';
    throw unsupported(`the key algorithm ${keyAlgorithm}${name} of an OpenPGP signature is not supported`);
  }
  // A signature inside of another one belongs to subkeys, and could hold the next one, without an end.
  if (subpackets.some(({ type: each }) => each === Subpackets.embedded)) {
    throw unsupported('a signature inside of an OpenPGP signature is not supported');
  }
  const times = subpackets.filter(({ type: each, hashed }) => hashed && each === Subpackets.creationTime);
  if (times.length !== 1 || times[0]!.body.length !== 4) {
    throw malformed('the OpenPGP signature does not say once when it was made');
  }
}

function readIssuer({ subpackets }: SignaturePacket): Pick<OpenPgpSignature, 'keyId' | 'fingerprint'> {
  const of = (wanted: number): readonly Buffer[] =>
    subpackets.filter(({ type }) => type === wanted).map(({ body }) => body);
  const fingerprints = of(Subpackets.issuerFingerprint).map((body) => {
    const length = body[0] === 4 ? 20 : 32;
    if ((body[0] !== 4 && body[0] !== 6) || body.length !== 1 + length) {
      throw unsupported('the OpenPGP signature names its key in a way that is not supported');
    }
    return body.toString('hex', 1).toUpperCase();
  });
  const ids = of(Subpackets.issuer).map((body) => {
    if (body.length !== 8) throw malformed('the OpenPGP signature names a key id of a wrong length');
    return body.toString('hex').toUpperCase();
  });
  const [keyId, ...more] = new Set([...fingerprints.map(keyIdOf), ...ids]);
  if (keyId === undefined)
    throw unsupported('an OpenPGP signature that does not say which key made it is not supported');
  if (more.length > 0 || new Set(fingerprints).size > 1) throw malformed('the OpenPGP signature names two keys');
  const [fingerprint] = fingerprints;
  return { keyId, ...(fingerprint !== undefined && { fingerprint }) };
}

function unsupported(message: string): VerifyError {
  return new VerifyError('unsupported', message);
}
