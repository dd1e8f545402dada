//! What is filled in, field by field: on the API server as in Rust, and each left out once, which must show.

use anyhow::Result;
use reeve_admission::mutate::FILLED;
use reeve_admission::{Request, fill, names, policies, policies_with_gap};
use reeve_testkit::wait_until;
use serde_json::{Value, json};

use crate::fixture::{self, Answer, requester, send};
use crate::test_cluster::{TestCluster, namespace};

const LEVEL: &str = "privileged";

/// Requests that together need everything of [`FILLED`].
fn probes() -> Vec<Request> {
    let by = |who: &str, kind: &str, change: &dyn Fn(&mut Value)| {
        let mut object = fixture::minimal(kind, "probe");
        change(&mut object);
        Request {
            user: requester(who, kind),
            object,
            namespace_labels: fixture::labels("strict"),
            ..Request::default()
        }
    };
    let partly = |pod: &mut Value| {
        pod["spec"]["securityContext"] = json!({"fsGroup": 5001});
        let containers = &mut pod["spec"]["containers"];
        containers[0]["securityContext"] = json!({});
        let mut second = containers[0].clone();
        second["name"] = json!("second");
        second["securityContext"] = json!({"capabilities": {"add": ["NET_BIND_SERVICE"]}});
        containers.as_array_mut().unwrap().push(second);
    };
    // As the API server's own admission leaves it.
    let with_token = |pod: &mut Value| {
        pod["spec"]["volumes"] = json!([{"name": "kube-api-access-probe", "emptyDir": {}}]);
        pod["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "kube-api-access-probe", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]);
    };
    // The same beside what the person wrote herself: last, by the short way, and first, by the long one.
    let with_more = |pod: &mut Value, own_first: bool| {
        with_token(pod);
        pod["metadata"]["annotations"] = json!({"example.org/note": "hers"});
        let list = |at: &mut Value, entry: Value| {
            let list = at.as_array_mut().unwrap();
            list.insert(if own_first { 0 } else { list.len() }, entry);
        };
        list(
            &mut pod["spec"]["volumes"],
            json!({"name": "scratch", "emptyDir": {}}),
        );
        let containers = &mut pod["spec"]["containers"];
        list(
            &mut containers[0]["volumeMounts"],
            json!({"name": "scratch", "mountPath": "/scratch"}),
        );
        let mut second = containers[0].clone();
        second["name"] = json!("second");
        containers.as_array_mut().unwrap().push(second);
    };
    let of_before = |object: &mut Value| {
        let template = fixture::template(object, "Deployment");
        template["metadata"]["annotations"] = json!({names::RUNS_AS: fixture::stamp("alice").to_string()});
        template["spec"]["securityContext"] = json!({"runAsUser": 70012, "runAsGroup": 5000, "fsGroup": 5000,
            "supplementalGroups": [5001], "supplementalGroupsPolicy": "Strict"});
    };
    let manual = |job: &mut Value| {
        job["metadata"]["ownerReferences"] = json!([{"apiVersion": "batch/v1", "kind": "CronJob", "name": "often", "uid": "u-1", "controller": true}]);
    };
    vec![
        by("alice", "Pod", &|_| ()),
        by("alice", "Deployment", &|_| ()),
        by("alice", "Pod", &partly),
        by("alice", "Pod", &with_token),
        by("alice", "Pod", &|pod| with_more(pod, true)),
        by("alice", "Pod", &|pod| with_more(pod, false)),
        by("alice-regrouped", "Deployment", &of_before),
        by("alice", "Job", &manual),
    ]
}

/// Whether everything that Rust fills in is there; of lists, as many entries as there are to be.
fn has(actual: &Value, wanted: &Value) -> bool {
    match (actual, wanted) {
        (Value::Object(actual), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, value)| has(actual.get(key).unwrap_or(&Value::Null), value)),
        (Value::Null, Value::Array(wanted)) => wanted.is_empty(),
        (Value::Null, Value::Object(wanted)) => wanted.is_empty(),
        (Value::Array(actual), Value::Array(wanted)) => {
            actual.len() == wanted.len()
                && actual
                    .iter()
                    .zip(wanted)
                    .all(|(actual, wanted)| has(actual, wanted))
        }
        _ => actual == wanted,
    }
}

/// The probes whose answer is not what Rust makes of them.
pub(crate) async fn wrong(stage: &TestCluster) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for mut probe in probes() {
        let Answer { code, body, .. } =
            send(&stage.client, &namespace(LEVEL, "strict"), &probe, true).await?;
        fill(&mut probe);
        if !(200..300).contains(&code) || !has(&body, &probe.object) {
            wrong.push(format!("{code} {body}\ninstead of {}", probe.object));
        }
    }
    Ok(wrong)
}

/// The planted faults of the mutating policy, one for each thing that it fills in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_not_filled_in_is_noticed() -> Result<()> {
    let Some(cluster) = fixture::api_server().await else {
        return Ok(());
    };
    let stage = TestCluster::set(&cluster, &[], &[LEVEL]).await?;
    let sound = policies();
    let filled = async || {
        let wrong = wrong(&stage).await?;
        anyhow::ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(Some(()))
    };
    wait_until("what is filled in to be what Rust fills in", &filled).await?;
    for part in FILLED {
        let faulty = policies_with_gap(part);
        let changed: Vec<usize> = (0..sound.len()).filter(|at| sound[*at] != faulty[*at]).collect();
        assert_eq!(changed.len(), 2, "{part}: both policies that fill in");
        for at in &changed {
            stage.install(&faulty[*at..=*at]).await?;
        }
        wait_until(&format!("the fault `{part}` to be noticed"), async || {
            Ok((!wrong(&stage).await?.is_empty()).then_some(()))
        })
        .await?;
        for at in changed {
            stage.install(&sound[at..=at]).await?;
        }
        wait_until("the sound policies", &filled).await?;
    }
    Ok(())
}
