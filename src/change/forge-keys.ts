/**
 * Keys with which forges sign what is done in their web pages: merges, squashes, edits, accepted suggestions. Such a
 * signature proves that the forge made the commit for an account, and neither who that was nor that it was a human.
 *
 * Data: each forge publishes its own (https://github.com/web-flow.gpg; GitLab's documentation, "Verify commits made in the web
 * UI"). Instances of GitLab, Gitea and Forgejo have keys of their own, which nobody can list here.
 */

export interface ForgeKey {
  readonly forge: string;
  /** Upper-case hex of an OpenPGP primary key, or `SHA256:…` of an SSH key. */
  readonly fingerprint: string;
}

const forgeKeys: readonly ForgeKey[] = [
  { forge: 'GitHub', fingerprint: '968479A1AFF927E37D1A566BB5690EEEBB952194' },
  // Up to January 2024.
  { forge: 'GitHub', fingerprint: '5DE3E0509C47EA3CF04A42D34AEE18F83AFDEB23' },
  { forge: 'GitLab.com', fingerprint: 'SHA256:ylvmNrhpOBqBQRVi0S8xv2meWLs/QnN7AztQlZY5UPE' },
];

/** By fingerprint, or by an OpenPGP key id of 16 digits in any case. */
export function findForgeKey(fingerprintOrKeyId: string): ForgeKey | undefined {
  const isHex = /^[0-9A-Fa-f]+$/.test(fingerprintOrKeyId);
  const wanted = isHex ? fingerprintOrKeyId.toUpperCase() : fingerprintOrKeyId;
  return forgeKeys.find(
    ({ fingerprint }) => fingerprint === wanted || (isHex && wanted.length === 16 && fingerprint.endsWith(wanted)),
  );
}

export function isForgeKey(fingerprintOrKeyId: string): boolean {
  return findForgeKey(fingerprintOrKeyId) !== undefined;
}
