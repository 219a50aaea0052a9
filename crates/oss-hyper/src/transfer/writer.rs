//! An object that is written from its beginning to its end.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;
use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use oss_proto::transfer::{Append, AppendOutput, Plan, Transfer, TransferError, Upload, UploadOutput};
use oss_proto::{AppendObject, Checked, IntoField, ObjectKey, Payload, PutObject};
use tokio::io::AsyncWrite;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::parts::{Buffers, Piece, Source};
use super::settings::{Settings, setters};
use super::stream::{Streamed, run_stream};
use super::upload::upload_setters;
use crate::Bucket;

impl Bucket {
    /// A new object as a writer: what is written goes to OSS in parts, several at a time, while it is
    /// written.
    ///
    /// ```no_run
    /// # async fn doc(bucket: oss_hyper::Bucket) -> Result<(), Box<dyn core::error::Error>> {
    /// use tokio::io::AsyncWriteExt as _;
    ///
    /// let mut writer = bucket.writer("log.txt").start();
    /// writer.write_all(b"one line\n").await?;
    /// writer.shutdown().await?;
    /// println!("{:?}", writer.output().map(|output| output.crc64));
    /// # Ok(())
    /// # }
    /// ```
    pub fn writer(&self, key: impl IntoField<Checked<ObjectKey>>) -> WriterOptions {
        WriterOptions { settings: Settings::new(self), put: PutObject::to(key, Payload::Empty) }
    }

    /// An object that grows, as a writer: what is written is appended at its end, piece by piece, each of
    /// 1 MiB, or of [`part_size`](AppenderOptions::part_size) bytes, which may be any number here.
    ///
    /// The object is begun when there is none. What was appended is there at once, also when the writer is
    /// dropped; `shutdown` appends what is left. One piece moves at a time. When somebody else appends
    /// meanwhile, the next piece fails with
    /// [`TransferErrorKind::Conflict`](crate::transfer::TransferErrorKind::Conflict).
    #[doc(alias = "append")]
    pub fn appender(&self, key: impl IntoField<Checked<ObjectKey>>) -> AppenderOptions {
        AppenderOptions { settings: Settings::new(self), append: AppendObject::to(key, 0, Payload::Empty) }
    }
}

/// How an object is written: see [`Bucket::writer`].
#[must_use = "it begins with `start`"]
#[derive(Debug)]
pub struct WriterOptions {
    settings: Settings,
    put: PutObject,
}

setters!(WriterOptions);
upload_setters!(WriterOptions);

impl WriterOptions {
    /// Begins. A tokio runtime is needed from here on: the parts move in a task of their own.
    pub fn start(self) -> ObjectWriter {
        let upload = Upload::of_unknown_length(self.put, &self.settings.options);
        let part_size = self.settings.options.part_size.unwrap_or(Plan::PART_BYTES);
        ObjectWriter::start(self.settings, upload, part_size)
    }
}

/// How an object is appended to: see [`Bucket::appender`].
#[must_use = "it begins with `start`"]
#[derive(Debug)]
pub struct AppenderOptions {
    settings: Settings,
    append: AppendObject,
}

setters!(AppenderOptions);

impl AppenderOptions {
    /// What the object is to be when the first piece begins it: `|append| append.storage_class("IA")`.
    pub fn request(mut self, change: impl FnOnce(AppendObject) -> AppendObject) -> Self {
        self.append = change(self.append);
        self
    }

    /// Begins. A tokio runtime is needed from here on: the pieces move in a task of their own.
    pub fn start(self) -> ObjectAppender {
        let part_size = self.settings.options.part_size.unwrap_or(PIECE_BYTES);
        ObjectWriter::start(self.settings, Append::at_end(self.append), part_size)
    }
}

/// An object that is appended to: `AsyncWrite`, with the position and the CRC-64 of the whole at its end.
pub type ObjectAppender = ObjectWriter<AppendOutput>;

/// An object that is being written: `AsyncWrite`.
///
/// Nothing is an object before [`shutdown`](tokio::io::AsyncWriteExt::shutdown) has ended well: it sends what
/// is left, completes the upload and compares the CRC-64 of all of it. **Dropping it before gives it up**:
/// the parts are given up by a request of a task of its own, as far as that arrives. `flush` waits for
/// nothing: a part goes when it is full.
///
/// Memory: a part for each lane and three more, on their way there and being filled.
pub struct ObjectWriter<T = UploadOutput> {
    part: BytesMut,
    buffers: Buffers,
    part_bytes: usize,
    state: State,
    task: Option<JoinHandle<Result<T, TransferError>>>,
    result: Option<Result<T, TransferError>>,
}

enum State {
    Writing(mpsc::Sender<Piece>),
    /// A part is handed over; `true` is the last one.
    Sending(Mutex<Sending>, bool),
    Ending,
    Ended,
}

/// Gives the sender back when there is room for another part.
type Sending = Pin<Box<dyn Future<Output = Option<mpsc::Sender<Piece>>> + Send>>;

impl<T: Send + 'static> ObjectWriter<T> {
    fn start<M: Streamed + Transfer<Output = T>>(settings: Settings, machine: M, part_size: u64) -> Self {
        let part_bytes = usize::try_from(part_size).unwrap_or(usize::MAX).max(1);
        let (sender, receiver) = mpsc::channel(1);
        let buffers = Buffers::new(part_size.max(1));
        let source = Source::Cut { pieces: receiver, is_ended: false };
        let task = tokio::spawn(run_stream(settings, machine, source, buffers.clone()));
        let state = State::Writing(sender);
        Self { part: BytesMut::new(), buffers, part_bytes, state, task: Some(task), result: None }
    }
}

impl<T> ObjectWriter<T> {
    /// What was uploaded, once `shutdown` has ended well.
    pub fn output(&self) -> Option<&T> {
        self.result.as_ref()?.as_ref().ok()
    }

    /// Why it failed, once it has.
    pub fn error(&self) -> Option<&TransferError> {
        self.result.as_ref()?.as_ref().err()
    }

    /// Hands over what is there.
    fn send(&mut self, sender: mpsc::Sender<Piece>, is_last: bool) {
        let part: Bytes = core::mem::take(&mut self.part).freeze();
        let piece = if is_last { Piece::End(part) } else { Piece::Part(part) };
        let sending = async move { sender.send(piece).await.is_ok().then_some(sender) };
        self.state = State::Sending(Mutex::new(Box::pin(sending)), is_last);
    }

    /// Goes on until there is room to write (`false`), or until all is there (`true`).
    fn poll_state(&mut self, cx: &mut Context<'_>, ends: bool) -> Poll<io::Result<()>> {
        loop {
            match core::mem::replace(&mut self.state, State::Ended) {
                // It failed while nobody looked.
                State::Writing(_) if self.task.as_ref().is_some_and(JoinHandle::is_finished) => {
                    self.state = State::Ending;
                }
                State::Writing(sender) if ends => self.send(sender, true),
                State::Writing(sender) if self.part.len() >= self.part_bytes => self.send(sender, false),
                state @ State::Writing(_) => {
                    self.state = state;
                    return Poll::Ready(Ok(()));
                }
                State::Sending(sending, is_last) => {
                    let mut future = sending.into_inner().unwrap_or_else(PoisonError::into_inner);
                    let Poll::Ready(sent) = future.as_mut().poll(cx) else {
                        self.state = State::Sending(Mutex::new(future), is_last);
                        return Poll::Pending;
                    };
                    self.state = match sent {
                        Some(sender) if !is_last => State::Writing(sender),
                        // The sender is kept as long as the upload runs: without it, its end would be a
                        // break.
                        _ => State::Ending,
                    };
                }
                State::Ending => {
                    self.state = State::Ending;
                    ready!(self.poll_task(cx));
                    self.state = State::Ended;
                }
                State::Ended => return Poll::Ready(self.ended(ends)),
            }
        }
    }

    fn poll_task(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(task) = &mut self.task else { return Poll::Ready(()) };
        let ended = ready!(Pin::new(task).poll(cx));
        self.task = None;
        match ended {
            Ok(result) => self.result = Some(result),
            Err(panicked) if panicked.is_panic() => std::panic::resume_unwind(panicked.into_panic()),
            // The runtime ended.
            Err(_) => {}
        }
        Poll::Ready(())
    }

    fn ended(&self, ends: bool) -> io::Result<()> {
        match &self.result {
            Some(Ok(_)) if ends => Ok(()),
            Some(Ok(_)) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the object is complete")),
            Some(Err(error)) => Err(io::Error::other(error.clone())),
            None => Err(io::Error::other("the runtime ended")),
        }
    }
}

impl<T: Unpin> AsyncWrite for ObjectWriter<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.poll_state(cx, false))?;
        if this.part.capacity() == 0 {
            this.part = this.buffers.take();
        }
        let room = this.part_bytes.saturating_sub(this.part.len());
        let now = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        this.part.extend_from_slice(now);
        Poll::Ready(Ok(now.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_state(cx, true)
    }
}

impl<T> Drop for ObjectWriter<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for ObjectWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectWriter").field("result", &self.result).finish_non_exhaustive()
    }
}

/// How many bytes go in one append.
const PIECE_BYTES: u64 = 1 << 20;
