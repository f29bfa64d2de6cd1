/**
 * Which lines of a message git itself takes for trailers (git-interpret-trailers(1)): those of the last paragraph, where
 * it holds nothing else or, with a `Signed-off-by: ` or `(cherry picked from commit ` in it, at least a quarter of it
 * is trailers; never in the first paragraph, nor behind a line `---`, nor with a blank before the word.
 *
 *     fix: subject
 *
 *     Signed-off-by: Jane Doe <jane@acme.example>     seen
 *     > Assisted-by: Codex                            not seen
 *
 * Nothing is decided by this. It shows where git, and tools that ask it, see less than there is.
 */

/** Numbers of the lines, from 1, at which a trailer begins. */
export function gitTrailerLines(message: string): ReadonlySet<number> {
  const text = message.slice(0, patchStart(message));
  const found = new Set<number>();
  const block = blockStart(text);
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < block; at = text.indexOf('\n', at + 1)) line++;
  for (let at = block; at < text.length; at = nextLine(text, at), line++) {
    if (isTrailer(lineAt(text, at))) found.add(line);
  }
  return found;
}

/** Where the last paragraph begins, if it is one of trailers; the end of the text otherwise. */
function blockStart(text: string): number {
  const title = titleEnd(text);
  let onlyBlanks = true;
  let recognised = false;
  let [trailers, others, continuations] = [0, 0, 0];
  for (let at = lastLine(text, text.length); at >= title; at = lastLine(text, at)) {
    const line = lineAt(text, at);
    if (line.startsWith('#')) {
      others += continuations;
      continuations = 0;
    } else if (blank.test(line)) {
      if (onlyBlanks) continue;
      others += continuations;
      const enough = recognised ? trailers * 3 >= others : trailers > 0 && others === 0;
      return enough ? nextLine(text, at) : text.length;
    } else if (line.startsWith('Signed-off-by: ') || line.startsWith('(cherry picked from commit ')) {
      [trailers, continuations, recognised, onlyBlanks] = [trailers + 1, 0, true, false];
    } else if (isTrailer(line)) {
      [trailers, continuations, onlyBlanks] = [trailers + 1, 0, false];
    } else if (/^[ \t\r]/.test(line)) {
      [continuations, onlyBlanks] = [continuations + 1, false];
    } else {
      [others, continuations, onlyBlanks] = [others + 1 + continuations, 0, false];
    }
  }
  return text.length;
}

const blank = /^[ \t\r]*$/;

/** Letters, digits and `-`, then blanks, then the colon. */
function isTrailer(line: string): boolean {
  return /^[A-Za-z0-9-]{1,1000}[ \t]{0,1000}:/.test(line);
}

function titleEnd(text: string): number {
  for (let at = 0; at < text.length; at = nextLine(text, at)) {
    const line = lineAt(text, at);
    if (!line.startsWith('#') && blank.test(line)) return at;
  }
  return text.length;
}

function patchStart(text: string): number {
  const at = text.search(/^---[ \t\r\n]/m);
  return at === -1 ? text.length : at;
}

function lineAt(text: string, at: number): string {
  return text.slice(at, lineEnd(text, at));
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

function nextLine(text: string, at: number): number {
  return lineEnd(text, at) + 1;
}

/** Start of the last line that ends at or before this place; -1 where there is none. */
function lastLine(text: string, before: number): number {
  if (before <= 0) return -1;
  if (before === 1) return 0;
  return text.lastIndexOf('\n', before - 2) + 1;
}
