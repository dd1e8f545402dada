//! The tables of rights as Kubernetes objects.

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_admission::names;
use reeve_types::{Switch, Switches};

use crate::operator::{self, Grant, Reach};
use crate::people;

/// Everything the installer applies so that the operator and people have their rights; all of it static.
#[derive(Debug)]
pub struct Objects {
    /// `reeve-system`.
    pub namespace: Namespace,
    /// `runai`, which is empty but for ConfigMaps of settings. Nothing is removed with it: uninstalling leaves it.
    pub reference_namespace: Namespace,
    /// The operator's.
    pub service_account: ServiceAccount,
    /// The operator's and those of people.
    pub cluster_roles: Vec<ClusterRole>,
    /// The operator's: one for what it always holds, one for each switch.
    pub cluster_role_bindings: Vec<ClusterRoleBinding>,
    /// The operator's in `reeve-system` and `default`.
    pub roles: Vec<Role>,
    /// To them.
    pub role_bindings: Vec<RoleBinding>,
}

const OPERATOR: &str = names::OPERATOR_SERVICE_ACCOUNT;

/// What is rendered together: the rights that are always held, and those of each switch.
pub(crate) const PARTS: [Option<Switch>; 5] = [
    None,
    Some(Switch::NamespaceCreation),
    Some(Switch::UserAssignment),
    Some(Switch::SecretPropagation),
    Some(Switch::LimitRange),
];

/// The namespace of roles that hold in one.
pub(crate) const fn namespace_of(reach: Reach) -> Option<&'static str> {
    match reach {
        Reach::Cluster | Reach::Projects => None,
        Reach::System => Some(names::SYSTEM_NAMESPACE),
        Reach::Sources => Some(names::SECRETS_NAMESPACE),
        Reach::Reference => Some(names::REFERENCE_NAMESPACE),
        Reach::Default => Some("default"),
    }
}

/// The objects with these switches.
pub fn objects(switches: Switches) -> Objects {
    let mut objects = Objects {
        namespace: namespace(),
        reference_namespace: reference_namespace(),
        service_account: service_account(),
        cluster_roles: Vec::new(),
        cluster_role_bindings: Vec::new(),
        roles: Vec::new(),
        role_bindings: Vec::new(),
    };
    let parts = PARTS
        .into_iter()
        .filter(|part| part.is_none_or(|switch| switches.is_on(switch)));
    for (part, reach) in parts.flat_map(|part| Reach::ALL.map(|reach| (part, reach))) {
        let given = |grant: &&Grant| grant.is_given(switches);
        let grants: Vec<_> = operator::of_role(reach, part).into_iter().filter(given).collect();
        if grants.is_empty() {
            continue;
        }
        let name = operator::role_name(reach, part);
        let rules = Some(grants.iter().map(|grant| grant.policy_rule()).collect());
        let namespace = namespace_of(reach);
        let metadata = meta(&name, namespace);
        if namespace.is_some() {
            objects.roles.push(Role { metadata, rules });
            objects.role_bindings.push(role_binding(&name, namespace));
        } else {
            objects.cluster_roles.push(ClusterRole {
                metadata,
                rules,
                ..ClusterRole::default()
            });
            if reach == Reach::Cluster {
                objects.cluster_role_bindings.push(cluster_role_binding(&name));
            }
        }
    }
    objects.cluster_roles.extend(people::cluster_roles());
    objects
}

/// `reeve-secrets`, where Secrets for projects lie. It stays when the chart goes: what is in it is somebody's.
pub(crate) fn secrets_namespace() -> Namespace {
    let mut object = namespace();
    object.metadata.name = Some(names::SECRETS_NAMESPACE.to_owned());
    let mark = (names::SECRET_SOURCE.to_owned(), "true".to_owned());
    object.metadata.labels.get_or_insert_default().extend([mark]);
    let keep = ("helm.sh/resource-policy".to_owned(), "keep".to_owned());
    object.metadata.annotations = Some([keep].into());
    object
}

/// `reeve-system`.
pub(crate) fn namespace() -> Namespace {
    let level = |key: &str| (key.to_owned(), "restricted".to_owned());
    Namespace {
        metadata: ObjectMeta {
            labels: Some(
                [
                    names::POD_SECURITY_ENFORCE,
                    names::POD_SECURITY_AUDIT,
                    names::POD_SECURITY_WARN,
                ]
                .map(level)
                .into(),
            ),
            ..meta(names::SYSTEM_NAMESPACE, None)
        },
        ..Namespace::default()
    }
}

/// `runai`. Helm leaves it when the chart is uninstalled.
pub(crate) fn reference_namespace() -> Namespace {
    let mut namespace = namespace();
    namespace.metadata.name = Some(names::REFERENCE_NAMESPACE.to_owned());
    namespace.metadata.annotations = Some([("helm.sh/resource-policy".to_owned(), "keep".to_owned())].into());
    namespace
}

/// The operator's ServiceAccount.
pub(crate) fn service_account() -> ServiceAccount {
    ServiceAccount {
        metadata: meta(OPERATOR, Some(names::SYSTEM_NAMESPACE)),
        ..ServiceAccount::default()
    }
}

/// The binding of one of the operator's cluster-wide roles.
pub(crate) fn cluster_role_binding(role: &str) -> ClusterRoleBinding {
    ClusterRoleBinding {
        metadata: meta(role, None),
        role_ref: role_ref("ClusterRole", role),
        subjects: Some(vec![subject()]),
    }
}

/// The binding of one of the operator's roles in a namespace of its own.
pub(crate) fn role_binding(role: &str, namespace: Option<&str>) -> RoleBinding {
    RoleBinding {
        metadata: meta(role, namespace),
        role_ref: role_ref("Role", role),
        subjects: Some(vec![subject()]),
    }
}

pub(crate) fn meta(name: &str, namespace: Option<&str>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: namespace.map(str::to_owned),
        ..ObjectMeta::default()
    }
}

fn role_ref(kind: &str, name: &str) -> RoleRef {
    RoleRef {
        api_group: Some("rbac.authorization.k8s.io".to_owned()),
        kind: kind.to_owned(),
        name: name.to_owned(),
    }
}

/// The operator, as a subject of bindings.
pub(crate) fn subject() -> Subject {
    Subject {
        kind: "ServiceAccount".to_owned(),
        name: OPERATOR.to_owned(),
        namespace: Some(names::SYSTEM_NAMESPACE.to_owned()),
        api_group: None,
    }
}
