// One conversation as it is shown: its messages as far as they were read, its members, and what happened in between.
import {
  ConversationView,
  LIMITS,
  newId,
  type Client,
  type ConversationId,
  type Leaving,
  type Member,
  type MemberJoined,
  type MemberLeft,
  type MemberRoleChanged,
  type Message,
  type Messages,
  type Seq,
  type UserId,
} from "@secureconnect/sdk";
import { Receipts } from "./receipts.ts";
import type { Topics } from "./topics.ts";

/** Something that happened between messages. */
export interface Note {
  seq: Seq;
  at: number;
  name: string;
  body: unknown;
}

export interface ThreadEvents {
  /** These people are shown. */
  members(users: UserId[]): void;
}

const PAGE = 50;
const NOTES_MAX = 200;

export class Thread {
  readonly id: ConversationId;
  readonly view: ConversationView;
  readonly members = new Map<UserId, Member>();
  readonly receipts: Receipts;
  notes: Note[] = [];
  state: "empty" | "loading" | "ready" | "failed" = "empty";
  problem: unknown;
  moreBefore = false;
  loadingOlder = false;
  /** How it ended for this user. */
  gone: Leaving | undefined;
  readonly #client: Client;
  readonly #topics: Topics;
  readonly #events: ThreadEvents;

  constructor(client: Client, topics: Topics, me: UserId, id: ConversationId, events: ThreadEvents) {
    this.#events = events;
    this.#client = client;
    this.#topics = topics;
    this.id = id;
    this.view = new ConversationView(me);
    this.receipts = new Receipts(me);
  }

  /** Reads the newest page and, where receipts are named, the members. */
  async load(): Promise<void> {
    if (this.state === "loading" || this.state === "ready") return;
    this.state = "loading";
    this.notes = [];
    this.changed();
    try {
      const [page, members] = await Promise.all([
        this.#client.call("messages.list", { to: this.id, body: { limit: PAGE } }),
        this.#client.call("members.list", { to: this.id, body: { limit: LIMITS.PAGE_MAX } }),
      ]);
      this.#merge(page);
      for (const member of members.members) this.members.set(member.user, member);
      this.receipts.members(members.members);
      // An entry may have overtaken the answer.
      for (const note of this.notes) this.#fold(note);
      this.state = "ready";
      this.#events.members(members.members.map(({ user }) => user));
    } catch (error) {
      this.state = "failed";
      this.problem = error;
    }
    this.changed();
  }

  /** Reads the page before. */
  async loadOlder(): Promise<void> {
    const oldest = this.view.messages[0];
    if (!this.moreBefore || this.loadingOlder || !oldest) return;
    this.loadingOlder = true;
    this.changed();
    try {
      const page = await this.#client.call("messages.list", { to: this.id, body: { before: oldest.seq, limit: PAGE } });
      this.#merge(page);
    } finally {
      this.loadingOlder = false;
      this.changed();
    }
  }

  /** Reads pages until the message is there; false where there is no such message. */
  async reach(seq: Seq): Promise<boolean> {
    while (!this.view.message(seq) && this.moreBefore && (this.view.messages[0]?.seq ?? 0) > seq) await this.loadOlder();
    return this.view.message(seq) !== undefined;
  }

  /** An entry of the log. */
  entry(seq: Seq, at: number, name: string, body: unknown): void {
    if (this.state === "empty" || this.state === "failed") return;
    if (name.startsWith("message.")) this.view.apply({ name, at, body });
    else this.#note({ seq, at, name, body });
    this.changed();
  }

  /** What is kept is void: it is read anew. */
  reset(): void {
    this.view.reset();
    this.members.clear();
    this.notes = [];
    this.moreBefore = false;
    const shown = this.state !== "empty";
    this.state = "empty";
    if (shown) void this.load();
  }

  async edit(message: Message, text: string): Promise<void> {
    await this.#client.call("messages.edit", { to: this.id, body: { seq: message.seq, text, client_id: newId() } });
  }

  async delete(message: Message): Promise<void> {
    await this.#client.call("messages.delete", { to: this.id, body: { seq: message.seq } });
  }

  changed(): void {
    this.#topics.changed(`thread:${this.id}`);
  }

  /** A page of history: its messages, and the calls among them. */
  #merge(page: Messages): void {
    this.view.merge(page);
    this.moreBefore = page.more_before;
    const known = new Set(this.notes.map(({ seq }) => seq));
    const calls = (page.calls ?? []).filter(({ seq }) => !known.has(seq));
    this.notes.unshift(...calls.map(({ seq, record }) => ({ seq, at: record.ended_at, name: "call.record", body: record })));
  }

  #note(note: Note): void {
    this.notes.push(note);
    if (this.notes.length > NOTES_MAX) this.notes.shift();
    this.#fold(note);
  }

  /** What it did to the members. */
  #fold(note: Note): void {
    if (note.name === "member.joined") {
      const { user, role } = note.body as MemberJoined;
      this.members.set(user, { user, role, joined_seq: note.seq });
      this.receipts.joined(user, note.seq);
      this.#events.members([user]);
    } else if (note.name === "member.left") {
      const { user } = note.body as MemberLeft;
      this.members.delete(user);
      this.receipts.left(user);
    } else if (note.name === "member.role") {
      const { user, role } = note.body as MemberRoleChanged;
      const member = this.members.get(user);
      if (member) this.members.set(user, { ...member, role });
    }
  }
}
