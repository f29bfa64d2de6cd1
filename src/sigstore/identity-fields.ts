/**
 * Who a Fulcio certificate says has signed: the one alternative name, and the extensions below 1.3.6.1.4.1.57264.1.
 *
 *   .1      issuer, raw text; replaced by .8                .12–.15  source repository: URI, digest, ref, id
 *   .2–.6   GitHub's trigger, sha, workflow name,           .16 .17  its owner: URI, id
 *           repository, ref, raw text; replaced by .9–.20   .18 .19  build config: URI, digest
 *   .7      not an extension: the type of an otherName      .20 .21  trigger, run
 *   .8      issuer                                          .22 .23  visibility, deployment environment
 *   .9–.11  build signer: URI, digest; runner               .24      subject of the token
 *
 *   .9  ->  0c 57 "https://github.com/acme/shop/.github/workflows/release.yml@refs/heads/main"
 *
 * From .8 on, values are DER UTF8Strings. Refused: no alternative name or several, no issuer, issuers that differ, text that
 * is not UTF-8, and for GitHub and GitLab a build signer that is not the alternative name. What is not listed here is kept
 * by its number. https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
 */
import { isUtf8 } from 'node:buffer';
import { readDer, utf8String } from './der.ts';
import { malformed } from './failure.ts';
import { isGitHubDotCom, isWorkflowIssuer } from './issuers.ts';
import type { Certificate, CertificateIdentity } from './types.ts';

/** The parts of a certificate that name the signer. Throws VerifyError `malformed`. */
export function identityOf({ names, extensions }: Pick<Certificate, 'names' | 'extensions'>): CertificateIdentity {
  const [subject] = names;
  if (subject === undefined) throw malformed('the certificate has no alternative name that says who signed');
  // Of two names, one could be pinned while the other is the one that the issuer vouched for.
  if (names.length > 1) throw malformed(`the certificate has ${names.length} alternative names, not one`);
  const claims = new Map<string, string>();
  for (const [oid, { value }] of extensions) {
    if (oid.startsWith(arc)) claims.set(fieldNames.get(oid) ?? oid, readClaim(oid, value));
  }
  const identity: CertificateIdentity = { issuer: issuerOf(claims), subject, claims };
  checkSigner(identity);
  return identity;
}

/**
 * A claim by its current name. Certificates from before 2022-11 have only GitHub's old claims, which then say the same:
 * only where the current claim is absent, and only for github.com, because `owner/repo` does not say on which host.
 */
export function findClaim({ issuer, claims }: CertificateIdentity, name: ClaimName): string | undefined {
  const value = claims.get(name);
  if (value !== undefined || !isGitHubDotCom(issuer)) return value;
  const old = olderNames.get(name);
  const oldValue = old === undefined ? undefined : claims.get(old);
  if (oldValue === undefined || name !== 'sourceRepositoryUri') return oldValue;
  return /^[^/]+\/[^/]+$/.test(oldValue) ? `https://github.com/${oldValue}` : undefined;
}

/**
 * The workflow that ran and the ref it was taken from, which its URI joins with `@`. Of several `@` the first before a full
 * ref parts them: a branch may be named `x@refs/heads/main` by whoever pushes it, and a tag `@scope/name@1.0.0`, while the
 * name of a workflow file never continues with `@refs/`.
 */
export function findSigner(identity: CertificateIdentity): { readonly workflow?: string; readonly ref?: string } {
  const isWorkflow = isWorkflowIssuer(identity.issuer);
  const uri = identity.claims.get('buildSignerUri') ?? (isWorkflow ? uriOf(identity) : undefined);
  if (uri === undefined) return {};
  const full = uri.indexOf('@refs/');
  const at = full === -1 && isWorkflow ? uri.indexOf('@') : full;
  return at === -1 ? { workflow: uri } : { workflow: uri.slice(0, at), ref: uri.slice(at + 1) };
}

const arc = '1.3.6.1.4.1.57264.1.';

export type ClaimName = (typeof currentNames)[number] | (typeof oldNames)[number];

const oldNames = [
  'issuerV1',
  'githubWorkflowTrigger',
  'githubWorkflowSha',
  'githubWorkflowName',
  'githubWorkflowRepository',
  'githubWorkflowRef',
] as const;

const currentNames = [
  'issuer',
  'buildSignerUri',
  'buildSignerDigest',
  'runnerEnvironment',
  'sourceRepositoryUri',
  'sourceRepositoryDigest',
  'sourceRepositoryRef',
  'sourceRepositoryIdentifier',
  'sourceRepositoryOwnerUri',
  'sourceRepositoryOwnerIdentifier',
  'buildConfigUri',
  'buildConfigDigest',
  'buildTrigger',
  'runInvocationUri',
  'sourceRepositoryVisibility',
  'deploymentEnvironment',
  'tokenSubject',
] as const;

const fieldNames: ReadonlyMap<string, ClaimName> = new Map([
  ...oldNames.map((name, at) => [`${arc}${1 + at}`, name] as const),
  ...currentNames.map((name, at) => [`${arc}${8 + at}`, name] as const),
]);

const olderNames: ReadonlyMap<ClaimName, ClaimName> = new Map([
  ['sourceRepositoryUri', 'githubWorkflowRepository'],
  ['sourceRepositoryRef', 'githubWorkflowRef'],
  ['sourceRepositoryDigest', 'githubWorkflowSha'],
  ['buildTrigger', 'githubWorkflowTrigger'],
]);

const rawOids: ReadonlySet<string> = new Set(oldNames.map((_, at) => `${arc}${1 + at}`));

function readClaim(oid: string, value: Buffer): string {
  if (rawOids.has(oid)) {
    if (!isUtf8(value)) throw malformed(`extension ${oid} of the certificate is not UTF-8`);
    return value.toString();
  }
  try {
    return utf8String(readDer(value));
  } catch (error) {
    if (fieldNames.has(oid)) throw malformed(`extension ${oid} of the certificate is not a UTF8String`, error);
    return value.toString('hex');
  }
}

function issuerOf(claims: ReadonlyMap<string, string>): string {
  const [old, current] = [claims.get('issuerV1'), claims.get('issuer')];
  const issuer = current ?? old;
  if (issuer === undefined || issuer === '')
    throw malformed('the certificate does not say which issuer vouched for it');
  if (old !== undefined && old !== issuer) throw malformed('the certificate names two issuers that differ');
  return issuer;
}

// Both are made from the same claim of the token. If they could differ, a pin of one would say nothing about the other.
function checkSigner(identity: CertificateIdentity): void {
  if (!isWorkflowIssuer(identity.issuer)) return;
  const uri = identity.claims.get('buildSignerUri');
  if (uri === undefined) return;
  const name = uriOf(identity);
  if (name === undefined || !sameUri(uri, name)) {
    throw malformed('the build signer in the certificate is not its alternative name');
  }
}

/** The alternative name is a parsed and printed URL: a space or a letter beyond ASCII in a branch comes out escaped. */
function sameUri(one: string, other: string): boolean {
  return one === other || unescaped(one) === unescaped(other);
}

function unescaped(uri: string): string {
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri;
  }
}

function uriOf({ subject }: CertificateIdentity): string | undefined {
  return subject.type === 'uri' ? subject.value : undefined;
}
