/** Ages in a policy: whole days. */
import { quoted } from '../diag/index.ts';
import type { Path, YamlFile } from './yaml.ts';

/** `90d` in milliseconds; a number without a unit is of days too, as it is for --max-root-age. */
export function readDays(value: string | number, path: Path, file: YamlFile): number {
  const days = /^([1-9][0-9]{0,4})d?$/.exec(String(value))?.[1];
  if (days === undefined) throw file.fault(path, `must be a number of days like 90d, not ${quoted(String(value))}`);
  return Number(days) * 24 * 60 * 60 * 1000;
}
