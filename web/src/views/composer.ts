// The line to write in: new messages, replies, edits. What was written in a conversation stays there while another one is open.
import { LIMITS, type ConversationId, type Message, type Seq } from "@secureconnect/sdk";
import { firstLine } from "../format.ts";
import { iconButton } from "../ui/controls.ts";
import { fill, h } from "../ui/dom.ts";
import { icon } from "../ui/icons.ts";

export interface ComposerActions {
  send(text: string, replyTo: Seq | undefined): void;
  edited(message: Message, text: string): Promise<void>;
  typing(): void;
  /** The newest own message, for the arrow key. */
  lastOwn(): Message | undefined;
}

/** Beyond this many characters what is left is shown. */
const COUNT_FROM = LIMITS.TEXT_CHARS_MAX - 200;

const drafts = new Map<ConversationId, string>();

export class Composer {
  readonly element: HTMLElement;
  readonly #id: ConversationId;
  readonly #actions: ComposerActions;
  readonly #text: HTMLTextAreaElement;
  readonly #send: HTMLButtonElement;
  readonly #context = h("div", { class: "context", hidden: true });
  readonly #count = h("p", { class: "count", hidden: true, "aria-live": "polite" });
  #replyTo: Message | undefined;
  #editing: Message | undefined;

  constructor(id: ConversationId, actions: ComposerActions) {
    this.#id = id;
    this.#actions = actions;
    this.#text = h("textarea", {
      rows: 1,
      placeholder: "Write a message",
      "aria-label": "Message",
      enterkeyhint: "send",
      dir: "auto",
      oninput: () => this.#typed(),
      onkeydown: (event: KeyboardEvent) => this.#key(event),
    });
    this.#text.value = drafts.get(id) ?? "";
    this.#send = iconButton("send", "Send", () => this.#submit(), { class: "send" });
    this.element = h(
      "div",
      { class: "composer" },
      h("div", { class: "composer-box" }, this.#context, h("div", { class: "composer-line" }, this.#text, this.#send), this.#count),
    );
    this.#fit();
  }

  focus(): void {
    this.#text.focus();
  }

  /** Whom one writes to, for screen readers. */
  title(title: string): void {
    this.#text.setAttribute("aria-label", `Message to ${title}`);
  }

  reply(message: Message, author: string): void {
    this.#editing = undefined;
    this.#replyTo = message;
    this.#showContext("reply", `Reply to ${author}`, firstLine(message.text));
    this.focus();
  }

  edit(message: Message): void {
    if (!this.#editing) drafts.set(this.#id, this.#text.value);
    this.#replyTo = undefined;
    this.#editing = message;
    this.#text.value = message.text;
    this.#showContext("edit", "Edit message", firstLine(message.text));
    this.#fit();
    this.focus();
  }

  /** Another conversation is opened: what was written here stays. */
  end(): void {
    if (!this.#editing) drafts.set(this.#id, this.#text.value);
  }

  #showContext(name: "reply" | "edit", title: string, text: string): void {
    this.#context.hidden = false;
    fill(
      this.#context,
      icon(name),
      h("div", { class: "what" }, h("strong", {}, title), h("span", {}, text)),
      iconButton("close", "Cancel", () => this.#cancel()),
    );
  }

  #cancel(): void {
    if (this.#editing) this.#text.value = drafts.get(this.#id) ?? "";
    this.#editing = undefined;
    this.#replyTo = undefined;
    this.#context.hidden = true;
    this.#fit();
    this.focus();
  }

  #submit(): void {
    const text = this.#text.value.trim();
    if (!text || [...text].length > LIMITS.TEXT_CHARS_MAX) return;
    const [editing, replyTo] = [this.#editing, this.#replyTo];
    if (editing) {
      if (text !== editing.text) void this.#actions.edited(editing, text);
      return this.#cancel();
    }
    this.#text.value = "";
    drafts.delete(this.#id);
    this.#cancel();
    this.#actions.send(text, replyTo?.seq);
  }

  #typed(): void {
    this.#fit();
    if (this.#text.value.trim() && !this.#editing) this.#actions.typing();
  }

  #key(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey && matchMedia("(hover: hover)").matches) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape" && !this.#context.hidden) {
      event.preventDefault();
      this.#cancel();
    } else if (event.key === "ArrowUp" && this.#text.value === "") {
      const last = this.#actions.lastOwn();
      if (!last) return;
      event.preventDefault();
      this.edit(last);
    }
  }

  /** The field is as high as its text, up to a limit; the button says whether there is something to send. */
  #fit(): void {
    this.#text.style.height = "auto";
    if (this.#text.scrollHeight > 0) this.#text.style.height = `${this.#text.scrollHeight}px`;
    const length = [...this.#text.value].length;
    const over = length > LIMITS.TEXT_CHARS_MAX;
    this.#send.disabled = this.#text.value.trim() === "" || over;
    this.#count.hidden = length < COUNT_FROM;
    this.#count.classList.toggle("over", over);
    this.#count.textContent = over ? `${length - LIMITS.TEXT_CHARS_MAX} too many` : `${LIMITS.TEXT_CHARS_MAX - length} left`;
  }
}
