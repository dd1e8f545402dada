//! S3.

use axum::http::StatusCode;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use md5::{Digest, Md5};

use crate::rig::{CANARY, file, hex, kind, run, said, serve, weights};

fn object(key: &str, bytes: &[u8], pieces: &str) -> String {
    let tag = hex(&Md5::digest(bytes));
    let size = bytes.len();
    format!("<Contents><Key>{key}</Key><ETag>&quot;{tag}{pieces}&quot;</ETag><Size>{size}</Size></Contents>")
}

fn page(contents: &str, next: Option<&str>) -> Response {
    let next = match next {
        Some(token) => {
            format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>")
        }
        None => "<IsTruncated>false</IsTruncated>".to_owned(),
    };
    let text = format!(
        "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>b</Name>{next}{contents}</ListBucketResult>"
    );
    ([(header::CONTENT_TYPE, "application/xml")], text).into_response()
}

#[tokio::test]
async fn objects_under_a_prefix_are_downloaded_with_signed_requests() {
    let bytes = weights(70_000);
    let served = bytes.clone();
    let store = serve(move |asked| {
        let path = &asked.path;
        assert!(
            path.contains("X-Amz-Signature=") && path.contains("X-Amz-Credential=key%2F"),
            "{path}"
        );
        assert!(path.contains("%2Feu-1%2Fs3%2Faws4_request"), "{path}");
        assert!(!path.contains(CANARY));
        match path.split_once('?').unwrap() {
            ("/b" | "/b/", query) if query.contains("continuation-token=more") => {
                page(&object("m/tiny/sub/b.bin", b"bb", "-2"), None)
            }
            ("/b" | "/b/", query) => {
                assert!(
                    query.contains("prefix=m%2Ftiny") && query.contains("list-type=2"),
                    "{query}"
                );
                let more = object("m/tiny/a.bin", &served, "")
                    + &object("m/tiny/", b"", "")
                    + &object("m/tiny-2/c", b"c", "");
                page(&more, Some("more"))
            }
            ("/b/m/tiny/a.bin", _) => file(asked, &served, "\"a\""),
            ("/b/m/tiny/sub/b.bin", _) => "bb".into_response(),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    })
    .await;
    let target = tempfile::tempdir().unwrap();
    let env = [
        ("AWS_ENDPOINT_URL", store.to_string()),
        ("S3_NO_SSL", "true".to_owned()),
        ("AWS_REGION", "eu-1".to_owned()),
    ];
    let output = run("s3://b/m/tiny", target.path(), &env).await;
    assert!(output.status.success(), "{}", said(&output));
    assert!(std::fs::read(target.path().join("a.bin")).unwrap() == bytes);
    assert_eq!(std::fs::read(target.path().join("sub/b.bin")).unwrap(), b"bb");
    assert_eq!(std::fs::read_dir(target.path()).unwrap().count(), 2);
}

#[tokio::test]
async fn failures_of_s3_are_told_apart() {
    for (status, code, expected) in [
        (403, "InvalidAccessKeyId", "auth"),
        (403, "SignatureDoesNotMatch", "auth"),
        (404, "NoSuchBucket", "missing"),
        (503, "SlowDown", "unreachable"),
    ] {
        let store = serve(move |_| {
            let body = format!("<Error><Code>{code}</Code><Message>{CANARY}</Message></Error>");
            (StatusCode::from_u16(status).unwrap(), body).into_response()
        })
        .await;
        let target = tempfile::tempdir().unwrap();
        let output = run(
            "s3://b/m",
            target.path(),
            &[("AWS_ENDPOINT_URL", format!("http://{store}"))],
        )
        .await;
        assert_eq!(kind(&output).0, expected, "{}", said(&output));
    }
    for (encryption, expected) in [("", "corrupt"), ("aws:kms", "")] {
        let store = serve(move |asked| match asked.path.starts_with("/b/a") {
            true => ([("x-amz-server-side-encryption", encryption)], "other").into_response(),
            false => page(&object("a", b"first", ""), None),
        })
        .await;
        let target = tempfile::tempdir().unwrap();
        let output = run(
            "s3://b",
            target.path(),
            &[("AWS_ENDPOINT_URL", format!("http://{store}"))],
        )
        .await;
        assert_eq!(kind(&output).0, expected, "{}", said(&output));
    }
    let empty = serve(|_| page("", None)).await;
    let target = tempfile::tempdir().unwrap();
    let output = run(
        "s3://b/m",
        target.path(),
        &[("AWS_ENDPOINT_URL", format!("http://{empty}"))],
    )
    .await;
    assert_eq!(kind(&output), ("missing".to_owned(), 1));
}
