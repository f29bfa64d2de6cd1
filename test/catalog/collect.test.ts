import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Collector, type Outcome } from '../../src/catalog/collect.ts';
import { type Cataloger, type FileBytes, type FileInfo, type ReportGap, Unreadable } from '../../src/catalog/types.ts';
import type { LayerEntry } from '../../src/sources/types.ts';

const limits = { fileBytes: 64 * 1024 * 1024 };
const mebibyte = 1024 * 1024;

function cataloger(changes: Partial<Cataloger> = {}): Cataloger {
  return {
    id: 'test/test',
    kind: 'installed',
    wants: () => true,
    read: ({ bytes }) => bytes.toString('latin1'),
    assemble: () => [],
    ...changes,
  };
}

function entryOf(path: string, size: number, ordinal = 0): LayerEntry {
  return { kind: 'file', path, size, mode: 0o644, link: '', layer: 0, ordinal };
}

/** Shows one file in pieces of these lengths; gives what the cataloger made of it. */
function collect(
  each: Cataloger,
  content: Buffer,
  {
    steps = [content.length || 1],
    path = 'a/file',
    fileBytes = limits.fileBytes,
    skip = (_: string): boolean => false,
  } = {},
): Outcome | undefined {
  const collector = new Collector([each], { fileBytes }, skip);
  const entry = entryOf(path, content.length);
  const taker = collector.file(entry);
  for (let at = 0, turn = 0; at < content.length; turn++) {
    const step = steps[turn % steps.length]!;
    taker?.chunk(content.subarray(at, at + step));
    at += step;
  }
  taker?.end();
  return collector.outcomes(entry)?.get(each);
}

describe('a file that goes by', () => {
  it('is read once it is complete, however it came', () => {
    const content = Buffer.from('content '.repeat(200));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }), (steps) => {
        expect(collect(cataloger(), content, { steps })).toEqual({ fact: content.toString(), gaps: [] });
      }),
      { numRuns: 30 },
    );
  });

  it('is offered with its first 512 bytes, however they came', () => {
    const content = Buffer.from('0123456789'.repeat(100));
    for (const steps of [[1], [511], [512], [513], [1000], [7, 600]]) {
      const seen: FileInfo[] = [];
      collect(cataloger({ wants: (file) => seen.push(file) > 0 }), content, { steps });
      expect(seen).toHaveLength(1);
      expect(seen[0]).toMatchObject({ path: 'a/file', size: 1000, mode: 0o644 });
      expect(seen[0]!.head.toString()).toBe(content.toString('latin1', 0, 512));
    }
  });

  it('is offered when it is shorter than that, or empty', () => {
    expect(collect(cataloger(), Buffer.from('x'))).toEqual({ fact: 'x', gaps: [] });
    expect(collect(cataloger(), Buffer.alloc(0))).toEqual({ fact: '', gaps: [] });
  });

  it('is not held when nobody wants it', () => {
    const collector = new Collector([cataloger({ wants: () => false })], limits, () => false);
    const taker = collector.file(entryOf('a', 1000))!;
    taker.chunk(Buffer.alloc(600));
    expect(taker.idle).toBe(true);
  });

  it('is not offered when it is left out', () => {
    const seen: string[] = [];
    const each = cataloger({ wants: ({ path }) => seen.push(path) > 0 });
    expect(collect(each, Buffer.from('x'), { skip: (path) => path === 'a/file' })).toBeUndefined();
    expect(seen).toEqual([]);
  });

  it('counts as declared only outside of what package managers installed', () => {
    const declared = cataloger({ kind: 'declared' });
    const paths = [
      'package-lock.json',
      'a/package-lock.json',
      'node_modules/x/package-lock.json',
      'a/.git/x',
      'my_node_modules/x',
    ];
    const taken = paths.filter((path) => collect(declared, Buffer.from('x'), { path }) !== undefined);
    expect(taken).toEqual(['package-lock.json', 'a/package-lock.json', 'my_node_modules/x']);
  });
});

describe('what a cataloger says of a file', () => {
  const read = (body: (file: FileBytes, gap: ReportGap) => unknown) =>
    collect(cataloger({ read: body }), Buffer.from('x'));

  it('is its fact and its gaps', () => {
    expect(read(() => 'fact')).toEqual({ fact: 'fact', gaps: [] });
    expect(read((_, gap) => void gap('a part'))).toEqual({ fact: undefined, gaps: ['a part'] });
    expect(read(() => undefined)).toBeUndefined();
  });

  it('is kept when it could not read it, and when it broke', () => {
    const failing = (error: Error) =>
      read(() => {
        throw error;
      });
    expect(failing(new Unreadable('it is cut short'))).toEqual({ failure: 'it is cut short', rule: 'unreadable-file' });
    expect(failing(Object.assign(new Error('too long'), { code: 'ERR_STRING_TOO_LONG' }))).toEqual({
      failure: 'has 1 bytes, too many to be read as text',
      rule: 'too-large',
    });
    expect(failing(new RangeError('offset out of range'))).toEqual({
      failure: 'could not be read because of an error in tidewaiter: offset out of range',
      rule: 'unreadable-file',
    });
  });
});

describe('a needle', () => {
  const needle = Buffer.from('NEEDLE');
  const seeking = cataloger({ needles: [needle, Buffer.from('pin')] });
  const fact = (content: Buffer, steps: readonly number[]) =>
    collect(seeking, content, { steps: [...steps] }) !== undefined;

  it('is found wherever it lies and wherever the pieces end', () => {
    for (const at of [0, 1, 505, 506, 507, 511, 512, 513, 1018, 1024, 1194]) {
      const content = Buffer.alloc(1200, '.');
      needle.copy(content, at);
      for (let step = 1; step <= 40; step++) expect(fact(content, [step]), `at ${at} in pieces of ${step}`).toBe(true);
      for (const cut of [at, at + 1, at + 3, at + 5, at + 6]) expect(fact(content, [cut || 1, 2000])).toBe(true);
    }
  });

  it('is not found where it is not', () => {
    const almost = Buffer.from('NEEDL.NEEDL.E.NEED.LE.pi.n'.repeat(100));
    for (const step of [1, 2, 3, 5, 6, 7, 512, 513]) expect(fact(almost, [step])).toBe(false);
    expect(fact(Buffer.alloc(0), [1])).toBe(false);
  });

  it('any of several is enough', () => {
    expect(fact(Buffer.from('..........pin'), [3])).toBe(true);
  });

  it('is looked for as a search of the whole says', () => {
    const letters = fc.array(fc.constantFrom('N', 'E', 'D', 'L', 'p', 'i', 'n', 'NEED', 'NEEDLE'), { maxLength: 30 });
    const steps = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(letters, steps, (parts, lengths) => {
        const content = Buffer.from(parts.join(''));
        expect(fact(content, lengths)).toBe(content.includes('NEEDLE') || content.includes('pin'));
      }),
      { numRuns: 1000 },
    );
  });

  it('in a file too large to be held on suspicion defers the reading', () => {
    const content = Buffer.alloc(50 * mebibyte, '.');
    expect(collect(seeking, content, { steps: [mebibyte] })).toBeUndefined();
    needle.copy(content, content.length - 6);
    expect(collect(seeking, content, { steps: [mebibyte] })).toEqual({ deferred: true });
  });

  it('found early lets a large file be held', () => {
    const content = Buffer.alloc(49 * mebibyte, '.');
    needle.copy(content, 600);
    expect(collect(seeking, content, { steps: [mebibyte] })).toMatchObject({ gaps: [] });
  });
});

describe('a file over the cap', () => {
  it('is named with the cap and its flag, whatever it holds', () => {
    const content = Buffer.from('x'.repeat(2000));
    expect(collect(cataloger(), content, { fileBytes: 1999 })).toEqual({
      failure: 'has 2000 bytes, more than the 1999 that one file may have (--max-file-bytes)',
      rule: 'too-large',
    });
    expect(collect(cataloger(), content, { fileBytes: 2000 })).toMatchObject({ gaps: [] });
  });

  it('is passed over in silence only when nothing in it is sought', () => {
    const seeking = cataloger({ needles: [Buffer.from('NEEDLE')] });
    const content = Buffer.alloc(2000, '.');
    expect(collect(seeking, content, { fileBytes: 1999 })).toBeUndefined();
    content.write('NEEDLE', 1990);
    expect(collect(seeking, content, { fileBytes: 1999, steps: [600] })).toMatchObject({ rule: 'too-large' });
  });
});
