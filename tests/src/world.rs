//! The simulated world: a virtual clock, no sockets, no threads. A wait takes no time; the same inputs give
//! the same events.

use core::time::Duration;
use std::io::{self, BufRead, ErrorKind, Read};

use bytes::{Buf as _, Bytes};
use oss_proto::{Event, Failure, FailureKind, Now, Payload, ReplyHead, Sent, Transmit, UnixTime};

use crate::http1::{Body, Head};
use crate::peer::{Peer, Play, Reading, Tape, Then};

/// A peer, the way to it, and the time.
pub struct World {
    /// The peer.
    pub peer: Peer,
    /// Connections are refused.
    pub is_down: bool,
    mono: Duration,
    /// The connection kept from the last answer, and whether the peer has closed it since.
    kept: Option<Kept>,
    answer: Option<Coming>,
}

#[derive(Clone, Copy)]
enum Kept {
    Open,
    Closed,
}

struct Coming {
    stream: Film,
    body: Body,
    may_be_kept: bool,
}

impl World {
    /// A world in which this peer answers, at the time [`EPOCH`].
    pub fn new(peer: Peer) -> Self {
        Self { peer, is_down: false, mono: Duration::ZERO, kept: None, answer: None }
    }

    /// Both clocks.
    pub fn now(&self) -> Now {
        let wall = i64::try_from(self.epoch().as_secs()).unwrap_or(i64::MAX);
        Now { mono: self.mono, wall: UnixTime::from_secs(wall) }
    }

    /// The time since the Unix epoch.
    pub fn epoch(&self) -> Duration {
        EPOCH.saturating_add(self.mono)
    }

    /// Lets time pass until then; it never goes back.
    pub fn wait_until(&mut self, until: Duration) {
        self.mono = self.mono.max(until);
    }

    /// Does `Action::Send`; `open` gives the body of a stream.
    pub fn send(
        &mut self,
        transmit: &Transmit,
        open: &mut dyn FnMut() -> io::Result<Box<dyn Read>>,
    ) -> Event {
        self.answer = None;
        self.wait_until(self.mono.saturating_add(TICK));
        let mut sent = transmit.tally();
        match self.try_send(transmit, open, &mut sent) {
            Ok(head) => Event::Head(oss_proto::Head::new(head, sent)),
            Err((kind, is_stale)) => {
                let failure = Failure::new(kind, sent);
                Event::Failed(if is_stale { failure.stale() } else { failure })
            }
        }
    }

    /// Does `Action::Read`.
    pub fn read(&mut self, deadline: Duration) -> Event {
        let Some(coming) = &mut self.answer else { return Event::End };
        self.mono = self.mono.saturating_add(TICK);
        match coming.body.read(&mut coming.stream) {
            Ok(Some(bytes)) => Event::Body(bytes),
            Ok(None) => {
                self.keep();
                Event::End
            }
            Err(error) => {
                let kind = kind(&error);
                if kind == FailureKind::Timeout {
                    self.wait_until(deadline);
                }
                Event::Failed(Failure::new(kind, Sent::new()))
            }
        }
    }

    fn try_send(
        &mut self,
        transmit: &Transmit,
        open: &mut dyn FnMut() -> io::Result<Box<dyn Read>>,
        sent: &mut Sent,
    ) -> Result<ReplyHead, (FailureKind, bool)> {
        let source_failed = |_| (FailureKind::BodySource, false);
        let mut source: Box<dyn Read + '_> = match &transmit.body {
            Payload::Empty => Box::new(io::empty()),
            Payload::Bytes(bytes) => Box::new(&bytes[..]),
            Payload::Stream { .. } => open().map_err(source_failed)?,
        };
        let is_used = match self.kept.take().filter(|_| !transmit.fresh_connection) {
            Some(Kept::Closed) => return Err((FailureKind::Reset, true)),
            Some(Kept::Open) => true,
            None => false,
        };
        if self.is_down && !is_used {
            return Err((FailureKind::Connect, false));
        }
        sent.start();
        let play = self.deliver(transmit, &mut *source, sent, is_used)?;
        let answer = match play {
            (Play::Answer(answer), is_whole) => (answer, is_whole),
            (Play::Close, _) => return Err((FailureKind::Reset, false)),
            (Play::Hang, _) => {
                let until = self.mono.saturating_add(transmit.answer);
                self.wait_until(transmit.deadline.map_or(until, |deadline| deadline.min(until)));
                return Err((FailureKind::Timeout, false));
            }
        };
        let method = transmit.request.method();
        let mut stream = Film { tape: answer.0.tape(method) };
        let read = read_answer(&mut stream, method).map_err(|error| (kind(&error), false))?;
        let (head, body) = read;
        let may_be_kept = answer.1 && !body.ends_with_connection() && head.status < 500;
        let is_over = body.is_over();
        self.answer = Some(Coming { stream, body, may_be_kept });
        if is_over {
            self.keep();
        }
        Ok(head)
    }

    /// Brings the request to the peer, as much of it as it reads.
    fn deliver(
        &mut self,
        transmit: &Transmit,
        source: &mut dyn Read,
        sent: &mut Sent,
        is_used: bool,
    ) -> Result<(Play, bool), (FailureKind, bool)> {
        let request = &transmit.request;
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let line = format!("{} {target} HTTP/1.1", request.method());
        let length = transmit.body.len();
        let mut headers = request.headers().clone();
        if length.is_none() {
            headers.insert("transfer-encoding", http::HeaderValue::from_static("chunked"));
        }
        let now = self.epoch();
        let begun = self.peer.begin(&line, &headers, is_used, now);
        let (mut incoming, reading) = begun.map_err(|_| (FailureKind::Other, false))?;
        let wanted = match reading {
            Reading::All => u64::MAX,
            Reading::Some(bytes) => bytes,
        };
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut is_whole = false;
        let mut is_damaged = false;
        while incoming.received() < wanted && !is_whole && !is_damaged {
            match source.read(&mut chunk) {
                Ok(0) => is_whole = true,
                Ok(len) => {
                    let piece = chunk.get(..len).unwrap_or_default();
                    let total = incoming.received().saturating_add(len as u64);
                    is_damaged = length.is_some_and(|length| total > length);
                    if !is_damaged {
                        incoming.push(piece);
                        sent.add(piece);
                    }
                }
                Err(_) => is_damaged = true,
            }
        }
        is_damaged |= is_whole && length.is_some_and(|length| incoming.received() != length);
        is_whole |= length == Some(incoming.received());
        let play = self.peer.finish(incoming, is_whole && !is_damaged, now);
        if is_damaged { Err((FailureKind::BodySource, false)) } else { Ok((play, is_whole)) }
    }

    fn keep(&mut self) {
        let Some(Coming { stream, may_be_kept: true, .. }) = self.answer.take() else { return };
        let is_open = stream.tape.then == Then::KeepAlive && stream.tape.pieces.is_empty();
        self.kept = Some(if is_open { Kept::Open } else { Kept::Closed });
    }
}

fn read_answer(stream: &mut Film, method: &http::Method) -> io::Result<(ReplyHead, Body)> {
    loop {
        let head = Head::read(stream)?.ok_or(ErrorKind::UnexpectedEof)?;
        let status = head.status()?;
        if status >= 200 {
            let body = Body::of_answer(method, status, &head.headers)?;
            return Ok((ReplyHead::new(status, head.headers), body));
        }
    }
}

fn kind(error: &io::Error) -> FailureKind {
    match error.kind() {
        ErrorKind::TimedOut => FailureKind::Timeout,
        ErrorKind::InvalidData => FailureKind::Protocol,
        _ => FailureKind::Reset,
    }
}

/// A tape as a stream of bytes.
struct Film {
    tape: Tape,
}

impl BufRead for Film {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.tape.pieces.front().is_some_and(Bytes::is_empty) {
            self.tape.pieces.pop_front();
        }
        if self.tape.pieces.is_empty() {
            match &self.tape.then {
                Then::KeepAlive | Then::Stall => return Err(ErrorKind::TimedOut.into()),
                Then::Close => {}
                Then::Repeat(piece) => self.tape.pieces.push_back(piece.clone()),
            }
        }
        Ok(self.tape.pieces.front().map_or(&[], |piece| &piece[..]))
    }

    fn consume(&mut self, len: usize) {
        if let Some(piece) = self.tape.pieces.front_mut() {
            piece.advance(len.min(piece.len()));
            if piece.is_empty() {
                self.tape.pieces.pop_front();
            }
        }
    }
}

impl Read for Film {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let there = self.fill_buf()?;
        let len = there.len().min(buffer.len());
        buffer[..len].copy_from_slice(&there[..len]);
        self.consume(len);
        Ok(len)
    }
}

/// When the simulated world begins, since the Unix epoch: 2023-12-16 16:20:57 UTC.
pub const EPOCH: Duration = Duration::from_secs(1_702_743_657);
const TICK: Duration = Duration::from_millis(1);
const CHUNK_BYTES: usize = 64 << 10;
