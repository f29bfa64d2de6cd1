/** What a scan says on standard error: a line of progress on a terminal, and gaps and remarks everywhere. */
import type { World } from '../io/index.ts';
import { colorWanted, formatGap, type Listener, listeners, progressListener, shown } from '../report/index.ts';

/** Beyond this many, gaps are only counted here; every output lists them all. */
const maxGaps = 20;

export function scanListener(world: World): Listener {
  const color = colorWanted(world.env, world.stderr.isTerminal);
  // Progress and remarks are no result: when standard error is gone, the scan goes on.
  const write = (text: string) => {
    world.stderr.write(text).catch(() => {});
  };
  const { isTerminal } = world.stderr;
  const terminal = {
    write,
    isTerminal,
    color,
    get columns() {
      return world.stderr.columns;
    },
  };
  return listeners(
    progressListener(terminal, () => world.now()),
    remarks(write),
  );
}

function remarks(write: (text: string) => void): Listener {
  let gaps = 0;
  return {
    on(event) {
      if (event.type === 'note') write(`note: ${shown(event.text)}\n`);
      if (event.type === 'gap') {
        gaps += 1;
        if (gaps <= maxGaps) write(`gap[${event.gap.rule}]: ${formatGap(event.gap)}\n`);
      }
      if (event.type === 'finished' && gaps > maxGaps) {
        write(`note: ${gaps - maxGaps} more gaps are listed in the output\n`);
      }
    },
  };
}
