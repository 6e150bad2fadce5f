// A device's part in calls as a pure state machine: no socket, no clock, no media. A shell hands in what happened (`handle…`, with the
// present time on a clock that doesn't go back) and what its user wants, performs the commands that come out, and hands in their answers.
//
// Invariants:
// - A call is what its newest version says. Nothing rings that a newer version doesn't call.
// - There is one own leg at most. It is out as soon as a register shows a higher epoch for its user, or the server says so.
// - On every new connection the leg comes back before it says anything to others.
// - What others say is acted on once and in order, or the server is asked again for what is missing.
//
// Reading order: `rules` (what a call's state says), `book` (all calls, and what rings), `leg` (the own place), `talk`
// with `heard` and `outgoing` (what legs say to each other).
import type { Call, CallId, CallIndex, LegRef, Media, Millis, PeerQuality, Signal, UserId } from "../generated.ts";
import { Book } from "./book.ts";
import type { CallAnswer, CallCommand, CallNews, CallTicket } from "./inout.ts";
import { Leg, type Ground } from "./leg.ts";
import { Outlets } from "./outlets.ts";
import type { Saying } from "./outgoing.ts";
import type { LegWish } from "./wish.ts";

export class CallCore {
  readonly #ground: Ground;
  readonly #book: Book;
  readonly #outlets = new Outlets();
  #last: Leg | undefined;

  constructor(me: UserId) {
    this.#book = new Book(me);
    this.#ground = { me, book: this.#book, outlets: this.#outlets, connected: false, aheadMs: 0 };
  }

  pollCommand(): CallCommand | undefined {
    return this.#outlets.command();
  }

  pollNews(): CallNews | undefined {
    return this.#outlets.news();
  }

  /** When to call `handleTimeout`. */
  pollTimeout(now: Millis): Millis | undefined {
    const rings = this.#book.ringEnds(now + this.#ground.aheadMs);
    const times = [rings === undefined ? undefined : rings - this.#ground.aheadMs, this.#leg?.timeout()].filter((time) => time !== undefined);
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  // What an app shows.

  get leg(): Readonly<Pick<Leg, "state" | "call" | "epoch" | "media" | "wish">> | undefined {
    return this.#leg;
  }

  call(id: CallId): Call | undefined {
    return this.#book.get(id);
  }

  get live(): Call[] {
    return this.#book.live();
  }

  get missed(): number {
    return this.#book.missed;
  }

  /** The calls for which this device rings. */
  ringing(now: Millis): Call[] {
    return this.#book.ringing(now + this.#ground.aheadMs).filter(({ id }) => id !== this.#leg?.call);
  }

  /** The legs to negotiate with. */
  get peers(): LegRef[] {
    return this.#leg?.peers ?? [];
  }

  // What happened.

  /** The server has said welcome; `aheadMs` is its time minus ours. */
  handleConnected(now: Millis, aheadMs: number): void {
    this.#ground.connected = true;
    this.#ground.aheadMs = aheadMs;
    this.#leg?.connected(now);
  }

  handleDisconnected(): void {
    this.#ground.connected = false;
    this.#leg?.disconnected();
  }

  handleState(now: Millis, call: Call): void {
    if (!this.#book.put(call)) return;
    this.#leg?.judge(now, call);
    const rings = this.ringing(now).some(({ id }) => id === call.id);
    if (rings && this.#book.rings(call.id)) this.#outlets.ask({ name: "call.ring", to: call.id });
    this.#outlets.changed();
  }

  handleIndex(now: Millis, index: CallIndex): void {
    if (this.#book.index(index, this.#leg?.call)) this.#outlets.changed();
    this.#leg?.listed(now, index.live);
  }

  handleSignal(now: Millis, signal: Signal): void {
    this.#leg?.signal(now, signal);
  }

  handleAnswer(now: Millis, ticket: CallTicket, answer: CallAnswer): void {
    this.#outlets.answered(now, ticket, answer);
    this.#leg?.flush(now);
  }

  handleTimeout(now: Millis): void {
    this.#leg?.passed(now);
    // A ring may have ended by itself.
    this.#outlets.changed();
  }

  /** A peer connection that should be there is not: perhaps something was missed. */
  handleStalled(now: Millis): void {
    this.#leg?.ask(now);
  }

  // What the user, or the media, wants.

  /** Starts a call, or joins: a new one, one that goes on, one that another device is in. */
  enter(now: Millis, wish: LegWish): void {
    this.leave(now);
    this.#last = new Leg(this.#ground, wish);
    this.#last.enter();
    this.#outlets.changed();
  }

  /** Leaves the call that this device is in, or about to be in. */
  leave(now: Millis): void {
    this.#leg?.leave(now);
  }

  decline(call: CallId): void {
    this.#book.decline(call);
    this.#outlets.ask({ name: "call.decline", to: call }, this.#takeCall);
    this.#outlets.changed();
  }

  /** What this device sends from now on. */
  setMedia(media: Media): void {
    this.#leg?.setMedia(media);
  }

  /** A host's word: `call.end`, `call.admit`, `call.mute`, `call.remove`. */
  host(name: "call.end" | "call.admit" | "call.mute" | "call.remove", user?: UserId): void {
    const call = this.#leg?.call;
    if (call !== undefined) this.#outlets.ask({ name, to: call, ...(user === undefined ? {} : { body: { user } }) }, this.#takeCall);
  }

  describe(now: Millis, to: LegRef, description: NonNullable<Saying["description"]>): void {
    this.#leg?.describe(now, to, description);
  }

  candidate(now: Millis, to: LegRef, candidate: Saying["candidates"][number]): void {
    this.#leg?.candidate(now, to, candidate);
  }

  /** How the peer connections do; the server hears of it now and then. */
  report(now: Millis, peers: PeerQuality[]): void {
    this.#leg?.report(now, peers);
  }

  /** The history was looked at up to this call. */
  seen(call: CallId): void {
    this.#book.missed = 0;
    this.#outlets.ask({ name: "calls.seen", body: { call } });
    this.#outlets.changed();
  }

  get #leg(): Leg | undefined {
    return this.#last?.over ? undefined : this.#last;
  }

  readonly #takeCall = (now: Millis, answer: CallAnswer): void => {
    if (!answer.error) this.handleState(now, answer.ok as Call);
  };
}
