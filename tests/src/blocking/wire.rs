//! The transport of the blocking driver: a request and its answer on a TCP connection, and connections kept.

use core::time::Duration;
use std::io::{self, BufReader, ErrorKind, Read, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use oss_proto::{Event, Failure, FailureKind, Payload, ReplyHead, Sent, Transmit};

use super::Open;
use crate::http1::{Body, Head};

/// Connections that are open and idle, with the authority that they lead to.
#[derive(Debug, Default)]
pub struct Pool(Mutex<Vec<(String, TcpStream)>>);

/// What one call holds of the transport: the connection that its answer is read from.
#[derive(Debug)]
pub struct Wire<'p> {
    pool: &'p Pool,
    began: Instant,
    answer: Option<Answer>,
}

#[derive(Debug)]
struct Answer {
    authority: String,
    stream: BufReader<Timed>,
    body: Body,
    may_be_kept: bool,
}

impl Pool {
    /// A transport for one call, on the monotonic clock that began at this moment.
    pub fn wire(&self, began: Instant) -> Wire<'_> {
        Wire { pool: self, began, answer: None }
    }

    fn take(&self, authority: &str) -> Option<TcpStream> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = idle.iter().rposition(|(other, _)| other == authority)?;
        Some(idle.swap_remove(at).1)
    }

    fn put(&self, authority: String, stream: TcpStream) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((authority, stream));
    }
}

impl Wire<'_> {
    /// Does `Action::Send`: writes the request, reads the head of the answer.
    pub fn send(&mut self, transmit: &Transmit, open: Open<'_>) -> Event {
        self.answer = None;
        let mut sent = transmit.tally();
        match self.try_send(transmit, open, &mut sent) {
            Ok((head, answer)) => {
                let is_over = answer.body.is_over();
                self.answer = Some(answer);
                if is_over {
                    self.keep();
                }
                Event::Head(oss_proto::Head::new(head, sent))
            }
            Err(broken) => Event::Failed(broken.into_failure(sent)),
        }
    }

    /// Does `Action::Read`: reads more of the answer's body.
    pub fn read(&mut self, deadline: Duration) -> Event {
        let Some(answer) = &mut self.answer else { return Event::End };
        answer.stream.get_mut().deadline = later(self.began, deadline);
        match answer.body.read(&mut answer.stream) {
            Ok(Some(bytes)) => Event::Body(bytes),
            Ok(None) => {
                self.keep();
                Event::End
            }
            Err(error) => Event::Failed(Broken::from(error).into_failure(Sent::new())),
        }
    }

    fn try_send(
        &self,
        transmit: &Transmit,
        open: Open<'_>,
        sent: &mut Sent,
    ) -> Result<(ReplyHead, Answer), Broken> {
        let end = transmit.deadline.map(|deadline| later(self.began, deadline));
        let after = |wait: Duration| {
            let at = later(Instant::now(), wait);
            end.map_or(at, |end| end.min(at))
        };
        let mut source: Box<dyn Read + '_> = match &transmit.body {
            Payload::Empty => Box::new(io::empty()),
            Payload::Bytes(bytes) => Box::new(&bytes[..]),
            Payload::Stream { .. } => open().map_err(Broken::source)?,
        };
        let authority = authority(transmit)?;
        let stream = self.connect(&authority, transmit.fresh_connection, after(CONNECT_TIMEOUT))?;
        let mut stream = Timed { stream, deadline: after(transmit.idle) };
        sent.start();
        let is_whole = stream.write(&head(transmit), |_| {})?
            && upload(&mut stream, transmit, &mut *source, sent, &after)?;
        stream.deadline = after(transmit.answer);
        let mut stream = BufReader::new(stream);
        let (status, head) = read_final_head(&mut stream)?;
        let body = Body::of_answer(transmit.request.method(), status, &head.headers)?;
        let may_be_kept = is_whole && status < 500 && head.keeps_alive() && !body.ends_with_connection();
        Ok((ReplyHead::new(status, head.headers), Answer { authority, stream, body, may_be_kept }))
    }

    fn connect(&self, authority: &str, fresh: bool, deadline: Instant) -> Result<TcpStream, Broken> {
        if !fresh && let Some(stream) = self.pool.take(authority) {
            // Nothing was asked, so nothing can have come: what is there is the end.
            return if is_silent(&stream)? { Ok(stream) } else { Err(Broken::stale()) };
        }
        let address = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
        let mut addresses = address.to_socket_addrs().map_err(|error| Broken::of(FailureKind::Dns, error))?;
        let none = || Broken::of(FailureKind::Dns, ErrorKind::NotFound.into());
        let address = addresses.next().ok_or_else(none)?;
        let left = deadline.saturating_duration_since(Instant::now()).max(SHORTEST_WAIT);
        let connected = TcpStream::connect_timeout(&address, left).and_then(|stream| {
            stream.set_nodelay(true)?;
            Ok(stream)
        });
        connected.map_err(|error| Broken::of(FailureKind::Connect, error))
    }

    /// Gives the connection back once its answer is read.
    fn keep(&mut self) {
        let Some(answer) = self.answer.take() else { return };
        if answer.may_be_kept && answer.stream.buffer().is_empty() {
            self.pool.put(answer.authority, answer.stream.into_inner().stream);
        }
    }
}

fn authority(transmit: &Transmit) -> Result<String, Broken> {
    let uri = transmit.request.uri();
    let authority = uri.authority().filter(|_| uri.scheme() == Some(&http::uri::Scheme::HTTP));
    let no_tls = || Broken::of(FailureKind::Tls, io::Error::other("this driver speaks plain HTTP only"));
    authority.map(ToString::to_string).ok_or_else(no_tls)
}

/// The head of the request as it stands, and what frames its body.
fn head(transmit: &Transmit) -> Vec<u8> {
    let request = &transmit.request;
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut head = format!("{} {target} HTTP/1.1\r\n", request.method()).into_bytes();
    for (name, value) in request.headers() {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    if transmit.body.len().is_none() {
        head.extend_from_slice(b"transfer-encoding: chunked\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// Sends the body, counted and checksummed as it leaves; false when the peer answered or closed before.
fn upload(
    stream: &mut Timed,
    transmit: &Transmit,
    source: &mut dyn Read,
    sent: &mut Sent,
    after: &dyn Fn(Duration) -> Instant,
) -> Result<bool, Broken> {
    let length = transmit.body.len();
    let mut left = length;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let len = source.read(&mut chunk).map_err(Broken::source)?;
        let piece = chunk.get(..len).unwrap_or_default();
        if let Some(left) = &mut left {
            let rest = left.checked_sub(len as u64).ok_or_else(|| Broken::length("longer"))?;
            *left = rest;
        }
        if len == 0 {
            break;
        }
        stream.deadline = after(transmit.idle);
        let has_left = match length {
            Some(_) => stream.write(piece, |taken| sent.add(taken))?,
            None => {
                stream.write(format!("{len:x}\r\n").as_bytes(), |_| {})?
                    && stream.write(piece, |taken| sent.add(taken))?
                    && stream.write(b"\r\n", |_| {})?
            }
        };
        if !has_left {
            return Ok(false);
        }
    }
    match left {
        Some(0) => Ok(true),
        Some(_) => Err(Broken::length("shorter")),
        None => Ok(stream.write(b"0\r\n\r\n", |_| {})?),
    }
}

/// The head of the answer, past those that only announce it.
fn read_final_head(stream: &mut BufReader<Timed>) -> Result<(u16, Head), Broken> {
    loop {
        let closed = || io::Error::new(ErrorKind::UnexpectedEof, "closed without an answer");
        let head = Head::read(stream)?.ok_or_else(closed)?;
        let status = head.status()?;
        if status >= 200 {
            return Ok((status, head));
        }
    }
}

/// A connection on which nothing takes longer than until its deadline.
#[derive(Debug)]
pub(super) struct Timed {
    pub(super) stream: TcpStream,
    pub(super) deadline: Instant,
}

impl Timed {
    /// Writes all of it and tells what was taken; false when the peer answered or closed instead.
    pub(super) fn write(&mut self, mut bytes: &[u8], mut on_taken: impl FnMut(&[u8])) -> io::Result<bool> {
        while !bytes.is_empty() {
            if !is_silent(&self.stream)? {
                return Ok(false);
            }
            // In short turns, to see an answer that comes while the peer takes no more.
            self.stream.set_write_timeout(Some(self.left()?.min(WRITE_TURN)))?;
            match self.stream.write(bytes) {
                Ok(len) => {
                    let (taken, rest) = bytes.split_at(len.min(bytes.len()));
                    on_taken(taken);
                    bytes = rest;
                }
                Err(error) if is_timeout(&error) || error.kind() == ErrorKind::Interrupted => {}
                // What the peer said before it closed counts more than that it closed.
                Err(_) => return Ok(false),
            }
        }
        Ok(true)
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left.max(SHORTEST_WAIT)) }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(buffer)
    }
}

/// Whether the peer has sent nothing, not even its end.
fn is_silent(stream: &TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(true)?;
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    Ok(peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock))
}

/// That moment, or one a year away when no clock reaches it.
fn later(from: Instant, wait: Duration) -> Instant {
    from.checked_add(wait).unwrap_or_else(|| from + LONGEST_WAIT)
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// How the wire failed, in the exchange's words.
#[derive(Debug)]
struct Broken {
    kind: FailureKind,
    cause: io::Error,
    is_stale: bool,
}

impl Broken {
    fn of(kind: FailureKind, cause: io::Error) -> Self {
        Self { kind, cause, is_stale: false }
    }

    fn source(cause: io::Error) -> Self {
        Self::of(FailureKind::BodySource, cause)
    }

    fn length(how: &str) -> Self {
        Self::source(io::Error::other(format!("the body is {how} than it was said to be")))
    }

    fn stale() -> Self {
        Self { is_stale: true, ..Self::of(FailureKind::Reset, ErrorKind::ConnectionAborted.into()) }
    }

    fn into_failure(self, sent: Sent) -> Failure {
        let failure = Failure::new(self.kind, sent).because(self.cause);
        if self.is_stale { failure.stale() } else { failure }
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        let kind = match error.kind() {
            _ if is_timeout(&error) => FailureKind::Timeout,
            ErrorKind::InvalidData => FailureKind::Protocol,
            _ => FailureKind::Reset,
        };
        Self::of(kind, error)
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const WRITE_TURN: Duration = Duration::from_millis(20);
/// A socket takes no timeout of zero.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 3600);
const CHUNK_BYTES: usize = 64 << 10;
