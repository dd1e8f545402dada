//! Operators that do not read, or read slowly: what the server holds for them, and whom they keep waiting.

use std::time::Duration;

use reeve_server::outgoing::{Part, Patience, SLOTS_OF_ONE};

use crate::link::{Watch, large};
use crate::server::{OrganizationFixture, Server};

const SHORT: Patience = Patience {
    longest: Duration::from_secs(2),
    contended: Duration::from_millis(200),
};

async fn with_a_large_state() -> OrganizationFixture {
    let organization = OrganizationFixture::on(Server::with_patience(SHORT).await).await;
    for number in 0..24 {
        let body = large(&organization, &format!("large-{number}"));
        let path = "/api/v1/workloads/trainings";
        organization
            .server
            .post(&organization.alice, path, body)
            .await
            .is(202);
    }
    organization
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}");
}

/// Some four megabytes are to be sent to four streams that nobody reads. The cluster's two slots are all that is ever read from the
/// database for them, and when nobody has read for as long as the patience is, the streams end; whoever dials again is sent
/// everything.
///
/// Planted fault: with an unbounded channel in `outgoing`, or a slot that is given back when a line is put in, the streams read the
/// whole state and the slots are free.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_nobody_reads_hold_two_parts_and_end() {
    let organization = with_a_large_state().await;
    let (server, cluster) = (&organization.server, organization.cluster.parse().unwrap());
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let mut unread = Vec::new();
    for _ in 0..4 {
        unread.push(Watch::open(server, &token, None).await);
    }
    let streams = &server.app.cluster_streams;
    let own = streams.slots_of(cluster);
    until("both of the cluster's slots to be taken", || {
        own.are_taken(Part::State)
    })
    .await;
    assert!(
        !streams.slots().are_taken(Part::State),
        "{SLOTS_OF_ONE} of all, no more"
    );
    assert!(!own.are_taken(Part::Change), "changes have slots of their own");
    until("streams that nobody reads to end", || streams.streams() == 0).await;
    until("their slots to be free", || !own.are_taken(Part::State)).await;
    // And that while their connections are still open.
    drop(unread);

    let mut watch = Watch::open(server, &token, None).await;
    assert_eq!(watch.news().await.unwrap()["type"], "welcome");
    let mut workloads = 0;
    loop {
        let part = watch.news().await.unwrap();
        let upserts = part["upserts"].as_array().unwrap();
        workloads += upserts
            .iter()
            .filter(|it| it["object"]["kind"] == "Workload")
            .count();
        if part["more"] != true {
            break;
        }
    }
    assert_eq!(workloads, 24);
}

/// Another cluster's operator, and changes of the same cluster, do not wait for one that does not read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_keeps_nobody_else_waiting() {
    let organization = with_a_large_state().await;
    let server = &organization.server;
    let (other, secret) = server.cluster("other").await;
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    // This one is up to date, and its cluster's slots for states are taken by two others.
    let mut current = Watch::open(server, &token, Some(6 + 24)).await;
    assert_eq!(current.news().await.unwrap()["type"], "welcome");
    let _unread = [
        Watch::open(server, &token, None).await,
        Watch::open(server, &token, None).await,
    ];
    let own = server
        .app
        .cluster_streams
        .slots_of(organization.cluster.parse().unwrap());
    until("the slots to be taken", || own.are_taken(Part::State)).await;
    let path = format!("/api/v1/authorization/access-rules/{}", organization.alice_rule);
    server.delete(&server.admin, &path).await.is(204);
    let batch = current.news().await.unwrap();
    assert_eq!(batch["deletes"][0]["id"], organization.alice_rule);
    let mut watch = Watch::open(server, &server.link_token(&other, &secret).await, None).await;
    assert_eq!(watch.news().await.unwrap()["type"], "welcome");
    assert_eq!(watch.news().await.unwrap()["complete"], true);
}
