//! The body of an answer, and the connection that it keeps.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use crate::BoxError;
use crate::body::Boxed;
use crate::outgoing::Tally;
use crate::pool::{Lease, OpenBody};

/// The body of an answer. Read to its end it gives its connection back; dropped earlier it closes it.
pub struct ResponseBody(Source);

/// Where it comes from.
enum Source {
    Ours {
        incoming: Incoming,
        hold: Option<Hold>,
    },
    /// From an HTTP client of the program's own; the mutex makes the whole `Sync`.
    Own(Mutex<Boxed>),
}

/// What an unfinished answer keeps busy.
pub(crate) struct Hold {
    pub(crate) lease: Lease,
    pub(crate) tally: Tally,
    pub(crate) is_sound: bool,
    pub(crate) _open: OpenBody,
}

impl ResponseBody {
    pub(crate) fn ours(incoming: Incoming, hold: Hold) -> Self {
        let mut hold = Some(hold);
        if incoming.is_end_stream() {
            finish(&mut hold);
        }
        Self(Source::Ours { incoming, hold })
    }

    pub(crate) fn own(body: Boxed) -> Self {
        Self(Source::Own(Mutex::new(body)))
    }
}

/// A connection on which half a request stands, or whose answer makes it doubtful, is not used again.
fn finish(hold: &mut Option<Hold>) {
    if let Some(Hold { lease, .. }) = hold.take_if(|hold| hold.is_sound && hold.tally.is_complete()) {
        lease.put_back();
    }
    *hold = None;
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let (incoming, hold) = match &mut self.0 {
            Source::Ours { incoming, hold } => (incoming, hold),
            Source::Own(body) => {
                return body.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll_frame(cx);
            }
        };
        let Poll::Ready(frame) = Pin::new(&mut *incoming).poll_frame(cx) else { return Poll::Pending };
        match &frame {
            Some(Err(_)) => *hold = None,
            Some(Ok(_)) if !incoming.is_end_stream() => {}
            Some(Ok(_)) | None => finish(hold),
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Ours { incoming, .. } => incoming.is_end_stream(),
            Source::Own(body) => body.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Ours { incoming, .. } => incoming.size_hint(),
            Source::Own(body) => body.lock().unwrap_or_else(PoisonError::into_inner).size_hint(),
        }
    }
}

impl core::fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let is_open = match &self.0 {
            Source::Ours { hold, .. } => hold.is_some(),
            Source::Own(_) => !self.is_end_stream(),
        };
        f.debug_struct("ResponseBody").field("is_open", &is_open).finish_non_exhaustive()
    }
}
