/** What a statement says about its subject is named by a URI. People type the short names that cosign gave the common ones. */
import { OperationalError, quoted } from '../diag/index.ts';

/** cosign's names, and the URI that cosign writes for each. */
export const predicateTypes: ReadonlyMap<string, string> = new Map([
  ['slsaprovenance', 'https://slsa.dev/provenance/v0.2'],
  ['slsaprovenance02', 'https://slsa.dev/provenance/v0.2'],
  ['slsaprovenance1', 'https://slsa.dev/provenance/v1'],
  ['link', 'https://in-toto.io/Link/v1'],
  ['spdx', 'https://spdx.dev/Document'],
  ['spdxjson', 'https://spdx.dev/Document'],
  ['cyclonedx', 'https://cyclonedx.org/bom'],
  ['vuln', 'https://cosign.sigstore.dev/attestation/vuln/v1'],
  ['openvex', 'https://openvex.dev/ns'],
  ['custom', 'https://cosign.sigstore.dev/attestation/v1'],
]);

/** A short name or a URI to the URI. Throws OperationalError `usage`. */
export function predicateTypeUri(text: string): string {
  const known = predicateTypes.get(text);
  if (known !== undefined) return known;
  if (/^[A-Za-z][A-Za-z0-9+.-]*:[\u0021-\u007e]+$/.test(text) && text.length <= 2048) return text;
  throw new OperationalError('usage', `--type ${quoted(text)} is neither a URI nor a known name`, {
    hints: [`the names are ${[...predicateTypes.keys()].join(', ')}; a URI looks like https://slsa.dev/provenance/v1`],
  });
}
