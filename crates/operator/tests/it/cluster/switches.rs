//! Switches off: with exactly the rights that the chart gives for them, nothing is refused to the operator, what it does not do any
//! more is done by hand as the status says, and turning a switch off and on while it runs takes and brings its effects.

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use reeve_crds::{Project, ReeveConfig};
use reeve_e2e::unused_rights;
use reeve_link::StatusPhase;
use reeve_tenancy::{Switch, Switches};
use reeve_testkit::{apply_yaml, wait_until};
use serde_json::{Value, json};

use crate::rig::{Rig, of_project, project, project_key, rule, rule_key, workload};

const NAMESPACE: &str = "reeve-robots";

impl Rig {
    /// Everything that the operator was refused.
    fn refused(&self) -> Vec<String> {
        let told = |event: reeve_testkit::AuditEvent| {
            format!(
                "{} {}/{} {}: {}",
                event.verb, event.resource, event.namespace, event.name, event.message
            )
        };
        self.operator_events(0)
            .into_iter()
            .filter(|event| event.decision() == Some("forbid") || event.code == 403)
            // The API server's policies learn of a label that was just set some milliseconds later; the operator tries again.
            .filter(|event| !event.message.contains("the namespace needs the label reeve.dev/project"))
            .map(told)
            .collect()
    }

    /// What a condition of project robots says, with its status; empty without it.
    async fn said(&self, type_: &str) -> String {
        let project = Api::<Project>::all(self.client.clone())
            .get("robots")
            .await
            .unwrap();
        let conditions = project.status.unwrap_or_default().conditions;
        let found = conditions.into_iter().find(|it| it.type_ == type_);
        found.map_or_else(String::new, |it| format!("{} {}", it.status, it.message))
    }

    async fn wait_for_words(&self, type_: &str, words: &str) {
        wait_until(&format!("`{words}` in {type_}"), async || {
            let said = self.said(type_).await;
            let fits = if words.is_empty() {
                said.is_empty()
            } else {
                said.contains(words)
            };
            if fits {
                Ok(Some(()))
            } else {
                Err(anyhow::anyhow!(said))
            }
        })
        .await
        .unwrap();
    }

    /// Turns keys of the section `project-controller` in `ReeveConfig`.
    async fn turn(&self, keys: Value) {
        Api::<ReeveConfig>::all(self.installer.clone())
            .patch(
                "reeve",
                &PatchParams::default(),
                &Patch::Merge(json!({"spec": {"project-controller": keys}})),
            )
            .await
            .unwrap();
    }

    /// The names of the operator's own bindings in the namespace of robots.
    async fn own(&self) -> Vec<String> {
        let all = Api::<RoleBinding>::namespaced(self.client.clone(), NAMESPACE);
        let all = all.list(&kube::api::ListParams::default()).await.unwrap().items;
        let names = all.iter().map(ResourceExt::name_any);
        names.filter(|name| name.starts_with("reeve-operator")).collect()
    }
}

/// Every right that nothing is done with here because nothing in this test needs it, besides those of the table with these
/// switches: the whole table has a test of its own.
fn unused_of(rig: &Rig, switch: Switch, switches: Switches) -> Vec<String> {
    let unused = unused_rights(switches, &rig.operator_events(0));
    let of_switch: Vec<&str> = reeve_tenancy::operator::given(switches)
        .filter(|grant| grant.switch == Some(switch))
        .map(|grant| grant.because)
        .collect();
    unused
        .into_iter()
        .filter(|told| of_switch.iter().any(|because| told.ends_with(because)))
        .filter(|told| !told.contains(": bind ") || told.contains("reeve-operator"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_namespace_creation_a_project_waits_for_its_namespace_and_either_label_gives_it() {
    let settings = json!({"project-controller": {"createNamespaces": false}});
    let Some(rig) = Rig::start_with(&settings).await else {
        return;
    };
    rig.link.change(
        &[],
        vec![
            project(3, "robots"),
            project(4, "captions"),
            rule(1, "alice@example.com", "l1-researcher", of_project(3)),
        ],
    );
    let command =
        "kubectl create namespace reeve-robots && kubectl label namespace reeve-robots runai/queue=robots";
    rig.says(project_key(3), StatusPhase::NotReady, command).await;
    assert!(rig.namespace(NAMESPACE).await.is_none());

    // A label on a namespace of another name gives the project nothing, and its status says so.
    let other =
        "{apiVersion: v1, kind: Namespace, metadata: {name: elsewhere, labels: {runai/queue: robots}}}";
    apply_yaml(&rig.installer, other).await.unwrap();
    rig.wait_for_words(
        "LabelledElsewhere",
        "namespace `elsewhere` is labelled as this project's, which is bound to `reeve-robots`",
    )
    .await;
    assert_eq!(rig.bindings("elsewhere").await, []);

    // Done as the message says, with the reference's label; and with ours.
    let kubectl = |arguments: &[&str]| rig.cluster.kubectl().must(arguments).unwrap();
    let by = [
        "--as=boss",
        "--as-group=reeve:installers",
        "--as-group=system:masters",
    ];
    kubectl(&[&["create", "namespace", NAMESPACE][..], &by].concat());
    kubectl(&[&["label", "namespace", NAMESPACE, "runai/queue=robots"][..], &by].concat());
    rig.phase(project_key(3), StatusPhase::Ready).await;
    rig.wait_for_bindings(NAMESPACE, &[("reeve-l1-researcher", &["User alice@example.com"])])
        .await;
    let labels = rig.namespace(NAMESPACE).await.unwrap().labels().clone();
    assert_eq!(labels["reeve.dev/project"], "robots");
    // From somebody who is no installer the reference's label says nothing.
    kubectl(&["create", "namespace", "reeve-captions"]);
    kubectl(&["label", "namespace", "reeve-captions", "runai/queue=captions"]);
    let words = "is not labelled as this project's (its label runai/queue=captions counts for nothing: it was set by nobody of";
    rig.says(project_key(4), StatusPhase::NotReady, words).await;
    let labels = rig.namespace("reeve-captions").await.unwrap().labels().clone();
    assert!(!labels.contains_key("reeve.dev/project"), "{labels:?}");
    let ours = "{apiVersion: v1, kind: Namespace, metadata: {name: reeve-captions, labels: {reeve.dev/project: captions}}}";
    apply_yaml(&rig.installer, ours).await.unwrap();
    rig.phase(project_key(4), StatusPhase::Ready).await;

    rig.link.change(&[rule_key(1)], vec![]);
    rig.wait_for_bindings(NAMESPACE, &[]).await;

    // The label is taken off again.
    Api::<Namespace>::all(rig.installer.clone())
        .patch(
            "elsewhere",
            &PatchParams::default(),
            &Patch::Merge(json!({"metadata": {"labels": {"runai/queue": null, "reeve.dev/project": null}}})),
        )
        .await
        .unwrap();
    rig.wait_for_words("LabelledElsewhere", "").await;
    assert_eq!(rig.refused(), Vec::<String>::new());
    let switches = Switches::default().without(Switch::NamespaceCreation);
    assert_eq!(
        unused_of(&rig, Switch::UserAssignment, switches),
        Vec::<String>::new()
    );

    // Turned on while the chart gives no right to it: said, with both ways out. This is the red proof of the line above, too.
    rig.turn(json!({"createNamespaces": true})).await;
    rig.link.change(&[], vec![project(5, "late")]);
    let remedy = "the operator has no right to it: install the chart with clusterConfig.project-controller.createNamespaces=true";
    rig.says(project_key(5), StatusPhase::NotReady, remedy).await;
    assert!(!rig.refused().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_user_assignment_nobody_is_bound_until_an_installer_does_it_by_hand() {
    // By the joint key of the first era neither a namespace is made.
    let settings = json!({"project-controller": {"createNamespacesAndRoleBindings": false}});
    let Some(rig) = Rig::start_with(&settings).await else {
        return;
    };
    let namespace = format!(
        "{{apiVersion: v1, kind: Namespace, metadata: {{name: {NAMESPACE}, labels: {{runai/queue: robots}}}}}}"
    );
    apply_yaml(&rig.installer, &namespace).await.unwrap();
    let train = workload(1, "train", 3);
    let key = train.key();
    rig.link.change(
        &[],
        vec![
            project(3, "robots"),
            rule(1, "alice@example.com", "l1-researcher", of_project(3)),
        ],
    );
    let command = "reeve cluster bindings reeve-robots | kubectl apply -f -";
    let message = rig.says(project_key(3), StatusPhase::NotReady, command).await;
    assert!(message.contains("reeve-operator-project"), "{message}");
    let words = "installers bind people by hand";
    rig.says(rule_key(1), StatusPhase::NotReady, words).await;
    assert_eq!((rig.own().await, rig.bindings(NAMESPACE).await), (vec![], vec![]));

    // What the command prints, with one subject filled in.
    let switches = Switches::default()
        .without(Switch::NamespaceCreation)
        .without(Switch::UserAssignment);
    let template = reeve_tenancy::by_hand_yaml(NAMESPACE, switches).unwrap();
    apply_yaml(&rig.installer, &template).await.unwrap();
    Api::<RoleBinding>::namespaced(rig.installer.clone(), NAMESPACE)
        .patch(
            "reeve-l1-researcher-manual",
            &PatchParams::default(),
            &Patch::Merge(json!({"subjects": [
                {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob@example.com"}]})),
        )
        .await
        .unwrap();
    rig.phase(project_key(3), StatusPhase::Ready).await;
    rig.wait_for_words("UserAssignment", command).await;
    // Work runs.
    rig.link.change(&[], vec![train]);
    rig.phase(key, StatusPhase::Pending).await;
    let bound: Vec<_> = rig.bindings(NAMESPACE).await;
    assert!(
        bound.iter().all(|(name, _)| name.ends_with("-manual")),
        "{bound:?}"
    );
    // A change of the rules binds nobody, and takes nothing from whom the installer bound.
    rig.link.change(
        &[rule_key(1)],
        vec![rule(2, "carol@example.com", "viewer", of_project(3))],
    );
    rig.phase(rule_key(2), StatusPhase::NotReady).await;
    assert_eq!(rig.bindings(NAMESPACE).await, bound);
    // The namespace is let go of.
    rig.link.change(&[project_key(3), rule_key(2), key], vec![]);
    rig.phase(project_key(3), StatusPhase::Deleted).await;
    assert_eq!(rig.bindings(NAMESPACE).await, bound);
    assert_eq!(rig.refused(), Vec::<String>::new());
    // Nothing of RBAC was written at all.
    let written = rig.writes(0).into_iter();
    let written: Vec<String> = written.filter(|it| it.contains("rolebindings")).collect();
    assert_eq!(written, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_secret_propagation_and_limit_ranges_nothing_of_them_is_asked_for() {
    let settings = json!({"project-controller": {"clusterWideSecret": false, "limitRange": false}});
    let Some(rig) = Rig::start_with(&settings).await else {
        return;
    };
    let train = workload(1, "train", 3);
    let key = train.key();
    rig.link.change(
        &[],
        vec![
            project(3, "robots"),
            rule(1, "alice@example.com", "l1-researcher", of_project(3)),
            train,
        ],
    );
    rig.phase(rule_key(1), StatusPhase::Ready).await;
    rig.phase(key, StatusPhase::Pending).await;
    rig.wait_for_words("Ready", "True").await;
    assert_eq!(
        rig.own().await,
        ["reeve-operator", "reeve-operator-user-assignment"]
    );
    rig.link.change(&[rule_key(1), key], vec![]);
    rig.wait_for_bindings(NAMESPACE, &[]).await;
    rig.phase(key, StatusPhase::Deleted).await;
    let asked = || -> Vec<String> {
        let of_them = ["secrets", "serviceaccounts", "limitranges", "resourcequotas"];
        let events = rig.operator_events(0).into_iter();
        let events = events.filter(|event| of_them.contains(&event.resource.as_str()));
        events
            .map(|event| format!("{} {}", event.verb, event.resource))
            .collect()
    };
    assert_eq!((asked(), rig.refused()), (vec![], vec![]));
    let switches = Switches::default()
        .without(Switch::SecretPropagation)
        .without(Switch::LimitRange);
    for switch in [Switch::NamespaceCreation, Switch::UserAssignment] {
        assert_eq!(
            unused_of(&rig, switch, switches),
            Vec::<String>::new(),
            "{switch}"
        );
    }

    // Turned on while the chart gives no right to it: the lines above would have seen it.
    rig.turn(json!({"limitRange": true})).await;
    wait_until("a refusal", async || {
        let refused = rig.refused().iter().any(|it| it.starts_with("list limitranges"));
        Ok((refused && !asked().is_empty()).then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn user_assignment_is_turned_off_and_on_while_the_operator_runs() {
    let Some(rig) = Rig::start().await else { return };
    rig.link.change(
        &[],
        vec![
            project(3, "robots"),
            rule(1, "alice@example.com", "l1-researcher", of_project(3)),
        ],
    );
    let alice: [(&str, &[&str]); 1] = [("reeve-l1-researcher", &["User alice@example.com"])];
    rig.phase(rule_key(1), StatusPhase::Ready).await;
    rig.wait_for_bindings(NAMESPACE, &alice).await;
    let own = [
        "reeve-operator",
        "reeve-operator-limit-range",
        "reeve-operator-secret-propagation",
        "reeve-operator-user-assignment",
    ];
    assert_eq!(rig.own().await, own);

    // Off: a binding that nobody keeps would outlive the rule. What binds the operator to the rest of its work stays.
    rig.turn(json!({"CreateRoleBindings": false})).await;
    rig.wait_for_bindings(NAMESPACE, &[]).await;
    rig.phase(rule_key(1), StatusPhase::NotReady).await;
    wait_until("the operator's binding to be gone", async || {
        Ok((rig.own().await == own[..3]).then_some(()))
    })
    .await
    .unwrap();
    rig.wait_for_words("UserAssignment", "access rules bind nobody here")
        .await;
    rig.wait_for_words("Ready", "True").await;

    // On again.
    rig.turn(json!({"CreateRoleBindings": null})).await;
    rig.wait_for_bindings(NAMESPACE, &alice).await;
    rig.phase(rule_key(1), StatusPhase::Ready).await;
    rig.wait_for_words("UserAssignment", "").await;
    assert_eq!(rig.own().await, own);
    assert_eq!(rig.refused(), Vec::<String>::new());

    // The chart takes the rights first: what is left is named with the command that ends it, and the operator asks before it tries.
    let roles = Api::<k8s_openapi::api::rbac::v1::ClusterRole>::all(rig.client.clone());
    for name in [
        "reeve-operator-user-assignment",
        "reeve-operator-project-user-assignment",
    ] {
        roles.delete(name, &DeleteParams::default()).await.unwrap();
    }
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    rig.turn(json!({"createRoleBindings": false})).await;
    rig.wait_for_words(
        "Ready",
        "kubectl delete rolebinding -n reeve-robots reeve-l1-researcher reeve-operator-user-assignment",
    )
    .await;
    rig.wait_for_bindings(NAMESPACE, &alice).await;
    assert_eq!(rig.refused(), Vec::<String>::new());
    let bindings = Api::<RoleBinding>::namespaced(rig.client.clone(), NAMESPACE);
    for name in ["reeve-l1-researcher", "reeve-operator-user-assignment"] {
        bindings.delete(name, &DeleteParams::default()).await.unwrap();
    }
    rig.wait_for_words("Ready", "True").await;
    assert_eq!(rig.refused(), Vec::<String>::new());
}
