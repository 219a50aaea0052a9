//! The rules of repetition, told once more: what an answer means, what may be sent again, and what a look
//! settles. Written from the documents and the fault matrix; nothing here calls the crates that are tested.

use super::Call;
use super::instructions::{Does, Instruction};

/// What comes of a second arrival of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Nothing: it only reads.
    Read,
    /// The same as of one.
    Overwrite,
    /// A refusal, if the first one had its effect; a look at the object tells.
    Conditional,
    /// One more upload that somebody must abort.
    Orphaning,
    /// A second effect.
    Once,
}

/// Whether a request had its effect, as far as its sender can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    NotSent,
    Rejected,
    Unknown,
}

/// What an attempt calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Again,
    /// Again, from a longer base.
    Slowly,
    /// Again at once with other credentials; once.
    Renew,
    /// Again at once with the clock of the server; once.
    SetClock,
    Final,
}

/// How an attempt failed.
#[derive(Clone, Debug)]
struct Failed {
    verdict: Verdict,
    outcome: Outcome,
    kind: Kind,
    retry_after: Option<u64>,
}

/// An error in words that any client has.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Service(u16, &'static str),
    Transport,
    Timeout,
    Deadline,
    Corrupt,
    Changed,
    Unreadable,
    Redirect,
    Callback,
    Body,
}

/// The precondition of a call.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) attempts: u32,
    pub(super) base_ms: u64,
    pub(super) cap_ms: u64,
    /// The client is told that the bucket keeps versions, and it does.
    pub(super) is_versioned: bool,
    /// The credential source has others after these.
    pub(super) is_renewable: bool,
    pub(super) is_refusing: bool,
    pub(super) is_stale: bool,
    pub(super) silence_ms: Option<u64>,
    pub(super) deadline_ms: Option<u64>,
    pub(super) clock_ahead_secs: i64,
}

impl Default for Given {
    fn default() -> Self {
        Self {
            attempts: 3,
            base_ms: 1,
            cap_ms: 5,
            is_versioned: false,
            is_renewable: false,
            is_refusing: false,
            is_stale: false,
            silence_ms: None,
            deadline_ms: None,
            clock_ahead_secs: 0,
        }
    }
}

/// What must come of a call.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) requests: Vec<&'static str>,
    pub(super) result: Result<(), (Kind, Outcome)>,
    /// The body could be read only once, and was.
    pub(super) is_spent: bool,
    /// The least and the most of each wait, in milliseconds.
    pub(super) waits: Vec<(u64, u64)>,
    /// How often the server did what was asked.
    pub(super) effects: u32,
}

/// What comes of a call when the server does this to its requests.
pub(super) fn expect(call: &Call, given: &Given, script: &[Instruction]) -> Expected {
    let mut play = Play::new(call, given, script);
    let result = play.run();
    let Play { requests, waits, effects, is_spent, .. } = play;
    Expected { requests, result, is_spent, waits, effects }
}

struct Play<'a> {
    call: &'a Call,
    given: &'a Given,
    class: Class,
    script: core::slice::Iter<'a, Instruction>,
    requests: Vec<&'static str>,
    waits: Vec<(u64, u64)>,
    effects: u32,
    is_spent: bool,
    /// Attempts and failed looks; corrections do not count.
    tries: u32,
    /// Of all attempts together: one that is unknown makes them all so.
    outcome: Outcome,
    /// An effect is possible, and no look has excluded it for good.
    is_in_doubt: bool,
    repeats_in_doubt: u32,
    looks: u32,
    has_renewed: bool,
    has_set_clock: bool,
}

/// What the look at the object shows.
enum Look {
    Ours,
    /// As it was before the call.
    Before,
    /// Something else.
    Others,
    /// Not to be had.
    Failed,
}

impl<'a> Play<'a> {
    fn new(call: &'a Call, given: &'a Given, script: &'a [Instruction]) -> Self {
        // F55: in a bucket with versions each arrival makes one more.
        let class = match call.class {
            Class::Overwrite if given.is_versioned && call.makes_version => Class::Once,
            class => class,
        };
        Self {
            call,
            given,
            class,
            script: script.iter(),
            requests: Vec::new(),
            waits: Vec::new(),
            effects: 0,
            is_spent: false,
            tries: 0,
            outcome: Outcome::NotSent,
            is_in_doubt: false,
            repeats_in_doubt: 0,
            looks: 0,
            has_renewed: false,
            has_set_clock: false,
        }
    }

    fn run(&mut self) -> Result<(), (Kind, Outcome)> {
        loop {
            let Err(failed) = self.send() else { return Ok(()) };
            let told = |play: &Self| if play.is_in_doubt { Outcome::Unknown } else { play.outcome };
            let is_conflict = matches!(failed.kind, Kind::Service(_, code) if CONFLICTS.contains(&code));
            let was_in_doubt = self.is_in_doubt;
            if (self.outcome, failed.outcome) == (Outcome::Unknown, Outcome::Unknown) {
                self.repeats_in_doubt += 1;
            }
            self.outcome = self.outcome.max(failed.outcome);
            if was_in_doubt && is_conflict {
                self.outcome = Outcome::Unknown;
            }
            self.is_in_doubt |= self.outcome == Outcome::Unknown;
            let last = (failed.kind.clone(), told(self));
            if failed.kind == Kind::Deadline {
                return Err(last);
            }
            if self.wants_look(&failed, is_conflict) {
                match self.look(&failed, is_conflict) {
                    Look::Ours => return Ok(()),
                    // What is there was not written by us, and a condition that refuses it will not change.
                    Look::Others if is_conflict => return Err((failed.kind, Outcome::Rejected)),
                    Look::Failed => return Err(last),
                    Look::Before if is_conflict => return Err(last),
                    // It may arrive late after all, when what stands in its way is gone.
                    Look::Before | Look::Others => self.outcome = Outcome::Rejected,
                }
                // What is no condition's to refuse was looked at last of all.
                if self.call.is_read_once || self.class != Class::Conditional {
                    return Err((failed.kind, told(self)));
                }
                continue;
            }
            let may_repeat = match (self.outcome, self.class) {
                (Outcome::NotSent | Outcome::Rejected, _) => true,
                (Outcome::Unknown, Class::Read | Class::Overwrite) => true,
                (Outcome::Unknown, Class::Orphaning) => self.repeats_in_doubt == 0,
                (Outcome::Unknown, Class::Conditional | Class::Once) => false,
            };
            let wants = self.wants_repeat(&failed);
            // F10: what was read from the source is gone.
            let is_spent = self.call.is_read_once && !self.requests.is_empty();
            self.is_spent = wants && may_repeat && is_spent;
            if !may_repeat || is_spent || !self.repeat(&failed) {
                return Err(last);
            }
        }
    }

    fn wants_repeat(&self, failed: &Failed) -> bool {
        failed.verdict != Verdict::Final
    }

    /// One more request of the call, and what it brings.
    fn send(&mut self) -> Result<(), Failed> {
        if self.given.is_refusing {
            return Err(Failed::wire(Kind::Transport, Outcome::NotSent));
        }
        self.requests.push("call");
        let Some(Instruction { does, retry_after }) = self.script.next() else { return self.served() };
        let retry_after = retry_after.and_then(|(_, understood)| understood);
        match *does {
            Does::Serve | Does::ServeAndClose => self.served(),
            Does::Lose => {
                let _unheard = self.served();
                Err(Failed::wire(Kind::Transport, Outcome::Unknown))
            }
            Does::Close(_) => Err(Failed::wire(Kind::Transport, Outcome::Unknown)),
            Does::Silence => match self.given.deadline_ms {
                Some(_) => Err(Failed::wire(Kind::Deadline, Outcome::Unknown)),
                None => Err(Failed::wire(Kind::Timeout, Outcome::Unknown)),
            },
            Does::Answer(status, code) | Does::Early(_, status, code) => {
                Err(Failed { retry_after, ..meaning(status, code) })
            }
            Does::Under200(code) => Err(under_200(code)),
            Does::CallbackFails => {
                let _stored = self.served();
                Err(Failed::of(Verdict::Final, Outcome::Unknown, Kind::Callback))
            }
            Does::Damage => {
                let _stored = self.served();
                Err(Failed::of(Verdict::Again, Outcome::Unknown, Kind::Corrupt))
            }
        }
    }

    /// The server does what it is asked.
    fn served(&mut self) -> Result<(), Failed> {
        if self.given.clock_ahead_secs != 0 && !self.has_set_clock {
            return Err(meaning(403, "RequestTimeTooSkewed"));
        }
        let is_done = self.effects > 0;
        match self.call.second {
            Some((status, code)) if is_done || self.call.is_taken => {
                let is_gone = self.call.is_gone_success && self.outcome == Outcome::Unknown;
                if is_gone { Ok(()) } else { Err(meaning(status, code)) }
            }
            _ => {
                self.effects += 1;
                Ok(())
            }
        }
    }

    /// F08, F16, F58, F60, F61: one look at the object tells whether a write in doubt was made.
    fn wants_look(&self, failed: &Failed, is_conflict: bool) -> bool {
        let is_lost =
            matches!(failed.verdict, Verdict::Again | Verdict::Slowly) && failed.kind != Kind::Corrupt;
        // A completion is asked for again until the upload is gone, or no attempt is left.
        let is_due = self.class == Class::Conditional || self.is_last();
        let is_called_for = is_conflict || (is_lost && is_due);
        is_called_for
            && self.call.can_look
            && self.is_in_doubt
            && self.given.attempts > 1
            && self.looks < LOOKS_MAX
    }

    /// Whether the attempt that failed is the last one.
    fn is_last(&self) -> bool {
        self.tries + 1 >= self.given.attempts
    }

    fn look(&mut self, failed: &Failed, is_conflict: bool) -> Look {
        let may_look = match self.class {
            _ if is_conflict => true,
            Class::Conditional => self.pause(failed),
            // The last look at a completion is no attempt.
            _ => self.wait(failed),
        };
        if !may_look {
            return Look::Failed;
        }
        self.looks += 1;
        loop {
            self.requests.push("look");
            let found = match self.script.next().map(|instruction| instruction.does) {
                None | Some(Does::Serve | Does::ServeAndClose) => self.find(),
                Some(Does::Answer(404, _)) => Look::Before,
                Some(Does::Answer(status, code)) => {
                    let failed = meaning(status, code);
                    if self.wants_repeat(&failed) && self.pause(&failed) {
                        continue;
                    }
                    Look::Failed
                }
                Some(_) => {
                    if self.pause(&Failed::wire(Kind::Transport, Outcome::Unknown)) {
                        continue;
                    }
                    Look::Failed
                }
            };
            return found;
        }
    }

    fn find(&mut self) -> Look {
        if self.effects > 0 {
            if self.call.looks_at_source {
                self.requests.push("look");
            }
            Look::Ours
        } else if self.call.is_taken {
            Look::Others
        } else {
            Look::Before
        }
    }

    fn repeat(&mut self, failed: &Failed) -> bool {
        let once = match failed.verdict {
            Verdict::Renew if self.given.is_renewable => &mut self.has_renewed,
            Verdict::SetClock if self.given.clock_ahead_secs != 0 => &mut self.has_set_clock,
            Verdict::Renew | Verdict::SetClock => return false,
            _ => return self.pause(failed),
        };
        !core::mem::replace(once, true)
    }

    /// Whether one more attempt is due, after a wait.
    fn pause(&mut self, failed: &Failed) -> bool {
        let is_left = !self.is_last();
        self.tries += 1;
        is_left && self.wait(failed)
    }

    /// Whether one more request is due, after a wait.
    fn wait(&mut self, failed: &Failed) -> bool {
        let base = match failed.verdict {
            Verdict::Again => self.given.base_ms,
            Verdict::Slowly => self.given.base_ms.max(THROTTLE_BASE_MS),
            Verdict::Renew | Verdict::SetClock | Verdict::Final => return false,
        };
        // Full jitter: anything from nothing to the doubled base.
        let most = base.saturating_mul(1 << self.tries.min(40)).min(self.given.cap_ms);
        // F19: the server is obeyed, but neither below the backoff nor beyond five seconds more.
        let wait = match failed.retry_after {
            None => (0, most),
            Some(asked) if asked > RETRY_AFTER_MARGIN_MS => {
                (RETRY_AFTER_MARGIN_MS, RETRY_AFTER_MARGIN_MS + most)
            }
            Some(asked) => (asked, asked.max(most)),
        };
        // F71: no wait that would outlast the call.
        if self.given.deadline_ms.is_some_and(|deadline| wait.0 >= deadline) {
            return false;
        }
        self.waits.push(wait);
        true
    }
}

impl Failed {
    fn of(verdict: Verdict, outcome: Outcome, kind: Kind) -> Self {
        Self { verdict, outcome, kind, retry_after: None }
    }

    fn wire(kind: Kind, outcome: Outcome) -> Self {
        Self::of(Verdict::Again, outcome, kind)
    }
}

/// What an answer means (F18 to F27): by its code where that has a meaning of its own, else by its status.
fn meaning(status: u16, code: &'static str) -> Failed {
    let (verdict, outcome) = match (status, code) {
        (301 | 302 | 307 | 308, _) => return Failed::of(Verdict::Final, Outcome::Rejected, Kind::Redirect),
        (503, "SlowDown") | (429, _) => (Verdict::Slowly, Outcome::Rejected),
        (400, "RequestTimeout") | (408, _) => (Verdict::Again, Outcome::Unknown),
        (400, "IncompleteBody") => (Verdict::Again, Outcome::Rejected),
        (403, "InvalidAccessKeyId" | "SecurityTokenExpired") => (Verdict::Renew, Outcome::Rejected),
        (403, "RequestTimeTooSkewed") => (Verdict::SetClock, Outcome::Rejected),
        (501, "NotImplemented") => (Verdict::Final, Outcome::Rejected),
        (500..=599, _) => (Verdict::Again, Outcome::Unknown),
        _ => (Verdict::Final, Outcome::Rejected),
    };
    Failed::of(verdict, outcome, Kind::Service(status, code))
}

/// What an error document under the status 200 means: there is only its code to go by.
fn under_200(code: &'static str) -> Failed {
    let (verdict, outcome) = match code {
        "SlowDown" => (Verdict::Slowly, Outcome::Rejected),
        "InternalError" | "ServiceUnavailable" => (Verdict::Again, Outcome::Unknown),
        _ => (Verdict::Final, Outcome::Unknown),
    };
    Failed::of(verdict, outcome, Kind::Service(200, code))
}

impl Outcome {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::NotSent => "not sent",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }
}

impl Kind {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Service(..) => "service",
            Self::Transport => "transport",
            Self::Timeout => "timeout",
            Self::Deadline => "deadline",
            Self::Corrupt => "corrupt",
            Self::Changed => "changed",
            Self::Unreadable => "unreadable",
            Self::Redirect => "redirect",
            Self::Callback => "callback",
            Self::Body => "body",
        }
    }
}

/// What a write is refused with because of what the object is, which may be the write's own doing.
const CONFLICTS: [&str; 3] = ["FileAlreadyExists", "PositionNotEqualToLength", "NoSuchUpload"];
const THROTTLE_BASE_MS: u64 = 1000;
const RETRY_AFTER_MARGIN_MS: u64 = 5000;
const LOOKS_MAX: u32 = 4;
