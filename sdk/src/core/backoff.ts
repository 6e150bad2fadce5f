// How long to wait before the next try. Full jitter: a random part of a growing bound, so that many clients that lost the same server
// don't come back together. The first reconnect after a lost line is immediate; a close that asks for patience skips that step.
import type { Random } from "./random.ts";

/** The bounds for reconnects: at once, then growing to 25 s. */
const RECONNECT_MS = [0, 300, 1_000, 3_000, 9_000, 25_000];
/**
 * The bounds for a repeated command or token request: never at once. The connection stands, so what refuses is a part behind the server,
 * and whoever repeats costs little; five seconds after that part is back everything goes on.
 */
const REPEAT_MS = [300, 1_000, 3_000, 5_000];

/** The wait before reconnect number `attempt` (0 is the first). */
export function reconnectWait(random: Random, attempt: number): number {
  return jittered(random, RECONNECT_MS, attempt);
}

/** The wait before repetition number `attempt` (0 is the first), on top of what the server asked for. */
export function repeatWait(random: Random, attempt: number): number {
  return jittered(random, REPEAT_MS, attempt);
}

function jittered(random: Random, bounds: number[], attempt: number): number {
  const bound = bounds[attempt] ?? bounds.at(-1) ?? 0;
  return bound === 0 ? 0 : random.below(bound + 1);
}
