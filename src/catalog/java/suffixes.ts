/** Which files are Java archives, by name. All are zip files; some suffixes are also used for other things. */

/** Nobody else uses these: one that is no zip archive is a broken package. */
const certain = new Set(['jar', 'war', 'ear', 'jpi', 'hpi']);

/**
 * Resource adapters (`rar`, as RAR archives are called), Apache NiFi (`nar`), Karaf (`kar`), Liferay (`lpkg`), JBoss and
 * others. Only those that begin like a zip archive are meant.
 */
const shared = new Set(['par', 'sar', 'nar', 'kar', 'lpkg', 'rar', 'far', 'zap']);

/** What can be loaded or run from a Java archive. */
const code = new Set(
  'class dex so dll dylib jnilib clj cljc groovy gvy kts bsh jsp jspx js mjs py rb php lua wasm sh exe'.split(' '),
);

export type ArchiveSuffix = 'certain' | 'shared';

/** Undefined for everything that is no Java archive by its name. */
export function archiveSuffix(path: string): ArchiveSuffix | undefined {
  const suffix = suffixOf(path);
  if (certain.has(suffix)) return 'certain';
  return shared.has(suffix) ? 'shared' : undefined;
}

export function isCode(path: string): boolean {
  return code.has(suffixOf(path));
}

/** Lower case, without the dot; empty when there is none. */
function suffixOf(path: string): string {
  const dot = path.lastIndexOf('.');
  return dot < 0 || path.length - dot > 8 ? '' : path.slice(dot + 1).toLowerCase();
}
