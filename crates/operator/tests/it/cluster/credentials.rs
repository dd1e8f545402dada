//! Credentials of the control plane: written where Secrets for projects lie, copied into projects, repaired, removed.

use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use reeve_link::desired::DesiredObject;
use reeve_link::{ObjectKey, StatusPhase};
use reeve_testkit::{apply_yaml, wait_until};
use serde_json::{Value, json};

use super::secrets::{SOURCES, comes_to_hold, secret, two_projects};
use crate::rig::Rig;

/// A credential with one value.
pub(super) fn credential(number: u32, name: &str, kind: &str, scope: Value, value: &str) -> DesiredObject {
    let id = format!("00000000-0000-4000-8000-{number:012}");
    let key = if kind == "dockerRegistry" {
        ".dockerconfigjson"
    } else {
        "key"
    };
    let spec =
        json!({"id": id, "name": name, "kind": kind, "scope": scope, "stamp": value, "values": {key: value}});
    serde_json::from_value(json!({"kind": "Credential", "spec": spec})).unwrap()
}

fn source_name(object: &DesiredObject) -> String {
    format!("credential-{}", object.key().id())
}

fn cluster() -> Value {
    json!({"type": "cluster"})
}

fn project(id: u32) -> Value {
    json!({"type": "project", "id": id.to_string()})
}

async fn says(rig: &Rig, key: ObjectKey, phase: StatusPhase, words: &str) {
    wait_until(&format!("{key:?} to be {phase:?}: {words}"), async || {
        match rig.link.status(key) {
            Some(status) if status.phase == phase && status.message.contains(words) => Ok(Some(())),
            other => Err(anyhow::anyhow!("{other:?}")),
        }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_become_sources_that_are_copied_repaired_and_removed() {
    let Some(mut rig) = two_projects().await else {
        return;
    };
    let config = r#"{"auths":{"registry.local.test":{"auth":"YTpi"}}}"#;
    let everywhere = credential(1, "everywhere", "password", cluster(), "one");
    let registry = credential(2, "registry", "dockerRegistry", project(3), config);
    rig.link.change(&[], vec![everywhere.clone(), registry.clone()]);
    for namespace in ["reeve-robots", "reeve-captions"] {
        comes_to_hold(&rig, namespace, "everywhere", Some("one")).await;
    }
    comes_to_hold(&rig, "reeve-robots", "registry", Some(config)).await;
    assert!(secret(&rig, "reeve-captions", "registry").await.is_none());
    let copy = secret(&rig, "reeve-robots", "registry").await.unwrap();
    assert_eq!(copy.type_.as_deref(), Some("kubernetes.io/dockerconfigjson"));
    says(
        &rig,
        everywhere.key(),
        StatusPhase::Ready,
        "copied into 2 of 2 projects",
    )
    .await;
    says(
        &rig,
        registry.key(),
        StatusPhase::Ready,
        "copied into 1 of 1 projects",
    )
    .await;

    // Other values, and another kind under the same name.
    rig.link.change(
        &[],
        vec![credential(1, "everywhere", "password", cluster(), "two")],
    );
    comes_to_hold(&rig, "reeve-captions", "everywhere", Some("two")).await;
    let other = credential(3, "registry", "genericSecret", project(3), "typed");
    rig.link.change(&[registry.key()], vec![other.clone()]);
    comes_to_hold(&rig, "reeve-robots", "registry", Some("typed")).await;
    rig.phase(registry.key(), StatusPhase::Deleted).await;
    comes_to_hold(&rig, SOURCES, &source_name(&registry), None).await;

    repaired(&rig, &everywhere).await;
    conflicts(&rig, &other).await;

    // A process that was killed removes nothing, and what went meanwhile goes when it has been sent everything.
    rig.kill();
    rig.link.change(&[everywhere.key()], vec![]);
    rig.run(&[]);
    comes_to_hold(&rig, "reeve-captions", "everywhere", None).await;
    comes_to_hold(&rig, SOURCES, &source_name(&everywhere), None).await;
    comes_to_hold(&rig, "reeve-captions", "registry", None).await;
    assert!(secret(&rig, SOURCES, &source_name(&other)).await.is_some());
}

/// Whatever an administrator of the cluster does to the source.
async fn repaired(rig: &Rig, object: &DesiredObject) {
    let api = Api::<k8s_openapi::api::core::v1::Secret>::namespaced(rig.client.clone(), SOURCES);
    let name = source_name(object);
    let edit = Patch::Merge(
        json!({"stringData": {"key": "edited"}, "metadata": {"labels": {"reeve.dev/to-project": "4"}}}),
    );
    api.patch(&name, &PatchParams::default(), &edit).await.unwrap();
    wait_until("the source to be as it was", async || {
        let found = api.get(&name).await?;
        let labels = found.metadata.labels.unwrap_or_default();
        let value = found.data.unwrap_or_default().remove("key").map(|it| it.0);
        Ok((value.as_deref() == Some(b"two") && !labels.contains_key("reeve.dev/to-project")).then_some(()))
    })
    .await
    .unwrap();
    api.delete(&name, &DeleteParams::default()).await.unwrap();
    comes_to_hold(rig, SOURCES, &name, Some("two")).await;
    comes_to_hold(rig, "reeve-robots", "everywhere", Some("two")).await;
}

/// A Secret that somebody made by hand stays, and is named. Planted fault: a report that counts what is in the way as copied.
async fn conflicts(rig: &Rig, other: &DesiredObject) {
    let mine = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mine", "namespace": "reeve-robots"}, "stringData": {"key": "mine"}});
    apply_yaml(&rig.client, &mine.to_string()).await.unwrap();
    let theirs = credential(4, "mine", "password", cluster(), "theirs");
    rig.link.change(&[], vec![theirs.clone()]);
    comes_to_hold(rig, "reeve-captions", "mine", Some("theirs")).await;
    let words = "copied into 1 of 2 projects; project `robots`: a Secret `mine` that is no copy is there";
    says(rig, theirs.key(), StatusPhase::NotReady, words).await;
    comes_to_hold(rig, "reeve-robots", "mine", Some("mine")).await;
    rig.link.change(&[theirs.key()], vec![]);
    comes_to_hold(rig, "reeve-captions", "mine", None).await;
    comes_to_hold(rig, "reeve-robots", "mine", Some("mine")).await;
    says(
        rig,
        other.key(),
        StatusPhase::Ready,
        "copied into 1 of 1 projects",
    )
    .await;
}
