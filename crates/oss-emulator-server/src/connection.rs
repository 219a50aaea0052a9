//! One connection: HTTP/1.1 in, the three calls of the emulator, HTTP/1.1 out.

use core::time::Duration;

use http::{HeaderMap, Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use oss_emulator::{BodyId, Reply, Verdict};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::body::ReplyBody;
use crate::handle::Handle;

impl Handle {
    /// Serves one connection until the client closes it, over any stream of bytes: a test can put its own
    /// faults between the two.
    ///
    /// # Errors
    ///
    /// What hyper says when the client does not speak HTTP/1.1, or the stream fails.
    pub async fn serve_connection<I>(&self, stream: I) -> Result<(), hyper::Error>
    where
        I: AsyncRead + AsyncWrite + Unpin,
    {
        let service = service_fn(|request| answer(self.clone(), request));
        http1::Builder::new()
            .timer(TokioTimer::new())
            .max_headers(HEADERS_MAX)
            .auto_date_header(false)
            .serve_connection(TokioIo::new(stream), service)
            .await
    }
}

async fn answer(handle: Handle, request: Request<Incoming>) -> Result<Response<ReplyBody>, hyper::Error> {
    let (head, mut body) = request.into_parts();
    let now = handle.now();
    let id = match handle.with(|emulator| emulator.begin(&head, now)) {
        Verdict::Accept(id) => id,
        Verdict::Refuse(reply) => {
            if !expects_continue(&head.headers) {
                tokio::spawn(drain(body));
            }
            return Ok(response(reply));
        }
    };
    let open = Open { handle: &handle, id };
    while let Some(frame) = body.frame().await {
        // An error drops `open`, which aborts the request, and closes the connection.
        if let Ok(bytes) = frame?.into_data() {
            handle.with(|emulator| emulator.push(id, bytes));
        }
    }
    Ok(response(open.end()))
}

/// A request between `begin` and `end`; aborted when the connection goes away in between.
struct Open<'h> {
    handle: &'h Handle,
    id: BodyId,
}

impl Open<'_> {
    fn end(self) -> Reply {
        let now = self.handle.now();
        self.handle.with(|emulator| emulator.end(self.id, now))
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        // After `end` the id is not open any more, and this does nothing.
        self.handle.with(|emulator| emulator.abort(self.id));
    }
}

fn response(reply: Reply) -> Response<ReplyBody> {
    reply.head.map(|()| ReplyBody(reply.body))
}

/// Such a client sends no body once it is refused.
fn expects_continue(headers: &HeaderMap) -> bool {
    headers.get(header::EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Reads a refused body beside the answer while it keeps coming: a client that sends everything before it
/// reads would otherwise see a reset connection instead of the refusal.
async fn drain(mut body: Incoming) {
    let mut left = DRAIN_BYTES_MAX;
    while let Ok(Some(Ok(frame))) = timeout(DRAIN_PAUSE_MAX, body.frame()).await {
        let read = frame.data_ref().map_or(0, bytes::Bytes::len);
        let Some(rest) = left.checked_sub(read) else { return };
        left = rest;
    }
}

const HEADERS_MAX: usize = 512;
const DRAIN_BYTES_MAX: usize = 64 << 20;
const DRAIN_PAUSE_MAX: Duration = Duration::from_millis(250);
