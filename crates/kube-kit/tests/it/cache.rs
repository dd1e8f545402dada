use std::sync::{Arc, Mutex};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use reeve_kube_kit::watch::keep;
use reeve_kube_kit::{Cache, ObjectName, Watch};
use reeve_testkit::{Tier, cluster, wait_until};
use serde_json::json;

#[tokio::test]
async fn a_cache_tells_of_each_change_what_was_and_what_is() {
    let Some(cluster) = cluster(Tier::ApiServer).await else {
        return;
    };
    let namespace = cluster.namespace("cache").await.unwrap();
    let api = Api::<ConfigMap>::namespaced(cluster.client().await.unwrap(), &namespace);
    let map = |name: &str| {
        serde_json::from_value::<ConfigMap>(json!({"metadata": {"name": name}, "data": {"v": "1"}})).unwrap()
    };
    api.create(&PostParams::default(), &map("a")).await.unwrap();
    let cache = Arc::new(Cache::<ConfigMap>::default());
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = heard.clone();
    let value = |map: &Option<Arc<ConfigMap>>| {
        map.as_ref()
            .map_or_else(|| "-".to_owned(), |m| m.data.clone().unwrap()["v"].clone())
    };
    cache.subscribe(move |change| {
        told.lock()
            .unwrap()
            .push(format!("{}>{}", value(&change.old), value(&change.new)));
    });
    let name = ObjectName::namespaced(&namespace, "a");
    cache.just_created(name.clone());
    let task = tokio::spawn(keep(
        cache.clone(),
        api.clone(),
        Watch::default().fields("metadata.name=a"),
    ));
    cache.synced().await;
    assert!(cache.get(&name).is_some());
    assert!(!cache.was_just_created(&name), "the watch has shown it");
    // Said after the watch has shown it, it would hide for a while that somebody else deletes it.
    cache.just_created(name.clone());
    assert!(!cache.was_just_created(&name), "the watch had shown it before");
    // Made and deleted before the watch has shown either; and deleted without ever having been seen.
    let (brief, unknown) = (
        ObjectName::namespaced(&namespace, "brief"),
        ObjectName::namespaced(&namespace, "unknown"),
    );
    cache.just_created(brief.clone());
    cache.just_deleted(brief.clone());
    cache.just_deleted(unknown.clone());
    assert!(cache.was_just_deleted(&brief) && !cache.was_just_deleted(&unknown));
    assert_eq!(cache.in_namespace(&namespace).len(), 1);
    assert_eq!(cache.in_namespace("other").len(), 0);
    api.patch(
        "a",
        &PatchParams::default(),
        &Patch::Merge(json!({"data": {"v": "2"}})),
    )
    .await
    .unwrap();
    api.delete("a", &DeleteParams::default()).await.unwrap();
    wait_until("three changes", async || {
        Ok((*heard.lock().unwrap() == ["->1", "1>2", "2>-"]).then_some(()))
    })
    .await
    .unwrap();
    assert!(cache.get(&name).is_none());
    task.abort();
}
