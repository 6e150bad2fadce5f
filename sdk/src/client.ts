// The shell around the core: it owns the socket, the timer and the token, and does what the core says. No decision is made here.
import { steadyClock } from "./clock.ts";
import { Core } from "./core/core.ts";
import type { CoreEvent, Lost, Stop } from "./core/event.ts";
import type { CommandAnswer, Output, Ticket, TokenAnswer } from "./core/output.ts";
import type { CoreSettings } from "./core/settings.ts";
import { ApiError } from "./errors.ts";
import { COMMANDS, type CommandName, type Millis } from "./generated.ts";
import { newId } from "./ids.ts";
import type { Answer, CallOptions } from "./rest.ts";
import type { Session } from "./session.ts";
import { pageTimer, type Timer } from "./timer.ts";
import { Transport, type OpenSocket } from "./transport.ts";

/** How the client is connected. */
export type Status =
  /** Not started. */
  | { state: "idle" }
  | { state: "connecting" }
  /** Connected; what was missed is coming in. */
  | { state: "catching_up" }
  /** In step with the server. */
  | { state: "live" }
  /** The connection is gone; the next one is tried at `retryAt` (local time), or once there is a token. */
  | { state: "waiting"; why: Lost; retryAt: Millis | undefined }
  /** Given up. */
  | { state: "stopped"; why: Stop };

/** What a listener hears: the core's events, and each change of the status. */
export type ClientEvent = CoreEvent | { kind: "status"; status: Status };

export interface ClientOptions {
  /** The server's socket, `wss://…/v1/ws`. */
  url: string;
  session: Session;
  /** For the core, such as positions that were kept. */
  core?: Partial<CoreSettings>;
  /** Opens a socket; needed where there is no global `WebSocket` (Node before 22). */
  openSocket?: OpenSocket;
  /** Where time is waited for; a page's own timer where this is absent. */
  timer?: Timer;
  /** What a listener throws; reported as any other fault of the page where this is absent. */
  onFault?: (error: unknown) => void;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: ApiError): void;
}

export class Client {
  readonly session: Session;
  readonly #core: Core;
  readonly #transport: Transport;
  readonly #now = steadyClock();
  readonly #listeners = new Set<(event: ClientEvent) => void>();
  readonly #waiting = new Map<Ticket, Waiting>();
  readonly #onFault: (error: unknown) => void;
  #status: Status = { state: "idle" };
  readonly #after: Timer;
  #cancelTimer: () => void = () => undefined;
  #aheadMs = 0;
  #handed: string | undefined;
  #running = false;

  constructor(options: ClientOptions) {
    this.session = options.session;
    this.#after = options.timer ?? pageTimer;
    this.#onFault = options.onFault ?? report;
    const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
    this.#core = new Core({ seed, ...options.core });
    this.#transport = new Transport(
      options.url,
      {
        opened: () => this.#do(() => this.#core.handleOpened(this.#now())),
        frame: (text) => this.#do(() => this.#core.handleFrame(this.#now(), text)),
        closed: (code, reason) => this.#do(() => this.#core.handleClosed(this.#now(), code, reason)),
      },
      options.openSocket,
    );
  }

  get status(): Status {
    return this.#status;
  }

  /** The server's time, as far as it is known. */
  serverNow(): Millis {
    return this.#now() + this.#aheadMs;
  }

  /** Calls `listener` with everything that happens, until the function that is returned is called. */
  subscribe(listener: (event: ClientEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.#setStatus({ state: "connecting" });
    this.#do(() => this.#core.handleStart(this.#now()));
  }

  stop(): void {
    this.#do(() => this.#core.handleStop());
  }

  /** The network is back, or the page is looked at again: don't wait any longer. */
  wake(): void {
    this.#do(() => {
      this.#core.handleTimeout(this.#now());
      this.#core.handleOnline(this.#now());
    });
  }

  /** Calls a command: on the socket where it can be sent there, else by REST. On the socket it waits for a connection, and is sent
   * again until it is answered; with `expiresInMs` no longer than that. */
  async call<N extends CommandName>(name: N, options: Omit<CallOptions<N>, "token"> & { expiresInMs?: Millis } = {}): Promise<Answer<N>> {
    const spec = COMMANDS[name];
    if (!spec.socket) return this.session.call(name, options);
    const command = {
      name,
      ...(options.to === undefined ? {} : { to: options.to }),
      ...(options.body === undefined ? {} : { body: options.body }),
      ...(options.expiresInMs === undefined ? {} : { expires_in_ms: options.expiresInMs }),
      ...(spec.repeat === "key" ? { key: options.key ?? newId() } : {}),
    };
    return new Promise<Answer<N>>((resolve, reject) => {
      this.#do(() => {
        const ticket = this.#core.handleCommand(this.#now(), command);
        this.#waiting.set(ticket, { resolve: resolve as Waiting["resolve"], reject });
      });
    });
  }

  /** Hands something in, then does what comes out, then sets the timer. */
  #do(handIn: () => void): void {
    handIn();
    // A listener may call a command from within an event: the loop that runs already takes it up.
    if (this.#running) return;
    this.#running = true;
    try {
      this.#drain();
    } finally {
      this.#running = false;
    }
    this.#cancelTimer();
    const next = this.#core.pollTimeout();
    if (next === undefined) return;
    const wait = Math.min(Math.max(0, next - this.#now()), 60_000);
    this.#cancelTimer = this.#after(wait, () => this.#do(() => this.#core.handleTimeout(this.#now())));
  }

  #drain(): void {
    for (;;) {
      const output = this.#core.pollOutput();
      if (output) {
        this.#perform(output);
        continue;
      }
      const event = this.#core.pollEvent(this.#now());
      if (!event) return;
      this.#hear(event);
    }
  }

  #perform(output: Output): void {
    switch (output.kind) {
      case "connect":
        this.#setStatus({ state: "connecting" });
        return this.#transport.open();
      case "send":
        return this.#transport.send(output.text);
      case "close":
        return this.#transport.close(output.code, output.reason);
      case "refresh_token":
        void this.#fetchToken();
        return;
      case "answer":
        return this.#answered(output.answer);
    }
  }

  #answered({ ticket, result }: CommandAnswer): void {
    const waiting = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    if (result.error) waiting?.reject(ApiError.of(result.error));
    else waiting?.resolve(result.ok);
  }

  #hear(event: CoreEvent): void {
    if (event.kind === "connected") {
      this.#aheadMs = event.welcome.time - this.#now();
      this.#setStatus({ state: "catching_up" });
    } else if (event.kind === "in_step") {
      this.#setStatus({ state: "live" });
    } else if (event.kind === "disconnected") {
      const retryAt = event.retry_in_ms === undefined ? undefined : this.#now() + event.retry_in_ms;
      this.#setStatus({ state: "waiting", why: event.why, retryAt });
    } else if (event.kind === "stopped") {
      this.#setStatus({ state: "stopped", why: event.stop });
    }
    this.#tell(event);
  }

  #setStatus(status: Status): void {
    this.#status = status;
    this.#tell({ kind: "status", status });
  }

  #tell(event: ClientEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        // A fault of the app must not stop the client.
        this.#onFault(error);
      }
    }
  }

  async #fetchToken(): Promise<void> {
    let answer: TokenAnswer;
    try {
      let token = await this.session.token();
      // One that was handed in before is what the core wants replaced.
      if (token === this.#handed) token = (await this.session.refresh()).access_token;
      this.#handed = token;
      answer = { kind: "token", token };
    } catch (error) {
      answer = tokenRefusal(error);
    }
    this.#do(() => this.#core.handleToken(this.#now(), answer));
  }
}

function tokenRefusal(error: unknown): TokenAnswer {
  if (!(error instanceof ApiError)) return { kind: "later" };
  const { code, message, retry, retryAfterMs } = error;
  if (retry === "never" && code !== "stopped" && code !== "offline" && code !== "queue_full") {
    return { kind: "denied", error: { code, message } };
  }
  return retryAfterMs === undefined ? { kind: "later" } : { kind: "later", after_ms: retryAfterMs };
}

function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
