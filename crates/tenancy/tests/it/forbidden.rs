//! What no role of ours may ever grant, as a table apart from the tables of rights, and a checker that finds it.

use k8s_openapi::api::rbac::v1::PolicyRule;
use reeve_admission::names;
use reeve_tenancy::objects;

/// Who must not have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// Nobody: people, and the operator wherever it holds something.
    Anybody,
    /// People.
    People,
    /// Everybody but those who run something: viewers, and the operator wherever it holds something.
    AllButResearchers,
    /// Those who use the assets of others: everybody but those who may make claims, ConfigMaps and Secrets.
    AllButAssetWriters,
    /// The operator outside of projects.
    OperatorOutside,
}

/// What a rule must not say.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    /// These verbs on a resource of a group, by name or by wildcard.
    Access(&'static str, &'static str, &'static [&'static str]),
    /// A verb whose name begins so, on anything.
    Verb(&'static str),
    /// `bind` without the names of what may be bound.
    BindUnnamed,
    /// A wildcard anywhere.
    Wildcard,
}

/// One row.
#[derive(Debug)]
pub(crate) struct Forbidden {
    pub(crate) id: &'static str,
    pub(crate) whom: Whom,
    pub(crate) what: What,
}

const ANY: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete"];
/// What opens a connection: before Kubernetes 1.35 a WebSocket needs `get` alone.
const CONNECT: &[&str] = &["get", "create", "update", "patch", "delete"];
const WRITE: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];
const CHANGE: &[&str] = &["update", "patch", "delete", "deletecollection"];
const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

const fn row(id: &'static str, whom: Whom, what: What) -> Forbidden {
    Forbidden { id, whom, what }
}

use What::{Access, BindUnnamed, Verb, Wildcard};
use Whom::{AllButAssetWriters, AllButResearchers, Anybody, OperatorOutside, People};

/// The table. The letters and numbers in the specification: R8 and R9, R5, R4, R12 and R13, R2, R1, R11.
pub(crate) static FORBIDDEN: [Forbidden; 53] = [
    row("exec", AllButResearchers, Access("", "pods/exec", CONNECT)),
    row("attach", AllButResearchers, Access("", "pods/attach", CONNECT)),
    row(
        "portforward",
        AllButResearchers,
        Access("", "pods/portforward", CONNECT),
    ),
    row(
        "open-streams-of-secrets",
        Anybody,
        Access("", "secrets", &["watch"]),
    ),
    row(
        "identities-of-pods",
        People,
        Access("reeve.dev", "podidentities", WRITE),
    ),
    row("pod-proxy", Anybody, Access("", "pods/proxy", CONNECT)),
    row("service-proxy", Anybody, Access("", "services/proxy", CONNECT)),
    row("node-proxy", Anybody, Access("", "nodes/proxy", CONNECT)),
    row(
        "scale-of-deployments",
        Anybody,
        Access("apps", "deployments/scale", ANY),
    ),
    row(
        "scale-of-statefulsets",
        Anybody,
        Access("apps", "statefulsets/scale", ANY),
    ),
    row(
        "scale-of-replicasets",
        Anybody,
        Access("apps", "replicasets/scale", ANY),
    ),
    row(
        "scale-of-controllers",
        Anybody,
        Access("", "replicationcontrollers/scale", ANY),
    ),
    row(
        "service-account-tokens",
        Anybody,
        Access("", "serviceaccounts/token", ANY),
    ),
    row("service-accounts", Anybody, Access("", "serviceaccounts", WRITE)),
    row(
        "certificates",
        Anybody,
        Access("certificates.k8s.io", "certificatesigningrequests", WRITE),
    ),
    row(
        "certificate-approval",
        Anybody,
        Access(
            "certificates.k8s.io",
            "certificatesigningrequests/approval",
            WRITE,
        ),
    ),
    row(
        "impersonate-users",
        Anybody,
        Access("", "users", &["impersonate"]),
    ),
    row(
        "impersonate-groups",
        Anybody,
        Access("", "groups", &["impersonate"]),
    ),
    row(
        "impersonate-accounts",
        Anybody,
        Access("", "serviceaccounts", &["impersonate"]),
    ),
    row(
        "impersonate-uids",
        Anybody,
        Access("authentication.k8s.io", "uids", &["impersonate"]),
    ),
    row(
        "userextras-uid",
        Anybody,
        Access(
            "authentication.k8s.io",
            "userextras/reeve.dev/uid",
            &["impersonate"],
        ),
    ),
    row(
        "userextras-gid",
        Anybody,
        Access(
            "authentication.k8s.io",
            "userextras/reeve.dev/gid",
            &["impersonate"],
        ),
    ),
    row(
        "userextras-groups",
        Anybody,
        Access(
            "authentication.k8s.io",
            "userextras/reeve.dev/groups",
            &["impersonate"],
        ),
    ),
    row("impersonate-anything", Anybody, Verb("impersonate")),
    row("escalate", Anybody, Verb("escalate")),
    row("bind-of-people", People, Verb("bind")),
    row("bind-without-names", Anybody, BindUnnamed),
    row("wildcard", Anybody, Wildcard),
    row(
        "role-bindings-of-people",
        People,
        Access(RBAC, "rolebindings", WRITE),
    ),
    row(
        "role-bindings-outside",
        OperatorOutside,
        Access(RBAC, "rolebindings", CHANGE),
    ),
    row(
        "cluster-role-bindings",
        Anybody,
        Access(RBAC, "clusterrolebindings", WRITE),
    ),
    row("roles", Anybody, Access(RBAC, "roles", WRITE)),
    row("cluster-roles", Anybody, Access(RBAC, "clusterroles", WRITE)),
    row(
        "controller-revisions",
        Anybody,
        Access("apps", "controllerrevisions", WRITE),
    ),
    row("namespaces-of-people", People, Access("", "namespaces", WRITE)),
    row(
        "namespaces-outside",
        OperatorOutside,
        Access("", "namespaces", CHANGE),
    ),
    row(
        "namespace-status",
        Anybody,
        Access("", "namespaces/status", WRITE),
    ),
    row(
        "namespace-finalize",
        Anybody,
        Access("", "namespaces/finalize", WRITE),
    ),
    row("pod-status", Anybody, Access("", "pods/status", WRITE)),
    row("pod-binding", Anybody, Access("", "pods/binding", WRITE)),
    row(
        "validating-policies",
        Anybody,
        Access(ADMISSION, "validatingadmissionpolicies", WRITE),
    ),
    row(
        "validating-bindings",
        Anybody,
        Access(ADMISSION, "validatingadmissionpolicybindings", WRITE),
    ),
    row(
        "mutating-policies",
        Anybody,
        Access(ADMISSION, "mutatingadmissionpolicies", WRITE),
    ),
    row(
        "mutating-bindings",
        Anybody,
        Access(ADMISSION, "mutatingadmissionpolicybindings", WRITE),
    ),
    row(
        "validating-webhooks",
        Anybody,
        Access(ADMISSION, "validatingwebhookconfigurations", WRITE),
    ),
    row(
        "mutating-webhooks",
        Anybody,
        Access(ADMISSION, "mutatingwebhookconfigurations", WRITE),
    ),
    row("secrets-outside", OperatorOutside, Access("", "secrets", ANY)),
    row("pods-outside", OperatorOutside, Access("", "pods", WRITE)),
    row(
        "workloads-of-people",
        People,
        Access("reeve.dev", "workloads", WRITE),
    ),
    row(
        "secrets-of-others",
        AllButAssetWriters,
        Access("", "secrets", ANY),
    ),
    row(
        "config-maps-of-others",
        AllButAssetWriters,
        Access("", "configmaps", WRITE),
    ),
    row(
        "claims-of-others",
        AllButAssetWriters,
        Access("", "persistentvolumeclaims", WRITE),
    ),
    row("settings", Anybody, Access("reeve.dev", "reeveconfigs", WRITE)),
];

/// What is granted although a row speaks of it, word by word: role, resource, names, verbs. The policies of R26 and R27 stand behind.
const EXCEPTIONS: [(&str, &str, &[&str], &[&str]); 4] = [
    // Copies: written blindly, and only what bears the operator's mark.
    (
        names::ROLE_OPERATOR_SECRET_PROPAGATION,
        "secrets",
        &[],
        &["create", "patch", "deletecollection"],
    ),
    // Registry secrets among the imagePullSecrets of the account under which pods run that name none.
    (
        names::ROLE_OPERATOR_SECRET_PROPAGATION,
        "serviceaccounts",
        &["default"],
        &["get", "patch"],
    ),
    // Sources: in the one namespace where nothing else lies.
    (
        "reeve-operator-secret-propagation",
        "secrets",
        &[],
        &["list", "watch"],
    ),
    // Credentials of the control plane, written beside those: R26 refuses what does not bear their mark.
    (
        "reeve-operator-secret-propagation",
        "secrets",
        &[],
        &["create", "patch", "deletecollection"],
    ),
];

/// Whether a rule is one of the exceptions, no more and no less, and where it may be.
fn is_excepted(holder: &Holder, rule: &PolicyRule) -> bool {
    let same = |list: &Option<Vec<String>>, wanted: &[&str]| list.as_deref().unwrap_or_default() == wanted;
    let place = match holder.role.as_str() {
        names::ROLE_OPERATOR_SECRET_PROPAGATION => None,
        _ => Some(names::SECRETS_NAMESPACE),
    };
    EXCEPTIONS.iter().any(|(role, resource, names, verbs)| {
        holder.role == *role
            && holder.namespace.as_deref() == place
            && same(&rule.api_groups, &[""])
            && same(&rule.resources, &[resource])
            && same(&rule.resource_names, names)
            && rule.verbs == *verbs
    })
}

/// A role of ours, by where its rules are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The name of the ClusterRole or Role.
    pub(crate) role: String,
    /// The namespace of a Role.
    pub(crate) namespace: Option<String>,
}

/// Every role with its rules.
fn roles() -> Vec<(Holder, Vec<PolicyRule>)> {
    let objects = objects(reeve_tenancy::Switches::default());
    let cluster_roles = objects.cluster_roles.into_iter().map(|r| (r.metadata, r.rules));
    let roles = objects.roles.into_iter().map(|r| (r.metadata, r.rules));
    cluster_roles
        .chain(roles)
        .map(|(meta, rules)| {
            let holder = Holder {
                role: meta.name.expect("roles have names"),
                namespace: meta.namespace,
            };
            (holder, rules.unwrap_or_default())
        })
        .collect()
}

impl Forbidden {
    pub(crate) fn concerns(&self, holder: &Holder) -> bool {
        let in_project = holder.role.starts_with(names::ROLE_OPERATOR_IN_PROJECT);
        let operator = holder.role.starts_with(names::OPERATOR_SERVICE_ACCOUNT) && !in_project;
        match self.whom {
            Anybody => true,
            People => !operator && !in_project,
            AllButResearchers => ![
                names::ROLE_L1_RESEARCHER,
                names::ROLE_L2_RESEARCHER,
                names::ROLE_AI_PRACTITIONER,
                names::ROLE_SYSTEM_ADMINISTRATOR,
            ]
            .contains(&holder.role.as_str()),
            AllButAssetWriters => {
                ![names::ROLE_L1_RESEARCHER, names::ROLE_SYSTEM_ADMINISTRATOR].contains(&holder.role.as_str())
            }
            OperatorOutside => operator,
        }
    }

    /// Whether a rule grants any of it, as Kubernetes reads rules.
    pub(crate) fn granted_by(&self, rule: &PolicyRule) -> bool {
        let resources = rule.resources.as_deref().unwrap_or_default();
        let groups = rule.api_groups.as_deref().unwrap_or_default();
        let has = |list: &[String], wanted: &str| list.iter().any(|x| x == wanted || x == "*");
        match self.what {
            Access(group, resource, verbs) => {
                let subresource = resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
                has(groups, group)
                    && (has(resources, resource) || subresource.is_some_and(|s| resources.contains(&s)))
                    && verbs.iter().any(|verb| has(&rule.verbs, verb))
            }
            Verb(prefix) => rule.verbs.iter().any(|v| v.starts_with(prefix) || v == "*"),
            BindUnnamed => {
                rule.resource_names.as_ref().is_none_or(Vec::is_empty)
                    && rule.verbs.iter().any(|v| v == "bind")
            }
            Wildcard => [groups, resources, &rule.verbs]
                .into_iter()
                .flatten()
                .any(|x| x.contains('*')),
        }
    }

    /// The rules that would each grant it: one for every verb.
    pub(crate) fn plants(&self) -> Vec<PolicyRule> {
        let rule = |group: &str, resource: &str, verb: &str| PolicyRule {
            api_groups: Some(vec![group.into()]),
            resources: Some(vec![resource.into()]),
            verbs: vec![verb.into()],
            ..PolicyRule::default()
        };
        match self.what {
            Access(group, resource, verbs) => verbs.iter().map(|verb| rule(group, resource, verb)).collect(),
            Verb("impersonate") => vec![
                rule("", "users", "impersonate"),
                rule("", "users", "impersonate:user-info"),
            ],
            Verb("bind") => vec![PolicyRule {
                resource_names: Some(vec![names::ROLE_L1_RESEARCHER.into()]),
                ..rule(RBAC, "clusterroles", "bind")
            }],
            Verb(verb) => vec![rule(RBAC, "clusterroles", verb)],
            BindUnnamed => vec![rule(RBAC, "clusterroles", "bind"), rule(RBAC, "roles", "bind")],
            Wildcard => vec![
                rule("*", "pods", "get"),
                rule("", "*", "get"),
                rule("", "*/status", "get"),
                rule("", "pods", "*"),
            ],
        }
    }
}

/// Every forbidden grant in these roles: the role and the row.
fn find(roles: &[(Holder, Vec<PolicyRule>)]) -> Vec<(Holder, &'static str)> {
    let mut found = Vec::new();
    for (holder, rules) in roles {
        for row in FORBIDDEN.iter().filter(|row| row.concerns(holder)) {
            let mut judged = rules.iter().filter(|rule| !is_excepted(holder, rule));
            if judged.any(|rule| row.granted_by(rule)) {
                found.push((holder.clone(), row.id));
            }
        }
    }
    found
}

#[test]
fn no_role_grants_what_is_forbidden() {
    assert_eq!(find(&roles()), []);
}

#[test]
fn a_planted_grant_of_any_row_in_any_role_it_concerns_is_found() {
    let mut noticed = std::collections::BTreeSet::new();
    let mut grants = 0;
    for row in &FORBIDDEN {
        let mut places = 0;
        for (at, (holder, _)) in roles().into_iter().enumerate() {
            if !row.concerns(&holder) {
                continue;
            }
            for plant in row.plants() {
                let mut copy = roles();
                copy[at].1.push(plant.clone());
                places += 1;
                assert!(
                    find(&copy).contains(&(holder.clone(), row.id)),
                    "{} is not found when {plant:?} is planted",
                    row.id
                );
            }
        }
        assert!(places > 0, "{} concerns nobody", row.id);
        grants += places;
        noticed.insert(row.id);
    }
    println!(
        "mutants: RBAC rows: {} planted faults, {} noticed ({grants} grants in copies of the roles)",
        FORBIDDEN.len(),
        noticed.len()
    );
    assert_eq!(noticed.len(), FORBIDDEN.len(), "fewer faults than rows");
}
