use reeve_serving::cache::{condition, health, matched, new_artifact, stored};
use reeve_serving::download::{Outcome, download};
use reeve_serving::labels::Controller;
use reeve_serving_crds::{AimArtifact, AimTemplateCache, ModelSource};
use serde_json::{Value, json};

use crate::things::{UID, of, parent};

fn cache(spec: Value) -> AimTemplateCache {
    let mut all = json!({"templateName": "t", "templateScope": "Namespace"});
    all.as_object_mut()
        .unwrap()
        .extend(spec.as_object().unwrap().clone());
    of(json!({"metadata": {"name": "tc", "uid": UID}, "spec": all}))
}

fn artifact(name: &str, uri: &str, status: &str) -> Value {
    let conditions = json!([{"type": "Ready", "status": "False", "reason": "StorageFull", "message": "exit code 1: no space left on device",
                             "lastTransitionTime": "2026-01-01T00:00:00Z"}]);
    json!({"metadata": {"name": name, "uid": "u"}, "spec": {"sourceUri": uri},
           "status": {"status": status, "persistentVolumeClaim": "claim", "conditions": conditions}})
}

fn sources() -> Vec<ModelSource> {
    of(
        json!([{"modelId": "a/b", "sourceUri": "hf://a/b", "size": "0"}, {"modelId": "c/d", "sourceUri": "hf://c/d"}]),
    )
}

#[test]
fn artifacts_are_matched_by_address_class_and_owner_and_the_best_wins() {
    let owned = |mut artifact: Value, uid: &str| {
        artifact["metadata"]["ownerReferences"] =
            json!([{"apiVersion": "v", "kind": "k", "name": "n", "uid": uid}]);
        artifact
    };
    let artifacts: Vec<AimArtifact> = of(json!([
        artifact("failed", "hf://a/b", "Failed"),
        artifact("first", "hf://a/b", "Ready"),
        artifact("second", "hf://a/b", "Ready"),
        artifact("elsewhere", "hf://x/y", "Ready"),
        owned(artifact("others", "hf://c/d", "Ready"), "other"),
    ]));
    let all = sources();
    let found = |cache: &AimTemplateCache| {
        let matched = matched(cache, &all, &artifacts);
        (
            matched
                .found
                .iter()
                .map(|(_, a)| a.metadata.name.clone().unwrap())
                .collect::<Vec<_>>(),
            matched.missing.len(),
        )
    };
    assert_eq!(found(&cache(json!({}))), (vec!["first".to_owned()], 1));
    assert_eq!(found(&cache(json!({"storageClassName": "fast"}))), (vec![], 2));
    assert_eq!(found(&cache(json!({"mode": "Dedicated"}))), (vec![], 2));
    let mine: Vec<AimArtifact> = of(json!([owned(artifact("mine", "hf://c/d", "Pending"), UID)]));
    assert_eq!(
        matched(&cache(json!({"mode": "Dedicated"})), &all, &mine)
            .found
            .len(),
        1
    );
    let new: Vec<AimArtifact> = of(json!([{"metadata": {"name": "new"}, "spec": {"sourceUri": "hf://a/b"}}]));
    assert_eq!(
        matched(&cache(json!({})), &all, &new).found.len(),
        0,
        "one without status is not looked at yet"
    );
}

#[test]
fn a_cache_stands_as_its_worst_artifact_and_says_what_that_says() {
    let all = sources();
    let told = |artifacts: Value| {
        let artifacts: Vec<AimArtifact> = of(artifacts);
        let matched = matched(&cache(json!({})), &all, &artifacts);
        let said = condition(&matched);
        (
            format!("{:?} {} {}", health(&matched).state, said.holds, said.reason),
            said.message,
            stored(&matched).map(|s| s.len()),
        )
    };
    assert_eq!(told(json!([])).0, "Progressing false CreatingCaches");
    assert_eq!(
        told(json!([artifact("a", "hf://a/b", "Ready")])).0,
        "Progressing false CreatingCaches"
    );
    assert_eq!(told(json!([artifact("a", "hf://a/b", "Ready")])).2, None);
    let both = told(json!([
        artifact("a", "hf://a/b", "Ready"),
        artifact("c", "hf://c/d", "Ready")
    ]));
    assert_eq!((both.0.as_str(), both.2), ("Ready true AllCachesReady", Some(2)));
    let failed = told(json!([
        artifact("a", "hf://a/b", "Ready"),
        artifact("c", "hf://c/d", "Failed")
    ]));
    assert_eq!(failed.0, "Failed false StorageFull");
    assert!(failed.1.contains("no space left on device"), "{}", failed.1);
    assert_eq!(
        condition(&matched(&cache(json!({})), &[], &[])).reason,
        "NoCaches"
    );
}

#[test]
fn a_missing_source_becomes_an_artifact() {
    let owner = parent("AIMTemplateCache", "tc1", Controller::TemplateCache);
    let source = of(
        json!({"modelId": "sshleifer/tiny-gpt2", "sourceUri": "hf://sshleifer/tiny-gpt2", "size": "0", "env": [{"name": "A", "value": "source"}]}),
    );
    let made = |spec: Value| {
        serde_json::to_value(new_artifact(&owner, "ns", &cache(spec).spec, &source, 0)).unwrap()
    };
    let shared = made(
        json!({"env": [{"name": "A", "value": "cache"}, {"name": "B", "value": "cache"}], "runtimeConfigName": ""}),
    );
    assert_eq!(
        shared["spec"],
        json!({"sourceUri": "hf://sshleifer/tiny-gpt2", "modelId": "sshleifer/tiny-gpt2",
        "env": [{"name": "A", "value": "source"}, {"name": "B", "value": "cache"}]}),
        "a size of zero is no size"
    );
    assert_eq!(
        shared["metadata"].get("ownerReferences"),
        None,
        "shared ones belong to nobody"
    );
    let labels = &shared["metadata"]["labels"];
    assert_eq!(
        (
            &labels["template-created"],
            &labels["aim.eai.amd.com/template.index"]
        ),
        (&json!("true"), &json!("0"))
    );
    assert_eq!(
        (
            &labels["aim.eai.amd.com/template.scope"],
            &labels["aim.eai.amd.com/template-cache.name"]
        ),
        (&json!("Namespace"), &json!("tc1"))
    );
    let dedicated = made(json!({"mode": "Dedicated"}));
    assert_eq!(dedicated["metadata"]["ownerReferences"][0]["uid"], UID);
}

#[test]
fn downloads_stand_as_tabulated() {
    let told = |outcome, status: Value| {
        let download = download(outcome, 10, &of(status), "why");
        (
            format!("{} {}", download.condition.holds, download.condition.reason),
            download,
        )
    };
    let at =
        |percentage: i32| json!({"progress": {"percentage": percentage}, "download": {"protocol": "HTTP"}});
    let (text, done) = told(Outcome::Succeeded, at(99));
    assert_eq!((text.as_str(), done.message), ("true Verified", Some("Complete")));
    assert_eq!(
        done.progress.unwrap().display_percentage.as_deref(),
        Some("100 %")
    );
    assert_eq!(told(Outcome::Succeeded, json!({})).1.message, None);
    let (text, failed) = told(Outcome::Failed, at(100));
    assert_eq!(
        (text.as_str(), failed.condition.message.as_str()),
        ("false VerificationFailed", "why")
    );
    let (text, failed) = told(Outcome::Failed, at(40));
    let progress = failed.progress.unwrap();
    assert_eq!(
        (
            text.as_str(),
            progress.percentage,
            progress.display_percentage.as_deref()
        ),
        ("false Downloading", Some(40), Some("N/A"))
    );
    assert_eq!(told(Outcome::Running, at(100)).0, "true Verifying");
    let (text, running) = told(Outcome::Running, at(40));
    assert_eq!(
        (text.as_str(), running.progress),
        ("false Downloading", None),
        "during the run progress is the downloader's"
    );
}
