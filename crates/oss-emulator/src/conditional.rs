//! Conditions on reads and on copy sources (RFC 9110, section 13; OSS document "GetObject").

use core::time::Duration;

use http::HeaderMap;

use crate::time::parse_http_date;

/// Whether an object may be answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Go,
    /// 304.
    NotModified,
    /// 412, with the header that failed.
    Failed(&'static str),
}

/// The four header names: those of a read, or those of a copy source.
pub(crate) struct Names {
    matches: &'static str,
    none_match: &'static str,
    modified_since: &'static str,
    unmodified_since: &'static str,
}

pub(crate) const READ: Names = Names {
    matches: "if-match",
    none_match: "if-none-match",
    modified_since: "if-modified-since",
    unmodified_since: "if-unmodified-since",
};

pub(crate) const COPY_SOURCE: Names = Names {
    matches: "x-oss-copy-source-if-match",
    none_match: "x-oss-copy-source-if-none-match",
    modified_since: "x-oss-copy-source-if-modified-since",
    unmodified_since: "x-oss-copy-source-if-unmodified-since",
};

/// Judges the conditions in the order of RFC 9110: an ETag beats the date of its pair. A date that cannot be
/// read is ignored.
pub(crate) fn judge(names: &Names, headers: &HeaderMap, etag: &str, modified: Duration) -> Outcome {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let date = |name| text(name).and_then(parse_http_date);
    let modified = modified.as_secs();
    match (text(names.matches), date(names.unmodified_since)) {
        (Some(list), _) if !lists(list, etag) => return Outcome::Failed(names.matches),
        (None, Some(limit)) if modified > limit.as_secs() => return Outcome::Failed(names.unmodified_since),
        _ => {}
    }
    match (text(names.none_match), date(names.modified_since)) {
        (Some(list), _) if lists(list, etag) => Outcome::NotModified,
        (None, Some(limit)) if modified <= limit.as_secs() => Outcome::NotModified,
        _ => Outcome::Go,
    }
}

/// Whether `list` names this ETag, with or without quotes, in any case, or `*`.
fn lists(list: &str, etag: &str) -> bool {
    list.split(',')
        .map(|item| item.trim().trim_matches('"'))
        .any(|item| item == "*" || item.eq_ignore_ascii_case(etag.trim_matches('"')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    #[test]
    fn pairs_of_conditions() {
        const BEFORE: &str = "Sat, 16 Dec 2023 16:20:56 GMT";
        const SAME: &str = "Sat, 16 Dec 2023 16:20:57 GMT";
        for (headers, expected) in [
            (&[][..], Outcome::Go),
            (&[("if-match", "\"ABC\"")], Outcome::Go),
            (&[("if-match", "*")], Outcome::Go),
            (&[("if-match", "\"X\", abc")], Outcome::Go),
            (&[("if-match", "\"X\"")], Outcome::Failed("if-match")),
            (&[("if-none-match", "\"ABC\"")], Outcome::NotModified),
            (&[("if-none-match", "\"X\"")], Outcome::Go),
            (&[("if-modified-since", SAME)], Outcome::NotModified),
            (&[("if-modified-since", BEFORE)], Outcome::Go),
            (&[("if-modified-since", "yesterday")], Outcome::Go),
            (&[("if-unmodified-since", SAME)], Outcome::Go),
            (&[("if-unmodified-since", BEFORE)], Outcome::Failed("if-unmodified-since")),
            (&[("if-match", "\"ABC\""), ("if-unmodified-since", BEFORE)], Outcome::Go),
            (&[("if-none-match", "\"X\""), ("if-modified-since", SAME)], Outcome::Go),
            (&[("if-match", "\"ABC\""), ("if-none-match", "\"ABC\"")], Outcome::NotModified),
        ] {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            let modified = Duration::from_millis(1_702_743_657_900);
            assert_eq!(judge(&READ, &map, "\"ABC\"", modified), expected, "{headers:?}");
        }
    }
}
