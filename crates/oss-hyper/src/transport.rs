//! Sends one request and reads its answer: over pooled connections, within the time limits of the request.

use alloc::sync::Arc;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, PROXY_AUTHORIZATION, TRANSFER_ENCODING};
use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Body as HttpBody;
use oss_proto::{Failure, FailureKind, Head, Payload, ReplyHead, Sent, Transmit, Wait};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tower_service::Service;

use crate::BoxError;
use crate::account::Account;
use crate::body::{BLOCK_BYTES, Body, Boxed, Erased};
use crate::builder::TransportBuilder;
use crate::clock::LAST_LOOK;
use crate::connect::{Connection, Connector, Fault, Origin};
use crate::outgoing::{Content, Manner, RequestBody, Tally, check_empty, endless, outgoing};
use crate::own::{Answering, OwnService, Taken};
use crate::pool::{Lease, Pool};
use crate::proxy::Via;
use crate::response::{Hold, ResponseBody};
use crate::tunnel::refused;

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
    route: Route,
    block_bytes: usize,
}

/// Who sends.
#[derive(Clone, Debug)]
enum Route {
    Pool(Arc<Pool>),
    Own(OwnService),
}

impl Transport {
    /// A transport with the documents' defaults.
    pub fn new() -> Self {
        Self::builder().build().expect("without options of the caller's there is nothing to refuse")
    }

    /// A transport with other settings.
    pub fn builder() -> TransportBuilder {
        TransportBuilder::new()
    }

    /// A transport over a whole HTTP client of one's own, which then owns connections, names, TLS and
    /// proxies.
    ///
    /// Each call has a copy of the service, which is asked whether it is ready and gets one request with an
    /// absolute URI. It must send that as it is, or the signature breaks, and once: a client that repeats
    /// requests by itself (`retry_canceled_requests` of hyper-util is on by default) may write twice. Time
    /// limits hold as far as they can be kept from here: connecting counts as sending, what the client reads
    /// ahead counts as sent, a request that the client took is reported as one that may have arrived, and a
    /// fresh connection cannot be asked for after a failure.
    pub fn from_service<S, B>(service: S) -> Self
    where
        S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self { route: Route::Own(OwnService::new(service)), block_bytes: BLOCK_BYTES }
    }

    pub(crate) fn over(pool: Arc<Pool>, block_bytes: usize) -> Self {
        Self { route: Route::Pool(pool), block_bytes }
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
        let content = open(payload, body, times, self.block_bytes).await.map_err(not_sent)?;
        let manner =
            Manner { block_bytes: self.block_bytes, fails_when_sealed: matches!(self.route, Route::Own(_)) };
        let pool = match &self.route {
            Route::Pool(pool) => pool,
            Route::Own(service) => {
                let (outgoing, tally) = outgoing(content, len, sent, manner);
                return exchange_by(service, request.map(|()| outgoing), tally, times, body).await;
            }
        };
        let lease = match pool.lease(&origin, transmit.fresh_connection, times.end).await {
            Ok(lease) => lease,
            Err(fault) => {
                if let Content::Stream(unread) = content {
                    body.restore(unread);
                }
                return Err(not_sent(fault));
            }
        };
        let (outgoing, tally) = outgoing(content, len, sent, manner);
        let request = addressed(request, lease.connection.via.as_deref(), outgoing);
        exchange(lease, request, tally, times, body, pool).await
    }

    /// A request outside of any exchange, on a connection of its own, for a credential source.
    ///
    /// # Errors
    /// When there is no connection; nothing was sent then.
    pub(crate) async fn ask(&self, request: Request<()>, body: Bytes, ask: Ask) -> Result<Asking, Fault> {
        let len = body.len() as u64;
        let manner = Manner { block_bytes: self.block_bytes, fails_when_sealed: true };
        let (body, _tally) = outgoing(Content::Bytes(body), Some(len), Sent::new(), manner);
        let connector = match &self.route {
            // Never through a proxy or a client of the program's own: it is this machine that is asked.
            _ if ask.is_of_machine => Connector::plain(),
            Route::Pool(pool) => pool.connector().verified(),
            Route::Own(service) => {
                return Ok(Asking::Own(service.call(request.map(|()| body), &Taken::default())));
            }
        };
        let origin = Origin::of(request.uri());
        let origin = origin.ok_or_else(|| Fault::new(FailureKind::Other, "the URL has no host"))?;
        let connection = connector.connect_within(ask.connect_timeout, &origin, None).await?;
        let request = addressed(request, connection.via.as_deref(), body);
        Ok(Asking::Ours { connection, request: Box::new(request) })
    }
}

/// How a request outside of any exchange is sent.
pub(crate) struct Ask {
    pub(crate) connect_timeout: Duration,
    /// It goes to the machine's own service.
    pub(crate) is_of_machine: bool,
}

/// A request outside of any exchange, about to be sent.
pub(crate) enum Asking {
    Ours { connection: Connection, request: Box<Request<RequestBody>> },
    Own(Answering),
}

impl Asking {
    /// Sends it and gives the answer, with what keeps its connection open.
    pub(crate) async fn response(self) -> Result<(Response<Boxed>, Option<Connection>), Fault> {
        match self {
            Self::Ours { mut connection, request } => {
                let sending = connection.sender.try_send_request(*request).await;
                let response = sending.map_err(|error| fault_of(error.into_error()))?;
                match &connection.via {
                    Some(via) if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                        Err(refused(via, response.status().as_u16(), "the request"))
                    }
                    _ => Ok((response.map(Erased::boxed), Some(connection))),
                }
            }
            Self::Own(answering) => match answering.await {
                Ok(response) => Ok((response, None)),
                Err(error) => Err(Fault::new(FailureKind::Other, error)),
            },
        }
    }
}

impl Default for Transport {
    fn default() -> Self {
        Self::new()
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
    Failed(Fault),
}

/// The content at its start.
async fn open(payload: Payload, body: &Body, times: Times, block_bytes: usize) -> Result<Content, Fault> {
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
        stream.body.as_mut().set_block(block_bytes);
        if len == Some(0) {
            timeout(times.idle, check_empty(&mut stream)).await.unwrap_or_else(|_| Err(endless(0)))?;
        }
        Ok(Content::Stream(stream))
    };
    let Some(end) = times.end else { return opening.await.map_err(of_source) };
    let late = |_elapsed| Fault::new(FailureKind::Timeout, "the call's time was over while its body opened");
    timeout_at(end, opening).await.map_err(late)?.map_err(of_source)
}

/// The request as it was composed, with its target in origin form; in absolute form, with what the proxy asks
/// for, when it goes to a proxy (RFC 9112 section 3.2).
fn addressed(request: Request<()>, via: Option<&Via>, body: RequestBody) -> Request<RequestBody> {
    let (mut head, ()) = request.into_parts();
    if let Some(via) = via {
        if let Some(authorization) = &via.authorization {
            head.headers.insert(PROXY_AUTHORIZATION, authorization.clone());
        }
    } else {
        let target = head.uri.into_parts().path_and_query;
        head.uri = Uri::from(target.unwrap_or_else(|| PathAndQuery::from_static("/")));
    }
    Request::from_parts(head, body)
}

async fn exchange(
    mut lease: Lease,
    request: Request<RequestBody>,
    tally: Tally,
    times: Times,
    body: &Body,
    pool: &Arc<Pool>,
) -> Result<(Head, ResponseBody), Failure> {
    let before = lease.connection.meter.bytes();
    let meter = Arc::clone(&lease.connection.meter);
    let response = async {
        let sending = lease.connection.sender.try_send_request(request);
        sending.await.map_err(|error| fault_of(error.into_error()))
    };
    let answered = answer(response, || meter.wrote(), &tally, times).await;
    // From here on the tally stands still, whatever hyper still asks of the body.
    let mut sent = tally.seal();
    let broken = match (answered, &lease.connection.via) {
        (Ok(response), Some(via)) if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            let fault = refused(via, response.status().as_u16(), "the request");
            // The proxy has passed nothing on.
            return Err(failure(fault, Sent::new()));
        }
        (Ok(response), _) => {
            sent.start();
            let (head, incoming) = response.into_parts();
            let is_sound = is_sound(head.status, &head.headers, sent.bytes());
            let hold = Hold { lease, tally, is_sound, _open: pool.open_body() };
            let reply = ReplyHead::new(head.status.as_u16(), head.headers);
            return Ok((Head::new(reply, sent), ResponseBody::ours(incoming, hold)));
        }
        (Err(broken), _) => broken,
    };
    if meter.bytes() > before {
        sent.start();
    }
    let is_used = lease.is_used;
    drop(lease);
    let fault = fault(broken, &tally, body);
    let is_stale = is_used && !sent.started() && fault.kind == FailureKind::Reset;
    let failure = failure(fault, sent);
    Err(if is_stale { failure.stale() } else { failure })
}

/// The same by an HTTP client of the program's own.
async fn exchange_by(
    service: &OwnService,
    request: Request<RequestBody>,
    tally: Tally,
    times: Times,
    body: &Body,
) -> Result<(Head, ResponseBody), Failure> {
    let begun = Instant::now();
    let taken = Taken::default();
    let response = async {
        let answered = service.call(request, &taken).await;
        answered.map_err(|error| Fault::new(FailureKind::Other, error))
    };
    let broken = match answer(response, || begun, &tally, times).await {
        Ok(response) => {
            // Not sealed: the client may still be sending, and an end would break its connection.
            let mut sent = tally.sent();
            sent.start();
            let (head, body) = response.into_parts();
            let reply = ReplyHead::new(head.status.as_u16(), head.headers);
            return Ok((Head::new(reply, sent), ResponseBody::own(body)));
        }
        Err(broken) => broken,
    };
    let mut sent = tally.seal();
    if taken.is_taken() {
        sent.start();
        return Err(failure(fault(broken, &tally, body), sent));
    }
    let not_ready = match broken {
        Broken::Failed(fault) => fault,
        Broken::Silent => Fault::new(FailureKind::Timeout, "the HTTP client was not ready to take it"),
        Broken::Late => Fault::late(Wait::Turn, "the call's time was over before the HTTP client was ready"),
    };
    restore(body, &tally);
    Err(failure(not_ready, sent))
}

/// What went wrong, by who is to blame for it; an untouched source goes back to its body.
fn fault(broken: Broken, tally: &Tally, body: &Body) -> Fault {
    let fault = match (tally.take_fault(), broken) {
        (Some(cause), _) => Fault::new(FailureKind::BodySource, cause),
        (None, Broken::Late) => Fault::new(FailureKind::Timeout, "the call's time was over"),
        (None, Broken::Silent) => match tally.endless() {
            Some(cause) => Fault::new(FailureKind::BodySource, cause),
            None => Fault::new(FailureKind::Timeout, "the peer neither took nor sent a byte"),
        },
        (None, Broken::Failed(fault)) => fault,
    };
    if fault.kind != FailureKind::BodySource {
        restore(body, tally);
    }
    fault
}

fn restore(body: &Body, tally: &Tally) {
    if let Some(unread) = tally.take_unread() {
        body.restore(unread);
    }
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
async fn answer<R>(
    response: impl Future<Output = Result<R, Fault>>,
    wrote: impl Fn() -> Instant,
    tally: &Tally,
    times: Times,
) -> Result<R, Broken> {
    let mut response = pin!(response);
    let mut timer = pin!(None);
    // A limit that has passed, and until when we look once more.
    let mut passed: Option<(Instant, Instant)> = None;
    poll_fn(|cx| {
        if let Poll::Ready(result) = response.as_mut().poll(cx) {
            return Poll::Ready(result.map_err(Broken::Failed));
        }
        loop {
            let silent = tally.limit(wrote(), times.idle, times.answer, cx.waker());
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
            // Bytes that leave move the limit: it is asked for again when the timer is over, and the timer is
            // not set anew for each of them.
            match timer.as_mut().as_pin_mut() {
                None => timer.set(Some(sleep_until(until))),
                Some(timer) if timer.deadline() > until || timer.is_elapsed() => timer.reset(until),
                Some(_) => {}
            }
            if let Some(timer) = timer.as_mut().as_pin_mut()
                && timer.poll(cx).is_pending()
            {
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
    let failure = Failure::new(fault.kind, sent).because(fault.cause);
    fault.waiting.into_iter().fold(failure, Failure::waiting)
}

/// How long a source may take to open; while it gives bytes it may take as long as it likes.
const OPEN_MAX: Duration = Duration::from_secs(60);
/// What of a refused body a peer may leave unread without being stuck: less than any system's queue.
const UNREAD_BYTES_MAX: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::after;

    #[tokio::test(start_paused = true)]
    async fn a_source_that_does_not_open_is_given_up() {
        let body = Body::reopen(5, core::future::pending::<std::io::Result<&[u8]>>);
        let patience = Duration::from_secs(20);
        let ends =
            [(None, 60, "the body's source did not open within 60 s"), (Some(30), 30, "the call's time")];
        for (end, secs, said) in ends {
            let began = Instant::now();
            let end = end.map(|secs| after(Duration::from_secs(secs)));
            let times = Times { idle: patience, answer: patience, end };
            let fault = open(body.payload(), &body, times, 4096).await;
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
