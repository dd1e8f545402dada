//! What the audit log says.

use std::fmt::Write as _;

use reeve_authz::{Action, Entity, Scope};
use reeve_server::caller::Caller;
use reeve_store::{AuditRow, SubjectId};
use serde_json::json;

use crate::server::{ADMIN, ADMIN_PASSWORD, Server, Town, rule};

/// All events; the chain is whole.
pub(crate) async fn events(server: &Server) -> Vec<AuditRow> {
    let granted = {
        let directory = server.app.directory();
        let user = directory.user_by_email(&ADMIN.parse().unwrap()).unwrap();
        let (principal, name) = directory
            .authenticate(SubjectId::User(user.id), user.session)
            .unwrap();
        let caller = Caller {
            id: SubjectId::User(user.id),
            principal,
            name,
        };
        directory
            .allow_in_account(&caller, Action::Read, Entity::EventsHistory)
            .unwrap()
    };
    assert_eq!(granted.scope(), Scope::Account);
    // As the process does beside answering.
    reeve_server::upkeep::record_failures(&server.app, true).await;
    server.app.store.verify_audit_chain(&granted).await.unwrap();
    server.app.store.audit_events(&granted, 0, 10_000).await.unwrap()
}

#[tokio::test]
async fn changes_sign_ins_and_refusals_are_recorded_with_who_and_by_which_rule() {
    let town = Town::new().await;
    let server = &town.server;
    let before = events(server).await.len();
    let path = "/api/v1/authorization/access-rules";
    let made = server
        .post(
            &server.admin,
            path,
            rule(("app", "ci"), 9, ("project", &town.captions)),
        )
        .await
        .is(201);
    server
        .delete(&server.admin, &format!("{path}/{}", made["id"]))
        .await
        .is(204);
    server
        .post(&town.alice, path, rule(("app", "ci"), 1, ("tenant", "1")))
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
    let cluster = format!("/api/v1/clusters/{}/kubernetes-token", town.cluster);
    server.post(&town.alice, &cluster, json!(null)).await.is(200);
    server.post(&town.ci, &cluster, json!(null)).await.refused(403);
    let mut page = String::new();
    for event in events(server).await.into_iter().skip(before) {
        let entry = event.entry;
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
    let town = Town::new().await;
    let server = &town.server;
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
