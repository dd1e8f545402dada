//! Connections to the control plane, one after the other.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use reeve_kube_kit::WriteFailed;
use reeve_link::{HEARTBEAT_SECONDS, Hello, PROTOCOL_VERSION, ServerMessage};
use reeve_types::ErrorChain;
use tokio::time::Instant;

use super::Link;
use super::client::{LinkClient, LinkFailed};
use super::pause::Pauses;
use super::writer::DesiredStateWriter;

/// Three heartbeats (the promise of `reeve-link`).
const SILENCE: Duration = Duration::from_secs(3 * HEARTBEAT_SECONDS);
/// News gathers this long before it is sent.
const GATHER: Duration = Duration::from_millis(50);
/// How long after the cluster was found deleted it is asked for again: the database may be restored from a backup.
const AFTER_DELETION: Duration = Duration::from_secs(60);
const PART: &str = "link";

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Link(#[from] LinkFailed),
    #[error(transparent)]
    Write(#[from] WriteFailed),
    #[error("somebody else changed what the link wrote")]
    Drift,
    #[error("something was refused and may be allowed now; asking for everything")]
    Refused,
}

/// Dials until dropped. `seed` spreads the pauses of many operators.
pub async fn run(link: Arc<Link>, client: LinkClient, seed: u64) {
    let mut writer = DesiredStateWriter::new(link.clone());
    let mut pauses = Pauses::new(seed);
    let mut has_tried = false;
    link.context.readiness.missing(PART, "not connected yet");
    loop {
        let mut connected = false;
        let mut ended = session(&link, &client, &mut writer, &mut connected).await;
        let mut deleted = matches!(ended, Ended::Link(LinkFailed::Deleted));
        if deleted && let Err(failed) = unbind(&link, &mut writer).await {
            ended = failed.into();
            deleted = false;
        }
        if connected {
            pauses.connected();
        } else if !has_tried {
            // Cut off, the operator goes on enforcing: it is not red for that. The log tells of it.
            link.context.readiness.ready(PART);
        }
        has_tried = true;
        let wait = if deleted {
            AFTER_DELETION
        } else {
            pauses.after_failure()
        };
        tracing::warn!(
            error = %ErrorChain(&ended),
            wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            "link interrupted"
        );
        tokio::time::sleep(wait).await;
    }
}

/// Nobody has rights by a cluster that is not there any more. What the link wrote else stays, and the operator goes on.
async fn unbind(link: &Link, writer: &mut DesiredStateWriter) -> Result<(), WriteFailed> {
    if link.cluster.set_deleted(true) {
        tracing::error!(
            "this cluster was deleted on the control plane: removing the access rules that came from there"
        );
    }
    writer.unbind().await
}

async fn session(
    link: &Arc<Link>,
    client: &LinkClient,
    writer: &mut DesiredStateWriter,
    connected: &mut bool,
) -> Ended {
    match try_receive(link, client, writer, connected).await {
        Ok(never) => match never {},
        Err(ended) => ended,
    }
}

/// Finishes the work although news can no longer be sent meanwhile; then says so.
///
/// What the link writes must never be cut off in the middle: memory would hold as written, or as removed, what is not,
/// and a revocation would be skipped when it comes again.
async fn whole(
    work: impl Future<Output = Result<(), WriteFailed>>,
    sending: Pin<&mut impl Future<Output = Ended>>,
) -> Result<(), Ended> {
    let mut work = pin!(work);
    tokio::select! {
        done = &mut work => Ok(done?),
        ended = sending => {
            work.await?;
            Err(ended)
        }
    }
}

async fn try_receive(
    link: &Arc<Link>,
    client: &LinkClient,
    writer: &mut DesiredStateWriter,
    connected: &mut bool,
) -> Result<std::convert::Infallible, Ended> {
    writer.begin();
    let resume = link.drift.written().resume();
    let mut everything_comes = resume.is_none();
    if everything_comes {
        writer.asked_for_everything();
    }
    let hello = Hello {
        protocol: PROTOCOL_VERSION,
        operator_version: crate::VERSION.to_owned(),
        resume,
    };
    let mut welcomed = false;
    let mut messages = pin!(client.watch(&hello).await?);
    let mut sending = pin!(send(link, client));
    loop {
        tokio::select! {
            ended = &mut sending => return Err(ended),
            message = tokio::time::timeout(SILENCE, messages.next()) => match message {
                Err(_) => return Err(LinkFailed::Ended(format!("nothing heard for {} s", SILENCE.as_secs())).into()),
                Ok(None) => return Err(LinkFailed::Ended("closed".to_owned()).into()),
                Ok(Some(message)) => match message? {
                    ServerMessage::Welcome { protocol, cluster_id, revision } => {
                        if protocol != PROTOCOL_VERSION || cluster_id != client.cluster() {
                            return Err(LinkFailed::Stranger(format!("protocol {protocol}, cluster {cluster_id}")).into());
                        }
                        welcomed = true;
                        *connected = true;
                        link.context.readiness.ready(PART);
                        link.cluster.set_deleted(false);
                        link.outbox.set_settings(link.cluster.settings());
                        link.outbox.connected(revision);
                        tracing::info!(%revision, resume = resume.map(|resume| resume.revision.0), "link connected");
                    }
                    ServerMessage::Batch(batch) => {
                        if !welcomed {
                            return Err(LinkFailed::Unreadable("a batch before the welcome".to_owned()).into());
                        }
                        tracing::info!(revision = %batch.revision, complete = batch.complete, more = batch.more, deletes = batch.deletes.len(), upserts = batch.upserts.len(), "batch");
                        let ends = batch.complete && !batch.more;
                        whole(writer.apply(batch), sending.as_mut()).await?;
                        everything_comes &= !ends;
                        if ends && link.drift.written().has_drifted() {
                            return Err(Ended::Drift);
                        }
                    }
                    ServerMessage::Heartbeat => {}
                },
            },
            () = link.usable.notified() => whole(writer.place_waiting(), sending.as_mut()).await?,
            // What was changed before everything has come is seen when it does, or right after.
            () = link.drift.seen() => if link.drift.written().has_drifted() && !everything_comes {
                return Err(Ended::Drift);
            },
            () = retry(writer.retry_at()) => return Err(Ended::Refused),
        }
    }
}

async fn retry(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn send(link: &Arc<Link>, client: &LinkClient) -> Ended {
    loop {
        link.outbox.news().await;
        tokio::time::sleep(GATHER).await;
        while let Some(report) = link.outbox.take() {
            match client.report(&report).await {
                Ok(()) => link.outbox.sent(&report),
                // News gathers meanwhile, and goes out together.
                Err(LinkFailed::TooMany { wait, .. }) => {
                    link.outbox.give_back(&report);
                    tokio::time::sleep(wait).await;
                }
                // What the server does not want to hear must not keep the cluster from hearing of revocations.
                Err(failed @ LinkFailed::Refused { status: 400, .. }) => {
                    tracing::error!(error = %ErrorChain(&failed), objects = report.objects.len(), "report refused");
                    link.outbox.refused();
                }
                Err(failed) => {
                    link.outbox.give_back(&report);
                    return failed.into();
                }
            }
        }
    }
}
