//! What people may do inside a project's namespace.
//!
//! Which kinds of objects there are to be had, and which resource type of `crates/authz/src/roles.txt` governs each, is the table
//! here; who may do what with a resource type is that file. Both together give a ClusterRole for each line of its `[clusters]`.
//!
//! **Deliberately absent from every role** (admission R4, R5, R8, R9): `proxy` of pods, Services and nodes (no policy can
//! see whose pod it is), every `scale` (the policy would see only the Scale), ServiceAccounts and their tokens, roles and
//! bindings, `impersonate`, writing `controllerrevisions`, writing namespaces, writing our own kinds, watching Secrets (an
//! open watch goes on after the right to it is gone, R8 and SECURITY.md).
//!
//! `exec`, `attach` and `port-forward` are granted, and a policy lets each person into pods of her own alone (R8).
//!
//! Ingresses, NetworkPolicies and OpenShift's Routes are granted, and a policy (R24) refuses to write them where the namespace does not allow it.
//!
//! **Limits.** Who may write the Secrets and ConfigMaps of a project can run code as a colleague whose pod executes
//! them: the project is that boundary (admission 2, last paragraph). Who may make Secrets reads the project's Secrets, as the
//! `edit` role of Kubernetes allows; who only uses them (L2 researcher, AI practitioner) does not, but runs pods that mount
//! them. Kubernetes cannot tell the claims that a StatefulSet makes from others: who may not make claims still gets some by one.
//! A Secret of type `kubernetes.io/service-account-token`, which would give her a token that outlasts her access, and a Service
//! with `externalIPs` are refused by the policy `reeve-secrets-and-services`.

use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_admission::names;
use reeve_authz::{Action, Entity, Permission, Role};
use reeve_types::RoleName;

/// A kind of objects, what governs it, and which verbs follow from that.
#[derive(Debug, Clone, Copy)]
struct Kind {
    group: &'static str,
    resources: &'static [&'static str],
    /// The resource type of which the cell decides.
    of: Entity,
    verbs: Verbs,
}

/// Which verbs follow from what a role may do with a resource type.
#[derive(Debug, Clone, Copy)]
enum Verbs {
    /// Each action by its own verbs.
    Objects,
    /// Whoever may read looks.
    Look,
    /// Whoever may read gets what is of the moment: a log.
    Get,
    /// Whoever may update changes what is there.
    Change,
    /// Whoever may create and update steps in: by `create` with SPDY and before Kubernetes 1.35, by `get` with WebSocket.
    Enter,
    /// Reading shows values, so it is for those who may write them; without `watch`, since what is open when the right ends stays
    /// open.
    Values,
}

const READ: &[&str] = &["get", "list", "watch"];

impl Verbs {
    fn of(self, may: impl Fn(Action) -> bool) -> Vec<&'static str> {
        let objects = |reads: bool, read: &'static [&'static str]| {
            let each: [(bool, &[&str]); 4] = [
                (reads, read),
                (may(Action::Create), &["create"]),
                (may(Action::Update), &["update", "patch"]),
                (may(Action::Delete), &["delete", "deletecollection"]),
            ];
            let may = each.into_iter().filter(|(may, _)| *may);
            may.flat_map(|(_, verbs)| verbs).copied().collect()
        };
        let only = |may: bool, verbs: &[&'static str]| if may { verbs.to_vec() } else { Vec::new() };
        let writes = may(Action::Create) && may(Action::Update);
        match self {
            Self::Objects => objects(may(Action::Read), READ),
            Self::Look => only(may(Action::Read), READ),
            Self::Get => only(may(Action::Read), &["get"]),
            Self::Change => only(may(Action::Update), &["get", "update", "patch"]),
            Self::Enter => only(writes, &["get", "create"]),
            Self::Values => objects(writes && may(Action::Read), &["get", "list"]),
        }
    }
}

const fn kind(group: &'static str, resources: &'static [&'static str], of: Entity, verbs: Verbs) -> Kind {
    Kind {
        group,
        resources,
        of,
        verbs,
    }
}

/// The table. Whatever is not in it is nobody's.
const KINDS: [Kind; 21] = [
    kind(
        "",
        &["pods", "replicationcontrollers"],
        Entity::Workloads,
        Verbs::Objects,
    ),
    kind("", &["pods/log"], Entity::Workloads, Verbs::Get),
    kind(
        "",
        &["pods/ephemeralcontainers"],
        Entity::Workloads,
        Verbs::Change,
    ),
    kind(
        "",
        &["pods/attach", "pods/exec", "pods/portforward"],
        Entity::Workloads,
        Verbs::Enter,
    ),
    kind("", &["services"], Entity::Workloads, Verbs::Objects),
    kind("", &["configmaps"], Entity::CmVolumeAssets, Verbs::Objects),
    kind("", &["persistentvolumeclaims"], Entity::PvcAssets, Verbs::Objects),
    kind("", &["secrets"], Entity::SecretVolumeAssets, Verbs::Values),
    kind("", &["events"], Entity::Workloads, Verbs::Look),
    kind(
        "apps",
        &["daemonsets", "deployments", "replicasets", "statefulsets"],
        Entity::Workloads,
        Verbs::Objects,
    ),
    kind("apps", &["controllerrevisions"], Entity::Workloads, Verbs::Look),
    kind(
        "policy",
        &["poddisruptionbudgets"],
        Entity::Workloads,
        Verbs::Objects,
    ),
    kind(
        "networking.k8s.io",
        &["ingresses", "networkpolicies"],
        Entity::Workloads,
        Verbs::Objects,
    ),
    // OpenShift's way to Services from outside; a host of one's own choice is `routes/custom-host`, which nobody has.
    kind(
        names::OPENSHIFT_ROUTES,
        &["routes"],
        Entity::Workloads,
        Verbs::Objects,
    ),
    kind(
        "autoscaling",
        &["horizontalpodautoscalers"],
        Entity::Workloads,
        Verbs::Objects,
    ),
    kind("batch", &["cronjobs", "jobs"], Entity::Workloads, Verbs::Objects),
    kind("events.k8s.io", &["events"], Entity::Workloads, Verbs::Look),
    kind(names::GROUP, &["workloads"], Entity::Workloads, Verbs::Look),
    // Why something does not run, or whether it is reached.
    kind(
        "",
        &["endpoints", "limitranges", "resourcequotas", "serviceaccounts"],
        Entity::Workloads,
        Verbs::Look,
    ),
    kind(
        "discovery.k8s.io",
        &["endpointslices"],
        Entity::Workloads,
        Verbs::Look,
    ),
    // Who else may do something here.
    kind(
        "rbac.authorization.k8s.io",
        &["rolebindings", "roles"],
        Entity::AccessRules,
        Verbs::Look,
    ),
];

/// What may be done to some kinds of objects.
#[derive(Debug, Clone)]
pub struct Row {
    /// The API group; empty is the core group.
    pub group: &'static str,
    /// The resources.
    pub resources: &'static [&'static str],
    /// The verbs: at least one.
    pub verbs: Vec<&'static str>,
}

/// A role of people: its ClusterRole and its rows.
#[derive(Debug, Clone)]
pub struct PeopleRole {
    /// The name of the ClusterRole, and of the RoleBindings to it.
    pub cluster_role: &'static str,
    /// What it allows.
    pub rows: Vec<Row>,
}

/// What each of [`names::PEOPLE_ROLES`] allows, in their order: made of the cells of the role with its name. One that no role has
/// the name of allows nothing, which a test refuses.
pub fn roles() -> Vec<PeopleRole> {
    let named = names::PEOPLE_ROLES.iter().zip(names::PEOPLE_CLUSTER_ROLES);
    named
        .map(|(name, cluster_role)| PeopleRole {
            cluster_role,
            rows: Role::of_cluster_role(name).map(rows).unwrap_or_default(),
        })
        .collect()
}

/// What a role may do in the namespaces of projects by its cells.
pub fn rows(role: &Role) -> Vec<Row> {
    let row = |kind: &Kind| Row {
        group: kind.group,
        resources: kind.resources,
        verbs: kind
            .verbs
            .of(|action| role.allows(Permission::new(action, kind.of))),
    };
    KINDS
        .iter()
        .map(row)
        .filter(|row| !row.verbs.is_empty())
        .collect()
}

/// The ClusterRole that stands for a role; `None` for one no ClusterRole of ours stands for.
pub fn cluster_role(role: &RoleName) -> Option<&'static str> {
    names::PEOPLE_CLUSTER_ROLES
        .iter()
        .copied()
        .find(|name| name.strip_prefix(names::ROLE_PREFIX) == Some(role.as_str()))
}

/// The ClusterRoles.
pub fn cluster_roles() -> Vec<ClusterRole> {
    roles()
        .into_iter()
        .map(|role| ClusterRole {
            metadata: ObjectMeta {
                name: Some(role.cluster_role.to_owned()),
                ..ObjectMeta::default()
            },
            rules: Some(role.rows.iter().map(policy_rule).collect()),
            ..ClusterRole::default()
        })
        .collect()
}

fn policy_rule(row: &Row) -> PolicyRule {
    let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    PolicyRule {
        api_groups: Some(owned(&[row.group])),
        resources: Some(owned(row.resources)),
        verbs: owned(&row.verbs),
        ..PolicyRule::default()
    }
}
