/** `Ada Lovelace <ada@example.org>`, as Maintainer fields of dpkg, opkg and apk have it. */
import type { Party } from '../types.ts';

export function parseMaintainer(text: string | undefined): Party | undefined {
  if (text === undefined) return undefined;
  const open = text.lastIndexOf('<');
  const close = text.indexOf('>', open);
  if (open < 0 || close < 0) return text.trim() === '' ? undefined : { name: text.trim() };
  const email = text.slice(open + 1, close).trim();
  const name = unquoted(text.slice(0, open).trim()) || email;
  if (name === '') return undefined;
  return email.includes('@') ? { name, email } : { name };
}

function unquoted(name: string): string {
  return name.length > 1 && name.startsWith('"') && name.endsWith('"') ? name.slice(1, -1).trim() : name;
}
