/**
 * Whether somebody sits here: agents and CI jobs tell the programs that they start, by a variable each. A key does not say in
 * whose hands it is, and a person's key that lies where an agent can use it makes the agent's consent look like the person's.
 * It is said and not refused: whoever wants to can clear the environment first. The wall is a key out of the agent's reach,
 * best a security key with `presence: required`.
 *
 * Left out: variables of editors whose terminals people use as well, and those that name a model or an account.
 */

/** Undefined: nothing says that an agent or a job started this. */
export function sessionWarning(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const found = variables.find(([variable]) => isSet(env[variable]));
  if (found === undefined) return undefined;
  const [variable, kind, name] = found;
  const what = kind === 'agent' ? "an agent's session" : 'a CI job';
  return `this runs in ${what} (${name}, by the variable ${variable}): an approval is a person's, so keep the key where no agent and no job can use it`;
}

const variables: readonly (readonly [variable: string, kind: 'agent' | 'job', name: string])[] = [
  ['CLAUDECODE', 'agent', 'Claude Code'],
  ['CLAUDE_CODE', 'agent', 'Claude Code'],
  ['CURSOR_AGENT', 'agent', 'Cursor'],
  ['CODEX_SANDBOX', 'agent', 'Codex'],
  ['CODEX_SANDBOX_NETWORK_DISABLED', 'agent', 'Codex'],
  ['CODEX_THREAD_ID', 'agent', 'Codex'],
  ['CODEX_CI', 'agent', 'Codex'],
  ['GEMINI_CLI', 'agent', 'Gemini CLI'],
  ['ANTIGRAVITY_AGENT', 'agent', 'Antigravity'],
  ['QWEN_CODE', 'agent', 'Qwen Code'],
  ['COPILOT_CLI', 'agent', 'GitHub Copilot'],
  ['OPENCODE', 'agent', 'OpenCode'],
  ['AUGMENT_AGENT', 'agent', 'Augment'],
  ['CLINE_ACTIVE', 'agent', 'Cline'],
  ['GOOSE_TERMINAL', 'agent', 'Goose'],
  ['AMP_CURRENT_THREAD_ID', 'agent', 'Amp'],
  ['PI_CODING_AGENT', 'agent', 'Pi'],
  ['AI_AGENT', 'agent', 'an agent'],
  ['GITHUB_ACTIONS', 'job', 'GitHub Actions'],
  ['GITLAB_CI', 'job', 'GitLab CI'],
  ['GITEA_ACTIONS', 'job', 'Gitea Actions'],
  ['FORGEJO_ACTIONS', 'job', 'Forgejo Actions'],
  ['BITBUCKET_BUILD_NUMBER', 'job', 'Bitbucket Pipelines'],
  ['TF_BUILD', 'job', 'Azure Pipelines'],
  ['BUILDKITE', 'job', 'Buildkite'],
  ['CIRCLECI', 'job', 'CircleCI'],
  ['JENKINS_URL', 'job', 'Jenkins'],
  ['TEAMCITY_VERSION', 'job', 'TeamCity'],
  ['CODEBUILD_BUILD_ID', 'job', 'AWS CodeBuild'],
  ['DRONE', 'job', 'Drone'],
  ['TRAVIS', 'job', 'Travis CI'],
  ['CI', 'job', 'a CI job'],
];

function isSet(value: string | undefined): boolean {
  return value !== undefined && !/^(?:|0|false|no)$/i.test(value);
}
