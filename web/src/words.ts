// What people read when something did not work: plain words by code, and what to do. The server's own message is shown where it says
// more than the code can (a weak password, a conflict).
import { ApiError } from "@secureconnect/sdk";

const WORDS: Partial<Record<ApiError["code"], string>> = {
  account_locked: "Too many failed logins. Wait a few minutes and try again.",
  call_expired: "You were away for too long. You can join again while the call goes on.",
  call_full: "The call is full.",
  call_over: "The call is over.",
  call_taken_over: "The call goes on on your other device.",
  banned: "You were banned from this conversation.",
  forbidden: "You are not allowed to do that.",
  handle_taken: "This handle is taken. Choose another one.",
  in_another_call: "You are in another call. Leave it first.",
  internal: "Something went wrong on the server. Try again in a moment.",
  invalid_credentials: "Handle or password is wrong.",
  last_owner: "A group needs an owner. Make somebody else owner first.",
  message_deleted: "This message was deleted in the meantime.",
  not_found: "It doesn't exist, or you can't see it.",
  not_in_call: "They are not in the call any more.",
  offline: "The server can't be reached. Check your connection.",
  origin_not_allowed: "This page's address is not on the server's list. Ask whoever runs it.",
  outcome_unknown: "It is not certain whether this was done. Have a look, then try again.",
  overloaded: "The server is busy. Try again in a moment.",
  payload_too_large: "This is too long.",
  queue_full: "Too much is waiting to be sent. Wait until you are back online.",
  refresh_token_invalid: "Your login has ended. Log in again.",
  refresh_token_reused: "Your login was ended for safety. Log in again.",
  suspended: "This account was suspended.",
  timeout: "The server took too long. Try again.",
  token_revoked: "Your login was ended. Log in again.",
  unauthenticated: "Log in again.",
  unavailable: "The server isn't available right now. Try again in a moment.",
  unsupported: "This server doesn't offer that.",
};

/** In plain words. */
export function describe(error: unknown): string {
  if (!(error instanceof ApiError)) return "Something went wrong on this page. Reload it.";
  if (error.code === "rate_limited") return `That was too fast. Try again ${inTime(error.retryAfterMs)}.`;
  return WORDS[error.code] ?? error.message;
}

function inTime(ms: number | undefined): string {
  if (ms === undefined) return "in a moment";
  const seconds = Math.ceil(ms / 1000);
  if (seconds <= 1) return "in a second";
  return seconds < 90 ? `in ${seconds} seconds` : `in ${Math.round(seconds / 60)} minutes`;
}
