//! The organization in which every story begins, and everybody's names.

use std::sync::{Arc, LazyLock};

use reeve_authz::SubjectKey;
use reeve_types::Timestamp;
use serde_json::{Value, json};

use super::naive::{Key, Ledger, Place, Rights, Rule, in_clusters};
use crate::database::Data;
use crate::server::Server;

pub(super) const ROLES: &str = "/api/v2/authorization/roles";
pub(super) const PEOPLE: [&str; 7] = ["dora", "paul", "mia", "andy", "sue", "vera", "erin"];
pub(super) const GROUPS: [&str; 3] = ["team", "leads", "guests"];
/// The first two are there from the beginning.
pub(super) const APPLICATIONS: [&str; 4] = ["ci", "builder", "fresh", "spare"];
/// Of those that are given: each with a reason to be refused to some.
pub(super) const PREDEFINED: [i64; 9] = [1, 2, 4, 5, 6, 9, 16, 17, 19];
/// Permission sets by resource type, and whether they only see it.
pub(super) const SETS: [(&str, bool); 10] = [
    ("project", true),
    ("department", true),
    ("workloads", true),
    ("trainings", false),
    ("access_rules", false),
    ("roles", false),
    ("users", true),
    ("credentials", true),
    ("service-account", false),
    ("cluster", true),
];
pub(super) const CLUSTER_ROLES: [Option<&str>; 3] = [None, Some("viewer"), Some("l1-researcher")];

pub(super) fn person(name: &str) -> Key {
    ("user", format!("{name}@example.com"))
}

pub(super) fn group(name: &str) -> Key {
    ("group", name.to_owned())
}

pub(super) fn application(name: &str) -> Key {
    ("service-account", name.to_owned())
}

/// Everybody whom a rule may name.
pub(super) static EVERYBODY: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let people = PEOPLE.iter().map(|name| person(name));
    let groups = GROUPS.iter().map(|name| group(name));
    let applications = APPLICATIONS.iter().map(|name| application(name));
    people.chain(groups).chain(applications).collect()
});

pub(super) fn subject(key: &Key) -> SubjectKey {
    SubjectKey::from_wire(key.0, &key.1).unwrap()
}

/// Of those who act.
pub(super) fn actor(number: usize) -> Key {
    match PEOPLE.get(number) {
        Some(name) => person(name),
        None => application(APPLICATIONS[number - PEOPLE.len()]),
    }
}

/// An organization in a database that each run gets a copy of.
pub(super) struct Fixture {
    pub(super) dir: Arc<Data>,
    pub(super) clock: Timestamp,
    pub(super) ledger: Ledger,
    pub(super) custom: Vec<i64>,
    /// The ids of [`SETS`].
    pub(super) sets: Vec<Value>,
}

impl Fixture {
    pub(super) async fn new() -> Self {
        let server = Server::new().await;
        let (cluster, _) = server.cluster("demo").await;
        let vision = server.department(&cluster, "vision").await;
        let language = server.department(&cluster, "language").await;
        let robots = server.project(&cluster, &vision, "robots").await;
        let parrots = server.project(&cluster, &vision, "parrots").await;
        let captions = server.project(&cluster, &language, "captions").await;
        let place = |kind, id: &str, above| Place {
            kind,
            id: id.to_owned(),
            above,
        };
        let mut ledger = Ledger::new(vec![
            place("tenant", "1", None),
            place("cluster", &cluster, Some(0)),
            place("department", &vision, Some(1)),
            place("department", &language, Some(1)),
            place("project", &robots, Some(2)),
            place("project", &parrots, Some(2)),
            place("project", &captions, Some(3)),
        ]);
        for name in PEOPLE {
            server.user(&person(name).1, Value::Null).await;
        }
        for name in &APPLICATIONS[..2] {
            server.service_account(name).await;
        }
        let path = "/api/v1/authorization/permission-sets";
        let all = server.get(&server.admin, path).await.is(200);
        let id = |(kind, sees): (&str, bool)| {
            let of = |it: &&Value| {
                let permissions = it["permissions"].as_array().unwrap();
                permissions[0]["resourceType"] == kind
                    && (permissions[0]["actions"] == json!(["read"])) == sees
            };
            let found = all["permissionSets"].as_array().unwrap().iter().find(of);
            found.unwrap()["id"].clone()
        };
        let sets: Vec<Value> = SETS.into_iter().map(id).collect();
        let mut custom = Vec::new();
        for (name, of, cluster_role) in [
            ("Makers", vec![0, 2, 3, 4, 5, 7], Some("viewer")),
            ("Helpers", vec![0], None),
        ] {
            let body = role_body(name, &sets, &of, cluster_role);
            let made = server.post(&server.admin, ROLES, body).await.is(201);
            let number = made["id"].as_i64().unwrap();
            ledger.put_role(number, rights_of(&ledger, &of, cluster_role));
            custom.push(number);
        }
        for (who, role, at) in [
            (person("dora"), 2, 2),
            (person("paul"), 19, 6),
            (person("mia"), custom[0], 0),
            (person("andy"), 16, 0),
            (person("sue"), 1, 3),
            (person("vera"), 9, 2),
            (person("erin"), custom[1], 6),
            (group("team"), 5, 4),
            (group("leads"), 2, 3),
            (group("guests"), custom[1], 2),
            (application("ci"), 5, 4),
            (application("builder"), 19, 5),
        ] {
            let there = ledger.places[at].clone();
            let id = server.rule((who.0, &who.1), role, (there.kind, &there.id)).await;
            ledger.rules.insert(
                id,
                Rule {
                    subject: who,
                    role,
                    at,
                },
            );
        }
        let (dir, clock) = (Arc::clone(&server.dir), server.clock.now());
        server.sql.close().await;
        Self {
            dir,
            clock,
            ledger,
            custom,
            sets,
        }
    }
}

pub(super) fn role_body(name: &str, ids: &[Value], of: &[usize], cluster_role: Option<&str>) -> Value {
    let mut of = of.to_vec();
    of.sort_unstable();
    of.dedup();
    let sets: Vec<Value> = of.iter().map(|set| json!({"id": ids[*set]})).collect();
    json!({"name": name, "description": "For the tests.", "permissionSets": sets,
        "kubernetesPermissions": {"predefinedRole": cluster_role}})
}

pub(super) fn rights_of(ledger: &Ledger, sets: &[usize], cluster_role: Option<&str>) -> Rights {
    sets.iter().fold(in_clusters(cluster_role), |all, set| {
        let (kind, sees) = SETS[*set];
        all.or(match sees {
            true => ledger.table.right(kind, "read"),
            false => ledger.table.everything_with(kind),
        })
    })
}
