//! CRC-64/XZ, and the sum of two pieces from the sums of each.

/// The CRC of `first ‖ second`, from the CRC of each and the length of the second in bytes.
///
/// The polynomial of the first is multiplied by `x^(8 × length)`, as zlib's `crc32_combine` does.
pub(crate) fn combine(first: u64, second: u64, second_len: u64) -> u64 {
    multiply(first, power_of_x8(second_len)) ^ second
}

/// `x^(8 × count)` modulo the polynomial, by squaring; bit 63 is `x^0`.
fn power_of_x8(mut count: u64) -> u64 {
    let mut result = 1 << 63;
    let mut square = 1 << 55;
    while count > 0 {
        if count & 1 == 1 {
            result = multiply(result, square);
        }
        square = multiply(square, square);
        count >>= 1;
    }
    result
}

fn multiply(left: u64, mut right: u64) -> u64 {
    let mut product = 0;
    for bit in (0..64).rev() {
        if left >> bit & 1 == 1 {
            product ^= right;
        }
        right = if right & 1 == 1 { right >> 1 ^ POLYNOMIAL } else { right >> 1 };
    }
    product
}

/// Of CRC-64/XZ, reflected.
const POLYNOMIAL: u64 = 0xC96C_5795_D787_0F42;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn combines_like_the_whole() {
        assert_eq!(
            combine(6_748_440_630_437_108_969, 10_278_880_121_275_185_425, 4),
            11_051_210_869_376_104_954
        );
        for split in [0, 1, 7, 100, 65_536, 100_000] {
            let bytes: Vec<u8> = (0..100_000_u32).map(|n| ((n * 7) >> 3) as u8).collect();
            let (first, second) = bytes.split_at(split);
            assert_eq!(combine(sum(first), sum(second), second.len() as u64), sum(&bytes), "{split}");
        }
    }

    fn sum(bytes: &[u8]) -> u64 {
        let mut digest = crc64fast::Digest::new();
        digest.write(bytes);
        digest.sum64()
    }
}
