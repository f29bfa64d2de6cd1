import { expect, test } from 'vitest';
import { colorWanted, painter } from '../../src/report/color.ts';

test.each([
  ['a terminal', {}, true, true],
  ['a file', {}, false, false],
  ['a dumb terminal', { TERM: 'dumb' }, true, false],
  ['NO_COLOR', { NO_COLOR: '1' }, true, false],
  ['an empty NO_COLOR', { NO_COLOR: '' }, true, true],
  ['FORCE_COLOR into a file', { FORCE_COLOR: '1' }, false, true],
  ['FORCE_COLOR=0', { FORCE_COLOR: '0' }, true, false],
  ['FORCE_COLOR=false', { FORCE_COLOR: 'false' }, true, false],
  ['an empty FORCE_COLOR', { FORCE_COLOR: '' }, false, false],
  ['FORCE_COLOR and NO_COLOR', { FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
  ['FORCE_COLOR and a dumb terminal', { FORCE_COLOR: '1', TERM: 'dumb' }, true, true],
])('decides about colour: %s', (_name, env, isTerminal, wanted) => {
  expect(colorWanted(env, isTerminal)).toBe(wanted);
});

test('paints only when colour is wanted', () => {
  expect(painter(true)('red', 'no')).toBe('\u001b[31mno\u001b[0m');
  expect(painter(false)('red', 'no')).toBe('no');
});
