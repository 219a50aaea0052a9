//! The name of a bucket.

use alloc::string::String;

use crate::error::{EndpointError, shown};
use crate::text::text;

/// The name of a bucket: 3 to 63 bytes of `a-z`, `0-9` and `-`, with no `-` at either end.
///
/// The rule is that of OSS ("Bucket naming conventions"). One case is added: a name that starts with `xn--`
/// is refused, because as the first label of a host name it would be read as an internationalised name. The
/// alias of an access point satisfies the same rule and is used in place of a bucket's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(String);

impl BucketName {
    /// Parses the name of a bucket.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Bucket`] for a name that OSS would refuse. The text is never trimmed or lower-cased.
    ///
    /// ```
    /// use oss_endpoint::BucketName;
    ///
    /// assert_eq!(BucketName::parse("examplebucket")?.as_str(), "examplebucket");
    /// assert!(BucketName::parse("evil.example/#").is_err());
    /// # Ok::<(), oss_endpoint::EndpointError>(())
    /// ```
    pub fn parse(text: impl Into<String>) -> Result<Self, EndpointError> {
        let text = text.into();
        match fault(&text) {
            None => Ok(Self(text)),
            Some(reason) => Err(EndpointError::Bucket { value: shown(&text), reason }),
        }
    }
}

text!(BucketName);

fn fault(text: &str) -> Option<&'static str> {
    if !(BUCKET_BYTES_MIN..=BUCKET_BYTES_MAX).contains(&text.len()) {
        return Some("use 3 to 63 characters");
    }
    if !text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
        return Some("use only a-z, 0-9 and `-`");
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Some("start and end it with a letter or a digit");
    }
    if text.starts_with("xn--") {
        return Some("do not start it with `xn--`, which marks an internationalised host name");
    }
    None
}

const BUCKET_BYTES_MIN: usize = 3;

/// The longest name of a bucket, in bytes.
pub(crate) const BUCKET_BYTES_MAX: usize = 63;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn b03_bucket_follows_the_naming_rules_of_oss() {
        let longest = "a".repeat(63);
        for good in ["abc", "examplebucket", "my-bucket-2", "123", "a--b", "axn--b", &longest] {
            assert_eq!(BucketName::parse(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(64);
        let bad = [
            "",
            "a",
            "ab",
            &long,
            "evil.example/#",
            "a\\b",
            "x@y",
            "a:80",
            "a?b",
            "a.b",
            "a..b",
            "a_b",
            "ABC",
            "xn--fiqs8s",
            "10.0.0.1",
            "127.0.0.1",
            "-ab",
            "ab-",
            "---",
            "a/b",
            "../",
            "桶桶桶",
            "abc%2f",
        ];
        for bad in bad {
            let error = BucketName::parse(bad).unwrap_err();
            assert!(matches!(error, EndpointError::Bucket { .. }), "{bad:?}: {error}");
        }
    }

    #[test]
    fn b02_bucket_matches_the_whole_text() {
        for bad in ["bucket\n", "bucket\0", "bucket ", "bucket\t", " bucket", "bucket\r\n"] {
            assert!(BucketName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_names_the_value_and_the_fix() {
        assert_eq!(
            BucketName::parse("ab").unwrap_err().to_string(),
            r#"invalid bucket name "ab": use 3 to 63 characters"#
        );
    }
}
