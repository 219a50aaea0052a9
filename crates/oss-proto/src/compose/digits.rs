//! A number as text, without an allocation.

/// The decimal digits of a number.
pub(crate) struct Digits {
    room: [u8; DIGITS_MAX],
    start: usize,
}

impl Digits {
    pub(crate) fn of(number: u64) -> Self {
        let (mut room, mut start, mut rest) = ([0; DIGITS_MAX], DIGITS_MAX, number);
        while start == DIGITS_MAX || rest > 0 {
            start -= 1;
            room[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        Self { room, start }
    }

    pub(crate) fn as_str(&self) -> &str {
        core::str::from_utf8(&self.room[self.start..]).expect("digits are ASCII")
    }
}

/// Those of the largest number.
const DIGITS_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn each_number_has_the_digits_that_display_gives_it() {
        for number in [0, 1, 9, 10, 11, 99, 100, 5 << 30, 10_u64.pow(19) - 1, 10_u64.pow(19), u64::MAX] {
            assert_eq!(Digits::of(number).as_str(), number.to_string());
        }
    }
}
