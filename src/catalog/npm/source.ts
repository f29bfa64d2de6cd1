/**
 * Where a package came from, as lockfiles and old manifests write it (`resolved`, `_resolved`, and `version` in the
 * first lockfile format):
 *
 *     https://registry.example/abbrev/-/abbrev-1.1.1.tgz     an archive
 *     git+ssh://git@github.com/ann/x.git#3b1bb80b              a commit of a repository
 *     github:ann/x#3b1bb80b                                    the same, short
 *     file:../x, ./x.tgz                                       the local disk
 *
 * https://docs.npmjs.com/cli/configuring-npm/package-lock-json (resolved), npm-package-arg
 */

export type Source =
  | { readonly kind: 'archive'; readonly url: string }
  /** `repository` is a URL, perhaps with `git+` in front; `commit` is what stood behind `#`. */
  | { readonly kind: 'git'; readonly repository: string; readonly commit?: string }
  | { readonly kind: 'file'; readonly path: string };

export function parseSource(text: string): Source {
  const hash = text.indexOf('#');
  const place = hash < 0 ? text : text.slice(0, hash);
  const repository = gitRepository(place);
  if (repository !== undefined) {
    const commit = hash < 0 ? '' : text.slice(hash + 1);
    return { kind: 'git', repository: publicUrl(repository), ...(commit !== '' && { commit }) };
  }
  if (/^https?:/i.test(place)) return { kind: 'archive', url: publicUrl(text) };
  return { kind: 'file', path: text };
}

/** purl qualifiers that tell a package from the one of the same name in the registry. */
export function sourceQualifiers(source: Source, fromRegistry: boolean): Readonly<Record<string, string>> | undefined {
  if (source.kind === 'archive') return fromRegistry ? undefined : { download_url: source.url };
  if (source.kind !== 'git') return undefined;
  const url = /^git[+:]/i.test(source.repository) ? source.repository : `git+${source.repository}`;
  return { vcs_url: source.commit === undefined ? url : `${url}@${source.commit}` };
}

/** Without the user and password in front of the host: those of a private registry must not end in a report. */
export function publicUrl(url: string): string {
  return url.replace(/^([a-z][\w+.-]{0,30}:\/\/)([^/?#]*)@/i, (_whole, scheme: string, secret: string) => {
    // `git@` is how every ssh URL starts and no secret.
    const user = /ssh:/i.test(scheme) ? (secret.split(':', 1)[0] ?? '') : '';
    return user === '' ? scheme : `${scheme}${user}@`;
  });
}

const hosts: ReadonlyMap<string, string> = new Map([
  ['github', 'github.com'],
  ['gitlab', 'gitlab.com'],
  ['bitbucket', 'bitbucket.org'],
  ['gist', 'gist.github.com'],
]);

function gitRepository(place: string): string | undefined {
  const short = /^([a-z]{1,12}):(?!\/\/)([\w.~/-]+)$/i.exec(place);
  const host = hosts.get(short?.[1]?.toLowerCase() ?? '');
  if (host !== undefined) return `git+https://${host}/${short?.[2]?.replace(/\.git$/, '')}.git`;
  if (/^(?:git|git\+[a-z]{1,8}|ssh):\/\//i.test(place) || /^https?:.*\.git$/i.test(place)) return place;
  // git@github.com:ann/x.git, as ssh itself writes it
  const scp = /^([\w.-]+@[\w.-]+):(?!\/\/)\/?(.+)$/.exec(place);
  return scp === null ? undefined : `git+ssh://${scp[1]}/${scp[2]}`;
}
