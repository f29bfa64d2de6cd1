import { expect, test } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { formatError, formatGap } from '../../src/report/diagnostics.ts';

test('an error is one line with its code, and a line for each hint', () => {
  const error = new OperationalError('limit', 'layer 3 is larger than 10 GB unpacked', {
    hints: ['Raise the limit with --max-layer-size.', 'Or leave the layer out.'],
  });
  expect(formatError(error, { color: false })).toBe(
    [
      'error[limit]: layer 3 is larger than 10 GB unpacked',
      '  hint: Raise the limit with --max-layer-size.',
      '  hint: Or leave the layer out.',
      '',
    ].join('\n'),
  );
});

test('an error without hints is one line', () => {
  expect(formatError(new OperationalError('io', 'disk is full'), { color: false })).toBe('error[io]: disk is full\n');
});

test('colour marks the code and the hints, never the words', () => {
  const error = new OperationalError('usage', 'no target', { hints: ['Name one.'] });
  expect(formatError(error, { color: true })).toBe(
    '\u001b[31merror[usage]:\u001b[0m no target\n  \u001b[2mhint:\u001b[0m Name one.\n',
  );
});

test('an error cannot smuggle lines, colours or workflow commands into a log', () => {
  const error = new OperationalError('not-found', 'no file "a\n::error::b\u001b[31m"', { hints: ['##[group]x'] });
  expect(formatError(error, { color: false })).toBe(
    'error[not-found]: no file "a\\x0a::error::b\\x1b[31m"\n  hint: \\x23#[group]x\n',
  );
});

test('a gap says where, who wanted it and why', () => {
  expect(
    formatGap({ rule: 'unreadable-file', path: 'opt/app.jar', layer: 2, cataloger: 'java/archive', reason: 'no zip' }),
  ).toBe('opt/app.jar (layer 3, java/archive): no zip');
  expect(formatGap({ rule: 'too-large', path: '::a\u001b', reason: 'b\nc' })).toBe('\\x3a:a\\x1b: b\\x0ac');
});
