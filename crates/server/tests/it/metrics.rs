//! The port of the metrics, and the certificate on every port. What a cluster's tokens may read is shown where the chart is
//! installed (`e2e`, `charts::installed`).

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::Path;

use reeve_testkit::{shown_certificate, wait_until};

use crate::process::{Running, fresh, program};

#[tokio::test]
async fn metrics_are_on_a_port_of_their_own_for_who_has_the_token() {
    let (dir, data) = fresh();
    let file = dir.path().join("token");
    fs::write(&file, "of-monitoring\n").unwrap();
    let flags = ["--metrics-listen", "127.0.0.1:0", "--metrics-token-file"];
    let running = Running::start(&data, &[&flags[..], &[file.to_str().unwrap()]].concat()).await;
    let url = running.announced["metricsUrl"].as_str().unwrap().to_owned();
    let ask = async |token: Option<&str>| {
        let request = running.client.get(&url);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(ask(None).await.0, 401);
    assert_eq!(ask(Some("made-up")).await.0, 401);
    let (status, text) = ask(Some("of-monitoring")).await;
    assert_eq!(status, 200);
    assert!(
        text.contains("reeve_certificate_not_after_timestamp_seconds 1"),
        "{text}"
    );
    assert!(text.ends_with("# EOF\n"), "{text}");
    // Nothing else is there, and metrics are nowhere else.
    let there = url.replace("/metrics", "/api/v1/users");
    assert_eq!(running.client.get(there).send().await.unwrap().status(), 404);
    let elsewhere = running
        .client
        .get(running.url("/metrics"))
        .bearer_auth("of-monitoring");
    assert_eq!(elsewhere.send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn no_port_shows_metrics_by_default_and_none_that_strangers_reach_shows_them_to_everybody() {
    let (_dir, data) = fresh();
    let running = Running::start(&data, &[]).await;
    assert!(
        running.announced.get("metricsUrl").is_none(),
        "{}",
        running.announced
    );
    drop(running);
    let start = |flags: &[&str]| {
        let ended = program(&data)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&data)
            .args(flags)
            .env_remove("KUBECONFIG")
            .env("HOME", data.join("nobody"))
            .output()
            .unwrap();
        assert_eq!(ended.status.code(), Some(2), "{ended:?}");
        String::from_utf8(ended.stderr).unwrap()
    };
    let open = start(&["--metrics-listen", "0.0.0.0:0"]);
    assert!(open.contains("would show metrics to everybody"), "{open}");
    let alone = start(&["--metrics-listen", "127.0.0.1:0", "--metrics-kubernetes"]);
    assert!(alone.contains("no cluster can be asked"), "{alone}");
    let nowhere = start(&["--metrics-kubernetes"]);
    assert!(nowhere.contains("--metrics-listen"), "{nowhere}");
}

/// As the kubelet lays out a Secret and exchanges it.
fn mount(at: &Path, generation: &str) -> Vec<u8> {
    let made =
        rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    fs::create_dir_all(at.join(generation)).unwrap();
    fs::write(at.join(generation).join("tls.crt"), made.cert.pem()).unwrap();
    fs::write(
        at.join(generation).join("tls.key"),
        made.signing_key.serialize_pem(),
    )
    .unwrap();
    symlink(generation, at.join("..data_tmp")).unwrap();
    fs::rename(at.join("..data_tmp"), at.join("..data")).unwrap();
    made.cert.der().to_vec()
}

#[tokio::test]
async fn a_certificate_that_a_kubelet_exchanges_is_shown_on_both_ports_without_a_restart() {
    let (dir, data) = fresh();
    let at = dir.path().join("mount");
    let first = mount(&at, "..2026_01");
    let (certificate, key) = (at.join("tls.crt"), at.join("tls.key"));
    for file in [&certificate, &key] {
        symlink(Path::new("..data").join(file.file_name().unwrap()), file).unwrap();
    }
    let flags = [
        "--tls-certificate",
        certificate.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ];
    let running = Running::start(
        &data,
        &[&flags[..], &["--metrics-listen", "127.0.0.1:0"]].concat(),
    )
    .await;
    let port = |field: &str| {
        let url = reqwest::Url::parse(running.announced[field].as_str().unwrap()).unwrap();
        SocketAddr::from(([127, 0, 0, 1], url.port().unwrap()))
    };
    let ports = [port("url"), port("metricsUrl")];
    for port in ports {
        assert_eq!(shown_certificate(port).await.unwrap(), first);
    }
    let next = mount(&at, "..2026_02");
    for port in ports {
        wait_until("the next certificate to be shown", async || {
            Ok((shown_certificate(port).await? == next).then_some(()))
        })
        .await
        .unwrap();
    }
}
