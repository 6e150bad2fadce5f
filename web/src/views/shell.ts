// The page of somebody who is logged in: the list, the open conversation, and a line that says so when the connection is gone.
import type { ConversationId } from "@secureconnect/sdk";
import { navigate, onNavigate, openConversation } from "../navigation.ts";
import type { Model } from "../model/model.ts";
import { button } from "../ui/controls.ts";
import { fill, h } from "../ui/dom.ts";
import { icon } from "../ui/icons.ts";
import { newChatDialog } from "../dialogs/new-chat.ts";
import { ConnectionBanner } from "./banner.ts";
import { CallsView } from "./call/calls-view.ts";
import { Sidebar } from "./sidebar.ts";
import { ThreadView } from "./thread.ts";

export class ShellView {
  readonly element: HTMLElement;
  readonly #model: Model;
  readonly #sidebar: Sidebar;
  readonly #banner: ConnectionBanner;
  readonly #calls: CallsView;
  readonly #main = h("main", { class: "main" });
  readonly #end = new AbortController();
  #thread: ThreadView | undefined;

  constructor(model: Model, logout: () => void) {
    this.#model = model;
    this.#sidebar = new Sidebar(model, logout);
    this.#banner = new ConnectionBanner(model);
    const notices = h("div", { class: "notices" }, this.#banner.element);
    this.element = h("div", { class: "shell" }, notices, this.#sidebar.element, this.#main);
    this.#calls = new CallsView(model, this.element);
    notices.append(this.#calls.bar.element);
    onNavigate(() => this.#show(), this.#end.signal);
    addEventListener("keydown", (event) => this.#key(event), { signal: this.#end.signal });
    const off = model.topics.on(["conversations", "calls", "people"], () => this.#count());
    this.#end.signal.addEventListener("abort", off);
    this.#show();
  }

  end(): void {
    this.#end.abort();
    this.#thread?.end();
    this.#sidebar.end();
    this.#banner.end();
    this.#calls.end();
  }

  #show(): void {
    const id = openConversation();
    this.element.dataset["pane"] = id ? "thread" : "list";
    this.#sidebar.current(id);
    if (this.#thread?.id === id && this.#main.firstChild) return;
    const former = this.#thread;
    former?.end();
    this.#thread = undefined;
    if (id) this.#open(id);
    else this.#nothing(former?.id);
  }

  #open(id: ConversationId): void {
    this.#thread = new ThreadView(this.#model, id);
    fill(this.#main, this.#thread.element);
    this.#thread.shown();
  }

  #nothing(former: ConversationId | undefined): void {
    fill(
      this.#main,
      h(
        "div",
        { class: "nothing" },
        icon("chat"),
        h("h2", {}, "Pick a conversation"),
        h("p", {}, "Or find somebody by their handle and say hello."),
        button("New conversation", () => newChatDialog(this.#model), "primary"),
      ),
    );
    if (former) this.#sidebar.focus(former);
  }

  #key(event: KeyboardEvent): void {
    // Behind a call nothing moves.
    if (this.element.classList.contains("in-call")) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "k") {
      event.preventDefault();
      this.#sidebar.focusFilter();
    } else if (event.key === "Escape" && !document.querySelector("dialog[open]") && !event.defaultPrevented) {
      navigate(undefined);
    }
  }

  #count(): void {
    const { unread } = this.#model.conversations;
    const [ring] = this.#model.calls.place ? [] : this.#model.calls.calls.ringing;
    const count = unread > 0 ? `(${unread}) ` : "";
    document.title = ring ? `${this.#model.people.name(ring.by)} calls…` : `${count}SecureConnect`;
  }
}
