//! What every operator's program does around its registry: a client, signals, and leading while the lease is held.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;

use kube::config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::lease::Lease;
use crate::registry::{EndedByItself, Registry};
use crate::serve::Readiness;

/// Why there is no client of the API server.
#[derive(Debug, thiserror::Error)]
pub enum NoClient {
    /// The file is not there, or is no kubeconfig.
    #[error("cannot read kubeconfig `{}`", .0.display())]
    Unreadable(PathBuf, #[source] Box<KubeconfigError>),
    /// What the file says leads to no API server.
    #[error("cannot use kubeconfig `{}`", .0.display())]
    Unusable(PathBuf, #[source] Box<KubeconfigError>),
    /// No file was named, and this is no pod.
    #[error("no kubeconfig and no ServiceAccount found; give --kubeconfig")]
    NotFound(#[source] Box<InferConfigError>),
    /// The TLS of it cannot be set up.
    #[error("cannot make a client of the API server")]
    Client(#[source] Box<kube::Error>),
}

/// The client of the API server: of a kubeconfig, or of the pod's ServiceAccount.
///
/// # Errors
/// [`NoClient`].
pub async fn client(kubeconfig: Option<&Path>) -> Result<Client, NoClient> {
    let config = match kubeconfig {
        Some(path) => {
            let file = Kubeconfig::read_from(path)
                .map_err(|error| NoClient::Unreadable(path.to_owned(), Box::new(error)))?;
            Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
                .await
                .map_err(|error| NoClient::Unusable(path.to_owned(), Box::new(error)))?
        }
        None => Config::infer()
            .await
            .map_err(|error| NoClient::NotFound(Box::new(error)))?,
    };
    Client::try_from(config).map_err(|error| NoClient::Client(Box::new(error)))
}

/// SIGINT and SIGTERM, heard from [`Signals::listen`] on.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// What the system says, with the signal's name.
    pub fn listen() -> io::Result<Self> {
        let listen = |kind, name: &str| {
            signal(kind)
                .map_err(|error| io::Error::new(error.kind(), format!("cannot listen for {name}: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt(), "SIGINT")?,
            terminate: listen(SignalKind::terminate(), "SIGTERM")?,
        })
    }

    /// Returns at the next of either.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Why a program ended that nobody stopped.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// A watch or a controller ended.
    #[error(transparent)]
    ByItself(#[from] EndedByItself),
    /// Nobody is served any more.
    #[error("a listener ended by itself: {0}")]
    Listener(String),
    /// Another replica leads, or will.
    #[error("the lease is lost: another replica leads")]
    LeaseLost,
}

/// Runs until a signal: where there is a lease, from the moment it is held, standing by until then. What is under way at the end is
/// finished, and the lease is given up.
///
/// # Errors
/// [`Ended`].
pub async fn run<T: Debug + 'static>(
    registry: Registry,
    readiness: &Readiness,
    lease: Option<&Lease>,
    listeners: &mut JoinSet<T>,
    signals: &mut Signals,
) -> Result<(), Ended> {
    let mut held = None;
    if let Some(lease) = lease {
        readiness.stand_by(true);
        tokio::select! {
            taken = lease.acquire() => held = Some(taken),
            () = signals.stop() => return Ok(()),
        }
        readiness.stand_by(false);
    }
    let stop = CancellationToken::new();
    let mut running = pin!(registry.run(stop.clone()));
    let lost = async {
        match held.as_mut() {
            Some(held) => held.hold().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = &mut running => return Ok(ended?),
        Some(ended) = listeners.join_next() => return Err(Ended::Listener(format!("{ended:?}"))),
        () = lost => return Err(Ended::LeaseLost),
        () = signals.stop() => {}
    }
    tracing::info!("stopping: finishing the passes under way");
    stop.cancel();
    let ended = running.await;
    if let Some(held) = held {
        held.release().await;
    }
    Ok(ended?)
}
