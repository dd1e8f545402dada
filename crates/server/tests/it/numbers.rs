//! Which uids and gids people may have, where, and how one that was given by mistake becomes free again.

use axum::http::Method;
use reeve_store::EMAIL_RESTS_SECONDS;
use serde_json::{Value, json};

use crate::audit::events;
use crate::server::{Answer, OrganizationFixture, Server, rule};

const ALL: &str = "/api/v1/users";

async fn set(server: &Server, user: &str, numbers: Value) -> Answer {
    let path = format!("{ALL}/{user}/posix");
    server
        .call(&server.admin, Method::PUT, &path, numbers.to_string())
        .await
}

async fn lowest(server: &Server, token: &str, cluster: &str, number: Value) -> Answer {
    let path = format!("/api/v1/clusters/{cluster}/lowest-id");
    let body = json!({"lowestId": number});
    server.call(token, Method::PUT, &path, body.to_string()).await
}

async fn release(server: &Server, token: &str, uid: &str) -> Answer {
    server.delete(token, &format!("/api/v1/uids/{uid}")).await
}

/// What the last event of the log says, besides who and why.
async fn last_event(server: &Server) -> (String, Value) {
    // Failed attempts are recorded after their answers, so that they may come later.
    let mut done = events(server).await.into_iter().rev().map(|row| row.entry);
    let event = done
        .find(|entry| entry.result == reeve_store::Outcome::Succeeded)
        .unwrap();
    let mut metadata = serde_json::to_value(&event.metadata).unwrap();
    for reason in ["allowed_by_rule", "allowed_by_role"] {
        metadata.as_object_mut().unwrap().remove(reason);
    }
    (
        serde_json::to_value(event.action)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned(),
        metadata,
    )
}

#[tokio::test]
async fn nobodys_numbers_are_refused_by_name_as_uid_and_as_gid() {
    let organization = OrganizationFixture::new().await;
    lowest(
        &organization.server,
        &organization.server.admin,
        &organization.cluster,
        json!(1),
    )
    .await
    .is(200);
    for (number, what) in [
        (65_534_i64, "kernel and NFS"),
        (65_535, "-1 in 16 bits"),
        (4_294_967_295, "-1 in 32 bits"),
    ] {
        for numbers in [
            json!({"uid": number, "gid": 5000}),
            json!({"uid": 70099, "gid": number}),
            json!({"uid": 70099, "gid": 5000, "supplementaryGroups": [number]}),
        ] {
            let said = set(
                &organization.server,
                &organization.alice_id.to_string(),
                numbers.clone(),
            )
            .await
            .refused(400);
            assert!(
                said.contains(&number.to_string()) && said.contains(what),
                "{said}"
            );
            let new = json!({"email": "new@example.com", "posix": numbers});
            organization
                .server
                .post(&organization.server.admin, ALL, new)
                .await
                .refused(400);
        }
    }
    for fine in [65_533, 65_536] {
        let numbers = json!({"uid": fine, "gid": fine});
        set(&organization.server, &organization.alice_id.to_string(), numbers)
            .await
            .is(200);
    }
}

#[tokio::test]
async fn an_old_directorys_numbers_count_in_the_cluster_that_was_opened_for_them() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let alice = organization.alice_id.to_string();
    let old = || json!({"uid": 501, "gid": 20, "supplementaryGroups": [100]});
    let said = set(server, &alice, old()).await.refused(400);
    assert!(
        said.contains("uid `501` is below `1000`") && said.contains("lowest-id"),
        "{said}"
    );
    let (other, _) = server.cluster("other").await;
    let set_to = lowest(server, &server.admin, &other, json!(20)).await.is(200);
    assert_eq!(set_to["lowestId"], 20);
    let told = json!({"lowest_id_before": "1000", "lowest_id_after": "20"});
    assert_eq!(last_event(server).await, ("update".to_owned(), told));
    let said = set(server, &alice, json!({"uid": 501, "gid": 19}))
        .await
        .refused(400);
    assert!(said.contains("gid `19` is below `20`"), "{said}");
    set(server, &alice, old()).await.is(200);
    let told = json!({"posix_before": "70012/5000/5001", "posix_after": "501/20/100"});
    assert_eq!(last_event(server).await, ("update".to_owned(), told));

    // In the cluster that nobody opened she gets neither a token nor a workload.
    let token = |cluster: &str| format!("/api/v1/clusters/{cluster}/kubernetes-token");
    let said = server
        .post(&organization.alice, &token(&organization.cluster), json!(null))
        .await
        .refused(403);
    for part in [
        "your uid `501` is below `1000`",
        "cluster `demo`",
        "an administrator of the account",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let training = json!({
        "name": "train", "projectId": organization.robots, "clusterId": organization.cluster, "spec": {"image": "busybox"},
    });
    let submit = async || {
        server
            .post(
                &organization.alice,
                "/api/v1/workloads/trainings",
                training.clone(),
            )
            .await
    };
    assert!(submit().await.refused(403).contains("your uid `501`"));
    let department = server.department(&other, "old").await;
    let project = server.project(&other, &department, "macs").await;
    server
        .rule(("user", "alice@example.com"), 5, ("project", &project))
        .await;
    server
        .post(&organization.alice, &token(&other), json!(null))
        .await
        .is(200);
    // Opened, it lets her in at once; closed again, out.
    lowest(server, &server.admin, &organization.cluster, json!(20))
        .await
        .is(200);
    submit().await.is(202);
    server
        .post(&organization.alice, &token(&organization.cluster), json!(null))
        .await
        .is(200);
    lowest(server, &server.admin, &organization.cluster, json!(1000))
        .await
        .is(200);
    server
        .post(&organization.alice, &token(&organization.cluster), json!(null))
        .await
        .refused(403);
}

#[tokio::test]
async fn only_an_administrator_of_the_account_lowers_the_lowest_id_and_never_to_root() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (_, carol) = server.user("carol@example.com", json!(null)).await;
    server
        .rule(
            ("user", "carol@example.com"),
            1,
            ("cluster", &organization.cluster),
        )
        .await;
    for token in [&carol, &organization.alice] {
        lowest(server, token, &organization.cluster, json!(20))
            .await
            .refused(403);
    }
    for wrong in [json!(0), json!(1001), json!(-1), json!("20"), json!(null)] {
        let said = lowest(server, &server.admin, &organization.cluster, wrong)
            .await
            .refused(400);
        assert!(said.contains("lowestId"), "{said}");
    }
    let nowhere = "00000000-0000-4000-8000-000000000000";
    lowest(server, &server.admin, nowhere, json!(20))
        .await
        .refused(404);
}

#[tokio::test]
async fn a_uid_that_was_given_by_mistake_is_released_by_an_administrator_of_the_account() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let alice = organization.alice_id.to_string();
    let said = release(server, &server.admin, "70012").await.refused(409);
    assert!(said.contains("`alice@example.com` has it now"), "{said}");
    // Her work runs as it, though she has another.
    let training = json!({
        "name": "train", "projectId": organization.robots, "clusterId": organization.cluster, "spec": {"image": "busybox"},
    });
    let work = server
        .post(&organization.alice, "/api/v1/workloads/trainings", training)
        .await
        .is(202);
    set(server, &alice, json!({"uid": 70013, "gid": 5000}))
        .await
        .is(200);
    let said = release(server, &server.admin, "70012").await.refused(409);
    assert!(said.contains("workload `train`"), "{said}");
    let work = format!(
        "/api/v1/workloads/trainings/{}",
        work["workloadId"].as_str().unwrap()
    );
    server.delete(&server.admin, &work).await.is(202);
    // Deleted here; the cluster has not said that it is gone there.
    let said = release(server, &server.admin, "70012").await.refused(409);
    assert!(said.contains("cluster `demo` has not yet said"), "{said}");
    let link = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let cluster = organization.cluster.parse().unwrap();
    let sent = server.app.directory().cluster(cluster).unwrap().revision.0;
    server
        .post(&link, "/link/v1/status", json!({"revision": sent}))
        .await
        .is(204);
    let said = release(server, &server.admin, "70012").await.refused(409);
    assert!(
        said.contains("a Kubernetes token that was given with it may be good until"),
        "{said}"
    );
    server.clock.advance_seconds(EMAIL_RESTS_SECONDS);

    // Nobody else may, and what was never given is not there.
    let (_, carol) = server.user("carol@example.com", json!(null)).await;
    server
        .rule(
            ("user", "carol@example.com"),
            1,
            ("cluster", &organization.cluster),
        )
        .await;
    release(server, &carol, "70012").await.refused(404);
    release(server, &organization.alice, "70012").await.refused(403);
    for wrong in ["70099", "0", "nonsense", "65534"] {
        release(server, &server.admin, wrong).await.refused(404);
    }
    let dave = json!({"email": "dave@example.com", "posix": {"uid": 70012, "gid": 5000}});
    server.post(&server.admin, ALL, dave.clone()).await.refused(409);
    release(server, &server.admin, "70012").await.is(204);
    let (action, told) = last_event(server).await;
    assert_eq!(
        (action.as_str(), &told["owner_before"]),
        ("release", &json!(alice))
    );
    assert_eq!(told["owner_email_before"], "alice@example.com");
    server.post(&server.admin, ALL, dave).await.is(201);
    // It is his now.
    set(server, &alice, json!({"uid": 70012, "gid": 5000}))
        .await
        .refused(409);
    release(server, &server.admin, "70012").await.refused(409);
}

#[tokio::test]
async fn sign_ins_and_settings_of_clusters_are_recorded() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let begin = events(server).await.len();
    let link = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let wrong = json!({"clusterId": organization.cluster, "clientSecret": "guess"});
    server.post("", "/link/v1/token", wrong).await.refused(400);
    let unknown = json!({"clusterId": "00000000-0000-4000-8000-000000000000", "clientSecret": "guess"});
    server.post("", "/link/v1/token", unknown).await.refused(400);
    let settings = |enforced| {
        json!({"revision": 1, "settings": {
            "enforceRunAsUser": enforced, "enforcePreventPrivilegeEscalation": true,
            "kubernetesVersion": "v1.37.2", "operatorVersion": "0.1.0",
        }})
    };
    for enforced in [true, true, false] {
        server
            .post(&link, "/link/v1/status", settings(enforced))
            .await
            .is(204);
    }
    let told: Vec<_> = events(server)
        .await
        .into_iter()
        .skip(begin)
        .map(|it| it.entry)
        .collect();
    let seen: Vec<_> = told
        .iter()
        .map(|it| (it.action, it.result, it.http_status_code, it.subject.as_str()))
        .collect();
    use reeve_store::{
        AuditAction::{SignIn, Update},
        Outcome::{Failed, Succeeded},
    };
    assert_eq!(
        seen,
        [
            (SignIn, Succeeded, 200, "demo"),
            (Update, Succeeded, 204, "demo"),
            (Update, Succeeded, 204, "demo"),
            // After its answer.
            (SignIn, Failed, 400, "demo"),
        ]
    );
    assert!(told[0].metadata.contains_key("jti"));
    let changed = json!({"enforceRunAsUser_before": "true", "enforceRunAsUser_after": "false"});
    assert_eq!(serde_json::to_value(&told[2].metadata).unwrap(), changed);
    assert!(told.iter().all(|it| it.entity_id == organization.cluster));
}

#[tokio::test]
async fn a_department_administrator_gives_no_numbers_back() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (_, erin) = server.user("erin@example.com", json!(null)).await;
    let body = rule(
        ("user", "erin@example.com"),
        1,
        ("department", &organization.vision),
    );
    server
        .post(&server.admin, "/api/v1/authorization/access-rules", body)
        .await
        .is(201);
    release(server, &erin, "70012").await.refused(404);
    lowest(server, &erin, &organization.cluster, json!(20))
        .await
        .refused(403);
}
