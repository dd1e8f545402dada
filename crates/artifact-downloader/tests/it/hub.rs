//! The Hub.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;

use crate::rig::{
    CANARY, beginning, command, file, large, model, not_found, run, said, serve, small, start, weights,
};

const LIST: &str = "/api/models/org/tiny/revision/main?blobs=true";
const FILE: &str = "/org/tiny/resolve/c0ffee/model.bin";

/// Planted fault: a client that keeps the token on redirects shows it to the storage.
#[tokio::test]
async fn the_files_of_a_revision_are_downloaded_and_the_token_stays_with_the_hub() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (log, bytes) = (seen.clone(), weights(100_000));
    let of_storage = bytes.clone();
    let storage = serve(move |asked| {
        log.lock()
            .unwrap()
            .push(asked.headers.get(header::AUTHORIZATION).cloned());
        file(asked, &of_storage, "\"a\"")
    })
    .await;
    let of_hub = bytes.clone();
    let hub = serve(move |asked| {
        assert_eq!(
            asked.header("authorization"),
            Some(format!("Bearer {CANARY}").as_str())
        );
        match asked.path.as_str() {
            LIST => model(&[
                large("model.bin", &of_hub),
                small("sub/config.json", b"{}"),
                small("empty", b""),
            ]),
            FILE => (
                StatusCode::FOUND,
                [(header::LOCATION, format!("http://{storage}/blob"))],
            )
                .into_response(),
            "/org/tiny/resolve/c0ffee/sub/config.json" => "{}".into_response(),
            "/org/tiny/resolve/c0ffee/empty" => "".into_response(),
            _ => not_found(),
        }
    })
    .await;
    let target = tempfile::tempdir().unwrap();
    let env = [("HF_ENDPOINT", format!("http://{hub}"))];
    let output = run("hf://org/tiny", target.path(), &env).await;
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(std::fs::read(target.path().join("model.bin")).unwrap(), bytes);
    assert_eq!(
        std::fs::read(target.path().join("sub/config.json")).unwrap(),
        b"{}"
    );
    assert_eq!(std::fs::read(target.path().join("empty")).unwrap(), b"");
    assert!(!target.path().join(".reeve-download").exists());
    assert_eq!(*seen.lock().unwrap(), [None]);
    // Nothing is asked for again but the list.
    let again = run("hf://org/tiny", target.path(), &env).await;
    assert!(again.status.success() && seen.lock().unwrap().len() == 1);
    // The size check is the same program under another name.
    let size = command(&["--check-size", "hf://org/tiny"], target.path(), &env)
        .output()
        .await
        .unwrap();
    let line: serde_json::Value = serde_json::from_slice(&size.stdout).unwrap();
    assert_eq!(line, json!({"url": "hf://org/tiny", "sizeBytes": 100_002}));
}

/// Planted fault: without the range, or with a part that is begun anew at each start, the server is asked for all of it again.
#[tokio::test]
async fn a_killed_download_goes_on_from_where_it_was() {
    let bytes = weights(300_000);
    let asked_for = Arc::new(Mutex::new(Vec::new()));
    let (log, served) = (asked_for.clone(), bytes.clone());
    let hub = serve(move |asked| match asked.path.as_str() {
        LIST => model(&[large("model.bin", &served)]),
        FILE => {
            let mut log = log.lock().unwrap();
            log.push((
                asked.header("range").map(str::to_owned),
                asked.header("if-range").map(str::to_owned),
            ));
            match log.len() {
                1 => beginning(&served[..123_456], served.len(), "\"one\"", true),
                // Cut in the middle once more: this the program bears itself.
                2 => beginning(b"", served.len(), "\"one\"", false),
                _ => file(asked, &served, "\"one\""),
            }
        }
        _ => not_found(),
    })
    .await;
    let target = tempfile::tempdir().unwrap();
    let env = [("HF_ENDPOINT", format!("http://{hub}"))];
    let mut child = start("hf://org/tiny", target.path(), &env);
    let part = || {
        let parts = std::fs::read_dir(target.path().join(".reeve-download")).ok()?;
        let mut parts = parts.map(|entry| entry.unwrap().path());
        let part = parts.find(|path| path.extension().is_some_and(|it| it == "part"))?;
        Some(part.metadata().unwrap().len())
    };
    for _ in 0..1000 {
        if part() == Some(123_456) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    child.kill().await.unwrap();
    assert_eq!(part(), Some(123_456));
    assert!(
        !target.path().join("model.bin").exists(),
        "a name is given to what is whole"
    );
    let output = run("hf://org/tiny", target.path(), &env).await;
    assert!(output.status.success(), "{}", said(&output));
    assert!(std::fs::read(target.path().join("model.bin")).unwrap() == bytes);
    let asked_for = asked_for.lock().unwrap();
    let rest = (Some("bytes=123456-".to_owned()), Some("\"one\"".to_owned()));
    assert_eq!(asked_for[0], (None, None));
    assert_eq!(asked_for[1], rest);
}

/// Planted fault: without `If-Range` the halves of two files become one.
#[tokio::test]
async fn a_file_that_changed_meanwhile_is_begun_anew() {
    let (old, new) = (vec![b'o'; 50_000], weights(50_000));
    let count = Arc::new(Mutex::new(0));
    let served = new.clone();
    let hub = serve(move |asked| match asked.path.as_str() {
        LIST => model(&[large("model.bin", &served)]),
        FILE => {
            let mut count = count.lock().unwrap();
            *count += 1;
            match *count {
                1 => beginning(&old[..20_000], 50_000, "\"old\"", false),
                _ => file(asked, &served, "\"new\""),
            }
        }
        _ => not_found(),
    })
    .await;
    let target = tempfile::tempdir().unwrap();
    let output = run(
        "hf://org/tiny",
        target.path(),
        &[("HF_ENDPOINT", format!("http://{hub}"))],
    )
    .await;
    assert!(output.status.success(), "{}", said(&output));
    assert!(std::fs::read(target.path().join("model.bin")).unwrap() == new);
}
