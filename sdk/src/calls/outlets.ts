// What leaves the call core: commands with whoever waits for their answers, and news in their order.
import type { Millis } from "../generated.ts";
import type { CallAnswer, CallCommand, CallNews, CallTicket } from "./inout.ts";

export type Hear = (now: Millis, answer: CallAnswer) => void;

export class Outlets {
  #ticket: CallTicket = 0;
  readonly #asked = new Map<CallTicket, Hear>();
  readonly #commands: CallCommand[] = [];
  readonly #news: CallNews[] = [];

  ask(command: Omit<CallCommand, "ticket">, hear: Hear = () => undefined): void {
    this.#ticket += 1;
    this.#asked.set(this.#ticket, hear);
    this.#commands.push({ ticket: this.#ticket, ...command });
  }

  answered(now: Millis, ticket: CallTicket, answer: CallAnswer): void {
    const hear = this.#asked.get(ticket);
    this.#asked.delete(ticket);
    hear?.(now, answer);
  }

  tell(news: CallNews): void {
    this.#news.push(news);
  }

  changed(): void {
    if (this.#news.at(-1)?.kind !== "changed") this.#news.push({ kind: "changed" });
  }

  command(): CallCommand | undefined {
    return this.#commands.shift();
  }

  news(): CallNews | undefined {
    return this.#news.shift();
  }
}
