import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eachStanza, fieldOf, type Stanza } from '../../../src/catalog/dpkg/control.ts';
import { parseCopyright } from '../../../src/catalog/dpkg/copyright.ts';
import { listedPaths } from '../../../src/catalog/dpkg/file-list.ts';
import { locateDpkg, locateOpkg } from '../../../src/catalog/dpkg/layout.ts';
import { parseMaintainer } from '../../../src/catalog/dpkg/maintainer.ts';
import { parseRelations, relationsOf } from '../../../src/catalog/dpkg/relations.ts';

describe('control data', () => {
  const parse = (text: string | Uint8Array) => {
    const stanzas: Stanza[] = [];
    const bytes = typeof text === 'string' ? Buffer.from(text) : Buffer.from(text);
    const { stray, isCut } = eachStanza(bytes, (stanza) => stanzas.push(stanza));
    return { stanzas, stray, isCut };
  };

  test('reads 200,000 stanzas, and says when there are more', () => {
    expect(parse('A:\n\n'.repeat(200_000))).toMatchObject({ isCut: false, stray: 0 });
    const more = parse('A:\n\n'.repeat(200_001));
    expect([more.stanzas.length, more.isCut]).toEqual([200_000, true]);
  });

  test('leaves out a value of more than a mebibyte, and says of which field', () => {
    const [stanza] = parse(`A: 1\nDepends: ${'x'.repeat(2 ** 20)}\nB: 2\n`).stanzas;
    expect([...stanza!.oversized]).toEqual(['depends']);
    expect([fieldOf(stanza!, 'a'), fieldOf(stanza!, 'depends'), fieldOf(stanza!, 'b')]).toEqual(['1', undefined, '2']);
  });

  test('counts the fields of a stanza beyond the 200th as lines that it did not read', () => {
    const text = Array.from({ length: 205 }, (_, at) => `f${at}: 1\n`).join('');
    const { stanzas, stray } = parse(`${text}f0: again\n`);
    expect([stanzas[0]!.fields.size, stray, [...stanzas[0]!.repeated]]).toEqual([200, 6, []]);
  });

  test('reads each part of a field as UTF-8 or Latin-1 on its own', () => {
    const bytes = Buffer.concat([Buffer.from('A: ü\n'), Buffer.from(' ü\n', 'latin1'), Buffer.from('B: ü')]);
    const [stanza] = parse(bytes).stanzas;
    expect([stanza!.fields.get('a'), fieldOf(stanza!, 'b')]).toEqual(['ü\n ü', 'ü']);
  });

  test('fields, continuation lines and stanzas', () => {
    const { stanzas, stray } = parse('Package: a\r\nText: one\r\n two\r\n .\r\n\r\n\r\nPACKAGE : b\nEmpty:\n');
    expect(stray).toBe(0);
    expect(stanzas.map(({ fields }) => [...fields])).toEqual([
      [
        ['package', 'a'],
        ['text', 'one\n two\n .'],
      ],
      [
        ['package', 'b'],
        ['empty', ''],
      ],
    ]);
    expect(fieldOf(stanzas[0]!, 'text')).toBe('one');
    expect(fieldOf(stanzas[1]!, 'empty')).toBeUndefined();
  });

  test('a line of blanks continues a field and does not end the stanza', () => {
    expect(parse('Package: a\n  \nVersion: 1\n').stanzas).toHaveLength(1);
  });

  test('counts lines that belong to nothing, with what continues them', () => {
    expect(parse(' lost\nno colon\n at all\nPackage: a').stray).toBe(3);
  });

  test('keeps the first of repeated fields and says which', () => {
    const [stanza] = parse('A: 1\na: 2\n').stanzas;
    expect([fieldOf(stanza!, 'a'), [...stanza!.repeated]]).toEqual(['1', ['a']]);
  });

  test('reads a line that is not UTF-8 as Latin-1, and the others as UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('A: \u00e9\r\nB: '), Buffer.from([0xe9, 0x0a])]);
    const [stanza] = parse(bytes).stanzas;
    expect([fieldOf(stanza!, 'a'), fieldOf(stanza!, 'b')]).toEqual(['\u00e9', '\u00e9']);
  });

  test('never throws, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void parse(bytes).stanzas.length));
  });
});

describe('relations', () => {
  test('parses alternatives, architectures and restrictions', () => {
    expect(parseRelations('libc6 (>= 2.34), a:any | b:i386 (= 1)|c [amd64] <!x>,, python3:native\n , d')).toEqual([
      [{ name: 'libc6' }],
      [{ name: 'a' }, { name: 'b', architecture: 'i386' }, { name: 'c' }],
      [{ name: 'python3' }],
      [{ name: 'd' }],
    ]);
  });

  const pack = (name: string, architecture: string, depends = '', provides = '') => ({
    ...{ name, architecture, depends: [depends], provides },
  });
  const needed = (of: ReturnType<typeof pack>, others: ReturnType<typeof pack>[]) => {
    const { packages, complete } = relationsOf([of, ...others])(of);
    return { names: [...packages].map(({ name, architecture }) => `${name}:${architecture}`), complete };
  };

  test('takes the first alternative that is installed', () => {
    const others = [pack('b', 'amd64'), pack('c', 'amd64')];
    expect(needed(pack('x', 'amd64', 'a | b | c'), others)).toEqual({ names: ['b:amd64'], complete: true });
  });

  test('takes all installed packages that provide a name, unless a package has it', () => {
    const mailers = [pack('exim', 'amd64', '', 'mta (= 1)'), pack('postfix', 'amd64', '', 'mta, smtpd')];
    expect(needed(pack('x', 'amd64', 'mta'), mailers).names).toEqual(['exim:amd64', 'postfix:amd64']);
    expect(needed(pack('x', 'amd64', 'mta'), [...mailers, pack('mta', 'all')]).names).toEqual(['mta:all']);
  });

  test('prefers the own architecture, then all; an architecture that is asked for is asked for', () => {
    const libraries = [pack('libc6', 'amd64'), pack('libc6', 'i386')];
    expect(needed(pack('x', 'i386', 'libc6'), libraries).names).toEqual(['libc6:i386']);
    expect(needed(pack('x', 'all', 'libc6'), libraries).names).toEqual(['libc6:amd64']);
    expect(needed(pack('x', 'amd64', 'libc6:i386'), libraries).names).toEqual(['libc6:i386']);
    expect(needed(pack('x', 'amd64', 'libc6:arm64'), libraries)).toEqual({ names: [], complete: false });
  });

  test('says when something is missing; what a package provides itself is not', () => {
    expect(needed(pack('x', 'amd64', 'ghost | spirit, y'), [pack('y', 'all')])).toEqual({
      names: ['y:all'],
      complete: false,
    });
    expect(needed(pack('x', 'amd64', 'self', 'self'), [])).toEqual({ names: [], complete: true });
  });

  test('bounds how many providers of one name are taken, and says that there are more', () => {
    const crowd = Array.from({ length: 200 }, (_, index) => pack(`p${index}`, 'all', '', 'v'));
    const { names, complete } = needed(pack('x', 'all', 'v'), crowd);
    expect([names.length, complete]).toEqual([32, false]);
  });
});

describe('copyright', () => {
  const licenses = (text: string) => parseCopyright(Buffer.from(text));

  test('machine-readable: the short names of header and Files stanzas, once each, in order', () => {
    const text =
      'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nLicense: GPL-2+\n\n' +
      'Files: *\nCopyright: a\nLicense: GPL-2+ or  Artistic\n text\n\nFiles: debian/*\nLicense: MIT\n\n' +
      'Files: b\nLicense: MIT\n\nLicense: BSD-3-clause\n text only\n';
    expect(licenses(text)).toEqual(['GPL-2+', 'GPL-2+ or Artistic', 'MIT']);
  });

  test('a licence text without a short name is not taken for one', () => {
    expect(licenses('Format: x\n\nFiles: *\nLicense:\n Permission is granted\n')).toEqual([]);
  });

  test('prose: what it points at, without the full stop', () => {
    const text =
      "see '/usr/share/common-licenses/GPL-2', /usr/share/common-licenses/LGPL-2.1.\nor /usr/share/common-licenses/GPL-2\n" +
      'in /usr/share/common-licenses/.\n';
    expect(licenses(text)).toEqual(['GPL-2', 'LGPL-2.1']);
    expect(licenses('This is free software.\n')).toEqual([]);
  });
});

describe('lists of files', () => {
  const paths = (text: string, format: 'dpkg' | 'opkg' | 'md5sums') => [...listedPaths(Buffer.from(text), format)];

  test('directories, which the next line continues, are left out', () => {
    expect(paths('/.\n/usr\n/usr/bin\n/usr/bin/a\n/usr/bin/ab\n/usr/share\n/usr/share/doc\n', 'dpkg')).toEqual([
      ...['/usr/bin/a', '/usr/bin/ab', '/usr/share/doc'],
    ]);
  });

  test('each format has its own columns', () => {
    expect(paths('/a\tb\n', 'dpkg')).toEqual(['/a\tb']);
    expect(paths('/a\t0120777\t/b\n', 'opkg')).toEqual(['/a']);
    const sum = '07d31e7e63800ab1b7966980709c51eb';
    expect(paths(`${sum}  a b\nrubbish\n${sum} *c\n`, 'md5sums')).toEqual(['a b', 'c']);
  });
});

describe('places', () => {
  test.each([
    ['var/lib/dpkg/status', 'status', '', 'status'],
    ['usr/lib/dpkg/status', 'status', '', 'status'],
    ['usr/lib/sysimage/lib/dpkg/status', 'status', '', 'status'],
    ['opt/chroot/var/lib/dpkg/status', 'status', 'opt/chroot', 'status'],
    ['var/lib/machines/x/var/lib/dpkg/status', 'status', 'var/lib/machines/x', 'status'],
    ['var/lib/dpkg/status.d/libc6.md5sums', 'status.d', '', 'libc6'],
    ['var/lib/dpkg/info/libc6:amd64.list', 'list', '', 'libc6:amd64'],
    ['var/lib/dpkg/updates/0001', 'journal', '', '0001'],
    ['c/usr/share/doc/a/copyright', 'copyright', 'c', 'a'],
  ])('%s', (path, role, root, stem) => {
    expect(locateDpkg(path)).toEqual({ role, root, stem });
  });

  test.each([
    'var/lib/dpkg/status-old',
    'var/lib/dpkg/info/a.postinst',
    'var/lib/dpkg/status.d/a/b',
    'var/xlib/dpkg/status',
  ])('%s is none', (path) => expect(locateDpkg(path)).toBeUndefined());

  test('opkg', () => {
    expect(locateOpkg('opt/lib/opkg/info/a.control')).toEqual({ role: 'control', root: '', stem: 'a' });
    expect(locateOpkg('mnt/usb/usr/lib/opkg/status')).toEqual({ role: 'status', root: 'mnt/usb', stem: 'status' });
  });
});

test.each([
  ['Ada Lovelace <ada@example.org>', { name: 'Ada Lovelace', email: 'ada@example.org' }],
  ['"Ada, L." <ada@example.org>', { name: 'Ada, L.', email: 'ada@example.org' }],
  ['<ada@example.org>', { name: 'ada@example.org', email: 'ada@example.org' }],
  ['Ada', { name: 'Ada' }],
  ['NoName <NOMAIL>', { name: 'NoName' }],
  ['Ada <ada', { name: 'Ada <ada' }],
  ['<>', undefined],
  [' ', undefined],
  [undefined, undefined],
])('maintainer %j', (text, party) => {
  expect(parseMaintainer(text)).toEqual(party);
});
