//! A request before it has a host, a date and a signature.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64ct::{Base64, Encoding};
use bytes::Bytes;
use md5::{Digest, Md5};
use oss_endpoint::{BucketName, ObjectKey};

use crate::wire::checked::Checked;
use crate::wire::occurs::Occurs;
use crate::wire::spec::{ReplyKind, Scope, Spec};
use crate::wire::text::Text;
use crate::xml::{Element, Writer};
use crate::{Effect, InvalidRequest, InvalidValue, Metadata};

/// What an operation says on the wire, before it is addressed, dated and signed.
///
/// All fields are public: to send a parameter that is not modelled, edit the draft before
/// [`compose`](crate::compose). Query parameters and the key are *decoded*; `compose` encodes each of them
/// once.
///
/// `Debug` shows the names of headers and parameters without their values: a callback, for one, holds what
/// is nobody else's business.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Draft {
    /// The operation's name, for messages.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: http::Method,
    /// What is addressed.
    pub scope: Scope,
    /// The bucket; `None` at bucket or object scope means "the one of the service".
    pub bucket: Option<BucketName>,
    /// The object key.
    pub key: Option<ObjectKey>,
    /// Query parameters, decoded; an empty value is sent as the bare name. A request that V4 signs in its
    /// headers has them in the order in which they are signed: that of their encoded names.
    pub query: Vec<(Cow<'static, str>, String)>,
    /// Headers, names in lower case.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// Headers that we send ourselves but do not ask of the holder of a presigned URL.
    pub default_headers: Vec<(Cow<'static, str>, String)>,
    /// The body.
    pub body: Payload,
    /// What the answer's `x-oss-hash-crc64ecma` covers.
    pub checksum: Checksum,
    /// Whether a missing `content-type` is derived from the key's extension.
    pub detects_content_type: bool,
    /// How the answer is read.
    pub reply: ReplyKind,
    /// What a second arrival would do.
    pub effect: Effect,
    /// In a versioned bucket each arrival makes a version of its own; counts only while no version is named.
    pub makes_version: bool,
    /// OSS may be silent for minutes before it answers, or in the middle of its answer.
    pub slow: bool,
    /// The error codes that mean "already done" when an earlier attempt's outcome is unknown.
    pub gone_codes: &'static [&'static str],
    /// What the object will be, as far as it is known from elsewhere than the body.
    pub expected: Expected,
}

/// What an object will be once it is made of what OSS has already: nothing of it is sent.
///
/// A completion is compared with it, and a look at the object tells by it whether a completion of which
/// nobody knows took effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expected {
    /// Its length in bytes.
    pub size: Option<u64>,
    /// Its CRC-64.
    pub crc64: Option<u64>,
}

/// What the checksum in an answer to an upload covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checksum {
    /// Nothing that we sent.
    None,
    /// Exactly the body that we sent.
    Body,
    /// An object that ends with the body that we sent.
    Appended {
        /// The CRC-64 of what lies before it.
        initial: u64,
    },
}

/// The body of a request.
#[derive(Clone, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "a driver matches it completely")]
pub enum Payload {
    /// No body.
    #[default]
    Empty,
    /// A body in memory: can be sent any number of times.
    Bytes(Bytes),
    /// A body that the driver has; the machine sees a promise and a tally.
    Stream {
        /// Its length in bytes; `None` is sent chunked.
        len: Option<u64>,
        /// Whether it can be read again.
        replay: Replay,
    },
}

/// A driver's promise about its own stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver matches it completely")]
pub enum Replay {
    /// It can be read once: no repetition after its first byte was taken.
    Once,
    /// It can be reopened at its start for each attempt.
    FromStart,
}

impl Payload {
    /// The length in bytes, when it is known.
    pub fn len(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Stream { len, .. } => *len,
        }
    }

    /// Whether there is certainly no byte to send.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Stream { len, replay } => {
                f.debug_struct("Stream").field("len", len).field("replay", replay).finish()
            }
        }
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn names<'a>(pairs: &'a [(Cow<'static, str>, String)]) -> Vec<&'a str> {
            pairs.iter().map(|(name, _)| &**name).collect()
        }
        f.debug_struct("Draft")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("scope", &self.scope)
            .field("bucket", &self.bucket)
            .field("key", &self.key)
            .field("query", &names(&self.query))
            .field("headers", &names(&self.headers))
            .field("body", &self.body)
            .field("effect", &self.effect)
            .finish_non_exhaustive()
    }
}

macro_rules! payload_from {
    ($($type:ty),*) => {$(
        impl From<$type> for Payload {
            fn from(body: $type) -> Self {
                Self::Bytes(Bytes::from(body))
            }
        }
    )*};
}
payload_from!(&'static str, &'static [u8], String, Vec<u8>, Bytes);

impl Draft {
    /// An empty draft, judged by the strictest rules: never repeated once it may have arrived.
    pub fn new(operation: &'static str, method: http::Method, scope: Scope) -> Self {
        Self {
            operation,
            method,
            scope,
            bucket: None,
            key: None,
            query: Vec::new(),
            headers: Vec::new(),
            default_headers: Vec::new(),
            body: Payload::Empty,
            checksum: Checksum::None,
            detects_content_type: false,
            reply: ReplyKind::Head,
            effect: Effect::Once,
            makes_version: false,
            slow: false,
            gone_codes: &[],
            expected: Expected::default(),
        }
    }

    /// A draft of an operation that a table describes.
    pub(crate) fn of(spec: &'static Spec, method: http::Method) -> Self {
        let (reply, effect, slow) = (spec.reply, spec.effect, spec.slow);
        Self { reply, effect, slow, ..Self::new(spec.name, method, spec.scope) }
    }

    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name || n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The error "this field of this operation cannot be sent".
    pub(crate) fn invalid(
        &self,
        field: impl Into<Cow<'static, str>>,
        problem: InvalidValue,
    ) -> InvalidRequest {
        InvalidRequest::new(self.operation, field, problem)
    }

    pub(crate) fn put_bucket(&mut self, bucket: &Checked<BucketName>) -> Result<(), InvalidRequest> {
        self.bucket = bucket.name().map_err(|e| self.invalid("bucket", InvalidValue::from(e)))?.cloned();
        Ok(())
    }

    pub(crate) fn put_key(&mut self, key: &Checked<ObjectKey>) -> Result<(), InvalidRequest> {
        let key = key.name().map_err(|e| self.invalid("key", InvalidValue::from(e)))?;
        let missing = || self.invalid("key", InvalidValue::new("no object key was given"));
        self.key = Some(key.ok_or_else(missing)?.clone());
        Ok(())
    }

    pub(crate) fn put_fixed(&mut self, name: &'static str, value: &'static str) {
        self.query.push((Cow::Borrowed(name), String::from(value)));
    }

    pub(crate) fn put_default(&mut self, name: &'static str, value: &'static str) {
        self.default_headers.push((Cow::Borrowed(name), String::from(value)));
    }

    pub(crate) fn put_header<F: Occurs<Item: Text>>(
        &mut self,
        name: &'static str,
        field: &F,
    ) -> Result<(), InvalidRequest> {
        for item in field.items() {
            let text = item.header_text().map_err(|problem| self.invalid(name, problem))?.into_owned();
            self.headers.push((Cow::Borrowed(name), text));
        }
        Ok(())
    }

    pub(crate) fn put_query<F: Occurs<Item: Text>>(
        &mut self,
        name: &'static str,
        field: &F,
    ) -> Result<(), InvalidRequest> {
        for item in field.items() {
            let text = item.text().map_err(|problem| self.invalid(name, problem))?.into_owned();
            self.query.push((Cow::Borrowed(name), text));
        }
        Ok(())
    }

    pub(crate) fn put_prefix(
        &mut self,
        prefix: &'static str,
        map: Option<&Metadata>,
    ) -> Result<(), InvalidRequest> {
        let Some(map) = map else { return Ok(()) };
        map.check().map_err(|problem| self.invalid("metadata", problem))?;
        for (name, value) in map {
            let name = alloc::format!("{prefix}{}", name.to_ascii_lowercase());
            self.headers.push((Cow::Owned(name), value.clone()));
        }
        Ok(())
    }

    /// An XML body, with the `Content-MD5` that OSS asks for.
    pub(crate) fn put_xml<F: Occurs>(&mut self, root: &'static str, field: &F) -> Result<(), InvalidRequest> {
        for item in field.items() {
            let mut writer = Writer::new();
            item.write(root, &mut writer).map_err(|problem| self.invalid(root, problem))?;
            self.headers.push((Cow::Borrowed("content-type"), String::from("application/xml")));
            self.put_document(writer.finish());
        }
        Ok(())
    }

    /// A body `name=value`, as it is: OSS reads it as text, not as a form with escapes.
    pub(crate) fn put_form<F: Occurs<Item: Text>>(
        &mut self,
        name: &'static str,
        field: &F,
    ) -> Result<(), InvalidRequest> {
        for item in field.items() {
            let text = item.text().map_err(|problem| self.invalid(name, problem))?;
            let document = [name, "=", text.as_ref()].concat();
            self.put_document(document.into_bytes());
        }
        Ok(())
    }

    /// The CRC-64 that an append carries on; at position 0 there is nothing before it.
    pub(crate) fn put_carried(&mut self, initial: Option<u64>) {
        let is_first = || self.query.iter().any(|(name, value)| name == "position" && value == "0");
        let initial = initial.or_else(|| is_first().then_some(0));
        self.checksum = initial.map_or(Checksum::None, |initial| Checksum::Appended { initial });
    }

    /// What the object will be: the field of [`Expected`] by its name.
    pub(crate) fn put_expected(&mut self, what: &'static str, value: Option<u64>) {
        match what {
            "size" => self.expected.size = value,
            _ => self.expected.crc64 = value,
        }
    }

    pub(crate) fn put_body(&mut self, body: &Payload) {
        self.body = body.clone();
    }

    fn put_document(&mut self, document: Vec<u8>) {
        let body = Bytes::from(document);
        self.headers.push((Cow::Borrowed("content-md5"), content_md5(&body)));
        self.body = Payload::Bytes(body);
    }
}

/// The value of a `Content-MD5` header: base64 of the MD5 of the body (RFC 1864).
pub fn content_md5(body: &[u8]) -> String {
    Base64::encode_string(&Md5::digest(body))
}
