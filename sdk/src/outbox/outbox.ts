// What was typed and not yet acknowledged. It is kept outside the page's memory, so that a reload or a crash of the tab loses
// nothing; the client-made id makes it harmless to send an entry that had arrived after all, even from two tabs at once.
import type { ClientId, ConversationId, Millis, SendMessage, UserId } from "../generated.ts";

/** A message on its way. */
export interface OutboxEntry {
  client_id: ClientId;
  /** Whose: a browser may be used by several people, one after the other. */
  user: UserId;
  conversation: ConversationId;
  message: SendMessage;
  /** When it was typed; the order in which it is sent. */
  at: Millis;
  /** Which page sends it; none in what an older build left. */
  page?: string;
}

/** Keeps entries until they are acknowledged. */
export interface Outbox {
  put(entry: OutboxEntry): Promise<void>;
  remove(clientId: ClientId): Promise<void>;
  /** All of one user, the oldest first. */
  of(user: UserId): Promise<OutboxEntry[]>;
  /** Forgets everything of one user: they logged out. */
  clear(user: UserId): Promise<void>;
}

/** For places without IndexedDB, and for tests. */
export class MemoryOutbox implements Outbox {
  readonly #entries = new Map<ClientId, OutboxEntry>();

  async put(entry: OutboxEntry): Promise<void> {
    this.#entries.set(entry.client_id, entry);
  }

  async remove(clientId: ClientId): Promise<void> {
    this.#entries.delete(clientId);
  }

  async of(user: UserId): Promise<OutboxEntry[]> {
    return inOrder([...this.#entries.values()].filter((entry) => entry.user === user));
  }

  async clear(user: UserId): Promise<void> {
    for (const entry of await this.of(user)) this.#entries.delete(entry.client_id);
  }
}

/** Sorts by time; entries of the same millisecond keep their order. */
export function inOrder(entries: OutboxEntry[]): OutboxEntry[] {
  return entries.sort((a, b) => a.at - b.at);
}
