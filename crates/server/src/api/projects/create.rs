//! `POST /api/v1/org-unit/projects`: 201.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::org::{CreateProject, Project};
use reeve_authz::{Action, Entity, Scope};
use reeve_store::{AuditAction, NewProject};
use reeve_types::DepartmentId;
use reeve_types::names::is_reserved_namespace;

use super::refusal::{LONGEST_NAMESPACE, ProjectRefusal};
use super::{Details, to_wire};
use crate::app::{App, Settings};
use crate::caller::{Call, Caller};
use crate::directory::{Directory, WhoCouldGrant};
use crate::error::ApiError;
use crate::extract::JsonBody;

/// Makes a project in a department, with a namespace in its cluster.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<CreateProject>,
) -> Result<(StatusCode, Json<Project>), ApiError> {
    let namespace = namespace(&app.settings, &body)?;
    let details = Details {
        enforce_runai_scheduler: body.enforce_runai_scheduler,
        settings: body.settings(),
    };
    let details = serde_json::to_value(details).map_err(ApiError::internal)?;
    let change = app.change(caller.asker(), move |app| async move {
        let department_id = parent(&app.directory(), &caller, &body)?;
        let scope = Scope::Department(department_id);
        let hidden = || ApiError::not_found("department", department_id);
        let granted = app.directory().allow(
            &caller,
            Action::Create,
            Entity::Project,
            scope,
            Entity::Department,
            hidden,
        )?;
        if app.directory().cluster_of(scope) != Some(body.cluster_id) {
            return Err(ProjectRefusal::DepartmentElsewhere {
                department: department_id,
                cluster: body.cluster_id,
            }
            .into());
        }
        let may_take_over = whole_cluster(&app, &caller, &body, &namespace)?;
        let new = NewProject {
            department_id,
            name: body.name,
            namespace,
            namespace_requested: body.requested_namespace.is_some(),
            may_take_over,
            details,
            created_at: call.at,
            created_by: caller.name.clone(),
        };
        let mut entry = call.entry(&caller, &granted, AuditAction::Create);
        entry.cluster_id = Some(body.cluster_id);
        Ok(app.store.create_project(&granted, new, entry).await?)
    });
    Ok((StatusCode::CREATED, Json(to_wire(change.await?)?)))
}

/// Whether the caller may make projects anywhere in the cluster. Who may only in a department chooses no namespace outside of
/// the prefix: it may be meant for something that is installed later, and rules the cluster.
fn whole_cluster(
    app: &App,
    caller: &Caller,
    body: &CreateProject,
    namespace: &str,
) -> Result<bool, ProjectRefusal> {
    let directory = app.directory();
    let scope = Scope::Cluster(body.cluster_id);
    let decided = directory
        .index()
        .decide(&caller.principal, Action::Create, Entity::Project, scope);
    let prefix = &app.settings.namespace_prefix;
    match decided {
        Ok(_) => Ok(true),
        Err(_) if body.requested_namespace.is_none() => Ok(false),
        // Every name begins with an empty prefix.
        Err(_) if !prefix.is_empty() && namespace.starts_with(prefix.as_str()) => Ok(false),
        Err(denial) => Err(ProjectRefusal::NamespaceWithoutPrefix {
            namespace: namespace.to_owned(),
            prefix: prefix.clone(),
            missing: denial.missing(),
            cluster: directory.scope_name(scope),
            who: WhoCouldGrant::of(&denial),
        }),
    }
}

/// The department asked for, or the cluster's `default` one (control-plane 3.2).
fn parent(directory: &Directory, caller: &Caller, body: &CreateProject) -> Result<DepartmentId, ApiError> {
    if let Some(id) = body.parent_id {
        return Ok(id);
    }
    let default = directory
        .department_named(body.cluster_id, "default")
        .map(|department| department.id);
    let visible = directory.visible(caller, Entity::Department)?;
    let seen = default.filter(|id| visible.contains(Scope::Department(*id)));
    Ok(seen.ok_or(ProjectRefusal::NoDefaultDepartment)?)
}

/// The namespace: as asked for, or prefix and name. Those of the cluster itself can never become a project's (admission
/// R11), nor those that are reserved here, by whichever of the two ways and for whomever.
fn namespace(settings: &Settings, body: &CreateProject) -> Result<String, ProjectRefusal> {
    let prefix = settings.namespace_prefix.as_str();
    let namespace = body
        .requested_namespace
        .clone()
        .unwrap_or_else(|| format!("{prefix}{}", body.name));
    if namespace.len() > LONGEST_NAMESPACE {
        let prefix = prefix.to_owned();
        return Err(ProjectRefusal::NamespaceTooLong { namespace, prefix });
    }
    if is_reserved_namespace(&namespace) {
        return Err(ProjectRefusal::NamespaceOfTheCluster { namespace });
    }
    if let Some(pattern) = settings.reserved_namespaces.reserving(&namespace) {
        let pattern = pattern.to_owned();
        return Err(ProjectRefusal::NamespaceReserved { namespace, pattern });
    }
    Ok(namespace)
}

#[cfg(test)]
mod tests {
    use reeve_api::Body;

    use super::*;

    fn body(name: &str) -> CreateProject {
        let text = format!(
            r#"{{"name":"{name}","clusterId":"00000000-0000-4000-8000-000000000001","parentId":"1","resources":[]}}"#
        );
        CreateProject::parse(text.as_bytes()).unwrap()
    }

    fn settings(prefix: &str) -> Settings {
        Settings {
            public_url: String::new(),
            namespace_prefix: prefix.to_owned(),
            reserved_namespaces: reeve_types::ReservedNamespaces::default(),
            workloads_per_project: 5_000,
            account_created_at: reeve_types::Timestamp::from_millis(0),
            heartbeat: std::time::Duration::from_secs(1),
            shared_database: false,
            session_seconds: 3600,
            refresh_idle_seconds: 3600,
            custom_roles: false,
            charts: crate::installation::Charts::default(),
            link_patience: crate::outgoing::Patience::default(),
            idp_certificate_authority: None,
            signing_key_days: None,
            failed_attempts_days: None,
        }
    }

    fn namespace(prefix: &str, body: &CreateProject) -> Result<String, ProjectRefusal> {
        super::namespace(&settings(prefix), body)
    }

    #[test]
    fn no_project_takes_a_reserved_namespace_by_either_way() {
        let refused = |prefix: &str, body: &CreateProject| namespace(prefix, body).unwrap_err().to_string();
        for (prefix, name, pattern) in [
            ("cert-", "manager", "`cert-manager`"),
            ("istio-", "x", "`istio-*`"),
        ] {
            let said = refused(prefix, &body(name));
            assert!(
                said.contains(pattern) && said.contains("--reserved-namespaces"),
                "{said}"
            );
        }
        let mut named = body("x");
        named.requested_namespace = Some("gpu-operator".to_owned());
        assert!(refused("reeve-", &named).contains("`gpu-operator` is reserved"));
    }

    #[test]
    fn no_project_takes_a_namespace_of_the_cluster_itself() {
        assert_eq!(namespace("reeve-", &body("robots")).unwrap(), "reeve-robots");
        assert!(namespace("reeve-", &body("system")).is_err());
        assert!(namespace("reeve-", &body("secrets")).is_err());
        assert!(namespace("", &body("kube-system")).is_err());
        assert!(namespace("", &body("default")).is_err());
    }

    #[test]
    fn a_name_is_as_long_as_prefix_and_name_fit_a_namespace() {
        let longest = "x".repeat(57);
        assert_eq!(
            namespace("reeve-", &body(&longest)).unwrap(),
            format!("reeve-{longest}")
        );
        let refused = namespace("reeve-", &body(&"x".repeat(58)))
            .unwrap_err()
            .to_string();
        for part in ["`reeve-`", "64 characters", "at most 57", "`requestedNamespace`"] {
            assert!(refused.contains(part), "{refused}");
        }
        assert!(namespace("", &body(&"x".repeat(63))).is_ok());
        let mut named = body(&"x".repeat(63));
        named.requested_namespace = Some("team-x".to_owned());
        assert_eq!(namespace("reeve-", &named).unwrap(), "team-x");
    }
}
