/** Which installed packages does a package need? What the letters D and p say is described in apk.ts. */
import type { ApkRecord } from './database.ts';

export interface Needs {
  readonly packages: ReadonlySet<ApkRecord>;
  /** False when something that is needed is not installed here. */
  readonly complete: boolean;
}

/** Answers for the packages of one database. */
export function needsOf(records: readonly ApkRecord[]): (of: ApkRecord) => Needs {
  const byName = new Map<string, ApkRecord>();
  const providers = new Map<string, ApkRecord[]>();
  let budget = maxNames;
  for (const record of records) {
    if (!byName.has(record.name)) byName.set(record.name, record);
    const provides = budget > 0 ? new Set(namesIn(record.fields.get('p'))) : [];
    for (const name of provides) {
      budget--;
      const known = providers.get(name);
      if (known === undefined) providers.set(name, [record]);
      else if (known.length <= maxProviders) known.push(record);
    }
  }
  return (of) => {
    const packages = new Set<ApkRecord>();
    let complete = true;
    const names = budget > 0 ? namesIn(of.fields.get('D')) : [];
    budget -= names.length;
    if (budget <= 0) complete = false;
    for (const name of names) {
      const named = byName.get(name);
      const met = named === undefined ? (providers.get(name) ?? []) : [named];
      if (met.length === 0 || met.length > maxProviders) complete = false;
      if (met.includes(of)) continue;
      for (const each of met.slice(0, maxProviders)) packages.add(each);
    }
    return { packages, complete };
  };
}

/**
 * How many packages may provide one name; the real record is a few. Without a bound, n packages that all provide and
 * need the same name would make n² edges.
 */
const maxProviders = 32;

/** For a whole database; one with all packages of a distribution in it states 500,000. */
const maxNames = 2_000_000;

/** `so:libc.musl-x86_64.so.1=1 busybox>=1.36 !conflict` without versions and conflicts. */
function namesIn(text: string | undefined): string[] {
  return (text ?? '')
    .split(/\s+/)
    .filter((each) => each !== '' && !each.startsWith('!'))
    .map((each) => /^[^=<>~@]*/.exec(each)![0])
    .filter((name) => name !== '');
}
