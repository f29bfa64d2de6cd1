/**
 * One line on the terminal that says how far a scan is, and is gone when it ends. Nothing at all where there is no
 * terminal: a log keeps what was meant to be overwritten.
 */
import { painter } from './color.ts';
import type { Listener, RunEvent } from './events.ts';
import { cutEnd, displayWidth, shown } from './text.ts';

export interface Terminal {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Width in characters; may change during a run. */
  readonly columns: number;
  readonly color: boolean;
}

/**
 * A listener that keeps the line. Before `gap`, `note` and `finished` it wipes it, so that listeners after it in the
 * order can write lines of their own. `now` gives milliseconds that never go back.
 */
export function progressListener(terminal: Terminal, now: () => number): Listener {
  if (!terminal.isTerminal) return { on() {} };
  const paint = painter(terminal.color);
  const layers = new Map<number, LayerProgress>();
  let opened: { readonly requested: string; readonly layers: number; readonly bytes?: number } | undefined;
  let lineWidth = 0;
  let nextAt = now() + firstAfter;

  // Spaces instead of an escape sequence: this works on terminals that know none.
  function wipe(): void {
    if (lineWidth > 0) terminal.write(`\r${' '.repeat(lineWidth)}\r`);
    lineWidth = 0;
  }

  function draw(): void {
    if (opened === undefined || now() < nextAt) return;
    nextAt = now() + pause;
    // In the last column, some terminals would wrap, and the line could not be overwritten any more.
    const line = cutEnd(progressLine(opened, [...layers.values()]), Math.max(1, terminal.columns - 1));
    const width = displayWidth(line);
    terminal.write(`\r${paint('dim', line)}${' '.repeat(Math.max(0, lineWidth - width))}`);
    lineWidth = width;
  }

  return {
    on(event) {
      if (event.type === 'source-opened') opened = event;
      if (event.type === 'layer-started' || event.type === 'layer-progress' || event.type === 'layer-finished') {
        layers.set(event.index, advance(layers.get(event.index), event));
      }
      if (event.type === 'gap' || event.type === 'note' || event.type === 'finished') wipe();
      else draw();
    },
  };
}

// Milliseconds. A scan that is over before the first never shows a line.
const firstAfter = 300;
const pause = 100;

interface LayerProgress {
  readonly bytes: number;
  readonly totalBytes: number | undefined;
  readonly done: boolean;
}

type LayerEvent = Extract<RunEvent, { type: 'layer-started' | 'layer-progress' | 'layer-finished' }>;

function advance(layer: LayerProgress | undefined, event: LayerEvent): LayerProgress {
  const totalBytes = (event.type === 'layer-finished' ? undefined : event.totalBytes) ?? layer?.totalBytes;
  if (event.type === 'layer-progress') return { bytes: event.bytes, totalBytes, done: false };
  if (event.type === 'layer-started') return { bytes: 0, totalBytes, done: false };
  return { bytes: totalBytes ?? layer?.bytes ?? 0, totalBytes, done: true };
}

function progressLine(
  source: { readonly requested: string; readonly layers: number; readonly bytes?: number },
  layers: readonly LayerProgress[],
): string {
  const read = layers.reduce((sum, layer) => sum + layer.bytes, 0);
  const done = layers.filter((layer) => layer.done).length;
  const share =
    source.bytes === undefined || source.bytes === 0
      ? formatBytes(read)
      : `${Math.min(100, Math.floor((100 * read) / source.bytes))} % of ${formatBytes(source.bytes)}`;
  return `reading ${cutEnd(shown(source.requested), 40)}: ${done} of ${source.layers} layers, ${share}`;
}

/** `999 B`, `1.5 kB`, `2.0 GB`: decimal, as disks and registries count. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ['B', 'kB', 'MB', 'GB', 'TB']) {
    if (value < 999.95 || unit === 'TB') return unit === 'B' ? `${value} B` : `${value.toFixed(1)} ${unit}`;
    value /= 1000;
  }
  return `${bytes} B`;
}
