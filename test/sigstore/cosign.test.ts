import { createHash, sign } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CosignLayer, parseCosignLayer } from '../../src/sigstore/cosign.ts';
import { inTotoPayload, pae } from '../../src/sigstore/dsse.ts';
import { VerifyError } from '../../src/sigstore/failure.ts';
import { publicKeyFromSpki } from '../../src/sigstore/keys.ts';
import { matchSimpleSigning, simpleSigningSubject } from '../../src/sigstore/simple-signing.ts';
import type { Artifact, SignedEntity, TrustRoot } from '../../src/sigstore/types.ts';
import { outcomeOf, verifyEntity } from '../../src/sigstore/verify.ts';
import { makeAuthority, makeCertificate, makeKeys, noon, spkiOf, timeStamping } from '../kit/certificate.ts';
import { describeData } from '../kit/data.ts';
import { dsseEnvelope, simpleSigning } from '../kit/papers.ts';
import { realBundles } from './bundles.ts';
import { statementAbout } from './instance.ts';
import { sha256, testLog } from './log.ts';
import { expectRefusal } from './refusal.ts';
import { makeTimestamp } from './tsa.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const other = `sha256:${'cd'.repeat(32)}`;

function payloadOf(image = digest, changes: Record<string, unknown> = {}): Buffer {
  const critical = {
    identity: { 'docker-reference': 'registry.example/app' },
    image: { 'docker-manifest-digest': image },
    type: 'cosign container image signature',
    ...changes,
  };
  return Buffer.from(JSON.stringify({ critical, optional: { commit: 'abc' } }));
}

function artifactOf(payload: Buffer): Artifact {
  return { name: 'payload', digests: new Map([['sha256', sha256(payload).toString('hex')]]), bytes: payload };
}

function layerOf(bytes: Buffer, annotations: Record<string, string>, mediaType = simpleSigning): CosignLayer {
  return { bytes, annotations: new Map(Object.entries(annotations)), mediaType };
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

const names = {
  signature: 'dev.cosignproject.cosign/signature',
  certificate: 'dev.sigstore.cosign/certificate',
  chain: 'dev.sigstore.cosign/chain',
  bundle: 'dev.sigstore.cosign/bundle',
  timestamp: 'dev.sigstore.cosign/rfc3161timestamp',
};

describe('the payload of a simple signature', () => {
  it('names the image by digest, and says what its signer called it', () => {
    const subject = simpleSigningSubject(payloadOf());
    expect(subject).toEqual({ digest, reference: 'registry.example/app', optional: new Map([['commit', 'abc']]) });
  });

  it.each([
    ['with nothing optional', { optional: null }],
    ['without the optional part', { optional: undefined }],
  ])('is read %s', (_, changes) => {
    const document = { ...JSON.parse(payloadOf().toString()), ...changes };
    expect(simpleSigningSubject(Buffer.from(JSON.stringify(document))).optional).toEqual(new Map());
  });

  it('is read as the first releases of cosign wrote it', () => {
    const text = `{"Critical":{"Identity":{"docker-reference":""},"Image":{"Docker-manifest-digest":"${digest}"},"Type":"cosign container image signature"},"Optional":null}`;
    expect(simpleSigningSubject(Buffer.from(text))).toEqual({ digest, reference: '', optional: new Map() });
  });

  it('is read as other tools type it', () => {
    expect(simpleSigningSubject(payloadOf(digest, { type: 'atomic container signature' })).digest).toBe(digest);
  });

  it('is about one image alone', () => {
    expect(matchSimpleSigning(payloadOf(), [other, digest]).digest).toBe(digest);
    expectRefusal(() => matchSimpleSigning(payloadOf(), [other]), 'wrong-subject', /names another image/);
    expectRefusal(() => matchSimpleSigning(payloadOf(), []), 'wrong-subject', /names another image/);
  });

  it.each([
    ['another type', payloadOf(digest, { type: 'a promise' }), 'unsupported', /type "a promise"/],
    ['no type', payloadOf(digest, { type: undefined }), 'malformed', /no "type"/],
    ['a digest in capitals', payloadOf(digest.toUpperCase()), 'malformed', /no digest/],
    ['a digest that is cut', payloadOf(digest.slice(0, -1)), 'malformed', /no digest/],
    ['a tag where the digest belongs', payloadOf('latest'), 'malformed', /no digest/],
    ['no image', payloadOf(digest, { image: undefined }), 'malformed', /"image" is no object/],
    ['a critical field that is not known', payloadOf(digest, { expires: 1 }), 'malformed', /unknown field "expires"/],
    ['a list', Buffer.from('[]'), 'malformed', /no object/],
    ['no JSON', Buffer.from('{'), 'malformed', /strict JSON/],
    ['bytes that are no text', Buffer.from([0x7b, 0xff, 0x7d]), 'malformed', /UTF-8/],
    ['too much', Buffer.alloc(1024 * 1024 + 1, ' '), 'malformed', /larger than/],
    [
      'two digests',
      Buffer.from(payloadOf().toString().replace('"image":{', `"image":{"docker-manifest-digest":"${other}",`)),
      'malformed',
      /stands twice/,
    ],
    [
      'two digests in two spellings',
      Buffer.from(payloadOf().toString().replace('"image":{', `"image":{"Docker-manifest-digest":"${other}",`)),
      'malformed',
      /two spellings/,
    ],
    [
      'a field beside the critical ones',
      Buffer.from(payloadOf().toString().replace('"optional"', '"more":1,"optional"')),
      'malformed',
      /unknown field "more"/,
    ],
  ] as const)('is refused with %s', (_, payload, code, message) => {
    expectRefusal(() => simpleSigningSubject(payload), code, message);
  });
});

describe('a layer that a plain key signed', () => {
  const keys = makeKeys();
  const key = publicKeyFromSpki(spkiOf(keys));
  const payload = payloadOf();
  const signature = sign('sha256', payload, keys.privateKey).toString('base64');
  const layer = layerOf(payload, { [names.signature]: signature, [names.certificate]: '', [names.chain]: '' });

  it('verifies with that key, over the payload', () => {
    const entity = parseCosignLayer(layer);
    expect(entity.material).toEqual({ kind: 'key' });
    const verified = verifyEntity(entity, [], artifactOf(payload), { key });
    expect(verified).toMatchObject({ signer: { kind: 'key', fingerprint: key.fingerprint }, times: [] });
    expect(verified.statement).toBeUndefined();
  });

  it('verifies when a line ends its signature, as signatures from files do', () => {
    const entity = parseCosignLayer(layerOf(payload, { [names.signature]: `${signature}\n` }));
    expect(outcomeOf(() => verifyEntity(entity, [], artifactOf(payload), { key })).ok).toBe(true);
  });

  it('does not verify over another payload, with another key, or with none', () => {
    const entity = parseCosignLayer(layer);
    const another = publicKeyFromSpki(spkiOf(makeKeys()));
    expectRefusal(() => verifyEntity(entity, [], artifactOf(payloadOf(other)), { key }), 'invalid', /does not hold/);
    expectRefusal(() => verifyEntity(entity, [], artifactOf(payload), { key: another }), 'invalid', /does not hold/);
    expectRefusal(() => verifyEntity(entity, [], artifactOf(payload), {}), 'untrusted', /no key/);
  });
});

describe('a layer with certificate and log entry', () => {
  const { authority, intermediate, root } = makeAuthority();
  const log = testLog();
  const trust: TrustRoot = {
    name: 'test',
    digest: '',
    tlogs: [log.key],
    ctlogs: [],
    certificateAuthorities: [authority],
    timestampAuthorities: [],
  };
  const leaf = makeCertificate({
    issuer: intermediate,
    extendedKeyUsage: ['1.3.6.1.5.5.7.3.3'],
    emails: ['alice@acme.example'],
    extensions: [{ oid: '1.3.6.1.4.1.57264.1.1', value: Buffer.from('https://issuer.example') }],
  });
  const payload = payloadOf();
  const signature = sign('sha256', payload, leaf.privateKey);
  const certificate = pem('CERTIFICATE', leaf.der);
  const chain = pem('CERTIFICATE', intermediate.der) + pem('CERTIFICATE', root.der);

  function bodyOf(content = signature, signed = payload): Buffer {
    const spec = {
      data: { hash: { algorithm: 'sha256', value: sha256(signed).toString('hex') } },
      signature: {
        content: content.toString('base64'),
        publicKey: { content: Buffer.from(certificate).toString('base64') },
      },
    };
    return Buffer.from(JSON.stringify({ apiVersion: '0.0.1', kind: 'hashedrekord', spec }));
  }

  function bundleOf(body = bodyOf(), changes: Record<string, unknown> = {}): string {
    const [integratedTime, logIndex] = [noon / 1000, 80008005];
    const logID = sha256(log.signer.key.spki).toString('hex');
    return JSON.stringify({
      SignedEntryTimestamp: log.promise(body, integratedTime, logIndex).toString('base64'),
      Payload: { body: body.toString('base64'), integratedTime, logIndex, logID, ...changes },
    });
  }

  function layer(changes: Record<string, string> = {}): CosignLayer {
    return layerOf(payload, {
      [names.signature]: signature.toString('base64'),
      [names.certificate]: certificate,
      [names.chain]: chain,
      [names.bundle]: bundleOf(),
      'org.example.note': 'somebody else wrote this',
      ...changes,
    });
  }

  function verify(changes: Record<string, string> = {}, roots: readonly TrustRoot[] = [trust]) {
    return verifyEntity(parseCosignLayer(layer(changes)), roots, artifactOf(payload));
  }

  it('verifies, and says who signed and when', () => {
    expect(verify()).toMatchObject({
      format: 'cosign annotation',
      signer: { kind: 'certificate', identity: { subject: { type: 'email', value: 'alice@acme.example' } } },
      times: [{ at: noon, source: 'log' }],
      log: { index: 80008005 },
    });
  });

  it('verifies whatever else came along to build the chain', () => {
    expect(outcomeOf(() => verify({ [names.chain]: '' })).ok).toBe(true);
    expect(outcomeOf(() => verify({ [names.chain]: '', [names.certificate]: certificate + chain })).ok).toBe(true);
  });

  it('is not trusted for the chain that it brings', () => {
    const stranger = makeAuthority();
    const strange = { ...trust, certificateAuthorities: [stranger.authority] };
    expectRefusal(() => verify({}, [strange]), 'untrusted', /./);
  });

  it('is unproved without its log entry', () => {
    expectRefusal(() => verify({ [names.bundle]: '' }), 'unproved', /no transparency log entry/);
  });

  it.each([
    ['another time', { integratedTime: noon / 1000 + 1 }],
    ['another index', { logIndex: 1 }],
    ['another body', { body: bodyOf(Buffer.from('x')).toString('base64') }],
  ])('is invalid when its log entry states %s than the log signed', (_, changes) => {
    expectRefusal(() => verify({ [names.bundle]: bundleOf(bodyOf(), changes) }), 'invalid', /./);
  });

  it('is invalid with the log entry of another signature', () => {
    const second = sign('sha256', payload, leaf.privateKey);
    expectRefusal(() => verify({ [names.bundle]: bundleOf(bodyOf(second)) }), 'invalid', /another signature/);
    expectRefusal(
      () => verify({ [names.bundle]: bundleOf(bodyOf(signature, payloadOf(other))) }),
      'wrong-subject',
      /./,
    );
  });

  it('needs the promise of the log, since nothing else is there', () => {
    const entity = parseCosignLayer(layer());
    expect(entity.requires).toBe('promise');
    const entries = entity.entries.map(({ promise: _, ...entry }) => entry);
    expectRefusal(() => verifyEntity({ ...entity, entries }, [trust], artifactOf(payload)), 'unproved', /promise/);
  });

  it.each([
    [
      'a signature that is no base64',
      { [names.signature]: 'MEUC$' },
      'malformed',
      /signature annotation is not base64/,
    ],
    ['no signature', { [names.signature]: '' }, 'malformed', /no annotation dev.cosignproject.cosign\/signature/],
    ['a certificate that is no PEM', { [names.certificate]: 'x' }, 'malformed', /PEM/],
    ['a key for a certificate', { [names.certificate]: pem('PUBLIC KEY', leaf.der) }, 'malformed', /"PUBLIC KEY"/],
    ['a private key for a chain', { [names.chain]: pem('PRIVATE KEY', leaf.der) }, 'malformed', /"PRIVATE KEY"/],
    ['an endless chain', { [names.chain]: certificate.repeat(17) }, 'malformed', /more than 16/],
    ['a huge annotation', { [names.bundle]: ' '.repeat(1024 * 1024 + 1) }, 'malformed', /larger than/],
    ['a log entry that is no JSON', { [names.bundle]: '{' }, 'malformed', /strict JSON/],
    ['a log entry that is null', { [names.bundle]: 'null' }, 'malformed', /not an object/],
    ['a log entry without payload', { [names.bundle]: '{"SignedEntryTimestamp":"AAAA"}' }, 'malformed', /Payload/],
    [
      'a log entry without promise',
      { [names.bundle]: bundleOf().replace(/^\{"[^,]*,/, '{') },
      'malformed',
      /no Signed/,
    ],
    ['an unknown field', { [names.bundle]: bundleOf(bodyOf(), { proof: 1 }) }, 'malformed', /unknown field "proof"/],
    ['no time', { [names.bundle]: bundleOf(bodyOf(), { integratedTime: undefined }) }, 'malformed', /integratedTime/],
    [
      'a time that is text',
      { [names.bundle]: bundleOf(bodyOf(), { integratedTime: '1' }) },
      'malformed',
      /integratedTime/,
    ],
    ['a negative index', { [names.bundle]: bundleOf(bodyOf(), { logIndex: -1 }) }, 'malformed', /logIndex/],
    ['half an index', { [names.bundle]: bundleOf(bodyOf(), { logIndex: 0.5 }) }, 'malformed', /logIndex/],
    ['a log id that is no hash', { [names.bundle]: bundleOf(bodyOf(), { logID: 'c0' }) }, 'malformed', /logID/],
    ['a body that is an object', { [names.bundle]: bundleOf(bodyOf(), { body: {} }) }, 'malformed', /body/],
    ['two payloads', { [names.bundle]: bundleOf().replace('}}', '},"Payload":{}}') }, 'malformed', /stands twice/],
    ['a timestamp that is no JSON', { [names.timestamp]: 'MIIC' }, 'malformed', /strict JSON/],
    ['an empty timestamp', { [names.timestamp]: '{"SignedRFC3161Timestamp":""}' }, 'malformed', /empty/],
  ] as const)('is refused with %s', (_, changes, code, message) => {
    expectRefusal(() => parseCosignLayer(layer(changes)), code, message);
  });

  it('never ends in anything but a refusal, whatever its annotations hold', () => {
    const good = layer();
    const [bundle, cut] = [bundleOf(), fc.nat(4000)];
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.tuple(cut, fc.string({ maxLength: 3 })).map(([at, by]) => bundle.slice(0, at) + by + bundle.slice(at + 1)),
      fc.tuple(cut, fc.string({ maxLength: 3 })).map(([at, by]) => chain.slice(0, at) + by + chain.slice(at + 1)),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(names)),
        text,
        fc.uint8Array(),
        fc.boolean(),
        (name, value, bytes, isDsse) => {
          const annotations = new Map([...good.annotations, [name, value]]);
          const mediaType = isDsse ? dsseEnvelope : simpleSigning;
          try {
            parseCosignLayer({ bytes: Buffer.from(bytes), annotations, mediaType });
          } catch (error) {
            expect(error).toBeInstanceOf(VerifyError);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('a timestamp on an envelope', () => {
  const { authority, intermediate } = makeAuthority();
  const stamping = makeAuthority({ purpose: timeStamping });
  const tsa = makeCertificate({
    subject: 'tsa',
    issuer: stamping.intermediate,
    extendedKeyUsage: [timeStamping],
    extendedKeyUsageCritical: true,
  });
  const trust: TrustRoot = {
    name: 'test',
    digest: '',
    tlogs: [],
    ctlogs: [],
    certificateAuthorities: [authority],
    timestampAuthorities: [stamping.authority],
  };
  const leaf = makeCertificate({
    issuer: intermediate,
    extendedKeyUsage: ['1.3.6.1.5.5.7.3.3'],
    emails: ['alice@acme.example'],
    extensions: [{ oid: '1.3.6.1.4.1.57264.1.1', value: Buffer.from('https://issuer.example') }],
  });
  const content = Buffer.from('an image');
  const payload = Buffer.from(JSON.stringify(statementAbout(content)));
  const signature = sign('sha256', pae(inTotoPayload, payload), leaf.privateKey);
  const sig = signature.toString('base64');
  const document = { payloadType: inTotoPayload, payload: payload.toString('base64'), signatures: [{ sig }] };
  const envelope = Buffer.from(JSON.stringify(document));

  function verify(signed: Buffer, bytes = envelope) {
    const stamp = makeTimestamp({ signer: tsa, signed, certificates: [tsa.der] });
    const annotations = {
      [names.certificate]: pem('CERTIFICATE', leaf.der),
      [names.timestamp]: JSON.stringify({ SignedRFC3161Timestamp: stamp.toString('base64') }),
    };
    return verifyEntity(parseCosignLayer(layerOf(bytes, annotations, dsseEnvelope)), [trust], artifactOf(content));
  }

  it('proves the time of its signature, over the signature or over all of it', () => {
    for (const signed of [signature, envelope]) {
      expect(verify(signed).times).toMatchObject([{ at: noon, source: 'timestamp-authority' }]);
    }
  });

  it('proves nothing over anything less or anything else', () => {
    for (const signed of [payload, Buffer.from(sig), Buffer.concat([envelope, Buffer.from(' ')])]) {
      expectRefusal(() => verify(signed), 'invalid', /./);
    }
    expectRefusal(() => verify(envelope, Buffer.concat([envelope, Buffer.from(' ')])), 'invalid', /./);
  });
});

describe('a layer with an envelope', () => {
  const envelope = {
    payloadType: 'application/vnd.in-toto+json',
    payload: Buffer.from('{"a":"~~?>"}').toString('base64'),
    signatures: [{ keyid: '', sig: 'MEUC' }],
  };

  function parse(document: unknown, annotations: Record<string, string> = {}): SignedEntity {
    return parseCosignLayer(layerOf(Buffer.from(JSON.stringify(document)), annotations, dsseEnvelope));
  }

  it('is read, with the signature that it holds', () => {
    expect(parse(envelope, { [names.signature]: '', predicateType: 'x' }).content).toEqual({
      kind: 'dsse',
      payloadType: 'application/vnd.in-toto+json',
      payload: Buffer.from('{"a":"~~?>"}'),
      signature: Buffer.from('MEUC', 'base64'),
    });
  });

  it('may use the other alphabet, and fields that nobody knows', () => {
    const payload = envelope.payload.replaceAll('+', '-').replaceAll('/', '_');
    const entity = parse({ ...envelope, payload, more: 1, signatures: [{ sig: 'MEUC', keyid: 'k', cert: 'x' }] });
    expect(entity.content).toMatchObject({ payload: Buffer.from('{"a":"~~?>"}'), keyId: 'k' });
  });

  it('may have a timestamp over all of it', () => {
    const entity = parse(envelope, { [names.timestamp]: '{"SignedRFC3161Timestamp":"MIIC"}' });
    expect(entity.timestamps).toEqual([Buffer.from('MIIC', 'base64')]);
    expect(entity.stamped?.toString()).toBe(JSON.stringify(envelope));
    expect(parseCosignLayer(layerOf(payloadOf(), { [names.signature]: 'MEUC' })).stamped).toBeUndefined();
  });

  it.each([
    ['two signatures', { ...envelope, signatures: [{ sig: 'MEUC' }, { sig: 'MEUC' }] }, 'unsupported', /2 signatures/],
    ['no signature', { ...envelope, signatures: [] }, 'unsupported', /0 signatures/],
    ['no list of signatures', { ...envelope, signatures: {} }, 'malformed', /no signatures/],
    ['a signature that is null', { ...envelope, signatures: [null] }, 'malformed', /no object/],
    ['an empty signature', { ...envelope, signatures: [{ sig: '' }] }, 'malformed', /empty/],
    ['a key id that is a number', { ...envelope, signatures: [{ sig: 'MEUC', keyid: 1 }] }, 'malformed', /key id/],
    ['no payload', { ...envelope, payload: undefined }, 'malformed', /payload of the envelope is no text/],
    ['no payload type', { ...envelope, payloadType: 1 }, 'malformed', /no payload type/],
    ['a list', [envelope], 'malformed', /no object/],
  ] as const)('is refused with %s', (_, document, code, message) => {
    expectRefusal(() => parse(document), code, message);
  });

  it('is refused when an annotation holds another signature', () => {
    expectRefusal(() => parse(envelope, { [names.signature]: 'MEUD' }), 'malformed', /differs/);
    expect(parse(envelope, { [names.signature]: 'MEUC' }).content.kind).toBe('dsse');
  });

  it('is refused under a media type of something else', () => {
    const bytes = Buffer.from(JSON.stringify(envelope));
    expectRefusal(() => parseCosignLayer(layerOf(bytes, {}, 'text/plain')), 'unsupported', /"text\/plain"/);
  });
});

/** A bundle's parts where cosign would have put them. */
function asLayer(entity: SignedEntity, payload: Buffer): CosignLayer {
  const { content, material, timestamps } = entity;
  const [entry] = entity.entries;
  const [timestamp] = timestamps;
  const envelope = {
    payloadType: content.kind === 'dsse' ? content.payloadType : '',
    payload: content.kind === 'dsse' ? content.payload.toString('base64') : '',
    signatures: [
      { keyid: content.kind === 'dsse' ? (content.keyId ?? '') : '', sig: content.signature.toString('base64') },
    ],
  };
  const isMessage = content.kind === 'message';
  const annotations = {
    [names.signature]: isMessage ? content.signature.toString('base64') : '',
    ...(material.kind === 'certificate' && {
      [names.certificate]: pem('CERTIFICATE', material.leaf),
      [names.chain]: material.chain.map((der) => pem('CERTIFICATE', der)).join(''),
    }),
    ...(entry !== undefined && {
      [names.bundle]: JSON.stringify({
        SignedEntryTimestamp: entry.promise?.toString('base64'),
        Payload: {
          body: entry.body.toString('base64'),
          integratedTime: entry.integratedTime,
          logIndex: entry.logIndex,
          logID: entry.logId.toString('hex'),
        },
      }),
    }),
    ...(timestamp !== undefined && {
      [names.timestamp]: JSON.stringify({ SignedRFC3161Timestamp: timestamp.toString('base64') }),
    }),
  };
  const bytes = isMessage ? payload : Buffer.from(JSON.stringify(envelope));
  return layerOf(bytes, annotations, isMessage ? simpleSigning : dsseEnvelope);
}

describeData('real signatures', (dir) => {
  const expressible = ({ entity, good }: ReturnType<typeof realBundles>[number]) =>
    good &&
    entity.material.kind === 'certificate' &&
    entity.entries.every(({ promise }) => promise !== undefined) &&
    entity.entries.length + entity.timestamps.length > 0 &&
    entity.entries.length < 2 &&
    entity.timestamps.length < 2;
  const cases = dir === '/nonexistent' ? [] : realBundles().filter(expressible);

  it('are there to be put into annotations', () => {
    expect(cases.length).toBeGreaterThanOrEqual(20);
    expect(cases.filter(({ name }) => name.includes('/container-'))).toHaveLength(2);
  });

  it.each(cases.map((each) => [each.name, each] as const))(
    'verify the same as annotations: %s',
    (name, { entity, trust }) => {
      const artifact = artifactFor(name, dir);
      const payload = artifact.bytes ?? Buffer.alloc(0);
      const expected = verifyEntity(entity, [trust], artifact);
      const layer = asLayer(entity, payload);
      const got = verifyEntity(parseCosignLayer(layer), [trust], artifact);
      expect({ ...got, format: '' }).toEqual({ ...expected, format: '' });
      const another = { ...artifactOf(Buffer.from('something else')), name: 'another' };
      const outcome = outcomeOf(() => verifyEntity(parseCosignLayer(layer), [trust], another));
      expect(outcome.ok).toBe(false);
    },
  );
});

function artifactFor(name: string, dir: string): Artifact {
  const folder = path.join(dir, 'sigstore', name);
  if (existsSync(path.join(folder, 'digest'))) {
    const stated = readFileSync(path.join(folder, 'digest'), 'utf8').trim();
    return { name, digests: new Map([['sha256', stated.replace('sha256:', '')]]) };
  }
  const own = path.join(folder, 'artifact');
  const bytes = readFileSync(existsSync(own) ? own : path.join(folder, '../a.txt'));
  const hex = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex');
  return { name, digests: new Map(['sha256', 'sha512'].map((algorithm) => [algorithm, hex(algorithm)])), bytes };
}
