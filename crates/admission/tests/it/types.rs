//! What Kubernetes itself says of the policies' types: it tells whoever describes a policy, and decides nothing by it.

use anyhow::{Context, Result};
use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy;
use kube::Api;
use kube::api::ListParams;
use reeve_admission::policies_yaml;
use reeve_testkit::{Options, Tier, apply_yaml, own_cluster, wait_for};

/// One with a field that only one of its kinds has: what the controllers are to find.
const NAIVE: &str = "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: naive}, spec: \
     {matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}, \
     validations: [{expression: 'object.kind != \"Job\" || !object.spec.manualSelector'}]}}";

/// The warnings about each policy; none while one of them was not looked at.
async fn warnings(api: &Api<ValidatingAdmissionPolicy>) -> Result<Option<Vec<String>>> {
    let mut found = Vec::new();
    for policy in api.list(&ListParams::default()).await? {
        let status = policy.status.unwrap_or_default();
        if status.observed_generation != policy.metadata.generation {
            return Ok(None);
        }
        let name = policy.metadata.name.unwrap_or_default();
        let checked = status.type_checking.unwrap_or_default();
        for warning in checked.expression_warnings.unwrap_or_default() {
            found.push(format!("{name}: {}: {}", warning.field_ref, warning.warning));
        }
    }
    Ok(Some(found))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_types_in_all_policies_are_those_of_the_kinds_they_look_at() -> Result<()> {
    let options = Options {
        tier: Tier::Controllers,
        type_checking: true,
        ..Options::default()
    };
    let Some(cluster) = own_cluster(options).await else {
        return Ok(());
    };
    let client = cluster.installer_client().await?;
    apply_yaml(&client, &format!("{}\n---\n{NAIVE}\n", policies_yaml())).await?;
    let api = Api::<ValidatingAdmissionPolicy>::all(client);
    let deadline = std::time::Duration::from_secs(240);
    let found = wait_for(deadline, "all policies to be looked at", async || {
        warnings(&api).await
    })
    .await?;
    let (naive, ours): (Vec<_>, Vec<_>) = found.into_iter().partition(|it| it.starts_with("naive: "));
    assert_eq!(ours, Vec::<String>::new());
    let said = naive
        .first()
        .context("the fault that was planted was not found")?;
    assert!(said.contains("manualSelector"), "{said}");
    Ok(())
}
