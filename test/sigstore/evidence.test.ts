import { readdirSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Evidence, parseEvidence } from '../../src/sigstore/evidence.ts';
import { publicKeyFromSpki } from '../../src/sigstore/keys.ts';
import { isProvenance, readProvenance } from '../../src/sigstore/provenance.ts';
import { parseStatement as parseOf } from '../../src/sigstore/statement.ts';
import { parseTrustRoot } from '../../src/sigstore/trust-root.ts';
import type { Artifact, SignedEntity } from '../../src/sigstore/types.ts';
import { outcomeOf, verifyEntity } from '../../src/sigstore/verify.ts';
import { readVsa, vsaType } from '../../src/sigstore/vsa.ts';
import { makeKeys, spkiOf } from '../kit/certificate.ts';
import { describeData, readData } from '../kit/data.ts';
import {
  artifactOf,
  bytes,
  certificatePem,
  keyPem,
  logged,
  makeInstance,
  signMessage,
  signStatement,
  statementAbout,
} from './instance.ts';
import { expectRefusal } from './refusal.ts';

const keys = makeKeys();
const key = publicKeyFromSpki(spkiOf(keys));
const signed = signStatement(keys, statementAbout(bytes));
if (signed.kind !== 'dsse') throw new Error('not an envelope');
const envelope = {
  payload: signed.payload.toString('base64'),
  payloadType: signed.payloadType,
  signatures: [{ sig: signed.signature.toString('base64'), keyid: 'SHA256:one' }],
};
const bundle = {
  mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  verificationMaterial: { publicKey: { hint: 'SHA256:one' } },
  dsseEnvelope: envelope,
};
const predicateType = 'https://example.com/predicate';

const parse = (value: unknown) => parseEvidence(typeof value === 'string' ? value : JSON.stringify(value));
const entityOf = ({ entity }: Evidence): SignedEntity => {
  if (!entity.ok) throw entity.failure;
  return entity.value;
};
const places = (value: unknown) =>
  parse(value).map(({ place, entity }) => [place, entity.ok ? 'read' : entity.failure.code]);
const verify = (value: unknown) => verifyEntity(entityOf(parse(value)[0]!), [], artifactOf(bytes), { key });

describe('a file of evidence', () => {
  it('with lines that are none keeps the good ones, and names the others', () => {
    const line = JSON.stringify(bundle);
    expect(places(`made by CI\n${line}\n`)).toEqual([
      ['line 1', 'malformed'],
      ['line 2', 'read'],
    ]);
    expect(places(`${line}\n${line.slice(0, -9)}\n\n${line}`)).toEqual([
      ['line 1', 'read'],
      ['line 2', 'malformed'],
      ['line 4', 'read'],
    ]);
    expect(places(`${JSON.stringify(bundle, null, 2)},\n`)).toEqual([['', 'malformed']]);
  });

  it.each([
    ['a bundle', bundle, ['']],
    ['bundles, a line each', `${JSON.stringify(bundle)}\n\n${JSON.stringify(bundle)}\n`, ['line 1', 'line 3']],
    ['an indented bundle', JSON.stringify(bundle, null, 2), ['']],
    ['a document of npm', { attestations: [{ predicateType, bundle }] }, ['attestations[0]']],
    [
      'a document of GitHub',
      { attestations: [{ repository_id: 1, bundle, bundle_url: 'https://x' }] },
      ['attestations[0]'],
    ],
    ['an envelope', envelope, ['']],
    ['envelopes, a line each', `${JSON.stringify(envelope)}\n${JSON.stringify(envelope)}`, ['line 1', 'line 2']],
  ])('may be %s', (_, value, expected) => {
    expect(places(value)).toEqual(expected.map((place) => [place, 'read']));
    expect(verify(value).signer).toEqual({ kind: 'key', fingerprint: key.fingerprint });
  });

  it('may be what cosign wrote for blobs', () => {
    const instance = makeInstance();
    const signer = instance.leaf();
    const content = signMessage(signer, bytes);
    const entry = logged(instance.log, content, certificatePem(signer.der));
    const blob = {
      base64Signature: content.signature.toString('base64'),
      cert: Buffer.from(certificatePem(signer.der)).toString('base64'),
      rekorBundle: {
        SignedEntryTimestamp: entry.promise!.toString('base64'),
        Payload: {
          body: entry.body.toString('base64'),
          integratedTime: entry.integratedTime,
          logIndex: entry.logIndex,
          logID: entry.logId.toString('hex'),
        },
      },
    };
    const { signer: who } = verifyEntity(entityOf(parse(blob)[0]!), [instance.root], artifactOf(bytes));
    expect(who.kind).toBe('certificate');
    expectRefusal(
      () => verifyEntity(entityOf(parse(blob)[0]!), [instance.root], artifactOf(Buffer.from('another file'))),
      'wrong-subject',
      /said to be over something else/,
    );
    const byKey = { base64Signature: signMessage(keys, bytes).signature.toString('base64'), cert: keyPem(keys) };
    expect(verify(byKey).signer.kind).toBe('key');
  });

  it('may be an envelope in the alphabet of URLs', () => {
    // Bytes that need both of the letters that differ.
    const other = signStatement(keys, { ...statementAbout(bytes), note: '\u00ff\u00fe~~~???>>>' });
    if (other.kind !== 'dsse') throw new Error('not an envelope');
    const inUrls = (data: Buffer) => data.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
    const written = (payload: string) => ({ ...envelope, payload, signatures: [{ sig: inUrls(other.signature) }] });
    expect(inUrls(other.payload)).toMatch(/[-_]/);
    expect(verify(written(inUrls(other.payload))).statement?.predicateType).toBe(predicateType);
    const cut = inUrls(Buffer.concat([other.payload, Buffer.from(' '.repeat(3 - ((other.payload.length + 2) % 3)))]));
    expect(cut).toMatch(/=$/);
    expect(places(written(cut.replace(/=+$/, '')))).toEqual([['', 'malformed']]);
  });

  it('may be what cosign before v3 wrote beside a file that it attested: an envelope in place of the signature', () => {
    const instance = makeInstance();
    const signer = instance.leaf();
    const content = signStatement(signer, statementAbout(bytes));
    if (content.kind !== 'dsse') throw new Error('not an envelope');
    const entry = logged(instance.log, content, certificatePem(signer.der));
    const { integratedTime, logIndex, logId, promise, body } = entry;
    const inside = (sig: Buffer) =>
      JSON.stringify({
        payloadType: content.payloadType,
        payload: content.payload.toString('base64'),
        signatures: [{ keyid: '', sig: sig.toString('base64') }],
      });
    const blob = (sig: Buffer) => ({
      base64Signature: Buffer.from(inside(sig)).toString('base64'),
      cert: Buffer.from(certificatePem(signer.der)).toString('base64'),
      rekorBundle: {
        SignedEntryTimestamp: promise!.toString('base64'),
        Payload: { body: body.toString('base64'), integratedTime, logIndex, logID: logId.toString('hex') },
      },
    });
    const judge = (value: unknown, about: Buffer) =>
      verifyEntity(entityOf(parse(value)[0]!), [instance.root], artifactOf(about));
    expect(judge(blob(content.signature), bytes).statement?.predicateType).toBe(predicateType);
    expectRefusal(() => judge(blob(content.signature), Buffer.from('x')), 'wrong-subject', /about something else/);
    const other = signStatement(keys, statementAbout(bytes)).signature;
    expectRefusal(() => judge(blob(other), bytes), 'invalid', /does not hold over the statement/);
    const { rekorBundle: _, ...alone } = blob(content.signature);
    expectRefusal(() => judge(alone, bytes), 'unproved', /no transparency log entry/);
  });

  it('keeps one that is broken beside one that is not', () => {
    const broken = { ...bundle, mediaType: 'x' };
    expect(places(`${JSON.stringify(broken)}\n${JSON.stringify(bundle)}\n{"mediaType":\n`)).toEqual([
      ['line 1', 'unsupported'],
      ['line 2', 'read'],
      ['line 3', 'malformed'],
    ]);
    expect(
      places({ attestations: [{ bundle: {} }, { bundle }, null, { bundle_url: 'https://x', bundle: null }] }),
    ).toEqual([
      ['attestations[0]', 'malformed'],
      ['attestations[1]', 'read'],
      ['attestations[2]', 'malformed'],
      ['attestations[3]', 'unreachable'],
    ]);
  });

  it('is read in little memory when it is nothing but line ends, and named when it holds too many', () => {
    expect(places('\n'.repeat(5_000_000))).toEqual([['', 'malformed']]);
    const many = parse('{}\n'.repeat(10_002));
    expect(many).toHaveLength(10_001);
    expect(many.at(-1)).toMatchObject({ place: 'line 10001', entity: { failure: { code: 'malformed' } } });
  });

  it('has an entity for each signature of an envelope', () => {
    const second = { sig: signStatement(keys, statementAbout(bytes)).signature.toString('base64') };
    const both = { ...envelope, signatures: [...envelope.signatures, second] };
    expect(places(both)).toEqual([
      ['signatures[0]', 'read'],
      ['signatures[1]', 'read'],
    ]);
  });

  it('has no more than a promise of proof where the certificate stands in the envelope', () => {
    const instance = makeInstance();
    const signer = instance.leaf();
    const content = signStatement(signer, statementAbout(bytes));
    const sig = content.signature.toString('base64');
    const payload = content.kind === 'dsse' ? content.payload.toString('base64') : '';
    const pem = certificatePem(signer.der);
    const base64 = Buffer.from(pem).toString('base64');
    const intermediates = [Buffer.from(certificatePem(instance.intermediate.der)).toString('base64')];
    for (const certificate of [{ cert: pem }, { certificate: base64, intermediates, timestamps: [] }]) {
      const value = { ...envelope, payload, signatures: [{ sig, ...certificate }] };
      const entity = entityOf(parse(value)[0]!);
      expectRefusal(
        () => verifyEntity(entity, [instance.root], artifactOf(bytes)),
        'unproved',
        /no transparency log entry/,
      );
    }
  });

  it.each([
    ['nothing', '', 'malformed'],
    ['a list', [], 'malformed'],
    ['null', null, 'malformed'],
    ['something else', { hello: 1 }, 'unsupported'],
    ['an empty object', {}, 'unsupported'],
    ['no attestations', { attestations: [] }, 'absent'],
    ['attestations that are no list', { attestations: {} }, 'malformed'],
    ['no signatures', { ...envelope, signatures: [] }, 'malformed'],
    [
      'two certificates',
      { ...envelope, signatures: [{ ...envelope.signatures[0], cert: 'a', certificate: 'b' }] },
      'malformed',
    ],
    ['a label of another predicate', { attestations: [{ predicateType: 'https://other', bundle }] }, 'malformed'],
    ['a second member', `{"mediaType":"x",${JSON.stringify(bundle).slice(1)}`, 'malformed'],
  ])('is refused with %s', (_, value, code) => {
    expect(places(value).map(([, what]) => what)).toEqual([code]);
  });

  it('never throws, whatever is in it', () => {
    const members = fc.constantFrom(
      'attestations',
      'attestation_bundles',
      'bundle',
      'envelope',
      'payload',
      'signatures',
      'mediaType',
      'verification_material',
      'version',
      'base64Signature',
      'cert',
    );
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, 1, '', 'AAAA', true),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(members, tie('node'), { maxKeys: 4 }),
      ),
    })).node;
    fc.assert(
      fc.property(fc.dictionary(members, value, { maxKeys: 4 }), (document) => {
        expect(parse(document).length).toBeGreaterThan(0);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('PEP 740 attestations', () => {
  const instance = makeInstance();
  const signer = instance.leaf();
  const content = signStatement(signer, statementAbout(bytes));
  const entry = logged(instance.log, content, certificatePem(signer.der));
  const proof = entry.proof!;
  const attestation = {
    version: 1,
    verification_material: {
      certificate: signer.der.toString('base64'),
      transparency_entries: [
        {
          logIndex: String(entry.logIndex),
          logId: { keyId: entry.logId.toString('base64') },
          kindVersion: entry.kind,
          integratedTime: String(entry.integratedTime),
          inclusionPromise: { signedEntryTimestamp: entry.promise!.toString('base64') },
          inclusionProof: {
            logIndex: String(proof.logIndex),
            rootHash: proof.rootHash.toString('base64'),
            treeSize: String(proof.treeSize),
            hashes: proof.hashes.map((hash) => hash.toString('base64')),
            checkpoint: { envelope: proof.checkpoint },
          },
          canonicalizedBody: entry.body.toString('base64'),
        },
      ],
    },
    envelope: {
      statement: content.kind === 'dsse' ? content.payload.toString('base64') : '',
      signature: content.signature.toString('base64'),
    },
  };
  const verifyOne = (evidence: Evidence, artifact: Artifact = artifactOf(bytes)) =>
    verifyEntity(entityOf(evidence), [instance.root], artifact);

  it('verify alone', () => {
    expect(verifyOne(parse(attestation)[0]!)).toMatchObject({
      format: 'PEP 740 attestation',
      signer: { kind: 'certificate' },
    });
  });

  it('verify inside the provenance of an index, whose publisher nobody signed', () => {
    const provenance = {
      version: 1,
      attestation_bundles: [
        { publisher: { kind: 'GitHub', repository: 'a/b' }, attestations: [attestation] },
        { publisher: { kind: 'GitLab' }, attestations: [attestation, { ...attestation, version: 2 }] },
      ],
    };
    const found = parse(provenance);
    expect(found.map(({ place, entity }) => [place, entity.ok])).toEqual([
      ['attestation_bundles[0].attestations[0]', true],
      ['attestation_bundles[1].attestations[0]', true],
      ['attestation_bundles[1].attestations[1]', false],
    ]);
    expect(() => verifyOne(found[1]!)).not.toThrow();
  });

  it.each([
    ['another version', { ...attestation, version: 2 }, 'unsupported'],
    ['no version', { ...attestation, version: undefined }, 'unsupported'],
    ['an unknown field', { ...attestation, later: 1 }, 'malformed'],
    [
      'a payload type of its own',
      { ...attestation, envelope: { ...attestation.envelope, payloadType: 'text/plain' } },
      'malformed',
    ],
    ['no bundles', { version: 1, attestation_bundles: {} }, 'malformed'],
    ['an empty provenance', { version: 1, attestation_bundles: [] }, 'absent'],
  ])('are refused with %s', (_, value, code) => {
    expect(places(value)).toEqual([['', code]]);
  });

  it('are refused when a log entry has no proof', () => {
    const [only] = attestation.verification_material.transparency_entries;
    const material = {
      ...attestation.verification_material,
      transparency_entries: [{ ...only, inclusionProof: null }],
    };
    expect(places({ ...attestation, verification_material: material })).toEqual([['', 'malformed']]);
  });
});

describeData('real evidence', (dir) => {
  const trust = [parseTrustRoot(readData('sigstore/trust/public-good.json').toString('utf8'), 'public-good')];

  it('of commits is found and verifies by gitCommit, with its verification summary', () => {
    const folder = 'agents/notes/slsa-source';
    const files = readdirSync(path.join(dir, folder)).filter((file) => !file.includes('bfff3adc'));
    const verified = files.flatMap((file) => {
      const commit = file.slice(-'.note'.length - 40, -'.note'.length);
      const artifact = { name: commit, digests: new Map([['gitCommit', commit]]) };
      return parseEvidence(readData(`${folder}/${file}`).toString('utf8')).map((each) =>
        verifyEntity(entityOf(each), trust, artifact),
      );
    });
    expect(verified).toHaveLength(20);
    const summaries = verified.filter(({ statement }) => statement?.predicateType === vsaType);
    expect(summaries).toHaveLength(10);
    for (const { statement } of summaries) {
      const { resourceUri, passed, verifiedLevels } = readVsa(statement!);
      expect([resourceUri.startsWith('git+https://github.com/'), passed]).toEqual([true, true]);
      expect(verifiedLevels[0]).toMatch(/^SLSA_SOURCE_LEVEL_[0-3]$/);
    }
  });

  it('of witness is read, and stays unproved without a log entry', () => {
    const [file] = readdirSync(path.join(dir, 'agents/notes/slsa-source')).filter((each) => each.includes('bfff3adc'));
    const found = parseEvidence(readData(`agents/notes/slsa-source/${file}`).toString('utf8'));
    expect(found.map(({ place, entity }) => [place, entity.ok])).toEqual([
      ['line 1', true],
      ['line 3', true],
    ]);
    const commit = 'bfff3adc8630322120948a1f6d3c094b9ab1f881';
    const artifact = { name: commit, digests: new Map([['gitCommit', commit]]) };
    const outcome = outcomeOf(() => verifyEntity(entityOf(found[1]!), trust, artifact));
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'unproved' } });
  });

  it('of builds says which builder made what from where', () => {
    const folder = path.join(dir, 'sigstore/real');
    const names = readdirSync(folder).filter((name) => !name.endsWith('_fail') && name !== 'a.txt');
    const provenances = names.flatMap((name) => {
      const [first] = parseEvidence(readData(`sigstore/real/${name}/bundle.sigstore.json`).toString('utf8'));
      const { content } = entityOf(first!);
      const statement = content.kind === 'dsse' ? outcomeOf(() => parseOf(content.payload)) : undefined;
      if (statement?.ok !== true || !isProvenance(statement.value.predicateType)) return [];
      const provenance = outcomeOf(() => readProvenance(statement.value));
      // Some clients test themselves with a predicate that has the type and nothing of the content.
      return provenance.ok ? [provenance.value] : [];
    });
    expect(provenances).toHaveLength(11);
    const sources = provenances.map(({ builder, source }) => [builder, source?.repository, source?.ref]);
    expect(sources).toContainEqual([
      'https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/v2.1.0',
      'https://github.com/slsa-framework/example-package',
      'refs/tags/v14',
    ]);
    expect(sources).toContainEqual([
      'https://github.com/too-legit/attest/.github/workflows/integration.yml@refs/heads/main',
      'https://github.com/too-legit/attest',
      'refs/heads/main',
    ]);
    for (const { source } of provenances) if (source !== undefined) expect(source.digest.size).toBe(1);
  });
});
