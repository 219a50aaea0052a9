//! What is under way, and how far it is.

use alloc::collections::BTreeMap;

/// Names a piece of work that was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// How far a transfer is. No number ever goes back, and nothing is counted twice, however often it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many bytes are where they belong or on their way there, those of an earlier transfer included.
    pub bytes: u64,
    /// How many there are in all; `None` while nobody knows.
    pub bytes_total: Option<u64>,
    /// How many of `bytes` an earlier transfer had moved and this one has found good.
    pub bytes_kept: u64,
    /// How many parts are done; for [`DeleteMany`](super::DeleteMany) objects.
    pub parts: u64,
    /// How many there are in all; `None` while nobody knows.
    pub parts_total: Option<u64>,
}

/// The work that was handed out and not completed, each with what the transfer must know of it.
#[derive(Debug)]
pub(super) struct Flight<J> {
    lanes: u32,
    next: u64,
    out: BTreeMap<Ticket, Flying<J>>,
    shown: Progress,
    /// The bytes that are done; those on their way come on top.
    done: u64,
}

#[derive(Debug)]
struct Flying<J> {
    job: J,
    bytes: u64,
    noted: u64,
}

/// Whose report came.
pub(super) enum Landing<J> {
    /// The one of this job.
    Of(J),
    /// One that had come before.
    Again,
    /// One of work that was never handed out.
    Unknown,
}

impl<J> Flight<J> {
    pub(super) fn new(lanes: u32) -> Self {
        Self { lanes, next: 0, out: BTreeMap::new(), shown: Progress::default(), done: 0 }
    }

    /// An empty one for jobs of another kind, which goes on with these tickets.
    pub(super) fn succeeded_by<K>(&self) -> Flight<K> {
        let Self { lanes, next, shown, done, .. } = *self;
        Flight { lanes, next, out: BTreeMap::new(), shown, done }
    }

    /// Whether another piece of work may be handed out.
    pub(super) fn has_room(&self) -> bool {
        self.out.len() < usize::try_from(self.lanes).unwrap_or(usize::MAX)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Hands out a job that moves so many bytes.
    pub(super) fn start(&mut self, job: J, bytes: u64) -> Ticket {
        let ticket = Ticket(self.next);
        self.next = self.next.saturating_add(1);
        self.out.insert(ticket, Flying { job, bytes, noted: 0 });
        ticket
    }

    pub(super) fn land(&mut self, ticket: Ticket) -> Landing<J> {
        match self.out.remove(&ticket) {
            Some(flying) => Landing::Of(flying.job),
            None if ticket.0 < self.next => Landing::Again,
            None => Landing::Unknown,
        }
    }

    /// What was handed out with this ticket and has not landed.
    pub(super) fn job(&self, ticket: Ticket) -> Option<&J> {
        self.out.get(&ticket).map(|flying| &flying.job)
    }

    pub(super) fn note(&mut self, ticket: Ticket, bytes: u64) {
        if let Some(flying) = self.out.get_mut(&ticket) {
            flying.noted = flying.noted.max(bytes.min(flying.bytes));
            self.show();
        }
    }

    /// So many bytes are done, in so many parts.
    pub(super) fn count(&mut self, bytes: u64, parts: u64) {
        self.done = self.done.saturating_add(bytes);
        self.shown.parts = self.shown.parts.saturating_add(parts);
        self.show();
    }

    /// So many bytes of an earlier transfer are good, in so many parts.
    pub(super) fn keep(&mut self, bytes: u64, parts: u64) {
        self.shown.bytes_kept = self.shown.bytes_kept.saturating_add(bytes);
        self.count(bytes, parts);
    }

    pub(super) fn set_total(&mut self, bytes: Option<u64>, parts: Option<u64>) {
        self.shown.bytes_total = bytes;
        self.shown.parts_total = parts;
    }

    pub(super) fn progress(&self) -> Progress {
        self.shown
    }

    fn show(&mut self) {
        let on_the_way = self.out.values().fold(0_u64, |sum, flying| sum.saturating_add(flying.noted));
        // A part that failed takes back what was noted of it; what was shown stays.
        self.shown.bytes = self.shown.bytes.max(self.done.saturating_add(on_the_way));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_never_goes_back_and_counts_nothing_twice() {
        let mut flight = Flight::new(2);
        let (a, b) = (flight.start("a", 10), flight.start("b", 10));
        assert!(!flight.has_room());
        flight.note(a, 7);
        flight.note(b, 99);
        assert_eq!(flight.progress().bytes, 17);
        flight.note(a, 2);
        assert_eq!(flight.progress().bytes, 17);
        assert!(matches!(flight.land(a), Landing::Of("a")));
        assert_eq!(flight.progress().bytes, 17);
        let again = flight.start("a", 10);
        flight.note(again, 3);
        assert_eq!(flight.progress().bytes, 17);
        assert!(matches!(flight.land(again), Landing::Of("a")));
        flight.count(10, 1);
        assert!(matches!(flight.land(b), Landing::Of("b")));
        flight.count(10, 1);
        assert_eq!((flight.progress().bytes, flight.progress().parts), (20, 2));
        assert!(matches!(flight.land(b), Landing::Again));
        assert!(matches!(flight.land(Ticket(99)), Landing::Unknown));
    }
}
