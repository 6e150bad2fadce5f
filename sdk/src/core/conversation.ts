// A conversation as an app shows it: messages with their edits and deletes applied, own sends that still wait, what is unread.
//
// It is a fold: entries in the order of the log, pages of history in any order, and the result is the same. A message in a page or an
// entry carries its state when it was read, so an edit that it already holds is recognised by the revision.
//
// Unread is reckoned from running numbers, not by having all messages: of all messages and of own ones, each at the newest entry and
// at the read marker. They begin with the conversation as it was read (`stands`) and are counted on by the entries of the log. Pages
// say nothing of them: a page can be ahead of the log.
import type { ClientId, Conversation, Message, MessageDeleted, MessageEdited, Messages, Millis, ReadMarker, Seq, UserId } from "../generated.ts";

/** An own message that the log does not hold yet, as far as the client knows. */
export interface PendingSend {
  client_id: ClientId;
  text: string;
  reply_to?: Seq;
  at: Millis;
  /** Why the server refused it: it can be sent again or dropped. */
  refused?: string;
}

/** How many messages of others lie after the marker, where these running numbers are reached. */
export function unreadAfter(marker: ReadMarker, number: number, ownNumber: number): number {
  // A device may know of the marker before it knows of the messages that were read.
  return Math.max(0, number - marker.number - (ownNumber - marker.own_number));
}

/** The running number of messages at the conversation's head. */
export function numberAtHead({ read, unread, own_number: own }: Pick<Conversation, "read" | "unread" | "own_number">): number {
  return read.number + unread + own - read.own_number;
}

const UNREAD_FROM_THE_BEGINNING: ReadMarker = { seq: 0, number: 0, own_number: 0 };

export class ConversationView {
  readonly #me: UserId;
  #messages = new Map<Seq, Message>();
  #sorted: Message[] | undefined;
  #pending: PendingSend[] = [];
  #read = UNREAD_FROM_THE_BEGINNING;
  /** The entry up to which own messages were counted when the conversation was read, and how many that were. */
  #counted = { seq: 0, own: 0 };
  /** The highest running number that the log has told. */
  #number = 0;
  /** Own messages that the log has told beyond what was counted. */
  #own = new Set<Seq>();

  constructor(me: UserId) {
    this.#me = me;
  }

  /** The next entry of the conversation's log. What is no message changes nothing. */
  apply(entry: { name: string; at?: Millis; body: unknown }): void {
    if (entry.name === "message.new") this.#told(entry.body as Message);
    else if (entry.name === "message.edited") this.#edited(entry.body as MessageEdited, entry.at);
    else if (entry.name === "message.deleted") this.#deleted(entry.body as MessageDeleted);
  }

  /** A page of history. */
  merge(page: Messages): void {
    for (const message of page.messages) this.#message(message);
  }

  /** The conversation as it was read: what the log told before is in it, what it tells later is counted on. */
  stands(conversation: Pick<Conversation, "head" | "read" | "unread" | "own_number">): void {
    const { head, read } = conversation;
    if (head.seq > this.#counted.seq) {
      this.#counted = { seq: head.seq, own: conversation.own_number };
      for (const seq of this.#own) if (seq <= head.seq) this.#own.delete(seq);
      this.#number = Math.max(this.#number, numberAtHead(conversation));
    }
    this.markRead(read);
  }

  /** The read marker stands here, on whichever device it was moved. It never goes back. */
  markRead(marker: ReadMarker): void {
    if (marker.seq > this.#read.seq) this.#read = marker;
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
    this.#read = UNREAD_FROM_THE_BEGINNING;
    this.#counted = { seq: 0, own: 0 };
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
    return unreadAfter(this.#read, this.#number, this.#counted.own + this.#own.size);
  }

  #told(message: Message): void {
    this.#number = Math.max(this.#number, message.number);
    if (message.by === this.#me && message.seq > this.#counted.seq) this.#own.add(message.seq);
    this.#message(message);
  }

  #message(message: Message): void {
    if (message.by === this.#me) this.dropped(message.client_id);
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
