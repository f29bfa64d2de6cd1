/** The output formats of an inventory, each made only when it is asked for: the writers are loaded then. */
import type { DocumentInfo, Inventory } from '../bom/types.ts';
import { OperationalError, quoted } from '../diag/index.ts';

export const formatNames = ['table', 'cyclonedx-json', 'cyclonedx-xml', 'spdx-json', 'purls', 'json'] as const;
export type FormatName = (typeof formatNames)[number];

const cycloneDxVersions = ['1.4', '1.5', '1.6', '1.7'] as const;
type CycloneDxVersion = (typeof cycloneDxVersions)[number];

export interface OutputSpec {
  readonly format: FormatName;
  readonly version?: CycloneDxVersion;
  /** Standard output where absent. */
  readonly file?: string;
}

/** `FORMAT[@VERSION][=FILE]`. Throws OperationalError of code usage. */
export function parseOutput(text: string): OutputSpec {
  const equals = text.indexOf('=');
  const what = equals < 0 ? text : text.slice(0, equals);
  const file = equals < 0 ? undefined : text.slice(equals + 1);
  const [name = '', version, ...rest] = what.split('@');
  const format = formatNames.find((each) => each === name);
  if (format === undefined) {
    throw usage(`${quoted(name)} is no output format`, `choose one of ${formatNames.join(', ')}`);
  }
  if (file === '')
    throw usage(`${quoted(text)} names no file`, `write -o ${what}=FILE, or -o ${what} for standard output`);
  const target = file === undefined ? {} : { file };
  if (version === undefined) return { format, ...target };
  const known = cycloneDxVersions.find((each) => each === version);
  const versioned = format === 'cyclonedx-json' || format === 'cyclonedx-xml';
  if (rest.length > 0 || !versioned || known === undefined) {
    throw usage(
      `${quoted(what)} is no output format`,
      `cyclonedx-json and cyclonedx-xml take @${cycloneDxVersions.join(', @')}`,
    );
  }
  return { format, version: known, ...target };
}

function usage(message: string, hint: string): OperationalError {
  return new OperationalError('usage', message, { hints: [hint] });
}

export interface TableLook {
  readonly color: boolean;
  /** Columns; absent where nothing limits the width. */
  readonly width?: number;
}

export async function formatInventory(
  inventory: Inventory,
  info: DocumentInfo,
  spec: OutputSpec,
  look: TableLook,
): Promise<string> {
  switch (spec.format) {
    case 'table': {
      const { writeTable } = await import('../report/index.ts');
      return writeTable(inventory, look);
    }
    case 'purls': {
      const { writePurls } = await import('../bom/purls.ts');
      return writePurls(inventory);
    }
    case 'json': {
      const { factsFromInventory, writeFacts } = await import('../facts/index.ts');
      return writeFacts(factsFromInventory(inventory, info));
    }
    case 'spdx-json': {
      const { writeSpdxJson } = await import('../bom/spdx/index.ts');
      return writeSpdxJson(inventory, info);
    }
    case 'cyclonedx-json':
    case 'cyclonedx-xml': {
      const { writeCycloneDx } = await import('../bom/cyclonedx/index.ts');
      const format = spec.format === 'cyclonedx-xml' ? 'xml' : 'json';
      return writeCycloneDx(inventory, info, { version: spec.version ?? '1.7', format });
    }
  }
}
