/** What Go's archive/tar and GNU tar see in the same archives: the first is what container runtimes unpack with. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodePath, TarReader } from '../../src/archive/index.ts';
import { OperationalError } from '../../src/diag/index.ts';
import { base256, directory, entry, file, gnuLong, hardlink, octal, type Part, pax, symlink, tar } from '../kit/tar.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const temporary = temporaryDirectory();
const hasGo = spawnSync('go', ['version']).status === 0;
const hasGnuTar = spawnSync('tar', ['--version']).stdout?.toString().includes('GNU tar') === true;

interface Seen {
  readonly name: string;
  readonly kind: string;
  readonly link: string;
  readonly content: string;
}

type Listing = readonly Seen[] | 'refused';

/** Every member, or that the archive was refused. */
function ours(archive: Buffer): Listing {
  const seen: Seen[] = [];
  const reader = new TarReader(
    {
      entry: ({ name, type, link }) => {
        const pieces: Buffer[] = [];
        return {
          chunk: (bytes) => pieces.push(Buffer.from(bytes)),
          end: () => {
            const isLink = type === 'symlink' || type === 'hardlink';
            seen.push({ name, kind: type, link: isLink ? link : '', content: Buffer.concat(pieces).toString('hex') });
          },
        };
      },
    },
    { headerBytes: 1024 * 1024 },
  );
  try {
    reader.push(archive);
    reader.end();
  } catch (error) {
    if (error instanceof OperationalError) return 'refused';
    throw error;
  }
  return seen;
}

const goProgram = `package main

import (
	"archive/tar"
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
)

// One archive a line in base64; for each a line of JSON-free fields: members separated by '|', or "refused".
func main() {
	scanner := bufio.NewScanner(os.Stdin)
	scanner.Buffer(nil, 1<<26)
	for scanner.Scan() {
		fmt.Println(list(scanner.Text()))
	}
}

func list(line string) string {
	reader := tar.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(line)))
	var members []string
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return strings.Join(members, "|")
		}
		if err != nil {
			return "refused"
		}
		if header.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			return "refused"
		}
		link := ""
		if header.Typeflag == tar.TypeLink || header.Typeflag == tar.TypeSymlink {
			link = header.Linkname
		}
		members = append(members, strings.Join([]string{
			hex.EncodeToString([]byte(header.Name)), fmt.Sprint(header.Typeflag),
			hex.EncodeToString([]byte(link)), hex.EncodeToString(content)}, ","))
	}
}
`;

const kinds: Readonly<Record<string, string>> = {
  '48': 'file',
  '55': 'file',
  '49': 'hardlink',
  '50': 'symlink',
  '51': 'device',
  '52': 'device',
  '53': 'directory',
  '54': 'fifo',
  '83': 'sparse',
};

function fromGo(line: string): Listing {
  if (line === 'refused') return line;
  return line
    .split('|')
    .filter(Boolean)
    .map((member) => {
      const [name = '', kind = '', link = '', content = ''] = member.split(',');
      const text = (hex: string) => decodePath(Buffer.from(hex, 'hex'));
      return { name: text(name), kind: kinds[kind] ?? 'unknown', link: text(link), content };
    });
}

describe.skipIf(!hasGo)('beside Go (needs go)', () => {
  let program = '';
  const ask = (archives: readonly Buffer[]): readonly Listing[] => {
    const input = archives.map((archive) => archive.toString('base64')).join('\n');
    const lines = execFileSync(program, { input: `${input}\n`, maxBuffer: 1 << 28 })
      .toString()
      .split('\n');
    return archives.map((_, at) => fromGo(lines[at]!));
  };

  beforeAll(() => {
    const source = path.join(temporary, 'golist');
    mkdirSync(source);
    writeFileSync(path.join(source, 'main.go'), goProgram);
    writeFileSync(path.join(source, 'go.mod'), 'module golist\n\ngo 1.20\n');
    program = path.join(temporary, 'golist.bin');
    execFileSync('go', ['build', '-o', program, '.'], { cwd: source, env: { ...process.env, GOFLAGS: '-mod=mod' } });
  });

  const long = 'l/'.repeat(80);
  const cases: Readonly<Record<string, Buffer>> = {
    'right members': tar([directory('d/'), file('d/a', 'x'), symlink('s', 'd'), hardlink('h', 'd/a')]),
    'GNU long name over PAX path': tar([gnuLong('L', `${long}g`), pax([['path', `${long}p`]]), file('a')]),
    'PAX path, then GNU long name': tar([pax([['path', `${long}p`]]), gnuLong('L', `${long}g`), file('a')]),
    'two long names': tar([gnuLong('L', 'one'), gnuLong('L', 'two'), file('a')]),
    'two PAX headers': tar([pax([['path', 'one']]), pax([['linkpath', 'two']]), symlink('a', 'b')]),
    'a global header between a long name and its member': tar([
      gnuLong('L', 'one'),
      pax([['comment', 'c']], 'g'),
      file('a'),
    ]),
    'a global header between a PAX header and its member': tar([
      pax([['path', 'one']]),
      pax([['a', 'c']], 'g'),
      file('a'),
    ]),
    'a global path': tar([pax([['path', 'one']], 'g'), file('a')]),
    'an empty PAX path': tar([pax([['path', '']]), file('a')]),
    'a PAX size for a directory': tar([pax([['size', '512']]), directory('d'), file('a')]),
    'a size for a link': tar([entry({ name: 'l', type: '2', link: 'x', size: 512 }), file('a')]),
    'an old directory': tar([entry({ name: 'd/', type: '\0', magic: 'v7' }), file('a')]),
    'a file with a slash at the end': tar([file('d/', 'x'), file('a')]),
    'a slash in a PAX name of an old file': tar([pax([['path', 'd/']]), entry({ name: 'x', type: '\0' }), file('a')]),
    'a lone block of zeros': tar([file('a'), Buffer.alloc(512), file('b')]),
    'an end, then more': Buffer.concat([tar([file('a')]), file('b')]),
    'no end': tar([file('a')], Buffer.alloc(0)),
    'no last padding': tar([entry({ name: 'a', content: 'x', unpadded: true })], Buffer.alloc(0)),
    'half a header': tar([file('a')], Buffer.alloc(100, 1)),
    'a base-256 size': tar([entry({ name: 'a', content: 'abc', size: base256(3n, 12) })]),
    'a negative size': tar([entry({ name: 'a', size: Buffer.alloc(12, 0xff) })]),
    'rubbish behind a number': tar([entry({ name: 'a', content: 'abc', size: Buffer.from('0003\0 77 999') })]),
    'spaces before a number': tar([entry({ name: 'a', content: 'abc', size: Buffer.from('   3        ') })]),
    'a wrong checksum': tar([entry({ name: 'a', checksum: octal(1, 8) })]),
    'an unknown kind with content': tar([entry({ name: 'v', type: 'V', content: 'volume' }), file('a')]),
    'names that are not UTF-8': tar([file(Buffer.from([0x61, 0xff, 0xc3, 0x28])), file('a')]),
    'NUL in a PAX path': tar([pax([['path', 'a\0b']]), file('c')]),
    'a prefix': tar([entry({ name: 'b', prefix: 'p' }), entry({ name: 'c', prefix: 'p', magic: 'gnu' })]),
    'a prefix in a GNU header that is no time': tar([
      entry({ name: 'c', prefix: '12345678901\0x', magic: 'gnu' }),
      entry({ name: 'd', prefix: 'ä/b', magic: 'gnu' }),
      entry({ name: 'e', prefix: Buffer.from([0x80, 1, 2, 0x70]), magic: 'gnu' }),
      entry({ name: 'f', prefix: Buffer.concat([Buffer.alloc(12), Buffer.from('x')]), magic: 'gnu' }),
    ]),
    nothing: Buffer.alloc(0),
  };

  it('the same members with the same content', () => {
    const names = Object.keys(cases);
    const seen = ask(Object.values(cases));
    const listed = (all: readonly Listing[]) => Object.fromEntries(names.map((name, at) => [name, all[at]]));
    expect(listed(Object.values(cases).map(ours))).toEqual(listed(seen));
  });

  it('whatever parts an archive is made of: the same, or refused', () => {
    const parts: fc.Arbitrary<Part> = fc.oneof(
      fc.constantFrom(
        file('a', 'x'.repeat(600)),
        file('dir/', 'y'),
        directory('d'),
        symlink('s', 't'),
        hardlink('h', 'a'),
        entry({ name: 'f', type: '7', content: 'z' }),
        entry({ name: 'o/', type: '\0', magic: 'v7' }),
        entry({ name: 'p', type: '6', size: 512 }),
        Buffer.alloc(512),
      ),
      fc
        .constantFrom('L', 'K')
        .chain((type) => fc.string({ maxLength: 120 }).map((text) => gnuLong(type as 'L' | 'K', text))),
      fc
        .tuple(
          fc.array(
            fc.tuple(
              fc.constantFrom('path', 'linkpath', 'size', 'mtime', 'x.y'),
              fc.constantFrom('', '0', '3', 'n/m', 'a\0'),
            ),
          ),
          fc.constantFrom('x' as const, 'g' as const),
        )
        .map(([records, type]) => pax(records, type)),
    );
    const archives = fc
      .sample(fc.array(parts, { maxLength: 6 }), { numRuns: 3000, seed: 20_260_102 })
      .map((all) => tar(all));
    const seen = ask(archives);
    let same = 0;
    for (const [at, archive] of archives.entries()) {
      const mine = ours(archive);
      // What Go refuses (times that are none, for example), no runtime will ever show.
      if (mine === 'refused' || seen[at] === 'refused') continue;
      expect(mine, archive.toString('base64')).toEqual(seen[at]);
      same += 1;
    }
    expect(same).toBeGreaterThan(archives.length / 3);
  });

  it('whichever byte of an archive is changed: the same, or refused', () => {
    const archive = tar([
      pax([['path', 'long']]),
      file('short', 'content'),
      gnuLong('K', 'there'),
      symlink('s', 't'),
      file('b'),
    ]);
    const changed = fc
      .sample(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), { numRuns: 3000, seed: 20_260_102 })
      .map(([at, value]) => {
        const copy = Buffer.from(archive);
        copy[at] = value;
        return copy;
      });
    const seen = ask(changed);
    for (const [at, each] of changed.entries()) {
      const mine = ours(each);
      if (mine !== 'refused' && seen[at] !== 'refused') expect(mine, each.toString('base64')).toEqual(seen[at]);
    }
  });
});

describe.skipIf(!hasGnuTar)('beside GNU tar (needs tar)', () => {
  it.each(['v7', 'oldgnu', 'gnu', 'ustar', 'posix'])('reads what it writes in the format %s', (format) => {
    const place = path.join(temporary, `gnu-${format}`);
    const deep = `${'some-directory/'.repeat(5)}deep`;
    mkdirSync(path.join(place, deep), { recursive: true });
    writeFileSync(path.join(place, deep, 'file-with-a-rather-long-name'), 'content');
    writeFileSync(path.join(place, 'ünïcode'), '');
    execFileSync('ln', ['-s', deep, path.join(place, 'link')]);
    execFileSync('ln', [path.join(place, 'ünïcode'), path.join(place, 'zz-hard')]);
    // The oldest format has no room for the long name: GNU tar leaves that file out and says so with its exit code.
    const archive = spawnSync('tar', ['-c', `--format=${format}`, '--sort=name', '-C', place, '.']).stdout;
    const listed = execFileSync('tar', ['-t', '--quoting-style=literal'], { input: archive })
      .toString()
      .split('\n')
      .filter(Boolean);
    const mine = ours(archive);
    if (mine === 'refused') throw new Error('it was refused');
    expect(mine.map(({ name }) => name)).toEqual(listed);
    const found = mine.find(({ name }) => name.endsWith('long-name'));
    expect(found?.content ?? format).toBe(format === 'v7' ? 'v7' : Buffer.from('content').toString('hex'));
    expect(mine.filter(({ kind }) => kind === 'symlink')).toMatchObject([{ link: deep }]);
    expect(mine.filter(({ kind }) => kind === 'hardlink')).toMatchObject([{ name: './ünïcode', link: './zz-hard' }]);
  });

  it('names its sparse files as sparse, in both forms', () => {
    const place = path.join(temporary, 'sparse');
    mkdirSync(place);
    execFileSync('truncate', ['-s', '5M', path.join(place, 'holes')]);
    writeFileSync(path.join(place, 'plain'), 'x');
    for (const format of ['gnu', 'posix']) {
      const archive = execFileSync('tar', ['-cS', `--format=${format}`, '--sort=name', '-C', place, 'holes', 'plain']);
      const mine = ours(archive);
      if (mine === 'refused') throw new Error('it was refused');
      expect(mine.map(({ name, kind }) => [name, kind])).toEqual([
        ['holes', 'sparse'],
        ['plain', 'file'],
      ]);
    }
  });
});
