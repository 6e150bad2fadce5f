// The commands that wait, fly, or wait again: each is answered exactly once.
//
// Every command of the table may be sent again: it is recognised by its client id, by its key, or does no harm. So a command stays
// here until the server answers for good; a lost connection, a lost answer or a passing refusal only sends it again. Changes of one
// conversation form a lane and are sent in the order they were given, `laneDepth` of them at a time (with more than one, a refused
// one may be overtaken by its successors). Ephemeral commands and the signals of calls are worth nothing later and are answered
// `unavailable` instead of being kept. The queue is bounded; over it a command is refused, not forgotten.
import { COMMANDS, LIMITS, type CommandName, type CommandSpec, type ErrorCode, type Millis } from "../generated.ts";
import { Alarms } from "./alarms.ts";
import { repeatWait } from "./backoff.ts";
import { refusal, type Command, type CommandAnswer, type Result, type Ticket } from "./output.ts";
import type { Random } from "./random.ts";

export interface CommandLimits {
  queueMax: number;
  inFlightMax: number;
  laneDepth: number;
  answerWithinMs: number;
}

type State =
  /** Behind others of its lane. */
  | { kind: "queued" }
  /** In `ready`. */
  | { kind: "ready" }
  | { kind: "in_flight"; frame: number; until: Millis }
  | { kind: "resting"; until: Millis };

interface Pending {
  command: Command;
  spec: CommandSpec;
  state: State;
  attempts: number;
  uncertain: boolean;
  expiresAt: Millis | undefined;
}

interface Lane {
  admitted: number;
  queue: Ticket[];
}

/** What came of a reply: an answer, the code that sends the command again, or no command of this frame. */
export type Settled = { answer: CommandAnswer } | { again: ErrorCode } | undefined;

export class Commands {
  readonly #pending = new Map<Ticket, Pending>();
  /** May be sent now, in the order they were given. */
  #ready: Ticket[] = [];
  readonly #lanes = new Map<string, Lane>();
  readonly #inFlight = new Map<number, Ticket>();
  /** When a command must be looked at again. */
  readonly #alarms = new Alarms();
  #next: Ticket = 0;
  readonly #limits: CommandLimits;

  constructor(limits: CommandLimits) {
    this.#limits = { ...limits, laneDepth: Math.max(1, limits.laneDepth) };
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Takes a command; `answer` is there where it can't be taken. */
  submit(now: Millis, command: Command, connected: boolean): { ticket: Ticket; answer?: CommandAnswer } {
    this.#next += 1;
    const ticket = this.#next;
    const spec = COMMANDS[command.name as CommandName] as CommandSpec | undefined;
    const refused = (code: ErrorCode, message: string) => ({
      ticket,
      answer: { ticket, result: refusal(code, message), uncertain: false },
    });
    if (!spec?.socket) return refused("unknown_command", "The socket takes no command of this name.");
    if (spec.repeat === "key" && !command.key) {
      return refused("idempotency_key_required", "This command needs a key: give it a UUID of its own.");
    }
    if (sizeOf(command) > LIMITS.FRAME_BYTES_MAX) {
      return refused("payload_too_large", "The command is over 64 KiB: send less at once.");
    }
    if (passesWithConnection(spec) && !connected) {
      return refused("unavailable", "Not connected; this command is worth nothing later.");
    }
    if (this.#pending.size >= this.#limits.queueMax) {
      return refused("overloaded", "Too many commands wait to be sent: wait for some of their answers.");
    }
    const expiresAt = command.expires_in_ms === undefined ? undefined : now + command.expires_in_ms;
    if (expiresAt !== undefined) this.#alarms.add(expiresAt, ticket);
    const pending: Pending = { command, spec, state: { kind: "ready" }, attempts: 0, uncertain: false, expiresAt };
    this.#pending.set(ticket, pending);
    this.#enterLane(ticket, pending);
    return { ticket };
  }

  /** The next command to send, as the frame `frame`. */
  send(now: Millis, frame: number): Command | undefined {
    if (this.#inFlight.size >= this.#limits.inFlightMax) return undefined;
    const ticket = this.#ready.shift();
    const pending = ticket === undefined ? undefined : this.#pending.get(ticket);
    if (ticket === undefined || !pending) return undefined;
    const until = now + this.#limits.answerWithinMs;
    this.#inFlight.set(frame, ticket);
    this.#alarms.add(until, ticket);
    pending.state = { kind: "in_flight", frame, until };
    return pending.command;
  }

  /** A reply came. */
  reply(now: Millis, random: Random, frame: number, result: Result): Settled {
    const ticket = this.#inFlight.get(frame);
    if (ticket === undefined) return undefined;
    this.#inFlight.delete(frame);
    if (result.error && passes(result.error.code)) {
      const { code, retry_after_ms } = result.error;
      this.#rest(now, random, ticket, retry_after_ms, code === "outcome_unknown" || code === "timeout");
      return { again: code };
    }
    const answer = this.#settle(ticket, result);
    return answer && { answer };
  }

  /** The connection is gone: what flew flies again on the next one. */
  disconnected(): CommandAnswer[] {
    const flown = [...this.#inFlight.values()].sort((a, b) => a - b);
    this.#inFlight.clear();
    const answers: CommandAnswer[] = [];
    for (const ticket of flown) {
      const pending = this.#pending.get(ticket);
      if (!pending) continue;
      pending.uncertain = true;
      if (pending.state.kind === "in_flight") this.#alarms.remove(pending.state.until, ticket);
      if (passesWithConnection(pending.spec)) {
        const gone = "The connection was lost; this command is worth nothing later.";
        answers.push(...present(this.#settle(ticket, refusal("unavailable", gone))));
      } else {
        this.#makeReady(ticket, pending);
      }
    }
    return answers;
  }

  /** Looks at every command whose time has come: some are answered, some will be sent again. */
  wake(now: Millis, random: Random): CommandAnswer[] {
    const answers: CommandAnswer[] = [];
    for (let ticket = this.#alarms.take(now); ticket !== undefined; ticket = this.#alarms.take(now)) {
      const pending = this.#pending.get(ticket);
      if (!pending) continue;
      if (pending.expiresAt !== undefined && pending.expiresAt <= now) {
        const late = "No answer within the time that this command was given.";
        answers.push(...present(this.#settle(ticket, refusal("timeout", late))));
        continue;
      }
      const { state } = pending;
      if (state.kind === "resting" && state.until <= now) {
        this.#makeReady(ticket, pending);
      } else if (state.kind === "in_flight" && state.until <= now) {
        this.#inFlight.delete(state.frame);
        this.#rest(now, random, ticket, undefined, true);
      }
    }
    return answers;
  }

  /** When `wake` has something to do. */
  due(): Millis | undefined {
    return this.#alarms.first();
  }

  /** Answers everything: the client has stopped. */
  stop(): CommandAnswer[] {
    const tickets = [...this.#pending.keys()].sort((a, b) => a - b);
    return tickets.flatMap((ticket) => {
      const pending = this.#pending.get(ticket);
      const flown = pending && (pending.uncertain || pending.state.kind === "in_flight");
      const result = flown
        ? refusal("outcome_unknown", "The client stopped before the answer came: look whether it was done.")
        : refusal("unavailable", "The client stopped before this was sent: nothing was changed.");
      return present(this.#settle(ticket, result));
    });
  }

  #rest(now: Millis, random: Random, ticket: Ticket, afterMs: number | undefined, unknown: boolean): void {
    const pending = this.#pending.get(ticket);
    if (!pending) return;
    if (pending.state.kind === "in_flight") this.#alarms.remove(pending.state.until, ticket);
    pending.uncertain ||= unknown;
    const until = now + (afterMs ?? 0) + repeatWait(random, pending.attempts);
    pending.attempts += 1;
    pending.state = { kind: "resting", until };
    this.#alarms.add(until, ticket);
  }

  #settle(ticket: Ticket, result: Result): CommandAnswer | undefined {
    const pending = this.#pending.get(ticket);
    if (!pending) return undefined;
    this.#pending.delete(ticket);
    this.#ready = this.#ready.filter((other) => other !== ticket);
    if (pending.expiresAt !== undefined) this.#alarms.remove(pending.expiresAt, ticket);
    let { uncertain } = pending;
    const { state } = pending;
    if (state.kind === "in_flight") {
      uncertain = this.#inFlight.delete(state.frame) || uncertain;
      this.#alarms.remove(state.until, ticket);
    } else if (state.kind === "resting") {
      this.#alarms.remove(state.until, ticket);
    }
    this.#leaveLane(ticket, pending);
    return { ticket, result, uncertain: result.error ? uncertain || result.error.code === "internal" : false };
  }

  #enterLane(ticket: Ticket, pending: Pending): void {
    const name = laneOf(pending);
    if (name === undefined) return this.#makeReady(ticket, pending);
    const lane = this.#lanes.get(name) ?? { admitted: 0, queue: [] };
    this.#lanes.set(name, lane);
    if (lane.admitted < this.#limits.laneDepth) {
      lane.admitted += 1;
      this.#makeReady(ticket, pending);
    } else {
      lane.queue.push(ticket);
      pending.state = { kind: "queued" };
    }
  }

  #leaveLane(ticket: Ticket, pending: Pending): void {
    const name = laneOf(pending);
    const lane = name === undefined ? undefined : this.#lanes.get(name);
    if (name === undefined || !lane) return;
    if (pending.state.kind === "queued") {
      lane.queue = lane.queue.filter((other) => other !== ticket);
      return;
    }
    const next = lane.queue.shift();
    const successor = next === undefined ? undefined : this.#pending.get(next);
    if (next !== undefined && successor) this.#makeReady(next, successor);
    else if (lane.admitted > 1) lane.admitted -= 1;
    else this.#lanes.delete(name);
  }

  #makeReady(ticket: Ticket, pending: Pending): void {
    pending.state = { kind: "ready" };
    const place = this.#ready.findIndex((other) => other > ticket);
    this.#ready.splice(place < 0 ? this.#ready.length : place, 0, ticket);
  }
}

const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "rate_limited",
  "unavailable",
  "overloaded",
  "outcome_unknown",
  "timeout",
  "token_expired",
]);

/** Whether the refusal passes by itself, so that the same command may be sent again. */
function passes(code: ErrorCode): boolean {
  return PASSING.has(code);
}

/** Whether it is worth nothing on another connection. What legs of a call say to each other is said anew by whoever still means it. */
function passesWithConnection({ cost }: CommandSpec): boolean {
  return cost === "ephemeral" || cost === "signal";
}

/** The lane that a change of a conversation or a call belongs to; reads and ephemeral commands have none. */
function laneOf({ spec, command }: Pending): string | undefined {
  const laned = spec.route === "conversation" || spec.route === "call";
  const alone = !laned || spec.cost === "read" || passesWithConnection(spec);
  return alone ? undefined : command.to;
}

/** At most what its frame takes, in bytes. */
function sizeOf(command: Command): number {
  const frame = 120;
  const body = command.body === undefined ? "" : JSON.stringify(command.body);
  return frame + bytes(command.name) + bytes(command.to ?? "") + bytes(body);
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

function present(answer: CommandAnswer | undefined): CommandAnswer[] {
  return answer ? [answer] : [];
}
