//! The stage of `oss-hyper`.

use core::fmt::Debug;
use core::time::Duration;

use oss_hyper::oss_proto::{Error, GetObject, Operation, Payload, Replay, Reply, Verified};
use oss_hyper::{Body, Client, CredentialsProvider};
use tokio::runtime::{Builder, Runtime};

use super::{Content, Rota, Scenario, Stage, Transcript};
use crate::peer::Peer;
use crate::tcp::{TcpPeer, system_time};

/// Runs a scenario over loopback TCP on `oss-hyper`.
///
/// # Panics
/// When no port can be opened.
pub fn hyper(scenario: &Scenario) -> Transcript {
    scenario.play(&mut Hyper::new(scenario))
}

/// The hyper client, and the peer behind a loopback port. Dropped in this order: connections end before the
/// peer waits for nothing.
pub struct Hyper {
    client: Client,
    runtime: Runtime,
    peer: TcpPeer,
}

impl Hyper {
    /// The stage at the start of a scenario.
    ///
    /// # Panics
    /// When no port can be opened.
    pub fn new(scenario: &Scenario) -> Self {
        let mut peer = TcpPeer::start(scenario.peer(system_time())).expect("a loopback port is free");
        let rota = Rota::new(scenario);
        let client = Client::new(
            scenario.service(&peer.endpoint()),
            CredentialsProvider::from_fn(move || {
                let credentials = rota.next();
                async move { Ok::<_, Error>(Some(credentials)) }
            }),
        );
        if scenario.is_down {
            peer.refuse();
        }
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Self { client, runtime: runtime.expect("a runtime of one thread can be had"), peer }
    }
}

impl Hyper {
    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

impl Stage for Hyper {
    fn call<O>(&mut self, operation: &O, content: &Content) -> Result<Reply<O::Output>, Error>
    where
        O: Operation<Output: Debug + Send> + Clone + Debug + Send + Sync + 'static,
    {
        let operation = operation.clone();
        match operation.draft().map(|draft| draft.body) {
            Ok(Payload::Stream { len, replay }) => {
                self.runtime.block_on(self.client.send_from(operation, body(len, replay, content)))
            }
            _ => self.runtime.block_on(self.client.send(operation)),
        }
    }

    fn fetch(&mut self, operation: &GetObject, sink: &mut Vec<u8>) -> Result<Reply<Verified>, Error> {
        self.runtime.block_on(async {
            let mut object = self.client.open(operation.clone()).await?;
            while let Some(bytes) = object.chunk().await? {
                sink.extend_from_slice(&bytes);
            }
            let verified = object.verified().expect("it was read to its end").clone();
            Ok(object.reply().clone().map(|_| verified))
        })
    }

    fn pause(&mut self, time: Duration) {
        std::thread::sleep(time);
    }

    fn peer<T>(&mut self, look: impl FnOnce(&mut Peer) -> T) -> T {
        look(&mut self.peer.peer())
    }
}

fn body(len: Option<u64>, replay: Replay, content: &Content) -> Body {
    let content = content.clone();
    match replay {
        Replay::Once => Body::reader(len, Reading(content.open().expect("it is in memory"))),
        Replay::FromStart => Body::reopen(len, move || {
            let opened = content.open();
            async move { opened.map(Reading) }
        }),
    }
}

/// A source that never waits, as tokio reads one.
struct Reading(Box<dyn std::io::Read + Send>);

impl tokio::io::AsyncRead for Reading {
    fn poll_read(
        mut self: core::pin::Pin<&mut Self>,
        _: &mut core::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> core::task::Poll<std::io::Result<()>> {
        let len = self.0.read(buffer.initialize_unfilled())?;
        buffer.advance(len);
        core::task::Poll::Ready(Ok(()))
    }
}
