// The access token of the socket, and the request for a fresh one: at most one at a time.
import type { Millis } from "../generated.ts";

export class TokenState {
  token: string | undefined;
  /** In server time, once the server has said so. */
  expiresAt: Millis | undefined;
  /** Requests that came to nothing since the last token. */
  failures = 0;
  /** The id of the `renew` that flies. */
  renewal: number | undefined;
  #request: "none" | "open" | { at: Millis } = "none";

  constructor(token: string | undefined) {
    this.token = token;
  }

  /** Whether a request must be made now. */
  request(): boolean {
    if (this.#request !== "none") return false;
    this.#request = "open";
    return true;
  }

  answered(): void {
    this.#request = "none";
  }

  retryLater(at: Millis): void {
    this.#request = { at };
  }

  retryAt(): Millis | undefined {
    return typeof this.#request === "object" ? this.#request.at : undefined;
  }

  /** Whether the time of a repetition has come; it then counts as made. */
  takeRetry(now: Millis): boolean {
    const at = this.retryAt();
    if (at === undefined || at > now) return false;
    this.#request = "open";
    return true;
  }
}
