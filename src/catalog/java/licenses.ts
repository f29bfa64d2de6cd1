/**
 * Licences as an archive declares them, untouched but for the syntax around them.
 *
 *   Bundle-License: Apache-2.0;link="https://www.apache.org/licenses/LICENSE-2.0.txt", "MIT License"
 *   Plugin-License-Name: MIT License            (Jenkins; further ones are Plugin-License-Name-2, …)
 *
 * OSGi Core 8, section 3.2.1.10 "Bundle-License".
 */
import { asText } from './coordinates.ts';
import type { Manifest } from './manifest.ts';
import type { PomXml } from './pom-xml.ts';

/** Those of the project file, else those of the manifest. Maven lets one choose among several. */
export function declaredLicenses(pom: PomXml | undefined, manifest: Manifest | undefined): readonly string[] {
  const names = pom?.licenses ?? [];
  if (names.length > 1 && names.every((name) => /^[A-Za-z\d.+-]+$/.test(name))) return [names.join(' OR ')];
  if (names.length > 0) return names;
  return manifest === undefined ? [] : manifestLicenses(manifest);
}

function manifestLicenses(manifest: Manifest): readonly string[] {
  const plugin = [...manifest.main].filter(([name]) => /^plugin-license-name(?:-\d+)?$/.test(name));
  const header = manifest.main.get('bundle-license') ?? '';
  const names = plugin.length > 0 ? plugin.map(([, value]) => value) : header.length > 10_000 ? [] : clauses(header);
  return names.map(asText).filter((name) => name !== undefined && name !== '<<EXTERNAL>>') as readonly string[];
}

/** The first part of each clause, without quotes: `a;link=b, "c, d"` -> `a`, `c, d`. */
function clauses(header: string): string[] {
  const parts = splitUnquoted(header, ',');
  // `Apache License, Version 2.0` is one name that forgot its quotes.
  const isList = parts.length > 1 && parts.every((part) => /["';]|:\/\/|^\s*[\w.+-]+\s*$/.test(part));
  return (isList ? parts : [header]).map((part) =>
    (splitUnquoted(part, ';')[0] ?? '').trim().replace(/^"(.*)"$/, '$1'),
  );
}

function splitUnquoted(text: string, separator: string): string[] {
  const parts: string[] = [];
  let quoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') quoted = !quoted;
    else if (text[at] === separator && !quoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
