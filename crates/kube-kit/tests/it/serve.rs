use std::sync::Arc;

use prometheus_client::registry::Registry;
use reeve_kube_kit::observe::Passes;
use reeve_kube_kit::serve::{Listener, Readiness};

#[tokio::test]
async fn readiness_lists_what_is_missing_over_https_alone() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.address().unwrap();
    let certificate = reqwest::Certificate::from_pem(listener.certificate().as_bytes()).unwrap();
    let readiness = Readiness::default();
    let mut registry = Registry::default();
    Passes::register(&mut registry);
    tokio::spawn(listener.serve(readiness.clone(), Arc::new(registry)));
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
