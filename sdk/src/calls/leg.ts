// This device's own place in a call: how it is got, kept over lost connections, and lost.
import type { Call, CallId, ErrorBody, Ice, Joined, LegRef, Media, Millis, PeerQuality, Signal, UserId } from "../generated.ts";
import type { Book } from "./book.ts";
import type { CallAnswer, LegEnd } from "./inout.ts";
import type { Outlets } from "./outlets.ts";
import { isIn, isOver, partOf } from "./rules.ts";
import { Talk } from "./talk.ts";
import { sameMedia, type LegWish } from "./wish.ts";

/** Between two questions for what a leg has missed, or for a peer that does not come. */
const ASK_AGAIN_MS = 3_000;
/** Nobody is called, or joined, because of a wish that is older than this. */
const WISH_MS = 20_000;
/** However short credentials live, new ones are not asked for more often. */
const RENEW_AFTER_MS = 10_000;
const REPORT_EVERY_MS = 15_000;

/** How the leg stands with the server. */
export type LegState =
  /** Start or join was asked for. */
  | "asking"
  /** In the waiting room. */
  | "waiting"
  /** In the call. */
  | "in"
  /** In the call as far as this device knows; the server must hear of it on the present connection. */
  | "away";

/** What a leg stands on; shared by all that a device has in its life. */
export interface Ground {
  me: UserId;
  book: Book;
  outlets: Outlets;
  /** Whether there is a connection. */
  connected: boolean;
  /** Server time minus ours. */
  aheadMs: number;
}

export class Leg {
  readonly wish: LegWish;
  state: LegState = "asking";
  call: CallId | undefined;
  /** What this device wants to send. */
  media: Media;
  readonly #ground: Ground;
  /** What the server was told of it. */
  #told: Media;
  #telling = false;
  /** Absent as long as there is no place. */
  #talk: Talk | undefined;
  /** Whether a `call.join` with the epoch is under way, and when the last one was asked for. */
  #returning = false;
  #askedAt: Millis = 0;
  #renewAt: Millis | undefined;
  #reportedAt: Millis | undefined;
  #over = false;

  constructor(ground: Ground, wish: LegWish) {
    this.#ground = ground;
    this.wish = wish;
    this.call = wish.call;
    this.media = wish.media;
    this.#told = wish.media;
  }

  /** Whether this device is out. */
  get over(): boolean {
    return this.#over;
  }

  /** Which leg it is, once there is a place. */
  get epoch(): number | undefined {
    return this.#talk?.own.epoch;
  }

  /** The legs to negotiate with. */
  get peers(): LegRef[] {
    return this.#talk?.peers ?? [];
  }

  timeout(): Millis | undefined {
    if (!this.#speaks()) return undefined;
    const again = this.#talk?.gap && !this.#returning ? this.#askedAt + ASK_AGAIN_MS : undefined;
    const times = [this.#talk?.due(), this.#renewAt, again].filter((time) => time !== undefined);
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  /** Asks for a place. */
  enter(): void {
    const { start, kind, media, conversation } = this.wish;
    if (!start) return this.#join();
    const body = { client_id: start.clientId, kind, media, waiting_room: start.waitingRoom };
    const command = { name: "call.start", ...(conversation === undefined ? {} : { to: conversation }), body, expiresInMs: WISH_MS } as const;
    this.#ground.outlets.ask(command, (now, answer) => this.#entered(now, answer));
  }

  connected(now: Millis): void {
    // A question that was under way is sent again by the client below.
    if (this.state === "waiting") this.#join();
    else if (this.epoch !== undefined && !this.#returning) this.#comeBack(now);
  }

  disconnected(): void {
    if (this.state !== "in") return;
    this.state = "away";
    this.#ground.outlets.changed();
  }

  passed(now: Millis): void {
    if (!this.#speaks()) return;
    this.flush(now);
    if (this.#renewAt !== undefined && this.#renewAt <= now) this.#renew(now);
    if (this.#talk?.gap) this.ask(now);
  }

  /** Something may have been missed: asks for it, at most now and then. */
  ask(now: Millis): void {
    if (this.#speaks() && !this.#returning && this.#askedAt + ASK_AGAIN_MS <= now) this.#comeBack(now);
  }

  /** The list of what goes on. An older one may cross the answer that began the leg, so the server's word decides. */
  listed(now: Millis, live: CallId[]): void {
    if (this.state === "in" && this.call !== undefined && !live.includes(this.call) && !this.#returning) this.#comeBack(now);
  }

  leave(now: Millis): void {
    const { outlets } = this.#ground;
    this.end({ kind: "left" });
    if (this.call === undefined) return;
    if (this.epoch !== undefined) this.#give("call.leave", { epoch: this.epoch });
    // Out of the waiting room one goes by saying no.
    else if (this.state === "waiting") this.#give("call.decline");
    outlets.changed();
    this.flush(now);
  }

  setMedia(media: Media): void {
    this.media = media;
    this.#tellMedia();
    this.#ground.outlets.changed();
  }

  describe(now: Millis, to: LegRef, description: Parameters<Talk["describe"]>[2]): void {
    this.#talk?.describe(now, to, description);
    this.flush(now);
  }

  candidate(now: Millis, to: LegRef, candidate: Parameters<Talk["candidate"]>[2]): void {
    this.#talk?.candidate(now, to, candidate);
    this.flush(now);
  }

  report(now: Millis, peers: PeerQuality[]): void {
    if (!this.#speaks() || peers.length === 0 || (this.#reportedAt !== undefined && this.#reportedAt + REPORT_EVERY_MS > now)) return;
    this.#reportedAt = now;
    this.#ground.outlets.ask({ name: "call.quality", to: this.call!, body: { epoch: this.epoch, peers } });
  }

  signal(now: Millis, signal: Signal): void {
    this.#talk?.hear(signal);
    if (this.#talk?.gap) this.ask(now);
  }

  /** What the newest state of a call means for this leg. */
  judge(now: Millis, call: Call): void {
    if (this.#over || this.call !== call.id) return;
    if (isOver(call)) return this.end({ kind: "over" });
    // Before the answer nothing is known of one's own place.
    if (this.state === "asking") return;
    const part = partOf(call, this.#ground.me);
    if (this.state === "waiting") {
      if (part?.status === "invited" || part?.status === "ringing") this.#join();
      else if (part?.status === "removed") this.end({ kind: "removed" });
      else if (isIn(part)) this.end({ kind: "taken_over" });
      return;
    }
    if (!isIn(part) || part?.epoch === undefined) return this.end(part?.status === "removed" ? { kind: "removed" } : { kind: "expired" });
    if (part.epoch > this.epoch!) return this.end({ kind: "taken_over" });
    this.#talk?.rosterChanged();
    if (part.muted && this.media.audio && !this.#telling && sameMedia(this.media, this.#told)) {
      this.media = { ...this.media, audio: false };
      this.#told = this.media;
      this.#ground.outlets.tell({ kind: "muted" });
    }
    // The server believes that this device is away while it is not.
    if (part.status === "reconnecting" && this.#speaks() && !this.#returning) this.#comeBack(now);
  }

  /** Says to the others what is due. */
  flush(now: Millis): void {
    if (this.#speaks() && !this.#returning) this.#talk?.flush(now, (error) => this.#check(error));
  }

  end(why: LegEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#ground.outlets.tell({ kind: "ended", call: this.call, why });
    this.#ground.outlets.changed();
  }

  /** Whether it may say something now. */
  #speaks(): boolean {
    return this.state === "in" && this.#ground.connected && !this.#over;
  }

  #join(): void {
    this.state = "asking";
    const command = { name: "call.join", to: this.call!, body: { media: this.media }, expiresInMs: WISH_MS } as const;
    this.#ground.outlets.ask(command, (now, answer) => this.#entered(now, answer));
  }

  #comeBack(now: Millis): void {
    this.#returning = true;
    this.#askedAt = now;
    const body = { epoch: this.epoch, heard: this.#talk?.last ?? 0, media: this.media };
    this.#ground.outlets.ask({ name: "call.join", to: this.call!, body }, (at, answer) => {
      this.#returning = false;
      if (this.#over) return;
      if (answer.error) return this.#refused(answer.error);
      this.#returned(at, answer.ok as Joined);
    });
  }

  #entered(now: Millis, answer: CallAnswer): void {
    if (answer.error) return this.#refused(answer.error);
    const joined = answer.ok as Joined;
    this.call = joined.call.id;
    // The user has thought better of it meanwhile.
    if (this.#over) return joined.epoch === undefined ? this.#give("call.decline") : this.#give("call.leave", { epoch: joined.epoch });
    const { book, outlets } = this.#ground;
    book.put(joined.call);
    this.#told = this.media;
    if (joined.epoch === undefined) this.state = "waiting";
    else this.#placed(now, joined, joined.epoch);
    // What came before the answer is judged only now.
    const newest = book.get(joined.call.id);
    if (newest) this.judge(now, newest);
    if (!this.#ground.connected && this.state === "in") this.state = "away";
    this.#tellMedia();
    outlets.changed();
  }

  #placed(now: Millis, { call, ice }: Joined, epoch: number): void {
    const { book, outlets, me } = this.#ground;
    this.#talk = new Talk(book, outlets, call.id, { user: me, epoch });
    this.state = "in";
    this.#planRenewal(now, ice);
    outlets.tell({ kind: "joined", call, epoch, ice });
  }

  #returned(now: Millis, joined: Joined): void {
    if (joined.epoch !== this.epoch) return this.end({ kind: "expired" });
    const { book, outlets, connected } = this.#ground;
    if (connected) this.state = "in";
    this.#planRenewal(now, joined.ice);
    const renegotiate = joined.renegotiate ?? false;
    outlets.tell({ kind: "returned", ice: joined.ice, renegotiate });
    this.#talk?.replay(joined.signals ?? [], renegotiate);
    if (book.put(joined.call)) this.judge(now, joined.call);
    this.#tellMedia();
    outlets.changed();
  }

  #tellMedia(): void {
    if (!this.#speaks() || this.#telling || sameMedia(this.media, this.#told)) return;
    const told = this.media;
    this.#telling = true;
    this.#give("call.media", { epoch: this.epoch, media: told }, (error) => {
      this.#telling = false;
      this.#told = told;
      if (error) this.#check(error);
      this.#tellMedia();
    });
  }

  /** Well before the credentials end. */
  #planRenewal(now: Millis, { expires_at }: Ice): void {
    const lives = expires_at === undefined ? undefined : expires_at - (now + this.#ground.aheadMs);
    this.#renewAt = lives === undefined ? undefined : now + Math.max(RENEW_AFTER_MS, lives / 2);
  }

  #renew(now: Millis): void {
    this.#renewAt = now + RENEW_AFTER_MS;
    this.#ground.outlets.ask({ name: "call.ice", to: this.call!, body: { epoch: this.epoch } }, (at, answer) => {
      if (this.#over) return;
      if (answer.error) return this.#check(answer.error);
      const ice = answer.ok as Ice;
      this.#planRenewal(at, ice);
      this.#ground.outlets.tell({ kind: "ice", ice });
    });
  }

  /** A command that is answered with the call. */
  #give(name: "call.leave" | "call.decline" | "call.media", body?: unknown, done: (error: ErrorBody | undefined) => void = () => undefined): void {
    this.#ground.outlets.ask({ name, to: this.call!, ...(body === undefined ? {} : { body }) }, (now, answer) => {
      done(answer.error);
      if (answer.error || !this.#ground.book.put(answer.ok as Call)) return;
      this.judge(now, answer.ok as Call);
      this.#ground.outlets.changed();
    });
  }

  /** A refusal of something that the leg asked for. */
  #check({ code }: ErrorBody): void {
    if (code === "call_taken_over") this.end({ kind: "taken_over" });
    else if (code === "call_expired") this.end({ kind: "expired" });
    else if (code === "call_over") this.end({ kind: "over" });
  }

  /** The leg itself is refused. */
  #refused(error: ErrorBody): void {
    this.#check(error);
    this.end({ kind: "refused", error });
  }
}
