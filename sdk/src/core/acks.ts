// What the app has been handed and the server has not been told yet. Only what left the core counts: an entry that was received but
// never reached the app must come again after a crash.
import { LIMITS, type Ack, type Millis, type Seq, type StreamId } from "../generated.ts";

export class Acks {
  #news = new Map<StreamId, Seq>();
  #events = 0;
  #since: Millis | undefined;
  #everyEvents: number = LIMITS.ACK_EVERY_EVENTS;
  #everyMs: number = LIMITS.ACK_EVERY_MS;

  /** The pace that the server asks for. */
  pace(everyEvents: number, everyMs: number): void {
    this.#everyEvents = Math.max(1, everyEvents);
    this.#everyMs = everyMs;
  }

  handed(now: Millis, stream: StreamId, seq: Seq): void {
    this.#news.set(stream, seq);
    this.#events += 1;
    this.#since ??= now;
  }

  forget(stream: StreamId): void {
    this.#news.delete(stream);
  }

  clear(): void {
    this.#news.clear();
    this.#events = 0;
    this.#since = undefined;
  }

  /** When the next one is due at the latest. */
  due(): Millis | undefined {
    if (this.#since === undefined) return undefined;
    return this.#events >= this.#everyEvents ? this.#since : this.#since + this.#everyMs;
  }

  /** The acknowledgement that is due now. What doesn't fit in one frame is due at once again. */
  take(now: Millis): Ack | undefined {
    const due = this.due();
    if (due === undefined || due > now) return undefined;
    const streams = [...this.#news.keys()].sort().slice(0, LIMITS.POSITIONS_PER_SYNC_MAX);
    const positions = streams.map((stream) => ({ stream, seq: this.#news.get(stream)! }));
    for (const stream of streams) this.#news.delete(stream);
    if (this.#news.size === 0) this.clear();
    return positions.length > 0 ? { positions } : undefined;
  }
}
