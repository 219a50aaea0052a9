//! Symbolic links: objects that stand for another object of the bucket.

use alloc::string::String;

use super::words::{ObjectAcl, RequestPayer, StorageClass};
use crate::{ETag, Metadata, SymlinkTarget};

operation! {
    /// Makes a symbolic link to an object of the same bucket; OSS does not check that there is one.
    ///
    /// [PutSymlink](https://help.aliyun.com/zh/oss/developer-reference/putsymlink)
    PutSymlink = PUT Object versioned ["symlink" = ""] (
        /// The key that the link stands for; not that of another link.
        target: SymlinkTarget = header "x-oss-symlink-target",
    ) {
        /// Who may read and write the link.
        acl:              ObjectAcl    = header "x-oss-object-acl",
        /// Its storage class; the bucket's when absent.
        storage_class:    StorageClass = header "x-oss-storage-class",
        /// User metadata of the link itself.
        metadata:         Metadata     = prefix "x-oss-meta-",
        /// Refuses to replace an existing object (`FileAlreadyExists`); without effect in a versioned bucket.
        forbid_overwrite: bool         = header "x-oss-forbid-overwrite",
        /// Who pays.
        request_payer:    RequestPayer = header "x-oss-request-payer",
    } => Conditional if forbid_overwrite
    -> head PutSymlinkOutput {
        /// The version, in a versioned bucket.
        version_id: Option<String> = header "x-oss-version-id",
    }
}

operation! {
    /// Tells what a symbolic link stands for; fails with `NotSymlink` when it is none.
    ///
    /// [GetSymlink](https://help.aliyun.com/zh/oss/developer-reference/getsymlink)
    GetSymlink = GET Object ["symlink" = ""] () {
        /// Which version; the current one when absent.
        version_id:    String       = query "versionId",
        /// Who pays.
        request_payer: RequestPayer = header "x-oss-request-payer",
    } -> head GetSymlinkOutput {
        /// The key that the link stands for, decoded.
        target:     Option<SymlinkTarget> = header "x-oss-symlink-target",
        /// The version, in a versioned bucket.
        version_id: Option<String>        = header "x-oss-version-id",
        /// The entity tag of the link.
        etag:       Option<ETag>          = header "etag",
        /// User metadata of the link itself.
        metadata:   Metadata              = prefix "x-oss-meta-",
    }
}
