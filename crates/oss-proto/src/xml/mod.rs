//! XML as OSS speaks it: bounded, without namespaces, without surprises.

mod reader;
mod writer;

pub use reader::Reader;
pub use writer::Writer;

use alloc::string::String;

use percent_encoding::percent_decode_str;

use crate::{InvalidValue, Occurs, ReadError};

/// A value that is an XML element.
pub trait Element: Sized {
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
