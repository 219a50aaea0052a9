//! Limits on bytes per second, over all connections of a transport.

use alloc::sync::Arc;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::clock::later;
use crate::stream::Meter;

/// How fast one direction may be: what passed is paid for in time, and who is in debt waits.
///
/// Paying afterwards needs no guess of how much will pass, and who waits for its peer keeps nothing from the
/// others.
#[derive(Debug)]
pub(crate) struct Bucket {
    bytes_per_sec: u64,
    /// How many bytes may pass at once: little enough for many connections to take their turns.
    quantum: usize,
    /// When everything that passed so far is paid for.
    paid: Mutex<Instant>,
}

impl Bucket {
    fn new(bytes_per_sec: u64, turns_per_sec: u64) -> Option<Arc<Self>> {
        let quantum = usize::try_from(bytes_per_sec / turns_per_sec).unwrap_or(usize::MAX);
        let quantum = quantum.clamp(1, QUANTUM_BYTES_MAX);
        let bucket = Self { bytes_per_sec, quantum, paid: Mutex::new(Instant::now()) };
        (bytes_per_sec > 0).then(|| Arc::new(bucket))
    }

    /// For one transfer.
    pub(crate) fn for_transfer(bytes_per_sec: u64) -> Option<Arc<Self>> {
        Self::new(bytes_per_sec, DOWNLOAD_TURNS_PER_SEC)
    }

    /// Notes bytes that passed; gives when the next may.
    pub(crate) fn charge(&self, bytes: usize) -> Instant {
        let nanos = (bytes as u128 * 1_000_000_000).div_ceil(u128::from(self.bytes_per_sec));
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let now = Instant::now();
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let from = now.checked_sub(CREDIT_MAX).map_or(*paid, |earliest| earliest.max(*paid));
        *paid = later(from, cost);
        *paid
    }
}

/// Both directions' limits; `None` is no limit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    upload: Option<Arc<Bucket>>,
    download: Option<Arc<Bucket>>,
}

impl Limits {
    /// In bytes per second; 0 is no limit.
    pub(crate) fn new(upload: u64, download: u64) -> Self {
        Self {
            upload: Bucket::new(upload, UPLOAD_TURNS_PER_SEC),
            download: Bucket::new(download, DOWNLOAD_TURNS_PER_SEC),
        }
    }
}

/// A connection that keeps to the limits.
///
/// It stands between HTTP and TLS: a record of TLS that comes slowly would look like silence.
pub(crate) struct Paced<S> {
    inner: S,
    reads: Pace,
    writes: Pace,
    meter: Arc<Meter>,
}

struct Pace {
    bucket: Option<Arc<Bucket>>,
    /// Set while in debt.
    debt: Option<Pin<Box<Sleep>>>,
}

impl<S> Paced<S> {
    pub(crate) fn new(inner: S, limits: &Limits, meter: Arc<Meter>) -> Self {
        let pace = |bucket: &Option<Arc<Bucket>>| Pace { bucket: bucket.clone(), debt: None };
        Self { inner, reads: pace(&limits.download), writes: pace(&limits.upload), meter }
    }
}

impl Pace {
    /// How many bytes may pass now; `None` is any number.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Option<usize>> {
        let Some(bucket) = &self.bucket else { return Poll::Ready(None) };
        if let Some(debt) = &mut self.debt {
            ready!(debt.as_mut().poll(cx));
            self.debt = None;
        }
        Poll::Ready(Some(bucket.quantum))
    }

    fn pass(&mut self, bytes: usize, meter: &Meter) {
        let Some(bucket) = &self.bucket else { return };
        let paid = bucket.charge(bytes);
        if paid > Instant::now() {
            // It is not the peer that is silent until then.
            meter.hold(paid);
            self.debt = Some(Box::pin(sleep_until(paid)));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { inner, reads, meter, .. } = &mut *self;
        let Some(quantum) = ready!(reads.poll_turn(cx)) else { return Pin::new(inner).poll_read(cx, buffer) };
        let some = quantum.min(buffer.remaining());
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(some));
        ready!(Pin::new(inner).poll_read(cx, &mut part))?;
        let filled = part.filled().len();
        buffer.advance(filled);
        reads.pass(filled, meter);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { inner, writes, meter, .. } = &mut *self;
        let Some(quantum) = ready!(writes.poll_turn(cx)) else {
            return Pin::new(inner).poll_write(cx, bytes);
        };
        let some = bytes.get(..quantum).unwrap_or(bytes);
        let written = ready!(Pin::new(inner).poll_write(cx, some))?;
        writes.pass(written, meter);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.writes.bucket.is_none() {
            return Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        }
        let first = slices.iter().find(|slice| !slice.is_empty());
        self.poll_write(cx, first.map_or(&[], |slice| slice))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// How often in a second a connection that is alone gets its turn. Each is a record of TLS, which costs 22
/// bytes, so they are not to be many.
const UPLOAD_TURNS_PER_SEC: u64 = 16;
/// Reading costs no records, and whoever waits for the next bytes of an answer gives up after 20 s: with this
/// many, 5,000 connections would have to take turns until one seems silent.
const DOWNLOAD_TURNS_PER_SEC: u64 = 256;
/// What passes at once at most, however high the limit is.
const QUANTUM_BYTES_MAX: usize = 64 << 10;
/// What was not used may be caught up with for this long: a timer is late by a millisecond or two.
const CREDIT_MAX: Duration = Duration::from_millis(100);
