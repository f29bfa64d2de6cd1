/** Small files, read whole, none larger than it may be. */
import { OperationalError, quoted } from '../diag/index.ts';
import type { Disk } from '../io/index.ts';

/** Throws OperationalError: not-found, unsupported (no regular file), io, limit. */
export async function readWhole(disk: Disk, file: string, maxBytes: number): Promise<Buffer> {
  const opened = await disk.open(file);
  try {
    if (opened.size > maxBytes) {
      throw new OperationalError(
        'limit',
        `${quoted(file)} has ${opened.size} bytes, more than the ${maxBytes} allowed`,
      );
    }
    return await opened.read(0, opened.size);
  } finally {
    await opened.close();
  }
}
