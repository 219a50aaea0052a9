//! Versions: the switch of a bucket, and the list of all versions.

use alloc::string::String;
use alloc::vec::Vec;

use oss_sign::UnixTime;

use super::list::CommonPrefix;
use super::service::Owner;
use super::words::{EncodingType, ObjectType, RequestPayer, StorageClass, VersioningStatus};
use crate::operation::{Marker, Ordered, check_encoding, next_marker};
use crate::xml::{Element, Reader, Writer};
use crate::{ETag, IntoField, InvalidValue, Paged, ReadError, Row};

operation! {
    /// Switches versioning on, or suspends it; what was once on can only be suspended.
    ///
    /// [PutBucketVersioning](https://help.aliyun.com/zh/oss/developer-reference/putbucketversioning)
    PutBucketVersioning = PUT Bucket ["versioning" = ""] (
        /// The new state; a [`VersioningStatus`] will do.
        configuration: VersioningConfiguration = xml "VersioningConfiguration",
    ) {} -> none
}

request_shape! {
    /// Whether a bucket keeps the versions of its objects.
    VersioningConfiguration (
        /// The state.
        status: VersioningStatus = xml "Status",
    ) {}
}

impl IntoField<VersioningConfiguration> for VersioningStatus {
    fn into_field(self) -> VersioningConfiguration {
        VersioningConfiguration::new(self)
    }
}

operation! {
    /// Tells whether a bucket keeps versions.
    ///
    /// [GetBucketVersioning](https://help.aliyun.com/zh/oss/developer-reference/getbucketversioning)
    GetBucketVersioning = GET Bucket ["versioning" = ""] () {}
    -> xml "VersioningConfiguration" GetBucketVersioningOutput {
        /// The state; absent when versioning was never on.
        status: Option<VersioningStatus> = xml "Status",
    }
}

operation! {
    /// Lists all versions of the objects of a bucket, delete markers included, in pages of up to 1,000: by
    /// key, and under one key the newest first.
    ///
    /// [ListObjectVersions](https://help.aliyun.com/zh/oss/developer-reference/listobjectversions)
    ListObjectVersions = GET Bucket ["versions" = "", "encoding-type" = "url"] () {
        /// Only keys that begin with this.
        prefix:            String       = query "prefix",
        /// Keys that share what comes before this, after the prefix, are given as one common prefix.
        delimiter:         String       = query "delimiter",
        /// Only keys after this one; with `version_id_marker`, also what comes after that version of it.
        key_marker:        String       = query "key-marker",
        /// Where to go on under `key_marker`, without which it has no meaning.
        version_id_marker: String       = query "version-id-marker",
        /// The most entries in a page: 1 to 1,000; 100 when absent.
        max_keys:          u32          = query "max-keys",
        /// Who pays.
        request_payer:     RequestPayer = header "x-oss-request-payer",
    } -> xml "ListVersionsResult" ListObjectVersionsOutput {
        /// The bucket.
        name:                   Option<String>       = xml "Name",
        /// The prefix that was asked for.
        prefix:                 Option<String>       = url "Prefix",
        /// The key marker that was asked for.
        key_marker:             Option<String>       = url "KeyMarker",
        /// The version marker that was asked for.
        version_id_marker:      Option<String>       = xml "VersionIdMarker",
        /// The key where the next page begins.
        next_key_marker:        Option<String>       = url "NextKeyMarker",
        /// The version where it begins.
        next_version_id_marker: Option<String>       = xml "NextVersionIdMarker",
        /// The page size that was used.
        max_keys:               Option<u32>          = xml "MaxKeys",
        /// The delimiter that was asked for.
        delimiter:              Option<String>       = url "Delimiter",
        /// Whether there is another page.
        is_truncated:           Option<bool>         = xml "IsTruncated",
        /// How keys were encoded on the wire; here they are decoded.
        encoding_type:          Option<EncodingType> = xml "EncodingType",
        /// Versions and delete markers in the order in which OSS lists them.
        entries:                Vec<VersionEntry>    = xml "Version" | "DeleteMarker",
        /// Prefixes up to the delimiter, each standing for the keys below it.
        common_prefixes:        Vec<CommonPrefix>    = xml "CommonPrefixes",
    }
}

impl Paged for ListObjectVersions {
    fn next(&self, page: &ListObjectVersionsOutput) -> Result<Option<Self>, ReadError> {
        let used = Marker::of(self.key_marker.as_deref(), self.version_id_marker.as_deref());
        let next = Marker::of(page.next_key_marker.as_deref(), page.next_version_id_marker.as_deref());
        let next = next_marker(page.is_truncated, used, next, Marker::lies_behind)?;
        Ok(next.map(|marker| Self {
            key_marker: Some(marker.key.into()),
            version_id_marker: marker.id.map(Into::into),
            ..self.clone()
        }))
    }

    fn check(&self, page: &ListObjectVersionsOutput) -> Result<(), ReadError> {
        check_encoding(page.encoding_type.as_ref())?;
        let (prefix, after) = (self.prefix.as_deref(), self.key_marker.as_deref());
        Ordered { prefix, after, repeats: true }.check(page.entries.iter().map(VersionEntry::key))
    }
}

/// An entry in a list of versions.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum VersionEntry {
    /// A version of an object.
    Version(ObjectVersion),
    /// What a deletion without a version left.
    DeleteMarker(DeleteMarker),
}

impl VersionEntry {
    /// The key.
    pub fn key(&self) -> &str {
        match self {
            Self::Version(version) => &version.key,
            Self::DeleteMarker(marker) => &marker.key,
        }
    }

    /// The version; `null` as text for what was written while versioning was not on.
    pub fn version_id(&self) -> Option<&str> {
        match self {
            Self::Version(version) => version.version_id.as_deref(),
            Self::DeleteMarker(marker) => marker.version_id.as_deref(),
        }
    }

    /// Whether it is the current one of its key.
    pub fn is_latest(&self) -> bool {
        let is_latest = match self {
            Self::Version(version) => version.is_latest,
            Self::DeleteMarker(marker) => marker.is_latest,
        };
        is_latest == Some(true)
    }
}

// By hand, because the name of the element says which of the two it is.
impl Element for VersionEntry {
    const ROWS: &'static [Row] = ObjectVersion::ROWS;

    fn write(&self, _name: &str, to: &mut Writer) -> Result<(), InvalidValue> {
        match self {
            Self::Version(version) => version.write("Version", to),
            Self::DeleteMarker(marker) => marker.write(DELETE_MARKER, to),
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Option<Self>, ReadError> {
        Ok(if from.entered() == DELETE_MARKER {
            DeleteMarker::read(from)?.map(Self::DeleteMarker)
        } else {
            ObjectVersion::read(from)?.map(Self::Version)
        })
    }

    fn decode_inside(&mut self) -> Result<(), ReadError> {
        match self {
            Self::Version(version) => version.decode_inside(),
            Self::DeleteMarker(marker) => marker.decode_inside(),
        }
    }
}

shape! {
    /// A version of an object in a list.
    ObjectVersion {
        /// Its key.
        key:             String               = url "Key",
        /// Its version; `null` as text when it was written while versioning was not on.
        version_id:      Option<String>       = xml "VersionId",
        /// Whether it is the current version.
        is_latest:       Option<bool>         = xml "IsLatest",
        /// How it was made.
        object_type:     Option<ObjectType>   = xml "Type",
        /// Its size in bytes.
        size:            Option<u64>          = xml "Size",
        /// Its entity tag.
        etag:            Option<ETag>         = xml "ETag",
        /// When it was written.
        last_modified:   Option<UnixTime>     = xml "LastModified",
        /// Its storage class.
        storage_class:   Option<StorageClass> = xml "StorageClass",
        /// Its owner.
        owner:           Option<Owner>        = xml "Owner",
        /// The state of its restoration, as in the `x-oss-restore` header.
        restore_info:    Option<String>       = xml "RestoreInfo",
        /// When a lifecycle rule moved it to its storage class, as OSS writes it.
        transition_time: Option<String>       = xml "TransitionTime",
    }

    /// What a deletion without a version left: the key is gone, its versions are not.
    DeleteMarker {
        /// Its key.
        key:           String           = url "Key",
        /// Its own version.
        version_id:    Option<String>   = xml "VersionId",
        /// Whether it is what the key now shows.
        is_latest:     Option<bool>     = xml "IsLatest",
        /// When the deletion was.
        last_modified: Option<UnixTime> = xml "LastModified",
        /// The owner of the bucket.
        owner:         Option<Owner>    = xml "Owner",
    }
}

const DELETE_MARKER: &str = "DeleteMarker";
