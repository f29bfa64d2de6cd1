/**
 * The shell-like assignments of os-release(5), and of lsb-release and openwrt_release, which look the same:
 *
 *     # a comment
 *     NAME="Debian GNU/Linux"
 *     ID=debian
 *     PRETTY_NAME="say \"hi\""
 *
 * A shell would source such a file; nothing is run or expanded here: `$HOME`, `$(id)` and backticks are plain text. One
 * line is one assignment. A value is a shell word: quoted and bare pieces joined, `\` takes the next character, a blank
 * ends it. When a name is assigned twice the last one counts, as in a shell. A quote that is not closed on its line is
 * closed at the end of the line, and the line is counted as broken, as is every line that is no assignment.
 */

export interface Assignments {
  readonly values: ReadonlyMap<string, string>;
  /** Lines that are neither blank, comment nor well-formed assignment. */
  readonly broken: number;
}

export function parseAssignments(text: string): Assignments {
  const values = new Map<string, string>();
  let broken = 0;
  for (const line of text.replace(/^\ufeff/, '').split('\n')) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const assignment = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=/.exec(trimmed);
    if (assignment === null) {
      broken++;
      continue;
    }
    const word = shellWord(trimmed, assignment[0].length);
    if (!word.closed) broken++;
    values.set(assignment[1]!, word.value);
  }
  return { values, broken };
}

function shellWord(line: string, start: number): { value: string; closed: boolean } {
  let value = '';
  let quote = '';
  for (let at = start; at < line.length; at++) {
    const character = line[at]!;
    if (quote === '' && /\s/.test(character)) break;
    if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === '\\' && quote !== "'" && at + 1 < line.length) value += escaped(line[++at]!, quote);
    else value += character;
  }
  return { value, closed: quote === '' };
}

/** Inside double quotes a backslash is special before these only; elsewhere in them it stays. */
function escaped(character: string, quote: string): string {
  return quote === '"' && !'"$`\\'.includes(character) ? `\\${character}` : character;
}
