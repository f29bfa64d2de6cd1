/**
 * A checkpoint is what a transparency log signs about itself: its name, the number of its entries, the root of its tree.
 *
 *     rekor.sigstore.dev - 2605736670972794746          origin: the log's name, in Rekor v1 also the number of the tree
 *     23083062                                          entries
 *     dauhleYK4YyAdxwwDtR0l0KnSOWZdG2bwqHftlanvcI=      root hash, 32 bytes
 *     Timestamp: 1689177396617352539                    any number of other lines, none of them empty
 *
 *     — rekor.sigstore.dev wNI9ajBFAiBxaGyEtxkz…        key name, base64 of a key hint (4 bytes) and the signature
 *     — witness.example O8PH5AAAAABopO8+4O9uzScQ…       witnesses sign too, in any order; they are not asked here
 *
 * The text up to the empty line, with its last newline, is what is signed. Whoever holds some key that we know could sign a
 * checkpoint that names another log: so the line must carry this log's name and this log's key hint, both compared whole,
 * its signature must hold, and the origin must be the same name. A Rekor v1 of one's own names itself after the machine that it
 * runs on, which no trusted root can know: where the log has promised the very entry, its name may be any, the same in both
 * places, and the key alone says that it is this log. Refused: control characters, sizes with sign or leading
 * zeros, base64 in any but its canonical spelling, lines that are no signature lines after the empty line.
 * https://github.com/C2SP/C2SP/blob/main/signed-note.md and tlog-checkpoint.md
 */
import { hash } from 'node:crypto';
import { quoted } from '../diag/index.ts';
import { invalid, malformed } from './failure.ts';
import { verifyBytes, verifyBytesAhead } from './keys.ts';
import { decodeBase64 } from './protojson.ts';
import type { LogKey, PublicKey } from './types.ts';

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly rootHash: Buffer;
}

/** What the log says, with its signature checked. Throws VerifyError `malformed` or `invalid`. */
export function verifyCheckpoint(note: string, log: LogKey): Checkpoint {
  return verifyNote(parseNote(note), log);
}

/** As `verifyCheckpoint`. `promised`: the log's own promise of the entry holds, so that its name may be any. */
export function verifyNote(note: Note, log: LogKey, promised = false): Checkpoint {
  const { text, signed, signatures } = note;
  const checkpoint = parseText(text);
  const named = signaturesBy(log, note);
  const own = named.length === 0 && promised ? signaturesByKey(log, note) : named;
  const [first] = own;
  if (first === undefined) {
    throw invalid('the checkpoint has no signature of the log', {
      expected: namesOf(log).join(' or '),
      got: signatures.map(({ name }) => name).join(', '),
    });
  }
  if (!isOriginOf(checkpoint.origin, first.name)) {
    throw invalid('the checkpoint is of another log', { expected: first.name, got: checkpoint.origin });
  }
  if (!own.every(({ signature }) => verifyBytes(log.key, signed, signature))) {
    throw invalid("the log's signature of the checkpoint does not hold");
  }
  return checkpoint;
}

/** Its signatures by the log are checked on another thread (keys.ts): it decides nothing. */
export async function verifyNoteAhead(note: Note, log: LogKey): Promise<void> {
  await Promise.all(signaturesBy(log, note).map(({ signature }) => verifyBytesAhead(log.key, note.signed, signature)));
}

/** A note with signatures, none of them checked. */
export interface Note {
  readonly text: string;
  /** The bytes of the text. */
  readonly signed: Buffer;
  readonly signatures: readonly NoteSignature[];
}

interface NoteSignature {
  readonly name: string;
  readonly hint: Buffer;
  readonly signature: Buffer;
}

const maxNoteChars = 1 << 20;
const maxSignatures = 100;

/** Throws VerifyError `malformed`. */
export function parseNote(note: string): Note {
  if (note.length > maxNoteChars) throw malformed('the checkpoint is too long');
  if (!note.isWellFormed() || controls.test(note)) throw malformed('the checkpoint has characters that no note has');
  const end = note.lastIndexOf('\n\n');
  if (end === -1 || !note.endsWith('\n')) throw malformed('the checkpoint is no signed note');
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > maxSignatures) throw malformed(`the checkpoint has more than ${maxSignatures} signatures`);
  const text = note.slice(0, end + 1);
  return { text, signed: Buffer.from(text, 'utf8'), signatures: lines.map(parseSignatureLine) };
}

function signaturesBy(log: LogKey, { signatures }: Note): readonly NoteSignature[] {
  const names = namesOf(log);
  return signatures.filter(({ name, hint }) => names.includes(name) && isHintOf(hint, name, log));
}

/** Under any name, by the hint that Rekor v1 makes of the key alone. */
function signaturesByKey(log: LogKey, { signatures }: Note): readonly NoteSignature[] {
  const ownHint = log.key.fingerprint.slice(0, 2 * hintLength);
  return signatures.filter(({ hint }) => hint.toString('hex') === ownHint);
}

const controls = /[\u0000-\u0009\u000b-\u001f]/;
const signatureLine = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/;
const hintLength = 4;

function parseSignatureLine(line: string): NoteSignature {
  const [, name, base64] = signatureLine.exec(line) ?? [];
  if (name === undefined || base64 === undefined) {
    throw malformed(`the checkpoint has a line that is no signature: ${quoted(line, 80)}`);
  }
  const bytes = decodeBase64(base64, 'a signature of the checkpoint');
  if (bytes.length <= hintLength) throw malformed('a signature of the checkpoint is too short');
  return { name, hint: bytes.subarray(0, hintLength), signature: bytes.subarray(hintLength) };
}

function parseText(text: string): Checkpoint {
  const [origin, size, root, ...others] = text.slice(0, -1).split('\n');
  if (origin === undefined || origin === '') throw malformed('the checkpoint has no origin');
  const count = size !== undefined && /^(?:0|[1-9][0-9]{0,15})$/.test(size) ? Number(size) : Number.NaN;
  if (!Number.isSafeInteger(count)) throw malformed('the checkpoint has no size');
  const rootHash = decodeBase64(root ?? '', 'the root hash of the checkpoint');
  if (rootHash.length !== 32) throw malformed('the root hash of the checkpoint is not 32 bytes');
  if (others.includes('')) throw malformed('the checkpoint has an empty line');
  return { origin, size: count, rootHash };
}

/** Rekor v1 signs as its host, logs of the C2SP kind as host and path. All of it comes from the trusted root. */
function namesOf(log: LogKey): readonly string[] {
  const known = namesByLog.get(log);
  if (known !== undefined) return known;
  const { baseUrl } = log;
  const absolute = /^[a-z][a-z0-9+.-]*:\/\//i.test(baseUrl) ? baseUrl : `https://${baseUrl}`;
  const url = URL.parse(absolute);
  const all = url === null ? [] : [url.hostname, url.host, `${url.host}${url.pathname}`.replace(/\/$/, '')];
  const names = [...new Set(all)].filter((name) => name !== '');
  namesByLog.set(log, names);
  return names;
}

/** The same logs vouch for every signature. */
const namesByLog = new WeakMap<LogKey, readonly string[]>();

/** `NAME`, or in Rekor v1 `NAME - TREE`. A longer name that only begins like ours is another log's. */
function isOriginOf(origin: string, name: string): boolean {
  return origin === name || (origin.startsWith(`${name} - `) && /^[0-9]{1,20}$/.test(origin.slice(name.length + 3)));
}

/**
 * The hint only picks the key; the signature decides. Rekor v1, and ECDSA keys in general, use the hash of the key, which
 * is the log id too; Ed25519 keys of the C2SP kind hash name and key together, and a trusted root may list either as id.
 */
function isHintOf(hint: Buffer, name: string, log: LogKey): boolean {
  return (
    hint.equals(log.logId.subarray(0, hintLength)) ||
    hint.toString('hex') === log.key.fingerprint.slice(0, 2 * hintLength) ||
    (log.key.kind === 'ed25519' && hint.equals(noteKeyId(name, log.key)))
  );
}

const ed25519Type = 1;
const ed25519KeyLength = 32;

function noteKeyId(name: string, key: PublicKey): Buffer {
  const raw = key.spki.subarray(-ed25519KeyLength);
  const hashed = Buffer.concat([Buffer.from(`${name}\n`, 'utf8'), Buffer.of(ed25519Type), raw]);
  return hash('sha256', hashed, 'buffer').subarray(0, hintLength);
}
