/** Names that git allows for refs: git-check-ref-format. */

/** True for a name below `refs/` that git would write. */
export function isRefName(name: string): boolean {
  return name.startsWith('refs/') && isNamePart(name);
}

/** True for what may stand in a full name: `main`, `heads/main`, `refs/heads/main`. */
export function isNamePart(name: string): boolean {
  if (name === '' || name === '@' || name.length > 4096 || name.endsWith('.')) return false;
  if (name.includes('..') || name.includes('@{') || /[\u0000-\u0020\u007f~^:?*[\\]/.test(name)) return false;
  return name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}
