/** The house itself: what the checks, the entry script and the documents promise is held to be so. */
import { execFile, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import semver from 'semver';
import { afterAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { rules } from '../../src/diag/index.ts';
import { root } from '../kit/data.ts';

const run = promisify(execFile);
const temporary = mkdtempSync(path.join(tmpdir(), 'tidewaiter-house-'));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

const bin = (name: string) => path.join(root, 'node_modules/.bin', name);

async function cruise(directory: string): Promise<{ modules: number; violations: readonly string[] }> {
  const args = ['--config', path.join(root, '.dependency-cruiser.cjs'), '--output-type', 'json', 'src'];
  const { stdout } = await run(bin('depcruise'), args, { cwd: directory, maxBuffer: 64 * 1024 * 1024 }).catch(
    (error: { stdout: string }) => error,
  );
  const { summary } = JSON.parse(stdout) as {
    summary: { totalCruised: number; violations: Array<{ rule: { name: string }; from: string }> };
  };
  return {
    modules: summary.totalCruised,
    violations: summary.violations.map((each) => `${each.rule.name} ${each.from}`),
  };
}

describe('the check of import directions', () => {
  it('sees the modules, and finds no violation', async () => {
    const { modules, violations } = await cruise(root);
    expect(violations).toEqual([]);
    expect(modules).toBeGreaterThan(150);
  });

  it('finds violations that are planted: an arrow that turns back, and a room that touches the disk', async () => {
    const copy = path.join(temporary, 'planted');
    mkdirSync(path.join(copy, 'src/diag'), { recursive: true });
    mkdirSync(path.join(copy, 'src/report'), { recursive: true });
    cpSync(path.join(root, 'tsconfig.json'), path.join(copy, 'tsconfig.json'));
    writeFileSync(
      path.join(copy, 'src/report/table.ts'),
      "import { readFileSync } from 'node:fs';\nexport const table = readFileSync;\n",
    );
    writeFileSync(path.join(copy, 'src/diag/index.ts'), "export { table } from '../report/table.ts';\n");
    const { violations } = await cruise(copy);
    expect(violations).toContain('diag-looks-only-ahead src/diag/index.ts');
    expect(violations).toContain('only-io-touches-the-world src/report/table.ts');
  });
});

describe('the entry script', () => {
  const entry = path.join(root, 'src/tidewaiter.cjs');

  it('calls the same versions of Node new enough as engines does', () => {
    const source = readFileSync(entry, 'utf8');
    const body = /function isNewEnough\(version\) \{([\s\S]*?)\n\}/.exec(source)?.[1];
    expect(body).toBeDefined();
    const isNewEnough = new Function('version', body!) as (version: string) => boolean;
    const parts = [0, 1, 2, 14, 15, 16, 21, 22, 23, 40];
    for (const major of [18, 20, 21, 22, 23, 24, 25, 26, 27]) {
      for (const minor of parts) {
        for (const patch of parts) {
          const version = `${major}.${minor}.${patch}`;
          expect([version, isNewEnough(version)]).toEqual([
            version,
            semver.satisfies(version, packageJson.engines.node),
          ]);
        }
      }
    }
  });

  it('uses no syntax that an old Node cannot read before it says what it needs', () => {
    const source = readFileSync(entry, 'utf8');
    expect(source).not.toMatch(/^import /m);
    expect(source).not.toMatch(/=>|\?\.|\?\?|`|\b(?:const|let)\b/);
  });

  it('pins the versions that the lockfile holds with their integrity', () => {
    const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string; integrity?: string; hasInstallScript?: boolean }>;
    };
    for (const [name, version] of Object.entries(packageJson.optionalDependencies)) {
      const locked = lock.packages[`node_modules/${name}`];
      expect([name, locked?.version]).toEqual([name, version]);
      expect(locked?.integrity).toMatch(/^sha512-/);
      expect(locked?.hasInstallScript).toBeUndefined();
      expect(semver.satisfies(version, packageJson.engines.node)).toBe(true);
    }
  });

  it('says in one line that dist is missing, and exits with 2', () => {
    const copy = path.join(temporary, 'unbuilt');
    mkdirSync(path.join(copy, 'src'), { recursive: true });
    cpSync(entry, path.join(copy, 'src/tidewaiter.cjs'));
    cpSync(path.join(root, 'package.json'), path.join(copy, 'package.json'));
    const { status, stdout, stderr } = spawnSync(process.execPath, ['src/tidewaiter.cjs', 'scan', '.'], { cwd: copy });
    expect([status, stdout.toString()]).toEqual([2, '']);
    expect(stderr.toString()).toMatch(/^tidewaiter: is not built: .*\n$/);
  });
});

describe('the documents', () => {
  it('have a page for every rule, with what it is, an example and what to do, and no page for anything else', () => {
    const pages = readdirSync(path.join(root, 'docs/rules')).sort();
    expect(pages).toEqual(rules.map((rule) => `${rule.id}.md`).sort());
    for (const { id } of rules) {
      const page = readFileSync(path.join(root, 'docs/rules', `${id}.md`), 'utf8');
      expect(page).toMatch(new RegExp(`^# ${id}\n`));
      for (const part of ['**What.**', '**Why.**', '**Example.**', '**What to do.**']) expect(page).toContain(part);
    }
  });

  it('name every runtime dependency with its reason', () => {
    const page = readFileSync(path.join(root, 'docs/dependencies.md'), 'utf8');
    const names = [...Object.keys(packageJson.dependencies), ...Object.keys(packageJson.optionalDependencies)];
    for (const name of names) expect(page).toContain(`\`${name}\``);
  });

  it('link to nothing that is not there', () => {
    const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md'];
    for (const page of pages) {
      const text = readFileSync(path.join(root, page), 'utf8');
      for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
        expect([page, target, existsSync(path.join(root, target!))]).toEqual([page, target, true]);
      }
    }
  });

  it('give exactly two commands to set up, and CI calls the second', () => {
    const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
    const setUp = readme.slice(readme.indexOf('## Set up'), readme.indexOf('## Scan'));
    const commands = [...setUp.matchAll(/```\n([^`]+)\n```/g)].map((match) => match[1]);
    expect(commands).toEqual(['npm ci && npm start -- scan oci:fixtures/image', 'npm ci && npm test']);
    const ci = readFileSync(path.join(root, '.ci/run'), 'utf8');
    expect(ci).toMatch(/^npm ci$/m);
    expect(ci).toMatch(/^npm test$/m);
  });
});
