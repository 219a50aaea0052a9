//! How far a transfer is, for whoever watches.

use core::fmt;

use oss_proto::transfer::Progress;

/// How far a transfer is. No number ever goes back, and nothing is counted twice, however often it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransferProgress {
    /// How many bytes are where they belong or on their way there, those of an earlier transfer included.
    pub bytes: u64,
    /// How many there are in all; `None` while nobody knows.
    pub bytes_total: Option<u64>,
    /// How many of `bytes` an earlier transfer had moved and this one has found good.
    pub bytes_kept: u64,
    /// How many parts are done.
    pub parts: u64,
    /// How many there are in all; `None` while nobody knows.
    pub parts_total: Option<u64>,
    /// How many attempts failed and were made again.
    pub retries: u64,
}

/// Who is told.
pub(super) type Watcher = Box<dyn FnMut(TransferProgress) + Send>;

/// Tells each news once.
pub(super) struct Watch {
    watcher: Option<Watcher>,
    told: Option<TransferProgress>,
}

impl Watch {
    pub(super) fn new(watcher: Option<Watcher>) -> Self {
        Self { watcher, told: None }
    }

    pub(super) fn is_watched(&self) -> bool {
        self.watcher.is_some()
    }

    pub(super) fn tell(&mut self, now: &Progress, retries: u64) {
        let Some(watcher) = &mut self.watcher else { return };
        let now = TransferProgress {
            bytes: now.bytes,
            bytes_total: now.bytes_total,
            bytes_kept: now.bytes_kept,
            parts: now.parts,
            parts_total: now.parts_total,
            retries,
        };
        if self.told != Some(now) {
            self.told = Some(now);
            watcher(now);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("told", &self.told).finish_non_exhaustive()
    }
}
