/**
 * CycloneDX XML. The schemas (bom-1.4.xsd to bom-1.7.xsd) are sequences, so elements stand in the order of the schema;
 * fields that a version does not know have been taken out before (downlevel.ts).
 */
import { type XmlWriter, xmlWriter } from '../xml.ts';
import type {
  CdxComponent,
  CdxComposition,
  CdxContact,
  CdxDependency,
  CdxDocument,
  CdxEntity,
  CdxEvidence,
  CdxHash,
  CdxLicense,
  CdxMetadata,
  CdxProperty,
  CdxReference,
} from './document.ts';

export function formatXml(document: CdxDocument): string {
  const { specVersion, serialNumber, metadata, components, dependencies, compositions } = document;
  const xml = xmlWriter();
  const attributes = { xmlns: `http://cyclonedx.org/schema/bom/${specVersion}`, serialNumber, version: '1' };
  xml.within('bom', () => writeBody(xml, metadata, components, dependencies, compositions), attributes);
  return xml.toString();
}

function writeBody(
  xml: XmlWriter,
  metadata: CdxMetadata,
  components: readonly CdxComponent[] | undefined,
  dependencies: readonly CdxDependency[],
  compositions: readonly CdxComposition[],
): void {
  xml.within('metadata', () => writeMetadata(xml, metadata));
  list(xml, 'components', components, (component) => writeComponent(xml, component));
  list(xml, 'dependencies', dependencies, (dependency) => writeDependency(xml, dependency));
  list(xml, 'compositions', compositions, (composition) => writeComposition(xml, composition));
}

function writeMetadata(xml: XmlWriter, metadata: CdxMetadata): void {
  const { tools } = metadata;
  xml.text('timestamp', metadata.timestamp);
  list(xml, 'lifecycles', metadata.lifecycles, ({ phase }) => xml.within('lifecycle', () => xml.text('phase', phase)));
  xml.within('tools', () => {
    if ('components' in tools) list(xml, 'components', tools.components, (tool) => writeComponent(xml, tool));
    else
      for (const tool of tools) xml.within('tool', () => writeTexts(xml, { name: tool.name, version: tool.version }));
  });
  list(xml, 'authors', metadata.authors, (author) => writeContact(xml, 'author', author));
  writeComponent(xml, metadata.component);
  writeEntity(xml, 'manufacturer', metadata.manufacturer);
  list(xml, 'licenses', metadata.licenses, (license) => writeLicense(xml, license));
  writeProperties(xml, metadata.properties);
}

function writeComponent(xml: XmlWriter, component: CdxComponent): void {
  const body = (): void => {
    writeEntity(xml, 'supplier', component.supplier);
    list(xml, 'authors', component.authors, (author) => writeContact(xml, 'author', author));
    const { author, publisher, group, name, version, description, scope } = component;
    writeTexts(xml, { author, publisher, group, name, version, description, scope });
    writeHashes(xml, component.hashes);
    list(xml, 'licenses', component.licenses, (license) => writeLicense(xml, license));
    writeTexts(xml, { cpe: component.cpe, purl: component.purl });
    list(xml, 'externalReferences', component.externalReferences, (reference) => writeReference(xml, reference));
    writeProperties(xml, component.properties);
    if (component.evidence !== undefined) writeEvidence(xml, component.evidence);
  };
  xml.within('component', body, { type: component.type, 'bom-ref': component['bom-ref'] });
}

function writeEntity(xml: XmlWriter, element: string, entity: CdxEntity | undefined): void {
  if (entity === undefined) return;
  xml.within(element, () => {
    xml.text('name', entity.name);
    for (const url of entity.url ?? []) xml.text('url', url);
    for (const contact of entity.contact ?? []) writeContact(xml, 'contact', contact);
  });
}

function writeContact(xml: XmlWriter, element: string, { name, email }: CdxContact): void {
  xml.within(element, () => writeTexts(xml, { name, email }));
}

function writeHashes(xml: XmlWriter, hashes: readonly CdxHash[] | undefined): void {
  list(xml, 'hashes', hashes, ({ alg, content }) => xml.text('hash', content, { alg }));
}

function writeLicense(xml: XmlWriter, choice: CdxLicense): void {
  if ('expression' in choice) {
    xml.text('expression', choice.expression, { acknowledgement: choice.acknowledgement });
  } else {
    const { id, name, acknowledgement } = choice.license;
    xml.within('license', () => writeTexts(xml, { id, name }), { acknowledgement });
  }
}

function writeReference(xml: XmlWriter, { type, url, hashes }: CdxReference): void {
  const body = (): void => {
    xml.text('url', url);
    writeHashes(xml, hashes);
  };
  xml.within('reference', body, { type });
}

function writeProperties(xml: XmlWriter, properties: readonly CdxProperty[] | undefined): void {
  list(xml, 'properties', properties, ({ name, value }) => xml.text('property', value, { name }));
}

function writeEvidence(xml: XmlWriter, { identity, occurrences }: CdxEvidence): void {
  xml.within('evidence', () => {
    for (const { field, confidence, methods } of [identity ?? []].flat()) {
      xml.within('identity', () => {
        writeTexts(xml, { field, confidence: String(confidence) });
        list(xml, 'methods', methods, ({ technique, confidence: certainty, value }) =>
          xml.within('method', () => writeTexts(xml, { technique, confidence: String(certainty), value })),
        );
      });
    }
    list(xml, 'occurrences', occurrences, ({ location }) =>
      xml.within('occurrence', () => xml.text('location', location)),
    );
  });
}

function writeDependency(xml: XmlWriter, { ref, dependsOn }: CdxDependency): void {
  if (dependsOn.length === 0) {
    xml.empty('dependency', { ref });
    return;
  }
  const body = (): void => {
    for (const target of dependsOn) xml.empty('dependency', { ref: target });
  };
  xml.within('dependency', body, { ref });
}

function writeComposition(xml: XmlWriter, { aggregate, assemblies, dependencies }: CdxComposition): void {
  xml.within('composition', () => {
    xml.text('aggregate', aggregate);
    list(xml, 'assemblies', assemblies, (ref) => xml.empty('assembly', { ref }));
    list(xml, 'dependencies', dependencies, (ref) => xml.empty('dependency', { ref }));
  });
}

function list<T>(xml: XmlWriter, element: string, items: readonly T[] | undefined, write: (item: T) => void): void {
  if (items === undefined || items.length === 0) return;
  xml.within(element, () => {
    for (const item of items) write(item);
  });
}

function writeTexts(xml: XmlWriter, texts: Readonly<Record<string, string | undefined>>): void {
  for (const element in texts) xml.text(element, texts[element]);
}
