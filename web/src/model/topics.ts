// Who wants to know of which change. Changes are told once in a frame's time, however many there were, so that a burst of a thousand
// entries is drawn a few times only.

export type Topic = "connection" | "me" | "calls" | "people" | "presence" | "conversations" | "navigation" | `thread:${string}` | `typing:${string}`;

const FRAME_MS = 16;

export class Topics {
  readonly #listeners = new Map<Topic, Set<() => void>>();
  readonly #changed = new Set<Topic>();
  #planned = false;

  /** Calls `listener` after changes of any of the topics, until the function that is returned is called. */
  on(topics: Topic[], listener: () => void): () => void {
    for (const topic of topics) {
      const listeners = this.#listeners.get(topic) ?? new Set();
      this.#listeners.set(topic, listeners.add(listener));
    }
    return () => {
      for (const topic of topics) {
        const listeners = this.#listeners.get(topic);
        listeners?.delete(listener);
        if (listeners?.size === 0) this.#listeners.delete(topic);
      }
    };
  }

  changed(...topics: Topic[]): void {
    for (const topic of topics) this.#changed.add(topic);
    if (this.#planned) return;
    this.#planned = true;
    // Not an animation frame: those stop in a hidden tab, whose title still has to show what is unread.
    setTimeout(() => this.#flush(), FRAME_MS);
  }

  #flush(): void {
    this.#planned = false;
    const called = new Set<() => void>();
    for (const topic of this.#changed) for (const listener of this.#listeners.get(topic) ?? []) called.add(listener);
    this.#changed.clear();
    for (const listener of called) listener();
  }
}
