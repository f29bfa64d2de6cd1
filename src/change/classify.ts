/**
 * Who made a commit. Any sign of an agent makes it an agent's, whoever signed it: agents commit through their user's git,
 * which signs for them. Without a sign, only a signature proves a human. Nothing lowers: a name, a trailer or a forge's own
 * signature never makes a commit a human's or a bot's.
 */
import { plural } from '../diag/index.ts';
import type { ChangesRule } from '../policy/types.ts';
import type { CommitClass, CommitFacts, Sign, SignatureFacts } from './types.ts';

export interface Classification {
  readonly class: CommitClass;
  readonly because: string;
  readonly vouchedBy?: string;
  /** Whether provenance has to cover it. */
  readonly duty: boolean;
}

export function classify(facts: CommitFacts, signs: readonly Sign[], rule: ChangesRule): Classification {
  const { signature } = facts;
  const person = signature.state === 'good' ? signature.person : undefined;
  // What its parents make by themselves is theirs: such a merge adds nothing that anybody could have made.
  const isExplained = facts.merge?.replay === 'clean';
  const [first] = signs;
  if (first !== undefined) {
    return {
      class: 'agent',
      because: `${first.name}: ${describe(first)}${signs.length > 1 ? ` and ${plural(signs.length - 1, 'more sign')}` : ''}`,
      ...(person !== undefined && { vouchedBy: person }),
      duty: !isExplained,
    };
  }
  if (person !== undefined) return { class: 'human', because: `signed by ${person}`, duty: false };
  const bot = signature.state === 'good' ? signature.matched.find((name) => rule.bots.includes(name)) : undefined;
  if (bot !== undefined) return { class: 'bot', because: `signed by the bot ${bot}`, duty: false };
  return {
    class: 'unknown',
    because: unproved(facts),
    duty: rule.unknown === 'treat-as-agent' && !isExplained,
  };
}

function describe({ kind, place, text }: Sign): string {
  if (kind === 'key') return 'signed with a key of its vendor';
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  if (place.in === 'message') return `line ${place.line} of the message, ${shown}`;
  if (place.in === 'author' || place.in === 'committer') return `${place.in} ${shown}`;
  return `${place.in} ${'name' in place ? place.name : shown}`;
}

function unproved({ signature, bot }: CommitFacts): string {
  const name = bot === undefined ? '' : `it calls itself ${bot.name}, which a name does not prove; `;
  return name + notAPerson(signature);
}

function notAPerson(signature: SignatureFacts): string {
  switch (signature.state) {
    case 'none':
      return 'no sign of an agent, and no signature';
    case 'good':
      return 'no sign of an agent, and signed by nobody that the policy knows';
    case 'bad':
      return `no sign of an agent, and its signature does not hold: ${signature.why}`;
    default:
      return `no sign of an agent, and its signature proves nobody: ${signature.why}`;
  }
}
