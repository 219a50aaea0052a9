//! An object that may be what an upload has made that is gone. Pure: the transitions are in `multipart.rs`.

use super::Made;
use crate::transfer::Plan;
use crate::{ETag, HeadObjectOutput, ObjectType};

/// What is there, as far as its head says, and how much of the source was compared with it.
pub(super) struct Seen {
    pub(super) made: Made,
    /// The number of the part of the source that is read next.
    pub(super) next: u32,
    ours: u64,
}

impl Seen {
    /// `None` when it cannot be ours: it has another length, or was not made of as many parts. The same rule
    /// as where a completion is looked up whose answer was lost.
    pub(super) fn of(head: &HeadObjectOutput, plan: Plan) -> Option<Self> {
        let etag = head.etag.clone()?;
        let fits = ETag::part_count(etag.as_str()) == Some(u64::from(plan.parts()))
            && head.content_length == Some(plan.len())
            && head.object_type.as_ref().is_none_or(|kind| *kind == ObjectType::Multipart);
        let crc64 = Some(head.crc64.filter(|_| fits)?);
        let version_id = head.version_id.clone();
        let (bytes, parts) = (plan.len(), plan.parts());
        let made = Made { etag: Some(etag), crc64, version_id, bytes, parts, ..Made::default() };
        Some(Self { made, next: 1, ours: 0 })
    }

    /// The next part of the source has this CRC-64.
    pub(super) fn take(&mut self, len: u64, crc64: u64) {
        self.ours = oss_crc::combine(self.ours, crc64, len);
        self.next = self.next.saturating_add(1);
    }

    /// Whether the source that was read is what the object has.
    pub(super) fn is_same(&self) -> bool {
        self.made.crc64 == Some(self.ours)
    }
}
