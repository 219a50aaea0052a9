//! Ending a transfer before its end.

use alloc::sync::Arc;

use tokio::sync::watch;

/// Ends transfers from outside: in an orderly way, so that their results say what is left.
///
/// A clone is the same one; it may be given to any number of transfers.
#[derive(Clone, Debug)]
pub struct Cancel(Arc<watch::Sender<Option<How>>>);

/// What becomes of what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Keep,
    Abort,
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

impl Cancel {
    /// One that was not asked to do anything yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Ends the transfers and keeps what they have done: the parts of an upload stay at OSS, and with a
    /// checkpoint directory the next one goes on from them, as a download does from its partial file. Without
    /// one nothing goes on with them, and they are paid for until somebody aborts the upload that
    /// [`TransferError::left`](crate::transfer::TransferError::left) names.
    pub fn keep(&self) {
        self.set(How::Keep);
    }

    /// Ends the transfers and gives up what they have done: the upload is aborted, the partial file and the
    /// checkpoint are removed.
    pub fn abort(&self) {
        self.set(How::Abort);
    }

    fn set(&self, how: How) {
        self.0.send_if_modified(|now| {
            let is_first = now.is_none();
            now.get_or_insert(how);
            is_first
        });
    }

    /// Whether it was asked for already.
    pub(super) fn now(&self) -> Option<How> {
        *self.0.borrow()
    }

    /// Ends when it is asked for.
    pub(super) async fn wanted(&self) -> How {
        let mut watch = self.0.subscribe();
        loop {
            if let Some(how) = *watch.borrow_and_update() {
                return how;
            }
            if watch.changed().await.is_err() {
                core::future::pending::<()>().await;
            }
        }
    }
}
