//! A connection's bytes: plain or in TLS, over TCP that says what left and lets the peer have the last word.

use alloc::sync::Arc;
use core::pin::Pin;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// What a connection has written, counted where it leaves for the network.
#[derive(Debug)]
pub(crate) struct Meter {
    start: Instant,
    bytes: AtomicU64,
    /// When the last of them left, in microseconds since `start`.
    at: AtomicU64,
}

impl Meter {
    fn new() -> Self {
        Self { start: Instant::now(), bytes: AtomicU64::new(0), at: AtomicU64::new(0) }
    }

    /// How many bytes were ever written.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }

    /// When the last byte was written, or may be: the future while we hold it back ourselves.
    pub(crate) fn wrote(&self) -> Instant {
        self.start + Duration::from_micros(self.at.load(Ordering::Acquire))
    }

    /// Nothing is written or read until then, and it is not the peer's doing.
    pub(crate) fn hold(&self, until: Instant) {
        self.at.fetch_max(micros(until.saturating_duration_since(self.start)), Ordering::AcqRel);
    }

    fn add(&self, bytes: usize) {
        self.at.fetch_max(micros(self.start.elapsed()), Ordering::AcqRel);
        self.bytes.fetch_add(bytes as u64, Ordering::AcqRel);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// TCP, or what a connector of the program's own made of it, with a [`Meter`].
///
/// When the peer does not take any more, a write is pending for ever instead of failing: the peer may have
/// answered before it hung up, and the read side, which fails or ends too if it has not, tells what it said.
pub(crate) struct Metered<W> {
    wire: W,
    meter: Arc<Meter>,
    is_refused: bool,
}

impl<W> Metered<W> {
    pub(crate) fn new(wire: W) -> Self {
        Self { wire, meter: Arc::new(Meter::new()), is_refused: false }
    }

    pub(crate) fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.meter)
    }

    fn note(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => self.meter.add(bytes),
            Poll::Ready(Err(error)) if is_refusal(&error) => {
                self.is_refused = true;
                return Poll::Pending;
            }
            _ => {}
        }
        written
    }
}

fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted
    )
}

impl<W: AsyncRead + Unpin> AsyncRead for Metered<W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_read(cx, buffer)
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Metered<W> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_refused {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.wire).poll_write(cx, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_refused {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.wire).poll_write_vectored(cx, slices);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What is no TCP writes here what it took before.
        let flushed = ready!(Pin::new(&mut self.wire).poll_flush(cx));
        if flushed.as_ref().is_err_and(is_refusal) {
            self.is_refused = true;
            return Poll::Pending;
        }
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(cx)
    }
}

/// What a connection runs over.
pub(crate) enum Stream {
    Plain(Metered<TcpStream>),
    Own(Metered<TokioIo<Box<dyn Io>>>),
    /// Over any of these: in a tunnel through a proxy that speaks TLS itself there are two of them.
    #[cfg(feature = "rustls")]
    Tls(Box<tokio_rustls::client::TlsStream<Self>>),
}

/// What a connector of the program's own gives.
pub(crate) trait Io: hyper::rt::Read + hyper::rt::Write + Send + Unpin {}

impl<T: hyper::rt::Read + hyper::rt::Write + Send + Unpin> Io for T {}

macro_rules! each {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Stream::Plain($stream) => $call,
            Stream::Own($stream) => $call,
            #[cfg(feature = "rustls")]
            Stream::Tls($stream) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_read(cx, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Own(stream) => stream.is_write_vectored(),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
