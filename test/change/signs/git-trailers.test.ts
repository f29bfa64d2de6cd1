import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gitTrailerLines } from '../../../src/change/signs/git-trailers.ts';

/** Trailers as git sees them; without the settings of whoever runs the tests. */
function askGit(message: string): number {
  const { stdout, status } = spawnSync('git', ['interpret-trailers', '--parse'], {
    input: message,
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_DIR: '/nonexistent',
    },
  });
  expect(status).toBe(0);
  return stdout.split('\n').length - 1;
}

describe("git's own trailers", () => {
  it.each([
    ['fix\n\nA: b\nC: d\n', [3, 4]],
    ['fix\n\nText.\n\nA: b\n', [5]],
    ['fix\n\nA: b\ntext\n', []],
    ['fix\n\ntext\ntext\ntext\nSigned-off-by: J\n', [6]],
    ['fix\n\ntext\ntext\ntext\ntext\nSigned-off-by: J\n', []],
    ['fix\n\nA: b\n---\nC: d\n', [3]],
    ['A: b\n', []],
    ['A: b\nC: d\n', []],
    ['fix\n\nA: b\n c\nD: e\n', [3, 5]],
    ['fix\n\n A: b\n', []],
    ['fix\n\nA : b\n', [3]],
    ['fix\n\nA b: c\n', []],
    ['fix\n\nA: b\n\n# comment\n\n\n', [3]],
    ['', []],
    ['\n\n\n', []],
    ['fix\r\n\r\nA: b\r\n', [3]],
    ['fix\n\nA: b', [3]],
  ])('in %j they begin at %j, as git says', (message, lines) => {
    expect([...gitTrailerLines(message)]).toEqual(lines);
    expect(askGit(message)).toBe(lines.length);
  });

  it('agrees with git on messages of any shape', () => {
    const line = fc.constantFrom(
      '',
      ' ',
      'text',
      'A: b',
      'Co-authored-by: x <y@z>',
      'Signed-off-by: J <j@z>',
      'signed-off-by: J',
      '(cherry picked from commit 1)',
      ' folded',
      '\tfolded',
      ' A: b',
      '# comment',
      '---',
      '--- a',
      '----',
      '> A: b',
      '* A: b',
      'A b: c',
      'A :b',
      ': x',
      'a\r',
      '\r',
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 14 }), fc.boolean(), (lines, end) => {
        const message = `fix\n\n${lines.join('\n')}${end ? '\n' : ''}`;
        expect(gitTrailerLines(message).size).toBe(askGit(message));
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});
