/**
 * Which agent the free text of an assist trailer names.
 *
 *     Assisted-by: ClaudeCode:claude-opus-4.8 [eslint]     AGENT:MODEL, as the Linux kernel asks for
 *     Assisted-by: Cursor (powered by granite-3-2-8b)      names in free text
 *     Assisted-by: Jane Doe <jane@acme.example>            a human
 *     Generated-by: protoc-gen-go v1.36                    a generator of code
 *
 * Words are compared whole. Those that are also names of people (claude, jules, devin) count only where the text says
 * nothing else, or with a version behind them.
 */
import { fold } from './fold.ts';
import { type Agent, indexAgents, list, unknownAgent } from './list.ts';

/** The agent that a text names, or an unknown one for a model or a word such as LLM. */
export function agentInText(text: string): Agent | undefined {
  const { bare, address } = readValue(text);
  const certain = named(bare, address === 'person');
  if (address === 'person' || (certain !== undefined && certain.id !== 'unknown')) return certain;
  const only = onlyNames(bare);
  return only?.id === 'unknown' ? (certain ?? only) : (only ?? certain);
}

/** The same, but a name that people have too is never enough, whatever stands beside it. */
export function agentCertainInText(text: string): Agent | undefined {
  const { bare, address } = readValue(text);
  return named(bare, address === 'person');
}

/** Only where the text holds nothing but names of agents, versions and words such as `CLI`. */
export function agentAlone(text: string): Agent | undefined {
  return onlyNames(readValue(text).bare);
}

/**
 * For trailers that exist for agents only: whoever is no human by the form of the text is an agent, known or not. A human is
 * several words of letters alone, or has a person's address.
 */
export function agentOrUnknown(text: string): Agent | undefined {
  const known = agentInText(text);
  if (known !== undefined) return known;
  const { bare, address } = readValue(text);
  if (address === 'person' || bare === '' || /^[@#]|:\/\//.test(bare) || notAnAgent.has(bare)) return undefined;
  if (bare === 'yes' || bare === 'true') return unknownAgent('');
  const pair = /^([^\s:@/<>]{1,80}):[^\s/:@<>]/.exec(bare);
  if (pair !== null) return unknownAgent(pair[1]!);
  const alone = !/\s/.test(bare);
  return alone || address === 'machine' || /[0-9]/.test(bare) ? unknownAgent(bare) : undefined;
}

interface Value {
  /** Folded, without addresses and links. */
  readonly bare: string;
  readonly address: 'none' | 'person' | 'machine';
}

const mostText = 500;

function readValue(text: string): Value {
  const chunks = fold(text.slice(0, mostText)).split(/\s+/);
  const addresses = chunks.filter(isAddress);
  return {
    bare: chunks.filter((each) => !isAddress(each) && !each.includes('://')).join(' '),
    address: addresses.length === 0 ? 'none' : addresses.every(isMachine) ? 'machine' : 'person',
  };
}

/** Models have an `@` in their names too: `claude-opus-4@20260514`. */
function isAddress(chunk: string): boolean {
  return /^[<(]+[^@]*@/.test(chunk) || /[^@]@[^@.]*\.\p{L}/u.test(chunk);
}

/** An address that nobody reads. */
export function isMachine(address: string): boolean {
  return /^[<("']*(?:no-?reply|do-?not-?reply|bot|agent)[+@]/.test(address);
}

/**
 * A word that means an agent: by itself, with the next one, or a person's name with a version. Beside a person's address
 * a single word could be a name (`Gemini Jones`), but not in brackets or behind `and` and the like.
 */
function named(bare: string, person: boolean): Agent | undefined {
  const cut = bare.search(/[([{]/);
  const head = cut === -1 ? bare : bare.slice(0, cut);
  const tokens = tokensOf(person ? `${head.replace(/[&+/,]/g, ' and ')}${bare.slice(head.length)}` : bare);
  const inBrackets = person ? tokensOf(head.replace(/[&+/,]/g, ' and ')).length : 0;
  let unknown: Agent | undefined;
  for (const [at, token] of tokens.entries()) {
    const [before, next] = [tokens[at - 1] ?? '', tokens[at + 1] ?? ''];
    const single = at >= inBrackets || connectors.has(before) || connectors.has(next);
    const agent =
      words.get(token + next) ??
      versioned(token, next) ??
      (single ? (words.get(token) ?? words.get(stem(token))) : undefined);
    if (agent !== undefined) return agent;
    if (!single && !hasDigit(token + next)) continue;
    if (unknownWords.has(token) || unknownWords.has(stem(token))) unknown ??= unknownAgent(bare);
  }
  return unknown;
}

function versioned(token: string, next: string): Agent | undefined {
  if (hasDigit(token)) return personalWords.get(stem(token)) ?? words.get(stem(token));
  return hasDigit(next) ? (personalWords.get(token) ?? words.get(token)) : undefined;
}

/** Nothing but names of agents, words that say nothing, and versions, up to the first bracket. */
function onlyNames(bare: string): Agent | undefined {
  const tokens = tokensOf(bare.split(/[([{]/, 1)[0]!);
  let found: Agent | undefined;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!;
    const pair = words.get(token + (tokens[at + 1] ?? ''));
    const agent =
      pair ?? words.get(token) ?? personalWords.get(token) ?? words.get(stem(token)) ?? personalWords.get(stem(token));
    if (pair !== undefined) at++;
    if (agent !== undefined) found ??= agent;
    else if (isUnknownName(token) || isUnknownName(stem(token))) found ??= unknownAgent(bare);
    else if (!qualifiers.has(token) && !hasDigit(token)) return undefined;
  }
  return found;
}

function isUnknownName(token: string): boolean {
  return unknownWords.has(token) || unknownPersonal.has(token);
}

function tokensOf(text: string): readonly string[] {
  return text.split(/[^\p{L}\p{N}]+/u).filter((each) => each !== '');
}

/** `gpt5` is gpt, `chatgptv5` is chatgpt. */
function stem(token: string): string {
  const digit = token.search(/[0-9]/);
  return digit < 1 ? token : token.slice(0, digit > 1 && token[digit - 1] === 'v' ? digit - 1 : digit);
}

function hasDigit(text: string): boolean {
  return /[0-9]/.test(text);
}

const words = indexAgents((entry) => entry.words);
const personalWords = indexAgents((entry) => entry.personalWords);
const unknownWords: ReadonlySet<string> = new Set(list.unknown.words);
const unknownPersonal: ReadonlySet<string> = new Set(list.unknown.personalWords);
const qualifiers: ReadonlySet<string> = new Set(list.qualifiers);
const connectors: ReadonlySet<string> = new Set(['and', 'with', 'via', 'using', 'by', 'plus']);
const notAnAgent: ReadonlySet<string> = new Set(list.notAnAgent);
