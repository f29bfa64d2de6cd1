/** A component as an SPDX package (SPDX 2.3 §7). */
import type { Hash } from '../../catalog/types.ts';
import { fullName } from '../names.ts';
import type { Component } from '../types.ts';
import { isCpe, isDigest, withoutCredentials } from '../values.ts';
import type { LicenceTable } from './licences.ts';
import { actor, block, downloadUrl, line, optional, webUrl } from './text.ts';
import type { Checksum, ExternalRef, Purpose, SpdxPackage } from './types.ts';

export function packageOf(component: Component, id: string, licences: LicenceTable): SpdxPackage {
  const [originator] = component.authors.map((author) => actor('Person', author)).filter((each) => each !== undefined);
  const download = component.distribution === undefined ? undefined : downloadUrl(component.distribution);
  const homepage = component.homepage === undefined ? undefined : webUrl(component.homepage);
  const checksums = component.hashes.filter(isDigest).map(checksum);
  return {
    SPDXID: id,
    name: line(fullName(component)) || 'NOASSERTION',
    ...optional('versionInfo', line(component.version ?? '')),
    supplier: (component.supplier && actor('Organization', component.supplier)) ?? 'NOASSERTION',
    ...optional('originator', originator),
    downloadLocation: download ?? 'NOASSERTION',
    filesAnalyzed: false,
    ...(checksums.length === 0 ? {} : { checksums }),
    ...optional('homepage', homepage),
    ...optional('sourceInfo', sightings(component)),
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: licences.declared(component.licenses),
    copyrightText: 'NOASSERTION',
    ...optional('description', block(component.description ?? '')),
    ...optional('comment', leftovers(component)),
    externalRefs: [purlRef(component.purl), ...cpeRefs(component.cpes)],
    primaryPackagePurpose: purposes[component.kind],
  };
}

export function purlRef(purl: string): ExternalRef {
  return { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: line(purl) };
}

export function cpeRefs(cpes: readonly string[]): ExternalRef[] {
  return cpes.filter(isCpe).map((cpe) => ({
    referenceCategory: 'SECURITY',
    referenceType: /^cpe:2\.3:/.test(cpe) ? 'cpe23Type' : 'cpe22Type',
    referenceLocator: cpe,
  }));
}

export function checksum(hash: Hash): Checksum {
  return { algorithm: algorithms[hash.alg], checksumValue: hash.content };
}

const algorithms: Readonly<Record<Hash['alg'], Checksum['algorithm']>> = {
  MD5: 'MD5',
  'SHA-1': 'SHA1',
  'SHA-256': 'SHA256',
  'SHA-384': 'SHA384',
  'SHA-512': 'SHA512',
};

const purposes: Readonly<Record<Component['kind'], Purpose>> = {
  library: 'LIBRARY',
  application: 'APPLICATION',
  framework: 'FRAMEWORK',
  'operating-system': 'OPERATING_SYSTEM',
};

// `npm/package-lock in srv/app/package-lock.json (layer 1)`, a line for each cataloger.
function sightings(component: Component): string {
  return component.sightings
    .map(({ cataloger, technique, confidence, places }) => {
      const where = places.map((place) => `${line(place.path)} (layer ${place.layer})`).join(', ');
      return `${line(cataloger)} in ${where} by ${technique}, confidence ${confidence}`;
    })
    .join('\n');
}

// What SPDX has no field for, or what its field would not take, one `name: value` a line.
function leftovers(component: Component): string {
  const { authors, cpes, distribution, hashes, homepage, properties, supplier, vcs } = component;
  const lines: (readonly [name: string, value: string])[] = authors
    .slice(1)
    .map((author) => ['author', author.name] as const);
  if (supplier?.url !== undefined) lines.push(['supplier', supplier.url]);
  if (vcs !== undefined) lines.push(['source repository', vcs]);
  if (distribution !== undefined && downloadUrl(distribution) === undefined) lines.push(['distribution', distribution]);
  if (homepage !== undefined && webUrl(homepage) === undefined) lines.push(['homepage', homepage]);
  for (const cpe of cpes) if (!isCpe(cpe)) lines.push(['cpe', cpe]);
  for (const hash of hashes) if (!isDigest(hash)) lines.push([hash.alg, hash.content]);
  lines.push(...properties);
  return lines.map(([name, value]) => `${line(name)}: ${line(withoutCredentials(value))}`).join('\n');
}
