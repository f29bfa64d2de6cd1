/**
 * Reads a facts document back, strictly: what is unknown, missing, doubled or dangling is refused. docs/formats/facts.md
 * states the rules, facts.vectors.json beside it holds a case for each.
 */
import { OperationalError, quoted } from '../diag/index.ts';
import { duplicateKey } from './duplicate-keys.ts';
import { type Facts, factsSchema } from './types.ts';

/** Characters. A scan of a million packages stays below. */
const maxLength = 384 * 1024 * 1024;

/**
 * The facts, marked as replayed whatever the document says of itself. Throws OperationalError: `malformed`, `unsupported`
 * for another schema or version, `limit`.
 */
export async function readFacts(text: string): Promise<Facts> {
  if (text.length > maxLength) {
    throw new OperationalError('limit', `facts document is longer than ${maxLength} characters`);
  }
  const value = parseJson(text);
  checkSchema(value);
  const { facts: shape } = await import('./schema.ts');
  const result = shape.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw malformed(`${where(issue?.path ?? [])}${issue?.message ?? 'wrong shape'}`);
  }
  checkReferences(result.data);
  return { ...result.data, replayed: true };
}

function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw malformed(`not JSON: ${error instanceof Error ? quoted(error.message) : ''}`);
  }
  const key = duplicateKey(text);
  if (key !== undefined) throw malformed(`key ${quoted(key)} stands twice in one object`);
  return value;
}

function checkSchema(value: unknown): void {
  if (typeof value !== 'object' || value === null || !('schema' in value) || typeof value.schema !== 'string') {
    throw malformed('no "schema" at the top');
  }
  if (value.schema === factsSchema) return;
  throw new OperationalError('unsupported', `facts document has schema ${quoted(value.schema)}, not "${factsSchema}"`, {
    hints: ['Read it with the version of tidewaiter that wrote it, or gather the facts again.'],
  });
}

// A rule that looks a ref up must find exactly one component, or the document can show one to it and hide another.
function checkReferences({ subject, observed }: Facts): void {
  const refs = new Set<string>();
  for (const { ref } of observed.components) {
    if (refs.has(ref)) throw malformed(`ref ${quoted(ref)} stands for two components`);
    refs.add(ref);
  }
  const used = (ref: string, by: string): void => {
    if (!refs.has(ref)) throw malformed(`${by} names ref ${quoted(ref)}, which is no component`);
  };
  for (const ref of observed.roots) used(ref, 'observed.roots');
  for (const component of observed.components) {
    for (const ref of component.requires) used(ref, 'requires');
    if (component.ownedBy !== undefined) used(component.ownedBy, 'ownedBy');
  }
  const misplaced = subject.layers.findIndex((layer, at) => layer.index !== at);
  if (misplaced !== -1) throw malformed(`subject.layers[${misplaced}].index is not ${misplaced}`);
}

function where(path: readonly PropertyKey[]): string {
  const shown = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return shown === '' ? '' : `${shown.replace(/^\./, '')}: `;
}

function malformed(what: string): OperationalError {
  return new OperationalError('malformed', `facts document: ${what}`);
}
