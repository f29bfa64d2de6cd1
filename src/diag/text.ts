/**
 * Untrusted text made safe to show. Package names, paths and versions come from whoever made the image; a terminal
 * would obey the escape sequences in them, and bidirectional controls would show them in another order.
 */

// DEL and C1 controls, bidirectional and invisible formatting characters, line separators, BOM and tag characters.
const beyondSpace =
  '\\u007f-\\u009f\\u00ad\\u061c\\u115f\\u1160\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\uffa0\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}';
const unsafe = new RegExp(`[\\u0000-\\u001f${beyondSpace}]`, 'gu');
const unsafeInJson = new RegExp(`[${beyondSpace}]`, 'gu');

/** Printable on any terminal and on one line: controls become `\xNN` or `\u{…}`, raw path bytes become `\xNN`. */
export function printable(text: string): string {
  return text.replace(unsafe, escapeCharacter).replace(/\p{Surrogate}/gu, escapeCharacter);
}

/**
 * JSON that a terminal may show: the same as `printable`, in JSON's own escapes, so that readers see the same value. The
 * text must come from JSON.stringify, which escapes the controls below a space and lone surrogates, and between its line
 * ends leaves nothing outside of ASCII but in strings.
 */
export function printableJson(json: string): string {
  return json.replace(unsafeInJson, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  // Bytes that are not UTF-8 travel as U+DC80..U+DCFF (see archive/path.ts).
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** `1 file`, `2 files`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** An untrusted value inside a message, in quotes and cut where nobody would read on. */
export function quoted(text: string, max = 200): string {
  const shown = text.length > max ? `${text.slice(0, max)}…` : text;
  return `"${printable(shown)}"`;
}
