//! The escape hatch: an operation that no table describes.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use oss_endpoint::{BucketName, ObjectKey};

use crate::wire::spec::Scope;
use crate::{
    Checked, Draft, Effect, IntoField, InvalidRequest, Operation, Payload, ReadError, ReplyHead, ReplyKind,
};

/// Any request to OSS: signed, sent, retried and judged like the others, its answer handed over as it is.
///
/// ```
/// use oss_proto::{Operation, Raw, Scope};
///
/// let raw = Raw::new("GetBucketStat", http::Method::GET,
/// Scope::Bucket).bucket("examplebucket").query("stat", ""); assert_eq!(raw.draft()?.query[0].0, "stat");
/// # Ok::<(), oss_proto::InvalidRequest>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Raw {
    /// The name of the operation, for messages.
    pub name: &'static str,
    /// The HTTP method.
    pub method: http::Method,
    /// What is addressed.
    pub scope: Scope,
    /// The bucket; not named at bucket or object scope means that of the service it is sent through.
    pub bucket: Checked<BucketName>,
    /// The object key; object scope needs one.
    pub key: Checked<ObjectKey>,
    /// Query parameters, decoded.
    pub query: Vec<(Cow<'static, str>, String)>,
    /// Headers.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body.
    pub body: Payload,
    /// What a second arrival would do; by the method unless set.
    pub effect: Effect,
    /// Whether OSS may be silent for minutes before it answers.
    pub slow: bool,
}

impl Raw {
    /// A request to the service, a bucket or an object.
    pub fn new(name: &'static str, method: http::Method, scope: Scope) -> Self {
        let effect = match method {
            http::Method::GET | http::Method::HEAD | http::Method::OPTIONS => Effect::Read,
            http::Method::PUT | http::Method::DELETE => Effect::Idempotent,
            _ => Effect::Once,
        };
        Self {
            name,
            method,
            scope,
            bucket: Checked::default(),
            key: Checked::default(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Payload::Empty,
            effect,
            slow: false,
        }
    }

    /// Names the bucket.
    #[must_use]
    pub fn bucket(mut self, bucket: impl IntoField<Checked<BucketName>>) -> Self {
        self.bucket = bucket.into_field();
        self
    }

    /// Names the object.
    #[must_use]
    pub fn key(mut self, key: impl IntoField<Checked<ObjectKey>>) -> Self {
        self.key = key.into_field();
        self
    }

    /// Adds a query parameter, decoded; an empty value is sent as the bare name.
    #[must_use]
    pub fn query(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl IntoField<Payload>) -> Self {
        self.body = body.into_field();
        self
    }

    /// Says what a second arrival would do, where the method does not tell.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// Lets OSS be silent for minutes before it answers.
    #[must_use]
    pub fn slow(mut self) -> Self {
        self.slow = true;
        self
    }
}

impl Operation for Raw {
    type Output = Bytes;

    fn draft(&self) -> Result<Draft, InvalidRequest> {
        // Destructured, so that a new field cannot be forgotten here.
        let Self { name, method, scope, bucket, key, query, headers, body, effect, slow } = self;
        let mut draft = Draft::new(name, method.clone(), *scope);
        draft.put_bucket(bucket)?;
        if !key.is_unnamed() {
            draft.put_key(key)?;
        }
        draft.query.clone_from(query);
        draft.headers.clone_from(headers);
        draft.body.clone_from(body);
        draft.effect = *effect;
        draft.slow = *slow;
        draft.reply = ReplyKind::Collect;
        Ok(draft)
    }

    fn read(_: &ReplyHead, body: &Bytes) -> Result<Bytes, ReadError> {
        Ok(body.clone())
    }
}
