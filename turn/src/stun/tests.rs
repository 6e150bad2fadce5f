use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;

/// RFC 5769, section 2.4: a request with long-term authentication.
const SAMPLE: &str = "
    00010060 2112a442 78ad3433 c6ad72c0 29da412e
    00060012 e3839ee3 8388e383 aae38383 e382afe3 82b90000
    0015001c 662f2f34 39396b39 35346436 4f4c3334 6f4c3946 53547679 36347341
    0014000b 6578616d 706c652e 6f726700
    00080014 f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666";

fn sample() -> Vec<u8> {
    let digits: Vec<u8> = SAMPLE.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn sample_key(password: &str) -> IntegrityKey {
    IntegrityKey::new("\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}", "example.org", password)
}

#[test]
fn the_standards_sample_is_read_and_its_signature_holds() {
    let bytes = sample();
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Request, method::BINDING));
    assert_eq!(message.text(attribute::REALM), Some("example.org"));
    assert_eq!(message.text(attribute::NONCE), Some("f//499k954d6OL34oL9FSTvy64sA"));
    assert!(message.is_signed_with(&sample_key("TheMatrIX")));
    assert!(!message.is_signed_with(&sample_key("TheMatrIY")));
}

#[test]
fn any_changed_bit_breaks_the_signature_or_the_message() {
    let key = sample_key("TheMatrIX");
    for bit in 0..sample().len() * 8 {
        let mut bytes = sample();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let holds = Message::parse(&bytes).is_ok_and(|message| message.is_signed_with(&key));
        assert!(!holds, "bit {bit}");
    }
}

#[test]
fn what_comes_after_the_signature_does_not_count() {
    let mut bytes = Vec::new();
    let key = IntegrityKey::new("ann", "realm", "password");
    let mut writer = MessageWriter::new(&mut bytes, Class::Request, method::REFRESH, [7; 12]);
    writer.number(attribute::LIFETIME, 60).sign(&key);
    // Appended by somebody on the way, who can't sign it.
    bytes.extend_from_slice(&attribute::CHANNEL_NUMBER.to_be_bytes());
    bytes.extend_from_slice(&[0, 4, 0x40, 0, 0, 0]);
    let length = (bytes.len() - HEADER_BYTES) as u16;
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    let message = Message::parse(&bytes).unwrap();
    assert!(message.is_signed_with(&key));
    assert_eq!(message.number(attribute::LIFETIME), Some(60));
    assert_eq!(message.attribute(attribute::CHANNEL_NUMBER), None);
}

#[test]
fn an_error_carries_its_code_as_hundreds_and_rest() {
    let (mut request, mut answer) = (Vec::new(), Vec::new());
    MessageWriter::new(&mut request, Class::Request, method::ALLOCATE, [1; 12]);
    MessageWriter::error(&mut answer, &Message::parse(&request).unwrap(), ErrorCode::StaleNonce);
    let answer = Message::parse(&answer).unwrap();
    assert_eq!((answer.class(), answer.method(), answer.transaction()), (Class::Error, method::ALLOCATE, [1; 12]));
    assert_eq!(answer.attribute(attribute::ERROR_CODE), Some(&b"\0\0\x04\x26Stale Nonce"[..]));
}

#[test]
fn a_mapped_address_is_undressed() {
    let (value, length) = encode_xor_address("[::ffff:10.0.0.1]:80".parse().unwrap(), &[3; 12]);
    assert_eq!(decode_xor_address(&value[..length], &[3; 12]), Some("10.0.0.1:80".parse().unwrap()));
}

fn any_class() -> impl Strategy<Value = Class> {
    prop_oneof![Just(Class::Request), Just(Class::Indication), Just(Class::Success), Just(Class::Error)]
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        class in any_class(), method in 0u16..0x1000, transaction: TransactionId,
        attributes in proptest::collection::vec((any::<u16>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..8),
    ) {
        let attributes: Vec<_> = attributes.into_iter().filter(|(kind, _)| *kind != attribute::MESSAGE_INTEGRITY).collect();
        let mut bytes = vec![9, 9, 9];
        let mut writer = MessageWriter::new(&mut bytes, class, method, transaction);
        for (kind, value) in &attributes {
            writer.attribute(*kind, value);
        }
        let key = IntegrityKey::new("a", "b", "c");
        writer.sign(&key);
        let message = Message::parse(&bytes[3..]).unwrap();
        prop_assert_eq!((message.class(), message.method(), message.transaction()), (class, method, transaction));
        let read: Vec<(u16, Vec<u8>)> = message.attributes().map(|found| (found.kind, found.value.to_vec())).collect();
        prop_assert_eq!(&read[..attributes.len()], &attributes[..]);
        prop_assert_eq!(read.len(), attributes.len() + 1);
        prop_assert!(message.is_signed_with(&key));
    }

    #[test]
    fn addresses_read_back(address: (u32, u16), wide: (u128, u16), transaction: TransactionId) {
        let v4 = SocketAddr::new(std::net::Ipv4Addr::from(address.0).into(), address.1);
        let v6 = SocketAddr::new(std::net::Ipv6Addr::from(wide.0).to_canonical(), wide.1);
        for address in [v4, v6] {
            let (value, length) = encode_xor_address(address, &transaction);
            prop_assert_eq!(decode_xor_address(&value[..length], &transaction), Some(address));
            prop_assert_eq!(decode_xor_address(&value[..length - 1], &transaction), None);
        }
    }
}
