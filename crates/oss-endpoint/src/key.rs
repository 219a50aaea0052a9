//! The name of an object.

use alloc::string::String;

use crate::error::{EndpointError, shown};
use crate::text::text;

/// The name of an object: UTF-8 of 1 to 1,023 bytes, kept byte for byte.
///
/// Nothing is normalised, neither dots and slashes nor Unicode: `a/../b`, `a//b` and `%2e` are names like
/// any other, and `?acl` is a name and not a sub-resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Parses a key by the rules of OSS.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Key`] for what OSS refuses ("Object naming conventions", EC 0016-00000005): an
    /// empty key, one of more than 1,023 bytes, one that starts with `/` or `\`.
    ///
    /// ```
    /// use oss_endpoint::ObjectKey;
    ///
    /// assert_eq!(ObjectKey::parse("a/../b")?.as_str(), "a/../b");
    /// assert!(ObjectKey::parse("/a").is_err());
    /// # Ok::<(), oss_endpoint::EndpointError>(())
    /// ```
    pub fn parse(text: impl Into<String>) -> Result<Self, EndpointError> {
        let text = text.into();
        match fault(&text) {
            None => Ok(Self(text)),
            Some(reason) => Err(EndpointError::Key { value: shown(&text), reason }),
        }
    }

    /// Takes any text as a key, if only it is not empty.
    ///
    /// Objects that were made by other means than the API may have names that [`parse`](Self::parse)
    /// refuses. Such a key is sent, and signed, as faithfully as any other.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Key`] for an empty text, which would address the bucket.
    pub fn verbatim(text: impl Into<String>) -> Result<Self, EndpointError> {
        let text = text.into();
        if text.is_empty() {
            return Err(EndpointError::Key { value: text, reason: EMPTY });
        }
        Ok(Self(text))
    }
}

text!(ObjectKey);

fn fault(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some(EMPTY);
    }
    if text.len() > KEY_BYTES_MAX {
        return Some("it is longer than 1023 bytes of UTF-8, shorten it");
    }
    if text.starts_with('/') || text.starts_with('\\') {
        return Some("remove the `/` or `\\` at the start, which OSS refuses");
    }
    None
}

const EMPTY: &str = "it is empty, name the object";

/// The longest key, in bytes ("Object naming conventions").
const KEY_BYTES_MAX: usize = 1023;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn b12_dots_are_names() {
        for key in ["..", ".", "a/../b", "../other-bucket/k", "./x", "%2e%2e/x"] {
            assert_eq!(ObjectKey::parse(key).unwrap().as_str(), key);
        }
    }

    #[test]
    fn b13_a_leading_slash_is_refused_by_parse_and_kept_by_verbatim() {
        for key in ["/lead", "//a", "\\lead", "/", "\\"] {
            let error = ObjectKey::parse(key).unwrap_err();
            assert!(matches!(error, EndpointError::Key { .. }), "{key:?}: {error}");
            assert_eq!(ObjectKey::verbatim(key).unwrap().as_str(), key);
        }
        for key in ["a//b", "a/", "a\\b", "a\\"] {
            assert_eq!(ObjectKey::parse(key).unwrap().as_str(), key);
        }
    }

    #[test]
    fn b16_control_bytes_are_kept() {
        for byte in (0..0x20).chain([0x7f]) {
            let key = String::from(char::from(byte));
            assert_eq!(ObjectKey::parse(key.as_str()).unwrap().as_str(), key);
        }
    }

    #[test]
    fn b17_length_counts_bytes_and_nothing_is_normalised() {
        assert!(ObjectKey::parse("").is_err());
        assert!(ObjectKey::verbatim("").is_err());
        for (unit, count) in [("a", 1022), ("a", 1023), ("钥", 341)] {
            assert!(ObjectKey::parse(unit.repeat(count)).is_ok(), "{unit} {count}");
        }
        for (unit, count) in [("a", 1024), ("钥", 342), ("é", 512)] {
            assert!(ObjectKey::parse(unit.repeat(count)).is_err(), "{unit} {count}");
            assert!(ObjectKey::verbatim(unit.repeat(count)).is_ok(), "{unit} {count}");
        }
        let (composed, decomposed) =
            (ObjectKey::parse("\u{e9}").unwrap(), ObjectKey::parse("e\u{301}").unwrap());
        assert_ne!(composed, decomposed);
    }

    #[test]
    fn b18_names_of_sub_resources_are_names() {
        for key in ["?acl", "uploads", "x-oss-process=image/resize", "?x=1", "a?b#c", "a&b=c"] {
            assert_eq!(ObjectKey::parse(key).unwrap().as_str(), key);
        }
    }

    #[test]
    fn an_error_names_the_value_and_the_fix() {
        assert_eq!(
            ObjectKey::parse("/a\r\n").unwrap_err().to_string(),
            r#"invalid object key "/a\r\n": remove the `/` or `\` at the start, which OSS refuses"#
        );
        let long = ObjectKey::parse("k".repeat(5000)).unwrap_err().to_string();
        assert!(long.len() < 400, "{long}");
    }
}
