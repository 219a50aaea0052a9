//! The least that any signer does: the hashing.

use core::hint::black_box;

use hmac::{Hmac, KeyInit as _, Mac as _};
use oss_sign::Signed;
use sha2::{Digest as _, Sha256};

/// What must be hashed, whoever signs: the canonical request, and the string to sign with a key that is
/// ready.
pub(crate) struct Floor {
    canonical: String,
    to_sign: String,
    mac: Hmac<Sha256>,
}

impl Floor {
    pub(crate) fn of(signed: &Signed<'_>) -> Self {
        let mac = Hmac::new_from_slice(&[7; 32]).expect("HMAC takes a key of any length");
        Self { canonical: signed.canonical_request().into(), to_sign: signed.string_to_sign().into(), mac }
    }

    pub(crate) fn hash(&self) {
        black_box(Sha256::digest(black_box(&self.canonical)));
        black_box(self.mac.clone().chain_update(black_box(&self.to_sign)).finalize());
    }
}
