//! `GET /api/v1/me`: who the caller is, and what she is where.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::access_rule::SubjectType;
use reeve_api::me::{HeldRole, Me, PosixGiver};
use reeve_authz::SubjectKey;
use reeve_identity::PosixSource;
use reeve_store::SubjectId;

use crate::api::access_rules::scope_type;
use crate::app::App;
use crate::caller::Caller;

/// Of the directory as it is now.
pub async fn handle(State(app): State<Arc<App>>, caller: Caller) -> Json<Me> {
    let directory = app.directory();
    let (id, kind, posix) = match caller.id {
        SubjectId::User(id) => (
            id.to_string(),
            SubjectType::User,
            directory
                .posix(&caller)
                .map(|(posix, source)| (posix.clone(), source)),
        ),
        SubjectId::ServiceAccount(id) => (id.to_string(), SubjectType::ServiceAccount, None),
    };
    let roles = directory
        .index()
        .what_can(&caller.principal)
        .into_iter()
        .map(|reason| HeldRole {
            role_id: reason.role.id().number(),
            role_name: reason.role.display_name().to_owned(),
            scope_type: scope_type(reason.at),
            scope_id: reason.at.wire_id(),
            scope_name: directory.short_name(reason.at),
            through_group: match reason.through {
                SubjectKey::Group(name) => Some(name.to_string()),
                _ => None,
            },
        });
    let roles = roles.collect();
    let groups = caller.principal.groups.iter().map(ToString::to_string).collect();
    let (posix, posix_source) = posix.unzip();
    let posix_source = posix_source.map(|source| match source {
        PosixSource::Administrator => PosixGiver::Administrator,
        PosixSource::IdentityProvider => PosixGiver::IdentityProvider,
    });
    Json(Me {
        id,
        username: caller.name,
        kind,
        groups,
        posix,
        posix_source,
        must_change_password: caller.has_temporary_password,
        roles,
    })
}
