/**
 * Whether a name with an e-mail address is an agent's or a bot's.
 *
 *     Claude <noreply@anthropic.com>                          by the whole address
 *     Renamed <198982749+Copilot@users.noreply.github.com>    by the number of the GitHub account
 *     claude[bot] <41898282+claude[bot]@users.nor…            by the login, which only an app can have
 *     Jane Doe (aider) <jane@acme.example>                    by what the tool adds to the name
 *
 * Addresses and names are compared whole, never searched: people are called Claude, and work at vendors. Anyone can
 * write any of these, so they raise duties and prove nothing.
 */
import { compilePattern } from '../../pattern/index.ts';
import type { BotSign } from '../types.ts';
import { fold } from './fold.ts';
import { type Agent, agents, type GitHubAccount, indexAgents, list, unknownAgent } from './list.ts';
import { agentAlone, isMachine } from './words.ts';

interface Who {
  readonly name: string;
  /** Empty where there is none. */
  readonly email: string;
}

type Place = 'author' | 'committer' | 'trailer';

/** The agent that goes by this name and address. `as` is the place where it stands. */
export function agentOfIdentity({ name, email }: Who, as: Place): Agent | undefined {
  const key = `${as} ${name.length} ${name} ${email}`;
  if (answered.has(key)) return answered.get(key);
  const agent = lookUp({ name, email }, as);
  if (answered.size >= mostAnswered) answered.clear();
  if (key.length <= mostKey) answered.set(key, agent);
  return agent;
}

/** Most commits of a range are of the same few people. */
const answered = new Map<string, Agent | undefined>();
const mostAnswered = 1000;
const mostKey = 500;

function lookUp({ name, email }: Who, as: Place): Agent | undefined {
  const address = foldAddress(email);
  const account = gitHubAccount(address);
  const found =
    byEmail.get(address) ??
    (account?.id === undefined ? undefined : byNumber.get(account.id)) ??
    (account === undefined ? undefined : byLogin.get(account.login));
  if (found !== undefined) return partAs(found, as);
  return agentOfName(name, as) ?? agentOfNobody(name, address, as);
}

/** A bot that is no AI, by its address alone. An app that is not in the list is a bot of an unknown kind. */
export function botOfIdentity({ name, email }: Who): BotSign | undefined {
  const bot = botOfAddress(foldAddress(email));
  return bot === undefined ? undefined : { bot, name: `${name} <${email}>`.slice(0, mostShown) };
}

/** Without brackets and what mail programs put before; look-alikes as what they look like. */
export function foldAddress(email: string): string {
  const folded = fold(email.slice(0, mostAddress));
  return folded
    .replace(/^[\s<("'`]{1,8}/, '')
    .replace(/^mailto:/, '')
    .replace(/[\s>)"'`.,;]{1,8}$/, '');
}

/** Of a folded address that GitHub gives to an account: `123+ada@users.noreply.github.com` is `ada`. */
export function gitHubLogin(address: string): string | undefined {
  return gitHubAccount(address)?.login;
}

const mostAddress = 320;
const mostName = 300;
const mostShown = 500;

function agentOfName(text: string, as: Place): Agent | undefined {
  // The end counts as well: tools add to names.
  const name = fold(text.length > mostName ? text.slice(0, mostName / 2) + text.slice(-mostName / 2) : text);
  if (name === '') return undefined;
  const paren = name.indexOf(' (');
  const exact = byName.get(name) ?? (paren > 0 ? byName.get(name.slice(0, paren)) : undefined);
  if (exact !== undefined) return partAs(exact, as);
  const inside = paren > 0 ? name.slice(paren + 2) : undefined;
  for (const [prefix, agent] of namePrefixes) {
    if (beginsWith(name, prefix) || (inside !== undefined && beginsWith(inside, prefix))) return partAs(agent, as);
  }
  // As a committer alone, aider has put away what its user wrote before it began. Told not to name itself as the author, it
  // leaves its own edits in the same form: nothing in the commit tells the two apart, and the first is the rule.
  const suffixed = authorSuffixes.find(({ suffix }) => name.endsWith(suffix));
  if (suffixed !== undefined) return as === 'committer' ? undefined : suffixed.agent;
  const pattern = namePatterns.find(({ matches }) => matches(name));
  return pattern === undefined ? undefined : unknownAgent(pattern.name);
}

/**
 * A name that people have too, with an address that no person has: `Kimi <noreply@…>`, or the agent's name at its vendor.
 * People work there as well, and have more in their names.
 */
function agentOfNobody(name: string, address: string, as: Place): Agent | undefined {
  const at = address.lastIndexOf('@');
  const owner =
    fold(name.slice(0, mostName)) === address.slice(0, at) ? byDomain.get(address.slice(at + 1)) : undefined;
  if (owner === undefined && !isMachine(address)) return undefined;
  const agent = agentAlone(name);
  return agent === undefined || (owner !== undefined && owner.id !== agent.id) ? undefined : partAs(agent, as);
}

/** Whole words: what follows is the end, or no letter or digit; a number may go on behind a dot. */
function beginsWith(name: string, prefix: string): boolean {
  return (
    name.startsWith(prefix) && (/[^\p{L}\p{N}]$/u.test(prefix) || !/^[\p{L}\p{N}]/u.test(name.slice(prefix.length)))
  );
}

/** What an agent only suggested, it made where it is the author itself. */
function partAs(agent: Agent, as: Place): Agent {
  return as === 'trailer' || agent.part === 'authored' ? agent : { ...agent, part: 'authored' };
}

function botOfAddress(address: string): string | undefined {
  const account = gitHubAccount(address);
  if (account === undefined) return botByEmail.get(address);
  const { id, login } = account;
  const numbered = id === undefined ? undefined : botByNumber.get(id);
  // Under another number than its own, a login is somebody else's.
  const named = id === undefined || !numberedLogins.has(login) ? botByLogin.get(login) : undefined;
  return numbered ?? named ?? (login.endsWith('[bot]') ? 'unknown' : undefined);
}

/** `ID+login@users.noreply.github.com`, and as it was before 2017, `login@users.noreply.github.com`. */
function gitHubAccount(address: string): { readonly id?: number; readonly login: string } | undefined {
  if (!address.endsWith(gitHubNoReply)) return undefined;
  const local = address.slice(0, -gitHubNoReply.length);
  const match = /^([0-9]{1,15})\+(.*)$/s.exec(local);
  return match === null ? { login: local } : { id: Number(match[1]), login: match[2]! };
}

const gitHubNoReply = '@users.noreply.github.com';

const byEmail = indexAgents((entry) => entry.emails);
const byName = indexAgents((entry) => entry.names);
const byNumber = indexAgents((entry) => numbers(entry.github));
const byLogin = indexAgents((entry) => logins(entry.github));
const byDomain = indexAgents((entry) => entry.domains);
const namePatterns = list.unknown.namePatterns.map(({ pattern, name }) => ({ name, matches: compilePattern(pattern) }));
const namePrefixes = [...indexAgents((entry) => entry.namePrefixes)];
const authorSuffixes = [...agents].flatMap(([entry, agent]) =>
  (entry.authorSuffixes ?? []).map((suffix) => ({ suffix, agent })),
);

const botByEmail = new Map(
  list.bots.flatMap(({ id, emails = [] }) => emails.map((each): [string, string] => [each, id])),
);
const botByNumber = new Map(
  list.bots.flatMap(({ id, github }) => numbers(github).map((each): [number, string] => [each, id])),
);
const botByLogin = new Map(
  list.bots.flatMap(({ id, github }) => logins(github).map((each): [string, string] => [each, id])),
);
/** Logins whose number we know: under another number they are somebody else's. */
const numberedLogins = new Set(
  list.bots.flatMap(({ github = [] }) =>
    github.flatMap(({ id, login }) => (id === undefined || login === undefined ? [] : [login])),
  ),
);

function numbers(accounts: readonly GitHubAccount[] = []): readonly number[] {
  return accounts.flatMap(({ id }) => (id === undefined ? [] : [id]));
}

function logins(accounts: readonly GitHubAccount[] = []): readonly string[] {
  return accounts.flatMap(({ login }) => (login === undefined ? [] : [login]));
}
