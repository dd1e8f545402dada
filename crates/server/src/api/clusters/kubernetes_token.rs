//! `POST /api/v1/clusters/{clusterUuid}/kubernetes-token` (ours): five minutes at one cluster's API server, as oneself.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_admission::names::group_in_cluster;
use reeve_api::kubernetes::KubernetesToken;
use reeve_identity::Claims;
use reeve_store::{AuditAction, AuditEntry};
use reeve_types::{ClusterId, PosixIdentity, Timestamp};

use super::person_reaching;
use super::refusal::ClusterRefusal;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{NoBody, PathId};
use crate::successes::Key;

/// How many groups a token has at most: an API server refuses long headers, and that in words that nobody understands.
const MOST_GROUPS: usize = 200;

/// A token for people with any rule that reaches the cluster. Recorded as a sign-in before it is given, or counted
/// after one that was.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    NoBody: NoBody,
) -> Result<Json<KubernetesToken>, ApiError> {
    let id: ClusterId = segment.id("cluster")?;
    let user = person_reaching(&app, &caller, id)?;
    let posix = {
        let directory = app.directory();
        let posix = directory.posix(&caller).map(|(posix, _)| posix.clone());
        if let Some(posix) = &posix {
            directory.check_numbers_in(id, posix)?;
        }
        posix
    };
    let groups = groups_told(&app, &caller, id)?;
    let (token, claims) = app
        .security
        .kubernetes_token(id, &user, &groups, posix.as_ref(), call.at)?;
    let expiration_timestamp = Timestamp::from_millis(claims.exp.saturating_mul(1000));
    let mut entry = call.by(&caller, AuditAction::SignIn, "cluster").about(id, "");
    entry.metadata.extend(said(&claims, posix.as_ref()));
    entry
        .metadata
        .insert("session".to_owned(), caller.session.to_string());
    entry.cluster_id = Some(id);
    if app.reserve.is_given() {
        return Err(ApiError::Full);
    }
    record(&app, id, &caller, entry).await?;
    Ok(Json(KubernetesToken {
        token: token.into(),
        expiration_timestamp,
    }))
}

/// Each of a minute's first; those that follow and say the same are counted.
async fn record(app: &App, cluster: ClusterId, caller: &Caller, entry: AuditEntry) -> Result<(), ApiError> {
    let said = |name| entry.metadata.get(name).map_or("", String::as_str);
    let key = Key::Kubernetes {
        cluster,
        session: caller.session,
        said: format!("{} {}", said("posix"), said("groups")),
    };
    if app.successes.counted(&key, &entry) {
        return Ok(());
    }
    let granted = crate::audit::session_record();
    app.store.record(&granted, entry.clone()).await?;
    app.successes.recorded(key, entry, None);
    Ok(())
}

/// The caller's groups that a rule of this cluster names, as bindings there call them; no other group is told to a cluster, whose
/// own administrator may have bound anything to a name.
fn groups_told(app: &App, caller: &Caller, cluster: ClusterId) -> Result<Vec<String>, ClusterRefusal> {
    let directory = app.directory();
    let named = directory.index().groups_reaching(&caller.principal, cluster);
    let groups: Vec<_> = named
        .into_iter()
        .filter_map(|group| group_in_cluster(group.as_str()))
        .collect();
    if groups.len() > MOST_GROUPS {
        return Err(ClusterRefusal::TooManyGroups {
            count: groups.len(),
            most: MOST_GROUPS,
        });
    }
    Ok(groups)
}

/// What of a token tells it from others and says as whom containers may run with it.
fn said(claims: &Claims, posix: Option<&PosixIdentity>) -> BTreeMap<String, String> {
    let posix = posix.map_or_else(|| "none".to_owned(), ToString::to_string);
    BTreeMap::from([
        ("jti".to_owned(), claims.jti.clone()),
        ("posix".to_owned(), posix),
        ("groups".to_owned(), claims.groups.join(",")),
    ])
}
