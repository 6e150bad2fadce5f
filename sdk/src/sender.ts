// Messages on their way: each is kept in the outbox before it is sent and until it is acknowledged, so that a reload, a crash of the
// tab or a night without network loses nothing. Of several pages on one outbox each sends its own, and what a page left that is gone.
import type { Client } from "./client.ts";
import { ApiError } from "./errors.ts";
import type { ClientId, ConversationId, Seq, Sent, UserId } from "./generated.ts";
import { newId } from "./ids.ts";
import type { Outbox, OutboxEntry } from "./outbox/outbox.ts";
import { LonePage, type Pages } from "./outbox/pages.ts";

/** What becomes of a message. */
export type SendEvent =
  | { kind: "pending"; entry: OutboxEntry }
  | { kind: "sent"; entry: OutboxEntry; sent: Sent }
  | { kind: "refused"; entry: OutboxEntry; error: ApiError };

export class Sender {
  readonly #client: Client;
  readonly #outbox: Outbox;
  readonly #user: UserId;
  readonly #tell: (event: SendEvent) => void;
  readonly #pages: Pages;
  /** The pages whose end is waited for. */
  readonly #watched = new Set<string>();
  /** What was handed to the client and is not answered. */
  readonly #flying = new Set<ClientId>();
  /** One after the other, so that messages are handed to the client in the order in which they were typed. */
  #last: Promise<void> = Promise.resolve();
  #ended = false;

  /** `pages` tells which other pages use the outbox (`openPages()`); without it this one counts as the only one. */
  constructor(client: Client, outbox: Outbox, user: UserId, tell: (event: SendEvent) => void, pages: Pages = new LonePage()) {
    this.#client = client;
    this.#outbox = outbox;
    this.#user = user;
    this.#tell = tell;
    this.#pages = pages;
    pages.onAnnounced((page) => this.#watch(page));
  }

  /** Goes on with what waits and is not sent by another page; after the client was started, also after it was started again. */
  restore(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#pages.ready;
      for (const entry of await this.#outbox.of(this.#user)) {
        if (entry.page === this.#pages.id) this.#submit(entry);
        else this.#watch(entry.page ?? "");
      }
    });
  }

  /** Sends a text. */
  send(conversation: ConversationId, text: string, replyTo?: Seq): OutboxEntry {
    const message = { client_id: newId(), text, ...(replyTo === undefined ? {} : { reply_to: replyTo }) };
    const entry = { client_id: message.client_id, user: this.#user, conversation, message, at: Date.now(), page: this.#pages.id };
    this.#tell({ kind: "pending", entry });
    void this.#inTurn(async () => {
      await this.#pages.ready;
      await this.#keep(entry);
      this.#pages.announce();
      this.#submit(entry);
    });
    return entry;
  }

  /** Sends a refused message again, under its own id. */
  again(entry: OutboxEntry): void {
    this.#submit(entry);
  }

  /** A refused message is not wanted any more. */
  async discard(clientId: ClientId): Promise<void> {
    await this.#outbox.remove(clientId);
  }

  /** Forgets everything that waits: the user logs out. */
  async clear(): Promise<void> {
    await this.#outbox.clear(this.#user);
  }

  /** Sends no more; another page may take over what waits. */
  end(): void {
    this.#ended = true;
    this.#pages.end();
  }

  #watch(page: string): void {
    if (this.#watched.has(page)) return;
    this.#watched.add(page);
    this.#pages.whenGone(page, () => this.#inTurn(() => this.#takeOver(page)));
  }

  /** What a page left that is gone is sent here from now on. */
  async #takeOver(page: string): Promise<void> {
    this.#watched.delete(page);
    for (const entry of await this.#outbox.of(this.#user)) {
      if (this.#ended) return;
      if ((entry.page ?? "") !== page) continue;
      const own = { ...entry, page: this.#pages.id };
      await this.#keep(own);
      this.#pages.announce();
      this.#submit(own);
    }
  }

  /** A browser that keeps nothing is no reason not to send. */
  async #keep(entry: OutboxEntry): Promise<void> {
    await this.#outbox.put(entry).catch(() => undefined);
  }

  #submit(entry: OutboxEntry): void {
    if (this.#flying.has(entry.client_id)) return;
    this.#flying.add(entry.client_id);
    this.#tell({ kind: "pending", entry });
    const landed = () => this.#flying.delete(entry.client_id);
    this.#client.call("messages.send", { to: entry.conversation, body: entry.message }).then(
      async (sent) => {
        landed();
        this.#tell({ kind: "sent", entry, sent });
        await this.#outbox.remove(entry.client_id);
      },
      async (error: ApiError) => {
        landed();
        // The client was stopped before the answer: the entry waits for the next start.
        if (["idle", "stopped"].includes(this.#client.status.state)) return;
        this.#tell({ kind: "refused", entry, error });
        // Nobody would see such an entry any more.
        if (error.code === "not_found" || error.code === "banned") await this.#outbox.remove(entry.client_id);
      },
    );
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(work, work);
    return this.#last;
  }
}
