//! `POST /api/v1/clusters/{clusterUuid}/kubernetes-token` (ours): five minutes at one cluster's API server, as oneself.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::kubernetes::KubernetesToken;
use reeve_identity::Claims;
use reeve_store::AuditAction;
use reeve_types::{ClusterId, PosixIdentity, Timestamp};

use super::person_reaching;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{NoBody, Segment};

/// A token for people with any rule that reaches the cluster. Recorded as a sign-in before it is given.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: Segment,
    NoBody: NoBody,
) -> Result<Json<KubernetesToken>, ApiError> {
    let id: ClusterId = segment.id("cluster")?;
    let user = person_reaching(&app, &caller, id)?;
    if let Some(posix) = &user.posix {
        app.directory().check_numbers_in(id, posix)?;
    }
    let (token, claims) = app.security.kubernetes_token(id, &user, &caller, call.at)?;
    let expiration_timestamp = Timestamp::from_millis(claims.exp.saturating_mul(1000));
    let mut entry = call.event(AuditAction::SignIn, "cluster").about(id, "");
    entry.metadata = said(&claims, user.posix.as_ref());
    entry.subject.clone_from(&caller.name);
    entry.subject_type = caller.audit_subject();
    entry.cluster_id = Some(id);
    if app.reserve.is_given() {
        return Err(ApiError::Full);
    }
    app.store.record(&crate::audit::session_record(), entry).await?;
    Ok(Json(KubernetesToken {
        token: token.into(),
        expiration_timestamp,
    }))
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
