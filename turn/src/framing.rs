//! Where a packet ends on a TCP connection (RFC 8656, section 3.2 and 12.5): STUN and ChannelData state their length, and
//! ChannelData is padded to four bytes on a stream.
//!
//! A connection that sends anything else is beyond repair, because where its next packet begins can't be known.

use crate::stun::HEADER_BYTES;

/// The bytes before a ChannelData's payload.
pub const CHANNEL_HEADER_BYTES: usize = 4;

/// The longest packet on a stream: what two bytes of length can state, plus the longer header, plus padding.
pub const FRAME_BYTES_MAX: usize = u16::MAX as usize + HEADER_BYTES + 3;

/// A packet at the begin of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// How many bytes are the packet.
    pub length: usize,
    /// How many bytes the packet takes on the stream, padding included.
    pub taken: usize,
}

/// The stream carries neither STUN nor ChannelData.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("neither STUN nor ChannelData")]
pub struct BadFrame;

/// Finds the end of the packet with which `stream` begins; `None` when more bytes are needed to tell, or to have it whole.
///
/// # Errors
/// When it begins with no packet.
pub fn next_frame(stream: &[u8]) -> Result<Option<Frame>, BadFrame> {
    let Some(first) = stream.first() else { return Ok(None) };
    let is_channel = is_channel_data(*first);
    if !is_channel && first & 0xC0 != 0 {
        return Err(BadFrame);
    }
    let Some(header) = stream.first_chunk::<4>() else { return Ok(None) };
    let stated = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let frame = match is_channel {
        true => {
            let length = CHANNEL_HEADER_BYTES + stated;
            Frame { length, taken: length.next_multiple_of(4) }
        }
        // A STUN message is a multiple of four bytes long.
        false if !stated.is_multiple_of(4) => return Err(BadFrame),
        false => Frame { length: HEADER_BYTES + stated, taken: HEADER_BYTES + stated },
    };
    Ok((stream.len() >= frame.taken).then_some(frame))
}

/// Whether a packet with this first byte is ChannelData.
pub fn is_channel_data(first: u8) -> bool {
    first & 0xC0 == 0x40
}

/// The channel and the payload of a ChannelData packet; on UDP padding is allowed and ignored.
pub fn parse_channel_data(packet: &[u8]) -> Option<(u16, &[u8])> {
    let header = packet.first_chunk::<CHANNEL_HEADER_BYTES>()?;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let payload = packet.get(CHANNEL_HEADER_BYTES..CHANNEL_HEADER_BYTES + length)?;
    is_channel_data(header[0]).then(|| (u16::from_be_bytes([header[0], header[1]]), payload))
}

/// Appends a ChannelData packet; on a stream it is padded. A payload that is longer than a packet can be is left out.
pub fn write_channel_data(out: &mut Vec<u8>, channel: u16, payload: &[u8], is_padded: bool) {
    let Ok(length) = u16::try_from(payload.len()) else { return };
    out.extend_from_slice(&channel.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(payload);
    if is_padded {
        let padding = payload.len().next_multiple_of(4) - payload.len();
        out.resize(out.len() + padding, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_frame_is_there_when_its_padding_is() {
        let mut stream = Vec::new();
        write_channel_data(&mut stream, 0x4001, b"hello", true);
        assert_eq!(stream.len(), 12);
        for have in 0..12 {
            assert_eq!(next_frame(&stream[..have]), Ok(None), "{have}");
        }
        assert_eq!(next_frame(&stream), Ok(Some(Frame { length: 9, taken: 12 })));
        assert_eq!(parse_channel_data(&stream[..9]), Some((0x4001, &b"hello"[..])));
    }

    #[test]
    fn what_is_no_packet_ends_the_stream_at_its_first_bytes() {
        for stream in [&b"\x80"[..], b"\xff\0\0\0", b"\0\x01\0\x03", b"\xc0GET"] {
            assert_eq!(next_frame(stream), Err(BadFrame));
        }
        // HTTP's letters look like ChannelData; its parts then name channels that nobody bound.
        assert_eq!(next_frame(b"GET / HTTP/1.1\r\n\r\n"), Ok(None));
    }

    proptest! {
        #[test]
        fn packets_come_out_as_they_went_in(payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 1..20)) {
            let mut stream = Vec::new();
            for payload in &payloads {
                write_channel_data(&mut stream, 0x4abc, payload, true);
            }
            let (mut rest, mut read) = (&stream[..], Vec::new());
            while let Some(frame) = next_frame(rest).unwrap() {
                read.push(parse_channel_data(&rest[..frame.length]).unwrap().1.to_vec());
                rest = &rest[frame.taken..];
            }
            prop_assert_eq!(read, payloads);
            prop_assert!(rest.is_empty());
        }
    }
}
