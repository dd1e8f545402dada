//! What the operator may do: the reviewed table behind its ClusterRoles and Roles (DESIGN, decision 8).
//!
//! It reads cluster-wide and writes cluster-wide only what is cluster-scoped. Everything inside a namespace it writes
//! through `reeve-operator-project`, bound in project namespaces alone, by itself: that is why it may create RoleBindings
//! anywhere, and a static policy on its ServiceAccount keeps those to project namespaces and to our own ClusterRoles
//! (admission R11). A namespace's own labels are written with rights inside that namespace too, so that it can label no
//! namespace that is not a project's. No wildcard, no `escalate`, no `impersonate`, no Secret.

use k8s_openapi::api::rbac::v1::PolicyRule;
use reeve_admission::names;

/// Where a right holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everywhere.
    Cluster,
    /// In project namespaces.
    Projects,
    /// In `reeve-system`.
    System,
    /// In `default`, where Kubernetes keeps the events of cluster-scoped objects.
    Default,
}

/// One right: what may be done to what, where, and why the operator cannot do without.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    /// Where.
    pub reach: Reach,
    /// The API group; empty is the core group.
    pub group: &'static str,
    /// The resources.
    pub resources: &'static [&'static str],
    /// Only objects of these names; empty for all.
    pub names: &'static [&'static str],
    /// The verbs.
    pub verbs: &'static [&'static str],
    /// Why.
    pub because: &'static str,
}

const RBAC: &str = "rbac.authorization.k8s.io";
const ANY: &[&str] = &[];

/// The table.
pub const GRANTS: [Grant; 24] = [
    Grant {
        reach: Reach::Cluster,
        group: names::GROUP,
        resources: &["accessrules", "projects"],
        names: ANY,
        verbs: &["list", "watch", "create", "patch", "delete"],
        because: "the link mirrors desired state into them, the reconcilers read them",
    },
    Grant {
        reach: Reach::Cluster,
        group: names::GROUP,
        resources: &["accessrules/status", "projects/status", "reeveconfigs/status"],
        names: ANY,
        verbs: &["patch"],
        because: "conditions",
    },
    Grant {
        reach: Reach::Cluster,
        group: names::GROUP,
        resources: &["podidentities", "reeveconfigs", "workloads"],
        names: ANY,
        verbs: &["list", "watch"],
        because: "the reconcilers read them",
    },
    Grant {
        reach: Reach::Cluster,
        group: "",
        resources: &["namespaces"],
        names: ANY,
        verbs: &["list", "watch", "create"],
        because: "a project's namespace",
    },
    Grant {
        reach: Reach::Cluster,
        group: "",
        resources: &["pods"],
        names: ANY,
        verbs: &["list", "watch"],
        because: "whose each pod is, and why a workload waits",
    },
    Grant {
        reach: Reach::Cluster,
        group: "batch",
        resources: &["jobs"],
        names: ANY,
        verbs: &["list", "watch"],
        because: "how a workload stands; only labelled jobs are asked for",
    },
    Grant {
        reach: Reach::Cluster,
        group: RBAC,
        resources: &["rolebindings"],
        names: ANY,
        verbs: &["list", "watch", "create"],
        because: "repair of bindings; its own first binding in a new namespace (policy R11 limits where)",
    },
    Grant {
        reach: Reach::Cluster,
        group: RBAC,
        resources: &["clusterroles"],
        names: &[names::ROLE_OPERATOR_IN_PROJECT],
        verbs: &["bind"],
        because: "its own binding",
    },
    Grant {
        reach: Reach::Cluster,
        group: "admissionregistration.k8s.io",
        resources: &[
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
        ],
        names: ANY,
        verbs: &["list", "watch"],
        because: "alarm when a policy is missing or changed (R1); it may never write them",
    },
    Grant {
        reach: Reach::Projects,
        group: "",
        resources: &["namespaces"],
        names: ANY,
        verbs: &["patch"],
        because: "the labels of a project's own namespace",
    },
    Grant {
        reach: Reach::Projects,
        group: RBAC,
        resources: &["rolebindings"],
        names: ANY,
        verbs: &["create", "patch", "delete"],
        because: "people's bindings",
    },
    Grant {
        reach: Reach::Projects,
        group: RBAC,
        resources: &["clusterroles"],
        names: names::PEOPLE_CLUSTER_ROLES,
        verbs: &["bind"],
        because: "people's bindings",
    },
    Grant {
        reach: Reach::Projects,
        group: "batch",
        resources: &["jobs"],
        names: ANY,
        verbs: &["create"],
        because: "a workload's Job; the garbage collector deletes it",
    },
    Grant {
        reach: Reach::Projects,
        group: names::GROUP,
        resources: &["podidentities"],
        names: ANY,
        verbs: &["create", "patch", "delete"],
        because: "whose each pod is, for the policies of exec, attach and port-forward (R8)",
    },
    Grant {
        reach: Reach::Projects,
        group: names::GROUP,
        resources: &["workloads"],
        names: ANY,
        verbs: &["create", "patch", "delete"],
        because: "the link mirrors desired state into them",
    },
    Grant {
        reach: Reach::Projects,
        group: names::GROUP,
        resources: &["workloads/status"],
        names: ANY,
        verbs: &["patch"],
        because: "conditions",
    },
    Grant {
        reach: Reach::Projects,
        group: "apps",
        resources: &["daemonsets", "deployments", "replicasets", "statefulsets"],
        names: ANY,
        verbs: &["list"],
        because: "what could make no new pod, when a namespace becomes a project or a setting changes",
    },
    Grant {
        reach: Reach::Projects,
        group: "",
        resources: &["replicationcontrollers"],
        names: ANY,
        verbs: &["list"],
        because: "what could make no new pod, when a namespace becomes a project or a setting changes",
    },
    Grant {
        reach: Reach::Projects,
        group: "batch",
        resources: &["cronjobs"],
        names: ANY,
        verbs: &["list"],
        because: "what could make no new pod, when a namespace becomes a project or a setting changes",
    },
    Grant {
        reach: Reach::Projects,
        group: "",
        resources: &["events"],
        names: ANY,
        verbs: &["list"],
        because: "what refuses the pods of a workload's Job: only its events say",
    },
    Grant {
        reach: Reach::Projects,
        group: "events.k8s.io",
        resources: &["events"],
        names: ANY,
        verbs: &["create", "patch"],
        because: "events of workloads",
    },
    Grant {
        reach: Reach::System,
        group: "coordination.k8s.io",
        resources: &["leases"],
        names: ANY,
        verbs: &["create"],
        because: "leader election: a create cannot be limited by name",
    },
    Grant {
        reach: Reach::System,
        group: "coordination.k8s.io",
        resources: &["leases"],
        names: &["reeve-operator"],
        verbs: &["get", "update"],
        because: "leader election",
    },
    Grant {
        reach: Reach::Default,
        group: "events.k8s.io",
        resources: &["events"],
        names: ANY,
        verbs: &["create", "patch"],
        because: "events of projects, rules and settings",
    },
];

/// The rules of the role that holds somewhere.
pub fn policy_rules(reach: Reach) -> Vec<PolicyRule> {
    let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    GRANTS
        .iter()
        .filter(|grant| grant.reach == reach)
        .map(|grant| PolicyRule {
            api_groups: Some(owned(&[grant.group])),
            resources: Some(owned(grant.resources)),
            resource_names: (!grant.names.is_empty()).then(|| owned(grant.names)),
            verbs: owned(grant.verbs),
            ..PolicyRule::default()
        })
        .collect()
}
