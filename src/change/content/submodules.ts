/**
 * Submodules: which commit of which repository is brought in, and what `.gitmodules` says about them. Its values have been
 * taken for options and commands, and its names for paths out of the repository: CVE-2018-11235 (names), CVE-2018-17456
 * (options), CVE-2019-1387 (paths), CVE-2020-5260 (line feeds in URLs), CVE-2025-48384 (a CR at the end of a path).
 */
import { quoted } from '../../diag/index.ts';
import type { PathChange } from '../../git/types.ts';
import type { Draft } from './findings.ts';
import { parseGitConfig, type Setting } from './git-config.ts';
import { foldName } from './names.ts';

export function judgeGitlink({ old, new: present }: PathChange): Draft | undefined {
  const before = old?.mode === '160000' ? old.id : undefined;
  const after = present?.mode === '160000' ? present.id : undefined;
  if (before === after) return undefined;
  if (before === undefined)
    return risk(`a submodule is added, at commit ${after}: its content is not in this repository`);
  if (after === undefined) return risk(`a submodule is removed; it was at commit ${before}`);
  return risk(`the submodule moves from commit ${before} to ${after}: what lies between is not in this repository`);
}

/** What is said of an entry that the old file has word for word is not said again. */
export function judgeModules(before: Buffer | undefined, after: Buffer): readonly Draft[] {
  if (after.length > maxModules) return [risk(`.gitmodules has ${after.length} bytes, and was not read`)];
  const settings = parseGitConfig(after);
  if (settings === undefined) return [risk('.gitmodules breaks the format of git settings: what it says is not known')];
  const known = new Set((before === undefined ? undefined : parseGitConfig(before))?.map(keyOf));
  const names = new Set<string>();
  const found: Draft[] = [];
  for (const setting of settings.filter((each) => each.section === 'submodule')) {
    if (known.has(keyOf(setting))) continue;
    const { subsection: name = '', line } = setting;
    if (!names.has(name) && isBadName(name)) {
      found.push({
        ...wrong(`the submodule is called ${quoted(name)}, which git would take for a path elsewhere`),
        line,
      });
    }
    names.add(name);
    const draft = judgeSetting(setting);
    if (draft !== undefined) found.push({ ...draft, line });
  }
  return found;
}

const maxModules = 1024 * 1024;

function keyOf({ subsection, key, value }: Setting): string {
  return JSON.stringify([subsection, key, value]);
}

function isBadName(name: string): boolean {
  return (
    name === '' || name.split(/[/\\]/).some((part) => part === '..' || foldName(Buffer.from(part, 'latin1')) === '.git')
  );
}

function judgeSetting({ key, value }: Setting): Draft | undefined {
  const shown = quoted(value);
  if (/[\x00-\x1f\x7f]/.test(value)) return wrong(`${key} holds a control character: ${shown}`);
  if (key === 'update' && !updates.includes(value))
    return wrong(`update is ${shown}: only names of ways to update belong there`);
  if ((key === 'path' || key === 'url' || key === 'branch') && value.startsWith('-')) {
    return wrong(`${key} begins with "-", and would be taken for an option: ${shown}`);
  }
  if (key === 'path') return judgePath(value);
  if (key === 'url') return judgeUrl(value);
  return undefined;
}

const updates: readonly string[] = ['none', 'checkout', 'rebase', 'merge'];

function judgePath(value: string): Draft | undefined {
  const parts = value.split(/[/\\]/);
  const leaves = /^(?:[/\\]|[A-Za-z]:)/.test(value) || parts.includes('..');
  const git = parts.some((part) => foldName(Buffer.from(part, 'latin1')) === '.git');
  return leaves || git || value === ''
    ? wrong(`path is ${quoted(value)}, which is not inside the repository`)
    : undefined;
}

function judgeUrl(value: string): Draft | undefined {
  const shown = quoted(value);
  if (/%(?:0[0-9a-f]|1[0-9a-f]|7f)/i.test(value)) return wrong(`url holds an encoded control character: ${shown}`);
  if (/^[A-Za-z0-9]+::/.test(value))
    return wrong(`url starts a program of its own on the machine that fetches it: ${shown}`);
  // `ssh://-oProxyCommand=…` and `-oProxyCommand=…:path`.
  if (/^[A-Za-z0-9+.-]+:\/\/(?:[^/@]*@)?-/.test(value))
    return wrong(`url has a host that would be taken for an option: ${shown}`);
  if (/^(?:file:|[/~\\]|[A-Za-z]:[/\\])/i.test(value))
    return risk(`url is a place on the machine that fetches it: ${shown}`);
  if (/^\.\.?(?:\/|$)/.test(value))
    return risk(`url is relative: it means another repository for each place of this one: ${shown}`);
  if (/^(?:http|git|ftp):\/\//i.test(value)) return risk(`url is fetched without encryption: ${shown}`);
  return undefined;
}

function risk(message: string): Draft {
  return { rule: 'submodule-changed', weight: 'risk', message };
}

function wrong(message: string): Draft {
  return { rule: 'submodule-changed', weight: 'error', message };
}
