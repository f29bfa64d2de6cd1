/**
 * Certificate paths (RFC 5280 §6.1, as far as Sigstore has it): leaf, intermediates, the anchor of an authority.
 *
 * In outline: what the leaf must be on its own; then, for each authority, a path by names and signatures from the leaf
 * to the authority's anchor, which is the last certificate it lists; then, along the path, validity at the given time,
 * who may sign certificates, how deep, and for what. Certificates that came with the signature may only stand in the
 * middle. Revocation has no place here: a leaf lives for minutes, and the trusted root closes an authority by its end.
 *
 * Every authority is tried. When none fits, the failure is the one that came furthest: wrong time, then wrong
 * signature, then no issuer at all.
 */
import { codeSigning, timeStamping } from './certificate-extensions.ts';
import { formatName } from './distinguished-name.ts';
import { invalid, VerifyError } from './failure.ts';
import { verifySignature } from './keys.ts';
import type { Authority, Certificate, TimeRange } from './types.ts';

export type Purpose = 'codeSigning' | 'timeStamping';

const purposes: Readonly<Record<Purpose, string>> = { codeSigning, timeStamping };
const anyPurpose = '2.5.29.37.0';

/**
 * Certificates in one path, and signatures that are checked while looking for one: both bound what a hostile chain can
 * cost.
 */
const longestPath = 8;
const mostChecks = 32;

/**
 * `at` is in milliseconds; every certificate and the authority must be valid then, both ends inside. Throws `untrusted`
 * when no authority is the issuer, `invalid` when something on the way does not hold.
 */
export function verifyChain(
  leaf: Certificate,
  extra: readonly Certificate[],
  authorities: readonly Authority[],
  at: number,
  purpose: Purpose,
): { authority: Authority; issuer: Certificate } {
  checkLeaf(leaf, purpose);
  // No path to another one can hold, so their certificates need not be read.
  for (const authority of authorities.filter(({ validFor }) => contains(validFor, at))) {
    const attempt = tryAuthority(leaf, extra, authority, at, purpose);
    if ('issuer' in attempt) return { authority, issuer: attempt.issuer };
  }
  throw whyNone(leaf, extra, authorities, at, purpose);
}

/** Of all authorities, those of other times too. Signatures were checked already, and are remembered. */
function whyNone(
  leaf: Certificate,
  extra: readonly Certificate[],
  authorities: readonly Authority[],
  at: number,
  purpose: Purpose,
): VerifyError {
  let best: Miss | undefined;
  for (const authority of authorities) {
    const attempt = tryAuthority(leaf, extra, authority, at, purpose);
    if ('failure' in attempt && (best === undefined || attempt.rank > best.rank)) best = attempt;
  }
  return best === undefined ? unknownIssuer(leaf) : best.failure();
}

/** Whoever may have signed it, by name, among the certificates of the authorities. Nothing is checked. */
export function namedIssuers(certificate: Certificate, authorities: readonly Authority[]): readonly Certificate[] {
  return authorities.flatMap(({ chain }) => chain).filter((each) => isNamedIssuer(certificate, each));
}

/** It names itself as its issuer, and its own key made the signature. */
export function isSelfSignedRoot(certificate: Certificate): boolean {
  return certificate.subject.equals(certificate.issuer) && whyNotSigned(certificate, certificate) === undefined;
}

/** Why an authority did not fit, and how far it came. */
interface Miss {
  readonly rank: number;
  /** Made only for the one that is reported: an error with its stack costs as much as parsing the certificate. */
  readonly failure: () => VerifyError;
}

const rank = { noIssuer: 0, wrongSignature: 1, wrongPath: 2 } as const;

interface Search {
  readonly authority: Authority;
  readonly anchor: Certificate;
  readonly candidates: readonly Certificate[];
  readonly at: number;
  readonly purpose: string;
  checksLeft: number;
  best: Miss;
}

function tryAuthority(
  leaf: Certificate,
  extra: readonly Certificate[],
  authority: Authority,
  at: number,
  purpose: Purpose,
): Miss | { readonly issuer: Certificate } {
  const best = { rank: rank.noIssuer, failure: () => unknownIssuer(leaf) };
  const listed = authority.chain[0];
  const anchor = authority.chain[authority.chain.length - 1];
  if (listed === undefined || anchor === undefined) return best;
  // An authority that names its signing certificate has no other: its issuer may well certify others, for other services.
  if (!listed.isCa && !listed.der.equals(leaf.der)) return best;
  const listedBetween = authority.chain.slice(0, -1).filter(({ isCa }) => isCa);
  // A root that came along leads nowhere; trying it would only turn "unknown" into "wrongly signed".
  const candidates = [anchor, ...listedBetween, ...extra.filter((each) => !isSelfSignedRoot(each))];
  const search: Search = {
    authority,
    anchor,
    candidates,
    at,
    purpose: purposes[purpose],
    checksLeft: mostChecks,
    best,
  };
  const issuer = findPath([leaf], search);
  return issuer === undefined ? search.best : { issuer };
}

/** Depth first; gives the issuer of the leaf on the first path on which everything holds. */
function findPath(path: readonly Certificate[], search: Search): Certificate | undefined {
  const child = path[path.length - 1]!;
  for (const candidate of search.candidates) {
    if (path.includes(candidate) || !isNamedIssuer(child, candidate)) continue;
    if (search.checksLeft-- <= 0) return undefined;
    const why = whyNotSigned(child, candidate);
    if (why !== undefined) {
      note(search, rank.wrongSignature, () => notSigned(child, candidate, why));
      continue;
    }
    const longer = [...path, candidate];
    if (candidate !== search.anchor) {
      const found = longer.length < longestPath ? findPath(longer, search) : undefined;
      if (found !== undefined) return found;
      continue;
    }
    const failure = findFault(longer, search);
    if (failure === undefined) return longer[1];
    note(search, rank.wrongPath, () => failure);
  }
  return undefined;
}

function note(search: Search, rank: number, failure: () => VerifyError): void {
  if (rank > search.best.rank) search.best = { rank, failure };
}

/** By name, and by key where both say which: several authorities bear the same name, each with a key of its own. */
function isNamedIssuer(child: Certificate, candidate: Certificate): boolean {
  if (!child.issuer.equals(candidate.subject)) return false;
  const [wanted, offered] = [child.authorityKeyId, candidate.subjectKeyId];
  return wanted === undefined || offered === undefined || wanted.equals(offered);
}

/** Results by child and issuer: the same certificates of a trusted root meet again with every signature. */
const known = new WeakMap<Certificate, WeakMap<Certificate, string>>();

/** Undefined when the signature holds. */
function whyNotSigned(child: Certificate, issuer: Certificate): string | undefined {
  let results = known.get(child);
  if (results === undefined) {
    results = new WeakMap();
    known.set(child, results);
  }
  let result = results.get(issuer);
  if (result === undefined) {
    result = checkSignature(child, issuer);
    results.set(issuer, result);
  }
  return result === signatureHolds ? undefined : result;
}

const signatureHolds = '';

function checkSignature(child: Certificate, issuer: Certificate): string {
  try {
    const holds = verifySignature(issuer.publicKey(), child.tbs, child.signature, child.signatureAlgorithm);
    return holds ? signatureHolds : 'the signature does not hold';
  } catch (error) {
    if (error instanceof VerifyError) return error.message;
    throw error;
  }
}

/** What a leaf must be, whoever issued it. */
function checkLeaf(leaf: Certificate, purpose: Purpose): void {
  if (leaf.isCa) throw invalid('a certificate authority must not sign by itself: the certificate is not for signing');
  const listed = leaf.extendedKeyUsage;
  if (listed === undefined || !listed.includes(purposes[purpose])) {
    throw invalid(`the certificate is not for ${words[purpose]}`, {
      expected: `extended key usage ${purposes[purpose]}`,
      got: listed?.join(', ') ?? 'no extended key usage',
    });
  }
  // RFC 3161 §2.3: a time-stamping certificate is critically for that and for nothing else.
  if (purpose === 'timeStamping' && (listed.length !== 1 || !leaf.extendedKeyUsageCritical)) {
    throw invalid('the certificate must be for time-stamping alone, and say so critically', { got: listed.join(', ') });
  }
  if (purpose === 'codeSigning' && leaf.keyUsage?.digitalSignature === false) {
    throw invalid('the key usage of the certificate does not allow digital signatures');
  }
  const fault = findUnknown(leaf);
  if (fault !== undefined) throw fault;
}

const words: Readonly<Record<Purpose, string>> = { codeSigning: 'code signing', timeStamping: 'time-stamping' };

/** What speaks against a path whose signatures hold, leaf first. */
function findFault(path: readonly Certificate[], { authority, at, purpose }: Search): VerifyError | undefined {
  if (!contains(authority.validFor, at)) {
    return outside(`the authority ${authority.uri} is trusted`, authority.validFor, at);
  }
  let below = 0;
  for (const [index, certificate] of path.entries()) {
    const range = { start: certificate.notBefore, end: certificate.notAfter };
    if (!contains(range, at)) return outside(`the certificate of ${quote(certificate.subject)} is valid`, range, at);
    if (index === 0) continue;
    const fault = findAuthorityFault(certificate, below, purpose);
    if (fault !== undefined) return fault;
    if (!certificate.subject.equals(certificate.issuer)) below++;
  }
  return undefined;
}

/** `below`: the intermediates between this one and the leaf, without self-issued ones (RFC 5280 §4.2.1.9). */
function findAuthorityFault(certificate: Certificate, below: number, purpose: string): VerifyError | undefined {
  const name = () => quote(certificate.subject);
  if (!certificate.isCa) return invalid(`${name()} is not a certificate authority, and signed a certificate`);
  if (certificate.keyUsage?.keyCertSign === false) return invalid(`the key of ${name()} may not sign certificates`);
  if (certificate.pathLength !== undefined && below > certificate.pathLength) {
    return invalid(`there are more authorities below ${name()} than it allows`, {
      expected: `at most ${certificate.pathLength}`,
      got: `${below}`,
    });
  }
  const listed = certificate.extendedKeyUsage;
  if (listed !== undefined && !listed.includes(purpose) && !listed.includes(anyPurpose)) {
    return invalid(`${name()} may not issue certificates for this`, { expected: purpose, got: listed.join(', ') });
  }
  return findUnknown(certificate);
}

const nameConstraints = '2.5.29.30';

function findUnknown(certificate: Certificate): VerifyError | undefined {
  for (const [name, { critical }] of certificate.extensions) {
    // Name constraints limit an authority whether they are marked as critical or not.
    if (!critical && name !== nameConstraints) continue;
    const message = `the certificate of ${quote(certificate.subject)} has the extension ${name}, which is not understood here`;
    return new VerifyError('unsupported', message);
  }
  return undefined;
}

/** Written so that a time that is no number lies outside. */
function contains(range: TimeRange, at: number): boolean {
  return at >= range.start && (range.end === undefined || at <= range.end);
}

function outside(what: string, range: TimeRange, at: number): VerifyError {
  const end = range.end === undefined ? 'with no end' : `to ${show(range.end)}`;
  return invalid(`${what} from ${show(range.start)} ${end}, and the signature was made at ${show(at)}`, {
    expected: `${show(range.start)} ${end}`,
    got: show(at),
  });
}

function show(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'no time' : date.toISOString();
}

function notSigned(child: Certificate, issuer: Certificate, why: string): VerifyError {
  return invalid(`the certificate of ${quote(child.subject)} was not signed by ${quote(issuer.subject)}: ${why}`);
}

function unknownIssuer(leaf: Certificate): VerifyError {
  return new VerifyError('untrusted', `the trusted root does not know the issuer of the certificate`, {
    got: formatName(leaf.issuer),
  });
}

function quote(name: Buffer): string {
  return `"${formatName(name)}"`;
}
