//! An answer on its way to the client, without its text: the head at once, the body in pieces, and the end as
//! a client of HTTP/1.1 would be told it.

use base64ct::{Base64, Encoding as _};
use bytes::Bytes;
use http::Method;
use http::header::{
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, HeaderValue,
    LAST_MODIFIED, SERVER, TRANSFER_ENCODING,
};
use oss_proto::ReplyHead;

use crate::peer::{Answer, End, Framing};

/// The body of an answer.
#[derive(Debug)]
pub(crate) struct Flow {
    body: Bytes,
    piece: usize,
    then: Then,
    may_be_kept: bool,
    again: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    End,
    Break,
    Silence,
    Again,
}

/// What comes next of a body.
#[derive(Debug)]
pub(crate) enum Step {
    /// Bytes.
    Bytes(Bytes),
    /// Its orderly end.
    End,
    /// The connection breaks.
    Break,
    /// Nothing.
    Silence,
}

impl Flow {
    /// The head and the body of an answer to a request of this method.
    pub(crate) fn open(answer: Answer, method: &Method) -> (ReplyHead, Self) {
        let Answer { status, headers, body, framing, piece, end, interim: _ } = answer;
        let mut map = HeaderMap::with_capacity(headers.len() + 1);
        for (name, value) in headers {
            let value = HeaderValue::from_maybe_shared(Bytes::from(value));
            if let (Some(name), Ok(value)) = (known(&name), value) {
                map.append(name, value);
            }
        }
        if *method == Method::HEAD && !body.is_empty() && status >= 300 {
            // As OSS tells a HEAD why it is refused.
            let document = HeaderValue::try_from(Base64::encode_string(&body));
            document.into_iter().for_each(|document| drop(map.insert(X_OSS_ERR, document)));
        }
        let is_bodyless = *method == Method::HEAD || matches!(status, 204 | 304);
        let framing = if map.contains_key(CONTENT_LENGTH) { Framing::Length } else { framing };
        match framing {
            _ if is_bodyless => {}
            Framing::Length => {
                map.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            }
            Framing::Chunked => {
                map.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            }
            Framing::Close => {}
        }
        let may_be_kept = end == End::Whole && framing != Framing::Close && status < 500;
        let mut flow = Self { body, piece: piece.max(1), then: Then::End, may_be_kept, again: 0 };
        if is_bodyless {
            flow.body = Bytes::new();
        } else {
            flow.spoil(end, framing);
        }
        (ReplyHead::new(status, map), flow)
    }

    /// The end of the body, as far as a client of HTTP can tell.
    fn spoil(&mut self, end: End, framing: Framing) {
        let len = self.body.len();
        let shown = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(len);
        match (end, framing) {
            (End::Whole | End::ThenClose, _) => {}
            // What is said to be there is there.
            (End::Cut(at) | End::Stall(at), Framing::Length) if shown(at) == len => {}
            (End::Cut(at), Framing::Close) => self.body.truncate(shown(at)),
            (End::Cut(at), _) => {
                self.body.truncate(shown(at));
                self.then = Then::Break;
            }
            (End::Stall(at), _) => {
                self.body.truncate(shown(at));
                self.then = Then::Silence;
            }
            // A client reads as much as was said.
            (End::Never, Framing::Length) => {}
            (End::Never, _) if self.body.is_empty() => self.then = Then::Silence,
            (End::Never, _) => {
                self.body = self.body.repeat(ENDLESS_PIECE.div_ceil(len)).into();
                self.piece = self.piece.max(ENDLESS_PIECE);
                self.then = Then::Again;
            }
        }
    }

    /// What comes next.
    pub(crate) fn step(&mut self) -> Step {
        if self.then == Then::Again {
            // A whole object without a length is read for as long as it comes, so once it must end.
            self.again = self.again.saturating_add(1);
            return if self.again > ENDLESS_PIECES { Step::Break } else { Step::Bytes(self.body.clone()) };
        }
        if !self.body.is_empty() {
            let len = self.body.len().min(self.piece);
            return Step::Bytes(self.body.split_to(len));
        }
        match self.then {
            Then::Break => Step::Break,
            Then::Silence => Step::Silence,
            Then::End | Then::Again => Step::End,
        }
    }

    /// Whether everything came that will come, and its end is known.
    pub(crate) fn is_over(&self) -> bool {
        self.body.is_empty() && self.then == Then::End
    }

    /// The connection cannot be used again.
    pub(crate) fn never_keep(&mut self) {
        self.may_be_kept = false;
    }

    /// Whether the connection can be used again after the end.
    pub(crate) fn may_be_kept(&self) -> bool {
        self.may_be_kept
    }
}

/// A name as a header map wants it; those of every answer are not parsed.
fn known(name: &str) -> Option<HeaderName> {
    let at = KNOWN.binary_search_by(|known| known.as_str().cmp(name));
    at.ok().map(|at| KNOWN[at].clone()).or_else(|| HeaderName::from_bytes(name.as_bytes()).ok())
}

/// In order.
static KNOWN: [HeaderName; 10] = [
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_TYPE,
    DATE,
    ETAG,
    LAST_MODIFIED,
    SERVER,
    HeaderName::from_static("x-oss-hash-crc64ecma"),
    HeaderName::from_static("x-oss-object-type"),
    HeaderName::from_static("x-oss-request-id"),
];
const X_OSS_ERR: HeaderName = HeaderName::from_static("x-oss-err");
const ENDLESS_PIECE: usize = 16 << 10;
/// More than what is collected at most.
const ENDLESS_PIECES: u32 = 1100;

#[cfg(test)]
mod tests {
    use super::*;

    fn told(answer: Answer) -> (Option<String>, Vec<String>) {
        let (head, mut flow) = Flow::open(answer, &Method::GET);
        let mut steps = Vec::new();
        for _ in 0..4 {
            match flow.step() {
                Step::Bytes(bytes) => steps.push(String::from_utf8_lossy(&bytes).into_owned()),
                step => {
                    steps.push(format!("{step:?}"));
                    break;
                }
            }
        }
        (head.header("content-length").map(String::from), steps)
    }

    #[test]
    fn the_end_of_a_body_is_told_as_its_framing_can_tell_it() {
        let answer = || Answer::new(200).body("hello");
        let length = Some(String::from("5"));
        assert_eq!(told(answer()), (length.clone(), vec!["hello".into(), "End".into()]));
        let cut = || answer().ending(End::Cut(2));
        assert_eq!(told(cut()), (length.clone(), vec!["he".into(), "Break".into()]));
        assert_eq!(told(answer().ending(End::Cut(5))), (length, vec!["hello".into(), "End".into()]));
        assert_eq!(told(cut().framed(Framing::Chunked)), (None, vec!["he".into(), "Break".into()]));
        assert_eq!(told(cut().framed(Framing::Close)), (None, vec!["he".into(), "End".into()]));
        let stalls = answer().ending(End::Stall(0)).framed(Framing::Close);
        assert_eq!(told(stalls), (None, vec!["Silence".into()]));
    }

    #[test]
    fn the_known_names_are_in_order() {
        assert!(KNOWN.is_sorted_by(|a, b| a.as_str() < b.as_str()));
    }
}
