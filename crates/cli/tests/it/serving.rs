//! `reeve service`, `model` and `artifact` against a receiver that stands in for an API server. A real one is in the end-to-end test of
//! the real KServe.

use serde_json::{Value, json};

use crate::receiver::{Receiver, text};

pub(crate) const GROUP: &str = "/apis/aim.eai.amd.com/v1alpha1";
const SERVICES: &str = "/apis/aim.eai.amd.com/v1alpha1/namespaces/team/aimservices";

/// A receiver that a kubeconfig names, with a token, and with `team` as its namespace.
async fn cluster() -> Receiver {
    let receiver = Receiver::start().await;
    let config = json!({
        "clusters": [{"name": "a", "cluster": {"server": receiver.url()}}],
        "users": [{"name": "a", "user": {"token": "t"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a", "namespace": "team"}}],
        "current-context": "a",
    });
    std::fs::create_dir_all(receiver.home().join(".kube")).unwrap();
    std::fs::write(receiver.home().join(".kube/config"), config.to_string()).unwrap();
    receiver
}

pub(crate) fn service(name: &str, state: &str, observed: i64) -> Value {
    json!({
        "apiVersion": "aim.eai.amd.com/v1alpha1", "kind": "AIMService",
        "metadata": {
            "name": name, "namespace": "team", "uid": "u-1", "generation": 2,
            "creationTimestamp": "2020-01-01T00:00:00Z", "managedFields": [{"manager": "kubectl"}],
        },
        "spec": {
            "model": {"image": "registry.example/tiny:1"},
            "env": [{"name": "HF_TOKEN", "value": "hunter2"}],
        },
        "status": {
            "status": state, "observedGeneration": observed, "resolvedModel": {"name": "tiny-1"},
            "resolvedTemplate": {"name": "tiny-1-lat"}, "runtime": {"replicas": "1"},
            "routing": {"path": "/team/u-1"}, "cache": {"templateCacheRef": {"name": "tiny-1-lat-x"}},
            "conditions": [
                {"type": "Ready", "status": "False", "reason": "ComponentsNotReady", "message": "not all of it",
                 "lastTransitionTime": "2020-01-01T00:00:00Z"},
                {"type": "CacheReady", "status": "False", "reason": "AuthError", "message": "a gated\nrepository\u{1b}[2J",
                 "lastTransitionTime": "2020-01-01T00:00:00Z"},
            ],
        },
    })
}

pub(crate) fn list(kind: &str, mut items: Vec<Value>) -> Value {
    for item in &mut items {
        item.as_object_mut().unwrap().remove("kind");
    }
    json!({"kind": format!("{kind}List"), "apiVersion": "aim.eai.amd.com/v1alpha1", "metadata": {}, "items": items})
}

fn refusal(code: u16, message: &str, name: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
        "reason": "x", "code": code, "details": {"name": name},
    })
}

/// With the years that have passed taken out.
async fn shown(receiver: &Receiver, arguments: &[&str]) -> String {
    let text = receiver.shown(arguments).await;
    let aged = text.split_inclusive(char::is_whitespace).map(|word| {
        let bare = word.trim_end();
        let days = bare
            .strip_suffix('d')
            .is_some_and(|n| n.len() == 4 && n.parse::<u32>().is_ok());
        if days {
            word.replace(bare, "AGED")
        } else {
            word.to_owned()
        }
    });
    aged.collect()
}

#[tokio::test]
async fn services_are_listed_as_a_table_with_more_columns_as_names_and_for_programs() {
    let receiver = cluster().await;
    receiver.answers(
        &format!("GET {SERVICES}"),
        200,
        list(
            "AIMService",
            vec![service("chat", "Running", 2), service("draft", "Failed", 2)],
        ),
    );
    receiver.answers(
        &format!("GET {GROUP}/aimservices"),
        200,
        list("AIMService", vec![service("chat", "Running", 2)]),
    );
    let mut all = String::new();
    for arguments in [
        &["service", "list"][..],
        &["service", "list", "-o", "wide"],
        &["service", "list", "-A"],
        &["service", "list", "-o", "name"],
    ] {
        all += &shown(&receiver, arguments).await;
    }
    insta::assert_snapshot!(all);
    let output = receiver.run(&["service", "list", "-o", "json"]).await;
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed[0]["kind"], "AIMService");
    assert_eq!(printed[0]["metadata"].get("managedFields"), None);
}

/// Planted fault: one refused list ends the command, and who may see the namespace's models sees none.
#[tokio::test]
async fn models_of_the_namespace_are_shown_to_whoever_may_not_see_those_of_the_cluster() {
    let receiver = cluster().await;
    let model = json!({"metadata": {"name": "tiny", "namespace": "team"}, "spec": {"image": "registry.example/tiny:1"}});
    receiver.answers(
        &format!("GET {GROUP}/namespaces/team/aimmodels"),
        200,
        list("AIMModel", vec![model]),
    );
    let said = "aimclustermodels.aim.eai.amd.com is forbidden: User \"ann\" cannot list resource \"aimclustermodels\" in API group \
                \"aim.eai.amd.com\" at the cluster scope";
    receiver.answers(
        &format!("GET {GROUP}/aimclustermodels"),
        403,
        refusal(403, said, ""),
    );
    insta::assert_snapshot!(shown(&receiver, &["model", "list", "-o", "wide"]).await);
}

#[tokio::test]
async fn what_a_cluster_says_of_a_list_that_it_refuses_steers_no_terminal() {
    let receiver = cluster().await;
    let models = list("AIMModel", Vec::new());
    receiver.answers(&format!("GET {GROUP}/namespaces/team/aimmodels"), 200, models);
    let said = "forbidden\u{1b}[2J\u{9b}2J\u{202e}";
    receiver.answers(
        &format!("GET {GROUP}/aimclustermodels"),
        403,
        refusal(403, said, ""),
    );
    let output = receiver.run(&["model", "list"]).await;
    let noted = text(&output.stderr);
    assert!(
        noted.contains("are not shown: forbidden\u{fffd}[2J\u{fffd}2J\u{fffd}"),
        "{noted:?}"
    );
}

#[tokio::test]
async fn a_description_says_why_and_shows_no_value_of_a_variable() {
    let receiver = cluster().await;
    receiver.answers(
        &format!("GET {SERVICES}/chat"),
        200,
        service("chat", "Degraded", 2),
    );
    let event = |reason: &str, time: &str| json!({"type": "Warning", "reason": reason, "message": format!("it was {reason}"), "lastTimestamp": time});
    receiver.answers(
        "GET /api/v1/namespaces/team/events",
        200,
        json!({"metadata": {}, "items": [event("Later", "2020-02-01T00:00:00Z"), event("Earlier", "2020-01-01T00:00:00Z")]}),
    );
    let text = shown(&receiver, &["service", "describe", "chat"]).await;
    assert!(!text.contains("hunter2"), "{text}");
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn what_is_asked_for_is_what_is_written_and_nothing_else() {
    let receiver = cluster().await;
    let answer = |kind: &str, path: &str| {
        receiver.answers(
            &format!("POST {path}"),
            201,
            json!({"kind": kind, "metadata": {"name": "x"}}),
        );
    };
    answer("AIMService", SERVICES);
    answer("AIMClusterModel", &format!("{GROUP}/aimclustermodels"));
    answer("AIMArtifact", &format!("{GROUP}/namespaces/other/aimartifacts"));
    let least: &[&str] = &["service", "create", "chat", "--image", "registry.example/tiny:1"];
    let most: &[&str] = &[
        "service",
        "create",
        "chat",
        "--model",
        "tiny",
        "--template",
        "fast",
        "--allow-unoptimized",
        "--metric",
        "latency",
        "--precision",
        "fp16",
        "--gpus",
        "2",
        "--gpu-model",
        "MI300X",
        "--replicas",
        "3",
        "--caching",
        "dedicated",
        "--storage-class",
        "fast",
        "--gateway",
        "gateways/main",
        "--pull-secret",
        "regcred",
        "--service-account",
        "runner",
        "-e",
        "A=b=c",
        "--secret-environment",
        "HF_TOKEN=hub/token",
        "--dry-run",
    ];
    let model: &[&str] = &[
        "model",
        "create",
        "tiny",
        "--image",
        "registry.example/tiny:1",
        "--of-cluster",
    ];
    let artifact: &[&str] = &[
        "artifact",
        "create",
        "tiny",
        "--source",
        "hf://org/tiny",
        "--size",
        "1Gi",
        "-n",
        "other",
    ];
    for arguments in [least, most, model, artifact] {
        let output = receiver.run(arguments).await;
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let calls: Vec<Value> = receiver
        .calls()
        .into_iter()
        .map(|call| json!({"call": call.line, "body": call.body}))
        .collect();
    insta::assert_json_snapshot!(calls);
}

/// Planted fault: the end of a wait ignores the generation (`standing.rs`), and the first of these ends with 0.
#[tokio::test]
async fn a_wait_ends_with_the_present_generation_a_failure_or_its_time() {
    let receiver = cluster().await;
    let get = format!("GET {SERVICES}/chat");
    let wait = &["service", "wait", "chat", "--timeout", "0s"];
    receiver.answers(&get, 200, service("chat", "Running", 1));
    let mut all = shown(&receiver, wait).await;
    receiver.answers(&get, 200, service("chat", "Failed", 2));
    all += &shown(&receiver, wait).await;
    let at_once = &["service", "wait", "chat", "--failed-for", "0s"];
    all += &shown(&receiver, at_once).await;
    receiver.answers(&get, 200, service("chat", "Running", 2));
    all += &shown(&receiver, wait).await;
    all += &shown(
        &receiver,
        &["service", "wait", "chat", "--for", "deleted", "--timeout", "0s"],
    )
    .await;
    receiver.answers(
        &get,
        404,
        refusal(404, "aimservices.aim.eai.amd.com \"chat\" not found", "chat"),
    );
    all += &shown(&receiver, &["service", "wait", "chat", "--for", "deleted"]).await;
    all += &shown(&receiver, wait).await;
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn refusals_say_what_is_missing_and_who_could_help() {
    let receiver = cluster().await;
    // As an API server answers of a group that it does not have.
    receiver.says(&format!("GET {SERVICES}"), 404, "404 page not found\n");
    let mut all = shown(&receiver, &["service", "list"]).await;
    let said = "aimartifacts.aim.eai.amd.com is forbidden: User \"ann\" cannot create resource \"aimartifacts\" in API group \
                \"aim.eai.amd.com\" in the namespace \"team\"";
    receiver.answers(
        &format!("POST {GROUP}/namespaces/team/aimartifacts"),
        403,
        refusal(403, said, ""),
    );
    all += &shown(&receiver, &["artifact", "create", "x", "--source", "hf://a/b"]).await;
    let said = "AIMService.aim.eai.amd.com \"x\" is invalid: spec.replicas: Invalid value";
    receiver.answers(&format!("POST {SERVICES}"), 422, refusal(422, said, "x"));
    all += &shown(&receiver, &["service", "create", "x", "--model", "tiny"]).await;
    receiver.answers(
        &format!("POST {SERVICES}"),
        404,
        refusal(404, "namespaces \"team\" not found", "team"),
    );
    all += &shown(&receiver, &["service", "create", "x", "--model", "tiny"]).await;
    for scope in ["namespaces/team/aimmodels", "aimclustermodels"] {
        receiver.answers(
            &format!("GET {GROUP}/{scope}/x"),
            404,
            refusal(404, "not found", "x"),
        );
    }
    all += &shown(&receiver, &["model", "describe", "x"]).await;
    all += &shown(&receiver, &["service", "list", "--context", "other"]).await;
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn wrong_words_are_refused_before_the_cluster_is_asked() {
    let receiver = cluster().await;
    for wrong in [
        &["service", "create", "chat"][..],
        &["service", "create", "chat", "--image", "x", "--model", "y"],
        &["service", "create", "Chat", "--image", "x"],
        &[
            "service",
            "create",
            "chat",
            "--image",
            "https://registry.example/x",
        ],
        &["service", "create", "chat", "--image", "x", "-e", "hunter2"],
        &["service", "create", "chat", "--image", "x", "--dry-run", "--wait"],
        &["service", "create", "chat", "--image", "x", "--timeout", "5m"],
        &["service", "describe", "../pods"],
        &["service", "list", "-A", "-n", "team"],
        &["service", "logs", "chat", "-o", "name"],
        &["service", "wait", "chat", "--for", "nothing"],
        &["service", "delete"],
        &["artifact", "create", "x", "--source", "https://hf.co/x"],
        &[
            "model",
            "create",
            "x",
            "--image",
            "x",
            "--of-cluster",
            "-n",
            "team",
        ],
        &["project", "list", "-o", "wide"],
    ] {
        let output = receiver.run(wrong).await;
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
    assert_eq!(receiver.calls().len(), 0);
}

/// Planted fault: owners are not looked at, and the log is that of a pod whose labels somebody copied.
#[tokio::test]
async fn logs_are_those_of_the_pod_that_serves() {
    let receiver = cluster().await;
    receiver.answers(
        &format!("GET {SERVICES}/chat"),
        200,
        service("chat", "Running", 2),
    );
    let inference = |name: &str, uid: &str| json!({"metadata": {"name": name, "ownerReferences": [{"kind": "AIMService", "name": "chat", "uid": uid}]}});
    receiver.answers(
        "GET /apis/serving.kserve.io/v1beta1/namespaces/team/inferenceservices",
        200,
        json!({"metadata": {}, "items": [inference("other", "u-2"), inference("chat-1", "u-1")]}),
    );
    let pod = json!({
        "metadata": {"name": "p", "namespace": "team"},
        "spec": {"containers": [{"name": "proxy"}, {"name": "kserve-container"}]},
    });
    receiver.answers(
        "GET /api/v1/namespaces/team/pods",
        200,
        json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [pod]}),
    );
    receiver.answers("GET /api/v1/namespaces/team/pods/p", 200, pod);
    receiver.says("GET /api/v1/namespaces/team/pods/p/log", 200, "listening\n");
    let output = receiver.run(&["service", "logs", "chat", "--tail", "5"]).await;
    assert_eq!(text(&output.stdout), "listening\n", "{}", text(&output.stderr));
    let calls: Vec<String> = receiver.calls().into_iter().map(|call| call.line).collect();
    let asked = |part: &str| calls.iter().filter(|line| line.contains(part)).count();
    assert_eq!(asked("inferenceservice%3Dchat-1"), 1, "{calls:?}");
    assert_eq!(asked("inferenceservice%3Dother"), 0, "{calls:?}");
    assert_eq!(asked("container=kserve-container"), 1, "{calls:?}");
    let log = calls.last().unwrap();
    assert!(log.contains("tailLines=5") && !log.contains("follow"), "{log}");
}

#[tokio::test]
async fn a_deletion_that_waits_ends_when_another_of_the_name_is_there() {
    let receiver = cluster().await;
    receiver.answers(
        &format!("DELETE {SERVICES}/chat"),
        200,
        service("chat", "Running", 2),
    );
    let output = receiver.run(&["service", "delete", "chat", "-o", "name"]).await;
    assert_eq!(text(&output.stdout), "service/chat\n", "{}", text(&output.stderr));
    receiver.answers(
        &format!("GET {SERVICES}/chat"),
        200,
        service("chat", "Running", 2),
    );
    let deletion = ["service", "delete", "chat", "--wait", "--timeout", "0s"];
    let output = receiver.run(&deletion).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("it is still there"));
}
