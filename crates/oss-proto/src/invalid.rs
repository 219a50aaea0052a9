//! What cannot be sent, and why: faults of the caller, found before anything leaves.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use core::fmt;

use oss_endpoint::EndpointError;

/// A value that has no place in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    problem: Cow<'static, str>,
}

impl InvalidValue {
    /// The problem in a lower-case phrase that names the value and the fix.
    pub fn new(problem: impl Into<Cow<'static, str>>) -> Self {
        Self { problem: problem.into() }
    }
}

impl From<EndpointError> for InvalidValue {
    fn from(error: EndpointError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<&EndpointError> for InvalidValue {
    fn from(error: &EndpointError) -> Self {
        Self::new(error.to_string())
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl core::error::Error for InvalidValue {}

/// A request that cannot be expressed: which operation, which field, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRequest {
    operation: &'static str,
    field: Cow<'static, str>,
    problem: InvalidValue,
}

impl InvalidRequest {
    /// The field of the operation that has the problem.
    pub fn new(operation: &'static str, field: impl Into<Cow<'static, str>>, problem: InvalidValue) -> Self {
        Self { operation, field: field.into(), problem }
    }

    /// The operation's name.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The field, header or parameter.
    pub fn field(&self) -> &str {
        &self.field
    }
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot send {}: {}: {}", self.operation, self.field, self.problem)
    }
}

impl core::error::Error for InvalidRequest {}

/// Text from a caller or a peer, made fit for one line of a log: control characters escaped, the first
/// `max` characters of it.
pub(crate) fn excerpt(text: &str, max: usize) -> String {
    let mut shown: String = text.chars().take(max).flat_map(escape).collect();
    if text.chars().nth(max).is_some() {
        shown.push('…');
    }
    shown
}

fn escape(c: char) -> impl Iterator<Item = char> {
    // Besides control characters: marks that reorder or hide what follows them in a terminal.
    let hides =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let escaped = (c.is_control() || hides).then(|| c.escape_unicode());
    let plain = escaped.is_none().then_some(c);
    escaped.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b42_control_characters_do_not_reach_a_terminal() {
        assert_eq!(excerpt("a\u{1b}[31m\nb", 20), "a\\u{1b}[31m\\u{a}b");
        assert_eq!(excerpt("abcdef", 3), "abc…");
        assert_eq!(excerpt("目录", 2), "目录");
    }

    #[test]
    fn the_message_names_operation_field_and_problem() {
        let error =
            InvalidRequest::new("PutObject", "key", InvalidValue::new("is empty; give 1 to 1,023 bytes"));
        assert_eq!(error.to_string(), "cannot send PutObject: key: is empty; give 1 to 1,023 bytes");
    }
}
