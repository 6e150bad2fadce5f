// Somebody calls: who, and what one may answer. It takes the focus from nobody who writes.
import { partOf, type Call } from "@secureconnect/sdk";
import type { Model } from "../../model/model.ts";
import { avatarOf, titleOf } from "../../titles.ts";
import { avatar } from "../../ui/avatar.ts";
import { fill, h, uniqueId } from "../../ui/dom.ts";
import { icon, type IconName } from "../../ui/icons.ts";

export class IncomingCall {
  readonly #model: Model;
  readonly #id = uniqueId("incoming");
  readonly #element: HTMLDialogElement;
  readonly #off: () => void;
  #look = "";

  constructor(model: Model) {
    this.#model = model;
    this.#element = h("dialog", { class: "incoming", tabindex: -1, role: "alertdialog", "aria-labelledby": this.#id, oncancel: (event: Event) => event.preventDefault() });
    this.#off = model.topics.on(["calls", "people", "conversations"], () => this.#update());
    this.#update();
  }

  end(): void {
    this.#off();
    this.#element.remove();
  }

  #update(): void {
    const { calls } = this.#model;
    const call = calls.place ? undefined : calls.calls.ringing[0];
    if (!call) {
      this.#look = "";
      if (this.#element.open) this.#element.close();
      return this.#element.remove();
    }
    const look = JSON.stringify([call.id, call.kind, this.#words(call)]);
    if (look === this.#look) return;
    this.#look = look;
    this.#show(call);
  }

  #show(call: Call): void {
    const { title, line } = this.#words(call);
    const conversation = this.#model.conversations.get(call.conversation);
    const { calls } = this.#model;
    fill(
      this.#element,
      conversation ? avatarOf(this.#model, conversation, "large") : avatar({ id: call.by, name: title, size: "large" }),
      h("div", { class: "who" }, h("h2", { id: this.#id }, title), h("p", { role: "status" }, line)),
      h(
        "div",
        { class: "answers" },
        answer("hangUp", "Decline", "decline", () => calls.calls.decline(call.id)),
        answer("phone", "Accept", "accept", () => void calls.join(call, "audio")),
        answer("camera", "Accept with video", `accept ${call.kind === "video" ? "wished" : ""}`, () => void calls.join(call, "video")),
      ),
    );
    if (this.#element.open) return;
    const writing = document.activeElement;
    document.body.append(this.#element);
    // Behind an open dialog nothing can be clicked, unless it is one itself.
    if (document.querySelector("dialog[open]")) this.#element.showModal();
    else this.#element.show();
    if (writing instanceof HTMLElement && writing !== document.body) writing.focus();
    // No button: a key that is pressed just then must not answer.
    else this.#element.focus();
  }

  #words(call: Call): { title: string; line: string } {
    const caller = this.#model.people.name(call.by);
    const conversation = this.#model.conversations.get(call.conversation);
    const kind = call.kind === "video" ? "Video call" : "Call";
    if (!conversation || conversation.kind === "direct") return { title: caller, line: `${kind}…` };
    const inside = call.participants.filter(({ user }) => user !== call.by && partOf(call, user)?.status === "joined").length;
    return { title: titleOf(this.#model, conversation), line: `${kind} from ${caller}${inside > 0 ? ` and ${inside} more` : ""}…` };
  }
}

function answer(name: IconName, text: string, kind: string, act: () => void): HTMLButtonElement {
  return h("button", { type: "button", class: `answer ${kind}`, onclick: act }, h("span", { class: "answer-icon" }, icon(name)), h("span", {}, text));
}
