//! What hyper sends: hands out the body, counts and checksums it in the same pass, and can be sealed.

use alloc::sync::Arc;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use oss_proto::Sent;
use tokio::time::Instant;

use crate::BoxError;
use crate::body::Stream;
use crate::clock::later;

/// What a source gives: a chunk, or nothing at its end.
type PolledChunk = Poll<Result<Option<Bytes>, BoxError>>;
/// What hyper gets.
type PolledFrame = Poll<Option<Result<Frame<Bytes>, BoxError>>>;

/// The body of a request while it is sent: what a client behind
/// [`Transport::from_service`](crate::Transport::from_service) gets.
///
/// Its size hint is exact when the length is known. It is counted and checksummed as it is read, so it is to
/// be read once, by whoever sends it, and not ahead of the sending.
pub struct RequestBody(Arc<Shared>);

/// The half that the call keeps: it sees what left, whose turn it is, and can end the sending.
pub(crate) struct Tally(Arc<Shared>);

struct Shared {
    /// How it is sent.
    manner: Manner,
    /// Locked by `RequestBody` while it polls, which runs the program's own code for as long as that takes;
    /// the other half only tries.
    content: Mutex<Content>,
    /// Held for a few instructions at a time.
    state: Mutex<State>,
    /// What the request's head promises.
    len: Option<u64>,
}

struct State {
    /// Bytes still due; `None` when the length is not known.
    left: Option<u64>,
    sent: Sent,
    turn: Turn,
    /// Since when it is this turn, or when the last chunk was handed out.
    since: Instant,
    is_sealed: bool,
    fault: Option<BoxError>,
    /// Who wants to know when the turn changes.
    watcher: Option<Waker>,
}

pub(crate) enum Content {
    Bytes(Bytes),
    Stream(Stream),
}

/// How a body is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// How much of it is handed out at a time.
    pub(crate) block_bytes: usize,
    /// What hyper gets of a body that is sealed: nothing, because the answer is being read from the same
    /// connection, which we close ourselves; or an error, for a client that knows no better.
    pub(crate) fails_when_sealed: bool,
}

/// Whom the sending waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The caller's own source: not the peer's fault, however long it takes.
    Source,
    /// The caller's own source, which has given everything and only has to end.
    SourceEnd,
    /// The peer, which does not take what we have.
    Peer,
    /// The peer, which has it all to think about.
    Done,
}

/// The two halves of a body that is about to be sent. `len` is what the request's head promises.
pub(crate) fn outgoing(
    content: Content,
    len: Option<u64>,
    sent: Sent,
    manner: Manner,
) -> (RequestBody, Tally) {
    let turn = if len == Some(0) { Turn::Done } else { Turn::Peer };
    let since = Instant::now();
    let state = State { left: len, sent, turn, since, is_sealed: false, fault: None, watcher: None };
    let shared = Arc::new(Shared { content: Mutex::new(content), state: Mutex::new(state), len, manner });
    (RequestBody(Arc::clone(&shared)), Tally(shared))
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PolledFrame {
        let shared = &*self.0;
        let left = {
            let state = lock(&shared.state);
            if state.is_sealed {
                return shared.manner.sealed();
            }
            state.left
        };
        let (polled, is_held) = {
            let panics = Panics(shared);
            let mut content = lock(&shared.content);
            let polled = content.poll_chunk(left, shared.len, shared.manner.block_bytes, cx);
            core::mem::forget(panics);
            (polled, matches!(&*content, Content::Stream(Stream { held: Some(_), .. })))
        };
        let (frame, watcher) = lock(&shared.state).take(polled, is_held);
        // Not under the lock: a waker may run code of anyone's.
        if let Some(watcher) = watcher {
            watcher.wake();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        lock(&self.0.state).turn == Turn::Done
    }

    fn size_hint(&self) -> SizeHint {
        lock(&self.0.state).left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

impl Manner {
    fn sealed(self) -> PolledFrame {
        if self.fails_when_sealed { Poll::Ready(Some(Err("the call is over".into()))) } else { Poll::Pending }
    }
}

impl core::fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RequestBody").field("left", &lock(&self.0.state).left).finish_non_exhaustive()
    }
}

/// Tells why the sending ended when the source panics: to hyper it looks like a connection that is gone.
struct Panics<'a>(&'a Shared);

impl Drop for Panics<'_> {
    fn drop(&mut self) {
        lock(&self.0.state).fault = Some(io::Error::other("the body's source panicked").into());
    }
}

impl Tally {
    /// Gives out no more of the body, and says what was given out.
    pub(crate) fn seal(&self) -> Sent {
        let mut state = lock(&self.0.state);
        state.is_sealed = true;
        state.sent.clone()
    }

    /// What was given out so far; more may be.
    pub(crate) fn sent(&self) -> Sent {
        lock(&self.0.state).sent.clone()
    }

    /// Whether the whole body was given out.
    pub(crate) fn is_complete(&self) -> bool {
        lock(&self.0.state).turn == Turn::Done
    }

    /// The error of the source, when that is what ended the sending.
    pub(crate) fn take_fault(&self) -> Option<BoxError> {
        lock(&self.0.state).fault.take()
    }

    /// What is wrong with a source that has given everything but does not end, when that is what we wait for.
    pub(crate) fn endless(&self) -> Option<BoxError> {
        (lock(&self.0.state).turn == Turn::SourceEnd).then(|| endless(self.0.len.unwrap_or_default()))
    }

    /// After [`seal`](Self::seal): the source, when nothing of it was taken.
    pub(crate) fn take_unread(&self) -> Option<Stream> {
        {
            let state = lock(&self.0.state);
            if state.sent.bytes() > 0 || state.fault.is_some() {
                return None;
            }
        }
        // A source that is being polled at this moment, or that panicked, is nobody's to use again.
        let mut content = self.0.content.try_lock().ok()?;
        match core::mem::replace(&mut *content, Content::Bytes(Bytes::new())) {
            Content::Stream(stream) => Some(stream),
            Content::Bytes(_) => None,
        }
    }

    /// When the one we wait for will have been silent for too long, if nothing happens; `None` while that is
    /// a source with something left to give.
    ///
    /// `wrote` is when the connection last took a byte; the watcher is woken when the turn changes.
    pub(crate) fn limit(
        &self,
        wrote: Instant,
        idle: Duration,
        answer: Duration,
        watcher: &Waker,
    ) -> Option<Instant> {
        let mut state = lock(&self.0.state);
        let patience = match state.turn {
            Turn::Source => None,
            Turn::SourceEnd | Turn::Peer => Some(idle),
            Turn::Done => Some(answer.saturating_add(on_its_way(state.sent.bytes()))),
        };
        if !state.watcher.as_ref().is_some_and(|known| known.will_wake(watcher)) {
            state.watcher = Some(watcher.clone());
        }
        Some(later(state.since.max(wrote), patience?))
    }
}

/// How long the last of a body may be on its way after it was written: what is written is in a queue of the
/// system's, which holds megabytes, and a peer that takes them slowly is not silent.
fn on_its_way(bytes: u64) -> Duration {
    Duration::from_millis(bytes.min(QUEUE_BYTES_MAX) * 1000 / SLOW_BYTES_PER_SEC)
}

impl State {
    /// Takes over what came of polling the content; gives what hyper gets, and whom to wake.
    fn take(&mut self, polled: PolledChunk, is_held: bool) -> (PolledFrame, Option<Waker>) {
        if self.is_sealed {
            // What was asked for before nobody wants any more.
            return (Poll::Pending, None);
        }
        match polled {
            Poll::Pending => (Poll::Pending, self.pass(if is_held { Turn::SourceEnd } else { Turn::Source })),
            Poll::Ready(Ok(Some(chunk))) => {
                self.sent.add(&chunk);
                self.left = self.left.map(|left| left.saturating_sub(chunk.len() as u64));
                let turn = if self.left == Some(0) { Turn::Done } else { Turn::Peer };
                (Poll::Ready(Some(Ok(Frame::data(chunk)))), self.pass(turn))
            }
            Poll::Ready(Ok(None)) => (Poll::Ready(None), self.pass(Turn::Done)),
            Poll::Ready(Err(error)) => {
                let shown = error.to_string();
                self.fault = Some(error);
                // An error, and not an end: hyper breaks the connection off, and OSS drops what it has.
                (Poll::Ready(Some(Err(shown.into()))), None)
            }
        }
    }

    fn pass(&mut self, turn: Turn) -> Option<Waker> {
        let is_new = core::mem::replace(&mut self.turn, turn) != turn;
        // A source that wakes us without an end has not moved.
        if is_new || turn != Turn::SourceEnd {
            self.since = Instant::now();
        }
        if is_new { self.watcher.take() } else { None }
    }
}

impl Content {
    /// The next chunk; `None` at an end that is where it was promised.
    fn poll_chunk(
        &mut self,
        left: Option<u64>,
        len: Option<u64>,
        block_bytes: usize,
        cx: &mut Context<'_>,
    ) -> PolledChunk {
        let chunk = match self {
            Self::Bytes(bytes) => {
                let chunk = bytes.split_to(bytes.len().min(block_bytes));
                (!chunk.is_empty()).then_some(chunk)
            }
            Self::Stream(stream) => match poll_stream(stream, left, cx) {
                Poll::Ready(Ok(chunk)) => chunk,
                other => return other,
            },
        };
        let (Some(left), Some(len)) = (left, len) else { return Poll::Ready(Ok(chunk)) };
        let taken = chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        if taken > left {
            return Poll::Ready(Err(wrong_length(format!(
                "has more than the {len} bytes that were announced"
            ))));
        }
        if chunk.is_none() && left > 0 {
            let had = len - left;
            return Poll::Ready(Err(wrong_length(format!("ended after {had} of the {len} bytes announced"))));
        }
        Poll::Ready(Ok(chunk))
    }
}

/// The next chunk that may be sent.
///
/// The chunk that completes the promised length is held back until the source has ended: with it the message
/// would be whole, and one byte more could not undo that.
fn poll_stream(stream: &mut Stream, left: Option<u64>, cx: &mut Context<'_>) -> PolledChunk {
    loop {
        if stream.is_over {
            return Poll::Ready(Ok(stream.held.take()));
        }
        let next = match stream.body.as_mut().poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(chunk) if !chunk.is_empty() => Some(chunk),
                _ => continue,
            },
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
            Poll::Ready(None) => {
                stream.is_over = true;
                None
            }
            Poll::Pending => return Poll::Pending,
        };
        return Poll::Ready(match (stream.held.take(), next) {
            (Some(_), Some(_)) => Err(wrong_length("has more bytes than were announced".into())),
            (Some(held), None) => Ok(Some(held)),
            (None, Some(chunk)) if Some(chunk.len() as u64) == left => {
                stream.held = Some(chunk);
                continue;
            }
            (None, next) => Ok(next),
        });
    }
}

/// Makes sure that a source of which nothing is due has nothing: its message has no body to find that out by.
pub(crate) async fn check_empty(stream: &mut Stream) -> Result<(), BoxError> {
    let chunk = core::future::poll_fn(|cx| poll_stream(stream, None, cx)).await?;
    chunk.map_or(Ok(()), |_| Err(wrong_length("has bytes where none were announced".into())))
}

/// A source that has given all of `len` bytes and does not end: it may have more to give.
pub(crate) fn endless(len: u64) -> BoxError {
    wrong_length(format!("gave all {len} bytes but does not end; wrap its reader in `take({len})`"))
}

fn wrong_length(problem: String) -> BoxError {
    io::Error::new(io::ErrorKind::InvalidData, format!("the body {problem}")).into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A source that panics leaves a content behind that is not polled again.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a system queues of what was written to one connection, at most (`net.ipv4.tcp_wmem` of Linux).
const QUEUE_BYTES_MAX: u64 = 4 << 20;
/// A peer that takes a queue no faster than this is still a peer that takes it.
const SLOW_BYTES_PER_SEC: u64 = 128 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_in_memory_leaves_in_blocks_and_a_sealed_one_not_at_all() {
        for (fails_when_sealed, block_bytes) in [(false, 4096), (true, 5000)] {
            let manner = Manner { block_bytes, fails_when_sealed };
            let content = Content::Bytes(Bytes::from(vec![1; 10_000]));
            let (mut body, tally) = outgoing(content, Some(10_000), Sent::new(), manner);
            let cx = &mut Context::from_waker(Waker::noop());
            assert_eq!(body.size_hint().exact(), Some(10_000));
            let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(cx) else {
                panic!("the first block is there")
            };
            assert_eq!(frame.into_data().unwrap().len(), block_bytes);
            assert_eq!(tally.seal().bytes(), block_bytes as u64);
            match Pin::new(&mut body).poll_frame(cx) {
                Poll::Pending => assert!(!fails_when_sealed),
                Poll::Ready(frame) => assert!(fails_when_sealed && frame.unwrap().is_err()),
            }
            assert_eq!(tally.seal().bytes(), block_bytes as u64);
        }
    }

    #[test]
    fn f13_what_is_on_its_way_has_time_to_arrive() {
        let cases = [(0, 0), (1 << 10, 7), (1 << 20, 8_000), (4 << 20, 32_000), (u64::MAX, 32_000)];
        for (bytes, millis) in cases {
            assert_eq!(on_its_way(bytes), Duration::from_millis(millis), "{bytes}");
        }
    }
}
