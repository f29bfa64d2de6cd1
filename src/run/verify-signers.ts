/** Who has to have signed, and by which trusted roots: from flags, from key files, or from a policy. */
import { isUtf8 } from 'node:buffer';
import path from 'node:path';
import { OperationalError, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import type { ImageRule, Policy, SignedRule } from '../policy/types.ts';
import { VerifyError } from '../sigstore/failure.ts';
import { parsePublicKey } from '../sigstore/keys.ts';
import { cosignPin, keyPin } from '../sigstore/pin.ts';
import type { Requirement } from '../sigstore/requirement.ts';
import type { PublicKey } from '../sigstore/types.ts';
import { readWhole } from './read-whole.ts';
import { type Pins, pinsOf } from './verify-pins.ts';
import { type LoadedTrust, loadTrust, type WantedRoot } from './verify-trust.ts';

export type SignerSource =
  | {
      readonly kind: 'identity';
      readonly identity: string;
      readonly issuer: string;
      /** The source repository, a whole URI. */
      readonly repository?: string;
      readonly trust: readonly WantedRoot[];
    }
  | { readonly kind: 'keys'; readonly files: readonly string[]; readonly trust: readonly WantedRoot[] }
  | { readonly kind: 'policy'; readonly file: string; readonly identities: readonly string[]; readonly as?: string };

export interface Signers {
  readonly pins: Pins;
  readonly trust: LoadedTrust;
  /** By the name of the trusted root. */
  readonly maxRootAgeDays: ReadonlyMap<string, number>;
  readonly notes: readonly string[];
  /** What the policy asks of the target besides signatures. */
  readonly asks?: PolicyAsks;
}

export interface PolicyAsks {
  /** The digest in the reference that the image goes by. */
  readonly digest?: string;
  /** Why it is denied whoever signed it. */
  readonly denied?: string;
  /** The image has to be named by digest. */
  readonly pinned: boolean;
}

/** Throws OperationalError. */
export async function loadSigners(source: SignerSource, world: World): Promise<Signers> {
  if (source.kind === 'policy') return fromPolicy(source, world);
  const trust = await loadTrust(source.trust, world);
  const requirement = source.kind === 'keys' ? await anyKey(source.files, world) : anyIdentity(source, trust);
  return { pins: pinsOf([requirement]), trust, maxRootAgeDays: new Map(), notes: [] };
}

async function anyKey(files: readonly string[], world: World): Promise<Requirement> {
  const keys: { readonly file: string; readonly key: PublicKey }[] = [];
  for (const file of files) keys.push({ file, key: await readKey(file, world) });
  return { kind: 'any', of: keys.map(({ file, key }) => ({ name: file, pins: [keyPin(key, file)] })) };
}

/** Under each of the trusted roots that the user named. */
function anyIdentity(
  { identity, issuer, repository }: SignerSource & { readonly kind: 'identity' },
  { roots }: LoadedTrust,
): Requirement {
  const source = repository === undefined ? {} : { repository };
  const pins = roots.map(({ name }) => cosignPin({ identity, issuer, trust: name, ...source }));
  return { kind: 'any', of: [{ name: identity, pins }] };
}

const maxKeyBytes = 64 * 1024;

async function readKey(file: string, world: World): Promise<PublicKey> {
  if (/^[a-z0-9]+:\/\//.test(file)) {
    throw new OperationalError('usage', `${quoted(file)} is no file: keys are read from files`, {
      hints: ['write the public key of the key service to a file: cosign public-key --key URI > key.pub'],
    });
  }
  const bytes = await readConfigured(file, 'the key', maxKeyBytes, world);
  try {
    return parsePublicKey(bytes);
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    const secret = bytes.includes('PRIVATE KEY');
    throw new OperationalError('configuration', `${quoted(file)} cannot be used as a public key: ${error.message}`, {
      hints: secret
        ? ['keep a private key where nobody but its owner reads it: whoever verifies needs the public one only']
        : ['give a public key as PEM ("-----BEGIN PUBLIC KEY-----"), DER, or an OpenSSH line ("ssh-ed25519 AAAA…")'],
      cause: error,
    });
  }
}

/**
 * A key or a policy that is a device, too large or forbidden is a wrong configuration, and says nothing about the target.
 * Throws OperationalError: usage for an output, else configuration, also where there is nothing.
 */
async function readConfigured(file: string, what: string, maxBytes: number, { disk }: World): Promise<Buffer> {
  try {
    return await readWhole(disk, file, maxBytes);
  } catch (error) {
    if (!(error instanceof OperationalError) || error.code === 'usage') throw error;
    throw new OperationalError('configuration', `${what} cannot be read: ${error.message}`, {
      hints: error.hints.length > 0 ? error.hints : ['give the path of a regular file that you may read'],
      cause: error,
    });
  }
}

async function fromPolicy(source: SignerSource & { readonly kind: 'policy' }, world: World): Promise<Signers> {
  // Loaded here: YAML and schemas cost more to load than a verification takes.
  const { readPolicy } = await import('../policy/read.ts');
  const { keyPathsOf, requirementOf, rootFiles } = await import('../policy/requirement.ts');
  const bytes = await readConfigured(source.file, 'the policy', maxPolicyBytes, world);
  const policy = readPolicy(policyText(bytes, source.file), source.file);
  const { rules, asks } = await rulesOf(policy, source);
  const inPolicy = (file: string) => (path.isAbsolute(file) ? file : path.join(path.dirname(source.file), file));
  const keys = new Map<string, PublicKey>();
  for (const file of new Set(rules.flatMap((rule) => keyPathsOf(policy, rule)))) {
    keys.set(file, await readKey(inPolicy(file), world));
  }
  const requirements = rules.map((rule) => requirementOf(policy, rule, keys));
  const own = new Map(rootFiles(policy).map((each) => [each.name, inPolicy(each.path)]));
  const wanted = rootNames(requirements).map((name) => {
    const file = own.get(name);
    return file === undefined ? { name } : { name, file };
  });
  return {
    pins: pinsOf(requirements),
    trust: await loadTrust(wanted, world),
    maxRootAgeDays: new Map(
      [...policy.trust].flatMap(([name, { maxAge }]) => (maxAge === undefined ? [] : [[name, maxAge / dayMs]])),
    ),
    notes: unjudgedNotes(policy),
    ...(asks === undefined ? {} : { asks }),
  };
}

/** A byte that is no text would be read as one that matches nothing, or something else than its author sees. */
function policyText(bytes: Buffer, file: string): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw new OperationalError('configuration', `the policy ${quoted(file)} is not UTF-8`, {
    hints: ['save it as UTF-8'],
  });
}

const maxPolicyBytes = 4 * 1024 * 1024;
const dayMs = 24 * 60 * 60 * 1000;

/** Keys alone need no root; the public log's promise on their signatures is checked all the same. */
function rootNames(requirements: readonly Requirement[]): readonly string[] {
  const pins = requirements.flatMap(({ of }) => of).flatMap((party) => party.pins);
  const names = new Set(pins.flatMap((pin) => (pin.kind === 'certificate' ? [pin.trust] : [])));
  return names.size === 0 ? ['public-good'] : [...names];
}

interface Rules {
  readonly rules: readonly SignedRule[];
  readonly asks?: PolicyAsks;
}

async function rulesOf(policy: Policy, source: SignerSource & { readonly kind: 'policy' }): Promise<Rules> {
  const { identities, as: reference } = source;
  if (reference === undefined) return { rules: [namedRule(policy, identities)] };
  const { digestOf, findImageRules } = await import('../policy/images.ts');
  const found = findImageRules(policy, reference);
  const digest = digestOf(reference);
  const asks = { ...(digest === undefined ? {} : { digest }), pinned: found.some(({ pinned }) => pinned) };
  if (found.length === 0) {
    const denied = `no entry under "images" of ${policy.name} speaks of ${reference}`;
    return { rules: [], asks: { ...asks, denied } };
  }
  return { rules: signedRules(found, policy, reference), asks };
}

function signedRules(found: readonly ImageRule[], policy: Policy, reference: string): readonly SignedRule[] {
  const rules = found.flatMap(({ signed }) => signed ?? []);
  if (rules.length > 0) return rules;
  const { line, column } = found[0]!.place;
  throw new OperationalError(
    'configuration',
    `${policy.name}:${line}:${column}: no entry that speaks of ${quoted(reference)} says who has to sign it`,
    { hints: ['add signed: { any: [NAME] } to the entry, with a name of identities or people'] },
  );
}

/** Any of the names that the user gave. */
function namedRule(policy: Policy, names: readonly string[]): SignedRule {
  const known = [...policy.identities.keys(), ...policy.people.keys()];
  const list =
    known.length === 0
      ? 'none'
      : known
          .slice(0, 20)
          .map((each) => quoted(each))
          .join(', ');
  if (names.length === 0) {
    throw new OperationalError('usage', 'the policy is there, but nothing says which part of it applies', {
      hints: [
        `name who has to have signed with --identity NAME; in this policy: ${list}`,
        'or say what the image is called with --as registry.example/acme/shop, and its entries under "images" apply',
      ],
    });
  }
  const unknown = names.find((each) => !known.includes(each));
  if (unknown !== undefined) {
    throw new OperationalError('usage', `the policy has no identity ${quoted(unknown)}`, {
      hints: [`in this policy: ${list}`],
    });
  }
  const openpgp = names.find((each) => policy.identities.get(each)?.kind === 'openpgp');
  if (openpgp !== undefined) {
    throw new OperationalError('usage', `${quoted(openpgp)} is an OpenPGP key, which signs packages and not this`, {
      hints: ['name a Sigstore identity or a plain key'],
    });
  }
  const of = [...new Set(names)];
  const place = (policy.identities.get(of[0]!) ?? policy.people.get(of[0]!))!.place;
  return { kind: 'any', of, count: 1, place };
}

/** What a policy asks for and nobody looks at must not be taken for met. */
function unjudgedNotes({ unjudged }: Policy): readonly string[] {
  if (unjudged.length === 0) return [];
  return [`the policy also has ${unjudged.map(({ path: at }) => at).join(', ')}, which verify does not judge`];
}
