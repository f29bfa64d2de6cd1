import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/sigstore/certificate.ts';
import { inTotoPayload, pae } from '../../src/sigstore/dsse.ts';
import { type EntrySigner, matchEntryBody } from '../../src/sigstore/entry-body.ts';
import { parsePublicKey } from '../../src/sigstore/keys.ts';
import type { HashName, LogEntry, SignedContent } from '../../src/sigstore/types.ts';
import { codeSigning, makeCertificate } from '../kit/certificate.ts';
import { describeData, readData } from '../kit/data.ts';
import { realBundle, realBundles } from './bundles.ts';
import { testKey } from './log.ts';
import { expectRefusal, refusalOf } from './refusal.ts';

const signature = Buffer.from('not a real signature, and nobody verifies it here');
const payload = Buffer.from('{"_type":"https://in-toto.io/Statement/v1"}');
const message: SignedContent = { kind: 'message', signature };
const envelope: SignedContent = { kind: 'dsse', payloadType: inTotoPayload, payload, signature, keyId: 'id' };
const artifact = digestOf('sha256', Buffer.from('artifact'));
const { der: certificate } = makeCertificate({ subject: 'leaf', extendedKeyUsage: [codeSigning] });
const { der: stranger } = makeCertificate({ subject: 'leaf', extendedKeyUsage: [codeSigning] });
const { key } = testKey();
const { key: strangeKey } = testKey();

const pems = {
  certificate: pem('CERTIFICATE', certificate),
  key: pem('PUBLIC KEY', key.spki),
  stranger: pem('CERTIFICATE', stranger),
  strangeKey: pem('PUBLIC KEY', strangeKey.spki),
};

/** One body of each kind with where everything stands that must be equal. */
interface Kind {
  readonly content: SignedContent;
  readonly body: Json;
  readonly digest: readonly string[];
  readonly signature?: readonly string[];
  /** Where the PEM stands in base64; undefined for hashedrekord 0.0.2. */
  readonly pem?: readonly string[];
}

type Json = Record<string, unknown>;

const hashedRekord1: Kind = {
  content: message,
  body: {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: hexOf(artifact) },
      signature: { content: base64(signature), publicKey: { content: base64(pems.certificate) } },
    },
  },
  digest: ['spec', 'data', 'hash', 'value'],
  signature: ['spec', 'signature', 'content'],
  pem: ['spec', 'signature', 'publicKey', 'content'],
};

const hashedRekord2: Kind = {
  content: message,
  body: {
    apiVersion: '0.0.2',
    kind: 'hashedrekord',
    spec: {
      hashedRekordV002: {
        data: { algorithm: 'SHA2_256', digest: base64(artifact.value) },
        signature: {
          content: base64(signature),
          verifier: { keyDetails: 'PKIX_ECDSA_P256_SHA_256', x509Certificate: { rawBytes: base64(certificate) } },
        },
      },
    },
  },
  digest: ['spec', 'hashedRekordV002', 'data', 'digest'],
  signature: ['spec', 'hashedRekordV002', 'signature', 'content'],
};

const hashedRekord2Envelope: Kind = {
  ...hashedRekord2,
  content: envelope,
  body: put(hashedRekord2.body, hashedRekord2.digest, base64(digestOf('sha256', pae(inTotoPayload, payload)).value)),
};

const dsse: Kind = {
  content: envelope,
  body: {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: hexOf(digestOf('sha256', Buffer.from('as uploaded'))),
      payloadHash: hexOf(digestOf('sha256', payload)),
      signatures: [{ signature: base64(signature), verifier: base64(pems.certificate) }],
    },
  },
  digest: ['spec', 'payloadHash', 'value'],
  signature: ['spec', 'signatures', '0', 'signature'],
  pem: ['spec', 'signatures', '0', 'verifier'],
};

const intoto2: Kind = {
  content: envelope,
  body: {
    apiVersion: '0.0.2',
    kind: 'intoto',
    spec: {
      content: {
        envelope: {
          payloadType: inTotoPayload,
          signatures: [{ keyid: 'id', publicKey: base64(pems.certificate), sig: base64(base64(signature)) }],
        },
        hash: hexOf(digestOf('sha256', Buffer.from('as uploaded'))),
        payloadHash: hexOf(digestOf('sha256', payload)),
      },
    },
  },
  digest: ['spec', 'content', 'payloadHash', 'value'],
  signature: ['spec', 'content', 'envelope', 'signatures', '0', 'sig'],
  pem: ['spec', 'content', 'envelope', 'signatures', '0', 'publicKey'],
};

const intoto1: Kind = {
  content: envelope,
  body: {
    apiVersion: '0.0.1',
    kind: 'intoto',
    spec: {
      content: {
        hash: hexOf(digestOf('sha256', Buffer.from('as uploaded'))),
        payloadHash: hexOf(digestOf('sha256', payload)),
      },
      publicKey: base64(pems.certificate),
    },
  },
  digest: ['spec', 'content', 'payloadHash', 'value'],
  pem: ['spec', 'publicKey'],
};

/** Before Rekor kept the payload's hash: the envelope as Go's dsse package writes it. */
const oldIntoto1: Kind = {
  ...intoto1,
  body: {
    ...intoto1.body,
    spec: {
      content: {
        hash: hexOf(
          digestOf(
            'sha256',
            Buffer.from(
              `{"payloadType":"${inTotoPayload}","payload":"${base64(payload)}","signatures":[{"keyid":"id","sig":"${base64(signature)}"}]}`,
            ),
          ),
        ),
      },
      publicKey: base64(pems.certificate),
    },
  },
  digest: ['spec', 'content', 'hash', 'value'],
};

const kinds: readonly (readonly [string, Kind])[] = [
  ['hashedrekord 0.0.1', hashedRekord1],
  ['hashedrekord 0.0.2', hashedRekord2],
  ['hashedrekord 0.0.2 of an envelope', hashedRekord2Envelope],
  ['dsse 0.0.1', dsse],
  ['intoto 0.0.1', intoto1],
  ['intoto 0.0.1 without the hash of the payload', oldIntoto1],
  ['intoto 0.0.2', intoto2],
];

describe.each(kinds)('an entry of kind %s', (_, kind) => {
  it('matches what it is about', () => {
    expect(() => match(kind)).not.toThrow();
  });

  it('is refused for another certificate, though it be for the same name', () => {
    expectRefusal(() => match(kind, { signer: { certificate: stranger } }), 'invalid', /another key or certificate/);
    expectRefusal(() => match(kind, { signer: { certificate: Buffer.alloc(0) } }), 'invalid', /another key/);
  });

  it('is refused for a plain key when it was made with a certificate, even one for that key', () => {
    const own = parseCertificate(certificate).publicKey();
    expectRefusal(() => match(kind, { signer: { key: own } }), 'invalid', /another key or certificate/);
  });

  it('is refused for another payload, payload type or artifact', () => {
    if (kind.content.kind === 'message') {
      const other = digestOf('sha256', Buffer.from('other'));
      expectRefusal(() => match(kind, { digest: other }), 'wrong-subject', /another artifact/);
      const longer = digestOf('sha512', Buffer.from('artifact'));
      expectRefusal(() => match(kind, { digest: longer }), 'wrong-subject', /another artifact/);
      expectRefusal(() => match(kind, { digest: undefined }), 'invalid', /none to compare/);
      return;
    }
    const other = { ...kind.content, payload: Buffer.from('{}') };
    expectRefusal(() => match(kind, { content: other }), 'invalid', /another (?:payload|envelope)/);
  });

  it('is refused when it has another digest', () => {
    const bytes = Buffer.alloc(32, 7);
    const hex = kind.digest.at(-1) === 'value';
    const changed = put(kind.body, kind.digest, hex ? bytes.toString('hex') : base64(bytes));
    expect(refusalOf(() => match(kind, { body: changed })).code).toMatch(/^(?:invalid|wrong-subject)$/);
  });

  it('is refused when it states another kind beside it', () => {
    for (const stated of [
      { kind: 'rekord', version: kind.body['apiVersion'] as string },
      { kind: kind.body['kind'] as string, version: '0.0.3' },
    ]) {
      expectRefusal(() => match(kind, { stated }), 'invalid', /another kind/);
    }
  });

  it('is malformed or invalid when any one field is missing, null, of another type or unknown', () => {
    // Compared nowhere: the hash of an envelope that no bundle keeps, and a hint at the key.
    const free = /^spec\.(?:envelopeHash|content\.hash|content\.envelope\.signatures\.0\.keyid)(?:\.|$)/;
    for (const place of placesOf(kind.body)) {
      if (kind !== oldIntoto1 && free.test(place.join('.'))) continue;
      for (const wrong of [undefined, null, 5, true, '', [], {}]) {
        refusalOf(() => match(kind, { body: put(kind.body, place, wrong) }));
      }
      // A list with one more is a test of its own.
      if (Array.isArray(take(kind.body, place))) continue;
      refusalOf(() => match(kind, { body: put(kind.body, [...place, 'more'], 1) }));
    }
    refusalOf(() => match(kind, { body: { ...kind.body, more: 1 } }));
  });

  it('is malformed when it is no strict JSON', () => {
    const text = JSON.stringify(kind.body);
    const twice = text.replace('{"apiVersion"', '{"kind":"x","apiVersion"');
    const texts = ['', 'null', '[]', `${text}x`, twice, `\ufeff${text}`, text.slice(0, -1)];
    for (const each of texts) expectRefusal(() => match(kind, { raw: Buffer.from(each) }), 'malformed', /log entry/);
    const broken = Buffer.from(text.replace('0.0', '\u00ff'), 'latin1');
    expectRefusal(() => match(kind, { raw: broken }), 'malformed', /log entry/);
  });

  it('is refused with one bit of any byte flipped, where anything is compared with it', () => {
    const text = Buffer.from(JSON.stringify(kind.body));
    const ignored = ignoredBytes(text, kind);
    for (let at = 0; at < text.length; at++) {
      if (ignored.has(at)) continue;
      const raw = Buffer.from(text);
      raw[at]! ^= 1 << (at % 8);
      refusalOf(() => match(kind, { raw }));
    }
  });
});

describe.each(kinds.filter(([, each]) => each.signature !== undefined))('the signature in %s', (_, kind) => {
  it('must be the one that is verified', () => {
    const other = { ...kind.content, signature: Buffer.from('another') };
    expectRefusal(() => match(kind, { content: other }), 'invalid', /another signature/);
    const longer = { ...kind.content, signature: Buffer.concat([signature, Buffer.of(0)]) };
    expectRefusal(() => match(kind, { content: longer }), 'invalid', /another signature/);
  });

  it('must be canonical base64', () => {
    const written = take(kind.body, kind.signature!) as string;
    for (const wrong of [written.replace(/=+$/, ''), `${written}\n`, ` ${written}`, written.replace(/^./, '-')]) {
      if (wrong === written) continue;
      expectRefusal(() => match(kind, { body: put(kind.body, kind.signature!, wrong) }), 'malformed', /base64/);
    }
  });
});

describe.each(kinds.filter(([, each]) => each.pem !== undefined))('the key in %s', (_, kind) => {
  const withPem = (text: string) => put(kind.body, kind.pem!, base64(text));

  it('may be a plain key, and must then be the one that is pinned', () => {
    const body = withPem(pems.key);
    expect(() => match(kind, { body, signer: { key } })).not.toThrow();
    expectRefusal(() => match(kind, { body, signer: { key: strangeKey } }), 'invalid', /another key/);
    expectRefusal(() => match(kind, { body }), 'invalid', /another key/);
  });

  it('may have the chain behind the certificate, and not before it', () => {
    expect(() => match(kind, { body: withPem(pems.certificate + pems.stranger) })).not.toThrow();
    expectRefusal(() => match(kind, { body: withPem(pems.stranger + pems.certificate) }), 'invalid', /another key/);
    expectRefusal(() => match(kind, { body: withPem(pems.key + pems.certificate) }), 'invalid', /another key/);
    const mixed = withPem(pems.key + pems.certificate);
    expectRefusal(() => match(kind, { body: mixed, signer: { key } }), 'malformed', /more than one key/);
  });

  it('is refused when it is not PEM', () => {
    for (const text of ['x', certificate.toString('base64'), pems.certificate.replace('-----END', 'END')]) {
      refusalOf(() => match(kind, { body: withPem(text) }));
      refusalOf(() => match(kind, { body: withPem(text), signer: { key } }));
    }
  });
});

describe('a log entry', () => {
  it('of Rekor v2 may hold a plain key', () => {
    const where = ['spec', 'hashedRekordV002', 'signature', 'verifier'];
    const verifier = { keyDetails: 'PKIX_ECDSA_P256_SHA_256', publicKey: { rawBytes: base64(key.spki) } };
    const body = put(hashedRekord2.body, where, verifier);
    expect(() => match(hashedRekord2, { body, signer: { key } })).not.toThrow();
    expectRefusal(() => match(hashedRekord2, { body, signer: { key: strangeKey } }), 'invalid', /another key/);
    expectRefusal(() => match(hashedRekord2, { body }), 'invalid', /another key/);
    const both = put(body, [...where, 'x509Certificate'], { rawBytes: base64(certificate) });
    expectRefusal(() => match(hashedRekord2, { body: both, signer: { key } }), 'malformed', /more than one/);
  });

  it.each(['sha384', 'sha512'] as const)('may be over a digest by %s', (algorithm) => {
    const digest = digestOf(algorithm, Buffer.from('artifact'));
    const one = put(hashedRekord1.body, ['spec', 'data', 'hash'], hexOf(digest));
    expect(() => match(hashedRekord1, { body: one, digest })).not.toThrow();
    expectRefusal(() => match(hashedRekord1, { body: one }), 'wrong-subject', /another artifact/);
    const data = { algorithm: algorithm.replace('sha', 'SHA2_'), digest: base64(digest.value) };
    const two = put(hashedRekord2.body, ['spec', 'hashedRekordV002', 'data'], data);
    expect(() => match(hashedRekord2, { body: two, digest })).not.toThrow();
  });

  it('over a digest by an algorithm that is not known here is unsupported, one of the wrong length malformed', () => {
    const sha1 = { algorithm: 'sha1', value: '00'.repeat(20) };
    const place = ['spec', 'data', 'hash'];
    expectRefusal(() => match(hashedRekord1, { body: put(hashedRekord1.body, place, sha1) }), 'unsupported', /sha1/);
    const short = { algorithm: 'sha256', value: artifact.value.subarray(1).toString('hex') };
    expectRefusal(() => match(hashedRekord1, { body: put(hashedRekord1.body, place, short) }), 'malformed', /long/);
    const proto = ['spec', 'hashedRekordV002', 'data', 'algorithm'];
    expectRefusal(() => match(hashedRekord2, { body: put(hashedRekord2.body, proto, 'sha1') }), 'unsupported', /sha1/);
  });

  it.each(['dsse', 'intoto'])('with several signatures, or none, is refused (%s)', (name) => {
    const kind = name === 'dsse' ? dsse : intoto2;
    const place = kind.signature!.slice(0, -2);
    const [one] = take(kind.body, place) as [unknown];
    for (const list of [[], [one, one], [one, {}]]) {
      const refusal = refusalOf(() => match(kind, { body: put(kind.body, place, list) }));
      expect(refusal.code).toMatch(/^(?:invalid|malformed)$/);
    }
  });

  it('of intoto 0.0.2 may keep the payload, and must then keep this one', () => {
    const place = ['spec', 'content', 'envelope', 'payload'];
    expect(() => match(intoto2, { body: put(intoto2.body, place, base64(base64(payload))) })).not.toThrow();
    const other = put(intoto2.body, place, base64(base64(Buffer.from('{}'))));
    expectRefusal(() => match(intoto2, { body: other }), 'invalid', /another payload/);
  });

  it('of intoto 0.0.2 must have the payload type of the envelope', () => {
    const body = put(intoto2.body, ['spec', 'content', 'envelope', 'payloadType'], 'text/plain');
    expectRefusal(() => match(intoto2, { body }), 'invalid', /another type/);
  });

  it('of intoto 0.0.1 without any hash that we can compute is refused', () => {
    const body = put(intoto1.body, ['spec', 'content', 'payloadHash'], undefined);
    expectRefusal(() => match(intoto1, { body }), 'invalid', /another envelope/);
    const signatureOfOther = { ...envelope, signature: Buffer.from('another') };
    expectRefusal(() => match(oldIntoto1, { content: signatureOfOther }), 'invalid', /another envelope/);
  });

  it.each([
    ['rekord 0.0.1', message],
    ['hashedrekord 0.0.3', message],
    ['dsse 0.0.1', message],
    ['intoto 0.0.2', message],
    ['dsse 0.0.2', envelope],
    ['intoto 0.0.3', envelope],
    ['hashedrekord 0.0.1', envelope],
    ['__proto__ x', envelope],
  ])('of kind %s is unsupported for a signature of the other sort, or at all', (name, content) => {
    const [kind, apiVersion] = name.split(' ');
    const body = { apiVersion, kind, spec: {} };
    expectRefusal(() => match({ content, body, digest: [] }), 'unsupported', /is none for/);
  });

  it('with a huge body ends in a refusal', () => {
    const deep = Buffer.from(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    expectRefusal(() => match(dsse, { raw: deep }), 'malformed', /deeper/);
    const text = `-----BEGIN CERTIFICATE-----${'\n'.repeat(100_000)}`;
    refusalOf(() => match(dsse, { body: put(dsse.body, dsse.pem!, base64(text)) }));
  });

  it('ends in a result or a refusal, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.json(), fc.nat(), ([, kind], json, place) => {
        refusalOf(() => match(kind, { raw: Buffer.from(json) }));
        const places = placesOf(kind.body);
        const body = put(kind.body, places[place % places.length]!, JSON.parse(json));
        try {
          match(kind, { body });
        } catch (error) {
          expect(error).toMatchObject({ name: 'VerifyError' });
        }
      }),
      { numRuns: 300 },
    );
  });
});

describeData('bodies of real log entries', () => {
  const good = realBundles().filter((each) => each.good && each.entity.material.kind === 'certificate');

  it('match in every good bundle, and in no bundle with the entry of another', () => {
    const seen = new Map<string, number>();
    for (const { name, entity } of good) {
      for (const entry of entity.entries) {
        const signer = signerOf(entity.material);
        const digest = entity.content.kind === 'message' ? entity.content.digest : undefined;
        expect(() => matchEntryBody(entry, entity.content, signer, digest), name).not.toThrow();
        const kind = `${entry.kind?.kind} ${entry.kind?.version}`;
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
        for (const other of good) {
          if (other.entity.content.signature.equals(entity.content.signature)) continue;
          const foreign = other.entity.content.kind === 'message' ? other.entity.content.digest : undefined;
          refusalOf(() => matchEntryBody(entry, other.entity.content, signerOf(other.entity.material), foreign));
          // One of them swapped is enough.
          refusalOf(() => matchEntryBody(entry, other.entity.content, signer, digest));
          refusalOf(() => matchEntryBody(entry, entity.content, signerOf(other.entity.material), digest));
        }
      }
    }
    expect(Object.fromEntries(seen)).toEqual({
      'dsse 0.0.1': 13,
      'hashedrekord 0.0.1': 3,
      'hashedrekord 0.0.2': 6,
      'intoto 0.0.2': 4,
    });
  });

  it('match a pinned key, and not another one', () => {
    const { entity } = realBundle('conformance/managed-key-happy-path');
    const [entry] = entity.entries;
    const pinned = parsePublicKey(readData('sigstore/conformance/managed-key-happy-path/key.pub'));
    const digest = entity.content.kind === 'message' ? entity.content.digest : undefined;
    expect(() => matchEntryBody(entry!, entity.content, { key: pinned }, digest)).not.toThrow();
    expectRefusal(() => matchEntryBody(entry!, entity.content, { key }, digest), 'invalid', /another key/);
  });

  it.each([
    ['dsse-mismatch-envelope', 'invalid'],
    ['dsse-mismatch-sig', 'invalid'],
    ['intoto-log-entry-mismatch', 'invalid'],
    ['incorrect-public-key', 'invalid'],
  ])('do not match in %s', (name, code) => {
    const { entity } = realBundle(`conformance/${name}_fail`);
    const digest = entity.content.kind === 'message' ? entity.content.digest : undefined;
    const refusal = refusalOf(() =>
      matchEntryBody(entity.entries[0]!, entity.content, signerOf(entity.material), digest),
    );
    expect(refusal.code).toBe(code);
  });
});

interface Changes {
  readonly body?: Json;
  readonly raw?: Buffer;
  readonly content?: SignedContent;
  readonly signer?: EntrySigner;
  readonly digest?: typeof artifact | undefined;
  readonly stated?: { readonly kind: string; readonly version: string };
}

function match(kind: Kind, changes: Changes = {}): void {
  const body = changes.raw ?? Buffer.from(JSON.stringify(changes.body ?? kind.body));
  const entry: LogEntry = {
    logIndex: 1,
    logId: Buffer.alloc(32),
    body,
    ...(changes.stated && { kind: changes.stated }),
  };
  const digest = 'digest' in changes ? changes.digest : artifact;
  matchEntryBody(entry, changes.content ?? kind.content, changes.signer ?? { certificate }, digest);
}

function signerOf(material: { kind: 'certificate'; leaf: Buffer } | { kind: 'key' }): EntrySigner {
  if (material.kind === 'key') throw new Error('a bundle with a certificate is expected');
  return { certificate: material.leaf };
}

/** Every place of an object or list, by the names on the way there. */
function placesOf(value: unknown, way: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => [[...way, name], ...placesOf(each, [...way, name])]);
}

function take(value: unknown, [name, ...rest]: readonly string[]): unknown {
  return name === undefined ? value : take((value as Json)[name], rest);
}

/** A copy with one thing put in another's place; `undefined` takes it away. */
function put(value: Json, place: readonly string[], thing: unknown): Json {
  const copy = structuredClone(value);
  const last = place.at(-1)!;
  const holder = take(copy, place.slice(0, -1));
  if (typeof holder !== 'object' || holder === null) {
    return put(value, place.slice(0, -1), { [last]: thing });
  }
  if (thing === undefined && Array.isArray(holder)) holder.splice(Number(last), 1);
  else if (thing === undefined) delete (holder as Json)[last];
  else Object.assign(holder, { [last]: thing });
  return copy;
}

/** The bytes of those values that nothing is compared with, and the letters of hexadecimal, whose case says nothing. */
function ignoredBytes(text: Buffer, kind: Kind): ReadonlySet<number> {
  const found = new Set<number>();
  const add = (part: string) => {
    const start = text.indexOf(part);
    if (start !== -1) for (let at = start; at < start + part.length; at++) found.add(at);
  };
  if (kind !== oldIntoto1) add(JSON.stringify(hexOf(digestOf('sha256', Buffer.from('as uploaded')))).slice(1, -1));
  const keyId = text.indexOf('"keyid":"id"');
  if (keyId !== -1) found.add(keyId + 9).add(keyId + 10);
  add('PKIX_ECDSA_P256_SHA_256');
  // The newline at the end of PEM, which may be any white space.
  add(base64(pems.certificate).slice(-8));
  for (const [at, letter] of [...(take(kind.body, kind.digest) as string)].entries()) {
    if (/[a-f]/.test(letter) && kind.digest.at(-1) === 'value')
      found.add(text.indexOf(take(kind.body, kind.digest) as string) + at);
  }
  return found;
}

function digestOf(algorithm: HashName, data: Buffer): { algorithm: HashName; value: Buffer } {
  return { algorithm, value: createHash(algorithm).update(data).digest() };
}

function hexOf({ algorithm, value }: { algorithm: HashName; value: Buffer }): Json {
  return { algorithm, value: value.toString('hex') };
}

function base64(bytes: Buffer | string): string {
  return Buffer.from(bytes).toString('base64');
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
