//! Checksums of parts become the checksum of the whole.
//!
//! A CRC is a remainder of polynomials over GF(2). Appending `n` bytes to `a` multiplies what `a` adds to the
//! remainder by x^(8n), so `crc(a ++ b) == crc(a) * x^(8 * len(b)) + crc(b)`: one multiplication and one XOR.
//! The initial value and the final XOR cancel out. Values are reflected, as the checksum is: bit 63 is x^0.

/// The checksum of `a ++ b`: `first` is that of `a`, `second` that of `b`, which has `second_len` bytes.
///
/// Any length will do: the cost grows with the digits of `second_len`, not with the length. If it is 0 the
/// result is `first`, whatever `second` says. For many parts of one length use a [`Combiner`].
///
/// ```
/// use oss_crc::{checksum, combine};
///
/// assert_eq!(combine(checksum(b"12345"), checksum(b"6789"), 4), checksum(b"123456789"));
/// ```
pub const fn combine(first: u64, second: u64, second_len: u64) -> u64 {
    if second_len == 0 {
        return first;
    }
    append_zeros(first, second_len) ^ second
}

/// Combines with second parts of one length, for the many equal parts of a multipart upload.
///
/// It keeps the part of the work that depends on the length alone, so a part costs one multiplication.
///
/// ```
/// use oss_crc::{Combiner, checksum};
///
/// const FOUR: Combiner = Combiner::new(4);
/// assert_eq!(FOUR.combine(checksum(b"12345"), checksum(b"6789")), checksum(b"123456789"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Combiner {
    /// x^(8 * len) modulo the polynomial.
    factor: u64,
    /// All ones, or 0 if the length is 0: then a second checksum counts for nothing.
    counts: u64,
}

impl Combiner {
    /// Prepares for second parts of `second_len` bytes.
    pub const fn new(second_len: u64) -> Self {
        let counts = if second_len == 0 { 0 } else { u64::MAX };
        Self { factor: append_zeros(ONE, second_len), counts }
    }

    /// The same as [`combine`] with the length given to [`new`](Self::new).
    pub const fn combine(self, first: u64, second: u64) -> u64 {
        multiply(first, self.factor) ^ (second & self.counts)
    }
}

/// `value * x^(8 * len)`: one multiplication for each hexadecimal digit of `len` that is not zero.
const fn append_zeros(value: u64, len: u64) -> u64 {
    let mut product = value;
    let mut rest = len;
    let mut place = 0;
    while rest != 0 {
        let digit = (rest & 15) as usize;
        if digit != 0 {
            product = multiply(product, POWERS[place][digit]);
        }
        rest >>= 4;
        place += 1;
    }
    product
}

/// `a * b` modulo the polynomial, by Horner's rule over the bits of `a`, without a branch on them.
const fn multiply(a: u64, b: u64) -> u64 {
    let mut product = 0;
    let mut bit = 0;
    while bit < 64 {
        product = times_x(product) ^ (b & ((a >> bit) & 1).wrapping_neg());
        bit += 1;
    }
    product
}

const fn times_x(value: u64) -> u64 {
    (value >> 1) ^ (POLYNOMIAL & (value & 1).wrapping_neg())
}

/// `powers[place][digit]` is x^(8 * digit * 16^place): sixteen places write any `u64`.
const fn powers() -> [[u64; 16]; 16] {
    let mut powers = [[ONE; 16]; 16];
    let mut unit = X8;
    let mut place = 0;
    while place < 16 {
        let mut digit = 1;
        while digit < 16 {
            powers[place][digit] = multiply(powers[place][digit - 1], unit);
            digit += 1;
        }
        unit = multiply(powers[place][15], unit);
        place += 1;
    }
    powers
}

/// The polynomial `0x42F0E1EBA9EA3693` of ECMA-182, reflected.
pub(crate) const POLYNOMIAL: u64 = 0xC96C_5795_D787_0F42;
const ONE: u64 = 1 << 63;
const X8: u64 = ONE >> 8;

static POWERS: [[u64; 16]; 16] = powers();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lengths far beyond what a test can hash, from an independent implementation.
    const COMBINED: &[(u64, u64, u64, u64)] = &[
        (6748440630437108969, 10278880121275185425, 4, 11051210869376104954),
        (569724963245855967, 13949769842570913675, 0, 569724963245855967),
        (5860273298989935791, 513240426891710299, 16260594521789, 10091008787521246721),
        (56268353098377744, 14717515298696606990, 1099511627777, 3168641108593599950),
        (2820708480497376764, 13648211649731555911, 1099511627777, 2678583374731712043),
        (9612038643178037715, 11239328584027834073, 3893833971685, 11738777149412892667),
        (17068875763758737880, 12177013792742077503, 9563942369033, 482714808394351605),
        (14371230376234931916, 11652381692878618983, 8044558100668, 3544059096799917096),
    ];

    #[test]
    fn known_combinations() {
        for &(first, second, len, expected) in COMBINED {
            assert_eq!(combine(first, second, len), expected, "length {len}");
            assert_eq!(Combiner::new(len).combine(first, second), expected, "length {len}");
        }
    }

    #[test]
    fn it_works_at_compile_time() {
        const WHOLE: u64 = combine(6748440630437108969, 10278880121275185425, 4);
        assert_eq!(WHOLE, 0x995D_C9BB_DF19_39FA);
    }

    #[test]
    fn the_powers_agree_with_a_chain_of_squares() {
        // Four squarings lead from one place's x^(8 * 16^place) to the next, by another road.
        let mut power = X8;
        for place in POWERS {
            assert_eq!(place[0], ONE);
            assert_eq!(place[1], power);
            for _ in 0..4 {
                power = multiply(power, power);
            }
        }
        // The end of the chain is x^(8 * 2^64), which is also x^(2^64) to the eighth.
        let x_to_2_64 = (0..64).fold(ONE >> 1, |p, _| multiply(p, p));
        assert_eq!(power, (0..3).fold(x_to_2_64, |p, _| multiply(p, p)));
    }

    proptest! {
        #[test]
        fn no_bytes_change_nothing(first: u64, second: u64) {
            prop_assert_eq!(combine(first, second, 0), first);
            prop_assert_eq!(Combiner::new(0).combine(first, second), first);
        }

        #[test]
        fn nothing_before_changes_nothing(second: u64, len in 1..=u64::MAX) {
            prop_assert_eq!(combine(0, second, len), second);
        }

        #[test]
        fn the_order_of_combining_does_not_matter(
            [a, b, c]: [u64; 3],
            b_len in 1..u64::MAX / 2,
            c_len in 1..u64::MAX / 2,
        ) {
            let left = combine(combine(a, b, b_len), c, c_len);
            let right = combine(a, combine(b, c, c_len), b_len + c_len);
            prop_assert_eq!(left, right);
        }

        #[test]
        fn a_prepared_length_combines_the_same(first: u64, second: u64, len: u64) {
            prop_assert_eq!(Combiner::new(len).combine(first, second), combine(first, second, len));
        }

        #[test]
        fn multiplication_is_that_of_a_ring(a: u64, b: u64, c: u64) {
            prop_assert_eq!(multiply(a, b), multiply(b, a));
            prop_assert_eq!(multiply(a, multiply(b, c)), multiply(multiply(a, b), c));
            prop_assert_eq!(multiply(a, b ^ c), multiply(a, b) ^ multiply(a, c));
            prop_assert_eq!(multiply(a, ONE), a);
        }
    }
}
