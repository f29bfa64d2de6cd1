/**
 * The list of agents: agents.json, which is data. Adding an agent needs no code. docs/formats/agent-signs.md says what
 * each field means; a test holds the file against its schema.
 *
 * All strings in it are folded (fold.ts), but fingerprints and the names for people.
 */
import type { Sign } from '../types.ts';
import data from './agents.json' with { type: 'json' };

interface AgentList {
  readonly version: 1;
  readonly agents: readonly AgentEntry[];
  /** What says that there was an agent, and not which one. */
  readonly unknown: {
    readonly words: readonly string[];
    readonly personalWords: readonly string[];
    readonly trailers: readonly TrailerRule[];
    /** Whole names, in the pattern language: what orchestrators call their agents. */
    readonly namePatterns: readonly { readonly pattern: string; readonly name: string }[];
    readonly branches: readonly BranchRule[];
  };
  /** Words that say nothing by themselves, and may stand beside a name. */
  readonly qualifiers: readonly string[];
  readonly trailerKeys: Readonly<Record<TrailerMeaning, readonly string[]>>;
  /** Values by which people say that there was no agent. */
  readonly notAnAgent: readonly string[];
  readonly records: readonly RecordRule[];
  readonly bots: readonly {
    readonly id: string;
    readonly emails?: readonly string[];
    readonly github?: readonly GitHubAccount[];
  }[];
}

interface AgentEntry {
  readonly id: string;
  readonly name: string;
  /** What a trailer that names it means. `authored` where it is not said. */
  readonly part?: Sign['part'];
  readonly emails?: readonly string[];
  /** Of the vendor: the agent's name at it is the agent's address. */
  readonly domains?: readonly string[];
  readonly github?: readonly GitHubAccount[];
  /** Whole names that no human has. */
  readonly names?: readonly string[];
  readonly namePrefixes?: readonly string[];
  /** How the name of an author ends, and of nobody else. */
  readonly authorSuffixes?: readonly string[];
  readonly trailers?: readonly TrailerRule[];
  /** How a line of the message begins. */
  readonly lines?: readonly string[];
  /** How the first line of the message begins. */
  readonly subjects?: readonly string[];
  /** HTML comments. */
  readonly comments?: readonly string[];
  /** How links to sessions begin. */
  readonly links?: readonly string[];
  /** How links to the product begin: they name it in a footer, and are no sign by themselves. */
  readonly sites?: readonly string[];
  readonly branches?: readonly BranchRule[];
  /** Fingerprints of the vendor's signing keys. */
  readonly keys?: readonly string[];
  /** Words that mean it wherever they stand in the value of an assist trailer; two words are written together. */
  readonly words?: readonly string[];
  /** Words that mean it where no other word or person's address stands beside them: people are called so too. */
  readonly personalWords?: readonly string[];
}

export interface GitHubAccount {
  /** The number stays when an account is renamed. */
  readonly id?: number;
  /** Only where no human can have it. */
  readonly login?: string;
}

export interface TrailerRule {
  /** Whole, or a beginning where it ends in `*`. */
  readonly key: string;
  readonly values?: readonly string[];
  /** `hex`: 8 to 64 digits. `path`: words with `/` between them. */
  readonly value?: 'hex' | 'path';
  /** For people, where it names no agent. */
  readonly name?: string;
}

export type BranchRule =
  | { readonly prefix: string; readonly rest?: 'digits' }
  /** `-` and at least so many digits. */
  | { readonly endsInDigits: number };

export interface RecordRule {
  readonly ref?: string;
  readonly prefix?: string;
  readonly name: string;
  /** Whether it is a sign also where it names no agent. */
  readonly always: boolean;
}

export type TrailerMeaning = 'coauthor' | 'signoff' | 'assisted' | 'generated';

/** An agent as a sign names it. */
export interface Agent {
  readonly id: string;
  readonly name: string;
  readonly part: Sign['part'];
}

// JSON modules have wider types than the file has: the schema is checked by a test, and nobody else writes the file.
export const list = data as unknown as AgentList;

export const agents: ReadonlyMap<AgentEntry, Agent> = new Map(
  list.agents.map((entry) => [entry, { id: entry.id, name: entry.name, part: entry.part ?? 'authored' }]),
);

/** One that is not in the list, under the name that stands there. */
export function unknownAgent(name: string): Agent {
  const shown = name.trim().slice(0, 100);
  return { id: 'unknown', name: shown === '' || shown === 'unknown' ? 'an unknown agent' : shown, part: 'authored' };
}

/** What each agent has under a field, to the agent. */
export function indexAgents<T extends string | number>(
  pick: (entry: AgentEntry) => readonly T[] | undefined,
): ReadonlyMap<T, Agent> {
  return new Map(
    [...agents].flatMap(([entry, agent]) => (pick(entry) ?? []).map((value): [T, Agent] => [value, agent])),
  );
}
