import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinLicences, parseLicence } from '../../src/bom/licences.ts';

const ids: ReadonlyArray<readonly [claim: string, id: string]> = [
  ['MIT', 'MIT'],
  [' mit\n', 'MIT'],
  ['(MIT)', 'MIT'],
  ['bsd-3-clause', 'BSD-3-Clause'],
  ['GPL-2.0', 'GPL-2.0'],
  ['gpl-2.0+', 'GPL-2.0+'],
  // Debian
  ['Expat', 'MIT'],
  ['GPL-2', 'GPL-2.0-only'],
  ['GPL-2+', 'GPL-2.0-or-later'],
  ['LGPL-2+', 'LGPL-2.0-or-later'],
  ['AGPL-3+', 'AGPL-3.0-or-later'],
  ['GFDL-NIV-1.3+', 'GFDL-1.3-no-invariants-or-later'],
  ['Apache-2', 'Apache-2.0'],
  // rpm
  ['GPLv2', 'GPL-2.0-only'],
  ['GPLv2+', 'GPL-2.0-or-later'],
  ['GPL+', 'GPL-1.0-or-later'],
  ['LGPLv2.1+', 'LGPL-2.1-or-later'],
  ['LGPLv3+', 'LGPL-3.0-or-later'],
  ['MPLv2.0', 'MPL-2.0'],
  ['ASL 2.0', 'Apache-2.0'],
  ['CC0', 'CC0-1.0'],
  ['zlib', 'Zlib'],
  // Maven
  ['The Apache Software License, Version 2.0', 'Apache-2.0'],
  ['Apache License, Version 2.0', 'Apache-2.0'],
  ['Apache License 2.0', 'Apache-2.0'],
  ['Eclipse Public License - v 1.0', 'EPL-1.0'],
  ['The MIT License', 'MIT'],
  ['"MIT License".', 'MIT'],
  ['Apache License, Version 2.0.', 'Apache-2.0'],
  ['New BSD License', 'BSD-3-Clause'],
  ['BSD 3-Clause License', 'BSD-3-Clause'],
  // Python
  ['License :: OSI Approved :: MIT License', 'MIT'],
  ['Mozilla Public License 2.0 (MPL 2.0)', 'MPL-2.0'],
  ['GNU General Public License v2 or later (GPLv2+)', 'GPL-2.0-or-later'],
  ['GNU Lesser General Public License v3 (LGPLv3)', 'LGPL-3.0-only'],
  ['GNU Library General Public License v2', 'LGPL-2.0-only'],
  ['ISC License (ISCL)', 'ISC'],
  ['The Unlicense (Unlicense)', 'Unlicense'],
  ['European Union Public Licence 1.2 (EUPL 1.2)', 'EUPL-1.2'],
  // R
  ['GPL (>= 2)', 'GPL-2.0-or-later'],
  ['MIT + file LICENSE', 'MIT'],
  // pages
  ['https://opensource.org/licenses/MIT', 'MIT'],
  ['http://www.opensource.org/licenses/mit-license.php', 'MIT'],
  ['http://www.apache.org/licenses/LICENSE-2.0.txt', 'Apache-2.0'],
  ['https://licenses.nuget.org/Apache-2.0', 'Apache-2.0'],
  ['https://spdx.org/licenses/BSD-2-Clause.html', 'BSD-2-Clause'],
  ['https://www.eclipse.org/legal/epl-2.0/', 'EPL-2.0'],
  ['http://www.eclipse.org/legal/epl-v10.html', 'EPL-1.0'],
  ['https://creativecommons.org/licenses/by-sa/4.0/', 'CC-BY-SA-4.0'],
];

const expressions: ReadonlyArray<readonly [claim: string, expression: string]> = [
  ['(MIT OR Apache-2.0)', 'MIT OR Apache-2.0'],
  ['MIT AND (BSD-2-Clause OR Apache-2.0)', 'MIT AND (BSD-2-Clause OR Apache-2.0)'],
  ['GPLv2+ and mit', 'GPL-2.0-or-later AND MIT'],
  ['(LGPLv3+ or GPLv2+) and GPLv3+', '(LGPL-3.0-or-later OR GPL-2.0-or-later) AND GPL-3.0-or-later'],
  ['MIT or GPL v2 or later', 'MIT OR GPL-2.0-or-later'],
  ['MIT or ISC and Zlib', 'MIT OR ISC AND Zlib'],
  ['((MIT)) AND (ISC AND (MIT))', 'MIT AND ISC'],
  ['apache-2.0 with llvm-exception', 'Apache-2.0 WITH LLVM-exception'],
  ['GPL-2 | GPL-3', 'GPL-2.0-only OR GPL-3.0-only'],
  ['Apache-2.0+', 'Apache-2.0+'],
  ['LicenseRef-Acme-1', 'LicenseRef-Acme-1'],
  ['MIT AND DocumentRef-x:LicenseRef-y', 'MIT AND DocumentRef-x:LicenseRef-y'],
];

const names: readonly string[] = [
  'BSD',
  'GPL',
  'LGPL',
  'Apache',
  'Apache-1',
  'Artistic',
  'LGPLv2',
  'LGPLv2+',
  'GNU Lesser General Public License v2 or later (LGPLv2+)',
  'Apache Software License',
  'Public Domain',
  'Intel License',
  'MIT/Apache-2.0',
  'MIT (BSD)',
  'MIT License (GPL-3.0-only)',
  'MIT, BSD-3-Clause',
  'MIT or ISC, and Zlib',
  'MIT and BSD',
  'MIT and',
  'MIT ISC',
  '(MIT',
  'MIT)',
  '()',
  'GPLv2 with exceptions',
  'MIT WITH ISC',
  'LLVM-exception',
  'LLVM-exception AND MIT',
  'GPL-2.0-or-later+',
  'LicenseRef-a_b',
  'SEE LICENSE IN COPYING',
  'UNLICENSED',
  'NONE',
  'constructor',
  '__proto__',
  'https://www.gnu.org/licenses/gpl-3.0.html',
  'https://opensource.org/licenses/bsd-license.php',
  'https://apache.org.example.com/licenses/LICENSE-2.0',
];

describe('one claim', () => {
  test.each(ids)('%j is the listed licence %s', (claim, id) => expect(parseLicence(claim)).toEqual({ id }));

  test.each(expressions)('%j is the expression %s', (claim, expression) =>
    expect(parseLicence(claim)).toEqual({ expression }),
  );

  test.each(names)('%j stays a name', (name) => expect(parseLicence(name)).toEqual({ name }));

  test.each(['', ' \n ', 'NOASSERTION', 'UNKNOWN'])('%j claims nothing', (claim) =>
    expect(parseLicence(claim)).toBeUndefined(),
  );

  test('a name is one line of at most 1 KiB, cut between characters', () => {
    expect(parseLicence('Copyright\r\n\u0000  me\u2028')).toEqual({ name: 'Copyright me' });
    for (let shift = 0; shift < 4; shift++) {
      const licence = parseLicence('x'.repeat(shift) + '𝔘'.repeat(5000));
      const name = licence !== undefined && 'name' in licence ? licence.name : '';
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(1024);
      expect(name).toMatch(/^x{0,3}𝔘{250,}…$/u);
    }
  });

  test('a claim is read to its end or not at all', () => {
    expect(parseLicence(`MIT${' '.repeat(100_000)}AND BSD`)).toEqual({ name: 'MIT AND BSD' });
    expect(parseLicence('MIT AND '.repeat(3000) + 'MIT')).toHaveProperty('name');
    expect(parseLicence('('.repeat(20) + 'MIT' + ')'.repeat(20))).toEqual({ id: 'MIT' });
    expect(parseLicence('('.repeat(5000) + 'MIT' + ')'.repeat(5000))).toHaveProperty('name');
  });
});

describe('all claims of a package', () => {
  test('ids become a sorted list without repetitions', () => {
    expect(joinLicences(['MIT', 'ISC', 'Expat'])).toEqual({ licences: [{ id: 'ISC' }, { id: 'MIT' }] });
  });

  test('one expression makes all of them one expression', () => {
    expect(joinLicences(['MIT OR ISC', 'Zlib', 'GPLv2+', 'MIT AND Zlib'])).toEqual({
      expression: 'GPL-2.0-or-later AND MIT AND (MIT OR ISC) AND Zlib',
    });
  });

  test('a lone expression keeps its order', () => {
    expect(joinLicences(['MIT OR Apache-2.0', 'MIT or Apache-2.0', ''])).toEqual({ expression: 'MIT OR Apache-2.0' });
  });

  test('beside a name, expressions become items', () => {
    expect(joinLicences(['BSD', 'MIT AND (ISC OR Zlib)', 'MIT', 'Apache-2.0+'])).toEqual({
      licences: [{ name: 'Apache-2.0+' }, { name: 'BSD' }, { name: 'ISC OR Zlib' }, { id: 'MIT' }],
    });
  });

  test('a claim that grows beyond the limit by being written out is not lost', () => {
    const alternatives = Array.from({ length: 600 }, (_, index) => `GPLv2+ and LicenseRef-${index}`);
    const joined = joinLicences(['MIT', alternatives.join('|')]);
    const expression = joined !== undefined && 'expression' in joined ? joined.expression : '';
    expect(expression).toMatch(/^\(GPL-2\.0-or-later AND LicenseRef-0 OR .* AND LicenseRef-599\) AND MIT$/);
    expect(expression.length).toBeGreaterThan(16_384);
  });

  test('nothing claimed is nothing', () => {
    expect(joinLicences([])).toBeUndefined();
    expect(joinLicences(['', 'UNKNOWN'])).toBeUndefined();
  });
});

describe('properties', () => {
  const word = fc.constantFrom(
    ...['MIT', 'ISC', 'GPL-2+', 'Apache-2.0', 'LicenseRef-a', 'BSD', '(', ')', 'and', 'OR', 'with', 'or later', ','],
    ...['LLVM-exception', '|', '+', 'License', 'v2', 'https://', 'constructor'],
  );
  const claim = fc.oneof(
    fc.array(word, { maxLength: 12 }).map((words) => words.join(' ')),
    fc.string({ unit: 'binary' }),
  );

  test('any text is read, and what was read is read the same again', () => {
    fc.assert(
      fc.property(claim, (text) => {
        const licence = parseLicence(text);
        if (licence === undefined) return;
        for (const written of Object.values(licence)) expect(parseLicence(written)).toEqual(licence);
      }),
      { numRuns: 3000 },
    );
  });

  test('the order and the repetition of claims do not matter', () => {
    fc.assert(
      fc.property(fc.array(claim, { maxLength: 5 }), (claims) => {
        const joined = joinLicences(claims);
        expect(joinLicences([...claims].reverse())).toEqual(joined);
        expect(joinLicences([...claims, ...claims])).toEqual(joined);
      }),
      { numRuns: 2000 },
    );
  });
});
