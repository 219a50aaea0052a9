//! How a transfer goes about it.

use super::PlanError;

/// How large parts are, how many move at a time, and what is left behind when it fails.
///
/// ```
/// use oss_proto::transfer::TransferOptions;
///
/// let options = TransferOptions::new().lanes(8).part_size(16 << 20);
/// assert_eq!(options.lanes, 8);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransferOptions {
    /// How many bytes a part has; chosen by the length when absent: 6 MiB for uploads and downloads, 64 MiB
    /// for copies, and more for what would be more than 10,000 parts.
    pub part_size: Option<u64>,
    /// How many calls are under way at a time: 3.
    pub lanes: u32,
    /// Up to how many bytes an object goes in one request: up to the size of one part for uploads, 200 MiB
    /// for copies when absent. At most 5 GiB, which is all that one request takes.
    pub single_bytes_max: Option<u64>,
    /// Whether the parts of an upload that fails or is cancelled are left to be gone on with: no, they are
    /// given up and freed.
    pub keep_parts: bool,
}

impl Default for TransferOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl TransferOptions {
    /// The defaults.
    pub const fn new() -> Self {
        Self { part_size: None, lanes: 3, single_bytes_max: None, keep_parts: false }
    }

    /// How many bytes a part has: 100 KiB to 5 GiB, for downloads any number.
    #[must_use]
    pub const fn part_size(mut self, bytes: u64) -> Self {
        self.part_size = Some(bytes);
        self
    }

    /// How many calls are under way at a time, at least 1.
    #[doc(alias = "parallel", alias = "concurrency")]
    #[must_use]
    pub const fn lanes(mut self, lanes: u32) -> Self {
        self.lanes = lanes;
        self
    }

    /// Up to how many bytes an object goes in one request: at most 5 GiB.
    #[must_use]
    pub const fn single_bytes_max(mut self, bytes: u64) -> Self {
        self.single_bytes_max = Some(bytes);
        self
    }

    /// Whether the parts of an upload that fails or is cancelled are left to be gone on with.
    #[must_use]
    pub const fn keep_parts(mut self, keep: bool) -> Self {
        self.keep_parts = keep;
        self
    }

    pub(super) fn check(&self) -> Result<(), PlanError> {
        if self.lanes == 0 { Err(PlanError::NoLanes) } else { Ok(()) }
    }

    /// Whether so many bytes go in one request.
    pub(super) fn is_single(&self, len: u64, usual: u64) -> bool {
        len <= self.single_bytes_max.unwrap_or(usual).min(super::Plan::PART_BYTES_MAX)
    }
}
