//! The `x-oss-tagging` header (OSS document "PutObjectTagging").

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use percent_encoding::percent_decode_str;

use crate::fault::Fault;

/// Reads `k1=v1&k2=v2`, each part URL-encoded: at most 10 tags, keys of 1 to 128 and values of up to 256
/// characters, each key once.
pub(crate) fn parse(header: &str) -> Result<Vec<(String, String)>, Fault> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for pair in header.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (decoded(key, header)?, decoded(value, header)?);
        let fits = (1..=KEY_CHARS_MAX).contains(&key.chars().count())
            && value.chars().count() <= VALUE_CHARS_MAX
            && key.chars().chain(value.chars()).all(is_allowed);
        if !fits {
            return Err(refused(header, "0010-00000209"));
        }
        if tags.iter().any(|(other, _)| *other == key) {
            return Err(refused(header, "0010-00000219"));
        }
        tags.push((key, value));
    }
    if tags.len() > TAGS_MAX {
        return Err(refused(header, "0010-00000217"));
    }
    Ok(tags)
}

fn decoded(text: &str, header: &str) -> Result<String, Fault> {
    let text = text.replace('+', " ");
    match percent_decode_str(&text).decode_utf8() {
        Ok(decoded) => Ok(decoded.to_string()),
        Err(_) => Err(refused(header, "0010-00000216")),
    }
}

fn is_allowed(character: char) -> bool {
    character.is_alphanumeric() || " +-=._:/".contains(character)
}

fn refused(header: &str, ec: &'static str) -> Fault {
    let why = "the tags are invalid: up to 10 different keys of 1 to 128 characters, values of up to 256";
    Fault::invalid_argument("x-oss-tagging", header, ec, why)
}

const TAGS_MAX: usize = 10;
const KEY_CHARS_MAX: usize = 128;
const VALUE_CHARS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn counts_and_refuses() {
        let ten = (0..10).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join("&");
        assert_eq!(parse(&ten).unwrap().len(), 10);
        assert_eq!(parse("a%20b=%E4%B8%AD").unwrap(), [("a b".to_string(), "中".to_string())]);
        assert_eq!(parse("").unwrap(), []);
        for bad in [&format!("{ten}&k10=v"), "a=1&a=2", "=v", "a=%FF", "a=%3C"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
