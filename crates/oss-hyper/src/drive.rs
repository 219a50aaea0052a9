//! The loop: it does what a machine says and reports what came of it. It decides nothing.

use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::Body;
use oss_proto::{
    Action, Error, Event, Exchange, Failure, FailureKind, Fetch, FetchAction, GetObjectOutput, Head,
    Operation, Reply, Sent, Transmit,
};
use tokio::time::{sleep_until, timeout, timeout_at};

use crate::clock::LAST_LOOK;
use crate::{Account, BoxError};

/// Runs an exchange to its end, over any function that sends a request.
///
/// The function takes a [`Transmit`], keeps its time limits, and gives the head of the answer with its body,
/// or says how it failed; what it must observe is said at [`Transmit`], [`Head`] and [`Failure`]. A client of
/// reqwest or a `tower::Service` fits; [`Transport::send`](crate::Transport::send) is the one of this crate.
///
/// The future may be dropped at any point; what then became of the request is unknown.
///
/// # Errors
/// Whatever the exchange ends with.
pub async fn drive<O, F, Fut, B>(
    mut exchange: Exchange<O>,
    account: &Account,
    mut send: F,
) -> Result<Reply<O::Output>, Error>
where
    O: Operation,
    F: FnMut(Transmit) -> Fut,
    Fut: Future<Output = Result<(Head, B), Failure>>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    let mut body = None;
    let mut now = account.now();
    loop {
        let next = act(exchange.poll(now), account, &mut send, &mut body).await;
        now = account.now();
        match next {
            Next::Tell(event) => exchange.handle(event, now),
            Next::Poll => {}
            Next::Done(result) => {
                account.settle(exchange.ledger());
                return result;
            }
        }
    }
}

/// Runs a streamed read until its head has come, over any function that sends a request; see [`drive`].
///
/// The rest of the read is [`Object::new`](crate::Object::new)'s.
///
/// # Errors
/// Whatever the exchange ends with.
pub async fn open<F, Fut, B>(
    fetch: &mut Fetch,
    account: &Account,
    mut send: F,
) -> Result<(Reply<GetObjectOutput>, B), Error>
where
    F: FnMut(Transmit) -> Fut,
    Fut: Future<Output = Result<(Head, B), Failure>>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    let mut body = None;
    let mut now = account.now();
    loop {
        let action = match fetch.poll(now) {
            FetchAction::Call(action) => action,
            FetchAction::Opened(reply) => {
                account.settle(fetch.ledger());
                let body = body.expect("an object is opened by a head, and every head came with a body");
                return Ok((*reply, body));
            }
            // Bytes come after the head.
            FetchAction::Deliver(_) => continue,
        };
        let next = act(action, account, &mut send, &mut body).await;
        now = account.now();
        match next {
            Next::Tell(event) => fetch.handle(event, now),
            Next::Poll | Next::Done(Ok(_)) => {}
            Next::Done(Err(error)) => {
                account.settle(fetch.ledger());
                return Err(error);
            }
        }
    }
}

/// What follows an action.
#[allow(clippy::large_enum_variant, reason = "moved once, into the loop")]
pub(crate) enum Next<T> {
    Tell(Event),
    Poll,
    Done(Result<Reply<T>, Error>),
}

/// Does one action: the whole of a driver.
pub(crate) async fn act<T, F, Fut, B>(
    action: Action<T>,
    account: &Account,
    send: &mut F,
    body: &mut Option<B>,
) -> Next<T>
where
    F: FnMut(Transmit) -> Fut,
    Fut: Future<Output = Result<(Head, B), Failure>>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    if !matches!(action, Action::Read { .. }) {
        // An answer that is not read any further keeps no connection, whatever we wait for next.
        *body = None;
    }
    Next::Tell(match action {
        Action::Authenticate { need, deadline } => account.authenticate(need, deadline).await,
        Action::Retry(proposal) => account.retry(&proposal),
        Action::Send(transmit) => match send(transmit).await {
            Ok((head, answer)) => {
                *body = Some(answer);
                Event::Head(head)
            }
            Err(failure) => Event::Failed(failure),
        },
        Action::Read { deadline } => {
            let deadline = account.clock().instant(deadline);
            let mut read = pin!(poll_fn(|cx| poll_read(body, cx)));
            match timeout_at(deadline, read.as_mut()).await {
                Ok(event) => event,
                Err(_elapsed) => timeout(LAST_LOOK, read).await.unwrap_or_else(|_elapsed| silence()),
            }
        }
        Action::Wait { until } => {
            sleep_until(account.clock().instant(until)).await;
            return Next::Poll;
        }
        Action::Done(result) => return Next::Done(result),
    })
}

/// The next of a body, as a machine wants it reported.
pub(crate) fn poll_read<B>(body: &mut Option<B>, cx: &mut Context<'_>) -> Poll<Event>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    loop {
        let Some(reading) = body else { return Poll::Ready(Event::End) };
        let Poll::Ready(frame) = Pin::new(reading).poll_frame(cx) else { return Poll::Pending };
        let event = match frame {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(bytes) => return Poll::Ready(Event::Body(bytes)),
                // Trailers: OSS sends none.
                Err(_trailers) => continue,
            },
            Some(Err(error)) => Event::Failed(Failure::new(FailureKind::Reset, Sent::new()).because(error)),
            None => Event::End,
        };
        *body = None;
        return Poll::Ready(event);
    }
}

/// The peer sent nothing for as long as it may.
pub(crate) fn silence() -> Event {
    Event::Failed(Failure::new(FailureKind::Timeout, Sent::new()))
}
