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
}

export interface SarifRun {
  readonly tool: { readonly name: string; readonly version: string };
  /** False where something could not be decided. */
  readonly decided: boolean;
  readonly exitCode: number;
  readonly notifications: readonly string[];
  readonly findings: readonly SarifFinding[];
}

export function writeSarif({ tool, decided, exitCode, notifications, findings }: SarifRun): string {
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
      },
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function resultOf({ rule, level, message, subject, place, file }: SarifFinding, used: readonly { id: string }[]) {
  return {
    ruleId: rule,
    ruleIndex: used.findIndex(({ id }) => id === rule),
    level,
    message: { text: printable(message) },
    locations: [
      {
        ...(file === undefined ? {} : { physicalLocation: { artifactLocation: { uri: uriOf(file) } } }),
        logicalLocations: [{ fullyQualifiedName: printable(`${subject}: ${place}`), kind: 'resource' }],
      },
    ],
    partialFingerprints: { 'tidewaiter/v1': fingerprint([rule, subject, place]) },
  };
}

/** A relative reference (RFC 3986): each segment escaped; a colon in the first one would look like a scheme. */
function uriOf(file: string): string {
  const path = file.toWellFormed().replaceAll('\\', '/');
  const escaped = path.split('/').map(encodeURIComponent).join('/');
  return path.startsWith('/') ? `file://${escaped}` : escaped;
}

/** The lengths keep `a`+`bc` and `ab`+`c` apart. */
function fingerprint(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest('hex');
}
