/** How V8 and Node's threads run what takes long. */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * Inflated bytes pass in buffers outside V8's heap, and for every few megabytes of them V8 marks the whole heap again:
 * 23 times for an image of 120 MB. Letting the heap grow further first takes a third off the CPU time. The flag is known
 * to the V8 of the Node versions below; another one would complain on standard error.
 */
export function tuneForScan(): void {
  if (!knowsFlags) return;
  setFlagsFromString('--heap-growing-percent=500');
  // The last tier of optimising pays after seconds of the same work, and takes the processor from the decoders meanwhile.
  setFlagsFromString('--no-turbofan');
  // What is young here dies at once; a large nursery only makes the process larger, by a third for an image of 500 MB.
  limitNursery();
}

/**
 * Of the objects that a walk over thousands of commits reads, many live through two collections, and V8 doubles its nursery each
 * time: up to 130 MB, a third of the process.
 */
export function tuneForChange(): void {
  if (knowsFlags) limitNursery();
}

/** There is no switch for its end once V8 runs: so it is watched, and kept at what it has when that is enough. */
function limitNursery(): void {
  const watch = setInterval(() => {
    const nursery = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
    if (nursery !== undefined && nursery.space_size < enoughBytes) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    clearInterval(watch);
  }, 10);
  watch.unref();
}

const enoughBytes = 16 * 1024 * 1024;

const knowsFlags = /^(?:22|24)\./.test(process.versions.node);

/**
 * Signatures are checked on the threads that Node keeps for such work. It makes four, when the first is needed: more than
 * there are cores, and they take the processor from the thread that reads and judges.
 */
export function tuneForMany(cores: number): void {
  process.env['UV_THREADPOOL_SIZE'] ??= String(Math.min(cores, 4));
}
