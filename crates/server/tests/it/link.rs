//! The link, as an operator sees it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Method, Request};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::StreamExt;
use reeve_link::Resume;
use reeve_types::Revision;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::server::{OrganizationFixture, Server, write_beside};

/// A revision of the cluster that has this token of the link, with what the database keeps of it.
async fn kept(server: &Server, token: &str, revision: u64) -> Resume {
    let claims = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let cluster = claims["sub"].as_str().unwrap();
    let sql =
        format!("SELECT token FROM revision_tokens WHERE cluster_id = '{cluster}' AND revision = {revision}");
    let kept = server.dir.beside().read(&sql).await;
    resume(revision, kept[0]["token"].as_str().unwrap())
}

fn resume(revision: u64, token: &str) -> Resume {
    Resume {
        revision: Revision(revision),
        token: token.parse().unwrap(),
    }
}

/// An open stream.
pub(crate) struct Watch {
    stream: BodyDataStream,
    rest: String,
}

impl Watch {
    /// From nothing, or from a revision that the server's database has.
    pub(crate) async fn open(server: &Server, token: &str, resume: Option<u64>) -> Self {
        let resume = match resume {
            Some(revision) => Some(kept(server, token, revision).await),
            None => None,
        };
        Self::open_from(server, token, resume).await
    }

    pub(crate) async fn open_from(server: &Server, token: &str, resume: Option<Resume>) -> Self {
        let mut hello = json!({"protocol": reeve_link::PROTOCOL_VERSION, "operatorVersion": "test"});
        if let Some(resume) = resume {
            hello["resume"] = json!(resume);
        }
        let request = Request::builder()
            .method(Method::POST)
            .uri("/link/v1/watch")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::from(hello.to_string()))
            .unwrap();
        let response = server.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        Self {
            stream: response.into_body().into_data_stream(),
            rest: String::new(),
        }
    }

    /// The next line; `None` when the stream has ended.
    pub(crate) async fn line(&mut self) -> Option<Value> {
        loop {
            if let Some((line, rest)) = self.rest.split_once('\n') {
                let value = serde_json::from_str(line).unwrap();
                self.rest = rest.to_owned();
                return Some(value);
            }
            let next = tokio::time::timeout(Duration::from_secs(30), self.stream.next())
                .await
                .expect("a line in 30 s");
            self.rest.push_str(std::str::from_utf8(&next?.unwrap()).unwrap());
        }
    }

    /// The next line that is no heartbeat.
    pub(crate) async fn news(&mut self) -> Option<Value> {
        loop {
            let line = self.line().await?;
            if line["type"] != "heartbeat" {
                return Some(line);
            }
        }
    }
}

#[tokio::test]
async fn a_stream_begins_with_everything_and_goes_on_with_what_changes() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let mut watch = Watch::open(server, &token, None).await;
    let welcome = watch.news().await.unwrap();
    assert_eq!(
        welcome,
        json!({"type": "welcome", "protocol": 6, "clusterId": organization.cluster, "revision": 6})
    );
    let all = watch.news().await.unwrap();
    assert_eq!(
        (&all["type"], &all["complete"], &all["revision"]),
        (&json!("batch"), &json!(true), &json!(6))
    );
    let kinds: Vec<_> = all["upserts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["object"]["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "AccessRule",
            "AccessRule",
            "AccessRule",
            "AccessRule",
            "Project",
            "Project"
        ]
    );
    server
        .delete(
            &server.admin,
            &format!("/api/v1/authorization/access-rules/{}", organization.alice_rule),
        )
        .await
        .is(204);
    let batch = watch.news().await.unwrap();
    let gone = json!([{"kind": "AccessRule", "id": organization.alice_rule}]);
    let token = kept(server, &token, 7).await.token;
    assert_eq!(
        batch,
        json!({"type": "batch", "revision": 7, "token": token, "complete": false, "deletes": gone, "upserts": []})
    );
    server.rule(("group", "everybody"), 9, ("tenant", "1")).await;
    let batch = watch.news().await.unwrap();
    assert_eq!(
        batch["upserts"][0]["object"]["spec"]["scope"],
        json!({"type": "cluster"})
    );
}

#[tokio::test]
async fn a_resumed_stream_is_told_only_what_is_later() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let mut watch = Watch::open(server, &token, Some(4)).await;
    assert_eq!(watch.news().await.unwrap()["revision"], 6);
    let batch = watch.news().await.unwrap();
    let revisions: Vec<_> = batch["upserts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["revision"].clone())
        .collect();
    assert_eq!(
        (&batch["complete"], revisions),
        (&json!(false), vec![json!(5), json!(6)])
    );
    let mut watch = Watch::open(server, &token, Some(6)).await;
    assert_eq!(watch.news().await.unwrap()["type"], "welcome");
    assert_eq!(
        watch.line().await.unwrap(),
        json!({"type": "heartbeat"}),
        "nothing new, nothing sent"
    );
    // From the future, and from another state of the same number: it is sent everything.
    let six = kept(server, &token, 6).await;
    let future = Resume {
        revision: Revision(7),
        ..six
    };
    for resume in [future, resume(6, &"0".repeat(32))] {
        let mut watch = Watch::open_from(server, &token, Some(resume)).await;
        assert_eq!(watch.news().await.unwrap()["revision"], 6);
        assert_eq!(watch.news().await.unwrap()["complete"], true);
    }
}

/// A server over a copy of what another, which has ended, left.
async fn over_a_copy_of(server: &Server) -> Server {
    Server::open(server.dir.copy().await, server.clock.clone()).await
}

/// What the first batch of a stream that resumes there is: the revisions of its objects, or `None` for everything.
async fn sent(server: &Server, organization: &OrganizationFixture, resume: Resume) -> Option<Vec<u64>> {
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let mut watch = Watch::open_from(server, &token, Some(resume)).await;
    assert_eq!(watch.news().await.unwrap()["type"], "welcome");
    let batch = watch.line().await.unwrap();
    if batch["complete"] == true {
        return None;
    }
    let upserts = batch["upserts"].as_array().into_iter().flatten();
    Some(upserts.map(|it| it["revision"].as_u64().unwrap()).collect())
}

async fn position(server: &Server, organization: &OrganizationFixture, revision: u64) -> Resume {
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    kept(server, &token, revision).await
}

/// Planted fault: with the token ignored, revision 8 of the lost database is taken for revision 8 of the restored one, and a
/// rule that is in no database stays in the cluster.
#[tokio::test]
async fn a_restored_database_that_has_overtaken_the_operator_sends_everything() {
    let organization = OrganizationFixture::new().await;
    let six = position(&organization.server, &organization, 6).await;
    organization.server.sql.close().await;
    // The backup is taken at revision 6; what happens to the original afterwards is lost.
    let lost = over_a_copy_of(&organization.server).await;
    for group in ["a", "b"] {
        lost.rule(("group", group), 9, ("tenant", "1")).await;
    }
    let (seven, eight) = (
        position(&lost, &organization, 7).await,
        position(&lost, &organization, 8).await,
    );
    assert_eq!(sent(&lost, &organization, seven).await, Some(vec![8]));
    lost.sql.close().await;

    let restored = over_a_copy_of(&organization.server).await;
    assert_eq!(
        sent(&restored, &organization, eight).await,
        None,
        "not come to yet"
    );
    for group in ["c", "d", "e", "f"] {
        restored.rule(("group", group), 9, ("tenant", "1")).await;
    }
    // The operator is at revision 8 of what is in no database, and here are ten.
    assert_eq!(sent(&restored, &organization, eight).await, None);
    assert_eq!(sent(&restored, &organization, seven).await, None);
    // What both share can be gone on from.
    assert_eq!(sent(&restored, &organization, six).await, Some(vec![7, 8, 9, 10]));

    // The same when the copy is taken again, and the same server goes on with it.
    let ten = position(&restored, &organization, 10).await;
    restored.sql.close().await;
    let again = over_a_copy_of(&restored).await;
    again.rule(("group", "g"), 9, ("tenant", "1")).await;
    assert_eq!(sent(&again, &organization, ten).await, Some(vec![11]));
    let eleven = position(&again, &organization, 11).await;
    again.sql.close().await;
    let last = over_a_copy_of(&restored).await;
    last.rule(("group", "h"), 9, ("tenant", "1")).await;
    assert_eq!(sent(&last, &organization, eleven).await, None);
}

#[tokio::test]
async fn an_ordinary_restart_sends_only_later_revisions() {
    let organization = OrganizationFixture::new().await;
    let (five, six) = (
        position(&organization.server, &organization, 5).await,
        position(&organization.server, &organization, 6).await,
    );
    organization.server.sql.close().await;
    let server = Server::open(
        Arc::clone(&organization.server.dir),
        organization.server.clock.clone(),
    )
    .await;
    server.rule(("group", "g"), 9, ("tenant", "1")).await;
    assert_eq!(sent(&server, &organization, five).await, Some(vec![6, 7]));
    assert_eq!(sent(&server, &organization, six).await, Some(vec![7]));
    let seven = position(&server, &organization, 7).await;
    assert_eq!(sent(&server, &organization, seven).await, Some(vec![]));
}

#[tokio::test]
async fn another_clusters_changes_are_not_its_business() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (other, secret) = server.cluster("other").await;
    let token = server.link_token(&other, &secret).await;
    let mut watch = Watch::open(server, &token, None).await;
    watch.news().await.unwrap();
    let all = watch.news().await.unwrap();
    assert_eq!(
        all["upserts"].as_array().unwrap().len(),
        1,
        "the administrator's rule reaches every cluster"
    );
    server
        .rule(("group", "g"), 9, ("project", &organization.robots))
        .await;
    server.rule(("group", "g"), 9, ("tenant", "1")).await;
    let batch = watch.news().await.unwrap();
    assert_eq!(
        (&batch["revision"], batch["upserts"].as_array().unwrap().len()),
        (&json!(2), 1)
    );
}

#[tokio::test]
async fn a_stream_ends_with_its_cluster_its_token_and_the_server() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let (other, secret) = server.cluster("other").await;
    let second = server.link_token(&other, &secret).await;

    let mut watch = Watch::open(server, &token, Some(6)).await;
    server
        .delete(
            &server.admin,
            &format!("/api/v1/clusters/{}", organization.cluster),
        )
        .await
        .is(204);
    while watch.line().await.is_some() {}
    server
        .post(&token, "/link/v1/status", json!({}))
        .await
        .refused(401);
    let again = json!({"clusterId": organization.cluster, "clientSecret": organization.secret});
    let told = server.post("", "/link/v1/token", again).await.is(410);
    assert_eq!(
        (&told["code"], &told["deletedClusterId"]),
        (&json!(410), &json!(organization.cluster))
    );
    // Whoever has not its secret learns nothing.
    let wrong = json!({"clusterId": organization.cluster, "clientSecret": secret});
    let nowhere =
        json!({"clusterId": "00000000-0000-4000-8000-000000000000", "clientSecret": organization.secret});
    assert_eq!(
        server.post("", "/link/v1/token", wrong).await.refused(400),
        server.post("", "/link/v1/token", nowhere).await.refused(400)
    );

    let mut watch = Watch::open(server, &second, None).await;
    server.clock.advance_seconds(3_600);
    while watch.line().await.is_some() {}
    server
        .post(
            &second,
            "/link/v1/watch",
            json!({"protocol": reeve_link::PROTOCOL_VERSION, "operatorVersion": "x"}),
        )
        .await
        .refused(401);

    let third = server.link_token(&other, &secret).await;
    let mut watch = Watch::open(server, &third, None).await;
    server.app.stopping.send_replace(true);
    while watch.line().await.is_some() {}
    assert_eq!(server.app.cluster_streams.streams(), 0);
}

#[tokio::test]
async fn a_hello_or_a_report_that_cannot_be_is_400() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let message = server
        .post(
            &token,
            "/link/v1/watch",
            json!({"protocol": 3, "operatorVersion": "x",
                "resume": {"history": "00000000-0000-4000-8000-000000000000", "revision": 6}}),
        )
        .await
        .refused(400);
    assert!(
        message.contains("protocol `3` is not spoken here: this server speaks 6"),
        "{message}"
    );
    server
        .post(&token, "/link/v1/watch", json!({}))
        .await
        .refused(400);
    server
        .call(&token, Method::POST, "/link/v1/status", "{")
        .await
        .refused(400);
    let chatty = json!({"protocol": reeve_link::PROTOCOL_VERSION, "operatorVersion": "x".repeat(65)});
    let message = server.post(&token, "/link/v1/watch", chatty).await.refused(400);
    assert!(message.contains("operatorVersion"), "{message}");
    // An array of an object's fields is no object.
    for (token, path, body) in [
        (
            "",
            "/link/v1/token",
            json!([organization.cluster, organization.secret]),
        ),
        (&*token, "/link/v1/watch", json!([3, "x", null])),
        (&*token, "/link/v1/status", json!([])),
    ] {
        server.post(token, path, body).await.refused(400);
    }
    let wrong = json!({"clusterId": organization.cluster, "clientSecret": "wrong"});
    let a = server.post("", "/link/v1/token", wrong).await.refused(400);
    let nowhere =
        json!({"clusterId": "00000000-0000-4000-8000-000000000000", "clientSecret": organization.secret});
    let b = server.post("", "/link/v1/token", nowhere).await.refused(400);
    assert_eq!(a, b);
}

#[tokio::test]
async fn a_fifth_stream_of_a_cluster_ends_the_first() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let mut streams = Vec::new();
    for _ in 0..5 {
        let mut watch = Watch::open(server, &token, Some(6)).await;
        assert_eq!(watch.news().await.unwrap()["type"], "welcome");
        streams.push(watch);
    }
    while streams[0].line().await.is_some() {}
    assert_eq!(server.app.cluster_streams.streams(), 4);
    server.rule(("group", "g"), 9, ("tenant", "1")).await;
    // At once: what one does not read keeps the others of its cluster waiting for a while.
    let news = streams[1..].iter_mut().map(Watch::news);
    for news in futures::future::join_all(news).await {
        assert_eq!(news.unwrap()["revision"], 7);
    }
}

#[tokio::test]
async fn one_clusters_secret_is_worth_nothing_for_another() {
    let organization = OrganizationFixture::new().await;
    let (other, _) = organization.server.cluster("other").await;
    let body = json!({"clusterId": other, "clientSecret": organization.secret});
    organization
        .server
        .post("", "/link/v1/token", body)
        .await
        .refused(400);
}

#[tokio::test]
async fn a_cluster_shows_whether_its_operator_is_there() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let path = format!("/api/v1/clusters/{}", organization.cluster);
    let state = || async { server.get(&server.admin, &path).await.is(200)["status"]["state"].clone() };
    assert_eq!(state().await, "WaitingToConnect");
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let watch = Watch::open(server, &token, None).await;
    assert_eq!(state().await, "Connected");
    let settings = json!({
        "enforceRunAsUser": true, "enforcePreventPrivilegeEscalation": true, "kubernetesVersion": "v1.37.2",
        "operatorVersion": "0.1.0", "policyAlarms": ["policy `x` is missing"],
    });
    server
        .post(
            &token,
            "/link/v1/status",
            json!({"revision": 6, "settings": settings}),
        )
        .await
        .is(204);
    let shown = server.get(&server.admin, &path).await.is(200);
    assert_eq!(shown["status"]["state"], "ServiceIssues");
    assert_eq!(
        shown["status"]["conditions"][0]["message"],
        "policy `x` is missing"
    );
    assert_eq!(shown["status"]["platform"]["kubeVersion"], "v1.37.2");
    drop(watch);
    server.clock.advance_seconds(60);
    while server.app.cluster_streams.streams() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    server.clock.advance_seconds(60);
    let applied = server
        .app
        .directory()
        .cluster(organization.cluster.parse().unwrap())
        .unwrap()
        .applied_revision;
    assert_eq!(applied.0, 6);
    assert_eq!(state().await, "Disconnected");
}

/// A training as large as may be.
pub(crate) fn large(organization: &OrganizationFixture, name: &str) -> Value {
    let variables: Vec<_> = (0..1024)
        .map(|number| json!({"name": format!("V{number:04}"), "value": "v".repeat(123)}))
        .collect();
    json!({"name": name, "projectId": organization.robots, "clusterId": organization.cluster,
        "spec": {"image": "local.test/tools:1", "args": "a".repeat(32 * 1024), "environmentVariables": variables}})
}

/// The parts of the complete state with which a stream begins.
async fn parts(watch: &mut Watch) -> Vec<Value> {
    assert_eq!(watch.news().await.unwrap()["type"], "welcome");
    let mut parts = Vec::new();
    loop {
        let part = watch.news().await.unwrap();
        let last = part["more"] != true;
        parts.push(part);
        if last {
            return parts;
        }
    }
}

fn kinds(part: &Value) -> Vec<&str> {
    let upserts = part["upserts"].as_array().into_iter().flatten();
    upserts.map(|it| it["object"]["kind"].as_str().unwrap()).collect()
}

/// Planted fault: with `PART_BYTES` without bound there is one part, and the lines are longer than they may be.
#[tokio::test]
async fn the_complete_state_comes_in_parts_rules_first_and_ends_with_a_mark() {
    const LARGE: usize = 40;
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    for number in 0..LARGE {
        let body = large(&organization, &format!("large-{number}"));
        server
            .post(&organization.alice, "/api/v1/workloads/trainings", body)
            .await
            .is(202);
    }
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let parts = parts(&mut Watch::open(server, &token, None).await).await;
    assert!(parts.len() > LARGE / 8, "{} parts", parts.len());
    let mut seen = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        assert_eq!(
            (&part["complete"], &part["revision"]),
            (&json!(true), &json!(6 + LARGE))
        );
        assert!(
            part.to_string().len() < 1024 * 1024,
            "a part of {} bytes",
            part.to_string().len()
        );
        assert_eq!(
            part["more"] == true,
            number + 1 < parts.len(),
            "the last is the end mark"
        );
        assert_eq!(
            part["rulesEnd"] == true,
            number == 0,
            "every rule is in the first"
        );
        seen.extend(kinds(part));
    }
    let count = |kind| seen.iter().filter(|it| **it == kind).count();
    assert_eq!(
        (count("AccessRule"), count("Project"), count("Workload")),
        (4, 2, LARGE)
    );
    assert!(seen.is_sorted(), "rules, projects, workloads: {seen:?}");
}

/// Planted fault: without the look between two parts the deletion comes after the last one.
#[tokio::test]
async fn a_rule_that_is_deleted_while_a_large_state_is_sent_does_not_wait_for_its_end() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    for number in 0..40 {
        let body = large(&organization, &format!("large-{number}"));
        server
            .post(&organization.alice, "/api/v1/workloads/trainings", body)
            .await
            .is(202);
    }
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let mut watch = Watch::open(server, &token, None).await;
    assert_eq!(watch.news().await.unwrap()["type"], "welcome");
    assert_eq!(watch.news().await.unwrap()["rulesEnd"], true);
    // Whoever reads slowly has the server wait: it is a few parts ahead.
    let path = format!("/api/v1/authorization/access-rules/{}", organization.alice_rule);
    server.delete(&server.admin, &path).await.is(204);
    let gone = json!([{"kind": "AccessRule", "id": organization.alice_rule}]);
    let mut after = None;
    loop {
        let part = watch.news().await.unwrap();
        if part["deletes"] == gone && after.is_none() {
            assert_eq!((&part["complete"], &part["more"]), (&json!(false), &json!(true)));
            after = Some(0);
        } else if let Some(parts) = &mut after {
            *parts += 1;
        }
        if part["more"] != true {
            break;
        }
    }
    assert!(
        after.is_some_and(|parts| parts > 1),
        "it came with the last part: {after:?}"
    );
}

#[tokio::test]
async fn changes_that_gathered_come_in_parts_deletions_first() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    for number in 0..12 {
        let body = large(&organization, &format!("large-{number}"));
        server
            .post(&organization.alice, "/api/v1/workloads/trainings", body)
            .await
            .is(202);
    }
    let path = format!("/api/v1/authorization/access-rules/{}", organization.alice_rule);
    server.delete(&server.admin, &path).await.is(204);
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let parts = parts(&mut Watch::open(server, &token, Some(6)).await).await;
    assert!(parts.len() > 2, "{} parts", parts.len());
    assert_eq!(
        parts[0]["deletes"],
        json!([{"kind": "AccessRule", "id": organization.alice_rule}])
    );
    let all: Vec<_> = parts.iter().flat_map(kinds).collect();
    assert_eq!(all, ["Workload"; 12]);
    let last = parts.last().unwrap();
    assert_eq!(
        (&last["complete"], &last["revision"]),
        (&json!(false), &json!(19))
    );
}

/// More deletions than a line may name: the complete state says the same.
#[tokio::test]
async fn who_missed_too_many_deletions_is_sent_everything() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    const MANY: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= 20000)
        INSERT INTO desired_objects (cluster_id, kind, object_id, revision, body)
        SELECT c.id, 'access-rule', CAST(1000000 + i AS TEXT), 6, NULL FROM n, clusters c";
    assert_eq!(reeve_link::DELETES, 20_000);
    write_beside(server, MANY).await;
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let mut watch = Watch::open(server, &token, Some(5)).await;
    assert_eq!(watch.news().await.unwrap()["type"], "welcome");
    assert_eq!(watch.news().await.unwrap()["complete"], true);
}
