//! Operations on a bucket.

use alloc::string::String;

use oss_sign::UnixTime;

use super::service::Owner;
use super::words::{BucketAcl, DataRedundancyType, StorageClass, VersioningStatus};
use crate::Tags;

operation! {
    /// Creates a bucket; of one's own bucket it overwrites the metadata, such as the ACL.
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
        versioning:                  Option<VersioningStatus>         = xml "Versioning",
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
    /// Tells in which data centre a bucket is.
    ///
    /// [GetBucketLocation](https://help.aliyun.com/zh/oss/developer-reference/getbucketlocation)
    GetBucketLocation = GET Bucket ["location" = ""] () {}
    -> xml "LocationConstraint" GetBucketLocationOutput {
        /// Its data centre: `oss-cn-hangzhou`.
        location: String = root "LocationConstraint",
    }
}

operation! {
    /// Tells how much a bucket holds; OSS counts with a delay of an hour or more.
    ///
    /// [GetBucketStat](https://help.aliyun.com/zh/oss/developer-reference/getbucketstat)
    GetBucketStat = GET Bucket ["stat" = ""] () {} -> xml "BucketStat" GetBucketStatOutput {
        /// What all objects take, in bytes.
        storage:                        Option<u64> = xml "Storage",
        /// The number of objects.
        object_count:                   Option<u64> = xml "ObjectCount",
        /// The number of multipart uploads that were begun and neither completed nor given up.
        multipart_upload_count:         Option<u64> = xml "MultipartUploadCount",
        /// The number of parts in them.
        multipart_part_count:           Option<u64> = xml "MultipartPartCount",
        /// The number of live channels.
        live_channel_count:             Option<u64> = xml "LiveChannelCount",
        /// When OSS counted, in seconds since 1970.
        last_modified_time:             Option<u64> = xml "LastModifiedTime",
        /// What Standard objects take, in bytes.
        standard_storage:               Option<u64> = xml "StandardStorage",
        /// The number of Standard objects.
        standard_object_count:          Option<u64> = xml "StandardObjectCount",
        /// What infrequent-access objects are billed for, in bytes.
        infrequent_access_storage:      Option<u64> = xml "InfrequentAccessStorage",
        /// What they take, in bytes.
        infrequent_access_real_storage: Option<u64> = xml "InfrequentAccessRealStorage",
        /// Their number.
        infrequent_access_object_count: Option<u64> = xml "InfrequentAccessObjectCount",
        /// What Archive objects are billed for, in bytes.
        archive_storage:                Option<u64> = xml "ArchiveStorage",
        /// What they take, in bytes.
        archive_real_storage:           Option<u64> = xml "ArchiveRealStorage",
        /// Their number.
        archive_object_count:           Option<u64> = xml "ArchiveObjectCount",
        /// What Cold Archive objects are billed for, in bytes.
        cold_archive_storage:           Option<u64> = xml "ColdArchiveStorage",
        /// What they take, in bytes.
        cold_archive_real_storage:      Option<u64> = xml "ColdArchiveRealStorage",
        /// Their number.
        cold_archive_object_count:      Option<u64> = xml "ColdArchiveObjectCount",
        /// What Deep Cold Archive objects are billed for, in bytes.
        deep_cold_archive_storage:      Option<u64> = xml "DeepColdArchiveStorage",
        /// What they take, in bytes.
        deep_cold_archive_real_storage: Option<u64> = xml "DeepColdArchiveRealStorage",
        /// Their number.
        deep_cold_archive_object_count: Option<u64> = xml "DeepColdArchiveObjectCount",
        /// The number of delete markers.
        delete_marker_count:            Option<u64> = xml "DeleteMarkerCount",
    }
}
