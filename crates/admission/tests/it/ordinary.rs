//! The ordinary life of a cluster: with the policies in force, not one refusal in the API server's audit log.

mod people;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reeve_admission::{names, policies_yaml};
use reeve_testkit::{
    AuditEvent, Cluster, Kubectl, Options, Tier, apply_yaml, images, own_cluster, wait_for, wait_until,
};
use serde_json::Value;

use crate::fixture::{self, AS_ALICE};

const NAMESPACE: &str = fixture::ROBOTS;
const DEADLINE: Duration = Duration::from_secs(60);
/// What is rolled out.
const ROLLING: [&str; 3] = ["deployment/web", "statefulset/db", "daemonset/agent"];

/// What alice applies: manifests that say nothing of security.
fn manifests() -> String {
    let template = |name: &str, extra: &str| {
        format!(
            "{{metadata: {{labels: {{app: {name}}}, annotations: {{{named}}}}}, spec: {{terminationGracePeriodSeconds: 0, \
             {extra} containers: [{{name: c, image: {image}, command: [sh, -c, 'trap exit TERM; while :; do sleep 1; done'], \
             env: [{{name: V, value: '1'}}]}}]}}}}",
            image = images::TOOLS,
            // Some are to know the person by name.
            named = if ["web", "db"].contains(&name) {
                "reeve.dev/passwd-entry: c"
            } else {
                ""
            },
        )
    };
    let sleeping = |kind: &str, name: &str, more: &str, selector: &str| {
        format!(
            "apiVersion: {}\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {{{more} selector: {selector}, template: \
             {}}}\n",
            fixture::api_version(kind),
            template(name, "")
        )
    };
    let matching = |name: &str| format!("{{matchLabels: {{app: {name}}}}}");
    let finishing = format!(
        "{{spec: {{restartPolicy: Never, containers: [{{name: c, image: {}, command: [id]}}]}}}}",
        images::TOOLS
    );
    [
        sleeping("Deployment", "web", "replicas: 2,", &matching("web")),
        sleeping("StatefulSet", "db", "replicas: 1, serviceName: db,", &matching("db")),
        sleeping("DaemonSet", "agent", "", &matching("agent")),
        sleeping("ReplicationController", "old", "replicas: 1,", "{app: old}"),
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: once}}\nspec: {{ttlSecondsAfterFinished: 1, template: \
             {finishing}}}\n"
        ),
        format!(
            "apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: often}}\nspec: {{schedule: '* * * * *', \
             jobTemplate: {{spec: {{ttlSecondsAfterFinished: 1, template: {finishing}}}}}}}\n"
        ),
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: bare, finalizers: [example.com/held]}}\nspec: \
             {{restartPolicy: Never, terminationGracePeriodSeconds: 0, containers: [{{name: c, image: {}, command: \
             [sleep, '600']}}]}}\n",
            images::TOOLS
        ),
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec: {minReplicas: 1, \
         maxReplicas: 4, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, metrics: [{type: Resource, \
         resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]}\n"
            .to_owned(),
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {key: value}\n".to_owned(),
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"
            .to_owned(),
    ]
    .join("---\n")
}

/// A node that nobody runs, so that the scheduler has somewhere to bind to.
const FAKE_NODE: &str = "
apiVersion: v1
kind: Node
metadata: {name: fake}
";

struct Life<'a> {
    cluster: &'a Cluster,
    kubectl: Kubectl,
}

impl Life<'_> {
    fn alice(&self, args: &[&str]) -> Result<String> {
        let all: Vec<&str> = AS_ALICE.iter().chain(args).copied().collect();
        self.kubectl.must(&all)
    }

    fn get(&self, what: &str) -> Result<Value> {
        let text = self.kubectl.must(&["-n", NAMESPACE, "get", what, "-o", "json"])?;
        Ok(serde_json::from_str(&text)?)
    }

    /// As the node's kubelet would, where nobody plays it: pods of this job have run.
    fn finish_pods(&self, label: &str) -> Result<()> {
        if self.cluster.node_name().is_some() {
            return Ok(());
        }
        let pods = self.get("pods")?;
        for pod in pods["items"].as_array().into_iter().flatten() {
            let of_job = pod["metadata"]["labels"]["job-name"]
                .as_str()
                .is_some_and(|j| j.starts_with(label));
            let bound = pod["spec"]["nodeName"].is_string();
            if of_job && bound && pod["status"]["phase"] == "Pending" {
                let name = pod["metadata"]["name"].as_str().context("a pod without a name")?;
                self.kubectl.must(&[
                    "--as=system:node:fake",
                    "--as-group=system:nodes",
                    "--as-group=it:everything",
                    "-n",
                    NAMESPACE,
                    "patch",
                    "pod",
                    name,
                    "--subresource=status",
                    "--type=merge",
                    "-p",
                    r#"{"status":{"phase":"Succeeded"}}"#,
                ])?;
            }
        }
        Ok(())
    }

    async fn pods_of(&self, app: &str, wanted: usize) -> Result<()> {
        let running = self.cluster.node_name().is_some();
        wait_for(DEADLINE, &format!("{wanted} pods of {app}"), async || {
            let pods = self.get("pods")?;
            let there = pods["items"].as_array().into_iter().flatten().filter(|p| {
                p["metadata"]["labels"]["app"] == app
                    && p["metadata"].get("deletionTimestamp").is_none()
                    && (!running || p["status"]["phase"] == "Running")
            });
            Ok((there.count() >= wanted).then_some(()))
        })
        .await
    }

    async fn gone(&self, kind: &str, name: &str) -> Result<()> {
        wait_for(DEADLINE, &format!("{kind} {name} to go"), async || {
            self.finish_pods(name)?;
            Ok(self
                .kubectl
                .must(&["-n", NAMESPACE, "get", kind, name])
                .is_err()
                .then_some(()))
        })
        .await
    }
}

/// What admission refused, and what it could not evaluate.
fn refusals(events: &[AuditEvent]) -> Vec<String> {
    let by_admission = |e: &&AuditEvent| {
        e.code >= 400 && (e.message.contains("AdmissionPolicy") || e.message.contains("reeve: R"))
            || e.annotations
                .keys()
                .any(|k| k.contains("policy.admission.k8s.io"))
    };
    events
        .iter()
        .filter(by_admission)
        .map(|e| {
            format!(
                "{} {} {}/{} {}: {} {}",
                e.user, e.verb, e.resource, e.subresource, e.name, e.code, e.message
            )
        })
        .collect()
}

async fn live(cluster: &Cluster) -> Result<()> {
    let installer = cluster.installer_client().await?;
    apply_yaml(&installer, &fixture::ground()).await?;
    apply_yaml(&installer, &policies_yaml()).await?;
    let labels = [
        (names::PROJECT, "robots"),
        (names::POD_SECURITY_ENFORCE, "restricted"),
    ];
    let labels: Vec<String> = labels.iter().map(|(k, v)| format!("{k}: {v}")).collect();
    apply_yaml(
        &installer,
        &format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}, labels: {{{}}}}}\n",
            labels.join(", ")
        ),
    )
    .await?;
    let life = Life {
        cluster,
        kubectl: cluster.kubectl(),
    };
    if cluster.node_name().is_none() {
        apply_yaml(&installer, FAKE_NODE).await?;
        let ready = r#"{"status":{"conditions":[{"type":"Ready","status":"True"}],"allocatable":{"cpu":"8","memory":"8Gi","pods":"110"},"capacity":{"cpu":"8","memory":"8Gi","pods":"110"}}}"#;
        life.kubectl.must(&[
            "patch",
            "node",
            "fake",
            "--subresource=status",
            "--type=merge",
            "-p",
            ready,
        ])?;
        let _ = life
            .kubectl
            .must(&["taint", "node", "fake", "node.kubernetes.io/not-ready-"]);
    }
    wait_until("the default ServiceAccount", async || {
        Ok(life
            .kubectl
            .must(&["-n", NAMESPACE, "get", "serviceaccount", "default"])
            .ok())
    })
    .await?;
    // The positive control: a refusal that must be seen, before the part that must show none.
    wait_until("the policies to refuse somebody without identity", async || {
        let refused = life.kubectl.run_with_input(
            &["-n", NAMESPACE, "create", "-f", "-"],
            "apiVersion: batch/v1\nkind: Job\nmetadata: {name: control}\nspec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}",
        )?;
        if refused.status.success() {
            life.kubectl.must(&["-n", NAMESPACE, "delete", "job", "control"])?;
        }
        Ok(String::from_utf8_lossy(&refused.stderr).contains("reeve: R5: ").then_some(()))
    })
    .await?;
    wait_until("the refusal in the audit log", async || {
        Ok((!refusals(&cluster.audit_events()?).is_empty()).then_some(()))
    })
    .await?;
    people::list_whose_they_are(&life).await?;
    let mark = cluster.audit_mark();
    days(&life).await?;
    let events = cluster.audit_events_since(mark)?;
    let refused = refusals(&events);
    assert!(
        refused.is_empty(),
        "refused in ordinary life:\n{}",
        refused.join("\n")
    );
    let writes = events
        .iter()
        .filter(|e| e.namespace == NAMESPACE && e.code < 400 && e.verb != "watch")
        .count();
    assert!(
        writes > 100,
        "only {writes} requests were seen in {NAMESPACE}: the log cannot be all of it"
    );
    Ok(())
}

/// What a repository applies again and again, by server and by client: nothing changes, and nothing differs.
fn git_ops(life: &Life<'_>) -> Result<()> {
    let lasting: Vec<String> = manifests()
        .split("---\n")
        .filter(|object| !object.contains("kind: Job\n") && !object.contains("kind: Pod\n"))
        .map(str::to_owned)
        .collect();
    let lasting = lasting.join("---\n");
    let kinds = "deployments,statefulsets,daemonsets,replicationcontrollers,cronjobs";
    let path = "jsonpath={range .items[*]}{.kind}/{.metadata.name}={.metadata.generation} {end}";
    let generations = || life.kubectl.must(&["-n", NAMESPACE, "get", kinds, "-o", path]);
    let as_alice = |more: &[&str]| {
        let all: Vec<&str> = AS_ALICE.iter().chain(more).copied().collect();
        life.kubectl.must_with_input(&all, &lasting)
    };
    let server_side = [
        "--server-side",
        "--force-conflicts",
        "--field-manager=repository",
        "-f",
        "-",
    ];
    // The first takes over from the client's apply and drops its annotation, which counts as a change of a Deployment.
    as_alice(&[&["apply"], &server_side[..]].concat())?;
    let before = generations()?;
    for _ in 0..2 {
        as_alice(&[&["apply"], &server_side[..]].concat())?;
        let after = generations()?;
        if before != after {
            bail!("applied again by the server: {before} became {after}");
        }
    }
    // Exit code 1 is a difference, and `must` takes it for a failure.
    as_alice(&[&["diff"], &server_side[..]].concat())?;
    as_alice(&["diff", "-f", "-"])?;
    life.alice(&["expose", "deployment", "web", "--name=exposed", "--port=80"])?;
    let exposed = life.get("service/exposed")?;
    if exposed["spec"]["selector"]["reeve.dev/user"] != fixture::ALICE_ID {
        bail!("the Service reaches more than her pods: {exposed}");
    }
    Ok(())
}

async fn days(life: &Life<'_>) -> Result<()> {
    let alice: Vec<&str> = AS_ALICE.iter().chain(&["apply", "-f", "-"]).copied().collect();
    life.kubectl.must_with_input(&alice, &manifests())?;
    for (app, pods) in [("web", 2), ("db", 1), ("agent", 1), ("old", 1)] {
        life.pods_of(app, pods).await?;
    }
    // A second apply changes nothing, a rollout makes new pods, an undo the old ones again.
    life.kubectl.must_with_input(&alice, &manifests())?;
    git_ops(life)?;
    for what in ROLLING {
        life.alice(&["set", "env", what, "V=2"])?;
    }
    life.pods_of("web", 2).await?;
    if life.cluster.node_name().is_some() {
        for what in ROLLING {
            life.alice(&["rollout", "status", what, "--timeout=60s"])?;
        }
        people::step_in(life).await?;
    }
    people::restart(life)?;
    life.alice(&["rollout", "undo", "deployment/web"])?;
    people::scaled_by_a_colleague(life).await?;
    // The autoscaler itself scales: there are no metrics here, but below the least it needs none.
    life.alice(&[
        "patch",
        "hpa",
        "web",
        "--type=merge",
        "-p",
        r#"{"spec":{"minReplicas":3}}"#,
    ])?;
    // Pods alone do not show it: amid a rollout there are more than are asked for.
    let scaled = |e: &AuditEvent| e.subresource == "scale" && e.user.ends_with("horizontal-pod-autoscaler");
    wait_for(DEADLINE, "the autoscaler to scale", async || {
        Ok(life.cluster.audit_events()?.iter().any(scaled).then_some(()))
    })
    .await?;
    life.pods_of("web", 3).await?;
    // A Job runs and its time to live takes it away; so does a CronJob's, run now instead of at the next minute.
    life.gone("job", "once").await?;
    life.alice(&["create", "job", "--from=cronjob/often", "now"])?;
    life.gone("job", "now").await?;
    wait_for(Duration::from_secs(90), "a Job of the CronJob", async || {
        let events = life.cluster.audit_events()?;
        let made = |e: &AuditEvent| {
            e.verb == "create" && e.resource == "jobs" && e.user.ends_with("cronjob-controller")
        };
        Ok(events.iter().find(|e| made(e)).map(|_| ()))
    })
    .await?;
    // A finalizer holds a pod, and lets it go.
    life.alice(&["delete", "pod", "bare", "--wait=false"])?;
    let held = life.get("pod/bare")?;
    if held["metadata"].get("deletionTimestamp").is_none() {
        bail!("the finalizer holds nothing");
    }
    life.alice(&[
        "patch",
        "pod",
        "bare",
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":[]}}"#,
    ])?;
    // The garbage collector takes ownerReferences away from what is orphaned, and pods of what is not.
    life.alice(&["delete", "deployment", "web", "--cascade=orphan"])?;
    life.alice(&[
        "delete",
        "statefulset",
        "db",
        "--cascade=foreground",
        "--wait=false",
    ])?;
    wait_for(DEADLINE, "orphans", async || {
        let sets = life.get("replicasets")?;
        let owned = sets["items"].as_array().into_iter().flatten();
        Ok(owned
            .clone()
            .all(|s| s["metadata"].get("ownerReferences").is_none())
            .then_some(()))
    })
    .await?;
    life.kubectl
        .must(&["delete", "namespace", NAMESPACE, "--wait=false"])?;
    wait_for(Duration::from_secs(90), "the namespace to go", async || {
        if life.cluster.node_name().is_none() {
            // Nobody ends the pods of a node that is not there.
            let _ = life.kubectl.run(&[
                "-n",
                NAMESPACE,
                "delete",
                "pods",
                "--all",
                "--force",
                "--grace-period=0",
            ]);
        }
        Ok(life
            .kubectl
            .must(&["get", "namespace", NAMESPACE])
            .is_err()
            .then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_policy_refuses_anything_in_the_ordinary_life_of_controllers() -> Result<()> {
    let options = Options {
        tier: Tier::Controllers,
        ..Options::default()
    };
    let Some(cluster) = own_cluster(options).await else {
        return Ok(());
    };
    live(&cluster).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_policy_refuses_anything_in_the_ordinary_life_of_a_real_node() -> Result<()> {
    let options = Options {
        tier: Tier::Node,
        ..Options::default()
    };
    let Some(cluster) = own_cluster(options).await else {
        return Ok(());
    };
    live(&cluster).await
}
