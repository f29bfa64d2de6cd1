export { colorWanted } from './color.ts';
export { formatError, formatGap } from './diagnostics.ts';
export { type Listener, listeners, type RunEvent } from './events.ts';
export { progressListener, type Terminal } from './progress.ts';
export { type TableOptions, writeTable } from './table.ts';
export { shown } from './text.ts';
