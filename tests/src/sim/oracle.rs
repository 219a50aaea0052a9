//! What must hold: the invariants I1 to I11 but for I5 and I10, each checked as soon as it can be; and that
//! a call succeeds which only one passing trouble befalls (`live`).

use oss_proto::{
    Action, Effect, Error, ErrorKind, Integrity, Ledger, Outcome, Payload, Proposal, Reply, Transmit,
    UnixTime,
};

use crate::sim::fault::{Fault, Harm};
use crate::sim::history::Version;
use crate::sim::machine::{Machine, Next, Yield};
use crate::sim::named::HELLO;
use crate::sim::rare::Place;
use crate::sim::schedule::{Happening, KEYS, Kind, Plan, Source};
use crate::sim::world::{Stage, World, host_of};

/// What must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant.
    pub invariant: &'static str,
    /// Of which call, if it is about one.
    pub call: Option<u16>,
    /// What was found.
    pub found: String,
}

/// What the world knows of a call.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// When it began.
    pub(crate) began: u64,
    /// What was known of the clocks of all places when it began, in seconds; if its place is no usual one.
    pub(crate) skews: Option<[i64; Place::ALL.len()]>,
    /// Which of them have refused a request.
    pub(super) refusing: [bool; Place::ALL.len()],
    /// Requests that were handed to the transport.
    pub(crate) sends: u32,
    /// Requests of which a byte may have come to the peer.
    pub(crate) reached: u32,
    /// Requests that the peer acted on.
    pub(crate) applied: u32,
    /// The most that was taken of the content.
    pub(crate) taken: u64,
    /// What was delivered.
    pub(crate) sink: Vec<u8>,
    /// How much was delivered when the last request was sent, and how often there was more the next time.
    sink_before: usize,
    advances: u32,
    /// An attempt ended so that nobody knows what it did.
    pub(crate) is_doubtful: bool,
    /// Failures that may be set right beside the attempts, each kind once: a connection that had been closed,
    /// and refusals of keys or times.
    pub(super) is_stale: bool,
    pub(super) refused: u32,
    /// The last attempt may have failed because of its connection.
    pub(crate) is_poisoned: bool,
    /// Bytes came that the object does not have.
    changed: bool,
    /// Less came, and a checksum was missing.
    shortened: bool,
    unsummed: bool,
    /// What the answer said of the object is not so.
    misled: bool,
    /// The look at what a write did was answered wrongly.
    look_misled: bool,
    /// A success was made up of which nobody can tell that it was.
    is_forged: bool,
    /// It was told that its object is stored and that the application failed.
    pub(super) is_told_failed: bool,
    pub(super) is_cancelled: bool,
    /// Tokens that its retries took, less those that it gave back.
    charged: u32,
    outcome: Option<Outcome>,
    /// It was refused by its own condition, before anything of it had taken effect.
    is_conflict: bool,
}

impl Facts {
    /// Takes note of what happens to an answer.
    pub(crate) fn take_harms(&mut self, fault: Fault, kind: Kind, is_look: bool) {
        if let Fault::Refuse(refusal) | Fault::Early(_, refusal) = fault {
            // Where a document is due, what comes must be one.
            self.is_forged |= refusal.is_forged() && !kind.has_document();
            // That there is nothing to delete any more is believed after doubt.
            self.is_forged |= refusal.denies() && kind == Kind::Delete;
            self.look_misled |= is_look && (refusal.is_forged() || refusal.denies());
        }
        for harm in fault.harms() {
            self.changed |= harm.changes_bytes();
            self.shortened |= harm.shortens() || matches!(harm, Harm::UntilClose | Harm::Chunked);
            self.unsummed |= matches!(harm, Harm::Drop(_));
            let unframes = is_look && matches!(harm, Harm::Chunked | Harm::UntilClose);
            self.misled |= harm.misleads() || unframes;
            self.look_misled |= is_look && (harm.misleads() || unframes);
        }
    }
}

impl World<'_> {
    /// This must not be; the first one counts.
    pub(super) fn violate(&mut self, invariant: &'static str, at: Option<usize>, found: impl Into<String>) {
        let call = at.map(|at| self.schedule.calls[at].id);
        self.violation.get_or_insert_with(|| Violation { invariant, call, found: found.into() });
    }

    /// A call sends a request: I2, F14, and what can be read once is not read twice.
    pub(super) fn check_send(&mut self, at: usize, transmit: &Transmit) {
        if self.lives[at].facts.is_cancelled {
            self.violate("I9", Some(at), "a request of a call that was dropped");
        }
        self.check_place(at, transmit);
        let plan = &self.schedule.calls[at];
        let facts = &mut self.lives[at].facts;
        if facts.is_told_failed {
            self.violate("I4", Some(at), "a request after the object was stored");
            return;
        }
        facts.sends += 1;
        facts.advances += u32::from(facts.sink.len() > facts.sink_before);
        facts.sink_before = facts.sink.len();
        let attempts = plan.policy().attempts();
        let (sends, taken, advances) = (facts.sends, facts.taken, facts.advances);
        // A redirect, and the clock of where it leads to.
        let moves = u32::from(plan.goes_on());
        let corrections = u32::from(facts.is_stale) + facts.refused.min(REFUSALS + moves) + moves;
        let is_poisoned = core::mem::take(&mut facts.is_poisoned);
        let max = match plan.kind {
            _ if plan.attempts == 0 => 1 + moves,
            // Each look at a copy may be two.
            Kind::CopyNew(_) => attempts + 2 * LOOKS + corrections,
            // A look before each repetition, and one after a refusal.
            _ if plan.kind.is_conditional() => attempts + attempts.min(LOOKS) + corrections,
            _ => (attempts + corrections) * (1 + advances),
        };
        if sends > max {
            self.violate("I2", Some(at), format!("{sends} requests, at most {max} are due"));
        }
        let is_stream = matches!(transmit.body, Payload::Stream { .. });
        if let (Source::Stream { is_replayable: false, .. }, true, true) = (plan.body, is_stream, taken > 0) {
            self.violate("I4", Some(at), "a stream that can be read once is read again");
        }
        if is_poisoned && !transmit.fresh_connection {
            self.violate("I7", Some(at), "a connection that failed may be used again");
        }
    }

    /// A request goes where it is meant to go, and nowhere else but where a read may be led.
    fn check_place(&mut self, at: usize, transmit: &Transmit) {
        let plan = &self.schedule.calls[at];
        let host = host_of(transmit);
        let is_good_move = |fault: &Fault| matches!(fault, Fault::Move(to) if to.is_good());
        let may_go_on = || plan.goes_on() && plan.faults.iter().any(is_good_move);
        if host != plan.place.host() && !(host == Place::Two.host() && may_go_on()) {
            let found = format!("a signed {} goes to {host}", transmit.request.method());
            self.violate("I5", Some(at), found);
        }
        self.check_date(at, transmit, host);
    }

    /// Until an endpoint refuses, requests at it have the time of what was known of its clock.
    fn check_date(&mut self, at: usize, transmit: &Transmit, host: &str) {
        let facts = &self.lives[at].facts;
        let place = Place::at(host).filter(|place| !facts.refusing[*place]);
        let (Some(skews), Some(place)) = (facts.skews, place) else { return };
        let date = transmit.request.headers().get("x-oss-date").and_then(|date| date.to_str().ok());
        let Some(date) = date.and_then(UnixTime::parse_iso_basic) else { return };
        let due = self.clocks().wall.saturating_add(skews[place]);
        if date != due {
            self.violate("F21", Some(at), format!("a date {} s off for {host}", date.secs_since(due)));
        }
    }

    /// A call waits until then: I3, also of a call that has no limit of its own.
    pub(super) fn check_wait(&mut self, at: usize, until: u64) {
        let wait = until.saturating_sub(self.now);
        if wait > WAIT_NANOS_MAX && !self.schedule.is_end_of_time {
            self.violate("I3", Some(at), format!("it waits for {wait} ns"));
        }
    }

    /// A call asks whether it may repeat: I8, F71.
    pub(super) fn decide(&mut self, at: usize, proposal: &Proposal) -> Option<core::time::Duration> {
        let before = self.shared.quota.tokens();
        let pause = self.shared.decide(proposal);
        let after = self.shared.quota.tokens();
        let is_throttled = matches!(proposal.status, Some(429))
            || proposal.code.as_ref().is_some_and(|code| THROTTLES.contains(&code.as_str()));
        let due = if is_throttled { THROTTLE_COST } else { TRANSIENT_COST };
        let taken = if pause.is_some() { due } else { 0 };
        let is_affordable = before >= due;
        if proposal.cost != due || after != before.saturating_sub(taken) || pause.is_some() != is_affordable {
            let cost = proposal.cost;
            let found = format!("a retry of {cost} tokens, {due} are due: {before} before, {after} after");
            self.violate("I8", Some(at), found);
        }
        let plan = &self.schedule.calls[at];
        self.trace.note(self.now, plan.id, "asks", u64::from(after));
        if let Some(millis) = plan.timeout_ms.filter(|_| !self.schedule.is_end_of_time) {
            let end = self.lives[at].facts.began.saturating_add(u64::from(millis) * 1_000_000);
            let pause = u64::try_from(proposal.delay.as_nanos()).unwrap_or(u64::MAX);
            if self.now.saturating_add(pause) >= end {
                self.violate("I3", Some(at), "a pause after which there is no time left");
            }
        }
        self.lives[at].facts.charged += taken;
        pause
    }

    /// A call has ended, and its client learns from it: I8.
    pub(super) fn settle(&mut self, at: usize, ledger: Ledger) {
        let (before, capacity) = (self.shared.quota.tokens(), self.shared.quota.capacity());
        let (refund, first_try) = (ledger.refund, ledger.first_try);
        self.shared.settle(ledger);
        let after = self.shared.quota.tokens();
        let gain = if refund > 0 { refund } else { u32::from(first_try) };
        let facts = &mut self.lives[at].facts;
        let is_earned = refund <= facts.charged && (!first_try || facts.sends == 1);
        facts.charged = facts.charged.saturating_sub(refund);
        if !is_earned || after != capacity.min(before.saturating_add(gain)) {
            let found = format!("{refund} tokens back: {before} before, {after} after, {capacity} at most");
            self.violate("I8", Some(at), found);
        }
    }

    /// A call has ended: I1, I3, I9.
    pub(super) fn check_done(
        &mut self,
        at: usize,
        machine: &mut dyn Machine,
        result: Result<Reply<Yield>, Error>,
    ) {
        let schedule = self.schedule;
        let plan = &schedule.calls[at];
        if let Some(millis) = plan.timeout_ms.filter(|_| !schedule.is_end_of_time) {
            let allowed = (u64::from(millis) + u64::from(plan.slow_ms) + TICK_MS) * 1_000_000;
            let due = self.lives[at].facts.began.saturating_add(allowed);
            if self.now > due {
                self.violate("I3", Some(at), format!("it ends {} ns too late", self.now - due));
            }
        }
        let found = match &result {
            Ok(reply) => self.check_success(at, plan, &reply.output),
            Err(error) => self.check_failure(at, plan, error),
        };
        if let Some(found) = found {
            self.violate("I1", Some(at), found);
        }
        let facts = &mut self.lives[at].facts;
        facts.outcome = result.as_ref().err().map(Error::outcome);
        facts.is_conflict =
            facts.applied == 0 && result.as_ref().is_err_and(|error| error.status() == Some(409));
        if let Err(error) = &result
            && self.had_to_succeed(plan, error)
        {
            self.violate("live", Some(at), format!("one passing trouble, and yet: {error}"));
        }
        if let Err(error) = &result
            && matches!(error.kind(), ErrorKind::StoredButCallbackFailed(_))
            && self.lives[at].facts.applied == 0
        {
            self.violate("I6", Some(at), "stored, it says, and the peer has nothing");
        }
        if let Err(error) = &result
            && matches!(error.kind(), ErrorKind::Misuse(_))
        {
            self.violate("I11", Some(at), format!("the contract was kept, and yet: {error}"));
        }
        if (schedule.seed ^ u64::from(plan.id)).is_multiple_of(8) {
            let again = machine.poll(self.clocks());
            let is_misuse = matches!(&again, Next::Act(Action::Done(Err(error)))
                if matches!(error.kind(), ErrorKind::Misuse(_)));
            if !is_misuse {
                self.violate("I9", Some(at), "polled again, it does not say that this is misuse");
            }
        }
    }

    /// Whether a call gave up though it had no more than one trouble, which passes, and all that it needs to
    /// go on: a client that never repeats breaks no invariant.
    fn had_to_succeed(&self, plan: &Plan, error: &Error) -> bool {
        let schedule = self.schedule;
        let ahead_of =
            |place| i128::from(schedule.client_ahead_secs) - i128::from(schedule.ahead_secs(place));
        let ahead = ahead_of(plan.place);
        let is_moved = plan.faults.iter().any(|fault| matches!(fault, Fault::Move(_)));
        let has_peace = schedule.calls.len() == 1
            && schedule.happenings.is_empty()
            && schedule.quota >= 500
            && schedule.latency_ms <= 500
            && schedule.keys_live_secs.is_none()
            && !schedule.is_end_of_time
            && ahead.abs() <= SKEW_SECS_MAX
            && (!is_moved || ahead_of(Place::Two).abs() <= SKEW_SECS_MAX);
        let has_means = plan.attempts >= 3
            && plan.timeout_ms.is_none()
            && plan.body == Source::Memory
            && !plan.is_versioned
            // The application may have been called, so that nothing is repeated.
            && !matches!(plan.kind, Kind::PutCalled(_));
        let mut troubles = plan.faults.iter().filter(|fault| **fault != Fault::Calm);
        let passes = |fault: &Fault| match fault {
            Fault::Move(to) => to.is_good() && plan.goes_on(),
            fault => fault.passes(),
        };
        let has_passed = troubles.next().is_none_or(passes) && troubles.next().is_none();
        let is_passing = match error.kind() {
            ErrorKind::Transport(_) | ErrorKind::Moved(_) => true,
            ErrorKind::Service(error) => {
                error.status >= 500
                    || error.code == "RequestTimeTooSkewed"
                    || is_moved && error.code == "AccessDenied"
            }
            _ => false,
        };
        has_peace && has_means && has_passed && is_passing
    }

    /// What is wrong with a success.
    fn check_success(&self, at: usize, plan: &Plan, output: &Yield) -> Option<String> {
        let facts = &self.lives[at].facts;
        let during = |key| self.history.during(key, facts.began, self.now);
        if facts.is_forged {
            return None;
        }
        match (plan.kind, output) {
            (Kind::Get, Yield::Read(verified)) => {
                let is_summed = matches!(verified.integrity, Integrity::Crc64(_));
                let cannot_tell = facts.changed || (facts.unsummed && facts.shortened);
                if verified.bytes != facts.sink.len() as u64 {
                    return Some(format!(
                        "{} bytes, says the read that gave {}",
                        verified.bytes,
                        facts.sink.len()
                    ));
                }
                let is_one =
                    during(plan.key).any(|version| due(plan, version).is_some_and(|due| facts.sink == due));
                let must = is_summed || !cannot_tell;
                (must && !is_one).then(|| format!("{} bytes of no version", facts.sink.len()))
            }
            (Kind::Head, Yield::Told(len, crc)) => {
                let is_one = during(plan.key).any(|version| {
                    version.bytes.as_ref().is_some_and(|bytes| Some(bytes.len() as u64) == *len)
                        && Some(version.crc) == *crc
                });
                (!is_one && !facts.misled).then(|| format!("{len:?} bytes and {crc:?} of no version"))
            }
            (Kind::List, Yield::Listed(keys)) => {
                (!facts.changed).then(|| self.check_list(at, keys)).flatten()
            }
            (Kind::Begin, Yield::Begun(id)) => {
                let is_there = self.history.begun.iter().any(|(call, begun)| *call == plan.id && begun == id);
                (!is_there && !facts.changed).then(|| format!("an upload {id} that nobody began"))
            }
            (Kind::Part(number), _) => {
                let content = &self.lives[at].content;
                let is_there = self
                    .history
                    .parts
                    .iter()
                    .any(|(call, of, bytes)| (*call, *of) == (plan.id, number) && bytes == content);
                (!is_there).then(|| "a part that the peer does not have".into())
            }
            (Kind::Delete | Kind::DeleteMany, _) => {
                (facts.applied == 0).then(|| "a deletion that nobody did".into())
            }
            (Kind::PutCalled(false), _) => Some("a success, and the application failed".into()),
            (Kind::Named(_), Yield::Read(_)) => {
                (facts.sink != HELLO.as_bytes()).then(|| "a read of what is not there".into())
            }
            (Kind::Named(_), _) => {
                let effects = if plan.kind.is_read() { facts.reached } else { facts.applied };
                (effects == 0).then(|| "a success of what nobody did".into())
            }
            _ => self.check_written(at, plan),
        }
    }

    /// The peer holds, or held, exactly what was written.
    fn check_written(&self, at: usize, plan: &Plan) -> Option<String> {
        let facts = &self.lives[at].facts;
        let content = &self.lives[at].content;
        let is_copied = |copied: &Version, from| {
            let mut sources = self.history.during(from, facts.began, self.now);
            copied.writer == plan.id || sources.any(|source| source.bytes == copied.bytes)
        };
        let is_ours = |version: &&Version| match plan.kind {
            _ if plan.is_unmistakable() => version.writer == plan.id,
            Kind::CopyNew(from) => version.bytes.is_some() && is_copied(version, from),
            Kind::Link(target) => version.target == Some(target),
            Kind::Put | Kind::PutCalled(_) => {
                version.writer == plan.id && version.bytes.as_ref() == Some(content)
            }
            // Another writer of the same bytes cannot be told apart.
            Kind::PutNew => version.bytes.as_ref() == Some(content),
            Kind::Append => version.bytes.as_ref().is_some_and(|bytes| bytes.ends_with(content)),
            _ => version.writer == plan.id && version.bytes.is_some(),
        };
        let is_there = self.history.during(plan.key, facts.began, self.now).any(|version| is_ours(&version));
        (!is_there).then(|| "a write that the peer does not have".into())
    }

    /// Keys that were there all the time are listed, and keys that never were are not.
    fn check_list(&self, at: usize, keys: &[String]) -> Option<String> {
        let began = self.lives[at].facts.began;
        for (key, row) in KEYS.iter().enumerate() {
            let mut versions = self.history.during(key, began, self.now).peekable();
            let first = versions.peek().map(|version| version.from);
            let (mut was, mut always) = (false, first.is_some_and(|from| from < began));
            for version in versions {
                was |= version.bytes.is_some();
                always &= version.bytes.is_some();
            }
            let is_listed = keys.iter().any(|listed| listed == row.name);
            if (is_listed && !was) || (always && !is_listed) {
                return Some(format!("a list that is wrong about {}", row.name));
            }
        }
        None
    }

    /// What a failed read has delivered is the beginning of one version all the same.
    fn check_failure(&self, at: usize, plan: &Plan, error: &Error) -> Option<String> {
        let facts = &self.lives[at].facts;
        let is_due = plan.kind == Kind::Get && !facts.sink.is_empty() && !facts.changed && !facts.is_forged;
        if facts.sends < u32::try_from(error.attempts().len()).unwrap_or(u32::MAX).saturating_sub(LOOKS) {
            return Some(format!("{} attempts of {} requests", error.attempts().len(), facts.sends));
        }
        let mut during = self.history.during(plan.key, facts.began, self.now);
        let starts = |version: &Version| due(plan, version).is_some_and(|due| due.starts_with(&facts.sink));
        (is_due && !during.any(starts)).then(|| format!("{} bytes of no version", facts.sink.len()))
    }

    /// The emulator holds what the history says.
    pub(super) fn check_agreement(&mut self) {
        if let Some(found) = self.server.disagrees(&self.history) {
            self.violate("I1", None, found);
        }
    }

    /// Nothing will happen any more: I3, I4, I6, I7.
    pub(super) fn check_end(&mut self) {
        for at in 0..self.lives.len() {
            let is_over = matches!(self.lives[at].stage, Stage::Over) && self.lives[at].machine.is_none();
            if !is_over {
                self.violate("I3", Some(at), "it waits, and there is nothing that it waits for");
            }
            if let Some(found) = self.check_effects(at) {
                self.violate("I4", Some(at), found);
            }
            if let Some(found) = self.check_outcome(at) {
                self.violate("I6", Some(at), found);
            }
        }
        if self.pool.in_use != 0 || !self.pool.queue.is_empty() {
            let (in_use, queue) = (self.pool.in_use, self.pool.queue.len());
            self.violate("I7", None, format!("{in_use} connections are in use, {queue} calls wait"));
        }
        self.check_clocks();
        if self.server.open() != 0 {
            self.violate("I7", None, format!("{} requests are on their way in", self.server.open()));
        }
        self.check_agreement();
    }

    /// What was learned of the clock of an endpoint is so, and of no other: F21.
    fn check_clocks(&mut self) {
        let schedule = self.schedule;
        let is_set = |(_, happening): &(u32, Happening)| {
            matches!(happening, Happening::ClientClock(_) | Happening::PeerClock(_))
        };
        let is_unsure =
            schedule.happenings.iter().any(is_set) || self.lives.iter().any(|live| live.facts.changed);
        if self.shared.skews.latest() == 0 || is_unsure {
            return;
        }
        for place in Place::ALL {
            let learned = self.shared.skews.of(&place.endpoint());
            let due = i128::from(schedule.ahead_secs(place)) - i128::from(schedule.client_ahead_secs);
            if learned != 0 && (i128::from(learned) - due).abs() > CLOCK_SLACK_SECS {
                self.violate("F21", None, format!("{place:?} is {due} s ahead, and {learned} was learned"));
            }
        }
    }

    /// How often the peer acted for a call: I4.
    fn check_effects(&self, at: usize) -> Option<String> {
        let plan = &self.schedule.calls[at];
        let applied = self.lives[at].facts.applied;
        let makes_versions = matches!(plan.kind, Kind::Put | Kind::Delete | Kind::Copy(_));
        let max = match plan.kind {
            _ if plan.is_versioned && makes_versions => 1,
            Kind::PutCalled(_) => 1,
            Kind::Begin => 2,
            Kind::Named(_) => return self.check_named_effects(at),
            // Nothing is appended twice, and that is the same as once.
            Kind::Append if plan.len == 0 => return None,
            _ if plan.kind.is_conditional() => {
                1 + u32::try_from(self.history.removals_by_others(plan.key, plan.id)).unwrap_or(0)
            }
            _ => return None,
        };
        (applied > max).then(|| format!("it took effect {applied} times, {max} at most are due"))
    }

    /// The same of an operation that is called by its name: its table says what a second arrival does.
    fn check_named_effects(&self, at: usize) -> Option<String> {
        let spec = self.schedule.calls[at].kind.spec()?;
        let max = match spec.effect {
            Effect::Once | Effect::Conditional => 1,
            Effect::Orphaning => 2,
            _ => return None,
        };
        let applied = self.lives[at].facts.applied;
        (applied > max).then(|| format!("{} took effect {applied} times", spec.name))
    }

    /// What a failure says of its effect is so: I6.
    fn check_outcome(&self, at: usize) -> Option<String> {
        let plan = &self.schedule.calls[at];
        let facts = &self.lives[at].facts;
        match facts.outcome? {
            Outcome::NotSent if facts.reached > 0 => Some(format!("not sent, in {} requests", facts.reached)),
            // What others have undone may be taken for what never was: a look finds theirs. And how old an
            // object is, is told by the peer's clock.
            Outcome::Rejected if self.was_undone(plan) || self.peer_clock_jumps() => None,
            // Once the conflict is found, a request that is a minute late may still find it gone.
            Outcome::Rejected if facts.is_conflict => None,
            Outcome::Rejected if facts.applied > 0 && !facts.look_misled => {
                Some(format!("rejected, and took effect {} times", facts.applied))
            }
            Outcome::Unknown if !facts.is_doubtful && !plan.kind.is_read() => {
                Some("unknown, and nothing was in doubt".into())
            }
            _ => None,
        }
    }

    fn peer_clock_jumps(&self) -> bool {
        self.schedule.happenings.iter().any(|(_, happening)| matches!(happening, Happening::PeerClock(_)))
    }

    /// Whether what a conditional write made is there no more.
    fn was_undone(&self, plan: &Plan) -> bool {
        match plan.kind {
            // What others append to it leaves it there.
            Kind::Append => !self.history.goes_on_from(plan.key, plan.id),
            Kind::PutNew | Kind::CopyNew(_) | Kind::Link(_) | Kind::Complete => {
                self.history.current(plan.key).is_none_or(|version| version.writer != plan.id)
            }
            _ => false,
        }
    }
}

/// What a read is to give of a version.
fn due<'a>(plan: &Plan, version: &'a Version) -> Option<&'a [u8]> {
    let bytes = version.bytes.as_ref()?;
    let Some(span) = plan.span else { return Some(bytes) };
    let range = span.range().select(bytes.len() as u64)?;
    bytes.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
}

/// New credentials and a corrected clock, each once.
const REFUSALS: u32 = 2;
/// The longest that anything is waited for.
const WAIT_NANOS_MAX: u64 = 600_000_000_000;
/// The most that a clock is set right by.
const SKEW_SECS_MAX: i128 = 80_000;
/// What the way of an answer may take, and what is lost in whole seconds.
const CLOCK_SLACK_SECS: i128 = 120;
/// Looks at what a conditional write did.
const LOOKS: u32 = 4;
const TICK_MS: u64 = 1;
const TRANSIENT_COST: u32 = 14;
const THROTTLE_COST: u32 = 5;
const THROTTLES: [&str; 2] = ["SlowDown", "QpsLimitExceeded"];
