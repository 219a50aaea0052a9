//! Any place of an object, as a reader.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use oss_proto::{
    ByteRange, Change, Checked, Error, ErrorKind, GetObject, HeadObject, HeadObjectOutput, IntoField,
    ObjectChanged, ObjectKey, Outcome, ReadError, UnixTime,
};
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};

use crate::{Bucket, Client, Object};

impl Bucket {
    /// An object as a reader that goes to any place of it.
    ///
    /// A `HeadObject` says what the object is, and every read is of that one: when it is replaced or deleted
    /// meanwhile, the read fails, and its error is `is_object_changed()`.
    ///
    /// # Errors
    /// As [`Client::send`]; `is_not_found()` when there is none.
    pub async fn reader(&self, key: impl IntoField<Checked<ObjectKey>>) -> Result<ObjectReader, Error> {
        ObjectReader::open(self.client().clone(), GetObject::to(key)).await
    }
}

/// An object that is read from any place: `AsyncRead` and `AsyncSeek`.
///
/// It asks for as much as [`read_ahead`](Self::read_ahead) says beyond what is read, 1 MiB, in one request,
/// and for the next as much when that is used up. Going forward inside of what was asked for costs no
/// request; going anywhere else costs one.
///
/// OSS gives no checksum of a range, so what it gives is checked by its range and its length; read the whole
/// object with [`Bucket::get`] or [`Bucket::download_file`] to have its CRC-64 compared. An error of a read
/// is an `io::Error` with the [`Error`] inside, and the next read asks again from the same place.
pub struct ObjectReader {
    client: Client,
    get: GetObject,
    head: HeadObjectOutput,
    size: u64,
    /// Where the next byte is read.
    at: u64,
    read_ahead: u64,
    state: State,
}

enum State {
    Idle,
    Opening(Mutex<Opening>),
    /// The object from this place to that end, and what of it came already.
    Open {
        object: Box<Object>,
        at: u64,
        end: u64,
        chunk: Bytes,
    },
}

type Opening = Pin<Box<dyn Future<Output = Result<Object, Error>> + Send>>;

impl ObjectReader {
    /// A reader of what this asks for; its range is ours to set.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn open(client: Client, get: GetObject) -> Result<Self, Error> {
        let mut head = HeadObject::new(get.bucket.clone(), get.key.clone());
        head.version_id.clone_from(&get.version_id);
        head.if_match.clone_from(&get.if_match);
        head.request_payer.clone_from(&get.request_payer);
        let head = client.send(head).await?.output;
        let mut get = get;
        if let Some(etag) = head.etag.as_ref().filter(|etag| etag.is_strong()) {
            get.if_match = Some(etag.clone());
        }
        get.version_id = head.version_id.clone().filter(|version| version != "null").or(get.version_id);
        let size = head.content_length.ok_or_else(|| unread("content-length"))?;
        Ok(Self { client, get, head, size, at: 0, read_ahead: READ_AHEAD_BYTES, state: State::Idle })
    }

    /// How many bytes are asked for at a time, at least 1, instead of 1 MiB.
    #[must_use]
    pub fn read_ahead(mut self, bytes: u64) -> Self {
        self.read_ahead = bytes.max(1);
        self
    }

    /// What the object is.
    pub fn head(&self) -> &HeadObjectOutput {
        &self.head
    }

    /// How many bytes the object has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where the next byte is read.
    pub fn position(&self) -> u64 {
        self.at
    }

    fn ask(&self) -> State {
        let end = self.at.saturating_add(self.read_ahead).min(self.size);
        let (client, get) = (self.client.clone(), self.get.clone().range(ByteRange::new(self.at..end)));
        State::Opening(Mutex::new(Box::pin(async move { client.open(get).await })))
    }

    /// Skips what lies before the place in what was asked for; the rest of the state when it is of use.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, Error>> {
        loop {
            match &mut self.state {
                State::Idle => self.state = self.ask(),
                State::Opening(opening) => {
                    let opening = opening.get_mut().unwrap_or_else(PoisonError::into_inner);
                    let opened = ready!(opening.as_mut().poll(cx));
                    self.state = State::Idle;
                    let object = opened.map_err(|error| error.of_changed_object(self.at))?;
                    let at = self.at;
                    self.check(&object)?;
                    // It is what was asked for, by its call. What comes in chunks has no length.
                    let output = object.output();
                    let range = output.content_range.map(|range| range.last.saturating_add(1));
                    let end = range.unwrap_or(self.size);
                    self.state = State::Open { object: Box::new(object), at, end, chunk: Bytes::new() };
                }
                State::Open { at, end, .. } if self.at < *at || self.at >= *end => self.state = State::Idle,
                State::Open { object, at, chunk, .. } => {
                    if chunk.is_empty() {
                        let next = ready!(object.poll_chunk(cx));
                        let Ok(Some(next)) = next else {
                            self.state = State::Idle;
                            match next {
                                Err(error) => return Poll::Ready(Err(error.of_changed_object(self.at))),
                                Ok(_) => continue,
                            }
                        };
                        *chunk = next;
                    }
                    let skipped = self.at.saturating_sub(*at).min(chunk.len() as u64);
                    let _skipped = chunk.split_to(usize::try_from(skipped).unwrap_or(chunk.len()));
                    *at = at.saturating_add(skipped);
                    if !chunk.is_empty() {
                        return Poll::Ready(Ok(chunk.clone()));
                    }
                }
            }
        }
    }

    /// Whatever the condition did: an answer about another object is none.
    fn check(&self, object: &Object) -> Result<(), Error> {
        fn text<T: ToString>(value: Option<&T>) -> String {
            value.map_or_else(|| String::from("none"), ToString::to_string)
        }
        let secs = |at: Option<UnixTime>| at.map(UnixTime::as_secs);
        let (head, output) = (&self.head, object.output());
        let size = output.content_range.map(|range| range.size).filter(|size| *size != self.size);
        let (is_other_crc, is_other_version) =
            (differ(head.crc64, output.crc64), differ(head.version_id.as_ref(), output.version_id.as_ref()));
        let is_later = !self.is_pinned() && differ(head.last_modified, output.last_modified);
        let (what, was, now) = if head.etag != output.etag {
            ("entity tag", text(head.etag.as_ref()), text(output.etag.as_ref()))
        } else if let Some(size) = size {
            ("size", self.size.to_string(), size.to_string())
        } else if is_other_crc {
            ("CRC-64", text(head.crc64.as_ref()), text(output.crc64.as_ref()))
        } else if is_other_version {
            ("version", text(head.version_id.as_ref()), text(output.version_id.as_ref()))
        } else if is_later {
            (
                "time of modification",
                text(secs(head.last_modified).as_ref()),
                text(secs(output.last_modified).as_ref()),
            )
        } else {
            return Ok(());
        };
        let change = Change::Differs { what, was, now };
        Err(object.error(ErrorKind::ObjectChanged(ObjectChanged::new(self.at, change))))
    }

    /// Whether OSS itself gives the bytes of this object or none.
    fn is_pinned(&self) -> bool {
        self.get.if_match.is_some() || self.get.version_id.is_some()
    }
}

/// Whether both are told, and are not the same.
fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}

fn unread(header: &'static str) -> Error {
    Error::new(ErrorKind::Reply(ReadError::missing(header)), "HeadObject", Outcome::Rejected)
}

impl AsyncRead for ObjectReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.at >= this.size || buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let chunk = ready!(this.poll_chunk(cx)).map_err(io::Error::other)?;
        let len = chunk.len().min(buffer.remaining());
        buffer.put_slice(chunk.get(..len).unwrap_or_default());
        this.at = this.at.saturating_add(len as u64);
        Poll::Ready(Ok(()))
    }
}

impl AsyncSeek for ObjectReader {
    fn start_seek(mut self: Pin<&mut Self>, position: io::SeekFrom) -> io::Result<()> {
        let at = match position {
            io::SeekFrom::Start(at) => Some(at),
            io::SeekFrom::End(by) => self.size.checked_add_signed(by),
            io::SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let outside =
            || io::Error::new(io::ErrorKind::InvalidInput, "a place before the beginning of the object");
        self.at = at.ok_or_else(outside)?;
        // What is being opened is for another place.
        if matches!(self.state, State::Opening(_)) {
            self.state = State::Idle;
        }
        Ok(())
    }

    fn poll_complete(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(Ok(self.at))
    }
}

impl fmt::Debug for ObjectReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectReader")
            .field("get", &self.get)
            .field("size", &self.size)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// How much is asked for at a time.
const READ_AHEAD_BYTES: u64 = 1 << 20;
