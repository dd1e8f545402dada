//! The reviewed table of rights. A change of `rights.txt` is a change of what people may do: review it as such.
//!
//! It says the same as `src/roles.txt`, in words and role by role, and is read by another reader: a column that slipped, or a
//! cell that was read wrongly, shows here. Nothing of the crate is made of it.

use std::fmt::Write as _;

use reeve_admission::names;
use reeve_authz::{Action, Entity, Permission, Role};

/// What a reviewer approved. Also what the oracle decides by.
pub(crate) const REVIEWED: &str = include_str!("rights.txt");

fn printed() -> String {
    let mut text = String::new();
    for role in Role::all_predefined() {
        let all = Role::all_predefined();
        let gives: Vec<String> = all
            .iter()
            .filter(|other| role.may_give(other.id()))
            .map(|other| other.id().number().to_string())
            .collect();
        let gives = match gives.len() {
            0 => "nothing".to_owned(),
            count if count == all.len() => "any".to_owned(),
            _ => gives.join(","),
        };
        let (id, cluster) = (role.id().number(), role.in_clusters().unwrap_or("nothing"));
        writeln!(text, "role {id} gives {gives} in clusters {cluster}: {role}").unwrap();
        for entity in Entity::ALL {
            let words = Action::ALL
                .into_iter()
                .filter(|action| role.allows(Permission::new(*action, entity)))
                .map(Action::wire_name)
                .collect::<Vec<_>>();
            if !words.is_empty() {
                writeln!(text, "  {:<29}{}", entity.wire_name(), words.join(",")).unwrap();
            }
        }
        text.push('\n');
    }
    text.trim_end().to_owned() + "\n"
}

#[test]
fn roles_may_do_what_the_reviewed_table_says() {
    let printed = printed();
    if std::env::var_os("INSTA_UPDATE").is_some_and(|mode| mode == "always") {
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/rights.txt");
        std::fs::write(here, &printed).unwrap();
        return;
    }
    assert!(
        printed == REVIEWED,
        "the rights changed; if that is meant, run this test with INSTA_UPDATE=always and review tests/it/rights.txt:\n{printed}"
    );
}

/// Who may write these can become somebody else, or change what everybody may do: by a new password, a new secret, the sign-in
/// of the installation. No list of roles to give helps against that.
#[test]
fn nobody_but_the_system_administrator_can_become_somebody_else() {
    let dangerous = [
        (Action::Create, Entity::Users),
        (Action::Update, Entity::Users),
        (Action::Delete, Entity::Users),
        (Action::Update, Entity::ServiceAccount),
        (Action::Update, Entity::Apps),
        (Action::Update, Entity::AccessKeys),
        (Action::Update, Entity::Roles),
        (Action::Create, Entity::Roles),
        (Action::Update, Entity::Tenant),
        (Action::Update, Entity::Settings),
        (Action::Update, Entity::SecuritySettings),
        (Action::Update, Entity::Cluster),
        (Action::Read, Entity::EventsHistory),
    ];
    for (action, entity) in dangerous {
        let holders: Vec<i64> = Role::all_predefined()
            .iter()
            .filter(|role| role.allows(Permission::new(action, entity)))
            .map(|role| role.id().number())
            .collect();
        assert_eq!(holders, [1], "{entity}:{action}");
    }
}

#[test]
fn every_role_stands_for_a_cluster_role_that_exists_or_for_none() {
    let mut used = Vec::new();
    for role in Role::all_predefined() {
        match role.in_clusters() {
            Some(name) => {
                assert!(names::PEOPLE_ROLES.contains(&name), "{role}: {name}");
                assert_eq!(role.cluster_role().as_str(), name);
                used.push(name);
            }
            None => assert!(role.cluster_role().is_none(), "{role}"),
        }
    }
    for name in names::PEOPLE_ROLES {
        assert!(used.contains(name), "no role is bound to {name}");
    }
}

#[test]
fn the_three_roles_of_before_are_bound_to_their_own_cluster_roles() {
    for (name, expected) in [
        ("System administrator", "system-administrator"),
        ("L1 researcher", "l1-researcher"),
        ("Viewer", "viewer"),
    ] {
        let role = Role::all_predefined()
            .iter()
            .find(|role| role.display_name() == name)
            .unwrap();
        assert_eq!(role.in_clusters(), Some(expected));
    }
}

#[test]
fn every_resource_type_of_the_document_and_its_group_is_there() {
    // control-plane 5, `ResourceType`.
    let document = "department, tenant, project, cluster, cluster-config, nodepools, nodes, settings, security-settings, \
        branding-settings, users, apps, service-account, dashboards-overview, dashboards-analytics, dashboards-consumption, \
        roles, access_rules, jobs, workloads, workspaces, trainings, inferences, environments, pvc-assets, git-assets, \
        host-path-assets, nfs-assets, s3-assets, compute-resources, templates, credentials, events-history, policies, \
        cm-volume-assets, datavolumes, secret-volume-assets, storage-class-configuration, access-keys, workload-properties, \
        network-topologies, registries, scrapeable-metrics";
    let mut expected: Vec<&str> = document.split(',').map(str::trim).collect();
    let in_document = |entity: &Entity| entity.since().is_none();
    let mut found: Vec<&str> = Entity::ALL
        .into_iter()
        .filter(in_document)
        .map(Entity::wire_name)
        .collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    let newer: Vec<&str> = Entity::ALL
        .into_iter()
        .filter(|entity| !in_document(entity))
        .map(Entity::wire_name)
        .collect();
    assert_eq!(
        newer,
        [
            "clusters-minimal",
            "nodepools-minimal",
            "workload-integration-metrics"
        ]
    );
}
