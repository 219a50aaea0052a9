//! A part on its way from OSS to its place in a file: one block is written while the next one comes.

use alloc::sync::Arc;
use core::ops::Range;
use core::sync::atomic::Ordering;
use std::io;

use bytes::Bytes;
use oss_proto::transfer::{Completion, FileStep, Received};
use oss_proto::{Crc64, GetObject};
use tokio::task::{JoinHandle, spawn_blocking};

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
    /// What came and is not being written yet.
    held: Vec<Bytes>,
    held_bytes: usize,
    writing: Option<JoinHandle<Written>>,
    /// How many bytes are in place, and their CRC-64 where it is wanted.
    placed: u64,
    crc: Option<Crc64>,
    passed: Passed,
}

impl Sink {
    pub(super) fn new(part: Arc<Part>, start: u64, passed: Passed, crc: Option<Crc64>) -> Self {
        Self { part, start, held: Vec::new(), held_bytes: 0, writing: None, placed: 0, crc, passed }
    }

    /// Takes bytes; waits only while the block before is still being written.
    pub(super) async fn take(&mut self, chunk: Bytes) -> io::Result<()> {
        self.held_bytes = self.held_bytes.saturating_add(chunk.len());
        self.held.push(chunk);
        if self.held_bytes >= BLOCK_BYTES { self.write().await } else { Ok(()) }
    }

    /// Waits until all is in place.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        self.write().await?;
        self.written().await
    }

    /// Begins to write what is held, after what is being written.
    async fn write(&mut self) -> io::Result<()> {
        self.written().await?;
        if self.held.is_empty() {
            return Ok(());
        }
        let (part, chunks) = (Arc::clone(&self.part), core::mem::take(&mut self.held));
        self.held_bytes = 0;
        let (start, mut placed, mut crc) = (self.start, self.placed, self.crc.clone());
        self.writing = Some(spawn_blocking(move || {
            for chunk in &chunks {
                if let Err(error) = part.placed.write_at(chunk, start.saturating_add(placed)) {
                    return (placed, crc, Err(error));
                }
                placed = placed.saturating_add(chunk.len() as u64);
                if let Some(crc) = &mut crc {
                    crc.update(chunk);
                }
            }
            (placed, crc, Ok(()))
        }));
        Ok(())
    }

    /// Waits for what is being written.
    async fn written(&mut self) -> io::Result<()> {
        let Some(writing) = &mut self.writing else { return Ok(()) };
        let ended = writing.await;
        self.writing = None;
        let (placed, crc, result) = ended.map_err(io::Error::other)?;
        self.passed.store(placed, Ordering::Relaxed);
        (self.placed, self.crc) = (placed, crc);
        result
    }

    fn failed(&self, error: &io::Error) -> Landing {
        let error = named(FileStep::Write, &self.part.path, error);
        Landing { result: Err(LaneError::File(error)), retries: 0 }
    }
}

/// How many bytes are in place by now, their CRC-64, and how it went.
type Written = (u64, Option<Crc64>, io::Result<()>);

/// How much is written at a time.
const BLOCK_BYTES: usize = 512 << 10;
