// The call that this device is in: its people, its buttons, and how it stands. It can be put aside, so that one can read and write while
// one talks; then a line at the head of the page leads back.
import { isIn, partOf, type Call } from "@secureconnect/sdk";
import { elapsed } from "../../calls/words.ts";
import type { Model } from "../../model/model.ts";
import { titleOf } from "../../titles.ts";
import { button, iconButton } from "../../ui/controls.ts";
import { fill, h, set } from "../../ui/dom.ts";
import { CallControls } from "./controls.ts";
import { MissingMedia } from "./missing.ts";
import { Stage } from "./stage.ts";

export class CallView {
  readonly element: HTMLElement;
  readonly #model: Model;
  readonly #stage: Stage;
  readonly #controls: CallControls;
  readonly #missing: MissingMedia;
  readonly #title = h("h2");
  readonly #status = h("p", { class: "call-status", role: "status" });
  readonly #clock = h("span", { class: "call-clock" });
  readonly #waiting = h("div", { class: "call-waiting", role: "status" });
  readonly #layout: HTMLButtonElement;
  readonly #timer: ReturnType<typeof setInterval>;
  #waitingLook = "";

  constructor(model: Model, putAside: () => void) {
    this.#model = model;
    this.#stage = new Stage(model, () => this.update());
    this.#controls = new CallControls(model);
    this.#missing = new MissingMedia(model);
    this.#layout = iconButton("speaker", "Speaker view", () => this.#switchLayout());
    this.element = h(
      "section",
      { class: "call", tabindex: -1 },
      h("header", { class: "call-head" }, h("div", { class: "who" }, this.#title, h("div", { class: "call-line" }, this.#clock, this.#status)), this.#layout, iconButton("shrink", "Back to the chat", putAside)),
      this.#waiting,
      this.#missing.element,
      this.#stage.element,
      this.#controls.element,
    );
    this.#timer = setInterval(() => this.#tick(), 1_000);
    this.update();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#stage.end();
    this.element.remove();
  }

  /** Its name is read out, and no key that was meant for something else presses a button. */
  focus(): void {
    this.element.focus();
  }

  update(): void {
    const { calls } = this.#model;
    const call = calls.current;
    const title = titleOfCall(this.#model);
    this.#title.textContent = title;
    set(this.element, "aria-label", `Call: ${title}`);
    const status = statusOfCall(this.#model);
    if (this.#status.textContent !== status) this.#status.textContent = status;
    this.#stage.update(call);
    this.#layout.hidden = Number(this.#stage.element.dataset["count"]) < 3;
    this.#controls.update();
    this.#missing.update();
    this.#showWaiting(call);
    this.#tick();
  }

  #tick(): void {
    const call = this.#model.calls.current;
    const since = call?.answered_at;
    this.#clock.hidden = since === undefined;
    if (since !== undefined) this.#clock.textContent = elapsed(this.#model.client.serverNow() - since);
  }

  #switchLayout(): void {
    const speaker = this.#stage.layout === "grid";
    this.#stage.layout = speaker ? "speaker" : "grid";
    const next = speaker ? "Grid view" : "Speaker view";
    set(this.#layout, "aria-label", next);
    set(this.#layout, "title", next);
    this.update();
  }

  /** Whom the host may let in. */
  #showWaiting(call: Call | undefined): void {
    const hosts = call?.host === this.#model.me.id;
    const waiting = hosts ? call.participants.filter(({ status }) => status === "waiting").map(({ user }) => ({ user, name: this.#model.people.name(user) })) : [];
    const look = JSON.stringify(waiting);
    if (look === this.#waitingLook) return;
    this.#waitingLook = look;
    const { calls } = this.#model.calls;
    fill(
      this.#waiting,
      waiting.map(({ user, name }) =>
        h(
          "div",
          { class: "call-asks" },
          h("span", {}, `${name} would like to join.`),
          button("Let in", () => calls.host("call.admit", user), "primary small"),
          button("Refuse", () => calls.host("call.remove", user), "small"),
        ),
      ),
    );
  }
}

export function titleOfCall(model: Model): string {
  const place = model.calls.place;
  const conversation = place && model.conversations.get(place.conversation);
  return conversation ? titleOf(model, conversation) : "Call";
}

/** How it stands, where that is not plain to see. */
export function statusOfCall(model: Model): string {
  const { calls, place, current } = model.calls;
  const { leg } = calls;
  if (!leg) return place ? "Starting…" : "";
  if (leg.state === "waiting") return "Waiting until the host lets you in…";
  if (leg.state === "away") return "Reconnecting… The call goes on.";
  if (leg.state === "asking" && leg.epoch === undefined && !current) return "Starting…";
  if (!current) return "";
  if (current.status === "initiated") return "Calling…";
  if (current.status === "ringing") return "Ringing…";
  const me = partOf(current, model.me.id);
  const others = current.participants.filter((part) => part.user !== me?.user && isIn(part)).length;
  return others === 0 ? "Nobody else is here." : "";
}
