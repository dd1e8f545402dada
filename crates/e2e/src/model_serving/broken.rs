//! Models whose files cannot be had, each for one reason, as a hub of files and as a bucket of S3 have them. Stand-ins: they answer as
//! those answer, and know nothing else.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A repository, or a bucket, for each reason.
pub(super) const DENIED: &str = "denied";
pub(super) const CORRUPT: &str = "corrupt";
pub(super) const STALLED: &str = "stalled";

const FILE: &str = "weights.bin";
const SIZE: usize = 64;
const COMMIT: &str = "bad0000000000000000000000000000000000000";

/// Whether nothing ever comes of a request of this path.
pub(super) fn hangs(path: &str) -> bool {
    path.contains(STALLED) && path.ends_with(FILE)
}

/// As a hub: `reeve/REASON`. What it does not know is not there.
pub(super) fn of_hub(path: &str) -> Response {
    let known = [DENIED, CORRUPT, STALLED].into_iter();
    let Some(of) = known
        .into_iter()
        .find(|of| path.contains(&format!("/reeve/{of}/")))
    else {
        return (StatusCode::NOT_FOUND, [("x-error-code", "RepoNotFound")]).into_response();
    };
    if of == DENIED {
        return (StatusCode::FORBIDDEN, [("x-error-code", "GatedRepo")]).into_response();
    }
    if path.starts_with("/api/models/") {
        let lfs = json!({"sha256": "0".repeat(64), "size": SIZE});
        let file = json!({"rfilename": FILE, "size": SIZE, "lfs": lfs});
        let body = json!({"sha": COMMIT, "siblings": [file]}).to_string();
        return ([(header::CONTENT_TYPE, "application/json")], body).into_response();
    }
    ([(header::ETAG, "\"1\"")], vec![b'x'; SIZE]).into_response()
}

/// As buckets: `s3://REASON`.
pub(super) fn of_bucket(path: &str) -> Response {
    let refuse = |status: StatusCode, code: &str| {
        let body = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
        (status, body).into_response()
    };
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    let bucket = parts.next().unwrap_or_default();
    let key = parts.next().unwrap_or_default();
    match (bucket, key) {
        (DENIED, _) => refuse(StatusCode::FORBIDDEN, "AccessDenied"),
        (CORRUPT | STALLED, "") => {
            let object = format!(
                "<Contents><Key>{FILE}</Key><ETag>&quot;{}&quot;</ETag><Size>{}</Size></Contents>",
                "0".repeat(32),
                SIZE
            );
            let body = format!(
                "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <Name>{bucket}</Name><IsTruncated>false</IsTruncated>{object}</ListBucketResult>"
            );
            ([(header::CONTENT_TYPE, "application/xml")], body).into_response()
        }
        (CORRUPT | STALLED, FILE) => vec![b'x'; SIZE].into_response(),
        _ => refuse(StatusCode::NOT_FOUND, "NoSuchBucket"),
    }
}
