import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AuditedCrates, parseAuditJson, parseAuditSection } from '../../../src/catalog/rust/audit-data.ts';
import { Unreadable } from '../../../src/catalog/types.ts';

const shop = { name: 'shop', version: '1.4.0', source: 'local', root: true, dependencies: [1, 2] };
const itoa = { name: 'itoa', version: '1.0.11', source: 'crates.io' };
const cc = { name: 'cc', version: '1.1.6', source: 'crates.io', kind: 'build' };

function section(...packages: readonly unknown[]): Buffer {
  return deflateSync(JSON.stringify({ packages }));
}

function read(bytes: Buffer): { lists: AuditedCrates[]; gaps: string[] } {
  const gaps: string[] = [];
  return { lists: parseAuditSection(bytes, (reason) => gaps.push(reason)), gaps };
}

test('a dependency list has crates, what they need and which only built it', () => {
  const { lists, gaps } = read(section(shop, itoa, cc));
  expect(gaps).toEqual([]);
  const others = { dependencies: [], incomplete: false, root: false };
  expect(lists).toEqual([
    [
      {
        name: 'shop',
        version: '1.4.0',
        source: 'local',
        build: false,
        root: true,
        dependencies: [1, 2],
        incomplete: false,
      },
      { name: 'itoa', version: '1.0.11', source: 'crates.io', build: false, ...others },
      { name: 'cc', version: '1.1.6', source: 'crates.io', build: true, ...others },
    ],
  ]);
});

test('zeros behind the list are what sections are filled up with', () => {
  expect(read(Buffer.concat([section(itoa), Buffer.alloc(300)]))).toMatchObject({
    lists: [[{ name: 'itoa' }]],
    gaps: [],
  });
});

test('lists that a linker joined are all read', () => {
  const { lists, gaps } = read(Buffer.concat([section(itoa), Buffer.alloc(7), section(cc, itoa)]));
  expect(lists.map((crates) => crates.map((crate) => crate?.name))).toEqual([['itoa'], ['cc', 'itoa']]);
  expect(gaps).toEqual([]);
});

test('what follows a list and is none is named', () => {
  const { lists, gaps } = read(Buffer.concat([section(itoa), Buffer.from('nonsense')]));
  expect(lists).toHaveLength(1);
  expect(gaps).toEqual(['a further dependency list in it: its Rust dependency list cannot be decompressed']);
});

test('more lists than any program has are named', () => {
  const { lists, gaps } = read(Buffer.concat(Array.from({ length: 6 }, () => section(itoa))));
  expect(lists).toHaveLength(4);
  expect(gaps).toEqual(['it has more than 4 dependency lists']);
});

describe('a list is refused', () => {
  test.each<[string, Buffer, string]>([
    ['when it is empty', Buffer.alloc(0), 'cannot be decompressed'],
    ['when it is not compressed', Buffer.from('{"packages":[]}'), 'cannot be decompressed'],
    ['when it is cut off', section(shop, itoa).subarray(0, 30), 'cannot be decompressed'],
    ['when it expands beyond 8 MiB', deflateSync(Buffer.alloc(8 * 1024 * 1024 + 1, ' ')), 'larger than 8 MiB'],
    ['when it is not JSON', deflateSync('packages'), 'no JSON'],
    ['when it is not UTF-8', deflateSync(Buffer.from('{"packages":[{"name":"\xff"}]}', 'latin1')), 'no JSON'],
    ['when it is nested without end', deflateSync('['.repeat(8 * 1024 * 1024)), 'no JSON'],
    ['when it is of another shape', deflateSync('[]'), 'no list'],
    ['when it inherits its crates', deflateSync('{"__proto__":{"packages":[]}}'), 'no list'],
    ['when its crates are no list', deflateSync('{"packages":{}}'), 'no list'],
    ['when it has more crates than any program', section(...Array(50_001).fill(0)), 'more than 50000 crates'],
    [
      'when it has more dependencies than any program',
      section(...Array(800).fill({ ...itoa, dependencies: Array.from({ length: 700 }, (_, index) => index) })),
      'more than 500000 dependencies',
    ],
  ])('%s', (_, bytes, reason) => {
    expect(() => read(bytes)).toThrow(Unreadable);
    expect(() => read(bytes)).toThrow(reason);
  });
});

describe('a damaged crate', () => {
  test('leaves the others at their places and is counted', () => {
    const { lists, gaps } = read(section(shop, { version: '1' }, { name: 'a/b' }, { name: 7 }, null, 'x', itoa));
    expect(lists[0]?.map((crate) => crate?.name)).toEqual([
      'shop',
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      'itoa',
    ]);
    expect(gaps).toEqual(['unreadable crates in its Rust dependency list: 5']);
  });

  test('without a version is kept and counted', () => {
    const { lists, gaps } = read(section({ name: 'a' }, { name: 'b', version: '' }, { name: 'c', version: 1 }));
    expect(lists[0]?.map((crate) => crate?.version)).toEqual([undefined, undefined, undefined]);
    expect(gaps).toEqual(['crates without version in its Rust dependency list: 3']);
  });

  test.each<[string, unknown, readonly number[]]>([
    ['that is not in the list', [0, 3], [0]],
    ['that is negative', [-1, 1], [1]],
    ['that is no whole number', [0.5, 1], [1]],
    ['that is no number', ['1', 1], [1]],
    ['that is no list', 'all', []],
  ])('with a dependency %s keeps the others and is counted', (_, dependencies, kept) => {
    const { lists, gaps } = read(section({ ...itoa, dependencies }, cc));
    expect(lists[0]?.[0]).toMatchObject({ dependencies: kept, incomplete: true });
    expect(gaps).toEqual(['crates with unreadable dependencies in its Rust dependency list: 1']);
  });

  test('may name a dependency twice', () => {
    expect(read(section({ ...itoa, dependencies: [1, 1] }, cc))).toMatchObject({
      lists: [[{ dependencies: [1], incomplete: false }, {}]],
      gaps: [],
    });
  });
});

test('any JSON gives a list or is refused', () => {
  const crate = fc.record(
    {
      name: fc.oneof(fc.string(), fc.jsonValue()),
      version: fc.jsonValue(),
      dependencies: fc.oneof(fc.array(fc.integer({ min: -1, max: 5 })), fc.jsonValue()),
      kind: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const document = fc.oneof(fc.jsonValue(), fc.record({ packages: fc.array(fc.oneof(crate, fc.jsonValue())) }));
  fc.assert(
    fc.property(document, (value) => {
      try {
        const crates = parseAuditJson(Buffer.from(JSON.stringify(value)), () => {});
        for (const each of crates) {
          for (const index of each?.dependencies ?? []) expect(index).toBeLessThan(crates.length);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(Unreadable);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a section with any bytes changed is read or refused', () => {
  const whole = section(shop, itoa, cc);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (changes) => {
        const changed = Buffer.from(whole);
        for (const [at, value] of changes) changed[at] = value;
        try {
          read(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(Unreadable);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
