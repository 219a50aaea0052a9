//! The types of fields that are more than text.

mod callback;
mod metadata;
mod source;

pub use callback::{Callback, CallbackVars};
pub use metadata::Metadata;
pub(crate) use metadata::{check_header_value, has_outer_blank};
pub use source::{CopySource, SymlinkTarget, Tags};

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use core::ops::{Bound, RangeBounds};

use crate::wire::text::text_element;
use crate::{IntoField, InvalidValue, Text};

/// An entity tag, with its quotes as OSS sends it: `"5B3C1A2E053D763E1B002CC607C5A0FE"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag(String);

impl ETag {
    /// The tag as it is on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the tag promises identical bytes: quoted, not weak (RFC 9110 section 8.8.3).
    pub fn is_strong(&self) -> bool {
        self.0.len() >= 2 && self.0.starts_with('"') && self.0.ends_with('"')
    }

    /// The number in the entity tag of an object that was made of parts: `"…-3"`.
    pub(crate) fn part_count(tag: &str) -> Option<u64> {
        let opaque = tag.strip_prefix('"')?.strip_suffix('"')?;
        let (_, count) = opaque.rsplit_once('-')?;
        if count.bytes().all(|byte| byte.is_ascii_digit()) { count.parse().ok() } else { None }
    }
}

impl From<&str> for ETag {
    fn from(tag: &str) -> Self {
        Self(tag.to_string())
    }
}

impl IntoField<ETag> for &str {
    fn into_field(self) -> ETag {
        ETag::from(self)
    }
}

impl IntoField<ETag> for &ETag {
    fn into_field(self) -> ETag {
        self.clone()
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Text for ETag {
    const EXPECTED: &'static str = "an entity tag of at most 1,024 printable bytes";
    const EMPTY_IS_ABSENT: bool = true;

    fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        Ok(Cow::Borrowed(&self.0))
    }

    fn parse(text: &str) -> Option<Self> {
        let fit = text.len() <= ETAG_BYTES_MAX && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        fit.then(|| Self(text.to_string()))
    }
}
text_element!(ETag);

/// One range of bytes of an object (RFC 9110 section 14.1.1): `ByteRange::from(0..100)`,
/// `ByteRange::suffix(10)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange(Span);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    /// First and last byte, both included.
    Closed(u64, u64),
    From(u64),
    Suffix(u64),
    /// Holds no byte: refused when it is sent.
    Empty,
}

impl ByteRange {
    /// The bytes of a Rust range: `0..100`, `100..=199`, `4096..`.
    pub fn new(range: impl RangeBounds<u64>) -> Self {
        let first = match range.start_bound() {
            Bound::Included(&n) => Some(n),
            Bound::Excluded(&n) => n.checked_add(1),
            Bound::Unbounded => Some(0),
        };
        let last = match range.end_bound() {
            Bound::Included(&n) => Some(Some(n)),
            Bound::Excluded(&n) => n.checked_sub(1).map(Some),
            Bound::Unbounded => Some(None),
        };
        Self(match (first, last) {
            (Some(first), Some(None)) => Span::From(first),
            (Some(first), Some(Some(last))) if first <= last => Span::Closed(first, last),
            _ => Span::Empty,
        })
    }

    /// The last `len` bytes.
    pub fn suffix(len: u64) -> Self {
        Self(if len == 0 { Span::Empty } else { Span::Suffix(len) })
    }

    /// The bytes that this range selects from an object of `size` bytes, as OSS does with
    /// `x-oss-range-behavior: standard`; `None` when it selects nothing (`InvalidRange`).
    pub fn select(self, size: u64) -> Option<core::ops::Range<u64>> {
        match self.0 {
            Span::Closed(first, last) if first < size => Some(first..last.saturating_add(1).min(size)),
            Span::From(first) if first < size => Some(first..size),
            Span::Suffix(len) if size > 0 => Some(size.saturating_sub(len)..size),
            _ => None,
        }
    }
}

macro_rules! range_from {
    ($($range:ty),*) => {$(
        impl From<$range> for ByteRange {
            fn from(range: $range) -> Self {
                Self::new(range)
            }
        }

        impl IntoField<ByteRange> for $range {
            fn into_field(self) -> ByteRange {
                ByteRange::new(self)
            }
        }
    )*};
}
range_from!(core::ops::Range<u64>, core::ops::RangeInclusive<u64>, core::ops::RangeFrom<u64>);

impl Text for ByteRange {
    const EXPECTED: &'static str = "one range of bytes";

    fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        match self.0 {
            Span::Closed(first, last) => Ok(Cow::Owned(format!("bytes={first}-{last}"))),
            Span::From(first) => Ok(Cow::Owned(format!("bytes={first}-"))),
            Span::Suffix(len) => Ok(Cow::Owned(format!("bytes=-{len}"))),
            Span::Empty => {
                Err(InvalidValue::new("holds no byte; give a range with its start before its end"))
            }
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
        let number = |digits: &str| <u64 as Text>::parse(digits);
        match (first, last) {
            ("", len) => Some(Self::suffix(number(len)?)),
            (first, "") => Some(Self(Span::From(number(first)?))),
            (first, last) => Some(Self::new(number(first)?..=number(last)?)),
        }
    }
}
text_element!(ByteRange);

/// Which bytes an answer holds, from its `content-range` header: `bytes 0-9/100`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentRange {
    /// The offset of the first byte.
    pub first: u64,
    /// The offset of the last byte, included.
    pub last: u64,
    /// The size of the whole object.
    pub size: u64,
}

impl Text for ContentRange {
    const EXPECTED: &'static str = "`bytes first-last/size` with first ≤ last < size";
    const EMPTY_IS_ABSENT: bool = true;

    fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        Ok(Cow::Owned(format!("bytes {}-{}/{}", self.first, self.last, self.size)))
    }

    fn parse(text: &str) -> Option<Self> {
        let (span, size) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = span.split_once('-')?;
        let number = |digits: &str| (!digits.is_empty()).then(|| <u64 as Text>::parse(digits)).flatten();
        let range = Self { first: number(first)?, last: number(last)?, size: number(size)? };
        (range.first <= range.last && range.last < range.size).then_some(range)
    }
}
text_element!(ContentRange);

const ETAG_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b34_ranges_are_checked_before_they_are_sent() {
        let cases: &[(ByteRange, Option<&str>)] = &[
            (ByteRange::new(0..100), Some("bytes=0-99")),
            (ByteRange::new(5..=5), Some("bytes=5-5")),
            (ByteRange::new(7..), Some("bytes=7-")),
            (ByteRange::new(..), Some("bytes=0-")),
            (ByteRange::new(0..=u64::MAX), Some("bytes=0-18446744073709551615")),
            (ByteRange::suffix(3), Some("bytes=-3")),
            (ByteRange::new(3..3), None),
            #[allow(clippy::reversed_empty_ranges)]
            (ByteRange::new(4..2), None),
            (ByteRange::new(0..0), None),
            (ByteRange::suffix(0), None),
            (ByteRange::new((Bound::Excluded(u64::MAX), Bound::Unbounded)), None),
        ];
        for (range, expected) in cases {
            assert_eq!(range.text().ok().as_deref(), *expected, "{range:?}");
        }
    }

    #[test]
    fn b34_a_range_selects_what_oss_selects() {
        assert_eq!(ByteRange::new(0..100).select(10), Some(0..10));
        assert_eq!(ByteRange::new(0..=u64::MAX).select(u64::MAX), Some(0..u64::MAX));
        assert_eq!(ByteRange::new(10..).select(10), None);
        assert_eq!(ByteRange::suffix(20).select(10), Some(0..10));
        assert_eq!(ByteRange::suffix(1).select(0), None);
        assert_eq!(ByteRange::new(0..1).select(0), None);
    }

    #[test]
    fn b35_content_ranges_are_exact_or_nothing() {
        let parse = <ContentRange as Text>::parse;
        assert_eq!(parse("bytes 0-9/10"), Some(ContentRange { first: 0, last: 9, size: 10 }));
        for bad in [
            "bytes 0-18446744073709551615/*",
            "bytes -1-5/9",
            "bytes 5-4/9",
            "bytes 0-9/5",
            "BYTES 0-1/2",
            "bytes  0-1/2",
            "bytes 0-1/",
            "bytes */9",
            "bytes 0-1",
            "bytes 0-99999999999999999999/9",
            "bytes 0 - 1/2",
            "bytes 0-1 /2",
            "bytes 0-1/ 2",
            "bytes 0-1/2 ",
            " bytes 0-1/2",
            "bytes=0-1/2",
            "bytes +0-1/2",
            "bytes 0x0-1/2",
            "bytes 0-1,3-4/9",
            "bytes 18446744073709551615-18446744073709551615/18446744073709551615",
            &format!("bytes 0-{}/9", "1".repeat(1 << 20)),
            &format!("bytes 0-1/{}", "9".repeat(1 << 20)),
            "",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn b37_an_etag_is_opaque_and_bounded() {
        for len in [1023, 1024] {
            assert_eq!(<ETag as Text>::parse(&"x".repeat(len)), Some(ETag::from(&*"x".repeat(len))));
        }
        for len in [1025, 64 << 10] {
            assert!(<ETag as Text>::parse(&"x".repeat(len)).is_none());
        }
        for opaque in ["5B3C1A2E", "\"", "\"a", "W/a", "a b"] {
            assert_eq!(<ETag as Text>::parse(opaque).unwrap().to_string(), opaque);
        }
        assert!(<ETag as Text>::parse("\"a\rb\"").is_none());
        assert!(!ETag::from("W/\"a\"").is_strong());
        assert!(!ETag::from("a").is_strong());
        assert!(ETag::from("\"a\"").is_strong());
    }
}
