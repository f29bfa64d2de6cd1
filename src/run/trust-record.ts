/**
 * What an update of a trusted root leaves in the cache folder: one file, so that its parts cannot come apart.
 *
 *     {"schema": "tidewaiter.trust-record/v1", "name": "public-good", "url": "https://tuf-repo-cdn.sigstore.dev",
 *      "updated": "2026-11-22T08:00:00.000Z", "tufRoot": 16, "digest": "6494…", "document": "{ … }",
 *      "metadata": {"roots": [], "timestamp": "{ … }", "snapshot": "{ … }", "targets": "{ … }"}}
 *
 * Whoever can write to the folder can write this file. So it is believed as far as the TUF root inside tidewaiter goes:
 * `document` must be the signed target, and `updated` must lie before the end of the signed timestamp, which is good for a
 * week. What is left to a forger is to put an older update back, or to remove it; the maximum age in policy answers both.
 */
import { hash } from 'node:crypto';
import { malformed } from '../sigstore/failure.ts';
import { isJsonObject, type Json, parseStrictJson } from '../sigstore/json.ts';
import { parseTrustRoot } from '../sigstore/trust-root.ts';
import { type ProvedTarget, proveTarget, type TufMetadata } from '../sigstore/tuf.ts';
import type { TrustRoot } from '../sigstore/types.ts';

export interface TrustRecord {
  readonly name: string;
  readonly url: string;
  /** Milliseconds. */
  readonly updated: number;
  /** Version of the newest TUF root, as the file says. */
  readonly tufRoot: number;
  /** Hex SHA-256 of `document`. */
  readonly digest: string;
  readonly document: string;
  readonly metadata: TufMetadata;
}

/** Of all targets, the one that is a trusted root. */
export const trustTarget = 'trusted_root.json';

/** The public instance needs 20 kB. */
export const maxRecordBytes = 8 * 1024 * 1024;

const schema = 'tidewaiter.trust-record/v1';

export function formatRecord(record: TrustRecord): string {
  return `${JSON.stringify({ schema, ...record, updated: new Date(record.updated).toISOString() }, undefined, 1)}\n`;
}

/** Nothing is proved yet. Throws VerifyError `malformed`. */
export function parseRecord(text: string): TrustRecord {
  const json = parseStrictJson(text, 'the record');
  if (!isJsonObject(json) || json['schema'] !== schema) throw malformed(`it is no ${schema}`);
  const { name, url, updated, tufRoot, digest, document, metadata } = json;
  const time =
    isText(updated) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(updated) ? Date.parse(updated) : Number.NaN;
  if (!isText(name) || !isText(url) || Number.isNaN(time) || typeof tufRoot !== 'number') throw incomplete();
  if (!isText(digest) || !isText(document)) throw incomplete();
  return { name, url, updated: time, tufRoot, digest, document, metadata: readMetadata(metadata) };
}

/** The trusted root in the record, proved from a TUF root that is trusted. Throws VerifyError. */
export function proveRecord(record: TrustRecord, tufRoot: string): { root: TrustRoot; proved: ProvedTarget } {
  const bytes = Buffer.from(record.document);
  if (hash('sha256', bytes) !== record.digest) throw malformed('its digest is not that of the trusted root in it');
  const proved = proveTarget(tufRoot, record.metadata, trustTarget, bytes);
  if (record.updated >= proved.expires) throw malformed('it claims to be newer than its signed metadata allows');
  return { root: parseTrustRoot(record.document, record.name), proved };
}

function readMetadata(json: Json | undefined): TufMetadata {
  const { roots, timestamp, snapshot, targets } = isJsonObject(json) ? json : {};
  if (!Array.isArray(roots) || !isText(timestamp) || !isText(snapshot) || !isText(targets)) throw incomplete();
  const texts: readonly Json[] = roots;
  if (!texts.every(isText)) throw incomplete();
  return { roots: texts, timestamp, snapshot, targets };
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string';
}

function incomplete() {
  return malformed('a part of it is missing');
}
