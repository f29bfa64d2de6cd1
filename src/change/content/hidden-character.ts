/**
 * Characters that nobody sees, and what they do where they stand. The same character may be good spelling in one script and
 * a trap in another: a joiner belongs between letters of Persian or Hindi and between emoji, and never into `isAdmin`.
 *
 * `error` is kept for what has no honest use in a source file, and for identifiers, which would look alike and differ:
 * whoever means such a character can write it as an escape. Everything else that nobody sees is a risk that a person looks at.
 */
export interface Hidden {
  readonly weight: 'error' | 'risk';
  readonly code: number;
  readonly name: string;
}

/** Finds what may be hidden: candidates only, `judgeHidden` decides. */
export const candidates =
  /[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb\u2800\p{Default_Ignorable_Code_Point}]|\r(?=[^\r\n])/gu;

/** Where a character stands: what is before and behind it, empty at the ends of the text. */
export interface Surroundings {
  readonly before: string;
  readonly after: string;
  /** Prose has no identifiers. */
  readonly prose: boolean;
}

/** Undefined where the character belongs. */
export function judgeHidden(character: string, place: Surroundings): Hidden | undefined {
  const code = character.codePointAt(0) ?? 0;
  const sort = sorts.find(({ from, to }) => code >= from && code <= to) ?? other;
  const weight = sort.judge(place);
  return weight === 'fine' ? undefined : { weight, code, name: sort.name };
}

type Weight = 'error' | 'risk' | 'fine';

interface Sort {
  readonly from: number;
  readonly to: number;
  readonly name: string;
  judge(place: Surroundings): Weight;
}

const word = /^[\p{L}\p{N}\p{M}_$]$/u;
const joining =
  /^[\p{scx=Arabic}\p{scx=Syriac}\p{scx=Mongolian}\p{scx=Nko}\p{scx=Mandaic}\p{scx=Adlam}\p{scx=Devanagari}\p{scx=Bengali}\p{scx=Gurmukhi}\p{scx=Gujarati}\p{scx=Oriya}\p{scx=Tamil}\p{scx=Telugu}\p{scx=Kannada}\p{scx=Malayalam}\p{scx=Sinhala}\p{scx=Khmer}\p{scx=Myanmar}\p{scx=Tibetan}\p{scx=Balinese}\p{scx=Javanese}\p{scx=Hanifi_Rohingya}]$/u;
const emoji = /^(?:[\p{Extended_Pictographic}\p{Emoji_Modifier}\u{1f1e6}-\u{1f1ff}]|\ufe0f|\u20e3)$/u;
const rightToLeft = /^[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]$/u;
const unspaced =
  /^[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Javanese}\p{Script=Balinese}]$/u;
const jamo = /^[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]$/u;
// Of ASCII only what has a keycap.
const takesSelector = /^(?![!-~])[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{S}\p{Script=Han}]$|^[0-9#*]$/u;
const mongolian = /^\p{Script=Mongolian}$/u;
const han = /^\p{Script=Han}$/u;

const always = (weight: Weight) => (): Weight => weight;

/** Where it ends or splits a word it makes another identifier that looks the same. */
function unseen({ before, prose }: Surroundings): Weight {
  return !prose && word.test(before) ? 'error' : 'risk';
}

function joiner(place: Surroundings): Weight {
  const { before, after } = place;
  if (joining.test(before) && !/^[A-Za-z0-9_]$/.test(after)) return 'fine';
  if (emoji.test(before) && emoji.test(after)) return 'fine';
  return unseen(place);
}

function besides(expression: RegExp): (place: Surroundings) => Weight {
  return (place) => (expression.test(place.before) || expression.test(place.after) ? 'fine' : unseen(place));
}

// One behind the character whose form it chooses; in rows, or behind a letter, they carry text that nobody sees.
function variation({ before }: Surroundings): Weight {
  return takesSelector.test(before) ? 'fine' : 'error';
}

function sort(from: number, to: number, name: string, judge: (place: Surroundings) => Weight): Sort {
  return { from, to, name, judge };
}

// The first that fits.
const sorts: readonly Sort[] = [
  sort(0x0d, 0x0d, 'carriage return within a line', always('risk')),
  sort(0x1b, 0x1b, 'escape, which commands terminals', always('risk')),
  sort(0x00, 0x9f, 'control character', always('risk')),
  sort(0xad, 0xad, 'soft hyphen', unseen),
  sort(0x61c, 0x61c, 'direction mark', besides(rightToLeft)),
  sort(0x115f, 0x1160, 'invisible Hangul letter', (place) => (besides(jamo)(place) === 'fine' ? 'fine' : 'error')),
  sort(0x180b, 0x180f, 'Mongolian selector', besides(mongolian)),
  sort(0x200b, 0x200b, 'zero width space', besides(unspaced)),
  sort(0x200c, 0x200d, 'zero width joiner', joiner),
  sort(0x200e, 0x200f, 'direction mark', besides(rightToLeft)),
  sort(0x2028, 0x2029, 'line break that most editors do not show', always('risk')),
  sort(0x202a, 0x202e, 'bidirectional control', always('error')),
  sort(0x2060, 0x2064, 'invisible operator', unseen),
  sort(0x2066, 0x2069, 'bidirectional control', always('error')),
  sort(0x206a, 0x206f, 'deprecated formatting character', unseen),
  sort(0x2800, 0x2800, 'blank Braille pattern', ({ before, after }) =>
    /^[\u2800-\u28ff\s]?$/.test(before) && /^[\u2800-\u28ff\s]?$/.test(after) ? 'fine' : 'risk',
  ),
  sort(0x3164, 0x3164, 'invisible Hangul letter', always('error')),
  sort(0xfe00, 0xfe0f, 'variation selector', variation),
  sort(0xfeff, 0xfeff, 'zero width no-break space', unseen),
  sort(0xffa0, 0xffa0, 'invisible Hangul letter', always('error')),
  sort(0xfff9, 0xfffb, 'annotation control', unseen),
  sort(0xe0000, 0xe007f, 'tag character', always('error')),
  sort(0xe0100, 0xe01ef, 'variation selector', ({ before }) => (han.test(before) ? 'fine' : 'error')),
];

const other: Sort = sort(0, 0x10ffff, 'invisible character', unseen);
