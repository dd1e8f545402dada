use std::collections::BTreeSet;
use std::time::Duration;

use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use reeve_admission::names;
use reeve_link::StatusPhase;
use reeve_tenancy::operator::{GRANTS, Grant, Reach};
use reeve_testkit::AuditEvent;
use serde_json::json;

use crate::rig::{Rig, of_project, project, project_key, rule, rule_key, workload};

/// Rights that a run need not use, and why they are there.
const UNUSED: &[(&str, &str, &str)] = &[(
    "events",
    "patch",
    "only the same news within minutes patches an event, and news is told once",
)];

fn used(grant: &Grant, resource: &str, verb: &str, events: &[AuditEvent]) -> bool {
    // `bind` is asked for inside the API server, when a binding is written: the binding is the use.
    if verb == "bind" {
        return events.iter().any(|e| {
            let at = if grant.reach == Reach::Cluster {
                "create"
            } else {
                "patch"
            };
            e.resource == "rolebindings" && e.verb == at && (200..300).contains(&e.code)
        });
    }
    let (name, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    events.iter().any(|e| {
        let here = match grant.reach {
            Reach::Cluster => true,
            Reach::Projects => {
                e.namespace.starts_with("reeve-") && e.namespace != names::SYSTEM_NAMESPACE
                    || e.resource == "namespaces"
            }
            Reach::System => e.namespace == names::SYSTEM_NAMESPACE,
            Reach::Default => e.namespace == "default",
        };
        let named = grant.names.is_empty() || grant.names.contains(&e.name.as_str());
        // A server-side apply that makes its object needs `create` too.
        let verbs = e.verb == verb || (verb == "create" && e.verb == "patch" && e.code == 201);
        here && named
            && verbs
            && e.api_group == grant.group
            && e.resource == name
            && e.subresource == subresource
    })
}

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
    }

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
    rig.link.change(&[key, rule_key(1)], vec![]);
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
        .map(|e| {
            format!(
                "{} {}/{} {}/{}: {}",
                e.verb, e.resource, e.subresource, e.namespace, e.name, e.message
            )
        })
        .collect();
    assert_eq!(refused, Vec::<String>::new());
    let mut unused = BTreeSet::new();
    for grant in &GRANTS {
        for resource in grant.resources {
            for verb in grant.verbs {
                let excused = UNUSED.iter().any(|(r, v, _)| r == resource && v == verb);
                if !excused && !used(grant, resource, verb, &events) {
                    unused.insert(format!("{:?} {verb} {}/{resource}", grant.reach, grant.group));
                }
            }
        }
    }
    assert_eq!(unused, BTreeSet::new());
}
