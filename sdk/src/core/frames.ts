// Frames as they come from the socket: JSON whose shape is checked before anything is done with it.
import { ERROR_CODES, type ErrorBody, type From, type ServerFrame, type Synced, type Welcome } from "../generated.ts";

type Fields = Record<string, unknown>;

/** Reads a frame; `undefined` where it is not of the protocol's form. An error code that this build doesn't know is taken as
 * `internal`, so that a newer server is understood. */
export function parseFrame(text: string): ServerFrame | undefined {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isFields(frame)) return undefined;
  const { id, type, from, register, error, until } = frame;
  if (!optional(id, isCount) || !optional(type, isText) || !optional(until, isCount)) return undefined;
  if (!optional(from, isFrom) || !optional(register, isRegister)) return undefined;
  if (error !== undefined && error !== null) {
    if (!isFields(error) || !isText(error["code"]) || !isText(error["message"])) return undefined;
    if (!Object.hasOwn(ERROR_CODES, error["code"])) frame["error"] = { code: "internal", message: error["message"] } satisfies ErrorBody;
  }
  return frame as ServerFrame;
}

export function isWelcome(body: unknown): body is Welcome {
  if (!isFields(body)) return false;
  const texts = ["user", "session", "connection", "epoch"].every((name) => isText(body[name]));
  const counts = ["time", "expires_at", "heartbeat_ms", "ack_every_events", "ack_every_ms", "frame_bytes_max"];
  return texts && typeof body["resumed"] === "boolean" && counts.every((name) => isCount(body[name]));
}

export function isSynced(body: unknown): body is Synced {
  return (
    isFields(body) &&
    Array.isArray(body["started"]) &&
    body["started"].every(isFrom) &&
    Array.isArray(body["reset"]) &&
    body["reset"].every(isText)
  );
}

/** A stream with a position in it. */
export function isFrom(value: unknown): value is From {
  return isFields(value) && isText(value["stream"]) && isCount(value["seq"]) && isText(value["tag"]);
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isText(value: unknown): value is string {
  return typeof value === "string";
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isRegister(value: unknown): boolean {
  return isFields(value) && isText(value["key"]) && isCount(value["version"]);
}

function optional(value: unknown, is: (value: unknown) => boolean): boolean {
  return value === undefined || value === null || is(value);
}
