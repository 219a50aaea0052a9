//! What each object may be: every write has a content of its own, so that a byte tells whose it is.

use alloc::collections::BTreeMap;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use oss_hyper::{Error, Outcome};

use super::chance::mixed;
use super::tally::Tally;
use super::transfers::Told;
use crate::peer::Peer;

/// Every write to every key, and what became of it.
#[derive(Default)]
pub(super) struct Oracle {
    keys: Mutex<BTreeMap<String, Vec<Write>>>,
    appended: Mutex<Vec<Appended>>,
    /// What was said of the uploads that are left of the transfers to these keys.
    told: Mutex<BTreeMap<String, Told>>,
    /// Orders what happens.
    clock: AtomicU64,
}

/// One write; a deletion has no content.
struct Write {
    id: u64,
    len: Option<u64>,
    began: u64,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    /// Nobody knows, so that it may still arrive.
    Open,
    /// It took effect by then; if it was sent once, it does not arrive again.
    Done { at: u64, was_sent_once: bool },
    /// It had no effect and never will.
    Dead,
}

/// A write that has begun.
pub(super) struct Ticket {
    key: String,
    id: u64,
    /// What is written.
    pub(super) content: Bytes,
}

/// An object that grew by appends of one caller.
pub(super) struct Appended {
    pub(super) key: String,
    /// What was confirmed.
    pub(super) sure: Vec<u8>,
    /// What may stand behind it.
    pub(super) doubtful: Vec<u8>,
}

impl Oracle {
    /// A write of so many bytes begins; `None` is a deletion.
    pub(super) fn begin(&self, key: &str, len: Option<u64>) -> Ticket {
        let id = self.tick();
        let write = Write { id, len, began: id, fate: Fate::Open };
        self.keys().entry(key.to_owned()).or_default().push(write);
        Ticket { key: key.to_owned(), id, content: content(id, 0..len.unwrap_or(0)) }
    }

    /// A transfer to this key says this of what is left.
    pub(super) fn tell(&self, key: &str, told: Told) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), told);
    }

    /// A write of several requests ended: it took effect, or had none and never will.
    pub(super) fn decide(&self, ticket: &Ticket, is_done: bool) {
        let (at, was_sent_once) = (self.tick(), false);
        self.settle(ticket, if is_done { Fate::Done { at, was_sent_once } } else { Fate::Dead });
    }

    /// It ended; a write that is dropped instead stays open.
    pub(super) fn end<T>(&self, ticket: &Ticket, result: &Result<T, Error>, attempts: usize) {
        let fate = match result {
            Ok(_) => Fate::Done { at: self.tick(), was_sent_once: attempts == 1 },
            Err(error) if error.outcome() == Outcome::Unknown => return,
            Err(_) => Fate::Dead,
        };
        self.settle(ticket, fate);
    }

    fn settle(&self, ticket: &Ticket, fate: Fate) {
        let mut keys = self.keys();
        let writes = keys.get_mut(&ticket.key).into_iter().flatten();
        writes.filter(|write| write.id == ticket.id).for_each(|write| write.fate = fate);
    }

    /// A read begins.
    pub(super) fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Whether these may be the bytes of a read that began then.
    pub(super) fn may_be(&self, key: &str, began: u64, range: Option<Range<u64>>, bytes: &[u8]) -> bool {
        self.candidates(key, began).into_iter().any(|(id, len)| {
            let range = part(range.as_ref(), len);
            bytes.len() as u64 == range.end - range.start && len.is_some() && content(id, range) == bytes
        })
    }

    /// Whether a read that began then and was not finished may have given these bytes. One of them may be
    /// wrong, and some may be too many, where there is a checksum that tells at the end.
    pub(super) fn may_begin(&self, key: &str, began: u64, range: Option<Range<u64>>, bytes: &[u8]) -> bool {
        self.candidates(key, began).into_iter().any(|(id, len)| {
            let part = part(range.as_ref(), len);
            let (count, due) = (bytes.len() as u64, part.end - part.start);
            let true_ones = content(id, part.start..part.start + due.min(count));
            let wrong = true_ones.iter().zip(bytes).filter(|(one, other)| one != other).count();
            match range {
                None => wrong <= 1 && len.is_some(),
                Some(_) => wrong == 0 && count <= due,
            }
        })
    }

    /// Whether the object may have had this length.
    pub(super) fn may_have_len(&self, key: &str, began: u64, len: u64) -> bool {
        self.candidates(key, began).into_iter().any(|(_, other)| other == Some(len))
    }

    pub(super) fn append(&self, appended: Appended) {
        self.appended.lock().unwrap_or_else(PoisonError::into_inner).push(appended);
    }

    /// Compares with what the peer holds when nothing is on its way any more.
    pub(super) fn settle_with(&self, peer: &Peer, tally: &Tally) {
        let now = self.tick();
        let keys: Vec<String> = self.keys().keys().cloned().collect();
        for key in keys {
            let held = peer.content(&key);
            let is_right = match &held {
                Some(bytes) => self.may_be(&key, now, None, bytes),
                None => self.candidates(&key, now).iter().any(|(_, len)| len.is_none()),
            };
            if !is_right {
                let held = held.map(|bytes| bytes.len());
                tally.wrong(format!("{key}: the peer holds {held:?} bytes that nobody wrote last"));
            }
        }
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, id) in peer.uploads() {
            if let Some(told) = told.get(&key).filter(|told| !told.has(&id)) {
                tally.wrong(format!("{key}: the upload {id} is open, and told is {told:?}"));
            }
        }
        for Appended { key, sure, doubtful } in
            self.appended.lock().unwrap_or_else(PoisonError::into_inner).iter()
        {
            let held = peer.content(key).unwrap_or_default();
            let rest = held.strip_prefix(&sure[..]);
            if rest.is_none_or(|rest| !rest.is_empty() && rest != doubtful) {
                tally.wrong(format!("{key}: {} bytes held, {} appended", held.len(), sure.len()));
            }
        }
    }

    /// What the object may have been between then and now. Before any write there was none.
    fn candidates(&self, key: &str, began: u64) -> Vec<(u64, Option<u64>)> {
        let keys = self.keys();
        let writes = keys.get(key).map_or(&[][..], Vec::as_slice);
        let is_past = |from: u64| {
            let later = writes.iter().filter(|later| later.began > from);
            later.into_iter().any(|later| matches!(later.fate, Fate::Done { at, .. } if at < began))
        };
        let mut found: Vec<_> = if is_past(0) { Vec::new() } else { vec![(0, None)] };
        for write in writes {
            let is_out = match write.fate {
                Fate::Dead => true,
                Fate::Done { at, was_sent_once: true } => is_past(at),
                Fate::Done { .. } | Fate::Open => false,
            };
            if !is_out {
                found.push((write.id, write.len));
            }
        }
        found
    }

    fn keys(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Write>>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of an object of this length that was asked for.
fn part(range: Option<&Range<u64>>, len: Option<u64>) -> Range<u64> {
    let len = len.unwrap_or(0);
    range.map_or(0..len, |range| range.start.min(len)..range.end.min(len))
}

/// Bytes of the content of a write: any eight of them are those of no other.
pub(super) fn content(id: u64, range: Range<u64>) -> Bytes {
    let words = range.start / 8..range.end.div_ceil(8);
    let all: Vec<u8> = words.flat_map(|word| mixed(id << 32 ^ word).to_le_bytes()).collect();
    let skip = (range.start % 8) as usize;
    Bytes::from(all).slice(skip..skip + (range.end - range.start) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done<T>(value: T) -> Result<T, Error> {
        Ok(value)
    }

    #[test]
    fn what_was_overwritten_for_good_is_no_candidate() {
        let oracle = Oracle::default();
        assert!(!oracle.may_be("a", oracle.tick(), None, b""));
        let first = oracle.begin("a", Some(10));
        assert!(oracle.may_be("a", oracle.tick(), None, &first.content), "it may be there already");
        oracle.end(&first, &done(()), 1);
        let second = oracle.begin("a", Some(20));
        let between = oracle.tick();
        oracle.end(&second, &done(()), 2);
        let after = oracle.tick();
        assert!(oracle.may_be("a", between, None, &first.content));
        assert!(!oracle.may_be("a", after, None, &first.content));
        assert!(oracle.may_be("a", after, Some(5..9), &second.content[5..9]));
        assert!(!oracle.may_be("a", after, Some(5..9), &second.content[5..8]));
        assert!(oracle.may_begin("a", after, Some(5..9), &second.content[5..8]));
        // What was sent twice may arrive late.
        let third = oracle.begin("a", Some(3));
        oracle.end(&third, &done(()), 1);
        assert!(oracle.may_be("a", oracle.tick(), None, &second.content));
    }

    #[test]
    fn any_part_of_a_content_is_the_same() {
        let whole = content(7, 0..100);
        for (start, end) in [(0, 0), (0, 8), (3, 9), (16, 99), (99, 100)] {
            assert_eq!(content(7, start..end), whole[start as usize..end as usize]);
        }
        assert_ne!(whole, content(8, 0..100));
    }
}
