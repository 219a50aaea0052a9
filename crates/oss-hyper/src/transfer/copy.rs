//! Copies inside a region, which OSS makes itself.

use oss_proto::transfer::{
    Completion, CopyOutput, Progress, ServerCopy, Ticket, Transfer, TransferError, Work,
};
use oss_proto::{Checked, CopyObject, CopySource, Error, IntoField, ObjectKey};

use super::cancel::How;
use super::engine;
use super::give_up::GiveUp;
use super::job::{self, Job, Lane, Next, Passed, by_machine};
use super::progress::Watch;
use super::settings::{Settings, awaited, setters};
use crate::{Bucket, Client};

impl Bucket {
    /// Copies an object of any size to a key of this bucket: in one request up to 200 MiB, else in parts.
    ///
    /// Its bytes stay at OSS. The source is pinned: one that is replaced or deleted meanwhile is
    /// `is_object_changed()`. Headers, metadata and tags are copied along, unless the request says otherwise,
    /// and the CRC-64 of both is compared. A copy in parts reads the tags for that, which needs
    /// `oss:GetObjectTagging`, in a versioned bucket `oss:GetObjectVersionTagging`.
    ///
    /// ```no_run
    /// # async fn doc(bucket: oss_hyper::Bucket) -> Result<(), oss_hyper::transfer::TransferError> {
    /// use oss_hyper::CopySource;
    ///
    /// let source = CopySource::new("otherbucket", "backup.tar");
    /// bucket.copy_object(source, "backup.tar").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn copy_object(&self, source: CopySource, key: impl IntoField<Checked<ObjectKey>>) -> CopyTo {
        CopyTo { settings: Settings::new(self), copy: CopyObject::to(key, source) }
    }
}

/// A copy, which begins when it is awaited: see [`Bucket::copy_object`].
///
/// Parts have 64 MiB when nothing else is said. Their bytes do not pass here, so
/// [`bytes_per_sec`](Self::bytes_per_sec) has no effect; `traffic_limit` of the request has.
#[must_use = "it begins when it is awaited"]
#[derive(Debug)]
pub struct CopyTo {
    settings: Settings,
    copy: CopyObject,
}

setters!(CopyTo);
awaited!(CopyTo => CopyOutput);

impl CopyTo {
    /// What the copy is to be: `|copy| copy.metadata_directive(CopyDirective::Replace)`.
    pub fn request(mut self, change: impl FnOnce(CopyObject) -> CopyObject) -> Self {
        self.copy = change(self.copy);
        self
    }

    /// Refuses to replace an existing object: `is_precondition_failed()` then. In a versioned bucket it has
    /// no effect, by the rules of OSS.
    pub fn forbid_overwrite(mut self, forbid: bool) -> Self {
        self.copy.forbid_overwrite = Some(forbid);
        self
    }

    /// Up to how many bytes are copied in one request: 200 MiB, at most 5 GiB.
    pub fn single_bytes_max(mut self, bytes: u64) -> Self {
        self.settings.options.single_bytes_max = Some(bytes);
        self
    }

    /// Whether the parts at OSS stay when the copy fails or is cancelled: no, they are given up. Nothing here
    /// goes on with them; [`TransferError::left`] names them.
    pub fn keep_parts(mut self, keep: bool) -> Self {
        self.settings.options.keep_parts = keep;
        self
    }

    async fn run(self) -> Result<CopyOutput, TransferError> {
        let Self { settings, copy } = self;
        let client = settings.bucket.client().clone();
        let drop_guard = GiveUp::new(&client, settings.options.keep_parts);
        let copy = ServerCopy::new(copy, &settings.options);
        let mut job = CopyJob { client, copy, drop_guard };
        let result = engine::run(&mut job, settings.cancel, Watch::new(settings.watcher)).await;
        job.drop_guard.disarm();
        result
    }
}

struct CopyJob {
    client: Client,
    copy: ServerCopy,
    drop_guard: GiveUp,
}

impl Job for CopyJob {
    type Output = CopyOutput;
    by_machine!(copy);

    fn poll(&mut self) -> Next<CopyOutput> {
        job::next(&mut self.copy)
    }

    /// Nothing goes on with the parts of a copy, so they are given up unless it was said that they stay.
    fn cancel(&mut self, how: How) {
        if how == How::Abort {
            self.copy.keep_parts(false);
        }
        self.copy.cancel();
    }

    fn lane(&mut self, work: Work, _passed: Passed) -> Lane {
        match work {
            Work::Begin(begin) => self.drop_guard.begin(begin),
            work => job::call(&self.client, work).expect("a copy asks for calls alone"),
        }
    }
}
