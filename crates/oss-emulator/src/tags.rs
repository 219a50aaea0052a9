//! Tags, in the `x-oss-tagging` header and in documents (OSS document "PutObjectTagging").

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};

use percent_encoding::percent_decode_str;

use crate::fault::Fault;
use crate::store::Tags;
use crate::xml::Element;

/// Reads `k1=v1&k2=v2`, each part URL-encoded: at most 10 tags, keys of 1 to 128 and values of up to 256
/// characters, each key once.
pub(crate) fn parse(header: &str) -> Result<Tags, Fault> {
    let mut tags = Tags::new();
    for pair in header.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (decoded(key, header)?, decoded(value, header)?);
        check(&key, &value).map_err(|ec| refused(header, ec))?;
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

/// Reads a `Tagging` document: at most `max` tags, under the same rules.
pub(crate) fn of_document(root: &Element, max: usize) -> Result<Tags, Fault> {
    let Some(set) = root.child("TagSet") else { return Err(Fault::malformed_xml("there is no TagSet")) };
    let mut tags = Tags::new();
    for tag in set.children.iter().filter(|child| child.name == "Tag") {
        let (Some(key), Some(value)) = (tag.child_text("Key"), tag.child_text("Value")) else {
            return Err(Fault::malformed_xml("a Tag needs a Key and a Value"));
        };
        check(key, value).map_err(|ec| refused(key, ec))?;
        if tags.iter().any(|(other, _)| other == key) {
            return Err(Fault::new(400, "RepeatedTags", "", "A tag key is given twice.").with("Key", key));
        }
        tags.push((key.to_owned(), value.to_owned()));
    }
    if tags.len() > max {
        return Err(refused("Tagging", "0010-00000217"));
    }
    Ok(tags)
}

/// The `Tagging` document of these tags.
pub(crate) fn element(tags: &[(String, String)]) -> Element {
    let tags = tags.iter().map(|(key, value)| {
        Element::parent("Tag", [Element::leaf("Key", key), Element::leaf("Value", value)])
    });
    Element::parent("Tagging", [Element::parent("TagSet", tags)])
}

/// Whether a tag conforms; the error is the EC.
fn check(key: &str, value: &str) -> Result<(), &'static str> {
    let fits = (1..=KEY_CHARS_MAX).contains(&key.chars().count())
        && value.chars().count() <= VALUE_CHARS_MAX
        && key.chars().chain(value.chars()).all(is_allowed);
    if fits { Ok(()) } else { Err("0010-00000209") }
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

/// On an object.
pub(crate) const TAGS_MAX: usize = 10;
const KEY_CHARS_MAX: usize = 128;
const VALUE_CHARS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec::Vec;

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
