//! The registry of error and close codes: what happened, and whether to try again.
//!
//! One table for both, so that the server, the SDK and the documents can't disagree. The retry rule is part of the contract:
//! a client that knows nothing of a code still knows what to do. For close codes the rule also stands in the number:
//! 4000 to 4099 `now`, 4100 to 4199 `after`, 4200 to 4299 `never`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether the same request, or the same connection, may be tried again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// At once (a resend keeps its client-made id or `Idempotency-Key`).
    Now,
    /// After the stated time, or after a back-off where none is stated.
    After,
    /// Not without a change.
    Never,
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident $text:literal $status:literal $retry:ident $meaning:literal;)*) => {
        /// Why a command was refused.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
        pub enum ErrorCode {
            $(#[doc = $meaning] #[serde(rename = $text)] $name,)*
        }

        impl ErrorCode {
            /// The whole registry.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status that goes with it on REST.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Whether to try again.
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self { $(Self::$name => Retry::$retry,)* }
            }

            /// What it means, for the documents.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

error_codes! {
    InvalidRequest "invalid_request" 400 Never "The request is not of the command's form; the message names the field.";
    IdempotencyKeyRequired "idempotency_key_required" 400 Never "A creating request needs an Idempotency-Key header that holds a UUID.";
    Unauthenticated "unauthenticated" 401 Never "No valid access token: log in or refresh.";
    TokenExpired "token_expired" 401 Now "The access token has expired: refresh it and repeat.";
    TokenRevoked "token_revoked" 401 Never "The session behind the token was ended: log in again.";
    InvalidCredentials "invalid_credentials" 401 Never "Handle or password is wrong.";
    RefreshTokenInvalid "refresh_token_invalid" 401 Never "The refresh token is unknown, expired or was ended: log in again.";
    RefreshTokenReused "refresh_token_reused" 401 Never "An old refresh token was used again: the whole session was ended, log in again.";
    Forbidden "forbidden" 403 Never "Your role does not allow it.";
    OriginNotAllowed "origin_not_allowed" 403 Never "The page's origin is not on the server's list.";
    Suspended "suspended" 403 Never "The account was suspended by an administrator.";
    Banned "banned" 403 Never "You were banned from this conversation.";
    NotFound "not_found" 404 Never "It does not exist, or is not yours to see.";
    UnknownCommand "unknown_command" 404 Never "No command or route of this name.";
    MethodNotAllowed "method_not_allowed" 405 Never "The route exists, with another method.";
    Conflict "conflict" 409 Never "The present state does not allow it; the message says why.";
    HandleTaken "handle_taken" 409 Never "Another account has this handle.";
    LastOwner "last_owner" 409 Never "A group keeps at least one owner: name another one first.";
    MessageDeleted "message_deleted" 409 Never "The message was deleted.";
    CallOver "call_over" 409 Never "The call is over.";
    CallExpired "call_expired" 410 Never "You were away for too long and lost your place: join again.";
    CallFull "call_full" 409 After "As many as may be in the call are in it.";
    CallTakenOver "call_taken_over" 409 Never "Another device of yours is in the call now.";
    InAnotherCall "in_another_call" 409 Never "You are in another call: leave it first.";
    NotInCall "not_in_call" 409 Never "This device, or the one that it names, is not in the call.";
    PayloadTooLarge "payload_too_large" 413 Never "The body or frame is over the limit.";
    UnsupportedMediaType "unsupported_media_type" 415 Never "The body must be application/json.";
    WeakPassword "weak_password" 422 Never "The password does not meet the policy; the message says how.";
    IdempotencyKeyReused "idempotency_key_reused" 422 Never "This Idempotency-Key came with another request before.";
    AccountLocked "account_locked" 429 After "Too many failed logins: wait, or log in from a place where you did before.";
    RateLimited "rate_limited" 429 After "Too many requests: wait for the stated time.";
    Internal "internal" 500 After "A fault of the server; it was logged under the request id.";
    Unsupported "unsupported" 501 Never "This server does not offer it.";
    Unavailable "unavailable" 503 After "A part behind the server is not there right now; nothing was changed.";
    Overloaded "overloaded" 503 After "The server has too much to do; nothing was changed.";
    OutcomeUnknown "outcome_unknown" 503 Now "The outcome is unknown: repeat with the same id or key, it is not done twice.";
    Timeout "timeout" 504 Now "No answer in time: repeat with the same id or key, it is not done twice.";
}

macro_rules! close_codes {
    ($($name:ident $number:literal $text:literal $retry:ident $meaning:literal;)*) => {
        /// Why the server closed a socket.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum CloseCode {
            $(#[doc = $meaning] $name,)*
        }

        impl CloseCode {
            /// The whole registry.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number in the close frame.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// The name, for logs and documents.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Whether to connect again.
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self { $(Self::$name => Retry::$retry,)* }
            }

            /// What it means, for the documents.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }

            /// The rule of any close number, also of one that this build doesn't know: by its range, and `after` for the
            /// protocol's own (1000 to 1015).
            #[must_use]
            pub const fn retry_of(number: u16) -> Retry {
                match number {
                    4000..=4099 => Retry::Now,
                    4200..=4299 => Retry::Never,
                    _ => Retry::After,
                }
            }
        }
    };
}

close_codes! {
    Slow 4001 "slow" Now "The client did not read what was sent: connect again, the session resumes.";
    HeartbeatMissed 4002 "heartbeat_missed" Now "Nothing was heard for 35 s: connect again, the session resumes.";
    TokenExpired 4003 "token_expired" Now "The access token ran out: refresh it, connect again, the session resumes.";
    Resync 4004 "resync" Now "The server can't prove that nothing was missed: connect again and sync.";
    Reconnect 4100 "reconnect" After "The server is going down: connect again after the milliseconds in the reason.";
    Internal 4101 "internal" After "A fault of the server.";
    Overloaded 4102 "overloaded" After "The server has too much to do.";
    RateLimited 4103 "rate_limited" After "Too many frames.";
    Unavailable 4104 "unavailable" After "A part behind the server is not there right now.";
    Unauthenticated 4200 "unauthenticated" Never "No valid access token: log in.";
    Revoked 4201 "revoked" Never "The session was ended: log in again.";
    TakenOver 4202 "taken_over" Never "Another socket resumed this connection, or its login has more connections than it may.";
    ProtocolViolation 4203 "protocol_violation" Never "A frame is not of the protocol's form.";
    FrameTooLarge 4204 "frame_too_large" Never "A frame is over 64 KiB.";
    HelloTimeout 4205 "hello_timeout" Never "No hello within 10 s.";
    TooManyUnauthenticated 4105 "too_many_unauthenticated" After "Too many sockets of this address wait for their hello.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_stands_once_and_every_close_number_tells_its_rule() {
        let texts: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), ErrorCode::ALL.len());
        let numbers: HashSet<_> = CloseCode::ALL.iter().map(|code| code.number()).collect();
        assert_eq!(numbers.len(), CloseCode::ALL.len());
        for code in CloseCode::ALL {
            assert_eq!(CloseCode::retry_of(code.number()), code.retry(), "{}", code.as_str());
        }
    }

    #[test]
    fn a_code_reads_back_what_it_prints() {
        for code in ErrorCode::ALL {
            let text = serde_json::to_string(code).unwrap();
            assert_eq!(text, format!("\"{}\"", code.as_str()));
            assert_eq!(serde_json::from_str::<ErrorCode>(&text).unwrap(), *code);
        }
    }
}
