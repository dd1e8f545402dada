//! What there is for the commands of administrators, and a cluster that a kubeconfig names: enough for each to send what it sends.

use serde_json::{Value, json};

use crate::admin::{USER, cluster, custom_role, department, rule, sets, user};
use crate::receiver::{CLUSTER, Receiver, project};
use crate::secret_assets::{asset, meta};
use crate::serving::{GROUP, list, service};

const ORGANIZATION: &str = "
departments:
- name: vision
  projects:
  - name: NEW
";

/// A project of which something is decided that can be forgotten.
fn decided() -> Value {
    let mut decided = project();
    let rules = json!({"priorityClasses": ["gold"]});
    decided
        .as_object_mut()
        .unwrap()
        .insert("podRules".to_owned(), rules);
    decided
}

/// Answers and files.
pub(super) fn furnish(receiver: &Receiver) {
    organization(receiver);
    assets(receiver);
    served(receiver);
    files(receiver);
}

fn organization(receiver: &Receiver) {
    let answers = |call: &str, body: Value| receiver.answers(call, 200, body);
    answers("GET /api/v1/org-unit/projects", json!({"projects": [decided()]}));
    answers(
        "GET /api/v1/org-unit/departments",
        json!({"departments": [department("2", CLUSTER)]}),
    );
    answers("GET /api/v1/clusters", json!([cluster()]));
    answers("GET /api/v1/users", json!([user()]));
    answers(
        "POST /api/v1/users",
        json!({"id": USER, "username": "new@example.com", "tempPassword": "Once-1!"}),
    );
    answers(
        "GET /api/v1/authorization/access-rules",
        json!({"totalRecords": 1, "displayRecords": 1, "accessRules": [rule(12)]}),
    );
    answers("GET /api/v1/authorization/permission-sets", sets());
    answers("GET /api/v2/authorization/roles/1001", custom_role(false));
    let left = json!({"user": true, "accessRules": 0, "sessions": 0, "workloads": 0});
    answers(
        "POST /api/v1/offboarding",
        json!({"dryRun": true, "username": "erin@example.com", "serviceAccount": "ci", "group": "ml", "id": USER, "sessions": 0,
            "memberSessions": 0, "accessRules": [], "workloads": [], "left": left}),
    );
    answers("GET /api/v1/audit/log", json!({"total": 0, "audit_logs": []}));
}

fn assets(receiver: &Receiver) {
    let kept = |id: u8, name: &str, kind: &str| {
        let id = format!("72{id}e4567-e89b-12d3-a456-426614174000");
        let spec = json!({"password": {"keyId": 0, "user": "robot"}});
        json!({"meta": meta(&id, name, kind), "spec": spec, "clusterInfo": {"resources": []}})
    };
    let credentials = [
        kept(1, "token", "password"),
        kept(2, "registry", "dockerRegistry"),
        kept(3, "bucket", "accessKey"),
        kept(4, "pairs", "genericSecret"),
    ];
    receiver.answers(
        "GET /api/v1/asset/credentials",
        200,
        json!({"entries": credentials}),
    );
    receiver.answers(
        "GET /api/v1/asset/datasource/secrets",
        200,
        json!({"entries": [asset()]}),
    );
}

/// Of each kind one that is ready, one that is not yet, and one that failed.
fn served(receiver: &Receiver) {
    let within = format!("{GROUP}/namespaces/team");
    let owned = |name: &str| json!({"metadata": {"name": name, "ownerReferences": [{"kind": "x", "name": "chat", "uid": "u-1"}]}});
    for (path, kind, ready) in [
        (format!("{within}/aimservices"), "AIMService", "Running"),
        (format!("{within}/aimmodels"), "AIMModel", "Ready"),
        (format!("{GROUP}/aimclustermodels"), "AIMClusterModel", "Ready"),
        (format!("{within}/aimartifacts"), "AIMArtifact", "Ready"),
    ] {
        for (name, state) in [("chat", ready), ("slow", "Pending"), ("broken", "Failed")] {
            let object = service(name, state, 2);
            receiver.answers(&format!("GET {path}/{name}"), 200, object.clone());
            receiver.answers(&format!("DELETE {path}/{name}"), 200, object);
        }
        receiver.answers(
            &format!("GET {path}"),
            200,
            list(kind, vec![service("chat", ready, 2)]),
        );
        receiver.answers(
            &format!("POST {path}"),
            201,
            json!({"kind": kind, "metadata": {"name": "x"}}),
        );
    }
    let items = |items: Value| json!({"metadata": {}, "items": items});
    receiver.answers(
        "GET /apis/serving.kserve.io/v1beta1/namespaces/team/inferenceservices",
        200,
        items(json!([owned("chat-1")])),
    );
    receiver.answers(
        "GET /apis/batch/v1/namespaces/team/jobs",
        200,
        items(json!([owned("download")])),
    );
    let template = json!({"spec": {"modelName": "chat"}, "status": {"discoveryJob": {"name": "look", "namespace": "team"}}});
    for path in [
        format!("{within}/aimservicetemplates"),
        format!("{GROUP}/aimclusterservicetemplates"),
    ] {
        receiver.answers(&format!("GET {path}"), 200, items(json!([template])));
    }
    let pod = json!({"metadata": {"name": "p", "namespace": "team"}, "spec": {"containers": [{"name": "proxy"}, {"name": "main"}]}});
    let pods = json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [pod]});
    receiver.answers("GET /api/v1/namespaces/team/pods", 200, pods);
    receiver.answers("GET /api/v1/namespaces/team/pods/p", 200, pod);
    receiver.says("GET /api/v1/namespaces/team/pods/p/log", 200, "listening\n");
}

/// A kubeconfig with this namespace in the context `a`, and another server in `b`.
fn kubeconfig(url: &str, namespace: &str) -> String {
    let context =
        |name: &str| json!({"name": name, "context": {"cluster": name, "user": "a", "namespace": namespace}});
    json!({
        "clusters": [{"name": "a", "cluster": {"server": url}}, {"name": "b", "cluster": {"server": format!("{url}/b")}}],
        "users": [{"name": "a", "user": {"token": "t"}}],
        "contexts": [context("a"), context("b")], "current-context": "a",
    })
    .to_string()
}

fn files(receiver: &Receiver) {
    let certificate = rcgen::generate_simple_self_signed(["k8s.example".to_owned()]).unwrap();
    let url = receiver.url();
    std::fs::create_dir_all(receiver.home().join(".kube")).unwrap();
    for (name, text) in [
        (".kube/config", kubeconfig(&url, "team")),
        ("kube.yaml", kubeconfig(&format!("{url}/c"), "team")),
        ("one.yaml", ORGANIZATION.replace("NEW", "arms")),
        ("two.yaml", ORGANIZATION.replace("NEW", "legs")),
        (
            "values.yaml",
            "spec: {project-controller: {clusterWideSecret: false}}\n".to_owned(),
        ),
        ("broken.yaml", "users: [token: x\n  - : :".to_owned()),
        ("secret", "hunter2".to_owned()),
        ("secret2", "hunter3".to_owned()),
        ("ca.pem", certificate.cert.pem()),
    ] {
        std::fs::write(receiver.home().join(name), text).unwrap();
    }
}
