//! An object being read: checked while it passes, vouched for at its end.

use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;
use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use hyper::body::Body;
use oss_proto::{
    Action, Error, ErrorKind, Event, Failure, Fetch, FetchAction, GetObjectOutput, Head, Integrity,
    InvalidRequest, InvalidValue, ReadError, Reply, Transmit, Verified,
};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::client::transmit_over;
use crate::clock::{LAST_LOOK, after};
use crate::drive::{Next, act, poll_read, silence};
use crate::{Account, Body as RequestBody, BoxError, ResponseBody, Transport};

/// An object being read, chunk by chunk or at once.
///
/// Length and CRC-64 are checked while the bytes pass, so what [`chunk`](Self::chunk) gives is not vouched
/// for until it gives `None`: an error may come after the last byte. [`bytes`](Self::bytes) and
/// [`text`](Self::text) return verified content or an error, and so does reading to the end through
/// [`AsyncRead`].
///
/// A body that breaks is gone on with where it broke, within the retry policy and the budget, and always with
/// the same object: see [`Fetch`](oss_proto::Fetch).
///
/// It keeps a connection until it is read to its end or dropped.
pub struct Object<B = ResponseBody> {
    fetch: Fetch,
    reply: Reply<GetObjectOutput>,
    body: Option<B>,
    account: Account,
    /// The end of the read that is under way.
    reading: Option<Duration>,
    /// One for all reads: it is set anew when it is over, not for each of them.
    timer: Option<Pin<Box<Sleep>>>,
    /// That end has passed, and we look once more until then.
    last_look: Option<Instant>,
    end: Option<Result<Verified, Error>>,
    /// How a body that broke is gone on with.
    again: Option<Again<B>>,
    /// What is being done about one that broke.
    resuming: Option<Mutex<Doing<B>>>,
    /// What `AsyncRead` has not handed on yet.
    rest: Bytes,
    collect_bytes_max: u64,
}

/// Who begins an action that is not a read.
enum Again<B> {
    Own(Box<dyn FnMut(Action<Verified>) -> Doing<B> + Send + Sync>),
    /// Ours, without a box for each object.
    Over(Transport, fn(&Transport, &Account, Action<Verified>) -> Doing<B>),
}

/// An action under way: it ends with what to tell the machine, and the body of an answer.
type Doing<B> = Pin<Box<dyn Future<Output = (Next<Verified>, Option<B>)> + Send>>;

impl Object {
    /// Goes on after a body that broke, over these connections.
    pub(crate) fn resume_over(mut self, transport: &Transport) -> Self {
        self.again = Some(Again::Over(transport.clone(), |transport, account, action| {
            let (transport, account) = (transport.clone(), account.clone());
            Box::pin(async move {
                let mut body = None;
                let mut send =
                    |transmit| transmit_over(transmit, &transport, &account, &RequestBody::empty());
                let next = act(action, &account, &mut send, &mut body).await;
                (next, body)
            })
        }));
        self
    }
}

impl<B> Object<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// The rest of a read that [`open`](crate::open) began. A body that breaks ends it, unless
    /// [`resume_with`](Self::resume_with) says how to send another request.
    pub fn new(fetch: Fetch, reply: Reply<GetObjectOutput>, body: B, account: Account) -> Self {
        Self {
            fetch,
            reply,
            body: Some(body),
            account,
            reading: None,
            timer: None,
            last_look: None,
            end: None,
            again: None,
            resuming: None,
            rest: Bytes::new(),
            collect_bytes_max: COLLECT_BYTES_MAX,
        }
    }

    /// Goes on after a body that broke, by requests that this function sends: the one of
    /// [`open`](crate::open).
    #[must_use]
    pub fn resume_with<F, Fut>(mut self, send: F) -> Self
    where
        F: FnMut(Transmit) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(Head, B), Failure>> + Send,
        B: Send + 'static,
    {
        let account = self.account.clone();
        self.again = Some(Again::Own(Box::new(move |action| {
            let (account, mut send) = (account.clone(), send.clone());
            Box::pin(async move {
                let mut body = None;
                let next = act(action, &account, &mut send, &mut body).await;
                (next, body)
            })
        })));
        self
    }

    /// The next bytes; `None` once all have come and are verified. May be dropped and called again.
    ///
    /// # Errors
    /// When the connection fails, or the bytes are not those that OSS has.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// The whole content, verified; at most 16 MiB, or what [`collect_at_most`](Self::collect_at_most) says.
    ///
    /// # Errors
    /// As [`chunk`](Self::chunk), when there is more, and when nothing says where the content ends but the
    /// end of the connection: a break would look the same.
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        self.collect().await
    }

    async fn collect(&mut self) -> Result<Bytes, Error> {
        let max = self.collect_bytes_max;
        let announced = self.reply.output.content_length.unwrap_or(0);
        if announced > max {
            return Err(self.too_long(max));
        }
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            let total =
                (first.len() as u64).saturating_add(all.len() as u64).saturating_add(chunk.len() as u64);
            if total > max {
                return Err(self.too_long(max));
            }
            if first.is_empty() && all.is_empty() {
                // A body of one chunk is not copied.
                first = chunk;
                continue;
            }
            if all.is_empty() {
                all.reserve(usize::try_from(announced.min(RESERVE_BYTES_MAX)).unwrap_or_default());
                all.extend_from_slice(&core::mem::take(&mut first));
            }
            all.extend_from_slice(&chunk);
        }
        self.whole()?;
        Ok(if all.is_empty() { first } else { all.freeze() })
    }

    /// The whole content as UTF-8, verified; bounded as [`bytes`](Self::bytes) is.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and when it is not UTF-8.
    pub async fn text(mut self) -> Result<String, Error> {
        let bytes = self.collect().await?;
        match core::str::from_utf8(&bytes) {
            Ok(text) => Ok(String::from(text)),
            Err(_) => {
                let error = ReadError::value("UTF-8", &String::from_utf8_lossy(&bytes));
                Err(self.of_reply(error.with_fix("read it by `bytes`")))
            }
        }
    }

    /// As [`chunk`](Self::chunk), for a `poll` function.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Error>> {
        let mut now = None;
        loop {
            if let Some(end) = &self.end {
                return Poll::Ready(end.clone().map(|_| None));
            }
            let event = if self.resuming.is_some() {
                match ready!(self.poll_resuming(cx)) {
                    Some(event) => event,
                    None => continue,
                }
            } else {
                let deadline = match self.reading {
                    Some(deadline) => deadline,
                    None => match self.fetch.poll(now.take().unwrap_or_else(|| self.account.now())) {
                        FetchAction::Deliver(bytes) => return Poll::Ready(Ok(Some(bytes))),
                        FetchAction::Call(Action::Read { deadline }) => deadline,
                        FetchAction::Call(Action::Done(result)) => {
                            self.finish(result);
                            continue;
                        }
                        FetchAction::Call(action) => {
                            self.resume(action);
                            continue;
                        }
                        FetchAction::Opened(_) => {
                            self.end = Some(Err(not_opened()));
                            continue;
                        }
                    },
                };
                self.reading = Some(deadline);
                let event = ready!(self.poll_event(deadline, cx));
                self.reading = None;
                self.last_look = None;
                event
            };
            let then = self.account.now();
            self.fetch.handle(event, then);
            now = Some(then);
        }
    }

    fn finish(&mut self, result: Result<Reply<Verified>, Error>) {
        self.body = None;
        self.timer = None;
        self.account.settle(self.fetch.ledger());
        self.end = Some(result.map(|reply| {
            self.reply.attempts = reply.attempts;
            reply.output
        }));
    }

    /// Does what the machine says about a body that broke.
    fn resume(&mut self, action: Action<Verified>) {
        // What broke keeps no connection.
        self.body = None;
        match (&mut self.again, action) {
            (Some(Again::Own(begin)), action) => self.resuming = Some(Mutex::new(begin(action))),
            (Some(Again::Over(transport, begin)), action) => {
                self.resuming = Some(Mutex::new(begin(transport, &self.account, action)));
            }
            // Nobody can send: then there is nothing to repeat.
            (None, Action::Retry(_)) => self.fetch.handle(Event::Retry(None), self.account.now()),
            (None, _) => self.end = Some(Err(not_opened())),
        }
    }

    /// What came of it; `None` when there is nothing to tell.
    fn poll_resuming(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let Some(doing) = &mut self.resuming else { return Poll::Ready(None) };
        let doing = doing.get_mut().unwrap_or_else(PoisonError::into_inner);
        let (next, body) = ready!(doing.as_mut().poll(cx));
        self.resuming = None;
        self.body = body;
        Poll::Ready(match next {
            Next::Tell(event) => Some(event),
            Next::Poll => None,
            Next::Done(result) => {
                self.finish(result);
                None
            }
        })
    }

    /// What comes of a read: something of the body, or the end of our patience.
    fn poll_event(&mut self, deadline: Duration, cx: &mut Context<'_>) -> Poll<Event> {
        if let Poll::Ready(event) = poll_read(&mut self.body, cx) {
            return Poll::Ready(event);
        }
        let end = self.account.clock().instant(deadline);
        loop {
            let until = self.last_look.unwrap_or(end);
            // A body that is there already costs no timer.
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
            if timer.deadline() > until {
                timer.as_mut().reset(until);
            }
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() < until {
                timer.as_mut().reset(until);
            } else if self.last_look.is_none() {
                self.last_look = Some(after(LAST_LOOK));
            } else {
                return Poll::Ready(silence());
            }
        }
    }
}

impl<B> Object<B> {
    /// What OSS said about the object: length, entity tag, metadata.
    pub fn output(&self) -> &GetObjectOutput {
        &self.reply.output
    }

    /// The head of the first answer, with the attempts that it took; at the end of the content, those of all
    /// of it.
    pub fn reply(&self) -> &Reply<GetObjectOutput> {
        &self.reply
    }

    /// How the content was verified, after its end, unless nothing says that it is all there.
    pub(crate) fn whole(&self) -> Result<Verified, Error> {
        let is_framed = self.reply.head.headers().contains_key(http::header::TRANSFER_ENCODING);
        match self.verified() {
            Some(verified) if is_framed || verified.integrity != Integrity::Unverified => {
                Ok(verified.clone())
            }
            _ => {
                let error = ReadError::value("a body of known length", "one that ends with its connection");
                Err(self.of_reply(error.with_fix("read it by `chunk`, which gives what came")))
            }
        }
    }

    /// An error about this answer, with the evidence of the call.
    pub(crate) fn error(&self, kind: ErrorKind) -> Error {
        self.fetch.error(kind)
    }

    fn of_reply(&self, error: ReadError) -> Error {
        self.error(ErrorKind::Reply(error))
    }

    fn too_long(&self, bytes_max: u64) -> Error {
        let fix = "read it by `chunk`, or allow more with `collect_at_most`";
        self.of_reply(ReadError::too_long(bytes_max).with_fix(fix))
    }

    /// How the content was verified; `None` until it was read to its end.
    pub fn verified(&self) -> Option<&Verified> {
        self.end.as_ref()?.as_ref().ok()
    }

    /// How much [`bytes`](Self::bytes) and [`text`](Self::text) may take, in bytes, instead of 16 MiB.
    #[must_use]
    pub fn collect_at_most(mut self, bytes: u64) -> Self {
        self.collect_bytes_max = bytes;
        self
    }
}

impl<B> AsyncRead for Object<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            match ready!(self.poll_chunk(cx)) {
                Ok(Some(chunk)) => self.rest = chunk,
                Ok(None) => return Poll::Ready(Ok(())),
                Err(error) => return Poll::Ready(Err(io::Error::other(error))),
            }
        }
        let len = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest.split_to(len));
        Poll::Ready(Ok(()))
    }
}

impl<B> fmt::Debug for Object<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object")
            .field("fetch", &self.fetch)
            .field("reply", &self.reply)
            .finish_non_exhaustive()
    }
}

fn not_opened() -> Error {
    let problem = InvalidValue::new("was not opened; open it before its content is read");
    InvalidRequest::new(OPERATION, "fetch", problem).into()
}

const OPERATION: &str = "GetObject";
/// What is collected when nobody says more.
const COLLECT_BYTES_MAX: u64 = 16 << 20;
/// What a peer's announcement alone may make us allocate.
const RESERVE_BYTES_MAX: u64 = 16 << 20;
