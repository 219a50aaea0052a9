//! Answers that are not what OSS says: faults of the peer, or of something between us and it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::invalid::excerpt;

/// An answer that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    problem: Problem,
    /// The elements around the place, innermost first.
    inside: Vec<&'static str>,
    /// What the caller can do about it.
    fix: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    Empty { root: &'static str },
    Document { problem: &'static str, at: u64 },
    Json { problem: &'static str, at: u64 },
    UnexpectedBody { wanted: &'static str, excerpt: String },
    Root { wanted: &'static str, got: String },
    Missing(&'static str),
    Repeated(&'static str),
    TooMany { name: &'static str, items_max: usize },
    Value { expected: &'static str, got: String },
    Header { name: &'static str, expected: &'static str, got: String },
    Another { name: &'static str, asked: String, got: String },
    TooLong { bytes_max: u64 },
    Stuck { marker: String },
    Misplaced { why: &'static str, entry: String },
}

impl ReadError {
    /// Nothing came where a document with this root was due.
    pub(crate) fn empty(root: &'static str) -> Self {
        Problem::Empty { root }.into()
    }

    /// The document is not well-formed, or passes a limit, at this byte.
    pub(crate) fn document(problem: &'static str, at: u64) -> Self {
        Problem::Document { problem, at }.into()
    }

    /// The body is not the JSON that is due, from this byte on.
    pub(crate) fn json(problem: &'static str, at: u64) -> Self {
        Problem::Json { problem, at }.into()
    }

    /// The body is something else altogether: HTML, JSON, gzip.
    pub(crate) fn unexpected_body(wanted: &'static str, body: &[u8]) -> Self {
        let head = body.get(..EXCERPT_BYTES_MAX).unwrap_or(body);
        Problem::UnexpectedBody {
            wanted,
            excerpt: excerpt(&String::from_utf8_lossy(head), EXCERPT_BYTES_MAX),
        }
        .into()
    }

    /// The document has another root element.
    pub(crate) fn root(wanted: &'static str, got: &str) -> Self {
        Problem::Root { wanted, got: excerpt(got, SHOWN_CHARS_MAX) }.into()
    }

    /// A field that OSS always sends is not there.
    pub fn missing(name: &'static str) -> Self {
        Problem::Missing(name).into()
    }

    /// A field that occurs once occurred again.
    pub(crate) fn repeated(name: &'static str) -> Self {
        Problem::Repeated(name).into()
    }

    /// A list is longer than any of OSS.
    pub(crate) fn too_many(name: &'static str, items_max: usize) -> Self {
        Problem::TooMany { name, items_max }.into()
    }

    /// A text is not of the type that is due.
    pub fn value(expected: &'static str, got: &str) -> Self {
        Problem::Value { expected, got: excerpt(got, SHOWN_CHARS_MAX) }.into()
    }

    /// A header is not of the type that is due.
    pub(crate) fn header(name: &'static str, expected: &'static str, got: &str) -> Self {
        Problem::Header { name, expected, got: excerpt(got, SHOWN_CHARS_MAX) }.into()
    }

    /// The answer is about something else than was asked for.
    pub(crate) fn another(name: &'static str, asked: &str, got: &str) -> Self {
        let (asked, got) = (excerpt(asked, SHOWN_CHARS_MAX), excerpt(got, SHOWN_CHARS_MAX));
        Self::from(Problem::Another { name, asked, got }).with_fix(WRONG_PEER)
    }

    /// A list has this entry, which has no place in it.
    pub(crate) fn misplaced(why: &'static str, entry: &str) -> Self {
        Problem::Misplaced { why, entry: excerpt(entry, SHOWN_CHARS_MAX) }.into()
    }

    /// The body is longer than we collect.
    pub fn too_long(bytes_max: u64) -> Self {
        Problem::TooLong { bytes_max }.into()
    }

    /// A list says that it goes on, but not from where.
    pub(crate) fn stuck(marker: &str) -> Self {
        Problem::Stuck { marker: excerpt(marker, SHOWN_CHARS_MAX) }.into()
    }

    /// The same error, one element further out.
    pub(crate) fn inside(mut self, name: &'static str) -> Self {
        self.inside.push(name);
        self
    }

    /// The same error with what the caller can do about it, in a lower-case phrase.
    #[must_use]
    pub fn with_fix(mut self, fix: &'static str) -> Self {
        self.fix = Some(fix);
        self
    }

    /// Whether a list did not move on (`PaginationStuck`).
    pub fn is_pagination_stuck(&self) -> bool {
        matches!(self.problem, Problem::Stuck { .. })
    }
}

impl From<Problem> for ReadError {
    fn from(problem: Problem) -> Self {
        Self { problem, inside: Vec::new(), fix: None }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::Empty { root } => write!(f, "the answer is empty where a `{root}` document is due"),
            Problem::Document { problem, at } => {
                write!(f, "the answer is no sound XML: {problem} at byte {at}")
            }
            Problem::Json { problem, at } => write!(f, "the answer is no sound JSON: {problem} at byte {at}"),
            Problem::UnexpectedBody { wanted, excerpt } => {
                write!(f, "the answer is not XML where a `{wanted}` document is due; it begins `{excerpt}`")
            }
            Problem::Root { wanted, got } => write!(f, "the answer is a `{got}` where a `{wanted}` is due"),
            Problem::Missing(name) => write!(f, "the answer has no `{name}`"),
            Problem::Repeated(name) => write!(f, "the answer has `{name}` more than once"),
            Problem::TooMany { name, items_max } => {
                write!(f, "the answer has `{name}` more than {items_max} times")
            }
            Problem::Value { expected, got } => write!(f, "the answer has `{got}` where {expected} is due"),
            Problem::Header { name, expected, got } => {
                write!(f, "the answer's header `{name}` is `{got}` where {expected} is due")
            }
            Problem::Another { name, asked, got } => {
                write!(f, "the answer's `{name}` is `{got}` where `{asked}` was asked for")
            }
            Problem::Misplaced { why, entry } => write!(f, "the list has `{entry}`, which {why}"),
            Problem::TooLong { bytes_max } => write!(f, "the answer is longer than {bytes_max} bytes"),
            Problem::Stuck { marker } => {
                write!(f, "the list says that it goes on, but does not move past `{marker}`")
            }
        }?;
        if !self.inside.is_empty() {
            f.write_str(" (in ")?;
            for (i, name) in self.inside.iter().rev().enumerate() {
                write!(f, "{}{name}", if i == 0 { "" } else { "/" })?;
            }
            f.write_str(")")?;
        }
        self.fix.map_or(Ok(()), |fix| write!(f, "; {fix}"))
    }
}

impl core::error::Error for ReadError {}

const WRONG_PEER: &str = "check what answers in place of OSS, such as a cache or a proxy";
const EXCERPT_BYTES_MAX: usize = 256;
const SHOWN_CHARS_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn b53_the_message_shows_what_came_instead() {
        let error = ReadError::unexpected_body("ListBucketResult", b"<html>\x1b[1m");
        assert_eq!(
            error.to_string(),
            "the answer is not XML where a `ListBucketResult` document is due; it begins `<html>\\u{1b}[1m`"
        );
        let error =
            ReadError::value("an unsigned decimal number in range", "-1").inside("Size").inside("Contents");
        assert_eq!(
            error.to_string(),
            "the answer has `-1` where an unsigned decimal number in range is due (in Contents/Size)"
        );
        let error = ReadError::too_long(5).with_fix("allow more");
        assert_eq!(error.to_string(), "the answer is longer than 5 bytes; allow more");
    }
}
