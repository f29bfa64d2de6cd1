import { printableJson } from '../../diag/index.ts';
import type { CdxDocument } from './document.ts';

/** CycloneDX JSON: two spaces of indentation and a line feed at the end. */
export function formatJson(document: CdxDocument): string {
  const { specVersion, serialNumber, ...body } = document;
  const ordered = {
    $schema: `http://cyclonedx.org/schema/bom-${specVersion}.schema.json`,
    bomFormat: 'CycloneDX',
    specVersion,
    serialNumber,
    version: 1,
    ...body,
  };
  return `${printableJson(JSON.stringify(ordered, undefined, 2))}\n`;
}
