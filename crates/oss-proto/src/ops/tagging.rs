//! Tags of objects.

use alloc::string::String;
use alloc::vec::Vec;

use super::words::RequestPayer;
use crate::{IntoField, Tags};

operation! {
    /// Replaces the tags of an object; its last-modified time stays.
    ///
    /// [PutObjectTagging](https://help.aliyun.com/zh/oss/developer-reference/putobjecttagging)
    PutObjectTagging = PUT Object ["tagging" = ""] (
        /// The tags, 1 to 10; [`Tags`] or `[("key", "value")]` will do.
        tagging: Tagging = xml "Tagging",
    ) {
        /// Which version; the current one when absent.
        version_id:    String       = query "versionId",
        /// Who pays.
        request_payer: RequestPayer = header "x-oss-request-payer",
    } -> head PutObjectTaggingOutput {
        /// The version that was tagged, in a versioned bucket.
        version_id: Option<String> = header "x-oss-version-id",
    }
}

request_shape! {
    /// The tags of an object.
    Tagging (
        /// The tags; their keys differ.
        tag_set: Vec<Tag> = xml "TagSet" > "Tag",
    ) {}

    /// A tag.
    Tag (
        /// Its key: 1 to 128 characters, letters, digits, blanks and `+-=._:/`.
        key:   String = xml "Key",
        /// Its value: up to 256 characters of the same kind.
        value: String = xml "Value",
    ) {}
}

impl IntoField<Tagging> for Tags {
    fn into_field(self) -> Tagging {
        Tagging::new(self.iter().map(|(key, value)| Tag::new(key, value)).collect::<Vec<_>>())
    }
}

impl<const N: usize> IntoField<Tagging> for [(&str, &str); N] {
    fn into_field(self) -> Tagging {
        Tagging::new(self.into_iter().map(|(key, value)| Tag::new(key, value)).collect::<Vec<_>>())
    }
}

operation! {
    /// Gives the tags of an object.
    ///
    /// [GetObjectTagging](https://help.aliyun.com/zh/oss/developer-reference/getobjecttagging)
    GetObjectTagging = GET Object ["tagging" = ""] () {
        /// Which version; the current one when absent.
        version_id:    String       = query "versionId",
        /// Who pays.
        request_payer: RequestPayer = header "x-oss-request-payer",
    } -> xml "Tagging" GetObjectTaggingOutput {
        /// The tags.
        tag_set:    Vec<Tag>       = xml "TagSet" > "Tag",
        /// The version, in a versioned bucket.
        version_id: Option<String> = header "x-oss-version-id",
    }
}

operation! {
    /// Removes all tags of an object; succeeds as well when it has none.
    ///
    /// [DeleteObjectTagging](https://help.aliyun.com/zh/oss/developer-reference/deleteobjecttagging)
    DeleteObjectTagging = DELETE Object ["tagging" = ""] () {
        /// Which version; the current one when absent.
        version_id:    String       = query "versionId",
        /// Who pays.
        request_payer: RequestPayer = header "x-oss-request-payer",
    } -> head DeleteObjectTaggingOutput {
        /// The version whose tags were removed, in a versioned bucket.
        version_id: Option<String> = header "x-oss-version-id",
    }
}
