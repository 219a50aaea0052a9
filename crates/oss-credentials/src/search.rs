//! One lookup: which source is asked, and where its result goes.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use oss_sign::UnixTime;

use crate::chance::Chance;
use crate::source::ram_role::{AssumeRole, Role};
use crate::trail::{Outcome, Trail};
use crate::{Answer, CredentialError, Credentials, Lookup, Source, SourceName};

/// A source that is being asked: a small machine that wants one answer after another.
pub(crate) trait Procedure: fmt::Debug + Send + Sync {
    fn name(&self) -> SourceName;

    /// Takes what it waited for and says what comes next.
    fn step(&mut self, input: Input, context: &mut Context<'_>) -> Turn;

    /// The question of its present state, after a step that ended with [`Turn::Ask`].
    ///
    /// It is made when it is handed out, and made anew when its asker is gone, so that each request has a
    /// time and a nonce of its own.
    fn question(&mut self, context: &mut Context<'_>) -> Lookup;
}

#[derive(Debug)]
pub(crate) enum Input {
    Begin,
    Answer(Answer),
    /// What the source below gave, after [`Turn::Open`].
    Found(Grant),
    /// The source below is not there.
    Absent,
}

#[derive(Debug)]
pub(crate) enum Turn {
    /// Ask my question.
    Ask,
    /// Ask that source first, and give me its result.
    Open(Below),
    Found(Grant),
    /// Not there, and why.
    Absent(&'static str),
    Broken(CredentialError),
}

impl Turn {
    pub(crate) fn found(credentials: Credentials) -> Self {
        Self::Found(Grant { credentials, is_renewed_late: false })
    }
}

/// A source that another one is built on.
#[derive(Debug)]
pub(crate) enum Below {
    /// One of the plan.
    Node(usize),
    /// One that was found out on the way, as in a file of profiles.
    Procedure(Box<dyn Procedure>),
}

#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) credentials: Credentials,
    /// The source shows the next credentials only shortly before these end.
    pub(crate) is_renewed_late: bool,
}

/// What a procedure may know of the world: the time, and chance.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) wall: UnixTime,
    pub(crate) stamps: &'a mut Stamps,
    /// What people should know of a source that works all the same.
    pub(crate) notes: &'a mut Trail,
}

/// What makes requests to STS differ from each other.
#[derive(Debug)]
pub(crate) struct Stamps {
    chance: Chance,
    /// How many seconds the clock of STS is ahead of ours, when ours is wrong.
    pub(crate) ahead: i64,
}

impl Stamps {
    pub(crate) fn new(seed: u64) -> Self {
        // A stream of its own, so that delays stay what they are whatever is signed.
        Self { chance: Chance::new(seed ^ 0x6e6f_6e63_6521_7331), ahead: 0 }
    }

    /// 128 bits that no other request of this cache has.
    pub(crate) fn nonce(&mut self) -> u128 {
        u128::from(self.chance.next()) << 64 | u128::from(self.chance.next())
    }
}

/// All sources of a cache, the outermost first; built without recursion, since the nesting is not ours to
/// bound.
#[derive(Debug)]
pub(crate) struct Plan(Vec<Node>);

#[derive(Debug)]
enum Node {
    /// Neither a chain nor a role.
    Leaf(Source),
    Chain {
        members: Vec<usize>,
        /// The member that gave credentials: the only one asked from then on.
        winner: Option<usize>,
    },
    Role {
        role: Arc<Role>,
        base: usize,
    },
}

impl Plan {
    pub(crate) fn new(source: Source) -> Self {
        let mut nodes = vec![Node::Leaf(Source::Custom(0))];
        let mut rest = vec![(0, source)];
        while let Some((slot, source)) = rest.pop() {
            let mut reserve = |source| {
                nodes.push(Node::Leaf(Source::Custom(0)));
                rest.push((nodes.len() - 1, source));
                nodes.len() - 1
            };
            let node = match source {
                Source::Chain(sources) => {
                    Node::Chain { members: sources.into_iter().map(reserve).collect(), winner: None }
                }
                Source::RamRole(role) => Node::Role { role: Arc::new(role.role), base: reserve(*role.base) },
                leaf => Node::Leaf(leaf),
            };
            if let Some(place) = nodes.get_mut(slot) {
                *place = node;
            }
        }
        Self(nodes)
    }

    /// Starts chains again from their first member.
    pub(crate) fn forget(&mut self) {
        for node in &mut self.0 {
            if let Node::Chain { winner, .. } = node {
                *winner = None;
            }
        }
    }

    /// Lets chains stay with the members that gave these credentials.
    pub(crate) fn commit(&mut self, wins: &[(usize, usize)]) {
        for (chain, member) in wins {
            if let Some(Node::Chain { winner, .. }) = self.0.get_mut(*chain) {
                *winner = Some(*member);
            }
        }
    }

    fn open(&self, node: usize) -> Frame {
        match self.0.get(node) {
            Some(Node::Leaf(source)) => Frame::Procedure(source.procedure()),
            Some(Node::Chain { winner, .. }) => Frame::Chain { node, at: winner.unwrap_or(0) },
            Some(Node::Role { role, base }) => {
                Frame::Procedure(Box::new(AssumeRole::new(Arc::clone(role), Below::Node(*base))))
            }
            None => Frame::Chain { node, at: 0 },
        }
    }

    /// The member of a chain at this place, if it may be asked.
    fn member(&self, node: usize, at: usize) -> Option<usize> {
        match self.0.get(node)? {
            Node::Chain { members, winner } if winner.is_none_or(|winner| winner == at) => {
                members.get(at).copied()
            }
            _ => None,
        }
    }
}

/// A lookup under way: the sources that wait for each other, the one to be asked last.
///
/// ```text
///             ┌──────── Open: the source below ────────┐
///             ▼                                        │
///   begin ─▶ step ── Ask ─▶ question ⇢ answer ─▶ step ─┤
///             ▲                                        ├─ Found ─┬─▶ to the one above, else the end
///             │                                        │         └─▶ a chain above passes it on
///             └── a chain above opens its next member ─┼─ Absent ──▶ to the one above, else the end
///                                                      └─ Broken ──▶ the end of the whole lookup
/// ```
#[derive(Debug)]
pub(crate) struct Search {
    frames: Vec<Frame>,
    /// The chains that were passed on the way to what was found, with the member of each.
    wins: Vec<(usize, usize)>,
    pub(crate) trail: Trail,
}

#[derive(Debug)]
enum Frame {
    Chain { node: usize, at: usize },
    Procedure(Box<dyn Procedure>),
}

/// What has become of a lookup.
#[derive(Debug)]
pub(crate) enum Progress {
    /// There is a question to ask.
    Asks,
    Found(Grant),
    Failed(CredentialError),
}

impl Search {
    pub(crate) fn begin(plan: &Plan, wall: UnixTime, stamps: &mut Stamps) -> (Self, Progress) {
        let mut search = Self { frames: Vec::new(), wins: Vec::new(), trail: Trail::default() };
        let progress = search.run(Turn::Open(Below::Node(0)), plan, wall, stamps);
        (search, progress)
    }

    pub(crate) fn answer(
        &mut self,
        answer: Answer,
        plan: &Plan,
        wall: UnixTime,
        stamps: &mut Stamps,
    ) -> Progress {
        let turn = self.step(Input::Answer(answer), wall, stamps);
        self.run(turn, plan, wall, stamps)
    }

    /// The question to ask now; `None` when the lookup has come to its end.
    pub(crate) fn question(&mut self, wall: UnixTime, stamps: &mut Stamps) -> Option<Lookup> {
        let Some(Frame::Procedure(procedure)) = self.frames.last_mut() else {
            return None;
        };
        Some(procedure.question(&mut Context { wall, stamps, notes: &mut self.trail }))
    }

    /// The source whose question it is.
    pub(crate) fn source(&self) -> Option<SourceName> {
        match self.frames.last()? {
            Frame::Procedure(procedure) => Some(procedure.name()),
            Frame::Chain { .. } => None,
        }
    }

    pub(crate) fn wins(&self) -> &[(usize, usize)] {
        &self.wins
    }

    fn step(&mut self, input: Input, wall: UnixTime, stamps: &mut Stamps) -> Turn {
        match self.frames.last_mut() {
            Some(Frame::Procedure(procedure)) => {
                procedure.step(input, &mut Context { wall, stamps, notes: &mut self.trail })
            }
            _ => Turn::Absent(""),
        }
    }

    /// Goes from one source to another until there is a question or an end.
    fn run(&mut self, mut turn: Turn, plan: &Plan, wall: UnixTime, stamps: &mut Stamps) -> Progress {
        loop {
            turn = match turn {
                Turn::Ask => return Progress::Asks,
                Turn::Open(below) => {
                    let frame = match below {
                        Below::Node(node) => plan.open(node),
                        Below::Procedure(procedure) => Frame::Procedure(procedure),
                    };
                    self.open(frame, plan, wall, stamps)
                }
                Turn::Found(grant) => {
                    self.close(Outcome::Gave);
                    match self.frames.last() {
                        None => return Progress::Found(grant),
                        Some(Frame::Chain { node, at }) => {
                            self.wins.push((*node, *at));
                            Turn::Found(grant)
                        }
                        Some(Frame::Procedure(_)) => self.step(Input::Found(grant), wall, stamps),
                    }
                }
                Turn::Absent(why) => {
                    self.close(Outcome::Absent(why));
                    match self.frames.last_mut() {
                        None => return Progress::Failed(self.trail.not_found()),
                        Some(Frame::Chain { node, at }) => {
                            *at += 1;
                            match plan.member(*node, *at) {
                                Some(next) => Turn::Open(Below::Node(next)),
                                None => Turn::Absent(""),
                            }
                        }
                        Some(Frame::Procedure(_)) => self.step(Input::Absent, wall, stamps),
                    }
                }
                Turn::Broken(error) => {
                    self.close(Outcome::Broken(error.clone()));
                    self.frames.clear();
                    return Progress::Failed(error);
                }
            }
        }
    }

    fn open(&mut self, frame: Frame, plan: &Plan, wall: UnixTime, stamps: &mut Stamps) -> Turn {
        let member = match &frame {
            Frame::Chain { node, at } => Some(plan.member(*node, *at)),
            Frame::Procedure(_) => None,
        };
        self.frames.push(frame);
        match member {
            Some(Some(first)) => Turn::Open(Below::Node(first)),
            Some(None) => Turn::Absent(""),
            None => self.step(Input::Begin, wall, stamps),
        }
    }

    /// Takes the uppermost source off, and notes how it went.
    fn close(&mut self, outcome: Outcome) {
        if let Some(Frame::Procedure(procedure)) = self.frames.pop() {
            self.trail.push(procedure.name(), outcome);
        }
    }
}
