// Times at which tickets must be looked at again, in order of time, then of ticket.
import type { Millis } from "../generated.ts";
import type { Ticket } from "./output.ts";

export class Alarms {
  readonly #alarms: [Millis, Ticket][] = [];

  add(at: Millis, ticket: Ticket): void {
    const place = this.#place(at, ticket);
    const found = this.#alarms[place];
    if (found && found[0] === at && found[1] === ticket) return;
    this.#alarms.splice(place, 0, [at, ticket]);
  }

  remove(at: Millis, ticket: Ticket): void {
    const place = this.#place(at, ticket);
    const found = this.#alarms[place];
    if (found && found[0] === at && found[1] === ticket) this.#alarms.splice(place, 1);
  }

  first(): Millis | undefined {
    return this.#alarms[0]?.[0];
  }

  /** Takes out the first whose time has come. */
  take(now: Millis): Ticket | undefined {
    const first = this.#alarms[0];
    if (!first || first[0] > now) return undefined;
    this.#alarms.shift();
    return first[1];
  }

  /** Where an alarm stands, or would stand. */
  #place(at: Millis, ticket: Ticket): number {
    let low = 0;
    let high = this.#alarms.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const [time, other] = this.#alarms[middle]!;
      if (time < at || (time === at && other < ticket)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
