// The messages of a conversation. It stays at its end while new ones come in, unless somebody scrolled up; then nothing moves under
// their eyes. Older pages are read when the top comes near.
import type { Message, Seq } from "@secureconnect/sdk";
import { dayLabel, daysBetween, timeOfDay } from "../format.ts";
import type { Model } from "../model/model.ts";
import type { Note, Thread } from "../model/thread.ts";
import { sentence } from "../titles.ts";
import { button } from "../ui/controls.ts";
import { fill, h } from "../ui/dom.ts";
import { icon } from "../ui/icons.ts";
import { KeyedList, type KeyedItem } from "../ui/keyed.ts";
import { toast, toastProblem } from "../ui/toasts.ts";
import { describe } from "../words.ts";
import { messageItem, pendingItem, type RowActions } from "./message-row.ts";

/** Messages of one person in this time stand together. */
const TOGETHER_MS = 5 * 60_000;
/** This near to the end counts as the end. */
const END_PX = 60;
/** This near to the top the page before is read. */
const TOP_PX = 500;

export interface ListActions {
  reply(message: Message): void;
  edit(message: Message): void;
  remove(message: Message): void;
  /** The end of the conversation is in view. */
  seen(): void;
}

export class MessageList {
  readonly element: HTMLElement;
  readonly #model: Model;
  readonly #thread: Thread;
  readonly #actions: ListActions;
  readonly #older = h("div", { class: "older" });
  readonly #messages = h("ol", { class: "messages", "aria-label": "Messages" });
  readonly #rows = new KeyedList(this.#messages);
  readonly #scroller: HTMLElement;
  readonly #toNewest: HTMLButtonElement;
  #atEnd = true;
  /** Where the reader stood when the conversation was opened; what is beyond is new. */
  #readUpTo: Seq | undefined;
  #seenCount = 0;
  #olderLook = "";

  constructor(model: Model, thread: Thread, actions: ListActions) {
    this.#model = model;
    this.#thread = thread;
    this.#actions = actions;
    this.#scroller = h("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": "Conversation" }, this.#older, this.#messages);
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#toNewest = h("button", { type: "button", class: "to-newest", hidden: true, onclick: () => this.toEnd() });
    this.element = h("div", { class: "scroller-frame" }, this.#scroller, this.#toNewest);
    // A growing composer or an opening keyboard takes room: the end stays in view.
    new ResizeObserver(() => this.#atEnd && this.#jump()).observe(this.#scroller);
  }

  update(): void {
    this.#rememberReading();
    const anchor = this.#atEnd ? undefined : this.#anchor();
    this.#updateOlder();
    this.#rows.show(this.#items());
    if (this.#atEnd) this.#jump();
    else if (anchor) this.#hold(anchor);
    this.#updateToNewest();
    this.look();
    this.#loadIfNeeded();
  }

  /** Somebody who answers has read what was new. */
  answered(): void {
    this.#readUpTo = Number.MAX_SAFE_INTEGER;
    this.toEnd();
  }

  /** Goes to the newest message. */
  toEnd(): void {
    this.#atEnd = true;
    this.#jump();
    this.#updateToNewest();
    this.look();
  }

  /** Tells if the end is in view. */
  look(): void {
    if (this.#atEnd && this.#thread.state === "ready") this.#actions.seen();
  }

  #jump(): void {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < END_PX;
    this.#updateToNewest();
    this.look();
    this.#loadIfNeeded();
  }

  #loadIfNeeded(): void {
    const near = this.#scroller.scrollTop < TOP_PX && this.#scroller.clientHeight > 0;
    if (near && this.#thread.moreBefore && !this.#thread.loadingOlder) void this.#thread.loadOlder().catch(toastProblem);
  }

  /** The first message in view and where it is, so that it can stay there. */
  #anchor(): { key: string; offset: number } | undefined {
    const top = this.#scroller.scrollTop;
    for (const row of this.#messages.children) {
      const element = row as HTMLElement;
      const key = element.dataset["key"];
      if (key && element.offsetTop + element.offsetHeight > top) return { key, offset: element.offsetTop - top };
    }
    return undefined;
  }

  #hold({ key, offset }: { key: string; offset: number }): void {
    const element = this.#rows.element(key);
    if (element) this.#scroller.scrollTop = element.offsetTop - offset;
  }

  #rememberReading(): void {
    if (this.#readUpTo !== undefined || this.#thread.state !== "ready") return;
    const conversation = this.#model.conversations.get(this.#thread.id);
    if (!conversation) return;
    this.#readUpTo = conversation.unread > 0 ? conversation.read.seq : Number.MAX_SAFE_INTEGER;
    this.#seenCount = this.#thread.view.messages.length;
  }

  #updateOlder(): void {
    const { state, moreBefore, problem } = this.#thread;
    const look = `${state} ${moreBefore}`;
    if (look === this.#olderLook) return;
    this.#olderLook = look;
    if (state === "failed") {
      fill(this.#older, h("div", { class: "nothing" }, h("p", { role: "alert" }, describe(problem)), button("Try again", () => void this.#thread.load())));
    } else if (state !== "ready" || moreBefore) {
      fill(this.#older, h("div", { class: "spinner" }), h("span", { class: "unseen" }, "Loading messages"));
    } else {
      const conversation = this.#model.conversations.get(this.#thread.id);
      fill(this.#older, conversation?.kind === "direct" ? "The beginning of your conversation" : "The beginning of this conversation");
    }
  }

  #updateToNewest(): void {
    const { messages } = this.#thread.view;
    if (this.#atEnd) this.#seenCount = messages.length;
    const news = messages.slice(this.#seenCount).filter((m) => m.by !== this.#model.me.id).length;
    this.#toNewest.hidden = this.#atEnd;
    fill(this.#toNewest, news > 0 && `${news} new`, icon("down"), h("span", { class: "unseen" }, "Go to the newest message"));
  }

  #items(): KeyedItem[] {
    const model = this.#model;
    const { view } = this.#thread;
    const items: KeyedItem[] = [];
    const paired = model.conversations.get(this.#thread.id)?.kind === "direct";
    // Between two people nothing happens besides messages and calls.
    const told = this.#thread.notes.filter(({ name }) => !paired || name === "call.record");
    const notes = told.sort((a, b) => a.seq - b.seq);
    let before: Message | undefined;
    let marked = false;
    const { messages } = view;
    const newestOwn = messages.findLast((m) => m.by === model.me.id)?.seq;
    messages.forEach((message, index) => {
      while (notes[0] && notes[0].seq < message.seq) {
        items.push(...noteItems(model, notes.shift()!));
        before = undefined;
      }
      if (!before || daysBetween(before.at, message.at) !== 0) items.push(dayItem(message.at));
      const fresh = this.#readUpTo !== undefined && message.seq > this.#readUpTo && message.by !== model.me.id;
      if (fresh && !marked) {
        marked = true;
        items.push({ key: "unread", signature: "", make: () => h("li", { class: "unread-mark" }, "New messages") });
        before = undefined;
      }
      const next = messages[index + 1];
      items.push(
        messageItem(model, this.#thread, message, {
          paired,
          first: !together(before, message),
          last: !together(message, next),
          newestOwn: message.seq === newestOwn,
          actions: this.#rowActions(),
        }),
      );
      before = message;
    });
    for (const note of notes) items.push(...noteItems(model, note));
    for (const send of view.pending) items.push(pendingItem(model, this.#thread, send));
    return dedupeDays(items);
  }

  #rowActions(): RowActions {
    return { ...this.#actions, goTo: (seq) => void this.#goTo(seq) };
  }

  async #goTo(seq: Seq): Promise<void> {
    if (!(await this.#thread.reach(seq).catch(() => false))) return toast("This message can't be shown.");
    this.#atEnd = false;
    this.update();
    const element = this.#messages.querySelector<HTMLElement>(`[data-seq="${seq}"]`);
    element?.scrollIntoView({ block: "center", behavior: "smooth" });
    element?.classList.add("found");
    setTimeout(() => element?.classList.remove("found"), 1_600);
  }
}

function together(a: Message | undefined, b: Message | undefined): boolean {
  return a !== undefined && b !== undefined && a.by === b.by && b.at - a.at < TOGETHER_MS && daysBetween(a.at, b.at) === 0;
}

function dayItem(at: number): KeyedItem {
  const label = dayLabel(at, Date.now());
  return { key: `day-${new Date(at).toDateString()}`, signature: label, make: () => h("li", { class: "day" }, label) };
}

/** A day has one head, also where a note or the mark of new messages stands in between. */
function dedupeDays(items: KeyedItem[]): KeyedItem[] {
  const seen = new Set<string>();
  return items.filter(({ key }) => {
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function noteItems(model: Model, note: Note): KeyedItem[] {
  const text = sentence(model, note);
  if (!text) return [];
  return [dayItem(note.at), { key: `note-${note.seq}`, signature: text, make: () => noteRow(note, text) }];
}

function noteRow(note: Note, text: string): HTMLElement {
  return note.name === "call.record" ? h("li", { class: "note call-note" }, icon("phone"), `${text}, ${timeOfDay(note.at)}`) : h("li", { class: "note" }, text);
}
