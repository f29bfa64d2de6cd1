/**
 * Who is believed. A pin states what must be true of a signer; every field is compared whole and letter by letter, and a
 * field that the certificate lacks never matches. A pattern is something the user asked for by name: it comes in here as a
 * function that matches the whole value in linear time.
 */
import { OperationalError } from '../diag/index.ts';
import { type ClaimName, findClaim, findSigner } from './identity-fields.ts';
import { isWorkflowIssuer } from './issuers.ts';
import type { CertificateIdentity, PublicKey, Signature, Signer } from './types.ts';

export type PinnedValue = string | { readonly pattern: string; readonly matches: (value: string) => boolean };

export interface CertificatePin {
  readonly kind: 'certificate';
  /** How people refer to it. */
  readonly name: string;
  /** Pins of one person count once, however many of them match. */
  readonly person?: string;
  /** The trusted root that may speak for it. */
  readonly trust: string;
  readonly issuer: string;
  /** The whole alternative name. A value with `://` is a URI, any other is not. */
  readonly subject?: PinnedValue;
  /** What ran: for a reusable workflow the one that was called. `workflow` is without `@ref`. */
  readonly signer?: { readonly workflow?: PinnedValue; readonly ref?: PinnedValue; readonly digest?: string };
  /** What it ran on. */
  readonly source?: {
    readonly repository?: PinnedValue;
    readonly id?: string;
    readonly ownerId?: string;
    readonly ref?: PinnedValue;
    readonly digest?: string;
  };
  readonly trigger?: string;
  readonly runner?: string;
  readonly visibility?: string;
  readonly deploymentEnvironment?: string;
}

export interface KeyPin {
  readonly kind: 'key';
  readonly name: string;
  readonly person?: string;
  readonly key: PublicKey;
}

export type Pin = CertificatePin | KeyPin;

/** One field that is not as pinned. `got` is untrusted text, undefined where the certificate does not state the field. */
export interface Difference {
  readonly field: string;
  readonly expected: string;
  readonly got?: string;
  /** How near it is, where that explains a mistake. */
  readonly note?: string;
}

/** Nothing: it matches. */
export function comparePin(pin: Pin, { signer }: Pick<Signature, 'signer'>): readonly Difference[] {
  if (pin.kind === 'key') return compareKey(pin, signer);
  if (signer.kind === 'key') {
    return [{ field: 'signer', expected: `a certificate of ${pin.issuer}`, got: `key ${signer.fingerprint}` }];
  }
  return [
    ...compareValue('trust', pin.trust, signer.trust),
    ...compareValue('issuer', pin.issuer, signer.identity.issuer),
    ...compareSubject(pin, signer.identity),
    ...pinnedClaims(pin).flatMap(([field, expected, find]) =>
      expected === undefined ? [] : compareValue(field, expected, find(signer.identity)),
    ),
  ];
}

/** What a pin has to name besides its issuer before it may be relied on; nothing where it is enough. For people. */
export function missingFields(pin: CertificatePin): readonly string[] {
  if (!isWorkflowIssuer(pin.issuer)) return pin.subject === undefined ? ['subject'] : [];
  const namesWorkflow = pin.signer?.workflow !== undefined || typeof pin.subject === 'string';
  return [
    ...(namesWorkflow ? [] : ['signer.workflow']),
    ...(pin.source?.repository === undefined ? ['source.repository'] : []),
  ];
}

/** The flags that cosign made common: the whole alternative name and the issuer, under one trusted root. */
export function cosignPin(flags: {
  readonly identity: string;
  readonly issuer: string;
  readonly trust: string;
  /** The source repository, a whole URI. */
  readonly repository?: string;
}): CertificatePin {
  const { identity, issuer, trust, repository } = flags;
  if (identity === '') throw flagError('--certificate-identity is empty');
  if (issuer === '') throw flagError('--certificate-oidc-issuer is empty');
  const pin: CertificatePin = { kind: 'certificate', name: identity, trust, issuer, subject: identity };
  return repository === undefined ? pin : { ...pin, source: { repository } };
}

export function keyPin(key: PublicKey, name = `key ${key.fingerprint}`): KeyPin {
  return { kind: 'key', name, key };
}

function flagError(message: string): OperationalError {
  return new OperationalError('usage', message, {
    hints: ['give both --certificate-identity and --certificate-oidc-issuer, each in full'],
  });
}

function compareKey(pin: KeyPin, signer: Signer): readonly Difference[] {
  const expected = `key ${pin.key.fingerprint}`;
  if (signer.kind !== 'key') {
    return [{ field: 'signer', expected, got: `a certificate of ${signer.identity.issuer}` }];
  }
  return signer.fingerprint === pin.key.fingerprint
    ? []
    : [{ field: 'key', expected, got: `key ${signer.fingerprint}` }];
}

// An e-mail address or user name may be spelled like the URI of a workflow: the type of the name has to fit as well.
function compareSubject(pin: CertificatePin, { subject }: CertificateIdentity): readonly Difference[] {
  if (pin.subject === undefined) return [];
  const isUri = shown(pin.subject).includes('://');
  if (isUri === (subject.type === 'uri')) return compareValue('subject', pin.subject, subject.value);
  const expected = `${isUri ? 'a URI: ' : ''}${shown(pin.subject)}`;
  return [{ field: 'subject', expected, got: `${subject.type}: ${subject.value}` }];
}

type PinnedClaim = readonly [
  field: string,
  expected: PinnedValue | undefined,
  find: (identity: CertificateIdentity) => string | undefined,
];

function pinnedClaims({ signer, source, ...pin }: CertificatePin): readonly PinnedClaim[] {
  return [
    ['signer.workflow', signer?.workflow, (identity) => findSigner(identity).workflow],
    ['signer.ref', signer?.ref, (identity) => findSigner(identity).ref],
    ['signer.digest', signer?.digest, claim('buildSignerDigest')],
    ['source.repository', source?.repository, claim('sourceRepositoryUri')],
    ['source.id', source?.id, claim('sourceRepositoryIdentifier')],
    ['source.ownerId', source?.ownerId, claim('sourceRepositoryOwnerIdentifier')],
    ['source.ref', source?.ref, claim('sourceRepositoryRef')],
    ['source.digest', source?.digest, claim('sourceRepositoryDigest')],
    ['trigger', pin.trigger, claim('buildTrigger')],
    ['runner', pin.runner, claim('runnerEnvironment')],
    ['visibility', pin.visibility, claim('sourceRepositoryVisibility')],
    ['deploymentEnvironment', pin.deploymentEnvironment, claim('deploymentEnvironment')],
  ];
}

function claim(name: ClaimName): (identity: CertificateIdentity) => string | undefined {
  return (identity) => findClaim(identity, name);
}

function compareValue(field: string, expected: PinnedValue, got: string | undefined): readonly Difference[] {
  if (got === undefined) return [{ field, expected: shown(expected), note: 'the certificate does not state it' }];
  if (typeof expected === 'string' ? expected === got : expected.matches(got)) return [];
  const note = typeof expected === 'string' ? nearMiss(expected, got) : undefined;
  return [{ field, expected: shown(expected), got, ...(note === undefined ? {} : { note }) }];
}

function nearMiss(expected: string, got: string): string | undefined {
  if (expected.toLowerCase() === got.toLowerCase()) return 'they differ in upper and lower case only';
  if (got.startsWith(expected)) return 'it goes on where the pin ends: a pin is compared whole';
  return expected.startsWith(got) ? 'it ends before the pin does: a pin is compared whole' : undefined;
}

function shown(value: PinnedValue): string {
  return typeof value === 'string' ? value : `pattern ${value.pattern}`;
}
