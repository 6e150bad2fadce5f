// Whether this device is in use: what others see as online or away. Told on every connection and when it changes.
import type { Client } from "@secureconnect/sdk";

/** Without a key or a pointer for this long nobody is there. */
const IDLE_MS = 5 * 60_000;

export class Activity {
  readonly #client: Client;
  #told: "online" | "away" | undefined;
  #idle = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #end = new AbortController();

  constructor(client: Client) {
    this.#client = client;
    const options = { signal: this.#end.signal, passive: true };
    for (const name of ["keydown", "pointerdown", "pointermove", "focus"]) addEventListener(name, () => this.#used(), options);
    document.addEventListener("visibilitychange", () => this.#tell(), options);
    this.#used();
  }

  /** A new connection knows nothing yet. */
  connected(): void {
    this.#told = undefined;
    this.#tell();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#end.abort();
  }

  #used(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#idle = true;
      this.#tell();
    }, IDLE_MS);
    if (!this.#idle) return;
    this.#idle = false;
    this.#tell();
  }

  #tell(): void {
    const state = document.visibilityState === "visible" && !this.#idle ? "online" : "away";
    if (state === this.#told || this.#client.status.state !== "live") return;
    this.#told = state;
    // Refused only where the connection is lost: the next one tells it anew.
    this.#client.call("presence.set", { body: { state } }).catch(() => undefined);
  }
}
