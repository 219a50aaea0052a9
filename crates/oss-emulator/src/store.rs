//! What is kept: buckets, objects, unfinished uploads.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::Body;
use crate::acl::Acl;
use crate::blob::{Blob, Summed};
use crate::fault::Fault;

/// Every bucket, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) buckets: BTreeMap<String, Bucket>,
}

impl Store {
    pub(crate) fn bucket(&self, name: &str) -> Result<&Bucket, Fault> {
        self.buckets.get(name).ok_or_else(|| Fault::no_such_bucket(name))
    }

    pub(crate) fn bucket_mut(&mut self, name: &str) -> Result<&mut Bucket, Fault> {
        self.buckets.get_mut(name).ok_or_else(|| Fault::no_such_bucket(name))
    }

    pub(crate) fn object(&self, bucket: &str, key: &str) -> Result<&Object, Fault> {
        self.bucket(bucket)?.objects.get(key).ok_or_else(|| Fault::no_such_key(key))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    pub(crate) created: Duration,
    pub(crate) acl: Acl,
    pub(crate) storage_class: String,
    pub(crate) redundancy: String,
    pub(crate) resource_group: String,
    pub(crate) objects: BTreeMap<String, Object>,
    /// By key, then upload id.
    pub(crate) uploads: BTreeMap<(String, String), Upload>,
}

impl Bucket {
    pub(crate) fn new(created: Duration) -> Self {
        Self {
            created,
            acl: Acl::Private,
            storage_class: String::from("Standard"),
            redundancy: String::from("LRS"),
            resource_group: String::from("rg-default"),
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
        }
    }

    pub(crate) fn upload(&self, key: &str, id: &str) -> Result<&Upload, Fault> {
        let name = (String::from(key), String::from(id));
        self.uploads.get(&name).ok_or_else(|| Fault::no_such_upload(id))
    }

    pub(crate) fn upload_mut(&mut self, key: &str, id: &str) -> Result<&mut Upload, Fault> {
        let name = (String::from(key), String::from(id));
        self.uploads.get_mut(&name).ok_or_else(|| Fault::no_such_upload(id))
    }
}

/// A stored object, as a test may look at it.
#[derive(Clone, Debug)]
pub struct Object {
    pub(crate) blob: Blob,
    pub(crate) modified: Duration,
    pub(crate) etag: String,
    pub(crate) crc: u64,
    pub(crate) kind: Kind,
    pub(crate) settings: Settings,
}

impl Object {
    /// A plain object with this content.
    pub(crate) fn normal(content: Summed, settings: Settings, modified: Duration) -> Self {
        Self {
            blob: content.blob,
            modified,
            etag: etag(&content.md5),
            crc: content.crc,
            kind: Kind::Normal { md5: content.md5 },
            settings,
        }
    }

    /// The length in bytes.
    pub fn size(&self) -> u64 {
        self.blob.len()
    }

    /// The content.
    pub fn body(&self) -> Body {
        self.blob.body()
    }

    /// CRC-64/XZ of the content, as `x-oss-hash-crc64ecma` has it.
    pub fn crc64(&self) -> u64 {
        self.crc
    }

    /// The ETag with its quotes.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// When it was written, since the Unix epoch.
    pub fn modified(&self) -> Duration {
        self.modified
    }

    /// A stored header (`content-type`, `x-oss-meta-…`) by its lower-case name, when it is ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.settings.headers.iter().find(|(other, _)| other.as_str() == name);
        found.and_then(|(_, value)| value.to_str().ok())
    }
}

/// How an object came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal { md5: [u8; 16] },
    Multipart,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Normal { .. } => "Normal",
            Self::Multipart => "Multipart",
        }
    }
}

/// What a writer says about an object besides its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) acl: Acl,
    pub(crate) storage_class: String,
    /// Content headers, metadata and encryption headers, given back as they came.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) tags: Vec<(String, String)>,
}

/// An unfinished multipart upload.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) initiated: Duration,
    pub(crate) settings: Settings,
    pub(crate) parts: BTreeMap<u32, Part>,
}

#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) blob: Blob,
    pub(crate) etag: String,
    pub(crate) crc: u64,
    pub(crate) modified: Duration,
}

/// Upper-case hexadecimal digits in quotes.
pub(crate) fn etag(md5: &[u8; 16]) -> String {
    let digits: String = md5.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("\"{digits}\"")
}
