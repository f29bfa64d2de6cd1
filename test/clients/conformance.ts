/**
 * The client that sigstore-conformance runs. Nothing but exit code 0 means verified or signed.
 *
 *   verify-bundle [--staging] --bundle FILE (--certificate-identity ID --certificate-oidc-issuer URL | --key PEM)
 *                 [--trusted-root FILE] FILE_OR_DIGEST
 *   sign-bundle   [--staging] [--in-toto] --identity-token TOKEN --bundle FILE [--trusted-root FILE]
 *                 [--signing-config FILE] FILE
 *
 * The identity is compared whole. `sha256:` and 64 hex digits are a digest, unless there is a file of that name.
 */
import { hash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { OperationalError } from '../../src/diag/index.ts';
import { parseBundle } from '../../src/sigstore/bundle.ts';
import { VerifyError } from '../../src/sigstore/failure.ts';
import { parsePublicKey } from '../../src/sigstore/keys.ts';
import { comparePin, type Pin } from '../../src/sigstore/pin.ts';
import { shippedRoot } from '../../src/sigstore/shipped.ts';
import { parseTrustRoots } from '../../src/sigstore/trust-root.ts';
import type { Artifact, PublicKey, Signature, TrustRoot, Verified } from '../../src/sigstore/types.ts';
import { verifyEntity } from '../../src/sigstore/verify.ts';

const exit = { done: 0, refused: 1, usage: 2, bug: 3 } as const;

/** Called by sigstore-conformance.cjs, with the exit code already set to failure. */
export function start(): void {
  run(process.argv.slice(2)).then(
    () => {
      process.exitCode = exit.done;
    },
    (error: unknown) => {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      const isUsage =
        error instanceof UsageError || error instanceof OperationalError || code.startsWith('ERR_PARSE_ARGS');
      // What the system says about a file is no bug of ours either.
      const isTold = isUsage || error instanceof VerifyError || /^E[A-Z]+$/.test(code);
      console.error(isTold && error instanceof Error ? error.message.split('\n')[0] : error);
      process.exitCode = error instanceof VerifyError ? exit.refused : isUsage ? exit.usage : exit.bug;
    },
  );
}

class UsageError extends Error {}

async function run([command, ...args]: readonly string[]): Promise<void> {
  if (command === 'verify-bundle') verify(args);
  else if (command === 'sign-bundle') await sign(args);
  else throw new UsageError('the command is verify-bundle or sign-bundle');
}

function verify(args: string[]): void {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      staging: { type: 'boolean' },
      bundle: { type: 'string' },
      'certificate-identity': { type: 'string' },
      'certificate-oidc-issuer': { type: 'string' },
      key: { type: 'string' },
      'trusted-root': { type: 'string' },
    },
  });
  const key = values.key === undefined ? undefined : parsePublicKey(readFileSync(values.key));
  const trust = trustOf(values['trusted-root'], values.staging === true);
  const pin = pinOf(key, values['certificate-identity'], values['certificate-oidc-issuer'], trust);
  const bundle = parseBundle(readFileSync(needed(values.bundle, '--bundle'), 'utf8'));
  const artifact = artifactOf(only(positionals));
  const signature = verifyEntity(bundle, trust, artifact, key === undefined ? {} : { key });
  checkSigner(signature, pin);
}

function checkSigner(signature: Verified<Signature>, pin: Pin): void {
  const [difference] = comparePin(pin, signature);
  if (difference === undefined) return;
  const { field, expected, got = 'nothing' } = difference;
  throw new VerifyError('wrong-identity', `signed by someone else: ${field} is ${got}, not ${expected}`);
}

function pinOf(
  key: PublicKey | undefined,
  subject: string | undefined,
  issuer: string | undefined,
  trust: readonly TrustRoot[],
): Pin {
  if (key !== undefined) {
    if (subject !== undefined || issuer !== undefined) throw new UsageError('give a key or an identity, not both');
    return { kind: 'key', name: 'key', key };
  }
  return {
    kind: 'certificate',
    name: 'identity',
    trust: trust[0]?.name ?? '',
    issuer: needed(issuer, '--certificate-oidc-issuer'),
    subject: needed(subject, '--certificate-identity'),
  };
}

function trustOf(file: string | undefined, staging: boolean): readonly TrustRoot[] {
  if (file === undefined) return [shippedRoot(staging ? 'staging' : 'public-good')];
  // Several roots of one file are one answer to the question whom to trust.
  return parseTrustRoots(readFileSync(file, 'utf8'), 'trusted-root').map((root) => ({ ...root, name: 'trusted-root' }));
}

function artifactOf(given: string): Artifact {
  const digest = /^sha256:([0-9a-f]{64})$/.exec(given)?.[1];
  if (digest !== undefined && !existsSync(given)) return { name: given, digests: new Map([['sha256', digest]]) };
  const bytes = readFileSync(given);
  const digests = new Map(['sha256', 'sha384', 'sha512'].map((name) => [name, hash(name, bytes)]));
  return { name: given, digests, bytes };
}

async function sign(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      staging: { type: 'boolean' },
      'in-toto': { type: 'boolean' },
      'identity-token': { type: 'string' },
      bundle: { type: 'string' },
      'trusted-root': { type: 'string' },
      'signing-config': { type: 'string' },
    },
  });
  const read = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file, 'utf8'));
  const trustedRoot = read(values['trusted-root']);
  const signingConfig = read(values['signing-config']);
  // Loaded here: verification needs nothing of it.
  const { signBundle } = await import('../../src/sigstore/keyless.ts');
  const bundle = await signBundle({
    artifact: readFileSync(only(positionals)),
    identityToken: needed(values['identity-token'], '--identity-token'),
    staging: values.staging === true,
    inToto: values['in-toto'] === true,
    ...(trustedRoot !== undefined && { trustedRoot }),
    ...(signingConfig !== undefined && { signingConfig }),
  });
  writeFileSync(needed(values.bundle, '--bundle'), bundle);
}

function needed(value: string | undefined, flag: string): string {
  if (value === undefined) throw new UsageError(`${flag} is missing`);
  return value;
}

function only(positionals: readonly string[]): string {
  const [first] = positionals;
  if (first === undefined || positionals.length > 1) throw new UsageError('exactly one file or digest is needed');
  return first;
}
