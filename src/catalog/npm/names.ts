/**
 * npm package names: `left-pad`, `@babel/core`. Old ones may hold any character that needs no escaping in a URL
 * (`JSONStream`, `foo~bar`); what does not fit (`{{name}}`, `rxjs/ajax`) was never a package that npm could install.
 * https://github.com/npm/validate-npm-package-name
 */
import type { Purl } from '../../purl/index.ts';

const shape = /^(?:@[\w~.!*'()-]+\/)?[\w~.!*'()-]+$/;

export function isPackageName(name: string): boolean {
  return name.length <= 214 && shape.test(name) && name !== '.' && name !== '..';
}

/** Versions as the registry has them: without the `v` or `=` that old manifests put in front. */
export function cleanVersion(version: string): string {
  return version.replace(/^[=v\s]{1,8}(?=\d)/, '');
}

export function npmPurl(name: string, version?: string, qualifiers?: Readonly<Record<string, string>>): Purl {
  const slash = name.startsWith('@') ? name.indexOf('/') : -1;
  return {
    type: 'npm',
    ...(slash > 0 && { namespace: name.slice(0, slash) }),
    name: name.slice(slash + 1),
    ...(version !== undefined && { version }),
    ...(qualifiers !== undefined && { qualifiers }),
  };
}
