/**
 * Validation of CycloneDX documents against the official schemas, for tests: JSON with ajv, XML with libxml2. The
 * schemas are those that the CycloneDX library ships.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';
import { ParseOption, XmlDocument, XsdValidator } from 'libxml2-wasm';
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs';

const library = path.dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json'));
const schemas = path.join(library, 'res/schema');

/** What the JSON schema of that version has against the document; empty when it is valid. */
export function jsonErrors(json: string, version: string): readonly string[] {
  const validate = jsonValidator(version);
  if (validate(JSON.parse(json))) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
}

/** What the XML schema of that version has against the document; empty when it is valid. */
export function xmlErrors(xml: string, version: string): readonly string[] {
  const validator = xmlValidator(version);
  try {
    const document = XmlDocument.fromString(xml, { option: ParseOption.XML_PARSE_NO_XXE });
    try {
      validator.validate(document);
    } finally {
      document.dispose();
    }
    return [];
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return error.message.split('\n');
  }
}

const jsonValidators = new Map<string, ValidateFunction>();
const xmlValidators = new Map<string, XsdValidator>();

function jsonValidator(version: string): ValidateFunction {
  const known = jsonValidators.get(version);
  if (known !== undefined) return known;
  const ajv = withFormats(new Ajv({ strict: false, validateFormats: true, allErrors: true }));
  ajv.addFormat('iri-reference', isIriReference);
  ajv.addFormat('idn-email', /^[^\s@<>]+@[^\s@<>.]+(?:\.[^\s@<>.]+)*$/u);
  // References between the schemas are written with these file names.
  const bom = `bom-${version}`;
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs', bom]) {
    const { $id: _, ...schema } = JSON.parse(readFileSync(schemaFile(name, 'schema.json'), 'utf8')) as { $id: string };
    ajv.addSchema(schema, schemaId(name));
  }
  const compiled = ajv.getSchema(schemaId(bom));
  if (compiled === undefined) throw new Error(`no schema for CycloneDX ${version}`);
  jsonValidators.set(version, compiled);
  return compiled;
}

/** RFC 3987: an IRI is what becomes a URI when its characters beyond ASCII are percent-encoded. */
function isIriReference(value: string): boolean {
  if (!value.isWellFormed()) return false;
  const ascii = value.replace(/[^\u0000-\u007f]+/g, encodeURIComponent);
  uriReference ??= withFormats(new Ajv()).compile({ type: 'string', format: 'uri-reference' });
  return uriReference(ascii) === true;
}

let uriReference: ValidateFunction | undefined;

function withFormats(ajv: Ajv): Ajv {
  // What the types of this CommonJS package call its default export is, to an ES module, the module itself.
  return (ajvFormats as unknown as (ajv: Ajv) => Ajv)(ajv);
}

function schemaId(name: string): string {
  return `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`;
}

function schemaFile(name: string, extension: string): string {
  return path.join(schemas, `${name}.SNAPSHOT.${extension}`);
}

function xmlValidator(version: string): XsdValidator {
  const known = xmlValidators.get(version);
  if (known !== undefined) return known;
  xmlRegisterFsInputProviders();
  const file = schemaFile(`bom-${version}`, 'xsd');
  const schema = XmlDocument.fromBuffer(readFileSync(file), { url: file });
  const validator = XsdValidator.fromDoc(schema);
  schema.dispose();
  xmlValidators.set(version, validator);
  return validator;
}
