/** Paths of a repository are bytes. As text they are for people, and for keys of maps. */
import { isUtf8 } from 'node:buffer';

/** UTF-8, or Latin-1 for bytes that are none: for messages. Two paths may look alike here. */
export function bytesText(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1');
}

/** One character for each byte: two paths have the same key only if they are the same. */
export function pathKey(path: Buffer): string {
  return path.toString('latin1');
}
