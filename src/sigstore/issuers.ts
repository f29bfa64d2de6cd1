/**
 * What kind of party an OIDC issuer speaks for, which decides how much of an identity has to be pinned. An issuer such as
 * GitHub Actions speaks for millions of strangers, and a repository alone for every workflow that anyone may add to it.
 *
 *   github   token.actions.githubusercontent.com, with an enterprise's name behind it, on ghe.com, or a server of one's own
 *   gitlab   gitlab.com and hosts named gitlab.…
 *   email    people and service accounts that log in: the name in the certificate is an address
 *   other    everything else: CircleCI, Buildkite, Codefresh, Buddy, Chainguard, Kubernetes clusters, SPIFFE, unknown ones
 */
export type IssuerKind = 'github' | 'gitlab' | 'email' | 'other';

/** The kind says what to demand of a pin; it is never a reason to trust. */
export function issuerKind(issuer: string): IssuerKind {
  if (emailIssuers.has(issuer)) return 'email';
  if (isGitHub(issuer)) return 'github';
  return gitlab.test(issuer) || issuer === 'https://dev.gitlab.org' || issuer === 'https://ops.gitlab.net'
    ? 'gitlab'
    : 'other';
}

/** Its certificates name the workflow file that ran, at a ref: `WORKFLOW@REF`. */
export function isWorkflowIssuer(issuer: string): boolean {
  const kind = issuerKind(issuer);
  return kind === 'github' || kind === 'gitlab';
}

/** GitHub's own, whose repositories all lie below https://github.com. */
export function isGitHubDotCom(issuer: string): boolean {
  return gitHubDotCom.test(issuer);
}

function isGitHub(issuer: string): boolean {
  return gitHubDotCom.test(issuer) || gitHubResidency.test(issuer) || gitHubServer.test(issuer);
}

const gitHubDotCom = /^https:\/\/token\.actions\.githubusercontent\.com(?:\/[^/]+)?$/;
const gitHubResidency = /^https:\/\/token\.actions\.[^./]+\.ghe\.com$/;
const gitHubServer = /^https:\/\/[^/]+\/_services\/token(?:\/[^/]+)?$/;
const gitlab = /^https:\/\/gitlab\.[^/]+$/;

const emailIssuers: ReadonlySet<string> = new Set([
  'https://accounts.google.com',
  'https://github.com/login/oauth',
  'https://login.microsoftonline.com',
  'https://oauth2.sigstore.dev/auth',
  'https://oauth2.sigstage.dev/auth',
  'https://issuer.hello.coop',
  'https://sigstore.verify.ibm.com/oauth2',
  'https://auth.eclipse.org/auth/realms/foundation-service-accounts',
  'https://www.kaggle.com/api/v1/models/signing',
]);
