//! What all calls of one identity share: credentials, the retry budget, the learned clock.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::pin::pin;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use oss_credentials::{
    Answer, CredentialCache, CredentialError, Credentials, Lookup, Need, SourceName, Step, Ticket, Trail,
};
use oss_proto::{Call, Endpoint, Event, Failure, FailureKind, Ledger, Now, Proposal, Sent, Shared};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{timeout, timeout_at};

use crate::clock::{Clock, seed};
use crate::retryer::OwnRule;
use crate::{CredentialsProvider, Overrides, Retryer, Transport, lookup};

/// What all calls of one identity share: credentials, the retry budget and what was learned about the clock.
///
/// A clone is the same account. Clients make one for themselves; it is public for drivers of one's own,
/// together with [`drive`](crate::drive).
///
/// A question to a credential source is answered in a task of its own, so a call that is dropped takes no
/// answer with it, and any number of calls wait for one answer.
#[derive(Clone)]
pub struct Account {
    shared: Arc<Inner>,
    /// Whose credentials these are, when some calls are made as somebody else: with a clock of its own, since
    /// calls of several clients may be made as the same.
    identity: Arc<Inner>,
    rule: Option<OwnRule>,
    /// How servers are asked for credentials; one without settings when it is not said.
    transport: Option<Transport>,
}

struct Inner {
    /// Held for a few instructions at a time and never across an await.
    state: Mutex<State>,
    /// Rings after everything the credential cache was told.
    told: Notify,
    provider: CredentialsProvider,
    clock: Clock,
}

struct State {
    shared: Shared,
    /// Whose answer was waited for last, for the error of those who waited too long.
    asked: Option<SourceName>,
}

/// Why a call goes without credentials.
pub(crate) enum NoCredentials {
    /// The source said so.
    Refused(CredentialError),
    /// The source said nothing for as long as the call could wait.
    Late(CredentialError),
}

impl Account {
    /// An account with credentials of this provider; nothing is asked before the first call.
    pub fn new(provider: impl Into<CredentialsProvider>) -> Self {
        let shared = Inner::new(provider.into());
        Self { identity: Arc::clone(&shared), shared, rule: None, transport: None }
    }

    /// The same account, which asks for credentials over these connections: through their proxy, with their
    /// certificates. The machine's own metadata service is asked directly.
    #[must_use]
    pub fn over(self, transport: Transport) -> Self {
        Self { transport: Some(transport), ..self }
    }

    /// The same account for calls that somebody else makes, or that are repeated by another rule.
    pub(crate) fn with(&self, overrides: &Overrides) -> Self {
        let mut account = self.clone().with_retryer(overrides.retryer.as_ref());
        if let Some(other) = &overrides.identity {
            account.identity = Arc::clone(&other.identity);
        }
        account
    }

    pub(crate) fn with_retryer(mut self, retryer: Option<&Retryer>) -> Self {
        if let Some(retryer) = retryer {
            self.rule.clone_from(&retryer.own);
        }
        self
    }

    /// Both clocks of the account's exchanges.
    pub fn now(&self) -> Now {
        self.shared.clock.now()
    }

    /// The options of the next call, with what earlier calls learned.
    pub fn call(&self) -> Call {
        self.shared.state().shared.call(seed())
    }

    /// Takes over what an exchange learned; [`drive`](crate::drive) does it for you.
    pub fn settle(&self, mut ledger: Ledger) {
        // Credentials are refused where they came from.
        if let Some(refused) = ledger.refused.take() {
            self.identity.state().shared.credentials.refuse(refused);
        }
        self.shared.state().shared.settle(ledger);
    }

    /// Forgets the credentials, so that the next call asks for them anew.
    pub fn invalidate(&self) {
        self.identity.state().shared.credentials.invalidate();
        self.identity.told.notify_waiters();
    }

    /// Says what the latest lookup of credentials tried, in order, and why each source was passed over.
    ///
    /// It is a text for people, one line for each step, and shows no secret; `steps` gives the same to
    /// programs. While a lookup is under way, it says how far that has come.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), oss_hyper::Error> {
    /// use oss_hyper::{Client, Environment, ListBuckets, Source};
    ///
    /// let client = Client::connect("cn-hangzhou", Source::Chain(vec![Environment]))?;
    /// # if std::env::var_os("OSS_ACCESS_KEY_ID").is_none() {
    /// let error = client.send(ListBuckets::new()).await.unwrap_err(); // nothing in the environment
    /// let told = client.account().explain().to_string();
    /// assert!(told.ends_with("OSS_ACCESS_KEY_SECRET): passed over, none of its variables is set\n"));
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub fn explain(&self) -> Trail {
        self.identity.state().shared.credentials.explain().clone()
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

    /// Answers `Action::Retry`: by the program's own rule, else from the budget that all calls share.
    pub fn retry(&self, proposal: &Proposal) -> Event {
        Event::Retry(match &self.rule {
            Some(rule) => rule(proposal),
            None => self.shared.state().shared.decide(proposal),
        })
    }

    pub(crate) async fn credentials(
        &self,
        need: Need,
        deadline: Duration,
    ) -> Result<Credentials, NoCredentials> {
        loop {
            let mut told = pin!(self.identity.told.notified());
            // Before the cache is asked, or an answer between the two would be missed.
            told.as_mut().enable();
            let until = match self.ask(need) {
                Step::Ready(credentials) => return Ok(credentials),
                Step::Failed(error) => return Err(NoCredentials::Refused(error)),
                Step::Ask(ticket, lookup) => {
                    self.look_up(need, ticket, lookup);
                    // A runtime that is shutting down drops what it is given: it must get to drop us too.
                    yield_now().await;
                    None
                }
                Step::Wait { until } => Some(until),
            };
            if let Some(until) = until {
                let until = self.identity.clock.instant(until);
                let _told_or_lost = timeout_at(until.min(self.shared.clock.instant(deadline)), told).await;
            }
            if self.now().mono >= deadline {
                return Err(NoCredentials::Late(self.late()));
            }
        }
    }

    /// The time as this endpoint has it, as far as earlier calls learned it.
    pub(crate) fn now_at(&self, endpoint: &Endpoint) -> Now {
        let now = self.now();
        Now { wall: self.shared.state().shared.corrected_at(endpoint, now.wall), ..now }
    }

    pub(crate) fn clock(&self) -> Clock {
        self.shared.clock
    }

    /// The time as the cache of the identity has it.
    fn now_of_identity(&self) -> Now {
        let wall = self.shared.state().shared.corrected(self.now().wall);
        Now { mono: self.identity.clock.now().mono, wall }
    }

    fn ask(&self, need: Need) -> Step {
        let now = self.now_of_identity();
        let mut state = self.identity.state();
        let step = state.shared.credentials.poll(need, now.mono, now.wall);
        state.asked = state.shared.credentials.asking().or(state.asked);
        step
    }

    fn late(&self) -> CredentialError {
        let source = self.identity.state().asked;
        let reason = String::from("gave no answer in time");
        source.map_or(CredentialError::NotFound { tried: Vec::new() }, |source| CredentialError::Failed {
            source,
            reason,
        })
    }

    /// Answers at once where that needs no waiting, else in a task of its own.
    ///
    /// The task goes on with what is asked next, or a renewal of several questions would stand still until
    /// somebody calls: credentials that are still good keep nobody waiting.
    fn look_up(&self, need: Need, ticket: Ticket, lookup: Lookup) {
        if let Lookup::Env(names) = lookup {
            return self.answer(ticket, variables(names));
        }
        let mut asker = Asker { account: self.clone(), ticket: Some(ticket) };
        let mut lookup = lookup;
        tokio::spawn(async move {
            loop {
                let answer = asker.account.find(lookup).await;
                asker.answer(answer);
                let Step::Ask(ticket, next) = asker.account.ask(need) else { break };
                asker.ticket = Some(ticket);
                lookup = next;
            }
        });
    }

    async fn find(&self, lookup: Lookup) -> Answer {
        match lookup {
            Lookup::Env(names) => variables(names),
            Lookup::File(lookup) => lookup::file(lookup).await,
            Lookup::Command(lookup) => lookup::command(lookup).await,
            Lookup::Http(lookup) => {
                let plain;
                let transport = match &self.transport {
                    Some(transport) => transport,
                    None => {
                        plain = Transport::new();
                        &plain
                    }
                };
                lookup::http(lookup, transport).await
            }
            Lookup::Custom(number) => {
                let Some(lookup) = self.identity.provider.lookup(number) else {
                    let reason = "the provider has no function of this number; give it one by `with_lookup`";
                    return Answer::Failed(String::from(reason));
                };
                match timeout(LOOKUP_MAX, lookup()).await {
                    Ok(Ok(Some(credentials))) => Answer::Custom(credentials),
                    Ok(Ok(None)) => Answer::Absent,
                    Ok(Err(error)) => Answer::Failed(error.to_string()),
                    Err(_elapsed) => {
                        Answer::Failed(format!("gave no answer within {} s", LOOKUP_MAX.as_secs()))
                    }
                }
            }
            // A kind of question that a later version of the cache may ask.
            _ => Answer::Unavailable,
        }
    }

    fn answer(&self, ticket: Ticket, answer: Answer) {
        let now = self.now_of_identity();
        self.identity.state().shared.credentials.answer(ticket, answer, now.mono, now.wall);
        self.identity.told.notify_waiters();
    }
}

impl Inner {
    fn new(provider: CredentialsProvider) -> Arc<Self> {
        let shared = Shared::new(CredentialCache::new(provider.source.clone(), seed()));
        let state = Mutex::new(State { shared, asked: None });
        Arc::new(Self { state, told: Notify::new(), provider, clock: Clock::start() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in the machines panics; if it did, their data would still be sound enough to go on with.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Account").field(&self.shared.state().shared).finish()
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
            self.account.identity.state().shared.credentials.abandon(ticket);
            self.account.identity.told.notify_waiters();
        }
    }
}

fn variables(names: Vec<&'static str>) -> Answer {
    Answer::Env(names.into_iter().map(lookup::variable).collect())
}

/// How long a source of the program's own may take; the cache waits longer before it asks again.
const LOOKUP_MAX: Duration = Duration::from_secs(60);
