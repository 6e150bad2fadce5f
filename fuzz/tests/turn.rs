//! What strangers send to the TURN server: packets, and streams of them.

use fuzz::mutated;
use proptest::prelude::*;
use turn::framing::{FRAME_BYTES_MAX, next_frame, parse_channel_data};
use turn::stun::{HEADER_BYTES, IntegrityKey, Message, attribute, decode_xor_address};

/// RFC 5769, section 2.4; an Allocate request; a Send indication; ChannelData with padding and a Binding behind it.
const PACKETS: &[&[u8]] = &[
    b"\x00\x01\x00\x60\x21\x12\xa4\x42\x78\xad\x34\x33\xc6\xad\x72\xc0\x29\xda\x41\x2e\x00\x06\x00\x12\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9\x00\x00\x00\x15\x00\x1cf//499k954d6OL34oL9FSTvy64sA\x00\x14\x00\x0bexample.org\x00\x00\x08\x00\x14\xf6\x70\x24\x65\x6d\xd6\x4a\x3e\x02\xb8\xe0\x71\x2e\x85\xc9\xa2\x8c\xa8\x96\x66",
    b"\x00\x03\x00\x10\x21\x12\xa4\x42abcdefghijkl\x00\x19\x00\x04\x11\x00\x00\x00\x00\x0d\x00\x04\x00\x00\x02\x58",
    b"\x00\x16\x00\x14\x21\x12\xa4\x42abcdefghijkl\x00\x12\x00\x08\x00\x01\x21\x43\x5e\x12\xa4\x43\x00\x13\x00\x04ping",
    b"\x40\x01\x00\x05hello\0\0\0\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_packet_is_whole_or_none(input in mutated(PACKETS)) {
        let _ = parse_channel_data(&input).map(|(number, payload)| {
            assert!((0x4000..0x8000).contains(&number) && payload.len() + 4 <= input.len());
        });
        if let Ok(message) = Message::parse(&input) {
            let taken: usize = message.attributes().map(|found| 4 + found.value.len().next_multiple_of(4)).sum();
            prop_assert!(HEADER_BYTES + taken <= input.len());
            for found in message.attributes() {
                // The forms that deny lists were walked around by do not come out of it.
                if let Some(address) = decode_xor_address(found.value, &message.transaction()) {
                    prop_assert_eq!(address.ip(), address.ip().to_canonical());
                }
            }
            let _ = (message.class(), message.method(), message.text(attribute::USERNAME), message.number(attribute::LIFETIME));
            let _ = message.is_signed_with(&IntegrityKey::new("a", "b", "c"));
        }
    }

    #[test]
    fn a_stream_is_cut_the_same_however_it_arrives(input in mutated(PACKETS), pieces in prop::collection::vec(1usize..40, 1..20)) {
        let mut whole = Vec::new();
        let mut rest = &input[..];
        while let Ok(Some(frame)) = next_frame(rest) {
            prop_assert!(frame.length <= frame.taken && frame.taken <= FRAME_BYTES_MAX && frame.taken > 0);
            whole.push(rest[..frame.length].to_vec());
            rest = &rest[frame.taken..];
        }
        let (mut received, mut cut, mut from) = (Vec::new(), Vec::new(), 0);
        let mut sizes = pieces.iter().cycle();
        let mut is_broken = false;
        while from < input.len() && !is_broken {
            let to = (from + sizes.next().unwrap()).min(input.len());
            received.extend_from_slice(&input[from..to]);
            from = to;
            loop {
                match next_frame(&received) {
                    Ok(Some(frame)) => {
                        cut.push(received[..frame.length].to_vec());
                        received.drain(..frame.taken);
                    }
                    Ok(None) => break,
                    Err(_) => {
                        is_broken = true;
                        break;
                    }
                }
            }
        }
        prop_assert_eq!(cut, whole);
    }
}
