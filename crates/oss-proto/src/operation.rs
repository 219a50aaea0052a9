//! An operation is a value.

use alloc::string::ToString;
use core::fmt;

use bytes::Bytes;

use crate::{Draft, EncodingType, InvalidRequest, ReadError, ReplyHead, Spec};

/// Something that OSS can be asked to do: a value that knows how it is written and how its answer is read.
///
/// The tables in [`ops`](crate::ops) implement it; by hand, for an API that has no table yet, see
/// [`Raw`](crate::Raw).
pub trait Operation {
    /// What the answer gives.
    type Output;

    /// The request, without host, date and signature, and the rules by which it is sent and judged.
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

/// An operation that a table describes.
pub trait Tabled: Operation {
    /// The table, as data.
    const SPEC: &'static Spec;
}

/// An operation whose answer comes in pages.
pub trait Paged: Operation + Sized {
    /// The operation for the page after `page`; `None` when `page` is the last one.
    ///
    /// # Errors
    /// When the page says that it is not the last one but does not move on: following it would never end.
    fn next(&self, page: &Self::Output) -> Result<Option<Self>, ReadError>;

    /// Strict mode: checks what [`next`](Self::next) takes on trust, namely that the entries of a page are in
    /// their order, lie behind the marker, and have the prefix that was asked for.
    ///
    /// # Errors
    /// When an entry has no place in the page: it was made by something else than OSS, or for another
    /// request.
    fn check(&self, page: &Self::Output) -> Result<(), ReadError> {
        let _ = page;
        Ok(())
    }
}

/// Checks that keys come in the encoding that was asked for, or in none.
pub(crate) fn check_encoding(told: Option<&EncodingType>) -> Result<(), ReadError> {
    match told {
        None | Some(EncodingType::Url) => Ok(()),
        Some(other) => Err(ReadError::value("the encoding `url`, which was asked for", other.as_str())),
    }
}

/// What was asked for of a list that is ordered by key.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ordered<'a> {
    pub(crate) prefix: Option<&'a str>,
    pub(crate) after: Option<&'a str>,
    /// A key may occur again, with another version or upload, also the one that the page starts after.
    pub(crate) repeats: bool,
}

impl Ordered<'_> {
    /// Checks keys, or common prefixes, in the order of the page.
    pub(crate) fn check<'k>(self, keys: impl IntoIterator<Item = &'k str>) -> Result<(), ReadError> {
        let mut before = self.after;
        for key in keys {
            if self.prefix.is_some_and(|prefix| !key.starts_with(prefix)) {
                return Err(ReadError::misplaced("does not begin with the prefix that was asked for", key));
            }
            let is_behind = |before: &str| if self.repeats { key >= before } else { key > before };
            if before.is_some_and(|before| !is_behind(before)) {
                return Err(ReadError::misplaced("does not lie behind the entry before it", key));
            }
            before = Some(key);
        }
        Ok(())
    }
}

/// The rule that all lists share: go on from a marker that lies behind the one just used. `lies_behind`
/// compares the next marker with the used one; of an opaque token it can only say that the two differ.
pub(crate) fn next_marker<M: PartialEq + Copy + fmt::Display>(
    is_truncated: Option<bool>,
    used: Option<M>,
    next: Option<M>,
    lies_behind: impl Fn(M, M) -> bool,
) -> Result<Option<M>, ReadError> {
    if is_truncated != Some(true) {
        return Ok(None);
    }
    match (next, used) {
        (Some(next), None) => Ok(Some(next)),
        (Some(next), Some(used)) if lies_behind(next, used) => Ok(Some(next)),
        (Some(next), Some(_)) => Err(ReadError::stuck(&next.to_string())),
        (None, _) => Err(ReadError::stuck("")),
    }
}

/// Where a list goes on that is ordered by key, and by something else under one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marker<'a> {
    pub(crate) key: &'a str,
    /// A version or an upload; opaque, and absent when everything under the key was given.
    pub(crate) id: Option<&'a str>,
}

impl<'a> Marker<'a> {
    /// The two parts of a marker as they are on the wire, where an empty one is as good as none.
    pub(crate) fn of(key: Option<&'a str>, id: Option<&'a str>) -> Option<Self> {
        let id = id.filter(|id| !id.is_empty());
        key.filter(|key| !key.is_empty()).map(|key| Self { key, id })
    }

    /// For [`next_marker`].
    pub(crate) fn lies_behind(self, used: Self) -> bool {
        // A key without an id lies behind every id under it.
        self.key > used.key || (self.key == used.key && used.id.is_some() && self.id != used.id)
    }
}

impl fmt::Display for Marker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key)?;
        self.id.map_or(Ok(()), |id| write!(f, " and {id}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f52_a_list_that_does_not_move_on_is_an_error() {
        let text = |truncated, used, next| next_marker(truncated, used, next, |next: &str, used| next > used);
        assert_eq!(text(None, None, Some("a")), Ok(None));
        assert_eq!(text(Some(false), None, Some("a")), Ok(None));
        assert_eq!(text(Some(true), None, Some("a")), Ok(Some("a")));
        assert_eq!(text(Some(true), Some("a"), Some("b")), Ok(Some("b")));
        for (used, next) in [(Some("a"), Some("a")), (Some("b"), Some("a")), (Some("a"), None), (None, None)]
        {
            assert!(text(Some(true), used, next).unwrap_err().is_pagination_stuck());
        }
    }

    #[test]
    fn b21_f53_keys_out_of_place_are_found() {
        let list = Ordered { prefix: Some("p/"), after: Some("p/a"), repeats: false };
        assert_eq!(list.check(["p/b", "p/c"]), Ok(()));
        for bad in [&["p/b", "q"][..], &["p/c", "p/b"], &["p/b", "p/b"], &["p/a"], &["p"]] {
            assert!(list.check(bad.iter().copied()).is_err(), "{bad:?}");
        }
        let versions = Ordered { repeats: true, ..list };
        assert_eq!(versions.check(["p/a", "p/b", "p/b"]), Ok(()));
        assert!(versions.check(["p/b", "p/a"]).is_err());
        assert_eq!(
            list.check(["q"]).unwrap_err().to_string(),
            "the list has `q`, which does not begin with the prefix that was asked for"
        );
    }

    #[test]
    fn f52_two_markers_move_on_by_key_or_under_one_key() {
        let of = |key, id| Marker::of(Some(key), Some(id)).unwrap();
        for (used, next, moves_on) in [
            (of("a", "1"), of("b", ""), true),
            (of("a", "1"), of("a", "2"), true),
            (of("a", "2"), of("a", "1"), true),
            (of("a", "1"), of("a", ""), true),
            (of("a", "1"), of("a", "1"), false),
            (of("a", ""), of("a", ""), false),
            (of("a", ""), of("a", "1"), false),
            (of("b", "1"), of("a", "2"), false),
        ] {
            assert_eq!(next.lies_behind(used), moves_on, "{used} to {next}");
        }
        assert_eq!(Marker::of(Some(""), Some("1")), None);
    }
}
