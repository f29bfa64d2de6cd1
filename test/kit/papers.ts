/** What hangs on images, for tests: manifests with a subject, cosign's tagged images, BuildKit's children. */
import {
  blobPath,
  configType,
  describe,
  described,
  type Edit,
  type Item,
  type Json,
  manifestType,
  sha256,
} from './image.ts';

export const simpleSigning = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const dsseEnvelope = 'application/vnd.dsse.envelope.v1+json';
export const sigstoreBundle = 'application/vnd.dev.sigstore.bundle.v0.3+json';

export interface PaperLayer {
  readonly mediaType: string;
  readonly content: string | Buffer;
  readonly annotations?: Json;
  /** Said of it instead of the truth. */
  readonly lies?: Json;
  /** No blob is written. */
  readonly missing?: boolean;
}

export interface PaperShape {
  readonly layers: readonly PaperLayer[];
  /** Digest of what it refers to. */
  readonly subject?: string;
  readonly artifactType?: string;
  readonly configMediaType?: string;
  readonly annotations?: Json;
  readonly edit?: Edit;
}

export interface PaperItem extends Item {
  readonly digest: string;
}

/** A manifest of layers that are no file systems. */
export function aPaper(shape: PaperShape): PaperItem {
  const blobs = new Map<string, Buffer>();
  const layers = shape.layers.map(({ mediaType, content, annotations, lies, missing }) => {
    const bytes = Buffer.from(content);
    if (missing !== true) blobs.set(blobPath(sha256(bytes)), bytes);
    return { ...describe(mediaType, bytes), ...(annotations === undefined ? {} : { annotations }), ...lies };
  });
  const config = Buffer.from('{}');
  blobs.set(blobPath(sha256(config)), config);
  const { subject, artifactType, annotations, edit = (document: Json) => document } = shape;
  const edited = edit({
    schemaVersion: 2,
    mediaType: manifestType,
    ...(artifactType === undefined ? {} : { artifactType }),
    config: describe(shape.configMediaType ?? configType, config),
    layers,
    ...(subject === undefined ? {} : { subject: { mediaType: manifestType, digest: subject, size: 2 } }),
    ...(annotations === undefined ? {} : { annotations }),
  });
  const bytes = Buffer.isBuffer(edited)
    ? edited
    : Buffer.from(typeof edited === 'string' ? edited : JSON.stringify(edited));
  blobs.set(blobPath(sha256(bytes)), bytes);
  return { descriptor: describe(manifestType, bytes), blobs, digest: sha256(bytes) };
}

/** `sha256-HEX`, which tags are made of. */
export function tagOf(digest: string, suffix = ''): string {
  return `${digest.replace(':', '-')}${suffix}`;
}

/** With cosign's own annotation in index.json. */
export function saved<T extends Item>(item: T, kind: 'image' | 'imageIndex' | 'sigs' | 'atts'): T {
  return described(item, { annotations: { kind: `dev.cosignproject.cosign/${kind}` } });
}

/** As BuildKit lists what is about another child of the index. */
export function aboutSibling<T extends Item>(item: T, digest: string): T {
  return described(item, {
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': digest },
  });
}

/** Its blobs are there and nothing lists it. */
export function unlisted(items: readonly Item[]): Map<string, Buffer> {
  return new Map(items.flatMap((each) => [...each.blobs]));
}

export function aSignature(digest: string, more: Partial<PaperShape> = {}, note = ''): PaperItem {
  const payload = {
    critical: {
      identity: { 'docker-reference': '' },
      image: { 'docker-manifest-digest': digest },
      type: 'cosign container image signature',
    },
    optional: note === '' ? null : { note },
  };
  const annotations = { 'dev.cosignproject.cosign/signature': 'MEUC' };
  return aPaper({ layers: [{ mediaType: simpleSigning, content: JSON.stringify(payload), annotations }], ...more });
}

export function anAttestation(digest: string, more: Partial<PaperShape> = {}): PaperItem {
  const statement = { subject: [{ digest: { sha256: digest.slice(7) } }] };
  const envelope = {
    payloadType: 'application/vnd.in-toto+json',
    payload: Buffer.from(JSON.stringify(statement)).toString('base64'),
    signatures: [{ sig: 'MEUC' }],
  };
  const annotations = { 'dev.cosignproject.cosign/signature': '', predicateType: 'https://example.com/p/v1' };
  return aPaper({ layers: [{ mediaType: dsseEnvelope, content: JSON.stringify(envelope), annotations }], ...more });
}

export function aBundle(subject: string, more: Partial<PaperShape> = {}, content = '{"mediaType":"x"}'): PaperItem {
  return aPaper({
    layers: [{ mediaType: sigstoreBundle, content }],
    artifactType: sigstoreBundle,
    configMediaType: 'application/vnd.oci.empty.v1+json',
    annotations: { 'dev.sigstore.bundle.predicateType': 'https://sigstore.dev/cosign/sign/v1' },
    subject,
    ...more,
  });
}
