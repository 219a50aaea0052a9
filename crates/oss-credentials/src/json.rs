//! JSON with bounds: documents that hold credentials, from peers that may be broken or hostile.
//!
//! Sizes and depths are bounded, a name that occurs twice is refused (two readers could take different ones),
//! strings are wiped when dropped, and a problem is told by its position, never by what stands there.

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::Secret;

/// Reads a document whose outermost value is an object (RFC 8259).
pub(crate) fn parse(bytes: &[u8]) -> Result<Object, Problem> {
    // Files that were edited on Windows begin with a byte order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = core::str::from_utf8(bytes)
        .map_err(|error| Problem { what: "text that is not UTF-8", at: error.valid_up_to() })?;
    let mut reader = Reader { text, at: 0 };
    reader.expect(b'{', "no object")?;
    let object = reader.object(1)?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(reader.problem("more after the object"));
    }
    Ok(object)
}

/// What is wrong with a document, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) what: &'static str,
    pub(crate) at: usize,
}

pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Secret),
    Text(Secret),
    List(Vec<Self>),
    Object(Object),
}

/// Members in the order of the document.
pub(crate) struct Object(Vec<(String, Value)>);

impl Object {
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// A text that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&Secret> {
        match self.member(name)? {
            Value::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    pub(crate) fn object(&self, name: &str) -> Option<&Self> {
        match self.member(name)? {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    pub(crate) fn list(&self, name: &str) -> Option<&[Value]> {
        match self.member(name)? {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// A whole number, also one that is written as a text.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        match self.member(name)? {
            Value::Number(text) | Value::Text(text) => text.expose().parse().ok(),
            _ => None,
        }
    }

    pub(crate) fn is_true(&self, name: &str) -> bool {
        match self.member(name) {
            Some(Value::Bool(yes)) => *yes,
            Some(Value::Text(text)) => text.expose().eq_ignore_ascii_case("true"),
            _ => false,
        }
    }
}

struct Reader<'x> {
    text: &'x str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn problem(&self, what: &'static str) -> Problem {
        Problem { what, at: self.at }
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Passes this byte, and blanks before it, if it is next.
    fn take(&mut self, byte: u8) -> bool {
        self.blanks();
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Problem> {
        if self.take(byte) { Ok(()) } else { Err(self.problem(what)) }
    }

    /// After an item: whether another one follows, or this byte ends them.
    fn goes_on(&mut self, end: u8) -> Result<bool, Problem> {
        if self.take(b',') {
            return Ok(true);
        }
        self.expect(end, "neither `,` nor an end").map(|()| false)
    }

    /// The rest of an object whose opening brace was passed.
    fn object(&mut self, depth: usize) -> Result<Object, Problem> {
        let mut members: Vec<(String, Value)> = Vec::new();
        let mut more = !self.take(b'}');
        while more {
            self.expect(b'"', "no name of a member")?;
            let name = self.string()?;
            if members.iter().any(|(other, _)| other == name.expose()) {
                return Err(self.problem("a name that occurs twice"));
            }
            // Bounds the search for names that occur twice, too.
            if members.len() == MEMBERS_MAX {
                return Err(self.problem("an object with more than 256 members"));
            }
            self.expect(b':', "no `:` after a name")?;
            members.push((String::from(name.expose()), self.value(depth + 1)?));
            more = self.goes_on(b'}')?;
        }
        Ok(Object(members))
    }

    fn value(&mut self, depth: usize) -> Result<Value, Problem> {
        if depth > DEPTH_MAX {
            return Err(self.problem("values more than 16 levels deep"));
        }
        if self.take(b'"') {
            return self.string().map(Value::Text);
        }
        if self.take(b'{') {
            return self.object(depth).map(Value::Object);
        }
        if !self.take(b'[') {
            return self.word();
        }
        let mut list = Vec::new();
        let mut more = !self.take(b']');
        while more {
            list.push(self.value(depth + 1)?);
            more = self.goes_on(b']')?;
        }
        Ok(Value::List(list))
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<Value, Problem> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.bytes().position(|b| !(b.is_ascii_alphanumeric() || b"+-.".contains(&b)));
        let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let value = match word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            _ if is_number(word) => Value::Number(Secret::from(word)),
            _ => return Err(self.problem("no value")),
        };
        self.at += word.len();
        Ok(value)
    }

    /// The rest of a string whose opening quote was passed.
    fn string(&mut self) -> Result<Secret, Problem> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        // A string is never longer than what stands for it, so that it is never moved while it grows.
        let mut is_escaped = false;
        let is_end = |&byte: &u8| {
            let is_end = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            is_end
        };
        let Some(length) = rest.iter().position(is_end) else {
            return Err(self.problem("a string without an end"));
        };
        let end = self.at + length;
        let mut text = Zeroizing::new(String::with_capacity(length));
        while self.at < end {
            let rest = self.text.get(self.at..end).unwrap_or_default();
            let stop = rest.bytes().position(|b| b == b'\\' || b < b' ').unwrap_or(rest.len());
            text.push_str(rest.get(..stop).unwrap_or_default());
            self.at += stop;
            match self.peek() {
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                Some(b'"') => {}
                _ => return Err(self.problem("a control character in a string")),
            }
        }
        self.at = end + 1;
        Ok(Secret::from(core::mem::take(&mut *text)))
    }

    fn escape(&mut self) -> Result<char, Problem> {
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            Some(same @ (b'"' | b'\\' | b'/')) => char::from(same),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(),
            _ => return Err(self.problem("an escape that JSON does not know")),
        })
    }

    fn code_point(&mut self) -> Result<char, Problem> {
        let first = self.hex()?;
        let code = match first {
            // A character beyond 16 bits is two escapes.
            0xd800..0xdc00 => {
                let is_pair = self.text.get(self.at..).is_some_and(|rest| rest.starts_with("\\u"));
                self.at += if is_pair { 2 } else { 0 };
                let second = if is_pair { self.hex()? } else { 0 };
                let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400);
                low.map(|low| 0x1_0000 + ((first - 0xd800) << 10) + low)
            }
            code => Some(code),
        };
        code.and_then(char::from_u32).ok_or_else(|| self.problem("an escape of no character"))
    }

    fn hex(&mut self) -> Result<u32, Problem> {
        let digits = self.text.get(self.at..self.at.saturating_add(4));
        let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at = self.at.saturating_add(4);
        code.ok_or_else(|| self.problem("an escape without four digits"))
    }
}

/// RFC 8259 section 6.
fn is_number(word: &str) -> bool {
    let (number, exponent) = match word.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (word, None),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    are_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(are_digits)
        && exponent.is_none_or(|text| are_digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

const DEPTH_MAX: usize = 16;
const MEMBERS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    const DOCUMENT: &str = r#"{"Code":"Success","expires": 3267 , "text":"a\u4e2d\ud83d\ude00\"\/\\",
        "Credentials":{"list":["x",{}, [], 1.5e+3, -0, true]},"none":null,
        "flag":true,"off":false,"empty":"","yes":"True","no":"False"}"#;

    fn problem(document: &str) -> &'static str {
        parse(document.as_bytes()).err().map_or("none", |problem| problem.what)
    }

    #[test]
    fn members_are_read_by_kind() {
        let object = parse(DOCUMENT.as_bytes()).ok().unwrap();
        assert_eq!(object.text("Code").unwrap().expose(), "Success");
        assert_eq!(object.text("text").unwrap().expose(), "a中😀\"/\\");
        assert_eq!(object.number("expires"), Some(3267));
        assert!(!object.is_true("no") && !object.is_true("missing") && !object.is_true("expires"));
        assert!(object.text("expires").is_none() && object.text("none").is_none());
        assert!(object.text("empty").is_none() && object.text("missing").is_none());
        assert!(
            object.is_true("flag")
                && !object.is_true("off")
                && object.is_true("yes")
                && !object.is_true("Code")
        );
        assert_eq!(object.object("Credentials").unwrap().list("list").unwrap().len(), 6);
        assert!(matches!(object.member("none"), Some(Value::Null)));
        assert!(parse(b"\xef\xbb\xbf {} ").is_ok());
    }

    #[test]
    fn b55_a_document_cut_at_any_byte_is_an_error() {
        for end in 0..DOCUMENT.len() {
            assert!(parse(&DOCUMENT.as_bytes()[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn b55_what_is_bad_is_refused_by_name() {
        let deep = format!("{{\"n\":{}", "[".repeat(100_000));
        let wide = |count| {
            let members: Vec<_> = (0..count).map(|number| format!("\"{number}\":1")).collect();
            format!("{{{}}}", members.join(","))
        };
        let nested = |depth| format!("{{\"n\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!((problem(&wide(256)), problem(&nested(15))), ("none", "none"));
        let (wide, nested) = (wide(257), nested(16));
        let table = [
            ("", "no object"),
            ("[]", "no object"),
            ("\"\"", "no object"),
            ("<html>", "no object"),
            ("{\"n\":}", "no value"),
            ("{\"n\":1,}", "no name of a member"),
            ("{\"n\":01}", "no value"),
            ("{\"n\":NaN}", "no value"),
            ("{\"n\":1e}", "no value"),
            ("{\"n\":1}x", "more after the object"),
            ("{\"n\":1,\"n\":1}", "a name that occurs twice"),
            ("{\"a\":1,\"\\u0061\":1}", "a name that occurs twice"),
            ("{\"o\":{\"n\":1,\"n\":1}}", "a name that occurs twice"),
            ("{\"n\":\"\\x\"}", "an escape that JSON does not know"),
            ("{\"n\":\"\\ud800\"}", "an escape of no character"),
            ("{\"n\":\"\\udc00\"}", "an escape of no character"),
            ("{\"n\":\"\\ud800\\u0041\"}", "an escape of no character"),
            ("{\"n\":\"\\ud800\\ue000\"}", "an escape of no character"),
            ("{\"n\":\"\\u12\"}", "an escape without four digits"),
            ("{\"n\":\"\n\"}", "a control character in a string"),
            ("{\"n\":\"\\\"}", "a string without an end"),
            (&deep, "values more than 16 levels deep"),
            (&nested, "values more than 16 levels deep"),
            (&wide, "an object with more than 256 members"),
        ];
        for (document, what) in table {
            assert_eq!(problem(document), what, "{}", &document[..document.len().min(40)]);
        }
        assert_eq!(parse(b"{\"n\":\"\xff\"}").err(), Some(Problem { what: "text that is not UTF-8", at: 6 }));
    }
}
