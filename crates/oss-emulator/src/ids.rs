//! Identifiers that look random and are not: a counter behind a mixing function.

use alloc::format;
use alloc::string::String;

/// Gives request ids and upload ids; the same seed gives the same ids in the same order.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    state: u64,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// 24 upper-case hexadecimal digits, as OSS writes `x-oss-request-id`.
    pub(crate) fn request_id(&mut self) -> String {
        format!("{:016X}{:08X}", self.mixed(), self.mixed() as u32)
    }

    /// 32 upper-case hexadecimal digits.
    pub(crate) fn upload_id(&mut self) -> String {
        format!("{:016X}{:016X}", self.mixed(), self.mixed())
    }

    /// SplitMix64.
    fn mixed(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }
}
