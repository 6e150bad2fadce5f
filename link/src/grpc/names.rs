//! The names of the work that a call is made for, as metadata: `traceparent` (W3C) and `x-request-id`.
//!
//! A lane outlives what it carries: there each command names its own work in its context.

use tonic::metadata::{MetadataMap, MetadataValue};

use crate::scope::{Scope, within};
use crate::trace::{REQUEST_ID_HEADER, TRACEPARENT_HEADER, TraceContext};

/// Adds the names of what this task does, if it has any.
pub(super) fn show(metadata: &mut MetadataMap) {
    let Some(Scope { request_id, trace }) = Scope::current() else { return };
    for (header, value) in [(REQUEST_ID_HEADER, request_id.to_string()), (TRACEPARENT_HEADER, trace.header())] {
        if let Ok(value) = MetadataValue::try_from(value) {
            metadata.insert(header, value);
        }
    }
}

/// Does work under the names that its caller has shown; both or none.
pub(super) async fn under<F: Future>(metadata: &MetadataMap, work: F) -> F::Output {
    let shown = |header| metadata.get(header).and_then(|value| value.to_str().ok());
    let request_id = shown(REQUEST_ID_HEADER).and_then(|text| text.parse().ok());
    let trace = shown(TRACEPARENT_HEADER).and_then(TraceContext::parse);
    match request_id.zip(trace) {
        Some((request_id, trace)) => within(Scope { request_id, trace }, work).await,
        None => work.await,
    }
}
