/**
 * The package that an archive's own classes lie in, from the names of its entries: what nobody can forget to write.
 *
 *   org/apache/kafka/raft/A.class, org/apache/kafka/raft/internals/B.class -> org.apache.kafka.raft
 *
 * It is the longest one that holds nearly all classes, since a few foreign ones are often copied in. Where an archive
 * has a folder for the application's classes (BOOT-INF, WEB-INF), only those are its own. Variants for newer Java
 * versions (META-INF/versions) say nothing new.
 */

/** Undefined without classes, or when they have no package in common. */
export function findMainPackage(entries: readonly { readonly name: string }[]): string | undefined {
  const folders = countByFolder(entries);
  const own = [...folders].filter(([folder]) => applicationClasses.test(folder));
  return commonPackage(
    (own.length > 0 ? own : [...folders]).map(([folder, { count }]) => ({
      labels: folder.replace(applicationClasses, '').split('/'),
      count,
    })),
  );
}

/** Folders that are longer than this are no packages. */
const maxFolder = 500;
const nearlyAll = 0.8;
const applicationClasses = /^(?:BOOT|WEB)-INF\/classes\//;

function countByFolder(entries: readonly { readonly name: string }[]): Map<string, { count: number }> {
  const folders = new Map<string, { count: number }>();
  // Entries are mostly in order: the folder is that of the entry before.
  let folder = '';
  let current = { count: 0 };
  for (const { name } of entries) {
    const end = name.lastIndexOf('/');
    if (end <= 0 || end > maxFolder || !name.endsWith('.class')) continue;
    if (end !== folder.length || !name.startsWith(folder)) {
      if (name.startsWith('META-INF/')) continue;
      folder = name.slice(0, end);
      current = folders.get(folder) ?? { count: 0 };
      folders.set(folder, current);
    }
    current.count++;
  }
  return folders;
}

interface Folder {
  readonly labels: readonly string[];
  readonly count: number;
}

/** Goes down the tree of folders as long as one folder holds nearly all classes. */
function commonPackage(folders: readonly Folder[]): string | undefined {
  let within = folders;
  const enough = nearlyAll * folders.reduce((sum, { count }) => sum + count, 0);
  const found: string[] = [];
  for (;;) {
    const counts = new Map<string, number>();
    for (const { labels, count } of within) {
      const label = labels[found.length];
      if (label !== undefined) counts.set(label, (counts.get(label) ?? 0) + count);
    }
    const next = [...counts].find(([, count]) => count >= enough)?.[0];
    if (next === undefined || !/^[\w$]+$/.test(next)) break;
    within = within.filter(({ labels }) => labels[found.length] === next);
    found.push(next);
  }
  return found.length === 0 ? undefined : found.join('.');
}
