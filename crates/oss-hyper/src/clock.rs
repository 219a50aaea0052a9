//! Both clocks of a program, and its source of chance.

use core::hash::{BuildHasher, Hasher};
use core::time::Duration;
use std::hash::RandomState;
use std::time::SystemTime;

use oss_proto::{Now, UnixTime};
use tokio::time::Instant;

/// Reads both clocks at one moment; the monotonic one counts from when it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn now(self) -> Now {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let wall = UnixTime::from_secs(i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
        Now { mono: self.start.elapsed(), wall }
    }

    /// When the monotonic clock shows this.
    pub(crate) fn instant(self, mono: Duration) -> Instant {
        later(self.start, mono)
    }
}

/// The moment that comes this much later than now; the same care as [`later`].
pub(crate) fn after(wait: Duration) -> Instant {
    later(Instant::now(), wait)
}

/// The moment that comes this much later, for any duration: a caller may say `Duration::MAX` for "never".
pub(crate) fn later(from: Instant, wait: Duration) -> Instant {
    from + wait.min(FAR)
}

/// A number that is another one at each call.
///
/// It spreads delays and signs nothing, so the randomness that std seeds its hash maps with is enough.
pub(crate) fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// When a time limit has passed, what may have come in the meantime is looked for this much longer: a program
/// that kept its runtime busy sees both at once, and it is not the peer's fault.
pub(crate) const LAST_LOOK: Duration = Duration::from_millis(10);
/// No clock reaches it while the program runs.
const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_differ() {
        let seeds: alloc::collections::BTreeSet<u64> = (0..100).map(|_| seed()).collect();
        assert_eq!(seeds.len(), 100);
    }

    #[test]
    fn f70_a_deadline_at_the_end_of_the_clock_is_far_away() {
        let clock = Clock::start();
        assert!(clock.instant(Duration::MAX) > clock.instant(Duration::from_secs(86_400)));
        assert!(after(Duration::MAX) > after(Duration::from_secs(86_400)));
    }
}
