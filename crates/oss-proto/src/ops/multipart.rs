//! Operations on multipart uploads.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use bytes::Bytes;
use oss_sign::UnixTime;

use super::list::CommonPrefix;
use super::words::{
    EncodingType, LegalHold, ObjectAcl, ObjectWormMode, RequestPayer, SseAlgorithm, StorageClass,
};
use crate::operation::{Marker, Ordered, check_encoding, next_marker};
use crate::{
    ByteRange, Callback, CallbackVars, CopySource, ETag, IntoField, Metadata, Paged, Payload, ReadError, Tags,
};

operation! {
    /// Begins a multipart upload.
    ///
    /// [InitiateMultipartUpload](https://help.aliyun.com/zh/oss/developer-reference/initiatemultipartupload)
    InitiateMultipartUpload = POST: Orphaning Object typed ["uploads" = "", "encoding-type" = "url"] () {
        /// Media type stored with the object; by the key's extension when absent.
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
        /// Its storage class.
        storage_class:                 StorageClass   = header "x-oss-storage-class",
        /// User metadata.
        metadata:                      Metadata       = prefix "x-oss-meta-",
        /// Tags.
        tagging:                       Tags           = header "x-oss-tagging",
        /// Refuses to replace an existing object.
        forbid_overwrite:              bool           = header "x-oss-forbid-overwrite",
        /// Encryption at rest.
        server_side_encryption:        SseAlgorithm   = header "x-oss-server-side-encryption",
        /// The algorithm for the data under KMS.
        server_side_data_encryption:   SseAlgorithm   = header "x-oss-server-side-data-encryption",
        /// The key in the key management service.
        server_side_encryption_key_id: String         = header "x-oss-server-side-encryption-key-id",
        /// Retention mode.
        object_worm_mode:              ObjectWormMode = header "x-oss-object-worm-mode",
        /// Retained until this time.
        object_worm_retain_until_date: String         = header "x-oss-object-worm-retain-until-date",
        /// Legal hold.
        object_worm_legal_hold:        LegalHold      = header "x-oss-object-worm-legal-hold",
        /// Who pays.
        request_payer:                 RequestPayer   = header "x-oss-request-payer",
    } -> xml "InitiateMultipartUploadResult" InitiateMultipartUploadOutput {
        /// The bucket.
        bucket:        Option<String>       = xml "Bucket",
        /// The key.
        key:           Option<String>       = url "Key",
        /// What names the upload from now on.
        upload_id:     String               = xml "UploadId",
        /// How the key was encoded on the wire; here it is decoded.
        encoding_type: Option<EncodingType> = xml "EncodingType",
    }
}

operation! {
    /// Uploads one part: 100 KiB to 5 GiB, the last one may be smaller.
    ///
    /// [UploadPart](https://help.aliyun.com/zh/oss/developer-reference/uploadpart)
    UploadPart = PUT Object checked [] (
        /// The upload.
        upload_id:   String  = query "uploadId",
        /// The part's place in the object: 1 to 10,000.
        part_number: u32     = query "partNumber",
        /// The content.
        body:        Payload = body,
    ) {
        /// MD5 of the part in base64, checked by OSS.
        content_md5:   String       = header "content-md5",
        /// Bandwidth limit in bits per second.
        traffic_limit: u64          = header "x-oss-traffic-limit",
        /// Who pays.
        request_payer: RequestPayer = header "x-oss-request-payer",
    } -> head UploadPartOutput {
        /// The part's entity tag, which completion asks for.
        etag:        Option<ETag>   = header "etag",
        /// MD5 of the part in base64, as OSS computed it.
        content_md5: Option<String> = header "content-md5",
        /// CRC-64 of the part, as OSS computed it; compared with ours before you see it.
        crc64:       Option<u64>    = header "x-oss-hash-crc64ecma",
    }
}

operation! {
    /// Copies an object, or a range of one, into a part: 100 KiB to 5 GiB, the last one may be smaller.
    ///
    /// [UploadPartCopy](https://help.aliyun.com/zh/oss/developer-reference/uploadpartcopy)
    UploadPartCopy = PUT Object slow [] (
        /// The upload.
        upload_id:   String     = query "uploadId",
        /// The part's place in the object: 1 to 10,000.
        part_number: u32        = query "partNumber",
        /// What to copy.
        source:      CopySource = header "x-oss-copy-source",
    ) {
        /// Only these bytes of it; all of them when absent.
        range:               ByteRange    = header "x-oss-copy-source-range",
        /// Only if the source's entity tag is this one.
        if_match:            ETag         = header "x-oss-copy-source-if-match",
        /// Only if the source's entity tag is another.
        if_none_match:       ETag         = header "x-oss-copy-source-if-none-match",
        /// Only if the source was written after this time.
        if_modified_since:   UnixTime     = header "x-oss-copy-source-if-modified-since",
        /// Only if the source was not written after this time.
        if_unmodified_since: UnixTime     = header "x-oss-copy-source-if-unmodified-since",
        /// Bandwidth limit in bits per second, 819,200 to 838,860,800.
        traffic_limit:       u64          = header "x-oss-traffic-limit",
        /// Who pays.
        request_payer:       RequestPayer = header "x-oss-request-payer",
    } -> xml "CopyPartResult" UploadPartCopyOutput {
        /// The part's entity tag, which completion asks for.
        etag:                   Option<ETag>     = xml "ETag",
        /// When the part was made.
        last_modified:          Option<UnixTime> = xml "LastModified",
        /// CRC-64 of the part, when OSS knows it.
        crc64:                  Option<u64>      = header "x-oss-hash-crc64ecma",
        /// The version that was copied.
        copy_source_version_id: Option<String>   = header "x-oss-copy-source-version-id",
    }
}

operation! {
    /// Makes an object of uploaded parts.
    ///
    /// An answer that is lost is asked for again, since an upload can be completed once only. When OSS then
    /// knows no such upload, `size` and `crc64` tell whether the object is that of these parts; without both
    /// nobody can, and the outcome stays unknown. What is found in this way has no `location`.
    ///
    /// [CompleteMultipartUpload](https://help.aliyun.com/zh/oss/developer-reference/completemultipartupload)
    CompleteMultipartUpload = POST: Conditional Object slow ["encoding-type" = "url"] (
        /// The upload.
        upload_id: String = query "uploadId",
    ) {
        /// The parts, in order; or set `complete_all`.
        parts:            CompletedParts = xml "CompleteMultipartUpload",
        /// `yes` takes all parts that were uploaded, in order.
        complete_all:     String         = header "x-oss-complete-all",
        /// Who may read and write the object.
        acl:              ObjectAcl      = header "x-oss-object-acl",
        /// Lets OSS post to an application afterwards.
        callback:         Callback       = header "x-oss-callback",
        /// The application's own variables.
        callback_var:     CallbackVars   = header "x-oss-callback-var",
        /// Refuses to replace an existing object.
        forbid_overwrite: bool           = header "x-oss-forbid-overwrite",
        /// The length of the object, in bytes: the sum of its parts. Not sent; with `crc64` it tells
        /// whether a completion whose answer was lost took effect.
        size:             u64            = expected "size",
        /// CRC-64 of the object: those of its parts combined. Not sent; the CRC-64 in the answer is compared
        /// with it.
        crc64:            u64            = expected "crc64",
        /// Who pays.
        request_payer:    RequestPayer   = header "x-oss-request-payer",
    } => Once if callback
    -> xml "CompleteMultipartUploadResult" CompleteMultipartUploadOutput {
        /// The bucket.
        bucket:        Option<String>       = xml "Bucket",
        /// The key.
        key:           Option<String>       = url "Key",
        /// The object's URL.
        location:      Option<String>       = xml "Location",
        /// The object's entity tag; not an MD5.
        etag:          Option<ETag>         = xml "ETag",
        /// How the key was encoded on the wire; here it is decoded.
        encoding_type: Option<EncodingType> = xml "EncodingType",
        /// CRC-64 of the object.
        crc64:         Option<u64>          = header "x-oss-hash-crc64ecma",
        /// Its version, in a versioned bucket.
        version_id:    Option<String>       = header "x-oss-version-id",
        /// The body as it came: with a callback, what the application answered.
        body:          Bytes                = body,
    }
}

request_shape! {
    /// The parts of an object.
    CompletedParts (
        /// The parts, in the order of their numbers.
        parts: Vec<CompletedPart> = xml "Part",
    ) {}

    /// A part that was uploaded.
    CompletedPart (
        /// Its number.
        part_number: u32  = xml "PartNumber",
        /// Its entity tag, as the upload of the part gave it.
        etag:        ETag = xml "ETag",
    ) {}
}

impl IntoField<CompletedParts> for Vec<CompletedPart> {
    fn into_field(self) -> CompletedParts {
        CompletedParts::new(self)
    }
}

operation! {
    /// Gives up a multipart upload and frees its parts.
    ///
    /// [AbortMultipartUpload](https://help.aliyun.com/zh/oss/developer-reference/abortmultipartupload)
    AbortMultipartUpload = DELETE Object [] (
        /// The upload.
        upload_id: String = query "uploadId",
    ) {
        /// Who pays.
        request_payer: RequestPayer = header "x-oss-request-payer",
    } gone "NoSuchUpload" -> none
}

operation! {
    /// Lists the multipart uploads of a bucket that were begun and neither completed nor given up, in pages
    /// of up to 1,000: by key, and under one key by when they were begun.
    ///
    /// [ListMultipartUploads](https://help.aliyun.com/zh/oss/developer-reference/listmultipartuploads)
    ListMultipartUploads = GET Bucket ["uploads" = "", "encoding-type" = "url"] () {
        /// Only keys that begin with this.
        prefix:           String       = query "prefix",
        /// Keys that share what comes before this, after the prefix, are given as one common prefix.
        delimiter:        String       = query "delimiter",
        /// Only keys after this one; with `upload_id_marker`, also what comes after that upload to it.
        key_marker:       String       = query "key-marker",
        /// Where to go on under `key_marker`, without which it has no meaning.
        upload_id_marker: String       = query "upload-id-marker",
        /// The most uploads in a page: 1 to 1,000; 1,000 when absent.
        max_uploads:      u32          = query "max-uploads",
        /// Who pays.
        request_payer:    RequestPayer = header "x-oss-request-payer",
    } -> xml "ListMultipartUploadsResult" ListMultipartUploadsOutput {
        /// The bucket.
        bucket:                Option<String>        = xml "Bucket",
        /// The prefix that was asked for.
        prefix:                Option<String>        = url "Prefix",
        /// The delimiter that was asked for.
        delimiter:             Option<String>        = url "Delimiter",
        /// The key marker that was asked for.
        key_marker:            Option<String>        = url "KeyMarker",
        /// The upload marker that was asked for.
        upload_id_marker:      Option<String>        = xml "UploadIdMarker",
        /// The key where the next page begins.
        next_key_marker:       Option<String>        = url "NextKeyMarker",
        /// The upload where it begins.
        next_upload_id_marker: Option<String>        = xml "NextUploadIdMarker",
        /// The page size that was used.
        max_uploads:           Option<u32>           = xml "MaxUploads",
        /// Whether there is another page.
        is_truncated:          Option<bool>          = xml "IsTruncated",
        /// How keys were encoded on the wire; here they are decoded.
        encoding_type:         Option<EncodingType>  = xml "EncodingType",
        /// The uploads, in the order of their keys.
        uploads:               Vec<UploadProperties> = xml "Upload",
        /// Prefixes up to the delimiter, each standing for the keys below it.
        common_prefixes:       Vec<CommonPrefix>     = xml "CommonPrefixes",
    }
}

impl Paged for ListMultipartUploads {
    fn next(&self, page: &ListMultipartUploadsOutput) -> Result<Option<Self>, ReadError> {
        let used = Marker::of(self.key_marker.as_deref(), self.upload_id_marker.as_deref());
        let next = Marker::of(page.next_key_marker.as_deref(), page.next_upload_id_marker.as_deref());
        let next = next_marker(page.is_truncated, used, next, Marker::lies_behind)?;
        Ok(next.map(|marker| Self {
            key_marker: Some(marker.key.into()),
            upload_id_marker: marker.id.map(Into::into),
            ..self.clone()
        }))
    }

    fn check(&self, page: &ListMultipartUploadsOutput) -> Result<(), ReadError> {
        check_encoding(page.encoding_type.as_ref())?;
        let (prefix, after) = (self.prefix.as_deref(), self.key_marker.as_deref());
        Ordered { prefix, after, repeats: true }.check(page.uploads.iter().map(|upload| upload.key.as_str()))
    }
}

impl ListMultipartUploadsOutput {
    /// The uploads of a key that were begun before a time, each to be given up: what calls left whose answer
    /// was lost ([`Error::may_have_orphan`](crate::Error::may_have_orphan)).
    ///
    /// Choose a time before the oldest upload that may still be at work, by the service's clock. An upload
    /// whose time OSS does not say is left alone. Ask for the list with the key as its prefix.
    ///
    /// ```
    /// use oss_proto::{ListMultipartUploadsOutput, UnixTime};
    ///
    /// let page = ListMultipartUploadsOutput::default();
    /// assert_eq!(page.left_behind("a.txt", UnixTime::from_secs(1_702_743_657)).count(), 0);
    /// ```
    pub fn left_behind<'a>(
        &'a self,
        key: &'a str,
        before: UnixTime,
    ) -> impl Iterator<Item = AbortMultipartUpload> + 'a {
        let is_old = move |upload: &&UploadProperties| {
            upload.key == key && upload.initiated.is_some_and(|begun| begun < before)
        };
        let bucket = self.bucket.as_deref();
        self.uploads.iter().filter(is_old).map(move |upload| {
            let id = upload.upload_id.as_str();
            match bucket {
                Some(bucket) => AbortMultipartUpload::new(bucket, upload.key.as_str(), id),
                None => AbortMultipartUpload::to(upload.key.as_str(), id),
            }
        })
    }
}

shape! {
    /// A multipart upload in a list.
    UploadProperties {
        /// The key of the object to be.
        key:       String           = url "Key",
        /// What names the upload.
        upload_id: String           = xml "UploadId",
        /// When it was begun.
        initiated: Option<UnixTime> = xml "Initiated",
    }
}

operation! {
    /// Lists the parts of an upload, in pages of up to 1,000.
    ///
    /// [ListParts](https://help.aliyun.com/zh/oss/developer-reference/listparts)
    ListParts = GET Object ["encoding-type" = "url"] (
        /// The upload.
        upload_id: String = query "uploadId",
    ) {
        /// The most parts in a page: 1 to 1,000; 1,000 when absent.
        max_parts:          u32          = query "max-parts",
        /// Only parts after this number.
        part_number_marker: u32          = query "part-number-marker",
        /// Who pays.
        request_payer:      RequestPayer = header "x-oss-request-payer",
    } -> xml "ListPartsResult" ListPartsOutput {
        /// The bucket.
        bucket:                      Option<String>       = xml "Bucket",
        /// The key.
        key:                         Option<String>       = url "Key",
        /// The upload.
        upload_id:                   Option<String>       = xml "UploadId",
        /// The marker that was asked for.
        part_number_marker:          Option<u32>          = xml "PartNumberMarker",
        /// Where the next page begins.
        next_part_number_marker:     Option<u32>          = xml "NextPartNumberMarker",
        /// The page size that was used.
        max_parts:                   Option<u32>          = xml "MaxParts",
        /// Whether there is another page.
        is_truncated:                Option<bool>         = xml "IsTruncated",
        /// How the key was encoded on the wire; here it is decoded.
        encoding_type:               Option<EncodingType> = xml "EncodingType",
        /// The storage class that the object will have.
        storage_class:               Option<StorageClass> = xml "StorageClass",
        /// Client-side encryption: the wrapped key.
        client_encryption_key:       Option<String>       = xml "ClientEncryptionKey",
        /// Client-side encryption: the start value.
        client_encryption_start:     Option<String>       = xml "ClientEncryptionStart",
        /// Client-side encryption: the algorithm of the content.
        client_encryption_cek_alg:   Option<String>       = xml "ClientEncryptionCekAlg",
        /// Client-side encryption: the algorithm of the key.
        client_encryption_wrap_alg:  Option<String>       = xml "ClientEncryptionWrapAlg",
        /// Client-side encryption: the size of the content.
        client_encryption_data_size: Option<u64>          = xml "ClientEncryptionDataSize",
        /// Client-side encryption: the size of a part.
        client_encryption_part_size: Option<u64>          = xml "ClientEncryptionPartSize",
        /// The parts, by number.
        parts:                       Vec<PartProperties>  = xml "Part",
    }
}

impl Paged for ListParts {
    fn next(&self, page: &ListPartsOutput) -> Result<Option<Self>, ReadError> {
        let (used, next) = (self.part_number_marker, page.next_part_number_marker);
        let next = next_marker(page.is_truncated, used, next, |next, used| next > used)?;
        Ok(next.map(|marker| self.clone().part_number_marker(marker)))
    }

    fn check(&self, page: &ListPartsOutput) -> Result<(), ReadError> {
        check_encoding(page.encoding_type.as_ref())?;
        let mut before = self.part_number_marker;
        for number in page.parts.iter().map(|part| part.part_number) {
            if before.is_some_and(|before| number <= before) {
                return Err(ReadError::misplaced(
                    "does not lie behind the part before it",
                    &number.to_string(),
                ));
            }
            before = Some(number);
        }
        Ok(())
    }
}

shape! {
    /// A part that OSS holds.
    PartProperties {
        /// Its number.
        part_number:   u32              = xml "PartNumber",
        /// Its entity tag.
        etag:          Option<ETag>     = xml "ETag",
        /// When it was uploaded.
        last_modified: Option<UnixTime> = xml "LastModified",
        /// Its size in bytes.
        size:          Option<u64>      = xml "Size",
        /// Its CRC-64.
        crc64:         Option<u64>      = xml "HashCrc64ecma",
    }
}
