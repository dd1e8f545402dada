use k8s_openapi::api::rbac::v1::PolicyRule;
use reeve_admission::names;
use reeve_authz::{Role, RoleId};
use reeve_tenancy::operator::{self, Reach};
use reeve_tenancy::{Switches, objects, people, rbac_yaml};

/// `group/resource` that no person may touch with any verb.
const NEVER: &[&str] = &[
    "/pods/proxy",
    "/pods/binding",
    "/pods/eviction",
    "/pods/status",
    "/services/proxy",
    "/nodes/proxy",
    "/serviceaccounts/token",
    "certificates.k8s.io/certificatesigningrequests",
];
/// `group/resource` that people may at most read.
const READ_ONLY: &[&str] = &[
    "/namespaces",
    "/serviceaccounts",
    "/resourcequotas",
    "/limitranges",
    "/endpoints",
    "discovery.k8s.io/endpointslices",
    "/events",
    "events.k8s.io/events",
    "apps/controllerrevisions",
    "reeve.dev/workloads",
    "reeve.dev/projects",
    "reeve.dev/accessrules",
    "reeve.dev/reeveconfigs",
    "rbac.authorization.k8s.io/roles",
    "rbac.authorization.k8s.io/rolebindings",
    "rbac.authorization.k8s.io/clusterroles",
    "rbac.authorization.k8s.io/clusterrolebindings",
    "admissionregistration.k8s.io/validatingadmissionpolicies",
];

fn faults(rules: &[PolicyRule]) -> Vec<String> {
    let mut faults = Vec::new();
    for rule in rules {
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                let name = format!("{group}/{resource}");
                for verb in &rule.verbs {
                    let reads = ["get", "list", "watch"].contains(&verb.as_str());
                    if NEVER.contains(&name.as_str())
                        || resource.ends_with("/scale")
                        || (READ_ONLY.contains(&name.as_str()) && !reads)
                        || ["*", "bind", "escalate", "impersonate", "approve", "sign"]
                            .contains(&verb.as_str())
                        || group == "*"
                        || resource.contains('*')
                        || group == "authentication.k8s.io"
                    {
                        faults.push(format!("{verb} {name}"));
                    }
                }
            }
        }
    }
    faults
}

fn rule(group: &str, resource: &str, verb: &str) -> PolicyRule {
    PolicyRule {
        api_groups: Some(vec![group.into()]),
        resources: Some(vec![resource.into()]),
        verbs: vec![verb.into()],
        ..PolicyRule::default()
    }
}

#[test]
fn no_role_of_people_goes_round_a_policy() {
    for role in people::cluster_roles() {
        assert_eq!(
            faults(role.rules.as_deref().unwrap()),
            Vec::<String>::new(),
            "{:?}",
            role.metadata.name
        );
    }
    // The test sees what it is for.
    for (group, resource, verb) in [
        ("", "pods/proxy", "get"),
        ("", "services/proxy", "get"),
        ("", "serviceaccounts/token", "create"),
        ("", "serviceaccounts", "create"),
        ("", "users", "impersonate"),
        ("apps", "deployments/scale", "patch"),
        ("apps", "controllerrevisions", "patch"),
        ("rbac.authorization.k8s.io", "rolebindings", "create"),
        ("reeve.dev", "workloads", "create"),
        ("", "*", "get"),
    ] {
        assert_eq!(
            faults(&[rule(group, resource, verb)]).len(),
            1,
            "{verb} {group}/{resource}"
        );
    }
}

#[test]
fn the_roles_of_people_are_those_of_the_one_list() {
    for role in people::roles() {
        assert!(!role.rows.is_empty(), "{} is that of no role", role.cluster_role);
    }
    for role in names::PEOPLE_ROLES {
        let found = people::cluster_role(&role.parse().unwrap());
        assert_eq!(found, Some(format!("{}{role}", names::ROLE_PREFIX).as_str()));
    }
    assert_eq!(people::cluster_role(&reeve_types::RoleName::none()), None);
}

/// What one may do and the other may not.
fn beyond(more: &Role, less: &Role) -> Vec<String> {
    let all = |role| -> Vec<String> {
        let each = |row: &people::Row| -> Vec<String> {
            let verbs = row.verbs.iter();
            verbs
                .flat_map(|verb| {
                    row.resources
                        .iter()
                        .map(move |it| format!("{verb} {}/{it}", row.group))
                })
                .collect()
        };
        people::rows(role).iter().flat_map(each).collect()
    };
    let known = all(less);
    all(more).into_iter().filter(|it| !known.contains(it)).collect()
}

fn judged(is_bound_to: impl Fn(&Role) -> Option<&'static Role>) -> Vec<String> {
    let roles = Role::all_predefined().iter();
    roles
        .filter_map(|role| Some((role, beyond(is_bound_to(role)?, role))))
        .filter(|(_, beyond)| !beyond.is_empty())
        .map(|(role, beyond)| format!("{role}: {}", beyond.join(", ")))
        .collect()
}

/// A role is bound to a ClusterRole that is made of another role's cells only where its own allow everything of it.
#[test]
fn nobody_may_do_more_in_a_cluster_than_their_role_says() {
    let bound = judged(|role| Role::of_cluster_role(role.in_clusters()?));
    assert_eq!(bound, Vec::<String>::new());
    // As it was once: L2 researcher and AI practitioner with the ClusterRole of L1 researcher.
    let shared = judged(|role| match role.id() {
        RoleId::L2_RESEARCHER | RoleId::AI_PRACTITIONER => Role::of(RoleId::L1_RESEARCHER),
        _ => Role::of_cluster_role(role.in_clusters()?),
    });
    assert_eq!(shared.len(), 2, "{shared:#?}");
    for told in shared {
        assert!(
            told.contains("create /persistentvolumeclaims") && told.contains("get /secrets"),
            "{told}"
        );
    }
}

/// Who may give roles gives no more in clusters than they hold: `[clusters]` of `roles.txt` is true of what is generated.
#[test]
fn a_cluster_role_includes_another_only_where_it_allows_everything_of_it() {
    let named = |name: &str| Role::of_cluster_role(name).unwrap();
    let mut included = 0;
    for own in names::PEOPLE_ROLES.iter().map(|name| named(name)) {
        for other in names::PEOPLE_ROLES.iter().map(|name| named(name)) {
            if own != other && own.covers_in_clusters(other) {
                assert_eq!(beyond(other, own), Vec::<String>::new(), "{own} and {other}");
                included += 1;
            }
        }
    }
    assert_eq!(included, 9);
    // What is compared is not empty.
    assert!(!beyond(named("l1-researcher"), named("l2-researcher")).is_empty());
    assert!(!beyond(named("system-administrator"), named("l1-researcher")).is_empty());
}

#[test]
fn a_viewer_only_reads_and_no_secrets() {
    let viewer = people::cluster_roles()
        .into_iter()
        .find(|r| r.metadata.name.as_deref() == Some("reeve-viewer"))
        .unwrap();
    for rule in viewer.rules.unwrap() {
        assert!(
            rule.verbs
                .iter()
                .all(|v| ["get", "list", "watch"].contains(&v.as_str())),
            "{rule:?}"
        );
        assert!(!rule.resources.unwrap().contains(&"secrets".to_owned()));
    }
}

#[test]
fn the_operator_has_no_wildcard_reads_secrets_in_one_place_and_writes_cluster_wide_only_what_is_cluster_scoped()
 {
    for grant in operator::grants() {
        assert!(!grant.because.is_empty());
        for verb in grant.verbs {
            assert!(!["*", "escalate", "impersonate"].contains(verb), "{grant:?}");
            assert!(*verb != "bind" || !grant.names.is_empty(), "{grant:?}");
        }
        for resource in grant.resources {
            assert!(!resource.contains('*') && !grant.group.contains('*'), "{grant:?}");
            assert!(
                !["serviceaccounts/token", "pods/exec"].contains(resource),
                "{grant:?}"
            );
            // Written blindly in projects, where a policy refuses what is no copy, each for itself also of a collection; read where
            // nothing else lies, and written there where the same policy refuses what is no credential of the control plane.
            let secret_verbs: &[&str] = match grant.reach {
                Reach::Projects => &["create", "patch", "deletecollection"],
                Reach::Sources => &["list", "watch", "create", "patch", "deletecollection"],
                _ => &[],
            };
            let is_secret = *resource == "secrets";
            assert!(
                !is_secret || grant.verbs.iter().all(|verb| secret_verbs.contains(verb)),
                "{grant:?}"
            );
            assert!(
                is_secret || !grant.verbs.contains(&"deletecollection"),
                "{grant:?}"
            );
            let writes = grant
                .verbs
                .iter()
                .any(|v| !["get", "list", "watch", "bind"].contains(v));
            assert!(
                !(grant.group == "admissionregistration.k8s.io" && writes),
                "{grant:?}"
            );
            if grant.reach == Reach::Cluster && writes {
                assert!(
                    grant.group == "reeve.dev" || ["namespaces", "rolebindings"].contains(resource),
                    "{grant:?}"
                );
                assert!(
                    grant.group == "reeve.dev" || grant.verbs == ["create"],
                    "{grant:?}"
                );
                assert!(*resource != "workloads", "{grant:?}");
            }
        }
    }
}

#[test]
fn the_rights_are_what_was_reviewed() {
    insta::assert_snapshot!(rbac_yaml(Switches::default()).unwrap());
    assert_eq!(objects(Switches::default()).cluster_roles.len(), 14);
}

/// What of the page's refusals some role may write all the same.
fn untrue(rules: &[PolicyRule]) -> Vec<&'static str> {
    let writes = |rule: &PolicyRule| {
        rule.verbs
            .iter()
            .any(|verb| !["get", "list", "watch"].contains(&verb.as_str()))
    };
    let said = |names: &Option<Vec<String>>, name: &str| names.iter().flatten().any(|it| it == name);
    reeve_tenancy::REFUSED
        .iter()
        .filter(|row| {
            rules.iter().any(|rule| {
                writes(rule) && said(&rule.api_groups, row.group) && said(&rule.resources, row.resource)
            })
        })
        .map(|row| row.resource)
        .collect()
}

#[test]
fn what_the_page_calls_refused_no_role_may_write() {
    let mut rules: Vec<PolicyRule> = people::cluster_roles()
        .into_iter()
        .filter_map(|role| role.rules)
        .flatten()
        .collect();
    assert_eq!(untrue(&rules), Vec::<&str>::new());
    // A role that could is noticed.
    rules.push(PolicyRule {
        api_groups: Some(vec!["gateway.networking.k8s.io".to_owned()]),
        resources: Some(vec!["httproutes".to_owned()]),
        verbs: vec!["create".to_owned()],
        ..PolicyRule::default()
    });
    assert_eq!(untrue(&rules), ["httproutes"]);
}
