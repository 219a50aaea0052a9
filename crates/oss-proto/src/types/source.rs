//! What a copy reads, and tags: two headers with a syntax of their own.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};

use oss_endpoint::{BucketName, ObjectKey};

use super::metadata::check_header_value;
use crate::wire::text::text_element;
use crate::{Checked, IntoField, InvalidValue, Text};

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

/// The key that a symbolic link stands for (`x-oss-symlink-target`): encoded once when it is sent, decoded
/// once when it is read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SymlinkTarget(String);

impl SymlinkTarget {
    /// The key, decoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SymlinkTarget {
    fn from(key: &str) -> Self {
        Self(key.to_string())
    }
}

macro_rules! symlink_target_from {
    ($($from:ty),*) => {$(
        impl IntoField<SymlinkTarget> for $from {
            fn into_field(self) -> SymlinkTarget {
                SymlinkTarget(self.to_string())
            }
        }
    )*};
}
symlink_target_from!(&str, String, &ObjectKey, ObjectKey);

impl Text for SymlinkTarget {
    const EXPECTED: &'static str = "a percent-encoded key";
    const EMPTY_IS_ABSENT: bool = true;

    fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        let key = ObjectKey::verbatim(self.0.as_str())?;
        Ok(Cow::Owned(oss_endpoint::encode_key(key.as_str())))
    }

    fn parse(text: &str) -> Option<Self> {
        crate::xml::decode_url(text.to_string()).ok().map(Self)
    }
}
text_element!(SymlinkTarget);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b19_a_copy_source_keeps_key_and_version_apart() {
        let source = CopySource::new("src-bucket", "a?versionId=1 b/中").version_id("CAEQ");
        let text = source.text().unwrap().into_owned();
        assert_eq!(text, "/src-bucket/a%3FversionId%3D1%20b/%E4%B8%AD?versionId=CAEQ");
        assert_eq!(CopySource::parse(&text), Some(source));
        assert!(CopySource::new("Bad_Bucket", "k").text().is_err());
    }

    #[test]
    fn b20_a_symlink_target_is_encoded_and_decoded_once() {
        let target = SymlinkTarget::from("目录/a+b%20.txt");
        let text = target.text().unwrap().into_owned();
        assert_eq!(text, "%E7%9B%AE%E5%BD%95/a%2Bb%2520.txt");
        assert_eq!(SymlinkTarget::parse(&text), Some(target));
        assert_eq!(SymlinkTarget::parse("100%"), None);
        assert!(SymlinkTarget::from("").text().is_err());
    }

    #[test]
    fn tags_are_encoded_once() {
        let tags = Tags::default().with("a&b", "c=d").with("中", "");
        let text = tags.text().unwrap().into_owned();
        assert_eq!(text, "a%26b=c%3Dd&%E4%B8%AD=");
        assert_eq!(Tags::parse(&text), Some(tags));
    }
}
