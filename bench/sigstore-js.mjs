/**
 * The peer: what a script over @sigstore/verify does for one bundle, or for every bundle in a directory.
 *
 *   node bench/sigstore-js.mjs TRUSTED_ROOT IDENTITY BUNDLE|DIRECTORY
 *
 * It compares no subject and takes the identity as a pattern: it does less than what it is measured beside.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';

const [rootFile, identity, place] = process.argv.slice(2);
const root = TrustedRoot.fromJSON(JSON.parse(readFileSync(rootFile, 'utf8')));
const ctlogThreshold = root.ctlogs.length > 0 ? 1 : 0;
const verifier = new Verifier(toTrustMaterial(root), { ctlogThreshold });
const files = statSync(place).isDirectory() ? readdirSync(place).map((name) => path.join(place, name)) : [place];
for (const file of files) {
  const bundle = bundleFromJSON(JSON.parse(readFileSync(file, 'utf8')));
  verifier.verify(toSignedEntity(bundle, Buffer.from('what is signed\n')), { subjectAlternativeName: `^${identity}$` });
}
