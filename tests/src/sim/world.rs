//! The world: a virtual clock, an order of events, one pool of connections, one client's shared state, and
//! any number of calls. The driver is one `match`; whose event is next goes on.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;
use core::time::Duration;

use bytes::Bytes;
use oss_credentials::{Need, Ticket};
use oss_proto::{
    Action, Composer, CredentialCache, Endpoint, Error, Event, Failure, FailureKind, Ledger, Now, Quota,
    Region, Reply, Sent, Service, Shared, Source as KeySource, Transmit, UnixTime,
};

use crate::peer::REGION;
use crate::sim::chance::{bytes, mix};
use crate::sim::flow::{Flow, Step};
use crate::sim::history::{History, OTHERS, first};
use crate::sim::keys::Keys;
use crate::sim::machine::{Machine, Next, Yield, machine};
use crate::sim::oracle::{Facts, Violation};
use crate::sim::rare::Place;
use crate::sim::schedule::{Happening, KEYS, Plan, Schedule};
use crate::sim::server::{Base, Moment, Server, Which, key_id};
use crate::sim::storm::End;
use crate::sim::trace::{ENDINGS, Tally, Trace};
use crate::sim::wire::{Arrival, Pool};
use crate::world::EPOCH;

/// What schedules have in common, made once: a run of many keeps one for each thread.
pub struct Bench {
    base: Base,
    services: [Service; 2],
    firsts: Vec<Bytes>,
    /// A key that was derived once need not be again.
    composer: Option<Box<Composer>>,
}

impl Bench {
    /// For schedules against this peer.
    ///
    /// # Panics
    /// Never: what it parses are constants.
    pub fn new(which: Which) -> Self {
        let region = Region::parse(REGION).expect("the region is a constant");
        let endpoint = Endpoint::parse("http://127.0.0.1").expect("the endpoint is a constant");
        let service = Service::new(endpoint).with_region(region);
        let versioned = service.clone().with(|settings| settings.buckets_versioned = true);
        let firsts = KEYS.iter().enumerate().map(|(key, row)| first(key, row.len.unwrap_or(0)));
        let firsts = firsts.collect();
        Self { base: Base::new(which), services: [service, versioned], firsts, composer: None }
    }

    /// For schedules against the emulator, with all that an operation can need that is called by its name.
    pub fn furnished() -> Self {
        let bench = Self::new(Which::Emulated);
        Self { base: bench.base.furnished(), ..bench }
    }
}

/// The world of one schedule.
pub(crate) struct World<'a> {
    pub(super) schedule: &'a Schedule,
    bench: &'a mut Bench,
    /// In nanoseconds; what there was at first is older.
    pub(super) now: u64,
    events: BinaryHeap<Reverse<(u64, u64, Turn)>>,
    sequence: u64,
    pub(super) lives: Vec<Live>,
    pub(super) pool: Pool,
    pub(super) shared: Shared,
    pub(super) server: Server,
    pub(super) history: History,
    pub(super) trace: Trace,
    pub(super) tally: Tally,
    pub(super) violation: Option<Violation>,
    pub(super) is_down: bool,
    client_ahead_secs: i64,
    pub(super) peer_ahead_secs: i64,
    pub(super) rotations: u32,
    pub(super) keys: Keys,
    pub(super) late: Vec<Option<Arrival>>,
    /// The second that was counted last, and its requests.
    pub(super) throttle: (u64, u32),
    /// What somebody wants to know who looks on.
    pub(super) watch: Option<Watch>,
}

/// What is kept for whoever looks on: when requests left, whether they repeat others, and the ends of calls.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) arrivals: Vec<(u64, bool)>,
    pub(crate) ends: Vec<End>,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// The call of this index goes on, unless it went on since with another number.
    Call(usize, u32),
    /// What the schedule says at this place happens.
    Happen(usize),
    /// A request comes that was late.
    Late(usize),
    /// The source of credentials answers.
    Keys(Ticket),
}

/// A call in the world.
pub(crate) struct Live {
    pub(super) machine: Option<Box<dyn Machine>>,
    pub(super) stage: Stage,
    token: u32,
    /// How many steps of the network it has taken, for their latencies.
    steps: u64,
    pub(super) events: u32,
    pub(super) ticket: Option<Ticket>,
    /// It holds one of the connections.
    pub(super) is_connected: bool,
    pub(super) flow: Option<Flow>,
    pub(super) content: Bytes,
    pub(super) facts: Facts,
}

/// What a call waits for.
#[derive(Default)]
#[allow(clippy::large_enum_variant, reason = "how large an event is depends on the features")]
pub(crate) enum Stage {
    /// Its beginning.
    Start,
    /// To be polled.
    Poll,
    /// Credentials, until then.
    Keys(Need, Duration),
    /// A connection of the pool, until then.
    Turn(Box<Transmit>, u64),
    /// The connection, kept or new.
    Connect(Box<Arrival>),
    /// The peer takes the request.
    Push(Box<Arrival>),
    /// This is reported.
    Report(Event),
    /// Nothing.
    #[default]
    Over,
}

impl<'a> World<'a> {
    /// The world at its beginning.
    pub(crate) fn new(schedule: &'a Schedule, bench: &'a mut Bench, is_told: bool) -> Self {
        let (server, history) = bench.base.server();
        let mut shared = Shared::new(CredentialCache::new(KeySource::Custom(0), schedule.seed));
        shared.quota = Quota::with_capacity(schedule.quota);
        let mut ledger = Ledger::default();
        ledger.composer = bench.composer.take();
        shared.settle(ledger);
        let lives = schedule.calls.iter().map(|plan| Live::new(schedule, plan)).collect();
        let mut world = Self {
            schedule,
            bench,
            now: 1,
            events: BinaryHeap::new(),
            sequence: 0,
            lives,
            pool: Pool::new(usize::from(schedule.connections_max)),
            shared,
            server,
            history,
            trace: Trace::new(is_told),
            tally: Tally::default(),
            violation: None,
            is_down: false,
            client_ahead_secs: schedule.client_ahead_secs,
            peer_ahead_secs: schedule.peer_ahead_secs,
            rotations: 0,
            keys: Keys::Work,
            late: Vec::new(),
            throttle: (0, 0),
            watch: None,
        };
        for (at, plan) in schedule.calls.iter().enumerate() {
            world.push(u64::from(plan.start_ms) * NANOS_PER_MILLI, Turn::Call(at, 0));
        }
        for (at, (time, _)) in schedule.happenings.iter().enumerate() {
            world.push(u64::from(*time) * NANOS_PER_MILLI, Turn::Happen(at));
        }
        world
    }

    /// Lets everything happen.
    pub(crate) fn run(&mut self) {
        while let Some(Reverse((time, _, turn))) = self.events.pop() {
            self.now = self.now.max(time);
            match turn {
                Turn::Call(at, token) if self.lives[at].token == token => self.step(at),
                Turn::Call(..) => continue,
                Turn::Happen(at) => self.happen(self.schedule.happenings[at].1),
                Turn::Late(at) => self.arrive_late(at),
                Turn::Keys(ticket) => self.answer_keys(ticket),
            }
            self.tally.events += 1;
            if self.violation.is_some() {
                return;
            }
            if self.tally.events > EVENTS_PER_CALL_MAX * (1 + self.lives.len() as u64) {
                return self.violate("I2", None, "there is no end of events");
            }
        }
        self.check_end();
    }

    /// What came of it; what can be used again goes back.
    pub(crate) fn finish(mut self) -> (Tally, Trace, Option<Violation>) {
        self.bench.composer = self.shared.call(0).composer;
        self.tally.schedules = 1;
        self.tally.hash = mix(&[self.schedule.seed, self.trace.hash()]);
        (self.tally, self.trace, self.violation)
    }

    /// Both clocks of the client.
    pub(super) fn clocks(&self) -> Now {
        let secs = i64::try_from(self.now / NANOS_PER_SECOND).unwrap_or(i64::MAX);
        let wall = i64::try_from(EPOCH.as_secs()).unwrap_or(0).saturating_add(secs);
        let wall = UnixTime::from_secs(wall.saturating_add(self.client_ahead_secs));
        Now { mono: self.origin().saturating_add(Duration::from_nanos(self.now)), wall }
    }

    fn origin(&self) -> Duration {
        if self.schedule.is_end_of_time { Duration::MAX.saturating_sub(REST_OF_TIME) } else { Duration::ZERO }
    }

    /// A time of the client's clock as one of the world's.
    pub(super) fn at(&self, mono: Duration) -> u64 {
        u64::try_from(mono.saturating_sub(self.origin()).as_nanos()).unwrap_or(u64::MAX)
    }

    /// The peer's clock and key.
    pub(super) fn moment(&self) -> Moment<'static> {
        Moment { now: self.now, ahead_secs: self.peer_ahead_secs, key_id: key_id(self.rotations) }
    }

    /// The same for a request: the second endpoint has a clock of its own.
    pub(super) fn moment_of(&self, transmit: &Transmit) -> Moment<'static> {
        let is_other = host_of(transmit) == Place::Two.host();
        let ahead_secs = if is_other { self.schedule.other_ahead_secs } else { self.peer_ahead_secs };
        Moment { ahead_secs, ..self.moment() }
    }

    /// How long the next step of the network takes for a call.
    pub(super) fn latency(&mut self, at: usize) -> u64 {
        self.lives[at].steps += 1;
        self.schedule.latency_ns(self.schedule.calls[at].id, self.lives[at].steps)
    }

    /// This happens at this time and not before.
    pub(super) fn push(&mut self, time: u64, turn: Turn) {
        self.sequence += 1;
        self.events.push(Reverse((time.max(self.now), self.sequence, turn)));
    }

    /// The call goes on at this time and not before.
    pub(super) fn resume(&mut self, at: usize, time: u64, stage: Stage) {
        let live = &mut self.lives[at];
        live.token = live.token.wrapping_add(1);
        live.stage = stage;
        let turn = Turn::Call(at, live.token);
        self.push(time, turn);
    }

    /// The call may go on at this time as well.
    pub(super) fn wake(&mut self, at: usize, time: u64) {
        let turn = Turn::Call(at, self.lives[at].token);
        self.push(time, turn);
    }

    /// A request comes at this time, whatever became of its call.
    pub(super) fn postpone(&mut self, arrival: Arrival, time: u64) {
        self.late.push(Some(arrival));
        self.push(time, Turn::Late(self.late.len() - 1));
    }

    fn step(&mut self, at: usize) {
        let plan = &self.schedule.calls[at];
        self.lives[at].events += 1;
        if plan.cancel_at == Some(self.lives[at].events) {
            return self.cancel(at);
        }
        match core::mem::take(&mut self.lives[at].stage) {
            Stage::Start => self.begin(at),
            Stage::Poll => self.drive(at),
            Stage::Keys(need, deadline) => {
                if let Some(event) = self.authenticate(at, need, deadline) {
                    self.report(at, event);
                }
            }
            Stage::Turn(transmit, until) => self.take_turn(at, transmit, until),
            Stage::Connect(arrival) => self.connect(at, arrival),
            Stage::Push(arrival) => self.arrive(at, *arrival),
            Stage::Report(event) => self.report(at, event),
            Stage::Over => {}
        }
    }

    fn begin(&mut self, at: usize) {
        let plan = &self.schedule.calls[at];
        self.trace.note(self.now, plan.id, "begins", self.lives[at].content.len() as u64);
        self.trace.tell(|| format!("{plan:?}"));
        let mut call = self.shared.call(mix(&[self.schedule.seed, u64::from(plan.id), 3]));
        call.retry = Some(plan.policy());
        call.operation_timeout = plan.timeout_ms.map(|ms| Duration::from_millis(u64::from(ms)));
        let usual = &self.bench.services[usize::from(plan.is_versioned)];
        let unusual = plan.service(usual);
        let service = unusual.as_ref().unwrap_or(usual);
        let base = &self.bench.base;
        let held = (&base.uploads[..], &self.bench.firsts[plan.key], &base.site);
        let live = &mut self.lives[at];
        live.machine = Some(machine(plan, service, call, &live.content, held));
        live.facts.began = self.now;
        let is_unusual = plan.place != Place::Address;
        live.facts.skews =
            is_unusual.then(|| Place::ALL.map(|place| self.shared.skews.of(&place.endpoint())));
        self.tally.calls += 1;
        self.drive(at);
    }

    /// Tells the machine of a call what came of its last action.
    pub(super) fn report(&mut self, at: usize, event: Event) {
        let (what, detail) = match &event {
            Event::Credentials(_) => ("keys", 0),
            Event::NoCredentials(_) => ("no keys", 0),
            Event::Retry(_) => ("retry", 0),
            Event::Head(head) => ("head", u64::from(head.reply.status)),
            Event::Body(bytes) => ("body", bytes.len() as u64),
            Event::End => ("end", 0),
            Event::Failed(failure) => ("failed", number(failure.kind)),
        };
        self.trace.note(self.now, self.schedule.calls[at].id, what, detail);
        if let Event::Failed(failure) = &event {
            self.trace.tell(|| format!("{failure:?}"));
        }
        if matches!(event, Event::Head(_)) && self.lives[at].flow.as_ref().is_some_and(Flow::is_over) {
            self.let_go(at, true);
        }
        let now = self.clocks();
        if let Some(machine) = &mut self.lives[at].machine {
            machine.handle(event, now);
        }
        self.drive(at);
    }

    /// Does what the machine of a call says until something takes time.
    fn drive(&mut self, at: usize) {
        loop {
            let now = self.clocks();
            let Some(machine) = &mut self.lives[at].machine else { return };
            let event = match machine.poll(now) {
                Next::Opened => continue,
                Next::Deliver(bytes) => {
                    self.lives[at].facts.sink.extend_from_slice(&bytes);
                    match self.schedule.calls[at].slow_ms {
                        0 => continue,
                        slow => {
                            let time = self.now.saturating_add(u64::from(slow) * NANOS_PER_MILLI);
                            return self.resume(at, time, Stage::Poll);
                        }
                    }
                }
                Next::Act(Action::Authenticate { need, deadline }) => {
                    self.let_go(at, false);
                    self.check_wait(at, self.at(deadline));
                    match self.authenticate(at, need, deadline) {
                        Some(event) => event,
                        None => return,
                    }
                }
                Next::Act(Action::Retry(proposal)) => {
                    self.let_go(at, false);
                    Event::Retry(self.decide(at, &proposal))
                }
                Next::Act(Action::Send(transmit)) => return self.send(at, transmit),
                Next::Act(Action::Read { deadline }) => return self.read(at, deadline),
                Next::Act(Action::Wait { until }) => {
                    self.let_go(at, false);
                    self.check_wait(at, self.at(until));
                    return self.resume(at, self.at(until), Stage::Poll);
                }
                Next::Act(Action::Done(result)) => return self.end(at, result),
            };
            if let Some(machine) = &mut self.lives[at].machine {
                machine.handle(event, now);
            }
        }
    }

    fn read(&mut self, at: usize, deadline: Duration) {
        let deadline = self.at(deadline);
        self.check_wait(at, deadline);
        let time = self.now.saturating_add(self.latency(at));
        let step = self.lives[at].flow.as_mut().map_or(Step::End, Flow::step);
        let failed = |kind| Event::Failed(Failure::new(kind, Sent::new()));
        let (event, time) = match step {
            Step::Silence => (failed(FailureKind::Timeout), deadline),
            _ if time > deadline => (failed(FailureKind::Timeout), deadline),
            Step::Bytes(bytes) => (Event::Body(bytes), time),
            Step::End => (Event::End, time),
            Step::Break => (failed(FailureKind::Reset), time),
        };
        if matches!(event, Event::End) {
            self.let_go(at, true);
        }
        self.resume(at, time, Stage::Report(event));
    }

    /// The call is dropped: what it holds goes back.
    fn cancel(&mut self, at: usize) {
        let plan = &self.schedule.calls[at];
        self.trace.note(self.now, plan.id, "cancelled", u64::from(self.lives[at].events));
        let live = &mut self.lives[at];
        live.machine = None;
        live.facts.is_cancelled = true;
        let ticket = live.ticket.take();
        ticket.into_iter().for_each(|ticket| self.shared.credentials.abandon(ticket));
        if let Stage::Push(arrival) = core::mem::take(&mut self.lives[at].stage) {
            self.break_off(at, *arrival);
        }
        self.tally.endings[ENDINGS.len() - 1] += 1;
        self.pool.leave(at);
        self.let_go(at, false);
        self.rouse_keys();
    }

    fn end(&mut self, at: usize, result: Result<Reply<Yield>, Error>) {
        self.let_go(at, false);
        let plan = &self.schedule.calls[at];
        let ending = result.as_ref().map_or_else(crate::sim::trace::ending, |_| 0);
        self.trace.note(self.now, plan.id, "ends", ending as u64);
        match &result {
            Ok(reply) => self.trace.tell(|| format!("{:?}", reply.output)),
            Err(error) => self.trace.tell(|| format!("{error:?}")),
        }
        match &result {
            Ok(_) => self.tally.endings[0] += 1,
            Err(error) => self.tally.count(error),
        }
        let mut machine = self.lives[at].machine.take();
        if let Some(machine) = &mut machine {
            self.settle(at, machine.ledger());
            let (time, tokens) = (self.now, self.shared.quota.tokens());
            let end = End { time, is_ok: result.is_ok(), tokens };
            self.watch.iter_mut().for_each(|watch| watch.ends.push(end));
            self.check_done(at, &mut **machine, result);
        }
    }

    fn happen(&mut self, happening: Happening) {
        self.trace.note(self.now, OTHERS, "happens", 0);
        self.trace.tell(|| format!("{happening:?}"));
        match happening {
            Happening::Store(key, len) => {
                let bytes = bytes(mix(&[self.schedule.seed, u64::from(OTHERS), self.now]), usize::from(len));
                self.server.store(key, Some(&bytes), self.moment());
                self.history.put(key, bytes, OTHERS, self.now);
            }
            Happening::Extend(key, len) => {
                let bytes = bytes(mix(&[self.schedule.seed, u64::from(OTHERS), self.now]), usize::from(len));
                let current = self.history.current(key);
                if current.is_none_or(|version| version.is_appendable) {
                    let position = current.and_then(|version| version.bytes.as_ref()).map_or(0, Bytes::len);
                    self.server.extend(key, position as u64, &bytes, self.moment());
                    self.history.append(key, &bytes, OTHERS, self.now);
                }
            }
            Happening::Remove(key) => {
                self.server.store(key, None, self.moment());
                self.history.remove(key, OTHERS, self.now);
            }
            Happening::Down => self.is_down = true,
            Happening::Up => self.is_down = false,
            Happening::ClientClock(secs) => self.client_ahead_secs = secs,
            Happening::PeerClock(secs) => self.peer_ahead_secs = secs,
            Happening::Rotate => {
                let from = key_id(self.rotations);
                self.rotations += 1;
                self.server.rotate(from, key_id(self.rotations));
            }
            Happening::KeysFail => self.keys = Keys::Fail,
            Happening::KeysHang => self.keys = Keys::Hang,
            Happening::KeysWork => self.keys = Keys::Work,
            Happening::CloseKept => self.pool.close_kept(),
            Happening::Drop(id) => {
                let at = self.schedule.calls.iter().position(|plan| plan.id == id);
                let is_open = |at: &usize| !matches!(self.lives[*at].stage, Stage::Over);
                at.filter(is_open).into_iter().for_each(|at| self.cancel(at));
            }
        }
    }
}

impl Live {
    fn new(schedule: &Schedule, plan: &Plan) -> Self {
        let content = match plan.kind.has_content() {
            true => {
                let writer = if plan.is_twin { OTHERS - 1 } else { plan.id };
                bytes(mix(&[schedule.seed, u64::from(writer), 1]), usize::from(plan.len))
            }
            false => Bytes::new(),
        };
        Self {
            machine: None,
            stage: Stage::Start,
            token: 0,
            steps: 0,
            events: 0,
            ticket: None,
            is_connected: false,
            flow: None,
            content,
            facts: Facts::default(),
        }
    }
}

/// The host that a request goes to.
pub(super) fn host_of(transmit: &Transmit) -> &str {
    transmit.request.uri().host().unwrap_or_default()
}

fn number(kind: FailureKind) -> u64 {
    match kind {
        FailureKind::Dns => 1,
        FailureKind::Connect => 2,
        FailureKind::Tls => 3,
        FailureKind::PoolExhausted => 4,
        FailureKind::Reset => 5,
        FailureKind::Timeout => 6,
        FailureKind::BodySource => 7,
        _ => 8,
    }
}

const NANOS_PER_MILLI: u64 = 1_000_000;
const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// What is left of a clock that is about to end.
const REST_OF_TIME: Duration = Duration::from_secs(3);
const EVENTS_PER_CALL_MAX: u64 = 50_000;
