//! HTTP/1.1 as heads and bodies (RFC 9112), no more of it than a client and a server of this suite need.
//!
//! Both ends use it: the blocking driver reads answers with it, the scripted peer reads requests.

use std::io::{self, BufRead, ErrorKind, Read as _};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The head of a message: its first line and its headers.
#[derive(Clone, Debug)]
pub struct Head {
    /// The request line or the status line, without its end.
    pub line: String,
    /// The headers in order.
    pub headers: HeaderMap,
}

impl Head {
    /// Reads a head; `None` when the stream ended before its first byte.
    ///
    /// # Errors
    /// What the stream says; `UnexpectedEof` for half a head, `InvalidData` for one that is no HTTP.
    pub fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut left = HEAD_BYTES_MAX;
        let Some(first) = read_line(stream, &mut left)? else { return Ok(None) };
        let mut headers = HeaderMap::new();
        loop {
            let line = read_line(stream, &mut left)?.ok_or(ErrorKind::UnexpectedEof)?;
            if line.is_empty() {
                return Ok(Some(Self { line: first, headers }));
            }
            let (name, value) = line.split_once(':').ok_or_else(|| invalid("a header without a colon"))?;
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid("a bad header name"))?;
            let value = HeaderValue::from_bytes(value.trim().as_bytes());
            headers.append(name, value.map_err(|_| invalid("a bad header value"))?);
        }
    }

    /// The status of an answer.
    ///
    /// # Errors
    /// `InvalidData` when the first line is no status line.
    pub fn status(&self) -> io::Result<u16> {
        let mut words = self.line.split(' ');
        let is_http = words.next().is_some_and(|version| version.starts_with("HTTP/1."));
        let status = words.next().and_then(|status| status.parse().ok());
        status
            .filter(|status| is_http && (100..=999).contains(status))
            .ok_or_else(|| invalid("no status line"))
    }

    /// Whether this message allows another one after it on its connection.
    pub fn keeps_alive(&self) -> bool {
        let says = |word: &str| {
            let values = self.headers.get_all("connection").iter();
            values.filter_map(|value| value.to_str().ok()).any(|value| value.eq_ignore_ascii_case(word))
        };
        !says("close") && (!self.line.contains("HTTP/1.0") || says("keep-alive"))
    }
}

/// A body on its way in.
#[derive(Clone, Debug)]
pub struct Body {
    framing: Framing,
    left: u64,
    is_over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length,
    Chunked,
    UntilClose,
}

impl Body {
    /// A body that is not there.
    pub fn none() -> Self {
        Self { framing: Framing::Length, left: 0, is_over: true }
    }

    /// The body that follows the head of a request.
    ///
    /// # Errors
    /// `InvalidData` when its length cannot be told.
    pub fn of_request(headers: &HeaderMap) -> io::Result<Self> {
        let body = Self::of(headers)?;
        Ok(if body.framing == Framing::UntilClose { Self::none() } else { body })
    }

    /// The body that follows the head of an answer; without length and chunks it ends with the connection.
    ///
    /// # Errors
    /// `InvalidData` when its length cannot be told.
    pub fn of_answer(method: &http::Method, status: u16, headers: &HeaderMap) -> io::Result<Self> {
        if method == http::Method::HEAD || matches!(status, 100..=199 | 204 | 304) {
            return Ok(Self::none());
        }
        Self::of(headers)
    }

    fn of(headers: &HeaderMap) -> io::Result<Self> {
        let chunked = headers.get(TRANSFER_ENCODING);
        let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
        let (framing, left) = match (chunked, lengths.next(), lengths.next()) {
            (Some(_), Some(_), _) => return Err(invalid("a length beside chunks")),
            (_, Some(_), Some(_)) => return Err(invalid("two lengths")),
            (Some(coding), None, _) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
                (Framing::Chunked, 0)
            }
            (Some(_), None, _) => return Err(invalid("an unknown transfer coding")),
            (None, Some(length), None) => {
                let text = length.to_str().ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
                let length = text.and_then(|text| text.parse().ok());
                (Framing::Length, length.ok_or_else(|| invalid("a length that is no number"))?)
            }
            (None, None, _) => (Framing::UntilClose, u64::MAX),
        };
        Ok(Self { framing, left, is_over: framing == Framing::Length && left == 0 })
    }

    /// Whether it came to its orderly end.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether the end of the connection is its end.
    pub fn ends_with_connection(&self) -> bool {
        self.framing == Framing::UntilClose
    }

    /// Reads what is there, at least one byte; `None` at its orderly end.
    ///
    /// # Errors
    /// What the stream says; `UnexpectedEof` when it ended too early.
    pub fn read(&mut self, stream: &mut impl BufRead) -> io::Result<Option<Bytes>> {
        if self.is_over {
            return Ok(None);
        }
        if self.framing == Framing::Chunked && self.left == 0 {
            self.left = read_chunk_head(stream)?;
            if self.left == 0 {
                skip_trailers(stream)?;
                self.is_over = true;
                return Ok(None);
            }
        }
        let there = stream.fill_buf()?;
        if there.is_empty() {
            if self.framing == Framing::UntilClose {
                self.is_over = true;
                return Ok(None);
            }
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let len = there.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let bytes = Bytes::copy_from_slice(there.get(..len).unwrap_or(there));
        stream.consume(len);
        match self.framing {
            Framing::UntilClose => {}
            Framing::Length => {
                self.left -= len as u64;
                self.is_over = self.left == 0;
            }
            Framing::Chunked => {
                self.left -= len as u64;
                if self.left == 0 && !read_short_line(stream)?.is_empty() {
                    return Err(invalid("a chunk longer than it said"));
                }
            }
        }
        Ok(Some(bytes))
    }
}

fn read_chunk_head(stream: &mut impl BufRead) -> io::Result<u64> {
    let line = read_short_line(stream)?;
    let digits = line.split(';').next().unwrap_or_default().trim();
    u64::from_str_radix(digits, 16).map_err(|_| invalid("a chunk without a size"))
}

fn skip_trailers(stream: &mut impl BufRead) -> io::Result<()> {
    let mut left = HEAD_BYTES_MAX;
    while !read_line(stream, &mut left)?.ok_or(ErrorKind::UnexpectedEof)?.is_empty() {}
    Ok(())
}

fn read_short_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut left = LINE_BYTES_MAX;
    Ok(read_line(stream, &mut left)?.ok_or(ErrorKind::UnexpectedEof)?)
}

/// A line without its end; `None` when the stream ended before its first byte.
fn read_line(stream: &mut impl BufRead, left: &mut u64) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = stream.take(*left).read_until(b'\n', &mut line)?;
    *left -= read as u64;
    if line.is_empty() && *left > 0 {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        return Err(if *left == 0 { invalid("too long a head") } else { ErrorKind::UnexpectedEof.into() });
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map(Some).map_err(|_| invalid("a head that is not UTF-8"))
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

const HEAD_BYTES_MAX: u64 = 64 << 10;
const LINE_BYTES_MAX: u64 = 4 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn body(head: &str, rest: &str) -> io::Result<String> {
        let head = Head::read(&mut head.as_bytes())?.expect("a head");
        let mut body = Body::of_answer(&http::Method::GET, head.status()?, &head.headers)?;
        let mut stream = rest.as_bytes();
        let mut text = Vec::new();
        while let Some(bytes) = body.read(&mut stream)? {
            text.extend_from_slice(&bytes);
        }
        Ok(String::from_utf8(text).expect("UTF-8"))
    }

    #[test]
    fn bodies_end_where_their_head_says() {
        let cases = [
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", "hello, world", Ok("hello")),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", "hell", Err(ErrorKind::UnexpectedEof)),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
                "2\r\nhe\r\n3;x\r\nllo\r\n0\r\n\r\n",
                Ok("hello"),
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
                "2\r\nhe\r\n",
                Err(ErrorKind::UnexpectedEof),
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
                "2\r\nhello",
                Err(ErrorKind::UnexpectedEof),
            ),
            ("HTTP/1.1 200 OK\r\n\r\n", "until the end", Ok("until the end")),
            ("HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n", "hello", Ok("")),
            ("HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\n", "hello", Err(ErrorKind::InvalidData)),
        ];
        for (head, rest, expected) in cases {
            let found = body(head, rest).map_err(|error| error.kind());
            assert_eq!(found.as_deref().map_err(|kind| *kind), expected, "{head}{rest}");
        }
    }

    #[test]
    fn f45_two_ways_to_tell_the_length_are_an_error() {
        for headers in
            ["content-length: 5\r\ncontent-length: 6", "content-length: 5\r\ntransfer-encoding: chunked"]
        {
            let head = format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n");
            assert_eq!(
                body(&head, "hello").map_err(|error| error.kind()),
                Err(ErrorKind::InvalidData),
                "{head}"
            );
        }
    }

    #[test]
    fn half_a_head_is_no_head() {
        let mut nothing: &[u8] = b"";
        assert!(Head::read(&mut nothing).expect("nothing is fine").is_none());
        for half in ["HTTP/1.1 200", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\na: b"] {
            let error = Head::read(&mut half.as_bytes()).expect_err(half);
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{half}");
        }
    }
}
