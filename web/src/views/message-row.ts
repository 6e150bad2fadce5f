// One message as a row: a bubble, what can be done with it, how far it has come.
import type { MemberRole, Message, PendingSend, Seq } from "@secureconnect/sdk";
import { firstLine, fullMoment, nameList, timeOfDay } from "../format.ts";
import type { Model } from "../model/model.ts";
import type { Receipt } from "../model/receipts.ts";
import type { Thread } from "../model/thread.ts";
import { who } from "../titles.ts";
import { avatar } from "../ui/avatar.ts";
import { button, iconButton } from "../ui/controls.ts";
import { h, type Child } from "../ui/dom.ts";
import { ticks } from "../ui/icons.ts";
import type { KeyedItem } from "../ui/keyed.ts";
import { richText } from "./rich-text.ts";

export interface RowActions {
  reply(message: Message): void;
  edit(message: Message): void;
  remove(message: Message): void;
  goTo(seq: Seq): void;
}

export interface RowPlace {
  /** Between two people: no names, no faces. */
  paired: boolean;
  first: boolean;
  last: boolean;
  newestOwn: boolean;
  actions: RowActions;
}

const RECEIPT_WORDS: Record<Receipt | "pending", string> = { pending: "Sending", sent: "Sent", delivered: "Delivered", read: "Read" };

export function messageItem(model: Model, thread: Thread, message: Message, place: RowPlace): KeyedItem {
  const own = message.by === model.me.id;
  const author = who(model, message.by);
  const receipt = own && !message.deleted ? thread.receipts.of(message) : undefined;
  const quote = message.reply_to === undefined || message.deleted ? undefined : quoted(model, thread, message.reply_to);
  const seenBy = own && place.newestOwn && !place.paired && receipt !== "read" ? seenByLine(model, thread, message) : "";
  const removable = own || mayRemove(model, thread);
  const { paired, first, last } = place;
  const shape = { text: message.text, deleted: message.deleted, revision: message.revision };
  return {
    key: `m-${message.seq}`,
    signature: JSON.stringify([shape, author, receipt, quote, seenBy, removable, paired, first, last]),
    make: () => row(message, { own, author, receipt, quote, seenBy, removable }, place),
  };
}

interface Look {
  own: boolean;
  author: string;
  receipt: Receipt | undefined;
  quote: Quote | undefined;
  seenBy: string;
  removable: boolean;
}

function row(message: Message, look: Look, place: RowPlace): HTMLElement {
  const { own, author, quote, receipt } = look;
  const classes = ["message", own && "own", place.paired && "paired", place.first && "first", place.last && "last", message.deleted && "deleted"];
  const showAvatar = !own && !place.paired;
  const element = h(
    "li",
    { class: classes.filter(Boolean).join(" "), "data-seq": message.seq, "data-key": `m-${message.seq}` },
    showAvatar && (place.first ? avatar({ id: message.by, name: author, size: "small" }) : h("span")),
    h(
      "div",
      { class: "content" },
      h("span", { class: showAvatar && place.first ? "author" : "unseen" }, author),
      h(
        "div",
        { class: "bubble-line" },
        h(
          "div",
          { class: "bubble" },
          quote && quoteBlock(quote, () => place.actions.goTo(message.reply_to!)),
          message.deleted ? h("span", { class: "text" }, "Message deleted") : richText(message.text),
          meta(message, receipt),
        ),
        !message.deleted && actions(message, look, place.actions),
      ),
      look.seenBy && h("p", { class: "seen-by" }, look.seenBy),
    ),
  );
  element.addEventListener("click", (event) => toggleOpen(element, event));
  return element;
}

export function pendingItem(model: Model, thread: Thread, send: PendingSend): KeyedItem {
  const quote = send.reply_to === undefined ? undefined : quoted(model, thread, send.reply_to);
  return {
    key: `p-${send.client_id}`,
    signature: JSON.stringify([send, quote]),
    make: () =>
      h(
        "li",
        { class: `message own first last ${send.refused ? "failed" : "pending"}`, "data-key": `p-${send.client_id}` },
        h(
          "div",
          { class: "content" },
          h("span", { class: "unseen" }, "You"),
          h(
            "div",
            { class: "bubble-line" },
            h(
              "div",
              { class: "bubble" },
              quote && quoteBlock(quote, () => undefined),
              richText(send.text),
              h("span", { class: "meta" }, timeOfDay(send.at), !send.refused && [ticks("pending"), h("span", { class: "unseen" }, " Sending")]),
            ),
          ),
          send.refused && trouble(model, send.client_id, send.refused),
        ),
      ),
  };
}

function trouble(model: Model, clientId: string, why: string): HTMLElement {
  return h(
    "div",
    { class: "trouble", role: "alert" },
    h("span", {}, `Not sent. ${why}`),
    button("Try again", () => model.sendAgain(clientId), "small"),
    button("Discard", () => void model.discard(clientId), "small quiet"),
  );
}

function meta(message: Message, receipt: Receipt | undefined): HTMLElement {
  const time = h("time", { datetime: new Date(message.at).toISOString(), title: fullMoment(message.at) }, timeOfDay(message.at));
  const edited = (message.revision ?? 0) > 0 && !message.deleted && "edited";
  return h(
    "span",
    { class: "meta" },
    edited,
    time,
    receipt && [ticks(receipt), h("span", { class: "unseen", "data-receipt": receipt }, ` ${RECEIPT_WORDS[receipt]}`)],
  );
}

function actions(message: Message, { own, removable }: Look, { reply, edit, remove }: RowActions): HTMLElement {
  const buttons: Child[] = [
    iconButton("reply", "Reply", () => reply(message)),
    own && iconButton("edit", "Edit", () => edit(message)),
    removable && iconButton("trash", "Delete", () => remove(message)),
  ];
  return h("div", { class: "actions", role: "group", "aria-label": "Message actions" }, ...buttons);
}

interface Quote {
  author: string;
  text: string;
}

function quoted(model: Model, thread: Thread, seq: Seq): Quote {
  const message = thread.view.message(seq);
  if (!message) return { author: "", text: "Show the message that this answers" };
  return { author: who(model, message.by), text: message.deleted ? "Message deleted" : firstLine(message.text) };
}

function quoteBlock({ author, text }: Quote, go: () => void): HTMLElement {
  return h(
    "button",
    { type: "button", class: "quote", title: "Go to this message", onclick: go },
    author && h("span", { class: "quote-author" }, author),
    h("span", { class: "quote-text" }, text),
  );
}

function seenByLine(model: Model, thread: Thread, message: Message): string {
  const readers = thread.receipts.readers(message);
  return readers.length === 0 ? "" : `Read by ${nameList(readers.map((user) => model.people.name(user)))}`;
}

function mayRemove(model: Model, thread: Thread): boolean {
  const conversation = model.conversations.get(thread.id);
  const rank: Record<MemberRole, number> = { member: 0, admin: 1, owner: 2 };
  if (!conversation || conversation.kind === "direct") return model.me.role !== "user";
  return rank[conversation.role] > 0 || model.me.role !== "user";
}

/** Where nothing hovers, a tap shows what can be done with a message. */
function toggleOpen(element: HTMLElement, event: MouseEvent): void {
  if (matchMedia("(hover: hover)").matches || (event.target as Element).closest("a, .quote")) return;
  // A button inside did its work; the buttons go away again.
  const open = element.classList.contains("open");
  for (const other of element.parentElement?.querySelectorAll(".message.open") ?? []) other.classList.remove("open");
  element.classList.toggle("open", !open);
}
