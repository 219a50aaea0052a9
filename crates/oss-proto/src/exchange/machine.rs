//! The machine behind every call. All transitions are here: `poll`, `handle` and what they call assign
//! `self.state`.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::{Bytes, BytesMut};
use oss_credentials::{Credentials, Generation, Need};
use oss_retry::{Backoff, Effect, Outcome, Policy, Strategy, Verdict, classify, outcome_of};

use super::action::{Action, Call, Event, Head, Ledger, Now, Proposal, Sent, Transmit};
use super::journal::Attempt;
use super::verdict::{
    Unsuccessful, ends_at_head, is_bodyless, is_success, is_timeout, judge_answer, measure_skew, pause,
};
use crate::wire::spec::Spec;
use crate::{
    Composer, CorruptBody, DeadlinePassed, Draft, Error, ErrorKind, InvalidRequest, Misuse, Payload,
    ReadError, Replay, Reply, ReplyHead, Service, Wait,
};

pub(crate) struct Machine {
    service: Service,
    spec: &'static Spec,
    effect: Effect,
    draft: Result<Draft, InvalidRequest>,
    policy: Policy,
    idle: Duration,
    operation_timeout: Option<Duration>,
    composer: Composer,
    backoff: Backoff,
    state: State,
    /// An action was given out that takes an answer.
    awaiting: bool,
    /// The first poll.
    began: Option<Now>,
    /// The start of the attempt in progress.
    attempt_began: Now,
    attempts: Vec<Attempt>,
    outcome: Outcome,
    /// Attempts that count against the policy; corrections do not.
    tries: u32,
    repeats_after_unknown: u32,
    /// The most that any attempt took of the body.
    body_taken: u64,
    generation: Option<Generation>,
    refused: Option<Generation>,
    skew_secs: i64,
    skew_learned: bool,
    fresh_connection: bool,
    corrected: Corrected,
    last_cost: u32,
    succeeded: bool,
}

/// What is done about a failure at most once in a call.
#[derive(Default)]
struct Corrected {
    credentials: bool,
    clock: bool,
    connection: bool,
}

enum State {
    /// Will ask for credentials.
    Start,
    /// Waits for them.
    Authenticating,
    /// Will compose and send.
    Ready(Credentials),
    /// Waits for the head of the answer.
    Sending,
    /// Reads the body of the answer.
    Collecting(Box<Collecting>),
    /// Asks whether it may repeat; what to report if not.
    Asking(Proposal, Box<Error>),
    /// Waits before it repeats.
    Backoff { until: Duration },
    /// Has said, or will say, how it ended.
    Finished(Option<Box<Result<Reply<Bytes>, Error>>>),
}

struct Collecting {
    head: ReplyHead,
    sent: Sent,
    body: BytesMut,
    /// What `content-length` promises.
    expected: Option<u64>,
    bytes_max: u64,
}

impl Machine {
    pub(crate) fn new(
        spec: &'static Spec,
        effect: Effect,
        draft: Result<Draft, InvalidRequest>,
        service: &Service,
        call: Call,
    ) -> Self {
        let policy = call.retry.unwrap_or(service.retry);
        Self {
            spec,
            effect,
            draft,
            policy,
            idle: call.idle_timeout.unwrap_or(service.timeouts.idle),
            operation_timeout: call.operation_timeout.or(service.timeouts.operation),
            composer: Composer::with_key(call.signing_key.map(|key| *key)),
            backoff: Backoff::new(&policy, call.seed),
            service: service.clone(),
            state: State::Start,
            awaiting: false,
            began: None,
            attempt_began: Now { mono: Duration::ZERO, wall: oss_sign::UnixTime::from_secs(0) },
            attempts: Vec::new(),
            outcome: Outcome::NotSent,
            tries: 0,
            repeats_after_unknown: 0,
            body_taken: 0,
            generation: None,
            refused: None,
            skew_secs: call.skew_secs,
            skew_learned: false,
            fresh_connection: false,
            corrected: Corrected::default(),
            last_cost: 0,
            succeeded: false,
        }
    }

    pub(crate) fn poll(&mut self, now: Now) -> Action<Bytes> {
        self.began.get_or_insert(now);
        if self.awaiting {
            self.misuse("polled before it answered the last action");
        }
        self.end_if_late(now);
        if matches!(&self.state, State::Backoff { until } if now.mono >= *until) {
            self.state = State::Start;
        }
        if matches!(self.state, State::Start) {
            return self.start(now);
        }
        match core::mem::replace(&mut self.state, State::Start) {
            State::Ready(credentials) => self.send(&credentials, now),
            State::Collecting(collecting) => {
                self.state = State::Collecting(collecting);
                self.awaiting = true;
                Action::Read { deadline: self.bounded(now.mono.saturating_add(self.idle)) }
            }
            State::Asking(proposal, error) => {
                self.state = State::Asking(proposal.clone(), error);
                self.awaiting = true;
                Action::Retry(proposal)
            }
            State::Backoff { until } => {
                self.state = State::Backoff { until };
                Action::Wait { until: self.bounded(until) }
            }
            State::Finished(result) => {
                self.state = State::Finished(None);
                match result {
                    Some(result) => Action::Done(*result),
                    None => {
                        let what = Misuse { what: "polled again", state: "finished" };
                        Action::Done(Err(self.error(ErrorKind::Misuse(what), self.outcome)))
                    }
                }
            }
            // Start was handled above; the other two await an answer, so `misuse` has ended them.
            State::Start | State::Authenticating | State::Sending => self.start(now),
        }
    }

    pub(crate) fn handle(&mut self, event: Event, now: Now) {
        if !self.awaiting {
            return self.misuse("reported an event that was not asked for");
        }
        self.awaiting = false;
        match (core::mem::replace(&mut self.state, State::Start), event) {
            (State::Authenticating, Event::Credentials(credentials)) => {
                self.generation = Some(credentials.generation());
                self.state = State::Ready(credentials);
            }
            (State::Authenticating, Event::NoCredentials(error)) => {
                if !self.end_if_late_in(Wait::Credentials, now) {
                    self.fail(ErrorKind::Credentials(error));
                }
            }
            (State::Sending, Event::Head(head)) => self.receive_head(head, now),
            (State::Sending, Event::Failed(failure)) => self.fail_transport(failure, Wait::Answer, now),
            (State::Collecting(collecting), Event::Body(bytes)) => self.receive_body(collecting, &bytes, now),
            (State::Collecting(collecting), Event::End) => self.receive_end(collecting, now),
            (State::Collecting(collecting), Event::Failed(mut failure)) => {
                failure.sent = collecting.sent;
                failure.sent.start();
                self.fail_transport(failure, Wait::Body, now);
            }
            (State::Asking(proposal, _), Event::Retry(Some(delay))) => {
                self.last_cost = proposal.cost;
                self.state = State::Backoff { until: now.mono.saturating_add(delay) };
            }
            (State::Asking(_, error), Event::Retry(None)) => self.finish(Err(*error)),
            (state, _) => {
                self.state = state;
                self.misuse("answered an action with the event of another");
            }
        }
    }

    pub(crate) fn ledger(&mut self) -> Ledger {
        Ledger {
            first_try: self.succeeded && self.attempts.len() == 1,
            refund: if self.succeeded { core::mem::take(&mut self.last_cost) } else { 0 },
            skew_secs: self.skew_learned.then_some(self.skew_secs),
            signing_key: self.composer.key().cloned().map(Box::new),
        }
    }

    /// Start → Authenticating.
    fn start(&mut self, now: Now) -> Action<Bytes> {
        if let Err(error) = &self.draft {
            let error = Error::from(error.clone());
            self.finish(Err(error));
            return self.poll(now);
        }
        self.state = State::Authenticating;
        self.awaiting = true;
        let wall = now.wall.saturating_add(self.skew_secs);
        let mut need = Need::until(wall.saturating_add(CREDENTIALS_GOOD_FOR_SECS));
        if let Some(refused) = self.refused {
            need = need.instead_of(refused);
        }
        let deadline = self.bounded(now.mono.saturating_add(self.service.timeouts.credentials));
        Action::Authenticate { need, deadline }
    }

    /// Ready → Sending. Each attempt is composed and signed anew.
    fn send(&mut self, credentials: &Credentials, now: Now) -> Action<Bytes> {
        let Ok(draft) = &self.draft else { return self.start(now) };
        let wall = now.wall.saturating_add(self.skew_secs);
        let request = match self.composer.compose(draft, &self.service, credentials, wall) {
            Ok(request) => request,
            Err(error) => {
                self.finish(Err(Error::from(error)));
                return self.poll(now);
            }
        };
        let transmit = Transmit {
            request,
            body: draft.body.clone(),
            deadline: self.deadline(),
            idle: self.idle,
            answer: if self.spec.slow { self.idle.max(self.service.timeouts.slow_answer) } else { self.idle },
            fresh_connection: core::mem::take(&mut self.fresh_connection),
        };
        self.attempt_began = now;
        self.state = State::Sending;
        self.awaiting = true;
        Action::Send(transmit)
    }

    /// Sending → Collecting, or Finished at the head.
    fn receive_head(&mut self, head: Head, now: Now) {
        let Head { reply: head, mut sent } = head;
        sent.start();
        self.body_taken = self.body_taken.max(sent.bytes());
        let Ok(draft) = &self.draft else { return };
        if ends_at_head(self.spec.reply, head.status) {
            return self.succeed(head, Bytes::new(), now);
        }
        let expected = match head.content_length() {
            _ if is_bodyless(&draft.method, head.status) => Some(0),
            Ok(expected) => expected,
            Err(error) => return self.fail_answer(ErrorKind::Reply(error), head, &sent, now),
        };
        let limits = &self.service.limits;
        let bytes_max =
            if is_success(head.status) { limits.collect_bytes_max } else { limits.error_bytes_max };
        let collecting = Box::new(Collecting { head, sent, body: BytesMut::new(), expected, bytes_max });
        if expected == Some(0) {
            return self.receive_end(collecting, now);
        }
        self.state = State::Collecting(collecting);
    }

    fn receive_body(&mut self, mut collecting: Box<Collecting>, bytes: &Bytes, now: Now) {
        let Collecting { head, sent, body, expected, bytes_max } = &mut *collecting;
        let total = (body.len() as u64).saturating_add(bytes.len() as u64);
        if let Some(expected) = expected.filter(|expected| total > *expected) {
            let damage = CorruptBody::Length { expected, actual: total };
            let (head, sent) = (core::mem::take(head), sent.clone());
            return self.fail_answer(ErrorKind::Corrupt(damage), head, &sent, now);
        }
        let room = usize::try_from(bytes_max.saturating_sub(body.len() as u64)).unwrap_or(usize::MAX);
        if let Some(fitting) = bytes.get(..room).filter(|_| total > *bytes_max) {
            if is_success(head.status) {
                let too_long = ErrorKind::Reply(ReadError::too_long(*bytes_max));
                let (head, sent) = (core::mem::take(head), sent.clone());
                return self.fail_answer(too_long, head, &sent, now);
            }
            // Of an error, the beginning is enough.
            body.extend_from_slice(fitting);
            *expected = None;
            self.fresh_connection = true;
            return self.receive_end(collecting, now);
        }
        body.extend_from_slice(bytes);
        self.state = State::Collecting(collecting);
    }

    /// Collecting → judged.
    fn receive_end(&mut self, collecting: Box<Collecting>, now: Now) {
        let Collecting { head, sent, body, expected, .. } = *collecting;
        let actual = body.len() as u64;
        if let Some(expected) = expected.filter(|expected| actual < *expected && is_success(head.status)) {
            let damage = CorruptBody::Length { expected, actual };
            return self.fail_answer(ErrorKind::Corrupt(damage), head, &sent, now);
        }
        let body = body.freeze();
        let Ok(draft) = &self.draft else { return };
        match judge_answer(draft, &self.service, self.spec.reply, &head, &body, &sent) {
            Ok(()) => self.succeed(head, body, now),
            Err(failed) => self.judge(*failed, sent.started(), now),
        }
    }

    fn fail_answer(&mut self, kind: ErrorKind, head: ReplyHead, sent: &Sent, now: Now) {
        self.judge(Unsuccessful { kind, head: Some(head), stale: false }, sent.started(), now);
    }

    fn fail_transport(&mut self, failure: super::action::Failure, wait: Wait, now: Now) {
        let started = failure.sent.started();
        self.body_taken = self.body_taken.max(failure.sent.bytes());
        let failed = Unsuccessful::transport(failure);
        if is_timeout(&failed.kind) && self.is_late(now) {
            self.outcome = self.outcome.merge(outcome_of(failed.judged(), started));
            self.note(&failed, now);
            self.end_if_late_in(wait, now);
            return;
        }
        self.judge(failed, started, now);
    }

    /// Where a failure goes: corrected, repeated, or final.
    fn judge(&mut self, failed: Unsuccessful, started: bool, now: Now) {
        self.outcome = self.outcome.merge(outcome_of(failed.judged(), started));
        self.note(&failed, now);
        self.fresh_connection |= failed.blames_connection();
        if self.may_repeat() && (self.correct(&failed, now) || self.propose(&failed, now)) {
            return;
        }
        let spent = self.outcome != Outcome::NotSent && !self.is_replayable();
        let error = self.error(failed.kind, self.outcome);
        self.finish(Err(if spent { error.with_spent_body() } else { error }));
    }

    /// What is set right and repeated at once, each at most once in a call, and whatever the number of
    /// attempts.
    fn correct(&mut self, failed: &Unsuccessful, now: Now) -> bool {
        if matches!(self.policy.strategy, Strategy::None) {
            return false;
        }
        let used = match classify(failed.judged()) {
            _ if failed.stale => &mut self.corrected.connection,
            Verdict::Reauthenticate if self.generation.is_some() => {
                self.refused = self.generation;
                &mut self.corrected.credentials
            }
            Verdict::FixClock => match measure_skew(failed, self.attempt_began, now) {
                Some(skew) => {
                    if !self.corrected.clock {
                        self.skew_secs = skew;
                        self.skew_learned = true;
                    }
                    &mut self.corrected.clock
                }
                None => return false,
            },
            _ => return false,
        };
        if core::mem::replace(used, true) {
            return false;
        }
        self.fresh_connection |= failed.stale;
        self.state = State::Start;
        true
    }

    /// Judged → Asking, when the policy and the time left allow one more attempt.
    fn propose(&mut self, failed: &Unsuccessful, now: Now) -> bool {
        self.tries = self.tries.saturating_add(1);
        if self.tries >= self.policy.attempts() {
            return false;
        }
        let (backoff, cost) = match classify(failed.judged()) {
            Verdict::Retry { cost } => (self.backoff.next(self.tries), cost),
            Verdict::Throttle { cost } => (self.backoff.next_throttled(self.tries), cost),
            Verdict::Reauthenticate | Verdict::FixClock | Verdict::Relocate | Verdict::Fail => return false,
        };
        let delay = pause(backoff, failed.head.as_ref(), now.wall.saturating_add(self.skew_secs));
        // Fail now rather than after a sleep that leaves no time.
        if self.deadline().is_some_and(|deadline| now.mono.saturating_add(delay) >= deadline) {
            return false;
        }
        if self.outcome == Outcome::Unknown {
            self.repeats_after_unknown = self.repeats_after_unknown.saturating_add(1);
        }
        let service = match &failed.kind {
            ErrorKind::Service(error) => Some(error),
            _ => None,
        };
        let proposal = Proposal {
            attempt: self.tries,
            delay,
            cost,
            status: failed.head.as_ref().map(|head| head.status),
            code: service.map(|error| error.code.clone()),
        };
        let error = self.error(failed.kind.clone(), self.outcome);
        self.state = State::Asking(proposal, Box::new(error));
        true
    }

    /// Whether a second arrival does no harm and the body is still there.
    fn may_repeat(&self) -> bool {
        self.effect.may_repeat(self.outcome, self.repeats_after_unknown) && self.is_replayable()
    }

    fn is_replayable(&self) -> bool {
        match &self.draft {
            Ok(Draft { body: Payload::Stream { replay: Replay::Once, .. }, .. }) => self.body_taken == 0,
            _ => true,
        }
    }

    fn succeed(&mut self, head: ReplyHead, body: Bytes, now: Now) {
        self.attempts.push(Attempt {
            status: Some(head.status),
            request_id: head.request_id().map(String::from),
            failure: None,
            elapsed: now.mono.saturating_sub(self.attempt_began.mono),
        });
        self.succeeded = true;
        let attempts = self.attempts.clone();
        self.finish(Ok(Reply::new(body, head, attempts)));
    }

    fn note(&mut self, failed: &Unsuccessful, now: Now) {
        let head = failed.head.as_ref();
        self.attempts.push(Attempt {
            status: head.map(|head| head.status),
            request_id: head.and_then(ReplyHead::request_id).map(String::from),
            failure: Some(failed.word()),
            elapsed: now.mono.saturating_sub(self.attempt_began.mono),
        });
    }

    fn fail(&mut self, kind: ErrorKind) {
        let error = self.error(kind, self.outcome);
        self.finish(Err(error));
    }

    fn finish(&mut self, result: Result<Reply<Bytes>, Error>) {
        self.awaiting = false;
        self.state = State::Finished(Some(Box::new(result)));
    }

    fn misuse(&mut self, what: &'static str) {
        let state = self.state_name();
        // A request that may have left keeps its unknown outcome.
        if matches!(self.state, State::Sending | State::Collecting(_)) {
            self.outcome = Outcome::Unknown;
        }
        if !matches!(self.state, State::Finished(_)) {
            self.fail(ErrorKind::Misuse(Misuse { what, state }));
        }
    }

    fn end_if_late(&mut self, now: Now) {
        let wait = match &self.state {
            State::Finished(_) => return,
            State::Start | State::Authenticating | State::Ready(_) => Wait::Credentials,
            State::Asking(..) | State::Backoff { .. } => Wait::Backoff,
            State::Sending => Wait::Answer,
            State::Collecting(_) => {
                if self.is_late(now) {
                    self.outcome = Outcome::Unknown;
                }
                Wait::Body
            }
        };
        self.end_if_late_in(wait, now);
    }

    fn end_if_late_in(&mut self, wait: Wait, now: Now) -> bool {
        if !self.is_late(now) {
            return false;
        }
        let began = self.began.map_or(now.mono, |began| began.mono);
        let after = now.mono.saturating_sub(began);
        self.fail(ErrorKind::Deadline(DeadlinePassed { wait, after }));
        true
    }

    fn is_late(&self, now: Now) -> bool {
        self.deadline().is_some_and(|deadline| now.mono >= deadline)
    }

    /// The end of the whole call.
    fn deadline(&self) -> Option<Duration> {
        Some(self.began?.mono.saturating_add(self.operation_timeout?))
    }

    fn bounded(&self, until: Duration) -> Duration {
        self.deadline().map_or(until, |deadline| until.min(deadline))
    }

    pub(crate) fn error(&self, kind: ErrorKind, outcome: Outcome) -> Error {
        let mut host = self.service.endpoint.host().to_string();
        if let Ok(draft) = &self.draft {
            let bucket = draft.bucket.as_ref().or(self.service.bucket.as_ref());
            host = self.service.endpoint.address(bucket, None).authority;
        }
        Error::new(kind, self.spec.name, outcome).with_host(host).with_attempts(self.attempts.clone())
    }

    pub(crate) fn state_name(&self) -> &'static str {
        match &self.state {
            State::Start => "Start",
            State::Authenticating => "Authenticating",
            State::Ready(_) => "Ready",
            State::Sending => "Sending",
            State::Collecting(_) => "Collecting",
            State::Asking(..) => "Asking",
            State::Backoff { .. } => "Backoff",
            State::Finished(_) => "Finished",
        }
    }
}

/// Credentials that end sooner are renewed before they are used: an attempt must be able to begin with them.
const CREDENTIALS_GOOD_FOR_SECS: i64 = 60;
