//! The PROXY protocol, versions 1 and 2: a pure parser, and a reader that takes exactly the header from a stream.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt};

/// The twelve bytes with which version 2 starts.
const V2_SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The longest line of version 1, its line break included.
const V1_MAX: usize = 107;

/// The longest body of version 2 that is read: addresses and a few extensions.
const V2_BODY_MAX: usize = 1_024;

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// The proxy speaks for itself, as in a health check.
    Local,
    /// The client that the proxy speaks for.
    Client(SocketAddr),
}

/// Why there is no header.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyError {
    #[error("no PROXY header where one must be")]
    Invalid,
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Reads the header, and not one byte more.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Header, ProxyError> {
    let mut start = [0; 12];
    stream.read_exact(&mut start).await?;
    if &start == V2_SIGNATURE {
        let mut rest = [0; 4];
        stream.read_exact(&mut rest).await?;
        let length = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        if length > V2_BODY_MAX {
            return Err(ProxyError::Invalid);
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        return parse_v2(rest[0], rest[1], &body).ok_or(ProxyError::Invalid);
    }
    let mut line = start.to_vec();
    while line.last() != Some(&b'\n') {
        if line.len() >= V1_MAX || !line.starts_with(b"PROXY ") {
            return Err(ProxyError::Invalid);
        }
        line.push(stream.read_u8().await?);
    }
    parse_v1(&line).ok_or(ProxyError::Invalid)
}

/// Parses a whole line of version 1.
fn parse_v1(line: &[u8]) -> Option<Header> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    let mut words = text.split(' ');
    if words.next()? != "PROXY" {
        return None;
    }
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(Header::Local);
    }
    let source: IpAddr = words.next()?.parse().ok()?;
    let destination: IpAddr = words.next()?.parse().ok()?;
    let port: u16 = words.next()?.parse().ok()?;
    words.next()?.parse::<u16>().ok()?;
    let fits = match family {
        "TCP4" => source.is_ipv4() && destination.is_ipv4(),
        "TCP6" => source.is_ipv6() && destination.is_ipv6(),
        _ => false,
    };
    (fits && words.next().is_none()).then(|| Header::Client(SocketAddr::new(source, port)))
}

/// Parses version 2 from its two control bytes and its body.
fn parse_v2(version_and_command: u8, family: u8, body: &[u8]) -> Option<Header> {
    match version_and_command {
        0x20 => return Some(Header::Local),
        0x21 => {}
        _ => return None,
    }
    match family {
        0x11 => {
            let ip: [u8; 4] = body.get(0..4)?.try_into().ok()?;
            let port: [u8; 2] = body.get(8..10)?.try_into().ok()?;
            body.get(0..12)?;
            Some(client(Ipv4Addr::from(ip).into(), port))
        }
        0x21 => {
            let ip: [u8; 16] = body.get(0..16)?.try_into().ok()?;
            let port: [u8; 2] = body.get(32..34)?.try_into().ok()?;
            body.get(0..36)?;
            Some(client(Ipv6Addr::from(ip).into(), port))
        }
        // Datagrams and Unix sockets have no address that we could use.
        0x00 | 0x12 | 0x22 | 0x31 | 0x32 => Some(Header::Local),
        _ => None,
    }
}

fn client(ip: IpAddr, port: [u8; 2]) -> Header {
    Header::Client(SocketAddr::new(ip, u16::from_be_bytes(port)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    async fn parsed(bytes: &[u8]) -> Option<(Header, Vec<u8>)> {
        let mut stream = bytes;
        let header = read(&mut stream).await.ok()?;
        Some((header, stream.to_vec()))
    }

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = V2_SIGNATURE.to_vec();
        bytes.extend([command, family]);
        bytes.extend((body.len() as u16).to_be_bytes());
        bytes.extend(body);
        bytes
    }

    #[tokio::test]
    async fn version_1_names_the_client_and_leaves_the_request_alone() {
        let (header, rest) = parsed(b"PROXY TCP4 198.51.100.7 10.0.0.1 4711 443\r\nGET /").await.unwrap();
        assert_eq!(header, Header::Client("198.51.100.7:4711".parse().unwrap()));
        assert_eq!(rest, b"GET /");
        let (header, _) = parsed(b"PROXY UNKNOWN\r\nGET /").await.unwrap();
        assert_eq!(header, Header::Local);
    }

    #[tokio::test]
    async fn version_2_names_the_client_and_skips_its_extensions() {
        let mut body = vec![198, 51, 100, 7, 10, 0, 0, 1, 0x12, 0x67, 1, 187];
        body.extend([4, 0, 1, 9]);
        let mut bytes = v2(0x21, 0x11, &body);
        bytes.extend(b"GET /");
        let (header, rest) = parsed(&bytes).await.unwrap();
        assert_eq!(header, Header::Client("198.51.100.7:4711".parse().unwrap()));
        assert_eq!(rest, b"GET /");
        assert_eq!(parsed(&v2(0x20, 0, &[])).await.unwrap().0, Header::Local);
    }

    #[tokio::test]
    async fn what_is_not_a_header_is_refused() {
        for bytes in [
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            b"PROXY TCP4 1.2.3.4 10.0.0.1 99999 443\r\n".to_vec(),
            b"PROXY TCP4 2001:db8::1 10.0.0.1 1 443\r\n".to_vec(),
            b"PROXY TCP4 1.2.3.4 10.0.0.1 1 443 more\r\n".to_vec(),
            [b"PROXY ".to_vec(), vec![b'x'; 200]].concat(),
            v2(0x21, 0x11, &[1, 2, 3]),
            v2(0x31, 0x11, &[0; 12]),
        ] {
            assert!(parsed(&bytes).await.is_none());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(
            start in prop_oneof![Just(V2_SIGNATURE.to_vec()), Just(b"PROXY ".to_vec()), Just(Vec::new())],
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let all = [start, bytes].concat();
            let _ = futures_util::FutureExt::now_or_never(parsed(&all));
        }

        #[test]
        fn every_address_survives_version_1(ip: std::net::Ipv6Addr, port: u16) {
            let line = format!("PROXY TCP6 {ip} ::1 {port} 443\r\n");
            prop_assert_eq!(parse_v1(line.as_bytes()), Some(Header::Client(SocketAddr::new(ip.into(), port))));
        }
    }
}
