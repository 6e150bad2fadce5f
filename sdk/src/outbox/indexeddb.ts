// The outbox in IndexedDB: the one store of a browser that is transactional and survives a crash of the tab.
import type { ClientId, UserId } from "../generated.ts";
import { inOrder, MemoryOutbox, type Outbox, type OutboxEntry } from "./outbox.ts";

const STORE = "entries";

class IndexedDbOutbox implements Outbox {
  readonly #database: IDBDatabase;

  constructor(database: IDBDatabase) {
    this.#database = database;
  }

  async put(entry: OutboxEntry): Promise<void> {
    await this.#write((store) => store.put(entry));
  }

  async remove(clientId: ClientId): Promise<void> {
    await this.#write((store) => store.delete(clientId));
  }

  async of(user: UserId): Promise<OutboxEntry[]> {
    const request = this.#database.transaction(STORE).objectStore(STORE).index("user").getAll(user);
    return inOrder((await settled(request)) as OutboxEntry[]);
  }

  async clear(user: UserId): Promise<void> {
    for (const entry of await this.of(user)) await this.remove(entry.client_id);
  }

  /** Ends when the transaction is complete, not when the request is: only then would it survive the tab. */
  #write(change: (store: IDBObjectStore) => IDBRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      const transaction = this.#database.transaction(STORE, "readwrite");
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("The outbox did not take the entry."));
      change(transaction.objectStore(STORE));
    });
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("The outbox can't be read."));
  });
}

/** Opens the outbox of this origin; in memory where the browser keeps nothing (some private windows). */
export async function openOutbox(name = "secureconnect.outbox"): Promise<Outbox> {
  try {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(STORE, { keyPath: "client_id" }).createIndex("user", "user");
    };
    return new IndexedDbOutbox(await settled(request));
  } catch {
    return new MemoryOutbox();
  }
}
