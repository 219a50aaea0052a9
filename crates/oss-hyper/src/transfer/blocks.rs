//! A part as the body of a request: handed out by blocks, each counted and waited for as its pace wants it.
//!
//! A part in memory is cut. A range of a file is read, into buffers that are used again.
//! What the system has in memory is copied at once, where it is about to be summed and sent. What it has not
//! is read on a thread that may wait, one block ahead: a disk that hangs stops nobody else.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::ops::Range;
use core::pin::Pin;
use core::sync::atomic::Ordering;
use core::task::{Context, Poll, ready};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body as HttpBody, Frame};
use oss_proto::transfer::{FileStep, TransferErrorKind};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::Sleep;

use super::disk::Placed;
use super::job::Passed;
use super::pace::Pace;
use super::shelf::named;
use crate::BoxError;
use crate::body::{Body, Chunks, Stream};

/// The file that is uploaded, as it was when the upload began.
#[derive(Debug)]
pub(super) struct SourceFile {
    pub(super) path: PathBuf,
    placed: Placed,
    pub(super) len: u64,
    modified: Option<SystemTime>,
    /// The first thing that was wrong with it.
    fault: OnceLock<TransferErrorKind>,
    /// What all parts have handed out; its memory is taken again once nobody else has it.
    given: Mutex<VecDeque<Bytes>>,
}

impl SourceFile {
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        // Before it is opened: opening a pipe would wait for who writes to it.
        if !std::fs::metadata(&path)?.is_file() {
            let problem = "is not a regular file; upload a pipe or a device with `upload_stream`";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        let file = File::open(&path)?;
        let metadata = file.metadata()?;
        let (len, modified) = (metadata.len(), metadata.modified().ok());
        let (fault, given) = (OnceLock::new(), Mutex::default());
        Ok(Self { path, placed: Placed::new(file), len, modified, fault, given })
    }

    /// What tells it from itself at another time.
    pub(super) fn identity(&self) -> String {
        let since = self.modified.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        format!("{} bytes of {} ns", self.len, since.unwrap_or_default().as_nanos())
    }

    /// What was wrong with it, if anything was.
    pub(super) fn fault(&self) -> Option<TransferErrorKind> {
        self.fault.get().cloned()
    }

    /// Fills the buffer from this place, and makes sure at the end of a part that it is still the same file.
    pub(super) fn fill(&self, buffer: &mut [u8], at: u64, is_last: bool) -> io::Result<()> {
        let failed = |error: io::Error| {
            let kind = TransferErrorKind::File(named(FileStep::Read, &self.path, &error));
            self.fault.get_or_init(|| kind);
            error
        };
        let read = self.placed.read_at(buffer, at).map_err(failed)?;
        let what = if read < buffer.len() {
            Some(format!("it ended at byte {} of {}", at.saturating_add(read as u64), self.len))
        } else if is_last {
            self.difference().map_err(failed)?
        } else {
            None
        };
        let Some(what) = what else { return Ok(()) };
        self.fault.get_or_init(|| TransferErrorKind::SourceChanged { what: what.clone() });
        Err(io::Error::new(io::ErrorKind::InvalidData, what))
    }

    fn difference(&self) -> io::Result<Option<String>> {
        let now = self.placed.file().metadata()?;
        Ok(if now.len() != self.len {
            Some(format!("it had {} bytes and has {}", self.len, now.len()))
        } else if now.modified().ok() != self.modified {
            Some(String::from("its time of modification is another one"))
        } else {
            None
        })
    }

    /// A buffer that was handed out and came back, or a new one.
    fn buffer(&self) -> BytesMut {
        let mut given = self.given();
        // The last one back is the one that is still in the cache.
        let back = given.iter().rposition(Bytes::is_unique);
        let back = back.and_then(|index| given.remove(index)?.try_into_mut().ok());
        back.unwrap_or_else(|| BytesMut::with_capacity(BLOCK_BYTES))
    }

    /// Expects a block back.
    fn lend(&self, block: Bytes) {
        let mut given = self.given();
        given.push_back(block);
        if given.len() > GIVEN_MAX {
            given.pop_front();
        }
    }

    fn given(&self) -> MutexGuard<'_, VecDeque<Bytes>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// CRC-64 of a range, read by blocks; `None` when it cannot be read.
    pub(super) fn checksum(&self, range: Range<u64>) -> Option<u64> {
        checksum(&self.placed, range)
    }
}

/// CRC-64 of a range of a file; `None` when it is not all there.
pub(super) fn checksum(file: &Placed, range: Range<u64>) -> Option<u64> {
    let mut crc = oss_proto::Crc64::new();
    let mut buffer = vec![0; BLOCK_BYTES];
    let mut at = range.start;
    while at < range.end {
        let len = usize::try_from(range.end - at).unwrap_or(usize::MAX).min(BLOCK_BYTES);
        let block = buffer.get_mut(..len)?;
        if file.read_at(block, at).ok()? < len {
            return None;
        }
        crc.update(block);
        at = at.saturating_add(len as u64);
    }
    Some(crc.value())
}

/// The body of a part in memory, from its beginning for each attempt.
pub(super) fn body_in_memory(part: Bytes, passed: &Passed, pace: &Pace) -> Body {
    if part.is_empty() {
        return Body::empty();
    }
    let (len, passed, pace) = (part.len() as u64, Arc::clone(passed), pace.clone());
    Body::reopen_blocks(len, move || {
        let cut = Cut { left: part.clone(), toll: Toll::new(&passed, &pace) };
        Stream::new(Box::pin(cut))
    })
}

/// The body of a part of a file: read from its beginning for each attempt.
pub(super) fn body(source: &Arc<SourceFile>, range: Range<u64>, passed: &Passed, pace: &Pace) -> Body {
    if range.is_empty() {
        return Body::empty();
    }
    let len = range.end.saturating_sub(range.start);
    let (source, passed, pace) = (Arc::clone(source), Arc::clone(passed), pace.clone());
    Body::reopen_blocks(len, move || {
        let blocks = Blocks {
            source: Arc::clone(&source),
            at: range.start,
            end: range.end,
            reading: None,
            toll: Toll::new(&passed, &pace),
        };
        Stream::new(Box::pin(blocks))
    })
}

/// Counts what passes, and makes it wait where there is a pace to keep.
struct Toll {
    passed: Passed,
    pace: Pace,
    debt: Option<Pin<Box<Sleep>>>,
}

impl Toll {
    /// For an attempt: nothing of it has passed.
    fn new(passed: &Passed, pace: &Pace) -> Self {
        passed.store(0, Ordering::Relaxed);
        Self { passed: Arc::clone(passed), pace: pace.clone(), debt: None }
    }

    /// Ready when the blocks so far are paid for.
    fn poll_paid(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(debt) = &mut self.debt {
            ready!(debt.as_mut().poll(cx));
            self.debt = None;
        }
        Poll::Ready(())
    }

    fn pass(&mut self, block: Bytes) -> Frame<Bytes> {
        self.passed.fetch_add(block.len() as u64, Ordering::Relaxed);
        self.debt = self.pace.pass(block.len()).map(Box::pin);
        Frame::data(block)
    }
}

struct Cut {
    left: Bytes,
    toll: Toll,
}

impl Chunks for Cut {}

impl HttpBody for Cut {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        ready!(this.toll.poll_paid(cx));
        if this.left.is_empty() {
            return Poll::Ready(None);
        }
        let block = this.left.split_to(this.left.len().min(BLOCK_BYTES));
        Poll::Ready(Some(Ok(this.toll.pass(block))))
    }
}

struct Blocks {
    source: Arc<SourceFile>,
    /// Where the next read begins.
    at: u64,
    end: u64,
    reading: Option<Reading>,
    toll: Toll,
}

/// The next block.
enum Reading {
    Done(BytesMut),
    Waiting(JoinHandle<io::Result<BytesMut>>),
}

impl Chunks for Blocks {}

impl Blocks {
    /// Begins to read the next block, if there is one.
    fn read_on(&mut self) {
        if self.at >= self.end || self.reading.is_some() {
            return;
        }
        let len = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(BLOCK_BYTES);
        let mut buffer = self.source.buffer();
        buffer.resize(len, 0);
        let at = self.at;
        self.at = self.at.saturating_add(len as u64);
        // At the end of a part the file is looked at, which may wait.
        let is_last = self.at == self.end;
        let read = if is_last { 0 } else { self.source.placed.read_now(&mut buffer, at) };
        self.reading = Some(if read == len {
            Reading::Done(buffer)
        } else {
            let source = Arc::clone(&self.source);
            Reading::Waiting(spawn_blocking(move || {
                source.fill(&mut buffer, at, is_last)?;
                Ok(buffer)
            }))
        });
    }

    fn poll_block(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        self.read_on();
        let (buffer, has_waited) = match self.reading.take() {
            None => return Poll::Ready(None),
            Some(Reading::Done(buffer)) => (buffer, false),
            Some(Reading::Waiting(mut waiting)) => match Pin::new(&mut waiting).poll(cx) {
                Poll::Ready(read) => match read.unwrap_or_else(|ended| Err(io::Error::other(ended))) {
                    Ok(buffer) => (buffer, true),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                },
                Poll::Pending => {
                    self.reading = Some(Reading::Waiting(waiting));
                    return Poll::Pending;
                }
            },
        };
        let block = buffer.freeze();
        self.source.lend(block.clone());
        if has_waited {
            // The next one may have to be waited for too: meanwhile this one is sent.
            self.read_on();
        }
        Poll::Ready(Some(Ok(block)))
    }
}

impl HttpBody for Blocks {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        ready!(this.toll.poll_paid(cx));
        let Some(block) = ready!(this.poll_block(cx)) else { return Poll::Ready(None) };
        Poll::Ready(Some(match block {
            Ok(block) => Ok(this.toll.pass(block)),
            Err(error) => Err(error.into()),
        }))
    }
}

/// How much is read at a time.
const BLOCK_BYTES: usize = 256 << 10;
/// How many blocks are expected back at most: some for each of many lanes.
const GIVEN_MAX: usize = 256;
