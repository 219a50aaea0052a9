//! The floor: hyper alone, one connection a lane, which moves the same parts between a file and a peer.
//!
//! It signs nothing, checks nothing and repeats nothing, and reads and writes its file on the threads of the
//! runtime: what no library may do, and what costs least.

use alloc::sync::Arc;
use core::convert::Infallible;
use core::pin::Pin;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::{Context, Poll};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::{BUCKET, Job, KEY, LANES};

/// Sends the parts of an upload that it begins and gives up, from the file or from memory.
pub(crate) async fn up(job: &Job, from_file: bool) {
    let mut first = Connection::open(job).await;
    let answer = first.send(job, "POST", "?uploads", None, Either::Right(Full::default())).await;
    let document = answer.into_body().collect().await.unwrap().to_bytes();
    let document = String::from_utf8_lossy(&document);
    let id = document.split_once("<UploadId>").unwrap().1.split_once('<').unwrap().0.to_owned();
    let file = Arc::new(File::open(&job.file).unwrap());
    let memory = Bytes::from(vec![7; BLOCK_BYTES]);
    let id_of_lanes = id.clone();
    in_lanes(job, move |job, connection, start, end| {
        let source = if from_file { Source::File(Arc::clone(&file)) } else { Source::Memory(memory.clone()) };
        let body = Part { source, at: start, end };
        let query = format!("?partNumber={}&uploadId={id_of_lanes}", start / job.part_bytes + 1);
        Box::pin(async move {
            connection.send(job, "PUT", &query, None, Either::Left(body)).await;
        })
    })
    .await;
    first.send(job, "DELETE", &format!("?uploadId={id}"), None, Either::Right(Full::default())).await;
}

/// Reads the ranges of the object into the file, and through to the disk, or forgets them.
pub(crate) async fn down(job: &Job, into_file: bool) {
    let file = into_file.then(|| Arc::new(create(&job.target)));
    let written = file.clone();
    in_lanes(job, move |job, connection, start, end| {
        let file = file.clone();
        Box::pin(async move {
            let none = Either::Right(Full::default());
            let answer = connection.send(job, "GET", "", Some((start, end - 1)), none).await;
            let (mut body, mut at) = (answer.into_body(), start);
            while let Some(frame) = body.frame().await {
                let bytes = frame.unwrap().into_data().unwrap();
                if let Some(file) = &file {
                    file.write_all_at(&bytes, at).unwrap();
                }
                at += bytes.len() as u64;
            }
            assert_eq!(at, end);
        })
    })
    .await;
    if let Some(file) = written {
        tokio::task::spawn_blocking(move || file.sync_all().unwrap()).await.unwrap();
    }
}

type Moving<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Moves every part, as many at a time as there are lanes.
async fn in_lanes(
    job: &Job,
    part: impl for<'a> Fn(&'a Job, &'a mut Connection, u64, u64) -> Moving<'a> + Send + Sync + 'static,
) {
    let (next, part, mut lanes) = (Arc::new(AtomicU64::new(0)), Arc::new(part), JoinSet::new());
    for _ in 0..LANES {
        let (next, part, job) = (Arc::clone(&next), Arc::clone(&part), job.clone());
        lanes.spawn(async move {
            let mut connection = Connection::open(&job).await;
            loop {
                let start = next.fetch_add(job.part_bytes, Ordering::Relaxed);
                if start >= job.bytes {
                    return;
                }
                part(&job, &mut connection, start, (start + job.part_bytes).min(job.bytes)).await;
            }
        });
    }
    while let Some(lane) = lanes.join_next().await {
        lane.unwrap();
    }
}

struct Connection(SendRequest<Either<Part, Full<Bytes>>>);

impl Connection {
    async fn open(job: &Job) -> Self {
        let tcp = TcpStream::connect(job.peer).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(tcp)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    async fn send(
        &mut self,
        job: &Job,
        method: &str,
        query: &str,
        range: Option<(u64, u64)>,
        body: Either<Part, Full<Bytes>>,
    ) -> Response<Incoming> {
        self.0.ready().await.unwrap();
        let uri = format!("/{BUCKET}/{KEY}{query}");
        let mut request = Request::builder().method(method).uri(uri).header("host", job.peer.to_string());
        if let Some((from, to)) = range {
            request = request.header("range", format!("bytes={from}-{to}"));
        }
        let answer = self.0.send_request(request.body(body).unwrap()).await.unwrap();
        let is_good =
            matches!(answer.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NO_CONTENT);
        assert!(is_good, "{answer:?}");
        answer
    }
}

enum Source {
    File(Arc<File>),
    Memory(Bytes),
}

/// A part of the file, or as many bytes of memory.
struct Part {
    source: Source,
    at: u64,
    end: u64,
}

impl Body for Part {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        if this.at == this.end {
            return Poll::Ready(None);
        }
        let len = usize::try_from(this.end - this.at).unwrap().min(BLOCK_BYTES);
        let block = match &this.source {
            Source::File(file) => {
                let mut block = BytesMut::zeroed(len);
                file.read_exact_at(&mut block, this.at).unwrap();
                block.freeze()
            }
            Source::Memory(block) => block.slice(..len),
        };
        this.at += len as u64;
        Poll::Ready(Some(Ok(Frame::data(block))))
    }

    fn is_end_stream(&self) -> bool {
        self.at == self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end - self.at)
    }
}

fn create(path: &Path) -> File {
    File::create(path).unwrap()
}

/// How much is read at a time: about as fast as it gets.
const BLOCK_BYTES: usize = 256 << 10;
