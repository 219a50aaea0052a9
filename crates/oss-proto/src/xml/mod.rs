//! XML as OSS speaks it: bounded, without namespaces, without surprises.

mod reader;
mod writer;

pub use reader::Reader;
pub use writer::Writer;

use alloc::string::String;

use percent_encoding::percent_decode_str;

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

/// Decodes a text of an answer with `encoding-type=url`, once; a `+` stays a `+`.
pub(crate) fn decode_url(text: &str) -> Result<String, ReadError> {
    let wrong = || ReadError::value("percent-encoded UTF-8", text);
    // A `%` that escapes nothing would be passed through: whatever sent it did not encode the rest either.
    let mut escapes = text.split('%').skip(1);
    let is_hex =
        |part: &str| part.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
    if !escapes.all(is_hex) {
        return Err(wrong());
    }
    percent_decode_str(text).decode_utf8().map(alloc::borrow::Cow::into_owned).map_err(|_| wrong())
}
