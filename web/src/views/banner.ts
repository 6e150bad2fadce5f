// Says that the connection is gone, what that means, and when it comes back. Short gaps are not shown: a resumed connection is no
// news to anybody.
import type { Status } from "@secureconnect/sdk";
import type { Model } from "../model/model.ts";
import { fill, h, type Child } from "../ui/dom.ts";
import { icon } from "../ui/icons.ts";

const SHOWN_AFTER_MS = 1_000;

export class ConnectionBanner {
  readonly element = h("div", { class: "banner", role: "status", hidden: true });
  readonly #model: Model;
  readonly #off: () => void;
  #lostAt: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(model: Model) {
    this.#model = model;
    this.#off = model.topics.on(["connection"], () => this.#update());
    this.#update();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#off();
  }

  #update(): void {
    clearTimeout(this.#timer);
    const { status } = this.#model.client;
    document.documentElement.dataset["connection"] = status.state;
    if (status.state === "live" || status.state === "catching_up" || status.state === "idle") {
      this.#lostAt = undefined;
      this.element.hidden = true;
      return;
    }
    this.#lostAt ??= Date.now();
    const showIn = status.state === "stopped" ? 0 : this.#lostAt + SHOWN_AFTER_MS - Date.now();
    if (showIn > 0) {
      this.#timer = setTimeout(() => this.#update(), showIn);
      return;
    }
    this.element.hidden = false;
    fill(this.element, icon("wifi"), ...this.#words(status));
    // The seconds count down.
    if (status.state === "waiting") this.#timer = setTimeout(() => this.#update(), 1_000);
  }

  #words(status: Status): Child[] {
    const again = (text: string) => h("button", { type: "button", class: "link", onclick: () => this.#again(status) }, text);
    if (status.state === "stopped") {
      const taken = status.why.kind === "closed" && status.why.code === 4202;
      return [taken ? "SecureConnect is open in too many windows." : "The connection was ended.", again("Use it here")];
    }
    const offline = !navigator.onLine ? "You are offline." : "Connection lost.";
    const kept = "What you write is kept and sent later.";
    if (status.state === "waiting" && status.retryAt !== undefined) {
      const seconds = Math.ceil((status.retryAt - Date.now()) / 1000);
      if (seconds > 1) return [`${offline} ${kept} Next try in ${seconds} s.`, again("Try now")];
    }
    return [`${offline} ${kept} Reconnecting…`];
  }

  #again(status: Status): void {
    if (status.state === "stopped") void this.#model.resume();
    else this.#model.client.wake();
  }
}
