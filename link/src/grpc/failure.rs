//! What a failed call across the link means for the caller: was it refused, was it never sent, or is its outcome unknown?

use bytes::Bytes;
use prost::Message;
use protocol::ErrorCode;
use tonic::{Code, ConnectError, Status};

use super::wire::{Malformed, proto};
use crate::call::Refusal;

/// How a call across the link failed.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The service (or the other process for it) said no.
    Refused(Refusal),
    /// There was no connection: nothing reached the other process.
    NotSent(String),
    /// The connection broke, or the other process failed: the call may have been done.
    Lost(String),
}

impl Failure {
    /// What it means when nothing of the call had been handed over.
    pub(crate) fn before_sending(self) -> Self {
        match self {
            Self::Lost(reason) => Self::NotSent(reason),
            other => other,
        }
    }

    /// What happened, for the log.
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Refused(refusal) => &refusal.message,
            Self::NotSent(reason) | Self::Lost(reason) => reason,
        }
    }
}

/// A refusal as a status.
pub(crate) fn to_status(refusal: Refusal) -> Status {
    let message = refusal.message.clone();
    let details: Bytes = proto::Refusal::from(refusal).encode_to_vec().into();
    Status::with_details(Code::FailedPrecondition, message, details)
}

impl From<Malformed> for Status {
    fn from(malformed: Malformed) -> Self {
        to_status(Refusal::new(ErrorCode::InvalidRequest, malformed.to_string()))
    }
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        Self::new(ErrorCode::Internal, malformed.to_string())
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        if !status.details().is_empty()
            && let Ok(refusal) = proto::Refusal::decode(status.details())
        {
            return Self::Refused(refusal.into());
        }
        match status.code() {
            Code::Unimplemented => Self::Refused(Refusal::new(
                ErrorCode::Unsupported,
                "the other process is of an older version and does not offer this",
            )),
            Code::Unauthenticated => Self::NotSent(
                "the other process refused the link key; both must use the same data directory's key".to_owned(),
            ),
            _ if never_connected(&status) => Self::NotSent(describe(&status)),
            _ => Self::Lost(describe(&status)),
        }
    }
}

fn never_connected(status: &Status) -> bool {
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        if error.is::<ConnectError>() {
            return true;
        }
        source = error.source();
    }
    false
}

fn describe(status: &Status) -> String {
    format!("{:?}: {}", status.code(), status.message())
}
