/**
 * A Sigstore instance in this process: certificate authority, certificate log, transparency logs and timestamp authority,
 * answering over HTTP as the real ones do. `@sigstore/mock` makes keys, certificates, SCTs, promises and timestamps; its logs keep what
 * clients propose, so the bodies and the second API that real logs have are made here.
 */

import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  fulcioHandler,
  initializeCA,
  initializeCTLog,
  initializeTLog,
  initializeTSA,
  tsaHandler,
} from '@sigstore/mock';

export interface Instance {
  /** Base address of its certificate authority. */
  readonly fulcio: string;
  readonly trustedRoot: string;
  /** A signing config for Rekor of this version. */
  signingConfig(version: 1 | 2): string;
}

export type Body = Record<string, unknown>;

export interface InstanceOptions {
  readonly name: string;
  /** Changes what a log keeps instead of what was proposed. */
  readonly keep?: (body: Body) => Body;
  /** Changes the request before the certificate authority looks at it. */
  readonly certify?: (request: Body) => Body;
}

/** Names in the trusted root; where the services are found is another matter. */
const names = (name: string) => ({
  fulcio: `https://fulcio.${name}.test`,
  rekor: `https://rekor.${name}.test`,
  rekor2: `https://rekor2.${name}.test`,
  tsa: `https://tsa.${name}.test`,
});

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest();
const base64 = (bytes: ArrayBufferView) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

export async function startInstance({
  name,
  keep = (it) => it,
  certify = (it) => it,
}: InstanceOptions): Promise<Instance> {
  const places = names(name);
  const ctlog = await initializeCTLog(pair());
  const ca = await initializeCA(pair(), ctlog);
  const tlog = await initializeTLog(places.rekor, pair());
  const tsa = await initializeTSA(pair());
  const log2 = rekor2(new URL(places.rekor2).host, keep);
  const fulcio = fulcioHandler(ca);
  const timestamps = tsaHandler(tsa);
  const base = await serve({
    '/fulcio/api/v2/signingCert': (body) => fulcio.fn(JSON.stringify(certify(body))),
    '/rekor/api/v1/log/entries': async (proposed) => {
      const response = JSON.stringify(await tlog.log(keep(keptBody(proposed))));
      return { statusCode: 201, response, contentType: 'application/json' };
    },
    '/rekor2/api/v2/log/entries': log2.answer,
    '/tsa/api/v1/timestamp': (body) => timestamps.fn(JSON.stringify(body)),
  });
  const validFor = { start: new Date(Date.now() - 3_600_000).toISOString() };
  const logKey = (baseUrl: string, key: Buffer, keyId: string, keyDetails = 'PKIX_ECDSA_P256_SHA_256') => ({
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: key.toString('base64'), keyDetails, validFor },
    logId: { keyId },
  });
  const authority = (uri: string, ...certificates: ArrayBufferView[]) => ({
    subject: { organization: name, commonName: name },
    uri,
    certChain: { certificates: certificates.map((each) => ({ rawBytes: base64(each) })) },
    validFor,
  });
  return {
    fulcio: `${base}/fulcio`,
    trustedRoot: JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [
        logKey(places.rekor, tlog.publicKey, sha256(tlog.publicKey).toString('base64')),
        logKey(places.rekor2, log2.spki, log2.keyId.toString('base64'), 'PKIX_ED25519'),
      ],
      certificateAuthorities: [authority(places.fulcio, ca.rootCertificate)],
      ctlogs: [logKey(`https://ct.${name}.test`, ctlog.publicKey, base64(ctlog.logID))],
      timestampAuthorities: [authority(places.tsa, tsa.intCertificate, tsa.rootCertificate)],
    }),
    signingConfig: (version) => {
      const service = (url: string, majorApiVersion = 1) => [{ url, majorApiVersion, validFor, operator: name }];
      return JSON.stringify({
        mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
        caUrls: service(`${base}/fulcio`),
        oidcUrls: [],
        rekorTlogUrls: version === 1 ? service(`${base}/rekor`) : service(`${base}/rekor2`, 2),
        rekorTlogConfig: { selector: 'ANY' },
        tsaUrls: service(`${base}/tsa/api/v1/timestamp`),
        tsaConfig: { selector: 'ANY' },
      });
    },
  };
}

/** A token as an issuer gives it; the mock looks at its claims alone. */
export function identityToken(claims: Body = {}): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const workflow = 'acme/app/.github/workflows/release.yml@refs/tags/v1.2.3';
  const standard = {
    iss: 'https://token.actions.githubusercontent.com',
    aud: 'sigstore',
    sub: `https://github.com/${workflow}`,
    job_workflow_ref: workflow,
    repository: 'acme/app',
    repository_id: '123456',
    ref: 'refs/tags/v1.2.3',
    exp: Math.floor(Date.now() / 1000) + 600,
  };
  return `${part({ alg: 'none' })}.${part({ ...standard, ...claims })}.${Buffer.from('signature of the issuer').toString('base64url')}`;
}

export interface Answer {
  readonly statusCode: number;
  readonly response: string | ArrayBufferView;
  readonly contentType?: string;
}

export type Route = (body: Body, request: IncomingMessage) => Promise<Answer> | Answer;

const servers: Server[] = [];

/** Serves these paths on this machine, and gives the base address. */
export async function serve(routes: Readonly<Record<string, Route>>): Promise<string> {
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const text = Buffer.concat(pieces).toString();
    const route = routes[request.url ?? ''];
    const body = text === '' ? {} : (JSON.parse(text) as Body);
    const { statusCode, response: content, contentType = 'text/plain' } = (await route?.(body, request)) ?? nowhere;
    response.writeHead(statusCode, { 'Content-Type': contentType });
    response.end(typeof content === 'string' ? content : Buffer.from(base64(content), 'base64'));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function stopServices(): void {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
}

const nowhere: Answer = { statusCode: 404, response: 'no such path' };

/** What Rekor v1 keeps of a proposal: of an envelope only hashes, signature and certificate. */
function keptBody(proposed: Body): Body {
  if (proposed['kind'] !== 'dsse') return proposed;
  const { envelope, verifiers } = (proposed['spec'] as { proposedContent: { envelope: string; verifiers: string[] } })
    .proposedContent;
  const { payload, signatures } = JSON.parse(envelope) as { payload: string; signatures: Array<{ sig: string }> };
  const hashed = (bytes: Buffer | string) => ({ algorithm: 'sha256', value: sha256(bytes).toString('hex') });
  return {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: hashed(envelope),
      payloadHash: hashed(Buffer.from(payload, 'base64')),
      signatures: signatures.map(({ sig }) => ({ signature: sig, verifier: verifiers[0] })),
    },
  };
}

/** Rekor v2 with Ed25519: every entry is the only one of its tree, and has no time. */
function rekor2(host: string, keep: (body: Body) => Body) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const keyId = sha256(Buffer.concat([Buffer.from(`${host}\n`), Buffer.from([1]), spki.subarray(-32)]));
  const answer = async (request: Body): Promise<Answer> => {
    const { digest, signature } = request['hashedRekordRequestV002'] as { digest: string; signature: Body };
    const { verifier, content } = signature as { verifier: Body; content: string };
    const body = keep({
      apiVersion: '0.0.2',
      kind: 'hashedrekord',
      spec: {
        hashedRekordV002: {
          data: { algorithm: 'SHA2_256', digest },
          signature: { content, verifier: sorted(verifier) },
        },
      },
    });
    const bytes = Buffer.from(JSON.stringify(body));
    const rootHash = sha256(Buffer.concat([Buffer.from([0]), bytes])).toString('base64');
    const text = `${host}\n1\n${rootHash}\n`;
    const signed = Buffer.concat([keyId.subarray(0, 4), sign(null, Buffer.from(text), privateKey)]);
    const entry = {
      logIndex: '0',
      logId: { keyId: keyId.toString('base64') },
      kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
      integratedTime: '0',
      inclusionProof: {
        logIndex: '0',
        rootHash,
        treeSize: '1',
        hashes: [],
        checkpoint: { envelope: `${text}\n\u2014 ${host} ${signed.toString('base64')}\n` },
      },
      canonicalizedBody: bytes.toString('base64'),
    };
    return { statusCode: 201, response: JSON.stringify(entry), contentType: 'application/json' };
  };
  return { spki, keyId, answer };
}

/** RFC 8785 as far as it matters here. */
function sorted(value: Body): Body {
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The key in a certificate request, replaced. */
export function withKey(request: Body, key: KeyObject): Body {
  const content = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
  return { ...request, publicKeyRequest: { publicKey: { algorithm: 'ECDSA', content }, proofOfPossession: 'AAAA' } };
}
