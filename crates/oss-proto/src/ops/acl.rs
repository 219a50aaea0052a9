//! Who may read and write: access control lists of buckets and objects.

use alloc::string::String;

use super::service::Owner;
use super::words::{BucketAcl, ObjectAcl, RequestPayer};

operation! {
    /// Changes who may read and write a bucket; takes effect within three minutes.
    ///
    /// [PutBucketAcl](https://help.aliyun.com/zh/oss/developer-reference/putbucketacl)
    PutBucketAcl = PUT Bucket ["acl" = ""] (
        /// Who may read and write.
        acl: BucketAcl = header "x-oss-acl",
    ) {} -> none
}

operation! {
    /// Tells who may read and write a bucket.
    ///
    /// [GetBucketAcl](https://help.aliyun.com/zh/oss/developer-reference/getbucketacl)
    GetBucketAcl = GET Bucket ["acl" = ""] () {} -> xml "AccessControlPolicy" GetBucketAclOutput {
        /// The account that the bucket belongs to.
        owner: Option<Owner>     = xml "Owner",
        /// Who may read and write.
        acl:   Option<BucketAcl> = xml "AccessControlList" > "Grant",
    }
}

operation! {
    /// Changes who may read and write an object.
    ///
    /// [PutObjectAcl](https://help.aliyun.com/zh/oss/developer-reference/putobjectacl)
    PutObjectAcl = PUT Object ["acl" = ""] (
        /// Who may read and write.
        acl: ObjectAcl = header "x-oss-object-acl",
    ) {
        /// Which version; the current one when absent.
        version_id:    String       = query "versionId",
        /// Who pays.
        request_payer: RequestPayer = header "x-oss-request-payer",
    } -> head PutObjectAclOutput {
        /// The version that was changed, in a versioned bucket.
        version_id: Option<String> = header "x-oss-version-id",
    }
}

operation! {
    /// Tells who may read and write an object.
    ///
    /// [GetObjectAcl](https://help.aliyun.com/zh/oss/developer-reference/getobjectacl)
    GetObjectAcl = GET Object ["acl" = ""] () {
        /// Which version; the current one when absent.
        version_id:    String       = query "versionId",
        /// Who pays.
        request_payer: RequestPayer = header "x-oss-request-payer",
    } -> xml "AccessControlPolicy" GetObjectAclOutput {
        /// The account that the bucket belongs to.
        owner:      Option<Owner>     = xml "Owner",
        /// Who may read and write; `default` is the rule of the bucket.
        acl:        Option<ObjectAcl> = xml "AccessControlList" > "Grant",
        /// The version, in a versioned bucket.
        version_id: Option<String>    = header "x-oss-version-id",
    }
}
