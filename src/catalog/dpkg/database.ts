/** What both databases keep of their files. */
import { quoted } from '../../diag/index.ts';
import { type ReportGap, Unreadable } from '../types.ts';
import { eachStanza, maxStanzas } from './control.ts';
import type { ListFormat } from './file-list.ts';
import { boundedGaps } from './gaps.ts';
import { type Reading, readStanza } from './record.ts';

export interface ReadingsFact {
  readonly kind: 'readings';
  readonly readings: readonly Reading[];
}

export interface ListFact {
  readonly kind: 'list';
  readonly format: ListFormat;
  /** The file as it is: megabytes for a large system, and decoded only when somebody asks. */
  readonly bytes: Buffer;
}

/**
 * What the stanzas of a file say, in order, with stanzas that could not be read named as gaps. Throws Unreadable when
 * nothing in the file is a stanza.
 */
export function readStanzas(bytes: Buffer, statusRequired: boolean, gap: ReportGap): readonly Reading[] {
  const readings: Reading[] = [];
  const problems = boundedGaps(gap);
  const { stanzas, stray, isCut } = eachStanza(bytes, (stanza) => {
    const reading = readStanza(stanza, statusRequired);
    if (reading.problem !== undefined) problems.add(reading.problem);
    readings.push(reading);
  });
  if (stanzas === 0 && stray > 0) throw new Unreadable('not a package database: no field in it');
  if (stray > 0) gap(`${stray} of its lines are neither a field nor part of one`);
  if (isCut) gap(`has more than ${maxStanzas} records; the rest was not read`);
  problems.end();
  return readings;
}

/** Identity of a package within one database: architectures of one name are installed side by side. */
export function identityOf(reading: Pick<Reading, 'name' | 'architecture'>): string {
  return `${reading.name}:${reading.architecture}`;
}

/** Lists of files whose packages no stanza names: the database was cut, or the lists were left behind. */
export function orphanReason(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => quoted(name, 60));
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : '';
  return `lists of installed files, but no record of the package: ${shown.join(', ')}${more}`;
}
