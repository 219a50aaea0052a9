//! A part on its way from OSS to its place in a file.
//!
//! Bytes are summed when they come, while they are in the cache, and no more are taken before they are
//! written: so the connection reads into the same memory again, beside which a lane has one block at most.

use alloc::sync::Arc;
use core::ops::Range;
use core::sync::atomic::Ordering;
use std::io;

use bytes::Bytes;
use oss_proto::transfer::{Completion, FileStep, Received};
use oss_proto::{Crc64, GetObject};
use tokio::task::spawn_blocking;

use super::job::{Landing, LaneError, Passed, failed, retries};
use super::pace::Pace;
use super::part::Part;
use super::shelf::named;
use crate::Client;

/// Reads a range of the object into its place, from `offset` of the object on.
pub(super) async fn receive(
    client: Client,
    (range, get): (Range<u64>, GetObject),
    (part, offset): (Arc<Part>, u64),
    passed: Passed,
    pace: Pace,
) -> Landing {
    let mut object = match client.open(get).await {
        Ok(object) => object,
        Err(error) => return failed(error),
    };
    let head = object.output().clone();
    let mut sink = Sink::new(part, range.start.saturating_sub(offset), passed, Some(Crc64::new()));
    let broken = loop {
        match object.chunk().await {
            Ok(Some(chunk)) => {
                let debt = pace.pass(chunk.len());
                if let Err(error) = sink.take(chunk).await {
                    return sink.failed(&error);
                }
                if let Some(debt) = debt {
                    debt.await;
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    if let Err(error) = sink.flush().await {
        return sink.failed(&error);
    }
    let attempts = broken.as_ref().map_or(object.reply().attempts.len(), |error| error.attempts().len());
    let received = Received::new(&head, sink.placed, sink.crc.as_ref().map(Crc64::value));
    let received = match broken {
        Some(error) => received.broken(error),
        None => received,
    };
    Landing { result: Ok(Completion::from(received)), retries: retries(attempts) }
}

pub(super) struct Sink {
    part: Arc<Part>,
    start: u64,
    /// What came and is not written yet.
    held: Vec<Bytes>,
    held_bytes: usize,
    /// How many bytes are in place.
    placed: u64,
    /// CRC-64 of those that came, where it is wanted.
    crc: Option<Crc64>,
    passed: Passed,
}

impl Sink {
    pub(super) fn new(part: Arc<Part>, start: u64, passed: Passed, crc: Option<Crc64>) -> Self {
        Self { part, start, held: Vec::new(), held_bytes: 0, placed: 0, crc, passed }
    }

    /// Takes bytes; waits until they are in place once they make a block.
    pub(super) async fn take(&mut self, chunk: Bytes) -> io::Result<()> {
        if let Some(crc) = &mut self.crc {
            crc.update(&chunk);
        }
        self.held_bytes = self.held_bytes.saturating_add(chunk.len());
        self.held.push(chunk);
        if self.held_bytes >= BLOCK_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Waits until all is in place.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let (part, mut chunks) = (Arc::clone(&self.part), core::mem::take(&mut self.held));
        let mut at = self.start.saturating_add(self.placed);
        let writing = spawn_blocking(move || {
            for chunk in chunks.drain(..) {
                part.placed.write_at(&chunk, at)?;
                at = at.saturating_add(chunk.len() as u64);
            }
            Ok::<_, io::Error>(chunks)
        });
        self.held = writing.await.map_err(io::Error::other)??;
        self.placed = self.placed.saturating_add(core::mem::take(&mut self.held_bytes) as u64);
        self.passed.store(self.placed, Ordering::Relaxed);
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> Landing {
        let error = named(FileStep::Write, &self.part.path, error);
        Landing { result: Err(LaneError::File(error)), retries: 0 }
    }
}

/// How much is written at a time, at least.
const BLOCK_BYTES: usize = 256 << 10;
