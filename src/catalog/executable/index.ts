/** Programs and shared libraries as catalogers want them: recognised by their first bytes, read part by part. */
import { type FileInfo, type ReportGap, Unreadable } from '../types.ts';
import { looksLikeElf, parseElf } from './elf.ts';
import type { Executable } from './image.ts';
import { isMachOProgram, looksLikeUniversal, parseMachO, universalParts } from './mach-o.ts';
import { looksLikePe, parsePe } from './pe.ts';

export { addressOf, type Executable, mappedBytes, sectionBytes } from './image.ts';

/** A linked program of a kind that we read; no object for the linker. The mode does not matter: libraries lack x bits. */
export function looksExecutable({ head, size }: FileInfo): boolean {
  if (size < 4096) return false;
  return (
    looksLikeElf(head) || looksLikePe(head, size) || isMachOProgram(head) === true || looksLikeUniversal(head, size)
  );
}

/**
 * What `read` says of each program in the file: of one, or of every architecture in a universal file. Of several, those
 * that cannot be read become gaps. Throws Unreadable when the file, or the only program in it, cannot be read.
 */
export function readExecutables<T>(bytes: Buffer, gap: ReportGap, read: (program: Executable) => T | undefined): T[] {
  if (!looksLikeUniversal(bytes, bytes.length)) return present(read(parseExecutable(bytes)));
  return universalParts(bytes).flatMap((part) => {
    // Libraries of objects and objects for the linker come as universal files too.
    if (part.subarray(0, 8).equals(archiveMagic) || isMachOProgram(part) === false) return [];
    try {
      return present(read(parseMachO(part)));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      gap(`one architecture of it: ${error.message}`);
      return [];
    }
  });
}

function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

const archiveMagic = Buffer.from('!<arch>\n');

function parseExecutable(bytes: Buffer): Executable {
  if (looksLikeElf(bytes)) return parseElf(bytes);
  return bytes.length >= 64 && bytes.readUInt16BE(0) === 0x4d5a ? parsePe(bytes) : parseMachO(bytes);
}
