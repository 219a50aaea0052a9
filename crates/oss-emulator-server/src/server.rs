//! The listener, on the caller's runtime or on a thread of its own.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::ops::Deref;
use core::time::Duration;
use std::io;
use std::sync::mpsc;
use std::thread;

use oss_emulator::Config;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::handle::Handle;

/// A running server; it stops when it is dropped.
///
/// It dereferences to its [`Handle`], through which a test looks into the emulator.
#[derive(Debug)]
pub struct Server {
    handle: Handle,
    address: SocketAddr,
    runner: Runner,
}

#[derive(Debug)]
enum Runner {
    Task(JoinHandle<()>),
    Thread { stop: Option<oneshot::Sender<()>>, thread: Option<thread::JoinHandle<()>> },
}

impl Server {
    /// Starts on a free port of 127.0.0.1, as a task of the caller's tokio runtime.
    ///
    /// # Errors
    ///
    /// When the port cannot be opened.
    pub async fn start(config: Config) -> io::Result<Self> {
        Self::bind(LOOPBACK, config).await
    }

    /// Starts on this address, as a task of the caller's tokio runtime. Port 0 is a free port.
    ///
    /// Unless the configuration names an endpoint, answers name the address.
    ///
    /// # Errors
    ///
    /// When the address cannot be opened.
    pub async fn bind(address: SocketAddr, config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let config = if config.has_endpoint() { config } else { config.with_endpoint(endpoint(address)) };
        let handle = Handle::new(config);
        let runner = Runner::Task(tokio::spawn(accept(listener, handle.clone())));
        Ok(Self { handle, address, runner })
    }

    /// Starts on a free port of 127.0.0.1, on a thread of its own: for programs without a runtime.
    ///
    /// # Errors
    ///
    /// When the port cannot be opened or the thread cannot start.
    pub fn start_on_thread(config: Config) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (started, is_started) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("oss-emulator".to_owned()).spawn(move || {
            runtime.block_on(async {
                let server = Self::start(config).await;
                let parts = server.as_ref().map(|server| (server.handle.clone(), server.address));
                let parts = parts.map_err(|error| io::Error::new(error.kind(), error.to_string()));
                // Both channels only fail when the starter is gone, and then there is nothing to serve.
                if started.send(parts).is_ok() {
                    let _gone = stopped.await;
                }
            });
        })?;
        let ended = |_| io::Error::other("the server's thread ended before it listened");
        let (handle, address) = is_started.recv().map_err(ended)??;
        let runner = Runner::Thread { stop: Some(stop), thread: Some(thread) };
        Ok(Self { handle, address, runner })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL to give to a client: `http://127.0.0.1:port`.
    pub fn endpoint(&self) -> String {
        endpoint(self.address)
    }

    /// The emulator and its clock; a clone outlives the server.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Waits for the server to end, which it does by itself only when its listener fails.
    pub async fn wait(mut self) {
        if let Runner::Task(task) = &mut self.runner {
            let _ended = task.await;
        }
    }

    /// Stops listening and closes every connection, and returns when the port is free again.
    pub async fn shutdown(mut self) {
        if let Runner::Task(task) = &mut self.runner {
            task.abort();
            let _ended = task.await;
        }
    }
}

impl Deref for Server {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        match &mut self.runner {
            Runner::Task(task) => task.abort(),
            Runner::Thread { stop, thread } => {
                drop(stop.take());
                if let Some(thread) = thread.take() {
                    let _ended = thread.join();
                }
            }
        }
    }
}

async fn accept(listener: TcpListener, handle: Handle) {
    // Connections end with the set, and the set ends with this task.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, most likely: let others finish first.
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // A stream without this option only answers later.
        let _set = stream.set_nodelay(true);
        let handle = handle.clone();
        connections.spawn(async move {
            // A client that breaks off is its own affair.
            let _ended = handle.serve_connection(stream).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// A server that listens everywhere is named by its loopback address.
fn endpoint(address: SocketAddr) -> String {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
