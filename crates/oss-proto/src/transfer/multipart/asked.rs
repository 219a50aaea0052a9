//! What may be asked of an upload, at any time. Nothing changes by it: the transitions are in
//! `multipart.rs`.

use alloc::string::String;

use super::{Cut, Multipart, Stage};
use crate::transfer::{Fresh, Plan, Progress, UploadFate};
use crate::{BucketName, Checked, ObjectKey};

impl Multipart {
    /// Whether it was refused before its first poll.
    pub(in crate::transfer) fn is_refused(&self) -> bool {
        matches!(self.stage, Stage::Over(_))
    }

    /// What tells the beginning of this upload from that of another one.
    pub(in crate::transfer) fn request(&self) -> Option<String> {
        self.recipe.request()
    }

    pub(in crate::transfer) fn plan(&self) -> Option<Plan> {
        match self.cut {
            Cut::Known(plan) => Some(plan),
            Cut::Offered(_) => None,
        }
    }

    pub(in crate::transfer) fn names(&self) -> (&Checked<BucketName>, &Checked<ObjectKey>) {
        (&self.recipe.bucket, &self.recipe.key)
    }

    pub(in crate::transfer) fn fresh(&self) -> Option<&Fresh> {
        self.fresh.as_ref()
    }

    pub(in crate::transfer) fn part_size(&self) -> u64 {
        match &self.cut {
            Cut::Known(plan) => plan.part_size(),
            Cut::Offered(offers) => offers.part_size,
        }
    }

    pub(in crate::transfer) fn wants_part(&self) -> bool {
        let is_on = matches!(self.stage, Stage::Start(_) | Stage::Beginning | Stage::Moving(_));
        is_on && matches!(&self.cut, Cut::Offered(offers) if offers.wants_part())
    }

    pub(in crate::transfer) fn progress(&self) -> Progress {
        self.flight.progress()
    }

    /// The id of the upload that another transfer may go on with.
    pub(in crate::transfer) fn resumable(&self) -> Option<&str> {
        let is_left = self.keep_parts && !self.is_spent && !self.is_gone && self.fate != UploadFate::Aborted;
        self.upload_id.as_deref().filter(|_| is_left)
    }

    pub(in crate::transfer) fn revision(&self) -> u64 {
        self.revision
    }

    pub(in crate::transfer) fn stage_name(&self) -> &'static str {
        match self.stage {
            Stage::Start(_) => "Start",
            Stage::Whole => "Whole",
            Stage::Listing(..) => "Listing",
            Stage::Verifying => "Verifying",
            Stage::Looking => "Looking",
            Stage::Comparing(_) => "Comparing",
            Stage::Beginning => "Beginning",
            Stage::Moving(_) => "Moving",
            Stage::Finishing => "Finishing",
            Stage::Draining => "Draining",
            Stage::Aborting => "Aborting",
            Stage::Over(_) => "Over",
        }
    }
}
