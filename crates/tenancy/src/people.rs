//! What people may do inside a project's namespace: the reviewed table behind their ClusterRoles.
//!
//! **Deliberately absent from every role** (admission R4, R5, R8, R9): `proxy` of pods, Services and nodes (no policy can
//! see whose pod it is), every `scale` (the policy would see only the Scale), ServiceAccounts and their tokens, roles and
//! bindings, `impersonate`, writing `controllerrevisions`, writing namespaces, writing our own kinds, watching Secrets (an
//! open watch goes on after the right to it is gone, R8 and SECURITY.md).
//!
//! `exec`, `attach` and `port-forward` are granted, and a policy lets each person into pods of her own alone (R8).
//!
//! Ingresses and NetworkPolicies are granted, and a policy (R24) refuses to write them where the namespace does not allow it.
//!
//! **Limits.** Who may write the Secrets and ConfigMaps of a project can run code as a colleague whose pod executes
//! them: the project is that boundary (admission 2, last paragraph). A researcher reads the project's Secrets, as the
//! `edit` role of Kubernetes lets her; a Secret of type `kubernetes.io/service-account-token`, which would give her a token
//! that outlasts her access, and a Service with `externalIPs` are refused by the policy `reeve-secrets-and-services`.

use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_admission::names;
use reeve_types::RoleName;

/// One row of the table: what may be done to what.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The API group; empty is the core group.
    pub group: &'static str,
    /// The resources.
    pub resources: &'static [&'static str],
    /// The verbs.
    pub verbs: &'static [&'static str],
}

const READ: &[&str] = &["get", "list", "watch"];
const EDIT: &[&str] = &[
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
];

/// Without `watch`: what is open when the right ends stays open.
const EDIT_UNWATCHED: &[&str] = &[
    "get",
    "list",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
];
/// `create` by SPDY and before Kubernetes 1.35; `get` by WebSocket.
const ENTER: &[&str] = &["get", "create"];

const RUN: &[Row] = &[
    Row {
        group: "",
        resources: &["pods", "replicationcontrollers"],
        verbs: EDIT,
    },
    Row {
        group: "",
        resources: &["pods/log"],
        verbs: &["get"],
    },
    Row {
        group: "",
        resources: &["pods/ephemeralcontainers"],
        verbs: &["get", "update", "patch"],
    },
    Row {
        group: "",
        resources: &["pods/attach", "pods/exec", "pods/portforward"],
        verbs: ENTER,
    },
    Row {
        group: "",
        resources: &["configmaps", "persistentvolumeclaims", "services"],
        verbs: EDIT,
    },
    Row {
        group: "",
        resources: &["secrets"],
        verbs: EDIT_UNWATCHED,
    },
    Row {
        group: "",
        resources: &["events"],
        verbs: READ,
    },
    Row {
        group: "apps",
        resources: &["daemonsets", "deployments", "replicasets", "statefulsets"],
        verbs: EDIT,
    },
    Row {
        group: "apps",
        resources: &["controllerrevisions"],
        verbs: READ,
    },
    Row {
        group: "policy",
        resources: &["poddisruptionbudgets"],
        verbs: EDIT,
    },
    Row {
        group: "networking.k8s.io",
        resources: &["ingresses", "networkpolicies"],
        verbs: EDIT,
    },
    Row {
        group: "autoscaling",
        resources: &["horizontalpodautoscalers"],
        verbs: EDIT,
    },
    Row {
        group: "batch",
        resources: &["cronjobs", "jobs"],
        verbs: EDIT,
    },
    Row {
        group: "events.k8s.io",
        resources: &["events"],
        verbs: READ,
    },
    Row {
        group: names::GROUP,
        resources: &["workloads"],
        verbs: READ,
    },
];

/// What everybody may look at to see why something does not run, or whether it is reached.
const LOOK: &[Row] = &[
    Row {
        group: "",
        resources: &["endpoints", "limitranges", "resourcequotas", "serviceaccounts"],
        verbs: READ,
    },
    Row {
        group: "discovery.k8s.io",
        resources: &["endpointslices"],
        verbs: READ,
    },
    Row {
        group: "networking.k8s.io",
        resources: &["ingresses", "networkpolicies"],
        verbs: READ,
    },
];

const GOVERN: &[Row] = &[Row {
    group: "rbac.authorization.k8s.io",
    resources: &["rolebindings", "roles"],
    verbs: READ,
}];

const VIEW: &[Row] = &[
    Row {
        group: "",
        resources: &[
            "configmaps",
            "events",
            "persistentvolumeclaims",
            "pods",
            "replicationcontrollers",
            "services",
        ],
        verbs: READ,
    },
    Row {
        group: "",
        resources: &["pods/log"],
        verbs: &["get"],
    },
    Row {
        group: "apps",
        resources: &[
            "controllerrevisions",
            "daemonsets",
            "deployments",
            "replicasets",
            "statefulsets",
        ],
        verbs: READ,
    },
    Row {
        group: "policy",
        resources: &["poddisruptionbudgets"],
        verbs: READ,
    },
    Row {
        group: "autoscaling",
        resources: &["horizontalpodautoscalers"],
        verbs: READ,
    },
    Row {
        group: "batch",
        resources: &["cronjobs", "jobs"],
        verbs: READ,
    },
    Row {
        group: "events.k8s.io",
        resources: &["events"],
        verbs: READ,
    },
    Row {
        group: names::GROUP,
        resources: &["workloads"],
        verbs: READ,
    },
];

/// A role of people: its ClusterRole and its rows.
#[derive(Debug, Clone, Copy)]
pub struct PeopleRole {
    /// The name of the ClusterRole, and of the RoleBindings to it.
    pub cluster_role: &'static str,
    /// What it allows.
    pub rows: &'static [&'static [Row]],
}

/// What each of the roles in [`names::PEOPLE_ROLES`] allows: every one of those has an entry here, and no other has, which a
/// test holds.
pub const ROLES: [PeopleRole; names::PEOPLE_ROLES.len()] = [
    PeopleRole {
        cluster_role: names::ROLE_L1_RESEARCHER,
        rows: &[RUN, LOOK],
    },
    PeopleRole {
        cluster_role: names::ROLE_SYSTEM_ADMINISTRATOR,
        rows: &[RUN, LOOK, GOVERN],
    },
    PeopleRole {
        cluster_role: names::ROLE_VIEWER,
        rows: &[VIEW, LOOK],
    },
];

/// The ClusterRole that stands for a role; `None` for one no ClusterRole of ours stands for.
pub fn cluster_role(role: &RoleName) -> Option<&'static str> {
    ROLES
        .iter()
        .map(|r| r.cluster_role)
        .find(|name| name.strip_prefix(names::ROLE_PREFIX) == Some(role.as_str()))
}

/// The ClusterRoles.
pub fn cluster_roles() -> Vec<ClusterRole> {
    ROLES
        .iter()
        .map(|role| ClusterRole {
            metadata: ObjectMeta {
                name: Some(role.cluster_role.to_owned()),
                ..ObjectMeta::default()
            },
            rules: Some(role.rows.iter().copied().flatten().map(policy_rule).collect()),
            ..ClusterRole::default()
        })
        .collect()
}

fn policy_rule(row: &Row) -> PolicyRule {
    let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    PolicyRule {
        api_groups: Some(owned(&[row.group])),
        resources: Some(owned(row.resources)),
        verbs: owned(row.verbs),
        ..PolicyRule::default()
    }
}
