// What a device wants to be in: a new call, or one that goes on.
import type { CallId, CallKind, ClientId, ConversationId, Media } from "../generated.ts";

export interface LegWish {
  conversation: ConversationId | undefined;
  kind: CallKind;
  media: Media;
  /** A new call, by its client id; else the call that is joined. */
  start?: { clientId: ClientId; waitingRoom: boolean };
  call?: CallId;
}

const MEDIA = ["audio", "video", "screen", "hand"] as const;

export function sameMedia(a: Media, b: Media): boolean {
  return MEDIA.every((name) => (a[name] ?? false) === (b[name] ?? false));
}
