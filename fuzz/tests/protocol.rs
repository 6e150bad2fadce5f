//! What clients send and what they read.

use fuzz::mutated;
use proptest::prelude::*;
use protocol::frames::{Ack, ClientFrame, Hello, ServerFrame, Sync};
use protocol::{StreamId, Tag};

const CLIENT_FRAMES: &[&[u8]] = &[
    br#"{"id":1,"type":"hello","body":{"token":"a.b.c","epoch":"6f9619ff-8b86-d011-b42d-00c04fc964ff","resume":"x","client":"web/1"}}"#,
    br#"{"id":2,"type":"sync","body":{"positions":[{"stream":"c:6f9619ff-8b86-d011-b42d-00c04fc964ff","seq":12,"tag":"0a1b2c3d"}],"done":true}}"#,
    br#"{"type":"ack","body":{"positions":[{"stream":"u:6f9619ff-8b86-d011-b42d-00c04fc964ff","seq":9007199254740993}]}}"#,
    br#"{"id":3,"type":"messages.send","to":"6f9619ff-8b86-d011-b42d-00c04fc964ff","key":"6f9619ff-8b86-d011-b42d-00c04fc964ff","body":{"text":"hi \u00e9"}}"#,
    br#"{"type":"ping"}"#,
];

const SERVER_FRAMES: &[&[u8]] = &[
    br#"{"id":1,"ok":{"user":"6f9619ff-8b86-d011-b42d-00c04fc964ff"}}"#,
    br#"{"id":2,"error":{"code":"rate_limited","message":"wait","request_id":"r","retry_after_ms":500}}"#,
    br#"{"type":"message.new","from":{"stream":"c:6f9619ff-8b86-d011-b42d-00c04fc964ff","seq":12,"tag":"0a1b2c3d"},"at":1,"body":{"text":"hi"}}"#,
    br#"{"type":"presence.changed","register":{"key":"presence:x","version":3},"at":1,"body":{}}"#,
    br#"{"type":"typing","until":5,"at":1,"body":{}}"#,
];

const NAMES: &[&[u8]] =
    &[b"c:6f9619ff-8b86-d011-b42d-00c04fc964ff", b"u:6f9619ff8b86d011b42d00c04fc964ff", b"0a1b2c3d"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_client_frame_that_is_accepted_reads_back_the_same(input in mutated(CLIENT_FRAMES)) {
        if let Ok(frame) = serde_json::from_slice::<ClientFrame>(&input) {
            let written = serde_json::to_string(&frame).unwrap();
            let again: ClientFrame = serde_json::from_str(&written).unwrap();
            prop_assert_eq!((frame.id, frame.name, frame.to, frame.key), (again.id, again.name, again.to, again.key));
            let body = frame.body.map_or("{}", |body| body.get());
            let _ = serde_json::from_str::<Hello>(body);
            let _ = serde_json::from_str::<Sync>(body);
            let _ = serde_json::from_str::<Ack>(body);
        }
    }

    #[test]
    fn a_server_frame_that_is_accepted_reads_back_the_same(input in mutated(SERVER_FRAMES)) {
        if let Ok(frame) = serde_json::from_slice::<ServerFrame>(&input) {
            let written = serde_json::to_string(&frame).unwrap();
            let again: ServerFrame = serde_json::from_str(&written).unwrap();
            prop_assert_eq!((frame.id, frame.from, frame.error, frame.until), (again.id, again.from, again.error, again.until));
        }
    }

    #[test]
    fn a_stream_or_tag_that_is_accepted_reads_back_the_same(input in mutated(NAMES)) {
        if let Ok(text) = std::str::from_utf8(&input) {
            if let Ok(stream) = text.parse::<StreamId>() {
                prop_assert_eq!(stream.to_string().parse(), Ok(stream));
                prop_assert_eq!(StreamId::from_key(&stream.to_key()), Some(stream));
            }
            if let Ok(tag) = text.parse::<Tag>() {
                prop_assert_eq!(tag.to_string(), text.to_ascii_lowercase());
            }
        }
        if let Some(stream) = StreamId::from_key(&input) {
            prop_assert_eq!(stream.to_key().to_vec(), input);
        }
    }
}
