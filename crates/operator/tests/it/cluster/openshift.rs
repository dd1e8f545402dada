//! OpenShift: projects may use the constraints of the chart as long as the admission policies are as installed, and not before.

use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use reeve_link::StatusPhase;
use reeve_testkit::wait_until;
use serde_json::json;

use crate::rig::{Rig, project, project_key};

const BOUND: &[(&str, &[&str])] = &[("reeve-user-job", &["Group system:serviceaccounts:reeve-robots"])];

/// Planted faults: `build` without its look at the policies, and a controller that does not hear of them.
#[tokio::test(flavor = "multi_thread")]
async fn the_constraints_go_with_the_policies() {
    let Some(rig) = Rig::start().await else { return };
    for definition in reeve_testkit::openshift_definitions().unwrap() {
        reeve_testkit::apply_yaml(&rig.installer, &definition)
            .await
            .unwrap();
    }
    rig.link.change(&[], vec![project(3, "robots")]);
    rig.phase(project_key(3), StatusPhase::Ready).await;
    assert_eq!(rig.bindings("reeve-robots").await, []);
    wait_until("the definition to be served", async || {
        let yaml = reeve_tenancy::constraints_yaml();
        Ok(reeve_testkit::apply_yaml(&rig.installer, &yaml).await.ok())
    })
    .await
    .unwrap();

    let settings = Api::<reeve_crds::ReeveConfig>::all(rig.installer.clone());
    let installed = |on: bool| {
        let patch = json!({"spec": {"openShift": {"securityContextConstraints": on}}});
        let settings = settings.clone();
        async move {
            settings
                .patch("reeve", &PatchParams::default(), &Patch::Merge(patch))
                .await
                .unwrap();
        }
    };
    installed(true).await;
    rig.wait_for_bindings("reeve-robots", BOUND).await;
    label(&rig, "true").await;

    let policies = Api::<ValidatingAdmissionPolicy>::all(rig.installer.clone());
    policies
        .delete("reeve-pods", &DeleteParams::default())
        .await
        .unwrap();
    rig.wait_for_bindings("reeve-robots", &[]).await;
    reeve_testkit::apply_yaml(&rig.installer, &reeve_admission::policies_yaml())
        .await
        .unwrap();
    rig.wait_for_bindings("reeve-robots", BOUND).await;

    installed(false).await;
    rig.wait_for_bindings("reeve-robots", &[]).await;
    label(&rig, "false").await;
}

async fn label(rig: &Rig, wanted: &str) {
    wait_until("the label of uids", async || {
        let namespace = rig.namespace("reeve-robots").await.unwrap();
        let said = namespace.labels().get("reeve.dev/allow-any-uid").cloned();
        anyhow::ensure!(said.as_deref() == Some(wanted), "{said:?}");
        Ok(Some(()))
    })
    .await
    .unwrap();
}
