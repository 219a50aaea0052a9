//! Seeded chance, for delays that must differ between machines and repeat in a test.

use core::time::Duration;

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A duration between the two, both included, in whole milliseconds.
    pub(crate) fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let span = u64::try_from(high.saturating_sub(low).as_millis()).unwrap_or(u64::MAX);
        let offset = match span.checked_add(1) {
            Some(choices) => self.next() % choices,
            None => self.next(),
        };
        low.saturating_add(Duration::from_millis(offset))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_gives_the_published_sequence() {
        let mut chance = Chance::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423_u64];
        assert_eq!([chance.next(), chance.next(), chance.next()], expected);
    }

    #[test]
    fn between_stays_between_and_reaches_both_ends() {
        let (low, high) = (Duration::from_millis(3), Duration::from_millis(6));
        let mut chance = Chance::new(1);
        let mut seen = [0; 4];
        for _ in 0..1_000 {
            let drawn = chance.between(low, high).as_millis() as usize;
            seen[drawn - 3] += 1;
        }
        assert!(seen.iter().all(|&count| count > 150), "{seen:?}");
        assert_eq!(chance.between(high, low), high);
        assert_eq!(chance.between(low, low), low);
        assert!(chance.between(low, Duration::MAX) >= low);
    }
}
