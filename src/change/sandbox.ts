/** Whether the sandboxes that a statement says the agent and its subagents had are those that the policy asks for. */
import type { SandboxRule } from '../policy/types.ts';
import { isListed, type Problem } from './statement-context.ts';
import { sandboxesOf } from './statements/index.ts';
import type { AgentChange, Sandbox } from './types.ts';

export function sandboxesProblem(statement: AgentChange, rule: SandboxRule | undefined): Problem | undefined {
  if (rule === undefined) return undefined;
  for (const [at, sandbox] of sandboxesOf(statement).entries()) {
    const problem = sandboxProblem(sandbox, at === 0 ? 'the agent' : 'a subagent', rule);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function sandboxProblem(sandbox: Sandbox | undefined, who: string, rule: SandboxRule): Problem | undefined {
  if (sandbox === undefined) {
    return { rule: 'sandbox-missing', message: `provenance does not say in what sandbox ${who} ran` };
  }
  const { networkMode, allowedEgress, filesystem, credentials, observed } = sandbox;
  if (networkMode === undefined && filesystem === undefined && credentials === undefined) {
    return { rule: 'sandbox-missing', message: 'provenance has a sandbox that says nothing' };
  }
  if (rule.network !== undefined) {
    const problem = networkProblem(networkMode, [...allowedEgress, ...observed], rule.network);
    if (problem !== undefined) return problem;
  }
  const isLimited = networkMode === 'allowlist' || networkMode === 'none';
  const allowed = networkMode === 'allowlist' ? allowedEgress : [];
  const beyond = isLimited ? observed.find((each) => !isListed(each, allowed)) : undefined;
  if (beyond !== undefined) {
    return {
      rule: 'sandbox-egress',
      message: `${who} was seen to connect to where its sandbox did not allow it`,
      expected: allowed.length === 0 ? 'no connection' : allowed.join(', '),
      got: beyond,
    };
  }
  return (
    statedProblem('file system', filesystem, rule.filesystem) ??
    statedProblem('credentials', credentials, rule.credentials)
  );
}

/** Only an allow-list, or no network at all, can be held against the policy's: any other mode allows anything. */
function networkProblem(
  mode: string | undefined,
  targets: readonly string[],
  allowed: readonly string[],
): Problem | undefined {
  if (mode === undefined)
    return { rule: 'sandbox-missing', message: "provenance does not state the sandbox's network" };
  if (mode !== 'allowlist' && mode !== 'none') {
    return {
      rule: 'sandbox-egress',
      message: "the sandbox's network is not an allow-list",
      expected: 'allowlist or none',
      got: mode,
    };
  }
  const other = targets.find((each) => !isListed(each, allowed));
  if (other === undefined) return undefined;
  return {
    rule: 'sandbox-egress',
    message: "the agent's sandbox allowed a connection that the policy does not",
    expected: allowed.join(', '),
    got: other,
  };
}

function statedProblem(
  what: string,
  stated: string | undefined,
  allowed: readonly string[] | undefined,
): Problem | undefined {
  if (allowed === undefined || (stated !== undefined && isListed(stated, allowed))) return undefined;
  const expected = allowed.join(', ');
  return stated === undefined
    ? { rule: 'sandbox-missing', message: `provenance does not state the sandbox's ${what}`, expected }
    : { rule: 'sandbox-egress', message: `the sandbox's ${what} is not what the policy allows`, expected, got: stated };
}
