//! The stages of this crate: the simulated world, and blocking sockets.

use alloc::sync::Arc;
use core::fmt::Debug;
use core::time::Duration;
use std::io;
use std::sync::{Mutex, PoisonError};

use oss_credentials::{Answer, CredentialCache, CredentialError, Credentials, Lookup, Need, Source, Step};
use oss_proto::{
    Action, Error, Event, Exchange, Fetch, FetchAction, GetObject, Operation, Reply, Service, Shared,
    Transmit, Verified,
};

use super::{Content, Notes, Scenario, Stage, Transcript};
use crate::blocking::Client;
use crate::peer::Peer;
use crate::tcp::{TcpPeer, system_time};
use crate::world::{EPOCH, World};

/// Runs a scenario in the simulated world.
pub fn simulated(scenario: &Scenario) -> Transcript {
    scenario.play(&mut Simulated::new(scenario))
}

/// Runs a scenario over loopback TCP on the blocking driver.
///
/// # Panics
/// When no port can be opened.
pub fn blocking(scenario: &Scenario) -> Transcript {
    scenario.play(&mut Blocking::new(scenario))
}

/// The scenario's credentials in their order; a clone goes on where the original is.
#[derive(Clone, Debug)]
pub struct Rota(Arc<Mutex<Vec<Credentials>>>);

impl Rota {
    /// From the first one on.
    pub fn new(scenario: &Scenario) -> Self {
        Self(Arc::new(Mutex::new(scenario.credentials.iter().rev().cloned().collect())))
    }

    /// The next credentials; the last ones again and again.
    pub fn next(&self) -> Credentials {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = if left.len() > 1 { left.pop() } else { left.last().cloned() };
        next.unwrap_or_else(Credentials::anonymous)
    }
}

/// The blocking driver, and the peer behind a loopback port.
pub struct Blocking {
    client: Client,
    peer: TcpPeer,
}

impl Blocking {
    /// The stage at the start of a scenario.
    ///
    /// # Panics
    /// When no port can be opened.
    pub fn new(scenario: &Scenario) -> Self {
        let mut peer = TcpPeer::start(scenario.peer(system_time())).expect("a loopback port is free");
        let rota = Rota::new(scenario);
        let client = Client::new(scenario.service(&peer.endpoint()), Source::Custom(0))
            .with_custom(move |_| Answer::Custom(rota.next()));
        if scenario.is_down {
            peer.refuse();
        }
        Self { client, peer }
    }
}

impl Stage for Blocking {
    fn call<O>(&mut self, operation: &O, content: &Content) -> Result<Reply<O::Output>, Error>
    where
        O: Operation<Output: Debug + Send> + Clone + Debug + Send + Sync + 'static,
    {
        self.client.call_from(operation, &mut || content.open().map(|source| -> Box<dyn io::Read> { source }))
    }

    fn fetch(&mut self, operation: &GetObject, sink: &mut Vec<u8>) -> Result<Reply<Verified>, Error> {
        self.client.fetch(operation, sink).expect("a vector takes everything")
    }

    fn pause(&mut self, time: Duration) {
        std::thread::sleep(time);
    }

    fn peer<T>(&mut self, look: impl FnOnce(&mut Peer) -> T) -> T {
        look(&mut self.peer.peer())
    }
}

/// The driver without IO, and the world that it drives in.
pub struct Simulated {
    world: World,
    service: Service,
    shared: Shared,
    rota: Rota,
    seed: u64,
    calls: u64,
    waits: Vec<Duration>,
    notes: Option<Notes>,
}

impl Simulated {
    /// The stage at the start of a scenario.
    pub fn new(scenario: &Scenario) -> Self {
        Self::seeded(scenario, SEED)
    }

    /// The stage at the start of a scenario, with other chances.
    pub fn seeded(scenario: &Scenario, seed: u64) -> Self {
        let mut world = World::new(scenario.peer(EPOCH));
        world.is_down = scenario.is_down;
        let service = scenario.service("http://127.0.0.1");
        let shared = Shared::new(CredentialCache::new(Source::Custom(0), seed));
        let rota = Rota::new(scenario);
        Self { world, service, shared, rota, seed, calls: 0, waits: Vec::new(), notes: None }
    }

    /// With notes of each step.
    #[must_use]
    pub fn noting(mut self, notes: Notes) -> Self {
        self.notes = Some(notes);
        self
    }

    /// The world as it is now.
    pub fn world(&self) -> &World {
        &self.world
    }

    fn send(&mut self, transmit: &Transmit, content: &Content) -> Event {
        self.world.send(transmit, &mut || content.open().map(|source| -> Box<dyn io::Read> { source }))
    }

    fn authenticate(&mut self, need: Need) -> Event {
        self.look_up(need).map_or_else(Event::NoCredentials, Event::Credentials)
    }

    fn look_up(&mut self, need: Need) -> Result<Credentials, CredentialError> {
        loop {
            let now = self.world.now();
            let wall = self.shared.corrected(now.wall);
            match self.shared.credentials.poll(need, now.mono, wall) {
                Step::Ready(credentials) => return Ok(credentials),
                Step::Failed(error) => return Err(error),
                Step::Ask(ticket, question) => {
                    let answer = match question {
                        Lookup::Custom(_) => Answer::Custom(self.rota.next()),
                        _ => Answer::Unavailable,
                    };
                    self.shared.credentials.answer(ticket, answer, now.mono, wall);
                }
                Step::Wait { until } => self.world.wait_until(until),
            }
        }
    }

    fn note(&self, values: &[&dyn Debug]) {
        if let Some(notes) = &self.notes {
            values.iter().for_each(|value| notes.show(value));
        }
    }

    fn wait(&mut self, until: Duration) {
        self.waits.push(until.saturating_sub(self.world.now().mono));
        self.world.wait_until(until);
    }

    fn options(&mut self) -> oss_proto::Call {
        self.calls += 1;
        self.shared.call(self.seed ^ self.calls)
    }
}

impl Stage for Simulated {
    fn call<O>(&mut self, operation: &O, content: &Content) -> Result<Reply<O::Output>, Error>
    where
        O: Operation<Output: Debug + Send> + Clone + Debug + Send + Sync + 'static,
    {
        let options = self.options();
        let mut exchange = Exchange::new(operation, &self.service, options);
        loop {
            let action = exchange.poll(self.world.now());
            self.note(&[&action, &exchange]);
            let event = match action {
                Action::Authenticate { need, .. } => self.authenticate(need),
                Action::Retry(proposal) => Event::Retry(self.shared.decide(&proposal)),
                Action::Send(transmit) => self.send(&transmit, content),
                Action::Read { deadline } => self.world.read(deadline),
                Action::Wait { until } => {
                    self.wait(until);
                    continue;
                }
                Action::Done(result) => {
                    self.shared.settle(exchange.ledger());
                    self.note(&[&exchange, &self.shared]);
                    return result;
                }
            };
            self.note(&[&event]);
            exchange.handle(event, self.world.now());
        }
    }

    fn fetch(&mut self, operation: &GetObject, sink: &mut Vec<u8>) -> Result<Reply<Verified>, Error> {
        let options = self.options();
        let mut fetch = Fetch::new(operation, &self.service, options);
        loop {
            let action = fetch.poll(self.world.now());
            self.note(&[&action, &fetch]);
            let event = match action {
                FetchAction::Opened(_) => continue,
                FetchAction::Deliver(bytes) => {
                    sink.extend_from_slice(&bytes);
                    continue;
                }
                FetchAction::Call(Action::Authenticate { need, .. }) => self.authenticate(need),
                FetchAction::Call(Action::Retry(proposal)) => Event::Retry(self.shared.decide(&proposal)),
                FetchAction::Call(Action::Send(transmit)) => self.send(&transmit, &Content::default()),
                FetchAction::Call(Action::Read { deadline }) => self.world.read(deadline),
                FetchAction::Call(Action::Wait { until }) => {
                    self.wait(until);
                    continue;
                }
                FetchAction::Call(Action::Done(result)) => {
                    self.shared.settle(fetch.ledger());
                    self.note(&[&fetch, &self.shared]);
                    return result;
                }
            };
            self.note(&[&event]);
            fetch.handle(event, self.world.now());
        }
    }

    fn pause(&mut self, time: Duration) {
        let until = self.world.now().mono.saturating_add(time);
        self.world.wait_until(until);
    }

    fn waits(&mut self) -> Option<Vec<Duration>> {
        Some(core::mem::take(&mut self.waits))
    }

    fn peer<T>(&mut self, look: impl FnOnce(&mut Peer) -> T) -> T {
        look(&mut self.world.peer)
    }
}

const SEED: u64 = 7;
