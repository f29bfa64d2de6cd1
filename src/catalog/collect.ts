/**
 * The first pass: every file is shown to the catalogers while its bytes go by. What one wants is held until the file is
 * complete, read at once, and let go; only small facts stay.
 */
import type { FileContent, LayerEntry, Visitor } from '../sources/index.ts';
import { type Cataloger, type FileInfo, Unreadable } from './types.ts';

/** What a cataloger made of one file. */
export type Outcome =
  | { readonly fact: unknown; readonly gaps: readonly string[] }
  /** Nothing could be read. */
  | { readonly failure: string; readonly rule: 'unreadable-file' | 'too-large' }
  /** Too large to be held on suspicion, and the suspicion was right: to be read in a second pass. */
  | { readonly deferred: true };

export type Outcomes = ReadonlyMap<Cataloger, Outcome>;

export interface CollectLimits {
  /** Bytes of a file that may be held. */
  readonly fileBytes: number;
}

const headBytes = 512;
/** A file that is only searched for a needle is held up to this size; beyond it is read again if the needle is found. */
const suspectBytes = 48 * 1024 * 1024;
/** A file whose first bytes are kept, so that catalogers can be asked again about another path that leads to it. */
const formatMagic = /^(?:\x7fELF|MZ|PK|\xfe\xed\xfa|[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba|\xbe\xba\xfe\xca)/;

export class Collector implements Visitor {
  readonly #catalogers: readonly Cataloger[];
  readonly #limits: CollectLimits;
  readonly #skip: (path: string) => boolean;
  readonly #outcomes = new Map<LayerEntry, Outcomes>();
  readonly #heads = new Map<LayerEntry, Buffer>();
  /** Without a cataloger that looks at content, files need not be opened to be refused. */
  readonly #byPath: boolean;

  constructor(catalogers: readonly Cataloger[], limits: CollectLimits, skip: (path: string) => boolean) {
    this.#catalogers = catalogers;
    this.#limits = limits;
    this.#skip = skip;
    this.#byPath = catalogers.every((each) => each.kind !== 'installed');
  }

  file(entry: LayerEntry): FileContent | undefined {
    if (this.#skip(entry.path)) return undefined;
    const choose = (head: Buffer) => this.#choose(entry, head);
    if (this.#byPath && choose(none).length === 0) return undefined;
    return new Gather(entry, entry.path, choose, this.#limits, (outcomes) => {
      if (outcomes.size > 0) this.#outcomes.set(entry, outcomes);
    });
  }

  outcomes(entry: LayerEntry): Outcomes | undefined {
    return this.#outcomes.get(entry);
  }

  /** Whether a cataloger would want the content of `entry` under another path. */
  wantsAt(cataloger: Cataloger, entry: LayerEntry, path: string): boolean {
    return asksFor(cataloger, this.#infoAt(entry, path));
  }

  /** Those that would want the content of `entry` under another path. */
  wanting(catalogers: readonly Cataloger[], entry: LayerEntry, path: string): readonly Cataloger[] {
    const info = this.#infoAt(entry, path);
    return catalogers.filter((each) => asksFor(each, info));
  }

  #infoAt(entry: LayerEntry, path: string): FileInfo {
    return { path, size: entry.size, mode: entry.mode, head: this.#heads.get(entry) ?? none };
  }

  /** Whether the content has been searched for the cataloger's needles in the first pass, whatever came of it. */
  hasSearched(cataloger: Cataloger, entry: LayerEntry): boolean {
    return cataloger.needles !== undefined && !this.#skip(entry.path) && this.wantsAt(cataloger, entry, entry.path);
  }

  /** Whether a cataloger would want a file at this path of which nothing else is known. */
  wantsNamed(cataloger: Cataloger, path: string): boolean {
    return asksFor(cataloger, { path, size: headBytes, mode: 0o644, head: none });
  }

  #choose(entry: LayerEntry, head: Buffer): readonly Cataloger[] {
    if (head.length > 3 && formatMagic.test(head.toString('latin1', 0, 4))) this.#heads.set(entry, Buffer.from(head));
    const info: FileInfo = { path: entry.path, size: entry.size, mode: entry.mode, head };
    return this.#catalogers.filter((each) => asksFor(each, info));
  }
}

/** For the second pass: the content under the path that each cataloger should see it at. */
export function gatherFor(
  entry: LayerEntry,
  path: string,
  cataloger: Cataloger,
  limits: CollectLimits,
  done: (outcome: Outcome | undefined) => void,
): FileContent {
  // The needle was found already: it is not searched for again.
  const { needles: _, ...plain } = cataloger;
  const bound: Cataloger = { ...plain, wants: () => true };
  return new Gather(
    entry,
    path,
    () => [bound],
    limits,
    (outcomes) => done(outcomes.get(bound)),
  );
}

/** Declared packages are a project's own: the lockfiles inside installed packages and in git's store are not. */
const notTheProjects = /(?:^|\/)(?:node_modules|\.git)\//;

function asksFor(cataloger: Cataloger, info: FileInfo): boolean {
  if (cataloger.kind === 'declared' && notTheProjects.test(info.path)) return false;
  return cataloger.wants(info);
}

const none = Buffer.alloc(0);

/** The content of one file on its way to those who want it. */
class Gather implements FileContent {
  readonly #entry: LayerEntry;
  readonly #path: string;
  readonly #choose: (head: Buffer) => readonly Cataloger[];
  readonly #limits: CollectLimits;
  readonly #done: (outcomes: Outcomes) => void;
  #head: Buffer | undefined;
  #start: Buffer[] = [];
  readonly #held = new Held();
  #size = 0;
  #wanting: readonly Cataloger[] = [];
  #searches: readonly Search[] = [];
  idle = false;

  constructor(
    entry: LayerEntry,
    path: string,
    choose: (head: Buffer) => readonly Cataloger[],
    limits: CollectLimits,
    done: (outcomes: Outcomes) => void,
  ) {
    this.#entry = entry;
    this.#path = path;
    this.#choose = choose;
    this.#limits = limits;
    this.#done = done;
  }

  chunk(bytes: Buffer): void {
    if (this.idle) return;
    if (this.#head === undefined && !this.#takeHead(bytes)) return;
    if (this.idle) return;
    this.#take(bytes);
  }

  end(): void {
    if (this.#head === undefined) this.#decide(Buffer.concat(this.#start));
    if (this.idle) return;
    const outcomes = new Map<Cataloger, Outcome>();
    for (const cataloger of this.#wanting) {
      const search = this.#searches.find((each) => each.cataloger === cataloger);
      if (search?.found === false) continue;
      const outcome = this.#outcome(cataloger);
      if (outcome !== undefined) outcomes.set(cataloger, outcome);
    }
    this.#held.release();
    this.#done(outcomes);
  }

  /** False while the first bytes are still incomplete. */
  #takeHead(bytes: Buffer): boolean {
    const need = Math.min(headBytes, this.#entry.size);
    if (this.#start.length === 0 && bytes.length >= need) {
      this.#decide(bytes.subarray(0, need));
      return true;
    }
    this.#start.push(Buffer.from(bytes));
    const start = Buffer.concat(this.#start);
    if (start.length < need) return false;
    this.#decide(start.subarray(0, need));
    if (!this.idle) this.#take(start);
    return false;
  }

  #decide(head: Buffer): void {
    this.#start = [];
    this.#wanting = this.#choose(head);
    this.idle = this.#wanting.length === 0;
    this.#head = this.idle ? none : Buffer.from(head);
    if (this.idle) return;
    this.#searches = this.#wanting
      .filter((each) => each.needles !== undefined)
      .map((each) => new Search(each, each.needles!));
  }

  #take(bytes: Buffer): void {
    this.#size += bytes.length;
    for (const search of this.#searches) search.push(bytes);
    if (Math.max(this.#size, this.#entry.size) > this.#mayHold()) this.#held.release();
    else this.#held.push(bytes, this.#entry.size, this.#isSure());
  }

  #mayHold(): number {
    if (!this.#isSure()) return Math.min(suspectBytes, this.#limits.fileBytes);
    return Math.max(...this.#wanting.map((each) => this.#cap(each)));
  }

  #cap(cataloger: Cataloger): number {
    return Math.min(this.#limits.fileBytes, cataloger.maxBytes?.(this.#path) ?? Number.POSITIVE_INFINITY);
  }

  #isSure(): boolean {
    return this.#wanting.length > this.#searches.length || this.#searches.some((each) => each.found);
  }

  #outcome(cataloger: Cataloger): Outcome | undefined {
    const cap = this.#cap(cataloger);
    if (this.#size > cap) {
      const whose =
        cap === this.#limits.fileBytes ? 'one file may have (--max-file-bytes)' : 'a file of this kind may have';
      return { failure: `has ${this.#size} bytes, more than the ${cap} that ${whose}`, rule: 'too-large' };
    }
    const bytes = this.#held.bytes();
    if (bytes === undefined) return { deferred: true };
    const gaps: string[] = [];
    try {
      const info = { path: this.#path, size: bytes.length, mode: this.#entry.mode, head: this.#head!, bytes };
      const fact = cataloger.read(info, (reason) => gaps.push(reason));
      return fact === undefined && gaps.length === 0 ? undefined : { fact, gaps };
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ERR_STRING_TOO_LONG') {
        return { failure: `has ${this.#size} bytes, too many to be read as text`, rule: 'too-large' };
      }
      const reason = error instanceof Error ? error.message : String(error);
      const failure =
        error instanceof Unreadable ? reason : `could not be read because of an error in tidewaiter: ${reason}`;
      return { failure, rule: 'unreadable-file' };
    }
  }
}

/**
 * The bytes of one file. What is sure to be read is copied into its place at once, so that the large pieces it came in can
 * go; what is only searched keeps the pieces themselves, since nearly all of it is let go again.
 */
class Held {
  #pieces: Buffer[] = [];
  #whole: Buffer | undefined;
  #length = 0;
  #released = false;

  push(bytes: Buffer, size: number, sure: boolean): void {
    if (this.#released) return;
    if (sure && this.#whole === undefined) {
      // A directory may hold more by now than it said.
      this.#whole = Buffer.allocUnsafeSlow(Math.max(size, this.#length + bytes.length));
      this.#length = 0;
      for (const piece of this.#pieces.splice(0)) this.#copy(piece);
    }
    if (this.#whole === undefined) {
      this.#pieces.push(bytes);
      this.#length += bytes.length;
    } else this.#copy(bytes);
  }

  /** Undefined when they were let go. */
  bytes(): Buffer | undefined {
    if (this.#released) return undefined;
    this.#whole ??= Buffer.concat(this.#pieces.splice(0));
    return this.#whole.subarray(0, this.#length);
  }

  release(): void {
    this.#pieces = [];
    this.#whole = undefined;
    this.#released = true;
  }

  #copy(bytes: Buffer): void {
    let whole = this.#whole!;
    if (this.#length + bytes.length > whole.length) {
      whole = Buffer.concat([whole.subarray(0, this.#length), bytes]);
      this.#whole = whole;
    } else bytes.copy(whole, this.#length);
    this.#length += bytes.length;
  }
}

/** Looks for any of some byte strings in pieces that go by, across their borders too. */
class Search {
  readonly cataloger: Cataloger;
  readonly #needles: readonly Buffer[];
  #carry: Buffer = none;
  found = false;

  constructor(cataloger: Cataloger, needles: readonly Buffer[]) {
    this.cataloger = cataloger;
    this.#needles = needles;
  }

  push(bytes: Buffer): void {
    if (this.found) return;
    for (const needle of this.#needles) {
      const border = Buffer.concat([this.#carry.subarray(-(needle.length - 1)), bytes.subarray(0, needle.length - 1)]);
      if (bytes.includes(needle) || border.includes(needle)) {
        this.found = true;
        this.#carry = none;
        return;
      }
    }
    const longest = Math.max(...this.#needles.map((needle) => needle.length));
    const end =
      bytes.length >= longest ? bytes.subarray(-longest) : Buffer.concat([this.#carry, bytes]).subarray(-longest);
    this.#carry = Buffer.from(end);
  }
}
