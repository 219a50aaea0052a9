//! Parts of a stream: buffers that are filled, sent, and filled again.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc;

/// Where the parts of a stream come from.
pub(super) enum Source {
    Reader {
        reader: Box<dyn AsyncRead + Send + Unpin>,
        filling: BytesMut,
    },
    /// Parts that are cut already; `End` is the end, and a sender that is gone is none.
    Cut {
        pieces: mpsc::Receiver<Piece>,
        is_ended: bool,
    },
}

/// What a writer sends.
pub(super) enum Piece {
    Part(Bytes),
    End(Bytes),
}

impl Source {
    pub(super) fn reader(reader: Box<dyn AsyncRead + Send + Unpin>) -> Self {
        Self::Reader { reader, filling: BytesMut::new() }
    }

    /// The next part: a full one, or at the end a shorter one. May be dropped and called again.
    pub(super) async fn next(&mut self, buffers: &Buffers) -> io::Result<Bytes> {
        let (reader, filling) = match self {
            Self::Reader { reader, filling } => (reader, filling),
            Self::Cut { is_ended: true, .. } => return Ok(Bytes::new()),
            Self::Cut { pieces, is_ended } => {
                return match pieces.recv().await {
                    Some(Piece::Part(part)) => Ok(part),
                    Some(Piece::End(part)) => {
                        *is_ended = true;
                        Ok(part)
                    }
                    None => Err(io::Error::other("the writer was dropped before its end")),
                };
            }
        };
        if filling.capacity() == 0 {
            *filling = buffers.take();
        }
        loop {
            let room = buffers.part_bytes.saturating_sub(filling.len());
            if room == 0 || reader.read_buf(&mut filling.limit(room)).await? == 0 {
                return Ok(core::mem::take(filling).freeze());
            }
        }
    }
}

/// The parts that are on their way, by where they begin; a clone is the same.
#[derive(Clone)]
pub(super) struct Buffers {
    part_bytes: usize,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    moving: BTreeMap<u64, Bytes>,
    /// Memory that was used, to be used again.
    free: Vec<BytesMut>,
}

impl Buffers {
    pub(super) fn new(part_size: u64) -> Self {
        let part_bytes = usize::try_from(part_size).unwrap_or(usize::MAX);
        Self { part_bytes, held: Arc::default() }
    }

    /// One that was used, or a new one.
    pub(super) fn take(&self) -> BytesMut {
        let used = self.lock().free.pop();
        used.unwrap_or_else(|| BytesMut::with_capacity(self.part_bytes.min(PREPARED_BYTES_MAX)))
    }

    pub(super) fn put(&self, at: u64, part: Bytes) {
        self.lock().moving.insert(at, part);
    }

    pub(super) fn at(&self, at: u64) -> Bytes {
        self.lock().moving.get(&at).cloned().unwrap_or_default()
    }

    /// The oldest one, and where it begins.
    pub(super) fn first(&self) -> (u64, Bytes) {
        let held = self.lock();
        let first = held.moving.first_key_value();
        first.map_or_else(Default::default, |(at, part)| (*at, part.clone()))
    }

    /// Whether it is as long as a part is that is not the last.
    pub(super) fn is_full(&self, part: &Bytes) -> bool {
        part.len() >= self.part_bytes
    }

    /// The part was sent, or will never be.
    pub(super) fn release(&self, at: u64) {
        let mut held = self.lock();
        let Some(part) = held.moving.remove(&at) else { return };
        // A connection that broke may still have some of it: then it is freed when that lets go.
        if let Ok(mut buffer) = part.try_into_mut() {
            buffer.clear();
            held.free.push(buffer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much is set aside for a part before a byte of it is there.
const PREPARED_BYTES_MAX: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f76_the_memory_of_a_part_is_used_again() {
        let buffers = Buffers::new(1000);
        for at in 0..100 {
            let mut buffer = buffers.take();
            // Whether it is the same memory again, an allocator would not tell: it gives back what it got.
            assert_eq!(buffers.lock().free.len(), 0);
            assert!(buffer.is_empty() && buffer.capacity() >= 1000);
            buffer.extend_from_slice(&[7; 1000]);
            buffers.put(at, buffer.freeze());
            let sent = buffers.at(at);
            assert_eq!(sent.len(), 1000);
            if at >= 2 {
                drop(sent);
                buffers.release(at - 2);
                assert_eq!(buffers.lock().free.len(), 1, "to be filled again");
            }
        }
        // What a connection still holds is not written over.
        let held = buffers.at(99);
        buffers.release(99);
        buffers.take().extend_from_slice(&[1; 1000]);
        assert_eq!(&held[..], [7; 1000]);
    }
}
