//! Percent-encoding as OSS counts it.

use alloc::string::String;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Encodes a key for a path, or for `x-oss-copy-source`: everything but `A-Z a-z 0-9 - . _ ~ /`.
///
/// Encode once: the result of an encoded text is another key. The hexadecimal digits are upper case
/// (RFC 3986, section 2.1).
///
/// ```
/// assert_eq!(oss_endpoint::encode_key("a b/c+%2f"), "a%20b/c%2B%252f");
/// ```
#[must_use]
pub fn encode_key(key: &str) -> String {
    utf8_percent_encode(key, KEY).collect()
}

/// Encodes a name or a value of a query: everything but `A-Z a-z 0-9 - . _ ~`, so `/` becomes `%2F` and a
/// space `%20`.
///
/// ```
/// assert_eq!(oss_endpoint::encode_component("a b/c"), "a%20b%2Fc");
/// ```
#[must_use]
pub fn encode_component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).collect()
}

/// Appends to a URL what [`encode_component`] gives, without a text in between.
///
/// ```
/// let mut url = String::from("?prefix=");
/// oss_endpoint::push_component(&mut url, "a/");
/// assert_eq!(url, "?prefix=a%2F");
/// ```
pub fn push_component(url: &mut String, text: &str) {
    url.extend(utf8_percent_encode(text, COMPONENT));
}

/// Appends the encoded key without a text in between.
pub(crate) fn push_key(path: &mut String, key: &str) {
    path.extend(utf8_percent_encode(key, KEY));
}

/// The unreserved characters of RFC 3986, section 2.3, stay.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const KEY: &AsciiSet = &COMPONENT.remove(b'/');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b14_every_reserved_character_is_encoded_once() {
        let cases = [
            ("?x=1", "%3Fx%3D1"),
            ("a?b#c", "a%3Fb%23c"),
            ("a&b=c", "a%26b%3Dc"),
            ("a;b", "a%3Bb"),
            ("a+b", "a%2Bb"),
            ("a b", "a%20b"),
            ("a%20b", "a%2520b"),
            ("%", "%25"),
            ("%zz", "%25zz"),
            ("(1)~!*'", "%281%29~%21%2A%27"),
            ("中文", "%E4%B8%AD%E6%96%87"),
            ("😀", "%F0%9F%98%80"),
            ("A-Za-z0-9-._~/", "A-Za-z0-9-._~/"),
        ];
        for (key, expected) in cases {
            assert_eq!(encode_key(key), expected);
        }
    }

    #[test]
    fn b15_b16_backslash_and_control_bytes_are_encoded() {
        assert_eq!(encode_key("a\\b"), "a%5Cb");
        assert_eq!(encode_key("\0\u{1f}\u{7f}\r\n\t"), "%00%1F%7F%0D%0A%09");
    }

    #[test]
    fn a_component_encodes_the_slash_too() {
        assert_eq!(encode_component("a/b c"), "a%2Fb%20c");
    }
}
