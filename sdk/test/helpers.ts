// What the tests of the shell share: a server's answers by hand, a socket that is driven step by step.
import type { OpenSocket } from "../src/transport.ts";
import type { ClientFrame } from "../src/generated.ts";

export const ME = "11111111-1111-4111-8111-111111111111";
export const CONVERSATION = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";

/** Answers each request in turn, and keeps what was asked. */
export function answering(...answers: { status?: number; body: unknown; headers?: Record<string, string> }[]) {
  const requests: { url: string; init: RequestInit & { headers: Record<string, string> } }[] = [];
  const fetchWith = async (url: unknown, init: unknown) => {
    requests.push({ url: String(url), init: init as (typeof requests)[number]["init"] });
    const { status = 200, body, headers = {} } = answers[requests.length - 1] ?? answers.at(-1)!;
    return new Response(JSON.stringify(body), { status, headers });
  };
  return { requests, fetchWith: fetchWith as typeof fetch };
}

export function grant(token: string, livesMs = 300_000) {
  const user = { id: ME, handle: "ann", name: "Ann", role: "user", created_at: 0 };
  return { data: { user, session: ME, access_token: token, expires_at: Date.now() + livesMs }, meta: { request_id: "r" } };
}

/** A socket whose other end is the test. */
export class Wire {
  readonly sent: ClientFrame[] = [];
  readonly url: string;
  readonly protocols: string[];
  closedWith: number | undefined;
  readyState = 0;
  onopen: (() => void) | undefined;
  onmessage: ((event: { data: string }) => void) | undefined;
  onclose: ((event: { code: number; reason: string }) => void) | undefined;

  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientFrame);
  }

  close(code: number): void {
    this.closedWith = code;
    this.readyState = 3;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  say(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  lose(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  /** Greets, syncs and goes live. */
  greet(): void {
    this.open();
    const hello = this.sent.find((frame) => frame.type === "hello");
    this.say({
      id: hello?.id,
      ok: {
        user: ME,
        session: ME,
        connection: "secret",
        connection_id: ME,
        resumed: false,
        epoch: ME,
        time: Date.now(),
        expires_at: Date.now() + 300_000,
        heartbeat_ms: 25_000,
        ack_every_events: 50,
        ack_every_ms: 5_000,
        frame_bytes_max: 65_536,
      },
    });
    const sync = this.sent.find((frame) => frame.type === "sync");
    this.say({ id: sync?.id, ok: { started: [], reset: [] } });
    this.say({ type: "live" });
  }

  last(type: string): ClientFrame {
    const frame = this.sent.findLast((sent) => sent.type === type);
    if (!frame) throw new Error(`no ${type} was sent`);
    return frame;
  }
}

/** Opens wires, and waits until the client opens one. */
export function wires() {
  const opened: Wire[] = [];
  const waiting: (() => void)[] = [];
  const openSocket: OpenSocket = (url, protocols) => {
    const wire = new Wire(url, protocols);
    opened.push(wire);
    waiting.splice(0).forEach((tell) => tell());
    return wire as unknown as WebSocket;
  };
  const wire = async (number: number): Promise<Wire> => {
    while (opened.length <= number) await new Promise<void>((resolve) => waiting.push(resolve));
    // The client sets its handlers after the socket was made.
    await Promise.resolve();
    return opened[number]!;
  };
  return { openSocket, wire };
}
