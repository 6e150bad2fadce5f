//! What a client offers in `Sec-WebSocket-Protocol`: the codec it speaks, and perhaps its token, because a browser can set no
//! other header.

use protocol::frames::{SUBPROTOCOL_BEARER, SUBPROTOCOL_JSON};

use crate::codec::Codec;

/// The longest token that is taken.
const TOKEN_BYTES_MAX: usize = 2_048;

/// An offer that can be served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Offer {
    pub(super) codec: Codec,
    /// The name of the codec's subprotocol, for the answer.
    pub(super) subprotocol: &'static str,
    pub(super) token: Option<String>,
}

/// Why an offer can't be served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BadOffer {
    NoCodec,
    TwoTokens,
    NoToken,
}

impl BadOffer {
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::NoCodec => "Offer the subprotocol secureconnect.v1.json.",
            Self::TwoTokens => "Offer one bearer.<token> subprotocol, not several.",
            Self::NoToken => "The bearer.<token> subprotocol must hold a token.",
        }
    }
}

/// Reads the offered subprotocols.
pub(super) fn read<'a>(offered: impl Iterator<Item = &'a [u8]>) -> Result<Offer, BadOffer> {
    let mut speaks_json = false;
    let mut token = None;
    for name in offered.filter_map(|name| std::str::from_utf8(name).ok()) {
        if name == SUBPROTOCOL_JSON {
            speaks_json = true;
        } else if let Some(bearer) = name.strip_prefix(SUBPROTOCOL_BEARER) {
            if bearer.is_empty() || bearer.len() > TOKEN_BYTES_MAX {
                return Err(BadOffer::NoToken);
            }
            if token.replace(bearer.to_owned()).is_some() {
                return Err(BadOffer::TwoTokens);
            }
        }
    }
    if !speaks_json {
        return Err(BadOffer::NoCodec);
    }
    Ok(Offer { codec: Codec::Json, subprotocol: SUBPROTOCOL_JSON, token })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_all(names: &[&str]) -> Result<Offer, BadOffer> {
        read(names.iter().map(|name| name.as_bytes()))
    }

    #[test]
    fn the_codec_is_needed_and_the_token_is_taken_once() {
        assert_eq!(read_all(&[]), Err(BadOffer::NoCodec));
        assert_eq!(read_all(&["bearer.a"]), Err(BadOffer::NoCodec));
        let offer = read_all(&["bearer.a.b.c", "other", SUBPROTOCOL_JSON]).unwrap();
        assert_eq!(offer.token.as_deref(), Some("a.b.c"));
        let two = read_all(&["bearer.a", "bearer.b", SUBPROTOCOL_JSON]);
        assert_eq!(two, Err(BadOffer::TwoTokens));
    }

    proptest! {
        #[test]
        fn no_offer_breaks_the_reader(names in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..8)) {
            let _ = read(names.iter().map(Vec::as_slice));
        }
    }
}
