// The list of conversations: what each is called, its last message, what is unread. It is read once in full and then kept by the
// logs; an entry that the read already held is recognised by its number.
import type {
  Client,
  Conversation,
  ConversationId,
  ConversationJoined,
  ConversationLeft,
  ConversationUpdated,
  From,
  MemberLeft,
  MemberRoleChanged,
  Message,
  MessageDeleted,
  MessageEdited,
  ReadMoved,
  UserId,
} from "@secureconnect/sdk";
import { ApiError, numberAtHead, unreadAfter, type ReadMarker } from "@secureconnect/sdk";
import type { Topics } from "./topics.ts";

const PAGE = 100;

export class Conversations {
  readonly #client: Client;
  readonly #topics: Topics;
  readonly #me: UserId;
  readonly #all = new Map<ConversationId, Conversation>();
  /** The running number of messages of each conversation, by which what is unread is reckoned. */
  readonly #numbers = new Map<ConversationId, number>();
  /** Up to where each was looked at, until the marker follows. */
  readonly #looked = new Map<ConversationId, ReadMarker>();
  loaded = false;

  constructor(client: Client, topics: Topics, me: UserId) {
    this.#client = client;
    this.#topics = topics;
    this.#me = me;
  }

  get(id: ConversationId): Conversation | undefined {
    return this.#all.get(id);
  }

  /** The latest first. */
  sorted(): Conversation[] {
    return [...this.#all.values()].sort((a, b) => activity(b) - activity(a));
  }

  get unread(): number {
    let sum = 0;
    for (const conversation of this.#all.values()) sum += conversation.unread;
    return sum;
  }

  /** What is kept is void, whatever it says: of one conversation, or of all. */
  forget(id?: ConversationId): void {
    for (const known of id === undefined ? [...this.#all.keys()] : [id]) this.drop(known);
  }

  /** Reads the whole list. */
  async load(): Promise<void> {
    const found = new Map<ConversationId, Conversation>();
    let after: ConversationId | undefined;
    for (let more = true; more; ) {
      const page = await this.#client.call("conversations.list", { body: { limit: PAGE, ...(after ? { after } : {}) } });
      for (const conversation of page.conversations) found.set(conversation.id, conversation);
      after = page.conversations.at(-1)?.id;
      more = page.more && after !== undefined;
    }
    for (const id of this.#all.keys()) if (!found.has(id)) this.#all.delete(id);
    for (const conversation of found.values()) this.put(conversation);
    this.loaded = true;
    this.#topics.changed("conversations");
  }

  /** Reads one anew, or learns that it is gone. */
  async fetch(id: ConversationId): Promise<Conversation | undefined> {
    try {
      const conversation = await this.#client.call("conversations.get", { to: id });
      this.put(conversation);
      return this.#all.get(id);
    } catch (error) {
      if (error instanceof ApiError && error.code === "not_found") this.drop(id);
      return undefined;
    }
  }

  /** Takes what was read, unless the logs have told something later. */
  put(conversation: Conversation): void {
    const known = this.#all.get(conversation.id);
    if (known && known.head.seq > conversation.head.seq) return;
    this.#all.set(conversation.id, conversation);
    this.#numbers.set(conversation.id, numberAtHead(conversation));
    this.#looked.delete(conversation.id);
    this.#topics.changed("conversations");
  }

  drop(id: ConversationId): void {
    this.#all.delete(id);
    this.#numbers.delete(id);
    this.#looked.delete(id);
    this.#topics.changed("conversations");
  }

  /** An entry of a conversation's log. */
  entry(id: ConversationId, from: From, name: string, body: unknown): void {
    const conversation = this.#all.get(id);
    if (!conversation || from.seq <= conversation.head.seq) return;
    conversation.head = { seq: from.seq, tag: from.tag };
    switch (name) {
      case "message.new":
        this.#message(conversation, body as Message);
        break;
      case "message.edited": {
        const { target, text } = body as MessageEdited;
        const last = conversation.last_message;
        if (last?.seq === target && !last.deleted) conversation.last_message = { ...last, text };
        break;
      }
      case "message.deleted": {
        const last = conversation.last_message;
        if (last?.seq === (body as MessageDeleted).target) conversation.last_message = { ...last, text: "", deleted: true };
        break;
      }
      case "conversation.updated":
        conversation.title = (body as ConversationUpdated).title;
        break;
      case "member.joined":
        conversation.members += 1;
        break;
      case "member.left":
        conversation.members -= 1;
        if ((body as MemberLeft).user === this.#me) this.drop(id);
        break;
      case "member.role": {
        const { user, role } = body as MemberRoleChanged;
        if (user === this.#me) conversation.role = role;
        break;
      }
    }
    this.#topics.changed("conversations");
  }

  joined({ conversation }: ConversationJoined): void {
    void this.fetch(conversation);
  }

  left({ conversation }: ConversationLeft): void {
    this.drop(conversation);
  }

  /** All of it was looked at; the marker follows. */
  seen(id: ConversationId): void {
    const conversation = this.#all.get(id);
    if (!conversation || conversation.unread === 0) return;
    const { head, own_number } = conversation;
    this.#looked.set(id, { seq: head.seq, number: this.#numbers.get(id) ?? 0, own_number });
    this.#reckon(conversation);
    this.#topics.changed("conversations");
  }

  /** The read marker moved, on whichever device. */
  read({ conversation: id, seq, number, own_number }: ReadMoved): void {
    const conversation = this.#all.get(id);
    if (!conversation || seq <= conversation.read.seq) return;
    conversation.read = { seq, number, own_number };
    this.#reckon(conversation);
    this.#topics.changed("conversations");
  }

  #message(conversation: Conversation, message: Message): void {
    conversation.last_message = message;
    this.#numbers.set(conversation.id, message.number);
    if (message.by === this.#me) conversation.own_number += 1;
    this.#reckon(conversation);
  }

  #reckon(conversation: Conversation): void {
    const looked = this.#looked.get(conversation.id);
    const marker = looked && looked.seq > conversation.read.seq ? looked : conversation.read;
    conversation.unread = unreadAfter(marker, this.#numbers.get(conversation.id) ?? 0, conversation.own_number);
  }
}

function activity(conversation: Conversation): number {
  return conversation.last_message?.at ?? conversation.created_at;
}
