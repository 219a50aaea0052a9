//! The checksum without special instructions: eight bytes a step through eight tables.

use crate::combine::POLYNOMIAL;

/// A running CRC-64 with the methods of `crc64fast::Digest`, so that either can stand in `Crc64`.
#[derive(Clone)]
pub(crate) struct Digest {
    register: u64,
}

impl Digest {
    pub(crate) const fn new() -> Self {
        Self { register: !0 }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut register = self.register;
        for word in words {
            let mixed = (register ^ u64::from_le_bytes(*word)).to_le_bytes();
            register = 0;
            // The first byte of the eight is followed by seven more, so it takes the farthest table.
            for (byte, table) in mixed.into_iter().zip(TABLES.iter().rev()) {
                register ^= table[usize::from(byte)];
            }
        }
        for byte in rest {
            register = step(register, *byte, &TABLES[0]);
        }
        self.register = register;
    }

    pub(crate) const fn sum64(&self) -> u64 {
        !self.register
    }
}

const fn step(register: u64, byte: u8, table: &[u64; 256]) -> u64 {
    (register >> 8) ^ table[((register as u8) ^ byte) as usize]
}

const fn tables() -> [[u64; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut register = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            register = (register >> 1) ^ (POLYNOMIAL & (register & 1).wrapping_neg());
            bit += 1;
        }
        tables[0][byte] = register;
        byte += 1;
    }
    // A byte with `n` bytes after it: the table before, one zero byte further.
    let mut n = 1;
    while n < 8 {
        let mut byte = 0;
        while byte < 256 {
            tables[n][byte] = step(tables[n - 1][byte], 0, &tables[0]);
            byte += 1;
        }
        n += 1;
    }
    tables
}

static TABLES: [[u64; 256]; 8] = tables();
