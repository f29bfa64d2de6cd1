/**
 * Who made a commit. Any sign of an agent makes it an agent's, whoever signed it: agents commit through their user's git,
 * which signs for them. Without a sign, only a signature proves a human. Nothing lowers: a name, a trailer or a forge's own
 * signature never makes a commit a human's or a bot's.
 */
import { plural } from '../diag/index.ts';
import type { ChangesRule } from '../policy/types.ts';
import { isEditableBy } from './tier.ts';
import type { CommitClass, CommitFacts, Sign, SignatureFacts } from './types.ts';

export interface Classification {
  readonly class: CommitClass;
  readonly because: string;
  readonly vouchedBy?: string;
  /** Whether provenance has to cover it. */
  readonly duty: boolean;
}

/** `changedPaths`: every path that the range touches. */
export function classify(
  facts: CommitFacts,
  signs: readonly Sign[],
  rule: ClassifyRule,
  changedPaths: readonly Buffer[],
): Classification {
  const { signature } = facts;
  // A workflow that the author of the change can edit is the author's hand, whoever it is in the policy.
  const isOwnHand = isEditableSigner(signature, changedPaths, rule);
  const person = signature.state === 'good' && !isOwnHand ? signature.person : undefined;
  // What its parents make by themselves is theirs: such a merge adds nothing that anybody could have made.
  const isExplained = facts.merge?.replay === 'clean' && facts.unrelated === undefined;
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
  const bot =
    signature.state === 'good' && !isOwnHand ? signature.matched.find((name) => rule.bots.includes(name)) : undefined;
  if (bot !== undefined) return { class: 'bot', because: `signed by the bot ${bot}`, duty: false };
  return {
    class: 'unknown',
    because: unproved(facts, isOwnHand),
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

type ClassifyRule = Pick<ChangesRule, 'unknown' | 'bots' | 'repository' | 'baseRef'>;

function isEditableSigner(signature: SignatureFacts, changedPaths: readonly Buffer[], rule: ClassifyRule): boolean {
  if (signature.state !== 'good' || signature.signer.kind !== 'certificate') return false;
  const { workflow, issuer } = signature.signer;
  return isEditableBy({ ...(workflow !== undefined && { workflow }), certificate: { issuer } }, changedPaths, rule);
}

function unproved({ signature, bot }: CommitFacts, isOwnHand: boolean): string {
  const name = bot === undefined ? '' : `it calls itself ${bot.name}, which a name does not prove; `;
  return (
    name +
    (isOwnHand ? 'no sign of an agent, and signed by a workflow that the change can edit' : notAPerson(signature))
  );
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
