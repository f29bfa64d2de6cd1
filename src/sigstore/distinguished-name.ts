/**
 * Names of certificate subjects and issuers as text for people: `O=sigstore.dev, CN=sigstore-intermediate`.
 *
 *     SEQUENCE { SET { SEQUENCE { OID type, string } } … }          RFC 5280 §4.1.2.4
 *
 * For messages only. Names are compared by their DER octets, never by this text, which an attacker can shape.
 */
import { children, fields, oid, readDer, Tag } from './der.ts';
import { VerifyError } from './failure.ts';

const longest = 200;

/** Never throws: what cannot be read is shown in hexadecimal. */
export function formatName(name: Buffer): string {
  try {
    const parts = children(readDer(name)).flatMap((set) => children(set, Tag.set).map(formatPart));
    return parts.length === 0 ? '(no name)' : parts.join(', ').slice(0, longest);
  } catch (error) {
    if (error instanceof VerifyError) return name.subarray(0, longest / 2).toString('hex');
    throw error;
  }
}

const labels: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
]);

/** UTF8String, PrintableString, IA5String. */
const texts = new Set([0x0c, 0x13, 0x16]);

function formatPart(der: Parameters<typeof fields>[0]): string {
  const inside = fields(der);
  const type = oid(inside.next(Tag.oid));
  const { tag, content } = inside.any();
  inside.end();
  return `${labels.get(type) ?? type}=${texts.has(tag) ? content.toString('utf8') : `#${content.toString('hex')}`}`;
}
