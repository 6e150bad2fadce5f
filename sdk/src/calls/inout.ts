// What goes in and out of the call core.
import type { CommandName, ErrorBody, Call, CallId, ConversationId, Ice, Millis, Signal } from "../generated.ts";

/** Names a command until its answer is handed in. */
export type CallTicket = number;

/** A command for the server; `handleAnswer` takes what came of it. */
export interface CallCommand {
  ticket: CallTicket;
  name: CommandName;
  to?: CallId | ConversationId;
  body?: unknown;
  /** What nobody waits for any longer must not be done later. */
  expiresInMs?: Millis;
}

export type CallAnswer = { ok: unknown; error?: undefined } | { error: ErrorBody };

/** Why this device is out of a call. */
export type LegEnd =
  /** The call is over; its state says how. */
  | { kind: "over" }
  | { kind: "left" }
  /** Another device of this user has the place. */
  | { kind: "taken_over" }
  /** The host, or the end of a membership. */
  | { kind: "removed" }
  /** It was away for too long. */
  | { kind: "expired" }
  /** Starting or joining was refused. */
  | { kind: "refused"; error: ErrorBody };

/** News for the app. */
export type CallNews =
  /** Something about calls looks different: rings, states, the own leg, what was missed. */
  | { kind: "changed" }
  /** This device has a place: media may be negotiated. `before` is the leg that it replaces, where it had one. */
  | { kind: "joined"; call: Call; epoch: number; ice: Ice }
  /** The leg is known to the present connection again; `renegotiate`: what was said was lost. */
  | { kind: "returned"; ice: Ice; renegotiate: boolean }
  /** New credentials. */
  | { kind: "ice"; ice: Ice }
  /** Another leg says something. Each comes once and in order. */
  | { kind: "signal"; signal: Signal }
  /** The host has muted this device's microphone. */
  | { kind: "muted" }
  /** This device is out. */
  | { kind: "ended"; call: CallId | undefined; why: LegEnd };
