//! Objects that grow at their end.

use alloc::string::String;

use super::words::{ObjectAcl, RequestPayer, SseAlgorithm, StorageClass};
use crate::{Metadata, Payload, Tags};

operation! {
    /// Appends to an object, or begins one at position 0; up to 5 GiB in all.
    ///
    /// Fails with `PositionNotEqualToLength` when the position is not the object's length, and with
    /// `ObjectNotAppendable` when it was not begun by an append.
    ///
    /// [AppendObject](https://help.aliyun.com/zh/oss/developer-reference/appendobject)
    AppendObject = POST: Conditional Object typed ["append" = ""] (
        /// The length of the object so far, in bytes: where this append begins.
        position: u64     = query "position",
        /// The content.
        body:     Payload = body,
    ) {
        /// CRC-64 of the object so far, as the append before this one gave it; not sent. With it, and at
        /// position 0, the CRC-64 in the answer, which is that of the whole object, is compared with ours.
        initial_crc64:                 u64          = carried,
        /// Media type stored with the object; by the key's extension when absent.
        content_type:                  String       = header "content-type",
        /// How caches may keep it.
        cache_control:                 String       = header "cache-control",
        /// How a browser presents it.
        content_disposition:           String       = header "content-disposition",
        /// How the content is encoded: `gzip`.
        content_encoding:              String       = header "content-encoding",
        /// Its language.
        content_language:              String       = header "content-language",
        /// MD5 of this content in base64, checked by OSS.
        content_md5:                   String       = header "content-md5",
        /// When caches must ask again.
        expires:                       String       = header "expires",
        /// Who may read and write it; only when the append begins the object.
        acl:                           ObjectAcl    = header "x-oss-object-acl",
        /// Its storage class, `Standard`, `IA` or `Archive`; only when the append begins the object.
        storage_class:                 StorageClass = header "x-oss-storage-class",
        /// User metadata; only when the append begins the object.
        metadata:                      Metadata     = prefix "x-oss-meta-",
        /// Tags; only when the append begins the object.
        tagging:                       Tags         = header "x-oss-tagging",
        /// Refuses to append to an existing object.
        forbid_overwrite:              bool         = header "x-oss-forbid-overwrite",
        /// Encryption at rest.
        server_side_encryption:        SseAlgorithm = header "x-oss-server-side-encryption",
        /// The algorithm for the data under KMS.
        server_side_data_encryption:   SseAlgorithm = header "x-oss-server-side-data-encryption",
        /// The key in the key management service.
        server_side_encryption_key_id: String       = header "x-oss-server-side-encryption-key-id",
        /// Bandwidth limit in bits per second, 819,200 to 838,860,800.
        traffic_limit:                 u64          = header "x-oss-traffic-limit",
        /// Who pays.
        request_payer:                 RequestPayer = header "x-oss-request-payer",
    } -> head AppendObjectOutput {
        /// The length of the object now, in bytes: the position of the next append.
        next_append_position:          Option<u64>          = header "x-oss-next-append-position",
        /// CRC-64 of the whole object now: the `initial_crc64` of the next append.
        crc64:                         Option<u64>          = header "x-oss-hash-crc64ecma",
        /// The version that was appended to, in a versioned bucket.
        version_id:                    Option<String>       = header "x-oss-version-id",
        /// Encryption at rest.
        server_side_encryption:        Option<SseAlgorithm> = header "x-oss-server-side-encryption",
        /// The algorithm for the data under KMS.
        server_side_data_encryption:   Option<SseAlgorithm> = header "x-oss-server-side-data-encryption",
        /// The key in the key management service.
        server_side_encryption_key_id: Option<String>       = header "x-oss-server-side-encryption-key-id",
    }
}

operation! {
    /// Closes an appendable object: nothing can be appended to it any more, and it may be moved to another
    /// storage class.
    ///
    /// [SealAppendObject](https://help.aliyun.com/zh/oss/developer-reference/sealappendobject)
    SealAppendObject = POST: Idempotent Object ["seal" = ""] (
        /// The length of the object, in bytes.
        position: u64 = query "position",
    ) {} -> head SealAppendObjectOutput {
        /// When appending was closed, as OSS writes it.
        sealed_time: Option<String> = header "x-oss-sealed-time",
    }
}
