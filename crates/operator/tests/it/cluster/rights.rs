use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use reeve_e2e::unused_rights;
use reeve_link::{ObjectKey, StatusPhase};
use serde_json::json;

use super::credentials::credential;
use super::secrets::comes_to_hold;
use crate::rig::{Rig, of_project, project, project_key, rule, rule_key, workload};

#[tokio::test(flavor = "multi_thread")]
async fn every_right_is_used_no_other_is_asked_for_and_at_rest_nothing_is_written() {
    let Some(mut rig) = Rig::start().await else { return };
    rig.kill();
    rig.run(&["--leader-elect"]);
    rig.link
        .change(&[], vec![project(3, "robots"), project(4, "captions")]);
    rig.link.change(
        &[],
        vec![rule(1, "alice@example.com", "l1-researcher", of_project(3))],
    );
    rig.link
        .change(&[], vec![rule(2, "bob@example.com", "viewer", of_project(4))]);
    rig.link.change(
        &[],
        vec![rule(
            3,
            "root@example.com",
            "system-administrator",
            json!({"type": "cluster"}),
        )],
    );
    // Every ClusterRole that the operator may bind, once.
    for (number, who, role) in [
        (5, "lea@example.com", "l2-researcher"),
        (6, "ida@example.com", "ai-practitioner"),
    ] {
        rig.link.change(&[], vec![rule(number, who, role, of_project(3))]);
    }
    let train = workload(1, "train", 3);
    let key = train.key();
    rig.link.change(&[], vec![train]);
    rig.phase(key, StatusPhase::Pending).await;
    rig.phase(rule_key(3), StatusPhase::Ready).await;
    rig.ready().await;
    // Labels of a namespace are written again when the settings change.
    let configs = Api::<reeve_crds::ReeveConfig>::all(rig.installer.clone());
    for off in [true, false] {
        let settings = Patch::Merge(json!({"spec": {"enforcePreventPrivilegeEscalation": !off}}));
        configs
            .patch("reeve", &PatchParams::default(), &settings)
            .await
            .unwrap();
        let label = if off { "baseline" } else { "restricted" };
        reeve_testkit::wait_until("the labels", async || {
            let labels = rig
                .namespace("reeve-robots")
                .await
                .unwrap()
                .metadata
                .labels
                .unwrap();
            Ok((labels["pod-security.kubernetes.io/enforce"] == label).then_some(()))
        })
        .await
        .unwrap();
        // And what the namespace holds is judged by each of them, before the next comes.
        let reason = if off { "EscalationAllowed" } else { "Strict" };
        let projects = Api::<reeve_crds::Project>::all(rig.installer.clone());
        reeve_testkit::wait_until("the judgement", async || {
            let conditions = projects
                .get("robots")
                .await?
                .status
                .unwrap_or_default()
                .conditions;
            let judged = conditions.iter().find(|c| c.type_ == "WorkloadsAdmissible");
            Ok(judged.is_some_and(|c| c.reason == reason).then_some(()))
        })
        .await
        .unwrap();
    }

    limit_ranges_go_and_come(&rig).await;
    constraints_come_and_go(&rig).await;
    same_news_twice(&rig).await;
    pods_refused(&rig).await;
    a_registry_secret_comes_and_changes(&rig).await;
    a_credential_comes_changes_and_goes(&rig).await;

    // Their pods go a while after them, and then from the list of pods.
    reeve_testkit::wait_for(Duration::from_secs(60), "the pods that go", async || {
        let list = rig.cluster.kubectl().must(&[
            "-n",
            "reeve-robots",
            "get",
            "podidentities",
            "reeve",
            "-o",
            "json",
        ])?;
        let goes = list.contains("podless-") || list.contains("refused-");
        Ok((!goes).then_some(()))
    })
    .await
    .unwrap();

    // At rest, and after a restart with everything in place.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mark = rig.cluster.audit_mark();
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(rig.writes(mark), Vec::<String>::new());
    rig.operator.take().unwrap().stop();
    let mark = rig.cluster.audit_mark();
    rig.run(&["--leader-elect"]);
    rig.ready().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(rig.writes(mark), Vec::<String>::new());

    // The ends of everything.
    let gone = [key, rule_key(1), rule_key(5), rule_key(6)];
    rig.link.change(&gone, vec![]);
    rig.wait_for_bindings(
        "reeve-robots",
        &[("reeve-system-administrator", &["User root@example.com"])],
    )
    .await;
    rig.link.change(&[project_key(3), rule_key(2)], vec![]);
    rig.phase(project_key(3), StatusPhase::Deleted).await;
    rig.wait_for_bindings("reeve-robots", &[]).await;
    Api::<reeve_crds::AccessRule>::all(rig.installer.clone())
        .delete("rule-3", &DeleteParams::default())
        .await
        .unwrap();
    rig.wait_for_bindings(
        "reeve-captions",
        &[("reeve-system-administrator", &["User root@example.com"])],
    )
    .await;

    let events = rig.operator_events(0);
    let refused: Vec<String> = events
        .iter()
        .filter(|e| e.decision() == Some("forbid") || e.code == 403)
        // The test's own quotas.
        .filter(|e| !e.message.contains("quota: "))
        .map(|e| {
            format!(
                "{} {}/{} {}/{}: {}",
                e.verb, e.resource, e.subresource, e.namespace, e.name, e.message
            )
        })
        .collect();
    assert_eq!(refused, Vec::<String>::new());
    assert_eq!(
        unused_rights(reeve_tenancy::Switches::default(), &events),
        Vec::<String>::new()
    );
}

/// A Secret by which images are pulled is copied, and copied again when it changes.
async fn a_registry_secret_comes_and_changes(rig: &Rig) {
    let api = |namespace: &str| Api::<Secret>::namespaced(rig.client.clone(), namespace);
    for auth in ["YTpi", "YTpj"] {
        let config = format!(r#"{{"auths":{{"registry.local.test":{{"auth":"{auth}"}}}}}}"#);
        let object = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
            "metadata": {"name": "registry", "labels": {"runai/cluster-wide": "true"}}, "stringData": {".dockerconfigjson": config}});
        let manager = PatchParams::apply("test").force();
        api("reeve-secrets")
            .patch("registry", &manager, &Patch::Apply(object))
            .await
            .unwrap();
        reeve_testkit::wait_until("the copy", async || {
            let copy = api("reeve-robots").get_opt("registry").await?;
            let data = copy.and_then(|copy| copy.data).unwrap_or_default();
            Ok(data
                .values()
                .any(|value| value.0 == config.as_bytes())
                .then_some(()))
        })
        .await
        .unwrap();
    }
}

/// A credential of the control plane is written where it is copied from, written again, and removed.
async fn a_credential_comes_changes_and_goes(rig: &Rig) {
    let of = |value: &str| credential(1, "kept", "password", json!({"type": "cluster"}), value);
    for value in ["one", "two"] {
        rig.link.change(&[], vec![of(value)]);
        comes_to_hold(rig, "reeve-robots", "kept", Some(value)).await;
    }
    rig.link.change(&[of("").key()], vec![]);
    comes_to_hold(rig, "reeve-robots", "kept", None).await;
}

/// The switch off and on again.
async fn limit_ranges_go_and_come(rig: &Rig) {
    let configs = Api::<reeve_crds::ReeveConfig>::all(rig.installer.clone());
    let ranges =
        Api::<k8s_openapi::api::core::v1::LimitRange>::namespaced(rig.client.clone(), "reeve-robots");
    let bindings = Api::<RoleBinding>::namespaced(rig.client.clone(), "reeve-robots");
    for on in [true, false, true] {
        let settings = Patch::Merge(json!({"spec": {"project-controller": {"limitRange": on}}}));
        configs
            .patch("reeve", &PatchParams::default(), &settings)
            .await
            .unwrap();
        // With the object goes the right to write it.
        reeve_testkit::wait_until("the LimitRange and the binding", async || {
            let there = ranges.get_opt("reeve-limit-range").await?.is_some();
            let bound = bindings.get_opt("reeve-operator-limit-range").await?.is_some();
            Ok((there == on && bound == on).then_some(()))
        })
        .await
        .unwrap();
    }
}

/// What pods of projects run under on OpenShift is bound and taken away.
async fn constraints_come_and_go(rig: &Rig) {
    let configs = Api::<reeve_crds::ReeveConfig>::all(rig.installer.clone());
    let bindings = Api::<RoleBinding>::namespaced(rig.client.clone(), "reeve-robots");
    for on in [true, false] {
        let settings = Patch::Merge(json!({"spec": {"openShift": {"securityContextConstraints": on}}}));
        configs
            .patch("reeve", &PatchParams::default(), &settings)
            .await
            .unwrap();
        reeve_testkit::wait_until("the binding of the constraints", async || {
            let there = bindings.get_opt("reeve-user-job").await?.is_some();
            Ok((there == on).then_some(()))
        })
        .await
        .unwrap();
    }
}

/// Says the same news of one project and of one workload twice within minutes: the second time it joins the first.
async fn same_news_twice(rig: &Rig) {
    // Somebody's binding is in the way, and then no more: the project is as it should be for the second time.
    let in_the_way: RoleBinding = serde_json::from_value(json!({
        "metadata": {"name": "reeve-l1-researcher"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reeve-viewer"},
    }))
    .unwrap();
    let bindings = Api::<RoleBinding>::namespaced(rig.installer.clone(), "reeve-captions");
    bindings
        .create(&PostParams::default(), &in_the_way)
        .await
        .unwrap();
    rig.link.change(
        &[],
        vec![rule(4, "carol@example.com", "l1-researcher", of_project(4))],
    );
    rig.phase(project_key(4), StatusPhase::NotReady).await;
    bindings
        .delete("reeve-l1-researcher", &DeleteParams::default())
        .await
        .unwrap();
    rig.phase(project_key(4), StatusPhase::Ready).await;
    rig.link.change(&[rule_key(4)], vec![]);

    // A Job that one quota refuses, and then another: the same reason in other words.
    let quota = |verb: &'static str, name: &'static str| {
        let arguments = ["-n", "reeve-robots", verb, "quota", name];
        let limits: &[&str] = if verb == "create" {
            &["--hard=count/jobs.batch=0"]
        } else {
            &[]
        };
        rig.cluster
            .kubectl()
            .must(&[&arguments[..], limits].concat())
            .unwrap()
    };
    quota("create", "first");
    let refused = workload(5, "refused", 3);
    let key = refused.key();
    rig.link.change(&[], vec![refused]);
    until_refused_by(rig, key, "first").await;
    quota("create", "second");
    quota("delete", "first");
    until_refused_by(rig, key, "second").await;
    quota("delete", "second");
    rig.link.change(&[key], vec![]);
    rig.phase(key, StatusPhase::Deleted).await;
}

/// A Job whose pods a quota refuses: the workload says so, and no longer when it is over.
async fn pods_refused(rig: &Rig) {
    let kubectl = rig.cluster.kubectl();
    let quota = [
        "-n",
        "reeve-robots",
        "create",
        "quota",
        "podless",
        "--hard=count/pods=0",
    ];
    kubectl.must(&quota).unwrap();
    let podless = workload(6, "podless", 3);
    let key = podless.key();
    rig.link.change(&[], vec![podless]);
    let says = async |what: &'static str, wanted: &dyn Fn(&str) -> bool| {
        reeve_testkit::wait_for(Duration::from_secs(60), what, async || {
            let status = rig.link.status(key);
            Ok(status.filter(|s| s.phase == StatusPhase::Pending && wanted(&s.message)))
        })
        .await
        .unwrap()
    };
    says("the quota's refusal", &|message| {
        message.contains("exceeded quota: podless")
    })
    .await;
    let object = kubectl
        .must(&[
            "-n",
            "reeve-robots",
            "get",
            "workload",
            "podless",
            "-o",
            "jsonpath={.status.conditions}",
        ])
        .unwrap();
    assert!(object.contains(r#""status":"False""#), "{object}");
    kubectl
        .must(&["-n", "reeve-robots", "delete", "quota", "podless"])
        .unwrap();
    says("nothing in the way", &|message| !message.contains("quota")).await;
    rig.link.change(&[key], vec![]);
    rig.phase(key, StatusPhase::Deleted).await;
}

/// A refusal of a quota is tried again only every fifteen seconds.
async fn until_refused_by(rig: &Rig, key: ObjectKey, quota: &str) {
    reeve_testkit::wait_for(Duration::from_secs(60), quota, async || {
        let status = rig.link.status(key);
        let said = status.filter(|status| status.phase == StatusPhase::NotReady);
        Ok(said.filter(|said| said.message.contains(&format!("quota: {quota}"))))
    })
    .await
    .unwrap();
}
