//! What the parts of an object make together, and the parts as they come. Pure: the transitions are in
//! `multipart.rs`.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use bytes::Bytes;

use crate::transfer::Plan;
use crate::{CompletedPart, ETag, ListPartsOutput};

/// The parts that OSS has acknowledged, by number.
#[derive(Default)]
pub(super) struct Parts(BTreeMap<u32, Part>);

#[derive(Clone)]
pub(super) struct Part {
    pub(super) etag: ETag,
    pub(super) crc64: Option<u64>,
    pub(super) len: u64,
}

/// The object that was made.
#[derive(Clone, Debug, Default)]
pub(in crate::transfer) struct Made {
    pub(in crate::transfer) etag: Option<ETag>,
    pub(in crate::transfer) crc64: Option<u64>,
    pub(in crate::transfer) is_checked: bool,
    pub(in crate::transfer) version_id: Option<String>,
    pub(in crate::transfer) bytes: u64,
    pub(in crate::transfer) parts: u32,
    pub(in crate::transfer) callback: Bytes,
    pub(in crate::transfer) may_be_orphan: bool,
    pub(in crate::transfer) older: Option<String>,
}

impl Parts {
    pub(super) fn insert(&mut self, number: u32, part: Part) {
        self.0.insert(number, part);
    }

    /// The first part from this number on that is not there.
    pub(super) fn missing(&self, from: u32, plan: Plan) -> Option<(u32, Range<u64>)> {
        let number = (from..=plan.parts()).find(|number| !self.0.contains_key(number))?;
        Some((number, plan.part(number)?))
    }

    /// In the order of their numbers, as completion wants them.
    pub(super) fn completed(&self) -> Vec<CompletedPart> {
        let parts = self.0.iter();
        parts.map(|(number, part)| CompletedPart::new(*number, part.etag.clone())).collect()
    }

    /// CRC-64 of all parts, combined in their order; `None` when one has none.
    pub(super) fn crc64(&self) -> Option<u64> {
        self.0.values().try_fold(0, |crc, part| Some(oss_crc::combine(crc, part.crc64?, part.len)))
    }

    /// The object that they make.
    pub(super) fn made(&self) -> Made {
        let bytes = self.0.values().fold(0_u64, |sum, part| sum.saturating_add(part.len));
        let parts = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        Made { bytes, parts, ..Made::default() }
    }
}

/// The parts in a page of a list that may be those of this plan: what has no checksum cannot be verified.
pub(super) fn listed(page: &mut ListPartsOutput, plan: Plan) -> impl Iterator<Item = (u32, Part)> {
    core::mem::take(&mut page.parts).into_iter().filter_map(move |part| {
        let range = plan.part(part.part_number)?;
        let len = part.size.filter(|size| *size == range.end.saturating_sub(range.start))?;
        let crc64 = Some(part.crc64?);
        Some((part.part_number, Part { etag: part.etag?, crc64, len }))
    })
}

/// Parts as they come, when nobody knows how many there will be: one may wait.
pub(in crate::transfer) struct Offers {
    pub(super) part_size: u64,
    pub(super) offset: u64,
    pub(super) waiting: Option<u64>,
    pub(super) is_ended: bool,
}

impl Offers {
    pub(in crate::transfer) fn new(part_size: u64) -> Self {
        Self { part_size, offset: 0, waiting: None, is_ended: false }
    }

    pub(super) fn wants_part(&self) -> bool {
        self.waiting.is_none() && !self.is_ended
    }

    /// The next part is ready. One that is short is the last.
    pub(super) fn offer(&mut self, len: u64) {
        self.is_ended = len < self.part_size;
        self.waiting = (len > 0).then_some(len);
    }

    /// Where the waiting part lies.
    pub(super) fn take(&mut self) -> Option<Range<u64>> {
        let len = self.waiting.take()?;
        let start = self.offset;
        self.offset = start.saturating_add(len);
        Some(start..self.offset)
    }

    /// How many bytes and parts there are in all, once the last one was offered.
    pub(super) fn total(&self) -> Option<(u64, u64)> {
        let bytes = self.offset.saturating_add(self.waiting.unwrap_or(0));
        self.is_ended.then(|| (bytes, bytes.div_ceil(self.part_size)))
    }
}
