//! The machine that keeps credentials fresh.

use core::time::Duration;

use oss_sign::UnixTime;

use crate::chance::Chance;
use crate::search::{Grant, Plan, Progress, Search, Stamps};
use crate::{Answer, CredentialError, Credentials, Generation, Lookup, Source, SourceName, Trail};

/// Keeps the credentials of one source fresh for any number of callers, and asks for what it does not know.
///
/// # The contract
///
/// Each caller polls for itself. [`Step::Ready`] and [`Step::Failed`] end its turn. [`Step::Ask`] makes it
/// responsible for one question: it finds the answer, hands it to [`answer`](Self::answer) and polls again; a
/// caller that is dropped first calls [`abandon`](Self::abandon), and another caller takes over. A driver may
/// as well give the question to a task of its own and poll again at once: while the old credentials are still
/// good, it gets them then. [`Step::Wait`] says that somebody else has a question in hand: poll again after
/// any `answer`, `abandon` or `invalidate`, or at the given time; how long to wait in all is the caller's own
/// business. A question whose time limit has passed is answered with [`Answer::Unavailable`], so that the
/// next try is delayed.
///
/// `mono` is a clock that never goes back, from any start; `wall` is the time of day, already corrected by
/// what is known of its error. Clocks that jump, answers that nobody asked for, and any order of calls are
/// survived.
///
/// # What happens over time
///
/// ```text
///                 found                 80 % of life, less 0–10 %         end of life
///   nothing ───────────────▶ fresh ──────────────────▶ usable, due ──────────────▶ expired
///   Ask│Wait│Failed  ▲       Ready ◀──────────────────   Ask, then Ready           Ask│Wait│Failed
///      ▲             │                    found            │    ▲                   │
///      │             └─────────────────────────────────────┼────┼─── found ─────────┘
///      │ invalidate (from anywhere)                  failed│    │1 s … 60 s later
///                                                          ▼    │
///                                                       usable, quiet: Ready
///
///   a lookup:  none ──poll──▶ asked ──answer──▶ found │ failed │ next question, free to take
///                               │  ▲
///                        abandon│  │poll, by whoever comes next
///                               ▼  │
///                              free to take ──90 s──▶ none
/// ```
///
/// At most one question is out at any time. A failed lookup leaves the held credentials alone; all callers
/// share its error until the next try, after 1–2 s at first and 30–60 s in the end. Credentials live until
/// they expire, but 12 hours at most; with a token and no stated end, 15 minutes; with neither, for ever.
/// When the source gives the same credentials again, that is no error: they are asked for again later.
#[derive(Debug)]
pub struct CredentialCache {
    plan: Plan,
    held: Option<Held>,
    flight: Option<Flight>,
    /// The error of the latest lookup, if that failed.
    trouble: Option<CredentialError>,
    /// Lookups in a row that brought nothing new.
    fruitless: u32,
    /// Until then no lookup is begun after one that failed, nor while there is something usable.
    quiet_until: Duration,
    tickets: u64,
    generation: Generation,
    /// The service did not accept these: the next caller asks again.
    refused: Option<Generation>,
    /// What the latest lookup that ended has tried.
    trail: Trail,
    chance: Chance,
    stamps: Stamps,
    /// Both clocks when they were last read.
    seen: Option<Now>,
}

impl CredentialCache {
    /// Makes a cache that has asked nothing yet.
    ///
    /// The seed spreads refreshes and delays: give each process its own, and a test a fixed one.
    pub fn new(source: Source, seed: u64) -> Self {
        Self {
            plan: Plan::new(source),
            held: None,
            flight: None,
            trouble: None,
            fruitless: 0,
            quiet_until: Duration::ZERO,
            tickets: 0,
            generation: Generation::default(),
            refused: None,
            trail: Trail::default(),
            chance: Chance::new(seed),
            stamps: Stamps::new(seed),
            seen: None,
        }
    }

    /// Says what a caller with this need has to do now; the type's first section is the contract.
    pub fn poll(&mut self, need: Need, mono: Duration, wall: UnixTime) -> Step {
        let now = Now { mono, wall };
        self.notice(now);
        if let Some(step) = self.judge(need, now) {
            return step;
        }
        if let Some(step) = self.ask(now) {
            return step;
        }
        // A source that asks nothing has settled the lookup on the spot: take its result, whatever the need.
        match (&self.held, &self.trouble) {
            (Some(held), _) if !held.has_expired(now) => Step::Ready(held.credentials.clone()),
            (_, Some(error)) => Step::Failed(error.clone()),
            (_, None) => Step::Failed(self.trail.not_found()),
        }
    }

    /// Takes the answer to a question.
    ///
    /// An answer to a question that was abandoned counts if nobody took over yet; any other answer that is
    /// not waited for is dropped.
    pub fn answer(&mut self, ticket: Ticket, answer: Answer, mono: Duration, wall: UnixTime) {
        let now = Now { mono, wall };
        self.notice(now);
        let Some(mut flight) = self.flight.take_if(|flight| flight.ticket == Some(ticket)) else {
            return;
        };
        let clock = Clock::of(&answer, wall);
        let progress = flight.search.answer(answer, &self.plan, wall, &mut self.stamps);
        // What was asked before `invalidate` may be what had to be forgotten; a failure counts all the same,
        // so that no sequence of calls defeats the delay after it.
        if flight.outdated && !matches!(progress, Progress::Failed(_)) {
            return;
        }
        self.settle(flight.search, progress, clock, now);
    }

    /// Gives a question back unanswered, since its asker is gone: the next caller that needs it takes over.
    pub fn abandon(&mut self, ticket: Ticket) {
        if let Some(flight) = self.flight.as_mut().filter(|flight| flight.ticket == Some(ticket)) {
            flight.asked = None;
        }
    }

    /// Takes note that the service did not accept these credentials: one refresh follows, however many
    /// callers say so.
    ///
    /// They are held on to when the source has no others: the service has the last word then. While the
    /// source fails, everybody gets its error.
    pub fn refuse(&mut self, generation: Generation) {
        // A slow caller may speak of those before.
        if self.held.as_ref().is_some_and(|held| held.credentials.generation() == generation) {
            self.refused = Some(generation);
        }
    }

    /// Forgets the held credentials and which source of a chain gave them; callers wait for new ones.
    ///
    /// A question that is out stays the only one, and only then is another asked; what was found by it does
    /// not count. The delay after a failed lookup remains.
    pub fn invalidate(&mut self) {
        self.held = None;
        self.plan.forget();
        match &mut self.flight {
            Some(flight) if flight.asked.is_some() => flight.outdated = true,
            _ => self.flight = None,
        }
    }

    /// Says what the latest lookup tried, in order, and why each source was passed over; for people.
    pub fn explain(&self) -> &Trail {
        self.flight.as_ref().map_or(&self.trail, |flight| &flight.search.trail)
    }

    /// Says which source has a question out or free to take; for an error of a driver whose time is up.
    pub fn asking(&self) -> Option<SourceName> {
        self.flight.as_ref()?.search.source()
    }

    /// Forgets what STS taught about the clock when that was set right meanwhile, as by what OSS taught the
    /// caller: to correct it twice would be as wrong as before.
    fn notice(&mut self, now: Now) {
        let Some(seen) = self.seen.replace(now) else {
            return;
        };
        let passed = now.mono.saturating_sub(seen.mono).as_secs();
        let jump = now.wall.secs_since(seen.wall).saturating_sub_unsigned(passed);
        let ahead = self.stamps.ahead;
        if ahead.unsigned_abs() > CLOCK_SLACK_SECS && jump.abs_diff(ahead) <= CLOCK_SLACK_SECS {
            self.stamps.ahead = 0;
        }
    }

    /// Decides without asking; `None` when it is time to ask.
    fn judge(&self, need: Need, now: Now) -> Option<Step> {
        let usable = self.held.as_ref().filter(|held| !held.has_expired(now));
        let rejected = usable.is_some_and(|held| {
            let generation = Some(held.credentials.generation());
            need.instead_of == generation || self.refused == generation
        });
        let enough = usable.is_some_and(|held| !rejected && held.reaches(need, now));
        let ready = |held: &Held| Some(Step::Ready(held.credentials.clone()));

        if let Some(held) = usable.filter(|held| enough && !held.is_due(now)) {
            return ready(held);
        }
        if let Some(until) = self.flight.as_ref().and_then(|flight| flight.wait(now)) {
            // Others would be better, but a source that failed a moment ago is not worth waiting for.
            let will_do = enough || !rejected && self.trouble.is_some();
            return usable.filter(|_| will_do).map_or(Some(Step::Wait { until }), ready);
        }
        if !self.is_quiet(now) {
            return None;
        }
        match (usable, &self.trouble) {
            (Some(held), _) if !rejected => ready(held),
            (_, Some(error)) => Some(Step::Failed(error.clone())),
            // The source said moments ago that it has nothing else: the service has the last word on these.
            (Some(held), None) => ready(held),
            (None, None) => None,
        }
    }

    /// Hands out the question that is free to take, or begins a lookup; `None` when that needed no question.
    fn ask(&mut self, now: Now) -> Option<Step> {
        self.flight.take_if(|flight| flight.outdated || flight.is_stale(now));
        if self.flight.is_none() {
            let (search, progress) = Search::begin(&self.plan, now.wall, &mut self.stamps);
            self.settle(search, progress, Clock::default(), now);
        }
        let flight = self.flight.as_mut()?;
        let question = flight.search.question(now.wall, &mut self.stamps)?;
        self.tickets = self.tickets.wrapping_add(1);
        let ticket = Ticket(self.tickets);
        flight.ticket = Some(ticket);
        flight.asked = Some(now.mono);
        flight.moved = now.mono;
        Some(Step::Ask(ticket, question))
    }

    /// Takes note of what has become of a lookup.
    fn settle(&mut self, search: Search, progress: Progress, clock: Clock, now: Now) {
        match progress {
            Progress::Asks => {
                let moved = now.mono;
                self.flight = Some(Flight { search, ticket: None, asked: None, moved, outdated: false });
            }
            Progress::Found(grant) => {
                if self.keep(grant, clock, now) {
                    self.plan.commit(search.wins());
                }
                self.trail = search.trail;
            }
            Progress::Failed(error) => {
                self.fail(error, now);
                self.trail = search.trail;
            }
        }
    }

    /// Whether these are valid, and therefore kept.
    fn keep(&mut self, grant: Grant, clock: Clock, now: Now) -> bool {
        let Grant { credentials, is_renewed_late } = grant;
        let span = match life_of(&credentials, clock.correct(now.wall)) {
            Ok(span) => span,
            Err(error) => {
                self.fail(error, now);
                return false;
            }
        };
        let unchanged = self.held.as_ref().is_some_and(|held| held.credentials == credentials);
        let rest = if unchanged {
            self.backoff(now)
        } else {
            self.generation = self.generation.next();
            self.fruitless = 0;
            BACKOFF_MIN
        };
        // A clock that is behind may be set right while these live, which must not end them.
        let from = Now { wall: now.wall.max(clock.correct(now.wall)), ..now };
        let life = span.map(|span| {
            let refresh = self.refresh_after(span, is_renewed_late);
            Life { span, refresh: from.after(refresh), end: from.after(span) }
        });
        self.held = Some(Held { credentials: credentials.stamped(self.generation), life });
        self.trouble = None;
        // Those that are the same as before are all there is.
        self.refused = None;
        self.quiet_until = now.mono.saturating_add(rest);
        true
    }

    /// When to ask for the next, in a life of this length.
    fn refresh_after(&mut self, span: Duration, is_renewed_late: bool) -> Duration {
        // To ask before the next credentials show up would bring the same once more.
        if is_renewed_late && span > LATE_SHOWN * 5 / 4 {
            return span - LATE_SHOWN + self.chance.between(Duration::ZERO, LATE_SPREAD);
        }
        span * 4 / 5 - self.chance.between(Duration::ZERO, span / 10)
    }

    fn fail(&mut self, error: CredentialError, now: Now) {
        self.trouble = Some(error);
        self.quiet_until = now.mono.saturating_add(self.backoff(now));
    }

    /// The delay after one more lookup that brought nothing new: 1–2 s, 2–4 s, … 30–60 s.
    fn backoff(&mut self, now: Now) -> Duration {
        // Lookups that lie far apart are no row: a source that repeats itself every hour is not failing.
        let in_a_row = now.mono.saturating_sub(self.quiet_until) <= BACKOFF_MAX;
        self.fruitless = if in_a_row { self.fruitless.saturating_add(1) } else { 1 };
        let doubled = 1_u32.checked_shl(self.fruitless).map_or(BACKOFF_MAX, |factor| BACKOFF_MIN * factor);
        let high = doubled.min(BACKOFF_MAX);
        self.chance.between(high / 2, high)
    }

    fn is_quiet(&self, now: Now) -> bool {
        let left = self.quiet_until.saturating_sub(now.mono);
        // Far more than was ever set is left only when the clock went back: then nothing is known. At the end
        // of the clock's range the delay has no end, or a failing source would be asked in a tight loop.
        (!left.is_zero() || self.quiet_until == Duration::MAX) && left <= BACKOFF_MAX * 2
    }
}

/// What a caller needs credentials for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Need {
    /// The moment until which the credentials should be valid, such as the end of the attempt.
    ///
    /// It is a wish: when the source has none that live so long, those that are valid now are handed out.
    pub valid_until: UnixTime,
    /// The credentials that the service refused, of which the caller wants the successor.
    ///
    /// They are replaced once, however many callers name them. If the source gives the same again, that is
    /// what the caller gets; if it fails, its error, though others keep the old ones while these seem valid.
    pub instead_of: Option<Generation>,
}

impl Need {
    /// Needs credentials that are valid until then.
    pub fn until(valid_until: UnixTime) -> Self {
        Self { valid_until, instead_of: None }
    }

    /// Needs others than these, because the service refused them.
    pub fn instead_of(self, refused: Generation) -> Self {
        Self { instead_of: Some(refused), ..self }
    }
}

/// What a caller of [`CredentialCache::poll`] has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver is one complete match")]
pub enum Step {
    /// Use these.
    Ready(Credentials),
    /// Find the answer, hand it in with the ticket, and poll again.
    Ask(Ticket, Lookup),
    /// Poll again when the cache has been told something, or when the monotonic clock shows this.
    Wait {
        /// When a question that is neither answered nor abandoned counts as lost.
        until: Duration,
    },
    /// There are no credentials; the next try comes after a delay, whoever asks.
    Failed(CredentialError),
}

/// Names one question of one cache; a later question has a greater ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// The one lookup under way, with the question it has come to.
#[derive(Debug)]
struct Flight {
    search: Search,
    ticket: Option<Ticket>,
    /// When the question was handed out; `None` while it is free to take.
    asked: Option<Duration>,
    /// When it was last asked or answered.
    moved: Duration,
    /// Begun before `invalidate`.
    outdated: bool,
}

impl Flight {
    /// How long to wait for the asker; `None` when the question is free to take.
    fn wait(&self, now: Now) -> Option<Duration> {
        let asked = self.asked?;
        // Callers read the clock before they get here, so one may be a little behind the asker.
        (now.mono.abs_diff(asked) < ANSWER_MAX).then(|| asked.saturating_add(ANSWER_MAX))
    }

    /// Whether it has stood still for so long that its first answers, such as a token, may be too old.
    fn is_stale(&self, now: Now) -> bool {
        now.mono.abs_diff(self.moved) >= ANSWER_MAX
    }
}

#[derive(Debug)]
struct Held {
    credentials: Credentials,
    /// `None` for those that live for ever.
    life: Option<Life>,
}

impl Held {
    fn has_expired(&self, now: Now) -> bool {
        self.life.as_ref().is_some_and(|life| life.end.has_come(now))
    }

    fn is_due(&self, now: Now) -> bool {
        self.life.as_ref().is_some_and(|life| life.refresh.has_come(now))
    }

    /// Whether these live as long as is needed, or others would not either.
    fn reaches(&self, need: Need, now: Now) -> bool {
        let Some(life) = &self.life else {
            return true;
        };
        life.end.wall.is_none_or(|end| end > need.valid_until)
            || between(now.wall, need.valid_until) >= life.span
    }
}

#[derive(Debug)]
struct Life {
    /// From the latest lookup to the end.
    span: Duration,
    refresh: Moment,
    end: Moment,
}

/// A moment on both clocks; it has come when either says so, since one may stand still and the other jump.
#[derive(Debug)]
struct Moment {
    /// `None` when it lies beyond the clock's range.
    mono: Option<Duration>,
    wall: Option<UnixTime>,
}

impl Moment {
    fn has_come(&self, now: Now) -> bool {
        self.mono.is_some_and(|mono| now.mono >= mono) || self.wall.is_some_and(|wall| now.wall >= wall)
    }
}

#[derive(Clone, Copy, Debug)]
struct Now {
    mono: Duration,
    wall: UnixTime,
}

impl Now {
    fn after(self, delay: Duration) -> Moment {
        // Rounded up, so that the coarser clock is never the first to call.
        let secs = i64::try_from(delay.as_millis().div_ceil(1_000)).unwrap_or(i64::MAX);
        let wall = self.wall.saturating_add(secs);
        Moment { mono: self.mono.checked_add(delay), wall: (wall < UnixTime::MAX).then_some(wall) }
    }
}

/// What an answer tells of the time, where our own clock is wrong.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    /// How many seconds it is ahead of ours, if that is too many for the way of an answer.
    ahead: i64,
}

impl Clock {
    fn of(answer: &Answer, wall: UnixTime) -> Self {
        let ahead = match answer {
            Answer::Http(answer) => answer.seconds_ahead(wall),
            _ => None,
        };
        Self { ahead: ahead.filter(|ahead| ahead.unsigned_abs() > CLOCK_SLACK_SECS).unwrap_or(0) }
    }

    fn correct(self, wall: UnixTime) -> UnixTime {
        wall.saturating_add(self.ahead)
    }
}

/// How long credentials count as valid; `None` for ever.
fn life_of(credentials: &Credentials, wall: UnixTime) -> Result<Option<Duration>, CredentialError> {
    match credentials.expiration() {
        Some(at) if at <= wall => Err(CredentialError::Expired { at }),
        Some(at) => Ok(Some(between(wall, at).min(LIFE_MAX))),
        None => Ok(credentials.security_token().map(|_| LIFE_UNSTATED)),
    }
}

fn between(from: UnixTime, to: UnixTime) -> Duration {
    Duration::from_secs(u64::try_from(to.secs_since(from)).unwrap_or(0))
}

const BACKOFF_MIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// A question that is out for longer is taken to be lost; the slowest kind may take 60 s.
const ANSWER_MAX: Duration = Duration::from_secs(90);
/// The longest session that STS grants.
const LIFE_MAX: Duration = Duration::from_secs(12 * 3_600);
/// The shortest session that STS grants: what has a token and tells no end may end as soon.
const LIFE_UNSTATED: Duration = Duration::from_secs(15 * 60);
/// An ECS role shows its next credentials as long before the old ones end.
const LATE_SHOWN: Duration = Duration::from_secs(30 * 60);
const LATE_SPREAD: Duration = Duration::from_secs(10 * 60);
/// Answers are dated by the second, and take a while.
const CLOCK_SLACK_SECS: u64 = 60;
