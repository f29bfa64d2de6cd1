/**
 * An in-toto statement, v1, as it is signed: always these members in this order, without spaces, so that the same claim
 * has the same bytes.
 *
 *     {"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"app","digest":{"sha256":"…"}}],
 *      "predicateType":"https://slsa.dev/provenance/v1","predicate":{…}}
 *
 * https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
 */
import type { JsonObject } from './json.ts';
import type { Artifact } from './types.ts';

export function formatStatement(subject: Artifact, predicateType: string, predicate: JsonObject): Buffer {
  const { name, digests } = subject;
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ ...(name === '' ? {} : { name }), digest: Object.fromEntries(digests) }],
    predicateType,
    predicate,
  };
  return Buffer.from(JSON.stringify(statement));
}
