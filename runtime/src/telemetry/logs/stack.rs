//! Stack traces for error lines, within a budget.

use std::backtrace::Backtrace;
use std::sync::OnceLock;
use std::time::Instant;

use parking_lot::Mutex;

use crate::limits::{Gcra, Limiter, Rule};

/// A trace costs milliseconds the first time and tens of microseconds after; a flood of errors must not become a flood of work.
const TRACES: Rule = Rule::per_second(5);

/// Characters kept of a trace: the frames that matter stand at the top.
const TRACE_CHARS_MAX: usize = 6_000;

/// A trace of where we are, unless too many were taken in the last second.
pub(super) fn capture_within_budget() -> Option<String> {
    static STARTED: OnceLock<Instant> = OnceLock::new();
    static BUDGET: OnceLock<Mutex<Gcra>> = OnceLock::new();
    let now_ms = STARTED.get_or_init(Instant::now).elapsed().as_millis() as u64 + 1;
    let allowed = BUDGET.get_or_init(Mutex::default).lock().take(&TRACES, now_ms, 1).allowed;
    allowed.then(capture)
}

/// A trace of where we are, without the frames of logging and panicking themselves.
pub(super) fn capture() -> String {
    trim(&Backtrace::force_capture().to_string())
}

fn trim(trace: &str) -> String {
    let mut kept = String::new();
    let mut skipping = false;
    for row in trace.lines() {
        let row = row.trim_end();
        if !row.trim_start().starts_with("at ") {
            skipping = [
                "std::backtrace",
                "tracing",
                "runtime::telemetry::logs",
                "std::panicking",
                "core::panicking",
                "std::sys::backtrace",
            ]
            .iter()
            .any(|prefix| {
                row.split_once(": ").is_some_and(|(_, frame)| frame.trim_start_matches('<').starts_with(prefix))
            });
        }
        if !skipping && kept.len() + row.len() < TRACE_CHARS_MAX {
            kept.push_str(row);
            kept.push('\n');
        }
    }
    kept
}
