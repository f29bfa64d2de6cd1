/**
 * Which licence on the SPDX list one name means, where the name leaves no doubt.
 *
 *   mit, "MIT License", Expat (Debian)              MIT
 *   ASL 2.0 (rpm), "The Apache License, Version 2"  Apache-2.0
 *   GPL-2+ (Debian), GPLv2+ (rpm), GPL (>= 2) (R)   GPL-2.0-or-later
 *   http://www.apache.org/licenses/LICENSE-2.0.txt  Apache-2.0
 *
 * Never guessed: `BSD`, `GPL`, `Apache` and other names without a version, and `LGPLv2`, which rpm and Python packages
 * write for 2.0 and for 2.1. A wrong licence is worse than a name that a person has to read.
 */
import { fixupSpdxId, isSupportedSpdxId } from '@cyclonedx/cyclonedx-library/SPDX';

/** The SPDX simple expression for one licence name: a listed id, `id+` or a LicenseRef. Undefined when in doubt. */
export function findLicence(name: string): string | undefined {
  // No name is longer; the cap also bounds the work on texts that are no names.
  if (name.length > 200) return undefined;
  const listed = findListed(name);
  if (listed !== undefined) return isException(listed) ? undefined : listed;
  if (/^(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+$/.test(name)) return name;
  return findOrLater(name) ?? findAbbreviated(name) ?? findSpelling(name) ?? findUrl(name);
}

/** The listed exception, for the right side of WITH. */
export function findException(name: string): string | undefined {
  const listed = findListed(name);
  return listed !== undefined && isException(listed) ? listed : undefined;
}

export function isListedLicence(name: string): boolean {
  return isSupportedSpdxId(name) && !isException(name);
}

function findListed(name: string): string | undefined {
  const id: unknown = fixupSpdxId(name);
  // The library looks up in a plain object: "constructor" would come back as a function.
  return typeof id === 'string' && isSupportedSpdxId(id) ? id : undefined;
}

/** The list has licences and exceptions side by side; these two sets are where the names do not tell. */
const otherExceptions = new Set([
  'Google-Patent-WebM',
  'GPL-CC-1.0',
  'Linux-syscall-note',
  'LLGPL',
  'SHL-2.0',
  'SHL-2.1',
]);
const licencesNamedException = new Set(['CAL-1.0-Combined-Work-Exception', 'MPL-2.0-no-copyleft-exception']);

function isException(id: string): boolean {
  if (otherExceptions.has(id)) return true;
  return /exception/i.test(id) && !/-with-/.test(id) && !licencesNamedException.has(id);
}

/** `Apache-2.0+`; the ids of the GNU licences say it themselves. */
function findOrLater(name: string): string | undefined {
  if (!name.endsWith('+')) return undefined;
  const id = findListed(name.slice(0, -1));
  return id === undefined || isException(id) || /-(?:only|or-later)$|\+$/.test(id) ? undefined : `${id}+`;
}

/** `Mozilla Public License 2.0 (MPL 2.0)`: both must mean the same, since `MIT (BSD)` or `GPLv2 (parts)` say more. */
function findAbbreviated(name: string): string | undefined {
  const open = name.lastIndexOf('(');
  if (open <= 0 || !name.endsWith(')')) return undefined;
  const outside = findLicence(name.slice(0, open).trim());
  return outside !== undefined && outside === findLicence(name.slice(open + 1, -1).trim()) ? outside : undefined;
}

function findSpelling(name: string): string | undefined {
  const plain = spell(name);
  return findGnu(name, plain) ?? spellings.get(plain) ?? findHyphenated(name, plain);
}

/** One spelling for what differs only in case, quotes, hyphens, "the", "license", "version" and "or later". */
function spell(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/["',]|\.$/g, '')
      .replace(/[\s_-]+/g, ' ')
      .replace(/\blicen[cs]e\b/g, '')
      .replace(/\b(?:version|ver\.?) ?(?=\d)/g, '')
      .replace(/(?<![a-z])v\.? ?(?=\d)|(?<=[a-z])v?(?=\d)/g, ' ')
      .replace(/\(>= ?(\d(?:\.\d)?)\)/, '$1+')
      .replace(/ or (?:any )?(?:later|newer)(?: versions?)? *$/, '+')
      // R packages keep the copyright line in a file of its own.
      .replace(/ \+ file *$/, '')
      .replace(/ +/g, ' ')
      .trim()
      .replace(/^the /, '')
      .replace(/ (?=\+)/, '')
  );
}

const gnu =
  /^(?:gnu )?(gpl|general public|lgpl|lesser general public|library general public|agpl|affero general public|gfdl|gfdl niv|free documentation) (\d)(\.\d)?(\+| only)?$/;

const gnuFamilies = new Map([
  ['gpl', 'GPL'],
  ['general public', 'GPL'],
  ['lgpl', 'LGPL'],
  ['lesser general public', 'LGPL'],
  ['library general public', 'LGPL'],
  ['agpl', 'AGPL'],
  ['affero general public', 'AGPL'],
  ['gfdl', 'GFDL'],
  ['gfdl niv', 'GFDL'],
  ['free documentation', 'GFDL'],
]);

function findGnu(name: string, plain: string): string | undefined {
  const [, words = '', major, minor = '.0', suffix] = gnu.exec(plain) ?? [];
  if (major === undefined) return undefined;
  const version = `${major}${minor}`;
  // "Lesser" began with 2.1 and "Library" ended with 2.0: of the short names only Debian's spelling tells them apart.
  if (words.startsWith('l') && version === '2.0' && !/^lgpl-2\b|library/i.test(name)) return undefined;
  const variant = words === 'gfdl niv' ? '-no-invariants' : '';
  return findListed(`${gnuFamilies.get(words)}-${version}${variant}${suffix === '+' ? '-or-later' : '-only'}`);
}

/** `apache 2` is `Apache-2.0`, when the list has no other 2.x. */
function findHyphenated(name: string, plain: string): string | undefined {
  // "Intel License" could be any of several; only one of them has the id `Intel`.
  if (/\blicen[cs]e/i.test(name) && !/\d/.test(plain)) return undefined;
  const hyphenated = plain.replaceAll(' ', '-');
  const id = findListed(hyphenated);
  if (id !== undefined) return isException(id) ? undefined : id;
  if (!/-\d$/.test(hyphenated)) return undefined;
  const others = [1, 2, 3, 4, 5, 6, 7, 8, 9].some((minor) => findListed(`${hyphenated}.${minor}`) !== undefined);
  return others ? undefined : findListed(`${hyphenated}.0`);
}

/** Names that the rules above do not reach: the SPDX id and other names for it. */
const spellings: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '0BSD': ['Zero-Clause BSD', 'BSD Zero Clause'],
    'AFL-3.0': ['Academic Free License 3.0'],
    'Apache-1.0': ['ASL 1.0', 'Apache Software License 1.0'],
    'Apache-1.1': ['ASL 1.1', 'Apache Software License 1.1'],
    'Apache-2.0': ['ASL 2', 'ASL 2.0', 'Apache Software License 2', 'Apache Software License 2.0'],
    'BlueOak-1.0.0': ['Blue Oak Model License 1.0.0'],
    'BSD-2-Clause': ['BSD 2', '2-Clause BSD', 'Simplified BSD'],
    // The Eclipse Distribution License is this text.
    'BSD-3-Clause': [
      'BSD 3',
      '3-Clause BSD',
      'New BSD',
      'Modified BSD',
      'Revised BSD',
      'Eclipse Distribution License 1.0',
    ],
    'BSD-4-Clause': ['BSD 4', '4-Clause BSD', 'Original BSD'],
    'BSL-1.0': ['Boost', 'Boost Software License', 'Boost Software License 1.0'],
    'CC0-1.0': [
      'CC0',
      'CC0 1.0',
      'CC0 1.0 Universal',
      'CC0 1.0 Universal (CC0 1.0) Public Domain Dedication',
      'Creative Commons Zero 1.0 Universal',
    ],
    'CDDL-1.0': ['Common Development and Distribution License 1.0'],
    'CDDL-1.1': ['Common Development and Distribution License 1.1'],
    'CPL-1.0': ['Common Public License 1.0'],
    'ECL-2.0': ['Educational Community License 2.0'],
    'EPL-1.0': ['Eclipse Public License 1.0'],
    'EPL-2.0': ['Eclipse Public License 2.0', 'Eclipse Public License 2'],
    'EUPL-1.1': ['European Union Public Licence 1.1'],
    'EUPL-1.2': ['European Union Public Licence 1.2'],
    Fair: ['Fair License'],
    // Fedora's sign for "any version".
    'GPL-1.0-or-later': ['GPL+'],
    ISC: ['ISC License', 'ISC License (ISCL)'],
    MIT: ['Expat', 'Expat License', 'MIT License'],
    'MIT-0': ['MIT No Attribution'],
    'MPL-1.0': ['Mozilla Public License 1.0'],
    'MPL-1.1': ['Mozilla Public License 1.1'],
    'MPL-2.0': ['Mozilla Public License 2.0', 'Mozilla Public License 2'],
    NCSA: ['University of Illinois/NCSA Open Source License'],
    'OFL-1.1': ['SIL Open Font License 1.1'],
    OpenSSL: ['OpenSSL License'],
    PostgreSQL: ['PostgreSQL License'],
    'PSF-2.0': ['Python Software Foundation License 2', 'Python Software Foundation License 2.0'],
    Ruby: ['Ruby License'],
    'UPL-1.0': ['Universal Permissive License 1.0'],
    Vim: ['Vim License'],
    X11: ['X11 License'],
    Zlib: ['zlib License', 'zlib/libpng License'],
  }).flatMap(([id, names]) => names.map((name): [string, string] => [spell(name), id])),
);

/** Pages that stand for one licence: host and path in lower case, and the id that they name. */
const pages: ReadonlyArray<readonly [RegExp, string]> = [
  [
    /^(?:spdx\.org\/licenses|opensource\.org\/licenses?|licenses\.nuget\.org)\/([a-z0-9.+-]+?)(?:\.(?:html?|php|txt))?$/,
    '$1',
  ],
  [/^apache\.org\/licenses\/license-(\d\.\d)(?:\.(?:html|txt))?$/, 'apache-$1'],
  [/^mozilla\.org\/(?:[a-z-]+\/)?mpl\/(\d\.\d)$/, 'mpl-$1'],
  [/^eclipse\.org\/(?:legal|org\/documents)\/epl-v?([12])\.?0(?:\.(?:html|php|txt))?$/, 'epl-$1.0'],
  [/^creativecommons\.org\/publicdomain\/zero\/1\.0(?:\/legalcode)?$/, 'cc0-1.0'],
  [/^creativecommons\.org\/licenses\/([a-z-]+)\/(\d\.\d)(?:\/legalcode)?$/, 'cc-$1-$2'],
];

function findUrl(name: string): string | undefined {
  if (!/^https?:\/\//i.test(name)) return undefined;
  const page = name
    .toLowerCase()
    .replace(/^https?:\/\/(?:www\.)?/, '')
    .replace(/\/$/, '');
  for (const [pattern, id] of pages) {
    // What the page is called may again be a spelling: opensource.org has `mit-license.php` and `apache2.0.php`.
    if (pattern.test(page)) return findLicence(page.replace(pattern, id));
  }
  return undefined;
}
