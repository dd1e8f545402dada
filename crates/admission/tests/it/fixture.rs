//! People, namespaces and requests that the tests of this crate share, and how a request is sent to a real API server.

mod ground;

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use http::{Method, Request as HttpRequest};
use http_body_util::BodyExt;
use kube::client::Body;
use reeve_admission::{Operation, Request, Stamp, User, mutate, names};
use reeve_testkit::{Cluster, Options, Tier, own_cluster};
use serde_json::{Value, json};

pub(crate) use ground::ground;

/// What stands for the namespace of a request until it is sent to one.
pub(crate) const HERE: &str = "here";

/// The namespace of a project where people use kubectl.
pub(crate) const ROBOTS: &str = "reeve-robots";
/// Flags of kubectl for alice in there.
pub(crate) const AS_ALICE: [&str; 8] = [
    "--as=alice@example.com",
    "--as-uid=123e4567-e89b-12d3-a456-426614174000",
    "--as-group=it:everything",
    "--as-user-extra=reeve.dev/uid=70012",
    "--as-user-extra=reeve.dev/gid=5000",
    "--as-user-extra=reeve.dev/groups=5001",
    "-n",
    ROBOTS,
];

/// The eight kinds that make pods.
pub(crate) const KINDS: [&str; 8] = [
    "Pod",
    "Job",
    "CronJob",
    "Deployment",
    "StatefulSet",
    "ReplicaSet",
    "DaemonSet",
    "ReplicationController",
];

/// Those of which a template can be changed. Of a Job it cannot, and of a running Pod only tolerations and gates can.
pub(crate) const CHANGEABLE: &[&str] = KINDS.split_at(2).1;

/// An API server of the test's own, without nodes and controllers.
pub(crate) async fn api_server() -> Option<Cluster> {
    let options = Options {
        tier: Tier::ApiServer,
        ..Options::default()
    };
    own_cluster(options).await
}

pub(crate) const ALICE_ID: &str = "123e4567-e89b-12d3-a456-426614174000";
pub(crate) const DAVE_ID: &str = "123e4567-e89b-12d3-a456-426614174004";
/// Everybody may do everything as far as RBAC is concerned: what is refused, the policies refuse.
const EVERYTHING: &str = "it:everything";

/// The variants of settings, as labels beside the project's.
pub(crate) const SETTINGS: [(&str, &[(&str, &str)]); 17] = [
    (
        "allowing",
        &[
            (names::ALLOW_FS_GROUP, "true"),
            (names::ALLOW_SUB_PATH, "true"),
            (names::ALLOW_NETWORKING, "true"),
        ],
    ),
    ("strict", &[]),
    ("source", &[(names::SECRET_SOURCE, "true")]),
    (
        "on",
        &[
            (names::ENFORCE_RUN_AS_USER, "true"),
            (names::ENFORCE_PREVENT_PRIVILEGE_ESCALATION, "true"),
        ],
    ),
    (
        "garbled",
        &[
            (names::ENFORCE_RUN_AS_USER, "False"),
            (names::ENFORCE_PREVENT_PRIVILEGE_ESCALATION, "no"),
        ],
    ),
    ("no-identity", &[(names::ENFORCE_RUN_AS_USER, "false")]),
    (
        "no-prevent",
        &[(names::ENFORCE_PREVENT_PRIVILEGE_ESCALATION, "false")],
    ),
    (
        "off",
        &[
            (names::ENFORCE_RUN_AS_USER, "false"),
            (names::ENFORCE_PREVENT_PRIVILEGE_ESCALATION, "false"),
        ],
    ),
    ("pooled", &[]),
    ("ranged", &[(names::ENFORCE_RUN_AS_USER, "false")]),
    ("any-uid", &[(names::ALLOW_ANY_UID, "true")]),
    ("policed", &[(names::WORKLOAD_POLICIES, "true")]),
    (
        "policed-off",
        &[
            (names::WORKLOAD_POLICIES, "true"),
            (names::ENFORCE_RUN_AS_USER, "false"),
            (names::ENFORCE_PREVENT_PRIVILEGE_ESCALATION, "false"),
        ],
    ),
    (
        "policed-image",
        &[
            (names::WORKLOAD_POLICIES, "true"),
            (names::ENFORCE_RUN_AS_USER, "false"),
        ],
    ),
    ("policed-garbled", &[(names::WORKLOAD_POLICIES, "true")]),
    ("relaying", &[]),
    ("relaying-off", &[(names::ENFORCE_RUN_AS_USER, "false")]),
];

/// The annotations of the namespace of a settings variant.
pub(crate) fn annotations(settings: &str) -> BTreeMap<String, String> {
    let all = [
        (names::PRIORITY_CLASSES, "build,interactive"),
        (names::TOLERATIONS, "node-role.kubernetes.io/gpu"),
        (names::CSI_DRIVERS, "secrets-store.csi.k8s.io,nfs.example.com"),
        (
            names::TRUSTED_MUTATORS,
            "system:serviceaccount:other:other=nodeSelector,\
             system:serviceaccount:kueue-system:kueue-controller-manager=nodeSelector+schedulingGates+tolerations,\
             system:serviceaccount:queues:noting=annotations+labels+nodeSelector,\
             system:serviceaccount:queues:nodes=nodeSelector,\
             system:serviceaccount:queues:gates=schedulingGates,\
             system:serviceaccount:queues:taints=tolerations",
        ),
    ];
    let pools = [(names::NODE_POOLS, "gpu,cpu")];
    // As OpenShift writes them into every namespace.
    let openshift = [
        (names::OPENSHIFT_UID_RANGE, "1000660000/10000"),
        (names::OPENSHIFT_GROUPS, "1000660000/10000,5/10"),
        ("openshift.io/sa.scc.mcs", "s0:c26,c5"),
    ];
    // What the operator writes of workload policies.
    let limits = "uid=70000,70013,1=department;gid=5000,5001,1=tenant;escalation=false=project;capabilities==project;\
                  seccomp=RuntimeDefault=cluster;gpus=0,2,1=project;image=local.test/x:1|local.test/x:2=project";
    let source = format!("source=fromIdpToken=project;{limits}");
    let policed = [
        (names::TRAINING_POLICY, limits),
        (names::WORKSPACE_POLICY, limits),
    ];
    let policed_off = [
        (names::TRAINING_POLICY, source.as_str()),
        (names::WORKSPACE_POLICY, source.as_str()),
    ];
    let by_image =
        [names::TRAINING_POLICY, names::WORKSPACE_POLICY].map(|key| (key, "source=fromTheImage=project"));
    // One is missing, and one says what nobody can read.
    let garbled = [(names::WORKSPACE_POLICY, "uid=70000,80000=project;gpus=none")];
    let relaying = [(
        names::TRUSTED_CONTROLLERS,
        "system:serviceaccount:ray-system:kuberay-operator=RayCluster+RayJob+RayService,\
         system:serviceaccount:ray-system:clusters-only=RayCluster,\
         system:serviceaccount:kserve:kserve-controller-manager=InferenceService,\
         system:serviceaccount:aim-system:aim-engine-controller-manager=AIMService+AIMModel+AIMServiceTemplate+AIMTemplateCache+AIMArtifact,\
         system:serviceaccount:ray-system:twice=RayCluster,system:serviceaccount:ray-system:twice=RayCluster",
    )];
    let all: &[(&str, &str)] = match settings {
        "policed" => &policed,
        "policed-off" => &policed_off,
        "policed-image" => &by_image,
        "policed-garbled" => &garbled,
        "relaying" | "relaying-off" => &relaying,
        "allowing" => &all,
        "pooled" => &pools,
        "ranged" | "any-uid" => &openshift,
        _ => &[],
    };
    all.iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

/// What the operator would have listed of the base pods; one of them wrongly, as if its name had been alice's before.
pub(crate) fn identities() -> Value {
    let pods = |person: &str, more: &[&str]| {
        let own = format!("base-{person}");
        let all: Vec<&str> = more.iter().copied().chain([own.as_str()]).collect();
        json!(all)
    };
    json!({"apiVersion": "reeve.dev/v1alpha1", "kind": "PodIdentities", "metadata": {"name": names::POD_IDENTITIES},
        "spec": {"runsAs": {stamp("alice").to_string(): pods("alice", &["base-nobody"]), stamp("dave").to_string(): pods("dave", &["gone"])}}})
}

/// The owners of the base pods that are there where connections are tried.
pub(crate) const CONNECTED: [&str; 4] = ["alice", "alice-regrouped", "dave", "nobody"];

/// The kinds of the options of a connection, and their resource and subresource.
pub(crate) fn connection(kind: &str) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        "PodExecOptions" => ("pods", "exec"),
        "PodAttachOptions" => ("pods", "attach"),
        "PodPortForwardOptions" => ("pods", "portforward"),
        "PodProxyOptions" => ("pods", "proxy"),
        "ServiceProxyOptions" => ("services", "proxy"),
        "NodeProxyOptions" => ("nodes", "proxy"),
        _ => return None,
    })
}

fn person(username: &str, id: &str, uid: &str, gid: &str, groups: &[&str]) -> User {
    let mut extra = BTreeMap::new();
    extra.insert(names::EXTRA_UID.to_owned(), vec![uid.to_owned()]);
    extra.insert(names::EXTRA_GID.to_owned(), vec![gid.to_owned()]);
    if !groups.is_empty() {
        extra.insert(
            names::EXTRA_GROUPS.to_owned(),
            groups.iter().map(|g| (*g).to_owned()).collect(),
        );
    }
    User {
        uid: id.to_owned(),
        extra,
        ..User::named(username)
    }
}

/// The requester a case calls by this name. `controller` is the one that makes objects of this kind.
pub(crate) fn requester(name: &str, kind: &str) -> User {
    let mut user = match name {
        "alice" => person("alice@example.com", ALICE_ID, "70012", "5000", &["5001"]),
        "alice-regrouped" => person("alice@example.com", ALICE_ID, "70012", "5002", &["5001", "5003"]),
        "dave" => person("dave@example.com", DAVE_ID, "70014", "5000", &[]),
        "eve-without-identity" => User {
            uid: "eve-1".into(),
            ..User::named("eve@example.com")
        },
        "root-by-token" => person("mallory@example.com", "mallory-1", "0", "0", &[]),
        "padded-by-token" => person("mallory@example.com", "mallory-1", "070012", "5000", &[]),
        "slash-by-token" => person(
            "mallory@example.com",
            &format!("{ALICE_ID}/70012"),
            "70014",
            "5000",
            &[],
        ),
        "empty-group-by-token" => person("mallory@example.com", "mallory-1", "70015", "5000", &[""]),
        "system-by-extra" => person("system:admin", ALICE_ID, "70012", "5000", &["5001"]),
        "nameless-by-extra" => person("alice", ALICE_ID, "70012", "5000", &["5001"]),
        "service-account-here" => User::named(&format!("system:serviceaccount:{HERE}:default")),
        "service-account" => User::named("system:serviceaccount:robots:default"),
        "service-account-with-extra" => person(
            "system:serviceaccount:robots:default",
            ALICE_ID,
            "70012",
            "5000",
            &["5001"],
        ),
        "noting-queue" => User::named("system:serviceaccount:queues:noting"),
        "queue-for-nodes" => User::named("system:serviceaccount:queues:nodes"),
        "queue-for-gates" => User::named("system:serviceaccount:queues:gates"),
        "queue-for-taints" => User::named("system:serviceaccount:queues:taints"),
        "queue" => User::named("system:serviceaccount:kueue-system:kueue-controller-manager"),
        "custom-controller" => User::named("system:serviceaccount:kueue-system:kueue-controller"),
        "kuberay" => User::named("system:serviceaccount:ray-system:kuberay-operator"),
        "kuberay-for-clusters" => User::named("system:serviceaccount:ray-system:clusters-only"),
        "kuberay-listed-twice" => User::named("system:serviceaccount:ray-system:twice"),
        "kserve" => User::named("system:serviceaccount:kserve:kserve-controller-manager"),
        "aim-engine" => User::named("system:serviceaccount:aim-system:aim-engine-controller-manager"),
        "kubelet" => User::named("system:node:node1"),
        "operator" => User::named(names::OPERATOR_USER),
        "admin" => User {
            groups: vec!["system:masters".into()],
            ..User::named("admin")
        },
        "installer" => User {
            groups: vec![names::INSTALLERS.into()],
            ..User::named("installer")
        },
        "controller" => User::named(match kind {
            "Pod" => "system:serviceaccount:kube-system:replicaset-controller",
            "Job" => "system:serviceaccount:kube-system:cronjob-controller",
            _ => "system:serviceaccount:kube-system:deployment-controller",
        }),
        "pod-of-controller" => {
            let mut user = requester("controller", kind);
            user.extra.insert(names::EXTRA_POD_NAME.into(), vec!["x".into()]);
            user
        }
        other => User::named(other),
    };
    user.groups.push(EVERYTHING.to_owned());
    user
}

/// The stamp of a requester who has one.
pub(crate) fn stamp(name: &str) -> Stamp {
    requester(name, "Pod").stamp().parse().unwrap()
}

/// The labels of the namespace of a settings variant.
pub(crate) fn labels(settings: &str) -> BTreeMap<String, String> {
    let (_, labels) = SETTINGS.iter().find(|(name, _)| *name == settings).unwrap();
    let mut all: BTreeMap<_, _> = labels
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    all.insert(names::PROJECT.to_owned(), "robots".to_owned());
    // As the operator does; where there is no label, the policy is asked all the same.
    let bounds = ["pooled", "ranged", "any-uid", "allowing"].contains(&settings);
    if !bounds {
        all.insert(names::BOUNDS_PODS.to_owned(), names::OFF.to_owned());
    }
    all
}

/// A small valid object of a kind with a template, with nothing of security in it.
pub(crate) fn minimal(kind: &str, name: &str) -> Value {
    let mut spec = json!({"containers": [{"name": "c", "image": "local.test/x:1", "resources": {"requests": {"cpu": "10m"}}}]});
    if ["Pod", "Job", "CronJob"].contains(&kind) {
        spec["restartPolicy"] = json!("Never");
    }
    let labels = json!({"app": name});
    let template = json!({"metadata": {"labels": labels}, "spec": spec});
    let selector = json!({"matchLabels": labels});
    let mut object = match kind {
        "Pod" => json!({"spec": spec}),
        // Suspended, so that some of its template may change.
        "Job" => json!({"spec": {"suspend": true, "template": template}}),
        "CronJob" => {
            json!({"spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template}}}})
        }
        "ReplicationController" => json!({"spec": {"replicas": 0, "selector": labels, "template": template}}),
        "DaemonSet" => json!({"spec": {"selector": selector, "template": template}}),
        "StatefulSet" => {
            json!({"spec": {"replicas": 0, "serviceName": "x", "selector": selector, "template": template}})
        }
        _ => json!({"spec": {"replicas": 0, "selector": selector, "template": template}}),
    };
    object["apiVersion"] = json!(api_version(kind));
    object["kind"] = json!(kind);
    object["metadata"] = json!({"name": name});
    object
}

/// The template inside an object.
pub(crate) fn template<'a>(object: &'a mut Value, kind: &str) -> &'a mut Value {
    object
        .pointer_mut(reeve_admission::request::template_path(kind).unwrap())
        .unwrap()
}

/// An object that is there before anybody asks: stamped and filled in for a person, or for nobody. Two of alice's are
/// what no policy would let in, or what only a debug container makes harmful.
pub(crate) fn base(kind: &str, owner: &str) -> Value {
    let mut object = minimal(kind, &format!("base-{owner}"));
    let template = template(&mut object, kind);
    let (person, more) = match owner {
        "alice-on-the-host" => (
            "alice",
            json!({"hostNetwork": true, "os": null, "securityContext": {"windowsOptions": {"hostProcess": true}}}),
        ),
        "alice-in-user-namespaces" => ("alice", json!({"hostUsers": false})),
        "alice-on-a-node" => ("alice", json!({"nodeName": "node1"})),
        "alice-crowded" | "alice-tracked" | "alice-labelled" | "alice-owned" | "alice-foo" | "alice-ray" => {
            ("alice", json!({}))
        }
        "alice-of-before" => ("alice", json!({"os": null})),
        "alice-gated" => (
            "alice",
            json!({"schedulingGates": [{"name": "queue.example.com/admission"}]}),
        ),
        person => (person, json!({})),
    };
    match person {
        "nobody-outside" => {}
        "nobody" => mutate::fill_shape(template, true),
        person => mutate::fill_for(template, &stamp(person), true),
    }
    merge(&mut template["spec"], &more);
    let reference = |version: &str, kind: &str| json!([{"apiVersion": version, "kind": kind, "name": "o", "uid": "u-1", "controller": true}]);
    match owner {
        "alice-tracked" => object["metadata"]["finalizers"] = json!(["batch.kubernetes.io/job-tracking"]),
        "alice-labelled" => object["metadata"]["labels"]["reeve.dev/workload"] = json!("train1"),
        "alice-owned" => object["metadata"]["ownerReferences"] = reference("reeve.dev/v1alpha1", "Workload"),
        "alice-crowded" => fill_up(&mut object, "/metadata/labels", 1_001),
        "alice-foo" => object["metadata"]["ownerReferences"] = reference("x.y/v1", "Foo"),
        "alice-ray" => object["metadata"]["ownerReferences"] = reference("ray.io/v1", "RayCluster"),
        _ => {}
    }
    object
}

/// Brings what is at a pointer to so many entries, made-up ones after those that are there.
pub(crate) fn fill_up(object: &mut Value, at: &str, number: usize) {
    let (parent, field) = at.rsplit_once('/').unwrap();
    let steps = parent.split('/').skip(1);
    let parent = steps.fold(object, |inner, step| match step.parse::<usize>() {
        Ok(index) => &mut inner[index],
        Err(_) => &mut inner[step],
    });
    let is_map = ["annotations", "labels", "limits"].contains(&field);
    let there = match &parent[field] {
        Value::Array(list) => list.len(),
        Value::Object(map) => map.len(),
        _ => 0,
    };
    for i in there..number {
        if is_map {
            parent[field][format!("example.com/e{i}")] = json!("1");
            continue;
        }
        if parent[field].is_null() {
            parent[field] = json!([]);
        }
        let entry = match field {
            "finalizers" => json!(format!("example.com/f{i}")),
            "managedFields" => {
                json!({"manager": format!("m{i}"), "operation": "Apply", "apiVersion": "v1", "time": "2026-01-01T00:00:00Z",
                    "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:labels": {"f:app": {}}}}})
            }
            "ownerReferences" => {
                json!({"apiVersion": "v1", "kind": "ConfigMap", "name": format!("o{i}"), "uid": format!("u-{i}")})
            }
            "tolerations" => json!({"key": format!("k{i}"), "operator": "Exists"}),
            "ports" => json!({"containerPort": i + 1}),
            "volumes" => json!({"name": format!("v{i}"), "emptyDir": {}}),
            "volumeMounts" => json!({"name": "v", "mountPath": format!("/m{i}")}),
            "env" => json!({"name": format!("E{i}"), "value": ""}),
            "add" => json!(format!("C{i}")),
            "supplementalGroups" => json!(i + 100_000),
            "externalIPs" => json!(format!("192.0.{}.{}", i / 250, i % 250)),
            "containers" => json!({"name": format!("c{i}"), "image": "local.test/x:1"}),
            "initContainers" => json!({"name": format!("i{i}"), "image": "local.test/x:1"}),
            "workerGroupSpecs" => json!({"groupName": format!("w{i}")}),
            "volumeClaimTemplates" => json!({"metadata": {"name": format!("v{i}")}, "spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
            other => panic!("no entry is made up of `{other}`"),
        };
        parent[field].as_array_mut().unwrap().push(entry);
    }
}

/// The group and version of a kind.
pub(crate) fn api_version(kind: &str) -> &'static str {
    match kind {
        "Pod"
        | "ReplicationController"
        | "Namespace"
        | "ServiceAccount"
        | "Binding"
        | "PersistentVolumeClaim"
        | "PodExecOptions"
        | "PodAttachOptions"
        | "PodPortForwardOptions"
        | "PodProxyOptions"
        | "ServiceProxyOptions"
        | "NodeProxyOptions"
        | "ConfigMap"
        | "Secret"
        | "Service" => "v1",
        "Job" | "CronJob" => "batch/v1",
        "RoleBinding" => "rbac.authorization.k8s.io/v1",
        "Ingress" | "NetworkPolicy" => "networking.k8s.io/v1",
        "Route" => "route.openshift.io/v1",
        "RayCluster" | "RayJob" | "RayService" => "ray.io/v1",
        "InferenceService" => "serving.kserve.io/v1beta1",
        "AIMService" | "AIMModel" | "AIMServiceTemplate" | "AIMTemplateCache" | "AIMArtifact" => {
            "aim.eai.amd.com/v1alpha1"
        }
        "Workload" | "ReeveConfig" | "PodIdentities" => "reeve.dev/v1alpha1",
        _ => "apps/v1",
    }
}

/// The collection of a kind, as the API server's path.
pub(crate) fn collection(kind: &str, namespace: &str) -> String {
    let version = api_version(kind);
    let root = if version == "v1" {
        "/api/v1".to_owned()
    } else {
        format!("/apis/{version}")
    };
    let plural = match kind {
        "PodIdentities" => kind.to_lowercase(),
        "Ingress" => "ingresses".to_owned(),
        "NetworkPolicy" => "networkpolicies".to_owned(),
        kind => format!("{}s", kind.to_lowercase()),
    };
    match kind {
        "Namespace" | "ReeveConfig" => format!("{root}/{plural}"),
        _ => format!("{root}/namespaces/{namespace}/{plural}"),
    }
}

/// RFC 7386: null removes, objects merge, everything else replaces.
pub(crate) fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (key, value) in fields {
        if value.is_null() {
            into.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut into[key], value);
        }
    }
}

/// What the API server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Whether it answers a connection: one that was let in fails later, since nothing runs here.
    pub(crate) connected: bool,
    pub(crate) code: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or("")
    }

    pub(crate) fn admitted(&self) -> bool {
        (200..300).contains(&self.code) || (self.connected && self.code != 403)
    }
}

/// Sends the request as its user, by impersonation. `dry_run` leaves no trace.
pub(crate) async fn send(
    client: &kube::Client,
    namespace: &str,
    request: &Request,
    dry_run: bool,
) -> Result<Answer> {
    let kind = request.kind();
    if let Some((resource, subresource)) = connection(kind) {
        let at = if resource == "nodes" {
            String::new()
        } else {
            format!("/namespaces/{namespace}")
        };
        let beyond = request.object["path"].as_str().unwrap_or("");
        let query = if resource == "pods" && subresource != "proxy" {
            "?command=id&stdout=true&ports=80"
        } else {
            ""
        };
        let path = format!(
            "/api/v1{at}/{resource}/{}/{subresource}{beyond}{query}",
            request.name
        );
        let mut answer = send_as(
            client,
            &request.user,
            Method::POST,
            &path,
            "application/json",
            Vec::new(),
        )
        .await?;
        answer.connected = true;
        return Ok(answer);
    }
    let subject = if request.object.is_null() {
        request.old_object.as_ref()
    } else {
        Some(&request.object)
    };
    let name = subject.and_then(|o| o["metadata"]["name"].as_str()).unwrap_or("");
    let mut path = if kind == "Binding" {
        format!("{}/{name}/binding", collection("Pod", namespace))
    } else {
        collection(kind, namespace)
    };
    let method = match request.operation {
        Operation::Create => Method::POST,
        Operation::Update => Method::PUT,
        Operation::Delete => Method::DELETE,
        Operation::Connect => bail!("{kind} is no connection"),
    };
    if request.operation != Operation::Create {
        path = format!("{path}/{name}");
        if !request.subresource.is_empty() {
            path = format!("{path}/{}", request.subresource);
        }
    }
    path = format!("{path}?fieldManager={}", request.field_manager);
    if dry_run {
        path.push_str("&dryRun=All");
    }
    let body = if request.object.is_null() {
        Vec::new()
    } else {
        serde_json::to_vec(&request.object)?
    };
    let mut user = request.user.clone();
    user.username = user
        .username
        .replace(&format!(":{HERE}:"), &format!(":{namespace}:"));
    send_as(client, &user, method, &path, "application/json", body).await
}

/// Sends anything as a user, by impersonation; as the client itself when the user has no name.
pub(crate) async fn send_as(
    client: &kube::Client,
    user: &User,
    method: Method,
    path: &str,
    content_type: &str,
    body: Vec<u8>,
) -> Result<Answer> {
    let mut http = HttpRequest::builder()
        .method(method)
        .uri(path)
        .header("Content-Type", content_type);
    if !user.username.is_empty() {
        http = http.header("Impersonate-User", &user.username);
        if !user.uid.is_empty() {
            http = http.header("Impersonate-Uid", &user.uid);
        }
        for group in &user.groups {
            http = http.header("Impersonate-Group", group);
        }
        for (key, values) in &user.extra {
            for value in values {
                http = http.header(format!("Impersonate-Extra-{}", key.replace('/', "%2f")), value);
            }
        }
    }
    let response = client
        .send(http.body(Body::from(body))?)
        .await
        .context("cannot reach the API server")?;
    let code = response.status().as_u16();
    let bytes = response.into_body().collect().await?.to_bytes();
    Ok(Answer {
        connected: false,
        code,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    })
}

/// Sends a real write as the administrator; it must succeed.
pub(crate) async fn create(client: &kube::Client, namespace: &str, object: &Value) -> Result<Value> {
    let request = Request {
        object: object.clone(),
        ..Request::default()
    };
    let answer = send(client, namespace, &request, false).await?;
    if !answer.admitted() {
        bail!("cannot create {object}: {} {}", answer.code, answer.message());
    }
    Ok(answer.body)
}
