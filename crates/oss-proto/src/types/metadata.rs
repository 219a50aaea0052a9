//! User metadata, and what a header may carry.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use crate::InvalidValue;

/// User metadata (`x-oss-meta-…`): names without the prefix, in lower case, with their values.
///
/// Names are HTTP tokens, values printable ASCII; both together take at most 8 KiB
/// ([user metadata](https://help.aliyun.com/zh/oss/user-guide/manage-object-metadata)). Anything else is
/// refused before it is sent, because what a proxy makes of it would not match the signature.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// No metadata.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry; an entry of the same name is replaced and returned.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) -> Option<String> {
        self.0.insert(name.into(), value.into())
    }

    /// The value of an entry, whatever the case of its name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn check(&self) -> Result<(), InvalidValue> {
        let mut total = 0usize;
        let mut seen = alloc::collections::BTreeSet::new();
        for (name, value) in &self.0 {
            total = total.saturating_add(name.len()).saturating_add(value.len());
            if name.is_empty() || !name.bytes().all(is_token_byte) {
                return Err(InvalidValue::new(format!(
                    "the name {name:?} is no HTTP token; use letters, digits and `-`"
                )));
            }
            if !seen.insert(name.to_ascii_lowercase()) {
                return Err(InvalidValue::new(format!(
                    "the name {name:?} occurs twice, differing in case only"
                )));
            }
            check_header_value(value).map_err(|problem| InvalidValue::new(format!("{name}: {problem}")))?;
        }
        if total > METADATA_BYTES_MAX {
            return Err(InvalidValue::new(format!("{total} bytes in all; OSS takes {METADATA_BYTES_MAX}")));
        }
        Ok(())
    }
}

impl FromIterator<(String, String)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Metadata {
    type Item = (&'a String, &'a String);
    type IntoIter = alloc::collections::btree_map::Iter<'a, String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What OSS can be sent in a header: printable ASCII, inner spaces and tabs; outer ones would be trimmed on
/// the way.
pub(crate) fn check_header_value(value: &str) -> Result<(), InvalidValue> {
    if !is_printable(value.as_bytes()) {
        let bad = value.chars().find(|c| !(c.is_ascii_graphic() || *c == ' ' || *c == '\t'));
        let bad = bad.unwrap_or_default().escape_default();
        return Err(InvalidValue::new(format!(
            "contains {bad}; encode it, a header carries printable ASCII"
        )));
    }
    if has_outer_blank(value) {
        return Err(InvalidValue::new("begins or ends with a blank, which HTTP drops; remove or encode it"));
    }
    Ok(())
}

/// Whether a header value begins or ends with what is dropped on its way (RFC 9110, section 5.5).
pub(crate) fn has_outer_blank(value: &str) -> bool {
    matches!(value.as_bytes(), [b' ' | b'\t', ..] | [.., b' ' | b'\t'])
}

/// Whether a header value is printable ASCII. It looks at every byte, so that it looks at many at once.
fn is_printable(value: &[u8]) -> bool {
    value.iter().fold(true, |is, byte| is & (matches!(byte, b' '..=b'~') | (*byte == b'\t')))
}

const METADATA_BYTES_MAX: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b23_b24_b25_b26_metadata_is_checked() {
        let bad: &[(&str, &str)] = &[
            ("a b", "v"),
            ("a:b", "v"),
            ("", "v"),
            ("é", "v"),
            ("a", "x\r\ny"),
            ("a", "x\0"),
            ("a", "é"),
            ("a", " v"),
            ("a", "v\t"),
            ("a", " "),
            ("a", "x\u{7f}"),
            ("a", "x\ny"),
            ("a\r\nb", "v"),
        ];
        for (name, value) in bad {
            let mut metadata = Metadata::new();
            metadata.insert(*name, *value);
            assert!(metadata.check().is_err(), "{name:?}: {value:?}");
        }
        for (name, value) in [("a_b", "v"), ("A-b", "x  y"), ("a", "x\ty"), ("a", ""), ("a", "!~")] {
            let mut metadata = Metadata::new();
            metadata.insert(name, value);
            assert_eq!(metadata.check(), Ok(()), "{name:?}: {value:?}");
        }
        let mut twice = Metadata::new();
        twice.insert("Author", "a");
        twice.insert("author", "b");
        assert!(twice.check().is_err());
        let mut large = Metadata::new();
        large.insert("a", "v".repeat(8191));
        assert_eq!(large.check(), Ok(()));
        large.insert("b", "");
        assert!(large.check().is_err());
    }
}
