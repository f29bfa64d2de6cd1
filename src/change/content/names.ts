/**
 * Names of files that could be taken for other ones. File systems fold case (Windows, macOS), compose accents and pass over
 * invisible characters (macOS), drop dots and spaces at the end, read `:` as a stream and `\` as a separator, and keep
 * short names such as `git~1` (Windows): the same tree is then another one. Git's own checks are is_hfs_dotgit,
 * is_ntfs_dotgit and their sisters for its other files; ours are wider.
 */
import { isUtf8 } from 'node:buffer';

export interface NameTrick {
  readonly weight: 'error' | 'risk' | 'note';
  /** Said of the name. */
  readonly message: string;
}

/** The same for all names that some file system takes for one. */
export function foldName(name: Buffer): string {
  const text = isUtf8(name) ? name.toString('utf8') : name.toString('latin1');
  return foldText(text);
}

/** What is wrong with one segment of a path; where something cannot be meant, only that. `top`: it stands at the root. */
export function judgeName(name: Buffer, top: boolean): readonly NameTrick[] {
  if (!isUtf8(name)) {
    const likeness = gitLikeness(name.toString('latin1'));
    return [...(likeness === undefined ? [] : [likeness]), trick('risk', 'is no UTF-8')];
  }
  const text = name.toString('utf8');
  const likeness = gitLikeness(text);
  if (likeness !== undefined) return [likeness];
  const tricks = checks.flatMap((check) => check(text, top) ?? []);
  const errors = tricks.filter(({ weight }) => weight === 'error');
  return errors.length > 0 ? errors : tricks;
}

const invisible = /[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

function foldText(text: string): string {
  const visible = text.normalize('NFC').replace(invisible, '').toUpperCase().toLowerCase();
  return trimEnd(visible).normalize('NFC');
}

/** Without the dots and spaces that Windows drops; in one pass, however many. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === '.' || text[end - 1] === ' ')) end--;
  return text.slice(0, end);
}

/** Git's own files, with the first letters of the short names that Windows makes where `~1` to `~4` are taken. */
const gitFiles: readonly { readonly name: string; readonly short: string }[] = [
  { name: '.git', short: 'git' },
  { name: '.gitmodules', short: 'gi7eba' },
  { name: '.gitattributes', short: 'gi7d29' },
  { name: '.gitignore', short: 'gi250a' },
  { name: '.mailmap', short: 'maba30' },
];

function gitLikeness(text: string): NameTrick | undefined {
  for (const piece of text.split('\\')) {
    const plain = foldText(piece.split(':', 1)[0]!.normalize('NFKC'));
    const like = gitFiles.find(({ name, short }) => plain === name || isShortName(plain, name, short));
    if (like === undefined || (text === like.name && text !== '.git')) continue;
    if (text === '.git') return trick('error', "is git's own directory");
    return trick('error', `is taken for ${like.name} by some file systems`);
  }
  return undefined;
}

function isShortName(text: string, name: string, short: string): boolean {
  const tilde = text.indexOf('~');
  if (tilde < 0 || !/^~[0-9]{1,7}$/.test(text.slice(tilde))) return false;
  const stem = text.slice(0, tilde);
  return (
    stem === name.slice(1, 7) ||
    stem === short ||
    (stem.length > 0 && short.length === 6 && stem.length < 6 && short.startsWith(stem))
  );
}

/** Names that tools look for at the root of a repository, as they spell them. */
const watched: readonly string[] = [
  '.github',
  '.gitlab',
  '.gitlab-ci.yml',
  '.circleci',
  '.buildkite',
  '.husky',
  '.githooks',
  '.claude',
  '.cursor',
  '.cursorrules',
  '.mcp.json',
  '.vscode',
  '.devcontainer',
  '.npmrc',
  '.envrc',
  'CODEOWNERS',
  'AGENTS.md',
  'CLAUDE.md',
  'GEMINI.md',
  'package.json',
  'package-lock.json',
  'tidewaiter.policy.yaml',
];
const watchedByFold: ReadonlyMap<string, string> = new Map(watched.map((name) => [name.toLowerCase(), name]));

const bidirectional = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const hidden = /[\x00-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb]/u;
const reserved = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i;

type Check = (text: string, top: boolean) => NameTrick | undefined;

const checks: readonly Check[] = [
  (text) => when(bidirectional.test(text), 'error', 'holds a bidirectional control: it is shown in another order'),
  (text) => when(text.includes('\\') && text.split('\\').includes('..'), 'error', 'leads out of its folder on Windows'),
  (text, top) => {
    const like = top ? watchedByFold.get(foldText(text.normalize('NFKC'))) : undefined;
    return when(like !== undefined && like !== text, 'risk', `is taken for ${like} by some file systems`);
  },
  (text) => when(hidden.test(text), 'risk', 'holds a control character'),
  (text) => when(holdsInvisible(text), 'risk', 'holds a character that nobody sees'),
  (text) => when(text.includes('\\'), 'risk', 'holds a backslash, which separates folders on Windows'),
  (text) => when(/[. ]$/.test(text), 'risk', 'ends in a dot or a space, which Windows drops'),
  (text) => when(/^\s|\s$/.test(text) && !text.endsWith(' '), 'risk', 'begins or ends in white space'),
  (text) => when(reserved.test(text), 'risk', 'names a device on Windows'),
  (text) => when(mixesScripts(text), 'risk', 'mixes Latin letters with letters that look like them'),
  (text) => when(text !== text.normalize('NFC'), 'note', 'is not in normal form C: another name may look the same'),
];

function when(holds: boolean, weight: NameTrick['weight'], message: string): NameTrick | undefined {
  return holds ? trick(weight, message) : undefined;
}

function trick(weight: NameTrick['weight'], message: string): NameTrick {
  return { weight, message };
}

// An emoji may be made of several, joined; its form may be chosen.
const emojiParts = /\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier}|\u200d(?=\p{Extended_Pictographic}))*/gu;

function holdsInvisible(text: string): boolean {
  return /\p{Default_Ignorable_Code_Point}/u.test(text.replace(emojiParts, ''));
}

// Of Greek only what looks Latin: `kΩ` is plain to see.
const lookalike = /[\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Cherokee}ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορυϲ]/u;

function mixesScripts(text: string): boolean {
  return text.split(/[^\p{L}\p{M}]+/u).some((word) => /[A-Za-z]/.test(word) && lookalike.test(word));
}
