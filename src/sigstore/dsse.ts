/**
 * Dead Simple Signing Envelope: the signature covers type and payload together, with their lengths, so that bytes of one
 * can never pass for bytes of the other.
 *
 *     DSSEv1 28 application/vnd.in-toto+json 2 {}
 *
 * https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
 */

/** The payload type of in-toto statements. */
export const inTotoPayload = 'application/vnd.in-toto+json';

/** Pre-authentication encoding: what is signed. Lengths count bytes. */
export function pae(payloadType: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head, 'utf8'), payload]);
}
