//! Percent-encoding as OSS counts it.

use alloc::string::String;

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
    let mut encoded = String::with_capacity(key.len());
    push_key(&mut encoded, key);
    encoded
}

/// Encodes a name or a value of a query: everything but `A-Z a-z 0-9 - . _ ~`, so `/` becomes `%2F` and a
/// space `%20`.
///
/// ```
/// assert_eq!(oss_endpoint::encode_component("a b/c"), "a%20b%2Fc");
/// ```
#[must_use]
pub fn encode_component(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    push_component(&mut encoded, text);
    encoded
}

/// Appends to a URL what [`encode_component`] gives, without a text in between.
///
/// ```
/// let mut url = String::from("?prefix=");
/// oss_endpoint::push_component(&mut url, "a/");
/// assert_eq!(url, "?prefix=a%2F");
/// ```
pub fn push_component(url: &mut String, text: &str) {
    push(url, text, &COMPONENT);
}

/// Appends the encoded key without a text in between.
pub(crate) fn push_key(path: &mut String, key: &str) {
    push(path, key, &KEY);
}

/// Appends what is kept in runs, and the rest byte by byte.
fn push(out: &mut String, text: &str, kept: &[bool; 256]) {
    let is_kept = |byte: u8| kept[usize::from(byte)];
    let mut rest = text;
    while !rest.is_empty() {
        // What is kept is ASCII, so a run ends at a boundary of characters.
        let run = rest.bytes().take_while(|byte| is_kept(*byte)).count();
        let (plain, after) = rest.split_at(run);
        out.push_str(plain);
        let other = after.bytes().take_while(|byte| !is_kept(*byte)).count();
        let (encoded, after) = after.split_at(other);
        for byte in encoded.bytes() {
            let at = 3 * usize::from(byte);
            out.push_str(&ESCAPES[at..at + 3]);
        }
        rest = after;
    }
}

/// The unreserved characters of RFC 3986, section 2.3, stay.
const COMPONENT: [bool; 256] = kept(b"-._~");

const KEY: [bool; 256] = kept(b"-._~/");

/// `%00%01` and so on to `%FF`.
const ESCAPES: &str = match core::str::from_utf8(&ESCAPE_BYTES) {
    Ok(escapes) => escapes,
    Err(_) => "",
};

const ESCAPE_BYTES: [u8; 768] = {
    let digits = b"0123456789ABCDEF";
    let mut bytes = [b'%'; 768];
    let mut byte = 0;
    while byte < 256 {
        bytes[3 * byte + 1] = digits[byte >> 4];
        bytes[3 * byte + 2] = digits[byte & 15];
        byte += 1;
    }
    bytes
};

/// Letters, digits, and these marks.
const fn kept(mut marks: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    while let [mark, rest @ ..] = marks {
        table[*mark as usize] = true;
        marks = rest;
    }
    table
}

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
