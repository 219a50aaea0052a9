//! CRC-64/XZ as Alibaba Cloud OSS computes it: streamed, and combined from parts.
//!
//! OSS answers an upload and a whole download with the header `x-oss-hash-crc64ecma`: the CRC-64/XZ of the
//! object, as an unsigned decimal number. This crate computes the same number on this side of the wire, and
//! obeys one law, which makes uploads in parts checkable:
//!
//! ```text
//! combine(crc(a), crc(b), len(b)) == crc(a ++ b)
//! ```
//!
//! The parameters: polynomial `0x42F0E1EBA9EA3693`, initial value and final XOR all ones, bits reflected both
//! ways; the check value of `123456789` is `0x995DC9BBDF1939FA`, and the value of no bytes is 0.
//!
//! ```
//! use oss_crc::{Crc64, checksum, combine};
//!
//! let mut crc = Crc64::new();
//! crc.update(b"hello ");
//! crc.update(b"world");
//! assert_eq!(crc.value(), 5981764153023615706);
//! assert_eq!(crc.value(), checksum(b"hello world"));
//!
//! // Two parts, checksummed apart from each other:
//! assert_eq!(combine(checksum(b"hello "), checksum(b"world"), 5), crc.value());
//!
//! // What OSS answered for the first half is enough to go on from there:
//! let mut resumed = Crc64::resume(checksum(b"hello "), 6);
//! resumed.update(b"world");
//! assert_eq!(resumed.value(), crc.value());
//! assert_eq!(resumed.len(), 11);
//! ```
//!
//! With the feature `simd` (default) the work is done by `crc64fast`, which uses carry-less multiplication
//! where the CPU has it and links `std`. With the feature `crc-fast` the crate of that name takes its place:
//! up to four times faster with AVX-512, for a second version of `digest` in the tree. With neither a table
//! does the work. The results are the same.

#![no_std]
#![forbid(unsafe_code)]

mod combine;
#[cfg(feature = "crc-fast")]
mod fast;
#[cfg(any(test, not(any(feature = "simd", feature = "crc-fast"))))]
mod table;

use core::fmt;

pub use combine::{Combiner, combine};

#[cfg(all(feature = "simd", not(feature = "crc-fast")))]
use crc64fast::Digest;
#[cfg(feature = "crc-fast")]
use fast::Digest;
#[cfg(not(any(feature = "simd", feature = "crc-fast")))]
use table::Digest;

/// A running CRC-64 over bytes that arrive in pieces of any size.
///
/// It never fails and never allocates. A clone is an independent checksum that goes on from the same byte.
#[derive(Clone)]
pub struct Crc64 {
    digest: Digest,
    digested: u64,
    /// The checksum and the length of what came before `digest` began.
    base: u64,
    base_len: u64,
}

impl Crc64 {
    /// Starts over no bytes; the value is then 0.
    pub fn new() -> Self {
        Self::resume(0, 0)
    }

    /// Goes on after `len` bytes whose checksum is `crc`, as if [`update`](Self::update) had seen them.
    ///
    /// This continues an appendable object, or a download that was cut: `crc` is what OSS or an earlier
    /// [`value`](Self::value) said about the bytes before. `len` only counts in [`len`](Self::len).
    pub fn resume(crc: u64, len: u64) -> Self {
        Self { digest: Digest::new(), digested: 0, base: crc, base_len: len }
    }

    /// Adds `bytes` to the end.
    pub fn update(&mut self, bytes: &[u8]) {
        self.digest.write(bytes);
        self.digested = self.digested.saturating_add(bytes.len() as u64);
    }

    /// The checksum of all bytes so far, including those of [`resume`](Self::resume).
    ///
    /// More bytes may follow: reading the value changes nothing.
    pub fn value(&self) -> u64 {
        match self.base {
            // The checksum 0 stays 0 whatever follows, so there is nothing to combine.
            0 => self.digest.sum64(),
            base => combine(base, self.digest.sum64(), self.digested),
        }
    }

    /// How many bytes the checksum covers, including those of [`resume`](Self::resume).
    ///
    /// It stops at [`u64::MAX`]; the value stays right beyond.
    pub fn len(&self) -> u64 {
        self.base_len.saturating_add(self.digested)
    }

    /// Whether the checksum covers no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Crc64 {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Crc64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crc64").field("value", &self.value()).field("len", &self.len()).finish()
    }
}

/// The CRC-64 of `bytes`, in one call.
pub fn checksum(bytes: &[u8]) -> u64 {
    let mut digest = Digest::new();
    digest.write(bytes);
    digest.sum64()
}

#[cfg(test)]
mod tests {
    extern crate alloc;

    use alloc::format;
    use alloc::vec;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::table::Digest as TableDigest;
    use super::*;

    const VALUES: &[(&[u8], u64)] = &[
        (b"", 0),
        (b"123456789", 0x995D_C9BB_DF19_39FA),
        (b"12345", 6748440630437108969),
        (b"6789", 10278880121275185425),
        (b"hello world", 5981764153023615706),
        (&[b'a'; 64], 1569106043445031880),
        (&[0; 1 << 20], 6947770692288575170),
    ];

    #[test]
    fn known_values() {
        for &(bytes, expected) in VALUES {
            assert_eq!(checksum(bytes), expected, "{} bytes", bytes.len());
            let mut crc = Crc64::new();
            crc.update(bytes);
            assert_eq!((crc.value(), crc.len()), (expected, bytes.len() as u64));
            let mut table = TableDigest::new();
            table.write(bytes);
            assert_eq!(table.sum64(), expected, "the table, {} bytes", bytes.len());
        }
    }

    /// The bytes of a linear congruential generator, so that long values need no file.
    fn generated(seed: u32, len: usize) -> Vec<u8> {
        let mut x = seed;
        let mut next = || {
            x = x.wrapping_mul(1103515245).wrapping_add(12345) & 0x7FFF_FFFF;
            (x >> 16) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn known_long_values() {
        for (seed, len, expected) in [
            (1051302473, 100000, 9149017688373848174),
            (302163790, 722145, 17636513973835680254),
            (271728754, 262144, 3820397212066692898),
            (265330098, 1048576, 5636028515413127473),
        ] {
            let bytes = generated(seed, len);
            assert_eq!(checksum(&bytes), expected, "seed {seed}");
            let mut table = TableDigest::new();
            table.write(&bytes);
            assert_eq!(table.sum64(), expected, "the table, seed {seed}");
        }
    }

    #[test]
    fn a_new_checksum_is_empty_and_zero() {
        let crc = Crc64::default();
        assert_eq!((crc.value(), crc.len(), crc.is_empty()), (0, 0, true));
        assert_eq!(format!("{crc:?}"), "Crc64 { value: 0, len: 0 }");
    }

    #[test]
    fn bytes_whose_checksum_is_zero_are_not_no_bytes() {
        const ZERO: [u8; 8] = [0x05, 0xCA, 0x60, 0x8A, 0xE7, 0x13, 0x6A, 0x0F];
        let mut crc = Crc64::new();
        crc.update(&ZERO);
        assert_eq!((crc.value(), crc.len(), crc.is_empty()), (0, 8, false));
        let mut resumed = Crc64::resume(crc.value(), crc.len());
        assert_eq!((resumed.value(), resumed.len(), resumed.is_empty()), (0, 8, false));
        crc.update(b"more");
        resumed.update(b"more");
        assert_eq!((resumed.value(), resumed.len()), (crc.value(), 12));
    }

    #[test]
    fn the_length_stops_at_its_end() {
        let mut crc = Crc64::resume(1, u64::MAX);
        crc.update(b"x");
        assert_eq!(crc.len(), u64::MAX);
        assert_eq!(crc.value(), combine(1, checksum(b"x"), 1));
    }

    #[test]
    fn every_short_split_agrees() {
        let bytes = generated(7, 200);
        for len in 0..bytes.len() {
            let whole = checksum(&bytes[..len]);
            for at in 0..=len {
                let (head, tail) = bytes[..len].split_at(at);
                let mut crc = Crc64::new();
                crc.update(head);
                crc.update(tail);
                assert_eq!(crc.value(), whole, "{at} of {len}");
            }
        }
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 0..2048)
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_agree(bytes in bytes(), sizes in prop::collection::vec(0usize..300, 0..20)) {
            let mut crc = Crc64::new();
            let mut rest = &bytes[..];
            for size in sizes {
                let (piece, after) = rest.split_at(size.min(rest.len()));
                crc.update(piece);
                rest = after;
            }
            crc.update(rest);
            prop_assert_eq!(crc.value(), checksum(&bytes));
            prop_assert_eq!(crc.len(), bytes.len() as u64);
        }

        #[test]
        fn both_ways_of_computing_agree(bytes in bytes(), split in any::<prop::sample::Index>()) {
            let (head, tail) = bytes.split_at(split.index(bytes.len() + 1));
            let mut table = TableDigest::new();
            table.write(head);
            table.write(tail);
            prop_assert_eq!(table.sum64(), checksum(&bytes));
        }

        #[test]
        fn combined_parts_are_the_whole(a in bytes(), b in bytes()) {
            let whole = checksum(&[&a[..], &b[..]].concat());
            prop_assert_eq!(combine(checksum(&a), checksum(&b), b.len() as u64), whole);
            prop_assert_eq!(Combiner::new(b.len() as u64).combine(checksum(&a), checksum(&b)), whole);
        }

        #[test]
        fn resuming_is_going_on(a in bytes(), b in bytes()) {
            let mut resumed = Crc64::resume(checksum(&a), a.len() as u64);
            resumed.update(&b);
            prop_assert_eq!(resumed.value(), checksum(&[&a[..], &b[..]].concat()));
            prop_assert_eq!(resumed.len(), (a.len() + b.len()) as u64);
        }

        #[test]
        fn zeros_of_any_length_are_combined(first in any::<u64>(), len in 0usize..5000) {
            let zeros = vec![0; len];
            let mut resumed = Crc64::resume(first, 0);
            resumed.update(&zeros);
            prop_assert_eq!(resumed.value(), combine(first, checksum(&zeros), len as u64));
        }
    }
}
