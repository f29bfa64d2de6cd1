/**
 * Which agent a trailer names.
 *
 *     Co-authored-by: Claude Opus 4.6 <noreply@anthropic.com>          an identity
 *     Co-authored-by: OpenHands-GPT-5 openhands@all-hands.dev          without brackets
 *     Assisted-by: OpenCode:Kimi-K2.6                                  free text (words.ts)
 *     Amp-Thread-ID: https://ampcode.com/threads/T-…                   a word that only one tool writes
 *
 * What is quoted or in a list may be prose about trailers: there, nothing may follow the address.
 */
import { fold } from './fold.ts';
import { agentOfIdentity } from './identity.ts';
import { type Agent, agents, list, type TrailerMeaning, type TrailerRule, unknownAgent } from './list.ts';
import { agentAlone, agentCertainInText, agentInText, agentOrUnknown } from './words.ts';

interface NamedByTrailer {
  readonly agent: Agent;
  /** It is a sign-off, which only a human can give. */
  readonly signoff: boolean;
}

/** Whether lines with this key can say anything about agents. */
export function isTrailerKey(key: string): boolean {
  return meanings.has(key) || rulesOf(key).length > 0;
}

/** Whether lines with this key name somebody who wrote the commit as well. */
export function isCoAuthorKey(key: string): boolean {
  return meanings.get(key) === 'coauthor';
}

/** Whether its value is a name with an address, which mail programs and editors break over lines. */
export function namesIdentity(key: string): boolean {
  const meaning = meanings.get(key);
  return meaning === 'coauthor' || meaning === 'signoff';
}

/** `strict`: nothing may stand behind the address. */
export function agentOfTrailer(key: string, value: string, strict: boolean): NamedByTrailer | undefined {
  const agent = byRule(key, value) ?? byMeaning(meanings.get(key), value, strict);
  return agent === undefined ? undefined : { agent, signoff: meanings.get(key) === 'signoff' };
}

function byMeaning(meaning: TrailerMeaning | undefined, value: string, strict: boolean): Agent | undefined {
  if (meaning === undefined) return undefined;
  const agent = agentInIdentities(value, strict);
  if (meaning === 'coauthor' || meaning === 'signoff') return agent;
  if (meaning === 'generated') return agent ?? agentInText(value);
  const helper = agent ?? agentOrUnknown(value);
  return helper === undefined ? undefined : { ...helper, part: 'assisted' };
}

function byRule(key: string, value: string): Agent | undefined {
  for (const { rule, agent } of rulesOf(key)) {
    if (!allows(rule, fold(value.slice(0, 300)))) continue;
    if (agent !== undefined) return agent;
    const named = agentInText(value) ?? agentCertainInText(value);
    return named !== undefined && named.id !== 'unknown' ? named : unknownAgent(rule.name ?? value);
  }
  return undefined;
}

function allows({ values, value: form }: TrailerRule, value: string): boolean {
  if (values !== undefined) return values.includes(value);
  if (form === 'hex') return /^[0-9a-f]{8,64}$/.test(value);
  if (form === 'path')
    return /^[^\s/@<>:]{1,100}(?:\/[^\s/@<>:]{1,100}){1,8}$/.test(value) || agentInText(value) !== undefined;
  return true;
}

/** A name and one or more addresses, with or without brackets. */
function agentInIdentities(raw: string, strict: boolean): Agent | undefined {
  const value = fold(raw);
  const close = value.lastIndexOf('>');
  if (strict && /\p{L}/u.test(close === -1 ? '' : value.slice(close + 1))) return undefined;
  const chunks = value.split(/[\s,;<>]+/).filter((each) => each.includes('@'));
  const name = nameBefore(value);
  if (chunks.length === 0) {
    if (strict) return undefined;
    // People's co-authors have addresses, which forges need; agents asked to name themselves leave them out.
    const alone = agentCertainInText(value) === undefined ? undefined : agentAlone(value);
    return agentOfIdentity({ name, email: '' }, 'trailer') ?? alone;
  }
  for (const email of chunks.slice(0, mostAddresses)) {
    const agent = agentOfIdentity({ name, email }, 'trailer');
    if (agent !== undefined) return agent;
  }
  return undefined;
}

const mostAddresses = 50;

function nameBefore(value: string): string {
  const bracket = value.indexOf('<');
  if (bracket !== -1) return value.slice(0, bracket).trim();
  const words = value.split(/\s+/);
  const address = words.findIndex((each) => each.includes('@'));
  return (address === -1 ? words : words.slice(0, address)).join(' ');
}

interface OwnedRule {
  readonly rule: TrailerRule;
  /** None where the trailer does not say which agent. */
  readonly agent: Agent | undefined;
}

const meanings: ReadonlyMap<string, TrailerMeaning> = new Map(
  (['coauthor', 'signoff', 'assisted', 'generated'] as const).flatMap((meaning) =>
    list.trailerKeys[meaning].map((key): [string, TrailerMeaning] => [key, meaning]),
  ),
);

const rules: readonly OwnedRule[] = [
  ...[...agents].flatMap(([entry, agent]) => (entry.trailers ?? []).map((rule): OwnedRule => ({ rule, agent }))),
  ...list.unknown.trailers.map((rule): OwnedRule => ({ rule, agent: undefined })),
];
const byKey: ReadonlyMap<string, readonly OwnedRule[]> = Map.groupBy(
  rules.filter(({ rule }) => !rule.key.endsWith('*')),
  ({ rule }) => rule.key,
);
const byBeginning = rules.filter(({ rule }) => rule.key.endsWith('*'));

/** A whole key before beginnings of keys. */
function rulesOf(key: string): readonly OwnedRule[] {
  return byKey.get(key) ?? byBeginning.filter(({ rule }) => key.startsWith(rule.key.slice(0, -1)));
}
