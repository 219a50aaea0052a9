//! The little JSON that OSS speaks: the members of one object, read from a bounded body.

use alloc::string::String;

use crate::wire::text::read_text;
use crate::{Occurs, ReadError, Text};

/// The member of this name of the object that the body is: `T`, `Option<T>` or `Vec<T>`.
///
/// Texts, numbers and booleans are read by their text, so `"344606"` is as good a number as `344606`; `null`
/// is absent. The whole document is checked whatever the name (RFC 8259): one that breaks off has no members.
pub(crate) fn member<F: Occurs<Item: Text>>(body: &[u8], name: &'static str) -> Result<F, ReadError> {
    let text = core::str::from_utf8(body)
        .map_err(|e| ReadError::json("text that is not UTF-8", e.valid_up_to() as u64))?;
    let mut reader = Reader { text, at: 0 };
    let (mut partial, mut is_there) = (F::Partial::default(), false);
    reader.expect(b'{', "no object")?;
    let mut more = !reader.take(b'}');
    while more {
        reader.expect(b'"', "no name of a member")?;
        let is_wanted = reader.name_is(name)?;
        // Whatever it holds, `null` too: two readers could take different ones.
        if is_wanted && core::mem::replace(&mut is_there, true) {
            return Err(ReadError::repeated(name));
        }
        reader.expect(b':', "no `:` after a name")?;
        let value = reader.value(2, is_wanted)?;
        if let Some(value) = value {
            let item = read_text::<F::Item>(&value).map_err(|error| error.inside(name))?;
            if let Some(item) = item {
                F::offer(&mut partial, item, name)?;
            }
        }
        more = reader.goes_on(b'}')?;
    }
    reader.end()?;
    F::finish(partial, name)
}

struct Reader<'x> {
    text: &'x str,
    at: usize,
}

impl<'x> Reader<'x> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn problem(&self, problem: &'static str) -> ReadError {
        ReadError::json(problem, self.at as u64)
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

    fn expect(&mut self, byte: u8, problem: &'static str) -> Result<(), ReadError> {
        if self.take(byte) { Ok(()) } else { Err(self.problem(problem)) }
    }

    /// After an item: whether another one follows, or this byte ends them.
    fn goes_on(&mut self, end: u8) -> Result<bool, ReadError> {
        if self.take(b',') {
            return Ok(true);
        }
        self.expect(end, "neither `,` nor an end").map(|()| false)
    }

    fn end(&mut self) -> Result<(), ReadError> {
        self.blanks();
        if self.at == self.text.len() { Ok(()) } else { Err(self.problem("more after the object")) }
    }

    /// Reads any value; gives its text, if it is wanted, unless it is `null`, an object or an array.
    fn value(&mut self, depth: usize, is_wanted: bool) -> Result<Option<String>, ReadError> {
        if depth > DEPTH_MAX {
            return Err(self.problem("values more than 32 levels deep"));
        }
        if self.take(b'"') {
            return self.string(is_wanted).map(|text| is_wanted.then_some(text));
        }
        if self.take(b'{') {
            let mut more = !self.take(b'}');
            while more {
                self.expect(b'"', "no name of a member")?;
                self.string(false)?;
                self.expect(b':', "no `:` after a name")?;
                self.value(depth + 1, false)?;
                more = self.goes_on(b'}')?;
            }
            return Ok(None);
        }
        if self.take(b'[') {
            let mut more = !self.take(b']');
            while more {
                self.value(depth + 1, false)?;
                more = self.goes_on(b']')?;
            }
            return Ok(None);
        }
        self.word().map(|word| word.filter(|_| is_wanted).map(String::from))
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<Option<&'x str>, ReadError> {
        let text = self.text;
        let rest = text.get(self.at..).unwrap_or_default();
        let end = rest.bytes().position(|b| !(b.is_ascii_alphanumeric() || b"+-.".contains(&b)));
        let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if !(matches!(word, "true" | "false" | "null") || is_number(word)) {
            return Err(self.problem("no value"));
        }
        self.at += word.len();
        Ok((word != "null").then_some(word))
    }

    /// The rest of a name whose opening quote was passed: whether it is this one.
    fn name_is(&mut self, name: &str) -> Result<bool, ReadError> {
        let start = self.at;
        self.string(false)?;
        let raw = self.text.get(start..self.at.saturating_sub(1)).unwrap_or_default();
        // Six bytes, `\u0061`, are the most that stand for one.
        if !raw.contains('\\') || raw.len() > name.len().saturating_mul(6) {
            return Ok(raw == name);
        }
        self.at = start;
        Ok(self.string(true)? == name)
    }

    /// The rest of a string whose opening quote was passed; empty when it is not wanted. What is wanted has a
    /// limit, since it is a name, a number or a word: nobody can make us keep a document several times over.
    fn string(&mut self, is_wanted: bool) -> Result<String, ReadError> {
        let mut text = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(stop) = rest.bytes().position(|b| b == b'"' || b == b'\\' || b < b' ') else {
                return Err(self.problem("a string without an end"));
            };
            if is_wanted {
                if text.len().saturating_add(stop) > STRING_BYTES_MAX {
                    return Err(self.problem("a string of more than 64 KiB"));
                }
                text.push_str(rest.get(..stop).unwrap_or_default());
            }
            self.at += stop;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let letter = self.escape()?;
                    if is_wanted {
                        text.push(letter);
                    }
                }
                _ => return Err(self.problem("a control character in a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ReadError> {
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

    fn code_point(&mut self) -> Result<char, ReadError> {
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

    fn hex(&mut self) -> Result<u32, ReadError> {
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

const DEPTH_MAX: usize = 32;
const STRING_BYTES_MAX: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"bucket":"b","fileSize": 3267 , "object":"a\u4e2d\ud83d\ude00\"\/\n",
        "deep":{"bucket":["x",{}, [], 1.5e+3, -0, true]},"none":null,"status":"OK"}"#;

    #[test]
    fn members_are_read_by_their_text() {
        let text = |name| member::<Option<String>>(DOCUMENT.as_bytes(), name).unwrap();
        assert_eq!(text("bucket").as_deref(), Some("b"));
        assert_eq!(text("object").as_deref(), Some("a中😀\"/\n"));
        assert_eq!((text("none"), text("deep"), text("other")), (None, None, None));
        assert_eq!(member::<Option<u64>>(DOCUMENT.as_bytes(), "fileSize"), Ok(Some(3267)));
        assert_eq!(member::<Option<u64>>(b"{\"n\":\"7\"}", "n"), Ok(Some(7)));
        assert_eq!(member::<Option<u64>>(b" { } ", "n"), Ok(None));
    }

    #[test]
    fn b49_a_document_cut_at_any_byte_is_an_error() {
        for end in 0..DOCUMENT.len() {
            assert!(member::<Option<String>>(&DOCUMENT.as_bytes()[..end], "bucket").is_err(), "{end}");
        }
    }

    #[test]
    fn what_is_no_json_object_is_an_error() {
        for bad in [
            "[]",
            "1",
            "\"\"",
            "{\"n\":}",
            "{\"n\":1,}",
            "{\"n\":01}",
            "{\"n\":1.}",
            "{\"n\":+1}",
            "{n:1}",
            "{\"n\":1}x",
            "{\"n\":tru}",
            "{\"n\":\"\\x\"}",
            "{\"n\":\"\\ud800\"}",
            "{\"n\":\"\\u12\"}",
            "{\"n\":\"\n\"}",
            "{\"n\":1e}",
            "{\"n\" 1}",
            "{\"n\":NaN}",
            "{\"n\":\"\\ud800\\u0041\"}",
        ] {
            assert!(member::<Option<String>>(bad.as_bytes(), "n").is_err(), "{bad}");
        }
        assert!(member::<Option<u64>>(b"{\"n\":1,\"n\":2}", "n").is_err());
        for twice in ["1,\"n\":null", "null,\"n\":1", "{},\"n\":1", "null,\"\\u006e\":null"] {
            let document = alloc::format!("{{\"n\":{twice}}}");
            assert_eq!(
                member::<Option<u64>>(document.as_bytes(), "n"),
                Err(ReadError::repeated("n")),
                "{twice}"
            );
        }
        assert!(member::<u64>(b"{}", "n").is_err());
        assert!(member::<Option<u64>>(b"{\"n\":-1}", "n").is_err());
        assert!(member::<Option<u64>>(b"{\"n\":\"\xff\"}", "n").is_err());
    }

    #[test]
    fn b46_the_33rd_level_is_refused() {
        for (levels, is_good) in [(32, true), (33, false), (1_000_000, false)] {
            let document = alloc::format!("{{\"n\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
            let read = member::<Option<String>>(document.as_bytes(), "n");
            assert_eq!(read.is_ok(), is_good, "{levels}");
        }
    }

    #[test]
    fn b48_a_text_that_is_kept_has_64_kib_and_another_any_length() {
        let document = |text: &str| alloc::format!("{{\"other\":\"{0}{0}\",\"n\":\"{0}\"}}", text);
        for part in ["a", "\\n", "\\u0041", "目"] {
            let (one, bytes) = if part == "目" { (3, 65_535) } else { (1, 65_536) };
            let good = document(&part.repeat(bytes / one));
            let read = member::<Option<String>>(good.as_bytes(), "n").unwrap();
            assert_eq!(read.map(|text| text.len()), Some(bytes), "{part}");
            let bad = document(&alloc::format!("{}a", part.repeat(65_536 / one + 1)));
            let error = member::<Option<String>>(bad.as_bytes(), "n").unwrap_err();
            assert!(alloc::format!("{error}").contains("more than 64 KiB"), "{part}: {error}");
        }
    }
}
