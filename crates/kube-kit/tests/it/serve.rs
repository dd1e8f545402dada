use std::time::Duration;

use prometheus_client::registry::Registry;
use reeve_kube_kit::observe::Passes;
use reeve_kube_kit::serve::{CertificateFiles, Listener, Readiness};
use reeve_testkit::{Tier, apply_yaml, cluster};

#[tokio::test]
async fn readiness_lists_what_is_missing_over_https_alone() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.address().unwrap();
    let certificate = reqwest::Certificate::from_pem(listener.certificate().as_bytes()).unwrap();
    let readiness = Readiness::default();
    let mut registry = Registry::default();
    Passes::register(&mut registry);
    tokio::spawn(listener.serve(readiness.clone(), registry));
    let http = reqwest::Client::builder()
        .tls_certs_only([certificate])
        .build()
        .unwrap();
    let ask = async |path: &str| {
        let answer = http.get(format!("https://{address}{path}")).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    readiness.missing("caches", "not complete");
    readiness.missing("link", "not connected");
    assert_eq!(
        ask("/readyz").await,
        (503, "caches: not complete\nlink: not connected\n".to_owned())
    );
    assert_eq!(ask("/healthz").await.0, 200);
    readiness.ready("caches");
    readiness.ready("link");
    assert_eq!(ask("/readyz").await, (200, "ok\n".to_owned()));
    assert!(ask("/metrics").await.1.ends_with("# EOF\n"));
    assert!(
        reqwest::get(format!("http://{address}/healthz"))
            .await
            .map_or(true, |answer| !answer.status().is_success())
    );
}

#[test]
fn whoever_stands_by_is_ready_and_shows_what_is_missing_once_it_leads() {
    let readiness = Readiness::default();
    readiness.missing("caches", "not complete");
    readiness.stand_by(true);
    assert_eq!(readiness.report(), Vec::<String>::new());
    readiness.stand_by(false);
    assert_eq!(readiness.report(), ["caches: not complete"]);
}

/// A reader who may, one who may not, and a role.
const READERS: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: monitoring, namespace: NAMESPACE}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: metrics-of-NAMESPACE}
rules:
- {nonResourceURLs: [/metrics], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: metrics-of-NAMESPACE}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: metrics-of-NAMESPACE}
subjects:
- {kind: ServiceAccount, name: monitoring, namespace: NAMESPACE}
"#;

#[tokio::test]
async fn metrics_are_for_who_may_get_their_path_and_health_is_for_everybody() {
    let Some(cluster) = cluster(Tier::Controllers).await else {
        return;
    };
    let client = cluster.client().await.unwrap();
    let namespace = cluster.namespace("metrics").await.unwrap();
    apply_yaml(&client, &READERS.replace("NAMESPACE", &namespace))
        .await
        .unwrap();
    let token = |name: &str| {
        let words = ["-n", &namespace, "create", "token", name];
        cluster.kubectl().must(&words).unwrap().trim().to_owned()
    };
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let listener = listener.authorizing_metrics(client.clone());
    let address = listener.address().unwrap();
    let certificate = reqwest::Certificate::from_pem(listener.certificate().as_bytes()).unwrap();
    tokio::spawn(listener.serve(Readiness::default(), Registry::default()));
    let http = reqwest::Client::builder()
        .tls_certs_only([certificate])
        .build()
        .unwrap();
    let ask = async |path: &str, token: Option<&str>| {
        let mut request = http.get(format!("https://{address}{path}"));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask("/metrics", None).await, 401);
    assert_eq!(ask("/metrics", Some("made-up")).await, 401);
    assert_eq!(ask("/metrics", Some(&token("default"))).await, 403);
    assert_eq!(ask("/metrics", Some(&token("monitoring"))).await, 200);
    assert_eq!(ask("/healthz", None).await, 200);
    assert_eq!(ask("/readyz", None).await, 200);
}

#[tokio::test]
async fn a_given_certificate_is_shown_and_one_that_cannot_be_read_is_named() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let files = CertificateFiles::new(dir.path().join("tls.crt"), dir.path().join("tls.key"));
    let address = "127.0.0.1:0".parse().unwrap();
    let error = Listener::bind_with(address, files.clone()).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("tls.crt"), "{error}: {cause}");
    let made = rcgen::generate_simple_self_signed(vec!["operator.example".to_owned()]).unwrap();
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let listener = Listener::bind_with(address, files.clone()).await.unwrap();
    assert_eq!(listener.certificate(), made.cert.pem());

    // The operator's way to serve it, with the next one after a while.
    let address = listener.address().unwrap();
    let every = Duration::from_millis(20);
    tokio::spawn(listener.serve_looking(Readiness::default(), Registry::default(), every));
    let next = rcgen::generate_simple_self_signed(vec!["operator.example".to_owned()]).unwrap();
    assert_eq!(
        reeve_testkit::shown_certificate(address).await.unwrap(),
        made.cert.der().to_vec()
    );
    std::fs::write(&files.key, next.signing_key.serialize_pem()).unwrap();
    std::fs::write(&files.certificate, next.cert.pem()).unwrap();
    reeve_testkit::wait_until("the next certificate to be shown", async || {
        let shown = reeve_testkit::shown_certificate(address).await?;
        Ok((shown == next.cert.der().to_vec()).then_some(()))
    })
    .await
    .unwrap();
}
