//! The router, made from the operation table: one route a row, none beside it except the link's and the
//! sign-in pages'.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::MethodRouter;
use reeve_api::{OPERATIONS, OperationId};

use crate::api::{
    access_keys, access_rules, audit_logs, authorization, clusters, credentials, custom_roles, departments,
    documents, health, idps, me, offboarding, org_units, projects, realm, roles, secret_assets,
    security_settings, service_accounts, signing_keys, tenant_settings, token, users, workload_policies,
    workloads,
};
use crate::app::App;
use crate::error::ApiError;
use crate::{bounds, browser, drain_body, link, middleware};

/// The whole interface of the server.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for operation in OPERATIONS {
        let guard = from_fn_with_state((Arc::clone(&app), operation), middleware::operation);
        router = router.route(operation.path, route(operation.id).layer(guard));
    }
    router
        .merge(link::router(&app))
        .merge(browser::router(&app))
        .method_not_allowed_fallback(|| async { ApiError::NoMethod })
        .fallback(|| async { ApiError::NoRoute })
        .layer(from_fn(bounds::check))
        .layer(from_fn(drain_body::discard))
        .with_state(app)
}

/// The handler of an operation, by resource. No wildcard here nor in any of these: an operation without a handler does not
/// compile.
fn route(id: OperationId) -> MethodRouter<Arc<App>> {
    use OperationId as Id;
    match id {
        Id::Token(id) => token::route(id),
        Id::Realm(id) => realm::route(id),
        Id::Me(id) => me::route(id),
        Id::Cluster(id) => clusters::route(id),
        Id::Department(id) => departments::route(id),
        Id::Project(id) => projects::route(id),
        Id::OrgUnit(id) => org_units::route(id),
        Id::User(id) => users::route(id),
        Id::Offboarding(id) => offboarding::route(id),
        Id::ServiceAccount(id) => service_accounts::route(id),
        Id::Application(id) => service_accounts::application_route(id),
        Id::AccessKey(id) => access_keys::route(id),
        Id::UserApplication(id) => access_keys::user_application_route(id),
        Id::AccessRule(id) => access_rules::route(id),
        Id::Role(id) => roles::route(id),
        Id::CustomRole(id) => custom_roles::route(id),
        Id::AuditLog(id) => audit_logs::route(id),
        Id::Authorization(id) => authorization::route(id),
        Id::Idp(id) => idps::route(id),
        Id::SecuritySetting(id) => security_settings::route(id),
        Id::TenantSetting(id) => tenant_settings::route(id),
        Id::SigningKey(id) => signing_keys::route(id),
        Id::Workload(id) => workloads::route(id),
        Id::Training(id) => workloads::training_route(id),
        Id::Credential(id) => credentials::route(id),
        Id::SecretAsset(id) => secret_assets::route(id),
        Id::WorkloadPolicy(id) => workload_policies::route(id),
        Id::Health(id) => health::route(id),
        Id::Document(id) => documents::route(id),
    }
}
