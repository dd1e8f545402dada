//! What the audit log says.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use axum::http::Method;
use reeve_authz::{Action, BootstrapException, Entity, Granted, Scope};
use reeve_identity::Random;
use reeve_server::fence::{Fence, Found};
use reeve_server::upkeep;
use reeve_store::{Audit, AuditAction, AuditEntry, AuditRow, SubjectId};
use serde_json::json;

use crate::server::{ADMIN, ADMIN_PASSWORD, OrganizationFixture, Server, caller, rule};

/// All events; the chain is whole.
pub(crate) async fn events(server: &Server) -> Vec<AuditRow> {
    let granted = {
        let directory = server.app.directory();
        let user = directory.user_by_email(&ADMIN.parse().unwrap()).unwrap();
        let caller = caller(SubjectId::User(user.id), &user.email);
        directory
            .allow_in_account(&caller, Action::Read, Entity::EventsHistory)
            .unwrap()
    };
    assert_eq!(granted.scope(), Scope::Account);
    // As the process does beside answering.
    upkeep::record_failures(&server.app, true).await;
    server.app.store.verify_audit_chain(&granted).await.unwrap();
    server.app.store.audit_events(&granted, 0, 10_000).await.unwrap()
}

#[tokio::test]
async fn changes_sign_ins_and_refusals_are_recorded_with_who_and_by_which_rule() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let before = events(server).await.len();
    let path = "/api/v1/authorization/access-rules";
    let made = server
        .post(
            &server.admin,
            path,
            rule(("app", "ci"), 9, ("project", &organization.captions)),
        )
        .await
        .is(201);
    server
        .delete(&server.admin, &format!("{path}/{}", made["id"]))
        .await
        .is(204);
    server
        .post(&organization.alice, path, rule(("app", "ci"), 1, ("tenant", "1")))
        .await
        .refused(403);
    server
        .delete(&server.admin, &format!("{path}/999"))
        .await
        .refused(404);
    server
        .post(&server.admin, path, json!({"wrong": 1}))
        .await
        .refused(400);
    let sign_in = |word: &str| json!({"grantType": "password", "username": ADMIN, "password": word});
    server
        .post("", "/api/v1/token", sign_in(ADMIN_PASSWORD))
        .await
        .is(200);
    server
        .post("", "/api/v1/token", sign_in("Wrong-Pass-1!"))
        .await
        .refused(400);
    let cluster = format!("/api/v1/clusters/{}/kubernetes-token", organization.cluster);
    server
        .post(&organization.alice, &cluster, json!(null))
        .await
        .is(200);
    server
        .post(&organization.ci, &cluster, json!(null))
        .await
        .refused(403);
    let mut page = String::new();
    for event in events(server).await.into_iter().skip(before) {
        let mut entry = event.entry;
        // Those of the tests' own sign-ins are drawn by the system.
        if let Some(session) = entry.metadata.get_mut("session") {
            session.parse::<reeve_types::SessionId>().unwrap();
            "SESSION".clone_into(session);
        }
        let _ = writeln!(
            page,
            "{} {:?} {:?} {:?} {} {} {:?} {} {} {:?}",
            entry.subject,
            entry.subject_type,
            entry.action,
            entry.result,
            entry.http_status_code,
            entry.entity_type,
            entry.entity_name,
            entry.url,
            if entry.result == reeve_store::Outcome::Failed {
                entry.entity_id.as_str()
            } else {
                ""
            },
            entry.metadata,
        );
    }
    insta::assert_snapshot!(page);
}

#[tokio::test]
async fn the_head_is_told_when_it_moved_and_is_the_chains_end() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let mut told = None;
    reeve_server::audit_log::tell_head(&server.app, &mut told).await;
    let last = events(server).await.pop().unwrap();
    let head = told.clone().unwrap();
    assert_eq!((head.sequence, &head.mac), (last.sequence, &last.hash));
    // As often as it is called, it changes only with the log.
    reeve_server::audit_log::tell_head(&server.app, &mut told).await;
    assert_eq!(told.as_ref(), Some(&head));
    server.rule(("group", "g"), 9, ("tenant", "1")).await;
    let heads = tokio::spawn(reeve_server::audit_log::tell_heads(
        std::sync::Arc::clone(&server.app),
        std::time::Duration::from_millis(20),
    ));
    reeve_server::audit_log::tell_head(&server.app, &mut told).await;
    assert_eq!(told.map(|head| head.sequence), Some(head.sequence + 1));
    assert!(!heads.is_finished());
    heads.abort();
}

/// Whatever is pruned, in however many lots, the event that the files beside the master key name stays: a server that starts
/// again would take its own database for a restored one.
#[tokio::test]
async fn the_event_that_is_known_outside_is_never_pruned() {
    let server = Server::new().await;
    let old = server.clock.now().plus_seconds(-91 * 24 * 60 * 60);
    let attempts =
        |count| vec![AuditEntry::of_the_system(AuditAction::SignIn, "x", String::new(), old); count];
    let granted = Granted::bootstrap(BootstrapException::SessionRecord);
    server.sql.record_attempts(&granted, attempts(450)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let open = async || {
        let (random, now) = (Random::seeded(3), server.clock.now());
        Fence::open(folder.path(), server.sql.as_ref(), false, &random, now)
            .await
            .unwrap()
    };
    let (fence, found) = open().await;
    assert_eq!(found, Found::Nothing);
    server.app.keep_fence(fence);
    server.sql.record_attempts(&granted, attempts(10)).await.unwrap();
    upkeep::prune(&server.app).await;
    let left = server.sql.audit_page(0, 1000).await.unwrap();
    assert!(left.len() < 20, "{} of more than 460 are left", left.len());
    assert_eq!(open().await.1, Found::Same);
}

const LOG: &str = "/api/v1/audit/log";
/// The clock of the tests stands between.
const YEARS: &str = "start=2023-01-01&end=2024-01-01T00:00:00";

/// Planted faults: the permission asked for anywhere instead of in the account; the range left out; a count without the filters.
#[tokio::test]
async fn the_log_is_read_in_pages_by_who_may_read_it_for_the_whole_account() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let scope = ("cluster", organization.cluster.as_str());
    server.rule(("user", "nobody@example.com"), 1, scope).await;
    let all = events(server).await;
    let page = server
        .get(&server.admin, &format!("{LOG}?{YEARS}&numberOfSamples=5"))
        .await
        .is(200);
    assert_eq!(
        (page["total"].as_u64(), page["next"].as_u64()),
        (Some(all.len() as u64), Some(5))
    );
    let found = page["audit_logs"].as_array().unwrap();
    assert_eq!(found.len(), 5);
    let mut numbers = BTreeSet::new();
    for offset in (0..all.len()).step_by(5) {
        let path = format!("{LOG}?{YEARS}&numberOfSamples=5&offset={offset}");
        let page = server.get(&server.admin, &path).await.is(200);
        let more = offset + 5 < all.len();
        assert_eq!(page["next"].as_u64().is_some(), more, "{page}");
        numbers.extend(
            page["audit_logs"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["id"].to_string()),
        );
    }
    assert_eq!(numbers.len(), all.len(), "no page repeats or leaves out an event");
    // Who administers a cluster sees the log of none (control-plane 2.8), and who has no such right not either.
    for token in [
        &organization.nobody,
        &organization.alice,
        &organization.bob,
        &organization.ci,
    ] {
        server.get(token, &format!("{LOG}?{YEARS}")).await.refused(403);
        server
            .get(token, &format!("{LOG}/file?{YEARS}"))
            .await
            .refused(403);
    }
    server.get("", &format!("{LOG}?{YEARS}")).await.refused(401);
    let filters = "filterBy=action==create,entity_type==project,entity_name==ROBOTS,cluster_name==demo";
    let page = server
        .get(&server.admin, &format!("{LOG}?{YEARS}&{filters}"))
        .await
        .is(200);
    assert_eq!(page["total"], 1, "{page}");
    let made = &page["audit_logs"][0];
    assert_eq!(
        (&made["entity_id"], &made["cluster_name"]),
        (&json!(organization.robots), &json!("demo"))
    );
    // What ours calls more exactly goes by the reference's word.
    let path = format!("/api/v1/service-accounts/{}", organization.ci_id);
    let body = json!({"enabled": false}).to_string();
    server
        .call(&server.admin, Method::PATCH, &path, body)
        .await
        .is(200);
    let path = format!("{LOG}?{YEARS}&filterBy=action==update&sortBy=timestamp&sortOrder=desc");
    let page = server.get(&server.admin, &path).await.is(200);
    assert_eq!(page["audit_logs"][0]["metadata"]["action"], "disable", "{page}");
    let none = server
        .get(&server.admin, &format!("{LOG}?start=2024-01-01&end=2025-01-01"))
        .await
        .is(200);
    assert_eq!(none, json!({"total": 0, "audit_logs": []}));
    let none = server
        .get(&server.admin, &format!("{LOG}?{YEARS}&numberOfSamples=0"))
        .await
        .is(200);
    assert_eq!((&none["audit_logs"], none.get("next")), (&json!([]), None));
    for wrong in ["", "start=2023-01-01", "start=soon&end=2024-01-01"] {
        server
            .get(&server.admin, &format!("{LOG}?{wrong}"))
            .await
            .refused(400);
    }
    for wrong in [
        "numberOfSamples=1001",
        "filterBy=colour==red",
        "fileType=CSV",
        "sortBy=hash",
    ] {
        server
            .get(&server.admin, &format!("{LOG}?{YEARS}&{wrong}"))
            .await
            .refused(400);
    }
}

#[tokio::test]
async fn the_log_is_downloaded_as_csv_and_as_json() {
    let server = Server::new().await;
    server.rule(("group", "=a, \"b\""), 9, ("tenant", "1")).await;
    let file = async |query: &str| {
        let answer = server
            .get(
                &server.admin,
                &format!("{LOG}/file?{YEARS}&numberOfSamples=1000{query}"),
            )
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/octet-stream");
        answer
    };
    let csv = file("").await;
    assert_eq!(
        csv.headers["content-disposition"],
        "attachment; filename=\"audit-log.csv\""
    );
    let count = events(&server).await.len();
    assert_eq!(csv.text.split("\r\n").count(), count + 2, "{}", csv.text);
    assert!(
        csv.text.starts_with("id,timestamp,tenant_id,subject,"),
        "{}",
        csv.text
    );
    // Both names of the parameter: the document's and that of its client (control-plane 0.3, trap 11).
    for query in ["&fileType=JSON", "&file_type=JSON"] {
        let json = file(query).await.json();
        assert_eq!(json.as_array().unwrap().len(), count);
    }
    server
        .get(&server.admin, &format!("{LOG}/file?{YEARS}&fileType=XML"))
        .await
        .refused(400);
}
