/**
 * The data types of SSH (RFC 4251 §5) that keys and signatures are made of:
 *
 *     string   00 00 00 03  67 69 74          length in four octets, then the octets
 *     uint32   00 00 00 01
 *     mpint    00 00 00 02  00 ff             a string: two's complement, no octet more than needed
 *
 * Refused: lengths beyond the end, octets left over, numbers that are negative, zero or padded. Every value has one
 * spelling, so that what is equal has equal bytes.
 */
import { malformed } from './failure.ts';

export interface SshReader {
  /** What is read, for messages: `the SSH key`. */
  readonly what: string;
  bytes(length: number): Buffer;
  byte(): number;
  uint32(): number;
  string(): Buffer;
  /** Above zero, as it stands: with the zero octet before a high bit. */
  mpint(): Buffer;
  end(): void;
}

/** All of its calls throw `malformed` where there is not what is asked for. */
export function readSsh(blob: Buffer, what: string): SshReader {
  let at = 0;
  const bytes = (length: number): Buffer => {
    if (length > blob.length - at) throw malformed(`${what} is cut off`);
    at += length;
    return blob.subarray(at - length, at);
  };
  const string = (): Buffer => bytes(bytes(4).readUInt32BE(0));
  return {
    what,
    bytes,
    byte: () => bytes(1).readUInt8(0),
    uint32: () => bytes(4).readUInt32BE(0),
    string,
    mpint: () => {
      const number = string();
      const [first = 0x80, second = 0] = number;
      if (first >= 0x80 || (first === 0 && second < 0x80)) throw malformed(`${what} has a number in a wrong form`);
      return number;
    },
    end: () => {
      if (at !== blob.length) throw malformed(`${what} has bytes left over`);
    },
  };
}

export function sshString(content: Buffer | string): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
