import { OperationalError, quoted } from '../diag/index.ts';

/** `2026-01-31T12:00:00Z`, `…+01:00`, to milliseconds. Throws OperationalError `usage`. */
export function parseTime(text: string, flag: string): number {
  // RFC 3339 has no hour 24, which JavaScript takes for the next day.
  const valid = /^\d{4}-\d\d-\d\d[Tt](?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/.test(text);
  const time = valid && isDay(text.slice(0, 10)) ? Date.parse(text.toUpperCase()) : Number.NaN;
  if (time >= 0 && time < endOfTime) return time;
  if (time < 0) {
    throw new OperationalError('usage', `${flag} ${quoted(text)} is before 1970`, {
      hints: ['nothing that is judged here is so old: look at the year'],
    });
  }
  throw new OperationalError('usage', `${flag} ${quoted(text)} is not a time as RFC 3339 writes it`, {
    hints: ['write it as 2026-01-31T12:00:00Z'],
  });
}

/** Documents know four-digit years only. */
export const endOfTime = Date.UTC(10_000, 0);

/** JavaScript makes 3 March of 31 February. */
function isDay(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}
