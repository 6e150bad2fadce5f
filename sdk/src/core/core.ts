// The client as a pure state machine: no socket, no clock, no promise, no chance that a seed doesn't determine.
//
// A shell hands in what happened (`handle…`, each with the present time in milliseconds on any clock that doesn't go back) and does
// what comes out: `pollOutput` until it is empty, then `pollEvent` as fast as the app takes events, and `handleTimeout` at
// `pollTimeout`. It is the same machine as the Rust client's; the recorded vectors in protocol/vectors hold both to one behaviour.
//
// Invariants:
// - Every entry of a log reaches the app once, in the order of the log. A gap is never delivered over: the connection is dropped and
//   the positions are synced.
// - Only what the app was handed is acknowledged.
// - Every command is answered once. It is sent until the server answers, under the same client id or key.
// - Changes of one conversation are sent in the order they were given.
import {
  CLOSE_CODES,
  ERROR_CODES,
  LIMITS,
  type ClientFrame,
  type Epoch,
  type ErrorBody,
  type Millis,
  type StreamPosition,
  type Synced,
  type UserId,
  type Welcome,
} from "../generated.ts";
import { Acks } from "./acks.ts";
import { reconnectWait, repeatWait } from "./backoff.ts";
import { Commands } from "./commands.ts";
import { retryOf } from "./close.ts";
import type { CoreEvent, Lost, Stop } from "./event.ts";
import { isCount, isFields, isSynced, isWelcome, parseFrame } from "./frames.ts";
import { Incoming } from "./incoming.ts";
import { commandFrame, helloBody } from "./outgoing.ts";
import type { Command, CommandAnswer, Output, Result, Ticket, TokenAnswer } from "./output.ts";
import { isConnected, type Phase } from "./phase.ts";
import { Random } from "./random.ts";
import { Registers } from "./registers.ts";
import { DEFAULTS, type CoreSettings } from "./settings.ts";
import { Streams } from "./streams.ts";
import { TokenState } from "./token.ts";

/** Opening a transport, and each answer of the greeting, must not take longer. */
const STEP_WITHIN_MS = 15_000;
/** A connection that held this long was a good one: the back-off begins anew. */
const GOOD_AFTER_MS = 1_000;
/** Where the server asks for patience, the back-off begins at its third step. */
const PATIENT_ATTEMPT = 2;
/** What a browser reports where no close frame came; it never is in one. */
const CLOSED_WITHOUT_FRAME = 1006;

export class Core {
  readonly #client: string | undefined;
  readonly #eventsWaitingMax: number;
  readonly #reconnectWithinMs: number;
  #phase: Phase = { kind: "stopped" };
  readonly #token: TokenState;
  /** Names the last connection, to resume it. */
  #resume: string | undefined;
  #user: UserId | undefined;
  #epoch: Epoch | undefined;
  /** Reconnects since a connection last held. */
  #attempt = 0;
  /** When the present connection was welcomed. */
  #welcomedAt: Millis | undefined;
  /** Server time minus our time. */
  #aheadMs = 0;
  #heartbeatMs: number = LIMITS.HEARTBEAT_MS;
  #beatAt: Millis | undefined;
  #heardAt: Millis = 0;
  readonly #streams: Streams;
  readonly #acks = new Acks();
  readonly #commands: Commands;
  readonly #random: Random;
  #nextFrame = 0;
  #outputs: Output[] = [];
  readonly #events: CoreEvent[] = [];
  readonly #incoming: Incoming;

  constructor(settings: Partial<CoreSettings> = {}) {
    const all = { ...DEFAULTS, ...settings };
    this.#client = all.client;
    this.#eventsWaitingMax = Math.max(1, all.eventsWaitingMax);
    this.#reconnectWithinMs = all.reconnectWithinMs;
    this.#token = new TokenState(all.token);
    this.#epoch = all.epoch;
    this.#streams = new Streams(all.positions);
    this.#commands = new Commands(all);
    this.#random = new Random(all.seed);
    this.#incoming = new Incoming(this.#streams, new Registers(), this.#acks, this.#events);
  }

  /** What to do next; `undefined` when everything is done. */
  pollOutput(): Output | undefined {
    return this.#outputs.shift();
  }

  /** The next event, which thereby counts as handed to the app. */
  pollEvent(now: Millis): CoreEvent | undefined {
    const wasFull = this.#full;
    const event = this.#events.shift();
    if (!event) return undefined;
    if (wasFull && !this.#full) {
      // The silence was ours.
      this.#heardAt = now;
      this.#phaseTimeout(now);
    }
    if (event.kind === "entry" || event.kind === "withheld") {
      this.#streams.hand(event.from.stream, event.from.seq);
      this.#acks.handed(now, event.from.stream, event.from.seq);
      this.#sendDueAck(now);
    }
    return event;
  }

  /** Whether frames should be read from the transport. While the app doesn't take its events, the server has to wait; only the
   * answers of the greeting are always read. */
  get wantsFrames(): boolean {
    return !(this.#phase.kind === "up" && this.#full);
  }

  /** When to call `handleTimeout`. */
  pollTimeout(): Millis | undefined {
    const up = this.#phase.kind === "up";
    const times = [
      this.#phaseUntil(),
      this.#token.retryAt(),
      this.#deadAt(),
      up ? this.#beatAt : undefined,
      up ? this.#acks.due() : undefined,
      this.#commands.due(),
    ].filter((time) => time !== undefined);
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  /** Time has passed. */
  handleTimeout(now: Millis): void {
    this.#answer(this.#commands.wake(now, this.#random));
    if (this.#token.takeRetry(now)) this.#outputs.push({ kind: "refresh_token" });
    this.#phaseTimeout(now);
    const deadAt = this.#deadAt();
    if (deadAt !== undefined && deadAt <= now) this.#dropConnection(now, { kind: "silent" });
    if (this.#phase.kind !== "up") return;
    if (this.#beatAt !== undefined && this.#beatAt <= now) {
      this.#beatAt = now + this.#heartbeatMs;
      this.#push({ type: "ping" });
    }
    this.#sendDueAck(now);
    this.#sendCommands(now);
  }

  /** The app gives a command; its answer carries the ticket. */
  handleCommand(now: Millis, command: Command): Ticket {
    const stopped = this.#phase.kind === "stopped";
    const { ticket, answer } = this.#commands.submit(now, command, this.#phase.kind === "up");
    if (answer) this.#answer([answer]);
    else if (stopped) this.#answer(this.#commands.stop());
    this.#sendCommands(now);
    return ticket;
  }

  /** Begins to connect. A client that has stopped begins anew. */
  handleStart(now: Millis): void {
    if (this.#phase.kind !== "stopped") return;
    this.#attempt = 0;
    this.#connectAt(now, now);
  }

  /** The app wants no more: all commands are answered. */
  handleStop(): void {
    if (this.#phase.kind === "stopped") return;
    this.#closeTransport(1000, "");
    this.#stop({ kind: "asked" });
  }

  /** The network is back: don't wait any longer. */
  handleOnline(now: Millis): void {
    if (this.#phase.kind !== "waiting") return;
    this.#attempt = 0;
    this.#connectAt(now, now);
  }

  /** The transport is open. */
  handleOpened(now: Millis): void {
    if (this.#phase.kind !== "opening") return;
    const hello = helloBody(this.#token.token, this.#epoch, this.#resume, this.#client);
    this.#phase = { kind: "greeting", hello: this.#sendNumbered("hello", hello), until: now + STEP_WITHIN_MS };
    this.#heardAt = now;
  }

  /** The transport is closed, or could not be opened; with the close frame's code and reason where one came. */
  handleClosed(now: Millis, code: number | undefined, reason: string): void {
    if (!this.#connected && this.#phase.kind !== "opening") return;
    if (code === undefined || code === CLOSED_WITHOUT_FRAME) return this.#reconnect(now, { kind: "transport" }, 0);
    if (code === CLOSE_CODES.token_expired.number) this.#token.token = undefined;
    if (code === CLOSE_CODES.resync.number) this.#resume = undefined;
    const lost: Lost = { kind: "closed", code };
    switch (retryOf(code)) {
      case "now":
        return this.#reconnect(now, lost, 0);
      case "after": {
        const asked = code === CLOSE_CODES.reconnect.number && /^\s*\d+\s*$/.test(reason) ? Number(reason) : undefined;
        return this.#reconnect(now, lost, PATIENT_ATTEMPT, asked);
      }
      case "never":
        return this.#stop({ kind: "closed", code, reason });
    }
  }

  /** What came of `refresh_token`. A token may also be handed in unasked. */
  handleToken(now: Millis, answer: TokenAnswer): void {
    this.#token.answered();
    switch (answer.kind) {
      case "token":
        this.#token.failures = 0;
        this.#token.token = answer.token;
        this.#token.expiresAt = undefined;
        if (this.#phase.kind === "awaiting_token") this.#connectAt(now, this.#phase.notBefore);
        else if (this.#phase.kind === "up" || this.#phase.kind === "syncing") {
          this.#token.renewal = this.#sendNumbered("renew", { token: answer.token });
        }
        return;
      case "later": {
        const wait = repeatWait(this.#random, this.#token.failures);
        this.#token.failures += 1;
        this.#token.retryLater(now + (answer.after_ms ?? 0) + wait);
        return;
      }
      case "denied":
        this.#token.token = undefined;
        this.#closeTransport(1000, "");
        this.#stop({ kind: "token_denied", error: answer.error });
    }
  }

  /** A text frame of the present transport came. */
  handleFrame(now: Millis, text: string): void {
    if (!this.#connected) return;
    this.#heardAt = now;
    const frame = parseFrame(text);
    if (!frame) return this.#dropConnection(now, { kind: "malformed" });
    if (typeof frame.id === "number") {
      const result: Result = frame.error ? { error: frame.error } : { ok: frame.ok ?? null };
      this.#reply(now, frame.id, result);
      return;
    }
    // Nothing but the welcome comes first.
    if (this.#phase.kind === "greeting") return this.#dropConnection(now, { kind: "malformed" });
    if (frame.type === "token.expiring") return this.#requestToken();
    const fault = this.#incoming.event(now, this.#aheadMs, this.#user, frame);
    if (fault) this.#dropConnection(now, fault);
  }

  /** Where the client stands in each log, and of which epoch that is. Includes events that still wait for the app. */
  positions(): { epoch?: Epoch; positions: StreamPosition[] } {
    const positions = this.#streams.positions();
    return this.#epoch === undefined ? { positions } : { epoch: this.#epoch, positions };
  }

  /** How many commands wait for their answers. */
  get commandsWaiting(): number {
    return this.#commands.size;
  }

  get #connected(): boolean {
    return isConnected(this.#phase);
  }

  #deadAt(): Millis | undefined {
    return this.#connected && this.wantsFrames ? this.#heardAt + LIMITS.DEAD_AFTER_MS : undefined;
  }

  get #full(): boolean {
    return this.#events.length >= this.#eventsWaitingMax;
  }

  /** When the present phase ends. A client whose app takes no events makes no new connection, which bounds their number. */
  #phaseUntil(): Millis | undefined {
    if (this.#phase.kind === "waiting" && this.#full) return undefined;
    return "until" in this.#phase ? this.#phase.until : undefined;
  }

  #phaseTimeout(now: Millis): void {
    const until = this.#phaseUntil();
    if (until === undefined || until > now) return;
    if (this.#phase.kind === "waiting") this.#connectAt(now, now);
    else this.#dropConnection(now, { kind: "silent" });
  }

  #reply(now: Millis, id: number, result: Result): void {
    if (this.#phase.kind === "greeting" && id === this.#phase.hello) return this.#greeted(now, result);
    if (this.#phase.kind === "syncing" && id > this.#phase.answered && id <= this.#phase.last) {
      return this.#syncAnswered(now, id, this.#phase.last, result);
    }
    if (id === this.#token.renewal) {
      this.#token.renewal = undefined;
      const renewed = result.error || !isFields(result.ok) ? undefined : result.ok["expires_at"];
      // Without a renewal the next connection fetches another one; until then the old one may hold.
      if (isCount(renewed)) this.#token.expiresAt = renewed;
      else this.#token.token = undefined;
      return;
    }
    const settled = this.#commands.reply(now, this.#random, id, result);
    if (settled && "answer" in settled) this.#answer([settled.answer]);
    else if (settled?.again === "token_expired") this.#requestToken();
    this.#sendCommands(now);
  }

  #greeted(now: Millis, result: Result): void {
    if (result.error) return this.#refused(now, result.error);
    if (!isWelcome(result.ok)) return this.#dropConnection(now, { kind: "malformed" });
    this.#welcome(now, result.ok);
  }

  #welcome(now: Millis, welcome: Welcome): void {
    this.#user = welcome.user;
    this.#resume = welcome.connection;
    this.#aheadMs = welcome.time - now;
    this.#welcomedAt = now;
    this.#token.expiresAt = welcome.expires_at;
    this.#heartbeatMs = Math.min(1_000_000, Math.max(1, welcome.heartbeat_ms));
    this.#beatAt = now + this.#random.below(this.#heartbeatMs);
    this.#acks.pace(welcome.ack_every_events, welcome.ack_every_ms);
    this.#events.push({ kind: "connected", welcome });
    const replaced = this.#epoch !== undefined && this.#epoch !== welcome.epoch;
    this.#epoch = welcome.epoch;
    if (replaced) {
      this.#incoming.clear();
      this.#events.push({ kind: "reset_all", epoch: welcome.epoch });
    }
    if (welcome.resumed && !replaced) {
      this.#phase = { kind: "up" };
      this.#sendCommands(now);
    } else {
      this.#sync(now);
    }
  }

  #sync(now: Millis): void {
    const positions = this.#streams.positions();
    const answered = this.#nextFrame;
    const page = LIMITS.POSITIONS_PER_SYNC_MAX;
    for (let at = 0; at === 0 || at < positions.length; at += page) {
      this.#sendNumbered("sync", { positions: positions.slice(at, at + page), done: at + page >= positions.length });
    }
    this.#phase = { kind: "syncing", answered, last: this.#nextFrame, until: now + STEP_WITHIN_MS };
  }

  #syncAnswered(now: Millis, id: number, last: number, result: Result): void {
    if (result.error) return this.#refused(now, result.error);
    if (!isSynced(result.ok)) return this.#dropConnection(now, { kind: "malformed" });
    this.#synced(result.ok);
    if (id === last) {
      this.#phase = { kind: "up" };
      this.#sendCommands(now);
    } else {
      this.#phase = { kind: "syncing", answered: id, last, until: now + STEP_WITHIN_MS };
    }
  }

  #synced(synced: Synced): void {
    for (const stream of synced.reset) {
      const started = synced.started.find((other) => other.stream === stream);
      this.#incoming.reset(stream, started && { seq: started.seq, tag: started.tag });
    }
    for (const { stream, seq, tag } of synced.started) {
      const head = { seq, tag };
      if (this.#streams.start(stream, head)) this.#events.push({ kind: "started", stream, head });
    }
  }

  #refused(now: Millis, error: ErrorBody): void {
    const why: Lost = { kind: "refused", error };
    if (error.code === "token_expired") {
      this.#token.token = undefined;
      this.#closeTransport(1000, "");
      this.#reconnect(now, why, 0);
    } else if (ERROR_CODES[error.code].retry === "never") {
      this.#closeTransport(1000, "");
      this.#stop({ kind: "refused", error });
    } else {
      this.#closeTransport(CLOSE_CODES.internal.number, "");
      this.#reconnect(now, why, PATIENT_ATTEMPT, error.retry_after_ms);
    }
  }

  /** Ends the connection from our side and makes another one. */
  #dropConnection(now: Millis, why: Lost): void {
    if (why.kind === "gap" || why.kind === "forked") {
      this.#resume = undefined;
      this.#closeTransport(CLOSE_CODES.resync.number, "resync");
      this.#reconnect(now, why, 0);
    } else if (why.kind === "malformed") {
      this.#resume = undefined;
      this.#closeTransport(CLOSE_CODES.protocol_violation.number, "malformed");
      this.#reconnect(now, why, PATIENT_ATTEMPT);
    } else {
      this.#closeTransport(CLOSE_CODES.heartbeat_missed.number, "silent");
      this.#reconnect(now, why, 0);
    }
  }

  #closeTransport(code: number, reason: string): void {
    if (!this.#connected && this.#phase.kind !== "opening") return;
    this.#dropUnsent();
    this.#outputs.push({ kind: "close", code, reason });
  }

  /** Plans the next connection, at least as late as reconnect number `attempt` would be. */
  #reconnect(now: Millis, why: Lost, attempt: number, askedMs?: number): void {
    this.#disconnected();
    const held = this.#welcomedAt;
    this.#welcomedAt = undefined;
    if (held !== undefined && now - held >= GOOD_AFTER_MS) this.#attempt = 0;
    this.#attempt = Math.max(this.#attempt, attempt);
    const wait = askedMs ?? Math.min(reconnectWait(this.#random, this.#attempt), this.#reconnectWithinMs);
    this.#attempt += 1;
    this.#connectAt(now, now + wait);
    const event: CoreEvent = { kind: "disconnected", why };
    if (this.#token.token !== undefined) event.retry_in_ms = wait;
    this.#events.push(event);
  }

  #connectAt(now: Millis, at: Millis): void {
    if (this.#token.expiresAt !== undefined && this.#token.expiresAt <= at + this.#aheadMs) this.#token.token = undefined;
    if (this.#token.token === undefined) {
      this.#phase = { kind: "awaiting_token", notBefore: at };
      this.#requestToken();
    } else if (at > now || this.#full) {
      this.#phase = { kind: "waiting", until: at };
    } else {
      this.#phase = { kind: "opening", until: now + STEP_WITHIN_MS };
      this.#outputs.push({ kind: "connect" });
    }
  }

  #requestToken(): void {
    if (this.#token.request()) this.#outputs.push({ kind: "refresh_token" });
  }

  #disconnected(): void {
    this.#dropUnsent();
    this.#beatAt = undefined;
    this.#token.renewal = undefined;
    this.#answer(this.#commands.disconnected());
  }

  #stop(why: Stop): void {
    this.#disconnected();
    this.#resume = undefined;
    this.#welcomedAt = undefined;
    this.#token.answered();
    this.#phase = { kind: "stopped" };
    this.#answer(this.#commands.stop());
    this.#events.push({ kind: "stopped", stop: why });
  }

  #sendCommands(now: Millis): void {
    while (this.#phase.kind === "up") {
      const id = this.#nextFrame + 1;
      const command = this.#commands.send(now, id);
      if (!command) return;
      this.#nextFrame = id;
      this.#push(commandFrame(id, command));
    }
  }

  #sendDueAck(now: Millis): void {
    if (this.#phase.kind !== "up") return;
    for (let ack = this.#acks.take(now); ack; ack = this.#acks.take(now)) this.#push({ type: "ack", body: ack });
  }

  /** Sends a frame that is served by the gateway itself, and returns its id. */
  #sendNumbered(type: string, body: unknown): number {
    this.#nextFrame += 1;
    this.#push({ id: this.#nextFrame, type, body });
    return this.#nextFrame;
  }

  #push(frame: ClientFrame): void {
    this.#outputs.push({ kind: "send", text: JSON.stringify(frame) });
  }

  /** What was not sent yet must not be sent on the next connection. */
  #dropUnsent(): void {
    this.#outputs = this.#outputs.filter((output) => output.kind !== "send");
  }

  #answer(answers: CommandAnswer[]): void {
    for (const answer of answers) this.#outputs.push({ kind: "answer", answer });
  }
}
