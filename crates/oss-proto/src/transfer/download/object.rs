//! The object that a download is of, as its head says it is, and what is compared with it. Pure: the
//! transitions are in `download.rs`.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use core::ops::Range;

use crate::transfer::checkpoint::Identity;
use crate::transfer::{Checkpoint, Fresh, Plan, Received};
use crate::{Change, ETag, HeadObjectOutput};

/// The object as its head says it is.
pub(super) struct Object {
    pub(super) head: HeadObjectOutput,
    pub(super) size: u64,
    /// Which bytes of it are wanted.
    pub(super) range: Range<u64>,
    pub(super) plan: Plan,
    pub(super) pin: Pin,
}

/// What keeps every part of one object.
#[derive(Clone)]
pub(super) enum Pin {
    ETag(ETag),
    Version(String),
    Nothing,
}

pub(super) struct Checkpoints {
    pub(super) call: Identity,
    pub(super) found: Option<Checkpoint>,
    pub(super) fresh: Option<Fresh>,
}

impl Object {
    /// Whether a CRC-64 tells at the end that the whole is right.
    pub(super) fn is_checked(&self) -> bool {
        self.range == (0..self.size) && self.head.crc64.is_some()
    }

    /// In what an answer differs from the head: three checks of their own.
    pub(super) fn difference(&self, received: &Received) -> Option<Change> {
        let differs = |what, was: Option<String>, now: Option<String>| {
            let text = |value: Option<String>| value.unwrap_or_else(|| "none".into());
            Some(Change::Differs { what, was: text(was), now: text(now) })
        };
        let etag = |etag: &Option<ETag>| etag.as_ref().map(ToString::to_string);
        if received.etag != self.head.etag {
            return differs("entity tag", etag(&self.head.etag), etag(&received.etag));
        }
        if let Some(size) = received.size.filter(|size| *size != self.size) {
            return differs("size", Some(self.size.to_string()), Some(size.to_string()));
        }
        match (self.head.crc64, received.object_crc64) {
            (Some(was), Some(now)) if was != now => {
                return differs("CRC-64", Some(was.to_string()), Some(now.to_string()));
            }
            _ => {}
        }
        match (&self.head.version_id, &received.version_id) {
            (Some(was), Some(now)) if was != now => differs("version", Some(was.clone()), Some(now.clone())),
            _ => None,
        }
    }
}

impl Checkpoints {
    /// What is claimed of this very object; else says why it is not gone on with.
    pub(super) fn compare(&mut self, object: &Object) -> BTreeMap<u32, u64> {
        self.call.part_size = object.plan.part_size();
        let Some(found) = self.found.take() else { return BTreeMap::new() };
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".into());
        let etag = object.head.etag.as_ref().map(ToString::to_string);
        let crc = |crc: Option<u64>| crc.map_or_else(|| "none".into(), |crc| crc.to_string());
        self.fresh = found.difference(&self.call).or_else(|| {
            let pairs = [
                ("size", found.size.to_string(), object.size.to_string()),
                ("entity tag", text(&found.etag), text(&etag)),
                ("CRC-64", crc(found.crc64), crc(object.head.crc64)),
            ];
            let differing = pairs.into_iter().find(|(_, was, now)| was != now);
            differing.map(|(what, was, now)| Fresh::Differs { what, was, now })
        });
        let unfit = (!matches!(object.pin, Pin::ETag(_))).then_some(Fresh::NotPinned);
        let unfit = unfit.or_else(|| (!object.is_checked()).then_some(Fresh::Unverifiable));
        self.fresh = self.fresh.take().or(unfit);
        let mut claimed = found.parts;
        claimed.retain(|number, _| self.fresh.is_none() && object.plan.part(*number).is_some());
        claimed
    }
}
