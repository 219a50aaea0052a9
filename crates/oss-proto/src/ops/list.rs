//! The lists of objects.

use alloc::string::String;
use alloc::vec::Vec;

use oss_sign::UnixTime;

use super::service::Owner;
use super::words::{EncodingType, ObjectType, RequestPayer, StorageClass};
use crate::operation::{Ordered, check_encoding, next_marker};
use crate::{ETag, Paged, ReadError};

operation! {
    /// Lists the objects of a bucket in the order of their keys, in pages of up to 1,000.
    ///
    /// [ListObjectsV2](https://help.aliyun.com/zh/oss/developer-reference/listobjectsv2)
    ListObjectsV2 = GET Bucket ["list-type" = "2", "encoding-type" = "url"] () {
        /// Only keys that begin with this.
        prefix:             String       = query "prefix",
        /// Keys that share what comes before this, after the prefix, are given as one common prefix.
        delimiter:          String       = query "delimiter",
        /// Only keys after this one.
        start_after:        String       = query "start-after",
        /// Where the page begins: `next_continuation_token` of the page before.
        continuation_token: String       = query "continuation-token",
        /// The most entries in a page: 1 to 1,000; 100 when absent.
        max_keys:           u32          = query "max-keys",
        /// Whether owners are given: no when absent.
        fetch_owner:        bool         = query "fetch-owner",
        /// Who pays.
        request_payer:      RequestPayer = header "x-oss-request-payer",
    } -> xml "ListBucketResult" ListObjectsV2Output {
        /// The bucket.
        name:                    Option<String>        = xml "Name",
        /// The prefix that was asked for.
        prefix:                  Option<String>        = url "Prefix",
        /// The key that was asked to start after.
        start_after:             Option<String>        = url "StartAfter",
        /// The page size that was used.
        max_keys:                Option<u32>           = xml "MaxKeys",
        /// The delimiter that was asked for.
        delimiter:               Option<String>        = url "Delimiter",
        /// Whether there is another page.
        is_truncated:            Option<bool>          = xml "IsTruncated",
        /// The token that was asked for.
        continuation_token:      Option<String>        = url "ContinuationToken",
        /// The token of the next page.
        next_continuation_token: Option<String>        = url "NextContinuationToken",
        /// How keys were encoded on the wire; here they are decoded.
        encoding_type:           Option<EncodingType>  = xml "EncodingType",
        /// How many entries the page has.
        key_count:               Option<u32>           = xml "KeyCount",
        /// The objects, in the order of their keys.
        contents:                Vec<ObjectProperties> = xml "Contents",
        /// Prefixes up to the delimiter, each standing for the keys below it.
        common_prefixes:         Vec<CommonPrefix>     = xml "CommonPrefixes",
    }
}

impl Paged for ListObjectsV2 {
    fn next(&self, page: &ListObjectsV2Output) -> Result<Option<Self>, ReadError> {
        let used = self.continuation_token.as_deref();
        let next =
            next_marker(page.is_truncated, used, page.next_continuation_token.as_deref(), |next, used| {
                next != used
            })?;
        Ok(next.map(|token| self.clone().continuation_token(token)))
    }

    fn check(&self, page: &ListObjectsV2Output) -> Result<(), ReadError> {
        check_encoding(page.encoding_type.as_ref())?;
        let after = self.start_after.as_deref().filter(|_| self.continuation_token.is_none());
        check(self.prefix.as_deref(), after, &page.contents, &page.common_prefixes)
    }
}

operation! {
    /// Lists the objects of a bucket in the order of their keys, in pages of up to 1,000; new programs take
    /// [`ListObjectsV2`].
    ///
    /// [ListObjects](https://help.aliyun.com/zh/oss/developer-reference/listobjects)
    ListObjects = GET Bucket ["encoding-type" = "url"] () {
        /// Only keys that begin with this.
        prefix:        String       = query "prefix",
        /// Keys that share what comes before this, after the prefix, are given as one common prefix.
        delimiter:     String       = query "delimiter",
        /// Only keys after this one; `next_marker` of the page before.
        marker:        String       = query "marker",
        /// The most entries in a page: 1 to 1,000; 100 when absent.
        max_keys:      u32          = query "max-keys",
        /// Who pays.
        request_payer: RequestPayer = header "x-oss-request-payer",
    } -> xml "ListBucketResult" ListObjectsOutput {
        /// The bucket.
        name:            Option<String>        = xml "Name",
        /// The prefix that was asked for.
        prefix:          Option<String>        = url "Prefix",
        /// The marker that was asked for.
        marker:          Option<String>        = url "Marker",
        /// The page size that was used.
        max_keys:        Option<u32>           = xml "MaxKeys",
        /// The delimiter that was asked for.
        delimiter:       Option<String>        = url "Delimiter",
        /// Whether there is another page.
        is_truncated:    Option<bool>          = xml "IsTruncated",
        /// Where the next page begins.
        next_marker:     Option<String>        = url "NextMarker",
        /// How keys were encoded on the wire; here they are decoded.
        encoding_type:   Option<EncodingType>  = xml "EncodingType",
        /// The objects, in the order of their keys.
        contents:        Vec<ObjectProperties> = xml "Contents",
        /// Prefixes up to the delimiter, each standing for the keys below it.
        common_prefixes: Vec<CommonPrefix>     = xml "CommonPrefixes",
    }
}

impl Paged for ListObjects {
    fn next(&self, page: &ListObjectsOutput) -> Result<Option<Self>, ReadError> {
        let (used, next) = (self.marker.as_deref(), page.next_marker.as_deref());
        let next = next_marker(page.is_truncated, used, next, |next, used| next > used)?;
        Ok(next.map(|marker| self.clone().marker(marker)))
    }

    fn check(&self, page: &ListObjectsOutput) -> Result<(), ReadError> {
        check_encoding(page.encoding_type.as_ref())?;
        check(self.prefix.as_deref(), self.marker.as_deref(), &page.contents, &page.common_prefixes)
    }
}

fn check(
    prefix: Option<&str>,
    after: Option<&str>,
    objects: &[ObjectProperties],
    prefixes: &[CommonPrefix],
) -> Result<(), ReadError> {
    let asked = Ordered { prefix, after, repeats: false };
    asked.check(objects.iter().map(|object| object.key.as_str()))?;
    // A prefix stands for keys of which some may lie before the marker.
    Ordered { after: None, ..asked }.check(prefixes.iter().map(|common| common.prefix.as_str()))
}

shape! {
    /// An object in a list.
    ObjectProperties {
        /// Its key.
        key:             String               = url "Key",
        /// How it was made.
        object_type:     Option<ObjectType>   = xml "Type",
        /// Its size in bytes.
        size:            Option<u64>          = xml "Size",
        /// Its entity tag.
        etag:            Option<ETag>         = xml "ETag",
        /// When it was last written.
        last_modified:   Option<UnixTime>     = xml "LastModified",
        /// Its storage class.
        storage_class:   Option<StorageClass> = xml "StorageClass",
        /// Its owner, when asked for.
        owner:           Option<Owner>        = xml "Owner",
        /// The state of its restoration, as in the `x-oss-restore` header.
        restore_info:    Option<String>       = xml "RestoreInfo",
        /// When a lifecycle rule moved it to its storage class, as OSS writes it.
        transition_time: Option<String>       = xml "TransitionTime",
    }

    /// A prefix that stands for the keys below it.
    CommonPrefix {
        /// The prefix, delimiter included.
        prefix: String = url "Prefix",
    }
}
