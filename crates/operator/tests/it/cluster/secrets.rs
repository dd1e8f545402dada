use k8s_openapi::api::core::v1::{Namespace, Secret, ServiceAccount};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use reeve_crds::{Project, SecretCopy, SecretState};
use reeve_link::StatusPhase;
use reeve_testkit::{apply_yaml, wait_until};
use serde_json::{Value, json};

use super::credentials::credential;
use crate::rig::{OPERATOR, Rig, project, project_key};

pub(super) const SOURCES: &str = "reeve-secrets";

/// A source with one value, as an administrator makes it.
async fn source(rig: &Rig, name: &str, type_: &str, label: (&str, &str), value: &str) {
    let key = if type_ == "kubernetes.io/dockerconfigjson" {
        ".dockerconfigjson"
    } else {
        "key"
    };
    let object = json!({"metadata": {"name": name, "labels": {label.0: label.1}}, "type": type_, "stringData": {key: value}});
    let object = serde_json::from_value(object).unwrap();
    let api = Api::<Secret>::namespaced(rig.client.clone(), SOURCES);
    api.create(&PostParams::default(), &object).await.unwrap();
}

async fn patch_source(rig: &Rig, name: &str, patch: Value) {
    let api = Api::<Secret>::namespaced(rig.client.clone(), SOURCES);
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
}

async fn delete_source(rig: &Rig, name: &str) {
    let api = Api::<Secret>::namespaced(rig.client.clone(), SOURCES);
    api.delete(name, &DeleteParams::default()).await.unwrap();
}

pub(super) async fn secret(rig: &Rig, namespace: &str, name: &str) -> Option<Secret> {
    Api::<Secret>::namespaced(rig.client.clone(), namespace)
        .get_opt(name)
        .await
        .unwrap()
}

fn value(secret: &Secret) -> String {
    let values = secret.data.clone().unwrap_or_default().into_values();
    values.map(|value| String::from_utf8(value.0).unwrap()).collect()
}

/// Waits until a Secret of this name holds this; `None` until there is none.
pub(super) async fn comes_to_hold(rig: &Rig, namespace: &str, name: &str, wanted: Option<&str>) {
    wait_until(&format!("{namespace}/{name} to be {wanted:?}"), async || {
        let found = secret(rig, namespace, name).await;
        Ok((found.as_ref().map(value).as_deref() == wanted).then_some(()))
    })
    .await
    .unwrap();
}

async fn status_of(rig: &Rig, project: &str, name: &str, state: SecretState) -> SecretCopy {
    wait_until(&format!("{name} of {project} to be {state:?}"), async || {
        let status = Api::<Project>::all(rig.client.clone())
            .get(project)
            .await?
            .status
            .unwrap_or_default();
        Ok(status
            .secrets
            .into_iter()
            .find(|copy| copy.name == name && copy.state == state))
    })
    .await
    .unwrap()
}

pub(super) async fn two_projects() -> Option<Rig> {
    let rig = Rig::start().await?;
    rig.link
        .change(&[], vec![project(3, "robots"), project(4, "captions")]);
    for id in [3, 4] {
        rig.phase(project_key(id), StatusPhase::Ready).await;
    }
    Some(rig)
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_follow_their_source_and_go_with_it() {
    let Some(mut rig) = two_projects().await else {
        return;
    };
    source(
        &rig,
        "everywhere",
        "Opaque",
        ("runai/cluster-wide", "true"),
        "one",
    )
    .await;
    source(&rig, "here", "Opaque", ("reeve.dev/to-project", "3"), "two").await;
    source(&rig, "department", "Opaque", ("run.ai/department", "1"), "three").await;
    source(&rig, "elsewhere", "Opaque", ("run.ai/department", "9"), "four").await;
    for namespace in ["reeve-robots", "reeve-captions"] {
        comes_to_hold(&rig, namespace, "everywhere", Some("one")).await;
        comes_to_hold(&rig, namespace, "department", Some("three")).await;
    }
    comes_to_hold(&rig, "reeve-robots", "here", Some("two")).await;
    assert!(secret(&rig, "reeve-captions", "here").await.is_none());
    assert!(secret(&rig, "reeve-robots", "elsewhere").await.is_none());
    let copy = secret(&rig, "reeve-robots", "everywhere").await.unwrap();
    assert_eq!(copy.annotations()["reeve.dev/origin"], "reeve-secrets/everywhere");
    assert!(
        !copy.labels().contains_key("runai/cluster-wide"),
        "a copy is no source"
    );
    let said = status_of(&rig, "robots", "everywhere", SecretState::Copied).await;
    assert_eq!(said.from, "reeve-secrets/everywhere");

    // A change of the source, and of its type, which a Secret cannot change.
    patch_source(&rig, "everywhere", json!({"stringData": {"key": "rotated"}})).await;
    comes_to_hold(&rig, "reeve-robots", "everywhere", Some("rotated")).await;
    delete_source(&rig, "here").await;
    source(
        &rig,
        "here",
        "example.com/other",
        ("reeve.dev/to-project", "3"),
        "typed",
    )
    .await;
    comes_to_hold(&rig, "reeve-robots", "here", Some("typed")).await;
    let copy = secret(&rig, "reeve-robots", "here").await.unwrap();
    assert_eq!(copy.type_.as_deref(), Some("example.com/other"));

    // A project that comes later; a source that goes, and one whose label goes.
    rig.link.change(&[], vec![project(5, "late")]);
    comes_to_hold(&rig, "reeve-late", "everywhere", Some("rotated")).await;
    delete_source(&rig, "department").await;
    patch_source(
        &rig,
        "here",
        json!({"metadata": {"labels": {"reeve.dev/to-project": null}}}),
    )
    .await;
    comes_to_hold(&rig, "reeve-captions", "department", None).await;
    comes_to_hold(&rig, "reeve-robots", "here", None).await;

    restarts(&mut rig).await;
    ends(&rig).await;
    never_read(&rig);
}

/// A restart writes and deletes nothing, and what changed meanwhile is caught up with.
async fn restarts(rig: &mut Rig) {
    source(
        rig,
        "gone-meanwhile",
        "Opaque",
        ("reeve.dev/cluster-wide", "true"),
        "x",
    )
    .await;
    status_of(rig, "late", "gone-meanwhile", SecretState::Copied).await;
    status_of(rig, "captions", "gone-meanwhile", SecretState::Copied).await;
    status_of(rig, "robots", "gone-meanwhile", SecretState::Copied).await;
    rig.operator.take().unwrap().stop();
    let mark = rig.cluster.audit_mark();
    rig.run(&[]);
    rig.ready().await;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!(rig.writes(mark), Vec::<String>::new());
    rig.kill();
    delete_source(rig, "gone-meanwhile").await;
    patch_source(
        rig,
        "everywhere",
        json!({"stringData": {"key": "changed-meanwhile"}}),
    )
    .await;
    rig.run(&[]);
    comes_to_hold(rig, "reeve-robots", "gone-meanwhile", None).await;
    comes_to_hold(rig, "reeve-robots", "everywhere", Some("changed-meanwhile")).await;
}

/// A namespace that leaves its project, and a project that is deleted: the copies go, everything else stays.
async fn ends(rig: &Rig) {
    let own = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "own", "namespace": "reeve-late"}, "stringData": {"key": "own"}});
    apply_yaml(&rig.client, &own.to_string()).await.unwrap();
    let unlabel = Patch::Merge(
        json!({"metadata": {"labels": {"reeve.dev/project": null, "reeve.dev/project-id": null}}}),
    );
    Api::<Namespace>::all(rig.installer.clone())
        .patch("reeve-late", &PatchParams::default(), &unlabel)
        .await
        .unwrap();
    comes_to_hold(rig, "reeve-late", "everywhere", None).await;
    rig.link.change(&[project_key(4)], vec![]);
    rig.phase(project_key(4), StatusPhase::Deleted).await;
    comes_to_hold(rig, "reeve-captions", "everywhere", None).await;
    assert!(rig.namespace("reeve-captions").await.is_some());
    comes_to_hold(rig, "reeve-late", "own", Some("own")).await;
    comes_to_hold(rig, "reeve-robots", "everywhere", Some("changed-meanwhile")).await;
}

/// The API server's audit log: no Secret was read outside of the sources, and none could be.
fn never_read(rig: &Rig) {
    for event in rig
        .operator_events(0)
        .iter()
        .filter(|event| event.resource == "secrets")
    {
        let reads = ["get", "list", "watch"].contains(&event.verb.as_str());
        assert_eq!(
            reads,
            event.namespace == SOURCES,
            "{} in {}",
            event.verb,
            event.namespace
        );
    }
    let kubectl = rig.cluster.kubectl();
    for (verb, namespace, may) in [
        ("list", SOURCES, "yes"),
        ("get", SOURCES, "no"),
        ("list", "reeve-system", "no"),
        ("get", "reeve-robots", "no"),
        ("list", "reeve-robots", "no"),
        ("create", "reeve-robots", "yes"),
        ("create", "default", "no"),
        ("watch", "kube-system", "no"),
    ] {
        let asked = kubectl
            .run(&[
                "auth", "can-i", verb, "secrets", "-n", namespace, "--as", OPERATOR,
            ])
            .unwrap();
        let answer = String::from_utf8(asked.stdout).unwrap();
        assert!(answer.trim() == may, "{verb} in {namespace}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_made_by_hand_is_never_overwritten_and_nobody_changes_a_copy() {
    let Some(rig) = two_projects().await else { return };
    let mine = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shared", "namespace": "reeve-robots"}, "stringData": {"key": "mine"}});
    apply_yaml(&rig.client, &mine.to_string()).await.unwrap();
    source(
        &rig,
        "shared",
        "Opaque",
        ("reeve.dev/cluster-wide", "true"),
        "theirs",
    )
    .await;
    let said = status_of(&rig, "robots", "shared", SecretState::Conflict).await;
    assert!(
        said.message.contains("stays as it is: give it another name"),
        "{said:?}"
    );
    comes_to_hold(&rig, "reeve-captions", "shared", Some("theirs")).await;
    comes_to_hold(&rig, "reeve-robots", "shared", Some("mine")).await;
    // Nor by a source of another type, for which a copy would have to be made anew, nor without the policy that says so: the patch
    // itself tests the mark.
    let policies = Api::<k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicyBinding>::all(
        rig.installer.clone(),
    );
    policies
        .delete("reeve-secret-copies", &DeleteParams::default())
        .await
        .unwrap();
    delete_source(&rig, "shared").await;
    comes_to_hold(&rig, "reeve-captions", "shared", None).await;
    source(
        &rig,
        "shared",
        "example.com/other",
        ("reeve.dev/cluster-wide", "true"),
        "other",
    )
    .await;
    comes_to_hold(&rig, "reeve-captions", "shared", Some("other")).await;
    status_of(&rig, "robots", "shared", SecretState::Conflict).await;
    comes_to_hold(&rig, "reeve-robots", "shared", Some("mine")).await;
    apply_yaml(&rig.installer, &reeve_admission::policies_yaml())
        .await
        .unwrap();

    // The copy follows its source alone.
    let copies = Api::<Secret>::namespaced(rig.client.clone(), "reeve-captions");
    let edit = Patch::Merge(json!({"stringData": {"key": "edited"}}));
    wait_until("the policy to speak again", async || {
        let edited = copies
            .patch("shared", &PatchParams::default().dry_run(), &edit)
            .await;
        Ok(edited
            .err()
            .filter(|error| error.to_string().contains("reeve: R26")))
    })
    .await
    .unwrap();
    let removed = copies.delete("shared", &DeleteParams::default()).await;
    assert!(removed.unwrap_err().to_string().contains("reeve: R26"));
    // The hand-made one goes, and the source is touched: then the copy comes.
    let own = Api::<Secret>::namespaced(rig.client.clone(), "reeve-robots");
    own.delete("shared", &DeleteParams::default()).await.unwrap();
    patch_source(
        &rig,
        "shared",
        json!({"metadata": {"annotations": {"touched": "1"}}}),
    )
    .await;
    comes_to_hold(&rig, "reeve-robots", "shared", Some("other")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn registry_secrets_pull_images_beside_those_of_others() {
    let Some(rig) = two_projects().await else { return };
    let accounts = Api::<ServiceAccount>::namespaced(rig.client.clone(), "reeve-robots");
    wait_until("the account", async || Ok(accounts.get_opt("default").await?))
        .await
        .unwrap();
    let theirs = Patch::Merge(json!({"imagePullSecrets": [{"name": "theirs"}]}));
    accounts
        .patch("default", &PatchParams::default(), &theirs)
        .await
        .unwrap();
    let entries = async |wanted: &str| {
        wait_until(&format!("the entries {wanted}"), async || {
            let account = accounts.get("default").await?;
            let found: Vec<String> = account
                .image_pull_secrets
                .into_iter()
                .flatten()
                .map(|entry| entry.name)
                .collect();
            Ok((found.join(" ") == wanted).then_some(()))
        })
        .await
        .unwrap();
    };
    let config = r#"{"auths":{"registry.local.test":{"auth":"YTpi"}}}"#;
    source(
        &rig,
        "registry",
        "kubernetes.io/dockerconfigjson",
        ("runai/cluster-wide", "true"),
        config,
    )
    .await;
    entries("theirs registry").await;
    // Both come to rest: nobody writes any more.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let mark = rig.cluster.audit_mark();
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert_eq!(rig.writes(mark), Vec::<String>::new());
    delete_source(&rig, "registry").await;
    entries("theirs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_switch_off_copies_go_and_with_it_on_they_come_again() {
    let Some(mut rig) = two_projects().await else {
        return;
    };
    let config = r#"{"auths":{"registry.local.test":{"auth":"YTpi"}}}"#;
    source(
        &rig,
        "registry",
        "kubernetes.io/dockerconfigjson",
        ("runai/cluster-wide", "true"),
        config,
    )
    .await;
    comes_to_hold(&rig, "reeve-robots", "registry", Some(config)).await;
    let accounts = Api::<ServiceAccount>::namespaced(rig.client.clone(), "reeve-robots");
    let entries = async || {
        let account = accounts.get("default").await?;
        anyhow::Ok(account.image_pull_secrets.unwrap_or_default().len())
    };
    wait_until("the entry", async || Ok((entries().await? == 1).then_some(())))
        .await
        .unwrap();
    let switch = async |on: bool| {
        let patch = Patch::Merge(json!({"spec": {"project-controller": {"clusterWideSecret": on}}}));
        let configs = Api::<reeve_crds::ReeveConfig>::all(rig.installer.clone());
        configs
            .patch("reeve", &PatchParams::default(), &patch)
            .await
            .unwrap();
    };
    switch(false).await;
    comes_to_hold(&rig, "reeve-robots", "registry", None).await;
    comes_to_hold(&rig, "reeve-captions", "registry", None).await;
    wait_until("no entry", async || Ok((entries().await? == 0).then_some(())))
        .await
        .unwrap();
    condition(&rig, "SwitchedOff").await;
    // The rights go with the copies, and come with them.
    let bindings = Api::<RoleBinding>::namespaced(rig.client.clone(), "reeve-robots");
    let bound = async |wanted: bool| {
        wait_until(&format!("the binding: {wanted}"), async || {
            let found = bindings.get_opt("reeve-operator-secret-propagation").await?;
            Ok((found.is_some() == wanted).then_some(()))
        })
        .await
        .unwrap();
    };
    bound(false).await;
    // The source is nobody's business now, and after a restart nothing of Secrets is asked for.
    let mark = rig.cluster.audit_mark();
    patch_source(
        &rig,
        "registry",
        json!({"metadata": {"annotations": {"touched": "1"}}}),
    )
    .await;
    switch(true).await;
    comes_to_hold(&rig, "reeve-robots", "registry", Some(config)).await;
    condition(&rig, "AllCopied").await;
    bound(true).await;
    assert!(!rig.writes(mark).is_empty());
    switch(false).await;
    comes_to_hold(&rig, "reeve-robots", "registry", None).await;
    condition(&rig, "SwitchedOff").await;
    bound(false).await;
    rig.operator.take().unwrap().stop();
    let mark = rig.cluster.audit_mark();
    rig.run(&[]);
    rig.ready().await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let asked = rig.operator_events(mark);
    let of_secrets = asked
        .iter()
        .filter(|event| ["secrets", "serviceaccounts"].contains(&event.resource.as_str()));
    assert_eq!(of_secrets.count(), 0);
}

/// Waits until the project's condition has this reason.
async fn condition(rig: &Rig, reason: &str) {
    wait_until(&format!("the reason {reason}"), async || {
        let status = Api::<Project>::all(rig.client.clone())
            .get("robots")
            .await?
            .status
            .unwrap_or_default();
        let found = status
            .conditions
            .into_iter()
            .find(|condition| condition.type_ == "SecretsPropagated");
        Ok(found.filter(|condition| condition.reason == reason))
    })
    .await
    .unwrap();
}

/// Where values could show, in every form in which they could.
fn leaks(places: &[(&str, String)], canaries: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for (place, text) in places {
        for canary in canaries {
            for form in forms(canary) {
                if text.contains(&form) {
                    found.push(format!("{place}: {form}"));
                }
            }
        }
    }
    found
}

fn forms(canary: &str) -> [String; 5] {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(canary);
    let twice = base64::engine::general_purpose::STANDARD.encode(&base64);
    let hex: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
    let bytes: Vec<String> = canary.bytes().map(|byte| byte.to_string()).collect();
    [canary.to_owned(), base64, twice, hex, bytes.join(", ")]
}

/// Somebody else's policy that quotes what it refuses, values and all, as webhooks do.
const QUOTING: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: quoting}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {matchLabels: {reeve.dev/project: robots}}
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [secrets]}]
  validations:
  - expression: "!object.metadata.name.startsWith('quoted')"
    messageExpression: "'too weak: ' + string(object.data['key'])"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: quoting}
spec: {policyName: quoting, validationActions: [Deny]}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn no_value_shows_anywhere_on_any_way_that_fails() {
    let Some(mut rig) = two_projects().await else {
        return;
    };
    rig.kill();
    rig.run(&["--log", "trace"]);
    rig.ready().await;
    apply_yaml(&rig.installer, QUOTING).await.unwrap();
    let canary = |number: u32| format!("canary{number}-Zq7wJx!{number}\"k");
    let canaries: Vec<String> = (1..=8).map(canary).collect();
    let mine = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "conflict", "namespace": "reeve-captions"}, "stringData": {"key": canaries[0]}});
    apply_yaml(&rig.client, &mine.to_string()).await.unwrap();
    // Copied, in conflict, refused by somebody who quotes it, of another type than before, of a type that is never copied.
    wait_until("the quoting policy", async || {
        let object = json!({"metadata": {"name": "quoted-probe"}, "stringData": {"key": "probe"}});
        let object = serde_json::from_value(object)?;
        let probe = Api::<Secret>::namespaced(rig.client.clone(), "reeve-robots");
        let refused = probe
            .create(
                &PostParams {
                    dry_run: true,
                    ..PostParams::default()
                },
                &object,
            )
            .await;
        Ok(refused
            .err()
            .filter(|error| error.to_string().contains("too weak: ")))
    })
    .await
    .unwrap();
    let all = ("reeve.dev/cluster-wide", "true");
    source(&rig, "copied", "Opaque", all, &canaries[1]).await;
    source(&rig, "conflict", "Opaque", all, &canaries[2]).await;
    source(&rig, "quoted", "Opaque", all, &canaries[3]).await;
    source(&rig, "retyped", "Opaque", all, &canaries[4]).await;
    source(&rig, "token", "bootstrap.kubernetes.io/token", all, &canaries[5]).await;
    status_of(&rig, "captions", "conflict", SecretState::Conflict).await;
    let said = status_of(&rig, "robots", "quoted", SecretState::NotCopied).await;
    assert!(said.message.contains("refused with 422 (Invalid)"), "{said:?}");
    status_of(&rig, "robots", "token", SecretState::NotCopied).await;
    comes_to_hold(&rig, "reeve-robots", "retyped", Some(&canaries[4])).await;
    delete_source(&rig, "retyped").await;
    source(&rig, "retyped", "example.com/other", all, &canaries[4]).await;
    wait_until("the other type", async || {
        let copy = secret(&rig, "reeve-robots", "retyped").await;
        Ok(copy.filter(|copy| copy.type_.as_deref() == Some("example.com/other")))
    })
    .await
    .unwrap();
    patch_source(&rig, "copied", json!({"stringData": {"key": canaries[5]}})).await;
    comes_to_hold(&rig, "reeve-captions", "copied", Some(&canaries[5])).await;

    // The same of credentials that come by the link: one that is copied, one whose copy somebody refuses and quotes.
    let everywhere = || json!({"type": "cluster"});
    let kept = credential(7, "kept", "password", everywhere(), &canaries[6]);
    let quoted = credential(8, "quoted-too", "password", everywhere(), &canaries[7]);
    let keys = [kept.key(), quoted.key()];
    rig.link.change(&[], vec![kept, quoted]);
    comes_to_hold(&rig, "reeve-robots", "kept", Some(&canaries[6])).await;
    let said = rig.phase(keys[1], StatusPhase::NotReady).await;
    assert!(
        said.contains("project `robots`") && said.contains("refused with 422 (Invalid)"),
        "{said}"
    );

    let kubectl = rig.cluster.kubectl();
    let told: Vec<String> = [project_key(3), project_key(4)]
        .iter()
        .chain(&keys)
        .map(|key| format!("{:?}", rig.link.status(*key)))
        .collect();
    let places = [
        ("log", rig.log()),
        ("metrics", rig.ask("/metrics").await.1),
        ("readiness", rig.ask("/readyz").await.1),
        (
            "projects",
            kubectl
                .must(&["get", "projects.reeve.dev", "-o", "yaml"])
                .unwrap(),
        ),
        (
            "settings",
            kubectl
                .must(&["get", "reeveconfigs.reeve.dev", "-o", "yaml"])
                .unwrap(),
        ),
        (
            "events",
            kubectl
                .must(&["get", "events.events.k8s.io", "-A", "-o", "yaml"])
                .unwrap(),
        ),
        (
            "accounts",
            kubectl
                .must(&["get", "serviceaccounts,configmaps", "-A", "-o", "yaml"])
                .unwrap(),
        ),
        ("the link", told.join(" ")),
    ];
    assert!(places[0].1.contains("TRACE"), "the log is at trace");
    assert_eq!(leaks(&places, &canaries), Vec::<String>::new());
    // The search finds what is there: the Secrets themselves hold each value but the one that was changed for another.
    let secrets = kubectl.must(&["get", "secrets", "-A", "-o", "yaml"]).unwrap();
    let found = leaks(&[("secrets", secrets)], &canaries);
    assert!(found.len() >= canaries.len() - 1, "{found:?}");
}
