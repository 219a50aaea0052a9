//! HMAC-SHA1, which V1 and the RPC signature of STS have in common.

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// HMAC-SHA1 in base64.
pub(crate) fn hmac_sha1<'a>(key: &[u8], text: &[u8], room: &'a mut [u8; SIGNATURE_BYTES]) -> &'a str {
    let mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    let tag = mac.chain_update(text).finalize().into_bytes();
    Base64::encode(&tag, room).expect("20 bytes become 28 characters")
}

pub(crate) const SIGNATURE_BYTES: usize = 28;
