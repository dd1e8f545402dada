//! `POST /api/v1/authorization/permitted-scopes`: where the caller was given something.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::authorization::{AskPermittedScopes, PermittedScopes, PermittedScopesActions};
use reeve_authz::{Action, Scope};

use crate::app::App;
use crate::caller::Caller;
use crate::extract::JsonBody;

/// The scopes of the rules, not expanded.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<AskPermittedScopes>,
) -> Json<PermittedScopesActions> {
    let directory = app.directory();
    let of = |action| {
        if body.action.is_some_and(|asked| asked.0 != action) {
            return PermittedScopes::default();
        }
        let index = directory.index();
        sorted(index.permitted_scopes(&caller.principal, action, body.resource_type.0))
    };
    Json(PermittedScopesActions {
        create: of(Action::Create),
        read: of(Action::Read),
        update: of(Action::Update),
        delete: of(Action::Delete),
    })
}

fn sorted(scopes: Vec<Scope>) -> PermittedScopes {
    let mut found = PermittedScopes::default();
    for scope in scopes {
        let id = scope.wire_id();
        match scope {
            Scope::Account => {
                found.tenant = Some(id.clone());
                found.tenants.push(id);
            }
            Scope::Cluster(_) => found.clusters.push(id),
            Scope::Department(_) => found.departments.push(id),
            Scope::Project(_) => found.projects.push(id),
        }
    }
    found
}
