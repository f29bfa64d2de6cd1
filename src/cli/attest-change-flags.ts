/** Which flags of `attest` go with which targets: one that says nothing about a target must not look as if it did. */
import { OperationalError } from '../diag/index.ts';
import type { AttestFlags, ChangeAttestFlags } from './attest.ts';

/** Throws OperationalError `usage` for a flag of changes beside another target. */
export function refuseChangeFlags(flags: AttestFlags): void {
  const given = changeFlags.find(([name]) => isGiven(flags[name]));
  if (given === undefined) return;
  throw new OperationalError('usage', `${given[1]} is said of a change, and the target is none`, {
    hints: [`give a range of commits as git:BASE..HEAD, or leave out ${given[1]}`],
  });
}

/** Throws OperationalError `usage` for a flag of other targets beside a change. */
export function refuseOtherFlags(flags: AttestFlags): void {
  const given = otherFlags.find(([name]) => isGiven(flags[name]));
  if (given === undefined) return;
  throw new OperationalError('usage', `${given[1]} does not go with a range of commits`, { hints: [given[2]] });
}

const changeFlags: readonly (readonly [keyof ChangeAttestFlags, string])[] = [
  ['repository', '--repository'],
  ['sourceRepository', '--source-repository'],
  ['baseRef', '--base-ref'],
  ['buildType', '--build-type'],
  ['agent', '--agent'],
  ['model', '--model'],
  ['runtime', '--runtime'],
  ['tool', '--tool'],
  ['sandbox', '--sandbox'],
  ['session', '--session'],
  ['task', '--task'],
  ['builderId', '--builder-id'],
  ['startedOn', '--started-on'],
  ['finishedOn', '--finished-on'],
  ['agentTrace', '--agent-trace'],
  ['gitAi', '--git-ai'],
];

const made = 'leave it out: the statement about a change is made here, from the commits and what you say of the agent';

const otherFlags: readonly (readonly [keyof AttestFlags, string, string])[] = [
  ['predicate', '--predicate', made],
  ['type', '--type', made],
  ['platform', '--platform', 'leave it out: it chooses among the images of an index'],
  ['attach', '--attach', 'nothing is written into a repository: write the bundle to a file with -o bundle=FILE'],
];

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}
