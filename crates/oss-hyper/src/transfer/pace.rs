//! How fast one transfer may be.

use alloc::sync::Arc;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::bandwidth::Bucket;

/// A limit that all lanes of a transfer share; a clone is the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace(Option<Arc<Bucket>>);

impl Pace {
    /// In bytes per second; 0 is no limit.
    pub(super) fn new(bytes_per_sec: u64) -> Self {
        Self(Bucket::for_transfer(bytes_per_sec))
    }

    /// So many bytes pass: gives what to wait for before the next ones.
    pub(super) fn pass(&self, bytes: usize) -> Option<Sleep> {
        let paid = self.0.as_ref()?.charge(bytes);
        (paid > Instant::now()).then(|| sleep_until(paid))
    }
}
