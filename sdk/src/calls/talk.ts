// What one leg and the others say to each other. A new place begins it anew; it ends with the place.
import { ERROR_CODES, type CallId, type Candidate, type Description, type ErrorBody, type LegRef, type Millis, type Signal } from "../generated.ts";
import type { Book } from "./book.ts";
import { Heard } from "./heard.ts";
import { Outgoing } from "./outgoing.ts";
import type { Outlets } from "./outlets.ts";
import { otherLegs, sameLeg } from "./rules.ts";

/** So much is kept of legs that are not known yet. */
const STRANGERS_MAX = 64;

export class Talk {
  readonly call: CallId;
  readonly own: LegRef;
  readonly #book: Book;
  readonly #outlets: Outlets;
  readonly #heard = new Heard();
  readonly #outgoing = new Outgoing();
  /** What legs have said that no state of the call names yet: the state is on its way. */
  #strangers: Signal[] = [];

  constructor(book: Book, outlets: Outlets, call: CallId, own: LegRef) {
    this.#book = book;
    this.#outlets = outlets;
    this.call = call;
    this.own = own;
  }

  /** The legs to negotiate with. */
  get peers(): LegRef[] {
    const call = this.#book.get(this.call);
    return call ? otherLegs(call, this.own.user) : [];
  }

  /** Whether something of what others said is missing. */
  get gap(): boolean {
    return this.#heard.gap;
  }

  /** The number of the last signal before which none is missing. */
  get last(): number {
    return this.#heard.last;
  }

  due(): Millis | undefined {
    return this.#outgoing.due();
  }

  describe(now: Millis, to: LegRef, description: Description): void {
    this.#outgoing.describe(now, to, description);
  }

  candidate(now: Millis, to: LegRef, candidate: Candidate): void {
    this.#outgoing.candidate(now, to, candidate);
  }

  hear(signal: Signal): void {
    if (signal.call === this.call && sameLeg(signal.to, this.own)) this.#handOn(this.#heard.arrive(signal));
  }

  /** The server's answer to what was missed; `lost`: its own count begins anew. */
  replay(signals: Signal[], lost: boolean): void {
    if (lost) this.#heard.restart();
    this.#handOn(this.#heard.replay(signals));
  }

  /** The call's state names other legs than before. */
  rosterChanged(): void {
    this.#outgoing.only(this.peers);
    // Those who look at the roster see the new ones before they are heard.
    this.#outlets.changed();
    this.#introduce();
  }

  /** Says what is due; what is refused for good goes to `refused`. */
  flush(now: Millis, refused: (error: ErrorBody) => void): void {
    for (let next = this.#outgoing.take(now); next; next = this.#outgoing.take(now)) {
      const { to, saying } = next;
      const { description, candidates } = saying;
      const body = { epoch: this.own.epoch, to, ...(description ? { description } : {}), ...(candidates.length > 0 ? { candidates } : {}) };
      this.#outlets.ask({ name: "call.signal", to: this.call, body }, (at, answer) => {
        if (answer.error && ERROR_CODES[answer.error.code]?.retry !== "never") return this.#outgoing.lost(at, to);
        this.#outgoing.answered(to);
        if (answer.error) refused(answer.error);
      });
    }
  }

  #handOn(signals: Signal[]): void {
    this.#strangers.push(...signals);
    this.#introduce();
  }

  /** Hands on what legs say that the call's state names; what superseded legs said is dropped. */
  #introduce(): void {
    const { peers } = this;
    this.#strangers = this.#strangers.filter((signal) => {
      const known = peers.find(({ user }) => user === signal.from.user);
      if (known?.epoch === signal.from.epoch) this.#outlets.tell({ kind: "signal", signal });
      return known === undefined || known.epoch < signal.from.epoch;
    });
    this.#strangers.splice(0, this.#strangers.length - STRANGERS_MAX);
  }
}
