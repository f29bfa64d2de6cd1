import { expect, test } from 'vitest';
import { type Listener, listeners, type RunEvent } from '../../src/report/events.ts';
import { formatBytes, progressListener, type Terminal } from '../../src/report/progress.ts';

function fakeTerminal(overrides: Partial<Terminal> = {}) {
  const written: string[] = [];
  const terminal = { write: (text: string) => written.push(text), isTerminal: true, columns: 80, color: false };
  return { terminal: { ...terminal, ...overrides }, written };
}

// What stands in the line after everything was written, as a terminal shows it.
function screen(written: readonly string[]): string {
  let cells: string[] = [];
  let at = 0;
  for (const character of written.join('')) {
    if (character === '\r') at = 0;
    else cells[at++] = character;
  }
  cells = Array.from(cells, (cell) => cell ?? ' ');
  return cells.join('').trimEnd();
}

const opened: RunEvent = { type: 'source-opened', requested: 'app.tar', layers: 2, bytes: 2_000_000 };

test('one line says how far the layers are', () => {
  const { terminal, written } = fakeTerminal();
  let time = 0;
  const listener = progressListener(terminal, () => time);
  listener.on(opened);
  time = 1000;
  listener.on({ type: 'layer-started', index: 0, totalBytes: 500_000 });
  time = 2000;
  listener.on({ type: 'layer-progress', index: 1, bytes: 400_000, totalBytes: 1_500_000 });
  expect(screen(written)).toBe('reading app.tar: 0 of 2 layers, 20 % of 2.0 MB');
  time = 3000;
  listener.on({ type: 'layer-finished', index: 0, cached: false });
  expect(screen(written)).toBe('reading app.tar: 1 of 2 layers, 45 % of 2.0 MB');
  expect(written.join('')).not.toContain('\n');
});

test('the line is gone at the end, before a note and before a gap', () => {
  const gap = { rule: 'unreadable-file', path: 'a', reason: 'b' };
  for (const last of [{ type: 'finished' }, { type: 'note', text: 'x' }, { type: 'gap', gap }] satisfies RunEvent[]) {
    const { terminal, written } = fakeTerminal();
    let time = 0;
    const listener = progressListener(terminal, () => time);
    time = 1000;
    listener.on(opened);
    expect(screen(written)).not.toBe('');
    listener.on(last);
    expect(screen(written)).toBe('');
    expect(written.at(-1)?.at(-1)).toBe('\r');
  }
});

test('a shorter line leaves nothing of a longer one', () => {
  const { terminal, written } = fakeTerminal();
  let time = 1000;
  const listener = progressListener(terminal, () => time);
  time += 1000;
  listener.on({ ...opened, requested: 'a-long-name-of-a-file.tar' });
  time += 1000;
  listener.on({ ...opened, requested: 'b' });
  expect(screen(written)).toBe('reading b: 0 of 2 layers, 0 % of 2.0 MB');
});

test('the line is drawn ten times a second at most, and not at all in a short run', () => {
  const { terminal, written } = fakeTerminal();
  let time = 0;
  const listener = progressListener(terminal, () => time);
  listener.on(opened);
  for (time = 0; time < 300; time++) listener.on({ type: 'layer-progress', index: 0, bytes: time });
  expect(written).toEqual([]);
  for (time = 300; time < 1300; time++) listener.on({ type: 'layer-progress', index: 0, bytes: time });
  expect(written).toHaveLength(10);
});

test('without a terminal nothing is written', () => {
  const { terminal, written } = fakeTerminal({ isTerminal: false });
  let time = 0;
  const listener = progressListener(terminal, () => (time += 1000));
  listener.on(opened);
  listener.on({ type: 'layer-progress', index: 0, bytes: 1 });
  listener.on({ type: 'finished' });
  expect(written).toEqual([]);
});

test('the line fits a narrow terminal and hides escapes in the name of the target', () => {
  const { terminal, written } = fakeTerminal({ columns: 20 });
  let time = 0;
  const listener = progressListener(terminal, () => (time += 1000));
  listener.on({ ...opened, requested: '\u001b[31m\n' + 'x'.repeat(1000) });
  expect(screen(written)).toBe('reading \\x1b[31m\\x…');
});

test('bytes that nobody announced are counted without a share', () => {
  const { terminal, written } = fakeTerminal();
  let time = 0;
  const listener = progressListener(terminal, () => (time += 1000));
  listener.on({ type: 'source-opened', requested: '-', layers: 1 });
  listener.on({ type: 'layer-progress', index: 0, bytes: 1500 });
  expect(screen(written)).toBe('reading -: 0 of 1 layers, 1.5 kB');
});

test('sizes are decimal', () => {
  expect([0, 999, 1000, 1_234_567, 999_999, 5e12, 5e15].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '1.2 MB',
    '1.0 MB',
    '5.0 TB',
    '5000.0 TB',
  ]);
});

test('several listeners hear every event in their order', () => {
  const heard: string[] = [];
  const named = (name: string): Listener => ({ on: (event) => heard.push(`${name} ${event.type}`) });
  const all = listeners(named('first'), named('second'));
  all.on(opened);
  all.on({ type: 'finished' });
  expect(heard).toEqual(['first source-opened', 'second source-opened', 'first finished', 'second finished']);
});
