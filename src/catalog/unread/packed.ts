/**
 * Programs that UPX has packed: they unpack themselves when they start, and until then nobody sees what they were built of.
 *
 *   ELF   its header, program headers, checksum, "UPX!" …           PE   … sections named UPX0 and UPX1
 *
 * Told by the first bytes, where UPX itself looks for its mark. Whoever wants to hide it can remove the mark; most only want a
 * smaller image.
 */
import { looksExecutable } from '../executable/index.ts';
import type { Cataloger } from '../types.ts';

const marks = ['UPX!', 'UPX0'];

export const packedPrograms: Cataloger<true> = {
  id: 'unread/packed',
  kind: 'installed',
  unread: true,
  // The head says it all: more of the file is not of interest, but a wanted file is held while it passes.
  wants: (file) => looksExecutable(file) && marks.some((mark) => file.head.includes(mark)),
  read: () => true,
  assemble(found, context) {
    for (const { path } of found) context.gap(path, 'is packed with UPX, and what is in it cannot be told');
    return [];
  },
};
