//! `port-forward`, against a receiver that stands in for the cluster's API server.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};

use crate::cluster::{Answer, Cluster, PODS, json_answer, pod, refusal};
use crate::receiver::{Receiver, program, text};
use crate::websocket::Behaviour;

fn path() -> String {
    format!("{PODS}/first-abcde/portforward")
}

/// The running command, and the address it says it listens at.
async fn forwarding(receiver: &Receiver) -> (Child, BufReader<ChildStdout>, String) {
    let mut child = program(env!("CARGO_BIN_EXE_reeve"))
        .args(["port-forward", "first", "-p", "robots", "--port", "0:80"])
        .env("HOME", receiver.home())
        .env("REEVE_CONFIG_DIR", receiver.home().join("reeve"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).await.unwrap();
    let address = line
        .strip_prefix("forwarding ")
        .and_then(|line| line.strip_suffix(" -> 80\n"));
    assert!(address.is_some(), "{line:?}");
    let address = address.unwrap_or_default().to_owned();
    (child, output, address)
}

async fn interrupt(mut child: Child) -> Option<i32> {
    let id = child.id().unwrap().to_string();
    let killed = Command::new("kill").args(["-INT", &id]).status().await.unwrap();
    assert!(killed.success());
    child.wait().await.unwrap().code()
}

#[tokio::test]
async fn connections_reach_the_pod_each_on_its_own() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    cluster.answers(&path(), [Answer::Session(Behaviour::EchoesPort(80))]);
    let (child, _output, address) = forwarding(&receiver).await;
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    let mut both = [
        TcpStream::connect(&address).await.unwrap(),
        TcpStream::connect(&address).await.unwrap(),
    ];
    for (number, word) in [(0, b"first "), (1, b"second"), (0, b"third ")] {
        both[number].write_all(word).await.unwrap();
        let mut answer = [0; 6];
        both[number].read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, word);
    }
    let calls = cluster.calls("/portforward");
    assert_eq!(
        calls[0],
        format!("GET {}?ports=80", path()),
        "asked first, without a WebSocket"
    );
    assert_eq!(calls.len(), 3, "{calls:?}");
    assert_eq!(interrupt(child).await, Some(0));
}

#[tokio::test]
async fn much_goes_both_ways_and_a_side_that_ended_still_gets_its_answer() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    cluster.answers(&path(), [Answer::Session(Behaviour::EchoesPort(80))]);
    let (child, _output, address) = forwarding(&receiver).await;
    let (mut read, mut write) = TcpStream::connect(&address).await.unwrap().into_split();
    let sent = vec![7_u8; 16 << 20];
    let bytes = sent.clone();
    let writing = tokio::spawn(async move {
        write.write_all(&bytes).await.unwrap();
        write.shutdown().await.unwrap();
    });
    let mut received = vec![0; sent.len()];
    let all = tokio::time::timeout(Duration::from_secs(60), read.read_exact(&mut received));
    all.await.unwrap().unwrap();
    assert!(received == sent);
    writing.await.unwrap();
    assert_eq!(interrupt(child).await, Some(0));
}

#[tokio::test]
async fn a_refusal_ends_it_before_it_says_that_it_forwards() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    let not_yet = refusal("reeve: R8: not known yet; try again in a moment");
    cluster.answers(
        &path(),
        [not_yet, refusal("reeve: R8: this pod runs as somebody else")],
    );
    let output = receiver
        .run(&["port-forward", "first", "-p", "robots", "--port", "0:80"])
        .await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    assert!(
        text(&output.stderr).contains("reeve: R8: this pod runs as somebody else (403)"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(cluster.calls("/portforward").len(), 2);
}

#[tokio::test]
async fn it_ends_with_its_pod_and_with_the_right_to_read_it() {
    for (answer, said) in [
        (
            json_answer(404, &json!({"message": "pods \"first-abcde\" not found"})),
            "the pod `first-abcde` is gone",
        ),
        (
            json_answer(200, &pod("another-uid", &json!({"running": {}}))),
            "the pod `first-abcde` is gone",
        ),
        (
            json_answer(200, &pod("first-abcde", &json!({"terminated": {"exitCode": 0}}))),
            "the pod `first-abcde` has ended",
        ),
        (refusal("pods is forbidden"), "pods is forbidden (403)"),
    ] {
        let (receiver, cluster) = Cluster::with_a_workload().await;
        cluster.answers(&path(), [Answer::Session(Behaviour::EchoesPort(80))]);
        cluster.answers(&format!("{PODS}/first-abcde"), [answer]);
        let output = receiver
            .run(&["port-forward", "first", "-p", "robots", "--port", "0:80"])
            .await;
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_a_failure_before_anybody_is_asked() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = format!("{}:80", taken.local_addr().unwrap().port());
    let output = receiver
        .run(&["port-forward", "first", "-p", "robots", "--port", &port])
        .await;
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("cannot listen at 127.0.0.1:"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(cluster.calls("").len(), 0);
}
