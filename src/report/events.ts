/**
 * What happens in a run, told to whoever listens. Events of progress are for eyes only: with every one of them removed
 * the run does the same and says the same.
 */
import type { Gap } from '../bom/types.ts';

export type RunEvent =
  /** The target is open and what it is made of is known. `bytes` is the sum of what the layers store, where known. */
  | { readonly type: 'source-opened'; readonly requested: string; readonly layers: number; readonly bytes?: number }
  /** Layers are read side by side, in no order. Bytes are stored bytes; `totalBytes` is absent where nobody states it. */
  | { readonly type: 'layer-started'; readonly index: number; readonly totalBytes?: number }
  /** `bytes` counts from the start of the layer. */
  | { readonly type: 'layer-progress'; readonly index: number; readonly bytes: number; readonly totalBytes?: number }
  /** `cached`: taken from an earlier run, its content was not read again. */
  | { readonly type: 'layer-finished'; readonly index: number; readonly cached: boolean }
  | { readonly type: 'catalogued'; readonly packages: number }
  /** Something that could not be read. The inventory holds it too. */
  | { readonly type: 'gap'; readonly gap: Gap }
  /** A remark for the user that changes no result. */
  | { readonly type: 'note'; readonly text: string }
  /** The last event of a run, also of one that failed. */
  | { readonly type: 'finished' };

export interface Listener {
  /** Returns at once and does not throw: a listener cannot stop or slow a run. */
  on(event: RunEvent): void;
}

/** One listener for several, called in their order. */
export function listeners(...all: readonly Listener[]): Listener {
  return {
    on(event) {
      for (const listener of all) listener.on(event);
    },
  };
}
