// Who is there, and who is typing.
import { LIMITS, type Client, type ConversationId, type Presence, type Typing, type UserId } from "@secureconnect/sdk";
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

  /** Asks for people of whom nothing was told: in large conversations presence is not pushed. */
  async ask(client: Client, users: UserId[]): Promise<void> {
    const unknown = users.filter((user) => !this.#presences.has(user)).slice(0, LIMITS.USERS_PER_REQUEST_MAX);
    if (unknown.length === 0) return;
    try {
      const { presences } = await client.call("presence.get", { body: { users: unknown } });
      for (const presence of presences) if (!this.#presences.has(presence.user)) this.changed(presence);
    } catch {
      // Unknown presence is shown as none.
    }
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
