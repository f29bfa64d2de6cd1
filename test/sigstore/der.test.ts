import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bitString,
  boolean,
  children,
  explicit,
  fields,
  ia5String,
  integer,
  namedBits,
  octetString,
  oid,
  readDer,
  smallInteger,
  Tag,
  time,
  timeWithFraction,
  unsignedInteger,
  utf8String,
} from '../../src/sigstore/der.ts';
import { VerifyError } from '../../src/sigstore/failure.ts';
import * as write from '../kit/der.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const refusal = (message: string) => expect.objectContaining({ name: 'VerifyError', code: 'malformed', message });

describe('one element', () => {
  test('is read with views of the input, not copies', () => {
    const input = hex('30 06 02 01 05 01 01 ff');
    const der = readDer(input);
    expect(der.bytes.buffer).toBe(input.buffer);
    expect(der.content).toEqual(hex('02 01 05 01 01 ff'));
    const [number, flag, ...more] = children(der);
    expect([smallInteger(number), boolean(flag), more]).toEqual([5, true, []]);
  });

  test.each([
    ['nothing', '', 'DER: the element is cut off'],
    ['a tag alone', '30', 'DER: the element is cut off'],
    ['content that is cut off', '04 03 01 02', 'DER: the element is cut off'],
    ['bytes behind it', '04 01 01 00', 'DER: bytes after the end of the element'],
    ['a length that is indefinite', '30 80 02 01 05 00 00', 'DER: a length is indefinite (BER)'],
    ['a length in the long form that fits the short', '04 81 01 07', 'DER: a length is not minimal'],
    ['a length with a leading zero', `04 82 00 80 ${'00'.repeat(128)}`, 'DER: a length is not minimal'],
    ['a length of more than four octets', '04 85 00 00 00 00 01 07', 'DER: the element is cut off'],
    ['a length of four gigabytes', '04 84 ff ff ff ff 07', 'DER: the element is cut off'],
    ['length octets that are cut off', '04 82 01', 'DER: the element is cut off'],
    ['a tag number above 30', '1f 01 00', 'DER: a tag number above 30'],
    ['a string in pieces', '24 03 04 01 07', 'DER: tag 0x24 has the wrong form (BER)'],
    ['a sequence that is primitive', '10 00', 'DER: tag 0x10 has the wrong form (BER)'],
    ['an end-of-contents mark', '30 02 00 00', 'DER: an end-of-contents mark (BER)'],
    ['a child that reaches out of its parent', '30 03 04 05 01 02 03 04 05', 'DER: bytes after the end of the element'],
    ['a grandchild that reaches out of its parent', '30 06 30 02 04 02 05 00', 'DER: the element is cut off'],
  ])('%s is refused', (_, input, message) => {
    expect(() => readDer(hex(input))).toThrow(refusal(message));
  });

  test('nesting ends at 48 levels, however deep the input is', () => {
    const nest = (levels: number): Buffer => {
      let inside = write.integer(1);
      for (let at = 0; at < levels; at++) inside = write.sequence(inside);
      return inside;
    };
    expect(readDer(nest(48)).tag).toBe(Tag.sequence);
    expect(() => readDer(nest(49))).toThrow(refusal('DER: nested deeper than 48 levels'));
    expect(() => readDer(nest(20_000))).toThrow(refusal('DER: nested deeper than 48 levels'));
  });

  test('what a writer wrote is read again', () => {
    const leaf = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((content) => write.octets(Buffer.from(content))),
      fc.nat().map((value) => write.integer(value)),
      fc.boolean().map(write.bool),
    );
    const tree = fc.letrec<{ node: Buffer }>((tie) => ({
      node: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(tie('node')).map((inside) => write.sequence(...inside)),
      ),
    })).node;
    const rewrite = (der: ReturnType<typeof readDer>): Buffer =>
      der.tag === Tag.sequence ? write.sequence(...children(der).map(rewrite)) : write.element(der.tag, der.content);
    fc.assert(
      fc.property(tree, (bytes) => {
        expect(rewrite(readDer(bytes))).toEqual(bytes);
      }),
    );
  });

  test('any bytes are read or refused, and what is read is spelled in the one way', () => {
    const input = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.array(fc.constantFrom(0x30, 0x31, 0x02, 0x04, 0x06, 0x80, 0x81, 0, 1, 2, 3, 0xff, 0xa0), { maxLength: 24 }),
    );
    fc.assert(
      fc.property(input, (bytes) => {
        try {
          readDer(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(VerifyError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('fields', () => {
  const three = () => fields(readDer(write.sequence(write.integer(7), write.bool(true), write.octets(hex('01')))));

  test('are taken in order', () => {
    const inside = three();
    expect(smallInteger(inside.next(Tag.integer))).toBe(7);
    expect(inside.optional(Tag.integer)).toBeUndefined();
    expect(boolean(inside.optional(Tag.boolean))).toBe(true);
    expect(inside.any().tag).toBe(Tag.octetString);
    inside.end();
    expect(() => inside.next(Tag.integer)).toThrow(refusal('DER: an element is missing'));
  });

  test('of another type, and left over, are refused', () => {
    expect(() => three().next(Tag.oid)).toThrow(refusal('DER: expected oid, got integer'));
    expect(() => three().end()).toThrow(refusal('DER: unexpected integer at the end of a sequence'));
    expect(() => fields(readDer(write.setOf()))).toThrow(refusal('DER: expected sequence, got set'));
    expect(() => children(undefined)).toThrow(refusal('DER: sequence is missing'));
  });

  test('an explicit tag holds exactly one element', () => {
    const read = (bytes: Buffer) => explicit(readDer(bytes), 3);
    expect(read(write.explicitly(3, write.integer(1))).tag).toBe(Tag.integer);
    expect(() => read(write.explicitly(3))).toThrow(refusal('DER: [3] must hold exactly one element'));
    const two = write.explicitly(3, write.integer(1), write.integer(2));
    expect(() => read(two)).toThrow(refusal('DER: [3] must hold exactly one element'));
    expect(() => read(write.explicitly(2, write.integer(1)))).toThrow(refusal('DER: expected [3], got [2]'));
  });
});

describe('values', () => {
  test.each([
    ['02 01 00', 0],
    ['02 01 7f', 127],
    ['02 02 00 80', 128],
    ['02 07 00 ff ff ff ff ff ff', 2 ** 48 - 1],
  ])('the integer %s is %d', (input, value) => {
    expect(smallInteger(readDer(hex(input)))).toBe(value);
  });

  test.each([
    ['without octets', '02 00', 'DER: an INTEGER has no octets'],
    ['padded with zero', '02 02 00 7f', 'DER: an INTEGER is padded'],
    ['padded with ones', '02 02 ff 80', 'DER: an INTEGER is padded'],
    ['negative', '02 01 80', 'DER: an INTEGER is negative'],
    ['too large', '02 07 01 00 00 00 00 00 00', 'DER: an INTEGER is too large'],
  ])('an integer %s is refused', (_, input, message) => {
    expect(() => smallInteger(readDer(hex(input)))).toThrow(refusal(message));
  });

  test('a negative integer has octets, and an unsigned one no sign octet', () => {
    expect(integer(readDer(hex('02 01 80')))).toEqual(hex('80'));
    expect(unsignedInteger(readDer(hex('02 02 00 80')))).toEqual(hex('80'));
  });

  test.each(['01 01 01', '01 00', '01 02 ff ff', '01 01 fe'])('the boolean %s is refused', (input) => {
    expect(() => boolean(readDer(hex(input)))).toThrow(refusal('DER: a BOOLEAN is 00 or ff'));
  });

  test('a bit string has whole octets, or says which bits do not count', () => {
    expect(bitString(readDer(hex('03 02 00 ff')))).toEqual(hex('ff'));
    expect(bitString(readDer(hex('03 01 00')))).toEqual(hex(''));
    expect(namedBits(readDer(hex('03 02 07 80')))).toEqual({ unused: 7, octets: hex('80') });
    expect(() => bitString(readDer(hex('03 02 07 80')))).toThrow(refusal('DER: a BIT STRING does not end at an octet'));
  });

  test.each(['03 00', '03 01 01', '03 02 08 00'])('the bit string %s is refused for its count', (input) => {
    const message = 'DER: a BIT STRING has a wrong count of unused bits';
    expect(() => namedBits(readDer(hex(input)))).toThrow(refusal(message));
  });

  test('unused bits that are set are refused', () => {
    expect(() => namedBits(readDer(hex('03 02 07 81')))).toThrow(refusal('DER: unused bits of a BIT STRING are set'));
  });

  test.each([
    '1.3.6.1.4.1.57264.1.8',
    '2.5.29.17',
    '0.0',
    '1.39',
    '2.40',
    '2.999.3',
    '2.25.329800735698586629295641978511506172918',
  ])('the object identifier %s is read as it was written', (dotted) => {
    expect(oid(readDer(write.oid(dotted)))).toBe(dotted);
  });

  test.each([
    ['06 00', 'DER: an OBJECT IDENTIFIER has a wrong length'],
    [`06 41 ${'01'.repeat(65)}`, 'DER: an OBJECT IDENTIFIER has a wrong length'],
    ['06 02 2a 86', 'DER: an OBJECT IDENTIFIER is cut off'],
    ['06 03 2a 80 01', 'DER: an OBJECT IDENTIFIER is padded'],
    ['06 02 80 01', 'DER: an OBJECT IDENTIFIER is padded'],
  ])('the object identifier %s is refused', (input, message) => {
    expect(() => oid(readDer(hex(input)))).toThrow(refusal(message));
  });

  test('different identifiers are never read as the same', () => {
    const dotted = fc
      .tuple(fc.nat(2), fc.nat(39), fc.array(fc.bigInt({ min: 0n, max: 2n ** 96n }), { maxLength: 4 }))
      .map(([first, second, rest]) => [first, second, ...rest].join('.'));
    fc.assert(
      fc.property(dotted, (text) => {
        expect(oid(readDer(write.oid(text)))).toBe(text);
      }),
    );
  });

  test('text is UTF-8, its mark included, or ASCII, and never holds control characters', () => {
    expect(utf8String(readDer(write.utf8('Grüße')))).toBe('Grüße');
    expect(utf8String(readDer(hex('0c 04 ef bb bf 61')))).toBe('\ufeffa');
    expect(ia5String(readDer(hex('86 01 61')), 0x86)).toBe('a');
    expect(() => utf8String(readDer(hex('0c 02 c3 28')))).toThrow(refusal('DER: a UTF8String is not UTF-8'));
    expect(() => ia5String(readDer(hex('86 02 c3 bc')), 0x86)).toThrow(refusal('DER: an IA5String is not ASCII'));
    const controls = refusal('DER: a string holds control characters');
    expect(() => utf8String(readDer(hex('0c 02 61 00')))).toThrow(controls);
    expect(() => ia5String(readDer(hex('86 02 61 0a')), 0x86)).toThrow(controls);
  });

  test('an octet string may bear a context tag', () => {
    expect(octetString(readDer(hex('80 01 07')), 0x80)).toEqual(hex('07'));
    expect(() => octetString(readDer(hex('80 01 07')))).toThrow(refusal('DER: expected octetString, got [0]'));
  });
});

describe('times', () => {
  const utc = (text: string): Buffer => write.element(Tag.utcTime, Buffer.from(text));

  test.each([
    ['491231235959Z', '2049-12-31T23:59:59.000Z'],
    ['500101000000Z', '1950-01-01T00:00:00.000Z'],
    ['240229120000Z', '2024-02-29T12:00:00.000Z'],
  ])('the UTC time %s is %s', (text, want) => {
    expect(new Date(time(readDer(utc(text)))).toISOString()).toBe(want);
  });

  test('a generalized time has four digits for the year', () => {
    expect(time(readDer(write.generalizedTime('99991231235959Z')))).toBe(Date.UTC(9999, 11, 31, 23, 59, 59));
  });

  test.each(['2401010000Z', '240101000000', '240101000000+0100', '20240101000000Z', '24010100000aZ', ''])(
    'the UTC time "%s" is refused for its form',
    (text) => {
      expect(() => time(readDer(utc(text)))).toThrow(refusal('DER: a time is not of the form YYYYMMDDhhmmssZ'));
    },
  );

  test.each([
    '230229120000Z',
    '240431000000Z',
    '241301000000Z',
    '240100000000Z',
    '240101240000Z',
    '240101006000Z',
    '240101000060Z',
  ])('the UTC time %s does not exist', (text) => {
    expect(() => time(readDer(utc(text)))).toThrow(refusal('DER: a time that does not exist'));
  });

  test('a year below 100 is not taken for one of the last century', () => {
    expect(() => time(readDer(write.generalizedTime('00240101000000Z')))).toThrow(
      refusal('DER: a time that does not exist'),
    );
  });

  test('fractions of a second are for timestamps alone, without a zero at the end', () => {
    const read = (text: string) => timeWithFraction(readDer(write.generalizedTime(text)));
    expect(read('20240101000000Z')).toBe(Date.UTC(2024, 0, 1));
    expect(read('20240101000000.5Z')).toBe(Date.UTC(2024, 0, 1) + 500);
    expect(read('20240101000000.123456789Z')).toBe(Date.UTC(2024, 0, 1) + 123);
    for (const text of ['20240101000000.50Z', '20240101000000.Z', '20240101000000,5Z', '202401010000.5Z']) {
      expect(() => read(text), text).toThrow(refusal('DER: a time is not of the form YYYYMMDDhhmmssZ'));
    }
    expect(() => time(readDer(write.generalizedTime('20240101000000.5Z')))).toThrow(
      refusal('DER: a time has a fraction of a second'),
    );
    expect(() => timeWithFraction(readDer(utc('240101000000Z')))).toThrow(
      refusal('DER: expected generalizedTime, got utcTime'),
    );
  });
});
