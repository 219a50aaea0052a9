//! The `Range` header, with the two behaviours OSS has (SPEC: header conventions).

use core::ops::Range;

/// What a `Range` header asks of an object of a given length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Slice {
    /// 200 with everything.
    Whole,
    /// 206 with this part.
    Part(Range<u64>),
    /// 416.
    Unsatisfiable,
}

/// Judges a header against a length.
///
/// `standard` is `x-oss-range-behavior: standard`: an end past the object is clamped and a start past it is
/// refused. Without it, OSS ignores a range that does not lie within the object. A header that is not one
/// well-formed byte range is ignored in both.
pub(crate) fn slice(header: Option<&str>, len: u64, standard: bool) -> Slice {
    let Some((first, last)) = header.and_then(parse) else { return Slice::Whole };
    let (start, end, fits) = match (first, last) {
        (Some(first), Some(last)) => (first, last.saturating_add(1).min(len), last < len),
        (Some(first), None) => (first, len, first < len),
        (None, Some(suffix)) => (len.saturating_sub(suffix), len, 0 < suffix && suffix <= len),
        (None, None) => return Slice::Whole,
    };
    if standard {
        if start < end { Slice::Part(start..end) } else { Slice::Unsatisfiable }
    } else if fits {
        Slice::Part(start..end)
    } else {
        Slice::Whole
    }
}

/// `bytes=first-last`, `bytes=first-` or `bytes=-suffix`; several ranges or another form are `None`.
pub(crate) fn parse(header: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (first, last) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    match (first, last) {
        (None, None) => None,
        (Some(first), Some(last)) if last < first => None,
        other => Some(other),
    }
}

/// An empty text is an absent number; `None` is a bad one.
fn number(text: &str) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok().or(Some(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_ten_bytes() {
        use Slice::{Part, Unsatisfiable, Whole};
        for (header, default, standard) in [
            ("bytes=0-3", Part(0..4), Part(0..4)),
            ("bytes=5-", Part(5..10), Part(5..10)),
            ("bytes=-3", Part(7..10), Part(7..10)),
            ("bytes=9-9", Part(9..10), Part(9..10)),
            ("bytes=5-10", Whole, Part(5..10)),
            ("bytes=0-18446744073709551615", Whole, Part(0..10)),
            ("bytes=10-", Whole, Unsatisfiable),
            ("bytes=10-20", Whole, Unsatisfiable),
            ("bytes=-11", Whole, Part(0..10)),
            ("bytes=-0", Whole, Unsatisfiable),
            ("bytes=3-1", Whole, Whole),
            ("bytes=0-1,3-4", Whole, Whole),
            ("bytes=a-b", Whole, Whole),
            ("bytes=-", Whole, Whole),
            ("lines=0-3", Whole, Whole),
            ("bytes=+1-3", Whole, Whole),
        ] {
            assert_eq!(slice(Some(header), 10, false), default, "{header}");
            assert_eq!(slice(Some(header), 10, true), standard, "{header} standard");
        }
        assert_eq!(slice(None, 10, true), Whole);
        assert_eq!(slice(Some("bytes=0-"), 0, true), Unsatisfiable);
        assert_eq!(slice(Some("bytes=0-"), 0, false), Whole);
    }
}
