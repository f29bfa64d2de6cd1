/**
 * Proof that a transparency log holds an entry. Rekor gives two kinds of it:
 *
 *     promise (SET)   the log's signature over {"body":"<base64>","integratedTime":N,"logID":"<hex>","logIndex":N},
 *                     canonical JSON: it will hold the entry, and it saw it at that time
 *     proof           the way through the tree from the entry to a root hash, and a checkpoint in which the log signs
 *                     that root hash
 *
 * What comes along must hold, even where it is not required. The time is signed by the promise alone, so without a promise
 * it is nobody's. The index of the promise counts over all shards of Rekor v1, that of the proof within one tree: they
 * differ. Rekor v2 gives no promise and no time, and has one index.
 * https://github.com/sigstore/architecture-docs/blob/main/rekor-spec.md, RFC 8785
 */
import { type Note, parseNote, verifyNote, verifyNoteAhead } from './checkpoint.ts';
import { invalid, malformed, VerifyError } from './failure.ts';
import { verifyBytes, verifyBytesAhead } from './keys.ts';
import { hashLeaf, verifyInclusion } from './merkle.ts';
import type { InclusionProof, LogEntry, LogKey, ProvedTime, SignedEntity } from './types.ts';

export interface LoggedEntry {
  /** The log's base URL. */
  readonly by: string;
  /** The index that was proved: of the promise where there is one, else within the proof's tree. */
  readonly index: number;
  /** Only with a promise. */
  readonly time?: ProvedTime;
  readonly log: LogKey;
}

/**
 * The body is proved to be in the log; what it says is for entry-body.ts. Throws VerifyError: `untrusted` for a log that
 * is not listed, or not for that time; `unproved` when what `requires` names is not there; `malformed`; `invalid`.
 */
export function verifyLogEntry(
  entry: LogEntry,
  logs: readonly LogKey[],
  requires: SignedEntity['requires'],
): LoggedEntry {
  const log = findLog(entry, logs);
  const { promise, proof } = entry;
  const enough = { promise: promise, proof: proof, either: promise ?? proof }[requires];
  if (enough === undefined) {
    const what = requires === 'either' ? 'neither promise nor proof' : `no inclusion ${requires}`;
    throw new VerifyError('unproved', `the log entry comes with ${what}: only the log itself could tell`);
  }
  const seconds = promise === undefined ? undefined : verifyPromise(entry, promise, log);
  if (proof !== undefined) verifyProof(entry, proof, log, seconds !== undefined);
  const by = log.baseUrl;
  if (seconds !== undefined) {
    return { by, index: entry.logIndex, time: { at: seconds * 1000, source: 'log', by }, log };
  }
  const index = proof?.logIndex ?? entry.logIndex;
  if (!hasTime(entry) && index !== entry.logIndex) throw invalid('the log entry has two indexes');
  return { by, index, log };
}

/** What the log signed is checked on another thread (keys.ts): it decides nothing. May reject with VerifyError. */
export async function verifyLogEntryAhead(entry: LogEntry, logs: readonly LogKey[]): Promise<void> {
  const log = logs.find(({ logId }) => logId.equals(entry.logId));
  if (log === undefined) return;
  const { promise, proof } = entry;
  await Promise.all([
    promise === undefined ? undefined : verifyBytesAhead(log.key, promisedBytes(entry), promise),
    proof === undefined ? undefined : verifyNoteAhead(noteOf(proof), log),
  ]);
}

function findLog(entry: LogEntry, logs: readonly LogKey[]): LogKey {
  const known = logs.filter((log) => log.logId.equals(entry.logId));
  if (known.length === 0) {
    throw new VerifyError('untrusted', 'the log entry is of a log that the trusted root does not list', {
      got: entry.logId.toString('hex'),
    });
  }
  // An unsigned time (an entry without a promise) can only make us refuse here.
  const at = (entry.integratedTime ?? 0) * 1000;
  const log = hasTime(entry) ? known.find(({ validFor }) => isWithin(at, validFor)) : known[0];
  if (log === undefined) {
    throw new VerifyError(
      'untrusted',
      'the log entry is from a time for which the trusted root does not list its log',
      {
        got: String(entry.integratedTime),
      },
    );
  }
  return log;
}

function hasTime(entry: LogEntry): boolean {
  return entry.integratedTime !== undefined && entry.integratedTime !== 0;
}

function isWithin(at: number, { start, end }: LogKey['validFor']): boolean {
  return at >= start && (end === undefined || at <= end);
}

function verifyPromise(entry: LogEntry, promise: Buffer, log: LogKey): number {
  const seconds = entry.integratedTime ?? 0;
  // What is no whole number would be signed in another spelling than ours.
  const isWhole = Number.isInteger(seconds) && Number.isSafeInteger(seconds * 1000);
  if (!isWhole || seconds <= 0) throw malformed('the log entry has a promise and no time');
  if (!Number.isSafeInteger(entry.logIndex) || entry.logIndex < 0) throw malformed('the log entry has no index');
  if (!verifyBytes(log.key, promisedBytes(entry), promise)) {
    throw invalid("the log's promise (signed entry timestamp) does not hold for this entry");
  }
  return seconds;
}

/** What a promise is over, if the entry has time and index as it should. */
function promisedBytes({ body, logId, logIndex, integratedTime }: LogEntry): Buffer {
  const [bodyText, idText] = [body.toString('base64'), logId.toString('hex')];
  // Members in the order of RFC 8785, nothing in them needs an escape.
  const text = `{"body":"${bodyText}","integratedTime":${integratedTime},"logID":"${idText}","logIndex":${logIndex}}`;
  return Buffer.from(text, 'latin1');
}

function verifyProof(entry: LogEntry, proof: InclusionProof, log: LogKey, promised: boolean): void {
  const { logIndex: index, treeSize: size, hashes, rootHash } = proof;
  verifyInclusion({ leafHash: hashLeaf(entry.body), index, size, hashes, rootHash });
  const checkpoint = verifyNote(noteOf(proof), log, promised);
  if (checkpoint.size !== size || !checkpoint.rootHash.equals(rootHash)) {
    throw invalid('the checkpoint is about another tree than the inclusion proof');
  }
}

/** Parsed once for each proof, so that an answer for a signature in it is found again. */
function noteOf(proof: InclusionProof): Note {
  const known = notes.get(proof);
  if (known !== undefined) return known;
  const note = parseNote(proof.checkpoint);
  notes.set(proof, note);
  return note;
}

const notes = new WeakMap<InclusionProof, Note>();
