/** What a change hides from whoever reads its diff, found in the objects themselves. */

import { bytesText } from '../../git/path-text.ts';
import { GitRefusal } from '../../git/refusal.ts';
import type { FileVersion, ObjectId, ObjectStore, PathChange } from '../../git/types.ts';
import type { ContentFinding } from '../types.ts';
import { collectFindings, type Draft, type Findings } from './findings.ts';
import { findHiddenLines, mayHide } from './hidden-text.ts';
import { judgeLink } from './links.ts';
import { findLockKind, judgeLock, type LockKind, lockAlone } from './lockfiles/index.ts';
import { judgeBinary, judgePointer, opaque } from './opaque.ts';
import { judgePaths } from './paths.ts';
import { isProse } from './prose.ts';
import { judgeGitlink, judgeModules } from './submodules.ts';
import { readContent } from './text.ts';
import { type TreeView, viewTree } from './tree-view.ts';

/**
 * Over the whole change, from its base to its head. `beside`: the whole of it, where `changes` are only a part. Throws GitRefusal as the store does, but for files beyond the cap of
 * 16 MiB: they are findings.
 */
export async function inspectChange(
  store: ObjectStore,
  changes: readonly PathChange[],
  { newTree, beside = changes }: { readonly newTree: ObjectId; readonly beside?: readonly PathChange[] },
): Promise<readonly ContentFinding[]> {
  const findings = collectFindings();
  const view = viewTree(store, newTree);
  await judgePaths(view, changes, findings);
  const context: Context = { store, view, findings, manifests: foldersOfNames(beside) };
  for (let start = 0; start < changes.length; start += width) {
    const batch = changes.slice(start, start + width);
    const contents = await Promise.all(batch.map((change) => readChanged(store, change)));
    for (const [index, change] of batch.entries()) {
      judgeModes(change, findings);
      await judgeContent(context, change, contents[index]!);
    }
  }
  return findings.list();
}

/** Files that are asked for at once: enough to keep git busy, and few enough to hold in memory at their largest. */
const width = 12;
const maxBytes = 16 * 1024 * 1024;

interface Context {
  readonly store: ObjectStore;
  readonly view: TreeView;
  readonly findings: Findings;
  readonly manifests: NameFolders;
}

type Bytes = Buffer | 'none' | 'too-large';

/** The new content, where it is another one than before. */
function readChanged(store: ObjectStore, { old, new: present }: PathChange): Promise<Bytes> {
  const same = present?.id === old?.id && isLink(present) === isLink(old);
  return same ? Promise.resolve('none') : readFile(store, present);
}

async function readFile(store: ObjectStore, version: FileVersion | undefined): Promise<Bytes> {
  if (version === undefined || version.mode === '160000') return 'none';
  try {
    return (await store.read(version.id, 'blob', maxBytes)).bytes;
  } catch (error) {
    if (error instanceof GitRefusal && error.rule === 'object-too-large') return 'too-large';
    throw error;
  }
}

function isLink(version: FileVersion | undefined): boolean {
  return version?.mode === '120000';
}

function judgeModes(change: PathChange, findings: Findings): void {
  const { path, old, new: present } = change;
  const gitlink = judgeGitlink(change);
  if (gitlink !== undefined) findings.add(path, gitlink);
  if (old === undefined || present === undefined) return;
  const [from, to] = [sortOf(old), sortOf(present)];
  if (from === to) return;
  const message =
    from.includes('file') && to.includes('file') ? `${from} becomes ${to}` : `${from} is replaced by ${to}`;
  findings.add(path, { rule: 'high-risk-path', weight: 'risk', message });
}

function sortOf({ mode }: FileVersion): string {
  if (mode === '120000') return 'a link';
  if (mode === '160000') return 'a submodule';
  return mode === '100755' ? 'an executable file' : 'a plain file';
}

async function judgeContent(context: Context, change: PathChange, bytes: Bytes): Promise<void> {
  const { view, findings } = context;
  const { path, new: present } = change;
  if (present === undefined || bytes === 'none') return;
  const text = bytesText(path);
  const kind = isLink(present) ? undefined : findLockKind(text.slice(text.lastIndexOf('/') + 1));
  if (kind !== undefined && !context.manifests.has(text, kind)) findings.add(path, lockAlone(kind));
  if (bytes === 'too-large') {
    const what = `the file has more than ${maxBytes} bytes, and was not looked into`;
    findings.add(path, opaque('risk', kind === undefined ? what : `${what}: it is a lockfile`));
    return;
  }
  if (isLink(present)) {
    const link = await judgeLink(view, path, bytes);
    if (link !== undefined) findings.add(path, link);
    return;
  }
  for (const draft of await judgeText(context, change, text, bytes)) findings.add(path, draft);
  if (kind !== undefined) await compareWithOld(context, change, kind, bytes);
}

async function judgeText(
  { store, findings }: Context,
  { path, old }: PathChange,
  name: string,
  bytes: Buffer,
): Promise<readonly Draft[]> {
  // Never by its name or first bytes alone: `GIF89a=1;` and `true` are the beginnings of programs, too.
  const content = readContent(bytes);
  if (content.kind === 'binary') return [judgeBinary(name, bytes, old === undefined)];
  const drafts: Draft[] = [];
  const pointer = judgePointer(bytes);
  if (pointer !== undefined) drafts.push(pointer);
  if (content.encoding === 'utf-16') drafts.push(opaque('risk', 'the text is UTF-16: git shows it as a binary file'));
  if (content.encoding === 'overlong' || content.encoding === 'mixed') {
    const before = await readOldText(store, old);
    if (before?.encoding !== content.encoding) drafts.push(encodings[content.encoding]);
  }
  if (name === '.gitmodules') {
    const before = await readFile(store, isLink(old) ? undefined : old);
    for (const draft of judgeModules(Buffer.isBuffer(before) ? before : undefined, bytes)) findings.add(path, draft);
  }
  if (mayHide(content.text)) {
    const before = await readOldText(store, old);
    for (const { line, weight, message } of findHiddenLines(before?.text, content.text, isProse(name))) {
      findings.add(path, { rule: 'hidden-text', weight, message, line });
    }
  }
  return drafts;
}

const encodings: Readonly<Record<'overlong' | 'mixed', Draft>> = {
  overlong: {
    rule: 'hidden-text',
    weight: 'error',
    message: 'characters are written in more bytes than UTF-8 allows: some readers see them and others do not',
  },
  mixed: {
    rule: 'hidden-text',
    weight: 'note',
    message: 'the text is no UTF-8: bytes that are not were not understood',
  },
};

/** Undefined where there was none, or none that is text. */
async function readOldText(
  store: ObjectStore,
  old: FileVersion | undefined,
): Promise<{ readonly text: string; readonly encoding: string } | undefined> {
  const bytes = isLink(old) ? 'none' : await readFile(store, old);
  if (!Buffer.isBuffer(bytes)) return undefined;
  const content = readContent(bytes);
  return content.kind === 'text' ? content : undefined;
}

async function compareWithOld(
  { store, findings }: Context,
  { path, old }: PathChange,
  kind: LockKind,
  bytes: Buffer,
): Promise<void> {
  const before = await readFile(store, isLink(old) ? undefined : old);
  if (before === 'too-large') {
    const message = `the old lockfile has more than ${maxBytes} bytes, and nothing was compared with it`;
    findings.add(path, { rule: 'lockfile-source', weight: 'risk', message });
  }
  for (const draft of judgeLock(kind, Buffer.isBuffer(before) ? before : undefined, bytes)) findings.add(path, draft);
}

interface NameFolders {
  /** Whether one of the kind's manifests changed in the folder of the lockfile or below. */
  has(lockfile: string, kind: LockKind): boolean;
}

function foldersOfNames(changes: readonly PathChange[]): NameFolders {
  const folders = new Map<string, string[]>();
  for (const { path } of changes) {
    const text = bytesText(path);
    const cut = text.lastIndexOf('/') + 1;
    const name = text.slice(cut);
    if (!/^[\w.-]{1,64}$/.test(name)) continue;
    const known = folders.get(name);
    if (known === undefined) folders.set(name, [text.slice(0, cut)]);
    else known.push(text.slice(0, cut));
  }
  return {
    has: (lockfile, { manifests }) => {
      const folder = lockfile.slice(0, lockfile.lastIndexOf('/') + 1);
      return manifests.some((name) => folders.get(name)?.some((each) => each.startsWith(folder)) === true);
    },
  };
}
