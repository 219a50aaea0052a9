//! When a request to Alibaba Cloud OSS is worth repeating, how long to wait, and when to leave it.
//!
//! Five small answers, each a pure function or a plain value; no IO, no clock, no randomness of its own:
//!
//! | question | answer |
//! | --- | --- |
//! | What does this failure call for? | [`classify`] → [`Verdict`] |
//! | Did the request take effect? | [`outcome_of`] → [`Outcome`] |
//! | What would a second arrival do? | [`Effect::may_repeat`] |
//! | How long to wait? | [`Policy`], [`Backoff`], [`honour_retry_after`] |
//! | Can the service bear one more retry? | [`Quota`] |
//!
//! ```
//! use oss_retry::{Backoff, Effect, Failure, Outcome, Policy, Quota, Verdict, classify, outcome_of};
//!
//! let policy = Policy::new(); // 3 attempts, full jitter, 200 ms doubled up to 20 s
//! let mut backoff = Backoff::new(&policy, 42); // the seed makes the waits repeatable
//! let mut quota = Quota::new(); // one for all the requests of a client
//!
//! // The first of three attempts to upload a part was answered with 503 ServiceUnavailable.
//! let attempts = 1;
//! let failure = Failure::Service { status: 503, code: "ServiceUnavailable" };
//! let so_far = Outcome::NotSent.merge(outcome_of(failure, true));
//! assert_eq!(so_far, Outcome::Unknown);
//! assert_eq!(classify(failure), Verdict::Retry { cost: 14 });
//!
//! assert!(attempts < policy.attempts());
//! assert!(Effect::Idempotent.may_repeat(so_far, 0));
//! assert!(quota.take(classify(failure).cost()));
//! assert!(backoff.next(attempts).as_millis() < 400);
//! ```

#![no_std]
#![forbid(unsafe_code)]

mod backoff;
mod classify;
mod effect;
mod quota;

use core::time::Duration;

pub use backoff::{Backoff, honour_retry_after};
pub use classify::{Failure, FailureKind, Verdict, classify, outcome_of};
pub use effect::{Effect, Outcome};
pub use quota::Quota;

/// How often a call is tried, and how long it waits in between.
///
/// The fields carry the names and the defaults of the vendor's guide on configuring a client.
///
/// ```
/// use core::time::Duration;
/// use oss_retry::{Policy, Strategy};
///
/// let patient = Policy::new().with_max_attempts(5).with_max_backoff(Duration::from_secs(25));
/// assert_eq!((patient.attempts(), patient.strategy), (5, Strategy::FullJitter));
/// let steady = Policy::new().with_fixed_delay(Duration::from_secs(2));
/// assert_eq!(steady.delay(1, 0), Duration::from_secs(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Policy {
    /// How many attempts a call has in all, the first included. Default 3; 0 means 1.
    pub max_attempts: u32,
    /// What the wait is computed from. Default 200 ms.
    pub base_delay: Duration,
    /// What the doubled base never exceeds. Default 20 s; beyond 584 years it makes no difference.
    pub max_backoff: Duration,
    /// How the wait is computed. Default [`Strategy::FullJitter`].
    pub strategy: Strategy,
}

impl Policy {
    /// The documents' default: 3 attempts, full jitter, base 200 ms, at most 20 s.
    pub const fn new() -> Self {
        Self {
            max_attempts: MAX_ATTEMPTS,
            base_delay: BASE_DELAY,
            max_backoff: MAX_BACKOFF,
            strategy: Strategy::FullJitter,
        }
    }

    /// One attempt and no waiting, for callers that retry in a layer of their own.
    pub const fn none() -> Self {
        Self::new().with_strategy(Strategy::None)
    }

    /// Sets the number of attempts, the first included; 0 means 1.
    pub const fn with_max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = max_attempts;
        self
    }

    /// Sets what the wait is computed from.
    pub const fn with_base_delay(mut self, base_delay: Duration) -> Self {
        self.base_delay = base_delay;
        self
    }

    /// Sets what the doubled base never exceeds.
    pub const fn with_max_backoff(mut self, max_backoff: Duration) -> Self {
        self.max_backoff = max_backoff;
        self
    }

    /// Sets how the wait is computed.
    pub const fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Waits `delay` before each retry: [`Strategy::FixedDelay`] with that base.
    pub const fn with_fixed_delay(self, delay: Duration) -> Self {
        self.with_strategy(Strategy::FixedDelay).with_base_delay(delay)
    }

    /// How many attempts a call really has, the first included: at least 1, and 1 without a strategy.
    pub const fn attempts(&self) -> u32 {
        match (self.strategy, self.max_attempts) {
            (Strategy::None, _) | (_, 0) => 1,
            (_, attempts) => attempts,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

/// How a wait follows from the base delay `b`, the number of attempts made `a`, and chance `R` in [0, 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Strategy {
    /// `R × min(2^a × b, max_backoff)`: callers that failed together come back apart.
    #[default]
    FullJitter,
    /// `h + R × (h + 1 s)`, where `h` is half of `min(2^a × b, max_backoff)`: never a short wait.
    ///
    /// The result may exceed `max_backoff` by up to 1 s, as it does in the vendor's SDKs.
    EqualJitter,
    /// `b`, every time, whatever `max_backoff` says.
    FixedDelay,
    /// No retry at all.
    None,
}

const MAX_ATTEMPTS: u32 = 3;
const BASE_DELAY: Duration = Duration::from_millis(200);
const MAX_BACKOFF: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_documents() {
        let policy = Policy::default();
        assert_eq!(policy.max_attempts, 3);
        assert_eq!(policy.base_delay, Duration::from_millis(200));
        assert_eq!(policy.max_backoff, Duration::from_secs(20));
        assert_eq!(policy.strategy, Strategy::FullJitter);
        assert_eq!(policy, Policy::new());
    }

    #[test]
    fn a_call_has_at_least_one_attempt() {
        for (policy, attempts) in [
            (Policy::new(), 3),
            (Policy::new().with_max_attempts(0), 1),
            (Policy::new().with_max_attempts(1), 1),
            (Policy::new().with_max_attempts(u32::MAX), u32::MAX),
            (Policy::none(), 1),
            (Policy::none().with_max_attempts(9), 1),
        ] {
            assert_eq!(policy.attempts(), attempts, "{policy:?}");
        }
    }

    #[test]
    fn each_setter_sets_its_field() {
        let second = Duration::from_secs(1);
        let policy = Policy::new()
            .with_max_attempts(7)
            .with_base_delay(second)
            .with_max_backoff(second * 2)
            .with_strategy(Strategy::EqualJitter);
        assert_eq!((policy.max_attempts, policy.base_delay), (7, second));
        assert_eq!((policy.max_backoff, policy.strategy), (second * 2, Strategy::EqualJitter));
        let fixed = policy.with_fixed_delay(second * 3);
        assert_eq!(
            (fixed.strategy, fixed.base_delay, fixed.max_attempts),
            (Strategy::FixedDelay, second * 3, 7)
        );
    }
}
