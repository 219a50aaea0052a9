//! Identifiers that look random and are not: a counter behind a mixing function.

use alloc::format;
use alloc::string::String;

/// Gives request, upload, version and rule ids, keys and tokens; the same seed gives the same ones in order.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    state: u64,
    versions: u64,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, versions: 0 }
    }

    /// 24 upper-case hexadecimal digits, as OSS writes `x-oss-request-id`.
    pub(crate) fn request_id(&mut self) -> String {
        format!("{:016X}{:08X}", self.mixed(), self.mixed() as u32)
    }

    /// 32 upper-case hexadecimal digits.
    pub(crate) fn upload_id(&mut self) -> String {
        format!("{:016X}{:016X}", self.mixed(), self.mixed())
    }

    /// A version id: 64 characters, ascending, so that a listing can go on after a version that is gone.
    pub(crate) fn version_id(&mut self) -> String {
        self.versions += 1;
        let (first, second) = (self.mixed(), self.mixed());
        format!("CAEQ{:012x}{first:016x}{second:016x}{:016x}", self.versions, first ^ second)
    }

    /// 36 characters in the form of a UUID, as OSS names rules.
    pub(crate) fn rule_id(&mut self) -> String {
        let (first, second) = (self.mixed(), self.mixed());
        let (low, tail) = (first as u16, second & 0xFFFF_FFFF_FFFF);
        format!("{:08x}-{:04x}-{low:04x}-{:04x}-{tail:012x}", first >> 32, first >> 16 & 0xFFFF, second >> 48)
    }

    /// `STS.` and 25 letters and digits, as STS writes ids of temporary access keys.
    pub(crate) fn temporary_id(&mut self) -> String {
        format!("STS.{}", self.text(25, ALPHANUMERIC))
    }

    /// 44 letters and digits, as STS writes secrets.
    pub(crate) fn secret(&mut self) -> String {
        self.text(44, ALPHANUMERIC)
    }

    /// A token of a length and with the marks (`+`, `/`, `=`) that tokens of STS have.
    pub(crate) fn security_token(&mut self) -> String {
        format!("CAIS{}==", self.text(722, BASE64))
    }

    /// A token of the metadata service.
    pub(crate) fn metadata_token(&mut self) -> String {
        format!("{}==", self.text(54, BASE64))
    }

    fn text(&mut self, length: usize, alphabet: &[u8]) -> String {
        let mut character = || char::from(alphabet[(self.mixed() % alphabet.len() as u64) as usize]);
        (0..length).map(|_| character()).collect()
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

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
