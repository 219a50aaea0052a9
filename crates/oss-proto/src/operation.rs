//! An operation is a value.

use bytes::Bytes;

use crate::{Draft, Effect, InvalidRequest, ReadError, ReplyHead, Spec};

/// Something that OSS can be asked to do: a value that knows how it is written and how its answer is read.
///
/// The tables in [`ops`](crate::ops) implement it; by hand, for an API that has no table yet, see
/// [`Raw`](crate::Raw).
pub trait Operation {
    /// The table, as data.
    const SPEC: &'static Spec;

    /// What the answer gives.
    type Output;

    /// What a second arrival of this request would do.
    fn effect(&self) -> Effect;

    /// The request, without host, date and signature.
    ///
    /// # Errors
    /// When a field cannot be sent; the error names it.
    fn draft(&self) -> Result<Draft, InvalidRequest>;

    /// Reads a successful answer; `body` is empty when the reply is streamed.
    ///
    /// # Errors
    /// When the answer is not what OSS sends.
    fn read(head: &ReplyHead, body: &Bytes) -> Result<Self::Output, ReadError>;
}

/// An operation whose answer comes in pages.
pub trait Paged: Operation + Sized {
    /// The operation for the page after `page`; `None` when `page` is the last one.
    ///
    /// # Errors
    /// When the page says that it is not the last one but does not move on: following it would never end.
    fn next(&self, page: &Self::Output) -> Result<Option<Self>, ReadError>;
}

/// The rule that all lists share: go on from a marker that differs from the one just used.
pub(crate) fn next_marker<'a>(
    is_truncated: Option<bool>,
    used: Option<&str>,
    next: Option<&'a str>,
) -> Result<Option<&'a str>, ReadError> {
    if is_truncated != Some(true) {
        return Ok(None);
    }
    match next {
        Some(next) if !next.is_empty() && Some(next) != used => Ok(Some(next)),
        _ => Err(ReadError::stuck(next.unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f52_a_list_that_does_not_move_on_is_an_error() {
        assert_eq!(next_marker(None, None, Some("a")), Ok(None));
        assert_eq!(next_marker(Some(false), None, Some("a")), Ok(None));
        assert_eq!(next_marker(Some(true), None, Some("a")), Ok(Some("a")));
        assert_eq!(next_marker(Some(true), Some("a"), Some("b")), Ok(Some("b")));
        for (used, next) in [(Some("a"), Some("a")), (Some("a"), None), (None, Some("")), (None, None)] {
            assert!(next_marker(Some(true), used, next).unwrap_err().is_pagination_stuck());
        }
    }
}
