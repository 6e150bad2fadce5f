// What one leg has to say to the others. To each of them one signal is under way at a time, which keeps them in order whatever the
// network does; what gathers meanwhile goes into the next. Candidates wait a moment for their like. An offer supersedes what was not
// sent before it, and what is for a leg that is gone is dropped.
import { LIMITS, type Candidate, type Description, type LegRef, type Millis } from "../generated.ts";
import { sameLeg } from "./rules.ts";

/** Candidates come in bursts; so long the first one waits for its like. Media wait with it, so it is short: what comes later goes with what
 * gathers while this one is under way. */
const GATHER_MS = 5;
/** So long after a loss the same is tried again. */
const AGAIN_MS = 300;

/** A description, candidates, or both. */
export interface Saying {
  description?: Description;
  candidates: Candidate[];
}

interface Line {
  to: LegRef;
  waiting: Saying;
  /** When what waits is to be sent. */
  due: Millis | undefined;
  underWay: Saying | undefined;
}

export class Outgoing {
  #lines: Line[] = [];

  describe(now: Millis, to: LegRef, description: Description): void {
    const line = this.#line(to);
    if (description.type === "offer") line.waiting = { candidates: [] };
    line.waiting.description = description;
    line.due = now;
  }

  candidate(now: Millis, to: LegRef, candidate: Candidate): void {
    const line = this.#line(to);
    line.waiting.candidates.push(candidate);
    line.due ??= now + GATHER_MS;
  }

  /** The next one to send; it is under way until `answered` or `lost`. */
  take(now: Millis): { to: LegRef; saying: Saying } | undefined {
    const line = this.#lines.find(({ due, underWay }) => due !== undefined && due <= now && !underWay);
    if (!line) return undefined;
    const { description, candidates } = line.waiting;
    const page = candidates.slice(0, LIMITS.CANDIDATES_PER_SIGNAL_MAX);
    const rest = candidates.slice(page.length);
    line.underWay = { ...(description ? { description } : {}), candidates: page };
    line.waiting = { candidates: rest };
    line.due = rest.length > 0 ? now : undefined;
    return { to: line.to, saying: line.underWay };
  }

  /** The server has it, or refused it for good. */
  answered(to: LegRef): void {
    const line = this.#lines.find((other) => sameLeg(other.to, to));
    if (line) line.underWay = undefined;
  }

  /** The connection took it along: it is said again before what waits, unless a newer offer supersedes it. */
  lost(now: Millis, to: LegRef): void {
    const line = this.#lines.find((other) => sameLeg(other.to, to));
    if (!line?.underWay) return;
    const { description, candidates } = line.underWay;
    const { waiting } = line;
    line.underWay = undefined;
    if (waiting.description?.type !== "offer") {
      const kept = waiting.description ?? description;
      line.waiting = { ...(kept ? { description: kept } : {}), candidates: [...candidates, ...waiting.candidates] };
    }
    line.due = now + AGAIN_MS;
  }

  /** Only these legs are there to hear anything. */
  only(legs: LegRef[]): void {
    this.#lines = this.#lines.filter(({ to }) => legs.some((leg) => sameLeg(leg, to)));
  }

  /** When `take` has something. */
  due(): Millis | undefined {
    const times = this.#lines.flatMap(({ due, underWay }) => (due !== undefined && !underWay ? [due] : []));
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  #line(to: LegRef): Line {
    let line = this.#lines.find((other) => sameLeg(other.to, to));
    if (!line) this.#lines.push((line = { to, waiting: { candidates: [] }, due: undefined, underWay: undefined }));
    return line;
  }
}
