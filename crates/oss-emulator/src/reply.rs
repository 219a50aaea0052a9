//! Answers: what an operation says, and the headers that every answer carries.

use alloc::string::String;
use core::time::Duration;

use base64ct::{Base64, Encoding as _};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, SERVER};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::Body;
use crate::fault::Fault;
use crate::time::http_date;

/// A whole answer: the head, and the body as an iterator of pieces.
///
/// The body of an answer to HEAD is empty while `Content-Length` is that of the GET.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reply {
    /// Status and headers.
    pub head: http::Response<()>,
    /// The pieces of the body, in order.
    pub body: Body,
}

/// What an operation answers, before the common headers.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

impl Answer {
    pub(crate) fn ok() -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), body: Body::default() }
    }

    pub(crate) fn status(status: StatusCode) -> Self {
        Self { status, ..Self::ok() }
    }

    pub(crate) fn xml(document: String) -> Self {
        let mut answer = Self::ok();
        answer.body = Bytes::from(document).into();
        answer.header(CONTENT_TYPE, "application/xml")
    }

    /// Adds a header; a value that HTTP cannot carry is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Names the version, where versions are kept.
    pub(crate) fn version(self, id: Option<&str>) -> Self {
        match id {
            Some(id) => self.header(X_OSS_VERSION_ID, id),
            None => self,
        }
    }

    pub(crate) fn of_fault(fault: &Fault, request_id: &str, host: &str, is_head: bool) -> Self {
        let document = fault.document(request_id, host);
        let encoded = Base64::encode_string(document.as_bytes());
        let mut answer = Self::xml(document);
        answer.status = fault.status;
        if !fault.ec().is_empty() {
            answer = answer.header(X_OSS_EC, fault.ec());
        }
        if is_head {
            answer = answer.header(X_OSS_ERR, &encoded);
        }
        for (name, value) in &fault.headers {
            answer.headers.insert(name.clone(), value.clone());
        }
        if fault.status == StatusCode::NOT_MODIFIED {
            answer.body = Body::default();
            answer.headers.remove(CONTENT_TYPE);
        }
        answer
    }

    pub(crate) fn into_reply(self, request_id: &str, now: Duration, is_head: bool) -> Reply {
        let Self { status, headers, body } = self;
        let mut head = http::Response::new(());
        *head.status_mut() = status;
        let map = head.headers_mut();
        map.insert(SERVER, HeaderValue::from_static("AliyunOSS"));
        insert(map, DATE, &http_date(now));
        insert(map, X_OSS_REQUEST_ID, request_id);
        map.insert(X_OSS_SERVER_TIME, HeaderValue::from_static("1"));
        if status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED {
            map.insert(CONTENT_LENGTH, HeaderValue::from(body.remaining()));
        }
        for (name, value) in &headers {
            map.append(name, value.clone());
        }
        Reply { head, body: if is_head { Body::default() } else { body } }
    }
}

/// An answer of a service that is not OSS: no header of OSS, and whatever status.
pub(crate) fn plain(
    status: u16,
    kind: &str,
    headers: &[(&'static str, &str)],
    text: String,
    now: Duration,
) -> Reply {
    let mut head = http::Response::new(());
    *head.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_FOUND);
    let map = head.headers_mut();
    insert(map, DATE, &http_date(now));
    insert(map, CONTENT_TYPE, kind);
    map.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    for (name, value) in headers {
        insert(map, HeaderName::from_static(name), value);
    }
    Reply { head, body: Bytes::from(text).into() }
}

fn insert(map: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        map.insert(name, value);
    }
}

pub(crate) const X_OSS_HASH_CRC64ECMA: HeaderName = HeaderName::from_static("x-oss-hash-crc64ecma");
pub(crate) const X_OSS_DELETE_MARKER: HeaderName = HeaderName::from_static("x-oss-delete-marker");
pub(crate) const X_OSS_VERSION_ID: HeaderName = HeaderName::from_static("x-oss-version-id");
const X_OSS_EC: HeaderName = HeaderName::from_static("x-oss-ec");
const X_OSS_ERR: HeaderName = HeaderName::from_static("x-oss-err");
const X_OSS_REQUEST_ID: HeaderName = HeaderName::from_static("x-oss-request-id");
const X_OSS_SERVER_TIME: HeaderName = HeaderName::from_static("x-oss-server-time");
