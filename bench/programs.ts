/** How tidewaiter and its peers are started on one image. Peers are optional: on PATH, or in TIDEWAITER_PEERS, a folder. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchImage } from './images.ts';
import type { Candidate } from './measure.ts';

export const root = fileURLToPath(new URL('..', import.meta.url));
/** The built program; the same Node as this one runs it. */
export const program = path.join(root, 'dist', 'tidewaiter.cjs');

export const peerNames = ['syft', 'scalibr'] as const;

export function tidewaiter(image: BenchImage, output: string): Candidate {
  const args = ['scan', `oci:${image.layout}`, '-o', `cyclonedx-json=${output}`];
  return { name: 'tidewaiter', command: [process.execPath, program, ...args] };
}

export function floor(image: BenchImage): Candidate {
  return { name: 'floor', command: [process.execPath, path.join(root, 'bench', 'floor.ts'), image.layout] };
}

/** A peer with its defaults, offline; undefined where it is not installed. */
export function peer(name: (typeof peerNames)[number], image: BenchImage, output: string): Candidate | undefined {
  const found = findPeer(name);
  if (found === undefined) return undefined;
  if (name === 'scalibr') {
    const args = ['--offline', '--image-tarball', image.dockerArchive, '-o', `cdx-json=${output}`];
    // It ends with 1 when any of its plugins failed on any file, which on a real image is often.
    return { name, command: [found, ...args], output };
  }
  const args = ['scan', `oci-dir:${image.layout}`, '-o', `cyclonedx-json=${output}`];
  return { name, command: [found, ...args], env: { SYFT_CHECK_FOR_APP_UPDATE: 'false' } };
}

function findPeer(name: string): string | undefined {
  const folders = [process.env['TIDEWAITER_PEERS'] ?? '', ...(process.env['PATH'] ?? '').split(path.delimiter)];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => path.join(folder, name))
    .find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
