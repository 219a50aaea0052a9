//! A string that nothing prints.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::hint::black_box;

use zeroize::Zeroizing;

/// A string that nothing prints and that is wiped from memory when dropped.
///
/// `Debug` is always `***`, in every build; there is no `Display` and no serialisation.
/// [`expose`](Self::expose) is the only way to the text, so that one search finds every place that reads a
/// secret. Two secrets are compared in a time that depends on their lengths alone.
///
/// ```
/// let secret = oss_credentials::Secret::from("not for the log");
/// assert_eq!(format!("{secret:?}"), "***");
/// assert_eq!(secret.expose(), "not for the log");
/// ```
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Returns the text itself; keep what is made of it as short-lived as the use.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Joins the parts in one allocation, so that no copy is left behind.
    pub(crate) fn concat(parts: &[&str]) -> Self {
        let mut text = String::with_capacity(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| text.push_str(part));
        Self::from(text)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    /// Takes the string over without a copy, so its memory is wiped later.
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    /// Copies the text; wiping the original stays with its owner.
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(String::from(text)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        is_same(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl Eq for Secret {}

/// Bytes that nothing prints and that are wiped from memory when dropped: a file, or the body of an answer.
///
/// `Debug` is always `***`; [`expose`](Self::expose) is the only way to them. Two are compared as two
/// [`Secret`]s are.
#[derive(Clone, Default)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Returns the bytes themselves; keep what is made of them as short-lived as the use.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for SecretBytes {
    /// Takes the bytes over without a copy, so their memory is wiped later.
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl From<&[u8]> for SecretBytes {
    /// Copies the bytes; wiping the original stays with its owner.
    fn from(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(Vec::from(bytes)))
    }
}

impl From<&str> for SecretBytes {
    /// Copies the text; wiping the original stays with its owner.
    fn from(text: &str) -> Self {
        Self::from(text.as_bytes())
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        is_same(&self.0, &other.0)
    }
}

impl Eq for SecretBytes {}

/// Every byte is looked at, and `black_box` keeps the compiler from stopping at the first difference.
fn is_same(ours: &[u8], theirs: &[u8]) -> bool {
    let difference = ours.iter().zip(theirs).fold(0, |seen, (a, b)| black_box(seen | (a ^ b)));
    ours.len() == theirs.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn b67_debug_shows_nothing_of_a_secret() {
        for text in ["", "plain", "ünïcödé 密钥", "🔑🔑🔑", "\u{0}\u{202e}", "***"] {
            let secret = Secret::from(text);
            assert_eq!(format!("{secret:?}"), "***");
            assert_eq!(format!("{secret:#?}"), "***");
            assert_eq!(format!("{:8.2?}", Some(&secret)), "Some(***)");
            assert_eq!(secret.expose(), text);
        }
    }

    #[test]
    fn equality_looks_at_length_and_every_byte() {
        let table =
            [("", "", true), ("a", "a", true), ("a", "b", false), ("ab", "a", false), ("a", "ab", false)];
        for (a, b, same) in table {
            assert_eq!(Secret::from(a) == Secret::from(b), same, "{a} and {b}");
        }
        assert_ne!(Secret::from("xbc"), Secret::from("abc"));
        assert_ne!(Secret::from("abx"), Secret::from("abc"));
    }
}
