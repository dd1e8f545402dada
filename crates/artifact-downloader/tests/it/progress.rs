//! Progress in the artifact's status.

use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::rig::{beginning, file, large, model, run, said, serve, weights};

/// Planted fault: a percentage that is not held at 99 says 100 before anything was verified.
#[tokio::test]
async fn progress_is_merged_into_the_status_and_a_refusal_stops_nothing() {
    let patches = Arc::new(Mutex::new(Vec::new()));
    let log = patches.clone();
    let kubernetes = serve(move |asked| {
        assert_eq!(
            asked.path,
            "/apis/aim.eai.amd.com/v1alpha1/namespaces/team/aimartifacts/tiny/status?fieldManager=aim-artifact-downloader"
        );
        assert_eq!(asked.header("authorization"), Some("Bearer account-token"));
        assert_eq!(asked.header("content-type"), Some("application/merge-patch+json"));
        let patch: Value = serde_json::from_slice(&asked.body).unwrap();
        log.lock().unwrap().push(patch["status"].clone());
        StatusCode::FORBIDDEN.into_response()
    })
    .await;
    let bytes = weights(200_000);
    let count = Arc::new(Mutex::new(0));
    let hub = serve(move |asked| match asked.path.ends_with("blobs=true") {
        true => model(&[large("a", &bytes)]),
        false => {
            let mut count = count.lock().unwrap();
            *count += 1;
            match *count {
                1 => beginning(&bytes[..100_000], bytes.len(), "\"a\"", false),
                _ => file(asked, &bytes, "\"a\""),
            }
        }
    })
    .await;
    let target = tempfile::tempdir().unwrap();
    let account = tempfile::tempdir().unwrap();
    std::fs::write(account.path().join("token"), "account-token\n").unwrap();
    let env = [
        ("HF_ENDPOINT", format!("http://{hub}")),
        ("KUBERNETES_URL", format!("http://{kubernetes}")),
        ("SERVICE_ACCOUNT_DIR", account.path().to_str().unwrap().to_owned()),
        ("ARTIFACT_NAME", "tiny".to_owned()),
        ("ARTIFACT_NAMESPACE", "team".to_owned()),
        ("PROGRESS_INTERVAL", "0.05".to_owned()),
        ("RETRY_PAUSE", "0.3".to_owned()),
    ];
    let output = run("hf://org/tiny", target.path(), &env).await;
    assert!(output.status.success(), "{}", said(&output));
    let patches = patches.lock().unwrap();
    assert_eq!(patches[0]["download"]["message"], "Downloading with HTTP");
    let percentages: Vec<i64> = patches
        .iter()
        .filter_map(|patch| patch["progress"]["percentage"].as_i64())
        .collect();
    // How much of what was sent before the cut arrived is the network's to say.
    assert!(
        percentages.iter().any(|it| (1..=50).contains(it)),
        "{percentages:?}"
    );
    assert!(
        percentages.is_sorted() && percentages.iter().filter(|it| **it == 100).count() == 1,
        "{percentages:?}"
    );
    let verifying = patches
        .iter()
        .find(|patch| patch["progress"]["percentage"] == 100)
        .unwrap();
    assert_eq!(
        *verifying,
        json!({
            "progress": {
                "totalBytes": 200_000, "downloadedBytes": 200_000, "percentage": 100, "displayPercentage": "100 %",
            },
            "download": {"message": "Verifying integrity..."},
        })
    );
    assert_eq!(patches.last().unwrap()["download"]["message"], "Complete");
}
