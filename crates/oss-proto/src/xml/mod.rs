//! XML as OSS speaks it: bounded, without namespaces, without surprises.

mod reader;
mod tokens;
mod writer;

pub use reader::Reader;
pub use writer::Writer;

use alloc::string::{String, ToString};

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

use crate::wire::text::read_text;
use crate::{InvalidValue, Occurs, ReadError, Row, Text};

/// A value that is an XML element.
pub trait Element: Sized {
    /// What the element holds, as data; nothing when it holds text.
    const ROWS: &'static [Row] = &[];

    /// Writes the element under this name.
    ///
    /// # Errors
    /// When a value inside has no text form.
    fn write(&self, name: &str, to: &mut Writer) -> Result<(), InvalidValue>;

    /// Reads the element that the reader has just entered, up to its end; `None` when an empty one means
    /// "absent".
    ///
    /// # Errors
    /// When the document breaks off, or holds what this type cannot.
    fn read(from: &mut Reader<'_>) -> Result<Option<Self>, ReadError>;

    /// Percent-decodes the element's own text, for `encoding-type=url`.
    ///
    /// # Errors
    /// When the text is not percent-encoded UTF-8.
    fn decode_url(&mut self) -> Result<(), ReadError> {
        self.decode_inside()
    }

    /// Percent-decodes what inside the element is encoded under `encoding-type=url`.
    ///
    /// # Errors
    /// As [`decode_url`](Self::decode_url).
    fn decode_inside(&mut self) -> Result<(), ReadError> {
        Ok(())
    }
}

/// Reads the entered element into a field.
pub(crate) fn offer<F: Occurs>(
    partial: &mut F::Partial,
    from: &mut Reader<'_>,
    name: &'static str,
) -> Result<(), ReadError> {
    match F::Item::read(from).map_err(|error| error.inside(name))? {
        Some(item) => F::offer(partial, item, name),
        None => Ok(()),
    }
}

/// Reads a document that is one element with text.
pub(crate) fn root_text<F: Occurs<Item: Text>>(document: &[u8], root: &'static str) -> Result<F, ReadError> {
    let mut reader = Reader::open(document, root)?;
    let text = reader.text().map_err(|error| error.inside(root))?;
    reader.finish()?;
    let mut partial = F::Partial::default();
    if let Some(item) = read_text(&text).map_err(|error| error.inside(root))? {
        F::offer(&mut partial, item, root)?;
    }
    F::finish(partial, root)
}

/// Decodes a text of an answer with `encoding-type=url` where it stands, once; a `+` stays a `+`.
pub(crate) fn decode_url(text: String) -> Result<String, ReadError> {
    let Some(first) = text.find('%') else { return Ok(text) };
    let mut bytes = text.into_bytes();
    let (mut from, mut to) = (first, first);
    while let Some(&byte) = bytes.get(from) {
        let (decoded, width) = match byte {
            // Not passed through when it escapes nothing: whatever sent it did not encode the rest either.
            b'%' => (escaped(&bytes, from).ok_or_else(|| not_encoded(&bytes, to, from))?, 3),
            plain => (plain, 1),
        };
        // What is decoded is never longer than what it was decoded from.
        if let Some(slot) = bytes.get_mut(to) {
            *slot = decoded;
        }
        from += width;
        to += 1;
    }
    bytes.truncate(to);
    String::from_utf8(bytes).map_err(|error| not_encoded(error.as_bytes(), to, to))
}

/// The byte that the escape at this place stands for.
fn escaped(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| bytes.get(at).and_then(|&byte| char::from(byte).to_digit(16));
    u8::try_from(digit(at + 1)? * 16 + digit(at + 2)?).ok()
}

/// The fault of a text that is decoded up to `to` and encoded from `from` on; shows it about as it came.
#[cold]
fn not_encoded(bytes: &[u8], to: usize, from: usize) -> ReadError {
    // What is shown is cut anyway, and a text may be as long as its document.
    let start = bytes.get(..to.min(SHOWN_BYTES_MAX)).unwrap_or_default();
    let mut shown = percent_encode(start, NON_ALPHANUMERIC).to_string();
    if to <= SHOWN_BYTES_MAX {
        let end = from.saturating_add(SHOWN_BYTES_MAX).min(bytes.len());
        shown.push_str(&String::from_utf8_lossy(bytes.get(from..end).unwrap_or_default()));
    }
    ReadError::value("percent-encoded UTF-8", &shown)
}

/// More than a message shows.
const SHOWN_BYTES_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_text_is_decoded_once() {
        for (encoded, decoded) in [
            ("", ""),
            ("plain/目录", "plain/目录"),
            ("a+b%2Bc%20d", "a+b+c d"),
            ("%E7%9B%AE%e5%bd%95%2F目", "目录/目"),
            ("%2525", "%25"),
            ("%00%7f", "\0\u{7f}"),
        ] {
            assert_eq!(decode_url(String::from(encoded)).as_deref(), Ok(decoded), "{encoded}");
        }
    }

    #[test]
    fn a_text_that_is_not_encoded_is_shown_as_it_came() {
        for bad in ["100%", "a%2", "a%20b%zz", "%", "%%41", "%+1", "%FF", "a%E7%9B", "%C3%28"] {
            let message = decode_url(String::from(bad)).unwrap_err().to_string();
            assert!(message.contains(&alloc::format!("`{bad}`")), "{message}");
        }
    }
}
