/**
 * The one place that talks TUF: the client workflow of the specification, by tuf-js, with what it downloads bounded in
 * bytes and time by us. Nothing is kept here: the caller gets documents, proves them once more and writes them.
 * https://theupdateframework.github.io/specification/v1.0.33/#detailed-client-workflow
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Fetcher } from 'tuf-js';
import { OperationalError, quoted } from '../diag/index.ts';
import { makeFolder } from './make-folder.ts';

/** Documents as they were received. `roots` is every root after the one that is trusted already, in order. */
export interface TufFiles {
  readonly roots: readonly string[];
  readonly timestamp: string;
  readonly snapshot: string;
  readonly targets: string;
}

export interface TufRequest {
  readonly url: string;
  /** The TUF root that is trusted. */
  readonly root: string;
  /** What an earlier update brought, already proved: what is older than this is refused. */
  readonly known?: TufFiles;
  readonly target: string;
  /** A folder to work in; it is made, and left as it was. */
  readonly folder: string;
  /** For each download. */
  readonly timeoutSeconds: number;
  readonly userAgent: string;
}

export interface TufAnswer extends TufFiles {
  readonly document: Buffer;
}

/**
 * The newest metadata and the target. Throws OperationalError: `io` (no network, no answer in time), `limit` (too much
 * data), `digest-mismatch`, `malformed` (expired, not signed, older than what is known), `not-found` (no such target).
 */
export async function fetchTuf(request: TufRequest): Promise<TufAnswer> {
  const { Updater } = await import('tuf-js');
  const { DownloadHTTPError } = await import('tuf-js/dist/error.js');
  const work = makeWorkFolder(request);
  const downloads = boundedDownloads(request, work, DownloadHTTPError);
  try {
    const updater = new Updater({
      metadataDir: work,
      metadataBaseUrl: request.url,
      targetBaseUrl: `${request.url.replace(/\/+$/, '')}/targets`,
      fetcher: downloads.fetcher,
    });
    await updater.refresh();
    const target = await updater.getTargetInfo(request.target);
    if (target === undefined) {
      throw new OperationalError('not-found', `${quoted(request.url)} has no target ${quoted(request.target)}`);
    }
    const file = await updater.downloadTarget(target, path.join(work, 'target'));
    const read = (role: string) => readFileSync(path.join(work, `${role}.json`), 'utf8');
    return {
      roots: downloads.roots(),
      timestamp: read('timestamp'),
      snapshot: read('snapshot'),
      targets: read('targets'),
      document: readFileSync(file),
    };
  } catch (error) {
    throw downloads.failure() ?? explained(error, request.url, downloads.lastOf);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function makeWorkFolder({ folder, root, known }: TufRequest): string {
  try {
    makeFolder(folder);
    const work = mkdtempSync(path.join(folder, '.update-'));
    const { roots: _, ...rest } = known ?? {};
    for (const [role, text] of Object.entries({ root, ...rest })) writeFileSync(path.join(work, `${role}.json`), text);
    return work;
  } catch (cause) {
    const hints = ['choose another folder with TIDEWAITER_CACHE_DIR'];
    throw new OperationalError('io', `cannot write to ${quoted(folder)}`, { cause, hints });
  }
}

/** More than any repository in the field has; tuf-js allows whatever length the metadata states. */
const maxBytes = 4 * 1024 * 1024;

interface Downloads {
  readonly fetcher: Fetcher;
  /** The roots that were asked for and came, in order. */
  roots(): readonly string[];
  /** Why the last download failed, if it did. */
  failure(): OperationalError | undefined;
  /** The last document of that role, whatever it was worth. */
  readonly lastOf: (role: string) => string | undefined;
}

type HttpError = new (message: string, status: number) => Error;

function boundedDownloads(request: TufRequest, work: string, DownloadHTTPError: HttpError): Downloads {
  const known = new Map((request.known?.roots ?? []).map((text) => [versionOf(text), text]));
  const roots: string[] = [];
  const last = new Map([['root', request.root]]);
  let failure: OperationalError | undefined;
  const downloadBytes = async (url: string, maxLength: number): Promise<Buffer> => {
    failure = undefined;
    const [, version, role = ''] = /\/(?:(\d+)\.)?([a-z]+)\.json$/.exec(url) ?? [];
    const kept = role === 'root' ? known.get(Number(version)) : undefined;
    const answer = kept === undefined ? await attempt(url, maxLength) : Buffer.from(kept);
    if (typeof answer === 'number') {
      failure = new OperationalError('io', `${quoted(url)} answered with status ${answer}`);
      // Where the next root is missing, this is how tuf-js learns that it has the newest.
      throw new DownloadHTTPError('no such file', answer);
    }
    last.set(role, answer.toString());
    if (role === 'root') roots.push(answer.toString());
    return answer;
  };
  const attempt = (url: string, maxLength: number) =>
    download(url, Math.min(maxLength, maxBytes), request).catch((error: unknown) => {
      if (error instanceof OperationalError) failure = error;
      throw error;
    });
  return {
    fetcher: {
      downloadBytes,
      downloadFile: async (url, maxLength, handler) => {
        const file = path.join(work, 'download');
        writeFileSync(file, await downloadBytes(url, maxLength));
        return handler(file);
      },
    },
    roots: () => roots,
    failure: () => failure,
    lastOf: (role) => last.get(role),
  };
}

/** The body, or the status of an answer that has none for us. */
async function download(url: string, max: number, request: TufRequest): Promise<Buffer | number> {
  // Covers the body as well: a server that sends a byte a minute is as bad as one that is silent.
  const signal = AbortSignal.timeout(request.timeoutSeconds * 1000);
  try {
    const response = await fetch(url, { signal, headers: { 'user-agent': request.userAgent } });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      return response.status;
    }
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of response.body) {
      length += piece.length;
      // Leaving the loop cancels the rest.
      if (length > max) throw new OperationalError('limit', `${quoted(url)} sends more than ${max} bytes`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces, length);
  } catch (error) {
    if (error instanceof OperationalError) throw error;
    const why = signal.aborted ? `did not answer within ${request.timeoutSeconds} s` : reasonOf(error);
    throw new OperationalError('io', `${quoted(url)} ${why}`, { cause: error });
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'cannot be reached: there is no such host, or no network',
  EAI_AGAIN: 'cannot be reached: the name service does not answer, or there is no network',
  ECONNREFUSED: 'cannot be reached: the connection was refused',
  ECONNRESET: 'cannot be read: the connection was cut',
  ENETUNREACH: 'cannot be reached: there is no network',
  EHOSTUNREACH: 'cannot be reached: there is no route to the host',
  UND_ERR_SOCKET: 'cannot be read: the connection was cut',
  UND_ERR_CONNECT_TIMEOUT: 'cannot be reached: the connection took too long',
};

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  return reasons[code] ?? `cannot be read: ${code === '' ? String(error) : code}`;
}

/** What tuf-js has against the repository, in words that say what it means. It tells causes apart by text only. */
function explained(error: unknown, url: string, lastOf: (role: string) => string | undefined): OperationalError {
  if (error instanceof OperationalError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const said = (code: 'malformed' | 'digest-mismatch', what: string) =>
    new OperationalError(code, `${quoted(url)} is not believed: ${what}`, { cause: error });
  if (/^Failed to persist/.test(text)) {
    return new OperationalError('io', 'cannot write what was downloaded', { cause: error });
  }
  const expired = /(root|timestamp|snapshot|targets)\.json is expired/.exec(text)?.[1];
  if (expired !== undefined) return said('malformed', `its TUF ${expired} expired${on(lastOf(expired))}`);
  const unsigned = /(\w+) was signed by (\d+)\/(\d+) keys/.exec(text);
  if (unsigned !== null) {
    const [, role, has, needs] = unsigned;
    return said('malformed', `its TUF ${role} is signed by ${has} of the ${needs} keys that it needs`);
  }
  const older = /New (?:timestamp |snapshot )?version (\d+).* is less than current version (\d+)/.exec(text);
  if (older !== null) {
    return said('malformed', `it offers version ${older[1]} where version ${older[2]} was seen before (a rollback)`);
  }
  if (/Expected (?:hash|length)/.test(text)) return said('digest-mismatch', 'a file is not the one that was signed');
  return said('malformed', `its TUF metadata is not in order (${text.slice(0, 300)})`);
}

function on(text: string | undefined): string {
  const expires = /"expires"\s*:\s*"([0-9T:.Z-]{10,40})"/.exec(text ?? '')?.[1];
  return expires === undefined ? '' : ` on ${expires}`;
}

function versionOf(text: string): number {
  const json: unknown = JSON.parse(text);
  const signed = typeof json === 'object' && json !== null && 'signed' in json ? json.signed : undefined;
  return typeof signed === 'object' && signed !== null && 'version' in signed ? Number(signed.version) : Number.NaN;
}
