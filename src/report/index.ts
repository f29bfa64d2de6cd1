export { colorWanted } from './color.ts';
export { formatError, formatGap } from './diagnostics.ts';
export { type Listener, listeners } from './events.ts';
export { progressListener } from './progress.ts';
export { writeTable } from './table.ts';
export { shown } from './text.ts';
