//! A budget of retries that many requests share, so that an outage is not made worse.

/// Tokens that retries spend and successes earn back.
///
/// Every request of a client shares one quota. While most of them succeed it is full and never in the way;
/// when everything fails it runs dry after about 35 retries, and from then on a failure is final. The numbers
/// are those of Smithy's standard retry mode, version 2.1: 500 tokens, 14 for a transient failure, 5 for a
/// throttle answer, given back when the retry succeeds, and 1 for each call that succeeds at once.
///
/// It is a plain value without a lock: whoever shares it guards it.
///
/// ```
/// use oss_retry::Quota;
///
/// let mut quota = Quota::new();
/// assert!(quota.take(14)); // a transient failure: one retry
/// quota.refund(14); // which succeeded
/// quota.deposit(); // another call succeeded at once
/// assert_eq!(quota.tokens(), 500);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// At most `capacity`.
    tokens: u32,
    capacity: u32,
}

impl Quota {
    /// A full quota of 500 tokens.
    pub const fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    /// A full quota of `capacity` tokens; with 0 only retries without a cost are possible.
    pub const fn with_capacity(capacity: u32) -> Self {
        Self { tokens: capacity, capacity }
    }

    /// Spends `cost` tokens on a retry; if there are fewer, spends none, returns false, and the retry is off.
    #[must_use = "without the tokens the retry must not happen"]
    pub const fn take(&mut self, cost: u32) -> bool {
        match self.tokens.checked_sub(cost) {
            Some(rest) => {
                self.tokens = rest;
                true
            }
            None => false,
        }
    }

    /// Gives back what a retry took, because it succeeded; never beyond the capacity.
    pub const fn refund(&mut self, cost: u32) {
        let tokens = self.tokens.saturating_add(cost);
        self.tokens = if tokens < self.capacity { tokens } else { self.capacity };
    }

    /// Earns one token, because a call succeeded at its first attempt; never beyond the capacity.
    pub const fn deposit(&mut self) {
        self.refund(1);
    }

    /// How many tokens are left.
    pub const fn tokens(&self) -> u32 {
        self.tokens
    }

    /// How many tokens there can be.
    pub const fn capacity(&self) -> u32 {
        self.capacity
    }
}

impl Default for Quota {
    fn default() -> Self {
        Self::new()
    }
}

const CAPACITY: u32 = 500;

#[cfg(test)]
mod tests {
    extern crate alloc;

    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::classify::{THROTTLE_COST, TRANSIENT_COST};

    /// Requests sent for `calls` calls of three attempts, where an attempt succeeds as `succeeds` says.
    fn requests(quota: &mut Quota, calls: u32, cost: u32, mut succeeds: impl FnMut() -> bool) -> u32 {
        let mut sent = 0;
        for _ in 0..calls {
            let mut taken = 0;
            for attempt in 1..=3 {
                sent += 1;
                if succeeds() {
                    if attempt == 1 {
                        quota.deposit()
                    } else {
                        quota.refund(taken)
                    }
                    break;
                }
                if attempt == 3 || !quota.take(cost) {
                    break;
                }
                taken = cost;
            }
        }
        sent
    }

    #[test]
    fn f67_an_outage_costs_one_request_in_a_hundred_more() {
        let mut quota = Quota::new();
        assert_eq!(requests(&mut quota, 10_000, TRANSIENT_COST, || false), 10_000 + 35);
        // Recovery: 500 successes at once fill it again.
        assert_eq!(requests(&mut quota, 500, TRANSIENT_COST, || true), 500);
        assert_eq!(quota.tokens(), 500);
    }

    #[test]
    fn f68_half_of_the_requests_failing_at_most_doubles_them() {
        let mut state = 1_u64;
        let mut coin = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state >> 63 == 0
        };
        let sent = requests(&mut Quota::new(), 100_000, TRANSIENT_COST, &mut coin);
        assert!((100_000..=200_000).contains(&sent), "{sent}");
    }

    #[test]
    fn throttling_alone_adds_next_to_nothing() {
        let sent = requests(&mut Quota::new(), 10_000, THROTTLE_COST, || false);
        assert_eq!(sent, 10_000 + 100);
    }

    #[test]
    fn taking_is_all_or_nothing() {
        let mut quota = Quota::with_capacity(14);
        assert!(!quota.take(15));
        assert_eq!(quota.tokens(), 14);
        assert!(quota.take(14));
        assert!(!quota.take(1));
        assert!(quota.take(0));
        quota.refund(u32::MAX);
        assert_eq!((quota.tokens(), quota.capacity()), (14, 14));
        let mut none = Quota::with_capacity(0);
        none.deposit();
        assert!(!none.take(1));
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Take(u32),
        Refund(u32),
        Deposit,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            prop_oneof![0..30_u32, any::<u32>()].prop_map(Step::Take),
            prop_oneof![0..30_u32, any::<u32>()].prop_map(Step::Refund),
            Just(Step::Deposit),
        ];
        prop::collection::vec(step, 0..200)
    }

    proptest! {
        #[test]
        fn i08_the_budget_stays_within_its_bounds(capacity: u32, steps in steps()) {
            let mut quota = Quota::with_capacity(capacity);
            for step in steps {
                let before = quota.tokens();
                match step {
                    Step::Take(cost) => {
                        let taken = quota.take(cost);
                        prop_assert_eq!(taken, cost <= before);
                        prop_assert_eq!(quota.tokens(), if taken { before - cost } else { before });
                    }
                    Step::Refund(cost) => quota.refund(cost),
                    Step::Deposit => quota.deposit(),
                }
                prop_assert!(quota.tokens() <= quota.capacity());
                prop_assert!(matches!(step, Step::Take(_)) || quota.tokens() >= before);
            }
            prop_assert_eq!(quota.capacity(), capacity);
        }

        #[test]
        fn i08_a_quiet_period_fills_it_again(steps in steps()) {
            let mut quota = Quota::new();
            for step in steps {
                if let Step::Take(cost) = step {
                    let _ = quota.take(cost);
                }
            }
            (0..500).for_each(|_| quota.deposit());
            prop_assert_eq!(quota.tokens(), 500);
        }
    }
}
