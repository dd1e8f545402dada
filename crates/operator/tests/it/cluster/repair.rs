use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use reeve_link::StatusPhase;
use serde_json::json;

use crate::rig::{Rig, of_project, project, project_key, rule};

const WANTED: &[(&str, &[&str])] = &[("reeve-l1-researcher", &["User alice@example.com"])];

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_it_goes_on_enforcing_whatever_is_done_by_hand() {
    let Some(mut rig) = Rig::start().await else { return };
    rig.link.change(
        &[],
        vec![
            project(3, "robots"),
            rule(1, "alice@example.com", "l1-researcher", of_project(3)),
            rule(2, "bob@example.com", "viewer", of_project(3)),
        ],
    );
    rig.phase(project_key(3), StatusPhase::Ready).await;
    let both: &[(&str, &[&str])] = &[WANTED[0], ("reeve-viewer", &["User bob@example.com"])];
    rig.wait_for_bindings("reeve-robots", both).await;
    rig.link.stop();
    let api = Api::<RoleBinding>::namespaced(rig.installer.clone(), "reeve-robots");
    let merge = |value: serde_json::Value| Patch::Merge(value);
    let by = PatchParams::default();

    api.delete("reeve-l1-researcher", &DeleteParams::default())
        .await
        .unwrap();
    rig.wait_for_bindings("reeve-robots", both).await;

    let eve = json!({"subjects": [{"kind": "User", "name": "eve@example.com", "apiGroup": "rbac.authorization.k8s.io"}]});
    api.patch("reeve-l1-researcher", &by, &merge(eve)).await.unwrap();
    rig.wait_for_bindings("reeve-robots", both).await;

    api.patch(
        "reeve-l1-researcher",
        &by,
        &merge(json!({"metadata": {"labels": null}, "subjects": []})),
    )
    .await
    .unwrap();
    rig.wait_for_bindings("reeve-robots", both).await;

    // The role of a binding cannot be patched: a stronger one under the same name is replaced.
    api.delete("reeve-viewer", &DeleteParams::default())
        .await
        .unwrap();
    let stronger = |name: &str, marked: bool| -> RoleBinding {
        let labels = if marked {
            json!({"reeve.dev/managed": "access-rules"})
        } else {
            json!({})
        };
        serde_json::from_value(json!({
            "metadata": {"name": name, "labels": labels},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reeve-l1-researcher"},
            "subjects": [{"kind": "User", "name": "bob@example.com", "apiGroup": "rbac.authorization.k8s.io"}]
        }))
        .unwrap()
    };
    let _ = api
        .create(&PostParams::default(), &stronger("reeve-viewer", true))
        .await;
    reeve_testkit::wait_until("the right role", async || {
        Ok(api
            .get_opt("reeve-viewer")
            .await?
            .filter(|binding| binding.role_ref.name == "reeve-viewer"))
    })
    .await
    .unwrap();
    rig.wait_for_bindings("reeve-robots", both).await;

    // A marked one that no rule asks for goes.
    api.create(&PostParams::default(), &stronger("hand-made", true))
        .await
        .unwrap();
    rig.wait_for_bindings("reeve-robots", both).await;

    // The operator's own binding comes back, and so does what needs it.
    api.delete("reeve-operator", &DeleteParams::default())
        .await
        .unwrap();
    api.delete("reeve-viewer", &DeleteParams::default())
        .await
        .unwrap();
    rig.wait_for_bindings("reeve-robots", both).await;

    // Back on the link: what was missed arrives, revocations too.
    rig.link.change(&[crate::rig::rule_key(2)], vec![]);
    rig.link.resume().await;
    rig.wait_for_bindings("reeve-robots", WANTED).await;

    // An unmarked binding of somebody else is respected and reported.
    api.create(&PostParams::default(), &stronger("reeve-viewer", false))
        .await
        .unwrap();
    rig.link
        .change(&[], vec![rule(4, "carol@example.com", "viewer", of_project(3))]);
    let words = "`reeve-robots/reeve-viewer` is not ours and is in the way";
    rig.says(project_key(3), StatusPhase::NotReady, words).await;
    api.delete("reeve-viewer", &DeleteParams::default())
        .await
        .unwrap();
    rig.phase(project_key(3), StatusPhase::Ready).await;
}
