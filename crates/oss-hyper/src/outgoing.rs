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
use crate::body::{CHUNK_BYTES_MAX, Stream};

/// The half that hyper has.
pub(crate) struct Outgoing(Arc<Mutex<State>>);

/// The half that the call keeps: it sees what left, whose turn it is, and can end the sending.
pub(crate) struct Tally(Arc<Mutex<State>>);

struct State {
    content: Content,
    /// Bytes still due; `None` when the length is not known.
    left: Option<u64>,
    len: Option<u64>,
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

/// Whom the sending waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The caller's own source: not the peer's fault, however long it takes.
    Source,
    /// The peer, which does not take what we have.
    Peer,
    /// The peer, which has it all to think about.
    Done,
}

/// The two halves of a body that is about to be sent. `len` is what the request's head promises.
pub(crate) fn outgoing(content: Content, len: Option<u64>, sent: Sent) -> (Outgoing, Tally) {
    let turn = if len == Some(0) { Turn::Done } else { Turn::Peer };
    let state = State {
        content,
        left: len,
        len,
        sent,
        turn,
        since: Instant::now(),
        is_sealed: false,
        fault: None,
        watcher: None,
    };
    let state = Arc::new(Mutex::new(state));
    (Outgoing(Arc::clone(&state)), Tally(state))
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut state = lock(&self.0);
        if state.is_sealed {
            // Neither the end nor an error: the answer is being read from the same connection.
            return Poll::Pending;
        }
        match state.poll_chunk(cx) {
            Poll::Pending => {
                state.pass(Turn::Source);
                Poll::Pending
            }
            Poll::Ready(Ok(Some(chunk))) => {
                state.sent.add(&chunk);
                let turn = if state.left == Some(0) { Turn::Done } else { Turn::Peer };
                state.pass(turn);
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            Poll::Ready(Ok(None)) => {
                state.pass(Turn::Done);
                Poll::Ready(None)
            }
            Poll::Ready(Err(error)) => {
                let shown = error.to_string();
                state.fault = Some(error);
                // An error, and not an end: hyper breaks the connection off, and OSS drops what it has.
                Poll::Ready(Some(Err(shown.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        lock(&self.0).turn == Turn::Done
    }

    fn size_hint(&self) -> SizeHint {
        lock(&self.0).left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

impl Tally {
    /// Gives out no more of the body, and says what was given out.
    pub(crate) fn seal(&self) -> Sent {
        let mut state = lock(&self.0);
        state.is_sealed = true;
        state.sent.clone()
    }

    /// Whether the whole body was given out.
    pub(crate) fn is_complete(&self) -> bool {
        lock(&self.0).turn == Turn::Done
    }

    /// The error of the source, when that is what ended the sending.
    pub(crate) fn take_fault(&self) -> Option<BoxError> {
        lock(&self.0).fault.take()
    }

    /// After [`seal`](Self::seal): the source, when nothing of it was taken.
    pub(crate) fn take_unread(&self) -> Option<Stream> {
        let mut state = lock(&self.0);
        if state.sent.bytes() > 0 || state.fault.is_some() {
            return None;
        }
        match core::mem::replace(&mut state.content, Content::Bytes(Bytes::new())) {
            Content::Stream(stream) => Some(stream),
            Content::Bytes(_) => None,
        }
    }

    /// When the peer will have been silent for too long, if nothing happens; `None` while we wait for the
    /// source.
    ///
    /// `wrote` is when the connection last took a byte; the watcher is woken when the turn changes.
    pub(crate) fn limit(
        &self,
        wrote: Instant,
        idle: Duration,
        answer: Duration,
        watcher: &Waker,
    ) -> Option<Instant> {
        let mut state = lock(&self.0);
        let patience = match state.turn {
            Turn::Source => None,
            Turn::Peer => Some(idle),
            Turn::Done => Some(answer),
        };
        if !state.watcher.as_ref().is_some_and(|known| known.will_wake(watcher)) {
            state.watcher = Some(watcher.clone());
        }
        state.since.max(wrote).checked_add(patience?)
    }
}

impl State {
    fn pass(&mut self, turn: Turn) {
        self.since = Instant::now();
        if core::mem::replace(&mut self.turn, turn) != turn
            && let Some(watcher) = self.watcher.take()
        {
            watcher.wake();
        }
    }

    /// The next chunk; `None` at an end that is where it was promised.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BoxError>> {
        let chunk = match &mut self.content {
            Content::Bytes(bytes) => {
                let chunk = bytes.split_to(bytes.len().min(CHUNK_BYTES_MAX));
                (!chunk.is_empty()).then_some(chunk)
            }
            Content::Stream(stream) => match poll_stream(stream, self.left, cx) {
                Poll::Ready(Ok(chunk)) => chunk,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            },
        };
        let taken = chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        let Some(left) = self.left else { return Poll::Ready(Ok(chunk)) };
        let len = self.len.unwrap_or_default();
        if taken > left {
            return Poll::Ready(Err(wrong_length(format!(
                "has more than the {len} bytes that were announced"
            ))));
        }
        if chunk.is_none() && left > 0 {
            let had = len - left;
            return Poll::Ready(Err(wrong_length(format!("ended after {had} of the {len} bytes announced"))));
        }
        self.left = Some(left - taken);
        Poll::Ready(Ok(chunk))
    }
}

/// The next chunk that may be sent.
///
/// The chunk that completes the promised length is held back until the source has ended: with it the message
/// would be whole, and one byte more could not undo that.
fn poll_stream(
    stream: &mut Stream,
    left: Option<u64>,
    cx: &mut Context<'_>,
) -> Poll<Result<Option<Bytes>, BoxError>> {
    loop {
        let next = match stream.body.as_mut().poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(chunk) if !chunk.is_empty() => Some(chunk),
                _ => continue,
            },
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
            Poll::Ready(None) => None,
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

fn wrong_length(problem: String) -> BoxError {
    io::Error::new(io::ErrorKind::InvalidData, format!("the body {problem}")).into()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // A source that panics leaves a state behind that is only read from then on.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
