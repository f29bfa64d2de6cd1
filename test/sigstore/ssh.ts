/** SSH keys and signatures made by hand, security keys in software among them, so that each part can be a lie. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { sshString } from '../../src/sigstore/ssh-wire.ts';

export const plainTypes = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
] as const;
export const securityTypes = ['sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'] as const;

export type SshType = (typeof plainTypes)[number] | (typeof securityTypes)[number];

export interface TestKey {
  readonly type: SshType;
  readonly blob: Buffer;
  /** `type base64 comment` */
  readonly line: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface Shape {
  readonly magic?: string;
  readonly version?: number;
  readonly namespace?: string;
  readonly reserved?: string;
  readonly hash?: string;
  /** Name of the algorithm of the signature. */
  readonly algorithm?: string;
  /** Of a security key. */
  readonly flags?: number;
  readonly counter?: number;
  readonly application?: string;
  /** In place of the key that made it. */
  readonly blob?: Buffer;
  /** Behind the numbers of the signature, and behind everything. */
  readonly extra?: Buffer;
  readonly tail?: Buffer;
}

const application = 'ssh:';

export function makeSshKey(type: SshType, modulusLength = 2048): TestKey {
  const { publicKey, privateKey } = generate(type, modulusLength);
  const blob = Buffer.concat([sshString(type), publicPart(type, publicKey)]);
  return { type, blob, line: `${type} ${blob.toString('base64')} test`, privateKey, publicKey };
}

/** Raw SSHSIG. */
export function signSshBlob(key: TestKey, message: Buffer, shape: Shape = {}): Buffer {
  const { namespace = 'git', hash = 'sha512', reserved = '' } = shape;
  const name = hash === 'sha256' ? 'sha256' : 'sha512';
  const digest = createHash(name).update(message).digest();
  const signed = Buffer.concat([
    Buffer.from('SSHSIG'),
    sshString(namespace),
    sshString(reserved),
    sshString(hash),
    sshString(digest),
  ]);
  const version = Buffer.alloc(4);
  version.writeUInt32BE(shape.version ?? 1);
  return Buffer.concat([
    Buffer.from(shape.magic ?? 'SSHSIG'),
    version,
    sshString(shape.blob ?? key.blob),
    sshString(namespace),
    sshString(reserved),
    sshString(hash),
    sshString(Buffer.concat([value(key, signed, shape), shape.extra ?? Buffer.alloc(0)])),
    shape.tail ?? Buffer.alloc(0),
  ]);
}

export function armorSsh(blob: Buffer, width = 70): string {
  const lines = blob.toString('base64').match(new RegExp(`.{1,${width}}`, 'g')) ?? [];
  return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n');
}

export function signSsh(key: TestKey, message: Buffer, shape: Shape = {}): string {
  return armorSsh(signSshBlob(key, message, shape));
}

function generate(type: SshType, modulusLength: number): { publicKey: KeyObject; privateKey: KeyObject } {
  if (type.includes('ed25519')) return generateKeyPairSync('ed25519');
  if (type === 'ssh-rsa') return generateKeyPairSync('rsa', { modulusLength });
  return generateKeyPairSync('ec', { namedCurve: curveOf(type).replace('nistp', 'P-') });
}

function curveOf(type: SshType): string {
  return /nistp[0-9]+/.exec(type)![0];
}

export function mpint(octets: Buffer): Buffer {
  let start = 0;
  while (start < octets.length - 1 && octets[start] === 0) start++;
  const short = octets.subarray(start);
  return sshString(short[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), short]) : short);
}

function publicPart(type: SshType, key: KeyObject): Buffer {
  const jwk = key.export({ format: 'jwk' });
  const part = (name: 'x' | 'y' | 'e' | 'n'): Buffer => Buffer.from(jwk[name]!, 'base64url');
  if (type === 'ssh-rsa') return Buffer.concat([mpint(part('e')), mpint(part('n'))]);
  const tail = type.startsWith('sk-') ? sshString(application) : Buffer.alloc(0);
  if (type.includes('ed25519')) return Buffer.concat([sshString(part('x')), tail]);
  const point = Buffer.concat([Buffer.from([4]), part('x'), part('y')]);
  return Buffer.concat([sshString(curveOf(type)), sshString(point), tail]);
}

const hashes: Readonly<Record<string, string>> = {
  'ecdsa-sha2-nistp256': 'sha256',
  'ecdsa-sha2-nistp384': 'sha384',
  'ecdsa-sha2-nistp521': 'sha512',
  'sk-ecdsa-sha2-nistp256@openssh.com': 'sha256',
  'rsa-sha2-256': 'sha256',
  'rsa-sha2-512': 'sha512',
  'ssh-rsa': 'sha1',
};

function value(key: TestKey, signed: Buffer, shape: Shape): Buffer {
  const algorithm = shape.algorithm ?? (key.type === 'ssh-rsa' ? 'rsa-sha2-512' : key.type);
  const hash = hashes[key.type === 'ssh-rsa' ? algorithm : key.type] ?? null;
  if (!key.type.startsWith('sk-')) {
    return Buffer.concat([sshString(algorithm), sshString(numbers(key, hash, signed))]);
  }
  const between = Buffer.alloc(5);
  between.writeUInt8(shape.flags ?? 1, 0);
  between.writeUInt32BE(shape.counter ?? 7, 1);
  const sha256 = (bytes: Buffer | string): Buffer => createHash('sha256').update(bytes).digest();
  const data = Buffer.concat([sha256(shape.application ?? application), between, sha256(signed)]);
  return Buffer.concat([sshString(algorithm), sshString(numbers(key, hash, data)), between]);
}

function numbers(key: TestKey, hash: string | null, data: Buffer): Buffer {
  if (!key.type.includes('ecdsa')) return sign(hash, data, key.privateKey);
  const fixed = sign(hash, data, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return Buffer.concat([mpint(fixed.subarray(0, fixed.length / 2)), mpint(fixed.subarray(fixed.length / 2))]);
}
