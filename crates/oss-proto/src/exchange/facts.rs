//! What the machine knows and computes; nothing here assigns its state.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use http::uri::Authority;
use oss_retry::{Effect, Outcome, Verdict};

use super::action::{Ledger, Now, Proposal, Sent};
use super::journal::Attempt;
use super::machine::{Machine, State};
use super::redirect::Unfollowed;
use super::resolve::{Known, LOOKS_MAX, Trace, is_completion, refusal_of};
use super::verdict::{Unsuccessful, has_callback, measure_skew};
use crate::signing::{explain_clock, explain_region};
use crate::{
    DeadlinePassed, Draft, Error, ErrorKind, Payload, Replay, ReplyHead, Service, Skew, Unrepeated, Wait,
};

/// What is done about a failure at most once in a call.
#[derive(Default)]
pub(super) struct Corrected {
    pub(super) credentials: bool,
    pub(super) clock: bool,
    pub(super) connection: bool,
    pub(super) redirect: bool,
}

/// The body of an answer as it comes.
pub(super) struct Collecting {
    pub(super) head: ReplyHead,
    pub(super) sent: Sent,
    pub(super) body: Vec<u8>,
    /// What `content-length` promises.
    pub(super) expected: Option<u64>,
    pub(super) bytes_max: u64,
    /// The body of an error is judged by what has come until then.
    pub(super) until: Option<Duration>,
}

impl Collecting {
    /// Takes the next bytes. Room grows by half, not to the double, so that a hostile answer takes no more
    /// than half its length again.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        if self.body.capacity() - self.body.len() < bytes.len() {
            self.body.reserve_exact(bytes.len().max(self.body.len() / 2));
        }
        self.body.extend_from_slice(bytes);
    }
}

impl Machine {
    /// What was learned; given once.
    pub(crate) fn ledger(&mut self) -> Ledger {
        // After a redirect its key is that of another region, of no use to the next call.
        self.ledger.composer = self.composer.take().filter(|_| !self.corrected.redirect);
        core::mem::take(&mut self.ledger)
    }

    /// What a failure teaches, whether or not this call can make use of it.
    pub(super) fn learn(&mut self, failed: &Unsuccessful) {
        match failed.verdict() {
            Verdict::Reauthenticate => {
                self.refused = self.generation;
                self.ledger.refused = self.generation;
            }
            Verdict::FixClock if !self.corrected.clock => {
                let skew = measure_skew(failed, self.attempt_began, self.head_at);
                self.skew_learned = skew.is_some();
                if let Some(skew) = skew {
                    self.skew_secs = skew;
                    self.ledger.skews.push(Skew::of(&self.service.endpoint, skew));
                }
            }
            _ => {}
        }
    }

    /// The service at the place that the answer names, if we go there; else the failure says why not.
    pub(super) fn relocated(&self, failed: &mut Unsuccessful) -> Option<Service> {
        let (Some(place), Ok(draft)) = (&failed.place, &self.draft) else { return None };
        let followed = match self.corrected.redirect {
            true => Err(Unfollowed::Again),
            false => place.follow(draft, self.effect, &self.service),
        };
        if let (ErrorKind::Moved(to), Err(why)) = (&mut failed.kind, &followed) {
            to.unfollowed = *why;
        }
        failed.followed =
            Some(followed.as_ref().map(|service| service.endpoint.authority()).map_err(|why| *why));
        followed.ok()
    }

    /// Why OSS does not take the signature, when that can be told from its answer and from what was signed.
    pub(super) fn explain(&mut self, failed: &Unsuccessful) -> Option<String> {
        let (ErrorKind::Service(error), Ok(draft)) = (&failed.kind, &self.draft) else { return None };
        let (credentials, wall) = self.signed.as_ref()?;
        match (error.code.as_str(), error.ec.as_deref()) {
            ("SignatureDoesNotMatch", _) => {
                self.composer.get_or_insert_default().explain(draft, &self.service, credentials, *wall, error)
            }
            ("RequestTimeTooSkewed", _) => {
                let skew = measure_skew(failed, self.attempt_began, self.head_at)?;
                Some(explain_clock(skew.saturating_neg()))
            }
            ("InvalidArgument", Some(REGION_UNKNOWN | REGION_OF_ANOTHER)) => {
                explain_region(&self.service, self.host.as_ref().map_or("", Authority::as_str))
            }
            ("NoSuchUpload", _) if self.is_in_doubt && is_completion(draft) => Some(String::from(COMPLETED)),
            _ => {
                let (place, why) = (failed.place.as_ref()?, failed.followed.as_ref()?.as_ref().err()?);
                Some(format!("the bucket is reached at `{}`; {why}", place.shown()))
            }
        }
    }

    /// Better to fail now than after a sleep that leaves no time.
    pub(super) fn leaves_no_time(&self, delay: Duration, now: Now) -> bool {
        self.deadline().is_some_and(|deadline| now.mono.saturating_add(delay) >= deadline)
    }

    pub(super) fn is_replayable(&self) -> bool {
        match &self.draft {
            Ok(Draft { body: Payload::Stream { replay: Replay::Once, .. }, .. }) => self.body_taken == 0,
            _ => true,
        }
    }

    /// An earlier attempt may have done it; now the service says that there is nothing left to do.
    pub(super) fn is_already_done(&self, failed: &Unsuccessful) -> bool {
        let (ErrorKind::Service(error), Ok(draft)) = (&failed.kind, &self.draft) else { return false };
        self.outcome == Outcome::Unknown && draft.gone_codes.contains(&error.code.as_str())
    }

    /// Whether one more request can do no harm.
    pub(super) fn may_repeat(&self, failed: &Unsuccessful) -> bool {
        if self.aside.is_some() {
            return Effect::Read.may_repeat(self.outcome, self.repeats_after_unknown);
        }
        // An upload is completed once: a second arrival finds it gone, and changes nothing.
        let is_completion =
            self.effect == Effect::Conditional && self.draft.as_ref().is_ok_and(is_completion);
        let is_harmless = is_completion && !matches!(failed.kind, ErrorKind::Corrupt(_));
        is_harmless || self.effect.may_repeat(self.outcome, self.repeats_after_unknown)
    }

    /// Why an attempt is not repeated that could be otherwise, and that its caller may want to be repeated.
    pub(super) fn unrepeated(&self, failed: &Unsuccessful) -> Option<Unrepeated> {
        let makes_versions = self.effect == Effect::Once
            && self.draft.as_ref().is_ok_and(|draft| draft.effect == Effect::Idempotent);
        let is_wanted = failed.verdict().is_retryable() && self.outcome == Outcome::Unknown;
        (makes_versions && is_wanted).then_some(Unrepeated::MakesVersions)
    }

    /// Whether a call with this outcome may have begun an upload that nobody knows of.
    pub(super) fn may_have_orphan(&self, outcome: Outcome) -> bool {
        self.effect == Effect::Orphaning && outcome == Outcome::Unknown
    }

    /// What a look would have to find, and its request, when a look is called for and can tell.
    pub(super) fn question(&self, failed: &Unsuccessful) -> Option<(Trace, Draft)> {
        // What OSS says to have stored, and not as it was sent, is there.
        let is_lost = matches!(failed.verdict(), Verdict::Retry { .. } | Verdict::Throttle { .. })
            && !matches!(failed.kind, ErrorKind::Corrupt(_))
            // What never left brought no news: it goes on another connection, without a look.
            && !failed.stale;
        let refusal = refusal_of(failed);
        let is_worth_it = is_lost || refusal.is_some();
        let may_look = self.looks < LOOKS_MAX && self.policy.attempts() > 1;
        let draft =
            self.draft.as_ref().ok().filter(|_| {
                self.is_in_doubt && is_worth_it && may_look && self.effect == Effect::Conditional
            })?;
        let is_last = self.tries.saturating_add(1) >= self.policy.attempts();
        let known = Known { sent: self.last_sent, is_marked: self.is_marked, refusal, is_last };
        let trace = Trace::of(draft, &self.service, known)?;
        let question = trace.question(draft);
        Some((trace, question))
    }

    pub(super) fn proposal(&self, failed: &Unsuccessful, delay: Duration, cost: u32) -> Proposal {
        let code = match &failed.kind {
            ErrorKind::Service(error) => Some(error.code.clone()),
            _ => None,
        };
        let transport = match &failed.kind {
            ErrorKind::Transport(error) => Some(error.kind),
            _ => None,
        };
        let status = failed.head.as_ref().map(|head| head.status);
        Proposal { attempt: self.tries, delay, cost, status, code, transport, outcome: self.outcome }
    }

    /// A look at what a write did finds no object.
    pub(super) fn finds_nothing(&self, failed: &Unsuccessful) -> bool {
        self.aside.is_some() && matches!(&failed.kind, ErrorKind::Service(error) if error.status == 404)
    }

    /// A look at a symbolic link finds an object that is none.
    pub(super) fn finds_another_kind(&self, failed: &Unsuccessful) -> bool {
        let is_other = |error: &crate::ServiceError| error.code.as_str() == "NotSymlink";
        self.aside.is_some() && matches!(&failed.kind, ErrorKind::Service(error) if is_other(error))
    }

    pub(super) fn note(&mut self, failed: &Unsuccessful, started: bool, now: Now) {
        let outcome = failed.outcome(started);
        if (self.outcome, outcome) == (Outcome::Unknown, Outcome::Unknown) {
            // One that was refused for certain, for its time or else, has used nothing up.
            self.repeats_after_unknown = self.repeats_after_unknown.saturating_add(1);
        }
        self.outcome = self.outcome.merge(outcome);
        if self.is_in_doubt && refusal_of(failed).is_some() {
            // Refused for what may be its own first arrival.
            self.outcome = Outcome::Unknown;
        }
        self.is_in_doubt |= self.outcome == Outcome::Unknown;
        let head = failed.head.as_ref();
        self.push(head, Some(failed.word()), now);
    }

    /// What the caller is told: an arrival that a look did not find yet may still be on its way.
    pub(super) fn told(&self) -> Outcome {
        if self.is_in_doubt { Outcome::Unknown } else { self.outcome }
    }

    /// One more attempt, with what came of it. There are few, and all who tell of them share the list.
    pub(super) fn push(&mut self, head: Option<&ReplyHead>, failure: Option<Cow<'static, str>>, now: Now) {
        let attempt = Attempt {
            status: head.map(|head| head.status),
            request_id: head.and_then(ReplyHead::request_id).map(String::from),
            failure,
            elapsed: now.mono.saturating_sub(self.attempt_began.mono),
        };
        self.attempts = self.attempts.iter().cloned().chain([attempt]).collect();
    }

    /// Takes the last attempt back, and what it earned.
    pub(super) fn unpush(&mut self) {
        self.ledger.first_try = false;
        let kept = self.attempts.len().saturating_sub(1);
        self.attempts = self.attempts.iter().take(kept).cloned().collect();
    }

    pub(super) fn deadline_passed(&self, wait: Wait, now: Now) -> ErrorKind {
        let began = self.began.map_or(now.mono, |began| began.mono);
        ErrorKind::Deadline(DeadlinePassed { wait, after: now.mono.saturating_sub(began) })
    }

    pub(super) fn is_late(&self, now: Now) -> bool {
        self.deadline().is_some_and(|deadline| now.mono >= deadline)
    }

    /// The end of the whole call.
    pub(super) fn deadline(&self) -> Option<Duration> {
        Some(self.began?.mono.saturating_add(self.operation_timeout?))
    }

    pub(super) fn bounded(&self, until: Duration) -> Duration {
        self.deadline().map_or(until, |deadline| until.min(deadline))
    }

    /// How long the peer may think.
    pub(super) fn patience(&self, draft: &Draft) -> Duration {
        // With a callback the answer is an application's.
        let is_slow = draft.slow || has_callback(draft);
        if is_slow { self.idle.max(self.service.timeouts.slow_answer) } else { self.idle }
    }

    pub(crate) fn error(&self, kind: ErrorKind, outcome: Outcome) -> Error {
        let host = self.host.as_ref().map(Authority::to_string);
        let host = host.unwrap_or_else(|| self.service.endpoint.authority());
        let error = Error::new(kind, self.operation(), outcome).with_host(host);
        let error = error.with_attempts(Arc::clone(&self.attempts));
        let error = if self.may_have_orphan(outcome) { error.with_orphan() } else { error };
        if self.effect == Effect::Read { error.of_a_read() } else { error }
    }

    pub(crate) fn operation(&self) -> &'static str {
        match self.aside.as_ref().map_or(&self.draft, |aside| &aside.write) {
            Ok(draft) => draft.operation,
            Err(error) => error.operation(),
        }
    }

    pub(crate) fn state_name(&self) -> &'static str {
        match &self.state {
            State::Start => "Start",
            State::Authenticating => "Authenticating",
            State::Ready(_) => "Ready",
            State::Sending => "Sending",
            State::Collecting(_) => "Collecting",
            State::Asking(_) => "Asking",
            State::Backoff { .. } => "Backoff",
            State::Finished(_) => "Finished",
        }
    }
}

const COMPLETED: &str =
    "an earlier attempt may have completed it: look at the object before you upload again";
/// The fine causes of a scope with a wrong region (OSS error pages 0002-00000226 and -228).
const REGION_UNKNOWN: &str = "0002-00000226";
const REGION_OF_ANOTHER: &str = "0002-00000228";
