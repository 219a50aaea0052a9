//! The network of the world: connections, what leaves on them, and what comes back.

use alloc::collections::VecDeque;

use bytes::Bytes;
use http::Method;
use oss_proto::{Event, Failure, FailureKind, Head, Payload, Sent, Transmit, Wait};

use crate::peer::{Answer, Play, Reading};
use crate::sim::fault::{Fault, flipped};
use crate::sim::flow::Flow;
use crate::sim::rare::Place;
use crate::sim::schedule::{Kind, Source};
use crate::sim::server::{Body, Incoming};
use crate::sim::world::{Stage, World, host_of};

/// The connections of a client.
#[derive(Debug)]
pub(crate) struct Pool {
    /// How many there can be.
    max: usize,
    /// How many are in use.
    pub(crate) in_use: usize,
    /// Those that wait for a request; true when the peer has closed it.
    kept: Vec<bool>,
    /// The calls that wait for a connection, in their order.
    pub(crate) queue: VecDeque<usize>,
}

impl Pool {
    /// No connection yet.
    pub(crate) fn new(max: usize) -> Self {
        Self { max, in_use: 0, kept: Vec::new(), queue: VecDeque::new() }
    }

    fn take(&mut self) -> bool {
        let is_free = self.in_use < self.max;
        self.in_use += usize::from(is_free);
        is_free
    }

    /// A call does not wait any more.
    pub(crate) fn leave(&mut self, call: usize) {
        self.queue.retain(|other| *other != call);
    }

    /// The peer closes what is kept.
    pub(crate) fn close_kept(&mut self) {
        self.kept.fill(true);
    }
}

/// A request on its way to the peer.
pub(crate) struct Arrival {
    /// Whose it is.
    pub(crate) call: usize,
    transmit: Box<Transmit>,
    fault: Fault,
    /// On a connection that was kept, and whether the peer has closed that.
    kept: Option<bool>,
    sent: Sent,
    coming: Option<(Incoming, Reading)>,
    /// All of it, once it is there.
    body: Option<Body>,
}

impl World<'_> {
    /// Does `Action::Send`.
    pub(super) fn send(&mut self, at: usize, transmit: Transmit) {
        self.let_go(at, false);
        let patience = transmit.answer.max(transmit.idle);
        self.check_wait(at, self.now.saturating_add(u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX)));
        self.tally.requests += 1;
        self.check_send(at, &transmit);
        if let Some(watch) = &mut self.watch {
            watch.arrivals.push((self.now, self.lives[at].facts.sends > 1));
        }
        let transmit = Box::new(transmit);
        if self.pool.queue.is_empty() && self.pool.take() {
            return self.set_out(at, transmit);
        }
        self.pool.queue.push_back(at);
        let until = self.bounded(&transmit, self.now.saturating_add(CONNECT_NANOS));
        self.resume(at, until, Stage::Turn(transmit, until));
    }

    /// A connection may be free, or the wait for one over.
    pub(super) fn take_turn(&mut self, at: usize, transmit: Box<Transmit>, until: u64) {
        if self.pool.queue.front() == Some(&at) && self.pool.take() {
            self.pool.queue.pop_front();
            self.call_next();
            return self.set_out(at, transmit);
        }
        if self.now < until {
            return self.resume(at, until, Stage::Turn(transmit, until));
        }
        self.pool.leave(at);
        let is_late = self.is_late(&transmit);
        let kind = if is_late { FailureKind::Timeout } else { FailureKind::PoolExhausted };
        self.report_failure(at, Failure::new(kind, Sent::new()).waiting(Wait::Turn));
    }

    /// Whoever waits longest is asked again.
    fn call_next(&mut self) {
        if let Some(next) = self.pool.queue.front().copied() {
            self.wake(next, self.now);
        }
    }

    /// The call gives its connection back, if it has one.
    pub(super) fn let_go(&mut self, at: usize, is_clean: bool) {
        let live = &mut self.lives[at];
        let flow = live.flow.take();
        if !core::mem::take(&mut live.is_connected) {
            return;
        }
        if is_clean && flow.is_some_and(|flow| flow.may_be_kept()) {
            self.pool.kept.push(false);
        }
        self.pool.in_use -= 1;
        self.call_next();
    }

    fn set_out(&mut self, at: usize, transmit: Box<Transmit>) {
        self.lives[at].is_connected = true;
        let kept = if transmit.fresh_connection { None } else { self.pool.kept.pop() };
        let plan = &self.schedule.calls[at];
        let request = self.lives[at].facts.sends.saturating_sub(1) as usize;
        let fault = self.schedule.fault(plan, request, self.now, &mut self.throttle);
        let is_lost = fault == Fault::NoConnection && kept.is_none();
        let takes = if is_lost { CONNECT_NANOS } else { self.latency(at) };
        let time = self.bounded(&transmit, self.now.saturating_add(takes));
        let arrival =
            Arrival { call: at, sent: transmit.tally(), transmit, fault, kept, coming: None, body: None };
        self.resume(at, time, Stage::Connect(Box::new(arrival)));
    }

    /// The connection is there, or is not to be had.
    pub(super) fn connect(&mut self, at: usize, mut arrival: Box<Arrival>) {
        let failed = |kind| Failure::new(kind, Sent::new());
        if self.is_late(&arrival.transmit) {
            return self.report_failure(at, failed(FailureKind::Timeout).waiting(Wait::Connect));
        }
        let failure = match (arrival.kept, arrival.fault) {
            (Some(true), _) | (Some(false), Fault::Stale) => Some(failed(FailureKind::Reset).stale()),
            (Some(false), _) => None,
            (None, Fault::NoName) => Some(failed(FailureKind::Dns)),
            (None, Fault::Refused | Fault::NoConnection) => Some(failed(FailureKind::Connect)),
            (None, Fault::BadCertificate) => Some(failed(FailureKind::Tls)),
            (None, _) => self.is_down.then(|| failed(FailureKind::Connect)),
        };
        if let Some(failure) = failure {
            return self.report_failure(at, failure);
        }
        let moment = self.moment_of(&arrival.transmit);
        let is_used = arrival.kept.is_some();
        arrival.sent.start();
        self.lives[at].facts.reached += 1;
        match self.server.begin(&arrival.transmit, arrival.fault.deed(), is_used, moment) {
            Ok(coming) => arrival.coming = Some(coming),
            Err(_) => return self.report_failure(at, failed(FailureKind::Other)),
        }
        if arrival.transmit.body.is_empty() {
            return self.arrive(at, *arrival);
        }
        let time = self.now.saturating_add(self.latency(at));
        let time = self.bounded(&arrival.transmit, time);
        self.resume(at, time, Stage::Push(arrival));
    }

    /// The body leaves, and the peer does what it does.
    pub(super) fn arrive(&mut self, at: usize, mut arrival: Arrival) {
        if self.is_late(&arrival.transmit) {
            let sent = core::mem::take(&mut arrival.sent);
            self.break_off(at, arrival);
            return self.report_failure(at, Failure::new(FailureKind::Timeout, sent));
        }
        let Some((_, reading)) = &arrival.coming else { return };
        let (body, is_damaged) = self.take_body(at, &arrival.transmit, *reading);
        arrival.sent.add(&body.bytes);
        let facts = &mut self.lives[at].facts;
        facts.taken = facts.taken.max(body.bytes.len() as u64);
        if is_damaged {
            let sent = core::mem::take(&mut arrival.sent);
            self.break_off(at, arrival);
            return self.report_failure(at, Failure::new(FailureKind::BodySource, sent));
        }
        let is_whole = body.is_whole;
        arrival.body = Some(body);
        if let (Fault::Late(millis), true) = (arrival.fault, is_whole) {
            let sent = core::mem::take(&mut arrival.sent);
            let time = self.now.saturating_add(u64::from(millis) * 1_000_000);
            let limit = self.bounded(&arrival.transmit, u64::MAX);
            self.postpone(arrival, time);
            return self.fail_later(at, FailureKind::Reset, sent, limit);
        }
        let transmit_answer = arrival.transmit.answer;
        let patience =
            if arrival.fault == Fault::StopReading { arrival.transmit.idle } else { transmit_answer };
        let (play, did) = self.deliver(&mut arrival);
        let Arrival { transmit, fault, sent, .. } = arrival;
        let limit = self.now.saturating_add(u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX));
        let limit = self.bounded(&transmit, limit);
        self.trace.note(self.now, self.schedule.calls[at].id, "arrives", u64::from(did));
        self.trace.tell(|| format!("{fault:?}: {} {}", transmit.request.method(), transmit.request.uri()));
        match play {
            Play::Answer(answer) => {
                self.take_answer(at, (*answer, fault), (&transmit, sent), is_whole, limit)
            }
            Play::Close => self.fail_later(at, FailureKind::Reset, sent, limit),
            Play::Hang => {
                self.lives[at].facts.is_doubtful = true;
                let failure = Failure::new(FailureKind::Timeout, sent);
                self.resume(at, limit, Stage::Report(Event::Failed(failure)));
            }
        }
    }

    /// What of a body leaves, and whether its source failed.
    fn take_body(&self, at: usize, transmit: &Transmit, reading: Reading) -> (Body, bool) {
        let content = &self.lives[at].content;
        let (there, breaks) = match (&transmit.body, self.schedule.calls[at].body) {
            (Payload::Empty, _) => (Bytes::new(), false),
            (Payload::Bytes(bytes), _) => (bytes.clone(), false),
            (Payload::Stream { .. }, Source::Stream { fails_at: Some(fails), .. }) => {
                (content.slice(..content.len().min(usize::from(fails))), true)
            }
            (Payload::Stream { .. }, _) => (content.clone(), false),
        };
        let wanted = match reading {
            Reading::All => usize::MAX,
            Reading::Some(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
        };
        let said = transmit.body.len().map(|len| usize::try_from(len).unwrap_or(usize::MAX));
        let whole = |is_whole, bytes| Body { bytes, is_whole, is_intact: true };
        if wanted < there.len() {
            let is_whole = said == Some(wanted);
            return (whole(is_whole, there.slice(..wanted)), false);
        }
        let is_wrong = said.is_some_and(|said| said != there.len());
        if breaks || is_wrong {
            // The last byte that was said to come is held back, or the peer would take the request for whole.
            let most = said.map_or(usize::MAX, |said| said.saturating_sub(1));
            let len = there.len().min(most);
            return (whole(false, there.slice(..len)), true);
        }
        (whole(true, there), false)
    }

    /// The peer has the request.
    fn deliver(&mut self, arrival: &mut Arrival) -> (Play, bool) {
        let (Some((incoming, _)), Some(mut body)) = (arrival.coming.take(), arrival.body.take()) else {
            return (Play::Close, false);
        };
        if let (Fault::Garble(place), true) = (arrival.fault, body.is_whole && !body.bytes.is_empty()) {
            body.bytes = flipped(&body.bytes, place);
            body.is_intact = false;
        }
        let plan = &self.schedule.calls[arrival.call];
        let moment = self.moment_of(&arrival.transmit);
        let request = (plan, &arrival.transmit.request);
        let (play, did) = self.server.finish(incoming, request, &body, &mut self.history, moment);
        self.lives[arrival.call].facts.applied += u32::from(did);
        if did {
            self.check_agreement();
        }
        (play, did)
    }

    /// A request comes whose connection broke before.
    pub(super) fn arrive_late(&mut self, late: usize) {
        let Some(mut arrival) = self.late[late].take() else { return };
        let id = self.schedule.calls[arrival.call].id;
        let (_, did) = self.deliver(&mut arrival);
        self.trace.note(self.now, id, "arrives late", u64::from(did));
    }

    /// The rest of a request does not come.
    pub(super) fn break_off(&mut self, at: usize, mut arrival: Arrival) {
        let bytes = Bytes::new();
        arrival.body = Some(Body { bytes, is_whole: false, is_intact: true });
        self.trace.note(self.now, self.schedule.calls[at].id, "breaks off", 0);
        self.deliver(&mut arrival);
    }

    fn take_answer(
        &mut self,
        at: usize,
        (answer, fault): (Answer, Fault),
        (transmit, sent): (&Transmit, Sent),
        is_whole: bool,
        limit: u64,
    ) {
        let method = transmit.request.method();
        let plan = &self.schedule.calls[at];
        let facts = &mut self.lives[at].facts;
        let is_look = matches!(plan.kind, Kind::Link(_)) && method == Method::GET;
        facts.take_harms(fault, plan.kind, method == Method::HEAD || is_look);
        facts.is_told_failed |= answer.status == 203;
        let is_doubtful = match fault {
            Fault::Refuse(refusal) | Fault::Early(_, refusal) => refusal.is_doubtful(),
            _ => answer.status >= 500 || answer.status < 300,
        };
        facts.is_doubtful |= is_doubtful;
        let is_refused = matches!(answer.status, 401 | 403);
        facts.refused += u32::from(is_refused);
        if let Some(place) = Place::at(host_of(transmit)).filter(|_| is_refused) {
            facts.refusing[place] = true;
        }
        facts.is_poisoned = answer.status >= 500;
        let (head, mut flow) = Flow::open(answer, method);
        if !is_whole {
            flow.never_keep();
        }
        let time = self.now.saturating_add(self.latency(at));
        if time > limit {
            self.lives[at].facts.is_doubtful = true;
            let failure = Failure::new(FailureKind::Timeout, sent);
            return self.resume(at, limit, Stage::Report(Event::Failed(failure)));
        }
        self.lives[at].flow = Some(flow);
        self.resume(at, time, Stage::Report(Event::Head(Head::new(head, sent))));
    }

    /// The transport fails with this, a moment later; or the time is over by then.
    fn fail_later(&mut self, at: usize, kind: FailureKind, sent: Sent, limit: u64) {
        let facts = &mut self.lives[at].facts;
        facts.is_doubtful = true;
        facts.is_poisoned = true;
        let time = self.now.saturating_add(self.latency(at));
        let kind = if time > limit { FailureKind::Timeout } else { kind };
        self.resume(at, time.min(limit), Stage::Report(Event::Failed(Failure::new(kind, sent))));
    }

    fn report_failure(&mut self, at: usize, failure: Failure) {
        let is_source = failure.kind == FailureKind::BodySource;
        let facts = &mut self.lives[at].facts;
        facts.is_doubtful |= failure.sent.started() && !is_source;
        facts.is_stale |= failure.stale;
        self.report(at, Event::Failed(failure));
    }

    /// The time, or the end of the whole call if that comes first.
    fn bounded(&self, transmit: &Transmit, time: u64) -> u64 {
        transmit.deadline.map_or(time, |deadline| time.min(self.at(deadline)))
    }

    fn is_late(&self, transmit: &Transmit) -> bool {
        transmit.deadline.is_some_and(|deadline| self.now >= self.at(deadline))
    }
}

/// How long a connection may take, and how long one is waited for.
const CONNECT_NANOS: u64 = 10_000_000_000;
