//! Where an object is cut into parts: arithmetic alone.

use core::fmt;
use core::ops::Range;

/// How a length is cut into parts: all of one size, the last one as long as what is left.
///
/// The ranges of the parts follow each other from 0 to the length without a gap and without an overlap. Parts
/// are numbered from 1, as OSS numbers them; nothing has no parts.
///
/// ```
/// use oss_proto::transfer::Plan;
///
/// let plan = Plan::new(250 << 10, Some(100 << 10))?;
/// assert_eq!(plan.parts(), 3);
/// assert_eq!(plan.part(3), Some(200 << 10..250 << 10));
/// # Ok::<(), oss_proto::transfer::PlanError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    len: u64,
    part_size: u64,
}

impl Plan {
    /// The most parts of an object: 10,000.
    pub const PARTS_MAX: u32 = 10_000;
    /// The fewest bytes of a part that is not the last one: 100 KiB.
    pub const PART_BYTES_MIN: u64 = 100 << 10;
    /// The most bytes of a part: 5 GiB.
    pub const PART_BYTES_MAX: u64 = 5 << 30;
    /// The most bytes of an object: 48.8 TiB, which is every part at its largest.
    pub const OBJECT_BYTES_MAX: u64 = Self::PART_BYTES_MAX * Self::PARTS_MAX as u64;
    /// The part size when none is asked for: 6 MiB, as in the official SDKs.
    pub const PART_BYTES: u64 = 6 << 20;

    /// The parts of an upload or a copy of so many bytes, within the limits of OSS.
    ///
    /// Without a part size it is [`PART_BYTES`](Self::PART_BYTES), or as many whole MiB as it takes to stay
    /// within 10,000 parts.
    ///
    /// # Errors
    /// When the length or the part size is outside of what OSS takes, or when parts of this size are too
    /// many.
    pub fn new(len: u64, part_size: Option<u64>) -> Result<Self, PlanError> {
        Self::at_least(len, part_size, Self::PART_BYTES)
    }

    /// As [`new`](Self::new), with another part size when none is asked for.
    pub(crate) fn at_least(len: u64, part_size: Option<u64>, usual: u64) -> Result<Self, PlanError> {
        if len > Self::OBJECT_BYTES_MAX {
            return Err(PlanError::TooLong { len });
        }
        let Some(part_size) = part_size else {
            let part_size = enough(len).next_multiple_of(1 << 20).max(usual).min(Self::PART_BYTES_MAX);
            return Ok(Self { len, part_size });
        };
        if !(Self::PART_BYTES_MIN..=Self::PART_BYTES_MAX).contains(&part_size) {
            return Err(PlanError::PartSize { part_size });
        }
        if len.div_ceil(part_size) > u64::from(Self::PARTS_MAX) {
            return Err(PlanError::TooManyParts { len, part_size, least: enough(len) });
        }
        Ok(Self { len, part_size })
    }

    /// The same parts, held in memory one by one, on a machine that can address so many bytes.
    pub(crate) fn in_memory(self, most: u64) -> Result<Self, PlanError> {
        let part_size = self.part_size;
        if part_size > most { Err(PlanError::Memory { part_size, most }) } else { Ok(self) }
    }

    /// The parts of a download of so many bytes. OSS sets no limits here, so a part size that would make more
    /// than 10,000 parts is raised.
    pub fn of_download(len: u64, part_size: Option<u64>) -> Self {
        let part_size = part_size.unwrap_or(Self::PART_BYTES).max(enough(len)).max(1);
        Self { len, part_size }
    }

    /// How many bytes there are in all.
    #[expect(clippy::len_without_is_empty, reason = "the length of the object, not a number of things held")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// How many bytes a part has, but for the last one, which may have fewer.
    pub fn part_size(&self) -> u64 {
        self.part_size
    }

    /// How many parts there are: at most 10,000.
    pub fn parts(&self) -> u32 {
        u32::try_from(self.len.div_ceil(self.part_size)).unwrap_or(u32::MAX)
    }

    /// Where the part of this number lies; `None` when there is no such part.
    pub fn part(&self, number: u32) -> Option<Range<u64>> {
        let start = u64::from(number.checked_sub(1)?).checked_mul(self.part_size)?;
        (start < self.len).then(|| start..start.saturating_add(self.part_size).min(self.len))
    }

    /// The number of the part that lies exactly there; `None` when none does.
    pub fn number_of(&self, range: &Range<u64>) -> Option<u32> {
        let number = u32::try_from(range.start / self.part_size).ok()?.checked_add(1)?;
        (self.part(number).as_ref() == Some(range)).then_some(number)
    }

    /// All parts in order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, Range<u64>)> {
        let plan = *self;
        (1..=plan.parts()).filter_map(move |number| Some((number, plan.part(number)?)))
    }
}

/// The smallest part size with which so many bytes are not too many parts.
fn enough(len: u64) -> u64 {
    len.div_ceil(u64::from(Plan::PARTS_MAX))
}

/// Why an object cannot be cut like this.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// OSS takes parts of 100 KiB to 5 GiB.
    PartSize {
        /// What was asked for, in bytes.
        part_size: u64,
    },
    /// OSS takes 10,000 parts.
    TooManyParts {
        /// How long the object is, or is known to be at least, in bytes.
        len: u64,
        /// What was asked for, in bytes.
        part_size: u64,
        /// The smallest part size that would do, in bytes.
        least: u64,
    },
    /// OSS takes objects of 48.8 TiB.
    TooLong {
        /// How long it is, in bytes.
        len: u64,
    },
    /// A part of a stream is held in memory, and this machine cannot hold one of this size.
    Memory {
        /// What was asked for, in bytes.
        part_size: u64,
        /// The most that fits, in bytes.
        most: u64,
    },
    /// Nothing can be done in no lane.
    NoLanes,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PartSize { part_size } => {
                write!(f, "parts of {part_size} bytes; OSS takes 102400 (100 KiB) to 5368709120 (5 GiB)")
            }
            Self::TooManyParts { len, part_size, least } => write!(
                f,
                "{len} bytes in parts of {part_size} are more than 10000 parts; set `part_size` to {least} \
                 or more, or leave it to be chosen"
            ),
            Self::TooLong { len } => {
                write!(f, "{len} bytes; OSS takes objects of up to 53687091200000 bytes (48.8 TiB)")
            }
            Self::Memory { part_size, most } => {
                write!(
                    f,
                    "parts of {part_size} bytes do not fit the memory; set `part_size` to {most} or less"
                )
            }
            Self::NoLanes => f.write_str("no lanes; set `lanes` to 1 or more"),
        }
    }
}

impl core::error::Error for PlanError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;

    #[test]
    fn the_limits_of_oss_are_kept_at_their_edges() {
        let max = Plan::OBJECT_BYTES_MAX;
        assert_eq!(Plan::new(max, None).map(|plan| plan.parts()), Ok(10_000));
        assert_eq!(Plan::new(max + 1, None), Err(PlanError::TooLong { len: max + 1 }));
        for bad in [0, 100 * KIB - 1, (5 << 30) + 1, u64::MAX] {
            assert_eq!(Plan::new(1, Some(bad)), Err(PlanError::PartSize { part_size: bad }));
        }
        let len = 10_000 * 100 * KIB;
        assert_eq!(Plan::new(len, Some(100 * KIB)).map(|plan| plan.parts()), Ok(10_000));
        let error = Plan::new(len + 1, Some(100 * KIB)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "1024000001 bytes in parts of 102400 are more than 10000 parts; set `part_size` to 102401 or \
             more, or leave it to be chosen"
        );
        assert!(Plan::new(len + 1, Some(102_401)).is_ok());
    }

    #[test]
    fn a_part_that_is_held_fits_the_memory() {
        let (most, part_size) = (u64::from(u32::MAX >> 1), 4 << 30);
        let plan = |part_size| Plan::new(0, Some(part_size)).unwrap();
        assert_eq!(plan(part_size).in_memory(most), Err(PlanError::Memory { part_size, most }));
        assert!(plan(most).in_memory(most).is_ok());
    }

    #[test]
    fn the_size_of_parts_is_chosen_by_the_length() {
        let size = |len| Plan::new(len, None).unwrap().part_size();
        assert_eq!(size(0), 6 * MIB);
        assert_eq!(size(60_000 * MIB), 6 * MIB);
        assert_eq!(size(60_000 * MIB + 1), 7 * MIB);
        assert_eq!(size(Plan::OBJECT_BYTES_MAX), 5 << 30);
    }

    #[test]
    fn nothing_has_no_parts_and_a_download_any_length() {
        assert_eq!(Plan::new(0, None).unwrap().parts(), 0);
        assert_eq!(Plan::new(0, None).unwrap().part(1), None);
        assert_eq!(Plan::of_download(7, Some(0)).parts(), 7);
        let plan = Plan::of_download(u64::MAX, Some(1));
        assert_eq!(plan.parts(), 10_000);
        assert_eq!(plan.part(10_000).map(|range| range.end), Some(u64::MAX));
        assert_eq!(plan.part(10_001), None);
    }

    proptest! {
        #[test]
        fn the_parts_tile_the_length_exactly(
            len in prop_oneof![0..100 * MIB, 0..=Plan::OBJECT_BYTES_MAX],
            part_size in prop_oneof![Just(None), (100 * KIB..=10 * MIB).prop_map(Some)],
            download in any::<bool>(),
        ) {
            let of_download = || Ok(Plan::of_download(len, part_size));
            let plan = if download { of_download() } else { Plan::new(len, part_size) };
            let Ok(plan) = plan else {
                prop_assert!(len.div_ceil(part_size.unwrap_or(u64::MAX)) > 10_000);
                return Ok(());
            };
            let mut end = 0;
            for (number, range) in plan.iter() {
                prop_assert_eq!(range.start, end);
                prop_assert!(range.end > range.start);
                let size = range.end - range.start;
                prop_assert!(size == plan.part_size() || (size < plan.part_size() && range.end == len));
                prop_assert_eq!(plan.number_of(&range), Some(number));
                prop_assert_eq!(plan.number_of(&(range.start..range.end - 1)), None);
                end = range.end;
            }
            prop_assert_eq!(end, len);
            prop_assert!(plan.parts() <= Plan::PARTS_MAX);
            prop_assert_eq!(plan.part(0), None);
            prop_assert_eq!(plan.part(plan.parts() + 1), None);
        }
    }
}
