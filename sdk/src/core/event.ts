// What the app hears from the core, in this order and each exactly once.
import type { Epoch, ErrorBody, From, Millis, Position, Seq, StreamId, Welcome } from "../generated.ts";

/** News for the app. */
export type CoreEvent =
  /** The server has said welcome. */
  | { kind: "connected"; welcome: Welcome }
  /** Everything up to the present was delivered: the client is in step. */
  | { kind: "in_step" }
  /** The connection is gone and another one will be made; no time while a token is fetched first. */
  | { kind: "disconnected"; why: Lost; retry_in_ms?: number }
  /** The client has given up; it goes on only if it is started again. */
  | { kind: "stopped"; stop: Stop }
  /** The next entry of a log. */
  | { kind: "entry"; from: From; name: string; at?: Millis; body: unknown }
  /** Entries of a log, `first` to `from.seq`, that the client may not see. */
  | { kind: "withheld"; from: From; first: Seq }
  /** A log that the client had no position in: it goes on from here, what lies before is read as history. */
  | { kind: "started"; stream: StreamId; head: Position }
  /** What the app keeps of this log is void; no head where the client may not read it any more. */
  | { kind: "reset"; stream: StreamId; head?: Position }
  /** The store was replaced: what the app keeps of any log is void. */
  | { kind: "reset_all"; epoch: Epoch }
  /** A register has a newer value. */
  | { kind: "register"; key: string; version: number; name: string; body: unknown }
  /** Something that soon means nothing any more; `until` is server time. */
  | { kind: "ephemeral"; name: string; until: Millis; body: unknown };

/** Why a connection ended. */
export type Lost =
  | { kind: "transport" }
  | { kind: "closed"; code: number }
  | { kind: "silent" }
  | { kind: "gap"; stream: StreamId; expected: Seq; got: Seq }
  | { kind: "forked"; stream: StreamId }
  | { kind: "malformed" }
  | { kind: "refused"; error: ErrorBody };

/** Why the client gave up. */
export type Stop =
  | { kind: "closed"; code: number; reason: string }
  | { kind: "refused"; error: ErrorBody }
  | { kind: "token_denied"; error: ErrorBody }
  | { kind: "asked" };
