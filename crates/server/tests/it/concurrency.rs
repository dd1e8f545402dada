//! Many changes at the same time.

use std::collections::BTreeSet;

use reeve_server::directory::Directory;
use serde_json::json;

use crate::link::Watch;
use crate::server::{OrganizationFixture, rule};

const ALL: &str = "/api/v1/authorization/access-rules";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_rule_changes_at_once_leave_no_gap_and_the_index_equals_the_store() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let mut watch = Watch::open(server, &token, Some(6)).await;
    watch.news().await.unwrap();
    let robots = organization.robots.as_str();
    let change = |number: usize| async move {
        let name = format!("g{number}");
        let made = server
            .post(&server.admin, ALL, rule(("group", &name), 9, ("project", robots)))
            .await
            .is(201);
        if number.is_multiple_of(2) {
            server
                .delete(&server.admin, &format!("{ALL}/{}", made["id"]))
                .await
                .is(204);
        }
    };
    futures::future::join_all((0..100).map(change)).await;
    let wanted = 6 + 150;
    let (mut at, mut present) = (6, BTreeSet::new());
    while at < wanted {
        let batch = watch.news().await.unwrap();
        let revision = batch["revision"].as_u64().unwrap();
        assert!(revision > at, "{batch}");
        for gone in batch["deletes"].as_array().unwrap() {
            present.remove(&gone["id"].as_i64().unwrap());
        }
        for new in batch["upserts"].as_array().unwrap() {
            let of = new["revision"].as_u64().unwrap();
            // What was removed is read first: what is new may already be of a later revision, and then comes again.
            assert!(at < of, "{batch}");
            present.insert(new["object"]["spec"]["id"].as_i64().unwrap());
        }
        at = revision;
    }
    assert_eq!((at, present.len()), (wanted, 50));
    let kept = server
        .get(&server.admin, &format!("{ALL}?subjectType=group&limit=500"))
        .await
        .is(200);
    let kept: BTreeSet<_> = kept["accessRules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_i64().unwrap())
        .collect();
    assert_eq!(kept, present);
    let stored = Directory::load(server.app.store.directory().await.unwrap());
    let ids = |directory: &Directory| {
        directory
            .index()
            .rules()
            .map(|rule| rule.id)
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(&stored), ids(&server.app.directory()));
    let cluster = organization.cluster.parse().unwrap();
    assert_eq!(stored.cluster(cluster).unwrap().revision.0, wanted);
    assert_eq!(
        server.app.directory().cluster(cluster).unwrap().revision.0,
        wanted
    );
}

#[tokio::test]
async fn of_the_same_rule_made_ten_times_at_once_one_is_made() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let body = rule(("group", "g"), 9, ("tenant", "1"));
    let answers =
        futures::future::join_all((0..10).map(|_| server.post(&server.admin, ALL, body.clone()))).await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn a_change_whose_caller_hangs_up_is_done_whole() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    for number in 0..20 {
        let name = format!("p{number}");
        let body = json!({"name": name, "clusterId": organization.cluster, "parentId": organization.vision, "resources": []});
        let call = server.post(&server.admin, "/api/v1/org-unit/projects", body);
        let _ = tokio::time::timeout(std::time::Duration::from_micros(50 * number), call).await;
    }
    // In its turn after all that were begun.
    server.rule(("group", "last"), 9, ("tenant", "1")).await;
    let stored = server.app.store.directory().await.unwrap();
    let loaded = Directory::load(stored);
    let scopes = |directory: &Directory| directory.index().scopes().collect::<BTreeSet<_>>();
    assert_eq!(scopes(&loaded), scopes(&server.app.directory()));
}
