//! Operations on a bucket.

use alloc::string::String;
use alloc::vec::Vec;

use oss_sign::UnixTime;

use super::service::Owner;
use super::words::{BucketAcl, DataRedundancyType, EncodingType, RequestPayer, StorageClass};
use crate::operation::next_marker;
use crate::{ETag, Paged, ReadError, Tags};

operation! {
    /// Creates a bucket; succeeds as well when it is already yours with the same settings.
    ///
    /// [PutBucket](https://help.aliyun.com/zh/oss/developer-reference/putbucket)
    PutBucket = PUT Bucket [] () {
        /// Who may read and write; `private` when absent.
        acl:               BucketAcl                 = header "x-oss-acl",
        /// The resource group of the bucket.
        resource_group_id: String                    = header "x-oss-resource-group-id",
        /// Tags of the bucket.
        tagging:           Tags                      = header "x-oss-bucket-tagging",
        /// Storage class and redundancy.
        configuration:     CreateBucketConfiguration = xml "CreateBucketConfiguration",
    } -> none
}

request_shape! {
    /// How a new bucket stores its objects.
    CreateBucketConfiguration () {
        /// The storage class of objects that name none; `Standard` when absent.
        storage_class:        StorageClass       = xml "StorageClass",
        /// How many zones hold the data; `LRS` when absent.
        data_redundancy_type: DataRedundancyType = xml "DataRedundancyType",
    }
}

operation! {
    /// Deletes an empty bucket.
    ///
    /// [DeleteBucket](https://help.aliyun.com/zh/oss/developer-reference/deletebucket)
    DeleteBucket = DELETE Bucket [] () {} gone "NoSuchBucket" -> none
}

operation! {
    /// Tells how a bucket is set up.
    ///
    /// [GetBucketInfo](https://help.aliyun.com/zh/oss/developer-reference/getbucketinfo)
    GetBucketInfo = GET Bucket ["bucketInfo" = ""] () {} -> xml "BucketInfo" GetBucketInfoOutput {
        /// The bucket.
        bucket: BucketInfo = xml "Bucket",
    }
}

shape! {
    /// How a bucket is set up.
    BucketInfo {
        /// Its name.
        name:                        Option<String>                   = xml "Name",
        /// Whether access times are tracked: `Enabled` or `Disabled`.
        access_monitor:              Option<String>                   = xml "AccessMonitor",
        /// Its data centre: `oss-cn-hangzhou`.
        location:                    Option<String>                   = xml "Location",
        /// When it was created.
        creation_date:               Option<UnixTime>                 = xml "CreationDate",
        /// Its public endpoint.
        extranet_endpoint:           Option<String>                   = xml "ExtranetEndpoint",
        /// Its endpoint inside Alibaba Cloud.
        intranet_endpoint:           Option<String>                   = xml "IntranetEndpoint",
        /// Who may read and write.
        acl:                         Option<BucketAcl>                = xml "AccessControlList" > "Grant",
        /// How many zones hold the data.
        data_redundancy_type:        Option<DataRedundancyType>       = xml "DataRedundancyType",
        /// The account.
        owner:                       Option<Owner>                    = xml "Owner",
        /// The storage class of objects that name none.
        storage_class:               Option<StorageClass>             = xml "StorageClass",
        /// Its resource group.
        resource_group_id:           Option<String>                   = xml "ResourceGroupId",
        /// How objects are encrypted at rest.
        server_side_encryption_rule: Option<ServerSideEncryptionRule> = xml "ServerSideEncryptionRule",
        /// `Enabled`, `Suspended`, or absent when versioning was never on.
        versioning:                  Option<String>                   = xml "Versioning",
        /// Whether transfer acceleration is on: `Enabled` or `Disabled`.
        transfer_acceleration:       Option<String>                   = xml "TransferAcceleration",
        /// Whether it is replicated to another region: `Enabled` or `Disabled`.
        cross_region_replication:    Option<String>                   = xml "CrossRegionReplication",
        /// Where access logs go.
        bucket_policy:               Option<BucketLogPolicy>          = xml "BucketPolicy",
        /// A comment.
        comment:                     Option<String>                   = xml "Comment",
        /// Whether public access is blocked whatever the ACL says.
        block_public_access:         Option<bool>                     = xml "BlockPublicAccess",
    }

    /// How objects are encrypted at rest.
    ServerSideEncryptionRule {
        /// The key in the key management service.
        kms_master_key_id:   Option<String> = xml "KMSMasterKeyID",
        /// The algorithm; `None` as text when there is none.
        sse_algorithm:       Option<String> = xml "SSEAlgorithm",
        /// The algorithm for the data under KMS.
        kms_data_encryption: Option<String> = xml "KMSDataEncryption",
    }

    /// Where access logs go.
    BucketLogPolicy {
        /// The bucket that takes them.
        log_bucket: Option<String> = xml "LogBucket",
        /// What their keys begin with.
        log_prefix: Option<String> = xml "LogPrefix",
    }
}

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
}

shape! {
    /// An object in a list.
    ObjectProperties {
        /// Its key.
        key:             String               = url "Key",
        /// How it was made: `Normal`, `Multipart`, `Appendable` or `Symlink`.
        object_type:     Option<String>       = xml "Type",
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
        /// When a lifecycle rule moved it to its storage class.
        transition_time: Option<String>       = xml "TransitionTime",
    }

    /// A prefix that stands for the keys below it.
    CommonPrefix {
        /// The prefix, delimiter included.
        prefix: String = url "Prefix",
    }
}
