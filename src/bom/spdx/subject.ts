/** What was scanned, and its operating system, as SPDX packages. */
import type { Distro } from '../../catalog/types.ts';
import { byText } from '../names.ts';
import type { Claims, Inventory, LayerInfo, SubjectInfo } from '../types.ts';
import { digestHash, imagePurl } from '../values.ts';
import { cpeRefs, purlRef } from './package.ts';
import { line, optional, webUrl } from './text.ts';
import type { Checksum, Purpose, SpdxPackage } from './types.ts';

export const rootId = 'SPDXRef-Root';
export const osId = 'SPDXRef-OperatingSystem';

export function rootPackage({ subject, claims }: Inventory): SpdxPackage {
  const digest = subject.manifest ?? subject.digest;
  const version = subject.version ?? digest ?? subject.config;
  const checksums = checksumsOf(digest);
  const purl = imagePurl(subject);
  const comment = [...subjectLines(subject), ...claimLines(claims)].join('\n');
  return {
    SPDXID: rootId,
    name: line(subject.name) || 'NOASSERTION',
    ...optional('versionInfo', line(version ?? '')),
    supplier: 'NOASSERTION',
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    ...(checksums.length === 0 ? {} : { checksums }),
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    ...optional('comment', comment),
    ...(purl === undefined ? {} : { externalRefs: [purlRef(purl)] }),
    primaryPackagePurpose: purposes[subject.kind],
  };
}

export function osPackage(distro: Distro): SpdxPackage {
  const homepage = distro.homeUrl === undefined ? undefined : webUrl(distro.homeUrl);
  const cpes = distro.cpe === undefined ? [] : cpeRefs([distro.cpe]);
  return {
    SPDXID: osId,
    name: line(distro.id) || 'NOASSERTION',
    ...optional('versionInfo', line(distro.versionId ?? '')),
    supplier: 'NOASSERTION',
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    ...optional('homepage', homepage),
    sourceInfo: `os-release in ${line(distro.path)} (layer ${distro.layer})`,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    ...optional('description', line(distro.prettyName ?? distro.name ?? '')),
    ...(cpes.length === 0 ? {} : { externalRefs: cpes }),
    primaryPackagePurpose: 'OPERATING_SYSTEM',
  };
}

const purposes: Readonly<Record<SubjectInfo['kind'], Purpose>> = {
  image: 'CONTAINER',
  rootfs: 'OPERATING_SYSTEM',
  source: 'SOURCE',
  file: 'FILE',
};

function checksumsOf(digest: string | undefined): Checksum[] {
  const hash = digestHash(digest);
  if (hash === undefined) return [];
  const algorithm = hash.alg === 'SHA-512' ? 'SHA512' : hash.alg === 'SHA-384' ? 'SHA384' : 'SHA256';
  return [{ algorithm, checksumValue: hash.content }];
}

// Neither the target as typed (it may hold a password, and the document must not depend on where a file lay) nor the
// commands of the image history (build arguments are a usual place for secrets): SBOMs travel further than images.
function subjectLines({ index, manifest, config, digest, platform, layers }: SubjectInfo): string[] {
  const os = platform && [platform.os, platform.architecture, platform.variant, platform.osVersion];
  const lines: (readonly [label: string, value: string | undefined])[] = [
    ['index', index],
    ['manifest', manifest],
    ['config', config],
    ['digest', digest],
    ['platform', os?.filter((part) => part !== undefined).join('/')],
  ];
  return [
    ...lines.flatMap(([label, value]) => (value === undefined ? [] : [`${label}: ${line(value)}`])),
    ...layers.map(layerLine),
  ];
}

function layerLine({ index, digest, diffId, size, plainSize }: LayerInfo): string {
  const stored = digest === undefined ? '' : ` stored as ${line(digest)} (${size} bytes)`;
  return `layer ${index}: ${line(diffId)} (${plainSize} bytes)${stored}`;
}

// Whoever made the image wrote these; a reader must not take them for something that we saw.
function claimLines(claims: Claims): string[] {
  const pairs: [name: string, value: string][] = [];
  if (claims.created !== undefined) pairs.push(['created', claims.created]);
  if (claims.author !== undefined) pairs.push(['author', claims.author]);
  for (const [kind, record] of [['annotation', claims.annotations] as const, ['label', claims.labels] as const]) {
    const sorted = Object.entries(record).sort(([left], [right]) => byText(left, right));
    pairs.push(...sorted.map(([name, value]): [string, string] => [`${kind} ${name}`, value]));
  }
  return pairs.map(([name, value]) => `claims ${line(name)}: ${line(value)}`);
}
