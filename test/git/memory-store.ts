/** Objects in memory, named as git names them, for tests that need no repository. */
import { createHash } from 'node:crypto';
import { GitRefusal } from '../../src/git/refusal.ts';
import type { GitObject, ObjectFormat, ObjectId, ObjectStore, ObjectType } from '../../src/git/types.ts';

export interface MemoryStore extends ObjectStore {
  /** How many objects were read. */
  readonly reads: { count: number };
  put(type: ObjectType, bytes: Buffer | string): ObjectId;
  /** Files by path: content, or mode and content (a commit id for submodules). Gives the root tree. */
  putTree(files: Readonly<Record<string, FakeContent>>): ObjectId;
}

export type FakeContent = string | Buffer | { readonly mode: string; readonly content: string | Buffer };

export function memoryStore(format: ObjectFormat = 'sha1'): MemoryStore {
  const objects = new Map<ObjectId, GitObject>();
  const reads = { count: 0 };
  const put = (type: ObjectType, content: Buffer | string): ObjectId => {
    const bytes = Buffer.from(content);
    const id = createHash(format).update(`${type} ${bytes.length}\0`).update(bytes).digest('hex');
    objects.set(id, { id, type, bytes });
    return id;
  };
  return {
    format,
    reads,
    put,
    putTree: (files) => putFiles(put, Object.entries(files)),
    kept: () => undefined,
    look: async (id) => {
      const object = objects.get(id);
      return object === undefined ? undefined : { type: object.type, size: object.bytes.length };
    },
    read: async (id, type, maxBytes = Number.POSITIVE_INFINITY) => {
      reads.count++;
      const object = objects.get(id);
      if (object === undefined) throw new GitRefusal('missing-object', `there is no object ${id}`);
      if (object.type !== type) throw new GitRefusal('schema-invalid', `${id} is no ${type}`);
      if (object.bytes.length > maxBytes) throw new GitRefusal('object-too-large', `${id} is too large`);
      return object;
    },
  };
}

/** Entries as they stand in a tree object; the caller orders them. */
export function treeBytes(entries: readonly (readonly [mode: string, name: string | Buffer, id: ObjectId])[]): Buffer {
  return Buffer.concat(
    entries.map(([mode, name, id]) =>
      Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), Buffer.from(id, 'hex')]),
    ),
  );
}

type Put = (type: ObjectType, bytes: Buffer | string) => ObjectId;

function putFiles(put: Put, files: readonly (readonly [string, FakeContent])[]): ObjectId {
  const entries: [string, string, ObjectId][] = [];
  const folders = new Map<string, [string, FakeContent][]>();
  for (const [path, file] of files) {
    const slash = path.indexOf('/');
    if (slash >= 0) {
      const folder = path.slice(0, slash);
      folders.set(folder, [...(folders.get(folder) ?? []), [path.slice(slash + 1), file]]);
      continue;
    }
    const { mode, content } = typeof file === 'object' && 'mode' in file ? file : { mode: '100644', content: file };
    entries.push([mode, path, mode === '160000' ? content.toString() : put('blob', content)]);
  }
  for (const [name, inner] of folders) entries.push(['40000', name, putFiles(put, inner)]);
  const sorted = entries.toSorted((one, other) => Buffer.compare(sortKey(one), sortKey(other)));
  return put('tree', treeBytes(sorted));
}

function sortKey([mode, name]: readonly [string, string, ObjectId]): Buffer {
  return Buffer.from(mode === '40000' ? `${name}/` : `${name}\0`);
}
