/**
 * SPDX 2.3 as JSON, for readers that want SPDX. https://spdx.github.io/spdx-spec/v2.3/
 *
 *     {
 *       "spdxVersion": "SPDX-2.3",
 *       "SPDXID": "SPDXRef-DOCUMENT",
 *       "packages": [
 *         { "SPDXID": "SPDXRef-Root", "name": "example.com/app:1", "primaryPackagePurpose": "CONTAINER", … },
 *         { "SPDXID": "SPDXRef-Package-npm-react-19.0.0-0f1e2d3c4b5a6978", "name": "react", … }
 *       ],
 *       "relationships": [
 *         { "spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-Root" }
 *       ]
 *     }
 *
 * The document is self-contained and reproducible: identifiers and namespace come from the content. SPDX has no place
 * for everything in the inventory; docs/formats/spdx.md says where each thing goes.
 */
import { fullName } from '../names.ts';
import type { Coverage, DocumentInfo, Gap, Inventory } from '../types.ts';
import { contentUuid, idMaker } from './ids.ts';
import { licenceTable } from './licences.ts';
import { packageOf } from './package.ts';
import { relationshipsOf } from './relationships.ts';
import { osPackage, rootPackage } from './subject.ts';
import { actor, line } from './text.ts';
import type { SpdxDocument } from './types.ts';

/** The document as text: two-space JSON, UTF-8, a final newline. The same inventory and info give the same bytes. */
export function writeSpdxJson(inventory: Inventory, info: DocumentInfo): string {
  return `${JSON.stringify(spdxDocument(inventory, info), null, 2)}\n`;
}

function spdxDocument(inventory: Inventory, info: DocumentInfo): SpdxDocument {
  const licences = licenceTable();
  const makeId = idMaker('SPDXRef-Package-');
  const ids = new Map<string, string>();
  for (const { ecosystem, ref, version, ...name } of inventory.components) {
    const readable = [ecosystem, fullName({ ecosystem, ...name }), ...(version === undefined ? [] : [version])];
    ids.set(ref, makeId(readable.join('-'), ref));
  }
  const tool = `Tool: ${line(info.tool.name)}-${line(info.tool.version)}`;
  const name = line(inventory.subject.name) || 'NOASSERTION';
  const creators = creatorsOf(info, tool);
  const comment = coverageComment(inventory.coverage);
  const packages = [
    rootPackage(inventory),
    ...(inventory.distro === undefined ? [] : [osPackage(inventory.distro)]),
    ...inventory.components.map((component) => packageOf(component, ids.get(component.ref)!, licences)),
  ];
  const extracted = licences.extracted();
  const relationships = relationshipsOf(inventory, ids);
  const gaps = inventory.coverage.gaps.map(gapComment);
  // Without the timestamp: two scans of the same thing are the same document, as in our CycloneDX serial number.
  const uuid = contentUuid(JSON.stringify([name, creators, comment, packages, extracted, relationships, gaps]));
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name,
    documentNamespace: `https://spdx.org/spdxdocs/tidewaiter-${uriName(inventory.subject.name)}${uuid}`,
    creationInfo: { created: info.timestamp, creators },
    comment,
    packages,
    ...(extracted.length === 0 ? {} : { hasExtractedLicensingInfos: extracted }),
    relationships,
    ...(gaps.length === 0
      ? {}
      : {
          annotations: gaps.map((gap) => ({
            annotationDate: info.timestamp,
            annotationType: 'OTHER',
            annotator: tool,
            comment: gap,
          })),
        }),
  };
}

function creatorsOf({ authors, manufacturer }: DocumentInfo, tool: string): string[] {
  const organization = manufacturer === undefined ? undefined : actor('Organization', manufacturer);
  const people = authors.map((author) => actor('Person', author));
  return [...new Set([tool, organization, ...people].filter((each) => each !== undefined))];
}

function coverageComment({ catalogers, gaps, files, excluded }: Coverage): string {
  return [
    `files seen: ${files}, left out on request: ${excluded}`,
    gaps.length === 0
      ? 'could not be read: 0'
      : `could not be read: ${gaps.length}, each named in an annotation of this document; packages may be missing`,
    ...catalogers.map(
      (each) => `${line(each.cataloger)}: files ${each.files}, packages ${each.packages}, gaps ${each.gaps}`,
    ),
  ].join('\n');
}

function gapComment({ rule, path, layer, cataloger, reason }: Gap): string {
  const at = [
    ...(layer === undefined ? [] : [`layer ${layer}`]),
    ...(cataloger === undefined ? [] : [line(cataloger)]),
  ];
  return `${line(rule)}: ${line(path)}${at.length === 0 ? '' : ` (${at.join(', ')})`}: ${line(reason)}`;
}

function uriName(name: string): string {
  const clean = name
    .slice(0, 200)
    .replace(/[^A-Za-z0-9._]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 80);
  return clean === '' ? '' : `${clean}-`;
}
