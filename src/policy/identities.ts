/**
 * Identities of a policy: who we believe. What can never match, and what would match too much, is refused while the author
 * is looking, not found out when an image is turned away or let in.
 */
import { quoted } from '../diag/index.ts';
import { issuerKind, isWorkflowIssuer } from '../sigstore/issuers.ts';
import { type CertificatePin, missingFields, type PinnedValue } from '../sigstore/pin.ts';
import { isShippedName, shippedNames } from '../sigstore/shipped.ts';
import { compileValue, type PatternKind, patternFault } from './patterns.ts';
import type { IdentityShape, ValueShape } from './schema.ts';
import type { Identity, TrustRule } from './types.ts';
import type { Path, YamlFile } from './yaml.ts';

export interface IdentityContext {
  readonly file: YamlFile;
  readonly trust: ReadonlyMap<string, TrustRule>;
  /** The person that each identity belongs to. */
  readonly persons: ReadonlyMap<string, string>;
}

export function readIdentity(name: string, shape: IdentityShape, context: IdentityContext): Identity {
  const { file, persons } = context;
  const path: Path = ['identities', name];
  const person = persons.get(name);
  const place = file.placeOf(path);
  const kinds = (['issuer', 'key', 'openpgp'] as const).filter((kind) => shape[kind] !== undefined);
  if (kinds.length !== 1) throw file.fault(path, 'must have exactly one of issuer, key and openpgp');
  if (shape.issuer !== undefined) {
    return { kind: 'certificate', pin: readPin(name, shape.issuer, shape, context), place };
  }
  const [kind] = kinds;
  const other = Object.keys(shape).find((key) => key !== kind);
  if (other !== undefined) throw file.fault([...path, other], `says nothing of a key; remove it, or name an issuer`);
  const owner = person === undefined ? {} : { person };
  if (shape.key !== undefined) return { kind: 'key', file: shape.key, ...owner, place };
  return { kind: 'openpgp', file: shape.openpgp ?? '', ...owner, place };
}

function readPin(name: string, issuer: string, shape: IdentityShape, context: IdentityContext): CertificatePin {
  const { file, persons } = context;
  const path: Path = ['identities', name];
  const { subject, signer, source, trigger, runner, visibility, deploymentEnvironment } = shape;
  const person = persons.get(name);
  checkIssuer(issuer, [...path, 'issuer'], file);
  const value = (at: Path, kind: PatternKind, given: ValueShape) => readValue([...path, ...at], kind, given, file);
  const pin: CertificatePin = {
    kind: 'certificate',
    name,
    trust: readTrust(issuer, shape.trust, path, context),
    issuer,
    ...(person !== undefined && { person }),
    ...(subject !== undefined && { subject: value(['subject'], 'subject', subject) }),
    ...(signer !== undefined && {
      signer: {
        ...(signer.workflow !== undefined && {
          workflow: value(['signer', 'workflow'], 'workflow', signer.workflow),
        }),
        ...(signer.ref !== undefined && { ref: value(['signer', 'ref'], 'ref', signer.ref) }),
        ...(signer.digest !== undefined && { digest: signer.digest }),
      },
    }),
    ...(source !== undefined && {
      source: {
        ...(source.repository !== undefined && {
          repository: value(['source', 'repository'], 'repository', source.repository),
        }),
        ...(source.id !== undefined && { id: source.id }),
        ...(source.ownerId !== undefined && { ownerId: source.ownerId }),
        ...(source.ref !== undefined && { ref: value(['source', 'ref'], 'ref', source.ref) }),
        ...(source.digest !== undefined && { digest: source.digest }),
      },
    }),
    ...(trigger !== undefined && { trigger }),
    ...(runner !== undefined && { runner }),
    ...(visibility !== undefined && { visibility }),
    ...(deploymentEnvironment !== undefined && { deploymentEnvironment }),
  };
  const missing = missingFields(pin);
  if (missing.length > 0) {
    throw file.fault(path, `pins too little: this issuer speaks for many; add ${missing.join(' and ')}`);
  }
  checkFields(pin, path, file);
  return pin;
}

function checkIssuer(issuer: string, path: Path, file: YamlFile): void {
  if (issuer.includes('*')) throw file.fault(path, 'is compared whole and cannot be a pattern; write it out');
  if (!/^https?:\/\/[^/\s]+/.test(issuer)) {
    throw file.fault(path, 'must be a URL such as https://token.actions.githubusercontent.com');
  }
}

// A certificate authority of one's own can write any issuer into a certificate. It is believed for those that the policy
// lists beside its root, so that nobody who runs one can pass for GitHub by being named in an identity alone.
function readTrust(
  issuer: string,
  stated: string | undefined,
  identity: Path,
  { file, trust }: IdentityContext,
): string {
  const name = stated ?? 'public-good';
  const path = [...identity, 'trust'];
  if (name === 'github' && issuerKind(issuer) !== 'github') {
    throw file.fault(path, 'is GitHub itself, which speaks for no issuer but GitHub Actions; write public-good');
  }
  if (isShippedName(name)) return name;
  const rule = trust.get(name);
  if (rule === undefined) {
    const known = [...shippedNames, ...trust.keys()].join(', ');
    throw file.fault(
      path,
      `names no trusted root: ${quoted(name)} is not among ${known}; add it under trust: with its root`,
    );
  }
  if (!rule.issuers.includes(issuer)) {
    throw file.fault(path, `may not speak for ${quoted(issuer)}; if it should, add that to trust.${name}.issuers`);
  }
  return name;
}

function readValue(path: Path, kind: PatternKind, given: ValueShape, file: YamlFile): PinnedValue {
  const text = typeof given === 'string' ? given : given.pattern;
  if (kind === 'workflow' && /@refs\/|\.ya?ml@/.test(text)) {
    throw file.fault(path, 'must be without @REF; write the ref beside it, as signer.ref');
  }
  if (typeof given === 'string') {
    if (!given.includes('*')) return given;
    throw file.fault(path, `is compared letter by letter, "*" included; write { pattern: ${JSON.stringify(given)} }`);
  }
  const fault = patternFault(kind, text);
  if (fault !== undefined) throw file.fault([...path, 'pattern'], fault);
  return { pattern: text, matches: compileValue(text) };
}

/** Values that no certificate of this issuer ever holds. */
function checkFields(pin: CertificatePin, path: Path, file: YamlFile): void {
  const { subject, signer, source } = pin;
  if (issuerKind(pin.issuer) === 'email' && subject !== undefined && !/^[^/]+@[^/]+$/.test(textOf(subject))) {
    throw file.fault([...path, 'subject'], 'must be an e-mail address: that is what this issuer vouches for');
  }
  if (!isWorkflowIssuer(pin.issuer)) return;
  const checks: readonly (readonly [Path, PinnedValue | undefined, RegExp, string])[] = [
    [
      ['subject'],
      subject,
      uri,
      'must be a whole URI with its ref, like https://github.com/acme/shop/.github/workflows/release.yml@refs/heads/main',
    ],
    [
      ['signer', 'workflow'],
      signer?.workflow,
      uri,
      'must be a whole URI, like https://github.com/acme/shop/.github/workflows/release.yml',
    ],
    [
      ['signer', 'ref'],
      signer?.ref,
      ref,
      'must be a full ref, like refs/heads/main or refs/tags/v1, or a commit in hex',
    ],
    [['signer', 'digest'], signer?.digest, commit, 'must be a commit: 40 or 64 lower-case hex digits'],
    [
      ['source', 'repository'],
      source?.repository,
      repository,
      'must be a whole URI without .git or / at the end, like https://github.com/acme/shop',
    ],
    [['source', 'id'], source?.id, /^[0-9]+$/, 'must be the number of the repository'],
    [['source', 'ownerId'], source?.ownerId, /^[0-9]+$/, 'must be the number of the owner'],
    [['source', 'ref'], source?.ref, ref, 'must be a full ref, like refs/heads/main or refs/tags/v1'],
    [['source', 'digest'], source?.digest, commit, 'must be a commit: 40 or 64 lower-case hex digits'],
  ];
  for (const [at, value, form, message] of checks) {
    if (value !== undefined && !form.test(textOf(value))) throw file.fault([...path, ...at], message);
  }
}

const uri = /^https:\/\/[^/]+\/[^/]+\/./;
const repository = /^https:\/\/[^/]+\/[^/]+\/(?:.*[^/])?(?<!\.git)$/;
const commit = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const ref = /^(?:refs\/[^/]+\/.+|[0-9a-f]{40}|[0-9a-f]{64})$/;

function textOf(value: PinnedValue): string {
  return typeof value === 'string' ? value : value.pattern;
}
