// The pages of one browser share one outbox, and each entry has one page that sends it: the one in which it was typed. When that page is
// gone, whatever ended it, one of the others takes over what it left. The browser itself tells: a page holds a lock of its own while it
// lives, so who is granted that lock knows that the page is gone, and is the only one to know it at that moment.
import { newId } from "../ids.ts";

/** What a page must know of the others. */
export interface Pages {
  /** Names this page in the entries that it sends. */
  readonly id: string;
  /** This page is known to live; what it keeps before that could be taken for what a page left that is gone. */
  readonly ready: Promise<void>;
  /** Calls `take` once the page of this name is gone, in one page at a time. */
  whenGone(page: string, take: () => Promise<void>): void;
  /** Tells the others that something of this page is in the outbox. */
  announce(): void;
  /** Hears of each page that announces itself. */
  onAnnounced(hear: (page: string) => void): void;
  /** This page sends no more: the others may take over. */
  end(): void;
}

/** Where nobody can say which pages live, each page takes what it finds. The client-made ids make that harmless. */
export class LonePage implements Pages {
  readonly id = newId();
  readonly ready = Promise.resolve();

  whenGone(_page: string, take: () => Promise<void>): void {
    void take();
  }

  announce(): void {}

  onAnnounced(): void {}

  end(): void {}
}

class LockedPages implements Pages {
  readonly id = newId();
  readonly ready: Promise<void>;
  readonly #locks: LockManager;
  readonly #name: string;
  readonly #channel: BroadcastChannel;
  readonly #end = new AbortController();

  constructor(locks: LockManager, name: string) {
    this.#locks = locks;
    this.#name = name;
    this.#channel = new BroadcastChannel(name);
    this.ready = new Promise((resolve) => {
      const live = () => {
        resolve();
        return new Promise<void>((release) => this.#end.signal.addEventListener("abort", () => release()));
      };
      // A page without the lock sends all the same.
      locks.request(this.#lockOf(this.id), live).catch(() => resolve());
    });
  }

  whenGone(page: string, take: () => Promise<void>): void {
    // Rejected where this page ends first.
    this.#locks.request(this.#lockOf(page), { signal: this.#end.signal }, take).catch(() => undefined);
  }

  announce(): void {
    this.#channel.postMessage(this.id);
  }

  onAnnounced(hear: (page: string) => void): void {
    this.#channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (typeof data === "string") hear(data);
    };
  }

  end(): void {
    this.#end.abort();
    this.#channel.close();
  }

  #lockOf(page: string): string {
    return `${this.#name}.${page}`;
  }
}

/** This page among those of its origin. */
export function openPages(name = "secureconnect.outbox"): Pages {
  const locks = (globalThis.navigator as Navigator | undefined)?.locks;
  return locks && typeof BroadcastChannel === "function" ? new LockedPages(locks, name) : new LonePage();
}
