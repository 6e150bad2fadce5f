// The login of a page. The refresh token lives in an HttpOnly cookie that no script can read; the access token lives in this object
// only. So a page that is taken over by a script leaks at most what expires in minutes.
import { ApiError } from "./errors.ts";
import type { Account, CommandName, Grant, SessionId } from "./generated.ts";
import type { Answer, CallOptions, Rest } from "./rest.ts";

/** Runs one refresh at a time over all tabs of the origin: they share one cookie, which each refresh replaces. */
export type Exclusive = <T>(work: () => Promise<T>) => Promise<T>;

/** A token this close to its end is refreshed before it is used. */
const SPARE_MS = 20_000;

/** `navigator.locks` where there is one, else one refresh at a time within this page. */
export function exclusiveOverTabs(name = "secureconnect.refresh"): Exclusive {
  const locks = (globalThis.navigator as Navigator | undefined)?.locks;
  if (locks) return (work) => locks.request(name, work) as ReturnType<typeof work>;
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  };
}

/** Logs in, keeps the access token fresh, logs out. */
export class Session {
  readonly rest: Rest;
  readonly #exclusive: Exclusive;
  readonly #now: () => number;
  #grant: Grant | undefined;
  #ends = 0;
  #refreshing: Promise<Grant> | undefined;

  constructor(rest: Rest, exclusive: Exclusive = exclusiveOverTabs(), now: () => number = Date.now) {
    this.rest = rest;
    this.#exclusive = exclusive;
    this.#now = now;
  }

  /** The account, while logged in. */
  get user(): Account | undefined {
    return this.#grant?.user;
  }

  get id(): SessionId | undefined {
    return this.#grant?.session;
  }

  async register(handle: string, name: string, password: string, device: string): Promise<Account> {
    return this.#take(await this.rest.call("auth.register", { body: { handle, name, password, device, cookie: true } }));
  }

  async login(handle: string, password: string, device: string): Promise<Account> {
    return this.#take(await this.rest.call("auth.login", { body: { handle, password, device, cookie: true } }));
  }

  /** Goes on with the cookie's login after a reload; `undefined` where there is none. */
  async restore(): Promise<Account | undefined> {
    try {
      return (await this.refresh()).user;
    } catch (error) {
      if (error instanceof ApiError && error.retry === "never") return undefined;
      throw error;
    }
  }

  /** A fresh access token; callers at the same moment share one refresh. */
  refresh(): Promise<Grant> {
    this.#refreshing ??= this.#exclusive(async () => {
      const known = this.#grant?.session;
      // The answer replaces the cookie of all tabs, so a tab that is closed meanwhile must not lose it.
      const grant = await this.rest.call("auth.refresh", { body: {}, keepalive: true });
      if (known !== undefined && known !== grant.session) {
        // Somebody logged in anew in another tab, perhaps as another user: what this page shows is not theirs.
        this.forget();
        throw new ApiError("refresh_token_invalid", "Another login has taken the place of this one: log in again.");
      }
      this.#take(grant);
      return grant;
    }).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** An access token that is good for a while. */
  async token(): Promise<string> {
    if (this.#grant && this.#now() + SPARE_MS < this.#ends) return this.#grant.access_token;
    return (await this.refresh()).access_token;
  }

  /** Calls a command by REST under this login; a token that has run out is refreshed once. */
  async call<N extends CommandName>(name: N, options: Omit<CallOptions<N>, "token"> = {}): Promise<Answer<N>> {
    const token = await this.token();
    try {
      return await this.rest.call(name, { ...options, token } as CallOptions<N>);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "token_expired") throw error;
      const { access_token } = await this.refresh();
      return this.rest.call(name, { ...options, token: access_token } as CallOptions<N>);
    }
  }

  /** Ends the login here and on the server. What can't be told to the server expires there by itself. */
  async logout(): Promise<void> {
    const token = this.#grant?.access_token;
    this.forget();
    await this.#exclusive(() => this.rest.call("auth.logout", { body: {}, ...(token ? { token } : {}) }));
  }

  /** Forgets the login without a word to the server: it was ended there. */
  forget(): void {
    this.#grant = undefined;
  }

  /** The account has changed. */
  update(user: Account): void {
    if (this.#grant) this.#grant = { ...this.#grant, user };
  }

  #take(grant: Grant): Account {
    this.#grant = grant;
    this.#ends = this.#now() + lifetimeMs(grant.access_token, grant.expires_at - this.#now());
    return grant.user;
  }
}

/** How long a fresh token lives by its own word. The clocks of phones and laptops are off by minutes, so its end can't be compared
 * with the time here. */
function lifetimeMs(token: string, otherwise: number): number {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const { iat, exp } = JSON.parse(atob(payload)) as { iat: number; exp: number };
    return exp > iat ? (exp - iat) * 1000 : otherwise;
  } catch {
    return otherwise;
  }
}
