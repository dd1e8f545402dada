//! What is in the way is told apart, by the last line and the exit code.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::rig::{beginning, file, kind, large, model, run, said, serve, small, weights};

const LIST: &str = "/api/models/org/tiny/revision/main?blobs=true";

async fn outcome(hub: std::net::SocketAddr, target: &std::path::Path) -> (String, i32) {
    let env = [
        ("HF_ENDPOINT", format!("http://{hub}")),
        ("STALL_TIMEOUT", "0.5".to_owned()),
    ];
    kind(&run("hf://org/tiny", target, &env).await)
}

fn told(kind: &str, code: i32) -> (String, i32) {
    (kind.to_owned(), code)
}

#[tokio::test]
async fn refusals_of_the_hub_are_missing_or_auth() {
    for (status, code, expected) in [
        (401, "", told("auth", 2)),
        (403, "", told("auth", 2)),
        (403, "GatedRepo", told("auth", 2)),
        (401, "RepoNotFound", told("missing", 1)),
        (404, "", told("missing", 1)),
        (500, "", told("unreachable", 3)),
    ] {
        let refuse = move || -> Response {
            (StatusCode::from_u16(status).unwrap(), [("x-error-code", code)]).into_response()
        };
        // For the list, and for a file alone.
        for of_list in [true, false] {
            let hub = serve(move |asked| match asked.path.as_str() {
                LIST if !of_list => model(&[small("a", b"x")]),
                _ => refuse(),
            })
            .await;
            let target = tempfile::tempdir().unwrap();
            assert_eq!(
                outcome(hub, target.path()).await,
                expected,
                "{status} {code} {of_list}"
            );
        }
    }
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let target = tempfile::tempdir().unwrap();
    assert_eq!(outcome(closed, target.path()).await, told("unreachable", 3));
}

/// Planted fault: a timeout for the whole request in place of one for each silence fails large files and not stalled ones.
#[tokio::test]
async fn a_stalled_download_says_so_and_keeps_what_came() {
    let bytes = weights(90_000);
    let stalls = Arc::new(AtomicBool::new(true));
    let (stalling, served) = (stalls.clone(), bytes.clone());
    let hub = serve(move |asked| match asked.path.as_str() {
        LIST => model(&[large("a", &served)]),
        _ if stalling.load(Ordering::SeqCst) => beginning(&served[..40_000], served.len(), "\"a\"", true),
        _ => {
            assert_eq!(asked.header("range"), Some("bytes=40000-"));
            file(asked, &served, "\"a\"")
        }
    })
    .await;
    let target = tempfile::tempdir().unwrap();
    assert_eq!(outcome(hub, target.path()).await, told("stalled", 5));
    stalls.store(false, Ordering::SeqCst);
    outcome(hub, target.path()).await;
    assert!(std::fs::read(target.path().join("a")).unwrap() == bytes);
}

/// Planted fault: a check by size alone takes it.
#[tokio::test]
async fn a_corrupt_file_is_deleted_and_downloaded_anew() {
    let bytes = weights(1000);
    let corrupts = Arc::new(AtomicBool::new(true));
    let (corrupting, served) = (corrupts.clone(), bytes.clone());
    let hub = serve(move |asked| match asked.path.as_str() {
        LIST => model(&[large("large", &served), small("small", &served)]),
        _ if corrupting.load(Ordering::SeqCst) => vec![0_u8; 1000].into_response(),
        _ => file(asked, &served, "\"a\""),
    })
    .await;
    let target = tempfile::tempdir().unwrap();
    assert_eq!(outcome(hub, target.path()).await, told("corrupt", 6));
    assert!(!target.path().join("large").exists() && !target.path().join("small").exists());
    corrupts.store(false, Ordering::SeqCst);
    outcome(hub, target.path()).await;
    assert_eq!(std::fs::read(target.path().join("large")).unwrap(), bytes);
    // More than was promised is corrupt too, and is not written without end.
    let hub = serve(move |asked| match asked.path.as_str() {
        LIST => model(&[small("a", b"x")]),
        _ => vec![b'x'; 100_000].into_response(),
    })
    .await;
    let target = tempfile::tempdir().unwrap();
    assert_eq!(outcome(hub, target.path()).await, told("corrupt", 6));
}

/// `/dev/full` stands in for a claim without room.
#[tokio::test]
async fn a_full_claim_says_so() {
    let bytes = weights(1000);
    let hub = serve(move |asked| match asked.path.as_str() {
        LIST => model(&[large("a", &bytes)]),
        _ => file(asked, &bytes, "\"a\""),
    })
    .await;
    let target = tempfile::tempdir().unwrap();
    let parts = target.path().join(".reeve-download");
    std::fs::create_dir(&parts).unwrap();
    let name = crate::rig::hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"a").as_ref());
    std::os::unix::fs::symlink("/dev/full", parts.join(format!("{name}.part"))).unwrap();
    assert_eq!(outcome(hub, target.path()).await, told("full", 4));
}

#[tokio::test]
async fn a_path_out_of_the_target_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    std::fs::create_dir(&target).unwrap();
    for path in ["../outside", "/outside", "a/../../outside"] {
        let hub = serve(move |asked| match asked.path.as_str() {
            LIST => model(&[small(path, b"x")]),
            _ => "x".into_response(),
        })
        .await;
        assert_eq!(outcome(hub, &target).await, told("corrupt", 6), "{path}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let output = run("gopher://a/b", &target, &[]).await;
    assert_eq!(kind(&output), told("usage", 7), "{}", said(&output));
}
