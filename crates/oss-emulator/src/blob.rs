//! Object contents: lists of cheap pieces, in which a run of zeros costs a number.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use bytes::{Bytes, BytesMut};
use md5::{Digest as _, Md5};

/// The body of an answer: an iterator of pieces, at most 1 MiB each where they are zeros.
///
/// A piece is a cheap clone of what is stored; nothing is copied.
#[derive(Clone, Debug, Default)]
pub struct Body {
    pieces: VecDeque<Piece>,
    left: u64,
}

impl Body {
    /// The bytes that are still to come.
    pub fn remaining(&self) -> u64 {
        self.left
    }

    /// The whole rest in one piece, copied where it is more than one. For small bodies and tests.
    pub fn into_bytes(mut self) -> Bytes {
        let Some(first) = self.next() else { return Bytes::new() };
        if self.left == 0 {
            return first;
        }
        let mut whole = BytesMut::from(&first[..]);
        for piece in self {
            whole.extend_from_slice(&piece);
        }
        whole.freeze()
    }
}

impl Iterator for Body {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let piece = match self.pieces.pop_front()? {
            Piece::Bytes(bytes) => bytes,
            Piece::Zeros(count) => {
                let now = count.min(ZEROS.len() as u64);
                if count > now {
                    self.pieces.push_front(Piece::Zeros(count - now));
                }
                Bytes::from_static(&ZEROS[..now as usize])
            }
        };
        self.left -= piece.len() as u64;
        Some(piece)
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Blob::from(bytes).body()
    }
}

/// An immutable sequence of bytes up to the size of an object.
#[derive(Clone, Default)]
pub(crate) struct Blob {
    pieces: Vec<Piece>,
    len: u64,
}

#[derive(Clone, Debug)]
enum Piece {
    Bytes(Bytes),
    Zeros(u64),
}

impl Blob {
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn body(&self) -> Body {
        Body { pieces: self.pieces.iter().cloned().collect(), left: self.len }
    }

    /// The part inside `range`, which must lie within the blob; pieces are shared, not copied.
    pub(crate) fn slice(&self, range: Range<u64>) -> Self {
        let mut part = Self::default();
        let mut start = 0;
        for piece in &self.pieces {
            let end = start + piece.len();
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from < to {
                part.push(piece.slice(from - start..to - start));
            }
            start = end;
        }
        part
    }

    pub(crate) fn append(&mut self, other: &Self) {
        for piece in &other.pieces {
            self.push(piece.clone());
        }
    }

    fn push(&mut self, piece: Piece) {
        if piece.len() == 0 {
            return;
        }
        self.len += piece.len();
        match (self.pieces.last_mut(), piece) {
            (Some(Piece::Zeros(run)), Piece::Zeros(more)) => *run += more,
            (_, piece) => self.pieces.push(piece),
        }
    }
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Zeros(count) => *count,
        }
    }

    fn slice(&self, range: Range<u64>) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(bytes.slice(range.start as usize..range.end as usize)),
            Self::Zeros(_) => Self::Zeros(range.end - range.start),
        }
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Blob({} bytes in {} pieces)", self.len, self.pieces.len())
    }
}

impl From<Bytes> for Blob {
    fn from(bytes: Bytes) -> Self {
        let mut blob = Self::default();
        blob.push(Piece::Bytes(bytes));
        blob
    }
}

/// Takes a body in pieces of any size, and sums it on the way.
#[derive(Clone, Default)]
pub(crate) struct Builder {
    blob: Blob,
    /// Small pieces gather here: a body that comes byte by byte must not cost a handle per byte.
    tail: BytesMut,
    md5: Md5,
    crc: crc64fast::Digest,
}

impl Builder {
    pub(crate) fn push(&mut self, bytes: Bytes) {
        self.md5.update(&bytes);
        self.crc.write(&bytes);
        if bytes.len() >= ZERO_RUN_MIN && is_zero(&bytes) {
            self.flush();
            self.blob.push(Piece::Zeros(bytes.len() as u64));
        } else if bytes.len() >= PIECE_MIN {
            self.flush();
            self.blob.push(Piece::Bytes(bytes));
        } else {
            self.tail.extend_from_slice(&bytes);
            if self.tail.len() >= PIECE_MIN {
                self.flush();
            }
        }
    }

    pub(crate) fn finish(mut self) -> Summed {
        self.flush();
        Summed { blob: self.blob, md5: self.md5.finalize().into(), crc: self.crc.sum64() }
    }

    fn flush(&mut self) {
        let tail = self.tail.split().freeze();
        let piece = if is_zero(&tail) { Piece::Zeros(tail.len() as u64) } else { Piece::Bytes(tail) };
        self.blob.push(piece);
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Builder({} bytes)", self.blob.len() + self.tail.len() as u64)
    }
}

/// A body that has arrived, with its sums.
#[derive(Clone, Debug)]
pub(crate) struct Summed {
    pub(crate) blob: Blob,
    pub(crate) md5: [u8; 16],
    pub(crate) crc: u64,
}

impl Default for Summed {
    /// The sums of nothing.
    fn default() -> Self {
        Self::of(Blob::default())
    }
}

impl Summed {
    /// Sums a stored blob again, as a copied range needs.
    pub(crate) fn of(blob: Blob) -> Self {
        let (mut md5, mut crc) = (Md5::new(), crc64fast::Digest::new());
        for piece in blob.body() {
            md5.update(&piece);
            crc.write(&piece);
        }
        Self { blob, md5: md5.finalize().into(), crc: crc.sum64() }
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    // Blocks, so that the compiler can use wide registers and real data leaves after the first one.
    bytes.chunks(256).all(|block| block.iter().fold(0, |all, byte| all | byte) == 0)
}

const ZERO_RUN_MIN: usize = 4096;
const PIECE_MIN: usize = 16 * 1024;
static ZEROS: [u8; 1 << 20] = [0; 1 << 20];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn ten_gib_of_zeros_cost_one_piece() {
        let mut blob = Blob::default();
        let gib = Blob { pieces: vec![Piece::Zeros(1 << 30)], len: 1 << 30 };
        for _ in 0..10 {
            blob.append(&gib);
        }
        assert_eq!((blob.len(), blob.pieces.len()), (10 << 30, 1));
        assert_eq!(blob.slice(5 << 30..(5 << 30) + 3).body().into_bytes(), vec![0; 3]);
        assert_eq!(blob.body().take(2).map(|piece| piece.len()).sum::<usize>(), 2 << 20);
    }

    #[test]
    fn single_bytes_gather() {
        let mut builder = Builder::default();
        for n in 0..100_000_u32 {
            builder.push(Bytes::copy_from_slice(&[n as u8]));
        }
        let summed = builder.finish();
        assert!(summed.blob.pieces.len() < 10);
        assert_eq!(summed.blob.len(), 100_000);
        assert_eq!(summed.crc, Summed::of(summed.blob.clone()).crc);
        assert_eq!(summed.md5, Summed::of(summed.blob).md5);
    }

    proptest! {
        #[test]
        fn any_chunking_and_any_slice_give_the_same_bytes(
            pieces in prop::collection::vec((any::<u8>(), 0_usize..40_000, any::<bool>()), 0..6),
            cut in (0.0..1.0_f64, 0.0..1.0_f64),
        ) {
            let mut builder = Builder::default();
            let mut whole = vec![];
            for (byte, len, zero) in pieces {
                let piece = vec![if zero { 0 } else { byte }; len];
                whole.extend_from_slice(&piece);
                builder.push(piece.into());
            }
            let summed = builder.finish();
            prop_assert_eq!(summed.blob.body().remaining(), whole.len() as u64);
            prop_assert_eq!(&summed.blob.body().into_bytes()[..], &whole[..]);
            let mut ends = [cut.0, cut.1].map(|at| (at * whole.len() as f64) as usize);
            ends.sort_unstable();
            let part = summed.blob.slice(ends[0] as u64..ends[1] as u64);
            prop_assert_eq!(&part.body().into_bytes()[..], &whole[ends[0]..ends[1]]);
        }
    }
}
