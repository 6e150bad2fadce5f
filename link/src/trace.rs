//! W3C trace context and request ids, as they come from and go to untrusted headers.
//!
//! A header that does not parse is treated as absent: a request without context starts a trace of its own. Nothing
//! that a client sends reaches a log line or another service before it was parsed into one of these types. How they go on from there
//! is told in [`crate::scope`].

use rand::Rng;

pub use protocol::RequestId;

/// The name of the header that carries a [`RequestId`].
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// The name of the header that carries a [`TraceContext`].
pub const TRACEPARENT_HEADER: &str = "traceparent";

/// The caller's request id if it sent one that is a UUID, otherwise a new one.
#[must_use]
pub fn request_id(header: Option<&str>) -> RequestId {
    header.filter(|text| text.len() <= 45).and_then(|text| text.parse().ok()).unwrap_or_else(RequestId::now)
}

/// Where a request stands in a distributed trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    sampled: bool,
}

impl TraceContext {
    /// A new trace.
    #[must_use]
    pub fn make(sampled: bool) -> Self {
        let mut random = rand::rng();
        Self { trace_id: random.random_range(1..=u128::MAX), span_id: random.random_range(1..=u64::MAX), sampled }
    }

    /// Parses a `traceparent` header.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let bytes = header.as_bytes();
        let version = hex(bytes.get(0..2)?)?;
        let dashes = [2, 35, 52].iter().all(|at| bytes.get(*at) == Some(&b'-'));
        // Version 255 is forbidden; version 0 ends after the flags; later ones may go on after a dash.
        let ends = match version {
            0 => bytes.len() == 55,
            0xff => false,
            _ => bytes.len() == 55 || bytes.get(55) == Some(&b'-'),
        };
        if !dashes || !ends {
            return None;
        }
        let trace_id = hex(bytes.get(3..35)?)?;
        let span_id = u64::try_from(hex(bytes.get(36..52)?)?).ok()?;
        let flags = hex(bytes.get(53..55)?)?;
        (trace_id != 0 && span_id != 0).then_some(Self { trace_id, span_id, sampled: flags & 1 == 1 })
    }

    /// The context of a header, or of a new trace that is not sampled.
    #[must_use]
    pub fn of(header: Option<&str>) -> Self {
        header.and_then(Self::parse).unwrap_or_else(|| Self::make(false))
    }

    /// A new span in the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { span_id: rand::rng().random_range(1..=u64::MAX), ..*self }
    }

    /// The `traceparent` header.
    #[must_use]
    pub fn header(&self) -> String {
        format!("00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }

    /// The trace's id as a number, for the `trace_id` of a span.
    #[must_use]
    pub fn trace_number(&self) -> u128 {
        self.trace_id
    }

    /// The trace's id in hexadecimal, as logs show it.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// Whether spans of this trace are to be exported.
    #[must_use]
    pub fn sampled(&self) -> bool {
        self.sampled
    }
}

/// Lower-case hexadecimal only, as the standard demands.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0u128, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u128::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_standards_example_is_understood_and_given_back() {
        let context = TraceContext::parse(EXAMPLE).unwrap();
        assert_eq!(context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(context.sampled());
        assert_eq!(context.header(), EXAMPLE);
    }

    #[test]
    fn a_child_stays_in_the_trace() {
        let parent = TraceContext::parse(EXAMPLE).unwrap();
        let child = parent.child();
        assert_eq!(child.trace_id(), parent.trace_id());
        assert_ne!(child.header(), parent.header());
    }

    #[test]
    fn what_the_standard_forbids_starts_a_new_trace() {
        for header in [
            "",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(TraceContext::parse(header), None, "{header}");
        }
        let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more";
        assert!(TraceContext::parse(later).is_some());
    }

    #[test]
    fn a_request_id_is_kept_if_it_is_one() {
        let id = "0190f3a5-7c1e-7000-8000-000000000001";
        assert_eq!(request_id(Some(id)).to_string(), id);
        assert_ne!(request_id(Some("x\r\nSet-Cookie: a")).to_string(), "x");
    }

    proptest! {
        #[test]
        fn no_header_makes_the_parser_panic(header in "\\PC*") {
            let _ = TraceContext::parse(&header);
            let _ = request_id(Some(&header));
        }

        #[test]
        fn every_context_survives_its_header(trace_id in 1u128.., span_id in 1u64.., sampled: bool) {
            let context = TraceContext { trace_id, span_id, sampled };
            prop_assert_eq!(TraceContext::parse(&context.header()), Some(context));
        }
    }
}
