/**
 * Rich dependencies, the boolean ones of rpm 4.13:
 *
 *   (nginx or httpd)   (selinux-policy-targeted if selinux-policy)   (a >= 1 and (b unless c else d))
 *
 * `and`, `or`, `with`, `without`, `if … else`, `unless … else`; nested parentheses. A name may hold parentheses itself
 * (`libc.so.6(GLIBC_2.34)(64bit)`); a closing one that was not opened within the name ends it. What is needed follows
 * from what is installed: of an `or` the branches that are there, of an `if` the branch that holds. Versions are not
 * compared, for the package manager did that when it installed. Refused: more than 16 levels, and different operators in
 * one pair of parentheses; only `and`, `or` and `with` can be repeated there.
 *
 * Syntax: https://rpm.org/docs/latest/manual/boolean_dependencies.html
 */

/** How a dependency comes out: is it met, and by which packages (numbers of the caller's)? */
export interface Outcome {
  readonly met: boolean;
  /** Belongs to whoever gets it. */
  readonly providers: Set<number>;
}

/** Undefined when the text is no rich dependency that can be read. */
export function resolveRich(text: string, resolveName: (name: string) => Outcome): Outcome | undefined {
  const tokens = tokenize(text);
  if (tokens === undefined || tokens[0] !== '(') return undefined;
  const cursor = { tokens, at: 1, resolveName };
  const outcome = readGroup(cursor, 1);
  return cursor.at === tokens.length ? outcome : undefined;
}

const maxDepth = 16;
const operators = new Set(['and', 'or', 'with', 'without', 'if', 'unless']);
const repeatable = new Set(['and', 'or', 'with']);
const comparisons = new Set(['<', '<=', '=', '==', '>=', '>', '<>', '!=']);

interface Cursor {
  readonly tokens: readonly string[];
  at: number;
  readonly resolveName: (name: string) => Outcome;
}

/** `a OP b OP c)`; the opening parenthesis has been read. */
function readGroup(cursor: Cursor, depth: number): Outcome | undefined {
  let left = readOperand(cursor, depth);
  const operator = cursor.tokens[cursor.at++];
  if (operator === ')') return left;
  if (operator === undefined || !operators.has(operator)) return undefined;
  for (let next: string | undefined = operator; left !== undefined && next === operator; ) {
    const right = readOperand(cursor, depth);
    const otherwise = right && readElse(cursor, depth, operator);
    left = otherwise && combine(operator, left, right, otherwise);
    next = cursor.tokens[cursor.at++];
    if (next === ')') return left;
    if (!repeatable.has(operator)) return undefined;
  }
  return undefined;
}

function readElse(cursor: Cursor, depth: number, operator: string): Outcome | undefined {
  if (cursor.tokens[cursor.at] !== 'else') return { met: true, providers: new Set() };
  cursor.at++;
  return operator === 'if' || operator === 'unless' ? readOperand(cursor, depth) : undefined;
}

function readOperand(cursor: Cursor, depth: number): Outcome | undefined {
  const token = cursor.tokens[cursor.at++];
  if (token === '(') return depth < maxDepth ? readGroup(cursor, depth + 1) : undefined;
  if (token === undefined || token === ')') return undefined;
  if (comparisons.has(cursor.tokens[cursor.at] ?? '')) cursor.at += 2;
  return cursor.resolveName(token);
}

function combine(operator: string, left: Outcome, right: Outcome, otherwise: Outcome): Outcome {
  switch (operator) {
    case 'if':
      return right.met ? left : otherwise;
    case 'unless':
      return right.met ? otherwise : left;
    case 'without':
      return only(left, (each) => !right.providers.has(each));
    case 'with':
      return only(left, (each) => right.providers.has(each));
    default:
      // Into the set that is there: a new one for each step of a long chain would take quadratic time.
      for (const each of right.providers) left.providers.add(each);
      return { ...left, met: operator === 'and' ? left.met && right.met : left.met || right.met };
  }
}

function only({ providers }: Outcome, keep: (provider: number) => boolean): Outcome {
  const kept = new Set([...providers].filter(keep));
  return { met: kept.size > 0, providers: kept };
}

/** Parentheses, names, operators and versions. Undefined when a name has an open parenthesis. */
function tokenize(text: string): string[] | undefined {
  const tokens: string[] = [];
  for (let at = 0; at < text.length; ) {
    const character = text[at]!;
    if (/\s/.test(character)) {
      at++;
    } else if (character === '(' || character === ')') {
      tokens.push(character);
      at++;
    } else {
      const end = endOfWord(text, at);
      if (end === undefined) return undefined;
      tokens.push(text.slice(at, end));
      at = end;
    }
  }
  return tokens;
}

function endOfWord(text: string, start: number): number | undefined {
  let open = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at]!;
    if (character === '(') open++;
    if (character === ')' && --open < 0) return at;
    if (/\s/.test(character) && open === 0) return at;
  }
  return open === 0 ? text.length : undefined;
}
