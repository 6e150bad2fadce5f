// Calls for tests: states by hand, and a core that is driven step by step on virtual time.
import { CallCore } from "../src/calls/core.ts";
import type { CallAnswer, CallCommand, CallNews } from "../src/calls/inout.ts";
import type { Call, ErrorCode, Joined, Participant, ParticipantStatus, Signal } from "../src/generated.ts";
import { CONVERSATION, ME } from "./helpers.ts";

export { CONVERSATION, ME };
export const ANN = "22222222-2222-4222-8222-222222222222";
export const CALL = "cccccccc-cccc-4ccc-8ccc-cccccccccccc";
export const MEDIA = { audio: true, video: false };

export function part(user: string, status: ParticipantStatus, epoch?: number, more: Partial<Participant> = {}): Participant {
  return { user, status, media: MEDIA, ...(epoch === undefined ? {} : { epoch }), ...more };
}

export function call(version: number, participants: Participant[], more: Partial<Call> = {}): Call {
  return { id: CALL, version, conversation: CONVERSATION, kind: "audio", status: "active", by: ANN, host: ANN, created_at: 0, ring_until: 45_000, limit: 4, participants, ...more };
}

export function joined(epoch: number | undefined, state: Call, more: Partial<Joined> = {}): Joined {
  return { call: state, ...(epoch === undefined ? {} : { epoch }), ice: { servers: [] }, ...more };
}

export function signal(number: number, epoch: number, from = { user: ANN, epoch: 5 }): Signal {
  return { call: CALL, number, from, to: { user: ME, epoch }, candidates: [{ candidate: `c${number}` }] };
}

export class Driven {
  readonly core = new CallCore(ME);
  now = 0;
  readonly commands: CallCommand[] = [];
  readonly news: CallNews[] = [];

  /** Takes out what is there. */
  drain(): this {
    for (let command = this.core.pollCommand(); command; command = this.core.pollCommand()) this.commands.push(command);
    for (let news = this.core.pollNews(); news; news = this.core.pollNews()) this.news.push(news);
    return this;
  }

  connect(): this {
    this.core.handleConnected(this.now, 0);
    return this.drain();
  }

  /** Lets time pass, and does what is due on the way. */
  pass(ms: number): this {
    const until = this.now + ms;
    for (let next = this.core.pollTimeout(this.now); next !== undefined && next <= until; next = this.core.pollTimeout(this.now)) {
      this.now = Math.max(this.now, next);
      this.core.handleTimeout(this.now);
      this.drain();
      if (this.core.pollTimeout(this.now) === next) break;
    }
    this.now = until;
    return this;
  }

  /** The oldest command of this name, which is thereby taken. */
  take(name: string): CallCommand {
    this.drain();
    const at = this.commands.findIndex((command) => command.name === name);
    if (at < 0) throw new Error(`no ${name} among ${this.commands.map((command) => command.name).join(", ") || "nothing"}`);
    return this.commands.splice(at, 1)[0]!;
  }

  asked(name: string): number {
    this.drain();
    return this.commands.filter((command) => command.name === name).length;
  }

  answer(name: string, answer: unknown): CallCommand {
    const command = this.take(name);
    this.core.handleAnswer(this.now, command.ticket, { ok: answer });
    this.drain();
    return command;
  }

  refuse(name: string, code: ErrorCode): CallCommand {
    const command = this.take(name);
    this.core.handleAnswer(this.now, command.ticket, { error: { code, message: "" } } as CallAnswer);
    this.drain();
    return command;
  }

  state(state: Call): this {
    this.core.handleState(this.now, state);
    return this.drain();
  }

  signals(...signals: Signal[]): this {
    for (const one of signals) this.core.handleSignal(this.now, one);
    return this.drain();
  }

  /** What was heard of others, by number. */
  heard(): number[] {
    return this.news.flatMap((news) => (news.kind === "signal" ? [news.signal.number] : []));
  }

  ended(): unknown {
    return this.news.find((news) => news.kind === "ended");
  }
}

/** In a call with Ann, whose leg is 5. */
export function inCall(epoch = 10): Driven {
  const driven = new Driven().connect();
  driven.core.enter(0, { conversation: CONVERSATION, kind: "audio", media: MEDIA, call: CALL });
  driven.answer("call.join", joined(epoch, call(epoch, [part(ANN, "joined", 5), part(ME, "joined", epoch)])));
  return driven;
}
