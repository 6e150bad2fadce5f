// Messages on their way: each is kept in the outbox before it is sent and until it is acknowledged, so that a reload, a crash of the
// tab or a night without network loses nothing.
import type { Client } from "./client.ts";
import { ApiError } from "./errors.ts";
import type { ClientId, ConversationId, Seq, Sent, UserId } from "./generated.ts";
import { newId } from "./ids.ts";
import type { Outbox, OutboxEntry } from "./outbox/outbox.ts";

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
  /** One after the other, so that messages are handed to the client in the order in which they were typed. */
  #last: Promise<void> = Promise.resolve();

  constructor(client: Client, outbox: Outbox, user: UserId, tell: (event: SendEvent) => void) {
    this.#client = client;
    this.#outbox = outbox;
    this.#user = user;
    this.#tell = tell;
  }

  /** Goes on with what an earlier page left; after the client was started. */
  restore(): Promise<void> {
    return this.#inTurn(async () => {
      for (const entry of await this.#outbox.of(this.#user)) this.#submit(entry);
    });
  }

  /** Sends a text. */
  send(conversation: ConversationId, text: string, replyTo?: Seq): OutboxEntry {
    const message = { client_id: newId(), text, ...(replyTo === undefined ? {} : { reply_to: replyTo }) };
    const entry = { client_id: message.client_id, user: this.#user, conversation, message, at: Date.now() };
    this.#tell({ kind: "pending", entry });
    void this.#inTurn(async () => {
      // A browser that keeps nothing is no reason not to send.
      await this.#outbox.put(entry).catch(() => undefined);
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

  #submit(entry: OutboxEntry): void {
    this.#tell({ kind: "pending", entry });
    this.#client.call("messages.send", { to: entry.conversation, body: entry.message }).then(
      async (sent) => {
        this.#tell({ kind: "sent", entry, sent });
        await this.#outbox.remove(entry.client_id);
      },
      async (error: ApiError) => {
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
