//! From a host's name to a TCP connection: its addresses, one after another, from the address of one's own.

use alloc::sync::Arc;
use core::net::{IpAddr, SocketAddr};
use core::pin::Pin;
use std::io;

use oss_proto::FailureKind;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use crate::connect::{Fault, Step};

/// Looks up names in a way of the program's own.
pub(crate) type Resolver = Arc<dyn Fn(String) -> Looking + Send + Sync>;
pub(crate) type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// How TCP connections are made.
#[derive(Clone, Default)]
pub(crate) struct Dialer {
    pub(crate) resolver: Option<Resolver>,
    /// The address of one's own to connect from.
    pub(crate) local: Option<IpAddr>,
}

impl Dialer {
    /// Connects to a host, which is without brackets; `step` follows what it waits for.
    pub(crate) async fn dial(
        &self,
        host: &str,
        port: u16,
        limit: Instant,
        step: &mut Step,
    ) -> Result<TcpStream, Fault> {
        *step = Step::Lookup;
        let addresses = self.addresses(host, port).await;
        let nowhere = |problem: io::Error| Fault::new(FailureKind::Dns, format!("{host}: {problem}"));
        let mut addresses = addresses.map_err(nowhere)?;
        *step = Step::Tcp;
        if let Some(local) = self.local {
            addresses.retain(|address| address.is_ipv4() == local.is_ipv4());
            if addresses.is_empty() {
                let problem = format!(
                    "{host} has no address of the same family as the local address {local}; choose another"
                );
                return Err(Fault::new(FailureKind::Connect, problem));
            }
        }
        let tcp = self.first_of(&addresses, limit).await.map_err(|e| Fault::new(FailureKind::Connect, e))?;
        // A request must not wait for the acknowledgement of the one before.
        let _best_effort = tcp.set_nodelay(true);
        Ok(tcp)
    }

    async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let addresses = match &self.resolver {
            None => lookup_host((host, port)).await?.collect(),
            Some(resolver) => {
                let mut addresses = resolver(host.to_owned()).await?;
                for address in addresses.iter_mut().filter(|address| address.port() == 0) {
                    address.set_port(port);
                }
                addresses
            }
        };
        if addresses.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "it has no address"));
        }
        Ok(addresses)
    }

    /// Tries one address after another, each with an equal share of the time that is left.
    async fn first_of(&self, addresses: &[SocketAddr], limit: Instant) -> io::Result<TcpStream> {
        let mut problem = io::Error::new(io::ErrorKind::NotFound, "the host name has no address");
        for (i, address) in addresses.iter().enumerate() {
            let now = Instant::now();
            let rest = u32::try_from(addresses.len() - i).unwrap_or(u32::MAX);
            let share = now + limit.saturating_duration_since(now) / rest;
            match timeout_at(share, self.connect(*address)).await {
                Ok(Ok(tcp)) => return Ok(tcp),
                Ok(Err(error)) => problem = io::Error::new(error.kind(), format!("{address}: {error}")),
                Err(_elapsed) => {
                    problem = io::Error::new(io::ErrorKind::TimedOut, format!("{address}: no answer"));
                }
            }
        }
        Err(problem)
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let Some(local) = self.local else { return TcpStream::connect(address).await };
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.bind(SocketAddr::new(local, 0)).map_err(|error| {
            let problem = format!("cannot connect from {local}: {error}; choose an address of this machine");
            io::Error::new(error.kind(), problem)
        })?;
        socket.connect(address).await
    }
}
