//! The machine behind every call. All transitions are here, but for those of a look at what a write did
//! (`aside.rs`): `poll`, `handle` and what they call assign `self.state`.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::time::Duration;

use bytes::Bytes;
use http::uri::Authority;
use oss_credentials::{Credentials, Generation, Need};
use oss_retry::{Backoff, Effect, Outcome, Policy, Strategy, Verdict};
use oss_sign::UnixTime;

use super::action::{Action, Call, Event, Failure, Head, Ledger, Now, Proposal, Transmit};
use super::facts::{Collecting, Corrected};
use super::journal::Attempt;
use super::resolve::{Aside, mark};
use super::verdict::{
    Unsuccessful, effect_of, ends_at_head, has_callback, is_bodyless, is_success, is_timeout, judge_answer,
    pause, wants_crc64,
};
use crate::check::check;
use crate::{
    Composer, CorruptBody, Draft, Error, ErrorKind, InvalidRequest, Misuse, ReadError, Reply, ReplyHead,
    Service, Skews, Unrepeated, Wait,
};

pub(crate) struct Machine {
    pub(super) service: Service,
    pub(super) draft: Result<Draft, InvalidRequest>,
    pub(super) effect: Effect,
    pub(super) policy: Policy,
    pub(super) idle: Duration,
    pub(super) operation_timeout: Option<Duration>,
    /// Until the ledger has it.
    pub(super) composer: Option<Box<Composer>>,
    pub(super) backoff: Backoff,
    pub(super) state: State,
    /// An action was given out that takes an answer.
    pub(super) awaiting: bool,
    /// The first poll.
    pub(super) began: Option<Now>,
    /// The start of the attempt in progress, and when the head of its answer came.
    pub(super) attempt_began: Now,
    pub(super) head_at: Now,
    pub(super) attempts: Arc<[Attempt]>,
    pub(super) outcome: Outcome,
    /// Attempts that count against the policy; corrections do not.
    pub(super) tries: u32,
    pub(super) repeats_after_unknown: u32,
    /// The most that any attempt took of the body.
    pub(super) body_taken: u64,
    pub(super) generation: Option<Generation>,
    pub(super) refused: Option<Generation>,
    /// What is known of the clocks of services, and of this one's.
    pub(super) skews: Skews,
    pub(super) skew_secs: i64,
    pub(super) skew_learned: bool,
    pub(super) fresh_connection: bool,
    pub(super) corrected: Corrected,
    /// How the last attempt failed: what is reported if there is no further one after all.
    pub(super) held: Option<Box<Error>>,
    /// The host of the last request.
    pub(super) host: Option<Authority>,
    /// What the last request was signed with and when, to find out why OSS signs it in another way.
    pub(super) signed: Option<(Credentials, UnixTime)>,
    pub(super) ledger: Ledger,
    pub(super) last_cost: u32,
    /// How much of the body left last, with its CRC-64.
    pub(super) last_sent: (u64, Option<u64>),
    /// The write, while the draft is that of a look at what it did.
    pub(super) aside: Option<Box<Aside>>,
    pub(super) looks: u32,
    /// An attempt may have taken effect, and no look has shown that it did not.
    pub(super) is_in_doubt: bool,
    /// The metadata of the write has a nonce of this call.
    pub(super) is_marked: bool,
}

pub(super) enum State {
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
    /// Asks whether it may repeat.
    Asking(Proposal),
    /// Waits before it repeats.
    Backoff { until: Duration },
    /// Has said, or will say, how it ended.
    Finished(Option<Result<Reply<Bytes>, Error>>),
}

impl Machine {
    pub(crate) fn new(draft: Result<Draft, InvalidRequest>, service: &Service, call: Call) -> Self {
        let policy = call.retry.unwrap_or(service.retry);
        let never = Now { mono: Duration::ZERO, wall: UnixTime::from_secs(0) };
        // Whatever can be refused is refused before anything is asked of anyone.
        let mut draft = draft.and_then(|draft| check(&draft, service).map(drop).map(|()| draft));
        Self {
            is_marked: draft.as_mut().is_ok_and(|draft| mark(draft, service, call.seed)),
            effect: draft.as_ref().map_or(Effect::Once, |draft| effect_of(draft, service)),
            draft,
            policy,
            idle: call.idle_timeout.unwrap_or(service.timeouts.idle),
            operation_timeout: call.operation_timeout.or(service.timeouts.operation),
            composer: call.composer,
            backoff: Backoff::new(&policy, call.seed),
            service: service.clone(),
            state: State::Start,
            awaiting: false,
            began: None,
            attempt_began: never,
            head_at: never,
            attempts: Arc::default(),
            outcome: Outcome::NotSent,
            tries: 0,
            repeats_after_unknown: 0,
            body_taken: 0,
            generation: None,
            refused: None,
            skew_secs: call.skews.of(&service.endpoint),
            skews: call.skews,
            skew_learned: false,
            fresh_connection: false,
            corrected: Corrected::default(),
            held: None,
            host: None,
            signed: None,
            ledger: Ledger::default(),
            last_cost: 0,
            last_sent: (0, None),
            aside: None,
            looks: 0,
            is_in_doubt: false,
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
        match core::mem::replace(&mut self.state, State::Start) {
            // The two that await an answer were ended by `misuse`.
            State::Start | State::Authenticating | State::Sending => self.authenticate(now),
            State::Ready(credentials) => self.send(&credentials, now),
            State::Collecting(collecting) => self.read(collecting, now),
            State::Asking(proposal) => {
                self.state = State::Asking(proposal.clone());
                self.awaiting = true;
                Action::Retry(proposal)
            }
            State::Backoff { until } => {
                self.state = State::Backoff { until };
                Action::Wait { until: self.bounded(until) }
            }
            State::Finished(result) => {
                self.state = State::Finished(None);
                let again = Misuse { what: "polled again", state: "Finished" };
                Action::Done(match result {
                    Some(result) => result,
                    None => Err(self.error(ErrorKind::Misuse(again), self.told())),
                })
            }
        }
    }

    pub(crate) fn handle(&mut self, event: Event, now: Now) {
        if !self.awaiting {
            return self.misuse("reported an event that was not asked for");
        }
        self.awaiting = false;
        match (core::mem::replace(&mut self.state, State::Start), event) {
            (State::Authenticating, Event::Credentials(credentials)) => self.take_credentials(credentials),
            (State::Authenticating, Event::NoCredentials(error)) => {
                self.fail_authentication(ErrorKind::Credentials(error));
            }
            (State::Authenticating, Event::Failed(failure)) => {
                let failed = Unsuccessful::transport(failure);
                let late = is_timeout(&failed.kind);
                let kind = if late { self.deadline_passed(Wait::Credentials, now) } else { failed.kind };
                self.fail_authentication(kind);
            }
            (State::Sending, Event::Head(head)) => self.take_head(head, now),
            (State::Sending, Event::Failed(failure)) => self.take_failure(failure, None, Wait::Answer, now),
            (State::Collecting(collecting), Event::Body(bytes)) => self.take_body(collecting, &bytes, now),
            (State::Collecting(collecting), Event::End) => self.take_end(*collecting, now),
            (State::Collecting(collecting), Event::Failed(failure)) => {
                self.take_break(*collecting, failure, now);
            }
            (State::Asking(proposal), Event::Retry(Some(delay))) => self.take_pause(&proposal, delay, now),
            (State::Asking(_), Event::Retry(None)) => self.give_up(),
            (state, _) => {
                self.state = state;
                self.misuse("answered an action with the event of another");
            }
        }
    }

    /// Start → Authenticating.
    fn authenticate(&mut self, now: Now) -> Action<Bytes> {
        if let Err(error) = &self.draft {
            let kind = ErrorKind::Invalid(error.clone());
            self.fail(kind);
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

    /// Authenticating → Ready.
    fn take_credentials(&mut self, credentials: Credentials) {
        let generation = Some(credentials.generation());
        if self.refused.is_some() && self.refused == generation {
            // The source has no others: the service's own answer is the last word.
            return self.give_up();
        }
        self.generation = generation;
        self.state = State::Ready(credentials);
    }

    /// No credentials: after a refusal of the last ones the service's own answer says more.
    fn fail_authentication(&mut self, kind: ErrorKind) {
        if self.refused.is_some() && self.held.is_some() {
            return self.give_up();
        }
        self.fail(kind);
    }

    /// Ready → Sending. Each attempt is composed and signed anew.
    fn send(&mut self, credentials: &Credentials, now: Now) -> Action<Bytes> {
        let Ok(draft) = &self.draft else { return self.authenticate(now) };
        let wall = now.wall.saturating_add(self.skew_secs);
        let composer = self.composer.get_or_insert_default();
        let request = match composer.compose(draft, &self.service, credentials, wall) {
            Ok(request) => request,
            Err(error) => {
                self.cannot_send(error);
                return self.poll(now);
            }
        };
        self.host = request.uri().authority().cloned();
        let transmit = Transmit {
            request,
            body: draft.body.clone(),
            deadline: self.deadline(),
            idle: self.idle,
            answer: self.patience(draft),
            fresh_connection: core::mem::take(&mut self.fresh_connection),
            wants_crc64: wants_crc64(draft, &self.service),
        };
        self.signed = Some((credentials.clone(), wall));
        self.attempt_began = now;
        self.head_at = now;
        self.state = State::Sending;
        self.awaiting = true;
        Action::Send(transmit)
    }

    /// Ready → Finished. A look that cannot be asked for says nothing about the write.
    fn cannot_send(&mut self, error: InvalidRequest) {
        match self.aside {
            Some(_) => self.give_up(),
            None => self.fail(ErrorKind::Invalid(error)),
        }
    }

    /// Sending → Collecting, or Finished at the head.
    fn take_head(&mut self, head: Head, now: Now) {
        let Head { reply: mut head, mut sent } = head;
        let Ok(draft) = &self.draft else { return };
        sent.start();
        self.head_at = now;
        self.body_taken = self.body_taken.max(sent.bytes());
        self.last_sent = (sent.bytes(), sent.crc64());
        if ends_at_head(draft.reply, head.status) {
            return self.succeed(head, Bytes::new(), now);
        }
        if has_callback(draft) {
            head = head.with_callback_answer();
        }
        let is_success = is_success(head.status);
        let expected = match head.content_length() {
            _ if is_bodyless(&draft.method, head.status) => Some(0),
            Ok(expected) => expected,
            Err(error) if is_success => {
                return self.judge(Unsuccessful::answer(ErrorKind::Reply(error), &head), true, now);
            }
            // The status has said enough, whatever the framing.
            Err(_) => Some(0),
        };
        let limits = &self.service.limits;
        let bytes_max = if is_success { limits.collect_bytes_max } else { limits.error_bytes_max };
        let until = (!is_success).then(|| now.mono.saturating_add(self.service.timeouts.error_body));
        let collecting = Collecting { head, sent, body: alloc::vec::Vec::new(), expected, bytes_max, until };
        if expected == Some(0) {
            return self.take_end(collecting, now);
        }
        self.state = State::Collecting(Box::new(collecting));
    }

    /// Collecting: asks for more, unless the body of an error has had its time.
    fn read(&mut self, collecting: Box<Collecting>, now: Now) -> Action<Bytes> {
        if collecting.until.is_some_and(|until| now.mono >= until) {
            self.fresh_connection = true;
            self.take_end(*collecting, now);
            return self.poll(now);
        }
        let patience = self.draft.as_ref().map_or(self.idle, |draft| self.patience(draft));
        let deadline = now.mono.saturating_add(patience);
        let deadline = self.bounded(collecting.until.map_or(deadline, |until| deadline.min(until)));
        self.state = State::Collecting(collecting);
        self.awaiting = true;
        Action::Read { deadline }
    }

    fn take_body(&mut self, mut collecting: Box<Collecting>, bytes: &Bytes, now: Now) {
        let Collecting { head, body, expected, bytes_max, .. } = &*collecting;
        let total = (body.len() as u64).saturating_add(bytes.len() as u64);
        let limit = expected.unwrap_or(u64::MAX).min(*bytes_max);
        if total <= limit {
            collecting.extend(bytes);
            self.state = State::Collecting(collecting);
            return;
        }
        self.fresh_connection = true;
        if is_success(head.status) {
            let kind = match *expected {
                Some(expected) if total > expected => {
                    ErrorKind::Corrupt(CorruptBody::Length { expected, actual: total })
                }
                _ => ErrorKind::Reply(ReadError::too_long(*bytes_max)),
            };
            return self.judge(Unsuccessful::answer(kind, head), true, now);
        }
        // Of an error, the beginning is enough.
        let room = usize::try_from(limit.saturating_sub(body.len() as u64)).unwrap_or(usize::MAX);
        collecting.extend(bytes.get(..room).unwrap_or(bytes));
        self.take_end(*collecting, now);
    }

    /// The body of an answer broke. Of an error, what has come is judged; a success is not whole.
    fn take_break(&mut self, collecting: Collecting, mut failure: Failure, now: Now) {
        self.fresh_connection = true;
        if !is_success(collecting.head.status) {
            return self.take_end(collecting, now);
        }
        failure.sent = collecting.sent;
        failure.sent.start();
        self.take_failure(failure, Some(collecting.head), Wait::Body, now);
    }

    /// Collecting → judged.
    fn take_end(&mut self, collecting: Collecting, now: Now) {
        let Collecting { head, sent, body, expected, .. } = collecting;
        let Ok(draft) = &self.draft else { return };
        let actual = body.len() as u64;
        if let Some(expected) = expected.filter(|expected| actual < *expected && is_success(head.status)) {
            let kind = ErrorKind::Corrupt(CorruptBody::Length { expected, actual });
            return self.judge(Unsuccessful::answer(kind, &head), true, now);
        }
        let body = Bytes::from(body);
        match judge_answer(draft, &self.service, &head, &body, &sent) {
            Ok(()) if self.aside.is_some() => self.take_look(Some(head), now),
            Ok(()) => self.succeed(head, body, now),
            Err(failed) if self.finds_nothing(&failed) => self.take_look(None, now),
            Err(failed) if self.finds_another_kind(&failed) => self.take_look(Some(head), now),
            Err(failed) if self.is_already_done(&failed) => self.succeed(head, Bytes::new(), now),
            Err(failed) => self.judge(*failed, true, now),
        }
    }

    fn take_failure(&mut self, failure: Failure, head: Option<ReplyHead>, wait: Wait, now: Now) {
        let started = failure.sent.started();
        let wait = failure.waiting.unwrap_or(wait);
        self.body_taken = self.body_taken.max(failure.sent.bytes());
        self.last_sent = (failure.sent.bytes(), failure.sent.crc64());
        let mut failed = Unsuccessful::transport(failure);
        failed.head = head;
        if is_timeout(&failed.kind) && self.is_late(now) {
            self.note(&failed, started, now);
            let kind = self.deadline_passed(wait, now);
            return self.fail(kind);
        }
        self.judge(failed, started, now);
    }

    /// Finished → judged: the body of an answer that had ended at its head broke, and the edited draft asks
    /// for what is missing. A byte that came makes it a new start, as far as attempts are counted.
    pub(crate) fn resume(
        &mut self,
        kind: ErrorKind,
        head: &ReplyHead,
        has_progressed: bool,
        now: Now,
        edit: impl FnOnce(&mut Draft),
    ) {
        let Ok(draft) = &mut self.draft else { return };
        edit(draft);
        // The attempt did not succeed after all; it is noted again for what it was.
        self.unpush();
        if has_progressed {
            self.tries = 0;
            self.corrected = Corrected { redirect: self.corrected.redirect, ..Corrected::default() };
        }
        self.judge(Unsuccessful::answer(kind, head), true, now);
    }

    /// Where a failure goes: corrected, repeated, or final.
    fn judge(&mut self, mut failed: Unsuccessful, started: bool, now: Now) {
        let relocated = self.relocated(&mut failed);
        self.note(&failed, started, now);
        if let Some(service) = relocated {
            return self.relocate(service);
        }
        self.learn(&failed);
        self.fresh_connection |= failed.blames_connection();
        let error = self.error(failed.kind.clone(), self.told()).with_explanation(self.explain(&failed));
        // A look only reads. If it fails, what is held is the write's own failure.
        let is_look = self.aside.is_some();
        let may_repeat = self.may_repeat(&failed);
        let spent = may_repeat && failed.verdict().is_retryable() && !self.is_replayable();
        if !is_look {
            let why = if spent { Some(Unrepeated::BodySpent) } else { self.unrepeated(&failed) };
            self.held = Some(Box::new(error.with_unrepeated(why)));
            if self.look(&failed, now) {
                return;
            }
        }
        if !may_repeat || spent || !(self.correct(&failed, now) || self.propose(&failed, now)) {
            self.give_up();
        }
    }

    /// Judged → Start, at another host of the service. It is no attempt more, since nothing failed.
    fn relocate(&mut self, service: Service) {
        self.corrected.redirect = true;
        self.service = service;
        // Another host has a clock of its own, which is corrected once like that of the first.
        self.skew_secs = self.skews.of(&self.service.endpoint);
        self.corrected.clock = false;
        self.state = State::Start;
    }

    /// What is set right and repeated at once, each at most once in a call, and whatever the number of
    /// attempts.
    fn correct(&mut self, failed: &Unsuccessful, now: Now) -> bool {
        if matches!(self.policy.strategy, Strategy::None) || self.is_late(now) {
            return false;
        }
        let used = match failed.verdict() {
            _ if failed.stale => &mut self.corrected.connection,
            Verdict::Reauthenticate => &mut self.corrected.credentials,
            Verdict::FixClock if self.skew_learned => &mut self.corrected.clock,
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
    pub(super) fn propose(&mut self, failed: &Unsuccessful, now: Now) -> bool {
        self.tries = self.tries.saturating_add(1);
        if self.tries >= self.policy.attempts() {
            return false;
        }
        self.ask(failed, now)
    }

    /// Judged → Asking, when the time left allows one more request.
    pub(super) fn ask(&mut self, failed: &Unsuccessful, now: Now) -> bool {
        let (backoff, cost) = match failed.verdict() {
            Verdict::Retry { cost } => (self.backoff.next(self.tries), cost),
            Verdict::Throttle { cost } => (self.backoff.next_throttled(self.tries), cost),
            Verdict::Reauthenticate | Verdict::FixClock | Verdict::Relocate | Verdict::Fail => return false,
        };
        let delay = pause(backoff, failed.head.as_ref(), now.wall.saturating_add(self.skew_secs));
        if self.leaves_no_time(delay, now) {
            return false;
        }
        self.state = State::Asking(self.proposal(failed, delay, cost));
        true
    }

    /// Asking → Backoff.
    fn take_pause(&mut self, proposal: &Proposal, delay: Duration, now: Now) {
        if self.leaves_no_time(delay, now) {
            return self.give_up();
        }
        self.last_cost = proposal.cost;
        self.state = State::Backoff { until: now.mono.saturating_add(delay) };
    }

    fn succeed(&mut self, head: ReplyHead, body: Bytes, now: Now) {
        self.push(Some(&head), None, now);
        self.conclude(head, body);
    }

    /// The last attempt was the one that succeeded.
    pub(super) fn conclude(&mut self, head: ReplyHead, body: Bytes) {
        self.ledger.first_try = self.attempts.len() == 1;
        // A read that goes on again and again gets back each repeat that was worth its cost.
        self.ledger.refund = self.ledger.refund.saturating_add(core::mem::take(&mut self.last_cost));
        let reply = Reply::new(body, head, Arc::clone(&self.attempts));
        self.finish(Ok(Reply { may_have_orphan: self.may_have_orphan(self.told()), ..reply }));
    }

    /// Ends with the failure of the last attempt.
    pub(super) fn give_up(&mut self) {
        match self.held.take() {
            Some(error) => self.finish(Err(error.with_attempts(Arc::clone(&self.attempts)))),
            None => self.misuse("was refused a repetition of nothing"),
        }
    }

    fn fail(&mut self, kind: ErrorKind) {
        let error = self.error(kind, self.told());
        self.finish(Err(error));
    }

    fn finish(&mut self, result: Result<Reply<Bytes>, Error>) {
        self.awaiting = false;
        self.state = State::Finished(Some(result));
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

    /// Ends the call when its own time is over, with the status of an answer that is being read if it has
    /// one.
    fn end_if_late(&mut self, now: Now) {
        if !self.is_late(now) {
            return;
        }
        let wait = match core::mem::replace(&mut self.state, State::Start) {
            State::Finished(result) => {
                self.state = State::Finished(result);
                return;
            }
            State::Collecting(collecting) if !is_success(collecting.head.status) => {
                return self.take_end(*collecting, now);
            }
            State::Start | State::Authenticating | State::Ready(_) => Wait::Credentials,
            State::Asking(_) | State::Backoff { .. } => Wait::Backoff,
            State::Sending => Wait::Answer,
            State::Collecting(_) => {
                self.outcome = Outcome::Unknown;
                Wait::Body
            }
        };
        let kind = self.deadline_passed(wait, now);
        self.fail(kind);
    }
}

/// Credentials that end sooner are renewed before they are used: an attempt must be able to begin with them.
const CREDENTIALS_GOOD_FOR_SECS: i64 = 60;
