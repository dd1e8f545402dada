//! Who reads metrics, and what probes say.

use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, PostParams};
use reeve_serving::rights;
use reeve_testkit::{apply_yaml, wait_until};
use serde_json::json;

use crate::rig::{Rig, SYSTEM};

pub(crate) async fn metrics_are_for_who_may_get_them_and_probes_for_the_kubelet(rig: &Rig) {
    let client = rig.client.clone();
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), SYSTEM);
    for name in ["scraper", "stranger"] {
        let account: ServiceAccount = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
        accounts.create(&PostParams::default(), &account).await.unwrap();
    }
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "scraper"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": rights::METRICS_READER},
        "subjects": [{"kind": "ServiceAccount", "name": "scraper", "namespace": SYSTEM}],
    });
    apply_yaml(&client, &binding.to_string()).await.unwrap();
    let url = format!(
        "https://{}/metrics",
        rig.operator.address("metrics over HTTPS").await
    );
    // Its certificate is made at every start, and nobody can know it.
    let http = reqwest::Client::builder()
        .danger_accept_invalid_certs(true)
        .build()
        .unwrap();
    let get = async |token: Option<String>| {
        let request = http.get(&url);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let token = async |name: &str| {
        rig.cluster
            .service_account_token(SYSTEM, name, 600)
            .await
            .unwrap()
    };
    assert_eq!(get(None).await.0, 401);
    assert_eq!(get(Some("made-up".to_owned())).await.0, 401);
    assert_eq!(get(Some(token("stranger").await)).await.0, 403);
    // A family is shown from its first value on.
    let scraper = token("scraper").await;
    wait_until("a pass to be counted", async || {
        let (status, text) = get(Some(scraper.clone())).await;
        assert_eq!(status, 200);
        anyhow::ensure!(text.contains("reeve_reconcile_passes"), "{text}");
        Ok(Some(()))
    })
    .await
    .unwrap();

    let probes = rig.operator.address("probes").await;
    wait_until("the operator to be ready", async || {
        let answer = http.get(format!("http://{probes}/readyz")).send().await?;
        Ok(answer.status().is_success().then_some(()))
    })
    .await
    .unwrap();
}
