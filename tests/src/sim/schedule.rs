//! A schedule: what is called and what goes wrong, as data from one seed.

use oss_proto::{ByteRange, Effect, Policy, ReplyKind, Spec, Strategy, ops};

use crate::sim::chance::{Chance, mix, share};
use crate::sim::fault::{Fault, Refusal};
use crate::sim::rare::Place;

/// Everything that one run of the world is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Where it comes from; contents and latencies are drawn from it too.
    pub seed: u64,
    /// The calls, in no order.
    pub calls: Vec<Plan>,
    /// What happens besides, by its time in milliseconds.
    pub happenings: Vec<(u32, Happening)>,
    /// What happens to requests whose plan says nothing.
    pub weather: Weather,
    /// How many connections there can be at a time.
    pub connections_max: u16,
    /// How many tokens the retry budget holds.
    pub quota: u32,
    /// The longest that a step of the network takes, in milliseconds.
    pub latency_ms: u16,
    /// Whether the clock that never goes back is about to reach the end of its range.
    pub is_end_of_time: bool,
    /// What the client's clock is ahead, in seconds.
    pub client_ahead_secs: i64,
    /// What the peer's clock is ahead, in seconds.
    pub peer_ahead_secs: i64,
    /// The same at the second endpoint.
    pub other_ahead_secs: i64,
    /// How long credentials live, in seconds; for ever when there is nothing.
    pub keys_live_secs: Option<u32>,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its number, which stays when other calls are dropped from the schedule.
    pub id: u16,
    /// What is called.
    pub kind: Kind,
    /// Which of [`KEYS`] it is about.
    pub key: usize,
    /// How long its content is.
    pub len: u16,
    /// How its content comes.
    pub body: Source,
    /// Which part of the object a read asks for.
    pub span: Option<Span>,
    /// When it begins, in milliseconds.
    pub start_ms: u32,
    /// Its own limit, in milliseconds.
    pub timeout_ms: Option<u32>,
    /// At which of its events it is dropped.
    pub cancel_at: Option<u32>,
    /// How many attempts the policy allows; 0 switches retries off.
    pub attempts: u8,
    /// What pauses are computed from, in milliseconds.
    pub base_ms: u16,
    /// How long whoever takes the bytes of a read takes for each piece, in milliseconds.
    pub slow_ms: u16,
    /// Whether the service is one of versioned buckets.
    pub is_versioned: bool,
    /// Where it is made.
    pub place: Place,
    /// Whether it follows redirects.
    pub follows: bool,
    /// Whether what it writes is marked with a nonce.
    pub is_marked: bool,
    /// Whether its content is that of every other twin.
    pub is_twin: bool,
    /// What happens to its requests, in their order.
    pub faults: Vec<Fault>,
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `GetObject`, as a stream.
    Get,
    /// `HeadObject`.
    Head,
    /// `ListObjectsV2` of the whole bucket.
    List,
    /// `PutObject`.
    Put,
    /// `PutObject` that forbids to overwrite.
    PutNew,
    /// `PutObject` with a callback, and whether the application answers it.
    PutCalled(bool),
    /// `AppendObject` at the end of what the key held at first.
    Append,
    /// `DeleteObject`.
    Delete,
    /// `CopyObject` from the key of this index.
    Copy(usize),
    /// The same that forbids to overwrite.
    CopyNew(usize),
    /// `PutSymlink` to the key of this index that forbids to overwrite.
    Link(usize),
    /// `InitiateMultipartUpload`.
    Begin,
    /// `UploadPart` of this number.
    Part(u8),
    /// `CompleteMultipartUpload`.
    Complete,
    /// `DeleteMultipleObjects` of the key and the one after it.
    DeleteMany,
    /// The operation at this place of the catalogue, on a site of its own; against the emulator only.
    Named(usize),
}

/// How the content of a request comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It is in memory.
    Memory,
    /// A stream.
    Stream {
        /// Its length is said.
        is_sized: bool,
        /// It can be read again.
        is_replayable: bool,
        /// It breaks after so many bytes.
        fails_at: Option<u16>,
        /// How many bytes more or fewer it has than it says.
        surplus: i8,
    },
}

/// A range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// From the first to the last.
    Closed(u16, u16),
    /// From this one on.
    From(u16),
    /// So many at the end.
    Suffix(u16),
}

/// What happens beside the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Somebody else writes the object.
    Store(usize, u16),
    /// Somebody else appends to the object, if that can be.
    Extend(usize, u16),
    /// Somebody else deletes the object.
    Remove(usize),
    /// No connection can be made any more.
    Down,
    /// Connections can be made again.
    Up,
    /// The client's clock is set.
    ClientClock(i64),
    /// The peer's clock is set.
    PeerClock(i64),
    /// The access key is replaced; the peer does not know the old one any more.
    Rotate,
    /// The source of credentials fails from now on.
    KeysFail,
    /// The source of credentials does not answer from now on.
    KeysHang,
    /// The source of credentials works again.
    KeysWork,
    /// The peer closes every connection that is kept.
    CloseKept,
    /// The call of this number is dropped, whatever it waits for.
    Drop(u16),
}

/// What happens to requests by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Nothing.
    Fair,
    /// Between these times, in milliseconds, every answer is a failure.
    Outage(u32, u32),
    /// So many of a thousand answers are failures.
    Gusts(u16),
    /// No more than so many requests a second are served; others are throttled.
    Throttle(u32),
}

/// A key and what it holds at first.
pub struct KeyRow {
    /// The key.
    pub name: &'static str,
    /// How long the object is; `None` when there is none.
    pub len: Option<u16>,
    /// Whether it can be appended to.
    pub is_appendable: bool,
    /// How long the one part of the upload is that waits for this key.
    pub part: Option<u16>,
}

const fn key(name: &'static str, len: Option<u16>) -> KeyRow {
    KeyRow { name, len, is_appendable: false, part: None }
}

const fn upload(name: &'static str, part: u16) -> KeyRow {
    KeyRow { name, len: None, is_appendable: false, part: Some(part) }
}

/// The keys of every schedule.
pub const KEYS: [KeyRow; 10] = [
    key("a", Some(200)),
    key("b", Some(37)),
    key("c", None),
    key("d", None),
    KeyRow { is_appendable: true, ..key("log", Some(50)) },
    KeyRow { is_appendable: true, ..key("new-log", None) },
    upload("m0", 120),
    upload("m1", 31),
    // Nobody completes this one: its parts come and go.
    upload("parts", 9),
    key("link", None),
];
/// The index of the key whose upload takes parts.
pub const PARTS_KEY: usize = 8;
/// The index of the key that links are made at, and nothing else.
pub const LINK_KEY: usize = 9;

impl Schedule {
    /// A schedule without calls in which nothing happens.
    pub fn quiet(seed: u64) -> Self {
        Self {
            seed,
            calls: Vec::new(),
            happenings: Vec::new(),
            weather: Weather::Fair,
            connections_max: 4,
            quota: 500,
            latency_ms: 0,
            is_end_of_time: false,
            client_ahead_secs: 0,
            peer_ahead_secs: 0,
            other_ahead_secs: 0,
            keys_live_secs: None,
        }
    }

    /// The schedule of a seed.
    pub fn of(seed: u64) -> Self {
        let (mut schedule, mut chance) = Self::plain(seed);
        if chance.one_in(RARITY) {
            schedule.season(&mut chance);
        }
        schedule
    }

    /// The same with something rare in it, for every seed.
    pub fn rare(seed: u64) -> Self {
        let (mut schedule, mut chance) = Self::plain(seed);
        schedule.season(&mut chance);
        schedule
    }

    fn plain(seed: u64) -> (Self, Chance) {
        let mut chance = Chance::new(mix(&[seed]));
        let calls = match chance.below(20) {
            0..=11 => 1,
            12..=16 => 2,
            17 | 18 => 3 + chance.small(2),
            _ => 5 + chance.small(4),
        };
        let mut schedule = Self {
            connections_max: 1 + chance.small(4),
            quota: chance.one_of([500, 500, 500, 28, 14, 10, 0]),
            latency_ms: chance.one_of([0, 1, 5, 50, 50, 500, 12_000]),
            is_end_of_time: chance.one_in(60),
            ..Self::quiet(seed)
        };
        if chance.one_in(12) {
            schedule.client_ahead_secs = any_offset(&mut chance);
        }
        if chance.one_in(20) {
            schedule.peer_ahead_secs = any_offset(&mut chance).clamp(-DECADE_SECS, DECADE_SECS);
        }
        if chance.one_in(20) {
            schedule.keys_live_secs = Some(u32::from(chance.small(200)));
        }
        let mut completed = 0;
        for id in 0..calls {
            let mut plan = Plan::any(id, &mut chance);
            if plan.kind == Kind::Complete {
                // Each upload is completed by one call, so that whose work it was can be told.
                plan.key = UPLOAD_KEYS[completed.min(1)];
                completed += 1;
                if completed > UPLOAD_KEYS.len() {
                    plan.kind = Kind::Begin;
                }
            }
            schedule.calls.push(plan);
        }
        if chance.one_in(4) {
            for _ in 0..=chance.small(4) {
                let time = u32::from(chance.uneven(3, 60_000, 600));
                schedule.happenings.push((time, Happening::any(&mut chance)));
            }
        }
        (schedule, chance)
    }

    /// How long the step of this number takes for a call, in nanoseconds.
    pub fn latency_ns(&self, call: u16, step: u64) -> u64 {
        share(mix(&[self.seed, u64::from(call), step]), u64::from(self.latency_ms) * 1_000_000 + 1)
    }

    /// What happens to the request of a call, counted from 0, at this time.
    pub fn fault(&self, plan: &Plan, request: usize, now_ns: u64, throttle: &mut (u64, u32)) -> Fault {
        if let Some(fault) = plan.faults.get(request) {
            return *fault;
        }
        let now_ms = now_ns / 1_000_000;
        match self.weather {
            Weather::Fair => Fault::Calm,
            Weather::Outage(from, until) if (u64::from(from)..u64::from(until)).contains(&now_ms) => {
                Fault::Refuse(Refusal::INTERNAL)
            }
            Weather::Outage(..) => Fault::Calm,
            Weather::Gusts(of_thousand) => {
                let draw = share(mix(&[self.seed, u64::from(plan.id), request as u64, 77]), 1000);
                if draw < u64::from(of_thousand) { Fault::Refuse(Refusal::INTERNAL) } else { Fault::Calm }
            }
            Weather::Throttle(per_second) => {
                let second = now_ms / 1000;
                *throttle = if throttle.0 == second { (second, throttle.1 + 1) } else { (second, 1) };
                if throttle.1 > per_second { Fault::Refuse(Refusal::SLOW_DOWN) } else { Fault::Calm }
            }
        }
    }
}

impl Plan {
    /// A call of this kind that nothing happens to.
    pub fn new(id: u16, kind: Kind, key: usize) -> Self {
        Self {
            id,
            kind,
            key,
            len: 100,
            body: Source::Memory,
            span: None,
            start_ms: 0,
            timeout_ms: None,
            cancel_at: None,
            attempts: 3,
            base_ms: 200,
            slow_ms: 0,
            is_versioned: false,
            place: Place::Address,
            follows: false,
            is_marked: false,
            is_twin: false,
            faults: Vec::new(),
        }
    }

    fn any(id: u16, chance: &mut Chance) -> Self {
        let (kind, key) = Kind::any(chance);
        let mut plan = Self::new(id, kind, key);
        plan.len = chance.uneven(3, 9, 256);
        plan.start_ms = u32::from(chance.uneven(2, 1, 800));
        plan.attempts = chance.one_of([3, 3, 3, 3, 2, 1, 4, 0]);
        plan.base_ms = chance.one_of([200, 200, 1, 0, 3000]);
        plan.is_versioned = chance.one_in(12);
        if kind.has_content() && chance.one_in(3) {
            plan.body = Source::any(plan.len, chance);
        }
        if kind == Kind::Get {
            plan.span = (!chance.one_in(3)).then(|| Span::any(chance));
            plan.slow_ms = chance.one_of([0, 0, 0, 0, 40, 30_000]);
        }
        if chance.one_in(4) {
            let most = chance.one_of([60, 900, 60_000]);
            plan.timeout_ms = Some(u32::from(chance.small(most)));
        }
        if chance.one_in(8) {
            plan.cancel_at = Some(1 + u32::from(chance.small(14)));
        }
        if !chance.one_in(4) {
            let calm = chance.one_in(3);
            for _ in 0..=chance.small(5) {
                let fault = if calm && chance.one_in(2) { Fault::Calm } else { Fault::any(chance) };
                plan.faults.push(fault);
            }
        }
        plan
    }

    /// Whether a completion says what the object must be, so that it can be looked up.
    pub fn knows_object(&self) -> bool {
        self.len.is_multiple_of(2)
    }

    /// The policy of the call.
    pub fn policy(&self) -> Policy {
        let policy = Policy::new()
            .with_max_attempts(u32::from(self.attempts))
            .with_base_delay(core::time::Duration::from_millis(u64::from(self.base_ms)));
        if self.attempts == 0 { policy.with_strategy(Strategy::None) } else { policy }
    }
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Get,
        Self::Head,
        Self::List,
        Self::Put,
        Self::PutNew,
        Self::Append,
        Self::Delete,
        Self::Copy(0),
        Self::PutCalled(true),
        Self::CopyNew(0),
        Self::Link(0),
        Self::Begin,
        Self::Part(1),
        Self::Complete,
        Self::DeleteMany,
    ];

    fn any(chance: &mut Chance) -> (Self, usize) {
        let key = chance.one_of([0, 0, 1, 2, 3]);
        match chance.below(24) {
            0..=5 => (Self::Get, chance.one_of([0, 0, 0, 1, 2, 4])),
            6 => (Self::Head, key),
            7 => (Self::List, 0),
            8..=10 => (Self::Put, key),
            11..=14 => (Self::PutNew, chance.one_of([2, 3, 3, 0])),
            15..=17 => (Self::Append, chance.one_of([4, 5, 5])),
            18 => (Self::Delete, key),
            19 => (Self::Copy(chance.one_of([0, 1, 2])), chance.one_of([1, 2, 3])),
            20 => (Self::Begin, key),
            21 => (Self::Part(chance.one_of([1, 2, 3])), PARTS_KEY),
            22 => (Self::Complete, UPLOAD_KEYS[0]),
            _ => (Self::DeleteMany, key),
        }
    }

    /// Whether the call has a content of its own.
    pub fn has_content(self) -> bool {
        matches!(self, Self::Put | Self::PutNew | Self::PutCalled(_) | Self::Append | Self::Part(_))
    }

    /// Whether its answer is a document.
    pub fn has_document(self) -> bool {
        let is_xml = |spec: &Spec| matches!(spec.reply, ReplyKind::Xml { .. });
        self.spec().is_some_and(is_xml)
            || matches!(
                self,
                Self::List
                    | Self::Copy(_)
                    | Self::CopyNew(_)
                    | Self::Begin
                    | Self::Complete
                    | Self::DeleteMany
            )
    }

    /// Whether the call only reads.
    pub fn is_read(self) -> bool {
        self.spec().is_some_and(|spec| spec.effect == Effect::Read)
            || matches!(self, Self::Get | Self::Head | Self::List)
    }

    /// Whether a look may tell what became of it.
    pub fn is_conditional(self) -> bool {
        self.spec().is_some_and(|spec| spec.effect == Effect::Conditional)
            || matches!(self, Self::PutNew | Self::CopyNew(_) | Self::Link(_) | Self::Append | Self::Complete)
    }

    /// The table of an operation that is called by its name.
    pub fn spec(self) -> Option<&'static Spec> {
        match self {
            Self::Named(place) => ops::ALL.get(place).copied(),
            _ => None,
        }
    }
}

impl Source {
    fn any(len: u16, chance: &mut Chance) -> Self {
        Self::Stream {
            is_sized: !chance.one_in(3),
            is_replayable: !chance.one_in(3),
            fails_at: chance.one_in(6).then(|| chance.small(len.saturating_add(1))),
            surplus: if chance.one_in(8) { chance.one_of([-1, 1, -7, 20]) } else { 0 },
        }
    }
}

impl Span {
    fn any(chance: &mut Chance) -> Self {
        let (first, len) = (chance.small(210), chance.small(120));
        match chance.below(5) {
            0..=2 => Self::Closed(first, first + len),
            3 => Self::From(first),
            _ => Self::Suffix(len + 1),
        }
    }

    /// As the operation has it.
    pub fn range(self) -> ByteRange {
        match self {
            Self::Closed(first, last) => ByteRange::new(u64::from(first)..=u64::from(last)),
            Self::From(first) => ByteRange::new(u64::from(first)..),
            Self::Suffix(len) => ByteRange::suffix(u64::from(len)),
        }
    }
}

impl Happening {
    fn any(chance: &mut Chance) -> Self {
        match chance.below(16) {
            0..=2 => Self::Store(chance.one_of([0, 1, 2]), chance.small(256)),
            3 => Self::Extend(chance.one_of([4, 5]), 1 + chance.small(60)),
            4 | 5 => Self::Remove(chance.one_of([0, 1])),
            6 => Self::Down,
            7 => Self::Up,
            8 => Self::ClientClock(any_offset(chance)),
            9 => Self::PeerClock(any_offset(chance).clamp(-DECADE_SECS, DECADE_SECS)),
            10 | 11 => Self::Rotate,
            12 => Self::KeysFail,
            13 => Self::KeysHang,
            14 => Self::KeysWork,
            _ => Self::CloseKept,
        }
    }
}

pub(super) fn any_offset(chance: &mut Chance) -> i64 {
    let size = chance.one_of([1, 300, 1200, 3600, 80_000, DECADE_SECS]);
    match chance.below(20) {
        0 => i64::MAX,
        1 => i64::MIN,
        2..=9 => -size,
        _ => size,
    }
}

const DECADE_SECS: i64 = 315_576_000;
/// One schedule of so many has something rare in it.
const RARITY: u64 = 8;
const UPLOAD_KEYS: [usize; 2] = [6, 7];
