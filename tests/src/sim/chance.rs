//! Chance from a seed, in integers alone: the same on every machine and in every build.

/// The generator of Steele, Lea and Flood (OOPSLA 2014).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// From a seed; any is as good as another.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        stir(self.0)
    }

    /// A number below `end`, 0 if that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        share(self.bits(), end)
    }

    /// The same for the small numbers of a schedule.
    pub fn small(&mut self, end: u16) -> u16 {
        u16::try_from(self.below(u64::from(end))).unwrap_or(u16::MAX)
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// A number below `few` once in so many times, and else below `many`.
    pub fn uneven(&mut self, times: u64, few: u16, many: u16) -> u16 {
        let end = if self.one_in(times) { few } else { many };
        self.small(end)
    }

    /// One of these; there must be one.
    pub fn one_of<T: Copy, const N: usize>(&mut self, choices: [T; N]) -> T {
        choices[usize::try_from(self.below(N as u64)).unwrap_or(0)]
    }
}

/// A number that depends on all of these, and on nothing else.
pub fn mix(words: &[u64]) -> u64 {
    words.iter().fold(STEP, |hash, word| stir(hash.wrapping_add(STEP) ^ stir(word.wrapping_add(STEP))))
}

/// The number of 64 random bits below `end`.
pub fn share(bits: u64, end: u64) -> u64 {
    u64::try_from((u128::from(bits) * u128::from(end)) >> 64).unwrap_or(0)
}

/// Bytes that no other seed gives, as long as there are eight of them.
pub fn bytes(seed: u64, len: usize) -> bytes::Bytes {
    let mut chance = Chance::new(seed);
    let mut bytes = Vec::with_capacity(len.next_multiple_of(8));
    while bytes.len() < len {
        bytes.extend_from_slice(&chance.bits().to_le_bytes());
    }
    bytes.truncate(len);
    bytes.into()
}

const fn stir(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
