import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { formatPurl, type Purl, PurlError, parsePurl } from '../../src/purl/index.ts';
import { describeData, readData } from '../kit/data.ts';

interface Case {
  readonly description: string;
  readonly test_group: 'required' | 'recommended';
  readonly test_type: 'build' | 'parse' | 'validate';
  readonly input: string | Components;
  readonly expected_output: string | Components | null;
  readonly expected_failure: boolean;
}

type Components = Readonly<Record<keyof Purl, unknown>>;

describeData('the purl specification tests', (dir) => {
  const files =
    dir === '/nonexistent' ? [] : readdirSync(path.join(dir, 'purl')).filter((each) => each.endsWith('-test.json'));
  const cases = files.flatMap((file) => {
    const { tests } = JSON.parse(readData(`purl/${file}`).toString()) as { tests: Case[] };
    return tests.map((each, index) => ({ ...each, title: `${file} ${index}: ${each.test_type} ${each.description}` }));
  });

  test('there are 296', () => {
    expect(cases).toHaveLength(296);
  });

  for (const each of cases) {
    test(each.title, () => {
      if (each.expected_failure) expect(() => run(each)).toThrow(PurlError);
      else expect(run(each)).toEqual(expected(each));
    });
  }
});

function expected({ expected_output: output }: Case): unknown {
  return output === null || typeof output === 'string' ? output : presentOnly(output);
}

/** The recommended tests are those about repairing what the standard forbids. */
function run({ test_type, test_group, input }: Case): unknown {
  if (typeof input !== 'string') return formatPurl({ type: '', name: '', ...presentOnly(input) });
  const purl = parsePurl(input, { lenient: test_group === 'recommended' });
  return test_type === 'parse' ? purl : formatPurl(purl);
}

/** The tests write null for an absent component. */
function presentOnly(components: Components): Partial<Purl> {
  return Object.fromEntries(Object.entries(components).filter(([, each]) => each !== null));
}
