/**
 * The head of a document: who made it, when, at which point of a product's life, of what, and what could not be read.
 *
 * Left out on purpose: the path that the user typed (a document must not depend on where the file lay, nor carry a
 * registry password out of a reference) and the commands of the image history (build arguments are a usual place for
 * secrets, and SBOMs travel further than images).
 */

import { byText } from '../names.ts';
import type { Claims, DocumentInfo, Gap, Inventory, LayerInfo, SubjectInfo } from '../types.ts';
import { digestHash, filled, imagePurl, text } from '../values.ts';
import { fittingVersion, unknowns } from './component.ts';
import {
  type CdxComponent,
  type CdxComponentType,
  type CdxMetadata,
  type CdxPhase,
  type CdxProperty,
  some,
} from './document.ts';
import { rootRef } from './graph.ts';
import { contact, entity, property } from './values.ts';

export function writeMetadata(inventory: Inventory, info: DocumentInfo): CdxMetadata {
  return {
    timestamp: info.timestamp,
    lifecycles: [{ phase: phases[inventory.subject.kind] }],
    tools: { components: [{ type: 'application', name: info.tool.name, version: info.tool.version }] },
    authors: some(info.authors.map(contact)),
    component: writeSubject(inventory.subject, inventory.claims),
    manufacturer: info.manufacturer === undefined ? undefined : entity(info.manufacturer),
    // The licence of the document, not of what it describes: the one that SPDX asks of every document.
    licenses: [{ license: { id: 'CC0-1.0' } }],
    properties: some(describeCoverage(inventory)),
  };
}

/** A lone file is taken for a product, a jar or a program; `discovery` is for what is found on a network. */
const phases: Readonly<Record<SubjectInfo['kind'], CdxPhase>> = {
  image: 'post-build',
  rootfs: 'post-build',
  source: 'pre-build',
  file: 'post-build',
};

const types: Readonly<Record<SubjectInfo['kind'], CdxComponentType>> = {
  image: 'container',
  rootfs: 'operating-system',
  source: 'application',
  file: 'file',
};

function writeSubject(subject: SubjectInfo, claims: Claims): CdxComponent {
  const version = fittingVersion(subject.version) ?? subject.manifest;
  const hash = digestHash(subject.kind === 'file' ? subject.digest : subject.manifest);
  return {
    type: types[subject.kind],
    'bom-ref': rootRef,
    name: filled(subject.name) ?? subject.kind,
    version,
    hashes: hash === undefined ? undefined : [hash],
    purl: imagePurl(subject),
    properties: [
      ...describeSubject(subject),
      ...subject.layers.flatMap(describeLayer),
      ...describeClaims(claims),
      ...unknowns({ hashes: hash !== undefined, licenses: false, supplier: false, version: version !== undefined }),
    ],
  };
}

function describeSubject({
  kind,
  version,
  index,
  manifest,
  config,
  digest,
  platform,
}: SubjectInfo): readonly CdxProperty[] {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['subject:kind', kind],
    ['subject:version', fittingVersion(version) === undefined ? version : undefined],
    ['digest:index', index],
    ['digest:manifest', manifest],
    ['digest:config', config],
    ['digest:file', digest],
    ['platform', platform && [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/')],
    ['platform:os-version', platform?.osVersion],
  ];
  return facts.flatMap(([name, value]) => (filled(value) === undefined ? [] : [property(name, value!)]));
}

function describeLayer({ index, digest, diffId, size, plainSize }: LayerInfo): readonly CdxProperty[] {
  return [
    ...(digest === undefined ? [] : [property(`layer:${index}:digest`, digest)]),
    property(`layer:${index}:diff-id`, diffId),
    property(`layer:${index}:size`, String(size)),
    property(`layer:${index}:plain-size`, String(plainSize)),
  ];
}

/** What the image says of itself; nobody has checked it. */
function describeClaims({ annotations, labels, created, author }: Claims): readonly CdxProperty[] {
  const sorted = (prefix: string, record: Readonly<Record<string, string>>) =>
    Object.entries(record)
      .sort(([one], [other]) => byText(one, other))
      .map(([name, value]) => property(`claim:${prefix}:${name}`, value));
  return [
    ...(created === undefined ? [] : [property('claim:created', created)]),
    ...(author === undefined ? [] : [property('claim:author', author)]),
    ...sorted('annotation', annotations),
    ...sorted('label', labels),
  ];
}

function describeCoverage({ coverage, components }: Inventory): readonly CdxProperty[] {
  return [
    property('components', String(components.length)),
    property('files', String(coverage.files)),
    property('files:excluded', String(coverage.excluded)),
    ...coverage.catalogers
      .toSorted((one, other) => byText(one.cataloger, other.cataloger))
      .map(({ cataloger, files, packages, gaps }) =>
        property(`cataloger:${cataloger}`, `files=${files} packages=${packages} gaps=${gaps}`),
      ),
    property('gaps', String(coverage.gaps.length)),
    ...coverage.gaps
      .map(describeGap)
      .sort(byText)
      .map((gap) => property('gap', gap)),
  ];
}

function describeGap({ path, reason }: Gap): string {
  return `${text(path)}: ${text(reason)}`;
}
