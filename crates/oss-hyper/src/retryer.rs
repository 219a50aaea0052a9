//! Whether a failed attempt is repeated: by a policy, or by a rule of the program's own.

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use oss_proto::{Policy, Proposal};

/// Whether a failed attempt is repeated, and after what pause (`retryer`).
///
/// A [`Policy`] is one: the standard retryer with `max_attempts`, `max_backoff` and `base_delay`, a fixed
/// delay, equal jitter, or none.
///
/// Either is asked only about failures that a repetition may cure and does not make worse: a 403 is final,
/// and so is an append that may have arrived.
///
/// ```
/// use core::time::Duration;
/// use oss_hyper::{Policy, Retryer};
///
/// let patient = Retryer::from(Policy::new().with_max_attempts(5));
/// let steady = Retryer::from(Policy::new().with_fixed_delay(Duration::from_secs(2)));
/// let own = Retryer::from_fn(10, |failed| {
///     (failed.status == Some(503)).then_some(Duration::from_millis(50) * failed.attempt)
/// });
/// ```
#[derive(Clone)]
pub struct Retryer {
    pub(crate) policy: Policy,
    pub(crate) own: Option<OwnRule>,
}

/// A rule of the program's own.
pub(crate) type OwnRule = Arc<dyn Fn(&Proposal) -> Option<Duration> + Send + Sync>;

impl Retryer {
    /// A rule of one's own, for at most so many attempts, the first included: the pause before the next one,
    /// or `None` to give up.
    ///
    /// The client's retry budget is not asked, so that in an outage the rule is all that spares the service.
    #[must_use]
    pub fn from_fn(
        max_attempts: u32,
        rule: impl Fn(&Proposal) -> Option<Duration> + Send + Sync + 'static,
    ) -> Self {
        Self { policy: Policy::new().with_max_attempts(max_attempts), own: Some(Arc::new(rule)) }
    }
}

impl From<Policy> for Retryer {
    fn from(policy: Policy) -> Self {
        Self { policy, own: None }
    }
}

impl fmt::Debug for Retryer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Retryer");
        if self.own.is_some() {
            return shown.field("max_attempts", &self.policy.max_attempts).finish_non_exhaustive();
        }
        shown.field("policy", &self.policy).finish()
    }
}
