//! How an upload starts out. The transitions are in `multipart.rs`.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use super::{Cut, Job, Multipart, Offers, Parts, Stage};
use crate::transfer::flight::Flight;
use crate::transfer::recipe::Recipe;
use crate::transfer::{PlanError, TransferOptions, UploadFate};

impl Multipart {
    pub(in crate::transfer) fn new(
        recipe: Recipe,
        cut: Cut,
        is_single: bool,
        options: &TransferOptions,
    ) -> Self {
        Self::after(&Flight::<Job>::new(options.lanes), recipe, cut, is_single, options)
    }

    /// One that goes on with the tickets of what came before.
    pub(in crate::transfer) fn after<J>(
        before: &Flight<J>,
        recipe: Recipe,
        cut: Cut,
        is_single: bool,
        options: &TransferOptions,
    ) -> Self {
        let mut flight = before.succeeded_by();
        if let Cut::Known(plan) = &cut {
            flight.set_total(Some(plan.len()), Some(if is_single { 1 } else { u64::from(plan.parts()) }));
        }
        Self {
            recipe,
            keep_parts: options.keep_parts,
            flight,
            stage: Stage::Start(is_single),
            cut,
            upload_id: None,
            parts: Parts::default(),
            listed: BTreeMap::new(),
            stale: None,
            older: None,
            failure: None,
            fate: UploadFate::MayRemain,
            may_be_orphan: false,
            may_arrive: false,
            expected: None,
            is_gone: false,
            is_spent: false,
            may_be_made: false,
            fresh: None,
            revision: 0,
        }
    }

    /// One that cannot be: the error comes with the first poll.
    pub(in crate::transfer) fn refused(recipe: Recipe, error: PlanError) -> Self {
        let cut = Cut::Offered(Offers { is_ended: true, ..Offers::new(0) });
        let mut refused = Self::new(recipe, cut, false, &TransferOptions::new());
        refused.stage = Stage::Over(Some(Box::new(Err(error.into()))));
        refused
    }
}
