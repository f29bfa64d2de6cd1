/** A repository with a policy, people with keys, and a change by an agent that touches a workflow. */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type FileSpec, makeRepository, type TestRepository } from '../kit/repository.ts';
import { writeTree } from '../kit/temporary.ts';

export const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
export const publicPem = (key: KeyObject): string =>
  createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
export const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

export interface Shop {
  readonly repository: TestRepository;
  readonly base: string;
  readonly head: string;
}

export interface ShopOptions {
  /** Under `identities`, one line each. */
  readonly identities?: string;
  /** Under `people`, one line each. */
  readonly people?: string;
  /** Under `changes`, one line each. */
  readonly changes?: string;
  /** Other top-level lines. */
  readonly policy?: string;
  readonly files?: Readonly<Record<string, FileSpec>>;
  readonly message?: string;
  readonly author?: string;
  readonly sign?: (payload: Buffer) => string;
}

const indented = (text: string) => text.replace(/^(?=.)/gm, '  ');

export function makeShop(parent: string, options: ShopOptions = {}): Shop {
  const { identities = '', people = '', changes = '', policy = '', files = {} } = options;
  const repository = makeRepository(parent);
  const text = [
    'version: 1\n',
    policy,
    identities === '' ? '' : `identities:\n${indented(identities)}`,
    people === '' ? '' : `people:\n${indented(people)}`,
    `changes:\n${indented(`repository: https://github.com/acme/shop\nbaseRef: refs/heads/main\n${changes}`)}`,
  ].join('');
  const base = repository.commit({ files: { 'a.ts': 'a\n', 'tidewaiter.policy.yaml': text, ...files } });
  const head = repository.commit({
    branch: 'agent/topic',
    parents: [base],
    files: { 'a.ts': 'b\n', '.github/workflows/ci.yml': 'on: push\n' },
    message: options.message ?? 'change\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n',
    ...(options.author !== undefined && { author: options.author }),
    ...(options.sign !== undefined && { sign: options.sign }),
  });
  return { repository, base, head };
}

export function filesIn(parent: string, files: Readonly<Record<string, string | Buffer>>): (name: string) => string {
  const folder = writeTree(parent, files);
  return (name) => `${folder}/${name}`;
}
