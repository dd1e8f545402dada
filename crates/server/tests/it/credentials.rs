//! Credentials: values go in and never out, whoever asks; what clusters get; keys at rest.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use axum::http::Method;
use reeve_identity::MasterKey;
use reeve_server::credential_keys::{CredentialSealer, FILE};
use reeve_server::rotation;
use reeve_types::CredentialAssetKind;
use serde_json::{Value, json};

use crate::audit::events;
use crate::database::holds;
use crate::link::Watch;
use crate::server::{OrganizationFixture, Server, write_beside};

/// Part of every value that must not show.
pub(crate) const CANARY: &str = "C4nary-cr3dential";
const BASE: &str = "/api/v1/asset/credentials";

/// Values of a kind.
pub(crate) fn spec(slug: &str, value: &str) -> Value {
    match slug {
        "access-key" => json!({"accessKeyId": "AKIA0", "secretAccessKey": value}),
        "password" => json!({"user": "robot", "password": value}),
        "docker-registry" => json!({"url": "registry.example.org", "user": "robot", "password": value}),
        "generic-secret" => json!({"keyValuePairs": [{"key": "token", "value": value}]}),
        _ => json!({"ngc_api_key": value}),
    }
}

/// A body that makes one.
pub(crate) fn body(slug: &str, name: &str, scope: (&str, &str)) -> Value {
    let mut meta = json!({"name": name, "scope": scope.0});
    match scope.0 {
        "cluster" => meta["clusterId"] = json!(scope.1),
        "department" => meta["departmentId"] = json!(scope.1),
        "project" => meta["projectId"] = json!(scope.1.parse::<u32>().unwrap()),
        _ => {}
    }
    json!({"meta": meta, "spec": spec(slug, CANARY)})
}

/// Keeps one; its id.
pub(crate) async fn keep(
    server: &Server,
    token: &str,
    slug: &str,
    name: &str,
    scope: (&str, &str),
) -> String {
    let made = server
        .post(token, &format!("{BASE}/{slug}"), body(slug, name, scope))
        .await;
    made.is(202)["meta"]["id"].as_str().unwrap().to_owned()
}

fn names(answer: &Value) -> Vec<String> {
    let entries = answer["entries"].as_array().unwrap().iter();
    entries
        .map(|it| it["meta"]["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn put(server: &Server, token: &str, path: &str, body: Value) -> crate::server::Answer {
    server.call(token, Method::PUT, path, body.to_string()).await
}

#[tokio::test]
async fn every_kind_is_kept_shown_changed_and_deleted_and_no_answer_holds_a_value() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let admin = server.admin.as_str();
    for kind in CredentialAssetKind::ALL {
        let slug = kind.slug();
        let list = format!("{BASE}/{slug}");
        let text = |answer: &crate::server::Answer| {
            assert!(!answer.text.contains(CANARY), "{slug}: {}", answer.text);
        };
        let made = server
            .post(admin, &list, body(slug, slug, ("project", &organization.robots)))
            .await;
        text(&made);
        let made = made.is(202);
        assert_eq!(made["meta"]["kind"], kind.as_str());
        assert_eq!(
            (&made["meta"]["projectName"], &made["spec"]["keyId"]),
            (&json!("robots"), &json!(0))
        );
        assert_eq!(made["status"]["status"], "Creating");
        let one = format!("{list}/{}", made["meta"]["id"].as_str().unwrap());
        let shown = server.get(admin, &one).await;
        text(&shown);
        assert_eq!(shown.is(200)["clusterInfo"]["resources"][0]["name"], slug);
        let twice = server
            .post(admin, &list, body(slug, slug, ("project", &organization.robots)))
            .await;
        text(&twice);
        assert!(
            twice
                .refused(409)
                .contains(&format!("credential `{slug}` already exists in this scope"))
        );
        let changed = json!({"meta": {"description": "of the build"}, "spec": spec(slug, CANARY)});
        let changed = put(server, admin, &one, changed).await;
        text(&changed);
        let changed = changed.is(202);
        assert_eq!(
            (&changed["meta"]["description"], &changed["meta"]["updateCount"]),
            (&json!("of the build"), &json!(1))
        );
        let kept = put(server, admin, &one, json!({})).await.is(202);
        assert_eq!(kept["meta"]["description"], "of the build");
        // Under the path of another kind it is not there.
        let other = if slug == "password" {
            "access-key"
        } else {
            "password"
        };
        server.get(admin, &one.replace(slug, other)).await.refused(404);
        text(&server.get(admin, &list).await);
        text(&server.get(admin, BASE).await);
        let gone = server.delete(admin, &one).await;
        let status = if matches!(slug, "generic-secret" | "ngc-api-key") {
            204
        } else {
            202
        };
        assert_eq!(gone.status, status, "{slug}");
        server.get(admin, &one).await.refused(404);
        server.delete(admin, &one).await.refused(404);
    }
}

/// Planted fault: a list that asks for `c.project_id` alone leaves out what is the department's.
#[tokio::test]
async fn who_may_read_credentials_sees_those_of_her_scopes_and_of_what_lies_below() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    for (name, scope) in [
        ("account", ("tenant", "")),
        ("cluster", ("cluster", organization.cluster.as_str())),
        ("vision", ("department", organization.vision.as_str())),
        ("robots", ("project", organization.robots.as_str())),
        ("captions", ("project", organization.captions.as_str())),
    ] {
        keep(server, &server.admin, "password", name, scope).await;
    }
    let (_, carol) = server.user("carol@example.com", Value::Null).await;
    server
        .rule(
            ("user", "carol@example.com"),
            2,
            ("department", &organization.vision),
        )
        .await;
    let all = server.get(&server.admin, BASE).await.is(200);
    assert_eq!(
        names(&all),
        ["account", "captions", "cluster", "robots", "vision"]
    );
    assert_eq!(
        all["entries"][0]["spec"],
        json!({"password": {"keyId": 0, "user": "robot"}})
    );
    let hers = server.get(&carol, BASE).await.is(200);
    assert_eq!(names(&hers), ["robots", "vision"]);
    // A researcher of one project sees that project's, and changes nothing.
    let passwords = format!("{BASE}/password");
    let seen = server.get(&organization.alice, &passwords).await.is(200);
    assert_eq!(names(&seen), ["robots"]);
    server
        .post(
            &organization.alice,
            &passwords,
            body("password", "mine", ("project", &organization.robots)),
        )
        .await
        .refused(403);
    server.get(&organization.nobody, BASE).await.refused(403);
    // What is out of sight is not there.
    for hidden in ["account", "cluster", "captions"] {
        let entry = all["entries"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["meta"]["name"] == hidden);
        let path = format!("{passwords}/{}", entry.unwrap()["meta"]["id"].as_str().unwrap());
        server.get(&carol, &path).await.refused(404);
        server.delete(&carol, &path).await.refused(404);
        put(server, &carol, &path, json!({})).await.refused(404);
    }
    let outside = body("password", "x", ("project", &organization.captions));
    server.post(&carol, &passwords, outside).await.refused(404);
    server
        .post(&carol, &passwords, body("password", "x", ("tenant", "")))
        .await
        .refused(403);
    let hers = body("password", "x", ("project", &organization.robots));
    server.post(&carol, &passwords, hers).await.is(202);
    for (query, wanted) in [
        ("?name=robots", vec!["robots"]),
        ("?scope=tenant", vec!["account"]),
        (
            &format!("?departmentId={}", organization.vision),
            vec!["robots", "vision", "x"],
        ),
        (
            &format!("?projectId={}&statusInfo=false", organization.captions),
            vec!["captions"],
        ),
    ] {
        let found = server.get(&server.admin, &format!("{BASE}{query}")).await.is(200);
        assert_eq!(names(&found), wanted, "{query}");
    }
    server
        .get(&server.admin, &format!("{BASE}?projectId=x"))
        .await
        .refused(400);
    let wrong = json!({"meta": {"name": "y", "scope": "project", "projectId": organization.robots, "clusterId": "00000000-0000-4000-8000-000000000000"},
        "spec": spec("password", CANARY)});
    let refused = server.post(&server.admin, &passwords, wrong).await.refused(400);
    assert!(
        refused.starts_with("`meta.clusterId` is not the cluster"),
        "{refused}"
    );
}

async fn next_credential(watch: &mut Watch) -> Value {
    loop {
        let news = watch.news().await.unwrap();
        let upserts = news["upserts"].as_array().cloned().unwrap_or_default();
        let found = upserts
            .into_iter()
            .find(|it| it["object"]["kind"] == "Credential");
        if let Some(found) = found {
            return found["object"]["spec"].clone();
        }
    }
}

#[tokio::test]
async fn a_cluster_gets_the_values_of_what_reaches_it_and_its_stored_state_has_none() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let admin = &server.admin;
    let (other, other_secret) = server.cluster("other").await;
    let id = keep(
        server,
        admin,
        "docker-registry",
        "registry",
        ("project", &organization.robots),
    )
    .await;
    let account = keep(server, admin, "password", "everywhere", ("tenant", "")).await;
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let mut watch = Watch::open(server, &token, None).await;
    watch.news().await.unwrap();
    let everything = watch.news().await.unwrap();
    let kinds: Vec<&str> = everything["upserts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["object"]["kind"].as_str().unwrap())
        .collect();
    let first = kinds.iter().position(|kind| *kind == "Credential").unwrap();
    assert_eq!(
        kinds[first..first + 3],
        ["Credential", "Credential", "Project"],
        "after the rules"
    );
    // A change goes to the cluster with its values, and nowhere else.
    let path = format!("{BASE}/docker-registry/{id}");
    let change = json!({"spec": {"url": "r.example", "user": "robot", "password": "C4nary-changed"}});
    put(server, admin, &path, change).await.is(202);
    let told = next_credential(&mut watch).await;
    let config: Value = serde_json::from_str(told["values"][".dockerconfigjson"].as_str().unwrap()).unwrap();
    assert_eq!(config["auths"]["r.example"]["password"], "C4nary-changed");
    assert_eq!(
        (&told["scope"], &told["name"]),
        (
            &json!({"type": "project", "id": organization.robots}),
            &json!("registry")
        )
    );
    let token = server.link_token(&other, &other_secret).await;
    let mut elsewhere = Watch::open(server, &token, None).await;
    elsewhere.news().await.unwrap();
    let all = elsewhere.news().await.unwrap().to_string();
    assert!(
        all.contains("everywhere") && all.contains(CANARY) && !all.contains("registry"),
        "{all}"
    );
    // Deleted with its scope, and told as deleted.
    server
        .delete(
            admin,
            &format!("/api/v1/org-unit/projects/{}", organization.robots),
        )
        .await;
    let gone = watch.news().await.unwrap()["deletes"].to_string();
    assert!(gone.contains(&id) && !gone.contains(&account), "{gone}");
    server.get(admin, &path).await.refused(404);
    let kept = server.dir.beside().everything().await;
    assert!(!holds(&kept, "C4nary"), "the database holds a value");
    let audit: Vec<String> = events(server)
        .await
        .iter()
        .map(|it| serde_json::to_string(&it.entry).unwrap())
        .collect();
    assert!(!audit.join("\n").contains("C4nary"));
}

/// Rows whose sealed values are exchanged, beside the server: neither opens, and the cluster is told of both without values.
/// A sealer that leaves the row out of what it binds to turns this red.
#[tokio::test]
async fn values_that_were_moved_to_another_row_do_not_open() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    for name in ["one", "two"] {
        keep(
            server,
            &server.admin,
            "password",
            name,
            ("project", &organization.robots),
        )
        .await;
    }
    let told = async || {
        let token = server
            .link_token(&organization.cluster, &organization.secret)
            .await;
        let mut watch = Watch::open(server, &token, None).await;
        watch.news().await.unwrap();
        let all = watch.news().await.unwrap();
        let upserts = all["upserts"].as_array().unwrap().iter();
        let values = upserts
            .filter(|it| it["object"]["kind"] == "Credential")
            .map(|it| it["object"]["spec"]["values"].is_null());
        values.collect::<Vec<bool>>()
    };
    assert_eq!(told().await, [false, false]);
    write_beside(
        server,
        "UPDATE credential_assets SET sealed = (SELECT o.sealed FROM credential_assets o WHERE o.name = 'two') WHERE name = 'one'",
    ).await;
    assert_eq!(
        told().await.iter().filter(|it| **it).count(),
        1,
        "only what is in its own row opens"
    );
}

/// A new key is put first; the work of sealing anew is cut off after every transaction in turn, and goes on from there.
#[tokio::test]
async fn a_new_key_takes_over_wherever_it_is_cut_off_and_the_old_one_can_go() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let master = MasterKey::from_bytes(&[3; 32]).unwrap();
    let file = server.dir.path().join(FILE);
    let one = "1 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\n";
    let two = "2 AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI\n";
    fs::write(&file, one).unwrap();
    let open = || CredentialSealer::new(&master, Some(file.clone()), true).unwrap();
    // Rows of the first key, by hand: the server of this test seals with the key of its master key.
    let store = server.app.store.as_ref();
    let rotation = reeve_authz::Granted::bootstrap(reeve_authz::BootstrapException::KeyRotation);
    let link = reeve_authz::Granted::bootstrap(reeve_authz::BootstrapException::LinkStatus);
    let mut ids = Vec::new();
    for number in 0..7 {
        let id = keep(
            server,
            &server.admin,
            "password",
            &format!("p{number}"),
            ("project", &organization.robots),
        )
        .await;
        let id = id.parse().unwrap();
        let before = store.sealed_credentials(&link, &[id]).await.unwrap().remove(0);
        let values = server.app.security.credentials.open(&before).unwrap();
        let after = open().seal(id, &values).unwrap();
        let entry = || {
            reeve_store::AuditEntry::of_the_system(
                reeve_store::AuditAction::Rotate,
                "x",
                "r".to_owned(),
                server.clock.now(),
            )
        };
        store
            .reseal_credentials(&rotation, &[reeve_store::Resealed { before, after }], entry())
            .await
            .unwrap();
        ids.push(id);
    }
    fs::write(&file, format!("{two}{one}")).unwrap();
    let entry = || {
        reeve_store::AuditEntry::of_the_system(
            reeve_store::AuditAction::Rotate,
            "x",
            "r".to_owned(),
            server.clock.now(),
        )
    };
    for done in 0..=7 {
        // Each turn is another process, that ended after one transaction of one row.
        let sealer = open();
        let used = store.credential_keys().await.unwrap();
        sealer.check(&used).unwrap();
        let new = used
            .iter()
            .find(|(key, _)| *key == 2)
            .map_or(0, |(_, rows)| *rows);
        assert_eq!(new, done);
        for row in store.sealed_credentials(&link, &ids).await.unwrap() {
            sealer.open(&row).unwrap();
        }
        let some = sealer.reseal(store, &rotation, 1, entry()).await.unwrap();
        assert_eq!(some, u64::from(done < 7));
    }
    fs::write(&file, two).unwrap();
    let sealer = open();
    sealer.check(&store.credential_keys().await.unwrap()).unwrap();
    for row in store.sealed_credentials(&link, &ids).await.unwrap() {
        sealer.open(&row).unwrap();
    }
    // Planted fault: a ring without the key that is in use is refused at the start, by its number.
    fs::write(&file, one).unwrap();
    let refused = open().check(&store.credential_keys().await.unwrap()).unwrap_err();
    assert!(refused.to_string().contains("key 2 (7 credentials)"), "{refused}");
}

#[tokio::test]
async fn nothing_is_written_while_everything_is_sealed_with_the_first_key() {
    let server = Server::new().await;
    let server = Server::open(Arc::clone(&server.dir), server.clock.clone()).await;
    keep(&server, &server.admin, "password", "p", ("tenant", "")).await;
    // This server has the key of its master key alone: nothing is to be done, and nothing is written.
    let before = events(&server).await.len();
    rotation::seal_credentials_anew(&server.app).await;
    assert_eq!(events(&server).await.len(), before);
    let keys: BTreeSet<i32> = server
        .app
        .store
        .credential_keys()
        .await
        .unwrap()
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(keys, BTreeSet::from([0]));
}
