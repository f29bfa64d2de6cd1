import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { rpmDatabase } from '../../../src/catalog/rpm/index.ts';
import type { Cataloger } from '../../../src/catalog/types.ts';
import { catalogFiles } from '../../kit/catalog.ts';
import { describeData, readData } from '../../kit/data.ts';

const hasRpm = spawnSync('rpm', ['--version']).status === 0;

describeData(`the rpm command${hasRpm ? '' : ' (needs rpm)'}`, () => {
  it.skipIf(!hasRpm)('agrees on names, versions, files and summaries of a real SQLite database', async () => {
    const database = readData('packages/go-rpmdb/cbl-mariner-2.0/rpmdb.sqlite.gz');
    const { packages } = await catalogFiles(rpmDatabase as Cataloger, { 'var/lib/rpm/rpmdb.sqlite': database });
    const format = '%{NAME}|%{EPOCHNUM}|%{VERSION}-%{RELEASE}|%{ARCH}|%{SUMMARY}|%{SIGMD5}|%{LONGSIZE}\\n';
    expect(packages.map(lineOf).sort()).toEqual(query(database, ['-qa', '--qf', format]));

    // State 0 is "put on disk"; flag 64 is a ghost; a mode that starts with d is a directory.
    const files = query(database, ['-qa', '--qf', '[%{FILESTATES}|%{FILEFLAGS}|%{FILEMODES:perms}|%{FILENAMES}\\n]'])
      .map((line) => line.split('|'))
      .filter(([state, flags, mode]) => state === '0' && (Number(flags) & 64) === 0 && !mode!.startsWith('d'))
      .map((fields) => fields.slice(3).join('|').slice(1));
    expect(packages.flatMap(({ owns }) => [...owns!()]).sort()).toEqual(files.sort());
  });
});

function lineOf({
  purl,
  description,
  properties,
}: Awaited<ReturnType<typeof catalogFiles>>['packages'][number]): string {
  return [
    purl.name,
    purl.qualifiers?.['epoch'] ?? '0',
    purl.version,
    purl.qualifiers?.['arch'],
    description,
    properties?.['rpm:sigmd5'],
    properties?.['rpm:installed-size'],
  ].join('|');
}

function query(database: Buffer, options: readonly string[]): string[] {
  const directory = mkdtempSync(path.join(tmpdir(), 'tidewaiter-'));
  try {
    writeFileSync(path.join(directory, 'rpmdb.sqlite'), database);
    const output = execFileSync('rpm', ['--dbpath', directory, ...options], { encoding: 'utf8', maxBuffer: 1 << 26 });
    return output
      .split('\n')
      .filter((line) => line !== '')
      .sort();
  } finally {
    rmSync(directory, { recursive: true });
  }
}
