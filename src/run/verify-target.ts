/**
 * TARGET of `verify`: a digest, a file or an image.
 *
 *     sha256:9f86…  gitCommit:1b2c…     only the digest; nothing is read
 *     ./release.tar.gz  file:x.tgz      the file, by its own digest
 *     oci:DIR[:TAG|@DIGEST]  ./DIR  oci-archive:FILE  docker-archive:FILE     an image with what is attached to it
 *
 * A path to a file always stands for the file itself. Were an archive recognised by its content, whoever wrote it would
 * choose what is verified: an image that somebody signed long ago, packed under the name of a release, would pass.
 */
import path from 'node:path';
import { OperationalError, quoted } from '../diag/index.ts';
import type { Disk } from '../io/index.ts';
import { parseTarget, pinOf } from '../sources/target.ts';

export type VerifyTarget =
  | { readonly kind: 'digest'; readonly requested: string; readonly algorithm: string; readonly value: string }
  | { readonly kind: 'file'; readonly requested: string; readonly file: string }
  | { readonly kind: 'image'; readonly requested: string };

/** What the target is wanted for: the words for what cannot be one depend on it. */
type Purpose = 'verify' | 'attest';

/** Throws OperationalError: usage, not-found, unsupported. */
export async function openTarget(requested: string, disk: Disk, purpose: Purpose = 'verify'): Promise<VerifyTarget> {
  const digest = parseDigestTarget(requested);
  if (digest !== undefined) return digest;
  const target = parseTarget(requested);
  switch (target.kind) {
    case 'file':
      return fileTarget(requested, target.rest, disk, purpose);
    case 'path':
      return openPath(requested, disk, purpose);
    case 'oci':
    case 'oci-archive':
    case 'docker-archive':
      return { kind: 'image', requested };
    case 'dir':
      throw nothingSigned(target.rest, purpose);
    case 'registry':
      throw await notOnDisk(requested, disk, purpose);
    default:
      throw new OperationalError('usage', `${quoted(requested)} cannot be verified: tidewaiter reads images on disk`, {
        hints: ['save the image first, for example: cosign save --dir DIR NAME, and verify oci:DIR'],
      });
  }
}

/** Hex digits of the digests that signatures are made over. */
const hexLengths: ReadonlyMap<string, readonly number[]> = new Map([
  ['sha256', [64]],
  ['sha384', [96]],
  ['sha512', [128]],
  ['gitCommit', [40, 64]],
  ['gitTree', [40, 64]],
]);

/** Undefined for what is no digest. Throws OperationalError of code usage for one that is wrong. */
export function parseDigestTarget(text: string): VerifyTarget | undefined {
  const colon = text.indexOf(':');
  const algorithm = text.slice(0, Math.max(0, colon));
  const lengths = hexLengths.get(algorithm);
  if (lengths === undefined) return undefined;
  const value = text.slice(colon + 1);
  if (lengths.includes(value.length) && /^[0-9a-f]*$/.test(value)) {
    return { kind: 'digest', requested: text, algorithm, value };
  }
  const wrong = /^[0-9a-fA-F]*$/.test(value)
    ? lengths.includes(value.length)
      ? 'has upper-case digits'
      : `has ${value.length} digits`
    : 'has characters that are no hexadecimal digits';
  throw new OperationalError('usage', `${quoted(text)} is no ${algorithm} digest: it ${wrong}`, {
    hints: [`write ${algorithm}: and ${lengths.join(' or ')} lower-case hexadecimal digits, all of them`],
  });
}

async function openPath(requested: string, disk: Disk, purpose: Purpose): Promise<VerifyTarget> {
  // No file or directory of that name can stand in for the image that is pinned.
  if (pinOf(requested) !== undefined) return { kind: 'image', requested };
  const there = await disk.stat(requested);
  if (there === undefined) {
    // `./layout:tag` and `./layout@sha256:…`; what is neither is told by whoever opens images.
    const place = requested.replace(/[:@].*$/, '');
    const inside = place === requested ? undefined : await disk.stat(place);
    if (inside?.kind === 'directory') return { kind: 'image', requested };
    throw noFile(requested);
  }
  if (there.kind !== 'directory') return fileTarget(requested, requested, disk, purpose);
  const index = await disk.stat(path.join(requested, 'index.json'));
  if (index === undefined) throw nothingSigned(requested, purpose);
  return { kind: 'image', requested };
}

async function fileTarget(requested: string, file: string, disk: Disk, purpose: Purpose): Promise<VerifyTarget> {
  const there = await disk.stat(file);
  if (there === undefined) throw noFile(file);
  if (there.kind === 'directory') throw nothingSigned(file, purpose);
  return { kind: 'file', requested, file };
}

function noFile(file: string): OperationalError {
  return new OperationalError('not-found', `there is no file or directory ${quoted(file)}`, {
    hints: ['check the path: relative ones start at the current directory'],
  });
}

function nothingSigned(directory: string, purpose: Purpose): OperationalError {
  if (purpose === 'attest') {
    const message = `${quoted(directory)} is a directory, and no image layout: it has no digest that a statement could be about`;
    return new OperationalError('usage', message, {
      hints: ['pack it into one file, or give the directory of an OCI layout (it holds index.json)'],
    });
  }
  return new OperationalError('usage', `${quoted(directory)} is a directory, and no image layout: nobody can sign it`, {
    hints: [
      'give the file that was signed, or the directory of an OCI layout (it holds index.json)',
      'verify all bundles in a directory with --bundles DIR and no target',
    ],
  });
}

async function notOnDisk(requested: string, disk: Disk, purpose: Purpose): Promise<OperationalError> {
  const verb = purpose === 'attest' ? 'attest' : 'verify';
  const weak = /^(sha1|md5|sha224):[0-9a-fA-F]*$/.exec(requested)?.[1];
  if (weak !== undefined) {
    return new OperationalError('usage', `${quoted(requested)}: nothing is signed by its ${weak} digest`, {
      hints: [
        'give sha256:HEX, sha384:HEX or sha512:HEX, or the file itself as ./FILE',
        ...(weak === 'sha1' ? ['a commit is written as gitCommit:HEX'] : []),
      ],
    });
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(requested)) {
    return new OperationalError('usage', `${quoted(requested)} is an address, and nothing is fetched`, {
      hints: [`download it first, for example with curl -LO, and ${verb} ./FILE`],
    });
  }
  const there = await disk.stat(requested);
  if (there !== undefined) {
    return new OperationalError('usage', `${quoted(requested)} is read as the name of an image in a registry`, {
      hints: [`write ${quoted(`./${requested}`)} for the ${there.kind} that lies here`],
    });
  }
  if (purpose === 'attest') {
    const message = `${quoted(requested)} is not on disk, and statements about a registry cannot be made yet`;
    return new OperationalError('usage', message, {
      hints: [
        'give its digest as sha256:HEX, or copy it first: skopeo copy docker://NAME oci:DIR:TAG',
        'a file here is written with ./ before it, or as file:PATH',
      ],
    });
  }
  return new OperationalError('usage', `${quoted(requested)} is in a registry: tidewaiter verifies what is on disk`, {
    hints: [
      'save the image with its signatures first, for example: cosign save --dir DIR NAME, and verify oci:DIR',
      'a file here is written with ./ before it, or as file:PATH; a digest as sha256:HEX',
    ],
  });
}
