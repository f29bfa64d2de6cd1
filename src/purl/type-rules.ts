/**
 * What the purl type definitions say in prose only, and the few places where the field knows better than they do. Each
 * rule works on components that are already split, trimmed and lower-cased as the definition says.
 *
 * Where a definition's data and its prose disagree the data wins: `golang` says "case sensitive" in data and "shall be
 * lowercased" in prose, and Go module paths are case sensitive.
 */

/** Components while they are being normalised; empty text for absent ones. */
export interface Parts {
  namespace: string;
  name: string;
  version: string;
  readonly qualifiers: Map<string, string>;
  subpath: string;
}

export interface TypeRules {
  /** The definition requires a namespace, but real packages have none. */
  readonly namespaceOptional?: true;
  /** Brings the components into the type's canonical spelling. Idempotent. */
  normalise?(parts: Parts): void;
  /** Why the canonical components cannot be of this type, or undefined. */
  refuse?(parts: Parts): string | undefined;
}

/** Rules of a type in lower case, where it has any. */
export function findTypeRules(type: string): TypeRules | undefined {
  return rules.get(type);
}

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const rules: ReadonlyMap<string, TypeRules> = new Map<string, TypeRules>([
  [
    'cocoapods',
    {
      refuse: ({ name }) =>
        /[\s+]/.test(name) || name.startsWith('.') ? 'a pod name has no space, no "+" and no "." in front' : undefined,
    },
  ],
  [
    'cpan',
    {
      normalise(parts) {
        parts.namespace = parts.namespace.toUpperCase();
      },
      // Module names, not distributions: one distribution has many modules, so that such a purl would find nothing.
      refuse: ({ name }) => (name.includes('::') ? 'the name is a module, not a distribution' : undefined),
    },
  ],
  ['git', { normalise: splitGitPath }],
  // A module path can have one element: stdlib, go4.org, gotest.tools.
  ['golang', { namespaceOptional: true }],
  ['mlflow', { normalise: lowerDatabricksName }],
  [
    'pub',
    {
      normalise(parts) {
        parts.name = parts.name.replace(/[^a-z0-9_]/gu, '_');
      },
    },
  ],
  [
    'pypi',
    {
      normalise(parts) {
        parts.name = parts.name.replaceAll('_', '-');
      },
    },
  ],
  [
    'swid',
    {
      normalise({ qualifiers }) {
        const id = qualifiers.get('tag_id');
        if (id !== undefined && guid.test(id)) qualifiers.set('tag_id', id.toLowerCase());
      },
      refuse: ({ namespace }) =>
        namespace.split('/').length > 2 ? 'the namespace is a creator and its regid, not more' : undefined,
    },
  ],
  [
    'yocto',
    {
      refuse({ qualifiers }) {
        const url = qualifiers.get('repository_url');
        return url === undefined || /^(?:https?|ssh|git):/i.test(url)
          ? undefined
          : 'repository_url needs the scheme https, http, ssh or git';
      },
    },
  ],
]);

/**
 * The namespace is the host alone and the name is the whole path on it: `codeberg.org` and `forgejo/forgejo`. Git paths
 * are case sensitive except where the host says otherwise; GitHub ignores case in owner and repository.
 */
function splitGitPath(parts: Parts): void {
  const path = `${parts.namespace}/${parts.name}`.split('/').filter((segment) => segment !== '');
  const onGitHub = /^(?:www\.)?github(?:\.com)?$/i.test(path[0] ?? '');
  const [host = '', ...rest] = onGitHub ? path.map((segment) => segment.toLowerCase()) : path;
  // One segment alone is a name without a host, which the definition refuses.
  parts.namespace = rest.length === 0 ? '' : host;
  parts.name = rest.length === 0 ? host : rest.join('/');
}

/** Model names are case sensitive on Azure ML and not on Databricks; only the repository tells which one it is. */
function lowerDatabricksName(parts: Parts): void {
  const url = parts.qualifiers.get('repository_url') ?? '';
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  const labels = host.split('.');
  if (labels.includes('databricks') || labels.includes('azuredatabricks')) parts.name = parts.name.toLowerCase();
}
