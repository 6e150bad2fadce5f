// What a core starts with.
import type { Epoch, StreamPosition } from "../generated.ts";
import type { CommandLimits } from "./commands.ts";

/** What a core starts with. */
export interface CoreSettings extends CommandLimits {
  /** Determines every wait that is spread by chance. */
  seed: number;
  /** Name and version, for the server's logs. */
  client?: string;
  /** The access token; absent where it is fetched first. */
  token?: string;
  /** The epoch that the positions are of. */
  epoch?: Epoch;
  /** What the app has kept of an earlier life. */
  positions: StreamPosition[];
  /** With this many events waiting for the app, no more frames are wanted. */
  eventsWaitingMax: number;
  /** The longest wait for the next connection; what the server asks for is not cut. */
  reconnectWithinMs: number;
}

export const DEFAULTS: CoreSettings = {
  seed: 1,
  positions: [],
  queueMax: 1_000,
  inFlightMax: 32,
  laneDepth: 1,
  answerWithinMs: 10_000,
  eventsWaitingMax: 256,
  reconnectWithinMs: 25_000,
};
