/**
 * Findings as SARIF 2.1.0 (OASIS standard, sections 3.13 to 3.31), the form that code scanning services read.
 *
 *     {"version": "2.1.0", "runs": [{
 *       "tool": {"driver": {"name": "tidewaiter", "rules": [{"id": "wrong-identity", …}]}},
 *       "invocations": [{"executionSuccessful": true}],
 *       "results": [{"ruleId": "wrong-identity", "level": "error", "message": {"text": "…"}, "locations": […]}]}]}
 *
 * A run that could not decide says so by `executionSuccessful: false`: an empty list of results must not look like a
 * clean bill.
 */
import { createHash } from 'node:crypto';
import { printable, type RuleId, rules } from '../diag/index.ts';

export interface SarifFinding {
  readonly rule: RuleId;
  readonly level: 'error' | 'warning' | 'note';
  readonly message: string;
  /** What it is about, and where in it: `[image, tag]`. Stable from run to run. */
  readonly subject: string;
  readonly place: string;
  /** Path of a file on disk, where the place is one. */
  readonly file?: string;
  /** Path in a repository, from its root and always with `/`; in the place of `file`. */
  readonly tracked?: string;
  /** Of the file, from 1. */
  readonly line?: number;
  /** Names of what it is about, in the place of subject and place. */
  readonly names?: readonly { readonly name: string; readonly kind: string }[];
}

export interface SarifRun {
  readonly tool: { readonly name: string; readonly version: string };
  /** False where something could not be decided. */
  readonly decided: boolean;
  readonly exitCode: number;
  readonly notifications: readonly string[];
  /** Of the run as a whole; in its property bag (section 3.8). */
  readonly properties?: Readonly<Record<string, string | boolean>>;
  readonly findings: readonly SarifFinding[];
}

export function writeSarif({ tool, decided, exitCode, notifications, properties, findings }: SarifRun): string {
  const used = rules.filter(({ id }) => findings.some(({ rule }) => rule === id));
  const document = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: tool.name,
            version: tool.version,
            rules: used.map(({ id, title, help }) => ({
              id,
              shortDescription: { text: title },
              help: { text: help },
              defaultConfiguration: { level: 'error' },
            })),
          },
        },
        invocations: [
          {
            executionSuccessful: decided,
            exitCode,
            toolExecutionNotifications: notifications.map((text) => ({
              level: 'warning',
              message: { text: printable(text) },
            })),
          },
        ],
        columnKind: 'utf16CodeUnits',
        results: findings.map((finding) => resultOf(finding, used)),
        ...(properties !== undefined && { properties }),
      },
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function resultOf(finding: SarifFinding, used: readonly { id: string }[]) {
  const { rule, level, message, subject, place, file, tracked, line, names } = finding;
  const uri = tracked !== undefined ? relativeUri(tracked) : file !== undefined ? uriOf(file) : undefined;
  return {
    ruleId: rule,
    ruleIndex: used.findIndex(({ id }) => id === rule),
    level,
    message: { text: printable(message) },
    locations: [
      {
        ...(uri === undefined
          ? {}
          : {
              physicalLocation: {
                artifactLocation: { uri },
                ...(line === undefined ? {} : { region: { startLine: line } }),
              },
            }),
        logicalLocations: (names ?? [{ name: `${subject}: ${place}`, kind: 'resource' }]).map(({ name, kind }) => ({
          fullyQualifiedName: printable(name),
          kind,
        })),
      },
    ],
    partialFingerprints: { 'tidewaiter/v1': fingerprint([rule, subject, place]) },
  };
}

/** A relative reference (RFC 3986): each segment escaped; a colon in the first one would look like a scheme. */
function uriOf(file: string): string {
  const path = file.replaceAll('\\', '/');
  return path.startsWith('/') ? `file://${relativeUri(path)}` : relativeUri(path);
}

function relativeUri(path: string): string {
  return path.toWellFormed().split('/').map(encodeURIComponent).join('/');
}

/** The lengths keep `a`+`bc` and `ab`+`c` apart. */
function fingerprint(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest('hex');
}
