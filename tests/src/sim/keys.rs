//! The source of credentials of the world, and the calls that wait for it.

use core::time::Duration;

use oss_credentials::{Answer, Need, Step as KeyStep, Ticket};
use oss_proto::{Credentials, Event, Failure, FailureKind, Sent, UnixTime};

use crate::sim::server::key_id;
use crate::sim::world::{Stage, Turn, World};

/// What the source does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// It answers.
    Work,
    /// It says that it failed.
    Fail,
    /// It says nothing.
    Hang,
}

impl World<'_> {
    /// What the cache says to a call; `None` when it has to wait.
    pub(super) fn authenticate(&mut self, at: usize, need: Need, deadline: Duration) -> Option<Event> {
        loop {
            let now = self.clocks();
            let wall = self.shared.corrected(now.wall);
            match self.shared.credentials.poll(need, now.mono, wall) {
                KeyStep::Ready(credentials) => return Some(Event::Credentials(credentials)),
                KeyStep::Failed(error) => return Some(Event::NoCredentials(error)),
                KeyStep::Ask(ticket, _) => {
                    self.lives[at].ticket = Some(ticket);
                    let time = self.now.saturating_add(self.latency(at));
                    if self.keys != Keys::Hang {
                        self.push(time, Turn::Keys(ticket));
                    }
                }
                KeyStep::Wait { until } => {
                    if self.now >= self.at(deadline) {
                        let ticket = self.lives[at].ticket.take();
                        ticket.into_iter().for_each(|ticket| self.shared.credentials.abandon(ticket));
                        self.rouse_keys();
                        return Some(Event::Failed(Failure::new(FailureKind::Timeout, Sent::new())));
                    }
                    let time = self.at(until.min(deadline));
                    self.resume(at, time, Stage::Keys(need, deadline));
                    return None;
                }
            }
        }
    }

    pub(super) fn answer_keys(&mut self, ticket: Ticket) {
        if self.lives.iter().all(|live| live.ticket != Some(ticket)) {
            // Who asked is gone, and the question with them.
            return;
        }
        let now = self.clocks();
        let wall = self.shared.corrected(now.wall);
        let answer = match self.keys {
            Keys::Work => Answer::Custom(self.credentials(wall)),
            Keys::Fail | Keys::Hang => Answer::Failed("the source fails".into()),
        };
        self.shared.credentials.answer(ticket, answer, now.mono, wall);
        for at in 0..self.lives.len() {
            if matches!(self.lives[at].stage, Stage::Keys(..)) {
                self.wake(at, self.now);
            }
        }
    }

    fn credentials(&self, wall: UnixTime) -> Credentials {
        let plain = Credentials::new(key_id(self.rotations), "secret").expect("the key is a constant");
        match self.schedule.keys_live_secs {
            Some(secs) => plain.with_expiration(wall.saturating_add(i64::from(secs))),
            None => plain,
        }
    }

    /// A question that was given back is free to take.
    pub(super) fn rouse_keys(&mut self) {
        for at in 0..self.lives.len() {
            if matches!(self.lives[at].stage, Stage::Keys(..)) {
                self.wake(at, self.now);
            }
        }
    }
}
