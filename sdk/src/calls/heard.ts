// What one leg has heard of the others: each signal once and in order. The server numbers them for the leg that they go to, so a
// number that is missing is seen, and a repeated one is known.
import type { Signal } from "../generated.ts";

/** Beyond so many signals that came too early nothing is kept: they are replayed anyway. */
const EARLY_MAX = 128;

export class Heard {
  /** The number of the last one; `undefined`: the next one begins the count. */
  #last: number | undefined = 0;
  readonly #early = new Map<number, Signal>();

  /** For `call.join`: the number of the last signal before which none is missing. */
  get last(): number {
    return this.#last ?? 0;
  }

  /** Whether one is missing. */
  get gap(): boolean {
    return this.#early.size > 0;
  }

  /** A signal came; what is returned may be acted on now, in this order. */
  arrive(signal: Signal): Signal[] {
    if (this.#last !== undefined && signal.number <= this.#last) return [];
    if (this.#last !== undefined && signal.number > this.#last + 1) {
      if (this.#early.size < EARLY_MAX) this.#early.set(signal.number, signal);
      return [];
    }
    const ready = [signal];
    let last = signal.number;
    for (let next = this.#early.get(last + 1); next; next = this.#early.get(last + 1)) {
      this.#early.delete(next.number);
      ready.push(next);
      last = next.number;
    }
    this.#last = last;
    return ready;
  }

  /** What the server still keeps after `last`, in order. What is not among it was superseded, or came meanwhile. */
  replay(signals: Signal[]): Signal[] {
    const ready: Signal[] = [];
    for (const signal of signals) {
      if (this.#last === undefined || signal.number > this.#last) {
        this.#last = signal.number - 1;
        ready.push(...this.arrive(signal));
      }
    }
    for (const number of this.#early.keys()) if (number <= this.last) this.#early.delete(number);
    return ready;
  }

  /** The server's own count was lost: the next signal begins it anew, and what came early belongs to the old one. */
  restart(): void {
    this.#last = undefined;
    this.#early.clear();
  }
}
