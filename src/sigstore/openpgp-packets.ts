/**
 * OpenPGP as far as it is read before any cryptography (RFC 9580): armour (§6), packet frames (§4.2) and what signature
 * packets say (§5.2).
 *
 *     -----BEGIN PGP SIGNATURE-----
 *     Comment: whatever                               headers, signed by nobody
 *                                                     an empty line
 *     iHUEABYKAB0WIQT…                                base64
 *     =DEWm                                           CRC-24, optional
 *     -----END PGP SIGNATURE-----
 *
 *     c2 5c | 04 version, 00 type, 01 key algorithm, 08 hash | hashed subpackets | others | 2 octets of hash | numbers
 *
 * Refused: text around the armour, base64 that is not canonical, a wrong checksum, lengths that are partial, open or beyond the
 * end, subpackets that overrun their area. Only hashed subpackets are signed; of the others the issuer is read, as a hint.
 */
import { hash as digest } from 'node:crypto';
import { quoted } from '../diag/index.ts';
import { malformed, VerifyError } from './failure.ts';

export interface Packet {
  readonly tag: number;
  readonly body: Buffer;
}

/** What a signature packet says of itself. */
export interface SignaturePacket {
  readonly version: number;
  readonly type: number;
  readonly keyAlgorithm: number;
  readonly hashAlgorithm: number;
  readonly subpackets: readonly Subpacket[];
}

export interface Subpacket {
  /** Without the critical bit. */
  readonly type: number;
  readonly hashed: boolean;
  readonly body: Buffer;
}

export const Tags = { signature: 2, secretKey: 5, publicKey: 6, secretSubkey: 7, publicSubkey: 14 } as const;

export const Subpackets = {
  creationTime: 2,
  issuer: 16,
  revocationReason: 29,
  embedded: 32,
  issuerFingerprint: 33,
} as const;

const mostCharacters = 1 << 24;

/** The bytes of all blocks, one after the other; every block has to have this label. Throws `malformed`. */
export function parseArmor(text: string, label: string): Buffer {
  if (text.length > mostCharacters) throw malformed(`OpenPGP: longer than ${mostCharacters} characters`);
  const [begin, end] = [`-----BEGIN PGP ${label}-----`, `-----END PGP ${label}-----`];
  const lines = text.split('\n').map((line) => line.trimEnd());
  const blocks: Buffer[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    if (line === '') continue;
    if (line !== begin) throw malformed(`OpenPGP: ${quoted(line, 60)} stands where ${quoted(begin)} is expected`);
    const last = lines.indexOf(end, at);
    if (last === -1) throw malformed(`OpenPGP: the ${label} does not end`);
    blocks.push(parseBlock(lines.slice(at + 1, last)));
    at = last;
  }
  if (blocks.length === 0) throw malformed(`OpenPGP: there is no ${label}`);
  return Buffer.concat(blocks);
}

/** All packets of a run of bytes. Throws `malformed` or `unsupported`. */
export function parsePackets(bytes: Buffer): readonly Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { tag, start, end } = readFrame(bytes, at);
    if (packets.length === mostPackets) throw malformed(`OpenPGP: more than ${mostPackets} packets`);
    packets.push({ tag, body: bytes.subarray(start, end) });
    at = end;
  }
  return packets;
}

/** Versions 4 and 6. Throws `malformed` or `unsupported`. */
export function parseSignaturePacket(body: Buffer): SignaturePacket {
  const [version = 0, type = 0, keyAlgorithm = 0, hashAlgorithm = 0] = body;
  if (version !== 4 && version !== 6) {
    throw new VerifyError('unsupported', `OpenPGP signatures of version ${version} are not supported`);
  }
  const width = version === 4 ? 2 : 4;
  const hashedArea = readArea(body, 4, width);
  const otherArea = readArea(body, 4 + width + hashedArea.length, width);
  const subpackets = [...readSubpackets(hashedArea, true), ...readSubpackets(otherArea, false)];
  return { version, type, keyAlgorithm, hashAlgorithm, subpackets };
}

/** Upper-case hex, as gpg prints it; undefined for versions of keys that are not supported. */
export function keyFingerprint(body: Buffer): string | undefined {
  const length = Buffer.alloc(body[0] === 4 ? 3 : 5);
  if (body[0] === 4 && body.length <= 0xffff) {
    length.writeUInt8(0x99, 0);
    length.writeUInt16BE(body.length, 1);
    return digest('sha1', Buffer.concat([length, body]), 'hex').toUpperCase();
  }
  if (body[0] !== 6) return undefined;
  length.writeUInt8(0x9b, 0);
  length.writeUInt32BE(body.length, 1);
  return digest('sha256', Buffer.concat([length, body]), 'hex').toUpperCase();
}

/** The end of a fingerprint of version 4, the beginning of a later one. */
export function keyIdOf(fingerprint: string): string {
  return fingerprint.length === 40 ? fingerprint.slice(-16) : fingerprint.slice(0, 16);
}

const mostPackets = 100_000;

function parseBlock(lines: readonly string[]): Buffer {
  const empty = lines.indexOf('');
  const headers = lines.slice(0, Math.max(empty, 0));
  if (!headers.every((line) => /^[A-Za-z][A-Za-z0-9-]{0,63}: ?/.test(line))) {
    throw malformed('OpenPGP: the headers of the armour do not end with an empty line');
  }
  const content = lines.slice(empty + 1);
  while (content.at(-1) === '') content.pop();
  const checksum = /^=[A-Za-z0-9+/]{4}$/.test(content.at(-1) ?? '') ? content.pop() : undefined;
  const base64 = content.join('');
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== base64) {
    throw malformed('OpenPGP: the content of the armour is not canonical base64');
  }
  if (checksum !== undefined && checksum.slice(1) !== crc24(bytes).toString('base64')) {
    throw malformed('OpenPGP: the checksum of the armour is wrong');
  }
  return bytes;
}

/** RFC 9580 §6.1.1. */
function crc24(bytes: Buffer): Buffer {
  let crc = 0xb704ce;
  for (const octet of bytes) {
    crc ^= octet << 16;
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x800000 ? 0x1864cfb : 0);
  }
  const written = Buffer.alloc(3);
  written.writeUIntBE(crc & 0xffffff, 0, 3);
  return written;
}

interface Frame {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

function readFrame(bytes: Buffer, at: number): Frame {
  const head = bytes[at]!;
  if ((head & 0x80) === 0) throw malformed('OpenPGP: a packet does not begin as one');
  const isNew = (head & 0x40) !== 0;
  const tag = isNew ? head & 0x3f : (head >> 2) & 0x0f;
  const { length, width } = isNew ? readLength(bytes, at + 1) : readOldLength(bytes, at + 1, head & 0x03);
  const start = at + 1 + width;
  if (length > bytes.length - start) throw malformed('OpenPGP: a packet is cut off');
  return { tag, start, end: start + length };
}

interface Length {
  readonly length: number;
  /** Octets that it is written in. */
  readonly width: number;
}

/** Of packets in the new format, and of subpackets but for what is partial. */
function readLength(bytes: Buffer, at: number, isSubpacket = false): Length {
  const first = octet(bytes, at);
  if (first < 192) return { length: first, width: 1 };
  if (first === 255) return { length: unsigned(bytes, at + 1, 4), width: 5 };
  if (first < 224 || isSubpacket) return { length: ((first - 192) << 8) + octet(bytes, at + 1) + 192, width: 2 };
  throw new VerifyError('unsupported', 'OpenPGP: packets of partial lengths are not supported');
}

function readOldLength(bytes: Buffer, at: number, type: number): Length {
  if (type === 3) throw new VerifyError('unsupported', 'OpenPGP: packets without a length are not supported');
  const width = 1 << type;
  return { length: unsigned(bytes, at, width), width };
}

function readArea(body: Buffer, at: number, width: number): Buffer {
  const length = unsigned(body, at, width);
  if (length > body.length - at - width) throw malformed('OpenPGP: a signature is cut off');
  return body.subarray(at + width, at + width + length);
}

function readSubpackets(area: Buffer, hashed: boolean): readonly Subpacket[] {
  const found: Subpacket[] = [];
  for (let at = 0; at < area.length; ) {
    const { length, width } = readLength(area, at, true);
    const start = at + width;
    if (length === 0 || length > area.length - start) throw malformed('OpenPGP: a subpacket of a signature is cut off');
    found.push({ type: area[start]! & 0x7f, hashed, body: area.subarray(start + 1, start + length) });
    at = start + length;
  }
  return found;
}

function octet(bytes: Buffer, at: number): number {
  return unsigned(bytes, at, 1);
}

function unsigned(bytes: Buffer, at: number, width: number): number {
  if (width > bytes.length - at) throw malformed('OpenPGP: a length is cut off');
  return bytes.readUIntBE(at, width);
}
