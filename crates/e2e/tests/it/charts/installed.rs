//! Both charts on a real node: server and operator are pods under the charts' own rights, and every person's way works; an
//! upgrade, a way back, the end of a leader, and the end of it all.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reeve_e2e::in_pods::{SYSTEM_NAMESPACE, operator_values};
use reeve_e2e::organization::NAMESPACE;
use reeve_e2e::{Organization, Stack};
use reeve_testkit::{Helm, Kubectl, charts, wait_for};
use serde_json::{Value, json};

use crate::harness::on_a_stack_in_pods;
use crate::operators_life::{self, OPERATOR};

mod cert_manager;
mod certificates;
mod metrics;
mod webhook;

/// A lease runs out after 15 seconds; two cores carry more than this test.
const FAIL_OVER: Duration = Duration::from_secs(120);

struct Installed<'a> {
    stack: &'a Stack,
    kubectl: Kubectl,
    helm: Helm,
}

impl Installed<'_> {
    fn get(&self, words: &[&str]) -> Result<String> {
        self.kubectl.must(&[&["get"], words].concat())
    }

    /// The pod that leads.
    fn leader(&self) -> Result<String> {
        self.get(&[
            "lease",
            "reeve-operator",
            "-n",
            SYSTEM_NAMESPACE,
            "-o=jsonpath={.spec.holderIdentity}",
        ])
    }

    /// The addresses of a program's pods, and their names.
    fn pods(&self, namespace: &str, program: &str) -> Result<Vec<(String, IpAddr)>> {
        let label = format!("app.kubernetes.io/name={program}");
        let path = "-o=jsonpath={range .items[*]}{.metadata.name} {.status.podIP}{'\\n'}{end}";
        let all = self.get(&[
            "pods",
            "-n",
            namespace,
            "-l",
            &label,
            "--field-selector=status.phase=Running",
            path,
        ])?;
        let pod = |line: &str| {
            let (name, address) = line.split_once(' ').context("a pod without an address")?;
            Ok((name.to_owned(), address.parse()?))
        };
        all.lines().map(pod).collect()
    }

    fn bindings(&self) -> Result<String> {
        self.get(&[
            "rolebindings",
            "-n",
            NAMESPACE,
            "-l",
            "reeve.dev/managed=access-rules",
            "-o=json",
        ])
    }

    fn upgrade(&self, change: impl FnOnce(&mut Value)) -> Result<()> {
        let mut values = operator_values(&self.stack.cluster_id, self.stack.cluster.server());
        change(&mut values);
        let chart = charts().join("reeve-cluster").display().to_string();
        let words = [
            "upgrade",
            "reeve",
            &chart,
            "-n",
            SYSTEM_NAMESPACE,
            "--wait",
            "--timeout=180s",
            "--values=-",
        ];
        self.helm.must(&words, &values.to_string()).map(drop)
    }

    fn log_flag(&self) -> Result<String> {
        let path = "-o=jsonpath={.spec.template.spec.containers[0].args}";
        self.get(&["deployment", "reeve-operator", "-n", SYSTEM_NAMESPACE, path])
    }
}

#[test]
fn installed_by_helm_upgraded_taken_back_failed_over_and_uninstalled() {
    on_a_stack_in_pods("installed", async |stack| {
        let installed = Installed {
            kubectl: stack.kubectl(stack.cluster.installer_kubeconfig()),
            helm: Helm::with_kubeconfig(stack.cluster.installer_kubeconfig())?,
            stack: &stack,
        };
        let organization = Organization::make(&stack).await?;
        organization.sign_everybody_in(&stack)?;
        a_rule_is_a_binding_and_a_job_runs(&installed)?;
        the_pods_are_nobody_in_particular(&installed)?;
        metrics::are_for_who_may(&installed).await?;
        certificates::are_exchanged_without_a_restart(&installed).await?;
        operators_life::is_lived(&stack, &organization).await?;
        the_charts_rights_are_exactly_those_that_are_used(&stack).await?;
        an_upgrade_and_the_way_back(&installed).await?;
        a_leader_that_dies_loses_no_revocation(&installed).await?;
        nothing_was_refused_to_the_operator(&stack)?;
        uninstalled(&installed)
    });
}

fn a_rule_is_a_binding_and_a_job_runs(installed: &Installed<'_>) -> Result<()> {
    let bindings = installed.bindings()?;
    ensure!(bindings.contains("alice@reeve.example"), "{bindings}");
    let alice = reeve_e2e::organization::command_line_of(installed.stack, "alice")?;
    alice.must(&[
        "submit",
        "first",
        "-p",
        "robots",
        "-i",
        reeve_testkit::images::TOOLS,
        "--",
        "id",
    ])?;
    let job = [
        "-n",
        NAMESPACE,
        "wait",
        "--for=condition=Complete",
        "job/first",
        "--timeout=90s",
    ];
    installed.kubectl.must(&[
        "-n",
        NAMESPACE,
        "wait",
        "--for=create",
        "job/first",
        "--timeout=60s",
    ])?;
    installed.kubectl.must(&job)?;
    let said = installed.kubectl.must(&["-n", NAMESPACE, "logs", "job/first"])?;
    ensure!(said.starts_with("uid=70012 gid=5000"), "{said}");
    Ok(())
}

/// Pod Security `restricted` admitted them; what they are, the node says.
fn the_pods_are_nobody_in_particular(installed: &Installed<'_>) -> Result<()> {
    for namespace in ["reeve", SYSTEM_NAMESPACE] {
        let pods = installed.get(&[
            "pods",
            "-n",
            namespace,
            "-o=jsonpath={.items[*].status.containerStatuses[0].user}",
        ])?;
        ensure!(
            pods.contains("65532") && !pods.contains("\"uid\":0"),
            "{namespace}: {pods}"
        );
    }
    let ready = installed.get(&[
        "deployment",
        "reeve-operator",
        "-n",
        SYSTEM_NAMESPACE,
        "-o=jsonpath={.status.readyReplicas}",
    ])?;
    ensure!(ready == "2", "who stands by is ready as well: {ready}");
    Ok(())
}

/// The upgrade also puts the webhook in the place of the policies, as on a cluster that has none that fill in. A second one takes the
/// certificates from cert-manager.
async fn an_upgrade_and_the_way_back(installed: &Installed<'_>) -> Result<()> {
    let before = (installed.bindings()?, installed.log_flag()?);
    installed.upgrade(|values| {
        values["operator"] = json!({"logLevel": "debug"});
        values["admission"] = json!({"mode": "webhook"});
    })?;
    ensure!(installed.log_flag()?.contains("--log=debug"));
    webhook::stands_in_for_the_policies(installed).await?;
    cert_manager::issues_and_renews_what_the_chart_asks_for(installed).await?;
    let back = [
        "rollback",
        "reeve",
        "1",
        "-n",
        SYSTEM_NAMESPACE,
        "--wait",
        "--timeout=180s",
    ];
    installed.helm.must(&back, "")?;
    ensure!(
        installed.log_flag()? == before.1,
        "the arguments are not those of before"
    );
    ensure!(
        installed.bindings()? == before.0,
        "an upgrade touched people's bindings"
    );
    webhook::is_gone(installed)
}

async fn a_leader_that_dies_loses_no_revocation(installed: &Installed<'_>) -> Result<()> {
    let leader = installed.leader()?;
    let mark = installed.stack.cluster.audit_mark();
    kill_without_goodbye(&leader)?;
    // Gone for good: a container that is started again in the same pod would lead again, as it holds the lease still.
    let gone = ["-n", SYSTEM_NAMESPACE, "delete", "pod", &leader];
    let at_once = ["--grace-period=0", "--force", "--wait=false"];
    installed.kubectl.must(&[&gone[..], &at_once].concat())?;
    let admin = &installed.stack.admin;
    let rules = admin
        .get("/api/v1/authorization/access-rules")
        .await?
        .expect(200)?;
    let rules = rules["accessRules"].as_array().context("no list of rules")?;
    let of_alice: Vec<i64> = rules
        .iter()
        .filter(|rule| rule.to_string().contains("alice@reeve.example"))
        .filter_map(|rule| rule["id"].as_i64())
        .collect();
    ensure!(!of_alice.is_empty(), "alice has no rule: {rules:?}");
    for id in of_alice {
        let path = format!("/api/v1/authorization/access-rules/{id}");
        admin.delete(&path).await?.expect(204)?;
    }
    wait_for(FAIL_OVER, "alice's bindings to be gone", async || {
        let bindings = installed.bindings()?;
        ensure!(!bindings.contains("alice@reeve.example"), "{bindings}");
        Ok(Some(()))
    })
    .await?;
    let next = installed.leader()?;
    ensure!(next != leader, "{next} leads although it was killed");
    let writes = installed.stack.cluster.audit_events_since(mark)?;
    let writes = writes.iter().filter(|event| {
        event.user == OPERATOR
            && event.resource == "rolebindings"
            && event.namespace == NAMESPACE
            && ["create", "patch", "delete"].contains(&event.verb.as_str())
    });
    let writes: Vec<String> = writes
        .map(|event| format!("{} {} {}", event.verb, event.name, event.code))
        .collect();
    ensure!(writes.len() == 1, "one binding changed, once: {writes:?}");
    Ok(())
}

/// SIGKILL for the process that leads, found on this machine by the name it goes by in the lease: it hands nothing over.
fn kill_without_goodbye(leader: &str) -> Result<()> {
    let word = format!("--lease-holder={leader}");
    let of_leader = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0)
            .any(|argument| argument == word.as_bytes())
    };
    let pids = std::fs::read_dir("/proc")?.flatten();
    let mut pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let pid = pids.find(of_leader).context("no process of the leader")?;
    Ok(kill(Pid::from_raw(pid), Signal::SIGKILL)?)
}

fn nothing_was_refused_to_the_operator(stack: &Stack) -> Result<()> {
    let events = stack.cluster.audit_events()?;
    let of_operator: Vec<_> = events.iter().filter(|event| event.user == OPERATOR).collect();
    ensure!(of_operator.len() > 50, "the log shows too little of the operator");
    let refused: Vec<String> = of_operator
        .iter()
        .filter(|event| event.code == 403)
        // The test's own quotas.
        .filter(|event| !event.message.contains("quota: "))
        // On the way back Helm takes this right away before the pods have ended that were installed with it, and one that is
        // started anew in between asks in vain. That it is there while it is needed, the webhook's own steps show: without it no
        // operator is ready.
        .filter(|event| !event.uri.contains("webhookconfigurations"))
        .map(|event| format!("{} {}: {}", event.verb, event.uri, event.message))
        .collect();
    ensure!(refused.is_empty(), "{refused:#?}");
    Ok(())
}

/// What Helm gave the operator's pods, by the API server's log: no right is missing, each of the table is used, and so is what they
/// ask of whoever reads their metrics.
async fn the_charts_rights_are_exactly_those_that_are_used(stack: &Stack) -> Result<()> {
    wait_for(Duration::from_secs(60), "every right to be used", async || {
        let events = stack.cluster.audit_events()?;
        operators_life::needs_exactly_its_rights(&events)?;
        for resource in ["tokenreviews", "subjectaccessreviews"] {
            let mut asked = events
                .iter()
                .filter(|event| event.user == OPERATOR && event.resource == resource);
            ensure!(
                asked.any(|event| event.verb == "create" && event.code == 201),
                "{resource} are granted, and none was made"
            );
        }
        Ok(Some(()))
    })
    .await
}

fn uninstalled(installed: &Installed<'_>) -> Result<()> {
    let mark = installed.stack.cluster.audit_mark();
    let end = [
        "uninstall",
        "reeve",
        "-n",
        SYSTEM_NAMESPACE,
        "--wait",
        "--timeout=120s",
    ];
    installed.helm.must(&end, "")?;
    let deleted: Vec<String> = installed
        .stack
        .cluster
        .audit_events_since(mark)?
        .into_iter()
        .filter(|event| event.user == "installer" && event.verb == "delete" && event.code == 200)
        .map(|event| event.resource)
        .collect();
    let first_policy = deleted
        .iter()
        .position(|resource| resource.ends_with("admissionpolicies"));
    let operator = deleted.iter().position(|resource| resource == "deployments");
    let rights = deleted
        .iter()
        .rposition(|resource| resource.starts_with("clusterrole"));
    ensure!(
        first_policy > operator && first_policy > rights && operator.is_some(),
        "policies go last: {deleted:?}"
    );
    for crd in [
        "projects",
        "accessrules",
        "workloads",
        "reeveconfigs",
        "podidentities",
    ] {
        installed.get(&["crd", &format!("{crd}.reeve.dev")])?;
    }
    let job = installed.get(&["-n", NAMESPACE, "job/first", "-o=jsonpath={.status.succeeded}"])?;
    ensure!(job == "1", "work outlives the operator: {job}");
    installed.get(&["projects.reeve.dev", "robots"])?;
    let left = installed.get(&["validatingadmissionpolicies,mutatingadmissionpolicies", "-o=name"])?;
    ensure!(!left.contains("reeve"), "left: {left}");
    for namespace in [NAMESPACE, SYSTEM_NAMESPACE] {
        installed
            .kubectl
            .must(&["delete", "namespace", namespace, "--timeout=90s"])?;
    }
    Ok(())
}
