/**
 * META-INF/MANIFEST.MF: headers about the archive, a blank line, then sections about single files.
 *
 *   Manifest-Version: 1.0
 *   Bundle-SymbolicName: org.example.a-name-that-is-longer-than-the-seventy-two-by
 *    tes-of-a-line;singleton:=true
 *
 *   Name: org/example/
 *   Implementation-Version: 1.2
 *
 * A line is at most 72 bytes; what does not fit continues on the next line behind one space, even within a character.
 * Names are case-insensitive and the last of two equal ones counts, as in java.util.jar. Lines end in CRLF, LF or CR.
 * JAR File Specification, "JAR Manifest". https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html
 */

/** The headers of the main section; the keys are lower case. */
export interface Manifest {
  readonly main: ReadonlyMap<string, string>;
  /** `Implementation-Version` of the first section that has one, for archives that state it per package. */
  readonly sectionVersion?: string;
}

/** Signed archives list every file with a digest: only so much of that is looked at. */
const maxMain = 256 * 1024;
const maxSections = 4 * 1024 * 1024;

/** Never throws: a line without a colon says nothing, which is how the Java runtime would refuse the whole archive. */
export function parseManifest(bytes: Buffer): Manifest {
  const start = contentStart(bytes);
  const mainEnd = Math.min(blankLine(bytes, start), start + maxMain);
  const main = new Map<string, string>();
  for (const line of unfold(bytes.subarray(start, mainEnd))) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    main.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const sectionVersion = findSectionVersion(bytes.subarray(mainEnd, mainEnd + maxSections));
  return { main, ...(sectionVersion !== undefined && { sectionVersion }) };
}

function contentStart(bytes: Buffer): number {
  let at = bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xefbbbf ? 3 : 0;
  while (bytes[at] === 0x0a || bytes[at] === 0x0d) at++;
  return at;
}

/** Where the first empty line begins, or the end. */
function blankLine(bytes: Buffer, from: number): number {
  const ends = ['\n\n', '\n\r\n', '\r\r'].map((end) => bytes.indexOf(end, from, 'latin1')).filter((at) => at >= 0);
  return Math.min(bytes.length, ...ends);
}

/** The lines with their continuations, joined as bytes and then decoded: a fold may cut a character in two. */
function unfold(bytes: Buffer): string[] {
  const text = bytes.toString('latin1').replace(/(?:\r\n|\r|\n) /g, '');
  return text.split(/\r\n|\r|\n/).map((line) => Buffer.from(line, 'latin1').toString('utf8'));
}

function findSectionVersion(bytes: Buffer): string | undefined {
  const at = bytes.indexOf('\nImplementation-Version:');
  if (at < 0) return undefined;
  return unfold(bytes.subarray(at + 1, at + 500))[0]
    ?.slice('Implementation-Version:'.length)
    .trim();
}
