// Where the client stands in each log, and what an arriving entry means there.
//
// This is what makes delivery exactly-once and ordered: an entry at or below the position is known, the next one is new, and one
// further on proves that something was missed. A stream without a position adopts the first entry that comes: what lies before it is
// history. After the client's own membership ended, the log goes on without it, so the first entry of a later membership may lie any
// distance ahead; `leftAt` remembers that, and such streams are not named in a sync. But only once the client has everything up to
// that end: the news of it (in the user's log) may come before the last entries do.
import type { From, Position, Seq, StreamId, StreamPosition } from "../generated.ts";

/** More logs than any account follows; a server that names more is at fault. */
const STREAMS_MAX = 100_000;

interface Stream {
  position: Position;
  /** The last entry that the app was handed. */
  handed: Seq;
  leftAt?: Seq;
}

/** What an arriving entry means. */
export type Verdict =
  | { kind: "new" }
  | { kind: "known" }
  | { kind: "gap"; expected: Seq }
  | { kind: "forked" }
  | { kind: "too_many" };

/** The client's membership ended, and the client has everything up to there. */
function hasEnded({ leftAt, position }: Stream): boolean {
  return leftAt !== undefined && position.seq >= leftAt;
}

export class Streams {
  readonly #streams = new Map<StreamId, Stream>();

  constructor(positions: StreamPosition[]) {
    for (const { stream, seq, tag } of positions) this.start(stream, { seq, tag });
  }

  /** Judges the entries `first` to `from.seq` (more than one where they are withheld) and moves the position over them if new. */
  arrive(first: Seq, from: From): Verdict {
    const after = { seq: from.seq, tag: from.tag };
    const stream = this.#streams.get(from.stream);
    if (!stream) return this.start(from.stream, after) ? { kind: "new" } : { kind: "too_many" };
    const at = stream.position;
    if (from.seq < at.seq) return { kind: "known" };
    if (from.seq === at.seq) return { kind: from.tag === at.tag ? "known" : "forked" };
    if (first > at.seq + 1 && !hasEnded(stream)) return { kind: "gap", expected: at.seq + 1 };
    stream.position = after;
    if (stream.leftAt !== undefined && after.seq > stream.leftAt) delete stream.leftAt;
    return { kind: "new" };
  }

  /** The client's own membership ended at `seq`. */
  leave(id: StreamId, seq: Seq): void {
    const stream = this.#streams.get(id);
    if (stream && seq >= stream.position.seq) stream.leftAt = seq;
  }

  hand(id: StreamId, seq: Seq): void {
    const stream = this.#streams.get(id);
    if (stream) stream.handed = seq;
  }

  /** The last entry that the app was handed. */
  handed(id: StreamId): Seq {
    return this.#streams.get(id)?.handed ?? 0;
  }

  /** Sets where a stream without a position begins; a position that is known already stays. False where it was not set. */
  start(id: StreamId, position: Position): boolean {
    if (this.#streams.has(id) || this.#streams.size >= STREAMS_MAX) return false;
    this.#streams.set(id, { position, handed: 0 });
    return true;
  }

  forget(id: StreamId): void {
    this.#streams.delete(id);
  }

  clear(): void {
    this.#streams.clear();
  }

  /** Before a sync: what ended is not asked for, and begins anew if it comes back. */
  forgetLeft(): void {
    for (const [id, stream] of this.#streams) if (hasEnded(stream)) this.#streams.delete(id);
  }

  /** The positions in order of their streams, without those that the client left. */
  positions(): StreamPosition[] {
    return [...this.#streams]
      .filter(([, stream]) => !hasEnded(stream))
      .map(([stream, { position }]) => ({ stream, ...position }))
      .sort((a, b) => (a.stream < b.stream ? -1 : 1));
  }
}
