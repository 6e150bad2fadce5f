// Who is there, and who is typing.
import { LIMITS, type ConversationId, type Presence, type Typing, type UserId } from "@secureconnect/sdk";
import type { Topics } from "./topics.ts";

export class PresenceModel {
  readonly #topics: Topics;
  readonly #presences = new Map<UserId, Presence>();

  constructor(topics: Topics) {
    this.#topics = topics;
  }

  get(user: UserId): Presence | undefined {
    return this.#presences.get(user);
  }

  changed(presence: Presence): void {
    this.#presences.set(presence.user, presence);
    this.#topics.changed("presence");
  }
}

export class TypingModel {
  readonly #topics: Topics;
  readonly #typing = new Map<ConversationId, Map<UserId, ReturnType<typeof setTimeout>>>();

  constructor(topics: Topics) {
    this.#topics = topics;
  }

  /** Who types there now. */
  in(conversation: ConversationId): UserId[] {
    return [...(this.#typing.get(conversation)?.keys() ?? [])];
  }

  /** Somebody types, for another `leftMs`. */
  started({ conversation, user }: Typing, leftMs: number): void {
    this.stopped(conversation, user);
    const typing = this.#typing.get(conversation) ?? new Map();
    this.#typing.set(conversation, typing);
    const worth = Math.min(leftMs, LIMITS.TYPING_TTL_MS);
    typing.set(user, setTimeout(() => this.stopped(conversation, user), worth));
    this.#topics.changed(`typing:${conversation}`, "conversations");
  }

  /** What they typed has come, or nothing more did. */
  stopped(conversation: ConversationId, user: UserId): void {
    const typing = this.#typing.get(conversation);
    const timer = typing?.get(user);
    if (!typing || timer === undefined) return;
    clearTimeout(timer);
    typing.delete(user);
    if (typing.size === 0) this.#typing.delete(conversation);
    this.#topics.changed(`typing:${conversation}`, "conversations");
  }
}
