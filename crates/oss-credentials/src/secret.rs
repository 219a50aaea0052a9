//! A string that nothing prints.

use alloc::string::String;
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
        let (ours, theirs) = (self.0.as_bytes(), other.0.as_bytes());
        // Every byte is looked at, and `black_box` keeps the compiler from stopping at the first difference.
        let difference = ours.iter().zip(theirs).fold(0, |seen, (a, b)| black_box(seen | (a ^ b)));
        ours.len() == theirs.len() && difference == 0
    }
}

impl Eq for Secret {}

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
