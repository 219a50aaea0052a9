//! What few schedules have: a second endpoint with a clock of its own, redirects, callbacks, copies and links
//! under a condition, and writers of the same bytes. Each is put into a schedule that was drawn without it.

use oss_proto::{Endpoint, Redirects, Service};

use crate::peer::Answer;
use crate::sim::chance::Chance;
use crate::sim::fault::Fault;
use crate::sim::schedule::{Kind, LINK_KEY, Plan, Schedule, any_offset};

/// The endpoint that a call is made at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// An address.
    Address,
    /// A name, with the same clock.
    One,
    /// Another name of the same service, with another clock.
    Two,
}

impl Place {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Address, Self::One, Self::Two];

    /// The host of its requests.
    pub fn host(self) -> &'static str {
        match self {
            Self::Address => "127.0.0.1",
            Self::One => "oss.test",
            Self::Two => "two.oss.test",
        }
    }

    /// The index of the place with this host.
    pub(crate) fn at(host: &str) -> Option<usize> {
        Self::ALL.iter().position(|place| place.host() == host)
    }

    /// The endpoint.
    ///
    /// # Panics
    /// Never: what it parses are constants.
    pub fn endpoint(self) -> Endpoint {
        let endpoint = Endpoint::parse(&format!("http://{}", self.host()));
        endpoint.expect("the hosts are constants").with_addressing(oss_proto::Addressing::Path)
    }
}

impl Plan {
    /// The service that the call is made with, if it is not one of those that every schedule has.
    pub(crate) fn service(&self, usual: &Service) -> Option<Service> {
        let is_usual = self.place == Place::Address && !self.is_marked && !self.follows;
        (!is_usual).then(|| {
            usual.clone().with(|settings| {
                settings.endpoint = self.place.endpoint();
                settings.write_nonce = self.is_marked;
                settings.redirects = if self.follows { Redirects::SameService } else { Redirects::Never };
            })
        })
    }

    /// Whether the object that it writes has what no other call has.
    pub(crate) fn is_unmistakable(&self) -> bool {
        let takes_metadata = match self.kind {
            Kind::PutNew | Kind::Link(_) => true,
            Kind::Append => crate::sim::schedule::KEYS[self.key].len.is_none(),
            _ => false,
        };
        self.is_marked && takes_metadata && !self.is_versioned
    }

    /// Whether a redirect leads its requests to the second endpoint.
    pub(crate) fn goes_on(&self) -> bool {
        self.follows && self.kind.is_read() && self.place == Place::One
    }
}

/// An answer that names another place: a row of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Move(u8);

impl Move {
    /// To the second endpoint.
    pub const TWO: Self = Self(0);

    fn any(chance: &mut Chance) -> Self {
        // Half of them lead somewhere.
        let ways = if chance.one_in(2) { GOOD_MOVES } else { MOVES.len() };
        Self(u8::try_from(chance.below(ways as u64)).unwrap_or(0))
    }

    fn row(self) -> (u16, &'static str, &'static str) {
        MOVES[usize::from(self.0) % MOVES.len()]
    }

    /// Whether it leads to the second endpoint.
    pub fn is_good(self) -> bool {
        usize::from(self.0) % MOVES.len() < GOOD_MOVES
    }

    /// The answer itself.
    pub fn answer(self) -> Answer {
        let (status, location, host) = self.row();
        let code = if status == 403 { "AccessDenied" } else { "TemporaryRedirect" };
        let body = format!("<Error><Code>{code}</Code><Endpoint>{host}</Endpoint></Error>");
        match location {
            "" => Answer::new(status).header("content-type", "application/xml").body(body),
            location => Answer::new(status).header("location", location),
        }
    }
}

impl core::fmt::Debug for Move {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (status, location, host) = self.row();
        write!(f, "{status} to {location}{host}")
    }
}

impl Schedule {
    /// What the clock of the endpoint is ahead at first, in seconds.
    pub fn ahead_secs(&self, place: Place) -> i64 {
        if place == Place::Two { self.other_ahead_secs } else { self.peer_ahead_secs }
    }

    /// Puts something rare into it.
    pub(super) fn season(&mut self, chance: &mut Chance) {
        match chance.below(6) {
            0 => self.redirect(chance),
            1 => {
                let (key, answers) = (chance.one_of([0, 1, 2]), chance.one_in(2));
                self.put_first(chance, &|_| (Kind::PutCalled(answers), key));
            }
            2 => {
                let (key, from) = (chance.one_of([2, 3, 3]), chance.one_of([0, 1, 2]));
                self.put_first(chance, &|at| (Kind::CopyNew((from + at) % 3), key));
            }
            3 => {
                let target = chance.one_of([0, 1]);
                self.put_first(chance, &|at| (Kind::Link((target + at) % 2), LINK_KEY));
            }
            4 => self.twin(chance),
            _ => {
                self.other_ahead_secs = any_offset(chance).clamp(-DAYS_SECS, DAYS_SECS);
                for plan in &mut self.calls {
                    plan.place = chance.one_of([Place::One, Place::Two]);
                    thin_out(plan, chance);
                }
            }
        }
    }

    fn redirect(&mut self, chance: &mut Chance) {
        if chance.one_in(3) {
            self.other_ahead_secs = any_offset(chance).clamp(-DAYS_SECS, DAYS_SECS);
        }
        if chance.one_in(3) {
            self.client_ahead_secs = any_offset(chance);
        }
        for plan in &mut self.calls {
            plan.place = Place::One;
            plan.follows = !chance.one_in(4);
            thin_out(plan, chance);
            let place = if chance.one_in(2) { 0 } else { usize::from(chance.small(3)) };
            plan.faults.insert(place.min(plan.faults.len()), Fault::Move(Move::any(chance)));
        }
    }

    /// The first calls are of these kinds, and nobody hears what became of the first attempt.
    fn put_first(&mut self, chance: &mut Chance, of: &dyn Fn(usize) -> (Kind, usize)) {
        let many = if chance.one_in(2) { 1 } else { 3 };
        for (at, plan) in self.calls.iter_mut().enumerate().take(many) {
            (plan.kind, plan.key) = of(at);
            lose_first(plan, chance);
        }
    }

    /// Two calls write the same bytes to the same key.
    fn twin(&mut self, chance: &mut Chance) {
        let is_marked = !chance.one_in(4);
        let (kind, key) = chance.one_of([(Kind::PutNew, 2), (Kind::PutNew, 3), (Kind::Append, 5)]);
        let target = chance.one_of([0, 1]);
        let (kind, key) = if chance.one_in(4) { (Kind::Link(target), LINK_KEY) } else { (kind, key) };
        if self.calls.len() == 1 {
            let mut second = self.calls[0].clone();
            second.id = 1;
            second.start_ms = u32::from(chance.uneven(2, 1, 800));
            self.calls.push(second);
        }
        for plan in self.calls.iter_mut().take(2) {
            (plan.kind, plan.key, plan.len) = (kind, key, 100);
            (plan.is_marked, plan.is_twin) = (is_marked, true);
            lose_first(plan, chance);
        }
    }
}

fn lose_first(plan: &mut Plan, chance: &mut Chance) {
    thin_out(plan, chance);
    if !chance.one_in(4) {
        let late = Fault::Late(u32::from(chance.small(900)));
        plan.faults.insert(0, chance.one_of([Fault::Lose, Fault::Lose, late, Fault::Hang]));
    }
}

/// Else there is so much trouble that few calls come to what is rare.
fn thin_out(plan: &mut Plan, chance: &mut Chance) {
    if !chance.one_in(3) {
        plan.faults.clear();
    }
}

const DAYS_SECS: i64 = 80_000;
const GOOD_MOVES: usize = 3;
/// Status, `Location`, and the endpoint that the document names where there is no such header.
const MOVES: [(u16, &str, &str); 10] = [
    (307, "", "two.oss.test"),
    (301, "", "two.oss.test"),
    (403, "", "two.oss.test"),
    (307, "http://oss.evil/bucket/a", ""),
    (307, "", "two.oss.test.evil"),
    (302, "http://oss.test:81/bucket/a", ""),
    (307, "", "127.0.0.1"),
    (307, "", "oss.test"),
    (308, "//two.oss.test/bucket/a", ""),
    (303, "http://two.oss.test/bucket/a", ""),
];
