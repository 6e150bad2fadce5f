// One WebSocket at a time. What an abandoned one still says is not heard.
import { SUBPROTOCOL_JSON } from "./generated.ts";

/** What the transport tells. */
export interface TransportEvents {
  opened(): void;
  frame(text: string): void;
  closed(code: number | undefined, reason: string): void;
}

export type OpenSocket = (url: string, protocols: string[]) => WebSocket;

/** The `readyState` of an open socket; Node before 22 has no `WebSocket` to name it. */
const OPEN = 1;
/** What a browser reports where no close frame came. */
const NO_CLOSE_FRAME = 1006;

export class Transport {
  readonly #url: string;
  readonly #events: TransportEvents;
  readonly #openSocket: OpenSocket;
  #socket: WebSocket | undefined;

  constructor(url: string, events: TransportEvents, openSocket: OpenSocket = (at, protocols) => new WebSocket(at, protocols)) {
    this.#url = url;
    this.#events = events;
    this.#openSocket = openSocket;
  }

  open(): void {
    this.#socket = undefined;
    let socket: WebSocket;
    try {
      // The token goes into the first frame: an URL ends up in logs.
      socket = this.#openSocket(this.#url, [SUBPROTOCOL_JSON]);
    } catch {
      queueMicrotask(() => this.#events.closed(undefined, ""));
      return;
    }
    this.#socket = socket;
    const ifPresent = (tell: () => void) => {
      if (this.#socket === socket) tell();
    };
    socket.onopen = () => ifPresent(() => this.#events.opened());
    socket.onmessage = ({ data }) => ifPresent(() => this.#events.frame(typeof data === "string" ? data : ""));
    socket.onclose = ({ code, reason }) =>
      ifPresent(() => {
        this.#socket = undefined;
        this.#events.closed(code === NO_CLOSE_FRAME ? undefined : code, reason);
      });
  }

  send(text: string): void {
    if (this.#socket?.readyState === OPEN) this.#socket.send(text);
  }

  close(code: number, reason: string): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(code, reason);
  }
}
