import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findRiskyPaths, foldPath } from '../../src/change/risk.ts';
import { riskGroups } from '../../src/change/risk-paths.ts';
import type { FileVersion, PathChange } from '../../src/git/types.ts';

const id = '0'.repeat(40);
const file: FileVersion = { mode: '100644', id };
const bytes = (path: string | Buffer): Buffer => (typeof path === 'string' ? Buffer.from(path) : path);
const added = (path: string | Buffer, mode: FileVersion['mode'] = '100644'): PathChange => ({
  path: bytes(path),
  new: { mode, id },
});
const removed = (path: string): PathChange => ({ path: bytes(path), old: file });

function reasonsOf(changes: readonly PathChange[], paths: readonly string[] = [], policyFiles: readonly string[] = []) {
  return findRiskyPaths(changes, { paths }, policyFiles).map(({ path, reason }) => [path.toString(), reason]);
}

const reasonOf = (path: string | Buffer, paths: readonly string[] = [], policyFiles: readonly string[] = []) =>
  reasonsOf([added(path)], paths, policyFiles)[0]?.[1];

describe('paths of high risk', () => {
  it.each(riskGroups.flatMap(({ reason, patterns }) => patterns.map((pattern) => [pattern, reason] as const)))(
    'are found for %s (%s), at the root and below where the pattern says so',
    (pattern, reason) => {
      const plain = (front: string): string =>
        pattern
          .replace(/^\*\*\//, front)
          .replace(/\/\*\*/g, '/deep/er')
          .replaceAll('*', 'x');
      expect(reasonOf(plain(''))).toBe(reason);
      expect(reasonsOf([removed(plain(''))])).toEqual([[plain(''), reason]]);
      expect(reasonOf(plain('').toUpperCase())).toBe(reason);
      if (pattern.startsWith('**/')) expect(reasonOf(plain('packages/app/'))).toBe(reason);
      else expect(reasonOf(`packages/app/${plain('')}`)).not.toBe(reason);
      expect(reasonOf(`${plain('')}x`) === reason).toBe(/\*$/.test(pattern));
    },
  );

  it.each([
    'src/index.ts',
    'README.md',
    'package.json',
    'Dockerfile',
    '.gitignore',
    'docs/github/workflows/ci.yml',
    'src/.github/workflows/ci.yml',
    'src/agents.ts',
    'docs/AGENTS.md.txt',
    'claude/settings.json',
    'lock.json',
    'src/lockfile.ts',
    'test/CODEOWNERS/x',
    'src/jenkinsfile-parser/index.ts',
    '.githubx/workflows/ci.yml',
    'workflows/ci.yml',
  ])('do not include %s', (path) => {
    expect(reasonOf(path)).toBeUndefined();
  });

  it.each<[string, string, string]>([
    ['.GITHUB/workflows/ci.yml', 'workflow', 'upper case'],
    ['.github./workflows/ci.yml', 'workflow', 'a dot at the end of a name'],
    ['.github /workflows/ci.yml', 'workflow', 'a space at the end of a name'],
    ['.git\u200chub/workflows/ci.yml', 'workflow', 'a character that nobody sees'],
    ['.\u{e0067}github/workflows/ci.yml', 'workflow', 'a tag character'],
    ['.github/wor\ufe0fkflows/ci.yml', 'workflow', 'a variation selector'],
    ['.github/wor\u212aflows/ci.yml', 'workflow', 'the Kelvin sign'],
    ['.github/work\ufb02ows/ci.yml', 'workflow', 'a ligature that upper case takes apart'],
    ['.github/workflow\u017f/ci.yml', 'workflow', 'a long s'],
    ['Claude.MD', 'agent configuration', 'upper and lower case'],
    ['sub/.CLAUDE/settings.json', 'agent configuration', 'upper case in a folder'],
  ])('are found in another spelling: %j is %s (%s)', (path, reason) => {
    expect(reasonOf(path)).toBe(reason);
  });

  it('are compared by the policy in the same way, and in both directions', () => {
    expect(reasonOf('INFRA/main.tf', ['infra/**'])).toBe('infra/**');
    expect(reasonOf('infra/main.tf', ['Infra/**'])).toBe('Infra/**');
    expect(reasonOf('cafe\u0301/x', ['caf\u00e9/*'])).toBe('caf\u00e9/*');
    expect(reasonOf('stra\u00dfe/x', ['STRASSE/*'])).toBe('STRASSE/*');
    expect(reasonOf('.hidden/x', ['*/x'])).toBe('*/x');
    expect(reasonOf('a/b/x', ['*/x'])).toBeUndefined();
    expect(reasonOf('docs/x/y', ['docs/'])).toBe('docs/');
  });

  it('take bytes that are no UTF-8 one by one, and lose none', () => {
    const path = Buffer.concat([Buffer.from('.GitHub/workflows/'), Buffer.from([0xff, 0xfe]), Buffer.from('.yml')]);
    expect(findRiskyPaths([added(path)], { paths: [] }, [])).toEqual([{ path, reason: 'workflow' }]);
    expect(reasonOf(Buffer.from([0xff, 0x2f, 0x78]), ['\u00ff/*'])).toBe('\u00ff/*');
  });

  it('name the pattern of the policy also beside a reason that needs none', () => {
    expect(findRiskyPaths([added('.github/workflows/ci.yml')], { paths: ['src/**', '.github/**'] }, [])).toEqual([
      { path: Buffer.from('.github/workflows/ci.yml'), reason: 'workflow', pattern: '.github/**' },
    ]);
    expect(findRiskyPaths([added('src/a'), added('lib/a')], { paths: ['src/**'] }, [])).toEqual([
      { path: Buffer.from('src/a'), reason: 'src/**', pattern: 'src/**' },
    ]);
  });

  it('put the policy and what it names before all else', () => {
    const files = ['.github/policy.yaml', 'keys/alice.pub'];
    expect(reasonOf('.github/policy.yaml', ['.github/**'], files)).toBe('policy');
    expect(reasonOf('KEYS/alice.pub', [], files)).toBe('policy');
    expect(reasonOf('keys/alice.pub.old', [], files)).toBeUndefined();
    expect(reasonOf('keys/bob.pub', [], files)).toBeUndefined();
  });

  it.each(['120000', '160000'] as const)('are behind a %s that takes the place of a folder above them', (mode) => {
    const reason = (path: string, paths: readonly string[] = [], files: readonly string[] = []) =>
      reasonsOf([added(path, mode)], paths, files)[0]?.[1];
    expect(reason('.github')).toBe('code owners');
    expect(reason('.github/workflows')).toBe('workflow');
    expect(reason('.Claude')).toBe('agent configuration');
    expect(reason('.vscode')).toBe(mode === '160000' ? 'editor and environment' : 'editor and environment');
    expect(reason('sub/gradle')).toBe('lockfile');
    expect(reason('keys', [], ['keys/alice.pub'])).toBe('policy');
    expect(reason('services/a', ['services/*/deploy.yml'])).toBe(
      mode === '160000' ? 'submodule' : 'services/*/deploy.yml',
    );
    expect(reason('services/a/b', ['services/**/deploy.yml'])).toBe(
      mode === '160000' ? 'submodule' : 'services/**/deploy.yml',
    );
    expect(reason('src/a')).toBe(mode === '160000' ? 'submodule' : undefined);
  });

  it('count a file in the place of a folder, where it is plain which folder is meant', () => {
    expect(reasonOf('.github')).toBe('code owners');
    expect(reasonOf('infra', ['infra/prod/*.tf'])).toBe('infra/prod/*.tf');
    expect(reasonOf('services/a', ['services/*/deploy.yml'])).toBeUndefined();
  });

  it('count a submodule that goes away, and one that becomes a file', () => {
    const was: FileVersion = { mode: '160000', id };
    expect(reasonsOf([{ path: bytes('lib'), old: was }])).toEqual([['lib', 'submodule']]);
    expect(reasonsOf([{ path: bytes('lib'), old: was, new: file }])).toEqual([['lib', 'submodule']]);
  });

  it('keep the order of the changes, each path once', () => {
    const changes = ['z/yarn.lock', 'a.ts', 'AGENTS.md', '.github/workflows/x.yml'].map((path) => added(path));
    expect(reasonsOf(changes, ['**'])).toEqual([
      ['z/yarn.lock', 'lockfile'],
      ['a.ts', '**'],
      ['AGENTS.md', 'agent configuration'],
      ['.github/workflows/x.yml', 'workflow'],
    ]);
  });

  it('are found among very many and very long paths', () => {
    const many = Array.from({ length: 50_000 }, (_, at) => added(`src/${at % 100}/file-${at}.ts`));
    expect(reasonsOf([...many, added('yarn.lock')])).toEqual([['yarn.lock', 'lockfile']]);
    const long = `${'a/'.repeat(50_000)}${'. '.repeat(100_000)}x`;
    expect(reasonsOf([added(long), added(`${long}/.claude/x`)], ['**/a/**/b*c*d'])).toHaveLength(1);
  });

  it('fold to the same path however often, for whatever bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (content) => {
        const folded = foldPath(Buffer.from(content));
        expect(foldPath(folded)).toBe(folded);
        expect(() => findRiskyPaths([added(Buffer.from(content))], { paths: ['**/x*'] }, ['p'])).not.toThrow();
      }),
    );
  });
});
