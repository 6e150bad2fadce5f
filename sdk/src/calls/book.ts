// The calls that this user's devices are told of: of each the newest version, and which of them ring here.
import type { Call, CallId, CallIndex, Millis, UserId } from "../generated.ts";
import { isOver, ringsUntil } from "./rules.ts";

/** So many calls that are over are kept for who still looks at them. */
const OVER_MAX = 20;

export class Book {
  readonly #me: UserId;
  readonly #calls = new Map<CallId, Call>();
  /** Rings that were answered with no, or told to the server, by the time at which they end. */
  readonly #declined = new Map<CallId, Millis>();
  readonly #rung = new Map<CallId, Millis>();
  missed = 0;

  constructor(me: UserId) {
    this.#me = me;
  }

  get(id: CallId): Call | undefined {
    return this.#calls.get(id);
  }

  /** Those that go on, the latest first. */
  live(): Call[] {
    return [...this.#calls.values()].filter((call) => !isOver(call)).sort((a, b) => b.created_at - a.created_at);
  }

  /** Takes a call's state unless a newer one is known; whether it was news. */
  put(call: Call): boolean {
    const known = this.#calls.get(call.id);
    if (known && known.version >= call.version) return false;
    this.#calls.set(call.id, call);
    if (isOver(call)) this.#trim();
    return true;
  }

  /** Takes the list of what goes on: any other call but `own` is over, however it ended. Returns whether that is news. */
  index({ live, missed }: CallIndex, own: CallId | undefined): boolean {
    const gone = this.live().filter(({ id }) => id !== own && !live.includes(id));
    for (const { id } of gone) this.#calls.delete(id);
    const news = gone.length > 0 || missed !== this.missed;
    this.missed = missed;
    return news;
  }

  /** The calls for which this device rings, the first that came first. `now` is the server's time. */
  ringing(now: Millis): Call[] {
    return this.live()
      .filter((call) => {
        const until = ringsUntil(call, this.#me);
        return until !== undefined && until > now && this.#declined.get(call.id) !== until;
      })
      .reverse();
  }

  /** When the first of these rings ends. */
  ringEnds(now: Millis): Millis | undefined {
    const ends = this.ringing(now).map((call) => ringsUntil(call, this.#me)!);
    return ends.length > 0 ? Math.min(...ends) : undefined;
  }

  /** Stops this ring here; another one, after an admission, rings again. */
  decline(id: CallId): void {
    this.#note(this.#declined, id);
  }

  /** Whether this ring was not told to the server yet; from now on it was. */
  rings(id: CallId): boolean {
    return this.#note(this.#rung, id);
  }

  #note(rings: Map<CallId, Millis>, id: CallId): boolean {
    const call = this.#calls.get(id);
    const until = call && ringsUntil(call, this.#me);
    if (until === undefined || rings.get(id) === until) return false;
    rings.set(id, until);
    return true;
  }

  #trim(): void {
    const over = [...this.#calls.values()].filter(isOver);
    for (const { id } of over.slice(0, Math.max(0, over.length - OVER_MAX))) this.#calls.delete(id);
    for (const rings of [this.#declined, this.#rung]) for (const id of rings.keys()) if (!this.#calls.has(id)) rings.delete(id);
  }
}
