//! Values with a text form on the wire.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::{String, ToString};

use oss_sign::UnixTime;

use crate::xml::{Element, Reader, Writer};
use crate::{InvalidValue, ReadError};

/// A value that a header, a query parameter or the content of an XML element can carry.
pub trait Text: Sized {
    /// The text that is sent in a query or an XML body.
    ///
    /// # Errors
    /// When the value has no text form that OSS would accept.
    fn text(&self) -> Result<Cow<'_, str>, InvalidValue>;

    /// The text that is sent in a header; differs from [`text`](Self::text) for times (RFC 9110 dates).
    ///
    /// # Errors
    /// As [`text`](Self::text).
    fn header_text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        self.text()
    }

    /// Reads the text form; `None` when the text is not one.
    fn parse(text: &str) -> Option<Self>;

    /// The name of the type in an error message: `an unsigned integer`.
    const EXPECTED: &'static str;

    /// Whether an empty element or header means "absent" (numbers, booleans, times) rather than `""`.
    const EMPTY_IS_ABSENT: bool = false;
}

impl Text for String {
    const EXPECTED: &'static str = "text";

    fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        Ok(Cow::Borrowed(self))
    }

    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Text for bool {
    const EXPECTED: &'static str = "`true` or `false`";
    const EMPTY_IS_ABSENT: Self = true;

    fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        Ok(Cow::Borrowed(if *self { "true" } else { "false" }))
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

/// Times are ISO 8601 in XML (`2023-12-16T16:20:57.000Z`) and RFC 9110 dates in headers.
impl Text for UnixTime {
    const EXPECTED: &'static str = "an ISO 8601 time in UTC or an RFC 9110 date";
    const EMPTY_IS_ABSENT: bool = true;

    fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        Ok(Cow::Owned(self.iso_extended().to_string()))
    }

    fn header_text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        Ok(Cow::Owned(self.http_date().to_string()))
    }

    fn parse(text: &str) -> Option<Self> {
        Self::parse_iso_extended(text).or_else(|| Self::parse_http_date(text))
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Text for $number {
            const EXPECTED: &'static str = "an unsigned decimal number in range";
            const EMPTY_IS_ABSENT: bool = true;

            fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
                Ok(Cow::Owned(self.to_string()))
            }

            // `str::parse` takes a leading `+`; the wire has none.
            fn parse(text: &str) -> Option<Self> {
                if !text.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                text.parse().ok()
            }
        }
        text_element!($number);
    )*};
}

/// Makes a [`Text`] type the content of an XML element.
macro_rules! text_element {
    ($type:ty) => {
        impl crate::xml::Element for $type {
            fn write(&self, name: &str, to: &mut crate::xml::Writer) -> Result<(), crate::InvalidValue> {
                to.leaf(name, &crate::Text::text(self)?);
                Ok(())
            }

            fn read(from: &mut crate::xml::Reader<'_>) -> Result<Option<Self>, crate::ReadError> {
                crate::wire::text::read_text(&from.text()?)
            }
        }
    };
}
pub(crate) use text_element;

text_element!(bool);
text_element!(UnixTime);
numbers!(u16, u32, u64);

impl Element for String {
    fn write(&self, name: &str, to: &mut Writer) -> Result<(), InvalidValue> {
        to.leaf(name, self);
        Ok(())
    }

    fn read(from: &mut Reader<'_>) -> Result<Option<Self>, ReadError> {
        Ok(Some(from.text()?.into_owned()))
    }

    fn decode_url(&mut self) -> Result<(), ReadError> {
        *self = crate::xml::decode_url(core::mem::take(self))?;
        Ok(())
    }
}

/// Reads a text, or says what was expected instead.
pub(crate) fn read_text<T: Text>(text: &str) -> Result<Option<T>, ReadError> {
    if text.is_empty() && T::EMPTY_IS_ABSENT {
        return Ok(None);
    }
    T::parse(text).map(Some).ok_or_else(|| ReadError::value(T::EXPECTED, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b52_numbers_and_booleans_are_strict() {
        for bad in ["-1", "+1", "1e3", " 1", "1 ", "18446744073709551616", "0x1", "١"] {
            assert_eq!(<u64 as Text>::parse(bad), None, "{bad}");
        }
        for bad in ["TRUE", "1", "True", " true"] {
            assert_eq!(<bool as Text>::parse(bad), None, "{bad}");
        }
        assert_eq!(<u64 as Text>::parse("18446744073709551615"), Some(u64::MAX));
        assert_eq!(<u64 as Text>::parse("007"), Some(7));
    }

    #[test]
    fn an_empty_number_is_absent_and_an_empty_string_is_not() {
        assert_eq!(read_text::<u64>(""), Ok(None));
        assert_eq!(read_text::<bool>(""), Ok(None));
        assert_eq!(read_text::<String>(""), Ok(Some(String::new())));
    }

    #[test]
    fn times_read_both_forms_and_write_the_one_of_the_place() {
        let time = UnixTime::from_secs(1_702_743_657);
        assert_eq!(<UnixTime as Text>::parse("2023-12-16T16:20:57.000Z"), Some(time));
        assert_eq!(<UnixTime as Text>::parse("Sat, 16 Dec 2023 16:20:57 GMT"), Some(time));
        assert_eq!(time.header_text().unwrap(), "Sat, 16 Dec 2023 16:20:57 GMT");
    }
}
