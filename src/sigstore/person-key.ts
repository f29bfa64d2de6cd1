/**
 * A person's key as a policy names it: a file that holds
 *
 *     -----BEGIN PUBLIC KEY-----                     a public key, PEM or DER
 *     ssh-ed25519 AAAAC3Nz… laptop                   OpenSSH public keys, one a line, security keys too
 *     alice@acme.example namespaces="git" ssh-…      allowed signers (allowed-signers.ts)
 *     -----BEGIN PGP PUBLIC KEY BLOCK-----           OpenPGP public keys (openpgp.ts), or their bytes
 *
 * A file of allowed signers may be everybody's: lines count for a person whose e-mail is among the principals. Where the policy
 * states no e-mail, all lines must have the same principals, since nothing says which of them are this person's. What
 * restricts a key in such a line is kept with it, and judged where it is used (`restrictionOf`).
 */
import { isUtf8 } from 'node:buffer';
import { quoted } from '../diag/index.ts';
import { type AllowedSigner, matchesPatterns, parseAllowedSigners } from './allowed-signers.ts';
import { malformed, VerifyError } from './failure.ts';
import { parsePublicKey, publicKeyFromSpki } from './keys.ts';
import { type OpenPgpKey, parseOpenPgpKeys } from './openpgp.ts';
import { isSshKeyType, parseSshKeyLine, type SshKey } from './ssh-key.ts';
import type { PublicKey } from './types.ts';

export type PersonKey =
  | SshPersonKey
  | { readonly kind: 'key'; readonly publicKey: PublicKey }
  | { readonly kind: 'openpgp'; readonly key: OpenPgpKey };

export interface SshPersonKey {
  readonly kind: 'ssh';
  /** `SHA256:…` */
  readonly fingerprint: string;
  readonly blob: Buffer;
  readonly securityKey: boolean;
  /** Absent for a security key, which signs nothing but SSH signatures. */
  readonly publicKey?: PublicKey;
  /** Milliseconds. */
  readonly validAfter?: number;
  readonly validBefore?: number;
  /** Patterns, separated by commas. */
  readonly namespaces?: string;
}

const mostBytes = 1 << 24;

/**
 * The keys in a file of a policy, at least one. `name` is the file's, for messages; `emails` are the person's. Throws
 * VerifyError `malformed` or `unsupported`.
 */
export async function parsePersonKey(
  bytes: Buffer,
  name: string,
  emails: readonly string[] = [],
): Promise<readonly PersonKey[]> {
  if (bytes.length > mostBytes) throw malformed(`${quoted(name)} is larger than ${mostBytes} bytes`);
  const first = bytes[0] ?? 0;
  // OpenPGP packets begin with the highest bit set, and text in UTF-8 with none but a byte order mark (EF).
  if (first >= 0x80 && first !== 0xef) return openPgpKeys(bytes);
  // Every key in DER has the tag of a number or of an object identifier, and no text has such octets.
  if (first === 0x30 && bytes.some((octet) => octet < 0x09)) return [{ kind: 'key', publicKey: parsePublicKey(bytes) }];
  if (!isUtf8(bytes)) throw malformed(`${quoted(name)} is neither text nor a key in DER or OpenPGP`);
  const whole = bytes.toString('utf8').replace(/^\ufeff/, '');
  const text = whole.trim();
  if (text.startsWith('-----BEGIN PGP ')) return openPgpKeys(text);
  if (text.startsWith('---- BEGIN SSH2')) {
    throw new VerifyError(
      'unsupported',
      'an SSH key in the format of RFC 4716: "ssh-keygen -i -f FILE" writes it as a line',
    );
  }
  if (text.startsWith('-----BEGIN ')) return [{ kind: 'key', publicKey: parsePublicKey(text) }];
  return parseLines(whole, name, emails);
}

/**
 * Why a key does not count for a use at a time that is proved to be no earlier than the signature (milliseconds: the moment of
 * judging); undefined where it does. A commit's own date is its author's word and proves nothing.
 */
export function restrictionOf(
  key: SshPersonKey,
  namespace: string,
  now: number,
): { readonly code: 'wrong-identity' | 'unproved'; readonly why: string } | undefined {
  if (key.namespaces !== undefined && !matchesPatterns(key.namespaces, namespace)) {
    return {
      code: 'wrong-identity',
      why: `the key may not sign for ${quoted(namespace)}, only for ${quoted(key.namespaces)}`,
    };
  }
  if (key.validAfter !== undefined) {
    return { code: 'unproved', why: 'the key is valid only after a time, and nothing proves when it signed' };
  }
  // What is there before the end of the key's time was signed before it; behind it, nothing proves when.
  if (key.validBefore !== undefined && now >= key.validBefore) {
    return {
      code: 'unproved',
      why: 'the key was valid only before a time that has passed, and nothing proves when it signed',
    };
  }
  return undefined;
}

async function openPgpKeys(armoredOrBytes: string | Buffer): Promise<readonly PersonKey[]> {
  return (await parseOpenPgpKeys(armoredOrBytes)).map((key) => ({ kind: 'openpgp', key }));
}

function parseLines(text: string, name: string, emails: readonly string[]): readonly PersonKey[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length === 0) throw malformed(`there is no key in ${quoted(name)}`);
  const isKey = (line: string): boolean => isSshKeyType(/^[^ \t]*/.exec(line)![0]);
  if (lines.every(isKey)) return lines.map((line) => sshPersonKey(parseSshKeyLine(line)));
  if (lines.some(isKey)) throw malformed(`${quoted(name)} mixes SSH keys and allowed signers`);
  return signersOf(parseAllowedSigners(text), name, emails).map(personKeyOf);
}

function signersOf(
  signers: readonly AllowedSigner[],
  name: string,
  emails: readonly string[],
): readonly AllowedSigner[] {
  if (emails.length === 0) {
    if (new Set(signers.map(({ principals }) => principals)).size === 1) return signers;
    throw malformed(`${quoted(name)} has signers of several names: state the person's emails to say which are theirs`);
  }
  const found = signers.filter(({ principals }) => emails.some((email) => matchesPatterns(principals, email)));
  if (found.length === 0) throw malformed(`${quoted(name)} has no signer of the name ${quoted(emails.join(', '))}`);
  return found;
}

function personKeyOf(signer: AllowedSigner): PersonKey {
  const { line, certAuthority, validAfter, validBefore, namespaces } = signer;
  if (certAuthority) {
    throw new VerifyError('unsupported', `line ${line} of the allowed signers: certificates of SSH are not supported`);
  }
  return {
    ...sshPersonKey(parseSshKeyLine(signer.keyText)),
    ...(validAfter !== undefined && { validAfter }),
    ...(validBefore !== undefined && { validBefore }),
    ...(namespaces !== undefined && { namespaces }),
  };
}

function sshPersonKey({ fingerprint, blob, application, spki }: SshKey): SshPersonKey {
  // Read for a security key as well: a key that is too weak is refused where it is listed, not where it first signs.
  const publicKey = publicKeyFromSpki(spki);
  const securityKey = application !== undefined;
  return { kind: 'ssh', fingerprint, blob, securityKey, ...(!securityKey && { publicKey }) };
}
