/**
 * Content that a diff does not show: binary files, and pointers to files that git-lfs keeps elsewhere.
 *
 *     version https://git-lfs.github.com/spec/v1
 *     oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
 *     size 12345
 *
 * https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md. Git-lfs takes a file of at most 1024 bytes for a pointer whose
 * first line names one of its three specifications; we take anything that could be meant as one.
 */
import { isUtf8 } from 'node:buffer';
import { quoted } from '../../diag/index.ts';
import type { Draft } from './findings.ts';

/** For content that `readContent` calls binary. */
export function judgeBinary(path: string, bytes: Buffer, isNew: boolean): Draft {
  const medium = findMedium(path, bytes);
  const verb = isNew ? 'added' : 'changed';
  if (medium !== undefined) return opaque('note', `${medium} ${verb}, of ${bytes.length} bytes`);
  return opaque('risk', `a binary file ${verb}, of ${bytes.length} bytes: a diff shows nothing of it`);
}

/** Images and fonts, by their first bytes and the ending of their name: under another name the same bytes may be run. */
export function findMedium(path: string, bytes: Buffer): string | undefined {
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  const medium = media.find(({ endings }) => endings.includes(ending));
  if (medium?.starts.some((start) => hasAt(bytes, start)) !== true) return undefined;
  // No real one is text up to a NUL that somebody put there: programs that begin like a medium are.
  return isUtf8(bytes) ? undefined : medium.name;
}

export function judgePointer(bytes: Buffer): Draft | undefined {
  const head = bytes.toString('latin1', 0, 1024).trimStart();
  if (!head.startsWith('version ') || !/git-media|hawser|git-lfs/.test(head.slice(0, 200))) return undefined;
  const why = brokenPointer(bytes.toString('latin1', 0, 2048), bytes.length);
  if (why !== undefined) return opaque('risk', `a git-lfs pointer that is not as git-lfs writes it: ${why}`);
  const [oid, size] = [/^oid (.*)$/m.exec(head)?.[1] ?? '', /^size (.*)$/m.exec(head)?.[1] ?? ''];
  return opaque('risk', `the content is kept by git-lfs, out of this repository: ${oid}, ${size} bytes`);
}

export function opaque(weight: Draft['weight'], message: string): Draft {
  return { rule: 'opaque-content', weight, message };
}

const specifications: readonly string[] = [
  'version https://git-lfs.github.com/spec/v1',
  'version https://hawser.github.com/spec/v1',
  'version http://git-media.io/v/2',
];

const pointerLine =
  /^(?:ext-[0-9]-[!-~]{1,64} sha256:[0-9a-f]{64}|oid sha256:[0-9a-f]{64}|size (?:0|[1-9][0-9]{0,18}))$/;

function brokenPointer(text: string, length: number): string | undefined {
  if (length > 1024) return `it has ${length} bytes, and git-lfs reads at most 1024`;
  if (!text.endsWith('\n')) return 'it does not end with a line feed';
  const [version = '', ...lines] = text.slice(0, -1).split('\n');
  if (!specifications.includes(version)) return `its first line is ${quoted(version, 80)}`;
  const keys = lines.map((line) => line.slice(0, line.indexOf(' ')));
  const wrong = lines.find((line) => !pointerLine.test(line));
  if (wrong !== undefined) return `a line is ${quoted(wrong, 80)}`;
  if (!keys.includes('oid') || !keys.includes('size')) return 'it names no oid or no size';
  if (keys.some((key, index) => index > 0 && keys[index - 1]! >= key)) return 'its lines are not in order';
  return undefined;
}

interface Medium {
  readonly name: string;
  readonly endings: readonly string[];
  /** Octets, as Latin-1, with the place where they stand. */
  readonly starts: readonly (readonly [number, string])[];
}

const media: readonly Medium[] = [
  { name: 'a PNG image', endings: ['png', 'apng'], starts: [[0, '\x89PNG\r\n\x1a\n']] },
  { name: 'a JPEG image', endings: ['jpg', 'jpeg'], starts: [[0, '\xff\xd8\xff']] },
  {
    name: 'a GIF image',
    endings: ['gif'],
    starts: [
      [0, 'GIF87a'],
      [0, 'GIF89a'],
    ],
  },
  { name: 'a WebP image', endings: ['webp'], starts: [[8, 'WEBP']] },
  {
    name: 'an AVIF image',
    endings: ['avif'],
    starts: [
      [4, 'ftypavif'],
      [4, 'ftypavis'],
    ],
  },
  {
    name: 'an icon',
    endings: ['ico', 'cur'],
    starts: [
      [0, '\0\0\x01\0'],
      [0, '\0\0\x02\0'],
    ],
  },
  { name: 'an icon', endings: ['icns'], starts: [[0, 'icns']] },
  { name: 'a font', endings: ['woff'], starts: [[0, 'wOFF']] },
  { name: 'a font', endings: ['woff2'], starts: [[0, 'wOF2']] },
  {
    name: 'a font',
    endings: ['ttf', 'otf', 'ttc'],
    starts: [
      [0, '\0\x01\0\0'],
      [0, 'OTTO'],
      [0, 'true'],
      [0, 'ttcf'],
    ],
  },
];

function hasAt(bytes: Buffer, [at, octets]: readonly [number, string]): boolean {
  return bytes.toString('latin1', at, at + octets.length) === octets;
}
