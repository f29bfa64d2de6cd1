/**
 * SARIF 2.1.0 as far as it is written here: what its sections ask of the objects that appear, and no object besides. Closed,
 * so that a member that the format does not have is noticed.
 */
import { Ajv, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';

export interface SarifDocument {
  readonly runs: readonly [
    {
      readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
      readonly invocations: readonly {
        readonly executionSuccessful: boolean;
        readonly exitCode: number;
        readonly toolExecutionNotifications: readonly { readonly message: { readonly text: string } }[];
      }[];
      readonly results: readonly {
        readonly ruleId: string;
        readonly ruleIndex: number;
        readonly level: string;
        readonly partialFingerprints: object;
        readonly locations: readonly [
          {
            readonly physicalLocation?: {
              readonly artifactLocation: { readonly uri: string };
              readonly region?: { readonly startLine: number };
            };
            readonly logicalLocations: readonly { readonly fullyQualifiedName: string; readonly kind: string }[];
          },
        ];
      }[];
    },
  ];
}

/** What is wrong with it; empty where nothing is. */
export function sarifErrors(json: string): readonly string[] {
  validate ??= compile();
  const document = JSON.parse(json) as SarifDocument;
  if (!validate(document)) {
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
  }
  const [{ tool, results }] = document.runs;
  const used = tool.driver.rules.map(({ id }) => id);
  const wrong = results.filter(({ ruleId, ruleIndex }) => used[ruleIndex] !== ruleId);
  return wrong.map(({ ruleId }) => `${ruleId} is not the rule that its index names`);
}

let validate: ValidateFunction | undefined;

function compile(): ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true });
  (ajvFormats as unknown as (ajv: Ajv) => Ajv)(ajv);
  return ajv.compile(log);
}

function object(required: Readonly<Record<string, object>>, optional: Readonly<Record<string, object>> = {}) {
  return {
    type: 'object',
    required: Object.keys(required),
    properties: { ...required, ...optional },
    additionalProperties: false,
  };
}

const text = { type: 'string' };
const message = object({ text });
const level = { enum: ['none', 'note', 'warning', 'error'] };
const list = (items: object, minItems = 0) => ({ type: 'array', items, minItems });

const rule = object(
  { id: text },
  { shortDescription: message, help: message, defaultConfiguration: object({ level }) },
);
const driver = object({ name: text }, { version: text, rules: list(rule) });
const notification = object({ message }, { level });
const invocation = object(
  { executionSuccessful: { type: 'boolean' } },
  { exitCode: { type: 'integer' }, toolExecutionNotifications: list(notification) },
);
const physical = object(
  { artifactLocation: object({ uri: { type: 'string', format: 'uri-reference' } }) },
  { region: object({ startLine: { type: 'integer', minimum: 1 } }) },
);
const location = object(
  { logicalLocations: list(object({ fullyQualifiedName: text, kind: text }), 1) },
  { physicalLocation: physical },
);
const result = object({
  ruleId: text,
  ruleIndex: { type: 'integer', minimum: 0 },
  level,
  message,
  locations: list(location, 1),
  partialFingerprints: { type: 'object', additionalProperties: text },
});
const run = object(
  {
    tool: object({ driver }),
    invocations: list(invocation, 1),
    columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
    results: list(result),
  },
  { properties: { type: 'object' } },
);
const log = object({ $schema: { type: 'string', format: 'uri' }, version: { const: '2.1.0' }, runs: list(run, 1) });
