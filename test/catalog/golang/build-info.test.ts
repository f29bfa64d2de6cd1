import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readExecutables } from '../../../src/catalog/executable/index.ts';
import { type BuildInfoText, buildInfoMagic, findBuildInfo } from '../../../src/catalog/golang/build-info.ts';
import { Unreadable } from '../../../src/catalog/types.ts';
import { buildElf, everyFormat, type Part } from '../executable/build.ts';
import { framed, inlineBlob, pointerBlob } from './blob.ts';

const modules = 'path\texample.com/shop\nmod\texample.com/shop\tv1.4.0\t\n';
const found = { goVersion: 'go1.22.3', modules, atItsPlace: true };

function read(file: Buffer): BuildInfoText | undefined {
  const failOnGap = (reason: string) => {
    throw new Error(`unexpected gap: ${reason}`);
  };
  return readExecutables(file, failOnGap, findBuildInfo)[0];
}

/** The file's section under the name that its linker gives it. */
function section(bytes: Buffer, format: string): Part {
  return { name: format.startsWith('Mach-O') ? '__go_buildinfo' : '.go.buildinfo', bytes, writable: true };
}

const text: Part = { name: '.text', bytes: Buffer.from('instructions') };

describe.each(everyFormat)('%s', (format, build, layout) => {
  test('holds strings behind the header, as Go 1.18 and later write them', () => {
    expect(read(build([text, section(inlineBlob('go1.22.3', modules), format)]))).toEqual(found);
  });

  test('holds pointers to strings, as earlier versions of Go wrote them', () => {
    const address = 0x600000;
    const blob = pointerBlob('go1.22.3', modules, address, layout);
    expect(read(build([text, { ...section(blob, format), address }]))).toEqual(found);
    const none = pointerBlob('go1.9', '', address, layout);
    expect(read(build([text, { ...section(none, format), address }]))).toEqual({
      ...found,
      goVersion: 'go1.9',
      modules: '',
    });
  });

  test('has it in the first writable segment when no section has the name', () => {
    const data = Buffer.concat([Buffer.alloc(64), inlineBlob('go1.22.3', modules)]);
    expect(read(build([text, { name: '.data', bytes: data, writable: true }]))).toEqual(found);
  });

  test('cut off or changed anywhere, is read or refused and nothing else', () => {
    const file = build([text, section(pointerBlob('go1.22.3', modules, 0x600000, layout), format)]);
    const inline = build([text, section(inlineBlob('go1.22.3', modules), format)]);
    const attempt = (changed: Buffer) => {
      try {
        readExecutables(changed, () => {}, findBuildInfo);
      } catch (error) {
        expect(error).toBeInstanceOf(Unreadable);
      }
    };
    for (const whole of [file, inline]) {
      for (let size = 0; size <= whole.length; size += 3) attempt(whole.subarray(0, size));
      const blobAt = whole.indexOf(buildInfoMagic);
      const place = fc.oneof(fc.nat(511), fc.integer({ min: blobAt, max: blobAt + 96 }));
      fc.assert(
        fc.property(fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 5 }), (changes) => {
          const changed = Buffer.from(whole);
          for (const [at, value] of changes) changed[at] = value;
          attempt(changed);
        }),
        { numRuns: 500 },
      );
    }
  });
});

describe('the mark', () => {
  const data = (bytes: Buffer): Part => ({ name: '.data', bytes, writable: true });
  const blob = inlineBlob('go1.22.3', modules);

  test('alone is a constant of a program about Go', () => {
    expect(read(buildElf([text, data(buildInfoMagic)]))).toBeUndefined();
    expect(read(buildElf([text, data(Buffer.concat([buildInfoMagic, Buffer.alloc(64)]))]))).toBeUndefined();
    expect(
      read(buildElf([{ name: '.rodata', bytes: Buffer.concat([buildInfoMagic, Buffer.alloc(64, 7)]) }])),
    ).toBeUndefined();
  });

  test('counts only at addresses divisible by 16', () => {
    expect(read(buildElf([text, data(Buffer.concat([Buffer.alloc(8), blob]))]))).toBeUndefined();
    const shifted = { ...data(Buffer.concat([Buffer.alloc(8), blob])), address: 0x600008 };
    expect(read(buildElf([text, shifted]))).toEqual(found);
  });

  test('as a constant before the build information hides nothing', () => {
    const constant = Buffer.concat([buildInfoMagic, Buffer.alloc(18)]);
    expect(read(buildElf([text, data(Buffer.concat([constant, blob]))]))).toEqual(found);
  });

  test('in the section counts before one elsewhere', () => {
    const decoy = { name: '.data', bytes: inlineBlob('go1.0', ''), writable: true };
    expect(read(buildElf([decoy, { name: '.go.buildinfo', bytes: blob }]))).toEqual(found);
  });

  test('at an unusual place counts, with less trust, when what follows is build information of Go', () => {
    const elsewhere = buildElf([text, { name: '.rodata', bytes: blob }, data(Buffer.from('data'))]);
    expect(read(elsewhere)).toEqual({ ...found, atItsPlace: false });
    const foreign = inlineBlob('v8', modules);
    expect(read(buildElf([text, { name: '.rodata', bytes: foreign }, data(Buffer.from('data'))]))).toBeUndefined();
  });

  test('is not believed where the program would not see it', () => {
    expect(read(buildElf([text, { name: '.comment', bytes: blob, unmapped: true }]))).toBeUndefined();
  });

  test('thousands of times is refused', () => {
    const many = Buffer.alloc(16 * 2_000);
    for (let at = 0; at < many.length; at += 16) buildInfoMagic.copy(many, at);
    expect(() => read(buildElf([text, data(many)]))).toThrow('too many marks');
  });
});

describe('damaged build information', () => {
  const refused = (bytes: Buffer, address?: number) => {
    const part = { name: '.go.buildinfo', bytes, ...(address === undefined ? {} : { address }) };
    expect(() => read(buildElf([text, part]))).toThrow('its Go build information is damaged');
  };

  test('is refused when a string is longer than what is there', () => {
    const blob = inlineBlob('go1.22.3', modules);
    refused(blob.subarray(0, blob.length - 1));
    const huge = Buffer.from(blob);
    huge.fill(0xff, 32);
    refused(huge);
  });

  test('is refused when pointers lead nowhere, as in programs that are relocated when they start', () => {
    refused(pointerBlob('go1.16', modules, 0x900000, {}), 0x600000);
    const unrelocated = pointerBlob('go1.16', modules, 0x600000, {});
    unrelocated.fill(0, 16, 32);
    refused(unrelocated, 0x600000);
    const beyond = pointerBlob('go1.16', modules, 0x600000, {});
    beyond.writeBigUInt64LE(2n ** 63n, 16);
    refused(beyond, 0x600000);
  });

  test('is refused when the version is empty or absurd', () => {
    refused(inlineBlob('', modules));
    refused(inlineBlob('go1'.padEnd(5_000), modules));
  });

  test('without the frame of the module list still has a version', () => {
    const unframed = Buffer.from(modules.repeat(3));
    const file = buildElf([text, { name: '.go.buildinfo', bytes: inlineBlob('go1.22.3', unframed) }]);
    expect(read(file)).toEqual({ ...found, modules: undefined });
    expect(framed(modules).length).toBe(modules.length + 32);
  });

  test('in a program with a broken section table names the table', () => {
    const file = buildElf([{ name: '.rodata', bytes: buildInfoMagic }]);
    file.writeBigUInt64LE(BigInt(file.length), 40);
    expect(() => read(file)).toThrow('cut off or damaged');
  });
});
