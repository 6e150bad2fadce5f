//! The one shape of every REST answer: `{"data": …, "meta": {"request_id"}}` or `{"error": {"code", "message", "request_id"}}`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::codes::ErrorCode;

/// A successful answer. The body passes through as it is.
#[derive(Serialize, Deserialize, Debug)]
pub struct Success<'a> {
    /// What the command answers.
    #[serde(borrow)]
    pub data: &'a RawValue,
    /// What is said about the answer.
    pub meta: Meta,
}

/// What is said about an answer.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone)]
pub struct Meta {
    /// Names this request in logs and audit.
    pub request_id: String,
}

/// A refused request.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone)]
pub struct Failure {
    /// Why, and what to do.
    pub error: ErrorBody,
}

/// Why something was refused, the same on REST and on the socket.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq)]
pub struct ErrorBody {
    /// For programs: one of the registry.
    pub code: ErrorCode,
    /// For people: what is wrong and what to do about it.
    pub message: String,
    /// Names this request in logs and audit.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// Where the code's rule is `after`: how long to wait, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}
