//! The interface of `crc64fast` over `crc-fast`.

use crc_fast::CrcAlgorithm;

#[derive(Clone)]
pub(crate) struct Digest(crc_fast::Digest);

impl Digest {
    pub(crate) fn new() -> Self {
        Self(crc_fast::Digest::new(CrcAlgorithm::Crc64Xz))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn sum64(&self) -> u64 {
        self.0.finalize()
    }
}
