//! After convergence nobody writes; and the operator's rights are exactly those it uses.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use reeve_demo::{Organization, organization};
use reeve_testkit::{AuditEvent, wait_until};
use serde_json::json;

use crate::harness::{fresh, on_a_road_with_a_lease};

const OPERATOR: &str = "system:serviceaccount:reeve-system:reeve-operator";
const WRITES: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];

#[test]
fn for_two_minutes_nobody_writes_and_no_right_of_the_operator_is_missing_or_unused() {
    on_a_road_with_a_lease("quiet", async |mut road| {
        let organization = Organization::make(&road).await?;
        let admin = road.admin.clone();
        // Everything the operator does in its life: a job that runs, one that is deleted, a rule and a project that go, a
        // change of settings, a policy that is looked at, a restart.
        let alice = organization.person("alice")?;
        let alice = admin.sign_in(&alice.username, &alice.password).await?;
        let robots = organization.projects.get("robots").cloned().unwrap_or_default();
        let mut trainings = Vec::new();
        for name in ["one", "two"] {
            let body = json!({"name": name, "projectId": robots, "clusterId": road.cluster_id,
                "spec": {"image": reeve_testkit::images::TOOLS, "command": "true"}});
            let made = alice
                .post("/api/v1/workloads/trainings", body)
                .await?
                .expect(202)?;
            trainings.push(format!(
                "/api/v1/workloads/trainings/{}",
                made["workloadId"].as_str().unwrap_or_default()
            ));
        }
        for path in &trainings {
            wait_until("the training to complete", async || {
                let training = alice.get(path).await?.expect(200)?;
                Ok((training["actualPhase"] == "Completed").then_some(()))
            })
            .await?;
        }
        alice.delete(&trainings[0]).await?.expect(202)?;
        let rule =
            organization::create_rule(&admin, "group", &fresh("group"), "Viewer", "project", &robots).await?;
        wait_until("the rule to be Ready", async || {
            let rule = admin
                .get(&format!("/api/v1/authorization/access-rules/{rule}"))
                .await?
                .expect(200)?;
            Ok((rule["status"]["phase"] == "Ready").then_some(()))
        })
        .await?;
        admin
            .delete(&format!("/api/v1/authorization/access-rules/{rule}"))
            .await?
            .expect(204)?;
        let vision = organization
            .departments
            .get("vision")
            .cloned()
            .unwrap_or_default();
        let brief = organization::create_project(&road, "brief", &vision).await?;
        organization::wait_until_ready(&admin, &brief).await?;
        admin
            .delete(&format!("/api/v1/org-unit/projects/{brief}"))
            .await?;
        let installer = road.kubectl(road.cluster.installer_kubeconfig());
        for value in ["false", "true"] {
            let change = format!(r#"{{"spec":{{"enforceRunAsUser":{value}}}}}"#);
            installer.must(&[
                "patch",
                "reeveconfigs.reeve.dev",
                "reeve",
                "--type=merge",
                "-p",
                &change,
            ])?;
            wait_until("the namespace to carry the setting", async || {
                let label = installer.must(&[
                    "get",
                    "namespace",
                    "reeve-robots",
                    "-o",
                    r"jsonpath={.metadata.labels.reeve\.dev/enforce-run-as-user}",
                ])?;
                Ok((label.trim() == value).then_some(()))
            })
            .await?;
        }
        // Twice, so that the second alarm joins the series of the first.
        for _ in 0..2 {
            installer.must(&[
                "patch",
                "validatingadmissionpolicies.admissionregistration.k8s.io",
                "reeve-operator-bindings",
                "--type=merge",
                "-p",
                r#"{"spec":{"failurePolicy":"Ignore"}}"#,
            ])?;
            until_state(&road, "ServiceIssues").await?;
            reeve_testkit::apply_yaml(
                &road.cluster.installer_client().await?,
                &reeve_admission::policies_yaml(),
            )
            .await?;
            until_state(&road, "Connected").await?;
        }
        road.kill_operator()?;
        road.start_operator().await?;

        // Converged when ten seconds pass without a write; then two minutes are counted.
        settle(&road, Duration::from_secs(10)).await?;
        let mark = road.cluster.audit_mark();
        tokio::time::sleep(Duration::from_secs(120)).await;
        let writes: Vec<String> = road
            .cluster
            .audit_events_since(mark)?
            .iter()
            .filter(|e| is_write_of_operator(e))
            .map(line)
            .collect();
        ensure!(
            writes.is_empty(),
            "the operator wrote although nothing changed:\n{}",
            writes.join("\n")
        );

        let events = road.cluster.audit_events()?;
        let of_operator: Vec<&AuditEvent> = events
            .iter()
            .filter(|e| e.user == OPERATOR && e.stage == "ResponseComplete")
            .collect();
        let refused: Vec<String> = of_operator
            .iter()
            .filter(|e| e.decision() == Some("forbid"))
            .map(|e| line(e))
            .collect();
        ensure!(refused.is_empty(), "rights are missing:\n{}", refused.join("\n"));
        let unused = unused_rules(&of_operator);
        ensure!(
            unused.is_empty(),
            "rights that nothing used:\n{}",
            unused.join("\n")
        );

        // And all the while no policy of ours refused what a cluster does all day.
        let cluster_life: Vec<String> = events
            .iter()
            .filter(|e| {
                e.code == 403
                    && (e.user.starts_with("system:node:")
                        || e.user.starts_with("system:serviceaccount:kube-system:")
                        || e.user.starts_with("system:kube-"))
            })
            .filter(|e| e.message.contains("reeve:"))
            .map(line)
            .collect();
        ensure!(
            cluster_life.is_empty(),
            "the cluster's own work was refused:\n{}",
            cluster_life.join("\n")
        );
        Ok(())
    });
}

async fn until_state(road: &reeve_demo::Road, state: &str) -> Result<()> {
    reeve_testkit::wait_for(Duration::from_secs(60), state, async || {
        let cluster = road
            .admin
            .get(&format!("/api/v1/clusters/{}", road.cluster_id))
            .await?
            .expect(200)?;
        Ok((cluster["status"]["state"] == state).then_some(()))
    })
    .await
}

async fn settle(road: &reeve_demo::Road, quiet: Duration) -> Result<()> {
    reeve_testkit::wait_for(Duration::from_secs(120), "the operator to be done", async || {
        let mark = road.cluster.audit_mark();
        tokio::time::sleep(quiet).await;
        Ok((!road
            .cluster
            .audit_events_since(mark)?
            .iter()
            .any(is_write_of_operator))
        .then_some(()))
    })
    .await
}

fn is_write_of_operator(event: &AuditEvent) -> bool {
    event.user == OPERATOR && WRITES.contains(&event.verb.as_str()) && event.resource != "leases"
}

fn line(event: &AuditEvent) -> String {
    format!(
        "{} {} {}/{} {} in `{}`: {} {}",
        event.user,
        event.verb,
        event.api_group,
        event.resource,
        event.name,
        event.namespace,
        event.code,
        event.message
    )
}

/// Every (group, resource, verb) of the operator's ClusterRoles that no request used.
fn unused_rules(events: &[&AuditEvent]) -> Vec<String> {
    let used: BTreeSet<(String, String, String)> = events
        .iter()
        .map(|e| {
            let resource = if e.subresource.is_empty() {
                e.resource.clone()
            } else {
                format!("{}/{}", e.resource, e.subresource)
            };
            (e.api_group.clone(), resource, e.verb.clone())
        })
        .collect();
    let made: BTreeSet<(&str, &str)> = events
        .iter()
        .filter(|e| e.verb == "patch" && e.code == 201)
        .map(|e| (e.api_group.as_str(), e.resource.as_str()))
        .collect();
    let mut unused = Vec::new();
    for grant in reeve_tenancy::operator::GRANTS {
        for resource in grant.resources {
            for verb in grant.verbs {
                let used = |verb: &str| {
                    used.contains(&(grant.group.to_owned(), (*resource).to_owned(), verb.to_owned()))
                };
                let seen = match *verb {
                    // No request of its own: the API server asks for it when a RoleBinding is written.
                    "bind" => continue,
                    // A server-side apply of something new is a patch that asks for `create` as well.
                    "create" => used("create") || made.contains(&(grant.group, *resource)),
                    verb => used(verb),
                };
                if !seen {
                    unused.push(format!("{verb} {}/{resource}: {}", grant.group, grant.because));
                }
            }
        }
    }
    unused
}
