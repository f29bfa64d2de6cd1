/** A small DER writer for tests: what is written is DER unless the test asks for something else through `element`. */

/** Any tag over any content, with the shortest length. */
export function element(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOctets(body.length), body]);
}

export const sequence = (...content: readonly Buffer[]): Buffer => element(0x30, ...content);
/** In the order of DER. */
export const setOf = (...content: readonly Buffer[]): Buffer => element(0x31, ...[...content].sort(Buffer.compare));
/** `[number]` around elements. */
export const explicitly = (number: number, ...content: readonly Buffer[]): Buffer => element(0xa0 + number, ...content);
/** `[number]` instead of a primitive tag. */
export const implicitly = (number: number, content: Buffer): Buffer => element(0x80 + number, content);
export const octets = (content: Buffer): Buffer => element(0x04, content);
export const bits = (content: Buffer, unused = 0): Buffer => element(0x03, Buffer.from([unused]), content);
export const utf8 = (text: string): Buffer => element(0x0c, Buffer.from(text));
export const bool = (value: boolean): Buffer => element(0x01, Buffer.from([value ? 0xff : 0]));
export const nothing: Buffer = element(0x05);

/** Not negative. */
export function integer(value: bigint | number | Buffer): Buffer {
  const hex = typeof value === 'object' ? value.toString('hex') : value.toString(16);
  const whole = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  let first = 0;
  while (first < whole.length - 1 && whole[first] === 0) first++;
  const short = whole.subarray(first);
  return element(0x02, short[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), short]) : short);
}

export function oid(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split('.').map(BigInt);
  return element(0x06, ...[first! * 40n + second!, ...rest].map(arc));
}

/** UTCTime up to 2049, then GeneralizedTime. */
export function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/[-:T]|\..*$/g, '');
  const year = Number(digits.slice(0, 4));
  if (year >= 1950 && year < 2050) return element(0x17, Buffer.from(`${digits.slice(2)}Z`));
  return generalizedTime(`${digits}Z`);
}

export const generalizedTime = (text: string): Buffer => element(0x18, Buffer.from(text));

function arc(value: bigint): Buffer {
  const septets = [Number(value & 0x7fn)];
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) septets.unshift(Number(rest & 0x7fn) | 0x80);
  return Buffer.from(septets);
}

function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const hex = length.toString(16);
  const whole = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.from([0x80 | whole.length]), whole]);
}
