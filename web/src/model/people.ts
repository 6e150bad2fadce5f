// Names of people by id. Ids that a view asks for and nobody knows yet are looked up together.
import { LIMITS, type Client, type Profile, type UserId } from "@secureconnect/sdk";
import type { Topics } from "./topics.ts";

export class People {
  readonly #client: Client;
  readonly #topics: Topics;
  readonly #known = new Map<UserId, Profile>();
  readonly #wanted = new Set<UserId>();
  readonly #asked = new Set<UserId>();
  #planned = false;

  constructor(client: Client, topics: Topics, me: Profile) {
    this.#client = client;
    this.#topics = topics;
    this.#known.set(me.id, me);
  }

  /** The profile, if it is known; else it is looked up and told as a change of `people`. */
  get(id: UserId): Profile | undefined {
    const known = this.#known.get(id);
    if (!known && !this.#asked.has(id)) this.#want(id);
    return known;
  }

  name(id: UserId): string {
    return this.get(id)?.name ?? "…";
  }

  learn(profile: Profile): void {
    this.#known.set(profile.id, profile);
    this.#topics.changed("people");
  }

  /** Finds somebody by exact handle. */
  async find(handle: string): Promise<Profile | undefined> {
    const { users } = await this.#client.call("users.find", { body: { handle } });
    for (const profile of users) this.learn(profile);
    return users[0];
  }

  #want(id: UserId): void {
    this.#wanted.add(id);
    this.#asked.add(id);
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => void this.#lookUp());
  }

  async #lookUp(): Promise<void> {
    this.#planned = false;
    const ids = [...this.#wanted];
    this.#wanted.clear();
    for (let at = 0; at < ids.length; at += LIMITS.USERS_PER_REQUEST_MAX) {
      const page = ids.slice(at, at + LIMITS.USERS_PER_REQUEST_MAX);
      try {
        const { users } = await this.#client.call("users.find", { body: { ids: page } });
        for (const profile of users) this.#known.set(profile.id, profile);
      } catch {
        for (const id of page) this.#asked.delete(id);
      }
    }
    this.#topics.changed("people");
  }
}
