//! Finished WebSocket frames: the bytes as they go on a socket, header included.
//!
//! Frames of a server carry no mask (RFC 6455, section 5.1): the header is the same for whoever hears the text, so both are
//! put together once and written to every socket as they are.

use bytes::Bytes;

/// The first byte of a text frame that is whole.
const WHOLE_TEXT: u8 = 0x81;
/// The longest header of a frame without a mask.
const HEADER_MAX: usize = 10;

/// One or several whole text frames; clones share the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frames(Bytes);

impl Frames {
    /// One frame.
    pub(super) fn text(text: &str) -> Self {
        let mut bytes = Vec::with_capacity(text.len() + HEADER_MAX);
        push_text(&mut bytes, text);
        Self(bytes.into())
    }

    /// Frames that were put together by [`push_text`].
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// How many bytes they have.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The bytes to write.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.0
    }

    /// The text of each frame.
    #[cfg(test)]
    pub(crate) fn texts(&self) -> Vec<&str> {
        let (mut rest, mut texts) = (&self.0[..], Vec::new());
        while let [WHOLE_TEXT, short, after @ ..] = rest {
            let (length, after) = match short {
                126 => (u16::from_be_bytes(after[..2].try_into().unwrap()) as usize, &after[2..]),
                127 => (u64::from_be_bytes(after[..8].try_into().unwrap()) as usize, &after[8..]),
                short => (usize::from(*short), after),
            };
            texts.push(std::str::from_utf8(&after[..length]).unwrap());
            rest = &after[length..];
        }
        assert!(rest.is_empty(), "no text frame: {rest:?}");
        texts
    }
}

/// Adds one text frame to those that are there.
pub(super) fn push_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.reserve(text.len() + HEADER_MAX);
    bytes.push(WHOLE_TEXT);
    match text.len() {
        length @ 0..=125 => bytes.push(length as u8),
        length @ 126..=0xffff => {
            bytes.push(126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            bytes.push(127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;
    use tokio::io::AsyncWriteExt;
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::Role;

    #[tokio::test]
    async fn frames_of_every_length_are_read_by_a_client_as_they_were_put_in() {
        let (mut near, far) = tokio::io::duplex(64);
        let mut client = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        let texts = [0, 1, 125, 126, 127, 65_535, 65_536, 100_000].map(|length| "x".repeat(length));
        let mut bytes = Vec::new();
        texts.iter().for_each(|text| push_text(&mut bytes, text));
        let frames = Frames::whole(bytes.into());
        assert_eq!(frames.texts(), texts);
        let reading = async {
            for text in &texts {
                assert_eq!(client.next().await.unwrap().unwrap(), Message::text(text.as_str()));
            }
        };
        let (written, ()) = tokio::join!(near.write_all(&frames.0), reading);
        written.unwrap();
    }
}
