//! What kubectl gets from us.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::receiver::{CLUSTER, Receiver, TOKEN, program, project, text};

async fn with_a_cluster() -> Receiver {
    let receiver = Receiver::signed_in().await;
    receiver.answers(
        "GET /api/v1/org-unit/projects",
        200,
        json!({"projects": [project()]}),
    );
    let base = format!("/api/v1/clusters/{CLUSTER}");
    let endpoint = json!({"server": "https://127.0.0.1:6443", "certificateAuthorityData": "UEVN"});
    receiver.answers(&format!("GET {base}/kubernetes-endpoint"), 200, endpoint);
    let token = json!({"token": "kubernetes.token.here", "expirationTimestamp": "2026-01-01T00:05:00Z"});
    receiver.answers(&format!("POST {base}/kubernetes-token"), 200, token);
    receiver
}

#[tokio::test]
async fn a_kubeconfig_gets_cluster_user_and_context() {
    let receiver = with_a_cluster().await;
    let file = receiver.home().join("some/where/kubeconfig");
    let shown = receiver
        .shown(&["kubeconfig", "set", "--kubeconfig", file.to_str().unwrap()])
        .await;
    insta::assert_snapshot!(shown);
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(
        !written.contains(TOKEN) && !written.contains("kubernetes.token.here"),
        "no token is ever in it"
    );
    let config: Value = serde_saphyr::from_str(&written).unwrap();
    assert_eq!(config["current-context"], "reeve-123e4567");
    assert_eq!(config["contexts"][0]["context"]["namespace"], "reeve-robots");
    let exec = &config["users"][0]["user"]["exec"];
    assert_eq!(exec["args"], json!(["kubernetes-token", "--cluster", CLUSTER]));
    assert_eq!(
        exec["env"][0]["value"],
        receiver.home().join("reeve").to_str().unwrap()
    );

    // What kubectl would run answers with a credential, even where another format is asked for.
    let program = exec["command"].as_str().unwrap();
    assert!(std::path::Path::new(program).is_absolute());
    let arguments: Vec<&str> = exec["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    let output = receiver.run(&arguments).await;
    let expected = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": "kubernetes.token.here", "expirationTimestamp": "2026-01-01T00:05:00.000Z"},
    });
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), expected);
}

#[tokio::test]
async fn the_list_in_kubeconfig_is_respected_and_others_entries_stay() {
    let receiver = with_a_cluster().await;
    let (missing, there) = (receiver.home().join("missing"), receiver.home().join("there"));
    std::fs::write(
        &there,
        "clusters: [{name: other, cluster: {server: 'https://other'}}]\ncurrent-context: other\n",
    )
    .unwrap();
    let list = std::env::join_paths([&missing, &there]).unwrap();
    let output = program(env!("CARGO_BIN_EXE_reeve"))
        .args(["kubeconfig", "set", "--cluster", CLUSTER])
        .env("HOME", receiver.home())
        .env("REEVE_CONFIG_DIR", receiver.home().join("reeve"))
        .env("KUBECONFIG", list)
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let config: Value = serde_saphyr::from_str(&std::fs::read_to_string(&there).unwrap()).unwrap();
    assert_eq!(config["clusters"][0]["name"], "other");
    assert_eq!(config["clusters"][1]["name"], "reeve-123e4567");
    assert!(!missing.exists());
}

#[tokio::test]
async fn a_file_that_is_no_kubeconfig_is_left_alone_and_not_shown() {
    let receiver = with_a_cluster().await;
    let file = receiver.home().join("kubeconfig");
    std::fs::write(&file, "users: [token: hunter2\n  - : :").unwrap();
    let before = std::fs::read(&file).unwrap();
    let output = receiver
        .run(&["kubeconfig", "set", "--kubeconfig", file.to_str().unwrap()])
        .await;
    assert_eq!(output.status.code(), Some(2));
    assert!(
        !text(&output.stderr).contains("hunter2"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn somebody_without_projects_and_clusters_is_told_so() {
    let receiver = Receiver::signed_in().await;
    let refused = json!({"code": 403, "message": "`project:read` is held nowhere"});
    receiver.answers("GET /api/v1/org-unit/projects", 403, refused.clone());
    receiver.answers("GET /api/v1/clusters", 403, refused);
    insta::assert_snapshot!(receiver.shown(&["kubeconfig", "set"]).await);
    assert!(!receiver.home().join(".kube").exists());
}

#[tokio::test]
async fn several_clusters_must_be_chosen_from() {
    let receiver = with_a_cluster().await;
    let mut other = project();
    other["clusterId"] = json!("423e4567-e89b-12d3-a456-426614174000");
    receiver.answers(
        "GET /api/v1/org-unit/projects",
        200,
        json!({"projects": [project(), other]}),
    );
    let shown = receiver.shown(&["kubeconfig", "set"]).await;
    assert!(
        shown.contains("exit 2") && shown.contains(CLUSTER) && shown.contains("423e4567"),
        "{shown}"
    );
}

#[tokio::test]
async fn an_api_server_without_tls_is_not_written_down() {
    let receiver = with_a_cluster().await;
    let endpoint = json!({"server": "http://kube.reeve.example:6443", "certificateAuthorityData": "UEVN"});
    receiver.answers(
        &format!("GET /api/v1/clusters/{CLUSTER}/kubernetes-endpoint"),
        200,
        endpoint,
    );
    let file = receiver.home().join("kubeconfig");
    let output = receiver
        .run(&["kubeconfig", "set", "--kubeconfig", file.to_str().unwrap()])
        .await;
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("http://kube.reeve.example:6443") && !file.exists());
}

fn says(receiver: &Receiver, server: &str, authority: &str) {
    let path = format!("GET /api/v1/clusters/{CLUSTER}/kubernetes-endpoint");
    let endpoint = json!({"server": server, "certificateAuthorityData": authority});
    receiver.answers(&path, 200, endpoint);
}

/// Planted fault: without the comparison the kubeconfig names the other address, and kubectl sends the token there.
#[tokio::test]
async fn an_address_or_authority_that_is_not_the_one_of_first_use_needs_a_flag() {
    let receiver = with_a_cluster().await;
    let file = receiver.home().join("kubeconfig");
    let set = ["kubeconfig", "set", "--kubeconfig", file.to_str().unwrap()];
    assert!(receiver.run(&set).await.status.success());
    let before = std::fs::read(&file).unwrap();
    for (server, authority) in [
        ("https://thief.example:6443", "UEVN"),
        ("https://127.0.0.1:6443", "VEhJRUY="),
    ] {
        says(&receiver, server, authority);
        let shown = receiver.shown(&set).await;
        assert!(
            shown.contains("exit 1") && shown.contains(server) && shown.contains("--accept-new-endpoint"),
            "{shown}"
        );
        assert!(shown.contains("ask whoever administers the cluster"), "{shown}");
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }
    let accepting: Vec<&str> = set.into_iter().chain(["--accept-new-endpoint"]).collect();
    assert!(receiver.run(&accepting).await.status.success());
    assert_ne!(std::fs::read(&file).unwrap(), before);
    assert!(receiver.run(&set).await.status.success(), "it is known now");
}

#[tokio::test]
async fn an_administrator_sets_the_address_and_replaces_the_secret() {
    let receiver = Receiver::signed_in().await;
    let base = format!("/api/v1/clusters/{CLUSTER}");
    let cluster =
        json!({"uuid": CLUSTER, "tenantId": 1, "name": "demo", "createdAt": "2026-01-01T00:00:00Z"});
    receiver.answers(&format!("PATCH {base}"), 200, cluster);
    receiver.answers(
        &format!("POST {base}/secret"),
        200,
        json!({"clientSecret": "new-secret"}),
    );
    let made = rcgen::generate_simple_self_signed(vec!["k8s.example".to_owned()]).unwrap();
    let (ca, not_one) = (receiver.home().join("ca.pem"), receiver.home().join("no.pem"));
    std::fs::write(&ca, made.cert.pem()).unwrap();
    std::fs::write(&not_one, "no certificate").unwrap();
    let set = [
        "cluster",
        "set-endpoint",
        CLUSTER,
        "--server",
        "https://k8s.example:6443",
        "--ca-file",
    ];
    let with = |file: &std::path::Path| -> Vec<String> {
        let all = set.iter().map(|word| (*word).to_owned());
        all.chain([file.display().to_string()]).collect()
    };
    let run = async |words: Vec<String>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        receiver.run(&words).await
    };
    let output = run(with(&not_one)).await;
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let output = run(with(&ca)).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let sent = receiver.calls().pop().unwrap();
    assert_eq!(
        sent.body["kubernetesEndpoint"]["server"],
        "https://k8s.example:6443"
    );
    let output = receiver.run(&["cluster", "new-secret", CLUSTER]).await;
    assert_eq!(text(&output.stdout), "new-secret\n");
}
