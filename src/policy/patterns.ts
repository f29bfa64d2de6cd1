/**
 * Patterns for the fields of an identity. They must be asked for, they match the whole value, and they have to hold on to
 * whoever is meant: a pattern that leaves the owner open believes everybody who can make an account.
 *
 *   { pattern: "https://github.com/acme/*" }      any repository of acme, and not https://github.com/acme/x/y
 *   { pattern: "refs/tags/v*" }                   any tag that begins with v, and not refs/tags/v1/x
 */
import { compilePattern } from '../pattern/index.ts';

export type PatternKind = 'workflow' | 'repository' | 'ref' | 'subject';

/**
 * The whole value, in the language of src/pattern. URIs may have empty segments (`https://`, GitLab's `//.gitlab-ci.yml`),
 * which paths have not: a letter before every segment keeps them, and makes each slash count.
 */
export function compileValue(pattern: string): (value: string) => boolean {
  const matches = compilePattern(segments(pattern, (each) => (each === '**' ? each : `=${each}`)));
  return (value) => matches(segments(value, (each) => `=${each}`));
}

/** What is wrong with a pattern and what to write instead; undefined where it can be relied on. */
export function patternFault(kind: PatternKind, pattern: string): string | undefined {
  if (pattern.length > 1000) return 'is longer than 1000 characters';
  if (!pattern.includes('*')) return 'holds no "*"; write it as plain text, without "pattern:"';
  if (pattern.split('/').some((each) => each !== '**' && each.includes('**'))) {
    return 'has "**" inside a segment; it has to stand alone between slashes';
  }
  if (kind === 'ref') {
    return /^refs\/[^/*]+\//.test(pattern) ? undefined : 'must begin with refs/heads/ or refs/tags/, like refs/tags/v*';
  }
  if (kind === 'subject' && !pattern.includes('://')) {
    return /[@!][^*@!/]+$/.test(pattern) ? undefined : 'must end in a whole domain, like *@acme.example';
  }
  return uriFault(kind, pattern);
}

function uriFault(kind: PatternKind, pattern: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/*]+\/[^/*]+\//.test(pattern)) {
    return 'must name the host and the owner in full, like https://github.com/acme/*';
  }
  if (/^https:\/\/kubernetes\.io\/(?!namespaces\/[^/*]+\/)/.test(pattern)) {
    return 'must name the namespace in full, like https://kubernetes.io/namespaces/prod/serviceaccounts/*';
  }
  // Whoever may add a file to the repository could add a workflow that signs.
  return kind === 'workflow' && /\/\*+$/.test(pattern)
    ? 'matches every workflow; name the file, like https://github.com/acme/shop/.github/workflows/release-*.yml'
    : undefined;
}

function segments(text: string, change: (segment: string) => string): string {
  return text.split('/').map(change).join('/');
}
