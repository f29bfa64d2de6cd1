/**
 * Who a package needs, as PEP 508 writes it (`Requires-Dist`, `requires.txt`):
 *
 *     soupsieve (>1.2)
 *     importlib-metadata>=4.0; python_version < "3.10"
 *     lxml; extra == 'lxml'
 *     pip @ https://example.org/pip-1.3.1.zip
 *
 * Only the name and the condition matter here. What an extra needs is needed by nobody who did not ask for the extra, so
 * it is left out; every other condition asks about the machine, which the image is not: such a package is needed when it
 * is there.
 * https://packaging.python.org/en/latest/specifications/dependency-specifiers/
 */

export interface Requirement {
  /** Normalised. */
  readonly name: string;
  /** True when it is needed only under some condition. */
  readonly conditional: boolean;
}

/** Undefined for the needs of an extra and for what is no requirement. */
export function parseRequirement(text: string, conditional = false): Requirement | undefined {
  const name = /^\s{0,20}([A-Za-z0-9](?:[A-Za-z0-9._-]{0,213}[A-Za-z0-9])?)(?![A-Za-z0-9._-])/.exec(text)?.[1];
  const marker = text.slice(text.indexOf(';') + 1 || text.length);
  if (name === undefined || /\bextra\b/.test(marker)) return undefined;
  return { name: normalizedName(name), conditional: conditional || marker.trim() !== '' };
}

/**
 * `requires.txt` of an egg: the unconditional ones first, then sections. `[socks]` belongs to an extra, `[:python_version
 * < "3"]` holds a condition.
 */
export function parseRequiresText(bytes: Buffer): readonly Requirement[] {
  const requirements: Requirement[] = [];
  let section = '';
  for (const line of bytes.toString('utf8').split(/\r?\n/, 20_000)) {
    const header = /^\s{0,20}\[([^\]]*)\]/.exec(line)?.[1];
    if (header !== undefined) section = header;
    else if (section === '' || section.startsWith(':')) {
      const requirement = parseRequirement(line, section !== '');
      if (requirement !== undefined) requirements.push(requirement);
    }
  }
  return requirements;
}

/** One spelling for all that mean the same package: https://packaging.python.org/en/latest/specifications/name-normalization/ */
export function normalizedName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}
