//! Archived objects: making them readable for some days.

use alloc::string::String;

use super::words::{RequestPayer, RestoreTier};

operation! {
    /// Begins to make an archived object readable, which takes a minute (Archive) to two days (Deep Cold
    /// Archive), or prolongs the time for which it is.
    ///
    /// Fails with `RestoreAlreadyInProgress` while an earlier call is at work, unless that call was our own.
    ///
    /// [RestoreObject](https://help.aliyun.com/zh/oss/developer-reference/restoreobject)
    RestoreObject = POST: Idempotent Object slow ["restore" = ""] () {
        /// For how long and how fast; one day, in the usual time, when absent.
        restore:       RestoreRequest = xml "RestoreRequest",
        /// Which version; the current one when absent.
        version_id:    String         = query "versionId",
        /// Who pays.
        request_payer: RequestPayer   = header "x-oss-request-payer",
    } gone "RestoreAlreadyInProgress"
    -> head RestoreObjectOutput {
        /// The version, in a versioned bucket.
        version_id: Option<String>      = header "x-oss-version-id",
        /// How fast the object is restored.
        priority:   Option<RestoreTier> = header "x-oss-object-restore-priority",
    }
}

request_shape! {
    /// For how long, and how fast, an object is restored.
    RestoreRequest (
        /// For how many days it stays readable: 1 to 7 for Archive, 1 to 365 for the others.
        days: u32 = xml "Days",
    ) {
        /// How fast; only for Cold Archive and Deep Cold Archive.
        job_parameters: RestoreJob = xml "JobParameters",
    }

    /// How fast an object is restored.
    RestoreJob (
        /// The priority.
        tier: RestoreTier = xml "Tier",
    ) {}
}

impl RestoreRequest {
    /// How fast; only for Cold Archive and Deep Cold Archive.
    #[must_use]
    pub fn tier(self, tier: RestoreTier) -> Self {
        self.job_parameters(RestoreJob::new(tier))
    }
}

operation! {
    /// Drops the readable copy of a restored object before its days are over; fails with
    /// `ArchiveRestoreNotFinished` while it is still being restored.
    ///
    /// [CleanRestoredObject](https://help.aliyun.com/zh/oss/developer-reference/cleanrestoredobject)
    CleanRestoredObject = POST: Idempotent Object ["cleanRestoredObject" = ""] () {
        /// Which version; the current one when absent.
        version_id:    String       = query "versionId",
        /// Who pays.
        request_payer: RequestPayer = header "x-oss-request-payer",
    } -> none
}
