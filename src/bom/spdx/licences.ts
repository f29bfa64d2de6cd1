/**
 * Licence claims as one SPDX licence expression (SPDX 2.3 Annex D).
 *
 *     ["MIT", "GPL-2+ or Artistic"]  ->  "LicenseRef-GPL-2--or-Artistic-5d0c… AND MIT"
 *
 * A claim that is no expression becomes a `LicenseRef-` of this document, with the claim itself as its text: nothing is
 * guessed and nothing is lost.
 */
import { parseLicence } from '../licences.ts';
import { byText } from '../names.ts';
import { idMaker } from './ids.ts';
import { block, line } from './text.ts';
import type { ExtractedLicence } from './types.ts';

export interface LicenceTable {
  /** The expression for claims that all apply; `NOASSERTION` when there is none. */
  declared(claims: readonly string[]): string;
  /** The references that the expressions so far made use of, sorted by id. */
  extracted(): readonly ExtractedLicence[];
}

export function licenceTable(): LicenceTable {
  const references = new Map<string, ExtractedLicence>();
  const idsByText = new Map<string, string>();
  const makeId = idMaker('LicenseRef-');

  function reference(claim: string): string {
    const text = block(claim);
    const known = idsByText.get(text);
    if (known !== undefined) return known;
    const id = makeId(text.slice(0, 40), text);
    idsByText.set(text, id);
    references.set(id, { licenseId: id, extractedText: text, name: line(text.slice(0, 200)) });
    return id;
  }

  function operand(claim: string): string | undefined {
    const licence = parseLicence(claim);
    if (licence === undefined) return undefined;
    if ('id' in licence) return licence.id;
    if ('name' in licence) return reference(claim);
    const named = licence.expression.match(/[^\s()]*LicenseRef-[^\s()]*/gi) ?? [];
    // References to other documents, and those spelled with characters that SPDX 2.3 does not allow, resolve nowhere.
    if (!named.every((each) => /^LicenseRef-[A-Za-z0-9.-]+$/.test(each))) return reference(claim);
    for (const id of named) {
      const extractedText = `The package declares ${id}; its text is not part of this document.`;
      if (!references.has(id)) references.set(id, { licenseId: id, extractedText, name: id });
    }
    return licence.expression;
  }

  return {
    declared(claims) {
      const operands = claims.map(operand).filter((each) => each !== undefined);
      const unique = [...new Set(operands)].sort(byText);
      if (unique.length === 0) return 'NOASSERTION';
      if (unique.length === 1) return unique[0]!;
      return unique.map((each) => (/\sOR\s/.test(each) ? `(${each})` : each)).join(' AND ');
    },
    extracted: () => [...references.values()].sort((left, right) => byText(left.licenseId, right.licenseId)),
  };
}
