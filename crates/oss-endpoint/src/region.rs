//! The id of a region, as in `cn-hangzhou`.

use alloc::string::String;

use crate::error::{EndpointError, shown};
use crate::text::text;

/// The id of a region, the one that version 4 signatures take: `cn-hangzhou`, not `oss-cn-hangzhou`.
///
/// It becomes a part of a host name, so its form is checked and not merely its presence: 1 to 50 bytes of
/// `a-z`, `0-9` and `-`, with no `-` at either end. What the documents say of it is [`Region::entry`];
/// whether a region exists that they do not know is the server's to say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(String);

impl Region {
    /// Parses a region id.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Region`] for a text of another form. The text is never trimmed or lower-cased.
    ///
    /// ```
    /// use oss_endpoint::Region;
    ///
    /// assert_eq!(Region::parse("cn-hangzhou")?.as_str(), "cn-hangzhou");
    /// assert!(Region::parse("x@evil.example:443/#").is_err());
    /// # Ok::<(), oss_endpoint::EndpointError>(())
    /// ```
    pub fn parse(text: impl Into<String>) -> Result<Self, EndpointError> {
        let text = text.into();
        match fault(&text) {
            None => Ok(Self(text)),
            Some(reason) => Err(EndpointError::Region { value: shown(&text), reason }),
        }
    }
}

text!(Region);

fn fault(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty, name one such as `cn-hangzhou`");
    }
    if text.len() > REGION_BYTES_MAX {
        return Some("it is longer than 50 bytes, name one such as `cn-hangzhou`");
    }
    if !text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
        return Some("use only a-z, 0-9 and `-`, as in `cn-hangzhou`");
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Some("remove the `-` at the start or the end, as in `cn-hangzhou`");
    }
    None
}

/// A label of a host name holds 63 bytes (RFC 1035, section 2.3.4), and the longest one that is made of an id
/// is `oss-{region}-internal`.
const REGION_BYTES_MAX: usize = 63 - "oss-".len() - "-internal".len();

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn b01_region_takes_ids_and_nothing_else() {
        let longest = "a".repeat(50);
        for good in ["cn-hangzhou", "us-west-1", "cn-hangzhou-finance", "a", "1", "a--b", &longest] {
            assert_eq!(Region::parse(good).unwrap().as_str(), good);
        }
        let [long, longer] = [51, 64].map(|length| "a".repeat(length));
        let bad = [
            "",
            "x@evil.example:443/#",
            "cn-hangzhou/",
            "cn-hangzhou.evil.example/",
            "cn-hangzhou.evil.example",
            "../",
            &long,
            &longer,
            "CN-Hangzhou",
            "cn_hangzhou",
            "cn-hangzhou-١",
            "-cn",
            "cn-",
            "-",
            "cn hangzhou",
            "cn%2dhangzhou",
        ];
        for bad in bad {
            let error = Region::parse(bad).unwrap_err();
            assert!(matches!(error, EndpointError::Region { .. }), "{bad:?}: {error}");
        }
    }

    #[test]
    fn b02_region_matches_the_whole_text() {
        for bad in
            ["cn-hangzhou\n", "cn-hangzhou\0", "cn-hangzhou ", "cn-hangzhou\t", "\ncn-hangzhou", "cn\r\n"]
        {
            assert!(Region::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_names_the_value_and_the_fix() {
        assert_eq!(
            Region::parse("CN-Hangzhou\n").unwrap_err().to_string(),
            r#"invalid region "CN-Hangzhou\n": use only a-z, 0-9 and `-`, as in `cn-hangzhou`"#
        );
    }
}
