use std::time::Duration;

use reeve_kube_kit::lease::Lease;
use reeve_testkit::{Tier, cluster};
use reeve_types::Clock;

const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn one_leads_and_the_next_follows_when_it_lets_go() {
    let Some(cluster) = cluster(Tier::ApiServer).await else {
        return;
    };
    let namespace = cluster.namespace("lease").await.unwrap();
    let client = cluster.client().await.unwrap();
    let candidate = |holder: &str| Lease::new(client.clone(), &namespace, "leader", holder, Clock::system());
    let (first, second) = (candidate("first"), candidate("second"));
    let held = first.acquire().await;
    // No deadline: for as long as this the second one must not lead.
    assert!(
        tokio::time::timeout(Duration::from_secs(3), second.acquire())
            .await
            .is_err()
    );
    held.release().await;
    let mut held = tokio::time::timeout(DEADLINE, second.acquire()).await.unwrap();

    // Taken away by hand: the leader notices when it renews.
    let api = kube::Api::<k8s_openapi::api::coordination::v1::Lease>::namespaced(client.clone(), &namespace);
    let thief = serde_json::json!({"spec": {"holderIdentity": "thief"}});
    api.patch(
        "leader",
        &kube::api::PatchParams::default(),
        &kube::api::Patch::Merge(thief),
    )
    .await
    .unwrap();
    tokio::time::timeout(DEADLINE, held.hold()).await.unwrap();
}
