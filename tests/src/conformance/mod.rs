//! What every driver of `oss-proto` must do alike: some ninety small stories, told by what the peer saw and
//! what the caller got.
//!
//! A [`Scenario`] is data: what the peer holds, what it does to each request ([`Deed`]), which calls are
//! made, and the [`Transcript`] that must come of it. [`conformance`] runs them all on a driver. The
//! workspace runs them on a simulated world ([`simulated`]), on blocking sockets ([`blocking`]) and on hyper;
//! a driver of your own needs a [`Stage`] of about forty lines.
//!
//! ```
//! use oss_sim::conformance::{conformance, simulated};
//!
//! conformance(simulated);
//! ```

mod hyper;
mod job;
mod overheard;
mod scenarios;
mod stages;

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;
use std::io::{self, Read};

use bytes::Bytes;
use oss_proto::{
    Credentials, Endpoint, Error, GetObject, Operation, Policy, Region, Reply, Service, Settings, Verified,
};

use crate::peer::{BROKEN_OFF, Deed, Peer, REGION, credentials};

pub use hyper::{Hyper, hyper};
pub use job::{Job, Memory};
pub use overheard::{Notes, Overheard};
pub use scenarios::scenarios;
pub use stages::{Blocking, Rota, Simulated, blocking, simulated};

/// Runs every scenario on a driver and compares what came of it with what must.
///
/// # Panics
/// When a transcript is another than the scenario says; the message shows both.
pub fn conformance(run: impl Fn(&Scenario) -> Transcript) {
    let mut differences = String::new();
    for scenario in scenarios() {
        let found = run(&scenario);
        if found != scenario.expected {
            differences.push_str(&format!("\n{}\n{}", scenario.name, scenario.expected.against(&found)));
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

/// One story, as data.
pub struct Scenario {
    /// Its name, with the rows of the fault matrix that it shows.
    pub name: &'static str,
    /// What the peer's bucket holds at the start.
    pub holds: Vec<(&'static str, Bytes)>,
    /// What the peer does to the requests in their order; after the last one it serves them.
    pub deeds: Vec<Deed>,
    /// What happens.
    pub steps: Vec<Step>,
    /// What must come of it.
    pub expected: Transcript,
    /// What the peer's clock is ahead, in seconds.
    pub ahead_secs: i64,
    /// No connection can be made.
    pub is_down: bool,
    /// Whether it matters which connection a request comes on.
    pub watches_connections: bool,
    /// Whether drivers may differ in their attempts: one meets a closed connection, another saw it close.
    pub hides_attempts: bool,
    /// Whether drivers may differ in what the peer sees of a request that they break off.
    pub hides_broken_requests: bool,
    /// What the credential source gives, one after the other; the last one again and again.
    pub credentials: Vec<Credentials>,
    tune: Arc<dyn Fn(&mut Settings) + Send + Sync>,
    set_up: SetUp,
}

type SetUp = Arc<dyn Fn(&mut Peer, Duration) + Send + Sync>;

/// What happens in a scenario.
pub enum Step {
    /// A call is made; the content is for a body that is a stream.
    Call(Box<dyn Fn(&Memory) -> Job + Send + Sync>, Content),
    /// Time passes.
    Pause(Duration),
    /// The peer's clock is set, to so many seconds ahead.
    PeerClock(i64),
}

/// The content of a streamed body.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// Its bytes.
    pub bytes: Bytes,
    /// The source breaks after so many of them.
    pub fails_after: Option<usize>,
}

/// What came of a scenario: a line for each request, each result, and each thing in the bucket at the end.
///
/// No timings, no addresses and no names that the peer made up, so that it is the same for every driver.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Transcript(pub Vec<String>);

/// A driver with a peer at its other end.
pub trait Stage {
    /// Makes a call; the content is for a body that is a stream.
    ///
    /// # Errors
    /// What the call ends with.
    fn call<O>(&mut self, operation: &O, content: &Content) -> Result<Reply<O::Output>, Error>
    where
        O: Operation<Output: fmt::Debug + Send> + Clone + fmt::Debug + Send + Sync + 'static;

    /// Reads an object as a stream into `sink`.
    ///
    /// # Errors
    /// What the read ends with.
    fn fetch(&mut self, operation: &GetObject, sink: &mut Vec<u8>) -> Result<Reply<Verified>, Error>;

    /// Lets time pass.
    fn pause(&mut self, time: Duration);

    /// The waits before repetitions since this was asked last; `None` where they pass unseen.
    fn waits(&mut self) -> Option<Vec<Duration>> {
        None
    }

    /// Looks at the peer.
    fn peer<T>(&mut self, look: impl FnOnce(&mut Peer) -> T) -> T;
}

impl Scenario {
    /// A story in which nothing happens yet.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            holds: Vec::new(),
            deeds: Vec::new(),
            steps: Vec::new(),
            expected: Transcript::default(),
            ahead_secs: 0,
            is_down: false,
            watches_connections: false,
            hides_attempts: false,
            hides_broken_requests: false,
            credentials: vec![credentials()],
            tune: Arc::new(|_| {}),
            set_up: Arc::new(|_, _| {}),
        }
    }

    /// The bucket holds this object.
    #[must_use]
    pub fn holds(mut self, key: &'static str, content: impl Into<Bytes>) -> Self {
        self.holds.push((key, content.into()));
        self
    }

    /// The peer does this to the requests.
    #[must_use]
    pub fn deeds(mut self, deeds: impl IntoIterator<Item = Deed>) -> Self {
        self.deeds.extend(deeds);
        self
    }

    /// Then this call is made.
    #[must_use]
    pub fn call(self, job: impl Into<Job>) -> Self {
        let job = job.into();
        self.call_with(move |_| job.clone())
    }

    /// Then this call is made, which needs what an earlier one gave.
    #[must_use]
    pub fn call_with(mut self, job: impl Fn(&Memory) -> Job + Send + Sync + 'static) -> Self {
        self.steps.push(Step::Call(Box::new(job), Content::default()));
        self
    }

    /// Then this call is made with a streamed body.
    #[must_use]
    pub fn stream(mut self, job: impl Into<Job>, content: Content) -> Self {
        let job = job.into();
        self.steps.push(Step::Call(Box::new(move |_| job.clone()), content));
        self
    }

    /// Then something else happens.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// With other settings of the client than a quick and patient test's.
    #[must_use]
    pub fn tuned(mut self, tune: impl Fn(&mut Settings) + Send + Sync + 'static) -> Self {
        self.tune = Arc::new(tune);
        self
    }

    /// The peer is prepared like this before the story begins.
    #[must_use]
    pub fn set_up(mut self, set_up: impl Fn(&mut Peer, Duration) + Send + Sync + 'static) -> Self {
        self.set_up = Arc::new(set_up);
        self
    }

    /// With these credentials, one after the other.
    #[must_use]
    pub fn credentials(mut self, credentials: impl IntoIterator<Item = Credentials>) -> Self {
        self.credentials = credentials.into_iter().collect();
        self
    }

    /// The peer's clock is so many seconds ahead.
    #[must_use]
    pub fn ahead(mut self, seconds: i64) -> Self {
        self.ahead_secs = seconds;
        self
    }

    /// No connection can be made.
    #[must_use]
    pub fn down(mut self) -> Self {
        self.is_down = true;
        self
    }

    /// It matters which connection a request comes on.
    #[must_use]
    pub fn watches_connections(mut self) -> Self {
        self.watches_connections = true;
        self
    }

    /// Drivers may differ in their attempts.
    #[must_use]
    pub fn hides_attempts(mut self) -> Self {
        self.hides_attempts = true;
        self
    }

    /// Drivers may differ in what the peer sees of a request that they break off.
    #[must_use]
    pub fn hides_broken_requests(mut self) -> Self {
        self.hides_broken_requests = true;
        self
    }

    /// This must come of it.
    #[must_use]
    pub fn expects<const N: usize>(mut self, lines: [&str; N]) -> Self {
        self.expected = Transcript(lines.map(String::from).to_vec());
        self
    }

    /// The client's service at this endpoint: three quick attempts, and no hurry.
    ///
    /// # Panics
    /// When the endpoint is none.
    pub fn service(&self, endpoint: &str) -> Service {
        let region = Region::parse(REGION).expect("the region is a constant");
        let endpoint = Endpoint::parse(endpoint).expect("a stage gives the address that it listens on");
        let policy = Policy::new()
            .with_base_delay(Duration::from_millis(1))
            .with_max_backoff(Duration::from_millis(5));
        Service::new(endpoint).with_region(region).with_retry(policy).with(&*self.tune)
    }

    /// The peer at the start of the story; `now` is the time since the Unix epoch.
    pub fn peer(&self, now: Duration) -> Peer {
        let mut peer = Peer::new(self.deeds.clone(), self.watches_connections, now);
        for (key, content) in &self.holds {
            peer.store(key, content, now);
        }
        (self.set_up)(&mut peer, now);
        peer.ahead_secs = self.ahead_secs;
        peer
    }

    /// Tells the story on a stage.
    pub fn play<S: Stage>(&self, stage: &mut S) -> Transcript {
        let mut memory = Memory::default();
        let mut lines = Vec::new();
        for step in &self.steps {
            match step {
                Step::Call(job, content) => {
                    let seen = stage.peer(|peer| peer.seen());
                    let told = job(&memory).run(stage, content, &mut memory);
                    // What broke off may be known here before it is known there.
                    let due = if self.hides_broken_requests { 0 } else { seen + told.sent_at_least };
                    for _ in 0..PEER_TURNS_MAX {
                        if stage.peer(|peer| !peer.is_reading() && peer.seen() >= due) {
                            break;
                        }
                        stage.pause(PEER_TURN);
                    }
                    let hides = |line: &String| self.hides_broken_requests && line.ends_with(BROKEN_OFF);
                    lines.extend(stage.peer(Peer::take_log).into_iter().filter(|line| !hides(line)));
                    lines.extend(told.lines.into_iter().map(|line| self.without_attempts(line)));
                }
                Step::Pause(time) => stage.pause(*time),
                Step::PeerClock(seconds) => stage.peer(|peer| peer.ahead_secs = *seconds),
            }
        }
        lines.extend(stage.peer(|peer| peer.holds()));
        Transcript(lines.into_iter().map(|line| memory.forget(line)).collect())
    }

    fn without_attempts(&self, line: String) -> String {
        let Some((before, after)) = line.split_once(" attempt").filter(|_| self.hides_attempts) else {
            return line;
        };
        let before = before.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches([',', ' ']);
        format!("{before}{}", after.strip_prefix('s').unwrap_or(after))
    }
}

impl Content {
    /// Content that comes in full.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), fails_after: None }
    }

    /// Content whose source breaks after so many bytes.
    pub fn failing_after(bytes: impl Into<Bytes>, len: usize) -> Self {
        Self { bytes: bytes.into(), fails_after: Some(len) }
    }

    /// Opens it at its start.
    ///
    /// # Errors
    /// Never; a driver's own sources may.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let len = self.fails_after.unwrap_or(self.bytes.len()).min(self.bytes.len());
        let whole = io::Cursor::new(self.bytes.slice(..len));
        Ok(if self.fails_after.is_some() { Box::new(whole.chain(Broken)) } else { Box::new(whole) })
    }
}

/// A source that fails.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the source broke"))
    }
}

impl Transcript {
    /// Both, line beside line, for a message.
    fn against(&self, found: &Self) -> String {
        let mut text = String::new();
        for at in 0..self.0.len().max(found.0.len()) {
            match (self.0.get(at), found.0.get(at)) {
                (Some(due), Some(is)) if due == is => text.push_str(&format!("    {due}\n")),
                (due, is) => {
                    due.into_iter().for_each(|line| text.push_str(&format!("due {line}\n")));
                    is.into_iter().for_each(|line| text.push_str(&format!("is  {line}\n")));
                }
            }
        }
        text
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

const PEER_TURN: Duration = Duration::from_millis(5);
const PEER_TURNS_MAX: usize = 400;
