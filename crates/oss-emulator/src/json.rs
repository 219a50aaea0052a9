//! JSON in: a small tree with caps, for policies and callbacks (RFC 8259).

use alloc::string::String;
use alloc::vec::Vec;

/// A value that was read. A number is kept as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Value {
    /// The member of an object; the last one where a name is repeated.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let members = self.as_object()?;
        members.iter().rev().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    pub(crate) fn as_object(&self) -> Option<&[(String, Self)]> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    pub(crate) fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    pub(crate) fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Number(text) | Self::String(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// Reads a whole text; the error says what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Value, &'static str> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.space();
    if reader.at == text.len() { Ok(value) } else { Err("there is text after the JSON value") }
}

/// Writes a text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if u32::from(control) < 0x20 => {
                out.push_str(&alloc::format!("\\u{:04x}", u32::from(control)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Skips white space, and this byte if it is next.
    fn take(&mut self, byte: u8) -> bool {
        self.space();
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn value(&mut self, depth: usize) -> Result<Value, &'static str> {
        if depth > DEPTH_MAX {
            return Err("the JSON value is nested too deeply");
        }
        self.space();
        match self.peek().ok_or("the JSON text ends early")? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => Ok(Value::String(self.string()?)),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, &'static str> {
        self.at += 1;
        let mut members = Vec::new();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err("a member of a JSON object has no name");
            }
            let name = self.string()?;
            if !self.take(b':') {
                return Err("a member of a JSON object has no value");
            }
            members.push((name, self.value(depth + 1)?));
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err("a JSON object is not closed");
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, &'static str> {
        self.at += 1;
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take(b',') {
                return Err("a JSON array is not closed");
            }
        }
    }

    fn string(&mut self) -> Result<String, &'static str> {
        self.at += 1;
        let mut out = String::new();
        let mut rest = self.text[self.at..].chars();
        while let Some(character) = rest.next() {
            match character {
                '"' => {
                    self.at = self.text.len() - rest.as_str().len();
                    return Ok(out);
                }
                '\\' => out.push(escaped(&mut rest)?),
                control if u32::from(control) < 0x20 => return Err("a JSON string has a control character"),
                other => out.push(other),
            }
        }
        Err("a JSON string is not closed")
    }

    fn word(&mut self) -> Result<Value, &'static str> {
        let rest = &self.text[self.at..];
        let end = rest.find(|other: char| !(other.is_ascii_alphanumeric() || "+-.".contains(other)));
        let word = &rest[..end.unwrap_or(rest.len())];
        self.at += word.len();
        match word {
            "null" => Ok(Value::Null),
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            number if number.parse::<f64>().is_ok() && number.ends_with(|end: char| end.is_ascii_digit()) => {
                Ok(Value::Number(number.into()))
            }
            _ => Err("there is an unknown word in the JSON text"),
        }
    }
}

/// The character that an escape stands for. `\$` is the vendor's own (OSS document "PostObject").
fn escaped(rest: &mut core::str::Chars<'_>) -> Result<char, &'static str> {
    const BAD: &str = "a JSON string has a bad escape";
    Ok(match rest.next().ok_or(BAD)? {
        same @ ('"' | '\\' | '/' | '$') => same,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let mut code = hex(rest).ok_or(BAD)?;
            if (0xD800..0xDC00).contains(&code) {
                let is_pair = rest.next() == Some('\\') && rest.next() == Some('u');
                let low = hex(rest).filter(|low| is_pair && (0xDC00..0xE000).contains(low)).ok_or(BAD)?;
                code = 0x1_0000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            }
            char::from_u32(code).ok_or(BAD)?
        }
        _ => return Err(BAD),
    })
}

fn hex(rest: &mut core::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |code, _| Some(code << 4 | rest.next()?.to_digit(16)?))
}

const DEPTH_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn reads_what_rfc_8259_has() {
        let text = r#" {"a": [1, -2.5e3, true, null, "x\n\u4e2d\ud83e\udd86\$"], "b": {}} "#;
        let value = parse(text).unwrap();
        assert_eq!(value.get("b"), Some(&Value::Object(vec![])));
        let items = value.get("a").and_then(Value::as_array).unwrap();
        assert_eq!(items[0].as_u64(), Some(1));
        assert_eq!(items[1], Value::Number("-2.5e3".to_owned()));
        assert_eq!(items[2..4], [Value::Bool(true), Value::Null]);
        assert_eq!(items[4].as_str(), Some("x\n中🦆$"));
    }

    #[test]
    fn refuses_what_is_no_json() {
        let deep = "[".repeat(100);
        let bad = [
            "",
            "{",
            "[1",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "nul",
            "1.",
            "1 2",
            "// no",
            "NaN",
            "inf",
            &deep,
        ];
        for text in bad {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(text in "\\PC{0,40}", jsonish in "[\\[\\]{}\",:a1\\\\u ]{0,30}") {
            let _ = (parse(&text), parse(&jsonish));
        }

        #[test]
        fn what_is_quoted_is_read_back(text in any::<String>()) {
            prop_assert_eq!(parse(&quoted(&text)), Ok(Value::String(text)));
        }
    }
}
