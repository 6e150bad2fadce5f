// What became of a call, in words.
import type { Call, CallRecord, CallStatus, LegEnd, UserId } from "@secureconnect/sdk";
import { ApiError, partOf } from "@secureconnect/sdk";
import { describe } from "../words.ts";

/** How long it lasted: 3 min, 1 h 5 min. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** 0:07, 12:30, 1:02:03. */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (number: number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}

/** A call that is over, as one of its people sees it. */
export function recordWords(record: CallRecord, me: UserId): string {
  const kind = record.kind === "video" ? "Video call" : "Call";
  const own = record.participants.find(({ user }) => user === me);
  if (own?.joined_at === undefined && record.by !== me) {
    if (own?.status === "declined") return `${kind}, declined`;
    return own?.status === "missed" || own?.status === "busy" ? `Missed ${kind.toLowerCase()}` : kind;
  }
  if (record.answered_at !== undefined) return `${kind}, ${duration(record.duration_ms)}`;
  return `${kind}, ${UNANSWERED[record.status] ?? "no answer"}`;
}

const UNANSWERED: Partial<Record<CallStatus, string>> = { declined: "declined", busy: "busy", cancelled: "cancelled", failed: "failed" };

/** Whether this user missed it. */
export function wasMissed(record: CallRecord, me: UserId): boolean {
  const own = record.participants.find(({ user }) => user === me);
  return record.by !== me && own?.joined_at === undefined && (own?.status === "missed" || own?.status === "busy");
}

/** Why this device is out of its call; empty where its user knows. */
export function endWords(why: LegEnd, call: Call | undefined, me: UserId, other: string): string {
  switch (why.kind) {
    case "left":
      return "";
    case "taken_over":
      return "The call goes on on your other device.";
    case "removed":
      return "You were removed from the call.";
    case "expired":
      return "You were away for too long. You can join again while the call goes on.";
    case "refused":
      return describe(new ApiError(why.error.code, why.error.message));
    case "over":
      return call ? overWords(call, me, other) : "The call is over.";
  }
}

function overWords(call: Call, me: UserId, other: string): string {
  switch (call.status) {
    case "declined":
      return `${other} declined.`;
    case "busy":
      return `${other} is in another call.`;
    case "missed":
      return call.by === me ? `${other} did not answer.` : "The call is over.";
    case "failed":
      return call.failure === "connection_lost" ? "The call broke off: the connection did not come back." : "The call was ended.";
    default:
      return partOf(call, me)?.status === "removed" ? "You were removed from the call." : "The call is over.";
  }
}
