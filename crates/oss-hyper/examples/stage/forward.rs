//! A forwarding proxy for the stage: it tunnels (`CONNECT`) to whoever shows user and password.

use core::net::SocketAddr;
use core::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::Outcome;
use super::alloc::sync::Arc;

/// A proxy in front of the stage, whatever host it is asked for.
pub(crate) struct Forward {
    address: SocketAddr,
    tunnels: Arc<AtomicUsize>,
}

impl Forward {
    /// In front of this server.
    pub(super) async fn to(server: SocketAddr) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let tunnels = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&tunnels);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let count = Arc::clone(&count);
                tokio::spawn(async move { Some(tunnel(client, server, &count).await) });
            }
        });
        Ok(Self { address, tunnels })
    }

    /// Host and port, to be named in a proxy's URL with `user:password@`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// How many tunnels were made.
    pub(crate) fn tunnels(&self) -> usize {
        self.tunnels.load(Ordering::Relaxed)
    }
}

async fn tunnel(mut client: TcpStream, server: SocketAddr, count: &AtomicUsize) -> Outcome {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if client.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    if !head.starts_with("connect ") || !head.contains(LOGIN) {
        let no =
            "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        return Ok(client.write_all(no.as_bytes()).await?);
    }
    count.fetch_add(1, Ordering::Relaxed);
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut TcpStream::connect(server).await?).await?;
    Ok(())
}

/// `user:password` (RFC 7617), as it is after lower-casing the whole head.
const LOGIN: &str = "proxy-authorization: basic dxnlcjpwyxnzd29yza==";
