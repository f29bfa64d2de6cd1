/**
 * The copyright file of a Debian package, `usr/share/doc/<package>/copyright`. Most are machine-readable
 * (the "copyright-format 1.0", DEP-5): stanzas like those of a control file, in which each `Files` stanza names the
 * licence of some files.
 *
 *     Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
 *
 *     Files: *
 *     Copyright: 2008 Ada Lovelace
 *     License: GPL-2+ or Artistic
 *      This program is free software …
 *
 * The first line of `License` is the short name, kept as it stands; stanzas that have a `License` but no `Files` only
 * give the text. Of a file in prose nothing is guessed but what it points at: `/usr/share/common-licenses/GPL-2`.
 */
import { eachStanza, fieldOf, type Stanza } from './control.ts';

// The most that is known, of a browser with all that it bundles, is some hundred.
const maxNames = 1000;

/** Licence names, without repetition, in the order of the file; none where it states none that can be read. */
export function parseCopyright(bytes: Buffer): readonly string[] {
  const stated = isMachineReadable(bytes) ? shortNames(bytes) : new Set<string>();
  const names = stated.size > 0 ? stated : commonLicenses(bytes);
  // A slice of a string keeps the whole text alive; the names are all that is to stay.
  return [...names].map((name) => Buffer.from(name).toString());
}

function isMachineReadable(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 4096);
  return /^\s*(?:Format|Format-Specification|Upstream-Name|Files)[ \t]*:/i.test(start);
}

function shortNames(bytes: Buffer): ReadonlySet<string> {
  const names = new Set<string>();
  let isHeader = true;
  eachStanza(bytes, (stanza) => {
    // The first stanza is the header; a licence there is that of the package as a whole.
    const name = isHeader || stanza.fields.has('files') ? firstLine(stanza) : undefined;
    isHeader = false;
    if (name !== undefined && names.size < maxNames) names.add(name);
  });
  return names;
}

/** With the text on the lines below, the short name is the first line; an empty one names nothing. */
function firstLine(stanza: Stanza): string | undefined {
  const name = fieldOf(stanza, 'license')?.replace(/\s+/g, ' ').trim();
  return name === undefined || name === '' || name.length > 300 ? undefined : name;
}

const reference = /\/usr\/share\/common-licenses\/([A-Za-z0-9][A-Za-z0-9.+-]*)/g;

function commonLicenses(bytes: Buffer): ReadonlySet<string> {
  const names = new Set<string>();
  for (const match of bytes.toString('latin1').matchAll(reference)) {
    const name = trimEnd(match[1]!);
    if (name !== '' && name.length <= 100 && names.size < maxNames) names.add(name);
  }
  return names;
}

/** The full stop of the sentence is not part of the name. */
function trimEnd(name: string): string {
  let end = name.length;
  while (end > 0 && '.-'.includes(name[end - 1]!)) end--;
  return name.slice(0, end);
}
