/**
 * The same document for an older version of the specification: what that version does not know is moved to a place
 * that it has, and only then left out.
 *
 * | since | what | before |
 * | --- | --- | --- |
 * | 1.6 | `component.authors` | `author`, names in one line |
 * | 1.6 | `metadata.manufacturer` | one of `metadata.authors`: the `manufacture` of then was that of the product |
 * | 1.6 | licence `acknowledgement` | left out |
 * | 1.6 | several `evidence.identity` | the one that there is |
 * | 1.5 | `evidence.identity`, `.occurrences` | properties `tidewaiter:evidence:…` |
 * | 1.5 | `metadata.lifecycles` | property `tidewaiter:lifecycle` |
 * | 1.5 | `metadata.tools.components` | a list of tools |
 */
import {
  type CdxComponent,
  type CdxContact,
  type CdxDocument,
  type CdxLicense,
  type CdxMetadata,
  some,
} from './document.ts';
import { property } from './values.ts';

export function downlevel(document: CdxDocument): CdxDocument {
  if (document.specVersion === '1.4') return mapComponents(mapComponents(document, to15), to14);
  if (document.specVersion === '1.5') return mapComponents(document, to15);
  return document;
}

interface Step {
  component(component: CdxComponent): CdxComponent;
  metadata(metadata: CdxMetadata): CdxMetadata;
}

function mapComponents(document: CdxDocument, step: Step): CdxDocument {
  const { metadata, components } = document;
  return {
    ...document,
    metadata: step.metadata({ ...metadata, component: step.component(metadata.component) }),
    components: components?.map(step.component),
  };
}

const to15: Step = {
  component: (component) => ({
    ...component,
    authors: undefined,
    author: joinContacts(component.authors),
    licenses: component.licenses?.map(withoutAcknowledgement),
    evidence: component.evidence && { ...component.evidence, identity: [component.evidence.identity ?? []].flat()[0] },
  }),
  metadata: ({ manufacturer, ...metadata }) => {
    if (manufacturer === undefined) return metadata;
    const { name, url, contact } = manufacturer;
    const asAuthor: CdxContact = { name: name ?? url?.[0] ?? contact?.[0]?.name, email: contact?.[0]?.email };
    return { ...metadata, authors: [...(metadata.authors ?? []), asAuthor] };
  },
};

const to14: Step = {
  component: ({ evidence, ...component }) => ({
    ...component,
    properties: some([
      ...(component.properties ?? []),
      ...[evidence?.identity ?? []]
        .flat()
        .flatMap(({ methods }) => methods)
        .map(({ technique, confidence }) => property(`evidence:${technique}`, String(confidence))),
      ...(evidence?.occurrences ?? []).map(({ location }) => property('evidence:location', location)),
    ]),
  }),
  metadata: ({ timestamp, lifecycles, tools, ...metadata }) => ({
    timestamp,
    tools: [...('components' in tools ? tools.components : tools)].map(({ name, version }) => ({
      name,
      version: version ?? '',
    })),
    ...metadata,
    properties: some([
      ...(lifecycles ?? []).map(({ phase }) => property('lifecycle', phase)),
      ...(metadata.properties ?? []),
    ]),
  }),
};

function joinContacts(contacts: readonly CdxContact[] | undefined): string | undefined {
  return contacts
    ?.map(({ name, email }) => (name === undefined ? email : email === undefined ? name : `${name} <${email}>`))
    .join(', ');
}

function withoutAcknowledgement(license: CdxLicense): CdxLicense {
  if ('expression' in license) return { expression: license.expression };
  return { license: { ...license.license, acknowledgement: undefined } };
}
