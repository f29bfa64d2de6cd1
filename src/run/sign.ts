/** Who signs: a key in a file, or whoever an identity token names. */
import { OperationalError } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import type { Services } from '../sigstore/signing-config.ts';
import type { Artifact, TrustRoot } from '../sigstore/types.ts';
import { checkedBundle, signWithKey, type Unsigned } from '../sigstore/write-bundle.ts';
import { asConfiguration, readSignerFile } from './signer-files.ts';

export type SignerChoice =
  | { readonly kind: 'key'; readonly file: string; readonly passwordFile?: string }
  | {
      readonly kind: 'keyless';
      /** The token of the CI job where absent. */
      readonly tokenFile?: string;
      readonly instance: 'public-good' | 'staging';
      /** Instead of those of the instance. */
      readonly signingConfig?: string;
      readonly trustedRoot?: string;
      readonly fulcioUrl?: string;
      readonly rekorUrl?: string;
      readonly timestampUrl?: string;
    };

type Keyless = SignerChoice & { readonly kind: 'keyless' };

/** The text of a bundle that was verified. Throws OperationalError. */
export async function signAsChosen(
  unsigned: Unsigned,
  artifact: Artifact,
  choice: SignerChoice,
  world: World,
): Promise<string> {
  if (choice.kind === 'keyless') return signWithToken(unsigned, artifact, choice, world);
  const { parseSigningKey } = await import('../sigstore/signing-key.ts');
  const text = (await readSignerFile(choice.file, maxSmallFile, world)).toString('utf8');
  const key = await parseSigningKey(text, await readPassword(choice.passwordFile, world), choice.file);
  return checkedBundle(signWithKey(unsigned, key), artifact, [], key.publicKey);
}

const maxSmallFile = 64 * 1024;
const maxDocument = 8 * 1024 * 1024;

async function readPassword(file: string | undefined, world: World): Promise<string | undefined> {
  if (file === undefined) return world.env['TIDEWAITER_KEY_PASSWORD'] ?? world.env['COSIGN_PASSWORD'];
  const text = (await readSignerFile(file, maxSmallFile, world)).toString('utf8');
  // Editors and `echo` end the file with a line break that nobody means.
  return text.replace(/\r?\n$/, '');
}

async function signWithToken(unsigned: Unsigned, artifact: Artifact, choice: Keyless, world: World): Promise<string> {
  const { checkIdentityToken, signKeyless } = await import('../sigstore/keyless.ts');
  const services = await servicesOf(choice, world);
  const roots = await rootsOf(choice, world);
  const token = await tokenOf(choice, world);
  checkIdentityToken(token, world.now());
  return checkedBundle(await signKeyless(unsigned, { token, services }), artifact, roots);
}

async function servicesOf(choice: Keyless, world: World): Promise<Services> {
  const { parseSigningConfig, publicServices, serviceUrl, stagingServices } = await import(
    '../sigstore/signing-config.ts'
  );
  const { signingConfig, instance, fulcioUrl, rekorUrl, timestampUrl } = choice;
  const services =
    signingConfig === undefined
      ? { 'public-good': publicServices, staging: stagingServices }[instance]
      : parseSigningConfig(await readText(signingConfig, world), world.now(), signingConfig);
  return {
    fulcio: fulcioUrl === undefined ? services.fulcio : serviceUrl(fulcioUrl),
    logs: rekorUrl === undefined ? services.logs : [{ url: serviceUrl(rekorUrl), version: 1 }],
    timestamps: timestampUrl === undefined ? services.timestamps : [serviceUrl(timestampUrl)],
  };
}

async function rootsOf({ trustedRoot, instance }: Keyless, world: World): Promise<readonly TrustRoot[]> {
  const { loadRoot, loadRootFile } = await import('./trust.ts');
  if (trustedRoot === undefined) return [(await loadRoot(instance, world)).root];
  return (await asConfiguration(() => loadRootFile(trustedRoot, world))).map(({ root }) => root);
}

async function tokenOf({ tokenFile }: Keyless, world: World): Promise<string> {
  if (tokenFile !== undefined) return (await readText(tokenFile, world)).trim();
  const { ambientToken } = await import('../sigstore/keyless.ts');
  const token = await ambientToken(world.env);
  if (token !== undefined) return token;
  throw new OperationalError(
    'usage',
    'there is nothing to sign with: no --key, no --identity-token, and no CI job that gives a token',
    {
      hints: [
        'sign with a key: --key FILE (cosign generate-key-pair makes one)',
        'in GitHub Actions, give the job "permissions: id-token: write"; in GitLab CI, give it an id_token named SIGSTORE_ID_TOKEN',
      ],
    },
  );
}

async function readText(file: string, world: World): Promise<string> {
  return (await readSignerFile(file, maxDocument, world)).toString('utf8');
}
