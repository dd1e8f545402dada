//! `exec`, `bash` and `attach`, against a receiver that stands in for the cluster's API server.

use std::time::Duration;

use serde_json::json;

use crate::cluster::{Answer, Cluster, PODS, json_answer, pod, pods, refusal};
use crate::receiver::text;
use crate::websocket::{Behaviour, SUCCESS, ended_with};

const R8: &str = "pods \"first-abcde\" is forbidden: ValidatingAdmissionPolicy 'reeve-connect' with binding 'reeve-connect' denied request: reeve: R8: this pod runs as somebody else";

fn says(messages: &[(u8, &str)]) -> Answer {
    let messages = messages
        .iter()
        .map(|(channel, text)| (*channel, (*text).to_owned()));
    Answer::Session(Behaviour::Says(messages.collect()))
}

fn exec_path() -> String {
    format!("{PODS}/first-abcde/exec")
}

#[tokio::test]
async fn a_commands_output_errors_and_exit_code_are_passed_on() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    // The protocol opens each channel with an empty message.
    let session = [
        (1, ""),
        (2, ""),
        (3, ""),
        (1, "to out\n"),
        (2, "to err\n"),
        (3, &ended_with(3)),
    ];
    cluster.answers(&exec_path(), [says(&session)]);
    let output = receiver
        .run(&["exec", "first", "-p", "robots", "--", "ls", "-l"])
        .await;
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "to out\n");
    assert_eq!(
        text(&output.stderr),
        "to err\nreeve: the command ended with exit code 3\n"
    );
    assert_eq!(
        cluster.calls("/exec"),
        [format!(
            "GET {}?&stdout=true&stderr=true&container=first&command=ls&command=-l",
            exec_path()
        )]
    );
    assert!(cluster.saw_only_its_own_token());
}

#[tokio::test]
async fn an_interrupted_command_is_no_error_of_ours_but_keeps_its_code() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    cluster.answers(&exec_path(), [says(&[(3, &ended_with(130))])]);
    let output = receiver
        .run(&["exec", "first", "sleep", "9", "-p", "robots"])
        .await;
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(text(&output.stderr), "");
    cluster.answers(&exec_path(), [says(&[(3, SUCCESS)])]);
    let output = receiver.run(&["exec", "first", "true", "-p", "robots"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[tokio::test]
async fn input_is_passed_on_to_its_end() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    cluster.answers(&exec_path(), [Answer::Session(Behaviour::Echoes)]);
    let input = "0123456789abcde\n".repeat(1 << 16);
    let arguments = ["exec", "-i", "first", "-p", "robots", "--", "cat"];
    let output = receiver.run_with(&arguments, &input).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        output.stdout == input.as_bytes(),
        "{} bytes came back",
        output.stdout.len()
    );
    assert_eq!(cluster.received(255), [0], "the end of standard input");
    assert!(cluster.calls("/exec")[0].contains("stdin=true"));
}

#[tokio::test]
async fn output_is_received_while_input_waits_for_room() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    cluster.answers(&exec_path(), [Answer::Session(Behaviour::SpeaksFirst(100_000))]);
    // More than all buffers on the way: the streams of `kube`, which receive nothing while they send, stop here.
    let input = "x".repeat(80 << 20);
    let arguments = ["exec", "-i", "first", "-p", "robots", "--", "cat"];
    let run = receiver.run_with(&arguments, &input);
    let output = tokio::time::timeout(Duration::from_secs(120), run).await.unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(output.stdout.len(), 100_000 * 1023);
    assert_eq!(cluster.received(0).len(), input.len());
}

#[tokio::test]
async fn a_terminal_that_is_not_there_is_noticed_before_anybody_is_asked() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    receiver.calls();
    for arguments in [
        &["exec", "-it", "first", "-p", "robots", "--", "sh"][..],
        &["bash", "first", "-p", "robots"],
        &["attach", "first", "-p", "robots", "--tty"],
    ] {
        let output = receiver.run(arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(
            said.contains("standard input is not a terminal") && said.contains("hint"),
            "{said}"
        );
    }
    assert_eq!((receiver.calls().len(), cluster.calls("").len()), (0, 0));
}

#[tokio::test]
async fn the_clusters_refusal_is_shown_as_its_words() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    cluster.answers(&exec_path(), [refusal(R8)]);
    insta::assert_snapshot!(
        receiver
            .shown(&["exec", "first", "-p", "robots", "--", "id"])
            .await
    );
    assert_eq!(cluster.calls("/exec").len(), 1, "a refusal is final");
}

#[tokio::test]
async fn what_the_cluster_cannot_tell_yet_is_asked_again() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    let not_yet = refusal("reeve: R8: it is not known yet as whom this pod runs; try again in a moment");
    let session = says(&[(1, "hello\n"), (3, SUCCESS)]);
    cluster.answers(&exec_path(), [not_yet.clone(), not_yet, session]);
    let output = receiver.run(&["exec", "first", "-p", "robots", "--", "id"]).await;
    assert_eq!(text(&output.stdout), "hello\n", "{}", text(&output.stderr));
    assert_eq!(cluster.calls("/exec").len(), 3);
}

#[tokio::test]
async fn a_command_that_could_not_run_and_a_lost_connection_are_failures_of_ours() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    let internal = |message: &str| {
        json!({"status": "Failure", "reason": "InternalError", "message": message}).to_string()
    };
    let missing = "exec: \"nonsense\": executable file not found in $PATH";
    for (session, code, said) in [
        (says(&[(3, &internal(missing))]), 1, missing),
        (
            says(&[(3, &internal("the runtime is down"))]),
            2,
            "the runtime is down",
        ),
        (
            says(&[(1, "half")]),
            2,
            "the connection ended before the command did",
        ),
    ] {
        cluster.answers(&exec_path(), [session]);
        let output = receiver
            .run(&["exec", "first", "-p", "robots", "--", "nonsense"])
            .await;
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
    }
}

#[tokio::test]
async fn another_container_and_a_pod_of_the_workload_can_be_chosen() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    cluster.answers(&exec_path(), [says(&[(3, SUCCESS)])]);
    let exec = [
        "exec",
        "first",
        "-p",
        "robots",
        "--pod",
        "first-abcde",
        "-c",
        "injected",
        "--",
        "id",
    ];
    let output = receiver.run(&exec).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(cluster.calls("/exec")[0].contains("container=injected"));
    let exec = ["exec", "first", "-p", "robots", "-c", "nonsense", "--", "id"];
    let output = receiver.run(&exec).await;
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(
        said.contains("no container `nonsense`; it has: injected, first"),
        "{said}"
    );
}

#[tokio::test]
async fn a_container_that_does_not_start_is_waited_for_only_so_long() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    let waiting = pod("first-abcde", &json!({"waiting": {"reason": "ImagePullBackOff"}}));
    cluster.answers(PODS, [json_answer(200, &pods(&[waiting]))]);
    let exec = [
        "exec",
        "first",
        "-p",
        "robots",
        "--pod-running-timeout",
        "1s",
        "--",
        "id",
    ];
    let output = receiver.run(&exec).await;
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(
        said.contains("has not started: ImagePullBackOff") && said.contains("--pod-running-timeout"),
        "{said}"
    );
    assert_eq!(cluster.calls("/exec").len(), 0);
}

#[tokio::test]
async fn attach_ends_with_the_containers_exit_code() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    cluster.answers(
        &format!("{PODS}/first-abcde/attach"),
        [says(&[(1, "bye\n"), (3, SUCCESS)])],
    );
    let running = pod("first-abcde", &json!({"running": {}}));
    let ended = pod("first-abcde", &json!({"terminated": {"exitCode": 7}}));
    cluster.answers(
        &format!("{PODS}/first-abcde"),
        [json_answer(200, &running), json_answer(200, &ended)],
    );
    let output = receiver.run(&["attach", "first", "-p", "robots"]).await;
    assert_eq!(output.status.code(), Some(7), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "bye\n");
    assert!(cluster.calls("/attach")[0].ends_with("/attach?&stdout=true&stderr=true&container=first"));
}

#[tokio::test]
async fn attach_takes_standard_input_only_where_the_container_does() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    let mut takes = pod("first-abcde", &json!({"running": {}}));
    takes["spec"]["containers"][1]["stdin"] = json!(true);
    cluster.answers(PODS, [json_answer(200, &pods(&[takes]))]);
    let ended = pod("first-abcde", &json!({"terminated": {"exitCode": 0}}));
    cluster.answers(&format!("{PODS}/first-abcde"), [json_answer(200, &ended)]);
    cluster.answers(
        &format!("{PODS}/first-abcde/attach"),
        [Answer::Session(Behaviour::Echoes)],
    );
    let output = receiver
        .run_with(&["attach", "first", "-p", "robots"], "typed\n")
        .await;
    assert_eq!(text(&output.stdout), "typed\n", "{}", text(&output.stderr));
    cluster.answers(&format!("{PODS}/first-abcde/attach"), [says(&[(3, SUCCESS)])]);
    let output = receiver
        .run(&["attach", "first", "-p", "robots", "--no-stdin"])
        .await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let stdin: Vec<_> = cluster
        .calls("/attach")
        .iter()
        .map(|call| call.contains("stdin=true"))
        .collect();
    assert_eq!(stdin, [true, false]);
}

/// Planted fault: `session::join` without `right::gone` never ends.
#[tokio::test]
async fn a_session_ends_with_the_right_to_read_its_pod_and_says_so() {
    for command in [
        &["exec", "first", "-p", "robots", "--", "sleep", "9"][..],
        &["attach", "first", "-p", "robots"],
    ] {
        let (receiver, cluster) = Cluster::with_a_workload().await;
        for path in [exec_path(), format!("{PODS}/first-abcde/attach")] {
            cluster.answers(&path, [Answer::Session(Behaviour::Stays)]);
        }
        // Neither an API server that is too busy nor one that fails says anything of rights.
        let busy = |status| json_answer(status, &json!({"message": "later"}));
        let refused = refusal("pods \"first-abcde\" is forbidden: User \"alice\" cannot get resource");
        cluster.answers(&format!("{PODS}/first-abcde"), [busy(429), busy(500), refused]);
        let output = tokio::time::timeout(Duration::from_secs(60), receiver.run(command));
        let output = output.await.expect("it ends");
        let said = text(&output.stderr);
        assert_eq!(
            (output.status.code(), text(&output.stdout).as_str()),
            (Some(1), "here\n"),
            "{said}"
        );
        assert!(
            said.contains("your right to it is gone") && said.contains("cannot get resource (403)"),
            "{said}"
        );
        assert_eq!(cluster.calls("/first-abcde").len(), 3);
    }
}
