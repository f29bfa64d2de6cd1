/**
 * Keyless signing: a fresh key that lives for one signature, a certificate from Fulcio that binds it to whoever the
 * identity token names, an entry in a transparency log and signed timestamps, which prove that the signature was made while
 * the certificate was valid.
 *
 * This is the one part of signing that talks to the network, and only to the services that it is given. The token is a
 * password for as long as it lives: it goes to Fulcio alone, and into no message, whatever a service sends back.
 */
import { OperationalError, quoted } from '../diag/index.ts';
import { parsePemCertificates } from './certificate.ts';
import { inTotoPayload } from './dsse.ts';
import { malformed, VerifyError } from './failure.ts';
import { parseSigningConfig, publicServices, type Services, stagingServices } from './signing-config.ts';
import { parseStatement } from './statement.ts';
import { parseTrustRoot } from './trust-root.ts';
import type { Artifact, LogEntry, SignedContent, SignedEntity } from './types.ts';
import { checkedBundle, digestsOf, signedBytes, type Unsigned, withSignature } from './write-bundle.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Keyless {
  readonly token: string;
  readonly services: Services;
}

/** Throws OperationalError: `configuration` for the token, `io` for the network and the services. */
export async function signKeyless(unsigned: Unsigned, { token, services }: Keyless): Promise<SignedEntity> {
  const { FulcioSigner } = await import('@sigstore/sign');
  const signer = new FulcioSigner({
    fulcioBaseURL: services.fulcio,
    identityProvider: { getToken: async () => token },
    ...patience,
  });
  const bytes = signedBytes(unsigned);
  const { signature, key } = await ask(services.fulcio, token, () => signer.sign(bytes));
  if (key.$case !== 'x509Certificate') throw new Error('the signer gave a key instead of a certificate');
  const content = withSignature(unsigned, signature);
  const [entries, timestamps] = await Promise.all([
    Promise.all(services.logs.map((log) => logged(content, bytes, key.certificate, log, token))),
    Promise.all(services.timestamps.map((url) => stamped(content, url, token))),
  ]);
  return {
    format: 'bundle v0.3',
    content,
    material: { kind: 'certificate', leaf: leafOf(key.certificate), chain: [] },
    entries: entries.flat(),
    timestamps: timestamps.flat(),
    requires: 'proof',
  };
}

/**
 * Refuses what Fulcio would refuse, before anything is sent: no JSON Web Token, expired, nobody named. Throws
 * OperationalError `configuration` that does not show it.
 */
export function checkIdentityToken(token: string, now: number): void {
  const parts = token.split('.');
  let claims: Readonly<Record<string, unknown>> | undefined;
  if (parts.length === 3 && /^[A-Za-z0-9_=.-]+$/.test(token)) {
    try {
      const parsed: unknown = JSON.parse(Buffer.from(parts[1]!, 'base64url').toString('utf8'));
      if (typeof parsed === 'object' && parsed !== null) claims = parsed as Record<string, unknown>;
    } catch {
      // Said below: what JSON.parse says shows a part of the token.
    }
  }
  if (claims === undefined) throw badToken('it is no JSON Web Token');
  const { exp, email, email_verified: verified, sub } = claims;
  if (typeof exp === 'number' && exp * 1000 <= now) {
    throw badToken('it has expired: such a token lives for minutes, so fetch it right before it is used');
  }
  if (typeof email === 'string' && email !== '' && verified !== true && verified !== 'true') {
    throw badToken('its email address is not verified by whoever issued it');
  }
  if (!email && (typeof sub !== 'string' || sub === ''))
    throw badToken('it names nobody: it has neither an email address nor a subject');
}

/**
 * The token that a CI job may ask for: GitLab and others put it into SIGSTORE_ID_TOKEN, GitHub Actions and Buildkite give it
 * out on request. Undefined where there is none. Throws OperationalError `io` when there should be one.
 */
export async function ambientToken(env: Environment): Promise<string | undefined> {
  const given = env['SIGSTORE_ID_TOKEN']?.trim();
  if (given !== undefined && given !== '') return given;
  const github = Boolean(env['ACTIONS_ID_TOKEN_REQUEST_URL'] && env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']);
  if (!github && env['BUILDKITE'] !== 'true') return undefined;
  const { CIContextProvider } = await import('@sigstore/sign');
  const token: unknown = await withDeadline(new CIContextProvider('sigstore').getToken()).catch(() => undefined);
  if (typeof token === 'string' && token !== '') return token;
  throw new OperationalError('io', `${github ? 'GitHub Actions' : 'Buildkite'} gave no identity token`, {
    hints: ['run the job again, or give a token with --identity-token FILE'],
  });
}

export interface SignRequest {
  readonly artifact: Buffer;
  readonly identityToken: string;
  readonly staging: boolean;
  /** The artifact is an in-toto statement: it is signed as it stands, in a DSSE envelope. */
  readonly inToto: boolean;
  /** Texts of a trusted root and of a signing config, instead of those of the public instance or of staging. */
  readonly trustedRoot?: string;
  readonly signingConfig?: string;
  /** Milliseconds; the clock where absent. */
  readonly now?: number;
}

/** A bundle, verified. What the conformance client's `sign-bundle` needs. */
export async function signBundle(request: SignRequest): Promise<string> {
  const { artifact: bytes, staging, inToto, now = Date.now() } = request;
  const token = request.identityToken.trim();
  checkIdentityToken(token, now);
  const standard = staging ? stagingServices : publicServices;
  const services =
    request.signingConfig === undefined
      ? standard
      : parseSigningConfig(request.signingConfig, now, 'the signing config');
  const root =
    request.trustedRoot === undefined
      ? (await import('./shipped.ts')).shippedRoot(staging ? 'staging' : 'public-good')
      : parseTrustRoot(request.trustedRoot, 'trusted root');
  const unsigned: Unsigned = inToto
    ? { kind: 'dsse', payloadType: inTotoPayload, payload: bytes }
    : { kind: 'message', artifact: bytes };
  const artifact = inToto ? firstSubject(bytes) : { name: 'artifact', digests: digestsOf(bytes), bytes };
  return checkedBundle(await signKeyless(unsigned, { token, services }), artifact, [root]);
}

function badToken(why: string): OperationalError {
  return new OperationalError('configuration', `the identity token cannot be used: ${why}`, {
    hints: ['give the token as its issuer gave it: three parts with dots between them, for the audience "sigstore"'],
  });
}

/** Each request: tries again twice, and gives up on a service that hangs. */
const patience = { timeout: 30_000, retry: { retries: 2, minTimeout: 500 } };
const deadline = 60_000;

/** What the statement is about, to verify our own signature over it. */
function firstSubject(payload: Buffer): Artifact {
  const [subject] = parseStatement(payload).subjects;
  if (subject === undefined) throw malformed('the statement has no subject');
  return { name: subject.name ?? '', digests: subject.digest };
}

async function logged(
  content: SignedContent,
  bytes: Buffer,
  certificate: string,
  log: Services['logs'][number],
  token: string,
): Promise<readonly LogEntry[]> {
  const { RekorWitness } = await import('@sigstore/sign');
  const witness = new RekorWitness({
    rekorBaseURL: log.url,
    majorApiVersion: log.version,
    entryType: 'dsse',
    ...patience,
  });
  const submitted = log.version === 2 ? asMessage(content, bytes) : forWitness(content);
  const { tlogEntries = [] } = await ask(log.url, token, () => witness.testify(submitted, certificate));
  return tlogEntries.map(logEntry);
}

async function stamped(content: SignedContent, url: string, token: string): Promise<readonly Buffer[]> {
  const { TSAWitness } = await import('@sigstore/sign');
  const witness = new TSAWitness({ tsaBaseURL: url, ...patience });
  const { rfc3161Timestamps = [] } = await ask(url, token, () => witness.testify(forWitness(content)));
  return rfc3161Timestamps.map(({ signedTimestamp }) => Buffer.from(signedTimestamp));
}

type Sign = typeof import('@sigstore/sign');
type Witnessed = Parameters<InstanceType<Sign['RekorWitness']>['testify']>[0];
type Testimony = Awaited<ReturnType<InstanceType<Sign['RekorWitness']>['testify']>>;
type Entry = NonNullable<Testimony['tlogEntries']>[number];

function forWitness(content: SignedContent): Witnessed {
  if (content.kind === 'message') return messageContent(content.digest?.value ?? Buffer.alloc(0), content.signature);
  const { payload, payloadType, signature } = content;
  return { $case: 'dsseEnvelope', dsseEnvelope: { payload, payloadType, signatures: [{ sig: signature, keyid: '' }] } };
}

/**
 * Rekor v2 keeps a signed envelope as a signature over the bytes that DSSE signs: verifiers refuse its `dsse` entries,
 * which say nothing more.
 */
function asMessage(content: SignedContent, bytes: Buffer): Witnessed {
  return messageContent(Buffer.from(digestsOf(bytes).get('sha256') ?? '', 'hex'), content.signature);
}

function messageContent(digest: Buffer, signature: Buffer): Witnessed {
  // 1: SHA2_256.
  return { $case: 'messageSignature', messageSignature: { messageDigest: { algorithm: 1, digest }, signature } };
}

function logEntry(entry: Entry): LogEntry {
  const { inclusionPromise: promise, inclusionProof: proof, kindVersion, integratedTime } = entry;
  return {
    logIndex: Number(entry.logIndex),
    logId: Buffer.from(entry.logId.keyId),
    kind: { kind: kindVersion.kind, version: kindVersion.version },
    ...(Number(integratedTime) === 0 ? {} : { integratedTime: Number(integratedTime) }),
    ...(promise === undefined ? {} : { promise: Buffer.from(promise.signedEntryTimestamp) }),
    ...(proof === undefined
      ? {}
      : {
          proof: {
            logIndex: Number(proof.logIndex),
            treeSize: Number(proof.treeSize),
            rootHash: Buffer.from(proof.rootHash),
            hashes: proof.hashes.map((each) => Buffer.from(each)),
            checkpoint: proof.checkpoint?.envelope ?? '',
          },
        }),
    body: Buffer.from(entry.canonicalizedBody),
  };
}

function leafOf(pem: string): Buffer {
  try {
    const [leaf] = parsePemCertificates(pem);
    if (leaf !== undefined) return leaf.der;
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
  }
  throw new OperationalError('malformed', 'the certificate authority answered with something that is no certificate');
}

async function ask<T>(url: string, token: string, work: () => Promise<T>): Promise<T> {
  try {
    return await withDeadline(work());
  } catch (error) {
    throw new OperationalError('io', `${quoted(url)} did not do its part: ${reasonOf(error, token)}`, {
      hints: ['nothing was written; look at the reason, then run the command again with a fresh token'],
    });
  }
}

/** What the service said, without what we said to it. The error itself stays here: it may hold the request. */
function reasonOf(error: unknown, token: string): string {
  const causes: string[] = [];
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) causes.push(at.message);
  const [first = 'unknown reason'] = causes;
  // The outer message says which step failed, the inner one why.
  const last = causes.at(-1) ?? first;
  const said = first.includes(last) ? first : `${first}: ${last}`;
  const secrets = [token, ...token.split('.')].filter((each) => each.length >= 8);
  return quoted(
    secrets.reduce((text, secret) => text.replaceAll(secret, '…'), said),
    300,
  );
}

async function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${deadline / 1000} seconds`)), deadline);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
