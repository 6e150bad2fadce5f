// Everything that a logged-in page knows, kept in step by the client's events. Views read it and listen to topics; they change it
// only through commands.
import {
  Client,
  Sender,
  type Account,
  type ClientEvent,
  type ConversationId,
  type ConversationJoined,
  type ConversationLeft,
  type From,
  type MarkerChanged,
  type MarkersCounted,
  type Message,
  type Outbox,
  type OutboxEntry,
  type Presence,
  type ReadMoved,
  type SendEvent,
  type Session,
  type Stop,
  type Typing,
  openPages,
  workerTimer,
} from "@secureconnect/sdk";
import { describe } from "../words.ts";
import { Activity } from "./activity.ts";
import { CallsModel } from "./calls.ts";
import { Conversations } from "./conversations.ts";
import { People } from "./people.ts";
import { PresenceModel, TypingModel } from "./presence.ts";
import { Reading } from "./reading.ts";
import { Thread } from "./thread.ts";
import { Topics } from "./topics.ts";

export interface ModelEvents {
  /** The login is over, or the client has given up. */
  stopped(why: Stop): void;
  /** Somebody else's message came in. */
  message(message: Message): void;
}

export class Model {
  readonly session: Session;
  readonly client: Client;
  readonly topics = new Topics();
  readonly people: People;
  readonly presence: PresenceModel;
  readonly typing: TypingModel;
  readonly conversations: Conversations;
  readonly reading: Reading;
  readonly calls: CallsModel;
  /** What is on its way, by client id. */
  readonly sending = new Map<string, OutboxEntry>();
  readonly #sender: Sender;
  readonly #events: ModelEvents;
  readonly #threads = new Map<ConversationId, Thread>();
  readonly #activity: Activity;
  readonly #worker: Worker;
  readonly #end = new AbortController();
  me: Account;

  constructor(session: Session, me: Account, outbox: Outbox, events: ModelEvents) {
    this.session = session;
    this.me = me;
    this.#events = events;
    const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/ws`;
    this.#worker = new Worker("/timer.js", { type: "module" });
    const timer = workerTimer(this.#worker);
    this.client = new Client({ url, session, core: { client: "web/0.1" }, timer });
    this.people = new People(this.client, this.topics, me);
    this.presence = new PresenceModel(this.topics);
    this.typing = new TypingModel(this.topics);
    this.conversations = new Conversations(this.client, this.topics, me.id);
    this.reading = new Reading(this);
    this.calls = new CallsModel(this, this.client, timer);
    this.#activity = new Activity(this.client);
    this.#sender = new Sender(this.client, outbox, me.id, (event) => this.#sendEvent(event), openPages());
    this.client.subscribe((event) => this.#hear(event));
  }

  async start(): Promise<void> {
    const options = { signal: this.#end.signal };
    addEventListener("online", () => this.client.wake(), options);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.client.wake(), options);
    await this.resume();
  }

  /** Connects, also after the client has given up. */
  async resume(): Promise<void> {
    this.client.start();
    await this.#sender.restore();
  }

  end(): void {
    this.#end.abort();
    this.#activity.end();
    this.calls.end();
    this.client.stop();
    this.#sender.end();
    this.#worker.terminate();
  }

  /** The thread of a conversation; made where there is none yet. */
  thread(id: ConversationId): Thread {
    let thread = this.#threads.get(id);
    if (!thread) {
      thread = new Thread(this.client, this.topics, this.me.id, id, { members: (users) => void this.presence.ask(this.client, users) });
      this.#threads.set(id, thread);
      for (const entry of this.sending.values()) if (entry.conversation === id) this.#queue(thread, entry);
    }
    return thread;
  }

  send(conversation: ConversationId, text: string, replyTo?: number): void {
    this.#sender.send(conversation, text, replyTo);
  }

  sendAgain(clientId: string): void {
    const entry = this.sending.get(clientId);
    if (entry) this.#sender.again(entry);
  }

  async discard(clientId: string): Promise<void> {
    const entry = this.sending.get(clientId);
    if (!entry) return;
    this.sending.delete(clientId);
    const thread = this.thread(entry.conversation);
    thread.view.dropped(clientId);
    thread.changed();
    await this.#sender.discard(clientId);
  }

  /** Forgets what waits to be sent: the user logs out. */
  async clearOutbox(): Promise<void> {
    await this.#sender.clear();
  }

  accountChanged(me: Account): void {
    this.me = me;
    this.session.update(me);
    this.people.learn(me);
    this.topics.changed("me");
  }

  #hear(event: ClientEvent): void {
    switch (event.kind) {
      case "status":
        this.topics.changed("connection");
        return;
      case "in_step":
        this.#activity.connected();
        if (!this.conversations.loaded) void this.#loadAll();
        return;
      case "stopped":
        return this.#events.stopped(event.stop);
      case "reset_all":
        this.conversations.forget();
        void this.#loadAll();
        for (const thread of this.#threads.values()) thread.reset();
        return;
      case "reset":
        if (event.stream.startsWith("u:")) void this.#loadAll();
        else {
          const id = event.stream.slice(2);
          this.conversations.forget(id);
          void this.conversations.fetch(id);
          this.#threads.get(id)?.reset();
        }
        return;
      case "entry":
        return this.#entry(event.from, event.at ?? this.client.serverNow(), event.name, event.body);
      case "register":
        return this.#register(event.name, event.body);
      case "ephemeral":
        if (event.name === "typing") this.typing.started(event.body as Typing, event.until - this.client.serverNow());
        return;
    }
  }

  #entry(from: From, at: number, name: string, body: unknown): void {
    if (from.stream.startsWith("u:")) {
      if (name === "conversation.joined") {
        const joined = body as ConversationJoined;
        this.conversations.joined(joined);
        const thread = this.#threads.get(joined.conversation);
        if (thread?.gone) {
          thread.gone = undefined;
          thread.reset();
        }
      } else if (name === "conversation.left") this.#left(body as ConversationLeft);
      else if (name === "read.moved") this.conversations.read(body as ReadMoved);
      return;
    }
    const id = from.stream.slice(2);
    this.conversations.entry(id, from, name, body);
    this.#threads.get(id)?.entry(from.seq, at, name, body);
    if (name !== "message.new") return;
    const message = body as Message;
    this.typing.stopped(id, message.by);
    if (message.by !== this.me.id) this.#events.message(message);
    else this.sending.delete(message.client_id);
  }

  #left(left: ConversationLeft): void {
    this.conversations.left(left);
    const thread = this.#threads.get(left.conversation);
    if (!thread) return;
    thread.gone = left.how;
    thread.changed();
  }

  #register(name: string, body: unknown): void {
    if (name === "presence.changed") return this.presence.changed(body as Presence);
    if (name !== "marker.changed" && name !== "markers.counted") return;
    const thread = this.#threads.get((body as MarkerChanged).conversation);
    if (!thread) return;
    if (name === "marker.changed") thread.receipts.changed(body as MarkerChanged);
    else thread.receipts.counted(body as MarkersCounted);
    thread.changed();
  }

  #sendEvent(event: SendEvent): void {
    const { entry } = event;
    const thread = this.thread(entry.conversation);
    if (event.kind === "pending") {
      this.sending.set(entry.client_id, entry);
      this.#queue(thread, entry);
    } else if (event.kind === "refused") {
      thread.view.refused(entry.client_id, describe(event.error));
    } else {
      const { seq, number, at } = event.sent;
      const { client_id, text, reply_to } = entry.message;
      const message: Message = { conversation: entry.conversation, seq, number, by: this.me.id, client_id, text, at };
      if (reply_to !== undefined) message.reply_to = reply_to;
      // The answer may overtake the entry; where the thread was not read yet, reading it shows the message.
      this.sending.delete(client_id);
      if (thread.state === "ready" && !thread.view.message(seq)) thread.view.apply({ name: "message.new", body: message });
      else thread.view.dropped(client_id);
    }
    thread.changed();
    this.topics.changed("conversations");
  }

  #queue(thread: Thread, entry: OutboxEntry): void {
    const { client_id, text, reply_to } = entry.message;
    thread.view.queued({ client_id, text, at: entry.at, ...(reply_to === undefined ? {} : { reply_to }) });
  }

  async #loadAll(): Promise<void> {
    try {
      await this.conversations.load();
    } catch {
      // Only where the client was stopped meanwhile: its own event tells that.
    }
  }
}
