// What a call's state says: read in one place, so that every device and every view judges it alike.
import type { Call, CallStatus, LegRef, Millis, Participant, UserId } from "../generated.ts";

const OVER: ReadonlySet<CallStatus> = new Set<CallStatus>(["ended", "missed", "declined", "busy", "cancelled", "failed"]);

/** Whether nothing follows any more. */
export function isOver(call: Call): boolean {
  return OVER.has(call.status);
}

export function partOf(call: Call, user: UserId): Participant | undefined {
  return call.participants.find((part) => part.user === user);
}

/** Whether they hold a place in the call. */
export function isIn(part: Participant | undefined): boolean {
  return part?.status === "joined" || part?.status === "reconnecting";
}

/** Whether their devices ring. */
export function isCalled(part: Participant | undefined): boolean {
  return part?.status === "invited" || part?.status === "ringing";
}

/** Until when (server time) this user's devices ring; `undefined` where they don't. Somebody who was admitted is called anew, beyond
 * the time of the first ring. */
export function ringsUntil(call: Call, me: UserId): Millis | undefined {
  const part = partOf(call, me);
  if (isOver(call) || !isCalled(part)) return undefined;
  return part?.until ?? call.ring_until;
}

/** The legs of the others that are in. */
export function otherLegs(call: Call, me: UserId): LegRef[] {
  if (isOver(call)) return [];
  return call.participants.flatMap((part) => (part.user !== me && isIn(part) && part.epoch !== undefined ? [{ user: part.user, epoch: part.epoch }] : []));
}

export function sameLeg(a: LegRef, b: LegRef): boolean {
  return a.user === b.user && a.epoch === b.epoch;
}
