/**
 * Evidence about a change, from wherever it lies: files and folders that the user names, git notes, what is attached to an
 * image in an OCI layout, a forge's reviews. Where a statement lies says nothing of what it is worth: its signature does.
 *
 *   named file      it has to be there and to be evidence; what is wrong inside of it is a refusal
 *   folder, notes   what is no evidence is said in a note; a broken line beside good ones is a refusal
 *
 * A statement may be signed by a file of its own: a bundle that signs exactly its bytes, or `X.sig` by ssh-keygen.
 */
import path from 'node:path';
import { parseForgeReviews } from '../change/forge-reviews.ts';
import type { ForgeReview, RefusedEvidence, VerifiedEvidence } from '../change/types.ts';
import { OperationalError, quoted } from '../diag/index.ts';
import type { Disk } from '../io/index.ts';
import { malformed, VerifyError } from '../sigstore/failure.ts';
import { outcomeOf } from '../sigstore/verify.ts';
import { evidenceFiles } from './change-evidence-files.ts';
import { type Form, formsOf } from './change-evidence-forms.ts';
import { signedEntity, signedEnvelope, signedFile, sshSignedFile } from './change-evidence-signed.ts';
import { refusalOf, type Signed, statementRule, type VerifyContext, verifySigned } from './change-evidence-verify.ts';
import { readWhole } from './read-whole.ts';
import { sidecars } from './verify-evidence.ts';

export interface EvidenceRequest {
  /** Files, folders, and OCI layouts as `oci:DIR`. */
  readonly evidence: readonly string[];
  /** Blobs of `refs/notes/*`, each with what to call it. */
  readonly notes: readonly { readonly place: string; readonly bytes: Buffer }[];
  /** Files with a forge's reviews. Only what is named here is taken for reviews: nobody signs them. */
  readonly reviews: readonly string[];
}

export interface EvidenceContext extends VerifyContext {
  readonly disk: Disk;
}

export interface CollectedEvidence {
  /** Each statement once for each signer. */
  readonly verified: readonly VerifiedEvidence[];
  readonly refused: readonly RefusedEvidence[];
  readonly reviews: readonly ForgeReview[];
  /** What lay there and was no evidence. */
  readonly notes: readonly string[];
}

/** Throws OperationalError for a named file that is not there, cannot be read, or is no evidence at all. */
export async function collectEvidence(request: EvidenceRequest, context: EvidenceContext): Promise<CollectedEvidence> {
  const found: Found = { verified: [], refused: [], notes: [], statements: new Map(), waiting: [] };
  const reviews = await readReviews(request.reviews, context.disk);
  const layouts = request.evidence.filter(isLayout);
  const files = evidenceFiles(
    request.evidence.filter((each) => !isLayout(each)),
    context.disk,
  );
  for await (const each of files) {
    if ('skipped' in each) found.notes.push(`${quoted(each.file)} was not read as evidence: ${each.skipped}`);
    else await take(formsOf(each.bytes, each.file, each.file), each.named, found, context);
  }
  for (const { place, bytes } of request.notes) await take(formsOf(bytes, place), false, found, context);
  for (const layout of layouts) await takeLayout(layout, found, context);
  await takeDetached(found, context);
  for (const { place, isUsed } of found.statements.values()) {
    if (isUsed) continue;
    const error = malformed('it is a statement that nobody signed');
    found.refused.push(
      refusalOf({ place, format: 'statement' }, 'provenance-signature', error, undefined, unsignedHints),
    );
  }
  const { verified, refused, notes } = found;
  return { verified: onceEach(verified), refused, reviews, notes: shortened(notes) };
}

const unsignedHints = ['give the bundle that signs it as well, or have it signed: tidewaiter attest'];

interface Found {
  readonly verified: VerifiedEvidence[];
  readonly refused: RefusedEvidence[];
  readonly notes: string[];
  /** Statements that lie bare, by the SHA-256 of their bytes: something else may sign them. */
  readonly statements: Map<string, BareStatement>;
  /** Signatures over something that may come later. */
  readonly waiting: Form[];
}

interface BareStatement {
  readonly place: string;
  readonly file?: string;
  readonly digest: string;
  readonly bytes: Buffer;
  isUsed: boolean;
}

async function take(forms: readonly Form[], named: boolean, found: Found, context: EvidenceContext): Promise<void> {
  const [first] = forms;
  if (first?.kind === 'broken' && forms.length === 1 && !first.recognised) {
    if (named) throw noEvidence(first.place, first.error);
    found.notes.push(`${quoted(first.place)} is no evidence: ${first.error.message}`);
    return;
  }
  for (const form of forms) await takeForm(form, found, context);
}

async function takeForm(form: Form, found: Found, context: EvidenceContext): Promise<void> {
  switch (form.kind) {
    case 'broken':
      found.refused.push(refusalOf(form, statementRule(form.error), form.error));
      return;
    case 'entity':
      if (form.entity.content.kind === 'message') found.waiting.push(form);
      else await takeSigned(signedEntity(form, form.entity, context), found, context);
      return;
    case 'envelope':
      for (const { place, signed } of signedEnvelope(form, form.envelope, context)) {
        if (signed.ok) await takeSigned(signed.value, found, context);
        else
          found.refused.push(
            refusalOf({ place, format: 'DSSE envelope' }, statementRule(signed.failure), signed.failure),
          );
      }
      return;
    case 'statement':
      keepStatement(form, found);
      return;
    case 'ssh-signature':
      found.waiting.push(form);
  }
}

async function takeSigned(signed: Signed, found: Found, context: EvidenceContext): Promise<void> {
  const outcome = await verifySigned(signed, context);
  if (outcome.ok) found.verified.push(outcome.evidence);
  else found.refused.push(outcome.refused);
}

const maxKeptBytes = 256 * 1024 * 1024;

function keepStatement(form: Form & { readonly kind: 'statement' }, found: Found): void {
  const { place, file, digest, bytes } = form;
  if (found.statements.has(digest)) return;
  let kept = bytes.length;
  for (const each of found.statements.values()) kept += each.bytes.length;
  if (kept > maxKeptBytes) {
    throw new OperationalError('limit', `the unsigned statements have more than ${maxKeptBytes} bytes together`, {
      hints: ['give the evidence for this change and nothing else'],
    });
  }
  found.statements.set(digest, { place, ...(file !== undefined && { file }), digest, bytes, isUsed: false });
}

/** Signatures over files: each with the statement that it is over, by digest, else by the names of the two. */
async function takeDetached({ waiting, ...rest }: Found, context: EvidenceContext): Promise<void> {
  const found = { ...rest, waiting };
  for (const form of waiting) {
    const statement = statementFor(form, found.statements);
    if (statement === undefined) {
      found.refused.push(missingStatement(form));
      continue;
    }
    statement.isUsed = true;
    const placed = { place: `${statement.place}, signed by ${form.place}`, digest: statement.digest };
    if (form.kind === 'entity') {
      await takeSigned(signedFile(placed, statement.bytes, form.entity, context), found, context);
    } else if (form.kind === 'ssh-signature') {
      await takeSigned(sshSignedFile(placed, statement.bytes, form.armored, context), found, context);
    }
  }
}

function statementFor(form: Form, statements: Found['statements']): BareStatement | undefined {
  if (form.kind === 'entity' && form.entity.content.kind === 'message') {
    const { digest } = form.entity.content;
    if (digest?.algorithm === 'sha256') return statements.get(digest.value.toString('hex'));
  }
  const names = form.file === undefined ? [] : signedNames(form.file);
  return [...statements.values()].find(({ file }) => file !== undefined && names.includes(path.normalize(file)));
}

/** `X.json` for `X.json.sigstore.json`, `X.sigstore.json` and `X.json.sig`. */
function signedNames(file: string): readonly string[] {
  const endings = [...sidecars, '.sig'].filter((ending) => file.length > ending.length && file.endsWith(ending));
  return endings
    .map((ending) => path.normalize(file.slice(0, -ending.length)))
    .flatMap((name) => [name, `${name}.json`]);
}

function missingStatement(form: Form): RefusedEvidence {
  const content = form.kind === 'entity' ? form.entity.content : undefined;
  const digest = content?.kind === 'message' ? content.digest : undefined;
  const error = new VerifyError('unreachable', 'it signs a file, and that file was not given', {
    ...(digest !== undefined && { expected: `${digest.algorithm}:${digest.value.toString('hex')}` }),
  });
  return refusalOf(form, 'evidence-unreachable', error, undefined, [
    'give the statement that it signs as well: --evidence FILE, or the folder that holds both',
  ]);
}

function isLayout(text: string): boolean {
  return text.startsWith('oci:') || text.startsWith('oci-archive:');
}

/** Bundles and envelopes that hang on an image: what they say about a commit has nothing to do with the image. */
async function takeLayout(layout: string, found: Found, context: EvidenceContext): Promise<void> {
  // Loaded here: readers of images are seldom needed for a change.
  const { openAttached } = await import('../sources/attached.ts');
  const { defaultLimits } = await import('../archive/limits.ts');
  const image = await openAttached(layout, { disk: context.disk, limits: defaultLimits, platform: 'all' });
  try {
    for (const { place, bytes, kind, problem } of image.attachments) {
      const at = `${layout}, ${place}`;
      if (problem !== undefined) found.notes.push(`${quoted(at)} was not read as evidence: ${problem.message}`);
      else if (kind === 'bundle' || kind === 'dsse') await take(formsOf(bytes, at), false, found, context);
    }
    for (const { place, reason } of image.gaps) found.notes.push(`${quoted(`${layout}, ${place}`)} ${reason}`);
  } finally {
    await image.close();
  }
}

const maxReviewBytes = 32 * 1024 * 1024;

async function readReviews(files: readonly string[], disk: Disk): Promise<readonly ForgeReview[]> {
  const reviews: ForgeReview[] = [];
  for (const file of files) {
    const bytes = await readWhole(disk, file, maxReviewBytes);
    const outcome = outcomeOf(() => parseForgeReviews(bytes, file));
    if (!outcome.ok) {
      throw new OperationalError('malformed', `${quoted(file)} is no list of reviews: ${outcome.failure.message}`, {
        hints: ['write it with: gh api --paginate --slurp repos/OWNER/NAME/pulls/NUMBER/reviews > reviews.json'],
        cause: outcome.failure,
      });
    }
    reviews.push(...outcome.value);
  }
  return reviews;
}

function noEvidence(place: string, error: VerifyError): OperationalError {
  return new OperationalError('malformed', `${quoted(place)} cannot be used as evidence: ${error.message}`, {
    hints: ['give a Sigstore bundle, a DSSE envelope, lines of them, or a statement with the bundle that signs it'],
    cause: error,
  });
}

/** Copies of one statement by one signer say it once; the one that was signed last, by a proved time, stands for them. */
function onceEach(verified: readonly VerifiedEvidence[]): readonly VerifiedEvidence[] {
  const best = new Map<string, VerifiedEvidence>();
  for (const each of verified) {
    const key = `${each.statementDigest} ${each.signer.shown}`;
    const other = best.get(key);
    if (other === undefined || newest(each) > newest(other)) best.set(key, each);
  }
  return [...best.values()];
}

function newest({ times }: VerifiedEvidence): number {
  return times.length === 0 ? Number.NEGATIVE_INFINITY : Math.min(...times);
}

const maxNotes = 50;

function shortened(notes: readonly string[]): readonly string[] {
  if (notes.length <= maxNotes) return notes;
  return [...notes.slice(0, maxNotes), `${notes.length - maxNotes} more things that lay there are no evidence`];
}
