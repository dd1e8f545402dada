//! A cluster that is cut off for seven days, by a clock that a test moves: what it is sent when it is back, and what is shown of it.

use std::collections::BTreeMap;

use axum::http::Method;
use reeve_link::Resume;
use reeve_store::SubjectId;
use serde_json::{Value, json};

use crate::cluster_states::ended;
use crate::link::Watch;
use crate::server::{ADMIN, OrganizationFixture, Server, rule};

/// A day, and a little more: clocks may differ by a minute.
const DAY: i64 = 24 * 3600 + 120;
const RULES: &str = "/api/v1/authorization/access-rules";

/// What an operator has, as an operator applies it.
#[derive(Default)]
struct Applied {
    objects: BTreeMap<String, Value>,
    position: Option<Resume>,
}

/// What one connection brought until the cluster was up to date.
#[derive(Default)]
struct Brought {
    complete: bool,
    deleted: Vec<String>,
    written: Vec<String>,
    /// How many had been written when the last deletion came.
    written_before_deletions: usize,
    /// How many messages came before everything that was to be deleted was named.
    rules_end_at: Option<usize>,
}

fn key(kind: &Value, id: &Value) -> String {
    format!("{}/{}", kind.as_str().unwrap(), id.to_string().trim_matches('"'))
}

impl Applied {
    async fn catch_up(&mut self, watch: &mut Watch) -> Brought {
        let welcome = watch.news().await.unwrap();
        assert_eq!(welcome["type"], "welcome");
        let mut brought = Brought::default();
        let mut named = Vec::new();
        for message in 0.. {
            let batch = watch.news().await.unwrap();
            brought.complete |= batch["complete"] == true;
            for deleted in batch["deletes"].as_array().unwrap() {
                let key = key(&deleted["kind"], &deleted["id"]);
                self.objects.remove(&key);
                brought.deleted.push(key);
                brought.written_before_deletions = brought.written.len();
            }
            for upsert in batch["upserts"].as_array().unwrap() {
                let object = &upsert["object"];
                let key = key(&object["kind"], &object["spec"]["id"]);
                self.objects.insert(key.clone(), object["spec"].clone());
                named.push(key.clone());
                brought.written.push(key);
            }
            if batch["rulesEnd"] == true {
                brought.rules_end_at = Some(message);
            }
            if batch["more"] != true {
                if batch["complete"] == true {
                    self.objects.retain(|key, _| named.contains(key));
                }
                self.position = Some(Resume {
                    revision: serde_json::from_value(batch["revision"].clone()).unwrap(),
                    token: batch["token"].as_str().unwrap().parse().unwrap(),
                });
                break;
            }
        }
        brought
    }
}

/// Everything, as a stream from nothing brings it.
async fn everything(server: &Server, token: &str) -> BTreeMap<String, Value> {
    let mut fresh = Applied::default();
    fresh.catch_up(&mut Watch::open(server, token, None).await).await;
    fresh.objects
}

/// The administrator's token lives a day.
async fn signed_in(server: &Server) -> String {
    let id = server
        .app
        .directory()
        .user_by_email(&ADMIN.parse().unwrap())
        .unwrap()
        .id;
    server.token_of(SubjectId::User(id)).await
}

async fn state(server: &Server, admin: &str, cluster: &str) -> (String, String) {
    let shown = server
        .get(admin, &format!("/api/v1/clusters/{cluster}"))
        .await
        .is(200);
    let text = |field: &str| shown["status"][field].as_str().unwrap().to_owned();
    (text("state"), text("stateSince"))
}

/// So many rules are made each day and every second of them goes again; the rules that are left.
async fn a_week_of_changes(organization: &OrganizationFixture, each_day: usize) -> (Vec<i64>, String) {
    let server = &organization.server;
    let mut left = Vec::new();
    let mut admin = signed_in(server).await;
    for day in 0..7 {
        for number in 0..each_day {
            let body = rule(
                ("group", &format!("g{day}-{number}")),
                9,
                ("project", &organization.robots),
            );
            let made = server.post(&admin, RULES, body).await.is(201)["id"]
                .as_i64()
                .unwrap();
            if number % 2 == 0 {
                server.delete(&admin, &format!("{RULES}/{made}")).await.is(204);
            } else {
                left.push(made);
            }
        }
        server.clock.advance_seconds(DAY);
        server
            .call(&admin, Method::GET, "/api/v1/me", "")
            .await
            .refused(401);
        admin = signed_in(server).await;
    }
    (left, admin)
}

/// What was deleted is told before anything is written; what came and went is told once; and nothing that did not change is told.
///
/// Planted fault: deletions that come after what is to be written (`later_than` with `deletes` in the end mark alone).
#[tokio::test]
async fn after_seven_days_an_operator_is_sent_what_changed_deletions_first() {
    let organization = OrganizationFixture::new().await;
    let (server, cluster) = (&organization.server, &*organization.cluster);
    let token = server.link_token(cluster, &organization.secret).await;
    let mut watch = Watch::open(server, &token, None).await;
    let mut applied = Applied::default();
    assert!(applied.catch_up(&mut watch).await.complete);
    let before = applied.objects.clone();
    ended(server, watch, cluster).await;
    let cut_off = server.clock.now();

    // A minute later it is shown that what is shown is not current.
    server.clock.advance_seconds(60);
    let (shown, since) = state(server, &server.admin, cluster).await;
    assert_eq!(shown, "Disconnected");
    let alices = format!("{RULES}/{}", organization.alice_rule);
    server.delete(&server.admin, &alices).await.is(204);
    let (left, admin) = a_week_of_changes(&organization, 20).await;
    assert_eq!(
        state(server, &admin, cluster).await,
        ("Disconnected".to_owned(), since.clone())
    );
    let since: reeve_types::Timestamp = serde_json::from_value(json!(since)).unwrap();
    assert_eq!(since, cut_off, "since it was last heard");

    // The token ended meanwhile; the secret earns another.
    let hello = json!({"protocol": reeve_link::PROTOCOL_VERSION, "operatorVersion": "x"});
    server.post(&token, "/link/v1/watch", hello).await.refused(401);
    let token = server.link_token(cluster, &organization.secret).await;
    let back = server.clock.now();
    let mut watch = Watch::open_from(server, &token, applied.position).await;
    let brought = applied.catch_up(&mut watch).await;
    assert!(!brought.complete, "it goes on from where it was");
    let gone = format!("AccessRule/{}", organization.alice_rule);
    assert!(brought.deleted.contains(&gone), "{:?}", brought.deleted);
    assert_eq!(
        brought.written_before_deletions, 0,
        "rights end before others begin"
    );
    let mut written: Vec<_> = left.iter().map(|id| format!("AccessRule/{id}")).collect();
    written.sort();
    let mut told = brought.written.clone();
    told.sort();
    assert_eq!(told, written, "each once, and nothing else");
    assert_eq!(applied.objects, everything(server, &token).await);
    assert_ne!(applied.objects, before);
    let since: reeve_types::Timestamp =
        serde_json::from_value(json!(state(server, &admin, cluster).await.1)).unwrap();
    assert_eq!(
        (state(server, &admin, cluster).await.0.as_str(), since),
        ("Connected", back)
    );
}

/// More changed than the database keeps revisions of: the complete state, which names every rule before anything else, so that the
/// others end first.
#[tokio::test]
async fn who_missed_more_than_is_kept_is_sent_everything_rules_first() {
    let organization = OrganizationFixture::new().await;
    let (server, cluster) = (&organization.server, &*organization.cluster);
    let token = server.link_token(cluster, &organization.secret).await;
    let mut watch = Watch::open(server, &token, None).await;
    let mut applied = Applied::default();
    applied.catch_up(&mut watch).await;
    ended(server, watch, cluster).await;
    let alices = format!("{RULES}/{}", organization.alice_rule);
    server.delete(&server.admin, &alices).await.is(204);
    a_week_of_changes(&organization, 10).await;
    // As if a thousand more had been made: their tokens are forgotten.
    crate::server::write_beside(server, "DELETE FROM revision_tokens WHERE revision < 20").await;
    let token = server.link_token(cluster, &organization.secret).await;
    let mut watch = Watch::open_from(server, &token, applied.position).await;
    let brought = applied.catch_up(&mut watch).await;
    assert!(
        brought.complete && brought.rules_end_at == Some(0),
        "{:?}",
        brought.rules_end_at
    );
    let of_rules = brought
        .written
        .iter()
        .take_while(|key| key.starts_with("AccessRule/"))
        .count();
    let rules = brought
        .written
        .iter()
        .filter(|key| key.starts_with("AccessRule/"))
        .count();
    assert_eq!(of_rules, rules, "rules come first");
    assert!(
        !applied
            .objects
            .contains_key(&format!("AccessRule/{}", organization.alice_rule))
    );
    assert_eq!(applied.objects, everything(server, &token).await);
}
