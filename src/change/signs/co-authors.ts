/** Whom a commit names as its co-authors, by address. Names prove nothing: they can only raise duties. */
import { fold } from './fold.ts';
import { piecesOf, readTrailerLine } from './lines.ts';
import { isCoAuthorKey } from './trailers.ts';

/** Each once, folded, wherever in the message it stands; with brackets around it or none. */
export function coAuthorAddresses(message: string): readonly string[] {
  if (!message.includes('@')) return [];
  const found = new Set<string>();
  for (const { text } of piecesOf(message)) {
    const trailer = readTrailerLine(text);
    if (trailer === undefined || !isCoAuthorKey(trailer.key)) continue;
    for (const word of fold(trailer.value).split(/[\s,;<>()]+/)) {
      if (word.includes('@') && found.size < mostAddresses) found.add(word);
    }
  }
  return [...found];
}

const mostAddresses = 1000;
