import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { tierOf } from '../../src/change/tier.ts';
import { OperationalError } from '../../src/diag/index.ts';
import { realDisk } from '../../src/io/disk.ts';
import type { ChangesRule } from '../../src/policy/types.ts';
import { type CollectedEvidence, collectEvidence, type EvidenceRequest } from '../../src/run/change-evidence.ts';
import type { LoadedKey, LoadedSigners } from '../../src/run/change-signers.ts';
import { pae } from '../../src/sigstore/dsse.ts';
import { publicKeyFromSpki } from '../../src/sigstore/keys.ts';
import { parsePersonKey } from '../../src/sigstore/person-key.ts';
import type { CertificatePin, Pin } from '../../src/sigstore/pin.ts';
import { parseSshSignature } from '../../src/sigstore/ssh-signature.ts';
import { parseTrustRoot } from '../../src/sigstore/trust-root.ts';
import type { SignedEntity, TrustRoot } from '../../src/sigstore/types.ts';
import { formatBundle } from '../../src/sigstore/write-bundle.ts';
import { makeKeys, spkiOf } from '../kit/certificate.ts';
import { describeData, readData, root } from '../kit/data.ts';
import { utf8 } from '../kit/der.ts';
import { anImage, layout, tagged } from '../kit/image.ts';
import { aBundle } from '../kit/papers.ts';
import { file } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';
import {
  certificatePem,
  certified,
  issuer,
  keyed,
  logged,
  makeInstance,
  signMessage,
  signStatement,
} from '../sigstore/instance.ts';
import { signedAt } from '../sigstore/log.ts';
import { armorSsh, makeSshKey, signSshBlob, type TestKey } from '../sigstore/ssh.ts';

const temporary = temporaryDirectory();
const instance = makeInstance();
const example = JSON.parse(
  readFileSync(path.join(root, 'docs/formats/agent-change.example.json'), 'utf8'),
) as Statement;
const consent = JSON.parse(readFileSync(path.join(root, 'docs/formats/approval.example.json'), 'utf8')) as Statement;
const [{ digest: about }] = example.subject;
const ci = makeKeys();

interface Statement {
  readonly subject: [{ readonly digest: { readonly gitCommit: string; readonly gitTree: string } }];
}

const agents = 'https://agents.example/platform';
const agentPin: CertificatePin = { kind: 'certificate', name: 'platform', trust: 'test', issuer, subject: agents };
const ciPin: Pin = { kind: 'key', name: 'ci-key', key: publicKeyFromSpki(spkiOf(ci)) };

function signersOf(changes: Partial<LoadedSigners> = {}): LoadedSigners {
  return {
    pins: new Map([
      ['agent-platform', [agentPin]],
      ['ci-key', [ciPin]],
    ]),
    keys: [],
    certificates: [],
    counting: { provenance: ['agent-platform', 'ci-key'], decision: [], approvals: [], records: [] },
    unused: [],
    roots: [instance.root],
    trust: [],
    notes: [],
    ...changes,
  };
}

async function collect(
  request: Partial<EvidenceRequest>,
  { signers = signersOf(), trees = new Map([[about.gitCommit, about.gitTree]]) } = {},
): Promise<CollectedEvidence> {
  return collectEvidence(
    { evidence: [], notes: [], reviews: [], ...request },
    {
      disk: realDisk,
      signers,
      buildTypes: ['https://refs.arewm.com/agent-commit/v0.3'],
      now: signedAt,
      known: async (commit) => {
        const tree = trees.get(commit);
        return tree === undefined ? undefined : { tree };
      },
    },
  );
}

const saved = (files: Readonly<Record<string, string | Buffer>>): string => writeTree(temporary, files);
const note = (text: string) => [{ place: 'refs/notes/commits', bytes: Buffer.from(text) }];

function byCertificate(statement: unknown = example, name = agents, changes: Partial<SignedEntity> = {}): string {
  const leaf = instance.leaf({ uris: [name] });
  return formatBundle(certified(instance, leaf, signStatement(leaf, statement), changes));
}

const byKey = (statement: unknown = example, keys = ci): string => formatBundle(keyed(signStatement(keys, statement)));

function envelope(statement: unknown, ...keys: ReturnType<typeof makeKeys>[]): string {
  const contents = keys.map((each) => signStatement(each, statement));
  const [first] = contents;
  if (first?.kind !== 'dsse') throw new Error('no envelope');
  return JSON.stringify({
    payloadType: first.payloadType,
    payload: first.payload.toString('base64'),
    signatures: contents.map(({ signature }) => ({ sig: signature.toString('base64') })),
  });
}

const fingerprintOf = (keys: ReturnType<typeof makeKeys>): string => publicKeyFromSpki(spkiOf(keys)).fingerprint;

function envelopeWithKeyid(keys: ReturnType<typeof makeKeys>, keyid: string): string {
  const value = JSON.parse(envelope(example, keys)) as { signatures: [object] };
  return JSON.stringify({ ...value, signatures: [{ ...value.signatures[0], keyid }] });
}

const rules = ({ refused }: CollectedEvidence): string[] => refused.map(({ rule }) => rule);
const matched = ({ verified }: CollectedEvidence): string[] => verified.map(({ signer }) => signer.matched.join('+'));
const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function errorOf(run: Promise<unknown>): Promise<string> {
  const error = await run.then(
    () => new Error('no error'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof OperationalError)) throw error;
  return `${error.code}: ${error.message}`;
}

describe('evidence that counts', () => {
  it('is a bundle by a certificate that the policy names, with its time', async () => {
    const bundle = byCertificate();
    const found = await collect({ evidence: [path.join(saved({ 'a.json': bundle }), 'a.json')] });
    expect(found.refused).toEqual([]);
    expect(found.verified).toMatchObject([
      {
        digest: sha256(bundle),
        statementDigest: sha256(JSON.stringify(example)),
        format: 'bundle v0.3',
        statement: { kind: 'agent-change', subject: { commit: about.gitCommit, tree: about.gitTree } },
        signer: {
          matched: ['agent-platform'],
          shown: `${agents} (${issuer})`,
          kind: 'certificate',
          certificate: { issuer, subject: agents, type: 'uri' },
        },
        times: [signedAt],
      },
    ]);
    expect(found.verified[0]?.signer).not.toHaveProperty('person');
  });

  it('is a bundle or a bare envelope by a key that the policy names', async () => {
    const folder = saved({ 'a.json': byKey(), 'b.json': envelope(consent, ci) });
    const found = await collect({ evidence: [folder] });
    expect(found.verified.map(({ format, statement, signer }) => [format, statement.kind, signer.kind])).toEqual([
      ['bundle v0.3', 'agent-change', 'key'],
      ['DSSE envelope', 'approval', 'key'],
    ]);
    expect([found.refused, found.notes]).toEqual([[], []]);
  });

  it("is a person's, whatever of theirs it matches", async () => {
    const pins = new Map<string, readonly Pin[]>([
      ['ci-key', [{ ...ciPin, person: 'alice' }]],
      ['alice', [{ ...ciPin, person: 'alice' }]],
      ['bob', []],
    ]);
    const found = await collect({ notes: note(byKey(consent)) }, { signers: signersOf({ pins }) });
    expect(found.verified[0]?.signer).toMatchObject({ matched: ['ci-key', 'alice'], person: 'alice' });
  });

  it('is nobody in particular where two people have it', async () => {
    const pins = new Map<string, readonly Pin[]>(['alice', 'bob'].map((person) => [person, [{ ...ciPin, person }]]));
    const found = await collect({ notes: note(byKey(consent)) }, { signers: signersOf({ pins }) });
    expect(found.verified[0]?.signer).not.toHaveProperty('person');
  });

  it('is each good signature of an envelope with several', async () => {
    const other = makeKeys();
    const pins = new Map<string, readonly Pin[]>([
      ['one', [ciPin]],
      ['other', [{ kind: 'key', name: 'other', key: publicKeyFromSpki(spkiOf(other)) }]],
    ]);
    const found = await collect(
      { notes: note(envelope(example, ci, makeKeys(), other)) },
      { signers: signersOf({ pins }) },
    );
    expect(matched(found)).toEqual(['one', 'other']);
    expect(found.refused).toMatchObject([{ rule: 'provenance-signature', place: 'refs/notes/commits, signatures[1]' }]);
  });

  it('counts once, wherever it lies, by the signature with the latest proved time', async () => {
    const folder = saved({ 'a/b.json': byCertificate(), 'z.jsonl': `${byCertificate()}\n${byKey()}\n` });
    const found = await collect({ evidence: [folder, path.join(folder, 'a')], notes: note(byKey()) });
    expect(matched(found)).toEqual(['ci-key', 'agent-platform'].sort());
  });

  it('is found in lines, base64 lines and pretty documents', async () => {
    const base64 = Buffer.from(byKey()).toString('base64');
    const pretty = JSON.stringify(JSON.parse(byCertificate()), undefined, 2);
    expect(matched(await collect({ notes: note(`${base64}\n\nnot evidence\n`) }))).toEqual(['ci-key']);
    expect(matched(await collect({ notes: note(pretty) }))).toEqual(['agent-platform']);
    expect(matched(await collect({ notes: note(`${byCertificate()}\n${base64}`) }))).toEqual([
      'agent-platform',
      'ci-key',
    ]);
  });

  it('is a statement that a bundle beside it signs as a file', async () => {
    const text = JSON.stringify(example, undefined, 2);
    const leaf = instance.leaf({ uris: [agents] });
    const content = Buffer.from(text);
    const message = signMessage(leaf, content);
    const withDigest = {
      ...message,
      digest: { algorithm: 'sha256' as const, value: Buffer.from(sha256(text), 'hex') },
    };
    for (const [signed, name] of [
      [withDigest, 'elsewhere.json'],
      [message, 'statement.sigstore.json'],
      [message, 'statement.json.sigstore.json'],
    ] as const) {
      const entries = [logged(instance.log, signed, certificatePem(leaf.der), content)];
      const bundle = formatBundle(certified(instance, leaf, signed, { entries }));
      const found = await collect({ evidence: [saved({ 'statement.json': text, [name]: bundle })] });
      expect([found.refused, matched(found)]).toEqual([[], ['agent-platform']]);
      expect(found.verified[0]).toMatchObject({ statementDigest: sha256(text), digest: sha256(text) });
      const alone = await collect({ evidence: [saved({ [name]: bundle })] });
      expect([alone.verified, rules(alone)]).toEqual([[], ['evidence-unreachable']]);
      const changed = await collect({ evidence: [saved({ 'statement.json': `${text}\n`, [name]: bundle })] });
      expect(changed.verified).toEqual([]);
    }
  });

  it('is attached to an image in a layout', async () => {
    const image = anImage().layer(file('app', 'app')).built();
    const folder = saved({});
    for (const [name, bytes] of layout([tagged(image, 'v1'), aBundle(image.digest, {}, byCertificate())])) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), bytes);
    }
    const found = await collect({ evidence: [`oci:${folder}`] });
    expect([found.refused, matched(found)]).toEqual([[], ['agent-platform']]);
  });
});

describe('evidence that does not count', () => {
  const one = async (text: string, more: Parameters<typeof collect>[1] = {}) => {
    const found = await collect({ notes: note(text) }, more);
    expect(found.verified).toEqual([]);
    expect(found.refused).toHaveLength(1);
    return found.refused[0]!;
  };

  it('is about a commit that is not there, and says about which', async () => {
    const refused = await one(byCertificate(), { trees: new Map() });
    expect(refused).toMatchObject({ rule: 'subject-mismatch', claimedCommit: about.gitCommit });
    expect(refused.hints.length).toBeGreaterThan(0);
  });

  it.each([
    ['a certificate', byCertificate],
    ['a key', byKey],
  ])('names a tree that the commit does not have, signed by %s', async (_, sign) => {
    const trees = new Map([[about.gitCommit, 'f'.repeat(40)]]);
    expect(await one(sign(), { trees })).toMatchObject({ rule: 'tree-mismatch', claimedCommit: about.gitCommit });
  });

  it('names a wrong tree in a statement that is signed as a file', async () => {
    const text = JSON.stringify(example);
    const content = {
      ...signMessage(ci, Buffer.from(text)),
      digest: { algorithm: 'sha256', value: Buffer.from(sha256(text), 'hex') },
    };
    const bundle = formatBundle(keyed(content as SignedEntity['content']));
    const folder = saved({ 's.json': text, 's.sigstore.json': bundle });
    expect(matched(await collect({ evidence: [folder] }))).toEqual(['ci-key']);
    const found = await collect({ evidence: [folder] }, { trees: new Map([[about.gitCommit, 'f'.repeat(40)]]) });
    expect([found.verified, rules(found)]).toEqual([[], ['tree-mismatch']]);
  });

  it('is signed by somebody else, and says who is nearest', async () => {
    const refused = await one(byCertificate(example, `${agents}-evil`));
    expect(refused).toMatchObject({ rule: 'identity-mismatch', expected: `subject: ${agents}` });
    expect(refused.got).toContain(`${agents}-evil`);
  });

  it('is signed by a key that the policy does not name', async () => {
    const [stranger, bob] = [makeKeys(), makeKeys()];
    const bobPin: Pin = { kind: 'key', name: 'bob', person: 'bob', key: publicKeyFromSpki(spkiOf(bob)) };
    const signers = signersOf({ pins: new Map([...signersOf().pins, ['bob', [bobPin]]]) });
    expect(await one(byKey(example, stranger), { signers })).toMatchObject({
      rule: 'provenance-signature',
      message: 'it does not verify with any key of the policy',
      expected: `agent-platform, ci-key sha256:${fingerprintOf(ci)}`,
      hints: ['sign with the key of agent-platform or ci-key'],
    });
    expect(await one(byKey(), { signers: signersOf({ pins: new Map() }) })).toMatchObject({
      rule: 'identity-mismatch',
    });
  });

  it.each<readonly [string, (hex: string) => string, (hex: string) => string]>([
    ['base64', (hex) => Buffer.from(hex, 'hex').toString('base64'), (hex) => `sha256:${hex}`],
    ['base64 for addresses', (hex) => Buffer.from(hex, 'hex').toString('base64url'), (hex) => `sha256:${hex}`],
    ['hex', (hex) => hex, (hex) => `sha256:${hex}`],
    ['hex with its algorithm', (hex) => `SHA256:${hex.toUpperCase()}`, (hex) => `sha256:${hex}`],
    ['a name', () => 'release', () => 'a key called release'],
  ])('names its key by %s, which is shown as keys are', async (_, hint, got) => {
    const stranger = makeKeys();
    const text = envelopeWithKeyid(stranger, hint(fingerprintOf(stranger)));
    expect(await one(text)).toMatchObject({ rule: 'provenance-signature', got: got(fingerprintOf(stranger)) });
  });

  it('claims the key of somebody who counts, and is not by that key', async () => {
    const text = envelopeWithKeyid(makeKeys(), fingerprintOf(ci));
    const refused = await one(text);
    expect(refused).toMatchObject({
      rule: 'provenance-signature',
      message: expect.stringMatching(/^it says that the key of ci-key signed it, and does not verify/),
    });
    expect(refused.got).toBe(`a signature that is not by ci-key sha256:${fingerprintOf(ci)}`);
  });

  it('is signed by a key that the policy names, and not for changes', async () => {
    const release = makeKeys();
    const publicKey = publicKeyFromSpki(spkiOf(release));
    const signers = signersOf({ unused: [{ name: 'release', key: { kind: 'key', publicKey } }] });
    expect(await one(byKey(example, release), { signers })).toMatchObject({
      rule: 'identity-mismatch',
      message: 'it is signed with the key of release, which the policy names, but for nothing under changes',
      got: `release sha256:${fingerprintOf(release)}`,
      hints: ['sign with the key of agent-platform or ci-key'],
    });
    // A hint alone makes nobody the signer.
    expect(await one(envelopeWithKeyid(makeKeys(), fingerprintOf(release)), { signers })).toMatchObject({
      rule: 'provenance-signature',
    });
  });

  it('of an approval names people, and not who vouches for agents', async () => {
    const alice = makeKeys();
    const pin: Pin = { kind: 'key', name: 'alice', person: 'alice', key: publicKeyFromSpki(spkiOf(alice)) };
    const pins = new Map<string, readonly Pin[]>([...signersOf().pins, ['alice', [pin]], ['bob', []]]);
    const counting = { ...signersOf().counting, approvals: ['alice', 'bob'] };
    const refused = await one(byKey(consent, makeKeys()), {
      signers: signersOf({ pins, counting }),
      trees: new Map([[consent.subject[0].digest.gitCommit, consent.subject[0].digest.gitTree]]),
    });
    expect(refused).toMatchObject({
      expected: `alice sha256:${fingerprintOf(alice)}, bob`,
      hints: ['sign with the key of alice or bob'],
    });
  });

  it('is by a certificate, where nobody named signs by one', async () => {
    expect(await one(byCertificate(), { signers: signersOf({ pins: new Map() }) })).toMatchObject({
      rule: 'identity-mismatch',
    });
  });

  it('is of another instance, or has no log entry', async () => {
    const roots: readonly TrustRoot[] = [makeInstance().root];
    expect(await one(byCertificate(), { signers: signersOf({ roots }) })).toMatchObject({
      rule: 'provenance-signature',
    });
    expect(await one(byCertificate(example, agents, { entries: [] }))).toMatchObject({ rule: 'signature-unproved' });
  });

  it('was changed after it was signed', async () => {
    const parsed = JSON.parse(envelope(example, ci)) as { payload: string };
    const payload = Buffer.from(JSON.stringify({ ...example, more: 1 })).toString('base64');
    expect(await one(JSON.stringify({ ...parsed, payload }))).toMatchObject({ rule: 'provenance-signature' });
  });

  it('breaks its format, or is about something else than changes', async () => {
    const twice = { ...example, subject: [...example.subject, ...example.subject] };
    expect(await one(byKey(twice))).toMatchObject({
      rule: 'schema-invalid',
      message: 'the statement has 2 subjects, and one is allowed',
    });
    const bom = { ...example, predicateType: 'https://spdx.dev/Document' };
    expect(await one(byKey(bom))).toMatchObject({ rule: 'signature-unsupported' });
    const built = structuredClone(example) as unknown as { predicate: { buildDefinition: { buildType: string } } };
    built.predicate.buildDefinition.buildType = 'https://actions.github.io/buildtypes/workflow/v1';
    expect(await one(byKey(built))).toMatchObject({
      rule: 'schema-invalid',
      got: 'https://actions.github.io/buildtypes/workflow/v1',
    });
  });

  it('is signed by nobody', async () => {
    const found = await collect({ evidence: [saved({ 's.json': JSON.stringify(example) })] });
    expect(found.refused).toMatchObject([
      { rule: 'provenance-signature', message: 'it is a statement that nobody signed' },
    ]);
  });

  it('does not hide what lies beside it', async () => {
    const lines = [
      '{"a": 1',
      byKey(),
      '{"mediaType": "application/vnd.dev.sigstore.bundle.v9+json"}',
      byCertificate(example, 'x:y'),
    ];
    const found = await collect({ notes: note(lines.join('\n')) });
    expect(matched(found)).toEqual(['ci-key']);
    expect(found.refused.map(({ place, rule }) => [place, rule])).toEqual([
      ['refs/notes/commits, line 1', 'schema-invalid'],
      ['refs/notes/commits, line 3', 'signature-unsupported'],
      ['refs/notes/commits, line 4', 'identity-mismatch'],
    ]);
  });

  it('never counts with any bit of it changed', async () => {
    const good = envelope(consent, ci);
    expect(matched(await collect({ notes: note(good) }))).toEqual(['ci-key']);
    for (let at = 0; at < good.length; at += 7) {
      const bytes = Buffer.from(good);
      bytes[at]! ^= 1;
      const found = await collect({ notes: [{ place: 'note', bytes }] });
      expect(found.verified).toEqual([]);
    }
  });
});

describe('SSH signatures', () => {
  const dsse = (
    key: TestKey,
    statement: unknown,
    shape: { namespace?: string; flags?: number } = {},
    armored = true,
  ) => {
    const payload = Buffer.from(JSON.stringify(statement));
    const payloadType = 'application/vnd.in-toto+json';
    const blob = signSshBlob(key, pae(payloadType, payload), { namespace: 'dsse', ...shape });
    const sig = (armored ? Buffer.from(armorSsh(blob)) : blob).toString('base64');
    return JSON.stringify({ payloadType, payload: payload.toString('base64'), signatures: [{ sig }] });
  };

  const keysOf = async (line: string, owner: Omit<LoadedKey, 'key'>): Promise<LoadedSigners> => {
    const keys = await parsePersonKey(Buffer.from(line), 'alice.pub');
    return signersOf({ keys: keys.map((key) => ({ ...owner, key })) });
  };

  const alice = { name: 'alice', person: 'alice' };

  it.each(['ssh-ed25519', 'ssh-rsa', 'ecdsa-sha2-nistp256'] as const)(
    'by %s count for the person whose key it is',
    async (type) => {
      const key = makeSshKey(type);
      const signers = await keysOf(key.line, alice);
      for (const armored of [true, false]) {
        const found = await collect({ notes: note(dsse(key, consent, {}, armored)) }, { signers });
        expect(found.refused).toEqual([]);
        expect(found.verified).toMatchObject([
          {
            format: 'DSSE envelope, SSH signature',
            signer: { matched: ['alice'], person: 'alice', kind: 'ssh' },
            times: [],
          },
        ]);
      }
    },
  );

  it('count only when touched where presence is required', async () => {
    const key = makeSshKey('sk-ssh-ed25519@openssh.com');
    const signers = await keysOf(key.line, { ...alice, presence: 'required' });
    const touched = await collect({ notes: note(dsse(key, consent, { flags: 0x01 })) }, { signers });
    expect(touched.verified[0]?.signer).toMatchObject({ person: 'alice', touched: true });
    const untouched = await collect({ notes: note(dsse(key, consent, { flags: 0x00 })) }, { signers });
    expect([untouched.verified, rules(untouched)]).toEqual([[], ['identity-mismatch']]);
    expect(untouched.refused[0]?.message).toContain('alice has to sign with a security key that was touched');
  });

  it('count for no person where an untouched key is that of a role', async () => {
    const key = makeSshKey('sk-ssh-ed25519@openssh.com');
    const signers = await keysOf(key.line, { name: 'signer', person: 'alice', presence: 'required' });
    const found = await collect({ notes: note(dsse(key, example, { flags: 0x00 })) }, { signers });
    expect(found.verified[0]?.signer.matched).toEqual(['signer']);
    expect(
      tierOf(found.verified[0]!.signer, { repository: 'x', agents: { hosted: ['signer'] } } as unknown as ChangesRule),
    ).toBe('local-key');
  });

  it.each(['git', 'file', 'dsse2', ''])('for the use %j are none for statements', async (namespace) => {
    const key = makeSshKey('ssh-ed25519');
    const found = await collect(
      { notes: note(dsse(key, consent, { namespace })) },
      { signers: await keysOf(key.line, alice) },
    );
    expect([found.verified, rules(found)]).toEqual([[], ['provenance-signature']]);
  });

  it('by a key that is nobody’s, or may not sign for this or now, do not count', async () => {
    const key = makeSshKey('ssh-ed25519');
    const bare = key.line.split(' ').slice(0, 2).join(' ');
    const stranger = await collect({ notes: note(dsse(key, consent)) });
    expect([stranger.verified, rules(stranger)]).toEqual([[], ['identity-mismatch']]);
    for (const [option, rule] of [
      ['namespaces="git"', 'identity-mismatch'],
      ['valid-before="20200101Z"', 'signature-unproved'],
      ['valid-after="20200101Z"', 'signature-unproved'],
    ] as const) {
      const signers = await keysOf(`alice@acme.example ${option} ${bare}\n`, alice);
      const found = await collect({ notes: note(dsse(key, consent)) }, { signers });
      expect([found.verified, rules(found)]).toEqual([[], [rule]]);
    }
  });

  it('by a key that the policy names, and not for changes, say so', async () => {
    const key = makeSshKey('ssh-ed25519');
    const [parsed] = await parsePersonKey(Buffer.from(key.line), 'release.pub');
    const signers = signersOf({ unused: [{ name: 'release', key: parsed! }] });
    const text = JSON.stringify(consent);
    const folder = saved({
      'a.json': text,
      'a.json.sig': armorSsh(signSshBlob(key, Buffer.from(text), { namespace: 'file' })),
      'b.json': dsse(key, example),
    });
    const trees = new Map([example, consent].map(({ subject: [{ digest }] }) => [digest.gitCommit, digest.gitTree]));
    const { verified, refused } = await collect({ evidence: [folder] }, { signers, trees });
    expect(verified).toEqual([]);
    expect(refused).toHaveLength(2);
    for (const each of refused) {
      expect(each).toMatchObject({
        rule: 'identity-mismatch',
        message: expect.stringMatching(
          /^the SSH key SHA256:\S+ is that of release, which the policy names, but for nothing under changes$/,
        ),
      });
    }
  });

  it('beside a statement count for its bytes', async () => {
    const key = makeSshKey('ssh-ed25519');
    const signers = await keysOf(key.line, alice);
    const text = JSON.stringify(consent);
    const sig = armorSsh(signSshBlob(key, Buffer.from(text), { namespace: 'file' }));
    const good = await collect({ evidence: [saved({ 's.json': text, 's.json.sig': sig })] }, { signers });
    expect([good.refused, matched(good)]).toEqual([[], ['alice']]);
    const changed = await collect({ evidence: [saved({ 's.json': `${text} `, 's.json.sig': sig })] }, { signers });
    expect([changed.verified, rules(changed)]).toEqual([[], ['provenance-signature']]);
    const elsewhere = await collect({ evidence: [saved({ 's.json': text, 'other.sig': sig })] }, { signers });
    expect(elsewhere.verified).toEqual([]);
    const commit = armorSsh(signSshBlob(key, Buffer.from(text), { namespace: 'git' }));
    const wrong = await collect({ evidence: [saved({ 's.json': text, 's.json.sig': commit })] }, { signers });
    expect([wrong.verified, rules(wrong)]).toEqual([[], ['provenance-signature']]);
  });
});

const hasKeygen = spawnSync('ssh-keygen', ['-Q', '-l', '-f', '/dev/null']).error === undefined;

describe.skipIf(!hasKeygen)('what ssh-keygen signs', () => {
  it('counts as a file beside the statement, and in an envelope', async () => {
    const folder = saved({ 's.json': JSON.stringify(consent) });
    const keygen = (...args: string[]) => {
      const ran = spawnSync('ssh-keygen', args, { cwd: folder });
      expect([args.join(' '), ran.status]).toEqual([args.join(' '), 0]);
    };
    keygen('-q', '-t', 'ed25519', '-N', '', '-f', 'key');
    keygen('-q', '-Y', 'sign', '-n', 'file', '-f', 'key', 's.json');
    const payloadType = 'application/vnd.in-toto+json';
    const payload = Buffer.from(JSON.stringify(example));
    writeFileSync(path.join(folder, 'pae'), pae(payloadType, payload));
    keygen('-q', '-Y', 'sign', '-n', 'dsse', '-f', 'key', 'pae');
    const sig = readFileSync(path.join(folder, 'pae.sig')).toString('base64');
    const signed = JSON.stringify({ payloadType, payload: payload.toString('base64'), signatures: [{ sig }] });
    const keys = await parsePersonKey(readFileSync(path.join(folder, 'key.pub')), 'key.pub');
    const signers = signersOf({ keys: keys.map((key) => ({ name: 'alice', person: 'alice', key })) });
    const files = ['s.json', 's.json.sig'].map((each) => path.join(folder, each));
    const found = await collect({ evidence: files, notes: note(signed) }, { signers });
    expect([found.refused, found.notes]).toEqual([[], []]);
    expect(found.verified.map(({ format, statement }) => [format, statement.kind])).toEqual([
      ['DSSE envelope, SSH signature', 'agent-change'],
      ['SSH signature over a statement', 'approval'],
    ]);
  });
});

describe('where evidence lies', () => {
  it('has to be there when it is named', async () => {
    expect(await errorOf(collect({ evidence: [path.join(temporary, 'absent.json')] }))).toMatch(/^not-found: /);
    expect(await errorOf(collect({ reviews: [path.join(temporary, 'absent.json')] }))).toMatch(/^not-found: /);
  });

  it.each([
    ['nothing', ''],
    ['text', 'hello\nworld\n'],
    ['binary data', Buffer.from([0xff, 0xfe, 0, 1])],
    ['other JSON', '{"foo": 1}'],
    ['a list', '[]'],
    ['a document that is cut off', byKey().slice(0, 100)],
  ])('has to be evidence when it is named, not %s', async (_, content) => {
    const folder = saved({ 'x.json': content });
    expect(await errorOf(collect({ evidence: [path.join(folder, 'x.json')] }))).toMatch(
      /^malformed: .*cannot be used as evidence/,
    );
    const found = await collect({ evidence: [folder] });
    expect([found.verified, found.refused, found.notes.length]).toEqual([[], [], 1]);
    expect(found.notes[0]).toContain('x.json');
  });

  it('may be a broken bundle, which is a refusal and no error', async () => {
    const folder = saved({ 'x.json': byKey().replace('"payload":"', '"payload":"*') });
    const found = await collect({ evidence: [path.join(folder, 'x.json')] });
    expect([found.verified, rules(found)]).toEqual([[], ['schema-invalid']]);
  });

  it('is not behind a link in a folder, and a loop ends', async () => {
    const folder = saved({ 'a.json': byKey() });
    symlinkSync(path.join(folder, 'a.json'), path.join(folder, 'b.json'));
    symlinkSync(folder, path.join(folder, 'loop'));
    const found = await collect({ evidence: [folder] });
    expect(matched(found)).toEqual(['ci-key']);
    expect(found.notes).toHaveLength(2);
  });

  it('is read in the order of names, at any depth', async () => {
    const keys = [makeKeys(), makeKeys(), makeKeys()];
    const pins = new Map<string, readonly Pin[]>(
      keys.map((each, at) => [`k${at}`, [{ kind: 'key', name: `k${at}`, key: publicKeyFromSpki(spkiOf(each)) }]]),
    );
    const [a, b, c] = keys.map((each) => byKey(example, each));
    const folder = saved({ 'c.json': c!, 'b/x/y.json': b!, 'a.json': a! });
    const found = await collect({ evidence: [folder] }, { signers: signersOf({ pins }) });
    expect(found.verified.map(({ signer }) => signer.matched[0])).toEqual(['k0', 'k2', 'k1']);
  });

  it('makes no reviews of what is not named as reviews', async () => {
    const reviews = JSON.stringify([
      { user: { login: 'alice', type: 'User' }, state: 'APPROVED', commit_id: about.gitCommit },
    ]);
    const folder = saved({ 'reviews.json': reviews });
    expect((await collect({ evidence: [folder], notes: note(reviews) })).reviews).toEqual([]);
    expect((await collect({ reviews: [path.join(folder, 'reviews.json')] })).reviews).toMatchObject([
      { login: 'alice' },
    ]);
    const broken = saved({ 'r.json': '{' });
    expect(await errorOf(collect({ reviews: [path.join(broken, 'r.json')] }))).toMatch(
      /^malformed: .*no list of reviews/,
    );
  });

  it('says how much more is no evidence', async () => {
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`${at}.txt`, 'x']));
    const { notes } = await collect({ evidence: [saved(files)] });
    expect([notes.length, notes.at(-1)]).toEqual([51, '10 more things that lay there are no evidence']);
  });
});

describe('a workflow that signs', () => {
  it('is shown with what ran, for what, and whether its ref is fixed', async () => {
    const gitHub = 'https://token.actions.githubusercontent.com';
    const signer = 'https://github.com/acme/agents/.github/workflows/attest.yml';
    const claims: Readonly<Record<number, string>> = {
      8: gitHub,
      9: `${signer}@refs/tags/v3`,
      11: 'github-hosted',
      12: 'https://github.com/acme/shop',
      18: 'https://github.com/acme/shop/.github/workflows/agent.yml@refs/heads/agent/x',
      20: 'push',
    };
    const extensions = Object.entries(claims).map(([at, value]) => ({
      oid: `1.3.6.1.4.1.57264.1.${at}`,
      value: utf8(value),
    }));
    const leaf = instance.leaf({ uris: [`${signer}@refs/tags/v3`], extensions });
    const bundle = formatBundle(certified(instance, leaf, signStatement(leaf, example)));
    const pin = (ref?: string): ReadonlyMap<string, readonly Pin[]> =>
      new Map([
        [
          'agent-platform',
          [
            {
              kind: 'certificate',
              name: 'agent-platform',
              trust: 'test',
              issuer: gitHub,
              signer: { workflow: signer, ...(ref !== undefined && { ref }) },
              source: { repository: 'https://github.com/acme/shop' },
            },
          ],
        ],
      ]);
    const found = await collect({ notes: note(bundle) }, { signers: signersOf({ pins: pin('refs/tags/v3') }) });
    expect(found.verified[0]?.signer.workflow).toEqual({
      signer,
      signerRef: 'refs/tags/v3',
      config: 'https://github.com/acme/shop/.github/workflows/agent.yml',
      sourceRepository: 'https://github.com/acme/shop',
      trigger: 'push',
      runner: 'github-hosted',
      pinned: true,
    });
    const loose = await collect({ notes: note(bundle) }, { signers: signersOf({ pins: pin() }) });
    expect(loose.verified[0]?.signer.workflow).not.toHaveProperty('pinned');
  });
});

describeData('real evidence about commits', (dir) => {
  const roots = [parseTrustRoot(readData('sigstore/trust/public-good.json').toString('utf8'), 'public-good')];
  const workflow = (repository: string): Pin => ({
    kind: 'certificate',
    name: repository,
    trust: 'public-good',
    issuer: 'https://token.actions.githubusercontent.com',
    signer: {
      workflow: `https://github.com/slsa-framework/${repository}/.github/workflows/compute_slsa_source.yml`,
      ref: 'refs/heads/main',
    },
  });
  const folder = 'agents/notes/slsa-source';
  const notes = readdirSync(path.join(dir, folder)).map((name) => ({
    place: name,
    bytes: readData(`${folder}/${name}`),
  }));
  const trees = new Map(notes.map(({ place }) => [place.slice(-45, -5), 'f'.repeat(40)] as const));

  it("of SLSA's source tool verifies: 18 distinct statements of 20, and two by witness are unproved", async () => {
    const pins = new Map([
      ['source-tool', [workflow('source-actions')]],
      ['poc', [workflow('slsa-source-poc')]],
    ]);
    const found = await collect({ notes }, { signers: signersOf({ pins, roots }), trees });
    const kinds = found.verified.map(({ statement, signer }) => `${signer.matched.join('+')} ${statement.kind}`);
    // The notes of one commit lie in two repositories.
    expect(kinds).toHaveLength(18);
    expect(kinds.filter((each) => each === 'source-tool source-provenance')).toHaveLength(1);
    expect(kinds.filter((each) => each === 'poc policy-decision')).toHaveLength(8);
    expect(found.verified.every(({ times }) => times.length > 0)).toBe(true);
    expect(found.refused.map(({ rule }) => rule).sort()).toEqual(['schema-invalid', 'signature-unproved']);
  });

  it('by another workflow, or in a repository that does not have the commit, is refused', async () => {
    const pins = new Map([['source-tool', [workflow('source-actions')]]]);
    const found = await collect({ notes }, { signers: signersOf({ pins, roots }), trees });
    expect(matched(found)).toEqual(['source-tool', 'source-tool']);
    expect(rules(found).filter((rule) => rule === 'identity-mismatch')).toHaveLength(18);
    const nowhere = await collect({ notes }, { signers: signersOf({ pins, roots }), trees: new Map() });
    expect(nowhere.verified).toEqual([]);
    expect(rules(nowhere).filter((rule) => rule === 'subject-mismatch')).toHaveLength(21);
  });

  it('by gittuf verifies with the SSH key or the certificate of whoever signed', async () => {
    const names = readdirSync(path.join(dir, 'agents/gittuf'));
    const envelopes = names.map((name) => ({ place: name, bytes: readData(`agents/gittuf/${name}`) }));
    const { signatures } = JSON.parse(envelopes[0]!.bytes.toString()) as { signatures: [{ sig: string }] };
    const { key } = parseSshSignature(Buffer.from(signatures[0].sig, 'base64').toString());
    const pins = new Map<string, readonly Pin[]>([
      [
        'aditya',
        [
          {
            kind: 'certificate',
            name: 'aditya',
            person: 'aditya',
            trust: 'public-good',
            issuer: 'https://github.com/login/oauth',
            subject: 'aditya@saky.in',
          },
        ],
      ],
    ]);
    const app: LoadedKey = {
      name: 'gittuf-app',
      key: { kind: 'ssh', fingerprint: key.fingerprint, blob: key.blob, securityKey: false },
    };
    const found = await collect({ notes: envelopes }, { signers: signersOf({ pins, roots, keys: [app] }) });
    expect(found.verified.map(({ place, format, signer }) => [place, format, signer.matched.join()])).toEqual([
      ['02.dsse.json', 'DSSE envelope, SSH signature', 'gittuf-app'],
      ['03.dsse.json', 'DSSE envelope, SSH signature', 'gittuf-app'],
      ['12.dsse.json', 'DSSE envelope, Sigstore extension', 'aditya'],
    ]);
    expect(rules(found)).toEqual(['signature-unsupported', 'signature-unsupported']);
    const nobody = await collect({ notes: envelopes }, { signers: signersOf({ pins: new Map(), roots }) });
    expect(nobody.verified).toEqual([]);
  });
});
