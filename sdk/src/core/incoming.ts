// Events from the server: log entries, registers, ephemeral news. Each is judged here once, and queued for the app if it is news.
import type { From, Millis, Position, Seq, ServerFrame, StreamId, UserId } from "../generated.ts";
import type { Acks } from "./acks.ts";
import type { CoreEvent, Lost } from "./event.ts";
import { isCount, isFields, isFrom, isText } from "./frames.ts";
import type { Registers } from "./registers.ts";
import type { Streams } from "./streams.ts";

const MALFORMED: Lost = { kind: "malformed" };

export class Incoming {
  readonly #streams: Streams;
  readonly #registers: Registers;
  readonly #acks: Acks;
  readonly #events: CoreEvent[];

  constructor(streams: Streams, registers: Registers, acks: Acks, events: CoreEvent[]) {
    this.#streams = streams;
    this.#registers = registers;
    this.#acks = acks;
    this.#events = events;
  }

  /** Takes an event; what is returned ends the connection. `aheadMs` is server time minus ours. */
  event(now: Millis, aheadMs: number, me: UserId | undefined, frame: ServerFrame): Lost | undefined {
    const { type, from, body } = frame;
    if (!isText(type)) return MALFORMED;
    switch (type) {
      case "pong":
        return undefined;
      case "live":
        this.#events.push({ kind: "in_step" });
        return undefined;
      case "reset":
        return this.#resetEvent(body);
      case "withheld": {
        const range = isFields(body) ? body : {};
        const { first, last } = range;
        if (!from || !isCount(first) || !isCount(last) || first > last) return MALFORMED;
        return this.#arrive(now, first, from, { kind: "withheld", from, first });
      }
      default:
        return this.#news(now, aheadMs, me, type, frame);
    }
  }

  /** A log of which nothing is known any more goes on at `head`, or not at all. */
  reset(stream: StreamId, head: Position | undefined): void {
    this.#streams.forget(stream);
    this.#acks.forget(stream);
    this.#dropWaiting((other) => other === stream);
    if (head) this.#streams.start(stream, head);
    this.#events.push(head ? { kind: "reset", stream, head } : { kind: "reset", stream });
  }

  /** Nothing is known of any log any more. */
  clear(): void {
    this.#streams.clear();
    this.#registers.clear();
    this.#acks.clear();
    this.#dropWaiting(() => true);
  }

  /** Entries that still wait for the app are void with their log. */
  #dropWaiting(of: (stream: StreamId) => boolean): void {
    const left = this.#events.filter((event) => !(event.kind === "entry" || event.kind === "withheld") || !of(event.from.stream));
    this.#events.splice(0, this.#events.length, ...left);
  }

  #news(now: Millis, aheadMs: number, me: UserId | undefined, name: string, frame: ServerFrame): Lost | undefined {
    const body = frame.body ?? null;
    if (frame.from) {
      const entry: CoreEvent = { kind: "entry", from: frame.from, name, body };
      if (isCount(frame.at)) entry.at = frame.at;
      return this.#arrive(now, frame.from.seq, frame.from, entry, () => this.#followMembership(me, frame.from!, name, body));
    }
    if (frame.register) {
      const { key, version } = frame.register;
      if (this.#registers.arrive(key, version)) this.#events.push({ kind: "register", key, version, name, body });
    } else if (isCount(frame.until) && frame.until > now + aheadMs) {
      this.#events.push({ kind: "ephemeral", name, until: frame.until, body });
    }
    return undefined;
  }

  #arrive(now: Millis, first: Seq, from: From, event: CoreEvent, follow?: () => void): Lost | undefined {
    const verdict = this.#streams.arrive(first, from);
    switch (verdict.kind) {
      case "new":
        follow?.();
        this.#events.push(event);
        return undefined;
      case "known": {
        // The server repeats what the app was handed: the acknowledgement was lost.
        const handed = this.#streams.handed(from.stream);
        if (handed >= from.seq) this.#acks.handed(now, from.stream, handed);
        return undefined;
      }
      case "gap":
        return { kind: "gap", stream: from.stream, expected: verdict.expected, got: first };
      case "forked":
        return { kind: "forked", stream: from.stream };
      case "too_many":
        return MALFORMED;
    }
  }

  /** Takes note of where the client's own memberships end. */
  #followMembership(me: UserId | undefined, from: From, name: string, body: unknown): void {
    if (!isFields(body)) return;
    if (name === "member.left" && me !== undefined && body["user"] === me) this.#streams.leave(from.stream);
  }

  #resetEvent(body: unknown): Lost | undefined {
    if (!isFields(body)) return MALFORMED;
    const { stream, head } = body;
    const from = isFields(head) ? { ...head, stream } : undefined;
    if (!isFrom(from)) return MALFORMED;
    this.reset(from.stream, { seq: from.seq, tag: from.tag });
    return undefined;
  }
}
