//! The page of what people may make in a project: written from the table of rights, and from what it leaves out.

use std::collections::BTreeMap;
use std::fmt::Write;

use reeve_types::kubernetes as names;

use crate::people::{self, Row};

/// Something that manifests and charts often bring along, and that no role of people may write.
#[derive(Debug, Clone, Copy)]
pub struct Refused {
    /// The API group; empty is the core group.
    pub group: &'static str,
    /// The resource.
    pub resource: &'static str,
    /// Why, and who can or what to do instead.
    pub instead: &'static str,
}

const fn refused(group: &'static str, resource: &'static str, instead: &'static str) -> Refused {
    Refused {
        group,
        resource,
        instead,
    }
}

const INSTALLER: &str = constcat::concat!(
    "the cluster's installers (the group `",
    names::INSTALLERS,
    "`, or a cluster administrator) make it for you"
);

/// What is refused, most often met first.
pub const REFUSED: [Refused; 11] = [
    refused(
        "",
        "serviceaccounts",
        "what runs under one acts with its rights and as nobody: the installers make it. Leave it out of a chart \
         (`serviceAccount.create=false`); a pod that does not call the API server needs none",
    ),
    refused(
        "rbac.authorization.k8s.io",
        "roles",
        "rights come from access rules: ask whoever administers the project; for a program the installers write it",
    ),
    refused(
        "rbac.authorization.k8s.io",
        "rolebindings",
        "rights come from access rules: ask whoever administers the project; for a program the installers write it",
    ),
    refused(
        "gateway.networking.k8s.io",
        "httproutes",
        "as an Ingress: the installers make it",
    ),
    refused("", "namespaces", "create a project, or ask for one"),
    refused("", "resourcequotas", INSTALLER),
    refused("", "limitranges", INSTALLER),
    refused(
        "",
        "persistentvolumes",
        "claims are yours to make; volumes that are not made by a class the installers make",
    ),
    refused(
        "apps",
        "deployments/scale",
        "change `spec.replicas` with `kubectl patch` or `kubectl edit`: a change through `scale` would not be seen by whom it is",
    ),
    refused("scheduling.k8s.io", "priorityclasses", INSTALLER),
    refused(
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "a kind is the whole cluster's: the installers install it, and bind roles for it",
    ),
];

/// What the roles grant, and a policy refuses where the namespace does not allow it.
pub(crate) const WHERE_ALLOWED: [Refused; 3] = [
    refused(
        "networking.k8s.io",
        "ingresses",
        "it makes a name of the whole cluster reachable from outside, and can take another project's. `reeve port-forward` \
         reaches a pod from your machine",
    ),
    refused(
        "networking.k8s.io",
        "networkpolicies",
        "one of them cuts off everybody's pods in the project, and who may write them may delete those that the installers \
         made",
    ),
    refused(
        names::OPENSHIFT_ROUTES,
        "routes",
        "on OpenShift: as an Ingress. The host is OpenShift's choice; one of your own is `routes/custom-host`, which the installers \
         write",
    ),
];

fn is_conditional(group: &str, resource: &str) -> bool {
    WHERE_ALLOWED
        .iter()
        .any(|row| (row.group, row.resource) == (group, resource))
}

/// How much of a resource a role may do, in one word.
fn word(verbs: &[&str]) -> &'static str {
    let has = |verb| verbs.contains(&verb);
    match (has("create") && has("delete"), has("get") && has("list")) {
        (true, _) => "writes",
        (false, true) => "reads",
        _ => "uses",
    }
}

/// `docs/security/what-people-may-make.md`.
pub fn page() -> String {
    let roles = people::roles();
    let mut table: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (column, role) in roles.iter().enumerate() {
        for Row {
            group,
            resources,
            verbs,
        } in &role.rows
        {
            for resource in *resources {
                let cells = table
                    .entry((group, resource))
                    .or_insert_with(|| vec!["–"; roles.len()]);
                if let Some(cell) = cells.get_mut(column) {
                    // A role may have a resource twice: what it may write it may read.
                    *cell = match (word(verbs), *cell) {
                        ("reads", written) if written.starts_with("writes") => written,
                        ("writes", _) if is_conditional(group, resource) => "writes, where allowed",
                        (word, _) => word,
                    };
                }
            }
        }
    }
    let mut text = String::from(
        "# What people may make in a project\n\nGenerated from the table of rights by `cargo xtask gen`; do not edit. *Writes* is \
         make, change and delete; *reads* is get, list and, but for Secrets, watch; *uses* is what the name says. Of pods and of \
         what makes them the [rules](rules.md) decide further.\n\n| Resource |",
    );
    for role in &roles {
        let _ = write!(text, " `{}` |", role.cluster_role);
    }
    let _ = writeln!(text, "\n|---|{}", "---|".repeat(roles.len()));
    for ((group, resource), cells) in table {
        let name = name(group, resource);
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    }
    let (label, installers) = (names::ALLOW_NETWORKING, names::INSTALLERS);
    let [administrators, masters] = names::ADMINISTRATORS;
    let _ = write!(
        text,
        "\n## What a project's namespace has to allow\n\n*Where allowed* is: with the label `{label}: true`, which the operator \
         writes where it was decided at the control plane (`reeve project allow-networking PROJECT`, by who may change projects in the \
         whole cluster), and which otherwise the group `{installers}` sets and takes away (`kubectl label namespace NAMESPACE \
         {label}=true`). Without it people are refused \
         by the rule R24, whose sentence says so. Of the installers, of `{masters}` and `{administrators}`, and of names \
         that begin with `system:`, but for the ServiceAccounts of the project's own namespace, RBAC alone decides.\n\n\
         | Resource | What allowing it means |\n|---|---|\n"
    );
    for row in WHERE_ALLOWED {
        let _ = writeln!(text, "| {} | {} |", name(row.group, row.resource), row.instead);
    }
    text += "\n## What is refused to everybody in a project, and what to do instead\n\nA chart that brings one of these along is \
             applied without it, or by the installers. Where Helm was refused, what it had made before stays: delete the \
             Deployments and other templates among it, then `helm upgrade --install` without the account (`helm uninstall` would want to \
             delete the account as well, which is refused). What is not deleted starts no pod: Helm takes the account out of \
             `serviceAccountName` alone, and the API server reads it from `serviceAccount` again. Whatever is in neither table is refused, \
             too.\n\n| Resource | Instead |\n|---|---|\n";
    for row in REFUSED {
        let _ = writeln!(text, "| {} | {} |", name(row.group, row.resource), row.instead);
    }
    text += "\nA PodDisruptionBudget that allows no disruption (`maxUnavailable: 0`) holds up the draining of the node that its pods \
             are on, for as long as they run: installers who drain delete the budget, or the pods with `--disable-eviction`.\n";
    text
}

fn name(group: &str, resource: &str) -> String {
    if group.is_empty() {
        format!("`{resource}`")
    } else {
        format!("`{resource}.{group}`")
    }
}
