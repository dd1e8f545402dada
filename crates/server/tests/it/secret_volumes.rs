//! Trainings that find credentials as files: by secret assets that their submitters may read, of the credential that the project gets.

use serde_json::{Value, json};

use crate::audit::events;
use crate::server::{Answer, OrganizationFixture};
use crate::workloads::{ALL, enforcing, sent, training};
use crate::{credentials, secret_assets};

const ASSETS: &str = "/api/v1/asset/datasource/secrets";

fn spec(volumes: Value) -> Value {
    json!({"image": "i", "storage": {"secretVolume": volumes}})
}

async fn submit(organization: &OrganizationFixture, token: &str, name: &str, volumes: Value) -> Answer {
    let body = training(organization, name, spec(volumes));
    organization.server.post(token, ALL, body).await
}

/// Keeps a secret asset that says this of workloads; its id.
async fn asset(organization: &OrganizationFixture, name: &str, scope: (&str, &str), said: Value) -> String {
    let mut body = secret_assets::body(name, scope, "");
    body["spec"] = said;
    let made = organization
        .server
        .post(&organization.server.admin, ASSETS, body)
        .await;
    made.is(202)["meta"]["id"].as_str().unwrap().to_owned()
}

/// Planted faults: what the submission says loses to the asset; a cluster that is not told which credential is meant; an audit log that
/// is not told either.
#[tokio::test]
async fn a_training_mounts_a_secret_asset_of_its_project() {
    let organization = OrganizationFixture::new().await;
    let (server, alice) = (&organization.server, organization.alice.as_str());
    let robots = ("project", organization.robots.as_str());
    let token = credentials::keep(server, &server.admin, "password", "token", robots).await;
    let said = json!({"credentialAssetId": token, "mountPath": "/etc/keys", "defaultMode": "0440"});
    let keys = asset(&organization, "keys", robots, said).await;

    let made = submit(&organization, alice, "plain", json!([{"secret": "token"}])).await;
    assert!(!made.text.contains(credentials::CANARY), "{}", made.text);
    let made = made.is(202);
    let shown = json!([{"secret": "token", "mountPath": "/etc/keys", "defaultMode": "0440"}]);
    assert_eq!(made["spec"]["storage"], json!({"secretVolume": shown}));
    let told =
        json!([{"credentialId": token, "secret": "token", "mountPath": "/etc/keys", "defaultMode": "0440"}]);
    assert_eq!(sent(&organization).await["secretVolumes"], told);
    let path = format!("{ALL}/{}", made["workloadId"].as_str().unwrap());
    assert_eq!(server.get(alice, &path).await.is(200)["spec"], made["spec"]);

    let own = json!([{"secret": "token", "mountPath": "/keys", "defaultMode": "0444"}]);
    let made = submit(&organization, alice, "own", own.clone()).await.is(202);
    assert_eq!(made["spec"]["storage"]["secretVolume"], own);
    assert_eq!(
        sent(&organization).await["secretVolumes"][0]["mountPath"],
        "/keys"
    );

    // With a second asset of it neither speaks for the other.
    let other = json!({"credentialAssetId": token, "mountPath": "/other"});
    let other = asset(&organization, "other", robots, other).await;
    let refused = submit(&organization, alice, "x", json!([{"secret": "token"}]))
        .await
        .refused(400);
    assert!(
        refused.starts_with("`spec.storage.secretVolume[0].mountPath` is missing"),
        "{refused}"
    );
    let there = json!([{"secret": "token", "mountPath": "/keys"}]);
    let made = submit(&organization, alice, "there", there.clone()).await.is(202);
    assert_eq!(made["spec"]["storage"]["secretVolume"][0]["defaultMode"], "0444");
    for (volumes, place) in [
        (
            json!([{"secret": "token", "mountPath": "/a"}, {"secret": "token", "mountPath": "/a/b"}]),
            "[1].mountPath`: another Secret",
        ),
        (
            json!([{"secret": "token", "mountPath": "/home"}]),
            "[0].mountPath`: a Secret there would hide",
        ),
        (
            json!([{"secret": "token", "mountPath": "/proc/a"}]),
            "[0].mountPath`: `/proc`",
        ),
    ] {
        let refused = submit(&organization, alice, "x", volumes).await.refused(400);
        assert!(
            refused.starts_with(&format!("`spec.storage.secretVolume{place}")),
            "{refused}"
        );
    }

    // What was submitted keeps what it has; nothing holds up a deletion.
    for id in [keys, other] {
        server
            .delete(&server.admin, &format!("{ASSETS}/{id}"))
            .await
            .is(202);
    }
    let refused = submit(&organization, alice, "late", there).await.refused(400);
    assert!(
        refused.starts_with("`spec.storage.secretVolume[0].secret`: no secret asset"),
        "{refused}"
    );
    assert_eq!(
        server.get(alice, &path).await.is(200)["spec"]["storage"]["secretVolume"],
        shown
    );
    let credential = format!("/api/v1/asset/credentials/password/{token}");
    server.delete(&server.admin, &credential).await.is(202);

    let all = events(server).await;
    let told = all.iter().find(|it| it.entry.entity_name == "plain").unwrap();
    assert_eq!(told.entry.metadata.get("secrets"), Some(&token));
}

/// Planted faults: an asset of a project beside; one that may not be read; another credential of the name.
#[tokio::test]
async fn nobody_mounts_by_an_asset_that_is_not_to_be_read_or_another_credential_of_its_name() {
    let organization = OrganizationFixture::new().await;
    enforcing(&organization, false).await;
    let (server, alice) = (&organization.server, organization.alice.as_str());
    let admin = server.admin.as_str();
    let robots = ("project", organization.robots.as_str());
    let captions = ("project", organization.captions.as_str());
    let vision = ("department", organization.vision.as_str());
    let said = |credential: &str| json!({"credentialAssetId": credential, "mountPath": "/keys"});
    let theirs = credentials::keep(server, admin, "password", "theirs", captions).await;
    asset(&organization, "theirs", captions, said(&theirs)).await;
    let wide = credentials::keep(server, admin, "password", "wide", vision).await;
    asset(&organization, "wide", vision, said(&wide)).await;
    // A credential that nobody offers as a source of data.
    credentials::keep(server, admin, "password", "bare", robots).await;
    let mut words = Vec::new();
    for name in ["theirs", "wide", "bare", "missing"] {
        let volumes = json!([{"secret": name, "mountPath": "/keys"}]);
        words.push(submit(&organization, alice, "x", volumes).await.refused(400));
    }
    words.dedup();
    assert_eq!(
        words.len(),
        1,
        "hidden and missing are answered in the same words: {words:?}"
    );
    // An administrator reads the department's asset, and mounts it in its project.
    let mounted = json!([{"secret": "wide"}]);
    submit(&organization, admin, "first", mounted.clone())
        .await
        .is(202);
    assert_eq!(
        sent(&organization).await["secretVolumes"][0]["credentialId"],
        json!(wide)
    );
    submit(&organization, admin, "x", json!([{"secret": "theirs"}]))
        .await
        .refused(400);
    // The project's own of the name is what its namespace gets then: the department's asset is not of that.
    let narrow = credentials::keep(server, admin, "password", "wide", robots).await;
    submit(&organization, admin, "x", mounted.clone())
        .await
        .refused(400);
    asset(&organization, "narrow", robots, said(&narrow)).await;
    submit(&organization, admin, "second", mounted).await.is(202);
    assert_eq!(
        sent(&organization).await["secretVolumes"][0]["credentialId"],
        json!(narrow)
    );
}
