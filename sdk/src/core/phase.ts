// Where a connection stands in its life.
import type { Millis } from "../generated.ts";

export type Phase =
  /** Not started, or given up. */
  | { kind: "stopped" }
  /** Connects when a token is there, not before `notBefore`. */
  | { kind: "awaiting_token"; notBefore: Millis }
  /** Connects at `until`. */
  | { kind: "waiting"; until: Millis }
  /** The shell opens a transport. */
  | { kind: "opening"; until: Millis }
  /** `hello` was sent. */
  | { kind: "greeting"; hello: number; until: Millis }
  /** The `sync` frames up to `last` were sent; `answered` was the last one with an answer. */
  | { kind: "syncing"; answered: number; last: number; until: Millis }
  /** Commands flow. */
  | { kind: "up" };

/** Whether a transport is open. */
export function isConnected({ kind }: Phase): boolean {
  return kind === "greeting" || kind === "syncing" || kind === "up";
}
