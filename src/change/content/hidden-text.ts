/**
 * Text that nobody sees, in the lines that a change adds. A line of the old file is not added by standing elsewhere in the
 * new one: lines are compared as a bag, which no moving about can fool.
 *
 * Threats: source that is read in another order than it is shown (bidirectional controls), identifiers that look alike,
 * instructions for agents in tag characters or rows of selectors, escapes that rewrite a terminal.
 */
import { candidates, type Hidden, judgeHidden } from './hidden-character.ts';

export interface HiddenLine {
  /** From 1. */
  readonly line: number;
  readonly weight: 'error' | 'risk';
  readonly message: string;
}

/** `before`: the whole old file; undefined where there is none, or none that is text. */
export function* findHiddenLines(before: string | undefined, after: string, prose: boolean): Generator<HiddenLine> {
  const known = new Map<string, number>();
  let looked = before === undefined;
  let errors = 0;
  for (const suspect of suspectLines(after, prose)) {
    if (!looked) {
      for (const { text } of suspectLines(before!, prose)) known.set(text, (known.get(text) ?? 0) + 1);
      looked = true;
    }
    const left = known.get(suspect.text) ?? 0;
    if (left > 0) known.set(suspect.text, left - 1);
    else {
      const found = describe(suspect);
      yield found;
      if (found.weight === 'error' && ++errors === mostErrors) {
        return yield {
          ...found,
          message: 'more lines may hold such characters: the rest of the file was not looked at',
        };
      }
    }
  }
}

/** The file is refused by then: what follows could change nothing. */
const mostErrors = 1000;

/** Whether there is anything to look for at all: most files end here, and their old version need not be read. */
export function mayHide(text: string): boolean {
  candidates.lastIndex = 0;
  const first = candidates.exec(text);
  if (first?.index !== 0 || first[0] !== byteOrderMark) return first !== null;
  return candidates.exec(text) !== null;
}

const byteOrderMark = '\ufeff';

interface SuspectLine {
  readonly line: number;
  readonly text: string;
  readonly hidden: readonly Hidden[];
}

/** Lines with something hidden. Each character of the text is looked at once. */
function* suspectLines(text: string, prose: boolean): Generator<SuspectLine> {
  let [line, counted] = [1, 0];
  for (let at = 0; at < text.length; ) {
    candidates.lastIndex = at;
    const match = candidates.exec(text);
    if (match === null) return;
    for (let feed = text.indexOf('\n', counted); feed >= 0 && feed < match.index; feed = text.indexOf('\n', counted)) {
      line++;
      counted = feed + 1;
    }
    const feed = text.indexOf('\n', match.index);
    const end = feed < 0 ? text.length : feed;
    const hidden = hiddenIn(text, match.index, end, prose);
    if (hidden.length > 0) yield { line, text: text.slice(counted, end), hidden };
    at = end + 1;
  }
}

/** Three of them in a row spell something: no script needs that. */
const smuggled = 3;

function hiddenIn(text: string, start: number, end: number, prose: boolean): readonly Hidden[] {
  const found = new Map<number, Hidden>();
  const add = (hidden: Hidden, key: number): void => void found.set(key, hidden);
  let [row, rowEnd] = [0, -1];
  candidates.lastIndex = start;
  for (let match = candidates.exec(text); match !== null && match.index < end; match = candidates.exec(text)) {
    const { index } = match;
    const flag = flagEnd(text, index);
    if (flag !== undefined) {
      candidates.lastIndex = flag;
      continue;
    }
    if (index === 0 && match[0] === byteOrderMark) continue;
    const next = index + match[0].length;
    const hidden = judgeHidden(match[0], {
      before: characterBefore(text, index),
      after: characterAt(text, next),
      prose,
    });
    row = index === rowEnd ? row + 1 : 1;
    rowEnd = next;
    if (hidden !== undefined) add(hidden, hidden.weight === 'error' ? hidden.code : -1 - hidden.code);
    const code = match[0].codePointAt(0)!;
    if (row === smuggled && isInvisible(match[0]) && !found.has(code)) {
      add({ weight: 'error', code, name: rowName }, code);
    }
  }
  return [...found.values()];
}

const rowName = 'several invisible characters in a row';

function isInvisible(character: string): boolean {
  return /^\p{Default_Ignorable_Code_Point}$/u.test(character);
}

/** The flags of England, Scotland and Wales are spelt in tag characters behind a black flag: nothing else is. */
const flags: readonly string[] = ['gbeng', 'gbsct', 'gbwls'].map(
  (name) => [...name].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('') + '\u{e007f}',
);
const blackFlag = '\u{1f3f4}';

function flagEnd(text: string, index: number): number | undefined {
  if (!text.startsWith(blackFlag, index - blackFlag.length)) return undefined;
  const flag = flags.find((each) => text.startsWith(each, index));
  return flag === undefined ? undefined : index + flag.length;
}

function characterAt(text: string, index: number): string {
  const code = text.codePointAt(index);
  return code === undefined ? '' : String.fromCodePoint(code);
}

function characterBefore(text: string, index: number): string {
  if (index === 0) return '';
  const low = text.charCodeAt(index - 1);
  const pair = low >= 0xdc00 && low <= 0xdfff && index > 1;
  return characterAt(text, pair ? index - 2 : index - 1);
}

function describe({ line, hidden }: SuspectLine): HiddenLine {
  const weight = hidden.some((each) => each.weight === 'error') ? 'error' : 'risk';
  const named = new Set(
    hidden.filter((each) => each.weight === weight).map(({ code, name }) => `${codeName(code)} (${name})`),
  );
  const shown = [...named].slice(0, 4).join(', ');
  const more = named.size > 4 ? ` and ${named.size - 4} more` : '';
  return { line, weight, message: `an added line holds ${shown}${more}` };
}

function codeName(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}
