//! The memory that a call takes, over a real connection: the client's thread alone is counted.
#![allow(clippy::unwrap_used)]

#[path = "../../benches/over_hyper/peer.rs"]
mod peer;
#[path = "../../benches/over_hyper/ways.rs"]
mod ways;

use bytes::Bytes;
use oss_alloc::Usage;
use oss_hyper::{Body, Bucket};
use tokio::io::{AsyncReadExt, repeat};
use tokio::runtime::Runtime;

use ways::{Raw, bucket, content, get, put, runtime};

#[global_allocator]
static ALLOCATOR: oss_alloc::Counting = oss_alloc::Counting;

#[test]
fn a_small_call_takes_few_allocations() {
    let peer = peer::start(&[SMALL]).unwrap();
    let (runtime, bucket) = (runtime(), bucket(peer, true));
    let (key, body) = (SMALL.to_string(), content(SMALL));
    let mut raw = runtime.block_on(Raw::connect(peer, body.clone()));
    let hyper = [most(&runtime, async || raw.get().await), most(&runtime, async || raw.put().await)];
    let ours = [
        most(&runtime, async || get(&bucket, &key).await),
        most(&runtime, async || put(&bucket, &key, &body).await),
    ];
    for (((name, max), hyper), ours) in ALLOCATIONS_MAX.iter().zip(hyper).zip(ours) {
        println!("figure: 4 KiB {name}, allocations of hyper = {hyper} allocations");
        println!("figure: 4 KiB {name}, allocations = {ours} allocations");
        assert!(ours <= *max, "{name}: {ours}, of which {hyper} are hyper's");
    }
}

/// Neither what is read nor what is written is held: the longer object takes no more than the short one.
#[test]
fn a_streamed_object_takes_as_much_memory_whatever_its_length() {
    let peer = peer::start(&[SHORT, LONG]).unwrap();
    let (runtime, bucket) = (runtime(), bucket(peer, true));
    let shared = content(MIB);
    let ways: [(&str, &dyn Fn(u64) -> u64); 3] = [
        ("GET", &|length| runtime.block_on(get(&bucket, &length.to_string()))),
        ("PUT of a reader", &|length| runtime.block_on(send(&bucket, length, reader(length)))),
        ("PUT of chunks", &|length| runtime.block_on(send(&bucket, length, chunks(length, &shared)))),
    ];
    for (name, way) in ways {
        way(SHORT);
        let [short, long] = [SHORT, LONG].map(|length| oss_alloc::measure(|| way(length)).1.peak_bytes);
        println!("figure: {name}, most memory for 1 MiB = {} KiB", short >> 10);
        println!("figure: {name}, most memory for 256 MiB = {} KiB", long >> 10);
        assert!(long <= MEMORY_MAX && long <= short + SPREAD, "{name}: {long} bytes, {short} for 1 MiB");
    }
}

/// What a call takes at most, once connections are made and buffers have grown.
fn most(runtime: &Runtime, mut call: impl AsyncFnMut() -> u64) -> usize {
    for _ in 0..WARM_UP {
        runtime.block_on(call());
    }
    let mut measured = || oss_alloc::measure(|| runtime.block_on(call())).1;
    (0..CALLS).map(|_| measured()).map(|Usage { allocations, .. }| allocations).max().unwrap()
}

async fn send(bucket: &Bucket, length: u64, body: Body) -> u64 {
    bucket.put(length.to_string(), body).await.unwrap();
    length
}

fn reader(length: u64) -> Body {
    Body::reader(length, repeat(peer::FILL).take(length))
}

/// A body of memory that is the caller's, without a copy.
fn chunks(length: u64, block: &Bytes) -> Body {
    let count = usize::try_from(length / block.len() as u64).unwrap();
    Body::wrap(length, Blocks { block: block.clone(), left: count })
}

/// The same block a number of times.
struct Blocks {
    block: Bytes,
    left: usize,
}

impl hyper::body::Body for Blocks {
    type Data = Bytes;
    type Error = core::convert::Infallible;

    fn poll_frame(
        mut self: core::pin::Pin<&mut Self>,
        _: &mut core::task::Context<'_>,
    ) -> core::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        let Some(left) = self.left.checked_sub(1) else { return core::task::Poll::Ready(None) };
        self.left = left;
        core::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(self.block.clone()))))
    }
}

const SMALL: u64 = 4 << 10;
const MIB: u64 = 1 << 20;
const SHORT: u64 = MIB;
const LONG: u64 = 256 * MIB;
const WARM_UP: usize = 16;
const CALLS: usize = 64;
/// What a call of 4 KiB may take: 14 and 12 are hyper's own, the rest is the draft, the composed request, the
/// names and texts of the answer. A build without optimisation makes one that the other leaves out.
const ALLOCATIONS_MAX: [(&str, usize); 2] = [("GET", 35), ("PUT", 28)];
/// The buffers of one connection, and the chunks that are on their way.
const MEMORY_MAX: usize = 1 << 20;
/// How much hyper's buffer may have grown differently from one call to the next.
const SPREAD: usize = 512 << 10;
