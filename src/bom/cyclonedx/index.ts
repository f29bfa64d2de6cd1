/**
 * CycloneDX, an SBOM format of OWASP and Ecma (ECMA-424), in JSON and XML, versions 1.4 to 1.7.
 *
 *     { "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:…", "version": 1,
 *       "metadata": { "component": { "type": "container", "bom-ref": "root", "name": "app" } },
 *       "components": [ { "type": "library", "bom-ref": "pkg:npm/a@1.0.0", "name": "a", "version": "1.0.0" } ],
 *       "dependencies": [ { "ref": "pkg:npm/a@1.0.0", "dependsOn": [] }, { "ref": "root", "dependsOn": ["pkg:npm/a@1.0.0"] } ] }
 *
 * One document is built in the newest shape, brought down to the version asked for, and then written. The serial number
 * comes from the content, so that the same input gives the same bytes; only the time stamp is not part of it.
 *
 * https://cyclonedx.org/specification/overview/
 */
import { createHash } from 'node:crypto';
import type { Distro } from '../../catalog/types.ts';
import { byText } from '../names.ts';
import type { DocumentInfo, Inventory } from '../types.ts';
import { text } from '../values.ts';
import { xmlText } from '../xml.ts';
import { writeComponent, writeOperatingSystem } from './component.ts';
import { type CdxDocument, type CycloneDxVersion, some } from './document.ts';
import { downlevel } from './downlevel.ts';
import { assignRefs, drawGraph, rootRef } from './graph.ts';
import { formatJson } from './json.ts';
import { writeMetadata } from './metadata.ts';
import { formatXml } from './xml.ts';

export { type CycloneDxVersion, versions as cycloneDxVersions } from './document.ts';

export interface CycloneDxOptions {
  readonly version: CycloneDxVersion;
  readonly format: 'json' | 'xml';
}

/** The document as text that ends in a line feed. Equal inventories give equal bytes, whatever order they are in. */
export function writeCycloneDx(inventory: Inventory, info: DocumentInfo, options: CycloneDxOptions): string {
  const document = withSerialNumber(downlevel(buildDocument(inventory, info, options.version)));
  return options.format === 'json' ? formatJson(document) : formatXml(document);
}

function buildDocument(inventory: Inventory, info: DocumentInfo, specVersion: CycloneDxVersion): CdxDocument {
  const { distro, subject } = inventory;
  const osRef = distro && refOfSystem(distro);
  const components = inventory.components.toSorted((one, other) => byText(one.ref, other.ref));
  const refs = assignRefs(components, osRef === undefined ? [rootRef] : [rootRef, osRef]);
  const layered = subject.layers.length > 0;
  return {
    specVersion,
    serialNumber: '',
    metadata: writeMetadata(inventory, info),
    components: some([
      ...(distro === undefined || osRef === undefined ? [] : [writeOperatingSystem(distro, osRef, layered)]),
      ...components.map((component) => writeComponent(component, refs, layered)),
    ]),
    ...drawGraph(inventory, components, refs, osRef),
  };
}

function refOfSystem({ id, versionId }: Distro): string {
  return xmlText(text(versionId === undefined ? `os:${id}` : `os:${id}@${versionId}`));
}

/** A UUID of version 8 (RFC 9562 section 5.8) from SHA-256 over the document without serial number and time stamp. */
function withSerialNumber(whole: CdxDocument): CdxDocument {
  const { components = [], ...rest } = whole;
  const hash = createHash('sha256');
  hash.update(JSON.stringify({ ...rest, metadata: { ...rest.metadata, timestamp: '' } }));
  // Piece by piece: a large document as one more string of its own would double the memory.
  for (const component of components) hash.update(JSON.stringify(component));
  const bytes = hash.digest();
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const uuid = bytes.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { ...whole, serialNumber: `urn:uuid:${uuid}` };
}
