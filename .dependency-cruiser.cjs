/** The rooms' arrows: cli -> run -> sources -> catalog -> bom -> report; leaves know nobody. */
const room = (name) => `^src/${name}/`;

/** What each room may import from besides itself, node and packages. Anything else is a violation. */
const mayUse = {
  diag: [],
  pattern: [],
  purl: ['diag'],
  io: ['diag'],
  archive: ['diag'],
  sources: ['diag', 'archive', 'io'],
  sigstore: ['diag'],
  policy: ['diag', 'pattern', 'sigstore'],
  git: ['diag', 'io'],
  change: ['diag', 'pattern', 'git', 'sigstore', 'policy'],
  catalog: ['diag', 'archive', 'purl', 'pattern', 'sources'],
  bom: ['diag', 'purl', 'catalog', 'sources'],
  facts: ['diag', 'bom', 'catalog', 'sources'],
  report: ['diag', 'bom', 'catalog', 'sources', 'sigstore'],
  run: [
    'diag',
    'archive',
    'pattern',
    'io',
    'git',
    'sources',
    'sigstore',
    'policy',
    'change',
    'catalog',
    'bom',
    'facts',
    'report',
  ],
  cli: ['diag', 'archive', 'pattern', 'io', 'git', 'sources', 'sigstore', 'change', 'catalog', 'bom', 'report', 'run'],
};

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: { path: '^src' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    ...Object.entries(mayUse).map(([name, others]) => ({
      name: `${name}-looks-only-ahead`,
      severity: 'error',
      from: { path: room(name) },
      to: { path: '^src/', pathNot: [name, ...others].map(room) },
    })),
    {
      name: 'only-io-touches-the-world',
      comment: 'everything else is handed a World; cli/main.ts sets the exit code',
      severity: 'error',
      from: { path: '^src', pathNot: ['^src/io/', '^src/cli/main\\.ts$', '^src/tidewaiter\\.cjs$'] },
      to: {
        path: '^(?:node:)?(?:fs|fs/promises|net|http|https|http2|dns|child_process|worker_threads|process|tls|dgram)$',
      },
    },
    {
      name: 'src-is-not-a-test',
      severity: 'error',
      from: { path: '^src' },
      to: { path: '^(?:test|bench|fixtures)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
