// Where the client stands in each log, and what an arriving entry means there.
//
// This is what makes delivery exactly-once and ordered: an entry at or below the position is known, the next one is new, and one
// further on proves that something was missed. A stream without a position adopts the first entry that comes: what lies before it is
// history. After the client's own membership ended, the log goes on without it, so the first entry of a later membership may lie any
// distance ahead. That is known from the log itself, whose last entry for whoever leaves says so. Such a stream is named in a sync all
// the same: a whole membership may have come and gone while the client was away.
// The news in the user's log is no good for it: it may run ahead of the conversation's entries, and tell of the end of a later
// membership before the first entry of that came.
import type { From, Position, Seq, StreamId, StreamPosition } from "../generated.ts";

/** More logs than any account follows; a server that names more is at fault. */
const STREAMS_MAX = 100_000;

interface Stream {
  position: Position;
  /** The last entry that the app was handed. */
  handed: Seq;
  /** The last entry was the end of the client's membership. */
  ended: boolean;
}

/** What an arriving entry means. */
export type Verdict =
  | { kind: "new" }
  | { kind: "known" }
  | { kind: "gap"; expected: Seq }
  | { kind: "forked" }
  | { kind: "too_many" };

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
    if (first > at.seq + 1 && !stream.ended) return { kind: "gap", expected: at.seq + 1 };
    stream.position = after;
    stream.ended = false;
    return { kind: "new" };
  }

  /** The entry at the stream's position ended the client's own membership. */
  leave(id: StreamId): void {
    const stream = this.#streams.get(id);
    if (stream) stream.ended = true;
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
    this.#streams.set(id, { position, handed: 0, ended: false });
    return true;
  }

  forget(id: StreamId): void {
    this.#streams.delete(id);
  }

  clear(): void {
    this.#streams.clear();
  }

  /** The positions in order of their streams. */
  positions(): StreamPosition[] {
    return [...this.#streams]
      .map(([stream, { position }]) => ({ stream, ...position }))
      .sort((a, b) => (a.stream < b.stream ? -1 : 1));
  }
}
