/**
 * Rules for changes: what the commits of a range have to show before they may land.
 *
 *   changes:
 *     repository: https://github.com/acme/shop
 *     baseRef: refs/heads/main
 *     agents: { provenance: { any: [agent-platform] }, models: [ anthropic/* ], sandbox: required }
 *     highRisk: { paths: [ infra/** ], approvals: 1, by: [alice] }
 *
 * Everything that is left out has the stricter of its meanings. docs/formats/policy.md
 */
import { quoted } from '../diag/index.ts';
import { isWorkflowIssuer } from '../sigstore/issuers.ts';
import {
  baseRefFault,
  buildTypeFault,
  endpointFault,
  namePatternFault,
  operationFault,
  pathPatternFault,
  repositoryFault,
  wordFault,
} from './change-values.ts';
import { readDays } from './days.ts';
import type { AgentsShape, ChangesShape, HighRiskShape, PolicyShape } from './schema.ts';
import { readSigned } from './signed.ts';
import type { AgentsRule, ChangesRule, HighRiskRule, Person, SandboxRule, SignedRule } from './types.ts';
import type { Path, YamlFile } from './yaml.ts';

/** Build types of SLSA provenance that say how an agent made a commit. */
export const defaultBuildTypes: readonly string[] = [
  'https://refs.arewm.com/agent-commit/v0.3',
  'https://refs.arewm.com/agent-commit/v0.2',
];

export function readChanges(
  shape: PolicyShape,
  people: ReadonlyMap<string, Person>,
  file: YamlFile,
): ChangesRule | undefined {
  const { changes } = shape;
  if (changes === undefined) return undefined;
  const context: Context = { shape, people, file };
  const { repository, baseRef, unknown = 'treat-as-agent' } = changes;
  check([...root, 'repository'], repositoryFault(repository), context);
  check([...root, 'baseRef'], baseRefFault(baseRef), context);
  const agents = readAgents(changes.agents ?? {}, context);
  const highRisk = readHighRisk(changes.highRisk, agents, context);
  const bots = readBots(changes, agents, context);
  return { repository, baseRef, unknown, bots, agents, highRisk, place: file.placeOf(root) };
}

interface Context {
  readonly shape: PolicyShape;
  readonly people: ReadonlyMap<string, Person>;
  readonly file: YamlFile;
}

const root: Path = ['changes'];

function check(path: Path, fault: string | undefined, { file }: Context): void {
  if (fault !== undefined) throw file.fault(path, fault);
}

function checkEach(
  path: Path,
  values: readonly string[],
  faultOf: (value: string) => string | undefined,
  context: Context,
): void {
  for (const [at, value] of values.entries()) {
    check([...path, at], values.indexOf(value) < at ? 'stands twice' : faultOf(value), context);
  }
}

function readAgents(agents: AgentsShape, context: Context): AgentsRule {
  const path: Path = [...root, 'agents'];
  const { tier, hosted = [], buildTypes = defaultBuildTypes, models, runtimes, tools, maxAge } = agents;
  const signed = (part: 'provenance' | 'decision'): SignedRule | undefined => {
    const given = agents[part];
    return given && readSigned(given, [...path, part], { ...context, signs: 'statements' });
  };
  const provenance = signed('provenance');
  const decision = signed('decision');
  checkDecision(agents.decision, [...path, 'decision'], context);
  checkEach([...path, 'hosted'], hosted, (name) => hostedFault(name, provenance, context), context);
  checkEach([...path, 'buildTypes'], buildTypes, buildTypeFault, context);
  for (const [part, what] of [
    ['models', 'model'],
    ['runtimes', 'runtime'],
    ['tools', 'tool'],
  ] as const) {
    checkEach([...path, part], agents[part] ?? [], (each) => namePatternFault(each, what), context);
  }
  const sandbox = readSandbox(agents.sandbox, [...path, 'sandbox'], context);
  return {
    ...(provenance && { provenance }),
    ...(tier && { tier }),
    hosted,
    buildTypes,
    ...(models && { models }),
    ...(runtimes && { runtimes }),
    ...(tools && { tools }),
    ...(sandbox && { sandbox }),
    ...(decision && { decision }),
    ...(maxAge !== undefined && { maxAge: readDays(maxAge, [...path, 'maxAge'], context.file) }),
    place: context.file.placeOf(agents === context.shape.changes?.agents ? path : root),
  };
}

function readSandbox(given: AgentsShape['sandbox'], path: Path, context: Context): SandboxRule | undefined {
  if (given === undefined) return undefined;
  const place = context.file.placeOf(path);
  if (given === 'required') return { place };
  const { network, filesystem, credentials } = given;
  if (network === undefined && filesystem === undefined && credentials === undefined) {
    throw context.file.fault(path, 'says nothing; write sandbox: required, or add network, filesystem or credentials');
  }
  checkEach([...path, 'network'], network ?? [], endpointFault, context);
  checkEach([...path, 'filesystem'], filesystem ?? [], wordFault, context);
  checkEach([...path, 'credentials'], credentials ?? [], wordFault, context);
  return { ...(network && { network }), ...(filesystem && { filesystem }), ...(credentials && { credentials }), place };
}

/** A platform is isolated by the policy's word alone: nobody gets there who does not sign provenance as a program. */
function hostedFault(name: string, provenance: SignedRule | undefined, context: Context): string | undefined {
  const fault = programFault(name, context);
  if (fault !== undefined) return fault;
  return provenance?.of.includes(name) === true
    ? undefined
    : 'vouches for nothing: provenance does not name it; add it there, or remove it here';
}

// Were one identity both, the commits of agents that its platform signs would pass for those of a bot, and need nothing.
function readBots({ bots = [] }: ChangesShape, agents: AgentsRule, context: Context): readonly string[] {
  const faultOf = (name: string): string | undefined =>
    vouchesFor(name, agents)
      ? 'vouches for agents already; give the bot an identity of its own'
      : (programFault(name, context) ?? workflowFault(name, context));
  checkEach([...root, 'bots'], bots, faultOf, context);
  return bots;
}

function vouchesFor(name: string, { provenance, decision }: AgentsRule): boolean {
  return provenance?.of.includes(name) === true || decision?.of.includes(name) === true;
}

/** An identity, and nobody's. */
function programFault(name: string, { shape, people }: Context): string | undefined {
  const { identities = {} } = shape;
  if (people.has(name)) return 'is a person; name an identity that belongs to nobody';
  if (!Object.hasOwn(identities, name)) {
    const known = Object.keys(identities).join(', ');
    return `names no identity: ${quoted(name)} is not among ${known === '' ? 'identities:, which is empty' : known}`;
  }
  const owner = [...people.values()].find((each) => each.identities.includes(name));
  return owner && `is an identity of ${owner.name}, who is a person; name one that belongs to nobody`;
}

/**
 * A workflow counts on every branch where nothing says from which it is taken, and a branch is what an author can push. That is
 * seen when a change is judged, too, but only for the repository that it is of.
 */
function workflowFault(name: string, { shape }: Context): string | undefined {
  const { identities = {} } = shape;
  const identity = Object.hasOwn(identities, name) ? identities[name] : undefined;
  if (identity?.issuer === undefined || !isWorkflowIssuer(identity.issuer)) return undefined;
  const { subject, signer } = identity;
  // A whole subject ends in the ref.
  if (signer?.digest !== undefined || typeof signer?.ref === 'string' || typeof subject === 'string') return undefined;
  if (signer?.ref?.pattern.startsWith('refs/tags/') === true) return undefined;
  return signer?.ref === undefined
    ? `is a workflow at whatever ref, in the form that whoever pushed it gave it; add signer.ref or signer.digest to identities.${name}`
    : `is a workflow at any ref that fits a pattern, and whoever pushes such a one decides what it does; write one ref, or tags, in identities.${name}.signer.ref`;
}

function checkDecision(given: AgentsShape['decision'], path: Path, context: Context): void {
  if (given === undefined) return;
  const { any, all, threshold } = given;
  const names = any ?? all ?? threshold?.of ?? [];
  const at = [...path, ...(any ? ['any'] : all ? ['all'] : ['threshold', 'of'])];
  for (const [index, name] of names.entries()) {
    const own = context.people.get(name)?.identities ?? [name];
    for (const each of own) check([...at, index], workflowFault(each, context), context);
  }
}

function readHighRisk(given: HighRiskShape | undefined, agents: AgentsRule, context: Context): HighRiskRule {
  const path: Path = [...root, 'highRisk'];
  const { paths = [], approvals = 1, by = [], records = [], operation = 'merge', carryOver = 'never' } = given ?? {};
  checkEach([...path, 'paths'], paths, pathPatternFault, context);
  checkEach([...path, 'by'], by, (name) => approverFault(name, context), context);
  // Whoever vouches for agents could record that a person had agreed to what they made.
  const recordsFault = (name: string): string | undefined =>
    vouchesFor(name, agents)
      ? 'vouches for agents already; approvals have to be recorded by another identity'
      : (programFault(name, context) ?? workflowFault(name, context));
  checkEach([...path, 'records'], records, recordsFault, context);
  check([...path, 'operation'], operationFault(operation), context);
  const able = by.length > 0 ? by : [...context.people.values()].filter((each) => canApprove(each, context));
  if (given !== undefined && approvals > able.length) {
    const at = given.approvals === undefined ? path : [...path, 'approvals'];
    const who = by.length > 0 ? 'are named under by' : 'of people: can approve';
    throw context.file.fault(at, `can never be met: ${approvals} must approve, and only ${able.length} ${who}`);
  }
  const place = context.file.placeOf(given === undefined ? root : path);
  return { paths, approvals, by, records, operation, carryOver, place };
}

function approverFault(name: string, context: Context): string | undefined {
  const person = context.people.get(name);
  if (person !== undefined) {
    return canApprove(person, context)
      ? undefined
      : `has nothing to approve with; add keys, identities or accounts under people.${name}`;
  }
  if (Object.hasOwn(context.shape.identities ?? {}, name)) {
    return 'is an identity; only people approve, so list it under the identities of a person and name them';
  }
  const known = [...context.people.keys()].join(', ');
  return `names nobody: ${quoted(name)} is not among ${known === '' ? 'people:, which is empty' : known}`;
}

/** By a signature of their own, which no workflow gives, or by a review that a forge has under their account. */
function canApprove({ keys, identities, accounts }: Person, { shape }: Context): boolean {
  const signs = identities.some((each) => {
    const { openpgp, issuer } = shape.identities?.[each] ?? {};
    return openpgp === undefined && (issuer === undefined || !isWorkflowIssuer(issuer));
  });
  return keys.length > 0 || accounts.length > 0 || signs;
}
