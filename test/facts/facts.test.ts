import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type {
  Claims,
  Component,
  Coverage,
  Gap,
  Inventory,
  LayerInfo,
  Sighting,
  SubjectInfo,
} from '../../src/bom/types.ts';
import type { Distro } from '../../src/catalog/types.ts';
import { OperationalError } from '../../src/diag/index.ts';
import {
  type FactClaims,
  type FactComponent,
  type FactCoverage,
  type FactDistro,
  type FactGap,
  type FactLayer,
  type FactSighting,
  type FactSubject,
  factsFromInventory,
  type Observed,
  readFacts,
  writeFacts,
} from '../../src/facts/index.ts';
import { root } from '../kit/data.ts';
import { component, documentInfo, emptyInventory, hostileTexts, sampleInventory } from '../kit/inventory.ts';
import { exampleInfo, exampleInventory } from './example.ts';

const exampleFile = path.join(root, 'docs/formats/facts.example.json');
const example = (): string => readFileSync(exampleFile, 'utf8');

describe('the facts of an inventory', () => {
  test('are the published example, byte for byte', () => {
    const text = writeFacts(factsFromInventory(exampleInventory, exampleInfo));
    if (process.env['UPDATE'] === '1') writeFileSync(exampleFile, text);
    expect(text).toBe(example());
  });

  test('hold every field that the inventory has', () => {
    expectTypeOf<keyof FactComponent>().toEqualTypeOf<keyof Component>();
    expectTypeOf<keyof FactSubject>().toEqualTypeOf<keyof SubjectInfo>();
    expectTypeOf<keyof FactLayer>().toEqualTypeOf<keyof LayerInfo>();
    expectTypeOf<keyof FactDistro>().toEqualTypeOf<keyof Distro>();
    expectTypeOf<keyof FactClaims>().toEqualTypeOf<keyof Claims>();
    expectTypeOf<keyof FactCoverage>().toEqualTypeOf<keyof Coverage>();
    expectTypeOf<keyof FactGap>().toEqualTypeOf<keyof Gap>();
    expectTypeOf<keyof FactSighting>().toEqualTypeOf<keyof Sighting>();
    expectTypeOf<keyof Observed | 'subject' | 'claims' | 'coverage'>().toEqualTypeOf<keyof Inventory>();
    const { observed, subject, coverage } = factsFromInventory(exampleInventory, exampleInfo);
    expect(subject).toEqual(exampleInventory.subject);
    expect(coverage).toEqual(exampleInventory.coverage);
    expect(observed.components.map(({ properties: _, ...rest }) => rest)).toEqual(
      exampleInventory.components.map(({ properties: _, ...rest }) => rest),
    );
    expect(observed.components[0]?.properties).toEqual([{ name: 'dpkg:source', value: 'glibc' }]);
  });

  test('keep a label named __proto__ as a label', () => {
    const labels = JSON.parse('{"b": "2", "__proto__": "1"}') as Record<string, string>;
    const { claims } = factsFromInventory(emptyInventory({ claims: { annotations: {}, labels } }), documentInfo);
    expect(claims.labels).toEqual([
      { name: '__proto__', value: '1' },
      { name: 'b', value: '2' },
    ]);
  });

  test('are fresh, and nothing in them is verified', () => {
    const facts = factsFromInventory(sampleInventory(), documentInfo);
    expect(facts).toMatchObject({ replayed: false, verified: [], time: documentInfo.timestamp });
  });
});

test('the page on the format shows lines of the published example', () => {
  const page = readFileSync(path.join(root, 'docs/formats/facts.md'), 'utf8');
  const shown = page
    .split('```')[1]!
    .split('\n')
    .slice(1)
    .filter((line) => line.trim() !== '' && line.trim() !== '…');
  const lines = example().split('\n');
  let at = 0;
  for (const line of shown) {
    const found = lines.findIndex((each, index) => index >= at && each.replace(/,$/, '') === line.replace(/,$/, ''));
    expect(found, line).not.toBe(-1);
    at = found + 1;
  }
  expect(shown.length).toBeGreaterThan(40);
});

describe('written facts', () => {
  test('have the same bytes in whatever order the objects were built', () => {
    const facts = factsFromInventory(sampleInventory(), documentInfo);
    expect(writeFacts(reversedKeys(facts) as typeof facts)).toBe(writeFacts(facts));
  });

  test('lose no key', () => {
    const facts = factsFromInventory(sampleInventory(), documentInfo);
    expect(JSON.parse(writeFacts(facts))).toEqual(facts);
  });

  test('of a full image can be read back to the same bytes', async () => {
    const written = writeFacts(factsFromInventory(sampleInventory(), documentInfo));
    expect(writeFacts({ ...(await readFacts(written)), replayed: false })).toBe(written);
  });

  test('are well-formed Unicode whatever the image says, and can be read back', async () => {
    const text = fc.oneof(fc.constantFrom(...hostileTexts), fc.string({ unit: 'binary' }));
    await fc.assert(
      fc.asyncProperty(text, text, async (name, label) => {
        const hostile = component('pkg:generic/a', {
          name: `n${name}`,
          licenses: [label],
          properties: [[label, name]],
        });
        const claims = { annotations: { [label]: name }, labels: { [name]: label } };
        const inventory = emptyInventory({ components: [hostile], roots: [hostile.ref], claims });
        const written = writeFacts(factsFromInventory(inventory, documentInfo));
        expect((JSON.parse(written) as { claims: unknown }).claims).toBeDefined();
        expect(writeFacts({ ...(await readFacts(written)), replayed: false })).toBe(written);
      }),
      { numRuns: 60 },
    );
  });
});

interface Vector {
  readonly name: string;
  readonly text?: string;
  readonly patch?: readonly {
    readonly op: 'add' | 'replace' | 'remove';
    readonly path: string;
    readonly value?: unknown;
  }[];
  readonly expect: 'accepted' | 'refused';
  readonly code?: string;
  readonly message?: string;
}

const vectors = JSON.parse(readFileSync(path.join(root, 'docs/formats/facts.vectors.json'), 'utf8')) as Vector[];

describe('reading facts', () => {
  test.each(vectors.filter((vector) => vector.expect === 'accepted'))('accepts $name', async (vector) => {
    const facts = await readFacts(textOf(vector));
    expect(facts.replayed).toBe(true);
    expect({ ...facts, replayed: false }).toEqual({ ...(JSON.parse(textOf(vector)) as object), replayed: false });
  });

  test.each(vectors.filter((vector) => vector.expect === 'refused'))('refuses $name', async (vector) => {
    const error = await readFacts(textOf(vector)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OperationalError);
    expect((error as OperationalError).code).toBe(vector.code);
    expect((error as OperationalError).message).toContain(vector.message);
  });

  test('marks facts as replayed that say they are not', async () => {
    expect(JSON.parse(example())).toMatchObject({ replayed: false });
    expect((await readFacts(example())).replayed).toBe(true);
  });

  test('ends on deep nesting with a refusal', async () => {
    const deep = `{"schema": "tidewaiter.facts/v1", "tool": ${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    await expect(readFacts(deep)).rejects.toThrow(OperationalError);
  });

  test('of any damaged document gives facts or an OperationalError', async () => {
    const text = example();
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length), fc.nat(5), fc.string({ maxLength: 5 }), async (at, cut, insert) => {
        const damaged = text.slice(0, at) + insert + text.slice(at + cut);
        const result = await readFacts(damaged).catch((thrown: unknown) => thrown);
        if (!(result instanceof OperationalError)) expect(result).toMatchObject({ replayed: true });
      }),
    );
  });
});

// RFC 6902, as far as the vectors use it.
function textOf(vector: Vector): string {
  if (vector.text !== undefined) return vector.text;
  const document: unknown = JSON.parse(example());
  for (const { op, path: pointer, value } of vector.patch ?? []) {
    const steps = pointer.split('/').slice(1);
    const last = steps.pop()!;
    const target = steps.reduce((at, step) => (at as Record<string, unknown>)[step], document) as Record<
      string,
      unknown
    >;
    if (Array.isArray(target) && op === 'add') target.splice(Number(last), 0, value);
    else if (op === 'remove') delete target[last];
    else Object.defineProperty(target, last, { value, enumerable: true, configurable: true, writable: true });
  }
  return JSON.stringify(document);
}

function reversedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversedKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, each]) => [key, reversedKeys(each)]),
  );
}
