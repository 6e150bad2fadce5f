// What goes in and out of the core, apart from events.
import type { CommandName, ConversationId, ErrorBody, ErrorCode, Millis, UserId, Uuid } from "../generated.ts";

/** Names a command until it is answered; later commands have higher ones. */
export type Ticket = number;

/** A command of the table for the socket. */
export interface Command {
  name: CommandName | (string & {});
  /** What it is routed by, where its row says so. */
  to?: ConversationId | UserId;
  /** Its idempotency key, where its row wants one. */
  key?: Uuid;
  body?: unknown;
  /** After this time it is answered `timeout`, whatever became of it; absent waits for the server's own answer. */
  expires_in_ms?: number;
}

/** What came of a command. */
export interface CommandAnswer {
  ticket: Ticket;
  /** The server's answer, or why there is none. */
  result: Result;
  /** A refusal that does not prove that nothing was done: an earlier transmission of the command went unanswered. */
  uncertain: boolean;
}

export type Result = { ok: unknown; error?: undefined } | { error: ErrorBody };

/** What the shell has to do. */
export type Output =
  /** Open a transport. It ends in `handleOpened` or `handleClosed`. */
  | { kind: "connect" }
  /** Send this text frame. */
  | { kind: "send"; text: string }
  /** Close the transport with this code and reason. Nothing of it may be handed in any more. */
  | { kind: "close"; code: number; reason: string }
  /** Get a fresh access token, then call `handleToken`. */
  | { kind: "refresh_token" }
  /** A command is answered. */
  | { kind: "answer"; answer: CommandAnswer };

/** What came of a request for a token. */
export type TokenAnswer =
  | { kind: "token"; token: string }
  /** Not now (no network, server busy): ask again, after this time where one is known. */
  | { kind: "later"; after_ms?: Millis }
  /** Never: the login is over. */
  | { kind: "denied"; error: ErrorBody };

/** A refusal that this side makes. */
export function refusal(code: ErrorCode, message: string): { error: ErrorBody } {
  return { error: { code, message } };
}
