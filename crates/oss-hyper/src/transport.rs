//! Sends one request and reads its answer: over pooled connections, within the time limits of the request.

use alloc::sync::Arc;
use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use oss_proto::{
    Error, Failure, FailureKind, Head, InvalidRequest, InvalidValue, Payload, ReplyHead, Sent, Transmit,
};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::BoxError;
use crate::account::Account;
use crate::body::Body;
use crate::clock::{LAST_LOOK, after};
use crate::connect::{Connection, Connector, Fault, Origin};
use crate::outgoing::{Content, Outgoing, Tally, check_empty, endless, outgoing};
use crate::pool::{Lease, OpenBody, Pool};
use crate::tls::Tls;

/// Connections and how they are made; a clone shares them, and so may any number of clients.
///
/// HTTP/1.1 over TCP or TLS (rustls on ring, TLS 1.2 and 1.3, certificates verified), at most 20 connections
/// at a time, 10 s to connect, name lookup and TLS included. Nothing is sent twice behind a caller's back: a
/// request that fails is reported, with what is known of what left.
///
/// Silence is measured where bytes enter the system's queue, which holds up to 4 MB: while there is more to
/// send, a peer must take about a third of the queue within the idle limit; once everything is in it, the
/// answer has a second more for each 128 KiB that may still be on their way, 32 s at most.
#[derive(Clone, Debug)]
pub struct Transport {
    pool: Arc<Pool>,
}

/// How a [`Transport`] is made.
#[derive(Clone, Debug)]
pub struct TransportBuilder {
    connect_timeout: Duration,
    connections_max: usize,
    idle_max: Duration,
    roots: Vec<Box<[u8]>>,
}

impl Transport {
    /// A transport with the documents' defaults.
    pub fn new() -> Self {
        Self::builder().build().expect("without certificates of the caller's there is nothing to refuse")
    }

    /// A transport with other limits or roots.
    pub fn builder() -> TransportBuilder {
        TransportBuilder {
            connect_timeout: Duration::from_secs(10),
            connections_max: 20,
            idle_max: Duration::from_secs(50),
            roots: Vec::new(),
        }
    }

    /// Sends a request with its body, and gives the head of the answer with what follows it.
    ///
    /// The account is the one of the exchange: its clock is the one that the time limits are on.
    ///
    /// # Errors
    /// When there is no connection, or no answer; the failure says what had left by then.
    pub async fn send(
        &self,
        transmit: Transmit,
        body: &Body,
        account: &Account,
    ) -> Result<(Head, ResponseBody), Failure> {
        let sent = transmit.tally();
        let Transmit { request, body: payload, idle, answer, .. } = transmit;
        let times = Times { idle, answer, end: transmit.deadline.map(|end| account.clock().instant(end)) };
        let not_sent = |fault| failure(fault, Sent::new());
        let Some(origin) = Origin::of(request.uri()) else {
            let cause = "the request names no scheme and host";
            return Err(not_sent(Fault::new(FailureKind::Other, cause)));
        };
        let len = payload.len();
        // Before there is a connection: a source takes its own time, and may need a connection itself.
        let content = open(payload, body, times).await.map_err(not_sent)?;
        let lease = match self.pool.lease(&origin, transmit.fresh_connection, times.end).await {
            Ok(lease) => lease,
            Err(fault) => {
                if let Content::Stream(unread) = content {
                    body.restore(unread);
                }
                return Err(not_sent(fault));
            }
        };
        let (outgoing, tally) = outgoing(content, len, sent);
        exchange(lease, origin_form(request, outgoing), tally, times, body, &self.pool).await
    }
}

impl Default for Transport {
    fn default() -> Self {
        Self::new()
    }
}

impl TransportBuilder {
    /// How long a connection may take, name lookup and TLS included, and how long a call waits for one: 10 s.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The most connections at a time, idle ones included: 20. At least 1.
    #[must_use]
    pub fn connections_max(mut self, connections: usize) -> Self {
        self.connections_max = connections;
        self
    }

    /// How long an unused connection is kept: 50 s, before OSS closes it at 60 s.
    #[must_use]
    pub fn idle_max(mut self, idle: Duration) -> Self {
        self.idle_max = idle;
        self
    }

    /// Trusts these certificates too: any number in PEM, or one in DER.
    #[must_use]
    pub fn root_certificates(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.roots.push(bytes.into().into_boxed_slice());
        self
    }

    /// The transport; it opens nothing yet.
    ///
    /// # Errors
    /// When a root certificate cannot be read.
    pub fn build(self) -> Result<Transport, Error> {
        let tls = Tls::new(&self.roots).map_err(|problem| {
            InvalidRequest::new("a request", "root_certificates", InvalidValue::new(problem))
        })?;
        let connector = Connector { timeout: self.connect_timeout, tls };
        Ok(Transport { pool: Pool::new(connector, self.connections_max, self.idle_max) })
    }
}

/// The body of an answer. Read to its end it gives its connection back; dropped earlier it closes it.
pub struct ResponseBody {
    incoming: Incoming,
    hold: Option<Hold>,
}

/// What an unfinished answer keeps busy.
struct Hold {
    lease: Lease,
    tally: Tally,
    is_sound: bool,
    _open: OpenBody,
}

impl ResponseBody {
    fn new(incoming: Incoming, hold: Hold) -> Self {
        let mut body = Self { incoming, hold: Some(hold) };
        if body.incoming.is_end_stream() {
            body.finish();
        }
        body
    }

    /// A connection on which half a request stands, or whose answer makes it doubtful, is not used again.
    fn finish(&mut self) {
        if let Some(Hold { lease, .. }) = self.hold.take_if(|hold| hold.is_sound && hold.tally.is_complete())
        {
            lease.put_back();
        }
        self.hold = None;
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) else { return Poll::Pending };
        match &frame {
            Some(Err(_)) => self.hold = None,
            Some(Ok(_)) if !self.incoming.is_end_stream() => {}
            Some(Ok(_)) | None => self.finish(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl core::fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ResponseBody").field("is_open", &self.hold.is_some()).finish_non_exhaustive()
    }
}

/// The time limits of one request.
#[derive(Clone, Copy)]
struct Times {
    idle: Duration,
    answer: Duration,
    end: Option<Instant>,
}

/// Why there is no head of an answer.
enum Broken {
    /// The one we wait for did nothing for too long.
    Silent,
    /// The call has no more time.
    Late,
    Hyper(hyper::Error),
}

/// The content at its start.
async fn open(payload: Payload, body: &Body, times: Times) -> Result<Content, Fault> {
    let of_source = |error: BoxError| Fault::new(FailureKind::BodySource, error);
    let len = match payload {
        Payload::Empty => return Ok(Content::Bytes(Bytes::new())),
        Payload::Bytes(bytes) => return Ok(Content::Bytes(bytes)),
        Payload::Stream { len, .. } => len,
    };
    let opening = async {
        let Ok(opened) = timeout(OPEN_MAX, body.open()).await else {
            let seconds = OPEN_MAX.as_secs();
            return Err(format!("the body's source did not open within {seconds} s").into());
        };
        let mut stream = opened?;
        if len == Some(0) {
            timeout(times.idle, check_empty(&mut stream)).await.unwrap_or_else(|_| Err(endless(0)))?;
        }
        Ok(Content::Stream(stream))
    };
    let Some(end) = times.end else { return opening.await.map_err(of_source) };
    let late = |_elapsed| Fault::new(FailureKind::Timeout, "the call's time was over while its body opened");
    timeout_at(end, opening).await.map_err(late)?.map_err(of_source)
}

/// The request as it was composed, with its target in origin form (RFC 9112 section 3.2.1).
fn origin_form(request: Request<()>, body: Outgoing) -> Request<Outgoing> {
    let (mut head, ()) = request.into_parts();
    let target = head.uri.into_parts().path_and_query;
    head.uri = Uri::from(target.unwrap_or_else(|| PathAndQuery::from_static("/")));
    Request::from_parts(head, body)
}

async fn exchange(
    mut lease: Lease,
    request: Request<Outgoing>,
    tally: Tally,
    times: Times,
    body: &Body,
    pool: &Arc<Pool>,
) -> Result<(Head, ResponseBody), Failure> {
    let before = lease.connection.meter.bytes();
    let answered = answer(&mut lease.connection, request, &tally, times).await;
    // From here on the tally stands still, whatever hyper still asks of the body.
    let mut sent = tally.seal();
    let broken = match answered {
        Ok(response) => {
            sent.start();
            let (head, incoming) = response.into_parts();
            let is_sound = is_sound(head.status, &head.headers, sent.bytes());
            let hold = Hold { lease, tally, is_sound, _open: pool.open_body() };
            let reply = ReplyHead::new(head.status.as_u16(), head.headers);
            return Ok((Head::new(reply, sent), ResponseBody::new(incoming, hold)));
        }
        Err(broken) => broken,
    };
    if lease.connection.meter.bytes() > before {
        sent.start();
    }
    let is_used = lease.is_used;
    drop(lease);
    let fault = match (tally.take_fault(), broken) {
        (Some(cause), _) => Fault { kind: FailureKind::BodySource, cause },
        (None, Broken::Late) => Fault::new(FailureKind::Timeout, "the call's time was over"),
        (None, Broken::Silent) => match tally.endless() {
            Some(cause) => Fault { kind: FailureKind::BodySource, cause },
            None => Fault::new(FailureKind::Timeout, "the peer neither took nor sent a byte"),
        },
        (None, Broken::Hyper(error)) => fault_of(error),
    };
    if fault.kind != FailureKind::BodySource
        && let Some(unread) = tally.take_unread()
    {
        body.restore(unread);
    }
    let is_stale = is_used && !sent.started() && fault.kind == FailureKind::Reset;
    let failure = failure(fault, sent);
    Err(if is_stale { failure.stale() } else { failure })
}

/// Whether the connection of this answer is good for another request, once the answer is read.
fn is_sound(status: StatusCode, headers: &HeaderMap, sent_bytes: u64) -> bool {
    // HTTP says that there is no body, but these headers announce one: what follows may be that.
    let announces = || {
        headers.contains_key(TRANSFER_ENCODING)
            || headers.get_all(CONTENT_LENGTH).iter().any(|length| length != "0")
    };
    if status == StatusCode::NO_CONTENT && announces() {
        return false;
    }
    // The peer may not have read the body that it refuses, and megabytes fit in the queues between us.
    let is_clogged = !status.is_success() && sent_bytes > UNREAD_BYTES_MAX;
    !is_clogged && !status.is_server_error() && status != StatusCode::REQUEST_TIMEOUT
}

/// Waits for the head of the answer, for as long as the peer does anything.
async fn answer(
    connection: &mut Connection,
    request: Request<Outgoing>,
    tally: &Tally,
    times: Times,
) -> Result<Response<Incoming>, Broken> {
    let meter = Arc::clone(&connection.meter);
    let mut response = pin!(connection.sender.try_send_request(request));
    let mut timer = pin!(sleep_until(after(times.idle)));
    // A limit that has passed, and until when we look once more.
    let mut passed: Option<(Instant, Instant)> = None;
    poll_fn(|cx| {
        if let Poll::Ready(result) = response.as_mut().poll(cx) {
            return Poll::Ready(result.map_err(|error| Broken::Hyper(error.into_error())));
        }
        loop {
            let silent = tally.limit(meter.wrote(), times.idle, times.answer, cx.waker());
            let Some(limit) = [silent, times.end].into_iter().flatten().min() else { return Poll::Pending };
            let now = Instant::now();
            let until = match passed {
                Some((of, until)) if of == limit => until,
                _ if limit > now => limit,
                _ => passed.insert((limit, now + LAST_LOOK)).1,
            };
            if until <= now {
                return Poll::Ready(Err(if times.end == Some(limit) {
                    Broken::Late
                } else {
                    Broken::Silent
                }));
            }
            if timer.deadline() != until {
                timer.as_mut().reset(until);
            }
            // Bytes that left in the meantime have moved the limit, so it is asked for again.
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

fn fault_of(error: hyper::Error) -> Fault {
    // An answer that is no HTTP, or too much of it, is not a broken connection.
    let kind = match error {
        _ if error.is_parse() => FailureKind::Protocol,
        _ if error.is_user() => FailureKind::Other,
        _ => FailureKind::Reset,
    };
    Fault::new(kind, error)
}

fn failure(fault: Fault, sent: Sent) -> Failure {
    Failure::new(fault.kind, sent).because(fault.cause)
}

/// How long a source may take to open; while it gives bytes it may take as long as it likes.
const OPEN_MAX: Duration = Duration::from_secs(60);
/// What of a refused body a peer may leave unread without being stuck: less than any system's queue.
const UNREAD_BYTES_MAX: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_source_that_does_not_open_is_given_up() {
        let body = Body::reopen(5, core::future::pending::<std::io::Result<&[u8]>>);
        let patience = Duration::from_secs(20);
        let ends =
            [(None, 60, "the body's source did not open within 60 s"), (Some(30), 30, "the call's time")];
        for (end, secs, said) in ends {
            let began = Instant::now();
            let end = end.map(|secs| after(Duration::from_secs(secs)));
            let fault = open(body.payload(), &body, Times { idle: patience, answer: patience, end }).await;
            let cause = fault.err().expect("it never opens").cause.to_string();
            assert!(cause.starts_with(said), "{cause}");
            assert_eq!(began.elapsed().as_secs(), secs);
        }
    }

    #[test]
    fn f14_a_doubtful_answer_costs_its_connection() {
        let says = |headers: &[(&'static str, &'static str)]| {
            let pairs = headers.iter().map(|(name, value)| (name.parse(), value.parse()));
            pairs.map(|(name, value)| (name.expect("a name"), value.expect("a value"))).collect::<HeaderMap>()
        };
        let cases = [
            (200, says(&[]), u64::MAX, true),
            (204, says(&[]), 0, true),
            (204, says(&[("content-length", "0")]), 0, true),
            (204, says(&[("content-length", "60")]), 0, false),
            (204, says(&[("transfer-encoding", "chunked")]), 0, false),
            (304, says(&[("content-length", "60")]), 0, true),
            (403, says(&[]), 64 << 10, true),
            (403, says(&[]), (64 << 10) + 1, false),
            (408, says(&[]), 0, false),
            (503, says(&[]), 0, false),
        ];
        for (status, headers, sent, expected) in cases {
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(is_sound(status, &headers, sent), expected, "{status} {headers:?} {sent}");
        }
    }
}
