// The retry rule of a close code stands in its number, so that a client knows it also of codes that are younger than itself.
import type { Retry } from "../generated.ts";

/** The rule of any close number; `after` for the WebSocket protocol's own (1000 to 1015). */
export function retryOf(code: number): Retry {
  if (code >= 4000 && code <= 4099) return "now";
  if (code >= 4200 && code <= 4299) return "never";
  return "after";
}
