//! Something in the middle between a client and a server on this machine: it passes bytes on, swallows them, or cuts the
//! connections, as it is told.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What it does with what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Passes,
    Swallows,
}

/// A relay. It ends with this value.
#[derive(Debug)]
pub struct Middle {
    address: SocketAddr,
    leads_to: Arc<AtomicU16>,
    mood: Arc<watch::Sender<Mood>>,
    /// Raised to end every connection there is.
    cuts: Arc<watch::Sender<u64>>,
    accepting: JoinHandle<()>,
}

impl Middle {
    /// Listens on a port of its own and leads to `port` of this machine.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn before(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mood = Arc::new(watch::Sender::new(Mood::Passes));
        let cuts = Arc::new(watch::Sender::new(0));
        let (moods, ends) = (Arc::clone(&mood), Arc::clone(&cuts));
        let leads_to = Arc::new(AtomicU16::new(port));
        let port = Arc::clone(&leads_to);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let port = port.load(Ordering::SeqCst);
                tokio::spawn(relay(client, port, moods.subscribe(), ends.subscribe()));
            }
        });
        Ok(Self {
            address,
            leads_to,
            mood,
            cuts,
            accepting,
        })
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on nothing comes through, in either direction, and nobody is told: as when a machine loses its power.
    pub fn swallow(&self) {
        self.mood.send_replace(Mood::Swallows);
    }

    /// From now on what is sent comes through again. What was swallowed is lost: the connections of then are of no use.
    pub fn pass(&self) {
        self.mood.send_replace(Mood::Passes);
    }

    /// Connections that are made from now on lead there; those that there are stay as they are.
    pub fn lead_to(&self, port: u16) {
        self.leads_to.store(port, Ordering::SeqCst);
    }

    /// Ends every connection that there is.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

impl Drop for Middle {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn relay(
    mut client: TcpStream,
    port: u16,
    mood: watch::Receiver<Mood>,
    mut cuts: watch::Receiver<u64>,
) {
    let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    tokio::select! {
        () = pass(&mut from_client, &mut to_server, mood.clone()) => {}
        () = pass(&mut from_server, &mut to_client, mood) => {}
        _ = cuts.changed() => {}
    }
}

/// Ends when one end does while bytes are passed on. While they are swallowed, ends are too.
async fn pass(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mood: watch::Receiver<Mood>,
) {
    let mut buffer = vec![0; 16 * 1024];
    // A connection that lost something stays lost.
    let mut lost = false;
    loop {
        let count = from.read(&mut buffer).await.unwrap_or(0);
        lost |= *mood.borrow() == Mood::Swallows;
        if lost {
            if count == 0 {
                std::future::pending::<()>().await;
            }
            continue;
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        if count == 0 || to.write_all(bytes).await.is_err() {
            return;
        }
    }
}
