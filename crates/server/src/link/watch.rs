//! `POST /link/v1/watch`: the stream of a cluster's desired state. It waits on a channel; it never asks the store twice for
//! nothing.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, header};
use axum::response::{IntoResponse, Response};
use reeve_link::{
    Batch, DELETES, DesiredObject, Hello, ObjectKey, PART_BYTES, PROTOCOL_VERSION, Resume, ServerMessage,
    Versioned,
};
use reeve_store::{Deleted, Later};
use reeve_types::{ClusterId, Revision, RevisionToken, Timestamp};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::refusal::HelloRefusal;
use super::{LinkCaller, message};
use crate::app::App;
use crate::audit::link_status;
use crate::cluster_streams::{LIVENESS, Stream};
use crate::connections::Lasting;
use crate::error::{ApiError, log_chain};
use crate::extract::read;
use crate::outgoing::{Outgoing, Part, Slot, Slots, outgoing};

/// The longest version an operator may call itself by, in bytes.
const VERSION_LIMIT: usize = 64;

/// Of a hello of any version.
#[derive(Deserialize)]
struct Version {
    protocol: u32,
}

/// Opens a stream.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: LinkCaller,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let bytes = read(request).await?;
    // First alone: the rest of another version's hello may look otherwise.
    let Version { protocol } = message(&bytes).map_err(HelloRefusal::Unreadable)?;
    if protocol != PROTOCOL_VERSION {
        return Err(HelloRefusal::Protocol(protocol).into());
    }
    let hello: Hello = message(&bytes).map_err(HelloRefusal::Unreadable)?;
    // It goes into the log.
    if hello.operator_version.len() > VERSION_LIMIT {
        return Err(HelloRefusal::OperatorVersion { most: VERSION_LIMIT }.into());
    }
    let (line, open) = app
        .cluster_streams
        .listen(caller.cluster, caller.credential)
        .ok_or(ApiError::Unauthenticated(
            "the token's cluster does not exist any more, or has another secret",
        ))?;
    heard(&app, caller.cluster, true).await;
    tracing::info!(cluster = %caller.cluster, operator = hello.operator_version, resume = ?hello.resume, "link stream");
    let (outgoing, taken) = outgoing(app.cluster_streams.slots(), app.settings.link_patience);
    let feed = Feed {
        slots: app.cluster_streams.slots_of(caller.cluster),
        app,
        cluster: caller.cluster,
        expires: caller.expires,
        line,
        outgoing,
    };
    tokio::spawn(feed.run(hello.resume, open));
    let body = Body::from_stream(taken);
    let mut response = ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response();
    response.extensions_mut().insert(Lasting);
    Ok(response)
}

/// Notes that the cluster was heard of, in memory and in the store; with `begins` by a stream that begins.
async fn heard(app: &App, cluster: ClusterId, begins: bool) {
    let now = app.clock.now();
    app.cluster_streams.heard(cluster, now);
    // What room there is then is for revocations.
    if app.reserve.is_given() {
        return;
    }
    if let Err(error) = app.store.heard_of(&link_status(), cluster, now, begins).await {
        log_chain(&error);
    }
}

/// Why a stream ends.
enum End {
    /// Nobody listens any more, or the cluster, its token or the server is at its end.
    Over,
    /// The store failed.
    Failed(reeve_store::StoreError),
    /// A message has no JSON, which is a fault of the protocol's types.
    Unwritable(serde_json::Error),
}

struct Feed {
    app: Arc<App>,
    cluster: ClusterId,
    expires: Timestamp,
    line: watch::Receiver<Revision>,
    outgoing: Outgoing,
    /// The cluster's own.
    slots: Slots,
}

impl Feed {
    async fn run(mut self, resume: Option<Resume>, mut open: Stream) {
        let (app, outgoing, cluster) = (Arc::clone(&self.app), self.outgoing.clone(), self.cluster);
        let line = self.line.clone();
        let mut stopping = app.stopping.subscribe();
        let ended = tokio::select! {
            ended = self.feed(resume) => ended,
            // The value is never false again.
            _ = stopping.wait_for(|stopping| *stopping) => Ok(()),
            () = outgoing.closed() => Ok(()),
            () = open.replaced() => Ok(()),
        };
        match ended {
            Err(End::Failed(error)) => log_chain(&error),
            Err(End::Unwritable(error)) => log_chain(&error),
            Err(End::Over) | Ok(()) => {}
        }
        drop(open);
        if line.has_changed().is_ok() {
            heard(&app, cluster, false).await;
        }
        outgoing.finish().await;
    }

    async fn feed(&mut self, resume: Option<Resume>) -> Result<(), End> {
        let mut heartbeat = tokio::time::interval(self.app.settings.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.tick().await;
        let mut liveness = tokio::time::interval(LIVENESS);
        liveness.set_missed_tick_behavior(MissedTickBehavior::Delay);
        liveness.tick().await;
        let revision = *self.line.borrow_and_update();
        let welcome = ServerMessage::Welcome {
            protocol: PROTOCOL_VERSION,
            cluster_id: self.cluster,
            revision,
        };
        self.send(&welcome).await?;
        let mut at = match self.place(resume).await? {
            Some(at) => at,
            None => self.everything().await?,
        };
        loop {
            if *self.line.borrow_and_update() > at {
                at = self.later_than(at).await?;
            }
            self.goes_on()?;
            tokio::select! {
                changed = self.line.changed() => changed.map_err(|_| End::Over)?,
                _ = heartbeat.tick() => self.send(&ServerMessage::Heartbeat).await?,
                _ = liveness.tick(), if self.app.settings.shared_database => heard(&self.app, self.cluster, false).await,
            }
        }
    }

    /// Whether cluster and token are still there: looked at before each part and with each heartbeat.
    fn goes_on(&self) -> Result<(), End> {
        if self.app.clock.now() >= self.expires || self.line.has_changed().is_err() {
            return Err(End::Over);
        }
        Ok(())
    }

    /// Where to go on; `None` when everything has to be sent, because the operator asks for it, or because it was told
    /// something that was not changed here.
    async fn place(&self, resume: Option<Resume>) -> Result<Option<Revision>, End> {
        let Some(resume) = resume else { return Ok(None) };
        let store = &self.app.store;
        if store
            .may_resume(&link_status(), self.cluster, &resume)
            .await
            .map_err(End::Failed)?
        {
            return Ok(Some(resume.revision));
        }
        tracing::warn!(
            cluster = %self.cluster,
            revision = %resume.revision,
            "the cluster was sent changes that this database does not have, or is too far behind: sending it everything"
        );
        Ok(None)
    }

    /// The complete state, part by part, rules first. What is removed meanwhile is told between the parts: a revocation
    /// does not wait for the workloads.
    async fn everything(&self) -> Result<Revision, End> {
        let (mut after, mut rules_ended) = (None, false);
        let mut begun: Option<(Revision, RevisionToken)> = None;
        let mut told = Revision(0);
        loop {
            self.goes_on()?;
            let slot = self.slot(Part::State).await;
            let mut part = self
                .app
                .store
                .desired_all(&link_status(), self.cluster, after, PART_BYTES)
                .await
                .map_err(End::Failed)?
                .ok_or(End::Over)?;
            let (revision, token) = *begun.get_or_insert((part.revision, part.token));
            told = told.max(revision);
            if part.revision > told {
                let removed = self.removed_meanwhile(told, revision).await?;
                drop_removed(&mut part.upserts, &removed);
                told = removed.revision;
            }
            let beyond_rules = part
                .upserts
                .iter()
                .any(|it| !matches!(it.object.key(), ObjectKey::AccessRule(_)));
            let rules_end = !rules_ended && (beyond_rules || part.next.is_none());
            rules_ended |= rules_end;
            self.fill_in(&mut part.upserts).await?;
            after = part.next;
            let batch = ServerMessage::Batch(Batch {
                revision,
                token: after.is_none().then_some(token),
                complete: true,
                rules_end,
                more: after.is_some(),
                deletes: Vec::new(),
                upserts: part.upserts,
            });
            self.send_part(&batch, Some(slot)).await?;
            if after.is_none() {
                return Ok(revision);
            }
        }
    }

    /// Tells what was removed later than `told`; what, and until where. `revision` is that of the state whose parts these come
    /// between.
    async fn removed_meanwhile(&self, told: Revision, revision: Revision) -> Result<Deleted, End> {
        let deleted = self.deleted(told).await?;
        // More than that is told when the state is complete.
        let deletes = deleted.keys.clone().unwrap_or_default();
        if !deletes.is_empty() {
            self.send(&ServerMessage::Batch(Batch {
                revision,
                more: true,
                deletes,
                ..Batch::default()
            }))
            .await?;
        }
        Ok(deleted)
    }

    async fn deleted(&self, since: Revision) -> Result<Deleted, End> {
        let deleted = self
            .app
            .store
            .deleted_since(&link_status(), self.cluster, since, DELETES)
            .await
            .map_err(End::Failed)?;
        deleted.ok_or(End::Over)
    }

    /// What changed later than `at`: with each part first what was removed until then.
    async fn later_than(&self, at: Revision) -> Result<Revision, End> {
        let mut since = Later {
            revision: at,
            object: None,
        };
        let (mut told, mut owes_end) = (at, false);
        loop {
            self.goes_on()?;
            let slot = self.slot(Part::Change).await;
            let deleted = self.deleted(told).await?;
            let Some(deletes) = deleted.keys else {
                drop(slot);
                return self.everything().await;
            };
            let mut part = self
                .app
                .store
                .desired_since(&link_status(), self.cluster, since, PART_BYTES)
                .await
                .map_err(End::Failed)?
                .ok_or(End::Over)?;
            self.fill_in(&mut part.upserts).await?;
            told = deleted.revision;
            let more = part.next.is_some();
            if more || owes_end || !deletes.is_empty() || !part.upserts.is_empty() {
                let batch = ServerMessage::Batch(Batch {
                    revision: told,
                    token: (!more).then_some(deleted.token),
                    more,
                    deletes,
                    upserts: part.upserts,
                    ..Batch::default()
                });
                self.send_part(&batch, Some(slot)).await?;
            }
            owes_end = more;
            match part.next {
                Some(next) => since = next,
                None => return Ok(told),
            }
        }
    }

    /// Leave for a part, before it is read: what is not read yet takes no room.
    async fn slot(&self, part: Part) -> Slot {
        Slot::take(self.app.cluster_streams.slots(), &self.slots, part).await
    }

    /// Opens the values of credentials. One that does not open is sent without them: the cluster keeps what it has and says so.
    async fn fill_in(&self, upserts: &mut [Versioned]) -> Result<(), End> {
        let credential = |it: &Versioned| match it.object.key() {
            ObjectKey::Credential(id) => Some(id),
            _ => None,
        };
        let ids: Vec<_> = upserts.iter().filter_map(credential).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let granted = link_status();
        let read = self.app.store.sealed_credentials(&granted, &ids);
        let sealed = read.await.map_err(End::Failed)?;
        for upsert in upserts {
            let DesiredObject::Credential(credential) = &mut upsert.object else {
                continue;
            };
            // One that was deleted meanwhile is told as deleted next.
            let Some(row) = sealed.iter().find(|row| row.id == credential.id) else {
                continue;
            };
            match self.app.security.credentials.open(row) {
                Ok(values) => credential.values = Some(values),
                Err(error) => tracing::error!(
                    credential = %row.id,
                    key = row.sealed.key_id,
                    cause = format!("{error:#}"),
                    "a credential does not open: clusters keep the values that they have"
                ),
            }
        }
        Ok(())
    }

    /// Sends a line that is small whatever the cluster holds.
    async fn send(&self, message: &ServerMessage) -> Result<(), End> {
        self.send_part(message, None).await
    }

    async fn send_part(&self, message: &ServerMessage, slot: Option<Slot>) -> Result<(), End> {
        let mut line = serde_json::to_vec(message).map_err(End::Unwritable)?;
        line.push(b'\n');
        if self.outgoing.put(line.into(), slot).await {
            Ok(())
        } else {
            tracing::warn!(
                cluster = %self.cluster,
                "the operator does not read, or is gone: its stream ends, and it is sent what it missed when it dials again"
            );
            Err(End::Over)
        }
    }
}

/// What was read before it was removed, and told as removed, is not given again.
fn drop_removed(upserts: &mut Vec<Versioned>, removed: &Deleted) {
    let keys = removed.keys.as_deref().unwrap_or_default();
    upserts.retain(|it| !keys.contains(&it.object.key()));
}

#[cfg(test)]
mod tests {
    use reeve_link::desired::{AccessRule, Scope, Subject, SubjectKind};
    use reeve_types::AccessRuleId;

    use super::*;

    #[test]
    fn what_is_told_as_removed_is_not_given_in_the_same_breath() {
        let rule = |id: AccessRuleId| Versioned {
            revision: Revision(7),
            object: DesiredObject::AccessRule(AccessRule {
                id,
                subject: Subject {
                    kind: SubjectKind::Group,
                    name: "vision".to_owned(),
                },
                role: "l1-researcher".parse().unwrap(),
                scope: Scope::Cluster,
            }),
        };
        let (one, two): (AccessRuleId, AccessRuleId) = ("1".parse().unwrap(), "2".parse().unwrap());
        let left = |keys: Option<Vec<ObjectKey>>| {
            let mut upserts = vec![rule(one), rule(two)];
            let removed = Deleted {
                revision: Revision(8),
                token: RevisionToken::from_bytes([0; 16]),
                keys,
            };
            drop_removed(&mut upserts, &removed);
            upserts
        };
        assert_eq!(left(Some(vec![ObjectKey::AccessRule(one)])), [rule(two)]);
        assert_eq!(
            left(None),
            [rule(one), rule(two)],
            "too many to tell: told at the state's end"
        );
    }
}
