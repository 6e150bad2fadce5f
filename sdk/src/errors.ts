// One error for everything that the server refuses, so that a caller reads `code` and needs no second case for the way it came.
import { ERROR_CODES, type ErrorBody, type ErrorCode, type Retry } from "./generated.ts";

/** Codes of this side: the server was not reached, the outbox is full, the client was stopped. */
export type LocalCode = "offline" | "queue_full" | "stopped";

const LOCAL: Readonly<Record<LocalCode, Retry>> = { offline: "after", queue_full: "after", stopped: "never" };

/** Why something was refused. */
export class ApiError extends Error {
  readonly code: ErrorCode | LocalCode;
  /** Names the request in the server's logs; empty where the server said nothing. */
  readonly requestId: string;
  /** How long to wait where the code's rule is `after`; absent where nothing was stated. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode | LocalCode, message: string, requestId = "", retryAfterMs?: number) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
  }

  static of(body: ErrorBody): ApiError {
    return new ApiError(body.code, body.message, body.request_id ?? "", body.retry_after_ms);
  }

  /** Whether the same request may be tried again. A code that this build doesn't know may not. */
  get retry(): Retry {
    if (this.code in LOCAL) return LOCAL[this.code as LocalCode];
    return ERROR_CODES[this.code as ErrorCode]?.retry ?? "never";
  }
}
