// When a conversation counts as read: its end is in view on a page that somebody looks at. Markers are sent at most once in a while,
// the last one always.
import { ApiError, type ConversationId, type Seq } from "@secureconnect/sdk";
import type { Model } from "./model.ts";

const EVERY_MS = 2_500;

export class Reading {
  readonly #model: Model;
  readonly #marked = new Map<ConversationId, Seq>();
  readonly #due = new Set<ConversationId>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastAt = 0;

  constructor(model: Model) {
    this.#model = model;
  }

  /** The end of this conversation is in view. */
  seen(id: ConversationId): void {
    if (document.visibilityState !== "visible" || !document.hasFocus()) return;
    const newest = this.#newest(id);
    if (newest === undefined || newest <= this.#known(id)) return;
    this.#due.add(id);
    this.#model.conversations.seen(id);
    this.#timer ??= setTimeout(() => this.#send(), Math.max(0, this.#lastAt + EVERY_MS - Date.now()));
  }

  #send(): void {
    this.#timer = undefined;
    this.#lastAt = Date.now();
    const due = [...this.#due];
    this.#due.clear();
    for (const id of due) void this.#mark(id);
  }

  async #mark(id: ConversationId): Promise<void> {
    const seq = this.#newest(id);
    if (seq === undefined || seq <= this.#known(id)) return;
    this.#marked.set(id, seq);
    try {
      const state = await this.#model.client.call("read.mark", { to: id, body: { seq } });
      const { seq: readSeq, number, own_number } = state;
      this.#model.conversations.read({ conversation: id, seq: readSeq, number, own_number });
    } catch (error) {
      // The next message, or the next look at the page, tries again.
      if (!(error instanceof ApiError)) throw error;
      this.#marked.delete(id);
      void this.#model.conversations.fetch(id);
    }
  }

  #known(id: ConversationId): Seq {
    return Math.max(this.#marked.get(id) ?? 0, this.#model.conversations.get(id)?.read.seq ?? 0);
  }

  /** The newest message, if somebody else's lies after the marker: own messages alone are no news. */
  #newest(id: ConversationId): Seq | undefined {
    const conversation = this.#model.conversations.get(id);
    const messages = this.#model.thread(id).view.messages;
    const known = this.#known(id);
    const news = conversation && (conversation.unread > 0 || messages.some((m) => m.seq > known && m.by !== this.#model.me.id));
    return news ? messages.at(-1)?.seq : undefined;
  }
}
