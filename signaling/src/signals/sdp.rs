//! Whether a text has the form of a session description (RFC 8866, section 9).
//!
//! The server relays descriptions between browsers and reads nothing out of them, so it checks only what keeps a receiver's parser from
//! meeting something else: lines of `type=value` in the order of the standard's head, and a bounded number of media sections.

/// The most media sections: camera, microphone and screen towards every other participant, several times over.
const MEDIA_MAX: usize = 64;
/// The longest line, in bytes.
const LINE_BYTES_MAX: usize = 2_048;

/// What is wrong with a description.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SdpError {
    /// A line is not `type=value`.
    #[error("line {0} is not of the form type=value")]
    Line(usize),
    /// The first lines are not `v=0`, `o=`, `s=`.
    #[error("it does not begin with v=0, o= and s=")]
    Head,
    /// No `t=` before the media.
    #[error("it has no t= line")]
    Time,
    /// An `m=` line has too few fields.
    #[error("line {0} is no media description")]
    Media(usize),
    /// More media sections than anyone needs.
    #[error("it has more than 64 media sections")]
    TooManyMedia,
}

/// Checks the form.
///
/// # Errors
/// What is wrong, and in which line.
pub fn check(sdp: &str) -> Result<(), SdpError> {
    let (mut time, mut media) = (false, 0);
    let mut lines = 0;
    for (index, line) in sdp.split_terminator('\n').enumerate() {
        let number = index + 1;
        lines = number;
        let line = line.strip_suffix('\r').unwrap_or(line);
        let (kind, value) = field(line).ok_or(SdpError::Line(number))?;
        match (number, kind) {
            (1, b'v') if value == "0" => {}
            (2, b'o') if value.split(' ').count() == 6 => {}
            (3, b's') => {}
            (1..=3, _) => return Err(SdpError::Head),
            (_, b't') => time = true,
            (_, b'm') if !time => return Err(SdpError::Time),
            (_, b'm') if value.split(' ').count() < 4 => return Err(SdpError::Media(number)),
            (_, b'm') => media += 1,
            _ => {}
        }
        if media > MEDIA_MAX {
            return Err(SdpError::TooManyMedia);
        }
    }
    match (lines, time) {
        (0..=2, _) => Err(SdpError::Head),
        (_, false) => Err(SdpError::Time),
        (_, true) => Ok(()),
    }
}

fn field(line: &str) -> Option<(u8, &str)> {
    let (kind, value) = line.split_once('=')?;
    let [kind] = kind.as_bytes() else { return None };
    let good = kind.is_ascii_lowercase() && line.len() <= LINE_BYTES_MAX && !value.contains(['\0', '\r']);
    good.then_some((*kind, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OFFER: &str = "v=0\r\no=- 46 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
        c=IN IP4 0.0.0.0\r\na=ice-ufrag:x\r\n";

    #[test]
    fn a_browsers_offer_has_the_form() {
        assert_eq!(check(OFFER), Ok(()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (sdp, error) in [
            ("", SdpError::Head),
            ("hello", SdpError::Line(1)),
            ("v=1\r\no=- 1 1 IN IP4 x\r\ns=-\r\nt=0 0\r\n", SdpError::Head),
            ("v=0\r\no=- 1 1 IN IP4\r\ns=-\r\nt=0 0\r\n", SdpError::Head),
            ("v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\n", SdpError::Time),
            ("v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nm=audio 9 UDP 0\r\n", SdpError::Time),
            ("v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nt=0 0\r\nm=audio\r\n", SdpError::Media(5)),
            ("v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nt=0 0\r\n<script>\r\n", SdpError::Line(5)),
        ] {
            assert_eq!(check(sdp), Err(error), "{sdp:?}");
        }
        let many = OFFER.to_owned() + &"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".repeat(MEDIA_MAX);
        assert_eq!(check(&many), Err(SdpError::TooManyMedia));
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "\\PC*|([a-z]=[^\n]{0,20}\r?\n){0,10}") {
            let _ = check(&text);
            let _ = check(&(OFFER.to_owned() + &text));
        }
    }
}
