/**
 * A verification for people: what was asked, one line for each signature, a block for each that does not count with what
 * was expected and what was there, and the answer as the last line. Nothing is left out; on a terminal the columns are cut
 * to its width.
 */
import { plural } from '../diag/index.ts';
import { type Paint, painter } from './color.ts';
import { cutEnd, cutStart, displayWidth, pad, shown } from './text.ts';
import {
  type CheckedSignature,
  type CheckedSigner,
  type Failure,
  type NameValue,
  type RequiredSigners,
  type TargetResult,
  type TrustUsed,
  titleOf,
  type Verification,
  type VerificationOutcome,
} from './verification.ts';

export interface VerifyTableOptions {
  readonly color: boolean;
  /** Columns of the terminal; absent for a file or a pipe. */
  readonly width?: number;
}

/** Several lines, each ended by a newline. */
export function writeVerificationTable(verification: Verification, options: VerifyTableOptions): string {
  const paint = painter(options.color);
  const { results } = verification;
  const blocks = [
    requestLines(verification, paint),
    signatureLines(results, options, paint),
    ...results.flatMap((result) => statementBlocks(result, results.length === 1, paint)),
    ...results.flatMap((result) => failureBlocks(result, paint)),
    results.map((result) => answerLine(result, paint)),
    results.length > 1 ? [totalLine(results, verification.outcome, paint)] : [],
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

function requestLines(verification: Verification, paint: Paint): string[] {
  const { results, required, trust, predicateType } = verification;
  const line = (label: string, text: string) => `  ${paint('dim', label.padEnd(9))} ${shown(text)}`;
  const [only, ...others] = results;
  const title = only === undefined || others.length > 0 ? `${results.length} targets` : titleOf(only.target);
  const digests = only === undefined || others.length > 0 ? [] : only.target.digests;
  return [
    paint('bold', shown(title)),
    ...digests.map(({ digest, role, platform, met }) => {
      const about = [platform, digests.length > 1 && !met ? 'not signed as required' : undefined];
      const more = about.filter((each) => each !== undefined).join(', ');
      return line(role === 'stated' ? 'digest' : role, `${digest}${more === '' ? '' : ` (${more})`}`);
    }),
    ...required.map((each) => line('required', requiredText(each))),
    ...(predicateType === undefined ? [] : [line('type', predicateType)]),
    ...(usesRoots(verification) ? trust.map((each) => line('trust', trustText(each))) : []),
  ];
}

/** For signatures by keys alone no root was asked anything. */
function usesRoots({ required, results }: Verification): boolean {
  const keysOnly = required.every(({ parties }) =>
    parties.every(({ pins }) => pins.every((pin) => pin.some(({ name }) => name === 'key'))),
  );
  const asked = (each: CheckedSignature) =>
    each.signer?.kind === 'certificate' || each.times.length > 0 || each.failure?.rule === 'signature-untrusted';
  return (
    !keysOnly ||
    results.some(({ findings, signatures }) => signatures.some(asked) || findings.some(({ rule }) => rule === rootRule))
  );
}

const rootRule = 'trusted-root-too-old';

function requiredText({ rule, count, parties }: RequiredSigners): string {
  const names = parties.map(({ name }) => name).join(', ');
  if (parties.length === 1) return names;
  return rule === 'threshold' ? `${count} of: ${names}` : `${rule} of: ${names}`;
}

function trustText({ name, from, ageDays, digest }: TrustUsed): string {
  const age = ageDays === undefined ? '' : `, ${plural(ageDays, 'day')} old`;
  return `${name} (${from}${age}, sha256:${digest.slice(0, 12)}…)`;
}

interface Row {
  readonly verdict: string;
  readonly signer: string;
  readonly what: string;
  readonly place: string;
  readonly good: boolean;
}

function signatureLines(results: readonly TargetResult[], { width }: VerifyTableOptions, paint: Paint): string[] {
  const rows = results.flatMap(({ target, signatures, findings }) => {
    const lines = signatures.map((signature) => rowOf(signature));
    if (lines.length > 0 || results.length === 1) return lines;
    // In a batch, a target without any signature still has its line.
    return [
      { verdict: findings[0]?.code ?? 'absent', signer: '-', what: '-', place: shown(titleOf(target)), good: false },
    ];
  });
  if (rows.length === 0) return [];
  const head: Row = { verdict: 'VERDICT', signer: 'SIGNED BY', what: 'WHAT', place: 'WHERE', good: true };
  const all = [head, ...rows];
  const widest = (text: (row: Row) => string, cap: number) =>
    Math.min(cap, Math.max(...all.map((row) => displayWidth(text(row)))));
  const verdict = widest((row) => row.verdict, 20);
  const what = widest((row) => row.what, 40);
  // The signer and the place share what a terminal has left; in a file nothing is cut.
  const left = width === undefined ? Number.POSITIVE_INFINITY : Math.max(32, width - verdict - what - 6);
  const place = Math.min(
    widest((row) => row.place, 1000),
    Math.max(12, Math.floor(left / 3)),
  );
  const signer = Math.min(
    widest((row) => row.signer, width === undefined ? 120 : 1000),
    Math.max(20, left - place),
  );
  const lineOf = (row: Row, at: number) => {
    const cells = [pad(row.verdict, verdict), narrow(row.signer, signer, width), narrow(row.what, what, width)];
    const painted = at === 0 || row.good ? cells[0]! : paint('red', cells[0]!);
    const end = width === undefined ? row.place : cutStart(row.place, place);
    return `${painted}  ${cells[1]}  ${cells[2]}  ${end}`.trimEnd();
  };
  const [title, ...lines] = all.map(lineOf);
  return [paint('bold', title!), ...lines];
}

// Of an identity the end says which workflow, and of what branch: the beginning gives way.
function narrow(text: string, columns: number, width: number | undefined): string {
  if (width === undefined) return pad(text, columns);
  return pad(text.includes('/') ? cutStart(text, columns) : cutEnd(text, columns), columns);
}

function rowOf(signature: CheckedSignature): Row {
  const { verdict, signer, statement, format, place } = signature;
  return {
    verdict,
    signer: signer === undefined ? '-' : shown(signerText(signer)),
    what: shown(statement === undefined ? format : typeName(statement.predicateType)),
    place: shown(place),
    good: signature.failure === undefined,
  };
}

function signerText(signer: CheckedSigner): string {
  return signer.kind === 'key' ? `key sha256:${signer.fingerprint}` : signer.subject.value;
}

/** The URI without what all of them begin with. */
function typeName(uri: string): string {
  return uri.replace(/^https:\/\/(?=[^/]+\/)/, '');
}

/** What proved statements say (of many targets that would be too much), and why one that holds does not count. */
function statementBlocks({ signatures }: TargetResult, whole: boolean, paint: Paint): string[][] {
  return signatures.flatMap((signature) => {
    const { statement, reference, note, place, format } = signature;
    const named = reference === undefined ? [] : [{ name: 'named', value: reference }];
    const says = whole ? [...provedLines(signature), ...named, ...(statement?.says ?? [])] : [];
    if (says.length === 0 && note === undefined) return [];
    const width = Math.max(8, ...says.map(({ name }) => name.length));
    const line = (label: string, text: string) => `  ${paint('dim', label.padEnd(width))}  ${shown(text)}`;
    const what = statement === undefined ? format : typeName(statement.predicateType);
    return [
      [
        `${paint('bold', shown(what))}: ${shown(place)}`,
        ...(note === undefined ? [] : [line('ignored', note)]),
        ...says.map(({ name, value }) => line(name, value)),
      ],
    ];
  });
}

/** When it was signed and logged, and for what repository a workflow ran. */
function provedLines({ times, log, signer }: CheckedSignature): readonly NameValue[] {
  const claims = signer?.kind === 'certificate' ? signer.claims : [];
  const repository =
    claims.find(({ name }) => name === 'sourceRepositoryUri') ??
    claims.find(({ name }) => name === 'githubWorkflowRepository');
  return [
    ...times.map(({ at, source, by }) => ({ name: 'signed', value: `${at} (${timeSources[source]} ${by})` })),
    ...(log === undefined ? [] : [{ name: 'logged', value: `index ${log.index} of ${log.by}` }]),
    ...(repository === undefined ? [] : [{ name: 'repository', value: repository.value }]),
  ];
}

const timeSources = { log: 'log', 'timestamp-authority': 'time stamp of' } as const;

function failureBlocks({ signatures, findings, target }: TargetResult, paint: Paint): string[][] {
  const whole = findings.map((failure) => failureLines(titleOf(target), failure, paint));
  const each = signatures.flatMap(({ failure, place }) =>
    failure === undefined ? [] : [failureLines(place, failure, paint)],
  );
  return [...whole, ...each];
}

/**
 *     wrong-identity[release.sigstore.json]: signed by another workflow
 *       expected  https://github.com/acme/shop/.github/workflows/release.yml@refs/heads/main
 *       got       https://github.com/mallory/shop/.github/workflows/release.yml@refs/heads/main
 *       do        compare the pin with what the project documents
 */
function failureLines(place: string, failure: Failure, paint: Paint): string[] {
  const line = (label: string, text: string | undefined) =>
    text === undefined ? [] : [`  ${paint('dim', label.padEnd(8))}  ${shown(text)}`];
  return [
    `${paint('red', `${failure.rule}:`)} ${shown(place)}: ${shown(failure.message)}`,
    ...line('expected', failure.expected),
    ...line('got', failure.got),
    ...(failure.differences ?? []).flatMap(({ field, expected, got, note }) => [
      ...line('expected', `${field} ${expected}`),
      ...line('got', `${got === undefined ? '' : `${field} ${got}`}${note === undefined ? '' : ` (${note})`}`.trim()),
    ]),
    ...failure.hints.flatMap((hint) => line('do', hint)),
  ];
}

const words: Readonly<Record<VerificationOutcome, string>> = {
  pass: 'passed',
  denied: 'denied',
  undecided: 'not decided',
};

function answerLine({ outcome, reason, target }: TargetResult, paint: Paint): string {
  const word = outcome === 'pass' ? paint('bold', words[outcome]) : paint('red', words[outcome]);
  return `${word}: ${shown(titleOf(target))}: ${shown(reason)}`;
}

function totalLine(results: readonly TargetResult[], outcome: VerificationOutcome, paint: Paint): string {
  const count = (wanted: VerificationOutcome) => results.filter((each) => each.outcome === wanted).length;
  const parts = (['pass', 'denied', 'undecided'] as const).map((each) => `${count(each)} ${words[each]}`);
  return paint(outcome === 'pass' ? 'bold' : 'red', `${results.length} targets: ${parts.join(', ')}`);
}
