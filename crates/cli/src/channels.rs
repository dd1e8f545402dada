//! The numbered channels that Kubernetes carries over one WebSocket: the first byte of a message names its channel.
//!
//! **Why not the streams of `kube` itself.** Theirs send and receive in one loop: while a send waits for room, nothing
//! is received. Where a program writes much before it reads on, both sides then wait for each other for ever (a test shows
//! it). Here both directions move on their own. The handshake, TLS and frames are the library's.
//!
//! **Limits.** A WebSocket outlives the right to open it: the API server checks rights and policies once, at the
//! start, and offers no way to end a connection later. Whoever loses access keeps what she has open.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use futures::{Sink, SinkExt, Stream, StreamExt, TryStreamExt, future};
use k8s_openapi::api::core::v1::Pod;
use kube::Resource;
use kube::api::AttachParams;
use kube::client::Connection;
use kube::core::Request;
use tokio::time::Instant;

use crate::failure::Failure;
use crate::kubernetes::ApiServer;

/// How often an idle connection is used: proxies on the way close those that are silent for a minute.
pub const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// What the policy about connections says when it does not know yet whether it may allow one.
const NOT_YET: &str = "try again in a moment";
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(300);
/// Ends the channel that the next byte names; from version 5 of the protocol on.
const END_OF_CHANNEL: u8 = 255;

/// What to open.
pub enum Open<'a> {
    /// A command in a container.
    Exec(&'a [String], &'a AttachParams),
    /// A container's main process.
    Attach(&'a AttachParams),
    /// A port of a pod.
    Port(u16),
}

/// Where messages go to.
pub struct Sender {
    sink: Pin<Box<dyn Sink<Vec<u8>, Error = io::Error> + Send>>,
    ends_channels: bool,
}

/// Where messages come from.
pub struct Receiver {
    stream: Pin<Box<dyn Stream<Item = io::Result<Vec<u8>>> + Send>>,
}

/// Opens a WebSocket to a pod. Where the cluster answers that it cannot tell yet whether this is allowed, it is asked
/// again for ten seconds.
///
/// # Errors
/// The API server refuses, or is not reached.
pub async fn open(
    server: &ApiServer,
    (namespace, pod): (&str, &str),
    wanted: &Open<'_>,
    what: &str,
) -> Result<(Sender, Receiver), Failure> {
    let client = server.websockets(what)?;
    let connect = || async {
        let request = Request::new(Pod::url_path(&(), Some(namespace)));
        let request = match wanted {
            Open::Exec(command, parameters) => request.exec(pod, command.iter(), parameters),
            Open::Attach(parameters) => request.attach(pod, parameters),
            Open::Port(port) => request.portforward(pod, &[*port]),
        };
        client.connect(request.map_err(kube::Error::BuildRequest)?).await
    };
    let connection = again_while_unknown(connect, |error| match error {
        kube::Error::Api(status) => status.code == 403 && status.message.contains(NOT_YET),
        _ => false,
    });
    let connection = connection
        .await
        .map_err(|error| server.not_opened(error).explain(what))?;
    Ok(split(connection))
}

/// Tries until something else than "not yet" is the answer, or ten seconds have passed.
pub async fn again_while_unknown<T, E, F: Future<Output = Result<T, E>>>(
    attempt: impl FnMut() -> F,
    unknown: impl Fn(&E) -> bool,
) -> Result<T, E> {
    again(attempt, unknown, PAUSE, PATIENCE).await
}

async fn again<T, E, F: Future<Output = Result<T, E>>>(
    mut attempt: impl FnMut() -> F,
    unknown: impl Fn(&E) -> bool,
    pause: Duration,
    patience: Duration,
) -> Result<T, E> {
    let started = Instant::now();
    loop {
        match attempt().await {
            Err(error) if unknown(&error) && started.elapsed() < patience => tokio::time::sleep(pause).await,
            answer => return answer,
        }
    }
}

/// Whether a refusal only says that it is too early to tell.
pub fn is_not_yet(message: &str) -> bool {
    message.contains(NOT_YET)
}

fn split(connection: Connection) -> (Sender, Receiver) {
    let ends_channels = connection.supports_stream_close();
    let (sink, stream) = connection.into_stream().split();
    let sink = sink
        .sink_map_err(io::Error::other)
        .with(|bytes: Vec<u8>| future::ready(Ok::<_, io::Error>(bytes.into())));
    let stream = stream.map_err(io::Error::other).try_filter_map(|message| {
        let carries = message.is_binary();
        future::ready(Ok(carries.then(|| message.into_data().to_vec())))
    });
    let sender = Sender {
        sink: Box::pin(sink),
        ends_channels,
    };
    let receiver = Receiver {
        stream: Box::pin(stream),
    };
    (sender, receiver)
}

impl Sender {
    /// Sends bytes on a channel.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn send(&mut self, channel: u8, bytes: &[u8]) -> io::Result<()> {
        let mut message = Vec::with_capacity(bytes.len().saturating_add(1));
        message.push(channel);
        message.extend_from_slice(bytes);
        self.sink.send(message).await
    }

    /// Says that nothing more comes on a channel. Before version 5 only the whole connection can be ended.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn end(&mut self, channel: u8) -> io::Result<()> {
        if self.ends_channels {
            self.sink.send(vec![END_OF_CHANNEL, channel]).await
        } else {
            self.sink.close().await
        }
    }

    /// Sends a message without a channel: servers pass over it, and nobody on the way takes the connection for dead.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn keep_alive(&mut self) -> io::Result<()> {
        self.sink.send(Vec::new()).await
    }

    /// Ends the connection.
    pub async fn close(&mut self) {
        // Who is gone already need not be told.
        let _ = self.sink.close().await;
    }
}

impl Receiver {
    /// The next channel and what came on it; `None` at the end.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> Option<io::Result<(u8, Vec<u8>)>> {
        while let Some(message) = self.stream.next().await {
            match message {
                Ok(message) => {
                    if let Some((channel, bytes)) = message.split_first() {
                        return Some(Ok((*channel, bytes.to_vec())));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// How often a call that always answers this is made within a fifth of a second.
    async fn calls(answer: &'static str) -> u32 {
        let calls = Cell::new(0);
        let attempt = || {
            calls.set(calls.get() + 1);
            future::ready(Err::<(), _>(answer))
        };
        let (pause, patience) = (Duration::from_millis(20), Duration::from_millis(200));
        let ended = again(attempt, |answer| is_not_yet(answer), pause, patience).await;
        assert_eq!(ended, Err(answer));
        calls.get()
    }

    #[tokio::test]
    async fn what_is_not_known_yet_is_asked_again_but_not_for_ever() {
        let calls = calls("reeve: R8: not known yet; try again in a moment").await;
        assert!((2..=11).contains(&calls), "{calls}");
    }

    #[tokio::test]
    async fn another_refusal_is_final() {
        assert_eq!(calls("reeve: R8: this pod runs as somebody else").await, 1);
    }
}
