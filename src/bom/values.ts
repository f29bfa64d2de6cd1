/**
 * Untrusted values made fit for the fields of the documents that we write. What does not fit a field with a syntax of its own
 * (URL, CPE, digest) is refused here, and the caller keeps it as text: never lost, never invalid.
 */
import type { Hash } from '../catalog/types.ts';
import { printable } from '../diag/index.ts';
import { formatPurl } from '../purl/index.ts';
import type { SubjectInfo } from './types.ts';

/** Text that can be written as UTF-8: lone surrogates, among them raw path bytes, become `\x…` or `\u{…}`. */
export function text(value: string): string {
  return value.isWellFormed() ? value : value.replace(/\p{Surrogate}/gu, printable);
}

/** Text, or nothing when there is none worth a field. */
export function filled(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : text(value);
}

// In a document that others render, a link is something to click: script, data and file URLs stay out of it.
const hierarchical =
  /^(?:https?|ftp|git|ssh|svn|hg|bzr)(?:\+[a-z]+)?:\/\/(?:[^/?#@]*@)?[^/?#@:]+(?::\d*)?(?:[/?#].*)?$/i;
// Most links are of this kind and need no second look.
const ordinary = /^https:\/\/[a-z0-9][a-z0-9.-]*(?:\/[\w\-.~/+]*)?$/;
const mavenScm = /^scm:[a-z]+:./i;
const scpLike = /^(?:([a-z+]+):\/\/)?([\w.-]+@[\w.-]+):(?!\d+(?:\/|$))\/?([^/].*)$/is;

/** An absolute URL of a kind that people may follow, percent-encoded and without credentials; undefined for others. */
export function url(value: string): string | undefined {
  if (ordinary.test(value)) return value;
  const [, scheme = 'ssh', host = '', path = ''] = scpLike.exec(value.trim()) ?? [];
  const plain = withoutCredentials(host === '' ? value.trim() : `${scheme}://${host}/${path}`);
  let fragments = 0;
  const encoded = text(plain)
    .replace(/%(?![0-9a-f]{2})|[^\w\-.~:/?#@!$&'()*+,;=%]+/gi, (part) => encodeURIComponent(part))
    .replace(/#/g, () => (fragments++ === 0 ? '#' : '%23'));
  return hierarchical.test(encoded) || mavenScm.test(encoded) ? encoded : undefined;
}

/** Lockfiles hold URLs with tokens in them, and SBOMs are published. `ssh://git@host` names no secret and stays. */
export function withoutCredentials(value: string): string {
  return value.replace(/\/\/([^/?#\s]*)@/g, (_, user: string) =>
    /^\w+$/.test(user) && isSsh(value) ? `//${user}@` : '//',
  );
}

function isSsh(value: string): boolean {
  return /^(?:[a-z]+\+)?ssh:/i.test(value);
}

const digits: Readonly<Record<Hash['alg'], number>> = {
  MD5: 32,
  'SHA-1': 40,
  'SHA-256': 64,
  'SHA-384': 96,
  'SHA-512': 128,
};

/** A digest of the length that its algorithm has; both schemas know only hexadecimal digits. */
export function isDigest(hash: Hash): boolean {
  return hash.content.length === digits[hash.alg] && /^[0-9a-f]+$/.test(hash.content);
}

/** `sha256:…` as CycloneDX writes it. */
export function digestHash(digest: string | undefined): Hash | undefined {
  const [, bits, content = ''] = /^sha(256|384|512):([0-9a-f]+)$/.exec(digest ?? '') ?? [];
  if (bits !== '256' && bits !== '384' && bits !== '512') return undefined;
  const hash: Hash = { alg: `SHA-${bits}`, content };
  return isDigest(hash) ? hash : undefined;
}

// The XML schema spells out both CPE syntaxes; a `cpe` that breaks them makes the whole document invalid.
const cpe22 = /^cpe:\/[aho]?(?::[\w.\-~%]*){0,6}$/i;
const word = String.raw`(?:\*|(?:\?*|\*)(?:[\w.-]|\\[\\*?!"#$%&'()+,/:;<=>@[\]^\x60{|}~])+(?:\?*|\*))`;
const language = '(?:[*-]|[a-zA-Z]{2,3}(?:-(?:[a-zA-Z]{2}|[0-9]{3}))?)';
const cpe23 = new RegExp(`^cpe:2\\.3:[aho*-](?::${word}){5}:${language}(?::${word}){4}$`);

export function isCpe(value: string): boolean {
  return cpe23.test(value) || cpe22.test(value);
}

/**
 * `pkg:oci/app@sha256:…?arch=arm64`. The name stored with an image is only a claim, so its last segment serves as the
 * name, and no registry is named.
 */
export function imagePurl({ kind, name, manifest, platform }: SubjectInfo): string | undefined {
  const last = name.split('@')[0]!.split('/').at(-1)!.split(':')[0]!.toLowerCase();
  if (kind !== 'image' || manifest === undefined || digestHash(manifest) === undefined) return undefined;
  if (!/^[a-z0-9](?:[a-z0-9._-]{0,253}[a-z0-9])?$/.test(last)) return undefined;
  const arch = /^[\w.-]{1,64}$/.exec(platform?.architecture ?? '')?.[0];
  return formatPurl({ type: 'oci', name: last, version: manifest, ...(arch && { qualifiers: { arch } }) });
}
