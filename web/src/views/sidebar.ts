// The conversations, the latest first, with a filter; below it who one is.
import type { Conversation, ConversationId } from "@secureconnect/sdk";
import { callHistoryDialog } from "../dialogs/call-history.ts";
import { newChatDialog } from "../dialogs/new-chat.ts";
import { settingsDialog } from "../dialogs/settings.ts";
import { firstLine, listTime } from "../format.ts";
import type { Model } from "../model/model.ts";
import { navigate } from "../navigation.ts";
import { avatarOf, preview, titleOf, typingLine } from "../titles.ts";
import { avatar } from "../ui/avatar.ts";
import { button, iconButton } from "../ui/controls.ts";
import { fill, h, set } from "../ui/dom.ts";
import { icon } from "../ui/icons.ts";
import { KeyedList } from "../ui/keyed.ts";

export class Sidebar {
  readonly element: HTMLElement;
  readonly #model: Model;
  readonly #list = h("ul", { class: "conversations", "aria-label": "Conversations", onkeydown: (event: KeyboardEvent) => this.#key(event) });
  readonly #rows = new KeyedList(this.#list);
  readonly #empty = h("div", { class: "nothing" });
  readonly #filter: HTMLInputElement;
  readonly #me = h("div", { class: "me" });
  readonly #missed = h("span", { class: "badge", hidden: true });
  readonly #history: HTMLButtonElement;
  readonly #logout: () => void;
  readonly #off: (() => void)[];
  #current: ConversationId | undefined;

  constructor(model: Model, logout: () => void) {
    this.#model = model;
    this.#logout = logout;
    this.#filter = h("input", {
      class: "input",
      type: "search",
      placeholder: "Search conversations",
      "aria-label": "Search conversations",
      oninput: () => this.#update(),
    });
    this.#history = iconButton("phone", "Calls", () => callHistoryDialog(model), { class: "with-badge" });
    this.#history.append(this.#missed);
    this.element = h(
      "nav",
      { class: "sidebar", "aria-label": "Chats" },
      h(
        "div",
        { class: "sidebar-head" },
        h("h1", {}, "Chats"),
        this.#history,
        iconButton("plus", "New conversation", () => newChatDialog(model)),
      ),
      h("div", { class: "filter" }, h("div", { class: "with-icon" }, icon("search"), this.#filter)),
      this.#list,
      this.#empty,
      this.#me,
    );
    this.#off = [
      model.topics.on(["conversations", "people", "presence"], () => this.#update()),
      model.topics.on(["me"], () => this.#updateMe()),
      model.topics.on(["calls"], () => this.#updateCalls()),
    ];
    this.#update();
    this.#updateMe();
  }

  end(): void {
    for (const off of this.#off) off();
  }

  /** Marks the open conversation. */
  current(id: ConversationId | undefined): void {
    this.#current = id;
    this.#update();
  }

  focusFilter(): void {
    navigate(undefined);
    this.#filter.focus();
    this.#filter.select();
  }

  /** Puts the focus where it was before a conversation was opened. */
  focus(id: ConversationId): void {
    this.#rows.element(id)?.querySelector("button")?.focus();
  }

  #update(): void {
    const { conversations } = this.#model;
    const wanted = this.#filter.value.trim().toLocaleLowerCase();
    const all = conversations.sorted();
    const shown = wanted ? all.filter((c) => titleOf(this.#model, c).toLocaleLowerCase().includes(wanted)) : all;
    this.#rows.show(shown.map((conversation) => this.#item(conversation)));
    this.#list.hidden = shown.length === 0;
    this.#empty.hidden = shown.length > 0;
    if (shown.length > 0) return;
    if (!conversations.loaded) fill(this.#empty, h("div", { class: "spinner" }), h("p", { class: "unseen" }, "Loading conversations"));
    else if (wanted) fill(this.#empty, h("p", {}, "No conversation of this name."));
    else {
      fill(
        this.#empty,
        h("h2", {}, "No conversations yet"),
        h("p", {}, `Others find you as @${this.#model.me.handle}.`),
        button("Start one", () => newChatDialog(this.#model), "primary"),
      );
    }
  }

  #item(conversation: Conversation) {
    const model = this.#model;
    const { id, unread, last_message: last } = conversation;
    const pending = [...model.sending.values()].findLast((entry) => entry.conversation === id);
    const typing = typingLine(model, conversation);
    const line = typing || (pending ? `You: ${firstLine(pending.message.text)}` : last ? preview(model, conversation, last) : "");
    const called = model.calls.in(id) !== undefined;
    const kind = typing ? "typing" : pending && model.client.status.state !== "live" ? "pending" : "";
    const title = titleOf(model, conversation);
    const time = last ? listTime(last.at, Date.now()) : "";
    const current = id === this.#current;
    const presence = conversation.peer ? model.presence.get(conversation.peer)?.state : undefined;
    return {
      key: id,
      signature: [title, line, kind, time, unread, current, presence, called].join("\u0000"),
      make: () =>
        h(
          "li",
          { "data-conversation": id },
          h(
            "button",
            { type: "button", class: `conversation ${unread ? "unread" : ""}`, "aria-current": current ? "true" : false, onclick: () => navigate(id) },
            avatarOf(model, conversation),
            h("span", { class: "title" }, title, called && h("span", { class: "called" }, icon("phone"), h("span", { class: "unseen" }, "Call in progress"))),
            h("span", { class: "time" }, time),
            h("span", { class: `preview ${kind}` }, line),
            unread > 0 && h("span", { class: "badge" }, unread > 99 ? "99+" : unread, h("span", { class: "unseen" }, " unread")),
          ),
        ),
    };
  }

  /** What was missed, and which conversations have a call. */
  #updateCalls(): void {
    const { missed } = this.#model.calls.calls;
    const label = missed > 0 ? `Calls, ${missed} missed` : "Calls";
    set(this.#history, "aria-label", label);
    set(this.#history, "title", label);
    this.#missed.hidden = missed === 0;
    this.#missed.textContent = missed > 99 ? "99+" : String(missed);
    this.#update();
  }

  #updateMe(): void {
    const { me } = this.#model;
    fill(
      this.#me,
      avatar({ id: me.id, name: me.name, size: "small" }),
      h("div", { class: "who" }, h("div", { class: "name" }, me.name), h("div", { class: "handle" }, `@${me.handle}`)),
      iconButton("settings", "Settings", () => settingsDialog(this.#model, this.#logout)),
      iconButton("leave", "Log out", () => this.#logout()),
    );
  }

  #key(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const buttons = [...this.#list.querySelectorAll<HTMLButtonElement>(".conversation")];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const next = buttons[at + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}
