// A line at the head of the page about a call that is not in view: one's own that was put aside, or one that another device is in.
import { elapsed } from "../../calls/words.ts";
import type { Model } from "../../model/model.ts";
import { titleOf } from "../../titles.ts";
import { button } from "../../ui/controls.ts";
import { fill, h } from "../../ui/dom.ts";
import { icon } from "../../ui/icons.ts";
import { statusOfCall, titleOfCall } from "./call-view.ts";

export class CallBar {
  readonly element = h("div", { class: "call-bar", role: "region", "aria-label": "Call", hidden: true });
  readonly #model: Model;
  readonly #clock = h("span", { class: "call-clock" });
  readonly #back: () => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #look = "";

  constructor(model: Model, back: () => void) {
    this.#model = model;
    this.#back = back;
    this.#timer = setInterval(() => this.#tick(), 1_000);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** `aside`: the own call is not in view. */
  update(aside: boolean): void {
    const { calls } = this.#model;
    const { elsewhere } = calls;
    const own = calls.place !== undefined;
    const look = JSON.stringify(own ? aside && [titleOfCall(this.#model), statusOfCall(this.#model)] : elsewhere && [elsewhere.id, elsewhere.kind]);
    if (look === this.#look) return;
    this.#look = look;
    this.element.hidden = own ? !aside : !elsewhere;
    if (own) {
      const status = statusOfCall(this.#model);
      fill(
        this.element,
        icon("phone"),
        h("span", { class: "call-bar-text" }, titleOfCall(this.#model), status && ` · ${status}`),
        this.#clock,
        button("Back to the call", this.#back, "small"),
        button("Leave call", () => calls.leave(), "small danger"),
      );
    } else if (elsewhere) {
      const conversation = this.#model.conversations.get(elsewhere.conversation);
      const where = conversation ? ` (${titleOf(this.#model, conversation)})` : "";
      fill(
        this.element,
        icon("phone"),
        h("span", { class: "call-bar-text" }, `You are in a call on another device${where}.`),
        button("Take over here", () => void calls.join(elsewhere, elsewhere.kind), "small"),
      );
    }
    this.#tick();
  }

  #tick(): void {
    const since = this.#model.calls.current?.answered_at;
    this.#clock.textContent = since === undefined ? "" : elapsed(this.#model.client.serverNow() - since);
  }
}
