// REST by the command table: method, path and query of every command come from the generated table, so that a new command needs no
// code here.
import { ApiError } from "./errors.ts";
import { COMMANDS, type CommandName, type CommandTypes, type ErrorBody, type RestSpec } from "./generated.ts";
import { newId } from "./ids.ts";

export type Request<N extends CommandName> = CommandTypes[N]["request"];
export type Answer<N extends CommandName> = CommandTypes[N]["answer"];

/** What goes with a command. */
export interface CallOptions<N extends CommandName> {
  /** What the command's route names: a conversation or a user. */
  to?: string;
  body?: Request<N>;
  /** The idempotency key; made here where the command wants one and none is given. Give it to repeat a request. */
  key?: string;
  token?: string;
  /** The request goes on where the page goes away in the meantime. */
  keepalive?: boolean;
}

/** How long an answer may take before the request counts as lost. */
const ANSWER_WITHIN_MS = 15_000;

/** Calls commands by HTTP. */
export class Rest {
  readonly #base: string;
  readonly #fetch: typeof fetch;

  /** `base` is the server's origin, such as `https://chat.example`; empty for the page's own. */
  constructor(base: string, fetchWith: typeof fetch = (input, init) => fetch(input, init)) {
    this.#base = base.replace(/\/$/, "");
    this.#fetch = fetchWith;
  }

  async call<N extends CommandName>(name: N, options: CallOptions<N> = {}): Promise<Answer<N>> {
    const spec = COMMANDS[name];
    if (!spec.rest) throw new ApiError("unsupported", `${name} is for the socket only`);
    const { path, body } = place(spec.rest, spec.route, options.to, (options.body ?? {}) as Record<string, unknown>);
    const headers: Record<string, string> = {};
    if (options.token) headers["authorization"] = `Bearer ${options.token}`;
    if (spec.repeat === "key") headers["idempotency-key"] = options.key ?? newId();
    const init: RequestInit = {
      method: spec.rest.method,
      headers,
      credentials: "same-origin",
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      ...(options.keepalive ? { keepalive: true } : {}),
    };
    if (spec.rest.method !== "GET") {
      headers["content-type"] = "application/json";
      init.body = JSON.stringify(body);
    }
    return (await this.#exchange(path, init)) as Answer<N>;
  }

  async #exchange(path: string, init: RequestInit): Promise<unknown> {
    let response: Response;
    let content: unknown;
    try {
      response = await this.#fetch(this.#base + path, init);
      content = await response.json();
    } catch {
      throw new ApiError("offline", "The server can't be reached.");
    }
    const envelope = content as { data?: unknown; error?: ErrorBody };
    if (envelope.error) {
      const error = ApiError.of(envelope.error);
      if (error.retryAfterMs !== undefined) throw error;
      const after = Number(response.headers.get("retry-after"));
      throw new ApiError(error.code, error.message, error.requestId, after > 0 ? after * 1000 : undefined);
    }
    // What is no error and has no envelope belongs to another standard (the key set).
    return envelope.data === undefined ? content : envelope.data;
  }
}

/** Puts `to` and the body's fields where the REST form wants them. */
export function place(
  rest: RestSpec,
  route: string,
  to: string | undefined,
  body: Record<string, unknown>,
): { path: string; body: Record<string, unknown> } {
  const left = { ...body };
  let path = rest.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    let value: unknown;
    if (name === route) {
      value = to;
    } else {
      value = left[name];
      delete left[name];
    }
    if (value === undefined) throw new ApiError("invalid_request", `${rest.path} needs ${name}`);
    return encodeURIComponent(String(value));
  });
  const query = new URLSearchParams();
  for (const { name, kind } of rest.query) {
    const value = left[name];
    if (value === undefined) continue;
    query.set(name, kind === "list" ? (value as unknown[]).join(",") : String(value));
  }
  const text = query.toString();
  if (text) path += `?${text}`;
  return { path, body: left };
}
