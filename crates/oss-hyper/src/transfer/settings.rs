//! What all transfers are told in the same way.

use core::fmt;
use std::path::PathBuf;

use oss_proto::transfer::TransferOptions;

use super::cancel::Cancel;
use super::progress::Watcher;
use crate::Bucket;

/// How a transfer goes about it.
pub(super) struct Settings {
    pub(super) bucket: Bucket,
    pub(super) options: TransferOptions,
    pub(super) checkpoint_dir: Option<PathBuf>,
    pub(super) watcher: Option<Watcher>,
    pub(super) cancel: Option<Cancel>,
    pub(super) bytes_per_sec: u64,
}

impl Settings {
    pub(super) fn new(bucket: &Bucket) -> Self {
        Self {
            bucket: bucket.clone(),
            options: TransferOptions::new(),
            checkpoint_dir: None,
            watcher: None,
            cancel: None,
            bytes_per_sec: 0,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("bucket", &self.bucket)
            .field("options", &self.options)
            .field("checkpoint_dir", &self.checkpoint_dir)
            .field("bytes_per_sec", &self.bytes_per_sec)
            .finish_non_exhaustive()
    }
}

/// The setters that every transfer has.
macro_rules! setters {
    ($type:ident) => {
        impl $type {
            /// How many bytes a part has; chosen by the length when it is not said.
            pub fn part_size(mut self, bytes: u64) -> Self {
                self.settings.options.part_size = Some(bytes);
                self
            }

            /// How many parts move at a time: 3.
            #[doc(alias = "parallel", alias = "concurrency")]
            pub fn lanes(mut self, lanes: u32) -> Self {
                self.settings.options.lanes = lanes;
                self
            }

            /// At most so many bytes per second, over all parts; 0 is no limit.
            ///
            /// It is this transfer's own, beside those of the [`Transport`](crate::Transport) and of OSS
            /// (`traffic_limit`).
            pub fn bytes_per_sec(mut self, bytes: u64) -> Self {
                self.settings.bytes_per_sec = bytes;
                self
            }

            /// Tells how far it is: after each part, and ten times a second while something moves.
            ///
            /// It is called from the task that awaits the transfer, between its steps: let it be quick.
            pub fn on_progress(
                mut self,
                watcher: impl FnMut(crate::transfer::TransferProgress) + Send + 'static,
            ) -> Self {
                self.settings.watcher = Some(Box::new(watcher));
                self
            }

            /// Ends when this is told so.
            pub fn cancel_with(mut self, cancel: &crate::transfer::Cancel) -> Self {
                self.settings.cancel = Some(cancel.clone());
                self
            }

            /// Some things done differently for the calls of this transfer.
            pub fn overrides(mut self, overrides: &crate::Overrides) -> Self {
                self.settings.bucket = self.settings.bucket.with(overrides);
                self
            }
        }
    };
}

/// The setter of those that can be gone on with.
macro_rules! checkpoint_setter {
    ($type:ident) => {
        impl $type {
            /// Where checkpoints are kept, so that a transfer that breaks off is gone on with by the next one
            /// of the same file and object; made when it is not there. Without it nothing is kept.
            ///
            /// Choose a directory of your own. A checkpoint is a hint: what it says was done is read again
            /// before it counts. One transfer at a time has it, over all processes; another one is told
            /// [`TransferErrorKind::Busy`](crate::transfer::TransferErrorKind::Busy).
            pub fn checkpoint_dir(mut self, dir: impl Into<std::path::PathBuf>) -> Self {
                self.settings.checkpoint_dir = Some(dir.into());
                self
            }
        }
    };
}

/// `transfer.await`.
macro_rules! awaited {
    ($type:ident => $output:ty) => {
        impl IntoFuture for $type {
            type Output = Result<$output, crate::transfer::TransferError>;
            type IntoFuture = core::pin::Pin<Box<dyn Future<Output = Self::Output> + Send>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.run())
            }
        }
    };
}

pub(super) use {awaited, checkpoint_setter, setters};
