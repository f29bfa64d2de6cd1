import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAssignments } from '../../../src/catalog/os-release/assignments.ts';

const valueIn = (line: string): string | undefined => parseAssignments(line).values.get('A');

describe('assignments of os-release', () => {
  test.each([
    ['A=debian', 'debian'],
    ['A="Debian GNU/Linux"', 'Debian GNU/Linux'],
    ["A='single $HOME \\n'", 'single $HOME \\n'],
    ['A="say \\"hi\\" for \\$5 and \\`x\\` \\\\ \\n"', 'say "hi" for $5 and `x` \\ \\n'],
    ['A=a\\ b', 'a b'],
    ['A=one two', 'one'],
    ['A="12" # stable', '12'],
    ['A=a"b c"\'d\'', 'ab cd'],
    ['A=', ''],
    ['A=""', ''],
    ['  A=x  ', 'x'],
    ['export A=x', 'x'],
    ['A="x"\r', 'x'],
    ['\ufeffA=x', 'x'],
    ['A=$(reboot)', '$(reboot)'],
    ['A="`id`"', '`id`'],
    ['A=first\nA=last', 'last'],
    ['A=caf\u00e9', 'caf\u00e9'],
  ])('reads %j as %j', (line, value) => {
    expect(valueIn(line)).toBe(value);
    expect(parseAssignments(line).broken).toBe(0);
  });

  test('comments and empty lines are no assignments and not broken', () => {
    expect(parseAssignments('# A=1\n\n   \n#\nB=2')).toEqual({ values: new Map([['B', '2']]), broken: 0 });
  });

  test('counts lines that assign nothing, and quotes that are left open', () => {
    const { values, broken } = parseAssignments('hello\n1A=2\nA="open\nB=next');
    expect([...values]).toEqual([
      ['A', 'open'],
      ['B', 'next'],
    ]);
    expect(broken).toBe(3);
  });

  test('a name such as __proto__ is only a name', () => {
    expect(parseAssignments('__proto__=x').values.get('__proto__')).toBe('x');
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  test('ends without throwing on any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('A', '=', '"', "'", '\\', '\n', ' ', '#', '$', '\u0000') }),
        (text) => {
          expect(parseAssignments(text).broken).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });

  test('a quoted value comes back as it was', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        fc.pre(!/[\n\r]/.test(value));
        expect(valueIn(`A="${value.replace(/["$`\\]/g, '\\$&')}"`)).toBe(value);
      }),
    );
  });
});
