/**
 * Untrusted text on its way to a screen or a log, and how wide it is there.
 */
import { printable } from '../diag/index.ts';

/**
 * printable(), and harmless in the log of a build too: runners obey lines that begin with `::command::` (GitHub), and
 * `##[command]`, `##vso[command]` and `##teamcity[command]` (Azure, TeamCity, older GitHub) anywhere in a line. A package
 * must not be able to end a log group, set a variable or fake an annotation by its name.
 */
export function shown(text: string): string {
  return printable(text)
    .replace(/^(\s*):(?=:)/, '$1\\x3a')
    .replace(/#(?=#(?:\w*)\[)/g, '\\x23');
}

/** Columns that the text takes in a terminal: 2 for wide characters, 0 for combining ones. */
export function displayWidth(text: string): number {
  if (!/[^\u0020-\u007e]/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** The beginning of the text in at most `width` columns, with `…` where the rest was. */
export function cutEnd(text: string, width: number): string {
  return displayWidth(text) <= width ? text : `${take([...text], width - 1).join('')}…`;
}

/** The end of the text in at most `width` columns: of a path, the end says more. */
export function cutStart(text: string, width: number): string {
  return displayWidth(text) <= width
    ? text
    : `…${take([...text].reverse(), width - 1)
        .reverse()
        .join('')}`;
}

/** The text with spaces up to `width` columns; longer text stays as it is. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

// East Asian Wide and Fullwidth (Unicode Standard Annex 11), as far as scripts and emoji have properties for it.
const wide =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\u3000-\u303e\u30a0-\u30ff\uff01-\uff60\uffe0-\uffe6]/u;
const halfwidth = /[\uff61-\uffdc\uffe8-\uffee]/u;
const zero = /[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]/u;

function characterWidth(character: string): 0 | 1 | 2 {
  if (zero.test(character)) return 0;
  return wide.test(character) && !halfwidth.test(character) ? 2 : 1;
}

function take(characters: readonly string[], width: number): string[] {
  let left = width;
  const end = characters.findIndex((character) => {
    left -= characterWidth(character);
    return left < 0;
  });
  return characters.slice(0, end === -1 ? characters.length : end);
}
