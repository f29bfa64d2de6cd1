/** The shape of a policy file. What it means is read in the files beside this one. */
import { z } from 'zod';

const text = z
  .string({ error: ({ input }) => (input === undefined ? 'is missing' : `must be text${inQuotes(input)}`) })
  .min(1, 'must not be empty');

const yesOrNo = z.boolean('must be true or false');

/** Compared whole, unless it says that it is a pattern. */
const value = z.union([text, object({ pattern: text })], 'must be text, or { pattern: TEXT } to compare by a pattern');

const texts = list(text, 'must be a list of texts, like [ci.pub]');
const names = list(text, 'must be a list of names, like [release]');

const identity = object({
  trust: text.exactOptional(),
  issuer: text.exactOptional(),
  subject: value.exactOptional(),
  signer: object({
    workflow: value.exactOptional(),
    ref: value.exactOptional(),
    digest: text.exactOptional(),
  }).exactOptional(),
  source: object({
    repository: value.exactOptional(),
    id: text.exactOptional(),
    ownerId: text.exactOptional(),
    ref: value.exactOptional(),
    digest: text.exactOptional(),
  }).exactOptional(),
  trigger: text.exactOptional(),
  runner: text.exactOptional(),
  visibility: text.exactOptional(),
  deploymentEnvironment: text.exactOptional(),
  key: text.exactOptional(),
  openpgp: text.exactOptional(),
});

const person = object({
  keys: texts.exactOptional(),
  identities: names.exactOptional(),
  emails: texts.exactOptional(),
  accounts: list(text, 'must be a list of accounts, like [github:alice]').exactOptional(),
  presence: z.literal('required', 'must be "required", or be left out').exactOptional(),
});

const days = z.union([text, z.int()], 'must be a number of days like 90d');

const trust = object({
  root: text.exactOptional(),
  issuers: texts.exactOptional(),
  maxAge: days.exactOptional(),
});

const signed = object({
  any: names.exactOptional(),
  all: names.exactOptional(),
  threshold: object({
    of: names,
    count: z.int('must be a whole number').min(1, 'must be at least 1'),
  }).exactOptional(),
});

const image = object({
  match: text,
  pinned: yesOrNo.exactOptional(),
  signed: signed.exactOptional(),
  provenance: z.unknown().optional(),
  sbom: z.unknown().optional(),
  packages: z.unknown().optional(),
});

const sandbox = z.union(
  [
    z.literal('required'),
    object({
      network: texts.exactOptional(),
      filesystem: texts.exactOptional(),
      credentials: texts.exactOptional(),
    }),
  ],
  'must be "required", or a mapping with network, filesystem or credentials, each a list of texts that is not empty',
);

const agents = object({
  provenance: signed.exactOptional(),
  tier: oneOf('local-key', 'job', 'isolated').exactOptional(),
  hosted: names.exactOptional(),
  buildTypes: texts.exactOptional(),
  models: list(text, 'must be a list of patterns, like [anthropic/*]').exactOptional(),
  runtimes: list(text, 'must be a list of patterns, like [claude-code]').exactOptional(),
  tools: list(text, 'must be a list of patterns, like [mcp-github]').exactOptional(),
  sandbox: sandbox.exactOptional(),
  decision: signed.exactOptional(),
  maxAge: days.exactOptional(),
});

const highRisk = object({
  paths: list(text, 'must be a list of patterns, like [.github/**]').exactOptional(),
  approvals: z.int('must be a whole number').min(1, 'must be at least 1').exactOptional(),
  by: list(text, 'must be a list of people, like [alice]').exactOptional(),
  records: names.exactOptional(),
  operation: text.exactOptional(),
  carryOver: oneOf('never', 'replay').exactOptional(),
});

const changes = object({
  repository: text,
  baseRef: text,
  unknown: oneOf('treat-as-agent', 'treat-as-human').exactOptional(),
  bots: names.exactOptional(),
  agents: agents.exactOptional(),
  highRisk: highRisk.exactOptional(),
});

export const policyShape = object({
  version: z.literal(1, {
    error: ({ input }) =>
      input === undefined
        ? 'is missing; write: version: 1'
        : typeof input === 'number' && input > 1
          ? 'is newer than this tidewaiter reads, which is 1; install a newer tidewaiter'
          : 'must be the number 1; write: version: 1',
  }),
  trust: named(trust).exactOptional(),
  identities: named(identity).exactOptional(),
  people: named(person).exactOptional(),
  images: list(image, 'must be a list, each entry beginning with "- match: REGISTRY/NAME"').exactOptional(),
  changes: changes.exactOptional(),
  exceptions: z.unknown().optional(),
  ledger: z.unknown().optional(),
  platform: z.unknown().optional(),
});

export type PolicyShape = z.infer<typeof policyShape>;
export type IdentityShape = z.infer<typeof identity>;
export type SignedShape = z.infer<typeof signed>;
export type ImageShape = z.infer<typeof image>;
export type ValueShape = z.infer<typeof value>;
export type ChangesShape = z.infer<typeof changes>;
export type AgentsShape = z.infer<typeof agents>;
export type HighRiskShape = z.infer<typeof highRisk>;

function object<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: ({ code, input }) => {
      if (code === 'unrecognized_keys') return `is not known here; known are: ${keys}`;
      return input === undefined ? 'is missing' : `must be a mapping with: ${keys}`;
    },
  });
}

function oneOf<const Words extends readonly [string, ...string[]]>(...words: Words) {
  return z.enum(words, `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`);
}

function named<Value extends z.ZodType>(entry: Value) {
  return z.record(z.string(), entry, 'must be a mapping from names');
}

function list<Item extends z.ZodType>(item: Item, message: string) {
  return z
    .array(item, { error: ({ input }) => (input === undefined ? 'is missing' : message) })
    .min(1, 'must not be empty');
}

function inQuotes(input: unknown): string {
  return typeof input === 'number' || typeof input === 'boolean' ? '; put it in quotes' : '';
}
