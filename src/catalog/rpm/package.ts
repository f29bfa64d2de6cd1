/**
 * An rpm record as a package.
 *
 *   pkg:rpm/fedora/centerim@4.22.10-1.el6?arch=i686&distro=fedora-25&epoch=1&upstream=centerim-4.22.10-1.el6.src.rpm
 *
 * The version of the purl is VERSION-RELEASE; an epoch other than 0 is a qualifier there and leads the version that
 * people see (`1:4.22.10-1.el6`). The namespace is the vendor as advisories know it: the ID of the distribution, but
 * `redhat` for RHEL and its CoreOS and `opensuse` for all of openSUSE's. It is required, so where no os-release tells the distribution
 * it comes from the Vendor tag of the package, and the property rpm:namespace says `assumed`.
 *
 * Definition: https://packageurl.org/types/rpm-definition.json
 */
import type { Purl } from '../../purl/index.ts';
import { vendorOf } from '../os-release/index.ts';
import type { Distro, Package, Party } from '../types.ts';
import { fullVersion, identify, isPublicKey, type RpmRecord, versionRelease } from './record.ts';

type Described = Omit<Package, 'places' | 'requires' | 'requiresIncomplete' | 'owns'>;

export function describeRecord(record: RpmRecord, distro: Distro | undefined): Described {
  const supplier = parseParty(record.vendor ?? record.packager);
  const { purl, assumed } = buildPurl(record, distro);
  return {
    key: identify(record),
    purl,
    name: record.name,
    version: fullVersion(record),
    ...(record.license !== undefined && { licenses: [record.license] }),
    ...(supplier !== undefined && { supplier }),
    ...(record.summary !== undefined && { description: record.summary }),
    ...(record.url !== undefined && { homepage: record.url }),
    technique: 'manifest-analysis',
    confidence: 1,
    properties: listProperties(record, assumed),
  };
}

/** `SUSE LLC <https://www.suse.com/>`, `CentOS BuildSystem <build@centos.org>`, or only a name. */
function parseParty(text: string | undefined): Party | undefined {
  if (text === undefined) return undefined;
  const open = text.lastIndexOf('<');
  const close = text.indexOf('>', open);
  const name = open > 0 && close > 0 ? text.slice(0, open).trim() : text.trim();
  if (name === '') return undefined;
  const contact = open > 0 && close > 0 ? text.slice(open + 1, close).trim() : '';
  if (/^https?:\/\//.test(contact)) return { name, url: contact };
  return contact.includes('@') ? { name, email: contact } : { name };
}

function buildPurl(record: RpmRecord, distro: Distro | undefined): { purl: Purl; assumed: boolean } {
  const vendor = vendorOf('rpm', distro);
  const namespace = vendor.namespace === undefined ? assumeNamespace(record.vendor) : renameVendor(vendor.namespace);
  const qualifiers = {
    ...(record.arch !== undefined && { arch: record.arch }),
    ...(vendor.distro !== undefined && { distro: vendor.distro }),
    ...(record.epoch ? { epoch: String(record.epoch) } : {}),
    ...(record.sourceRpm !== undefined && { upstream: record.sourceRpm }),
  };
  const purl = { type: 'rpm', namespace, name: record.name, version: versionRelease(record), qualifiers };
  return { purl, assumed: vendor.namespace === undefined };
}

function renameVendor(id: string): string {
  if (id === 'rhel' || id === 'rhcos') return 'redhat';
  return id === 'opensuse' || id.startsWith('opensuse-') ? 'opensuse' : id;
}

/** How the Vendor tags of the large distributions begin. */
const vendors: ReadonlyArray<readonly [start: string, namespace: string]> = [
  ['almalinux', 'almalinux'],
  ['amazon', 'amzn'],
  ['centos', 'centos'],
  ['fedora', 'fedora'],
  ['mageia', 'mageia'],
  ['openeuler', 'openeuler'],
  ['opensuse', 'opensuse'],
  ['oracle', 'ol'],
  ['red hat', 'redhat'],
  ['rocky', 'rocky'],
  ['suse', 'suse'],
  ['vmware', 'photon'],
];

function assumeNamespace(vendor: string | undefined): string {
  const text = vendor?.toLowerCase() ?? '';
  const known = vendors.find(([start]) => text.startsWith(start));
  if (known !== undefined) return known[1];
  const name = parseParty(text)?.name ?? '';
  const slug = name.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
  return slug === '' ? 'unknown' : slug;
}

function listProperties(record: RpmRecord, assumed: boolean): Record<string, string> {
  const values: ReadonlyArray<readonly [name: string, value: string | number | undefined]> = [
    ['epoch', record.epoch],
    ['release', record.release],
    ['sourcerpm', record.sourceRpm],
    ['vendor', record.vendor],
    ['packager', record.packager],
    ['modularitylabel', record.modularityLabel],
    ['installed-size', record.size],
    ['install-time', formatTime(record.installTime)],
    ['build-time', formatTime(record.buildTime)],
    ['sigmd5', record.digests?.sigmd5],
    ['sha1header', record.digests?.sha1header],
    ['sha256header', record.digests?.sha256header],
    ['payloaddigest', record.digests?.payload],
    ['namespace', assumed ? 'assumed' : undefined],
    ['public-key', isPublicKey(record) ? 'true' : undefined],
  ];
  const properties: Record<string, string> = {};
  for (const [name, value] of values) if (value !== undefined) properties[`rpm:${name}`] = String(value);
  return properties;
}

function formatTime(seconds: number | undefined): string | undefined {
  // Four-digit years only: a damaged time is not worth a gap, and no date can be made of it.
  if (seconds === undefined || seconds > 253_402_300_799) return undefined;
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
