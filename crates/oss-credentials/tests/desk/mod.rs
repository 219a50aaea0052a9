//! A cache under virtual time, for the scenarios.
#![allow(dead_code, reason = "each file of tests uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests too")]

use core::time::Duration;

use oss_credentials::{
    Answer, CredentialCache, CredentialError, Credentials, Need, Source, SourceName, Step, Ticket,
};
use oss_sign::UnixTime;

/// A cache between two virtual clocks that start at zero and `EPOCH`.
pub(crate) struct Desk {
    pub(crate) cache: CredentialCache,
    pub(crate) mono: Duration,
    pub(crate) wall: UnixTime,
}

impl Desk {
    pub(crate) fn new(source: Source) -> Self {
        Self::seeded(source, 1)
    }

    pub(crate) fn seeded(source: Source, seed: u64) -> Self {
        Self { cache: CredentialCache::new(source, seed), mono: Duration::ZERO, wall: EPOCH }
    }

    pub(crate) fn pass(&mut self, secs: u64) {
        self.mono += Duration::from_secs(secs);
        self.wall = self.wall.saturating_add(i64::try_from(secs).unwrap());
    }

    /// Any credentials that are valid now will do.
    pub(crate) fn poll(&mut self) -> Step {
        self.poll_for(Need::until(self.wall))
    }

    pub(crate) fn poll_for(&mut self, need: Need) -> Step {
        self.cache.poll(need, self.mono, self.wall)
    }

    pub(crate) fn answer(&mut self, ticket: Ticket, answer: Answer) {
        self.cache.answer(ticket, answer, self.mono, self.wall);
    }

    #[track_caller]
    pub(crate) fn ask(&mut self) -> Ticket {
        ticket(self.poll())
    }

    /// Lets the source give `temporary(name)` for as many seconds.
    #[track_caller]
    pub(crate) fn obtain(&mut self, name: &str, secs: i64) -> Credentials {
        let ticket = self.ask();
        self.answer(ticket, self.gives(name, secs));
        ready(self.poll())
    }

    pub(crate) fn gives(&self, name: &str, secs: i64) -> Answer {
        Answer::Custom(temporary(name, self.wall.saturating_add(secs)))
    }
}

pub(crate) fn plain(id: &str) -> Credentials {
    Credentials::new(id, "s").unwrap()
}

pub(crate) fn temporary(id: &str, expiration: UnixTime) -> Credentials {
    plain(id).with_token("t").unwrap().with_expiration(expiration)
}

pub(crate) fn failed(reason: &str) -> CredentialError {
    CredentialError::Failed { source: SourceName::Custom(0), reason: reason.into() }
}

#[track_caller]
pub(crate) fn ready(step: Step) -> Credentials {
    match step {
        Step::Ready(credentials) => credentials,
        other => panic!("not ready: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn ticket(step: Step) -> Ticket {
    match step {
        Step::Ask(ticket, _) => ticket,
        other => panic!("no question: {other:?}"),
    }
}

/// How many of the steps ask and how many wait.
pub(crate) fn count(steps: &[Step]) -> (usize, usize) {
    let asks = steps.iter().filter(|step| matches!(step, Step::Ask(..))).count();
    let waits = steps.iter().filter(|step| matches!(step, Step::Wait { .. })).count();
    (asks, waits)
}

#[track_caller]
pub(crate) fn asked(steps: &[Step]) -> Ticket {
    ticket(steps.iter().find(|step| matches!(step, Step::Ask(..))).unwrap().clone())
}

pub(crate) const EPOCH: UnixTime = UnixTime::from_secs(1_700_000_000);
pub(crate) const YEAR: i64 = 365 * 86_400;
pub(crate) const UNAVAILABLE: CredentialError =
    CredentialError::Unavailable { source: SourceName::Custom(0) };
