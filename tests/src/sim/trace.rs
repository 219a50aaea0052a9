//! What happened, as one number; as text for whoever looks at a single schedule.

use oss_proto::{Error, ErrorKind, Outcome};

/// The hash of all events, and their text when it is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    hash: u64,
    /// A line for each event.
    pub(crate) lines: Option<Vec<String>>,
}

impl Trace {
    /// Nothing has happened yet.
    pub(crate) fn new(is_told: bool) -> Self {
        Self { hash: OFFSET, lines: is_told.then(Vec::new) }
    }

    /// Something happened.
    pub(crate) fn note(&mut self, now: u64, call: u16, what: &str, detail: u64) {
        // Of the word its length and its first letter do: others of the same kind differ in the detail.
        let word = (what.len() as u64) << 8 | u64::from(what.as_bytes().first().copied().unwrap_or(0));
        for word in [now, u64::from(call) << 32 | word, detail] {
            self.hash = (self.hash ^ word).wrapping_mul(PRIME).rotate_left(29);
        }
        if let Some(lines) = &mut self.lines {
            let millis = now / 1_000_000;
            lines.push(format!("{:>6}.{:03} call {call}: {what} {detail}", millis / 1000, millis % 1000));
        }
    }

    /// A line for whoever looks, which the hash does not know.
    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("           {}", line()));
        }
    }

    /// Everything so far.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}

/// What many schedules came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many there were.
    pub schedules: u64,
    /// Calls that were made.
    pub calls: u64,
    /// Events that were handled.
    pub events: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// How the calls ended, by [`ENDINGS`].
    pub endings: [u64; ENDINGS.len()],
    /// What is said of those that failed: not sent, rejected, unknown.
    pub outcomes: [u64; 3],
    /// The hashes of all schedules together, in whatever order they ran.
    pub hash: u64,
}

/// How a call can end.
pub const ENDINGS: [&str; 12] = [
    "ok",
    "service",
    "deadline",
    "transport",
    "corrupt",
    "changed",
    "reply",
    "credentials",
    "moved",
    "invalid",
    "misuse",
    "cancelled",
];

impl Tally {
    /// Both together.
    pub fn add(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.calls += other.calls;
        self.events += other.events;
        self.requests += other.requests;
        self.hash = self.hash.wrapping_add(other.hash);
        self.endings.iter_mut().zip(other.endings).for_each(|(ours, theirs)| *ours += theirs);
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(ours, theirs)| *ours += theirs);
    }

    /// A call failed.
    pub(crate) fn count(&mut self, error: &Error) {
        self.endings[ending(error)] += 1;
        self.outcomes[match error.outcome() {
            Outcome::NotSent => 0,
            Outcome::Rejected => 1,
            Outcome::Unknown => 2,
        }] += 1;
    }
}

/// The place of an error in [`ENDINGS`].
pub(crate) fn ending(error: &Error) -> usize {
    match error.kind() {
        ErrorKind::Service(_) | ErrorKind::StoredButCallbackFailed(_) => 1,
        ErrorKind::Deadline(_) => 2,
        ErrorKind::Transport(_) => 3,
        ErrorKind::Corrupt(_) => 4,
        ErrorKind::ObjectChanged(_) => 5,
        ErrorKind::Reply(_) => 6,
        ErrorKind::Credentials(_) => 7,
        ErrorKind::Moved(_) => 8,
        ErrorKind::Invalid(_) => 9,
        _ => 10,
    }
}

const OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01B3;
