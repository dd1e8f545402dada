//! One connection: bytes both ways until one side ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Instant, interval_at};

use crate::channels::{KEEP_ALIVE, Receiver, Sender};
use crate::failure::Failure;

const DATA: u8 = 0;
const ERROR: u8 = 1;
const BLOCK: usize = 16 * 1024;
/// How long the pod may be silent after the local side has said that nothing more comes: it may have gone altogether.
const LINGER: Duration = Duration::from_secs(60);

/// Carries one connection to its end.
///
/// # Errors
/// The pod's port cannot be reached, or the connection to the API server broke.
pub(super) async fn carry(
    local: TcpStream,
    (mut to_pod, mut from_pod): (Sender, Receiver),
    what: &str,
) -> Result<(), Failure> {
    let (read, write) = local.into_split();
    let heard = AtomicBool::new(false);
    let carried = tokio::select! {
        () = upward(read, &mut to_pod, &heard) => Ok(()),
        carried = downward(&mut from_pod, write, &heard, what) => carried,
    };
    to_pod.close().await;
    carried
}

/// Ends when the local side has, and the pod has been silent since.
async fn upward(mut read: OwnedReadHalf, to_pod: &mut Sender, heard: &AtomicBool) {
    let mut block = vec![0; BLOCK];
    let mut alive = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
    loop {
        let sent = tokio::select! {
            length = read.read(&mut block) => match length {
                Ok(0) | Err(_) => break,
                Ok(length) => to_pod.send(DATA, block.get(..length).unwrap_or_default()).await,
            },
            _ = alive.tick() => to_pod.keep_alive().await,
        };
        if sent.is_err() {
            // The receiving side learns how the connection ended.
            std::future::pending::<()>().await;
        }
    }
    loop {
        heard.store(false, Ordering::Relaxed);
        tokio::time::sleep(LINGER).await;
        if !heard.load(Ordering::Relaxed) {
            return;
        }
    }
}

async fn downward(
    from_pod: &mut Receiver,
    mut write: OwnedWriteHalf,
    heard: &AtomicBool,
    what: &str,
) -> Result<(), Failure> {
    // The first message of each channel repeats the port.
    let (mut data, mut errors) = (false, false);
    while let Some(message) = from_pod.next().await {
        heard.store(true, Ordering::Relaxed);
        let (channel, bytes) = message.map_err(|error| Failure::failed(what).because(error))?;
        match channel {
            DATA if !data => data = true,
            ERROR if !errors => errors = true,
            // Who does not listen any more has ended the connection.
            DATA if write.write_all(&bytes).await.is_err() => return Ok(()),
            ERROR if !bytes.is_empty() => {
                return Err(Failure::failed(what).cause(String::from_utf8_lossy(&bytes)));
            }
            _ => {}
        }
    }
    Ok(())
}
