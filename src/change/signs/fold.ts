/**
 * What a text looks like to a reader, in lower case: the form in which strings are compared. Whoever hides a sign behind
 * characters that look like others, or like nothing, must not get less than who writes it plainly.
 */

/** Characters that nobody sees, and controls but tab. */
const invisible =
  /[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f]/gu;
const beyondPlain = /[^\t\u0020-\u007e]/;

/** Letters and signs that are drawn like ASCII ones; what is only wider or in another style is left to NFKC. */
const lookAlikes: ReadonlyMap<string, string> = new Map(
  (
    [
      ['a', 'аАαΑɑ'],
      ['b', 'ВЬΒ'],
      ['c', 'сСϲ'],
      ['d', 'ԁ'],
      ['e', 'еЕΕ'],
      ['g', 'ɡ'],
      ['h', 'һНΗ'],
      ['i', 'іІιΙıӀ'],
      ['j', 'јЈ'],
      ['k', 'кКκΚ'],
      ['m', 'мМΜ'],
      ['n', 'ոΝ'],
      ['o', 'оОοΟօ'],
      ['p', 'рРρΡ'],
      ['q', 'ԛ'],
      ['s', 'ѕЅ'],
      ['t', 'тТτΤ'],
      ['u', 'υս'],
      ['v', 'νѵ'],
      ['w', 'ԝ'],
      ['x', 'хХχΧ'],
      ['y', 'уУүΥ'],
      ['z', 'ΖᴢZ'],
      ['-', '\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u02d7\u2043'],
      [':', '∶ː꞉׃։˸'],
      ['<', '‹〈⟨〈˂'],
      ['>', '›〉⟩〉˃'],
      ['.', '٠۰'],
    ] as const
  ).flatMap(([plain, others]) => [...others].map((other): [string, string] => [other, plain])),
);

/**
 * Lower case, without invisible characters, look-alikes as what they look like, blanks at the ends taken off. Give it a
 * bounded text: normalisation may take more than linear time.
 */
export function fold(text: string): string {
  if (!beyondPlain.test(text)) return text.trim().toLowerCase();
  const plain = Array.from(visible(text).normalize('NFKC'), (each) => lookAlikes.get(each) ?? each).join('');
  return visible(plain).trim().toLowerCase();
}

/** Without the characters that nobody sees. Linear, for texts of any length. */
export function visible(text: string): string {
  return beyondPlain.test(text) ? text.replace(invisible, '') : text;
}

/** Whether it holds anything but plain ASCII. */
export function isDisguised(text: string): boolean {
  return beyondPlain.test(text);
}
