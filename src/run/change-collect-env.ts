/**
 * What a CI job's environment says of the run that it is: where the repository is, which workflow this is, which run.
 *
 *   GitHub Actions   GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_BASE_REF, GITHUB_WORKFLOW_REF, GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT
 *   GitLab CI        CI_PROJECT_URL, CI_MERGE_REQUEST_TARGET_BRANCH_NAME, CI_CONFIG_PATH, CI_COMMIT_REF_NAME, CI_COMMIT_TAG, CI_JOB_URL
 *
 * The builder is written as the certificate of such a job names it. Whatever has another form than the forge gives it is left
 * out: it was set by somebody else.
 */
import { findRepository } from '../change/repository-name.ts';

export interface JobFacts {
  /** For people. */
  readonly from: 'GitHub Actions' | 'GitLab CI';
  /** In its normal form. */
  readonly repository?: string;
  /** Full name of the branch that a pull request is for. */
  readonly baseRef?: string;
  readonly builderId?: string;
  readonly invocationId?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined outside of a CI job that is known. */
export function jobFacts(env: Environment): JobFacts | undefined {
  if (env['GITHUB_ACTIONS'] === 'true') return { from: 'GitHub Actions', ...gitHub(env) };
  if (env['GITLAB_CI'] === 'true') return { from: 'GitLab CI', ...gitLab(env) };
  return undefined;
}

type Found = Omit<JobFacts, 'from'>;

function gitHub(env: Environment): Found {
  const server = address(env['GITHUB_SERVER_URL']);
  const name = matching(env['GITHUB_REPOSITORY'], /^[\w.-]+\/[\w.-]+$/);
  const workflow = matching(env['GITHUB_WORKFLOW_REF'], /^[^\s@]+\/\.github\/workflows\/[^\s@]+@refs\/\S+$/);
  const run = matching(env['GITHUB_RUN_ID'], /^\d{1,20}$/);
  const attempt = matching(env['GITHUB_RUN_ATTEMPT'], /^\d{1,6}$/) ?? '1';
  if (server === undefined || name === undefined) return {};
  return {
    ...repositoryOf(`${server}/${name}`),
    ...branchOf(env['GITHUB_BASE_REF']),
    ...(workflow !== undefined && { builderId: `${server}/${workflow}` }),
    ...(run !== undefined && { invocationId: `${server}/${name}/actions/runs/${run}/attempts/${attempt}` }),
  };
}

function gitLab(env: Environment): Found {
  const project = address(env['CI_PROJECT_URL']);
  if (project === undefined) return {};
  // A configuration of another project is written as PATH@PROJECT, one from elsewhere as an address.
  const config = matching(env['CI_CONFIG_PATH'] || '.gitlab-ci.yml', /^[^\s@:]+$/);
  const tag = matching(env['CI_COMMIT_TAG'], /^\S+$/);
  const branch = matching(env['CI_COMMIT_REF_NAME'], /^\S+$/);
  const ref = tag !== undefined ? `refs/tags/${tag}` : branch === undefined ? undefined : `refs/heads/${branch}`;
  const job = address(env['CI_JOB_URL']);
  return {
    ...repositoryOf(project),
    ...branchOf(env['CI_MERGE_REQUEST_TARGET_BRANCH_NAME']),
    ...(config !== undefined && ref !== undefined && { builderId: `${project}//${config}@${ref}` }),
    ...(job !== undefined && { invocationId: job }),
  };
}

function repositoryOf(text: string): Pick<Found, 'repository'> {
  const repository = findRepository(text);
  return repository === undefined ? {} : { repository };
}

function branchOf(name: string | undefined): Pick<Found, 'baseRef'> {
  const branch = matching(name, /^[^\s\u0000-\u001f\u007f]{1,1000}$/);
  return branch === undefined ? {} : { baseRef: `refs/heads/${branch}` };
}

function address(text: string | undefined): string | undefined {
  return matching(text, /^https:\/\/[^\s@?#]{1,1000}$/)?.replace(/\/$/, '');
}

function matching(text: string | undefined, pattern: RegExp): string | undefined {
  return text !== undefined && pattern.test(text) ? text : undefined;
}
