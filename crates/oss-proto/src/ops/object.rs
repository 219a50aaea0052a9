//! Operations on objects.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use oss_sign::UnixTime;

use super::deletion::FailedDeletion;
use super::words::{
    CopyDirective, EncodingType, LegalHold, ObjectAcl, ObjectType, ObjectWormMode, RequestPayer,
    SseAlgorithm, StorageClass,
};
use crate::{
    ByteRange, Callback, CallbackVars, ContentRange, CopySource, ETag, IntoField, Metadata, Payload, Tags,
};

operation! {
    /// Uploads an object in one request, up to 5 GiB.
    ///
    /// [PutObject](https://help.aliyun.com/zh/oss/developer-reference/putobject)
    PutObject = PUT Object typed checked versioned [] (
        /// The content.
        body: Payload = body,
    ) {
        /// Media type stored with the object; by the key's extension when absent.
        content_type:                  String         = header "content-type",
        /// How caches may keep it.
        cache_control:                 String         = header "cache-control",
        /// How a browser presents it.
        content_disposition:           String         = header "content-disposition",
        /// How the content is encoded: `gzip`.
        content_encoding:              String         = header "content-encoding",
        /// Its language.
        content_language:              String         = header "content-language",
        /// MD5 of the content in base64, checked by OSS.
        content_md5:                   String         = header "content-md5",
        /// When caches must ask again.
        expires:                       String         = header "expires",
        /// Who may read and write it.
        acl:                           ObjectAcl      = header "x-oss-object-acl",
        /// Its storage class; the bucket's when absent.
        storage_class:                 StorageClass   = header "x-oss-storage-class",
        /// User metadata.
        metadata:                      Metadata       = prefix "x-oss-meta-",
        /// Tags.
        tagging:                       Tags           = header "x-oss-tagging",
        /// Refuses to replace an existing object (`FileAlreadyExists`); without effect in a versioned bucket.
        forbid_overwrite:              bool           = header "x-oss-forbid-overwrite",
        /// Encryption at rest.
        server_side_encryption:        SseAlgorithm   = header "x-oss-server-side-encryption",
        /// The algorithm for the data under KMS.
        server_side_data_encryption:   SseAlgorithm   = header "x-oss-server-side-data-encryption",
        /// The key in the key management service.
        server_side_encryption_key_id: String         = header "x-oss-server-side-encryption-key-id",
        /// Lets OSS post to an application afterwards.
        callback:                      Callback       = header "x-oss-callback",
        /// The application's own variables.
        callback_var:                  CallbackVars   = header "x-oss-callback-var",
        /// Bandwidth limit in bits per second, 819,200 to 838,860,800.
        traffic_limit:                 u64            = header "x-oss-traffic-limit",
        /// Retention mode.
        object_worm_mode:              ObjectWormMode = header "x-oss-object-worm-mode",
        /// Retained until this time.
        object_worm_retain_until_date: String         = header "x-oss-object-worm-retain-until-date",
        /// Legal hold.
        object_worm_legal_hold:        LegalHold      = header "x-oss-object-worm-legal-hold",
        /// Who pays.
        request_payer:                 RequestPayer   = header "x-oss-request-payer",
    } => Conditional if forbid_overwrite, Once if callback
    -> head PutObjectOutput {
        /// The entity tag.
        etag:        Option<ETag>   = header "etag",
        /// MD5 of the content in base64, as OSS computed it.
        content_md5: Option<String> = header "content-md5",
        /// CRC-64 of the content, as OSS computed it; compared with ours before you see it.
        crc64:       Option<u64>    = header "x-oss-hash-crc64ecma",
        /// The version, in a versioned bucket.
        version_id:  Option<String> = header "x-oss-version-id",
        /// What the application answered to the callback; empty without one.
        callback:    Bytes          = body,
    }
}

operation! {
    /// Reads an object, whole or a range, as a stream.
    ///
    /// [GetObject](https://help.aliyun.com/zh/oss/developer-reference/getobject)
    GetObject = GET Object [] () {
        /// Only these bytes.
        range:                        ByteRange    = header "range",
        /// What OSS does with a range beyond the end; `standard` (416) when absent, as an HTTP server would.
        range_behavior:               String       = header "x-oss-range-behavior" or "standard",
        /// Only if the entity tag is this one.
        if_match:                     ETag         = header "if-match",
        /// Only if the entity tag is another (else 304).
        if_none_match:                ETag         = header "if-none-match",
        /// Only if written after this time (else 304).
        if_modified_since:            UnixTime     = header "if-modified-since",
        /// Only if not written after this time (else 412).
        if_unmodified_since:          UnixTime     = header "if-unmodified-since",
        /// Which encodings the answer may have; `identity` when absent, so that the bytes are those stored.
        accept_encoding:              String       = header "accept-encoding" or "identity",
        /// Which version.
        version_id:                   String       = query "versionId",
        /// Processes an image or document: `image/resize,w_100`.
        process:                      String       = query "x-oss-process",
        /// `cache-control` of the answer.
        response_cache_control:       String       = query "response-cache-control",
        /// `content-disposition` of the answer.
        response_content_disposition: String       = query "response-content-disposition",
        /// `content-encoding` of the answer.
        response_content_encoding:    String       = query "response-content-encoding",
        /// `content-language` of the answer.
        response_content_language:    String       = query "response-content-language",
        /// `content-type` of the answer.
        response_content_type:        String       = query "response-content-type",
        /// `expires` of the answer.
        response_expires:             String       = query "response-expires",
        /// Bandwidth limit in bits per second, 819,200 to 838,860,800.
        traffic_limit:                u64          = header "x-oss-traffic-limit",
        /// Who pays.
        request_payer:                RequestPayer = header "x-oss-request-payer",
    } -> stream GetObjectOutput {
        /// Length of the body in bytes.
        content_length:                Option<u64>            = header "content-length",
        /// Which bytes the body holds, when a range was asked for.
        content_range:                 Option<ContentRange>   = header "content-range",
        /// Media type.
        content_type:                  Option<String>         = header "content-type",
        /// The entity tag.
        etag:                          Option<ETag>           = header "etag",
        /// When it was last written.
        last_modified:                 Option<UnixTime>       = header "last-modified",
        /// MD5 of the whole object in base64.
        content_md5:                   Option<String>         = header "content-md5",
        /// User metadata.
        metadata:                      Metadata               = prefix "x-oss-meta-",
        /// How caches may keep it.
        cache_control:                 Option<String>         = header "cache-control",
        /// How a browser presents it.
        content_disposition:           Option<String>         = header "content-disposition",
        /// How the content is encoded.
        content_encoding:              Option<String>         = header "content-encoding",
        /// Its language.
        content_language:              Option<String>         = header "content-language",
        /// When caches must ask again.
        expires:                       Option<String>         = header "expires",
        /// CRC-64 of the whole object.
        crc64:                         Option<u64>            = header "x-oss-hash-crc64ecma",
        /// Its storage class.
        storage_class:                 Option<StorageClass>   = header "x-oss-storage-class",
        /// How it was made.
        object_type:                   Option<ObjectType>     = header "x-oss-object-type",
        /// Its version, in a versioned bucket.
        version_id:                    Option<String>         = header "x-oss-version-id",
        /// How many tags it has.
        tagging_count:                 Option<u32>            = header "x-oss-tagging-count",
        /// Encryption at rest.
        server_side_encryption:        Option<SseAlgorithm>   = header "x-oss-server-side-encryption",
        /// The algorithm for the data under KMS.
        server_side_data_encryption:   Option<SseAlgorithm>   = header "x-oss-server-side-data-encryption",
        /// The key in the key management service.
        server_side_encryption_key_id: Option<String>         = header "x-oss-server-side-encryption-key-id",
        /// Where an append goes on.
        next_append_position:          Option<u64>            = header "x-oss-next-append-position",
        /// When a lifecycle rule deletes it.
        expiration:                    Option<String>         = header "x-oss-expiration",
        /// The state of its restoration.
        restore:                       Option<String>         = header "x-oss-restore",
        /// What the processing did.
        process_status:                Option<String>         = header "x-oss-process-status",
        /// Whether this version is a delete marker.
        delete_marker:                 Option<bool>           = header "x-oss-delete-marker",
        /// When appending was closed.
        sealed_time:                   Option<String>         = header "x-oss-sealed-time",
        /// Retention mode.
        object_worm_mode:              Option<ObjectWormMode> = header "x-oss-object-worm-mode",
        /// Retained until this time.
        object_worm_retain_until_date: Option<String>         = header "x-oss-object-worm-retain-until-date",
        /// Legal hold.
        object_worm_legal_hold:        Option<LegalHold>      = header "x-oss-object-worm-legal-hold",
    }
}

operation! {
    /// Reads everything about an object but its content.
    ///
    /// [HeadObject](https://help.aliyun.com/zh/oss/developer-reference/headobject)
    HeadObject = HEAD Object [] () {
        /// Only if the entity tag is this one (else 412).
        if_match:            ETag         = header "if-match",
        /// Only if the entity tag is another (else 304).
        if_none_match:       ETag         = header "if-none-match",
        /// Only if written after this time (else 304).
        if_modified_since:   UnixTime     = header "if-modified-since",
        /// Only if not written after this time (else 412).
        if_unmodified_since: UnixTime     = header "if-unmodified-since",
        /// Which version.
        version_id:          String       = query "versionId",
        /// Who pays.
        request_payer:       RequestPayer = header "x-oss-request-payer",
    } -> head HeadObjectOutput {
        /// Size in bytes.
        content_length:                Option<u64>            = header "content-length",
        /// Media type.
        content_type:                  Option<String>         = header "content-type",
        /// The entity tag.
        etag:                          Option<ETag>           = header "etag",
        /// When it was last written.
        last_modified:                 Option<UnixTime>       = header "last-modified",
        /// MD5 of the object in base64.
        content_md5:                   Option<String>         = header "content-md5",
        /// User metadata.
        metadata:                      Metadata               = prefix "x-oss-meta-",
        /// How caches may keep it.
        cache_control:                 Option<String>         = header "cache-control",
        /// How a browser presents it.
        content_disposition:           Option<String>         = header "content-disposition",
        /// How the content is encoded.
        content_encoding:              Option<String>         = header "content-encoding",
        /// Its language.
        content_language:              Option<String>         = header "content-language",
        /// When caches must ask again.
        expires:                       Option<String>         = header "expires",
        /// CRC-64 of the object.
        crc64:                         Option<u64>            = header "x-oss-hash-crc64ecma",
        /// Its storage class.
        storage_class:                 Option<StorageClass>   = header "x-oss-storage-class",
        /// How it was made.
        object_type:                   Option<ObjectType>     = header "x-oss-object-type",
        /// Its version, in a versioned bucket.
        version_id:                    Option<String>         = header "x-oss-version-id",
        /// How many tags it has.
        tagging_count:                 Option<u32>            = header "x-oss-tagging-count",
        /// Encryption at rest.
        server_side_encryption:        Option<SseAlgorithm>   = header "x-oss-server-side-encryption",
        /// The algorithm for the data under KMS.
        server_side_data_encryption:   Option<SseAlgorithm>   = header "x-oss-server-side-data-encryption",
        /// The key in the key management service.
        server_side_encryption_key_id: Option<String>         = header "x-oss-server-side-encryption-key-id",
        /// Where an append goes on.
        next_append_position:          Option<u64>            = header "x-oss-next-append-position",
        /// When a lifecycle rule deletes it.
        expiration:                    Option<String>         = header "x-oss-expiration",
        /// The state of its restoration.
        restore:                       Option<String>         = header "x-oss-restore",
        /// What the processing did.
        process_status:                Option<String>         = header "x-oss-process-status",
        /// Who was charged.
        request_charged:               Option<RequestPayer>   = header "x-oss-request-charged",
        /// CORS: allowed origins.
        allow_origin:                  Option<String>         = header "access-control-allow-origin",
        /// CORS: allowed methods.
        allow_methods:                 Option<String>         = header "access-control-allow-methods",
        /// CORS: how long the answer may be kept.
        allow_age:                     Option<String>         = header "access-control-allow-age",
        /// CORS: allowed headers.
        allow_headers:                 Option<String>         = header "access-control-allow-headers",
        /// CORS: headers that a script may see.
        expose_headers:                Option<String>         = header "access-control-expose-headers",
        /// When a lifecycle rule moved it to its storage class.
        transition_time:               Option<String>         = header "x-oss-transition-time",
        /// When appending was closed.
        sealed_time:                   Option<String>         = header "x-oss-sealed-time",
        /// Retention mode.
        object_worm_mode:              Option<ObjectWormMode> = header "x-oss-object-worm-mode",
        /// Retained until this time.
        object_worm_retain_until_date: Option<String>         = header "x-oss-object-worm-retain-until-date",
        /// Legal hold.
        object_worm_legal_hold:        Option<LegalHold>      = header "x-oss-object-worm-legal-hold",
    }
}

operation! {
    /// Reads size, entity tag and time of an object, cheaper for OSS than [`HeadObject`].
    ///
    /// [GetObjectMeta](https://help.aliyun.com/zh/oss/developer-reference/getobjectmeta)
    GetObjectMeta = HEAD Object ["objectMeta" = ""] () {
        /// Which version; the current one when absent.
        version_id:    String       = query "versionId",
        /// Who pays.
        request_payer: RequestPayer = header "x-oss-request-payer",
    } -> head GetObjectMetaOutput {
        /// Size in bytes.
        content_length:   Option<u64>      = header "content-length",
        /// The entity tag.
        etag:             Option<ETag>     = header "etag",
        /// When it was last written.
        last_modified:    Option<UnixTime> = header "last-modified",
        /// When it was last read; only while the bucket tracks access times.
        last_access_time: Option<UnixTime> = header "x-oss-last-access-time",
        /// Its version, in a versioned bucket.
        version_id:       Option<String>   = header "x-oss-version-id",
        /// CRC-64 of the object.
        crc64:            Option<u64>      = header "x-oss-hash-crc64ecma",
        /// When a lifecycle rule moved it to its storage class, as OSS writes it.
        transition_time:  Option<String>   = header "x-oss-transition-time",
    }
}

operation! {
    /// Deletes an object; succeeds as well when there is none.
    ///
    /// [DeleteObject](https://help.aliyun.com/zh/oss/developer-reference/deleteobject)
    DeleteObject = DELETE Object versioned [] () {
        /// Which version; without it a versioned bucket gets a delete marker.
        version_id:                  String       = query "versionId",
        /// Deletes despite a retention in governance mode.
        bypass_governance_retention: bool         = header "x-oss-bypass-governance-retention",
        /// Who pays.
        request_payer:               RequestPayer = header "x-oss-request-payer",
    } gone "NoSuchKey" | "NoSuchVersion"
    -> head DeleteObjectOutput {
        /// The version that was deleted, or that of the new delete marker.
        version_id:    Option<String> = header "x-oss-version-id",
        /// Whether what was deleted, or made, is a delete marker.
        delete_marker: Option<bool>   = header "x-oss-delete-marker",
    }
}

operation! {
    /// Deletes up to 1,000 objects in one request.
    ///
    /// [DeleteMultipleObjects](https://help.aliyun.com/zh/oss/developer-reference/deletemultipleobjects)
    DeleteMultipleObjects = POST: Idempotent Bucket ["delete" = "", "encoding-type" = "url"] (
        /// What to delete.
        delete: Delete = xml "Delete",
    ) {
        /// Deletes despite a retention in governance mode.
        bypass_governance_retention: bool         = header "x-oss-bypass-governance-retention",
        /// Who pays.
        request_payer:               RequestPayer = header "x-oss-request-payer",
    } -> xml "DeleteResult" DeleteMultipleObjectsOutput {
        /// What was deleted; empty in quiet mode.
        deleted:       Vec<DeletedObject>   = xml "Deleted",
        /// What was not, and why; [`Delete::outcomes`] tells it for each object.
        failed:        Vec<FailedDeletion>  = xml "Error",
        /// How keys were encoded on the wire; here they are decoded.
        encoding_type: Option<EncodingType> = xml "EncodingType",
    }
}

/// A list of objects to delete.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Delete {
    /// Whether the answer leaves out what was deleted.
    pub quiet: Option<bool>,
    /// The objects, 1 to 1,000.
    pub objects: Vec<ObjectIdentifier>,
}

impl Delete {
    /// These objects; the answer names what was deleted.
    pub fn new(objects: impl IntoIterator<Item = ObjectIdentifier>) -> Self {
        Self { quiet: None, objects: objects.into_iter().collect() }
    }

    /// Whether the answer leaves out what was deleted.
    #[must_use]
    pub fn quiet(mut self, quiet: bool) -> Self {
        self.quiet = Some(quiet);
        self
    }
}

// By hand, because `Quiet` is optional and comes first.
shape_element!(Delete { quiet: Option<bool> = xml "Quiet", objects: Vec<ObjectIdentifier> = xml "Object" });

request_shape! {
    /// An object to delete.
    ObjectIdentifier (
        /// Its key.
        key: String = xml "Key",
    ) {
        /// Which version.
        version_id: String = xml "VersionId",
    }
}

impl<K: Into<String>> FromIterator<K> for Delete {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let objects = keys.into_iter().map(|key| ObjectIdentifier::new(key.into()));
        Self::new(objects)
    }
}

impl<const N: usize> IntoField<Delete> for [&str; N] {
    fn into_field(self) -> Delete {
        self.into_iter().collect()
    }
}

shape! {
    /// An object that was deleted.
    DeletedObject {
        /// Its key.
        key:                      String         = url "Key",
        /// The version that was asked for.
        version_id:               Option<String> = xml "VersionId",
        /// Whether a delete marker was made or deleted.
        delete_marker:            Option<bool>   = xml "DeleteMarker",
        /// The version of that delete marker.
        delete_marker_version_id: Option<String> = xml "DeleteMarkerVersionId",
    }
}

operation! {
    /// Copies an object of up to 5 GiB inside a region.
    ///
    /// [CopyObject](https://help.aliyun.com/zh/oss/developer-reference/copyobject)
    CopyObject = PUT Object slow versioned [] (
        /// What to copy.
        source: CopySource = header "x-oss-copy-source",
    ) {
        /// Only if the source's entity tag is this one.
        if_match:                      ETag           = header "x-oss-copy-source-if-match",
        /// Only if the source's entity tag is another.
        if_none_match:                 ETag           = header "x-oss-copy-source-if-none-match",
        /// Only if the source was written after this time.
        if_modified_since:             UnixTime       = header "x-oss-copy-source-if-modified-since",
        /// Only if the source was not written after this time.
        if_unmodified_since:           UnixTime       = header "x-oss-copy-source-if-unmodified-since",
        /// Whether metadata and content headers come from the source (when absent) or from here.
        metadata_directive:            CopyDirective  = header "x-oss-metadata-directive",
        /// Whether tags come from the source (when absent) or from here.
        tagging_directive:             CopyDirective  = header "x-oss-tagging-directive",
        /// Media type stored with the copy.
        content_type:                  String         = header "content-type",
        /// How caches may keep it.
        cache_control:                 String         = header "cache-control",
        /// How a browser presents it.
        content_disposition:           String         = header "content-disposition",
        /// How the content is encoded.
        content_encoding:              String         = header "content-encoding",
        /// Its language.
        content_language:              String         = header "content-language",
        /// MD5 in base64.
        content_md5:                   String         = header "content-md5",
        /// When caches must ask again.
        expires:                       String         = header "expires",
        /// Who may read and write the copy.
        acl:                           ObjectAcl      = header "x-oss-object-acl",
        /// Its storage class.
        storage_class:                 StorageClass   = header "x-oss-storage-class",
        /// User metadata; needs `metadata_directive` `REPLACE`.
        metadata:                      Metadata       = prefix "x-oss-meta-",
        /// Tags; need `tagging_directive` `REPLACE`.
        tagging:                       Tags           = header "x-oss-tagging",
        /// Refuses to replace an existing object.
        forbid_overwrite:              bool           = header "x-oss-forbid-overwrite",
        /// Encryption at rest.
        server_side_encryption:        SseAlgorithm   = header "x-oss-server-side-encryption",
        /// The algorithm for the data under KMS.
        server_side_data_encryption:   SseAlgorithm   = header "x-oss-server-side-data-encryption",
        /// The key in the key management service.
        server_side_encryption_key_id: String         = header "x-oss-server-side-encryption-key-id",
        /// Bandwidth limit in bits per second.
        traffic_limit:                 u64            = header "x-oss-traffic-limit",
        /// Retention mode.
        object_worm_mode:              ObjectWormMode = header "x-oss-object-worm-mode",
        /// Retained until this time.
        object_worm_retain_until_date: String         = header "x-oss-object-worm-retain-until-date",
        /// Legal hold.
        object_worm_legal_hold:        LegalHold      = header "x-oss-object-worm-legal-hold",
        /// Who pays.
        request_payer:                 RequestPayer   = header "x-oss-request-payer",
    } => Conditional if forbid_overwrite
    -> xml "CopyObjectResult" CopyObjectOutput {
        /// The copy's entity tag.
        etag:                          Option<ETag>         = xml "ETag",
        /// When it was written.
        last_modified:                 Option<UnixTime>     = xml "LastModified",
        /// Its version, in a versioned bucket.
        version_id:                    Option<String>       = header "x-oss-version-id",
        /// CRC-64 of the copy.
        crc64:                         Option<u64>          = header "x-oss-hash-crc64ecma",
        /// The version that was copied.
        copy_source_version_id:        Option<String>       = header "x-oss-copy-source-version-id",
        /// Encryption at rest.
        server_side_encryption:        Option<SseAlgorithm> = header "x-oss-server-side-encryption",
        /// The algorithm for the data under KMS.
        server_side_data_encryption:   Option<SseAlgorithm> = header "x-oss-server-side-data-encryption",
        /// The key in the key management service.
        server_side_encryption_key_id: Option<String>       = header "x-oss-server-side-encryption-key-id",
    }
}
