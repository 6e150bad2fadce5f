// A conversation as an app shows it: messages with their edits and deletes applied, own sends that still wait, what is unread.
//
// It is a fold: entries in the order of the log, pages of history in any order, and the result is the same. A message in a page or an
// entry carries its state when it was read, so an edit that it already holds is recognised by the revision. Unread is reckoned from
// the running numbers of messages, not by having them all.
import type { ClientId, Message, MessageDeleted, MessageEdited, Messages, Millis, ReadMarker, Seq, UserId } from "../generated.ts";

/** An own message that the log does not hold yet, as far as the client knows. */
export interface PendingSend {
  client_id: ClientId;
  text: string;
  reply_to?: Seq;
  at: Millis;
  /** Why the server refused it: it can be sent again or dropped. */
  refused?: string;
}

export class ConversationView {
  readonly #me: UserId;
  #messages = new Map<Seq, Message>();
  #sorted: Message[] | undefined;
  #pending: PendingSend[] = [];
  #read: ReadMarker = { seq: 0, number: 0 };
  /** The highest running number seen. */
  #number = 0;
  /** The running numbers of own messages after the marker. */
  #own = new Set<number>();

  constructor(me: UserId) {
    this.#me = me;
  }

  /** The next entry of the conversation's log. What is no message changes nothing. */
  apply(entry: { name: string; at?: Millis; body: unknown }): void {
    if (entry.name === "message.new") this.#message(entry.body as Message);
    else if (entry.name === "message.edited") this.#edited(entry.body as MessageEdited, entry.at);
    else if (entry.name === "message.deleted") this.#deleted(entry.body as MessageDeleted);
  }

  /** A page of history. */
  merge(page: Messages): void {
    for (const message of page.messages) this.#message(message);
  }

  /** The read marker stands here, on whichever device it was moved. It never goes back. */
  markRead(marker: ReadMarker): void {
    if (marker.seq <= this.#read.seq) return;
    this.#read = marker;
    this.#number = Math.max(this.#number, marker.number);
    for (const number of this.#own) if (number <= marker.number) this.#own.delete(number);
  }

  /** An own message was given to the client. */
  queued(send: PendingSend): void {
    this.dropped(send.client_id);
    this.#pending.push(send);
  }

  /** The server refused an own message for good. */
  refused(clientId: ClientId, why: string): void {
    for (const send of this.#pending) if (send.client_id === clientId) send.refused = why;
  }

  /** An own message that was refused is not wanted any more. */
  dropped(clientId: ClientId): void {
    this.#pending = this.#pending.filter((send) => send.client_id !== clientId);
  }

  /** What is kept is void: only own sends that wait stay. */
  reset(): void {
    this.#messages.clear();
    this.#sorted = undefined;
    this.#read = { seq: 0, number: 0 };
    this.#number = 0;
    this.#own.clear();
  }

  /** The messages in the order of the log. */
  get messages(): readonly Message[] {
    this.#sorted ??= [...this.#messages.values()].sort((a, b) => a.seq - b.seq);
    return this.#sorted;
  }

  message(seq: Seq): Message | undefined {
    return this.#messages.get(seq);
  }

  /** The own messages that wait, in the order they were given. */
  get pending(): readonly PendingSend[] {
    return this.#pending;
  }

  get read(): ReadMarker {
    return this.#read;
  }

  /** How many messages of others lie after the read marker. */
  get unread(): number {
    return Math.max(0, this.#number - this.#read.number - this.#own.size);
  }

  #message(message: Message): void {
    this.#number = Math.max(this.#number, message.number);
    if (message.by === this.#me) {
      this.dropped(message.client_id);
      if (message.number > this.#read.number) this.#own.add(message.number);
    }
    const known = this.#messages.get(message.seq);
    const newer = !known || message.deleted || (!known.deleted && (message.revision ?? 0) >= (known.revision ?? 0));
    if (newer) this.#put(message);
  }

  #edited(edit: MessageEdited, at: Millis | undefined): void {
    const known = this.#messages.get(edit.target);
    if (!known || edit.revision <= (known.revision ?? 0)) return;
    const message = { ...known, revision: edit.revision };
    if (at !== undefined) message.edited_at = at;
    if (!known.deleted) message.text = edit.text;
    this.#put(message);
  }

  #deleted({ target }: MessageDeleted): void {
    const known = this.#messages.get(target);
    if (known) this.#put({ ...known, deleted: true, text: "" });
  }

  #put(message: Message): void {
    this.#messages.set(message.seq, message);
    this.#sorted = undefined;
  }
}
