//! What many exchanges have in common, as plain data that a driver guards with a lock of its own.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::time::Duration;

use oss_credentials::CredentialCache;
use oss_retry::Quota;
use oss_sign::UnixTime;

use crate::{Call, Composer, Endpoint, Ledger, Proposal, Skews};

/// The credentials, the retry budget, the learned clocks and the composers of one client.
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
    /// What the clocks of services are ahead of ours.
    pub skews: Skews,
    /// Of calls that are over, the longest unused first. The last one stays, for its key.
    composers: VecDeque<Box<Composer>>,
}

impl Shared {
    /// What a client starts with.
    pub fn new(credentials: CredentialCache) -> Self {
        Self { credentials, quota: Quota::new(), skews: Skews::default(), composers: VecDeque::new() }
    }

    /// The options of the next call, with what earlier calls learned.
    pub fn call(&mut self, seed: u64) -> Call {
        let mut call = Call::seeded(seed);
        call.skews = self.skews.clone();
        call.composer = match self.composers.len() {
            0 => None,
            // Deriving a key costs more than all else about a signature.
            1 => self.composers.back().map(|last| Box::new(Composer::with_key(last.key().cloned()))),
            _ => self.composers.pop_front(),
        };
        call
    }

    /// The time as the service that was heard of last has it: for what is no matter of one endpoint, such as
    /// when credentials end.
    pub fn corrected(&self, wall: UnixTime) -> UnixTime {
        wall.saturating_add(self.skews.latest())
    }

    /// The time as this endpoint has it: for a presigned URL. An exchange takes care of its own.
    pub fn corrected_at(&self, endpoint: &Endpoint, wall: UnixTime) -> UnixTime {
        wall.saturating_add(self.skews.of(endpoint))
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
        for skew in ledger.skews {
            self.skews.learn(skew);
        }
        if let Some(composer) = ledger.composer.filter(|composer| composer.key().is_some()) {
            self.composers.truncate(COMPOSERS_MAX - 1);
            self.composers.push_back(composer);
        }
    }
}

/// A few KiB each, kept for calls that are made at the same time; more calls make their own.
const COMPOSERS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use oss_credentials::{Credentials, Source};

    use super::*;
    use crate::{ListBuckets, Operation as _, Region, Service};

    fn settle(shared: &mut Shared, composer: Option<Box<Composer>>) {
        shared.settle(Ledger { composer, ..Ledger::default() });
    }

    #[test]
    fn composers_go_from_call_to_call_and_the_last_one_stays_for_its_key() {
        let credentials = Credentials::new("id", "secret").unwrap();
        let region = Region::parse("cn-hangzhou").unwrap();
        let service = Service::new(Endpoint::public(&region)).with_region(region);
        let mut used = Composer::new();
        let draft = ListBuckets::new().draft().unwrap();
        used.compose(&draft, &service, &credentials, UnixTime::from_secs(1_702_743_657)).unwrap();
        let key = used.key().cloned();
        let with_key = || Some(Box::new(Composer::with_key(key.clone())));

        let mut shared = Shared::new(CredentialCache::new(Source::from(credentials), 7));
        assert!(shared.call(1).composer.is_none());
        settle(&mut shared, Some(Box::new(Composer::new())));
        assert!(shared.call(1).composer.is_none(), "one without a key is of no use");
        settle(&mut shared, with_key());
        for _ in 0..3 {
            assert!(shared.call(1).composer.is_some_and(|composer| composer.key().is_some()));
            assert_eq!(shared.composers.len(), 1, "the last one stays");
        }
        settle(&mut shared, with_key());
        let first: *const Composer = &**shared.composers.front().unwrap();
        let taken = shared.call(1).composer.unwrap();
        assert!(core::ptr::eq(first, &*taken), "it is the kept one, with its buffers");
        for _ in 0..2 * COMPOSERS_MAX {
            settle(&mut shared, with_key());
        }
        assert_eq!(shared.composers.len(), COMPOSERS_MAX);
    }
}
