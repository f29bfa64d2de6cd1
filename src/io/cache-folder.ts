/** Where tidewaiter may write without being told a file name. */
import path from 'node:path';

/**
 * `TIDEWAITER_CACHE_DIR`, else `$XDG_CACHE_HOME/tidewaiter`, else `~/.cache/tidewaiter` (Windows: `%LOCALAPPDATA%`);
 * undefined where none of them is set. Nothing that lies there is believed because it lies there.
 */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const own = env['TIDEWAITER_CACHE_DIR'];
  if (own !== undefined && own !== '') return path.resolve(own);
  const bases = [env['XDG_CACHE_HOME'], env['LOCALAPPDATA'], below(env['HOME'], '.cache')];
  // The XDG specification: a relative path is to be ignored. It would mean another place in every directory.
  const base = bases.find((each) => each !== undefined && path.isAbsolute(each));
  return base === undefined ? undefined : path.join(base, 'tidewaiter');
}

function below(folder: string | undefined, name: string): string | undefined {
  // Accounts that are to have no home have this one.
  return folder === undefined || folder === '' || folder === '/dev/null' ? undefined : path.join(folder, name);
}
