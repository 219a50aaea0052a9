//! What many exchanges have in common, as plain data that a driver guards with a lock of its own.

use alloc::boxed::Box;
use core::time::Duration;

use oss_credentials::CredentialCache;
use oss_retry::Quota;
use oss_sign::{SigningKey, UnixTime};

use crate::{Call, Ledger, Proposal};

/// The credentials, the retry budget, the learned clock offset and the derived signing key of one client.
///
/// A machine never reaches for it: the driver takes from it what an exchange asks for, and
/// [`settle`](Self::settle)s what the exchange learned when it is done.
#[derive(Debug)]
#[non_exhaustive]
pub struct Shared {
    /// Answers `Action::Authenticate`.
    pub credentials: CredentialCache,
    /// Answers `Action::Retry`.
    pub quota: Quota,
    /// What the service's clock is ahead of ours, in seconds.
    pub skew_secs: i64,
    signing_key: Option<Box<SigningKey>>,
}

impl Shared {
    /// What a client starts with.
    pub fn new(credentials: CredentialCache) -> Self {
        Self { credentials, quota: Quota::new(), skew_secs: 0, signing_key: None }
    }

    /// The options of the next call, with what earlier calls learned.
    pub fn call(&self, seed: u64) -> Call {
        let mut call = Call::seeded(seed);
        call.skew_secs = self.skew_secs;
        call.signing_key.clone_from(&self.signing_key);
        call
    }

    /// The time as the service has it.
    pub fn corrected(&self, wall: UnixTime) -> UnixTime {
        wall.saturating_add(self.skew_secs)
    }

    /// Answers `Action::Retry` from the budget: the pause, or that there is to be no retry.
    pub fn decide(&mut self, proposal: &Proposal) -> Option<Duration> {
        self.quota.take(proposal.cost).then_some(proposal.delay)
    }

    /// Takes over what an exchange learned; call it once for each exchange that came to its end.
    pub fn settle(&mut self, ledger: Ledger) {
        if ledger.refund > 0 {
            self.quota.refund(ledger.refund);
        } else if ledger.first_try {
            self.quota.deposit();
        }
        if let Some(generation) = ledger.refused {
            self.credentials.refuse(generation);
        }
        if let Some(skew) = ledger.skew_secs {
            self.skew_secs = skew;
        }
        if ledger.signing_key.is_some() {
            self.signing_key = ledger.signing_key;
        }
    }
}
