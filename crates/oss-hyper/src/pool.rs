//! The connections of a transport: a hard limit, and idle ones kept for the next request.

use alloc::sync::{Arc, Weak};
use core::pin::pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use oss_proto::{FailureKind, Wait};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::clock::after;
use crate::connect::{Connection, Connector, Fault, Origin};

/// Hands out connections, at most `size` at a time, idle ones counted.
pub(crate) struct Pool {
    connector: Connector,
    size: usize,
    idle_max: Duration,
    /// One permit for each connection in use; who waits is served in the order of coming.
    slots: Arc<Semaphore>,
    shelf: Mutex<Shelf>,
    open_bodies: AtomicUsize,
    /// How often a slot was given back: while that goes on, who waits gets one.
    returned: AtomicUsize,
}

struct Shelf {
    /// Oldest first.
    idle: Vec<Idle>,
    in_use: usize,
    /// Closes what has idled too long, while there is anything idle.
    closer: Option<AbortHandle>,
}

struct Idle {
    connection: Connection,
    origin: Origin,
    since: Instant,
}

/// The right to one connection. Dropping it gives the right back.
struct Slot {
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

/// A connection in use. Dropping it closes the connection; [`put_back`](Self::put_back) keeps it for the next
/// request.
pub(crate) struct Lease {
    pub(crate) connection: Connection,
    /// It has served a request before.
    pub(crate) is_used: bool,
    origin: Origin,
    slot: Slot,
}

/// Counts an answer whose body is not read to its end yet.
pub(crate) struct OpenBody(Arc<Pool>);

impl Pool {
    pub(crate) fn new(connector: Connector, size: usize, idle_max: Duration) -> Arc<Self> {
        let size = size.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            connector,
            size,
            idle_max,
            slots: Arc::new(Semaphore::new(size)),
            shelf: Mutex::new(Shelf { idle: Vec::new(), in_use: 0, closer: None }),
            open_bodies: AtomicUsize::new(0),
            returned: AtomicUsize::new(0),
        })
    }

    /// A connection to this origin; a `fresh` one has served nobody before. `end` is the end of the call.
    pub(crate) async fn lease(
        self: &Arc<Self>,
        origin: &Origin,
        fresh: bool,
        end: Option<Instant>,
    ) -> Result<Lease, Fault> {
        let slot = self.slot(end).await?;
        let mut ready_by = None;
        while let Some((connection, rested)) = if fresh { None } else { self.take_idle(origin) } {
            if rested >= LOOK_AFTER {
                // Lets the runtime look at its sockets: the peer may have closed this one in the meantime.
                // Twice, for a runtime of one thread comes back to us before it runs whom that has woken.
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
            }
            if connection.sender.is_ready() {
                return Ok(Lease { connection, is_used: true, origin: origin.clone(), slot });
            }
            let limit = *ready_by.get_or_insert_with(|| after(READY_MAX));
            let limit = end.map_or(limit, |end| end.min(limit));
            if let Some(connection) = ready(connection, limit).await {
                return Ok(Lease { connection, is_used: true, origin: origin.clone(), slot });
            }
        }
        self.make_room();
        let connection = self.connector.connect(origin, end).await?;
        Ok(Lease { connection, is_used: false, origin: origin.clone(), slot })
    }

    pub(crate) fn connector(&self) -> &Connector {
        &self.connector
    }

    pub(crate) fn open_body(self: &Arc<Self>) -> OpenBody {
        self.open_bodies.fetch_add(1, Ordering::Relaxed);
        OpenBody(Arc::clone(self))
    }

    /// The right to a connection, in the order of coming.
    ///
    /// Running calls end by their own time limits, so they are waited for. Open bodies end when the program
    /// reads or drops them, which it may be doing only after this call: when nothing but open bodies has held
    /// the pool for the time that connecting may take, waiting on could be for ever.
    async fn slot(self: &Arc<Self>, end: Option<Instant>) -> Result<Slot, Fault> {
        // Nobody is overtaken: a permit that somebody waits for is never free.
        if let Ok(permit) = Arc::clone(&self.slots).try_acquire_owned() {
            return Ok(self.taken(permit));
        }
        let lap = self.connector.timeout.max(LOOK_EVERY_MIN);
        let last = after(WAIT_MAX.max(lap));
        let mut acquiring = pin!(Arc::clone(&self.slots).acquire_owned());
        loop {
            let returned = self.returned.load(Ordering::Relaxed);
            let limit = after(lap).min(last);
            let limit = end.map_or(limit, |end| end.min(limit));
            if let Ok(Ok(permit)) = timeout_at(limit, acquiring.as_mut()).await {
                return Ok(self.taken(permit));
            }
            if end.is_some_and(|end| end <= limit) {
                let problem = "the call's time was over while it waited its turn";
                return Err(Fault::late(Wait::Turn, problem));
            }
            let (size, bodies) = (self.size, self.open_bodies.load(Ordering::Relaxed));
            if bodies >= size && self.returned.load(Ordering::Relaxed) == returned {
                let problem = format!(
                    "all {size} connections were in use for {} s, {bodies} of them by open bodies; \
                     read or drop those, or allow more connections",
                    lap.as_secs_f64()
                );
                return Err(Fault::new(FailureKind::PoolExhausted, problem));
            }
            if limit == last {
                let problem = format!(
                    "all {size} connections were in use by other calls for {} s; \
                     make fewer calls at a time, or allow more connections",
                    WAIT_MAX.max(lap).as_secs_f64()
                );
                return Err(Fault::new(FailureKind::PoolExhausted, problem));
            }
        }
    }

    fn taken(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Slot {
        self.shelf().in_use += 1;
        Slot { pool: Arc::clone(self), _permit: permit }
    }

    /// The most recently used one, the least likely to have been closed by the peer, and how long it was
    /// unused.
    fn take_idle(&self, origin: &Origin) -> Option<(Connection, Duration)> {
        let mut shelf = self.shelf();
        let now = Instant::now();
        shelf.drop_old(now, self.idle_max);
        let at = shelf.idle.iter().rposition(|idle| idle.origin == *origin)?;
        let idle = shelf.idle.remove(at);
        Some((idle.connection, now.saturating_duration_since(idle.since)))
    }

    /// Closes idle connections until there is room for one more.
    fn make_room(&self) {
        let mut shelf = self.shelf();
        let room = self.size.saturating_sub(shelf.in_use);
        let surplus = shelf.idle.len().saturating_sub(room);
        drop(shelf.idle.drain(..surplus));
    }

    /// Closes what has idled too long, and says when to look again; `None` when there is no connection left
    /// or nothing ends.
    fn close_old(&self) -> Option<Instant> {
        let mut shelf = self.shelf();
        let now = Instant::now();
        shelf.drop_old(now, self.idle_max);
        // Those in use come back: one closer serves many calls.
        let oldest = shelf.idle.first().map(|idle| idle.since).or_else(|| (shelf.in_use > 0).then_some(now));
        let next = oldest.and_then(|since| since.checked_add(self.idle_max));
        if next.is_none() {
            // Under the lock, so that whoever keeps the next connection starts another.
            shelf.closer = None;
        }
        next
    }

    fn keep(self: &Arc<Self>, idle: Idle) {
        let mut shelf = self.shelf();
        shelf.idle.push(idle);
        // Off the runtime nobody can wait; the next call closes what is old then.
        if let (false, Ok(runtime)) = (shelf.is_watched(), Handle::try_current()) {
            shelf.closer = Some(runtime.spawn(close_old(Arc::downgrade(self))).abort_handle());
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn drop_old(&mut self, now: Instant, idle_max: Duration) {
        self.idle.retain(|idle| {
            now.saturating_duration_since(idle.since) < idle_max && !idle.connection.sender.is_closed()
        });
    }

    /// A closer ends with its runtime, so it is asked and not remembered.
    fn is_watched(&self) -> bool {
        self.closer.as_ref().is_some_and(|closer| !closer.is_finished())
    }
}

/// Closes each idle connection when its time is over, until there is no connection.
async fn close_old(pool: Weak<Pool>) {
    while let Some(next) = pool.upgrade().and_then(|pool| pool.close_old()) {
        sleep_until(next).await;
    }
}

/// Waits until hyper is through with the request before, which may be found to have ended the connection.
async fn ready(mut connection: Connection, limit: Instant) -> Option<Connection> {
    matches!(timeout_at(limit, connection.sender.ready()).await, Ok(Ok(()))).then_some(connection)
}

impl Lease {
    /// Keeps the connection for the next request.
    pub(crate) fn put_back(self) {
        let Self { connection, origin, slot, .. } = self;
        if !connection.sender.is_closed() {
            let idle = Idle { connection, origin, since: Instant::now() };
            slot.pool.keep(idle);
        }
        // The slot comes after, so that whoever waits for it finds the connection.
        drop(slot);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.pool.returned.fetch_add(1, Ordering::Relaxed);
        self.pool.shelf().in_use -= 1;
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some(closer) = self.shelf().closer.take() {
            closer.abort();
        }
    }
}

impl Drop for OpenBody {
    fn drop(&mut self) {
        self.0.open_bodies.fetch_sub(1, Ordering::Relaxed);
    }
}

impl core::fmt::Debug for Pool {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let shelf = self.shelf();
        f.debug_struct("Pool")
            .field("size", &self.size)
            .field("in_use", &shelf.in_use)
            .field("idle", &shelf.idle.len())
            .finish_non_exhaustive()
    }
}

/// A connection that was unused for longer is looked at before it is used.
const LOOK_AFTER: Duration = Duration::from_millis(5);
/// How long a call waits in all for connections that are still busy with their last request.
const READY_MAX: Duration = Duration::from_millis(500);
/// How long a call without an end of its own waits for running calls to give a connection back.
const WAIT_MAX: Duration = Duration::from_secs(300);
/// How often a waiting call looks at what it waits for, at most.
const LOOK_EVERY_MIN: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandwidth::Limits;
    use crate::connect::Way;
    use crate::own::OwnConnector;

    #[derive(Clone)]
    struct Nowhere;

    impl tower_service::Service<http::Uri> for Nowhere {
        type Response = hyper_util::rt::TokioIo<tokio::net::TcpStream>;
        type Error = std::io::Error;
        type Future = core::future::Pending<std::io::Result<Self::Response>>;

        fn poll_ready(&mut self, _: &mut core::task::Context<'_>) -> core::task::Poll<std::io::Result<()>> {
            core::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: http::Uri) -> Self::Future {
            core::future::pending()
        }
    }

    fn pool(timeout: Duration) -> Arc<Pool> {
        let way = Way::Own(OwnConnector::new(Nowhere));
        Pool::new(Connector { timeout, way, limits: Limits::default() }, 1, Duration::from_secs(50))
    }

    fn said(waited: Result<Slot, Fault>) -> String {
        waited.err().expect("there is no slot to be had").cause.to_string()
    }

    #[tokio::test(start_paused = true)]
    async fn f87_waiting_ends_by_whoever_holds_the_pool() {
        let pool = pool(Duration::from_secs(10));
        let slot = pool.slot(None).await.expect("the first one is free");
        let began = Instant::now();
        let said_of_calls = "all 1 connections were in use by other calls for 300 s; make fewer calls at a \
                             time, or allow more connections";
        assert_eq!(said(pool.slot(None).await), said_of_calls);
        assert_eq!(began.elapsed().as_secs(), 300);

        let body = pool.open_body();
        let began = Instant::now();
        assert!(said(pool.slot(None).await).starts_with("all 1 connections were in use for 10 s, 1 of them"));
        assert_eq!(began.elapsed().as_secs(), 10);
        let own_end = pool.slot(Some(after(Duration::from_secs(3)))).await;
        assert_eq!(said(own_end), "the call's time was over while it waited its turn");

        // While slots go round, even open bodies are waited for.
        let waiting = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.slot(None).await.is_ok() }
        });
        tokio::time::sleep(Duration::from_secs(9)).await;
        pool.returned.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(9)).await;
        assert!(!waiting.is_finished());
        drop((slot, body));
        assert!(waiting.await.expect("nothing in it panics"));
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_is_no_busy_loop_when_connecting_has_no_time() {
        let pool = pool(Duration::ZERO);
        let _slot = pool.slot(None).await.expect("the first one is free");
        let _body = pool.open_body();
        assert!(said(pool.slot(None).await).starts_with("all 1 connections were in use for 0.01 s"));
    }
}
