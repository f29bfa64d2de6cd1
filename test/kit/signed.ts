/** Files that people hand to `verify`: bundles, trusted roots and keys of an instance made on the spot. */
import { sign } from 'node:crypto';
import type { SignedEntity } from '../../src/sigstore/types.ts';
import { formatBundle } from '../../src/sigstore/write-bundle.ts';
import {
  certificatePem,
  certified,
  digest,
  type Instance,
  issuer,
  keyed,
  keyPem,
  logged,
  makeInstance,
  signMessage,
  signStatement,
} from '../sigstore/instance.ts';
import { type Keys, makeKeys } from './certificate.ts';
import { aBundle, aPaper, dsseEnvelope, type PaperItem, type PaperShape, simpleSigning } from './papers.ts';

export { issuer, keyPem, makeInstance, makeKeys };

/** `trusted_root.json`. */
export function rootJson({ root }: Instance): string {
  const time = (at: number) => new Date(at).toISOString();
  const { validFor, chain, uri } = root.certificateAuthorities[0]!;
  return JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: root.tlogs.map((log) => ({
      baseUrl: log.baseUrl,
      hashAlgorithm: 'SHA2_256',
      publicKey: {
        rawBytes: log.key.spki.toString('base64'),
        keyDetails: 'PKIX_ECDSA_P256_SHA_256',
        validFor: { start: time(log.validFor.start) },
      },
      logId: { keyId: log.logId.toString('base64') },
    })),
    certificateAuthorities: [
      {
        subject: { organization: 'test', commonName: 'test' },
        uri,
        certChain: { certificates: chain.map(({ der }) => ({ rawBytes: der.toString('base64') })) },
        validFor: { start: time(validFor.start) },
      },
    ],
  });
}

/** A signature over a file by the one that the name says, logged. */
export function fileBundle(
  instance: Instance,
  name: string,
  content: Buffer<ArrayBuffer>,
  changes: Partial<SignedEntity> = {},
) {
  const leaf = instance.leaf({ uris: [name] });
  const message = signMessage(leaf, content);
  const entries = [logged(instance.log, message, certificatePem(leaf.der), content)];
  return formatBundle(certified(instance, leaf, message, { entries, ...changes }));
}

/** A statement about a digest, `sha256:…` or any other, by the one that the name says, logged. */
export function statementBundle(
  instance: Instance,
  name: string,
  about: string,
  predicateType = 'https://example.com/p/v1',
) {
  const leaf = instance.leaf({ uris: [name] });
  return formatBundle(certified(instance, leaf, signStatement(leaf, statement(about, predicateType))));
}

export function keyBundle(keys: Keys, content: Buffer): string {
  return formatBundle(keyed(signMessage(keys, content)));
}

export function keyStatement(keys: Keys, about: string, predicateType = 'https://example.com/p/v1'): string {
  return formatBundle(keyed(signStatement(keys, statement(about, predicateType))));
}

export function statement(about: string, predicateType: string): object {
  const [algorithm = '', value = ''] = about.split(':');
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'artifact', digest: { [algorithm]: value } }],
    predicateType,
    predicate: {},
  };
}

/** What `cosign sign --key` hangs on an image. */
export function cosignSignature(keys: Keys, about: string, more: Partial<PaperShape> = {}): PaperItem {
  const payload = Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': 'registry.example/app' },
        image: { 'docker-manifest-digest': about },
        type: 'cosign container image signature',
      },
      optional: null,
    }),
  );
  const signature = sign('sha256', payload, keys.privateKey).toString('base64');
  const annotations = { 'dev.cosignproject.cosign/signature': signature };
  return aPaper({ layers: [{ mediaType: simpleSigning, content: payload, annotations }], ...more });
}

/** What `cosign attest --key` hangs on an image. */
export function cosignAttestation(keys: Keys, about: string, predicateType: string, more: Partial<PaperShape> = {}) {
  const content = signStatement(keys, statement(about, predicateType));
  if (content.kind !== 'dsse') throw new Error('a statement is an envelope');
  const envelope = {
    payloadType: content.payloadType,
    payload: content.payload.toString('base64'),
    signatures: [{ sig: content.signature.toString('base64') }],
  };
  const annotations = { 'dev.cosignproject.cosign/signature': '' };
  return aPaper({ layers: [{ mediaType: dsseEnvelope, content: JSON.stringify(envelope), annotations }], ...more });
}

/** A bundle as a referrer. */
export function referrer(subject: string, bundle: string): PaperItem {
  return aBundle(subject, {}, bundle);
}

export function sha256Of(content: Buffer): string {
  return `sha256:${digest('sha256', content)}`;
}
