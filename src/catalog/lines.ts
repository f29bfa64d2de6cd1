/** Lines of text that is read from its bytes, without a string for each of them. */

/** By hand: a call into native code for each line costs more than short lines are long. */
export function endOfLine(bytes: Buffer, start: number): number {
  let end = start;
  while (end < bytes.length && bytes[end] !== 0x0a) end++;
  return end;
}

/** The end of the line without a carriage return before it. */
export function trimmedEnd(bytes: Buffer, start: number, end: number): number {
  return end > start && bytes[end - 1] === 0x0d ? end - 1 : end;
}
