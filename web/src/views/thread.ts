// One conversation: its head, its messages, the line to write in.
import { LIMITS, type ConversationId, type Message } from "@secureconnect/sdk";
import { callDevicesDialog } from "../dialogs/call-devices.ts";
import { detailsDialog } from "../dialogs/details.ts";
import type { Model } from "../model/model.ts";
import type { Thread } from "../model/thread.ts";
import { navigate } from "../navigation.ts";
import { avatarOf, statusOf, titleOf, who } from "../titles.ts";
import { iconButton } from "../ui/controls.ts";
import { confirmDialog } from "../ui/dialog.ts";
import { fill, h } from "../ui/dom.ts";
import { icon } from "../ui/icons.ts";
import { toastProblem } from "../ui/toasts.ts";
import { Composer } from "./composer.ts";
import { MessageList } from "./message-list.ts";

const GONE = { left: "You left this conversation.", kicked: "You were removed from this conversation.", banned: "You were banned from this conversation." };

export class ThreadView {
  readonly id: ConversationId;
  readonly element: HTMLElement;
  readonly #model: Model;
  readonly #thread: Thread;
  readonly #head = h("header", { class: "thread-head" });
  readonly #list: MessageList;
  readonly #composer: Composer;
  readonly #closed = h("p", { class: "closed-note", hidden: true });
  readonly #off: (() => void)[];
  readonly #end = new AbortController();
  #headLook = "";
  #known = false;
  #lastTyping = 0;

  constructor(model: Model, id: ConversationId) {
    this.id = id;
    this.#model = model;
    this.#thread = model.thread(id);
    this.#list = new MessageList(model, this.#thread, {
      reply: (message) => this.#reply(message),
      edit: (message) => this.#composer.edit(message),
      remove: (message) => void this.#remove(message),
      seen: () => model.reading.seen(id),
    });
    this.#composer = new Composer(id, {
      send: (text, replyTo) => {
        model.send(id, text, replyTo);
        // The message ended what others see as typing; the next key begins it anew.
        this.#lastTyping = 0;
        this.#list.answered();
      },
      edited: (message, text) => this.#thread.edit(message, text).catch(toastProblem),
      typing: () => this.#typing(),
      lastOwn: () => this.#thread.view.messages.findLast((m) => m.by === model.me.id && !m.deleted),
    });
    this.element = h("section", { class: "thread" }, this.#head, this.#list.element, this.#closed, this.#composer.element);
    this.#off = [
      model.topics.on(["conversations", "people", "presence", "calls", `typing:${id}`], () => this.#update()),
      model.topics.on(["people", `thread:${id}`], () => this.#list.update()),
      model.topics.on([`thread:${id}`], () => this.#update()),
    ];
    const look = () => this.#list.look();
    addEventListener("focus", look, { signal: this.#end.signal });
    document.addEventListener("visibilitychange", look, { signal: this.#end.signal });
    void this.#begin();
  }

  /** The element is on the page. */
  shown(): void {
    this.#update();
    this.#list.update();
    this.#list.toEnd();
    if (matchMedia("(hover: hover)").matches) this.#composer.focus();
  }

  end(): void {
    for (const off of this.#off) off();
    this.#end.abort();
    this.#composer.end();
  }

  async #begin(): Promise<void> {
    if (!this.#model.conversations.get(this.id) && this.#model.conversations.loaded) await this.#model.conversations.fetch(this.id);
    await this.#thread.load();
  }

  #update(): void {
    const model = this.#model;
    const conversation = model.conversations.get(this.id);
    if (this.#known !== (conversation !== undefined)) {
      this.#known = !this.#known;
      this.#list.update();
    }
    const lost = this.#thread.gone ? GONE[this.#thread.gone] : "";
    this.#closed.hidden = !lost;
    this.#closed.textContent = lost;
    this.#composer.element.hidden = lost !== "" || this.#thread.state === "failed";
    const status = conversation ? statusOf(model, conversation) : { text: "", kind: "" };
    const title = conversation ? titleOf(model, conversation) : lost || this.#thread.state === "failed" ? "Conversation" : "…";
    const presence = conversation?.peer && model.presence.get(conversation.peer)?.state;
    const call = conversation && model.calls.in(this.id);
    const known = call && (call.id === model.calls.current?.id || call === model.calls.elsewhere || model.calls.calls.ringing.includes(call));
    const joins = known ? undefined : call;
    const calls = conversation !== undefined && conversation.kind !== "channel" && !lost && (conversation.kind !== "direct" || conversation.peer !== undefined);
    const look = [title, status.text, presence, conversation?.kind, joins?.id, calls].join("\u0000");
    this.#composer.title(title);
    if (look === this.#headLook) return;
    this.#headLook = look;
    const focused = this.#head.contains(document.activeElement) ? document.activeElement?.getAttribute("aria-label") : undefined;
    fill(
      this.#head,
      iconButton("back", "Back to the list", () => navigate(undefined), { class: "back" }),
      conversation && avatarOf(model, conversation),
      h("div", { class: "who" }, h("h2", {}, title), h("p", { class: `status ${status.kind}` }, status.text)),
      joins
        ? h("button", { type: "button", class: "button small primary", onclick: () => void model.calls.join(joins, joins.kind) }, icon("phone"), "Join call")
        : calls && [iconButton("phone", "Call", () => void model.calls.start(this.id, "audio")), iconButton("camera", "Video call", () => this.#videoCall(title))],
      conversation && iconButton("info", "Details", () => detailsDialog(model, this.id)),
    );
    if (focused) this.#head.querySelector<HTMLElement>(`[aria-label="${focused}"]`)?.focus();
  }

  /** With a look at the own picture first. */
  #videoCall(title: string): void {
    const group = this.#model.conversations.get(this.id)?.kind === "group";
    const start = (waitingRoom: boolean) => void this.#model.calls.start(this.id, "video", waitingRoom);
    callDevicesDialog(this.#model, { title: `Video call with ${title}`, action: "Start video call", group, start });
  }

  #reply(message: Message): void {
    this.#composer.reply(message, who(this.#model, message.by));
  }

  async #remove(message: Message): Promise<void> {
    if (!(await confirmDialog("Delete this message?", "It is deleted for everybody in this conversation.", "Delete"))) return;
    await this.#thread.delete(message).catch(toastProblem);
  }

  #typing(): void {
    const now = Date.now();
    if (now - this.#lastTyping < LIMITS.TYPING_EVERY_MS || this.#model.client.status.state !== "live") return;
    this.#lastTyping = now;
    // Worth nothing later, so a refusal is no matter.
    this.#model.client.call("typing.set", { to: this.id }).catch(() => undefined);
  }
}
