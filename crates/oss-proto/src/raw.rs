//! The escape hatch: an operation that no table describes.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use oss_endpoint::{BucketName, ObjectKey};

use crate::wire::spec::Scope;
use crate::{
    Checked, Draft, Effect, IntoField, InvalidRequest, Operation, Payload, ReadError, ReplyHead, ReplyKind,
    Spec,
};

/// Any request to OSS: signed, sent, retried and judged like the others, its answer handed over as it is.
///
/// ```
/// use oss_proto::{Operation, Raw};
///
/// let raw = Raw::new("GetBucketStat", http::Method::GET).bucket("examplebucket").query("stat", "");
/// assert_eq!(raw.draft()?.query[0].0, "stat");
/// # Ok::<(), oss_proto::InvalidRequest>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Raw {
    /// The name of the operation, for messages.
    pub name: &'static str,
    /// The HTTP method.
    pub method: http::Method,
    /// The bucket; not named and without a key means the service.
    pub bucket: Checked<BucketName>,
    /// The object key, if an object is addressed.
    pub key: Option<Checked<ObjectKey>>,
    /// Query parameters, decoded.
    pub query: Vec<(Cow<'static, str>, String)>,
    /// Headers, names in lower case.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body.
    pub body: Payload,
    /// What a second arrival would do; by the method unless set.
    pub effect: Effect,
    scope: Scope,
}

impl Raw {
    /// A request to the service; name a bucket or a key to address those.
    pub fn new(name: &'static str, method: http::Method) -> Self {
        let effect = match method {
            http::Method::GET | http::Method::HEAD | http::Method::OPTIONS => Effect::Read,
            http::Method::PUT | http::Method::DELETE => Effect::Idempotent,
            _ => Effect::Once,
        };
        Self {
            name,
            method,
            bucket: Checked::default(),
            key: None,
            query: Vec::new(),
            headers: Vec::new(),
            body: Payload::Empty,
            effect,
            scope: Scope::Service,
        }
    }

    /// Addresses a bucket.
    #[must_use]
    pub fn bucket(mut self, bucket: impl IntoField<Checked<BucketName>>) -> Self {
        self.bucket = bucket.into_field();
        self.scope = if self.key.is_some() { Scope::Object } else { Scope::Bucket };
        self
    }

    /// Addresses an object.
    #[must_use]
    pub fn key(mut self, key: impl IntoField<Checked<ObjectKey>>) -> Self {
        self.key = Some(key.into_field());
        self.scope = Scope::Object;
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
        let name = name.into();
        let lower = if name.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            name
        };
        self.headers.push((lower, value.into()));
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
}

impl Operation for Raw {
    const SPEC: &'static Spec = &Spec {
        name: "Raw",
        method: "*",
        scope: Scope::Service,
        fixed: &[],
        effect: Effect::Once,
        reply: ReplyKind::Collect,
        fields: &[],
        answer: &[],
        slow: true,
    };

    type Output = Bytes;

    fn effect(&self) -> Effect {
        self.effect
    }

    fn draft(&self) -> Result<Draft, InvalidRequest> {
        // Destructured, so that a new field cannot be forgotten here.
        let Self { name, method, bucket, key, query, headers, body, effect: _, scope } = self;
        let mut draft = Draft::new(name, method.clone(), *scope);
        draft.put_bucket(bucket)?;
        if let Some(key) = key {
            draft.put_key(key)?;
        }
        draft.query.clone_from(query);
        draft.headers.clone_from(headers);
        draft.body.clone_from(body);
        Ok(draft)
    }

    fn read(_: &ReplyHead, body: &Bytes) -> Result<Bytes, ReadError> {
        Ok(body.clone())
    }
}
