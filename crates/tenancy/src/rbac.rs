//! The tables of rights as objects and as YAML for the chart.

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_admission::names;

use crate::operator::{Reach, policy_rules};
use crate::people;

/// Everything the installer applies so that the operator and people have their rights; all of it static.
#[derive(Debug)]
pub struct Objects {
    /// `reeve-system`.
    pub namespace: Namespace,
    /// The operator's.
    pub service_account: ServiceAccount,
    /// The operator's two and those of people.
    pub cluster_roles: Vec<ClusterRole>,
    /// The operator's.
    pub cluster_role_binding: ClusterRoleBinding,
    /// The operator's in `reeve-system` and `default`.
    pub roles: Vec<Role>,
    /// To them.
    pub role_bindings: Vec<RoleBinding>,
}

const OPERATOR: &str = names::OPERATOR_SERVICE_ACCOUNT;

/// The objects.
pub fn objects() -> Objects {
    let mut cluster_roles = vec![
        cluster_role(OPERATOR, Reach::Cluster),
        cluster_role(names::ROLE_OPERATOR_IN_PROJECT, Reach::Projects),
    ];
    cluster_roles.extend(people::cluster_roles());
    let places = [
        (names::SYSTEM_NAMESPACE, Reach::System),
        ("default", Reach::Default),
    ];
    let level = |key: &str| (key.to_owned(), "restricted".to_owned());
    Objects {
        namespace: Namespace {
            metadata: ObjectMeta {
                name: Some(names::SYSTEM_NAMESPACE.to_owned()),
                labels: Some(
                    [
                        names::POD_SECURITY_ENFORCE,
                        names::POD_SECURITY_AUDIT,
                        names::POD_SECURITY_WARN,
                    ]
                    .map(level)
                    .into(),
                ),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        },
        service_account: ServiceAccount {
            metadata: meta(OPERATOR, Some(names::SYSTEM_NAMESPACE)),
            ..ServiceAccount::default()
        },
        cluster_roles,
        cluster_role_binding: ClusterRoleBinding {
            metadata: meta(OPERATOR, None),
            role_ref: role_ref("ClusterRole"),
            subjects: Some(vec![operator()]),
        },
        roles: places
            .iter()
            .map(|(namespace, reach)| Role {
                metadata: meta(OPERATOR, Some(namespace)),
                rules: Some(policy_rules(*reach)),
            })
            .collect(),
        role_bindings: places
            .iter()
            .map(|(namespace, _)| RoleBinding {
                metadata: meta(OPERATOR, Some(namespace)),
                role_ref: role_ref("Role"),
                subjects: Some(vec![operator()]),
            })
            .collect(),
    }
}

/// The objects as one YAML text of several documents, for the chart.
///
/// # Errors
/// When an object cannot be written as YAML, which is a fault of this crate.
pub fn rbac_yaml() -> Result<String, serde_saphyr::ser::Error> {
    let objects = objects();
    let mut documents = vec![
        serde_saphyr::to_string(&objects.namespace)?,
        serde_saphyr::to_string(&objects.service_account)?,
    ];
    for role in &objects.cluster_roles {
        documents.push(serde_saphyr::to_string(role)?);
    }
    documents.push(serde_saphyr::to_string(&objects.cluster_role_binding)?);
    for role in &objects.roles {
        documents.push(serde_saphyr::to_string(role)?);
    }
    for binding in &objects.role_bindings {
        documents.push(serde_saphyr::to_string(binding)?);
    }
    Ok(documents
        .iter()
        .map(|d| format!("---\n{}\n", d.trim_end()))
        .collect())
}

fn cluster_role(name: &str, reach: Reach) -> ClusterRole {
    ClusterRole {
        metadata: meta(name, None),
        rules: Some(policy_rules(reach)),
        ..ClusterRole::default()
    }
}

fn meta(name: &str, namespace: Option<&str>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: namespace.map(str::to_owned),
        ..ObjectMeta::default()
    }
}

fn role_ref(kind: &str) -> RoleRef {
    RoleRef {
        api_group: Some("rbac.authorization.k8s.io".to_owned()),
        kind: kind.to_owned(),
        name: OPERATOR.to_owned(),
    }
}

fn operator() -> Subject {
    Subject {
        kind: "ServiceAccount".to_owned(),
        name: OPERATOR.to_owned(),
        namespace: Some(names::SYSTEM_NAMESPACE.to_owned()),
        api_group: None,
    }
}
