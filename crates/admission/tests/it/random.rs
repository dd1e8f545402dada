//! Seeded random pods and templates, 2,000 of each or as many as `RANDOM_PODS` says (`make random-pods`: 10,000): the API server
//! and the predicates give the same verdict on each.

use anyhow::Result;
use futures::{StreamExt, TryStreamExt, stream};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use reeve_admission::{Check, Operation, Request, failing, fill, mutate};
use serde_json::{Value, json};

use crate::fixture::{self, Answer, KINDS, SETTINGS, merge, send};
use crate::table::rows;
use crate::test_cluster::{TestCluster, create_request, filled_alike, namespace, says};

const SEED: u64 = 0x5eed;
/// How many pods, and how many templates of the seven kinds that are no pods themselves.
const USUAL: usize = 2_000;
const LEVEL: &str = "privileged";

const REQUESTERS: [&str; 10] = [
    "alice",
    "alice",
    "alice",
    "alice-regrouped",
    "dave",
    "admin",
    "eve-without-identity",
    "controller",
    "operator",
    "custom-controller",
];

fn wanted() -> usize {
    match std::env::var_os("RANDOM_PODS") {
        None => USUAL,
        Some(text) => text
            .to_str()
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| panic!("RANDOM_PODS must be a number, it is {text:?}")),
    }
}

/// Changes of a pod's spec, harmless and harmful.
fn pod_changes() -> Vec<Value> {
    let context = |fields: Value| json!({"securityContext": fields});
    vec![
        context(json!({"runAsUser": 70012})),
        context(json!({"runAsUser": 70014})),
        context(json!({"runAsUser": 0})),
        context(json!({"runAsUser": null})),
        context(json!({"runAsGroup": 5000})),
        context(json!({"runAsGroup": 5002})),
        context(json!({"supplementalGroups": [5001]})),
        context(json!({"supplementalGroups": [5001, 7777]})),
        context(json!({"supplementalGroups": []})),
        context(json!({"supplementalGroupsPolicy": "Merge"})),
        context(json!({"supplementalGroupsPolicy": "Strict"})),
        context(json!({"fsGroup": 5001})),
        context(json!({"fsGroup": 5000})),
        context(json!({"fsGroup": 7777})),
        context(json!({"windowsOptions": {"runAsUserName": "ContainerAdministrator"}})),
        context(json!({"runAsNonRoot": true})),
        context(json!({"runAsNonRoot": false})),
        context(json!({"seccompProfile": {"type": "Unconfined"}})),
        context(json!({"seccompProfile": {"type": "RuntimeDefault"}})),
        context(json!({"appArmorProfile": {"type": "RuntimeDefault"}})),
        context(json!({"seLinuxOptions": {"type": "spc_t"}})),
        context(json!({"seLinuxOptions": {"level": "s0:c1"}})),
        context(json!({"sysctls": [{"name": "kernel.msgmax", "value": "65536"}]})),
        context(json!({})),
        json!({"securityContext": null}),
        json!({"hostNetwork": true}),
        json!({"hostPID": true}),
        json!({"shareProcessNamespace": true}),
        json!({"hostUsers": false}),
        json!({"terminationGracePeriodSeconds": 5}),
        json!({"nodeSelector": {"gpu": "yes"}}),
        json!({"nodeName": "node1"}),
        json!({"priorityClassName": "system-node-critical"}),
        json!({"priorityClassName": "high"}),
        json!({"tolerations": [{"operator": "Exists"}]}),
        json!({"tolerations": [{"key": "gpu", "operator": "Exists"}]}),
        json!({"automountServiceAccountToken": true}),
        json!({"os": {"name": "linux"}}),
        json!({"os": {"name": "windows"}}),
        json!({"os": null}),
        json!({"securityContext": {"fsGroup": 5000}, "volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "x"}}]}),
        json!({"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "x"}}]}),
        json!({"volumes": [{"name": "a", "emptyDir": {}}]}),
        json!({"volumes": [{"name": "a", "csi": {"driver": "nfs.example.com"}}]}),
        json!({"securityContext": {"fsGroup": 5000}, "volumes": [{"name": "a", "ephemeral": {"volumeClaimTemplate": claim()}}]}),
        json!({"volumes": [{"name": "a", "hostPath": {"path": "/home"}}]}),
        json!({"volumes": [{"name": "a", "configMap": {"name": "x"}}, {"name": "b", "secret": {"secretName": "x"}}]}),
    ]
}

/// Changes of a container, harmless and harmful.
fn container_changes() -> Vec<Value> {
    let context = |fields: Value| json!({"securityContext": fields});
    vec![
        context(json!({"runAsUser": 70012})),
        context(json!({"runAsUser": 70014})),
        context(json!({"runAsUser": 0})),
        context(json!({"runAsGroup": 5000})),
        context(json!({"runAsGroup": 7777})),
        context(json!({"runAsNonRoot": true})),
        context(json!({"runAsNonRoot": false})),
        context(json!({"privileged": true})),
        context(json!({"privileged": false})),
        context(json!({"allowPrivilegeEscalation": true})),
        context(json!({"allowPrivilegeEscalation": false})),
        context(json!({"allowPrivilegeEscalation": null})),
        context(json!({"capabilities": {"drop": ["ALL"]}})),
        context(json!({"capabilities": {"drop": ["KILL"]}})),
        context(json!({"capabilities": {"add": ["NET_BIND_SERVICE"]}})),
        context(json!({"capabilities": {"add": ["SYS_PTRACE"]}})),
        context(json!({"capabilities": {}})),
        context(json!({"capabilities": null})),
        context(json!({"readOnlyRootFilesystem": true})),
        context(json!({"seccompProfile": {"type": "Unconfined"}})),
        context(json!({"procMount": "Default"})),
        context(json!({"seLinuxOptions": {"user": "system_u"}})),
        context(json!({"windowsOptions": {"runAsUserName": "ContainerAdministrator"}})),
        context(json!({})),
        json!({"securityContext": null}),
        json!({"env": [{"name": "A", "value": "b"}]}),
        json!({"command": ["sh", "-c", "id"]}),
        json!({"ports": [{"containerPort": 80}]}),
        json!({"ports": [{"containerPort": 80, "hostPort": 80}]}),
    ]
}

/// Metadata of a template or an object that controllers and we act on, harmless and harmful.
fn marks(rng: &mut StdRng) -> Value {
    let label = |key: &str, value: &str| json!({"metadata": {"labels": {key: value}}});
    let all = [
        label("team", "a"),
        label("pod-template-hash", "abc"),
        label("batch.kubernetes.io/controller-uid", "u-1"),
        label("reeve.dev/workload", "train1"),
        label("reeve.dev/user", fixture::ALICE_ID),
        label("reeve.dev/user", fixture::DAVE_ID),
    ];
    all.choose(rng).unwrap().clone()
}

/// What belongs to an object as a whole: owners and finalizers.
fn ties(rng: &mut StdRng) -> Value {
    let owner = |version: &str, kind: &str, controller: bool| {
        let owner =
            json!({"apiVersion": version, "kind": kind, "name": "o", "uid": "u-1", "controller": controller});
        json!({"metadata": {"ownerReferences": [owner]}})
    };
    let all = [
        owner("v1", "ConfigMap", false),
        owner("apps/v1", "ReplicaSet", true),
        owner("batch/v1", "CronJob", true),
        owner("reeve.dev/v1alpha1", "Workload", false),
        json!({"metadata": {"finalizers": ["example.com/x"]}}),
        json!({"metadata": {"finalizers": ["batch.kubernetes.io/job-tracking"]}}),
        json!({"metadata": {"annotations": {reeve_admission::names::PASSWD_ENTRY: "c"}}}),
    ];
    all.choose(rng).unwrap().clone()
}

/// What a claim is made from.
fn claim() -> Value {
    json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}})
}

/// A claim, mounted whole or in part.
fn mount_claim(rng: &mut StdRng, template: &mut Value) {
    let part = *["", "data"].choose(rng).unwrap();
    let spec = &mut template["spec"];
    spec["volumes"] = json!([{"name": "a", "persistentVolumeClaim": {"claimName": "x"}}]);
    spec["containers"][0]["volumeMounts"] = json!([{"name": "a", "mountPath": "/a", "subPath": part}]);
}

fn annotations(rng: &mut StdRng) -> Value {
    let stamps = [
        fixture::stamp("alice").to_string(),
        fixture::stamp("dave").to_string(),
        fixture::stamp("alice-regrouped").to_string(),
        "nonsense".to_owned(),
        String::new(),
    ];
    json!({"metadata": {"annotations": {reeve_admission::names::RUNS_AS: stamps.choose(rng).unwrap()}}})
}

/// One random request for an object of this kind, with the settings of its namespace.
fn random(rng: &mut StdRng, stage: &TestCluster, kind: &str) -> (Request, &'static str) {
    let requester = *REQUESTERS.choose(rng).unwrap();
    let settings = SETTINGS.choose(rng).unwrap().0;
    let owner = *["alice", "alice", "dave", "nobody"].choose(rng).unwrap();
    let existing = (kind != "Pod" && kind != "Job" && rng.random_ratio(1, 4))
        .then(|| stage.base(&namespace(LEVEL, settings), kind, owner).cloned())
        .flatten();
    let mut object = existing.clone().unwrap_or_else(|| created(rng, kind, requester));
    let template = fixture::template(&mut object, kind);
    for _ in 0..rng.random_range(0..=2) {
        merge(&mut template["spec"], pod_changes().choose(rng).unwrap());
    }
    for list in ["containers", "initContainers"] {
        for container in template["spec"][list].as_array_mut().into_iter().flatten() {
            for _ in 0..rng.random_range(0..=1) {
                merge(container, container_changes().choose(rng).unwrap());
            }
        }
    }
    if rng.random_ratio(1, 12) {
        merge(template, &annotations(rng));
    }
    if rng.random_ratio(1, 12) {
        mount_claim(rng, template);
    }
    if rng.random_ratio(1, 10) {
        merge(template, &marks(rng));
    }
    // Most pods of a project with node pools choose one.
    if settings == "pooled" && rng.random_ratio(4, 5) {
        let pool = json!({"nodeSelector": {reeve_admission::names::NODE_POOL: "cpu"}});
        merge(&mut template["spec"], &pool);
    }
    if kind == "StatefulSet" && existing.is_none() && rng.random_ratio(1, 4) {
        let name = *["data", "data-u70012", "data-u70014"].choose(rng).unwrap();
        let mut data = claim();
        data["metadata"] = json!({"name": name});
        object["spec"]["volumeClaimTemplates"] = json!([data]);
    }
    if rng.random_ratio(1, 15) {
        merge(&mut object, &ties(rng));
    }
    let template = fixture::template(&mut object, kind);
    // So that what was read back as an absent field stays one.
    if template["spec"]["initContainers"].is_null() {
        template["spec"].as_object_mut().unwrap().remove("initContainers");
    }
    let mut request = create_request(requester, settings, object);
    if existing.is_some() {
        request.operation = Operation::Update;
        request.old_object = existing;
    }
    (request, settings)
}

fn created(rng: &mut StdRng, kind: &str, requester: &str) -> Value {
    let mut object = fixture::minimal(kind, "random");
    let template = fixture::template(&mut object, kind);
    for i in 0..rng.random_range(0..=2) {
        if template["spec"]["initContainers"].is_null() {
            template["spec"]["initContainers"] = json!([]);
        }
        let container = json!({"name": format!("i{i}"), "image": "local.test/x:1"});
        template["spec"]["initContainers"]
            .as_array_mut()
            .unwrap()
            .push(container);
    }
    let machine = requester == "controller" || requester == "operator";
    let filled: &[&str] = if machine {
        &["alice", "alice", "dave", "nobody", "no"]
    } else {
        &["no", "no", "no", "alice", "alice-regrouped", "dave", "nobody"]
    };
    match *filled.choose(rng).unwrap() {
        "no" => {}
        "nobody" => mutate::fill_shape(template, rng.random_ratio(4, 5)),
        person => mutate::fill_for(template, &fixture::stamp(person), rng.random_ratio(4, 5)),
    }
    if machine && rng.random_ratio(9, 10) {
        let (version, kind) = if requester == "operator" {
            ("reeve.dev/v1alpha1", "Workload")
        } else {
            ("apps/v1", "ReplicaSet")
        };
        object["metadata"]["ownerReferences"] =
            json!([{"apiVersion": version, "kind": kind, "name": "o", "uid": "u-1", "controller": true}]);
    }
    object
}

/// What the API server may name: it asks the policies in an order of its own, and names the first check of the one that it asked
/// first of those that refuse.
fn first_of_each_policy(request: &Request) -> Vec<&'static Check> {
    let mut first: Vec<&Check> = Vec::new();
    for check in failing(request) {
        if first.iter().all(|of| of.policy != check.policy) {
            first.push(check);
        }
    }
    first
}

/// What both sides said of a number of requests.
#[derive(Default)]
struct Tally {
    admitted: usize,
    refused: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, request: &Request, settings: &str, answer: &Answer) {
        let first = first_of_each_policy(request);
        let at = reeve_admission::request::template_path(request.kind()).unwrap();
        let agreed = if first.is_empty() {
            answer.admitted() && filled_alike(&request.object, &answer.body, at).is_ok()
        } else {
            first.iter().any(|check| says(answer, check))
        };
        if answer.admitted() {
            self.admitted += 1;
        } else {
            self.refused += 1;
        }
        if !agreed {
            let first: Vec<&str> = first.iter().map(|c| c.id).collect();
            self.wrong.push(format!(
                "in {settings} as {}: predicates {first:?}, API server {} {}: {}",
                request.user.username,
                answer.code,
                answer.message(),
                request.object
            ));
        }
    }
}

/// As the API server decodes it: an empty list of groups is none, also where it is compared with what was there.
fn decoded(object: &mut Value) {
    let kind = object["kind"].as_str().unwrap().to_owned();
    let context = fixture::template(object, &kind).pointer_mut("/spec/securityContext");
    if let Some(context) = context.and_then(Value::as_object_mut)
        && context.get("supplementalGroups") == Some(&json!([]))
    {
        context.remove("supplementalGroups");
    }
}

/// Sends as many random requests as it takes to have `wanted` valid ones of these kinds, judges each, and gives the sums.
async fn agree(stage: &TestCluster, rng: &mut StdRng, wanted: usize, kinds: &[&str]) -> Result<String> {
    // A few more than wanted: some combinations are no valid pods, and say nothing of policies.
    let requests: Vec<_> = (0..wanted * 6 / 5)
        .map(|_| {
            let kind = *kinds.choose(rng).unwrap();
            random(rng, stage, kind)
        })
        .collect();
    let verdicts = stream::iter(requests)
        .map(|(mut request, settings)| async move {
            let answer = send(&stage.client, &namespace(LEVEL, settings), &request, true).await?;
            decoded(&mut request.object);
            fill(&mut request);
            anyhow::Ok((request, settings, answer))
        })
        .buffered(6)
        .try_collect::<Vec<_>>()
        .await?;
    let mut tally = Tally::default();
    for (request, settings, answer) in verdicts.iter().filter(|(.., a)| a.code != 422).take(wanted) {
        tally.count(request, settings, answer);
    }
    let Tally {
        admitted,
        refused,
        wrong,
    } = tally;
    assert!(
        wrong.is_empty(),
        "{} disagreements:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(10)].join("\n")
    );
    assert_eq!(
        admitted + refused,
        wanted,
        "too many random objects were no valid ones"
    );
    assert!(
        admitted * 6 >= wanted && refused * 6 >= wanted,
        "{admitted} admitted, {refused} refused"
    );
    Ok(format!("{admitted} admitted, {refused} refused"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_server_and_the_predicates_agree_on_random_pods_and_templates() -> Result<()> {
    let Some(cluster) = fixture::api_server().await else {
        return Ok(());
    };
    let stage = TestCluster::set(&cluster, &rows()?, &[LEVEL]).await?;
    let mut rng = StdRng::seed_from_u64(SEED);
    let wanted = wanted();
    let (pod, templates) = KINDS.split_at(1);
    assert_eq!(pod, ["Pod"]);
    println!("pods: {}", agree(&stage, &mut rng, wanted, pod).await?);
    println!("templates: {}", agree(&stage, &mut rng, wanted, templates).await?);
    Ok(())
}
