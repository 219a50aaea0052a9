//! A driver on plain blocking sockets: the machines of `oss-proto` without an async runtime.
//!
//! [`Client::call_from`] is the whole loop, and contains no policy: it does what the exchange says and
//! reports what came of it. [`wire`] is the transport, HTTP/1.1 over TCP without TLS; [`lookup`] answers what
//! credential sources ask. Together they are an example to copy from, and one of the drivers that the
//! conformance suite runs on.

pub mod lookup;
pub mod wire;

use core::time::Duration;
use std::io::{self, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use oss_credentials::{Answer, CredentialCache, CredentialError, Credentials, Need, Source, Step, Trail};
use oss_proto::{
    Action, Call, Error, ErrorKind, Event, Exchange, Failure, FailureKind, Fetch, FetchAction, GetObject,
    Now, Operation, Outcome, Presigned, Reply, Sent, Service, Shared, UnixTime, Verified, presign,
};

use wire::Pool;

/// A client that blocks the thread that calls it; any number of threads may share one.
pub struct Client {
    service: Service,
    shared: Mutex<Shared>,
    pool: Pool,
    began: Instant,
    /// Answers `Lookup::Custom`.
    custom: Box<dyn Fn(u32) -> Answer + Send + Sync>,
}

/// Opens the body of an upload at its start; called once for each attempt.
pub type Open<'a> = &'a mut dyn FnMut() -> io::Result<Box<dyn Read>>;

impl Client {
    /// A client of this service with credentials from this source.
    pub fn new(service: Service, source: impl Into<Source>) -> Self {
        let seed = u64::from(std::process::id());
        Self {
            service,
            shared: Mutex::new(Shared::new(CredentialCache::new(source.into(), seed))),
            pool: Pool::default(),
            began: Instant::now(),
            custom: Box::new(|_| Answer::Unavailable),
        }
    }

    /// The same client with a credential source of one's own.
    #[must_use]
    pub fn with_custom(mut self, custom: impl Fn(u32) -> Answer + Send + Sync + 'static) -> Self {
        self.custom = Box::new(custom);
        self
    }

    /// Makes a call whose body, if it has one, is in memory.
    ///
    /// # Errors
    /// As the exchange says.
    pub fn call<O: Operation>(&self, operation: &O) -> Result<Reply<O::Output>, Error> {
        self.call_from(operation, &mut || Ok(Box::new(io::empty())))
    }

    /// Makes a call whose body is a stream: `Payload::Stream` in the operation, its bytes from `open`.
    ///
    /// # Errors
    /// As the exchange says.
    pub fn call_from<O: Operation>(&self, operation: &O, open: Open<'_>) -> Result<Reply<O::Output>, Error> {
        let mut exchange = Exchange::new(operation, &self.service, self.options());
        let mut wire = self.pool.wire(self.began);
        loop {
            let event = match exchange.poll(self.now()) {
                Action::Authenticate { need, deadline } => self.authenticate(need, deadline),
                Action::Retry(proposal) => Event::Retry(self.shared().decide(&proposal)),
                Action::Send(transmit) => wire.send(&transmit, open),
                Action::Read { deadline } => wire.read(deadline),
                Action::Wait { until } => {
                    std::thread::sleep(until.saturating_sub(self.now().mono));
                    continue;
                }
                Action::Done(result) => {
                    self.shared().settle(exchange.ledger());
                    return result;
                }
            };
            exchange.handle(event, self.now());
        }
    }

    /// Reads an object as a stream: its bytes go to `sink` as they come.
    ///
    /// They are the object only if this succeeds.
    ///
    /// # Errors
    /// As the fetch says, and what the sink says.
    pub fn fetch(
        &self,
        operation: &GetObject,
        sink: &mut dyn Write,
    ) -> io::Result<Result<Reply<Verified>, Error>> {
        let mut fetch = Fetch::new(operation, &self.service, self.options());
        let mut wire = self.pool.wire(self.began);
        loop {
            let event = match fetch.poll(self.now()) {
                FetchAction::Opened(_) => continue,
                FetchAction::Deliver(bytes) => {
                    sink.write_all(&bytes)?;
                    continue;
                }
                FetchAction::Call(Action::Authenticate { need, deadline }) => {
                    self.authenticate(need, deadline)
                }
                FetchAction::Call(Action::Retry(proposal)) => Event::Retry(self.shared().decide(&proposal)),
                FetchAction::Call(Action::Send(transmit)) => {
                    wire.send(&transmit, &mut || Ok(Box::new(io::empty())))
                }
                FetchAction::Call(Action::Read { deadline }) => wire.read(deadline),
                FetchAction::Call(Action::Wait { until }) => {
                    std::thread::sleep(until.saturating_sub(self.now().mono));
                    continue;
                }
                FetchAction::Call(Action::Done(result)) => {
                    self.shared().settle(fetch.ledger());
                    return Ok(result);
                }
            };
            fetch.handle(event, self.now());
        }
    }

    /// A URL with which its holder may make this request for so long. Nothing is sent.
    ///
    /// # Errors
    /// When there are no credentials, or the request cannot be expressed.
    pub fn presign<O: Operation>(&self, operation: &O, valid_for: Duration) -> Result<Presigned, Error> {
        let draft = operation.draft()?;
        let now = self.now();
        let wall = self.shared().corrected_at(&self.service.endpoint, now.wall);
        let seconds = i64::try_from(valid_for.as_secs()).unwrap_or(i64::MAX);
        let deadline = now.mono.saturating_add(self.service.timeouts.credentials);
        let found = self.look_up(Need::until(wall.saturating_add(seconds)), deadline);
        let credentials = found
            .unwrap_or(Err(CredentialError::NotFound { tried: Vec::new() }))
            .map_err(|error| Error::new(ErrorKind::Credentials(error), draft.operation, Outcome::NotSent))?;
        Ok(presign(&draft, &self.service, &credentials, wall, valid_for)?)
    }

    /// What the latest lookup of credentials tried, in order, and why each source was passed over.
    pub fn explain(&self) -> Trail {
        self.shared().credentials.explain().clone()
    }

    /// The service that it talks to.
    pub fn service(&self) -> &Service {
        &self.service
    }

    fn authenticate(&self, need: Need, deadline: Duration) -> Event {
        match self.look_up(need, deadline) {
            Some(Ok(credentials)) => Event::Credentials(credentials),
            Some(Err(error)) => Event::NoCredentials(error),
            None => Event::Failed(Failure::new(FailureKind::Timeout, Sent::new())),
        }
    }

    /// Answers the cache's questions until it has credentials; `None` at the deadline.
    fn look_up(&self, need: Need, deadline: Duration) -> Option<Result<Credentials, CredentialError>> {
        loop {
            let now = self.now();
            if now.mono >= deadline {
                return None;
            }
            let wall = self.shared().corrected(now.wall);
            let step = self.shared().credentials.poll(need, now.mono, wall);
            match step {
                Step::Ready(credentials) => return Some(Ok(credentials)),
                Step::Failed(error) => return Some(Err(error)),
                Step::Ask(ticket, question) => {
                    let answer = lookup::answer(question, &self.custom);
                    let (now, mut shared) = (self.now(), self.shared());
                    let wall = shared.corrected(now.wall);
                    shared.credentials.answer(ticket, answer, now.mono, wall);
                }
                // Another thread has the question in hand.
                Step::Wait { until } => {
                    let until = until.min(deadline).min(now.mono.saturating_add(POLL_EVERY));
                    std::thread::sleep(until.saturating_sub(now.mono));
                }
            }
        }
    }

    fn options(&self) -> Call {
        // The spread of delays: two calls that fail together should not come back together.
        let seed = self.began.elapsed().as_nanos() as u64 ^ u64::from(std::process::id()).rotate_left(32);
        self.shared().call(seed)
    }

    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let wall = UnixTime::from_secs(i64::try_from(wall.as_secs()).unwrap_or(i64::MAX));
        Now { mono: self.began.elapsed(), wall }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const POLL_EVERY: Duration = Duration::from_millis(10);
