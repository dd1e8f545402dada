//! What is written for OpenShift, against OpenShift's own definitions on a real API server, and what Helm would make of it.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::api::{ApiResource, DynamicObject, PostParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use reeve_admission::names;
use reeve_tenancy::{constraints_binding, constraints_template, constraints_yaml, rbac_yaml};
use reeve_testkit::{Options, Tier, apply_yaml, openshift_definitions, own_cluster, wait_until};
use serde_json::{Value, json};

fn resource(group: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, "v1", kind), plural)
}

#[test]
fn the_template_is_the_constraints_between_one_condition() {
    let template = constraints_template();
    let (head, rest) = template.split_once("apiVersion").unwrap();
    let body = rest.strip_suffix("{{- end }}\n").unwrap();
    assert_eq!(format!("apiVersion{body}"), constraints_yaml());
    assert!(!body.contains("{{") && head.matches("{{-").count() == 1, "{head}");
    insta::assert_snapshot!(template);
}

async fn may_use(client: &Client, namespace: &str) -> Result<bool> {
    let reviews: Api<SubjectAccessReview> = Api::all(client.clone());
    let account = |of: &str| format!("{}{of}:default", names::SERVICE_ACCOUNT_PREFIX);
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(account(namespace)),
            groups: Some(vec![
                format!("{}{namespace}", names::SERVICE_ACCOUNTS_GROUP_PREFIX),
                "system:authenticated".to_owned(),
            ]),
            resource_attributes: Some(ResourceAttributes {
                group: Some(names::OPENSHIFT_SECURITY.to_owned()),
                resource: Some("securitycontextconstraints".to_owned()),
                name: Some(names::OPENSHIFT_CONSTRAINTS.to_owned()),
                namespace: Some(namespace.to_owned()),
                verb: Some("use".to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let answer = reviews.create(&PostParams::default(), &review).await?;
    Ok(answer.status.context("a review without a status")?.allowed)
}

/// OpenShift's schema takes every field as it is written, and nobody may use the constraints until a project's namespace is bound.
/// Planted faults: a misspelt field does not come back, and a misspelt strategy is refused.
#[tokio::test]
async fn openshift_takes_the_constraints_as_they_are_written_and_nobody_has_them() -> Result<()> {
    let options = Options {
        tier: Tier::ApiServer,
        ..Options::default()
    };
    let Some(cluster) = own_cluster(options).await else {
        return Ok(());
    };
    let client = cluster.installer_client().await?;
    for definition in openshift_definitions()? {
        apply_yaml(&client, &definition).await?;
    }
    let constraints: Api<DynamicObject> = Api::all_with(
        client.clone(),
        &resource(
            names::OPENSHIFT_SECURITY,
            "SecurityContextConstraints",
            "securitycontextconstraints",
        ),
    );
    wait_until("the definition to be served", async || {
        Ok(constraints.list(&kube::api::ListParams::default()).await.ok())
    })
    .await?;
    apply_yaml(&client, &rbac_yaml(reeve_tenancy::Switches::default())?).await?;
    apply_yaml(&client, &constraints_yaml()).await?;

    let stored = serde_json::to_value(constraints.get(names::OPENSHIFT_CONSTRAINTS).await?)?;
    let written: Value = serde_saphyr::from_str(constraints_yaml().split("---").next().unwrap_or_default())?;
    for (field, value) in written.as_object().into_iter().flatten() {
        if field != "metadata" {
            ensure!(stored.get(field) == Some(value), "{field}: {stored}");
        }
    }
    let mut wrong = written.clone();
    wrong["metadata"]["name"] = json!("wrong");
    wrong["requiredDropCapability"] = json!(["ALL"]);
    let lenient = constraints
        .create(&PostParams::default(), &serde_json::from_value(wrong.clone())?)
        .await?;
    ensure!(
        lenient.data.get("requiredDropCapability").is_none(),
        "{lenient:?}"
    );
    wrong["metadata"]["name"] = json!("refused");
    wrong["priority"] = json!("low");
    let refused = constraints
        .create(&PostParams::default(), &serde_json::from_value(wrong)?)
        .await;
    ensure!(refused.is_err(), "{refused:?}");

    let project = cluster
        .namespace_with("robots", &[(names::PROJECT, "robots")])
        .await?;
    let other = cluster.namespace("other").await?;
    ensure!(!may_use(&client, &project).await? && !may_use(&client, &other).await?);
    let bindings = Api::namespaced(client.clone(), &project);
    bindings
        .create(&PostParams::default(), &constraints_binding(&project))
        .await?;
    wait_until("the binding to count", async || {
        Ok(may_use(&client, &project).await?.then_some(()))
    })
    .await?;
    ensure!(!may_use(&client, &other).await?);

    // A Route as people write it, with the host left to OpenShift.
    let routes: Api<DynamicObject> = Api::namespaced_with(
        client,
        &project,
        &resource(names::OPENSHIFT_ROUTES, "Route", "routes"),
    );
    let route = json!({"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": {"name": "web"},
        "spec": {"to": {"kind": "Service", "name": "web", "weight": 100}, "port": {"targetPort": 8080}, "tls": {"termination": "edge"}}});
    routes
        .create(&PostParams::default(), &serde_json::from_value(route)?)
        .await?;
    Ok(())
}
