//! What is kept of a transfer so that another process can go on where it stopped.

mod text;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use core::fmt;

use super::Plan;
use crate::invalid::excerpt;
use crate::{BucketName, Checked, ObjectKey, Service};

/// How far a transfer came: plain data with a text form, a hint and never a proof.
///
/// Whoever goes on from it compares it with the call first, reads again what it says was done, and counts
/// only what was found good: bytes of a partial file by their CRC-64, parts at OSS by what OSS lists and the
/// CRC-64 of the source. So a checkpoint that is old, damaged or forged costs work and never gives wrong
/// bytes.
///
/// It holds names (endpoint, bucket, key, upload id) and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub(super) call: Identity,
    /// The length of the whole object.
    pub(super) size: u64,
    pub(super) etag: Option<String>,
    pub(super) crc64: Option<u64>,
    pub(super) upload_id: Option<String>,
    /// What was done: the number of a part and its CRC-64.
    pub(super) parts: BTreeMap<u32, u64>,
}

/// Which transfer it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) kind: Kind,
    pub(super) endpoint: String,
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) version_id: Option<String>,
    /// The range that was asked for, as its header says it.
    pub(super) range: Option<String>,
    /// Of an upload: a digest of what OSS was told of the object when it began.
    pub(super) request: Option<String>,
    pub(super) part_size: u64,
    pub(super) local: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Upload,
    Download,
}

impl Checkpoint {
    /// The longest text form: 4 MiB.
    pub const BYTES_MAX: usize = 4 << 20;

    /// The text form, versioned, one fact a line, with a checksum over all of it as its last line.
    pub fn to_text(&self) -> String {
        text::write(self)
    }

    /// Reads the text form, and takes nothing that [`to_text`](Self::to_text) does not write.
    ///
    /// # Errors
    /// What is wrong with it: start afresh then ([`Fresh::Unreadable`]).
    pub fn parse(text: &[u8]) -> Result<Self, CheckpointError> {
        text::parse(text)
    }

    /// What the driver said of the file on this side when the transfer began.
    pub fn local(&self) -> &str {
        &self.call.local
    }

    /// The multipart upload that is under way, for whoever wants to give it up.
    pub fn upload_id(&self) -> Option<&str> {
        self.upload_id.as_deref()
    }

    /// The first point in which it is about something else than this call.
    pub(super) fn difference(&self, call: &Identity) -> Option<Fresh> {
        let none = || String::from("none");
        let text = |value: &Option<String>| value.clone().unwrap_or_else(none);
        let kind = |kind: Kind| String::from(kind.word());
        let Identity { endpoint, bucket, key, part_size, local, .. } = &self.call;
        let pairs = [
            ("kind", kind(self.call.kind), kind(call.kind)),
            ("endpoint", endpoint.clone(), call.endpoint.clone()),
            ("bucket", bucket.clone(), call.bucket.clone()),
            ("key", key.clone(), call.key.clone()),
            ("version", text(&self.call.version_id), text(&call.version_id)),
            ("range", text(&self.call.range), text(&call.range)),
            ("request", text(&self.call.request), text(&call.request)),
            ("part size", part_size.to_string(), call.part_size.to_string()),
            ("file on this side", local.clone(), call.local.clone()),
        ];
        let differing = pairs.into_iter().find(|(_, was, now)| was != now);
        differing.map(|(what, was, now)| Fresh::Differs { what, was, now })
    }

    /// Whether an upload id in it belongs to the object of this call.
    pub(super) fn is_same_object(&self, call: &Identity) -> bool {
        let of = |call: &Identity| (call.kind, call.endpoint.clone(), call.bucket.clone(), call.key.clone());
        of(&self.call) == of(call)
    }

    /// Whether every number in it can be.
    fn check(&self) -> Result<(), CheckpointError> {
        let plan = Plan::of_download(self.size, Some(self.call.part_size));
        if plan.part_size() != self.call.part_size {
            return Err(CheckpointError::Value { what: "part size" });
        }
        let last = self.parts.last_key_value().map_or(0, |(number, _)| *number);
        let first = self.parts.first_key_value().map_or(1, |(number, _)| *number);
        if first == 0 || last > plan.parts() {
            return Err(CheckpointError::Value { what: "part" });
        }
        Ok(())
    }
}

impl Identity {
    /// Of a transfer to or from this object; `None` when its names cannot be sent anyway.
    pub(super) fn new(
        kind: Kind,
        service: &Service,
        bucket: &Checked<BucketName>,
        key: &Checked<ObjectKey>,
        local: String,
    ) -> Option<Self> {
        let bucket = bucket.name().ok()?.or(service.bucket.as_ref())?.to_string();
        let key = String::from(key.name().ok()??.as_str());
        let endpoint = service.endpoint.to_string();
        let (version_id, range, request, part_size) = (None, None, None, 0);
        Some(Self { kind, endpoint, bucket, key, version_id, range, request, part_size, local })
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Download => "download",
        }
    }
}

/// Why a checkpoint that was found is not gone on with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fresh {
    /// It cannot be read.
    Unreadable(CheckpointError),
    /// It is about something else.
    Differs {
        /// What differs: `bucket`, `key`, `size`, `entity tag`, `part size`, …
        what: &'static str,
        /// What the checkpoint says.
        was: String,
        /// What is so now.
        now: String,
    },
    /// The partial file that it names cannot be used.
    NoPartialFile {
        /// Why.
        why: String,
    },
    /// OSS does not have the upload any more.
    UploadGone,
    /// Nothing would tell at the end that the whole is right, because OSS gives no CRC-64 of these bytes (a
    /// range, an object without one), and the word of a checkpoint is not enough.
    Unverifiable,
    /// The parts cannot be told to be those of one object, because OSS gives no strong entity tag.
    NotPinned,
}

impl fmt::Display for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "started afresh: {error}"),
            Self::Differs { what, was, now } => {
                let (was, now) = (excerpt(was, SHOWN_CHARS_MAX), excerpt(now, SHOWN_CHARS_MAX));
                write!(f, "started afresh: the {what} was {was} and is {now}")
            }
            Self::NoPartialFile { why } => write!(f, "started afresh: the partial file {why}"),
            Self::UploadGone => f.write_str("started afresh: OSS does not have the upload any more"),
            Self::Unverifiable => f.write_str("started afresh: OSS gives no CRC-64 of these bytes"),
            Self::NotPinned => f.write_str("started afresh: OSS gives no strong entity tag for the object"),
        }
    }
}

/// What is wrong with the text of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckpointError {
    /// It is longer than 4 MiB.
    TooLong,
    /// It is not a checkpoint, or one of another version.
    Version,
    /// It was changed or cut: its checksum does not fit.
    Damaged,
    /// A line is not one that a checkpoint has there.
    Line {
        /// Its number, from 1.
        number: usize,
    },
    /// The system does not give it, or it is no file of ours.
    File {
        /// What it says.
        problem: String,
    },
    /// A value cannot be: a part that lies outside of the object.
    Value {
        /// Which one.
        what: &'static str,
    },
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the checkpoint is longer than {} bytes", Checkpoint::BYTES_MAX),
            Self::Version => f.write_str("the checkpoint is not of a version that is known here"),
            Self::Damaged => f.write_str("the checkpoint is damaged: its checksum does not fit"),
            Self::Line { number } => write!(f, "line {number} of the checkpoint cannot be read"),
            Self::File { problem } => write!(f, "the checkpoint cannot be read: {problem}"),
            Self::Value { what } => write!(f, "the checkpoint has a {what} that cannot be"),
        }
    }
}

impl core::error::Error for CheckpointError {}

const SHOWN_CHARS_MAX: usize = 128;
