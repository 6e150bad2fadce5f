//! What a device sends for other devices: session descriptions, and the commands of a call around them.

use fuzz::mutated;
use proptest::prelude::*;
use protocol::calls::{JoinCall, ReportQuality, SendSignal, StartCall};
use protocol::limits::SDP_BYTES_MAX;
use signaling::check_sdp;

/// A browser's offer of sound, a screen beside it, an answer without media, and one with bare line feeds.
const DESCRIPTIONS: &[&[u8]] = &[
    b"v=0\r\no=- 46117 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:x\r\na=mid:0\r\n",
    b"v=0\r\no=- 46117 3 IN IP6 ::1\r\ns=-\r\nt=0 0\r\na=msid-semantic: WMS\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=rtpmap:96 VP8/90000\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
    b"v=0\r\no=mozilla 1 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n",
    b"v=0\no=- 1 1 IN IP4 x\ns=-\nt=0 0\nm=audio 9 UDP/TLS/RTP/SAVPF 111\n",
];

const BODIES: &[&[u8]] = &[
    br#"{"client_id":"01890a5d-ac96-774b-bcce-b302099a8057","kind":"video","media":{"audio":true,"video":true}}"#,
    br#"{"epoch":1800000000001,"heard":7,"media":{"audio":true,"hand":false}}"#,
    br#"{"epoch":2,"to":{"user":"01890a5d-ac96-774b-bcce-b302099a8057","epoch":1},"description":{"type":"offer","sdp":"v=0\r\n"}}"#,
    br#"{"epoch":2,"to":{"user":"01890a5d-ac96-774b-bcce-b302099a8057","epoch":1},"candidates":[{"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host","sdpMid":"0","sdpMLineIndex":0}]}"#,
    br#"{"epoch":2,"peers":[{"user":"01890a5d-ac96-774b-bcce-b302099a8057","round_trip_ms":50,"relayed":true}]}"#,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_description_is_lines_of_a_type_and_a_value_or_none(input in mutated(DESCRIPTIONS)) {
        let Ok(sdp) = std::str::from_utf8(&input) else { return Ok(()) };
        if check_sdp(sdp).is_ok() {
            prop_assert!(sdp.starts_with("v=0"));
            for line in sdp.split_terminator('\n') {
                let line = line.strip_suffix('\r').unwrap_or(line).as_bytes();
                prop_assert!(line.len() >= 2 && line[0].is_ascii_lowercase() && line[1] == b'=', "{:?}", line);
                prop_assert!(!line.contains(&0) && !line.contains(&b'\r'));
            }
            let media = sdp.split_terminator('\n').filter(|line| line.starts_with("m=")).count();
            prop_assert!(media <= 64);
        }
    }

    #[test]
    fn a_long_description_is_judged_line_by_line(input in mutated(DESCRIPTIONS), times in 1_usize..200) {
        let Ok(piece) = std::str::from_utf8(&input) else { return Ok(()) };
        let sdp = piece.repeat(times);
        // What is longer is refused before anyone looks at it.
        let _ = check_sdp(&sdp[..sdp.floor_char_boundary(SDP_BYTES_MAX)]);
    }

    #[test]
    fn a_body_that_is_taken_reads_back_the_same(input in mutated(BODIES)) {
        macro_rules! same {
            ($($body:ty),*) => {$(
                if let Ok(body) = serde_json::from_slice::<$body>(&input) {
                    let written = serde_json::to_vec(&body).unwrap();
                    prop_assert_eq!(serde_json::from_slice::<$body>(&written).unwrap(), body);
                }
            )*};
        }
        same!(StartCall, JoinCall, SendSignal, ReportQuality);
    }
}
