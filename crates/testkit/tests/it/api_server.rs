use anyhow::{Context, Result};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Api, ListParams, PostParams};
use reeve_testkit::{Impersonate, Tier, apply_yaml, cluster, wait_until};

#[tokio::test]
async fn the_api_server_is_kubernetes_1_37_2() -> Result<()> {
    let Some(cluster) = cluster(Tier::ApiServer).await else {
        return Ok(());
    };
    let version = cluster.client().await?.apiserver_version().await?;
    assert_eq!(version.git_version, "v1.37.2");
    assert_eq!(cluster.version(), "v1.37.2");
    Ok(())
}

#[tokio::test]
async fn an_impersonated_user_has_every_attribute_asked_for() -> Result<()> {
    let Some(cluster) = cluster(Tier::ApiServer).await else {
        return Ok(());
    };
    let alice = Impersonate::user("alice@example.com")
        .uid("user-1")
        .group("vision")
        .group("language")
        .extra("reeve.dev/uid", "70012")
        .extra("reeve.dev/groups", "5001")
        .extra("reeve.dev/groups", "5002");
    let reviews: Api<SelfSubjectReview> = Api::all(cluster.client_as(&alice).await?);
    let review = reviews
        .create(&PostParams::default(), &SelfSubjectReview::default())
        .await?;
    let seen = review
        .status
        .and_then(|status| status.user_info)
        .context("no user in the review")?;
    assert_eq!(seen.username.as_deref(), Some("alice@example.com"));
    assert_eq!(seen.uid.as_deref(), Some("user-1"));
    assert_eq!(
        seen.groups,
        Some(vec![
            "vision".to_owned(),
            "language".to_owned(),
            "system:authenticated".to_owned()
        ])
    );
    let extra = seen.extra.unwrap_or_default();
    assert_eq!(extra["reeve.dev/uid"], ["70012"]);
    assert_eq!(extra["reeve.dev/groups"], ["5001", "5002"]);
    Ok(())
}

#[tokio::test]
async fn only_the_installer_is_in_the_group_of_installers() -> Result<()> {
    let Some(cluster) = cluster(Tier::ApiServer).await else {
        return Ok(());
    };
    for (client, expected) in [
        (cluster.client().await?, false),
        (cluster.installer_client().await?, true),
    ] {
        let reviews: Api<SelfSubjectReview> = Api::all(client);
        let review = reviews
            .create(&PostParams::default(), &SelfSubjectReview::default())
            .await?;
        let groups = review
            .status
            .and_then(|status| status.user_info)
            .and_then(|user| user.groups);
        let groups = groups.context("no groups in the review")?;
        assert!(groups.iter().any(|group| group == "system:masters"));
        assert_eq!(groups.iter().any(|group| group == "reeve:installers"), expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_service_account_comes_in_by_its_token() -> Result<()> {
    let Some(cluster) = cluster(Tier::ApiServer).await else {
        return Ok(());
    };
    let namespace = cluster.namespace("token").await?;
    let token = cluster.service_account_token(&namespace, "default", 600).await?;
    let review = cluster.wait_until_token_accepted(&token).await?;
    let user = review
        .status
        .and_then(|status| status.user_info)
        .and_then(|user| user.username);
    assert_eq!(user, Some(format!("system:serviceaccount:{namespace}:default")));
    Ok(())
}

#[tokio::test]
async fn the_audit_log_says_who_did_what_and_why_it_was_refused() -> Result<()> {
    let Some(cluster) = cluster(Tier::ApiServer).await else {
        return Ok(());
    };
    let namespace = cluster.namespace("audit").await?;
    let mark = cluster.audit_mark();
    let mallory = cluster
        .client_as(&Impersonate::user("mallory@example.com"))
        .await?;
    let refused = Api::<Pod>::namespaced(mallory, &namespace)
        .list(&ListParams::default())
        .await;
    assert!(refused.is_err());
    let event = wait_until("the refusal in the audit log", async || {
        let events = cluster.audit_events_since(mark)?;
        Ok(events
            .into_iter()
            .find(|event| event.namespace == namespace && event.verb == "list"))
    })
    .await?;
    assert_eq!(event.user, "admin");
    assert_eq!(event.impersonated.as_deref(), Some("mallory@example.com"));
    assert_eq!((event.resource.as_str(), event.code), ("pods", 403));
    assert_eq!(event.decision(), Some("forbid"));
    Ok(())
}

#[tokio::test]
async fn manifests_of_a_kind_and_of_its_objects_are_applied_in_one_text() -> Result<()> {
    let Some(cluster) = cluster(Tier::ApiServer).await else {
        return Ok(());
    };
    let namespace = cluster.namespace("apply").await?;
    let client = cluster.client().await?;
    let text = format!(
        r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.testkit.example}}
spec:
  group: testkit.example
  scope: Namespaced
  names: {{kind: Widget, plural: widgets, singular: widget}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
---
---
apiVersion: testkit.example/v1
kind: Widget
metadata: {{name: one, namespace: {namespace}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: two, namespace: {namespace}}}
data: {{key: value}}
"#
    );
    assert_eq!(apply_yaml(&client, &text).await?.len(), 3);
    assert_eq!(
        apply_yaml(&client, &text).await?.len(),
        3,
        "applying again changes nothing"
    );
    let map = Api::<ConfigMap>::namespaced(client, &namespace)
        .get("two")
        .await?;
    assert_eq!(map.data.unwrap_or_default()["key"], "value");
    let listed = cluster
        .kubectl()
        .must(&["-n", &namespace, "get", "widgets", "-o", "name"])?;
    assert_eq!(listed.trim(), "widget.testkit.example/one");
    Ok(())
}

#[tokio::test]
async fn a_refused_manifest_is_an_error_that_names_it() -> Result<()> {
    let Some(cluster) = cluster(Tier::ApiServer).await else {
        return Ok(());
    };
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: here, namespace: nowhere}\n";
    let error = apply_yaml(&cluster.client().await?, text)
        .await
        .expect_err("there is no such namespace");
    assert_eq!(error.to_string(), "cannot apply ConfigMap `here`");
    Ok(())
}
