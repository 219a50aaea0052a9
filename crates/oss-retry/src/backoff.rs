//! How long to wait before the next attempt: integers only, chance from a seed.

use core::time::Duration;

use crate::{Policy, Strategy};

/// The waits of one call, drawn from a seed: the same seed gives the same waits.
///
/// Give each call a seed of its own, or callers that failed together come back together.
#[derive(Clone, Debug)]
pub struct Backoff {
    policy: Policy,
    chance: SplitMix64,
}

impl Backoff {
    /// Draws waits for `policy` from `seed`; any seed is as good as another.
    pub const fn new(policy: &Policy, seed: u64) -> Self {
        Self { policy: *policy, chance: SplitMix64(seed) }
    }

    /// The wait after a transient failure, when `attempt` attempts have been made.
    ///
    /// With the defaults it lies in [0, 0.4 s) after the first attempt and in [0, 0.8 s) after the second.
    pub const fn next(&mut self, attempt: u32) -> Duration {
        self.policy.delay(attempt, self.chance.next())
    }

    /// The wait after a throttle answer: as [`next`](Self::next), from a base of at least 1 s.
    ///
    /// With the defaults it lies in [0, 2 s) after the first attempt and in [0, 4 s) after the second.
    pub const fn next_throttled(&mut self, attempt: u32) -> Duration {
        self.policy.throttle_delay(attempt, self.chance.next())
    }
}

impl Policy {
    /// The wait when `attempt` attempts have been made and chance drew `unit`, in units of 2^-64.
    ///
    /// A pure formula (see [`Strategy`]) in whole nanoseconds, rounded down; [`Backoff`] draws the units.
    /// `1 << 63` is the draw 0.5. It never overflows: waits end at 584 years.
    pub const fn delay(&self, attempt: u32, unit: u64) -> Duration {
        self.delay_from(self.base_delay, attempt, unit)
    }

    /// The wait after a throttle answer: as [`delay`](Self::delay), from a base of at least 1 s.
    pub const fn throttle_delay(&self, attempt: u32, unit: u64) -> Duration {
        self.delay_from(longer(self.base_delay, THROTTLE_BASE_DELAY), attempt, unit)
    }

    const fn delay_from(&self, base: Duration, attempt: u32, unit: u64) -> Duration {
        let ceiling = shorter(doubled(nanoseconds(base), attempt), nanoseconds(self.max_backoff));
        match self.strategy {
            Strategy::FullJitter => Duration::from_nanos(share(ceiling, unit)),
            Strategy::EqualJitter => {
                let half = ceiling / 2;
                let chance = share(half.saturating_add(NANOSECONDS_PER_SECOND), unit);
                Duration::from_nanos(half.saturating_add(chance))
            }
            Strategy::FixedDelay => base,
            Strategy::None => Duration::ZERO,
        }
    }
}

/// The wait when the service itself asked for `asked` with `Retry-After`, and the formula gave `backoff`.
///
/// The service is obeyed within [`backoff`, `backoff` + 5 s]: it can neither draw all callers to one
/// moment nor hold them for an hour.
///
/// ```
/// use core::time::Duration;
/// use oss_retry::honour_retry_after;
///
/// let backoff = Duration::from_millis(300);
/// assert_eq!(honour_retry_after(Duration::from_secs(2), backoff), Duration::from_secs(2));
/// assert_eq!(honour_retry_after(Duration::from_secs(3600), backoff), Duration::from_millis(5300));
/// assert_eq!(honour_retry_after(Duration::ZERO, backoff), backoff);
/// ```
pub const fn honour_retry_after(asked: Duration, backoff: Duration) -> Duration {
    let most = backoff.saturating_add(RETRY_AFTER_MARGIN);
    if asked.as_nanos() < most.as_nanos() { longer(asked, backoff) } else { most }
}

/// `nanoseconds × 2^exponent`, or the greatest number if that is more.
const fn doubled(nanoseconds: u64, exponent: u32) -> u64 {
    if nanoseconds == 0 {
        0
    } else if exponent > nanoseconds.leading_zeros() {
        u64::MAX
    } else {
        nanoseconds << exponent
    }
}

/// `whole × unit / 2^64`, rounded down.
const fn share(whole: u64, unit: u64) -> u64 {
    ((whole as u128 * unit as u128) >> 64) as u64
}

const fn nanoseconds(duration: Duration) -> u64 {
    let nanoseconds = duration.as_nanos();
    if nanoseconds < u64::MAX as u128 { nanoseconds as u64 } else { u64::MAX }
}

const fn shorter(a: u64, b: u64) -> u64 {
    if a < b { a } else { b }
}

const fn longer(a: Duration, b: Duration) -> Duration {
    if a.as_nanos() > b.as_nanos() { a } else { b }
}

/// The generator of Steele, Lea and Flood (OOPSLA 2014): small, and every seed is good.
#[derive(Clone, Debug)]
struct SplitMix64(u64);

impl SplitMix64 {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

const THROTTLE_BASE_DELAY: Duration = Duration::from_secs(1);
const RETRY_AFTER_MARGIN: Duration = Duration::from_secs(5);
const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::{
        Just, Strategy as Generator, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
    };

    use super::*;

    const HALF: u64 = 1 << 63;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn known_draws() {
        let mut chance = SplitMix64(0);
        assert_eq!(chance.next(), 0xE220_A839_7B1D_CDAF);
        assert_eq!(chance.next(), 0x6E78_9E6A_A1B9_65F4);
        let mut chance = SplitMix64(1234567);
        assert_eq!(chance.next(), 6457827717110365317);
        assert_eq!(chance.next(), 3203168211198807973);
    }

    /// Strategy, attempts made, base, cap, and the wait at the draws 0, 0.5 and just below 1.
    const WAITS: &[(Strategy, u32, f64, f64, f64, f64, f64)] = &[
        (Strategy::FullJitter, 1, 0.2, 20.0, 0.0, 0.2, 0.4),
        (Strategy::FullJitter, 2, 0.2, 20.0, 0.0, 0.4, 0.8),
        (Strategy::FullJitter, 7, 0.2, 20.0, 0.0, 10.0, 20.0),
        (Strategy::FullJitter, 4, 1.0, 0.1, 0.0, 0.05, 0.1),
        (Strategy::FullJitter, 4, 0.05, 60.0, 0.0, 0.4, 0.8),
        (Strategy::FullJitter, 0, 0.2, 20.0, 0.0, 0.1, 0.2),
        (Strategy::FullJitter, u32::MAX, 0.2, 20.0, 0.0, 10.0, 20.0),
        (Strategy::FullJitter, u32::MAX, 0.0, 20.0, 0.0, 0.0, 0.0),
        (Strategy::EqualJitter, 1, 0.2, 20.0, 0.2, 0.8, 1.4),
        (Strategy::EqualJitter, 20, 0.2, 5.0, 2.5, 4.25, 6.0),
        (Strategy::EqualJitter, 64, 0.05, 1.0, 0.5, 1.25, 2.0),
        (Strategy::FixedDelay, 3, 2.0, 60.0, 2.0, 2.0, 2.0),
        (Strategy::FixedDelay, 7, 5.0, 1.0, 5.0, 5.0, 5.0),
        (Strategy::None, 1, 2.0, 60.0, 0.0, 0.0, 0.0),
    ];

    #[test]
    fn known_waits() {
        for &(strategy, attempt, base, cap, least, middle, most) in WAITS {
            let policy = Policy::new()
                .with_strategy(strategy)
                .with_base_delay(seconds(base))
                .with_max_backoff(seconds(cap));
            let row = (strategy, attempt, base, cap);
            assert_eq!(policy.delay(attempt, 0), seconds(least), "{row:?} at 0");
            assert_eq!(policy.delay(attempt, HALF), seconds(middle), "{row:?} at 0.5");
            let nearly = policy.delay(attempt, u64::MAX);
            let short_of = seconds(most).saturating_sub(nearly);
            assert!(nearly <= seconds(most) && short_of <= Duration::from_nanos(1), "{row:?}: {nearly:?}");
        }
    }

    #[test]
    fn a_throttle_answer_waits_from_one_second() {
        let policy = Policy::new();
        assert_eq!(policy.throttle_delay(1, HALF), seconds(1.0));
        assert_eq!(policy.throttle_delay(2, HALF), seconds(2.0));
        assert_eq!(policy.throttle_delay(9, HALF), seconds(10.0));
        assert_eq!(policy.with_base_delay(seconds(3.0)).throttle_delay(1, HALF), seconds(3.0));
        assert_eq!(policy.with_fixed_delay(seconds(0.2)).throttle_delay(1, HALF), seconds(1.0));
        assert_eq!(policy.with_fixed_delay(seconds(3.0)).throttle_delay(1, HALF), seconds(3.0));
    }

    #[test]
    fn draws_stay_in_the_documents_ranges_and_fill_them() {
        for (attempt, milliseconds) in [(1, 400), (2, 800)] {
            let ceiling = Duration::from_millis(milliseconds);
            let mut bins = [0_u32; 10];
            for seed in 0..10_000 {
                let wait = Backoff::new(&Policy::new(), seed).next(attempt);
                assert!(wait < ceiling, "{wait:?}");
                bins[(wait.as_nanos() * 10 / ceiling.as_nanos()) as usize] += 1;
            }
            assert!(bins.iter().all(|count| (800..1200).contains(count)), "{bins:?}");
        }
    }

    #[test]
    fn i10_the_same_seed_gives_the_same_waits() {
        let mut a = Backoff::new(&Policy::new(), 7);
        let mut b = a.clone();
        let waits = [a.next(1), a.next_throttled(2), a.next(3)];
        assert_eq!(waits, [b.next(1), b.next_throttled(2), b.next(3)]);
        assert_ne!(waits[0], Backoff::new(&Policy::new(), 8).next(1));
    }

    #[test]
    fn f20_a_retry_after_of_any_size_is_kept_near_the_backoff() {
        let backoff = seconds(0.3);
        for (asked, wait) in [
            (Duration::ZERO, backoff),
            (seconds(0.3), backoff),
            (seconds(1.0), seconds(1.0)),
            (seconds(5.3), seconds(5.3)),
            (seconds(5.4), seconds(5.3)),
            (Duration::MAX, seconds(5.3)),
        ] {
            assert_eq!(honour_retry_after(asked, backoff), wait, "{asked:?}");
        }
        assert_eq!(honour_retry_after(Duration::MAX, Duration::MAX), Duration::MAX);
    }

    fn durations() -> impl Generator<Value = Duration> {
        prop_oneof![
            (0..100_000_000_000_u64).prop_map(Duration::from_nanos),
            any::<(u64, u32)>().prop_map(|(s, n)| Duration::new(s.min(u64::MAX - 5), n)),
            Just(Duration::MAX),
        ]
    }

    fn policies() -> impl Generator<Value = Policy> {
        let strategies = prop_oneof![
            Just(Strategy::FullJitter),
            Just(Strategy::EqualJitter),
            Just(Strategy::FixedDelay),
            Just(Strategy::None),
        ];
        (strategies, durations(), durations()).prop_map(|(strategy, base, cap)| {
            Policy::new().with_strategy(strategy).with_base_delay(base).with_max_backoff(cap)
        })
    }

    proptest! {
        #[test]
        fn i11_no_policy_overflows_and_the_cap_holds(policy in policies(), attempt: u32, unit: u64) {
            for wait in [policy.delay(attempt, unit), policy.throttle_delay(attempt, unit)] {
                let most = match policy.strategy {
                    Strategy::FullJitter => policy.max_backoff,
                    Strategy::EqualJitter => policy.max_backoff.saturating_add(Duration::from_secs(1)),
                    Strategy::FixedDelay => policy.base_delay.max(Duration::from_secs(1)),
                    Strategy::None => Duration::ZERO,
                };
                prop_assert!(wait <= most, "{wait:?} > {most:?}");
            }
        }

        #[test]
        fn a_later_attempt_or_a_greater_draw_waits_no_less(
            policy in policies(),
            attempt in 0..u32::MAX,
            unit in 0..u64::MAX,
        ) {
            let wait = policy.delay(attempt, unit);
            prop_assert!(policy.delay(attempt + 1, unit) >= wait);
            prop_assert!(policy.delay(attempt, unit + 1) >= wait);
            prop_assert!(policy.throttle_delay(attempt, unit) >= wait);
        }

        #[test]
        fn f19_retry_after_lies_between_the_backoff_and_five_seconds_more(
            asked in durations(),
            backoff in durations(),
        ) {
            let wait = honour_retry_after(asked, backoff);
            prop_assert!(wait >= backoff);
            prop_assert!(wait <= backoff.saturating_add(Duration::from_secs(5)));
            prop_assert_eq!(wait, asked.clamp(backoff, backoff.saturating_add(Duration::from_secs(5))));
        }
    }
}
