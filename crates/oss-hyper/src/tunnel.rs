//! A tunnel through a proxy: `CONNECT`, and what the proxy says to it (RFC 9110 section 9.3.6).

use bytes::BytesMut;
use oss_proto::FailureKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::connect::{Fault, Origin};
use crate::proxy::Via;
use crate::stream::Stream;

/// Asks the proxy behind this stream for a connection to the origin; afterwards the stream is that one.
///
/// What the proxy says in a body is not read: it is for people in browsers.
pub(crate) async fn tunnel(mut stream: Stream, via: &Via, origin: &Origin) -> Result<Stream, Fault> {
    let target = origin.host_and_port();
    let mut request = BytesMut::new();
    request.extend_from_slice(format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n").as_bytes());
    if let Some(authorization) = &via.authorization {
        request.extend_from_slice(b"proxy-authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    let broke = |problem: String| {
        let problem = format!("the proxy {} {problem} before it answered CONNECT {target}", via.shown());
        Fault::new(FailureKind::Connect, problem)
    };
    let failed = |error: std::io::Error| broke(format!("failed ({error})"));
    stream.write_all(&request).await.map_err(failed)?;
    stream.flush().await.map_err(failed)?;

    let no_http = |problem: &str| {
        let problem = format!("the proxy {} answered CONNECT {target} with {problem}", via.shown());
        Fault::new(FailureKind::Protocol, problem)
    };
    let mut head = BytesMut::with_capacity(1 << 10);
    let end = loop {
        // Of a long head only the end can be new, and what it takes to see it there.
        let known = head.len().saturating_sub(END.len() - 1);
        if stream.read_buf(&mut head).await.map_err(failed)? == 0 {
            return Err(broke("hung up".to_owned()));
        }
        let end = head[known..].windows(END.len()).position(|window| window == END);
        let end = end.map(|at| known + at + END.len());
        if end.unwrap_or(head.len()) > HEAD_BYTES_MAX {
            return Err(no_http("a head of more than 16 KiB; is it a proxy?"));
        }
        if let Some(end) = end {
            break end;
        }
    };
    match status(&head) {
        None => Err(no_http("what is no HTTP; is it a proxy?")),
        // TLS begins with the client, so whatever this is, it does not come from the origin.
        Some(200..=299) if head.len() > end => Err(no_http("more than a head; is it a proxy?")),
        Some(200..=299) => Ok(stream),
        Some(status) => Err(refused(via, status, &format!("CONNECT {target}"))),
    }
}

/// A proxy that says no.
pub(crate) fn refused(via: &Via, status: u16, what: &str) -> Fault {
    let problem = format!("the proxy {} answered {status} to {what}{}", via.shown(), via.meaning(status));
    Fault::new(FailureKind::Proxy { status }, problem)
}

/// `HTTP/1.1 200 …`: the three digits.
fn status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.0 ").or_else(|| head.strip_prefix(b"HTTP/1.1 "))?;
    let (digits, rest) = rest.split_at_checked(3)?;
    let is_whole = matches!(rest.first(), Some(b' ' | b'\r'));
    let status = core::str::from_utf8(digits).ok()?.parse().ok()?;
    (is_whole && digits.iter().all(u8::is_ascii_digit) && status >= 100).then_some(status)
}

const END: &[u8] = b"\r\n\r\n";
const HEAD_BYTES_MAX: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_a_head_is_three_digits_of_http_1() {
        let cases = [
            ("HTTP/1.1 200 Connection established\r\n\r\n", Some(200)),
            ("HTTP/1.0 407\r\n\r\n", Some(407)),
            ("HTTP/1.1 2000\r\n\r\n", None),
            ("HTTP/1.1 +20 x\r\n\r\n", None),
            ("HTTP/1.1 099 x\r\n\r\n", None),
            ("HTTP/2 200\r\n\r\n", None),
            ("SSH-2.0\r\n\r\n", None),
            ("HTTP/1.1 2", None),
        ];
        for (head, expected) in cases {
            assert_eq!(status(head.as_bytes()), expected, "{head}");
        }
    }
}
