//! Which scope a request names, as far as that can be told without answering it. Nothing here decides anything: it only lets
//! a refusal say where the missing permission would be needed, to whom may see that place.

use axum::body::Body;
use axum::http::Request;
use reeve_api::{Access, Operation, PathParameter, RequestBody};
use reeve_authz::{Action, Scope};
use serde_json::Value;

use crate::app::App;
use crate::extract;

/// The longest id there is: a UUID.
const LONGEST_ID: usize = 36;

/// The one path parameter of a request, when it looks like an id.
pub(super) fn segment<'a>(operation: &Operation, request: &'a Request<Body>) -> Option<&'a str> {
    parameter(operation.path, request.uri().path())
}

/// The text of the path parameter.
fn parameter<'a>(template: &'static str, path: &'a str) -> Option<&'a str> {
    let parts = template.split('/').zip(path.split('/'));
    let (_, text) = parts.into_iter().find(|(name, _)| name.starts_with('{'))?;
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (plain && !text.is_empty() && text.len() <= LONGEST_ID).then_some(text)
}

/// The scope that the path or the body names. The body is read for it, so this ends the request.
pub(super) async fn scope(app: &App, operation: &Operation, request: Request<Body>) -> Option<Scope> {
    if let Some(parameter) = operation.parameter() {
        return of_parameter(app, parameter, segment(operation, &request)?).await;
    }
    let makes = matches!(operation.access, Access::Requires(Action::Create, _));
    if !makes || !matches!(operation.body, RequestBody::Json { .. }) {
        return None;
    }
    let body = extract::read(request).await.ok()?;
    of_body(&serde_json::from_slice(&body).ok()?)
}

async fn of_parameter(app: &App, parameter: PathParameter, text: &str) -> Option<Scope> {
    match parameter {
        PathParameter::Cluster => text.parse().ok().map(Scope::Cluster),
        PathParameter::Department => text.parse().ok().map(Scope::Department),
        PathParameter::Project => text.parse().ok().map(Scope::Project),
        PathParameter::Workload => {
            let project = app.store.locate_workload(text.parse().ok()?).await.ok()??;
            Some(Scope::Project(project))
        }
        // Rules and assets are hidden from who may read none, and a scope would say which are there; the others belong to the
        // account.
        PathParameter::AccessKey
        | PathParameter::AccessRule
        | PathParameter::Credential
        | PathParameter::Idp
        | PathParameter::Passkey
        | PathParameter::PermissionSet
        | PathParameter::Role
        | PathParameter::SecretAsset
        | PathParameter::SecuritySetting
        | PathParameter::ServiceAccount
        | PathParameter::Session
        | PathParameter::TenantSetting
        | PathParameter::Uid
        | PathParameter::User
        | PathParameter::UserApplication => None,
    }
}

/// The narrowest first.
fn of_body(body: &Value) -> Option<Scope> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    if let (Some(kind), Some(id)) = (text("scopeType"), text("scopeId")) {
        return Scope::from_wire(kind, id).ok();
    }
    if let Some(id) = text("projectId") {
        return id.parse().ok().map(Scope::Project);
    }
    if let Some(id) = text("parentId") {
        return id.parse().ok().map(Scope::Department);
    }
    text("clusterId")?.parse().ok().map(Scope::Cluster)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_looks_like_an_id_is_taken_from_a_path() {
        let template = "/api/v1/org-unit/projects/{projectId}";
        let of =
            |id: &str| parameter(template, &format!("/api/v1/org-unit/projects/{id}")).map(str::to_owned);
        assert_eq!(of("7"), Some("7".to_owned()));
        for other in ["", "a%20b", "../7", &"7".repeat(37)] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(parameter("/api/v1/clusters", "/api/v1/clusters"), None);
    }

    #[test]
    fn a_body_names_its_narrowest_scope() {
        let cluster = "123e4567-e89b-12d3-a456-426614174000";
        let project = Scope::from_wire("project", "7").ok();
        assert!(project.is_some());
        assert_eq!(of_body(&json!({"projectId": "7", "clusterId": cluster})), project);
        assert_eq!(of_body(&json!({"scopeType": "project", "scopeId": "7"})), project);
        assert_eq!(
            of_body(&json!({"parentId": "3", "clusterId": cluster})),
            Scope::from_wire("department", "3").ok()
        );
        assert_eq!(
            of_body(&json!({"clusterId": cluster})),
            Scope::from_wire("cluster", cluster).ok()
        );
        for other in [json!({"name": "x"}), json!({"projectId": 7}), json!([1])] {
            assert_eq!(of_body(&other), None, "{other}");
        }
    }
}
