/**
 * One component of the inventory as a CycloneDX component. Facts that have no field of their own become properties, and
 * facts that are missing are named as missing (`tidewaiter:unknown`): an absent field alone would not say whether
 * nobody knows or nobody looked.
 */
import type { Distro, Place } from '../../catalog/types.ts';
import { byText } from '../names.ts';
import type { Component } from '../types.ts';
import { filled, isCpe, isDigest, text, url, withoutCredentials } from '../values.ts';
import { xmlText } from '../xml.ts';
import {
  type CdxComponent,
  type CdxEvidence,
  type CdxHash,
  type CdxProperty,
  type CdxReference,
  type CdxReferenceType,
  some,
} from './document.ts';
import type { Refs } from './graph.ts';
import { declaredLicenses } from './licenses.ts';
import { contact, entity, property } from './values.ts';

/** `layered`: the subject has layers, so that the layer of a place means something. */
export function writeComponent(component: Component, refs: Refs, layered: boolean): CdxComponent {
  const hashes = component.hashes.filter(isDigest).map(({ alg, content }): CdxHash => ({ alg, content }));
  const links = describeLinks(component, hashes);
  const supplier = component.supplier && entity(component.supplier);
  const places = placesOf(component);
  const fields = {
    supplier,
    authors: some(component.authors.map(contact).filter(({ name, email }) => (name ?? email) !== undefined)),
    author: undefined,
    publisher: supplier?.name,
    group: filled(component.group),
    name: filled(component.name) ?? text(component.ref),
    version: fittingVersion(component.version),
    description: filled(component.description),
    scope: component.scope,
    hashes: some(hashes),
    licenses: declaredLicenses(component.licenses),
    cpe: component.cpes.find(isCpe),
    purl: isPurl(component.purl) ? component.purl : undefined,
    externalReferences: some(links.references),
  };
  return {
    type: component.kind,
    'bom-ref': refs.get(component.ref),
    ...fields,
    properties: some([
      ...describeOrigin(component, refs, layered ? places : []),
      ...describeRest(component, fields),
      ...links.others,
      ...component.properties.map(([name, value]) => property(name, value)),
      ...unknowns({
        hashes: hashes.length > 0,
        licenses: fields.licenses !== undefined,
        supplier: supplier !== undefined,
        version: filled(component.version) !== undefined,
        dependencies: component.requiresKnown !== 'unknown',
      }),
    ]),
    evidence: evidenceOf(component, places),
  };
}

/** The operating system as a component of its own. */
export function writeOperatingSystem(distro: Distro, ref: string, layered: boolean): CdxComponent {
  const cpe = distro.cpe !== undefined && isCpe(distro.cpe) ? distro.cpe : undefined;
  const home = distro.homeUrl === undefined ? undefined : url(distro.homeUrl);
  const version = fittingVersion(distro.versionId);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['name', distro.name],
    ['version', distro.version],
    ['version-id', version === undefined ? distro.versionId : undefined],
    ['codename', distro.codename],
    ['variant-id', distro.variantId],
    ['build-id', distro.buildId],
    ['image-id', distro.imageId],
    ['image-version', distro.imageVersion],
    ['support-end', distro.supportEnd],
    ['id-like', filled(distro.idLike.join(' '))],
    ['cpe', cpe === undefined ? distro.cpe : undefined],
    ['website', home === undefined && distro.homeUrl !== undefined ? withoutCredentials(distro.homeUrl) : undefined],
  ];
  return {
    type: 'operating-system',
    'bom-ref': ref,
    name: filled(distro.id) ?? 'unknown',
    version,
    description: filled(distro.prettyName),
    cpe,
    externalReferences: home === undefined ? undefined : [{ url: home, type: 'website' }],
    properties: some([
      ...facts.flatMap(([name, value]) => (filled(value) === undefined ? [] : [property(`os:${name}`, value!)])),
      ...(layered ? [property(`layer:${distro.layer}`, distro.path)] : []),
      ...unknowns({
        hashes: false,
        licenses: false,
        supplier: false,
        version: filled(distro.versionId) !== undefined,
        dependencies: false,
      }),
    ]),
    evidence: { occurrences: [{ location: text(distro.path) }] },
  };
}

/** One property for each fact that is not known. */
export function unknowns(known: Readonly<Record<string, boolean>>): readonly CdxProperty[] {
  const unknown: CdxProperty[] = [];
  for (const name in known) if (!known[name]) unknown.push(property('unknown', name));
  return unknown;
}

/** From 1.6 on a version has at most 1,024 characters; a longer one is kept as a property, never cut. */
export function fittingVersion(version: string | undefined): string | undefined {
  const whole = filled(version);
  return whole === undefined || xmlText(whole).length > 1024 ? undefined : whole;
}

function isPurl(purl: string): boolean {
  return /^pkg:[!-~]+$/.test(purl) && !/[<>"\\^`{|}]|%(?![0-9A-Fa-f]{2})/.test(purl);
}

function describeOrigin(component: Component, refs: Refs, layers: readonly Place[]): readonly CdxProperty[] {
  const { ecosystem, ownedBy, scope, sightings } = component;
  const catalogers = [...new Set(sightings.map(({ cataloger }) => cataloger))].sort();
  return [
    ...catalogers.map((cataloger) => property('cataloger', cataloger)),
    ...(ownedBy === undefined ? [] : [property('owned-by', refs.get(ownedBy) ?? ownedBy)]),
    ...layers.map(({ layer, path }) => property(`layer:${layer}`, path)),
    // The name that the npm part of the CycloneDX property taxonomy has for development dependencies.
    ...(ecosystem === 'npm' && scope === 'excluded' ? [{ name: 'cdx:npm:package:development', value: 'true' }] : []),
  ];
}

/** What was stated and has not found its way into a field. */
function describeRest(
  { cpes, hashes, version, purl }: Component,
  written: Pick<CdxComponent, 'cpe' | 'version' | 'purl'>,
): readonly CdxProperty[] {
  return [
    ...cpes.filter((cpe) => cpe !== written.cpe).map((cpe) => property('cpe', cpe)),
    ...hashes.filter((hash) => !isDigest(hash)).map(({ alg, content }) => property(`hash:${alg}`, content)),
    ...(written.version === undefined && filled(version) !== undefined ? [property('version', version!)] : []),
    ...(written.purl === undefined ? [property('purl', purl)] : []),
  ];
}

function describeLinks(
  component: Component,
  hashes: readonly CdxHash[],
): { readonly references: readonly CdxReference[]; readonly others: readonly CdxProperty[] } {
  const links: readonly (readonly [CdxReferenceType, string | undefined])[] = [
    ['website', component.homepage],
    ['vcs', component.vcs],
    ['distribution', component.distribution],
  ];
  const references: CdxReference[] = [];
  const others: CdxProperty[] = [];
  for (const [type, value] of links) {
    if (value === undefined || filled(value) === undefined) continue;
    const link = url(value);
    if (link === undefined) others.push(property(type, withoutCredentials(value)));
    else references.push({ url: link, type, hashes: type === 'distribution' ? some(hashes) : undefined });
  }
  return { references, others };
}

/** Every place once, however many catalogers saw it. */
function placesOf({ sightings }: Component): readonly Place[] {
  const places = new Map<string, Place>();
  for (const { path, layer } of sightings.flatMap((sighting) => sighting.places))
    places.set(`${layer} ${path}`, { path, layer });
  return [...places.values()].sort((one, other) => byText(one.path, other.path) || one.layer - other.layer);
}

function evidenceOf(component: Component, seen: readonly Place[]): CdxEvidence | undefined {
  if (component.sightings.length === 0) return undefined;
  const methods = component.sightings
    .map(({ technique, confidence, places }) => ({
      technique,
      confidence: fraction(confidence),
      value: filled(places.map(({ path }) => path).toSorted(byText)[0]),
    }))
    .sort(
      (one, other) =>
        other.confidence - one.confidence || byText(one.technique + one.value, other.technique + other.value),
    );
  const locations = new Set(seen.flatMap(({ path }) => filled(path) ?? []));
  return {
    identity: [{ field: 'purl', confidence: methods[0]!.confidence, methods }],
    occurrences: some([...locations].map((location) => ({ location }))),
  };
}

/** Within 0 and 1, in at most three decimals: the XML schema knows no exponents. */
function fraction(value: number): number {
  return Number.isNaN(value) ? 0 : Math.round(Math.min(1, Math.max(0, value)) * 1000) / 1000;
}
