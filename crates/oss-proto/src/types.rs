//! The types of fields that are more than text.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use core::ops::{Bound, RangeBounds};

use base64ct::{Base64, Encoding};
use oss_endpoint::{BucketName, ObjectKey};

use crate::wire::text::text_element;
use crate::{Checked, IntoField, InvalidValue, Text};

/// User metadata (`x-oss-meta-…`): names without the prefix, in lower case, with their values.
///
/// Names are HTTP tokens, values printable ASCII; both together take at most 8 KiB
/// ([user metadata](https://help.aliyun.com/zh/oss/user-guide/manage-object-metadata)). Anything else is refused
/// before it is sent, because what a proxy makes of it would not match the signature.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// No metadata.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry; an entry of the same name is replaced and returned.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) -> Option<String> {
        self.0.insert(name.into(), value.into())
    }

    /// The value of an entry, whatever the case of its name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn check(&self) -> Result<(), InvalidValue> {
        let mut total = 0usize;
        let mut seen = alloc::collections::BTreeSet::new();
        for (name, value) in &self.0 {
            total = total.saturating_add(name.len()).saturating_add(value.len());
            if name.is_empty() || !name.bytes().all(is_token_byte) {
                return Err(InvalidValue::new(format!(
                    "the name {name:?} is no HTTP token; use letters, digits and `-`"
                )));
            }
            if !seen.insert(name.to_ascii_lowercase()) {
                return Err(InvalidValue::new(format!(
                    "the name {name:?} occurs twice, differing in case only"
                )));
            }
            check_header_value(value).map_err(|problem| InvalidValue::new(format!("{name}: {problem}")))?;
        }
        if total > METADATA_BYTES_MAX {
            return Err(InvalidValue::new(format!("{total} bytes in all; OSS takes {METADATA_BYTES_MAX}")));
        }
        Ok(())
    }
}

impl FromIterator<(String, String)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Metadata {
    type Item = (&'a String, &'a String);
    type IntoIter = alloc::collections::btree_map::Iter<'a, String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What OSS can be sent in a header: printable ASCII, inner spaces and tabs; outer ones would be trimmed on the way.
pub(crate) fn check_header_value(value: &str) -> Result<(), InvalidValue> {
    if let Some(bad) = value.chars().find(|c| !(c.is_ascii_graphic() || *c == ' ' || *c == '\t')) {
        let bad = bad.escape_default();
        return Err(InvalidValue::new(format!(
            "contains {bad}; encode it, a header carries printable ASCII"
        )));
    }
    if value.trim_matches([' ', '\t']).len() != value.len() {
        return Err(InvalidValue::new("begins or ends with a blank, which HTTP drops; remove or encode it"));
    }
    Ok(())
}

/// An entity tag, with its quotes as OSS sends it: `"5B3C1A2E053D763E1B002CC607C5A0FE"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag(String);

impl ETag {
    /// The tag as it is on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the tag promises identical bytes: quoted, not weak (RFC 9110 section 8.8.3).
    pub fn is_strong(&self) -> bool {
        self.0.len() >= 2 && self.0.starts_with('"') && self.0.ends_with('"')
    }
}

impl From<&str> for ETag {
    fn from(tag: &str) -> Self {
        Self(tag.to_string())
    }
}

impl IntoField<ETag> for &str {
    fn into_field(self) -> ETag {
        ETag::from(self)
    }
}

impl IntoField<ETag> for &ETag {
    fn into_field(self) -> ETag {
        self.clone()
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Text for ETag {
    const EXPECTED: &'static str = "an entity tag of at most 1,024 printable bytes";
    const EMPTY_IS_ABSENT: bool = true;

    fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        Ok(Cow::Borrowed(&self.0))
    }

    fn parse(text: &str) -> Option<Self> {
        let fit = text.len() <= ETAG_BYTES_MAX && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        fit.then(|| Self(text.to_string()))
    }
}
text_element!(ETag);

/// One range of bytes of an object (RFC 9110 section 14.1.1): `ByteRange::from(0..100)`, `ByteRange::suffix(10)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange(Span);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    /// First and last byte, both included.
    Closed(u64, u64),
    From(u64),
    Suffix(u64),
    /// Holds no byte: refused when it is sent.
    Empty,
}

impl ByteRange {
    /// The bytes of a Rust range: `0..100`, `100..=199`, `4096..`.
    pub fn new(range: impl RangeBounds<u64>) -> Self {
        let first = match range.start_bound() {
            Bound::Included(&n) => Some(n),
            Bound::Excluded(&n) => n.checked_add(1),
            Bound::Unbounded => Some(0),
        };
        let last = match range.end_bound() {
            Bound::Included(&n) => Some(Some(n)),
            Bound::Excluded(&n) => n.checked_sub(1).map(Some),
            Bound::Unbounded => Some(None),
        };
        Self(match (first, last) {
            (Some(first), Some(None)) => Span::From(first),
            (Some(first), Some(Some(last))) if first <= last => Span::Closed(first, last),
            _ => Span::Empty,
        })
    }

    /// The last `len` bytes.
    pub fn suffix(len: u64) -> Self {
        Self(if len == 0 { Span::Empty } else { Span::Suffix(len) })
    }

    /// The bytes that this range selects from an object of `size` bytes, as OSS does with
    /// `x-oss-range-behavior: standard`; `None` when it selects nothing (`InvalidRange`).
    pub fn select(self, size: u64) -> Option<core::ops::Range<u64>> {
        match self.0 {
            Span::Closed(first, last) if first < size => Some(first..last.saturating_add(1).min(size)),
            Span::From(first) if first < size => Some(first..size),
            Span::Suffix(len) if size > 0 => Some(size.saturating_sub(len)..size),
            _ => None,
        }
    }
}

macro_rules! range_from {
    ($($range:ty),*) => {$(
        impl From<$range> for ByteRange {
            fn from(range: $range) -> Self {
                Self::new(range)
            }
        }

        impl IntoField<ByteRange> for $range {
            fn into_field(self) -> ByteRange {
                ByteRange::new(self)
            }
        }
    )*};
}
range_from!(core::ops::Range<u64>, core::ops::RangeInclusive<u64>, core::ops::RangeFrom<u64>);

impl Text for ByteRange {
    const EXPECTED: &'static str = "one range of bytes";

    fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        match self.0 {
            Span::Closed(first, last) => Ok(Cow::Owned(format!("bytes={first}-{last}"))),
            Span::From(first) => Ok(Cow::Owned(format!("bytes={first}-"))),
            Span::Suffix(len) => Ok(Cow::Owned(format!("bytes=-{len}"))),
            Span::Empty => {
                Err(InvalidValue::new("holds no byte; give a range with its start before its end"))
            }
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
        let number = |digits: &str| <u64 as Text>::parse(digits);
        match (first, last) {
            ("", len) => Some(Self::suffix(number(len)?)),
            (first, "") => Some(Self(Span::From(number(first)?))),
            (first, last) => Some(Self::new(number(first)?..=number(last)?)),
        }
    }
}
text_element!(ByteRange);

/// Which bytes an answer holds, from its `content-range` header: `bytes 0-9/100`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentRange {
    /// The offset of the first byte.
    pub first: u64,
    /// The offset of the last byte, included.
    pub last: u64,
    /// The size of the whole object.
    pub size: u64,
}

impl Text for ContentRange {
    const EXPECTED: &'static str = "`bytes first-last/size` with first ≤ last < size";
    const EMPTY_IS_ABSENT: bool = true;

    fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        Ok(Cow::Owned(format!("bytes {}-{}/{}", self.first, self.last, self.size)))
    }

    fn parse(text: &str) -> Option<Self> {
        let (span, size) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = span.split_once('-')?;
        let number = |digits: &str| (!digits.is_empty()).then(|| <u64 as Text>::parse(digits)).flatten();
        let range = Self { first: number(first)?, last: number(last)?, size: number(size)? };
        (range.first <= range.last && range.last < range.size).then_some(range)
    }
}
text_element!(ContentRange);

/// The object that a copy reads (`x-oss-copy-source`).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CopySource {
    /// The bucket of the source; it must be in the region of the destination.
    pub bucket: Checked<BucketName>,
    /// The key of the source.
    pub key: Checked<ObjectKey>,
    /// The version to copy; the current one when absent.
    pub version_id: Option<String>,
}

impl CopySource {
    /// The current version of an object.
    pub fn new(bucket: impl IntoField<Checked<BucketName>>, key: impl IntoField<Checked<ObjectKey>>) -> Self {
        Self { bucket: bucket.into_field(), key: key.into_field(), version_id: None }
    }

    /// A certain version of it.
    #[must_use]
    pub fn version_id(mut self, id: impl Into<String>) -> Self {
        self.version_id = Some(id.into());
        self
    }
}

impl Text for CopySource {
    const EXPECTED: &'static str = "`/bucket/key`";

    fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        let unnamed = |what: &str| InvalidValue::new(format!("the source has no {what}; name it"));
        let bucket = self.bucket.name()?.ok_or_else(|| unnamed("bucket"))?;
        let key = self.key.name()?.ok_or_else(|| unnamed("key"))?;
        // The key is encoded and the version stands apart, so a key that contains `?versionId=` stays a key.
        let mut text = format!("/{bucket}/{}", oss_endpoint::encode_key(key.as_str()));
        if let Some(id) = &self.version_id {
            check_header_value(id)?;
            text.push_str("?versionId=");
            text.push_str(id);
        }
        Ok(Cow::Owned(text))
    }

    fn parse(text: &str) -> Option<Self> {
        let (path, version_id) = match text.split_once("?versionId=") {
            Some((path, id)) => (path, Some(id.to_string())),
            None => (text, None),
        };
        let (bucket, key) = path.strip_prefix('/')?.split_once('/')?;
        let key = percent_encoding::percent_decode_str(key).decode_utf8().ok()?;
        Some(Self { version_id, ..Self::new(bucket, key.as_ref()) })
    }
}
text_element!(CopySource);

/// Tags of an object or a bucket in a header: `k1=v1&k2=v2`, each part percent-encoded.
///
/// At most 10 tags of 128 and 256 characters for an object
/// ([object tagging](https://help.aliyun.com/zh/oss/user-guide/object-tagging-8)); OSS checks it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// Adds a tag; one of the same key is replaced.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.insert(key.into(), value.into());
        self
    }

    /// The tags in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl<const N: usize> IntoField<Tags> for [(&str, &str); N] {
    fn into_field(self) -> Tags {
        Tags(self.into_iter().map(|(key, value)| (key.to_string(), value.to_string())).collect())
    }
}

impl Text for Tags {
    const EXPECTED: &'static str = "`key=value` pairs joined with `&`, percent-encoded";

    fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        let encode = oss_endpoint::encode_component;
        let tags: alloc::vec::Vec<String> =
            self.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect();
        Ok(Cow::Owned(tags.join("&")))
    }

    fn parse(text: &str) -> Option<Self> {
        let decode =
            |part: &str| Some(percent_encoding::percent_decode_str(part).decode_utf8().ok()?.into_owned());
        let tags = text.split('&').filter(|tag| !tag.is_empty()).map(|tag| {
            let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
            Some((decode(key)?, decode(value)?))
        });
        tags.collect::<Option<_>>().map(Self)
    }
}
text_element!(Tags);

/// An upload callback: after the upload OSS posts to an application server and gives its answer to the uploader
/// ([Callback](https://help.aliyun.com/zh/oss/developer-reference/callback)).
///
/// When the application fails, OSS answers 203 although the object is stored; that is
/// `ErrorKind::StoredButCallbackFailed`, and it is not repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Callback {
    /// One to five URLs, separated by `;`.
    pub url: String,
    /// The body of the post, a template: `bucket=${bucket}&object=${object}&my_var=${x:my_var}`.
    pub body: String,
    /// The `Host` header of the post; that of the URL when absent.
    pub host: Option<String>,
    /// `application/x-www-form-urlencoded` when absent, or `application/json`.
    pub body_type: Option<String>,
    /// Whether OSS sends the server name (SNI) when the URL is https.
    pub sni: Option<bool>,
}

impl Callback {
    /// A callback to a URL with a body template.
    pub fn new(url: impl Into<String>, body: impl Into<String>) -> Self {
        Self { url: url.into(), body: body.into(), host: None, body_type: None, sni: None }
    }
}

impl Text for Callback {
    const EXPECTED: &'static str = "base64 of the callback's JSON";

    fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        let mut members = alloc::vec![("callbackUrl", json_string(&self.url))];
        members.extend(self.host.as_deref().map(|host| ("callbackHost", json_string(host))));
        members.push(("callbackBody", json_string(&self.body)));
        members.extend(self.body_type.as_deref().map(|kind| ("callbackBodyType", json_string(kind))));
        members.extend(self.sni.map(|sni| ("callbackSNI", sni.to_string())));
        Ok(Cow::Owned(json_base64(members.iter().map(|(name, value)| (*name, value.as_str())))))
    }

    // OSS never sends one back.
    fn parse(_: &str) -> Option<Self> {
        None
    }
}
text_element!(Callback);

/// The application's own variables of a callback: names begin with `x:` and are in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CallbackVars(BTreeMap<String, String>);

impl CallbackVars {
    /// Adds a variable: `with("x:user", "alice")`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }
}

impl Text for CallbackVars {
    const EXPECTED: &'static str = "base64 of the variables' JSON";

    fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        for name in self.0.keys() {
            if !name.starts_with("x:") || name.chars().any(|c| c.is_ascii_uppercase()) {
                return Err(InvalidValue::new(format!(
                    "the variable {name:?} must begin with `x:`, in lower case"
                )));
            }
        }
        let members: alloc::vec::Vec<_> =
            self.0.iter().map(|(name, value)| (name, json_string(value))).collect();
        Ok(Cow::Owned(json_base64(members.iter().map(|(name, value)| (name.as_str(), value.as_str())))))
    }

    fn parse(_: &str) -> Option<Self> {
        None
    }
}
text_element!(CallbackVars);

fn json_base64<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut json = String::from("{");
    for (i, (name, value)) in members.enumerate() {
        json.push_str(if i == 0 { "" } else { "," });
        json.push_str(&json_string(name));
        json.push(':');
        json.push_str(value);
    }
    json.push('}');
    Base64::encode_string(json.as_bytes())
}

fn json_string(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            c if c.is_control() => json.push_str(&format!("\\u{:04x}", c as u32)),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

const METADATA_BYTES_MAX: usize = 8 * 1024;
const ETAG_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b34_ranges_are_checked_before_they_are_sent() {
        let cases: &[(ByteRange, Option<&str>)] = &[
            (ByteRange::new(0..100), Some("bytes=0-99")),
            (ByteRange::new(5..=5), Some("bytes=5-5")),
            (ByteRange::new(7..), Some("bytes=7-")),
            (ByteRange::new(..), Some("bytes=0-")),
            (ByteRange::new(0..=u64::MAX), Some("bytes=0-18446744073709551615")),
            (ByteRange::suffix(3), Some("bytes=-3")),
            (ByteRange::new(3..3), None),
            #[allow(clippy::reversed_empty_ranges)]
            (ByteRange::new(4..2), None),
            (ByteRange::new(0..0), None),
            (ByteRange::suffix(0), None),
            (ByteRange::new((Bound::Excluded(u64::MAX), Bound::Unbounded)), None),
        ];
        for (range, expected) in cases {
            assert_eq!(range.text().ok().as_deref(), *expected, "{range:?}");
        }
    }

    #[test]
    fn b34_a_range_selects_what_oss_selects() {
        assert_eq!(ByteRange::new(0..100).select(10), Some(0..10));
        assert_eq!(ByteRange::new(0..=u64::MAX).select(u64::MAX), Some(0..u64::MAX));
        assert_eq!(ByteRange::new(10..).select(10), None);
        assert_eq!(ByteRange::suffix(20).select(10), Some(0..10));
        assert_eq!(ByteRange::suffix(1).select(0), None);
        assert_eq!(ByteRange::new(0..1).select(0), None);
    }

    #[test]
    fn b35_content_ranges_are_exact_or_nothing() {
        let parse = <ContentRange as Text>::parse;
        assert_eq!(parse("bytes 0-9/10"), Some(ContentRange { first: 0, last: 9, size: 10 }));
        for bad in [
            "bytes 0-18446744073709551615/*",
            "bytes -1-5/9",
            "bytes 5-4/9",
            "bytes 0-9/5",
            "BYTES 0-1/2",
            "bytes  0-1/2",
            "bytes 0-1/",
            "bytes */9",
            "bytes 0-1",
            "bytes 0-99999999999999999999/9",
            "",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn b19_a_copy_source_keeps_key_and_version_apart() {
        let source = CopySource::new("src-bucket", "a?versionId=1 b/中").version_id("CAEQ");
        let text = source.text().unwrap().into_owned();
        assert_eq!(text, "/src-bucket/a%3FversionId%3D1%20b/%E4%B8%AD?versionId=CAEQ");
        assert_eq!(CopySource::parse(&text), Some(source));
        assert!(CopySource::new("Bad_Bucket", "k").text().is_err());
    }

    #[test]
    fn b23_b24_b25_b26_metadata_is_checked() {
        let bad: &[(&str, &str)] = &[
            ("a b", "v"),
            ("a:b", "v"),
            ("", "v"),
            ("é", "v"),
            ("a", "x\r\ny"),
            ("a", "x\0"),
            ("a", "é"),
            ("a", " v"),
            ("a", "v\t"),
        ];
        for (name, value) in bad {
            let mut metadata = Metadata::new();
            metadata.insert(*name, *value);
            assert!(metadata.check().is_err(), "{name:?}: {value:?}");
        }
        let mut twice = Metadata::new();
        twice.insert("Author", "a");
        twice.insert("author", "b");
        assert!(twice.check().is_err());
        let mut large = Metadata::new();
        large.insert("a", "v".repeat(8191));
        assert_eq!(large.check(), Ok(()));
        large.insert("b", "");
        assert!(large.check().is_err());
    }

    #[test]
    fn b29_a_callback_is_encoded_by_us() {
        let callback = Callback::new("https://app.example.com/cb", "object=${object}&q=\"x\"\n");
        let json = Base64::decode_vec(&callback.text().unwrap()).unwrap();
        assert_eq!(
            core::str::from_utf8(&json).unwrap(),
            r#"{"callbackUrl":"https://app.example.com/cb","callbackBody":"object=${object}&q=\"x\"\u000a"}"#
        );
        assert!(CallbackVars::default().with("user", "a").text().is_err());
        assert!(CallbackVars::default().with("x:user", "a").text().is_ok());
    }

    #[test]
    fn b37_an_etag_is_opaque_and_bounded() {
        assert!(<ETag as Text>::parse(&"x".repeat(1025)).is_none());
        assert!(<ETag as Text>::parse("\"a\rb\"").is_none());
        assert!(!ETag::from("W/\"a\"").is_strong());
        assert!(!ETag::from("a").is_strong());
        assert!(ETag::from("\"a\"").is_strong());
    }

    #[test]
    fn tags_are_encoded_once() {
        let tags = Tags::default().with("a&b", "c=d").with("中", "");
        let text = tags.text().unwrap().into_owned();
        assert_eq!(text, "a%26b=c%3Dd&%E4%B8%AD=");
        assert_eq!(Tags::parse(&text), Some(tags));
    }
}
