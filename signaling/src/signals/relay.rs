//! `call.signal`: from one joined leg to another of the same call, and to nobody else.

use std::sync::Arc;

use link::{Identity, Refusal};
use protocol::calls::{CALL_SIGNAL, SendSignal, Signal};
use protocol::limits::{CANDIDATE_BYTES_MAX, CANDIDATES_PER_SIGNAL_MAX, SDP_BYTES_MAX};
use protocol::{CallId, ErrorCode, Millis, UserId};

use super::sdp;
use crate::desk::Desk;
use crate::desk::tell::event;
use crate::refuse;

/// For how long a gateway may hold a signal back; later it is replayed.
const WORTH_MS: Millis = 30_000;

impl Desk {
    /// Passes a signal on.
    pub(crate) async fn signal(&self, id: CallId, from: UserId, signal: SendSignal) -> Result<(), Refusal> {
        check(&signal)?;
        let to = signal.to;
        // Signals of a call are judged one after another, in the order in which they came: to judge one may take a question to the store.
        let _turn = self.turn_to_signal(id).await;
        self.ask(id, |call| {
            if !call.parts.contains_key(&from) {
                return Err(refuse::not_found());
            }
            call.leg(from, signal.epoch).map_err(refuse::of_machine)?;
            if to.user == from || call.leg(to.user, to.epoch).is_err() {
                return Err(Refusal::new(ErrorCode::NotInCall, "to: that leg is not in the call (any more)."));
            }
            Ok(())
        })
        .await?;
        let now = self.store.now().await.map_err(refuse::of_store)?;
        self.mailboxes.put(id, from, signal, now, |signal| self.tell_signal(to.user, signal, now));
        self.meters.signals.increment(1);
        Ok(())
    }

    /// Tells every signal again that waits for being superseded.
    pub(crate) fn tell_signals_again(&self, now: Millis) {
        self.mailboxes.each(|user, signal| self.tell_signal(user, signal, now));
    }

    fn tell_signal(&self, to: UserId, signal: &Signal, now: Millis) {
        let identity = Identity::Ephemeral { until: now + WORTH_MS };
        self.publish(event(identity, CALL_SIGNAL, Arc::new([to]), now, signal));
    }
}

fn check(signal: &SendSignal) -> Result<(), Refusal> {
    if signal.description.is_none() && signal.candidates.is_empty() {
        return Err(refuse::invalid("description or candidates: one of them is needed"));
    }
    if let Some(description) = &signal.description {
        if description.sdp.len() > SDP_BYTES_MAX {
            return Err(Refusal::new(
                ErrorCode::PayloadTooLarge,
                format!("description.sdp: at most {SDP_BYTES_MAX} bytes"),
            ));
        }
        sdp::check(&description.sdp).map_err(|error| refuse::invalid(format!("description.sdp: {error}")))?;
    }
    if signal.candidates.len() > CANDIDATES_PER_SIGNAL_MAX {
        let message = format!("candidates: at most {CANDIDATES_PER_SIGNAL_MAX}");
        return Err(Refusal::new(ErrorCode::PayloadTooLarge, message));
    }
    for candidate in &signal.candidates {
        let tag = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let bytes = candidate.candidate.len() + tag(&candidate.sdp_mid) + tag(&candidate.username_fragment);
        if bytes > CANDIDATE_BYTES_MAX {
            let message = format!("candidates: at most {CANDIDATE_BYTES_MAX} bytes each");
            return Err(Refusal::new(ErrorCode::PayloadTooLarge, message));
        }
        if !is_candidate(&candidate.candidate) {
            return Err(refuse::invalid("candidates: each is empty or begins with `candidate:` (RFC 8839)"));
        }
    }
    Ok(())
}

/// The attribute's form (RFC 8839, section 5.1): foundation, component, transport, priority, address, port, `typ`, type.
fn is_candidate(text: &str) -> bool {
    let controls = text.bytes().any(|byte| byte.is_ascii_control());
    let fields = text.strip_prefix("candidate:").map(|rest| rest.split(' ').collect::<Vec<_>>());
    text.is_empty() || (!controls && fields.is_some_and(|fields| fields.len() >= 8 && fields[6] == "typ"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_has_its_form_or_says_that_there_are_no_more() {
        assert!(is_candidate(""));
        assert!(is_candidate("candidate:1 1 udp 2122260223 192.0.2.1 61665 typ host generation 0"));
        for other in
            ["candidate:", "host", "candidate:1 1 udp 1 192.0.2.1 61665 host typ", "candidate:1 1 udp 1 x\n 1 typ host"]
        {
            assert!(!is_candidate(other), "{other}");
        }
    }
}
