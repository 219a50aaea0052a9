//! The connections of a transport: a hard limit, and idle ones kept for the next request.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use oss_proto::FailureKind;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

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
}

struct Shelf {
    /// Oldest first.
    idle: Vec<Idle>,
    in_use: usize,
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
            shelf: Mutex::new(Shelf { idle: Vec::new(), in_use: 0 }),
            open_bodies: AtomicUsize::new(0),
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
        while let Some((connection, rested)) = if fresh { None } else { self.take_idle(origin) } {
            if rested >= LOOK_AFTER {
                // Lets the runtime look at its sockets: the peer may have closed this one in the meantime.
                tokio::task::yield_now().await;
            }
            if let Some(connection) = self.ready(connection).await {
                return Ok(Lease { connection, is_used: true, origin: origin.clone(), slot });
            }
        }
        self.make_room();
        let connection = self.connector.connect(origin, end).await?;
        Ok(Lease { connection, is_used: false, origin: origin.clone(), slot })
    }

    pub(crate) fn open_body(self: &Arc<Self>) -> OpenBody {
        self.open_bodies.fetch_add(1, Ordering::Relaxed);
        OpenBody(Arc::clone(self))
    }

    async fn slot(self: &Arc<Self>, end: Option<Instant>) -> Result<Slot, Fault> {
        let limit = Instant::now() + self.connector.timeout;
        let acquiring = Arc::clone(&self.slots).acquire_owned();
        if let Ok(Ok(permit)) = timeout_at(end.map_or(limit, |end| end.min(limit)), acquiring).await {
            self.shelf().in_use += 1;
            return Ok(Slot { pool: Arc::clone(self), _permit: permit });
        }
        if end.is_some_and(|end| end < limit) {
            return Err(Fault::new(
                FailureKind::Timeout,
                "the call's time was over while it waited its turn",
            ));
        }
        let (size, bodies) = (self.size, self.open_bodies.load(Ordering::Relaxed));
        let seconds = self.connector.timeout.as_secs_f64();
        let problem = format!(
            "all {size} connections were in use for {seconds} s, {bodies} of them by open bodies; \
             read or drop those, or allow more connections"
        );
        Err(Fault::new(FailureKind::PoolExhausted, problem))
    }

    /// The most recently used one, the least likely to have been closed by the peer, and how long it was
    /// unused.
    fn take_idle(&self, origin: &Origin) -> Option<(Connection, Duration)> {
        let mut shelf = self.shelf();
        let now = Instant::now();
        shelf.idle.retain(|idle| {
            now.saturating_duration_since(idle.since) < self.idle_max && !idle.connection.sender.is_closed()
        });
        let at = shelf.idle.iter().rposition(|idle| idle.origin == *origin)?;
        let idle = shelf.idle.remove(at);
        Some((idle.connection, now.saturating_duration_since(idle.since)))
    }

    /// Waits until hyper is through with the request before, which may be found to have ended the connection.
    async fn ready(&self, mut connection: Connection) -> Option<Connection> {
        let limit = Instant::now() + READY_MAX;
        matches!(timeout_at(limit, connection.sender.ready()).await, Ok(Ok(()))).then_some(connection)
    }

    /// Closes idle connections until there is room for one more.
    fn make_room(&self) {
        let mut shelf = self.shelf();
        let room = self.size.saturating_sub(shelf.in_use);
        let surplus = shelf.idle.len().saturating_sub(room);
        drop(shelf.idle.drain(..surplus));
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Keeps the connection for the next request.
    pub(crate) fn put_back(self) {
        let Self { connection, origin, slot, .. } = self;
        if !connection.sender.is_closed() {
            let idle = Idle { connection, origin, since: Instant::now() };
            slot.pool.shelf().idle.push(idle);
        }
        // The slot comes after, so that whoever waits for it finds the connection.
        drop(slot);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.pool.shelf().in_use -= 1;
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
/// A connection that is still busy with its last request after that is not worth waiting for.
const READY_MAX: Duration = Duration::from_millis(500);
