/**
 * Signatures by SSH keys, made by `ssh-keygen -Y sign`: it asks for passwords on the terminal, uses keys that an agent holds, and
 * waits for a touch of a security key. The message lies in a private folder, since its standard input stays the terminal. No
 * shell is involved, and an ssh-keygen that lies in the repository is not run.
 */
import path from 'node:path';
import { OperationalError, printable, quoted } from '../diag/index.ts';
import { findGitDirectory } from '../git/git-directory.ts';
import { findProgram } from '../git/program.ts';
import type { World } from '../io/index.ts';
import { readWhole } from './read-whole.ts';
import { readSignerFile } from './signer-files.ts';

/**
 * The armoured signature over a message that is text, for one use. `key` is the file of a private key, or of a public one whose
 * private half an agent holds. Throws OperationalError.
 */
export async function signWithSshKey(
  message: string,
  { key, namespace, repository }: { readonly key: string; readonly namespace: string; readonly repository: string },
  world: World,
): Promise<string> {
  const isPem = await checkKeyFile(key, world);
  const { own, common, top } = await findGitDirectory(repository, world);
  const found = await findProgram('ssh-keygen', world, [own, common, top]);
  if (found === undefined) {
    throw new OperationalError('not-found', 'there is no ssh-keygen in PATH', {
      hints: ['install OpenSSH 8.2 or newer', 'or sign with --key FILE or --identity-token FILE'],
    });
  }
  const parent = world.env['TMPDIR'] ?? world.env['TEMP'];
  const folder = await world.git.makeFolder(parent, [], { [messageName]: message });
  try {
    // An absolute path begins with a slash, and so is never an option.
    const args = ['-Y', 'sign', '-f', path.resolve(key), '-n', namespace, path.join(folder, messageName)];
    const command = { program: found.program, args, folder, env: environment(found.searchPath, world) };
    const said = await runKeygen(command, world);
    if (said !== undefined) throw notSigned(key, said, isPem);
    return (await readWhole(world.disk, path.join(folder, `${messageName}.sig`), maxSignatureBytes)).toString('latin1');
  } finally {
    await world.git.removeFolder(folder);
  }
}

const messageName = 'approval';
const maxSignatureBytes = 64 * 1024;
const maxKeyBytes = 64 * 1024;

/** It is also opened by us, so that an output of the same name is noticed. Whether it is a key in PEM that is none of OpenSSH. */
async function checkKeyFile(key: string, world: World): Promise<boolean> {
  const text = (await readSignerFile(key, maxKeyBytes, world)).toString('latin1');
  if (text.includes('ENCRYPTED SIGSTORE') || text.includes('ENCRYPTED COSIGN')) {
    throw new OperationalError('usage', `${quoted(key)} is a key of cosign and none of SSH`, {
      hints: ['give it with --key FILE'],
    });
  }
  return /-----BEGIN (?:(?:EC|RSA|ENCRYPTED) )?PRIVATE KEY-----/.test(text);
}

type Command = Parameters<World['git']['start']>[0];

/** What it said on standard error, where it did not sign. */
async function runKeygen(command: Command, world: World): Promise<string | undefined> {
  const attended = (said: string): void => {
    // A prompt has no line end and has to be seen before it is answered.
    void world.stderr.write(readable(said)).catch(() => {});
  };
  const child = await world.git.start({ ...command, attended });
  const timer = setTimeout(() => child.kill(), patience * 1000);
  const { code, stderr } = await child.ended.finally(() => clearTimeout(timer));
  return code === 0 ? undefined : readable(stderr);
}

function readable(said: string): string {
  return said.replaceAll('\r', '').replace(chatter, '').split('\n').map(printable).join('\n');
}

function notSigned(key: string, said: string, isPem: boolean): OperationalError {
  const last = said.split('\n').findLast((line) => line.trim() !== '');
  const { why, hints } = isPem ? pemGiven : (reasons.find(({ words }) => said.includes(words)) ?? unknownReason);
  const reason = why ?? last?.trim().slice(0, 200);
  return new OperationalError(
    'configuration',
    `ssh-keygen did not sign with ${quoted(key)}${reason === undefined ? '' : `: ${reason}`}`,
    {
      hints: [...hints, `try it alone: ssh-keygen -Y sign -f ${/^[\w./@+-]+$/.test(key) ? key : 'KEY'} -n test FILE`],
    },
  );
}

interface Reason {
  readonly why?: string;
  readonly hints: readonly string[];
}

/** It reads some keys in PEM where the public half lies beside them. */
const pemGiven: Reason = { why: 'it is a key in PEM', hints: ['give it with --key FILE'] };

/** By what OpenSSH says, in English only. */
const reasons: readonly (Reason & { readonly words: string })[] = [
  {
    words: 'incorrect passphrase',
    why: 'the password is wrong, or there was nobody to ask for it',
    hints: ['run it in a terminal and type the password again', 'or let ssh-agent hold the key: ssh-add FILE'],
  },
  {
    words: 'No private key found for public key',
    why: 'it is a public key, and no agent holds its private half',
    hints: ['let ssh-agent hold the key: ssh-add FILE', 'or give the file of the private key'],
  },
  {
    words: 'UNPROTECTED PRIVATE KEY FILE',
    why: 'others may read the file, and ssh-keygen uses no such key',
    hints: ['let nobody else read it: chmod 600 FILE'],
  },
];

const unknownReason: Reason = {
  hints: [
    'for a key with a password, run it in a terminal, or let ssh-agent hold the key: ssh-add FILE',
    'for a security key, plug it in and touch it when it blinks',
  ],
};

/** Which files it reads and writes is nothing that anybody was asked for. */
const chatter = /^(?:Signing file|Write signature to) .*\n/gm;

/** Seconds: somebody types a password, or looks for a security key. */
const patience = 600;

/** What reaches an agent, a security key or a dialog that asks for a password, and nothing else. */
const passed = [
  ...['HOME', 'USER', 'LOGNAME', 'TERM', 'TMPDIR', 'SystemRoot'],
  ...['SSH_AUTH_SOCK', 'SSH_ASKPASS', 'SSH_ASKPASS_REQUIRE', 'SSH_SK_PROVIDER', 'SSH_SK_HELPER', 'SSH_PKCS11_HELPER'],
  ...['DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'XDG_RUNTIME_DIR'],
];

function environment(searchPath: string, { env }: World): Readonly<Record<string, string>> {
  const kept = passed.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), PATH: searchPath };
}
