//! A TCP round-robin balancer: one address before several servers, which it gives connections in turn.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Listens until it is dropped. Connections that are open then go on.
#[derive(Debug)]
pub struct RoundRobin {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl RoundRobin {
    /// Before these servers. One that refuses a connection is passed over.
    ///
    /// # Errors
    /// No address to listen on.
    pub async fn start(servers: Vec<SocketAddr>) -> io::Result<Self> {
        Self::start_at(IpAddr::V4(Ipv4Addr::LOCALHOST), servers).await
    }

    /// The same at another address of this machine, such as the one by which pods reach it.
    ///
    /// # Errors
    /// The address is not this machine's.
    pub async fn start_at(address: IpAddr, servers: Vec<SocketAddr>) -> io::Result<Self> {
        let listener = TcpListener::bind((address, 0)).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, servers.into()));
        Ok(Self { address, accepting })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for RoundRobin {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, servers: Arc<[SocketAddr]>) {
    let turn = Arc::new(AtomicUsize::new(0));
    while let Ok((client, _)) = listener.accept().await {
        let (servers, turn) = (Arc::clone(&servers), Arc::clone(&turn));
        tokio::spawn(pass(client, servers, turn));
    }
}

/// Whoever finds no server is cut off.
async fn pass(mut client: TcpStream, servers: Arc<[SocketAddr]>, turn: Arc<AtomicUsize>) {
    for _ in 0..servers.len() {
        let next = turn.fetch_add(1, Ordering::Relaxed) % servers.len().max(1);
        let Some(server) = servers.get(next) else { return };
        if let Ok(mut server) = TcpStream::connect(server).await {
            // Either side may end it, also in the middle.
            let _ = copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    }
}
