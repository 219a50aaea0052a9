//! What an exchange gives back: the typed answer and the evidence around it.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use crate::exchange::journal::Attempt;
use crate::wire::text::read_text;
use crate::{Metadata, Occurs, ReadError, Text};

/// An answer: the operation's output, with the head it came with and the attempts it took.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reply<T> {
    /// What the operation gives.
    pub output: T,
    /// The head of the answer.
    pub head: ReplyHead,
    /// Every attempt that was made, oldest first; the last one is the one that succeeded.
    pub attempts: Arc<[Attempt]>,
    /// An earlier attempt may have begun a multipart upload whose id nobody knows. It costs storage until
    /// it is given up: see [`left_behind`](crate::ListMultipartUploadsOutput::left_behind).
    pub may_have_orphan: bool,
}

impl<T> Reply<T> {
    pub(crate) fn new(output: T, head: ReplyHead, attempts: Arc<[Attempt]>) -> Self {
        Self { output, head, attempts, may_have_orphan: false }
    }

    /// The request id that OSS gave, for a support case.
    pub fn request_id(&self) -> Option<&str> {
        self.head.request_id()
    }

    /// The same evidence around another output.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Reply<U> {
        let Self { output, head, attempts, may_have_orphan } = self;
        Reply { output: f(output), head, attempts, may_have_orphan }
    }
}

/// Status and headers of an answer; a clone shares the headers.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ReplyHead {
    /// The HTTP status.
    pub status: u16,
    headers: Arc<http::HeaderMap>,
    /// Which names may be there: the bits of [`bit_of`] of all that are.
    names: u64,
    /// The request had a callback: the body is what the application answered.
    callback_answer: bool,
}

/// Shows all but `x-oss-err`, in which OSS repeats what was signed.
impl fmt::Debug for ReplyHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.headers.iter().filter(|(name, _)| *name != "x-oss-err");
        f.debug_map().entry(&"status", &self.status).entries(shown).finish()
    }
}

impl ReplyHead {
    /// A head as a transport received it.
    pub fn new(status: u16, headers: http::HeaderMap) -> Self {
        let names = headers.keys().fold(0, |names, name| names | bit_of(name.as_str()));
        Self { status, headers: Arc::new(headers), names, callback_answer: false }
    }

    /// The headers as they came.
    pub fn headers(&self) -> &http::HeaderMap {
        &self.headers
    }

    /// The same head, of an answer that an application gave to an upload callback.
    #[must_use]
    pub fn with_callback_answer(mut self) -> Self {
        self.callback_answer = true;
        self
    }

    /// A header as text; `None` when it is absent or not UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        core::str::from_utf8(self.values(name).next()?.as_bytes()).ok()
    }

    /// The values of a header. A table asks for some thirty names, of which an answer has a few: most are
    /// told by a bit, which costs a tenth of hashing them.
    fn values(&self, name: &str) -> impl Iterator<Item = &http::HeaderValue> {
        let may_be = self.names & bit_of(name) != 0;
        may_be.then(|| self.headers.get_all(name)).into_iter().flatten()
    }

    /// The request id; `None` when it is absent, longer than 128 bytes or not printable ASCII.
    pub fn request_id(&self) -> Option<&str> {
        let id = self.header("x-oss-request-id")?;
        let fit = id.len() <= REQUEST_ID_BYTES_MAX && id.bytes().all(|b| b.is_ascii_graphic());
        fit.then_some(id)
    }

    /// The length of the body, when it is said.
    ///
    /// # Errors
    /// When `content-length` is not one decimal number.
    pub fn content_length(&self) -> Result<Option<u64>, ReadError> {
        let mut lengths = self.headers.get_all(http::header::CONTENT_LENGTH).iter();
        let Some(length) = lengths.next() else { return Ok(None) };
        let number = core::str::from_utf8(length.as_bytes()).ok().filter(|_| lengths.next().is_none());
        number.and_then(<u64 as Text>::parse).map(Some).ok_or_else(|| {
            let text = String::from_utf8_lossy(length.as_bytes());
            ReadError::header("content-length", "one unsigned decimal number", &text)
        })
    }

    /// The CRC-64 of the object as OSS states it.
    ///
    /// # Errors
    /// When the header is there but is no unsigned 64-bit number.
    pub fn crc64(&self) -> Result<Option<u64>, ReadError> {
        self.field("x-oss-hash-crc64ecma")
    }

    /// Whether the body is the application's, whatever its type, and not a document of OSS.
    pub(crate) fn is_callback_answer(&self) -> bool {
        self.callback_answer
    }

    /// The field that a header holds: `T`, `Option<T>` or `Vec<T>`.
    ///
    /// # Errors
    /// When the header is not of that type, or does not occur that often.
    pub fn field<F: Occurs<Item: Text>>(&self, name: &'static str) -> Result<F, ReadError> {
        let mut partial = F::Partial::default();
        for value in self.values(name) {
            let text = core::str::from_utf8(value.as_bytes())
                .map_err(|_| ReadError::header(name, "UTF-8", &String::from_utf8_lossy(value.as_bytes())))?;
            let item = read_text::<F::Item>(text.trim())
                .map_err(|_| ReadError::header(name, <F::Item as Text>::EXPECTED, text))?;
            if let Some(item) = item {
                F::offer(&mut partial, item, name)?;
            }
        }
        F::finish(partial, name)
    }

    /// All headers with a prefix, without it. A value that is not UTF-8 is shown with replacement characters.
    pub(crate) fn prefixed(&self, prefix: &str) -> Metadata {
        let entries = self.headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(prefix)?;
            let value = match String::from_utf8_lossy(value.as_bytes()) {
                Cow::Borrowed(text) => String::from(text),
                Cow::Owned(text) => text,
            };
            Some((String::from(name), value))
        });
        entries.collect()
    }
}

/// A bit for a name, whatever its case; other names may have the same one.
fn bit_of(name: &str) -> u64 {
    let of = |at: usize| name.as_bytes().get(at).map_or(0, |byte| usize::from(byte | 0x20));
    let last = name.len().wrapping_sub(1);
    1 << ((name.len() + 7 * of(last) + 3 * of(last.wrapping_sub(3))) % 64)
}

const REQUEST_ID_BYTES_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use http::header::{CONTENT_LENGTH, HeaderValue};

    fn head(name: &'static str, values: &[&'static str]) -> ReplyHead {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_static(value));
        }
        ReplyHead::new(200, headers)
    }

    #[test]
    fn b36_content_length_is_one_number_or_an_error() {
        let bad = [
            &["-1"][..],
            &["+5"],
            &["5, 5"],
            &["5, 6"],
            &["5", "5"],
            &["5", "6"],
            &["18446744073709551616"],
            &["0x5"],
            &["5a"],
            &["5 5"],
            &["5.0"],
            &[""],
        ];
        for bad in bad {
            assert!(head(CONTENT_LENGTH.as_str(), bad).content_length().is_err(), "{bad:?}");
        }
        assert_eq!(head("content-length", &["5"]).content_length(), Ok(Some(5)));
        assert_eq!(head("x", &[]).content_length(), Ok(None));
    }

    #[test]
    fn a_header_is_found_by_its_name_in_any_case_and_by_no_other() {
        for name in ["a", "ab", "etag", "x-oss-request-id", "x-oss-meta-a", "content-range"] {
            let head = head(name, &["one"]);
            assert_eq!(head.header(name), Some("one"));
            assert_eq!(head.header(&name.to_ascii_uppercase()), Some("one"), "{name}");
            for other in ["", "b", "tags", "x-oss-request-ie", "x-oss-meta-b", "content-rangf"] {
                assert_eq!(head.header(other), None, "{name} {other}");
            }
        }
    }

    #[test]
    fn b38_a_checksum_that_is_no_number_is_an_error_and_an_empty_one_is_none() {
        for bad in ["-1", "18446744073709551616", "text"] {
            assert!(head("x-oss-hash-crc64ecma", &[bad]).crc64().is_err(), "{bad}");
        }
        assert_eq!(head("x-oss-hash-crc64ecma", &[""]).crc64(), Ok(None));
        assert_eq!(head("x-oss-hash-crc64ecma", &["0012"]).crc64(), Ok(Some(12)));
    }

    #[test]
    fn b41_a_request_id_that_is_not_printable_is_not_shown() {
        assert_eq!(head("x-oss-request-id", &["5F3A"]).request_id(), Some("5F3A"));
        assert_eq!(head("x-oss-request-id", &["5F 3A"]).request_id(), None);
        let long = alloc::boxed::Box::leak("A".repeat(129).into_boxed_str());
        assert_eq!(head("x-oss-request-id", &[long]).request_id(), None);
    }
}
