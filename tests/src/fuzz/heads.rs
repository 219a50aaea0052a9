//! What stands in the head of an answer: lengths, ranges, checksums, dates.

use bytes::Bytes;
use oss_proto::{
    AppendObject, ByteRange, ContentRange, ETag, GetObject, HeadObject, Operation, PutObject, ReplyHead, Text,
};
use oss_sign::UnixTime;

use super::{headers, is_short_line};

/// Headers, a line each: what is read of them is what they say, by checked arithmetic, and written again it
/// is read as the same.
pub fn answer_head(bytes: &[u8]) {
    let (headers, _) = headers(bytes);
    let head = ReplyHead::new(206, headers);
    let values = |name: &str| head.headers().get_all(name).iter().map(http::HeaderValue::as_bytes);
    match head.content_length() {
        Ok(None) => assert_eq!(values("content-length").count(), 0),
        Ok(Some(length)) => {
            assert_eq!(values("content-length").count(), 1, "one length");
            assert_eq!(values("content-length").next().and_then(decimal), Some(length));
        }
        Err(error) => is_short_line(&error.to_string()),
    }
    match head.crc64() {
        Ok(Some(crc)) => assert_eq!(values("x-oss-hash-crc64ecma").find_map(decimal), Some(crc)),
        Ok(None) => {}
        Err(error) => is_short_line(&error.to_string()),
    }
    if let Some(id) = head.request_id() {
        assert!(id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id:?}");
    }
    for text in head.headers().values().filter_map(|value| core::str::from_utf8(value.as_bytes()).ok()) {
        ranges(text);
        if let Some(tag) = ETag::parse(text) {
            assert!(tag.as_str() == text && text.len() <= 1024 && !text.contains(char::is_control));
        }
        if let Some(time) = UnixTime::parse_http_date(text) {
            assert_eq!(time.http_date().as_str(), text, "there is one way to write an HTTP date");
        }
    }
    read::<GetObject>(&head);
    read::<HeadObject>(&head);
    read::<PutObject>(&head);
    read::<AppendObject>(&head);
}

fn read<O: Operation<Output: PartialEq + core::fmt::Debug>>(head: &ReplyHead) {
    let read = O::read(head, &Bytes::new());
    if let Err(error) = &read {
        is_short_line(&error.to_string());
    }
    assert_eq!(read, O::read(head, &Bytes::new()), "read again it is the same");
}

/// A range that is given or asked for is inside of what it is about.
fn ranges(text: &str) {
    if let Some(range) = ContentRange::parse(text) {
        assert!(range.first <= range.last && range.last < range.size, "{text}");
        let written = range.text().expect("it has a text form");
        assert_eq!(ContentRange::parse(&written), Some(range));
        // Zeros in front are the only thing that is not kept.
        assert!(written.len() <= text.len());
        let asked = ByteRange::new(range.first..=range.last);
        assert_eq!(asked.select(range.size), range.last.checked_add(1).map(|end| range.first..end));
    }
    let Some(range) = ByteRange::parse(text) else { return };
    for size in [0, 1, 10, u64::MAX] {
        if let Some(selected) = range.select(size) {
            assert!(selected.start < selected.end && selected.end <= size, "{text} of {size}");
        }
    }
    if let Ok(written) = range.text() {
        assert_eq!(ByteRange::parse(&written), Some(range), "{text}");
    }
}

/// A decimal number, one digit after the other; blanks around it do not count.
fn decimal(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    let mut digits = text.iter().map(|byte| byte.is_ascii_digit().then(|| u64::from(byte - b'0')));
    let number = digits.try_fold(0_u64, |number, digit| number.checked_mul(10)?.checked_add(digit?));
    number.filter(|_| !text.is_empty())
}

/// Three date formats: what is read is written back as the same moment.
pub fn http_date(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    if let Some(time) = UnixTime::parse_http_date(text) {
        assert_eq!(time.http_date().as_str(), text, "there is one way to write an HTTP date");
    }
    if let Some(time) = UnixTime::parse_iso_basic(text) {
        assert_eq!(time.iso_basic().as_str(), text, "there is one way to write a basic date");
    }
    if let Some(time) = UnixTime::parse_iso_extended(text) {
        let written = time.iso_extended();
        assert_eq!(UnixTime::parse_iso_extended(&written), Some(time));
        assert_eq!(UnixTime::parse_http_date(&time.http_date()), Some(time));
        assert_eq!(UnixTime::parse_iso_basic(&time.iso_basic()), Some(time));
    }
}
