//! A stored object.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use alloc::vec::Vec;
use http::{HeaderName, HeaderValue};

use crate::Body;
use crate::acl::Acl;
use crate::blob::{Blob, Summed};
use crate::store::Tags;
use crate::time::http_date;

/// A stored object, as a test may look at it.
#[derive(Clone, Debug)]
pub struct Object {
    pub(crate) blob: Blob,
    pub(crate) modified: Duration,
    pub(crate) etag: String,
    pub(crate) crc: u64,
    pub(crate) kind: Kind,
    pub(crate) settings: Settings,
    pub(crate) restore: Option<Restore>,
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
            restore: None,
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

    /// The state of a restoration that has not run out, as `x-oss-restore` and `RestoreInfo` have it.
    pub(crate) fn restore_info(&self, now: Duration) -> Option<String> {
        let restore = self.restore.filter(|restore| now < restore.ends)?;
        Some(if now < restore.ready {
            String::from("ongoing-request=\"true\"")
        } else {
            format!("ongoing-request=\"false\", expiry-date=\"{}\"", http_date(restore.ends))
        })
    }

    /// Whether the content can be read: an object of an archive class must be restored first.
    pub(crate) fn is_readable(&self, now: Duration) -> bool {
        !self.is_archived()
            || self.restore.is_some_and(|restore| (restore.ready..restore.ends).contains(&now))
    }

    pub(crate) fn is_archived(&self) -> bool {
        self.settings.storage_class.ends_with("Archive")
    }
}

/// How an object came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal {
        md5: [u8; 16],
    },
    Multipart,
    /// `sealed` is the time from which nothing can be appended.
    Appendable {
        sealed: Option<Duration>,
    },
    /// `target` as it was given, still encoded.
    Symlink {
        target: String,
    },
}

impl Kind {
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Normal { .. } => "Normal",
            Self::Multipart => "Multipart",
            Self::Appendable { .. } => "Appendable",
            Self::Symlink { .. } => "Symlink",
        }
    }
}

/// A restoration: from `ready` to `ends` the object can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Restore {
    pub(crate) tier: Tier,
    pub(crate) ready: Duration,
    pub(crate) ends: Duration,
}

/// How fast a restoration is; the faster, the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    Bulk,
    Standard,
    Expedited,
}

impl Tier {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Bulk => "Bulk",
            Self::Standard => "Standard",
            Self::Expedited => "Expedited",
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
    pub(crate) tags: Tags,
}

/// Upper-case hexadecimal digits in quotes.
pub(crate) fn etag(md5: &[u8; 16]) -> String {
    let digits: String = md5.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("\"{digits}\"")
}
