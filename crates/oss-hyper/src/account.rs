//! What all calls of one identity share: credentials, the retry budget, the learned clock.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::fmt;
use core::pin::{Pin, pin};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use oss_credentials::{
    Answer, CredentialCache, CredentialError, Credentials, Lookup, Need, Secret, Source, SourceName, Step,
    Ticket,
};
use oss_proto::{Call, Event, Failure, FailureKind, Ledger, Now, Proposal, Sent, Shared};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{timeout, timeout_at};

use crate::BoxError;
use crate::clock::{Clock, seed};

/// What all calls of one identity share: credentials, the retry budget and what was learned about the clock.
///
/// A clone is the same account. Clients make one for themselves; it is public for drivers of one's own,
/// together with [`drive`](crate::drive).
///
/// A question to a credential source is answered in a task of its own, so a call that is dropped takes no
/// answer with it, and any number of calls wait for one answer.
#[derive(Clone)]
pub struct Account(Arc<Inner>);

struct Inner {
    /// Held for a few instructions at a time and never across an await.
    state: Mutex<State>,
    /// Rings after everything the credential cache was told.
    told: Notify,
    lookups: Vec<(u32, CustomLookup)>,
    clock: Clock,
}

struct State {
    shared: Shared,
    /// Whose answer is being waited for, for the error of those who waited too long.
    asked: SourceName,
}

/// Why a call goes without credentials.
pub(crate) enum NoCredentials {
    /// The source said so.
    Refused(CredentialError),
    /// The source said nothing for as long as the call could wait.
    Late(CredentialError),
}

pub(crate) type CustomLookup = Arc<
    dyn Fn() -> Pin<Box<dyn Future<Output = Result<Option<Credentials>, BoxError>> + Send>> + Send + Sync,
>;

impl Account {
    /// An account with credentials of this source; nothing is asked before the first call.
    pub fn new(source: impl Into<Source>) -> Self {
        Self::with_lookups(source.into(), Vec::new())
    }

    pub(crate) fn with_lookups(source: Source, lookups: Vec<(u32, CustomLookup)>) -> Self {
        let shared = Shared::new(CredentialCache::new(source, seed()));
        let state = Mutex::new(State { shared, asked: SourceName::Environment });
        Self(Arc::new(Inner { state, told: Notify::new(), lookups, clock: Clock::start() }))
    }

    /// Both clocks of the account's exchanges.
    pub fn now(&self) -> Now {
        self.0.clock.now()
    }

    /// The options of the next call, with what earlier calls learned.
    pub fn call(&self) -> Call {
        self.state().shared.call(seed())
    }

    /// Takes over what an exchange learned; [`drive`](crate::drive) does it for you.
    pub fn settle(&self, ledger: Ledger) {
        self.state().shared.settle(ledger);
    }

    /// Forgets the credentials, so that the next call asks for them anew.
    pub fn invalidate(&self) {
        self.state().shared.credentials.invalidate();
        self.0.told.notify_waiters();
    }

    /// Answers `Action::Authenticate`: credentials for this need, waited for until the deadline.
    pub async fn authenticate(&self, need: Need, deadline: Duration) -> Event {
        match self.credentials(need, deadline).await {
            Ok(credentials) => Event::Credentials(credentials),
            Err(NoCredentials::Refused(error)) => Event::NoCredentials(error),
            Err(NoCredentials::Late(error)) => {
                Event::Failed(Failure::new(FailureKind::Timeout, Sent::new()).because(error))
            }
        }
    }

    /// Answers `Action::Retry` from the budget that all calls share.
    pub fn retry(&self, proposal: &Proposal) -> Event {
        Event::Retry(self.state().shared.decide(proposal))
    }

    pub(crate) async fn credentials(
        &self,
        need: Need,
        deadline: Duration,
    ) -> Result<Credentials, NoCredentials> {
        loop {
            let mut told = pin!(self.0.told.notified());
            // Before the cache is asked, or an answer between the two would be missed.
            told.as_mut().enable();
            let until = match self.ask(need) {
                Step::Ready(credentials) => return Ok(credentials),
                Step::Failed(error) => return Err(NoCredentials::Refused(error)),
                Step::Ask(ticket, lookup) => {
                    self.look_up(ticket, lookup);
                    // A runtime that is shutting down drops what it is given: it must get to drop us too.
                    yield_now().await;
                    None
                }
                Step::Wait { until } => Some(until),
            };
            if let Some(until) = until {
                let _told_or_lost = timeout_at(self.0.clock.instant(until.min(deadline)), told).await;
            }
            if self.now().mono >= deadline {
                let source = self.state().asked;
                let reason = String::from("gave no answer in time");
                return Err(NoCredentials::Late(CredentialError::Failed { source, reason }));
            }
        }
    }

    /// The time as the service has it, as far as earlier calls learned it.
    pub(crate) fn corrected_now(&self) -> Now {
        let now = self.now();
        Now { wall: self.state().shared.corrected(now.wall), ..now }
    }

    pub(crate) fn clock(&self) -> Clock {
        self.0.clock
    }

    fn ask(&self, need: Need) -> Step {
        let now = self.now();
        let mut state = self.state();
        let wall = state.shared.corrected(now.wall);
        let step = state.shared.credentials.poll(need, now.mono, wall);
        if let Step::Ask(_, lookup) = &step {
            state.asked = name_of(lookup);
        }
        step
    }

    /// Answers at once where that needs no waiting, else in a task of its own.
    fn look_up(&self, ticket: Ticket, lookup: Lookup) {
        let number = match lookup {
            Lookup::Env(names) => {
                return self.answer(ticket, Answer::Env(names.into_iter().map(variable).collect()));
            }
            Lookup::Custom(number) => number,
            // A kind of question that a later version of the cache may ask.
            _ => return self.answer(ticket, Answer::Unavailable),
        };
        let Some((_, lookup)) = self.0.lookups.iter().find(|(n, _)| *n == number) else {
            let reason = "the client has no function of this number; give it one when you build it";
            return self.answer(ticket, Answer::Failed(String::from(reason)));
        };
        let lookup = Arc::clone(lookup);
        let mut asker = Asker { account: self.clone(), ticket: Some(ticket) };
        tokio::spawn(async move {
            let answer = match timeout(LOOKUP_MAX, lookup()).await {
                Ok(Ok(Some(credentials))) => Answer::Custom(credentials),
                Ok(Ok(None)) => Answer::Absent,
                Ok(Err(error)) => Answer::Failed(error.to_string()),
                Err(_elapsed) => Answer::Failed(format!("gave no answer within {} s", LOOKUP_MAX.as_secs())),
            };
            asker.answer(answer);
        });
    }

    fn answer(&self, ticket: Ticket, answer: Answer) {
        let now = self.now();
        let mut state = self.state();
        let wall = state.shared.corrected(now.wall);
        state.shared.credentials.answer(ticket, answer, now.mono, wall);
        drop(state);
        self.0.told.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in the machines panics; if it did, their data would still be sound enough to go on with.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Account").field(&self.state().shared).finish()
    }
}

/// A lookup in its task. A task that panics has answered too, or all would wait for it. One that ends with
/// its runtime says nothing about the source: whoever still waits asks again.
struct Asker {
    account: Account,
    ticket: Option<Ticket>,
}

impl Asker {
    fn answer(&mut self, answer: Answer) {
        if let Some(ticket) = self.ticket.take() {
            self.account.answer(ticket, answer);
        }
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return self.answer(Answer::Failed(String::from("ended without an answer")));
        }
        if let Some(ticket) = self.ticket.take() {
            self.account.state().shared.credentials.abandon(ticket);
            self.account.0.told.notify_waiters();
        }
    }
}

fn name_of(lookup: &Lookup) -> SourceName {
    match lookup {
        Lookup::Custom(number) => SourceName::Custom(*number),
        _ => SourceName::Environment,
    }
}

fn variable(name: &str) -> Option<Secret> {
    // Lossy text is refused by the cache with the variable's name.
    let value = std::env::var_os(name)?;
    Some(Secret::from(value.into_string().unwrap_or_else(|value| value.to_string_lossy().into_owned())))
}

/// How long a source of the program's own may take; the cache waits longer before it asks again.
const LOOKUP_MAX: Duration = Duration::from_secs(60);
