/**
 * Signs of agents in a commit: its author, its committer and every line of its message, wherever git looks for trailers.
 * A sign raises duties and never lowers them: what is found too often costs a statement, what is missed costs the check.
 */
import type { Commit } from '../../git/types.ts';
import type { BotSign, Sign, SignKind, SignPlace } from '../types.ts';
import { agentOfLine } from './body.ts';
import { gitTrailerLines } from './git-trailers.ts';
import { agentOfIdentity, botOfIdentity } from './identity.ts';
import { isContinuation, mostValue, type Piece, piecesOf, readTrailerLine, type TrailerLine } from './lines.ts';
import type { Agent } from './list.ts';
import { agentOfTrailer, isTrailerKey, namesIdentity } from './trailers.ts';

export interface SignsOfCommit {
  /** Each once, in the order in which they stand there; at most 200. */
  readonly signs: readonly Sign[];
  /** What the address of the author says, who is no agent in the list. It proves nothing. */
  readonly bot?: BotSign;
  readonly signedOffByAgent?: Sign;
  readonly trailerDifferences: readonly TrailerDifference[];
}

/** A trailer that names an agent, and that git's own parser does not show as one. */
export interface TrailerDifference {
  /** Of the message, from 1. */
  readonly line: number;
  readonly text: string;
  /** A part of a sentence: `it is quoted, indented or in a list`. */
  readonly why: string;
}

/** Never throws, whatever stands in the commit; takes time in proportion to its length. */
export function findSigns(commit: Pick<Commit, 'author' | 'committer' | 'message'>): SignsOfCommit {
  const found: Found = { signs: new Map(), trailers: [], signoff: undefined };
  const author = agentOfIdentity(commit.author, 'author');
  for (const place of ['author', 'committer'] as const) {
    const who = commit[place];
    const agent = place === 'author' ? author : agentOfIdentity(who, place);
    if (agent !== undefined) add(found, agent, 'identity', { in: place }, `${who.name} <${who.email}>`);
  }
  readMessage(commit.message, found);
  // Agents' apps are apps too: what is in the list of agents is no bot of an unknown kind.
  const bot = author === undefined ? botOfIdentity(commit.author) : undefined;
  return {
    signs: [...found.signs.values()],
    ...(bot === undefined ? {} : { bot }),
    ...(found.signoff === undefined ? {} : { signedOffByAgent: found.signoff }),
    trailerDifferences: differences(commit.message, found.trailers),
  };
}

const mostSigns = 200;
const mostShown = 500;
/** How many lines one trailer may go on for. */
const mostContinued = 16;

/** What was found so far. */
interface Found {
  readonly signs: Map<string, Sign>;
  readonly trailers: { readonly line: number; readonly text: string; readonly why: string | undefined }[];
  signoff: Sign | undefined;
}

/** A trailer that may go on in the next line. */
interface Open {
  readonly piece: Piece;
  readonly trailer: TrailerLine;
  value: string;
  lines: number;
}

function readMessage(message: string, found: Found): void {
  let open: Open | undefined;
  let fence: [Agent, Piece][] | undefined;
  for (const piece of piecesOf(message)) {
    if (piece.text === '') {
      open = open && closeTrailer(open, found);
      continue;
    }
    const trailer = readTrailerLine(piece.text);
    if (trailer !== undefined && isTrailerKey(trailer.key)) {
      if (open !== undefined) closeTrailer(open, found);
      open = { piece, trailer, value: trailer.value, lines: 0 };
      continue;
    }
    if (open !== undefined) open = goesOn(open, piece) ? open : closeTrailer(open, found);
    if (codeFence.test(piece.text)) {
      // What stands between two fences is a quotation. A fence that nobody closes hides nothing.
      fence = fence === undefined ? [] : undefined;
      continue;
    }
    const agent = agentOfLine(piece.text, piece.line === 1 && !piece.joined);
    if (agent === undefined) continue;
    if (fence === undefined) add(found, agent, 'body', placeOf(piece), piece.text);
    else if (fence.length < mostSigns) fence.push([agent, piece]);
  }
  if (open !== undefined) closeTrailer(open, found);
  for (const [agent, piece] of fence ?? []) add(found, agent, 'body', placeOf(piece), piece.text);
}

const codeFence = /^[ \t>]{0,20}(?:```|~~~)/;

/** Takes the line as a part of the value: one that begins with a blank, or one in which a broken address goes on. */
function goesOn(open: Open, piece: Piece): boolean {
  if (open.lines >= mostContinued || open.value.length >= mostValue || piece.behindWords) return false;
  const folded = isContinuation(piece.text);
  const broken =
    open.lines === 0 && namesIdentity(open.trailer.key) && !open.value.includes('>') && /\S/.test(piece.text);
  if (!folded && !broken) return false;
  open.value = `${open.value} ${piece.text.slice(0, mostValue).trim()}`.slice(0, mostValue);
  open.lines++;
  return true;
}

function closeTrailer({ piece, trailer, value, lines }: Open, found: Found): undefined {
  const strict = trailer.marked || piece.behindWords;
  const named =
    agentOfTrailer(trailer.key, trailer.value, strict) ??
    (lines === 0 ? undefined : agentOfTrailer(trailer.key, value, strict));
  if (named === undefined) return;
  const sign = add(found, named.agent, 'trailer', placeOf(piece), piece.text);
  if (named.signoff) found.signoff ??= sign;
  if (found.trailers.length < mostSigns) {
    found.trailers.push({ line: piece.line, text: sign.text, why: whyUnseen(piece, trailer) });
  }
}

function add(found: Found, agent: Agent, kind: SignKind, place: SignPlace, text: string): Sign {
  const shown = text.trim().slice(0, mostShown);
  const sign: Sign = { agent: agent.id, name: agent.name, kind, part: agent.part, text: shown, place };
  const key = JSON.stringify([agent.id, kind, agent.part, place.in, shown]);
  const known = found.signs.get(key);
  if (known === undefined && found.signs.size < mostSigns) found.signs.set(key, sign);
  return known ?? sign;
}

function placeOf({ line }: Piece): SignPlace {
  return { in: 'message', line };
}

function whyUnseen(piece: Piece, trailer: TrailerLine): string | undefined {
  if (piece.joined) return 'it is not at the beginning of its line';
  if (trailer.disguised) return 'its key is written with characters that only look right';
  if (piece.disguised) return 'there are characters in it that nobody sees';
  return trailer.marked ? 'it is quoted, indented or in a list' : undefined;
}

function differences(message: string, trailers: Found['trailers']): readonly TrailerDifference[] {
  if (trailers.length === 0) return [];
  const seen = gitTrailerLines(message);
  return trailers.flatMap(({ line, text, why }) => {
    if (why === undefined && seen.has(line)) return [];
    return [{ line, text, why: why ?? 'it is not in a last paragraph of trailers' }];
  });
}
