//! Documents of OSS: any bytes are a value or a typed error.

use core::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use oss_proto::xml::{Reader, Writer};
use oss_proto::{
    Action, Call, CompleteMultipartUpload, CopyObject, Credentials, DeleteMultipleObjects, Endpoint, Error,
    ErrorCode, Event, Exchange, GetBucketInfo, GetObjectTagging, Head, HeadObject, InitiateMultipartUpload,
    ListBuckets, ListMultipartUploads, ListObjectVersions, ListObjects, ListObjectsV2, ListParts, Now,
    Operation, Paged, Policy, ReadError, Region, ReplyHead, Sent, Service, ServiceError, UnixTime,
    UploadPartCopy,
};

use super::{headers, is_short_line};
use crate::xml_agreement::agree;

/// An answer in which OSS says no, from the body and from the header of an answer to HEAD: always an error
/// that can be shown to a person, on one line and of bounded length.
pub fn error_document(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    shown(&ServiceError::read(404, &headers, bytes));
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    for name in ["x-oss-err", "x-oss-ec", "x-oss-request-id"] {
        headers.insert(name, value.clone());
    }
    shown(&ServiceError::read(503, &headers, b""));
}

/// A status in the first two bytes, headers in lines, an empty line, a body: whatever an answer is, what it
/// ends with is one short line, and OSS's own error is bounded.
pub fn headers_to_error(bytes: &[u8]) {
    let Some((&[high, low], rest)) = bytes.split_first_chunk() else { return };
    let status = 100 + u16::from_be_bytes([high, low]) % 500;
    let (headers, body) = headers(rest);
    let error = ServiceError::read(status, &headers, body);
    shown(&error);
    assert_eq!(ServiceError::read(status, &headers, body), error, "read again it is the same");
    let body = Bytes::copy_from_slice(body);
    let head = ReplyHead::new(status, headers);
    for error in [
        refused(&HeadObject::new("examplebucket", "a"), &head, &Bytes::new()),
        refused(&CopyObject::new("examplebucket", "a", source()), &head, &body),
    ] {
        let Some(error) = error else { continue };
        is_short_line(&error.to_string());
        assert!(!format!("{error:?}").is_empty());
        let id = error.request_id().unwrap_or("none");
        assert!(id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id:?}");
    }
}

/// The first byte chooses an operation, the others are the document that answers it: a value or a typed
/// error, the same each time, and never a value of one that was cut off. A list goes on or says that it is
/// stuck.
pub fn lists(bytes: &[u8]) {
    let Some((kind, document)) = bytes.split_first() else { return };
    let document = Bytes::copy_from_slice(document);
    match kind % 12 {
        0 => page(&ListObjectsV2::new("examplebucket"), &document),
        1 => page(&ListObjects::new("examplebucket"), &document),
        2 => page(&ListObjectVersions::new("examplebucket"), &document),
        3 => page(&ListMultipartUploads::new("examplebucket"), &document),
        4 => page(&ListParts::new("examplebucket", "a", "u"), &document),
        5 => page(&ListBuckets::new(), &document),
        6 => answer::<CompleteMultipartUpload>(&document),
        7 => answer::<CopyObject>(&document),
        8 => answer::<DeleteMultipleObjects>(&document),
        9 => answer::<InitiateMultipartUpload>(&document),
        10 => answer::<UploadPartCopy>(&document),
        _ => {
            answer::<GetObjectTagging>(&document);
            answer::<GetBucketInfo>(&document);
        }
    }
}

/// A document, read by walking, by skipping and by another reader, and a text, written and read back.
pub fn xml(bytes: &[u8]) {
    agree(bytes, ROOT);
    let walked = Reader::open(bytes, ROOT).and_then(|mut reader| {
        walk(&mut reader)?;
        reader.finish()
    });
    let skipped = Reader::open(bytes, ROOT).and_then(Reader::finish);
    if skipped.is_ok() {
        assert!(walked.is_ok(), "what is skipped can be walked: {walked:?}");
    }
    for error in [walked.err(), skipped.err()].into_iter().flatten() {
        is_short_line(&error.to_string());
    }
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let mut writer = Writer::new();
    writer.open(ROOT);
    writer.leaf("Key", text);
    writer.close(ROOT);
    let document = writer.finish();
    let read = Reader::open(&document, ROOT).and_then(|mut reader| {
        assert_eq!(reader.child()?, Some("Key"));
        let read = reader.text()?.into_owned();
        assert_eq!(reader.child()?, None);
        reader.finish().map(|_| read)
    });
    // No XML can say NUL; the reader takes no reference to it for one.
    let wanted = if text.contains('\0') { None } else { Some(text) };
    assert_eq!(read.as_deref().ok(), wanted, "what is written is read back: {read:?}");
}

/// Enters every element; the limits of the reader bound the walk.
fn walk(reader: &mut Reader<'_>) -> Result<(), ReadError> {
    let mut depth = 1;
    while depth > 0 {
        depth = if reader.child()?.is_some() { depth + 1 } else { depth - 1 };
        assert!(depth <= DEPTH_MAX, "the reader goes too deep");
    }
    Ok(())
}

fn answer<O: Operation<Output: PartialEq + core::fmt::Debug>>(document: &Bytes) {
    let head = ReplyHead::new(200, HeaderMap::new());
    let read = O::read(&head, document);
    if let Err(error) = &read {
        return is_short_line(&error.to_string());
    }
    assert_eq!(read, O::read(&head, document), "read again it is the same");
    // What says that it is whole says so to its last tag.
    if let Some(end) = document.windows(2).rposition(|pair| pair == b"</") {
        assert!(O::read(&head, &document.slice(..end)).is_err(), "half an answer is none");
    }
}

fn page<O: Paged<Output: PartialEq + core::fmt::Debug> + PartialEq>(first: &O, document: &Bytes) {
    answer::<O>(document);
    let Ok(page) = O::read(&ReplyHead::new(200, HeaderMap::new()), document) else { return };
    match first.next(&page) {
        // The same page after itself: it is the last one, or does not move on.
        Ok(Some(second)) => {
            assert!(second != *first, "a list that goes on asks for something else");
            assert!(!matches!(second.next(&page), Ok(Some(third)) if third == second), "an endless list");
        }
        Ok(None) => {}
        Err(error) => {
            assert!(error.is_pagination_stuck(), "{error}");
            is_short_line(&error.to_string());
        }
    }
}

/// A whole call, once, that is answered like this.
fn refused<O: Operation>(operation: &O, head: &ReplyHead, body: &Bytes) -> Option<Error> {
    let region = Region::parse("cn-hangzhou").expect("it is a region");
    let service = Service::new(Endpoint::public(&region)).with_region(region).with_retry(Policy::none());
    let now = Now { mono: Duration::ZERO, wall: UnixTime::from_secs(1_702_743_657) };
    let mut call = Exchange::new(operation, &service, Call::seeded(7));
    let mut body = Some(body.clone());
    loop {
        let event = match call.poll(now) {
            Action::Authenticate { .. } => {
                Event::Credentials(Credentials::new("id", "secret").expect("both are plain"))
            }
            Action::Send(_) => Event::Head(Head::new(head.clone(), Sent::new())),
            Action::Read { .. } => body.take().map_or(Event::End, Event::Body),
            Action::Retry(_) => Event::Retry(None),
            Action::Wait { .. } => unreachable!("nothing is repeated"),
            Action::Done(result) => return result.err(),
        };
        call.handle(event, now);
    }
}

fn source() -> oss_proto::CopySource {
    oss_proto::CopySource::new("examplebucket", "b")
}

fn shown(error: &ServiceError) {
    is_short_line(&error.to_string());
    assert!(error.message.chars().count() <= 4096, "the message is bounded");
    assert!(!error.message.contains(char::is_control), "the message is escaped");
    let id = error.request_id.as_deref().unwrap_or("none");
    assert!(id.len() <= 128 && id.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{id:?}");
    assert!(!error.code.as_str().contains(char::is_control), "{:?}", error.code.as_str());
    assert!(error.field_names().all(|name| error.field(name).is_some()));
    if error.field_names().next().is_none() {
        assert_eq!(error.code, ErrorCode::BAD_ERROR_RESPONSE, "a code comes from a document");
    }
    // Only that it comes back: what it must not show has a test beside it.
    assert!(!format!("{error:?}").is_empty());
}

const DEPTH_MAX: usize = 32;
const ROOT: &str = "Result";
