//! The router, made from the operation table: one route a row, none beside it except the link's.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodFilter, MethodRouter, on};
use reeve_api::operation::Method;
use reeve_api::{OPERATIONS, OperationId};

use crate::api::{
    access_rules, clusters, departments, health, me, projects, realm, roles, service_accounts, token, uids,
    users, workloads,
};
use crate::app::App;
use crate::error::ApiError;
use crate::{bounds, guard, leftover, link};

/// The whole interface of the server.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for operation in OPERATIONS {
        let guard = from_fn_with_state((Arc::clone(&app), operation), guard::operation);
        router = router.route(operation.path, route(operation.id).layer(guard));
    }
    router
        .merge(link::router(&app))
        .method_not_allowed_fallback(|| async { ApiError::NoMethod })
        .fallback(|| async { ApiError::NoRoute })
        .layer(from_fn(bounds::check))
        .layer(from_fn(leftover::discard))
        .with_state(app)
}

/// The handler of an operation. No wildcard: an operation without a handler does not compile.
fn route(id: OperationId) -> MethodRouter<Arc<App>> {
    use OperationId as Id;
    match id {
        Id::GrantToken => to(id, token::grant::handle),
        Id::Discovery => to(id, realm::discovery::handle),
        Id::Jwks => to(id, realm::jwks::handle),
        Id::GetMe => to(id, me::get::handle),
        Id::GetClusters => to(id, clusters::list::handle),
        Id::CreateCluster => to(id, clusters::create::handle),
        Id::GetCluster => to(id, clusters::get::handle),
        Id::UpdateCluster => to(id, clusters::update::handle),
        Id::RegenerateClusterSecret => to(id, clusters::regenerate_secret::handle),
        Id::DeleteCluster => to(id, clusters::delete::handle),
        Id::CreateKubernetesToken => to(id, clusters::kubernetes_token::handle),
        Id::GetKubernetesEndpoint => to(id, clusters::kubernetes_endpoint::handle),
        Id::SetClusterLowestId => to(id, clusters::set_lowest_id::handle),
        Id::GetDepartments => to(id, departments::list::handle),
        Id::CreateDepartment => to(id, departments::create::handle),
        Id::CountDepartments => to(id, departments::count::handle),
        Id::GetDepartment => to(id, departments::get::handle),
        Id::DeleteDepartment => to(id, departments::delete::handle),
        Id::GetProjects => to(id, projects::list::handle),
        Id::CreateProject => to(id, projects::create::handle),
        Id::CountProjects => to(id, projects::count::handle),
        Id::GetProject => to(id, projects::get::handle),
        Id::DeleteProject => to(id, projects::delete::handle),
        Id::GetUsers => to(id, users::list::handle),
        Id::CreateUser => to(id, users::create::handle),
        Id::CountUsers => to(id, users::count::handle),
        Id::GetUser => to(id, users::get::handle),
        Id::DeleteUser => to(id, users::delete::handle),
        Id::SetUserPosix => to(id, users::set_posix::handle),
        Id::ReleaseUid => to(id, uids::release::handle),
        Id::ResetUserPassword => to(id, users::reset_password::handle),
        Id::LogoutUser => to(id, users::logout::handle),
        Id::GetServiceAccounts => to(id, service_accounts::list::handle),
        Id::CreateServiceAccount => to(id, service_accounts::create::handle),
        Id::GetServiceAccount => to(id, service_accounts::get::handle),
        Id::UpdateServiceAccount => to(id, service_accounts::update::handle),
        Id::RegenerateServiceAccountSecret => to(id, service_accounts::regenerate_secret::handle),
        Id::DeleteServiceAccount => to(id, service_accounts::delete::handle),
        Id::GetAccessRules => to(id, access_rules::list::handle),
        Id::CreateAccessRule => to(id, access_rules::create::handle),
        Id::CountAccessRules => to(id, access_rules::count::handle),
        Id::GetAccessRule => to(id, access_rules::get::handle),
        Id::DeleteAccessRule => to(id, access_rules::delete::handle),
        Id::GetRoles => to(id, roles::list::handle),
        Id::GetRole => to(id, roles::get::handle),
        Id::GetWorkloads => to(id, workloads::list::handle),
        Id::CountWorkloads => to(id, workloads::count::handle),
        Id::GetWorkload => to(id, workloads::get::handle),
        Id::GetTrainings => to(id, workloads::list_trainings::handle),
        Id::CreateTraining => to(id, workloads::create_training::handle),
        Id::GetTraining => to(id, workloads::get_training::handle),
        Id::DeleteTraining => to(id, workloads::delete_training::handle),
        Id::Healthz => to(id, health::healthz::handle),
        Id::Readyz => to(id, health::readyz::handle),
        Id::Metrics => to(id, health::metrics::handle),
    }
}

fn to<T: 'static, H: Handler<T, Arc<App>>>(id: OperationId, handler: H) -> MethodRouter<Arc<App>> {
    let method = match id.operation().method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    };
    on(method, handler)
}
