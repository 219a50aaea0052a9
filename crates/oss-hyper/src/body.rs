//! The body of a request: bytes, a reader, a file.

use alloc::sync::Arc;
use core::fmt;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use oss_proto::{Payload, Replay};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::BoxError;

/// The body of a request: bytes in memory, or a source that is read while it is sent.
///
/// A source of known length must end after exactly that many bytes: a longer or shorter one fails the call
/// with `BodySource`, and OSS keeps nothing of it. With an unknown length the request is sent chunked.
///
/// ```
/// use oss_hyper::Body;
///
/// let small = Body::from("hello");
/// let once = Body::reader(5, &b"hello"[..]);
/// let again = Body::reopen(5, || async { Ok(&b"hello"[..]) });
/// assert_eq!(small.len(), Some(5));
/// ```
pub struct Body {
    payload: Payload,
    source: Option<Arc<Mutex<Source>>>,
}

/// Where the bytes of a streamed body come from.
enum Source {
    Once(Option<Stream>),
    Reopen(Open),
}

type Open = Box<dyn FnMut() -> Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>> + Send>;
pub(crate) type Boxed = Pin<Box<dyn HttpBody<Data = Bytes, Error = BoxError> + Send>>;

/// A source as it is read.
pub(crate) trait Chunks: HttpBody<Data = Bytes, Error = BoxError> + Send {
    /// How many bytes to read at a time, where that is ours to say.
    fn set_block(self: Pin<&mut Self>, _bytes: usize) {}
}

/// A body being read, with the chunk that is held back until its end is certain.
pub(crate) struct Stream {
    pub(crate) body: Pin<Box<dyn Chunks>>,
    pub(crate) held: Option<Bytes>,
    /// It has said so, and is not asked again.
    pub(crate) is_over: bool,
}

impl Body {
    /// No body.
    pub fn empty() -> Self {
        Self { payload: Payload::Empty, source: None }
    }

    /// A body that can be read once; `len` in bytes, `None` when it is not known.
    ///
    /// Once its first byte was taken the call is not repeated after a failure, and its error says so.
    pub fn reader(len: impl Into<Option<u64>>, reader: impl AsyncRead + Send + Unpin + 'static) -> Self {
        Self::once(len.into(), Stream::reader(reader))
    }

    /// A body that is opened at its start for each attempt; `len` in bytes, `None` when it is not known.
    pub fn reopen<F, Fut, R>(len: impl Into<Option<u64>>, mut open: F) -> Self
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = io::Result<R>> + Send + 'static,
        R: AsyncRead + Send + Unpin + 'static,
    {
        let open: Open = Box::new(move || {
            let opening = open();
            Box::pin(async move { Ok(Stream::reader(opening.await?)) })
        });
        Self::streamed(len.into(), Replay::FromStart, Source::Reopen(open))
    }

    /// A source of our own, made anew for each attempt.
    pub(crate) fn reopen_blocks(len: u64, mut open: impl FnMut() -> Stream + Send + 'static) -> Self {
        let open: Open = Box::new(move || {
            let stream = open();
            Box::pin(core::future::ready(Ok(stream)))
        });
        Self::streamed(Some(len), Replay::FromStart, Source::Reopen(open))
    }

    /// The content of a file, opened anew for each attempt.
    ///
    /// # Errors
    /// When it is not there, is not readable, or is no regular file: a pipe goes through
    /// [`reader`](Self::reader). One that changes its length later fails the call.
    pub async fn file(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        // Before it is opened: opening a pipe would wait for who writes to it.
        if !tokio::fs::metadata(&path).await?.is_file() {
            let problem = "is not a regular file; read a pipe or a device with `Body::reader`";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        let len = tokio::fs::File::open(&path).await?.metadata().await?.len();
        Ok(Self::reopen(len, move || tokio::fs::File::open(path.clone())))
    }

    /// A body in the terms of hyper, that can be read once: what another library streams, without a copy.
    pub fn wrap<B>(len: impl Into<Option<u64>>, body: B) -> Self
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let body = Box::pin(Erased(Box::pin(body)));
        Self::once(len.into(), Stream::new(body))
    }

    /// The length in bytes, when it is known.
    pub fn len(&self) -> Option<u64> {
        self.payload.len()
    }

    /// Whether there is certainly no byte to send.
    pub fn is_empty(&self) -> bool {
        self.payload.is_empty()
    }

    /// What an operation is told about this body: `PutObject::new(bucket, key, body.payload())`.
    pub fn payload(&self) -> Payload {
        self.payload.clone()
    }

    /// The same body for another holder: its source is shared.
    pub(crate) fn share(&self) -> Self {
        Self { payload: self.payload.clone(), source: self.source.clone() }
    }

    /// The source at its start.
    pub(crate) async fn open(&self) -> io::Result<Stream> {
        let Some(source) = &self.source else {
            return Err(io::Error::other("the operation's body is a stream; hand it in with `send_from`"));
        };
        let opening = match &mut *source.lock().unwrap_or_else(PoisonError::into_inner) {
            Source::Once(stream) => {
                let spent = || io::Error::other("the body was read before, and can be read only once");
                return stream.take().ok_or_else(spent);
            }
            Source::Reopen(open) => open(),
        };
        opening.await
    }

    /// Takes back a source of which nothing was taken.
    pub(crate) fn restore(&self, unread: Stream) {
        let Some(source) = &self.source else { return };
        if let Source::Once(stream) = &mut *source.lock().unwrap_or_else(PoisonError::into_inner) {
            *stream = Some(unread);
        }
    }

    fn once(len: Option<u64>, stream: Stream) -> Self {
        Self::streamed(len, Replay::Once, Source::Once(Some(stream)))
    }

    fn streamed(len: Option<u64>, replay: Replay, source: Source) -> Self {
        Self { payload: Payload::Stream { len, replay }, source: Some(Arc::new(Mutex::new(source))) }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Body").field(&self.payload).finish()
    }
}

impl From<Payload> for Body {
    /// A body in memory; a payload that promises a stream needs one of the constructors instead.
    fn from(payload: Payload) -> Self {
        Self { payload, source: None }
    }
}

macro_rules! body_from {
    ($($type:ty),*) => {$(
        impl From<$type> for Body {
            fn from(body: $type) -> Self {
                Self::from(Payload::from(body))
            }
        }
    )*};
}
body_from!(&'static str, &'static [u8], String, Vec<u8>, Bytes);

impl Stream {
    fn reader(reader: impl AsyncRead + Send + Unpin + 'static) -> Self {
        Self::new(Box::pin(Reader { reader, buffer: BytesMut::new(), block_bytes: BLOCK_BYTES }))
    }

    pub(crate) fn new(body: Pin<Box<dyn Chunks>>) -> Self {
        Self { body, held: None, is_over: false }
    }
}

/// A reader as a body, in chunks of a block at most.
struct Reader<R> {
    reader: R,
    buffer: BytesMut,
    block_bytes: usize,
}

impl<R: AsyncRead + Unpin + Send> Chunks for Reader<R> {
    fn set_block(mut self: Pin<&mut Self>, bytes: usize) {
        self.block_bytes = bytes;
    }
}

impl<R: AsyncRead + Unpin> HttpBody for Reader<R> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self { reader, buffer, block_bytes } = &mut *self;
        if buffer.capacity() - buffer.len() < *block_bytes / 4 {
            // Takes the old memory again if nobody holds a chunk of it any more.
            buffer.reserve(*block_bytes);
        }
        let read = {
            // Such a read has no state between two polls, so a new one each time is the same.
            let mut limited = reader.take(*block_bytes as u64);
            let reading = pin!(limited.read_buf(buffer));
            match reading.poll(cx) {
                Poll::Ready(read) => read,
                Poll::Pending => return Poll::Pending,
            }
        };
        Poll::Ready(match read {
            Ok(0) => None,
            Ok(_) => Some(Ok(Frame::data(buffer.split().freeze()))),
            Err(error) => Some(Err(error.into())),
        })
    }
}

/// Another body with its error in a box.
pub(crate) struct Erased<B>(Pin<Box<B>>);

impl<B> Erased<B>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    pub(crate) fn boxed(body: B) -> Boxed {
        Box::pin(Self(Box::pin(body)))
    }
}

impl<B> Chunks for Erased<B>
where
    B: HttpBody<Data = Bytes> + Send,
    B::Error: Into<BoxError>,
{
}

impl<B> HttpBody for Erased<B>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.as_mut().poll_frame(cx).map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// How much is read, counted and checksummed at a time, unless a transport says otherwise: what stays in the
/// cache between the three.
pub(crate) const BLOCK_BYTES: usize = 64 << 10;
