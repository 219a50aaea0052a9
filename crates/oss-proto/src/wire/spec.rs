//! Operations as data, for tests and tools.

use oss_retry::Effect;

/// What the table of an operation says, as data: the catalogue checks and the documentation read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spec {
    /// The vendor's name of the operation: `PutObject`.
    pub name: &'static str,
    /// The HTTP method in upper case.
    pub method: &'static str,
    /// What the operation addresses.
    pub scope: Scope,
    /// Query parameters that are always sent, with their values (`""` is sent as the bare name).
    pub fixed: &'static [(&'static str, &'static str)],
    /// What a second arrival would do, unless a field changes it.
    pub effect: Effect,
    /// How the answer is read.
    pub reply: ReplyKind,
    /// Where the fields of the request go.
    pub fields: &'static [Row],
    /// Where the fields of the answer come from.
    pub answer: &'static [Row],
    /// OSS may stay silent for minutes before it answers (copies, completions): wait longer for the head.
    pub slow: bool,
}

/// One row of a table: `field: Type = place "wire-name"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// The name of the Rust field.
    pub field: &'static str,
    /// Where it goes: `header`, `query`, `prefix`, `body`, `form`, `carried`, `expected`, `xml`, `url`,
    /// `root`, `json`.
    pub place: &'static str,
    /// Its name there, `Outer/Inner` for an element inside another, `A|B` for either of two; empty for a
    /// place without names.
    pub wire: &'static str,
    /// Whether the request cannot be made without it.
    pub required: bool,
    /// The rows of the structure that an XML element holds; empty for text.
    pub inside: &'static [Self],
}

/// What an operation addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a URL has room for no further kind")]
pub enum Scope {
    /// The service: no bucket.
    Service,
    /// A bucket.
    Bucket,
    /// An object in a bucket.
    Object,
}

/// How an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyKind {
    /// Nothing but the head is looked at.
    Head,
    /// The body is an XML document with this root element.
    Xml {
        /// The local name of the root.
        root: &'static str,
    },
    /// The body is whatever it is, collected.
    Collect,
    /// The exchange ends at the head; the body is streamed by [`Fetch`](crate::Fetch).
    Stream,
}
