/**
 * Where the files of dpkg and opkg lie. A database may be that of a system inside the image (`opt/chroot/var/lib/dpkg`):
 * what stands before the well-known place is the root directory of its system.
 */

export interface Located {
  readonly role: 'status' | 'journal' | 'status.d' | 'list' | 'control' | 'copyright';
  readonly root: string;
  /** Base name without the ending: the package for info and doc files. */
  readonly stem: string;
}

/**
 * dpkg's directory. Immutable systems, whose /var is not part of the image, keep it below /usr. `status-old`, `available`
 * and `status-new` are no databases.
 */
export function locateDpkg(path: string): Located | undefined {
  if (path.endsWith('/copyright')) return located(copyrightPath.exec(path), () => 'copyright');
  if (!path.includes('dpkg/')) return undefined;
  return located(dpkgPath.exec(path), (file) => {
    if (file === 'status') return 'status';
    if (file.startsWith('updates/')) return 'journal';
    return file.startsWith('status.d/') ? 'status.d' : 'list';
  });
}

/** opkg's directory; `opt/lib/opkg` is Entware, whose root directory is that of its host. */
export function locateOpkg(path: string): Located | undefined {
  if (!path.includes('opkg/')) return undefined;
  return located(opkgPath.exec(path), (file) => {
    if (file === 'status') return 'status';
    return file.endsWith('.control') ? 'control' : 'list';
  });
}

// The prefix is matched lazily, so that the root is the shortest one: `var/lib/dpkg` is not `lib/dpkg` below `var`.
const dpkgPath =
  /^(?:(.+?)\/)??(?:var\/lib|usr\/lib\/sysimage(?:\/lib)?|usr\/lib|lib)\/dpkg\/(status|updates\/\d+|status\.d\/[^/]+|info\/[^/]+\.list)$/s;
const opkgPath = /^(?:(.+?)\/)??(?:var\/lib|usr\/lib|opt\/lib|lib)\/opkg\/(status|info\/[^/]+\.(?:control|list))$/s;
const copyrightPath = /^(?:(.+?)\/)??usr\/share\/doc\/([^/]+\/copyright)$/s;

function located(match: RegExpExecArray | null, roleOf: (file: string) => Located['role']): Located | undefined {
  if (match === null) return undefined;
  const file = match[2]!;
  const role = roleOf(file);
  const base = file.slice(file.indexOf('/') + 1);
  const stem =
    role === 'copyright' ? file.slice(0, file.indexOf('/')) : base.replace(/\.(?:list|control|md5sums)$/, '');
  return { role, root: match[1] ?? '', stem };
}
