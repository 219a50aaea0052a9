//! A tunnel through a proxy: `CONNECT`, and what the proxy says to it (RFC 9110 section 9.3.6).

use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use std::io;

use bytes::{Buf as _, BytesMut};
use oss_proto::FailureKind;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, split};

use crate::connect::{Fault, Origin};
use crate::proxy::Via;
use crate::stream::Stream;

/// Asks the proxy behind this stream for a connection to the origin; afterwards the stream is that one.
///
/// What the proxy says in a body is not read: it is for people in browsers.
pub(crate) async fn tunnel(stream: Stream, via: &Via, origin: &Origin) -> Result<Stream, Fault> {
    let target = origin.host_and_port();
    let mut request = BytesMut::new();
    request.extend_from_slice(format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n").as_bytes());
    if let Some(authorization) = &via.authorization {
        request.extend_from_slice(b"proxy-authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");

    let (mut reader, mut writer) = split(stream);
    let asking = async {
        writer.write_all(&request).await?;
        writer.flush().await
    };
    let answered = converse(asking, answer(&mut reader)).await.map_err(|broken| {
        let proxy = via.shown();
        match broken {
            Broken::Io(problem) => {
                let problem = format!("the proxy {proxy} {problem} before it answered CONNECT {target}");
                Fault::new(FailureKind::Connect, problem)
            }
            Broken::NoHttp(problem) => {
                let problem = format!("the proxy {proxy} answered CONNECT {target} with {problem}");
                Fault::new(FailureKind::Protocol, format!("{problem}; is it a proxy?"))
            }
        }
    })?;
    match answered {
        200..=299 => Ok(reader.unsplit(writer)),
        status => Err(refused(via, status, &format!("CONNECT {target}"))),
    }
}

/// Why there is no answer.
enum Broken {
    Io(String),
    NoHttp(&'static str),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(format!("failed ({error})"))
    }
}

/// Asks, and listens meanwhile: where a peer is gone, writing is pending for ever, and reading tells (see
/// [`Metered`](crate::stream::Metered)).
async fn converse(
    asking: impl Future<Output = io::Result<()>>,
    answer: impl Future<Output = Result<u16, Broken>>,
) -> Result<u16, Broken> {
    let (mut asking, mut answer) = (pin!(asking), pin!(answer));
    let mut has_asked = false;
    poll_fn(|cx| {
        if !has_asked && let Poll::Ready(asked) = asking.as_mut().poll(cx) {
            asked?;
            has_asked = true;
        }
        answer.as_mut().poll(cx)
    })
    .await
}

/// The status of the answer; those of 1xx are before it (RFC 9110 section 15.2).
async fn answer(reader: &mut (impl AsyncRead + Unpin)) -> Result<u16, Broken> {
    let mut head = BytesMut::with_capacity(1 << 10);
    let mut known = 0;
    loop {
        let end = head[known..].windows(END.len()).position(|window| window == END);
        let end = end.map(|at| known + at + END.len());
        if end.unwrap_or(head.len()) > HEAD_BYTES_MAX {
            return Err(Broken::NoHttp("a head of more than 16 KiB"));
        }
        let Some(end) = end else {
            // Of a long head only the end can be new, and what it takes to see it there.
            known = head.len().saturating_sub(END.len() - 1);
            if reader.read_buf(&mut head).await? == 0 {
                return Err(Broken::Io("hung up".to_owned()));
            }
            continue;
        };
        match status(&head) {
            None => return Err(Broken::NoHttp("what is no HTTP")),
            Some(100 | 102..=199) => {
                head.advance(end);
                known = 0;
            }
            // TLS begins with the client, so whatever this is, it does not come from the origin.
            Some(200..=299) if head.len() > end => return Err(Broken::NoHttp("more than a head")),
            Some(status) => return Ok(status),
        }
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
    use core::pin::Pin;
    use core::task::Context;
    use core::time::Duration;

    use hyper_util::rt::TokioIo;
    use tokio::time::timeout;

    use super::*;
    use crate::stream::{Io, Metered};

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
    /// A peer that takes nothing any more, and has said this.
    struct Gone(&'static [u8]);

    impl hyper::rt::Read for Gone {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            mut buffer: hyper::rt::ReadBufCursor<'_>,
        ) -> Poll<io::Result<()>> {
            buffer.put_slice(core::mem::take(&mut self.0));
            Poll::Ready(Ok(()))
        }
    }

    impl hyper::rt::Write for Gone {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_proxy_that_hangs_up_before_it_is_asked_is_not_waited_for() {
        let origin = Origin::of(&"https://b.oss-cn-hangzhou.aliyuncs.com/".parse().unwrap()).unwrap();
        let via = Via { is_tls: false, authority: "p:1".parse().unwrap(), authorization: None };
        let target = "CONNECT b.oss-cn-hangzhou.aliyuncs.com:443";
        let cases: [(&[u8], String); 2] = [
            (b"", format!("the proxy p:1 hung up before it answered {target}")),
            (
                b"HTTP/1.1 403 No\r\n\r\n",
                format!("the proxy p:1 answered 403 to {target}: it does not allow this host and port"),
            ),
        ];
        for (last_words, said) in cases {
            let gone: Box<dyn Io> = Box::new(Gone(last_words));
            let stream = Stream::Own(Metered::new(TokioIo::new(gone)));
            let tunneled = timeout(Duration::from_secs(10), tunnel(stream, &via, &origin)).await;
            let fault = tunneled.expect("it is known at once").err().expect("there is no tunnel");
            assert_eq!(fault.cause.to_string(), said);
        }
    }
}
