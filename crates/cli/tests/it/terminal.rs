//! What happens at a terminal: the system's `script` gives the command one.

use std::process::{Output, Stdio};

use serde_json::json;

use crate::cluster::{Answer, Cluster, PODS, json_answer, pod, pods};
use crate::receiver::{Receiver, program, text};
use crate::websocket::{Behaviour, SUCCESS, ended_with};

/// Runs a line of shell at a terminal of 30 rows and 100 columns. `reeve` is the program.
pub(crate) async fn at_a_terminal(receiver: &Receiver, line: &str) -> Output {
    let line = line.replace("reeve ", &format!("{} ", env!("CARGO_BIN_EXE_reeve")));
    program("script")
        .args(["-qec", &format!("stty rows 30 cols 100; {line}"), "/dev/null"])
        .env("PATH", "/usr/bin:/bin")
        .env("SHELL", "/bin/sh")
        .env("HOME", receiver.home())
        .env("XDG_RUNTIME_DIR", receiver.home())
        .env("REEVE_CONFIG_DIR", receiver.home().join("reeve"))
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_log_does_not_steer_the_terminal() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    let log = "red \u{1b}[31m\u{9b}2J\u{7} é\n";
    cluster.answers(&format!("{PODS}/first-abcde/log"), [Answer::Text(log.into())]);
    let shown = at_a_terminal(&receiver, "reeve logs first -p robots").await;
    assert_eq!(text(&shown.stdout), "red \\x1b[31m\\x9b2J\\x07 é\r\n");
    let raw = at_a_terminal(&receiver, "reeve logs first -p robots --raw").await;
    assert_eq!(text(&raw.stdout), log.replace('\n', "\r\n"));
    // Whoever stores a log gets its bytes.
    let piped = receiver.run(&["logs", "first", "-p", "robots"]).await;
    assert_eq!(text(&piped.stdout), log);
}

/// A policy's name, in the message of an alarm, is whoever's could write it there; so is a name in the audit log of before there was a rule
/// for it. The line of ours that the message imitates stays in its own. The planted faults are those of the printer's own tests.
#[tokio::test]
async fn what_clusters_and_the_audit_log_hold_does_not_steer_the_terminal() {
    let receiver = Receiver::signed_in().await;
    let evil = "policy\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}\nState        Connected";
    let mut cluster = crate::admin::cluster();
    cluster["status"] = json!({"state": "ServiceIssues", "stateSince": "2026-01-01T00:00:00Z", "stateReason": "PoliciesChanged",
        "stateMessage": evil, "conditions": [], "platform": null, "dependencies": null});
    receiver.answers("GET /api/v1/clusters", 200, json!([cluster]));
    let event = json!({"id": "523e4567-e89b-82d3-a456-426614174000", "timestamp": "2026-01-01T00:00:00Z", "tenant_id": "1",
        "subject": evil, "subject_type": "User", "action": "create", "entity_type": "project",
        "entity_name": evil, "entity_id": "33", "result": "Failed", "metadata": {"reason": evil}});
    receiver.answers(
        "GET /api/v1/audit/log",
        200,
        json!({"total": 1, "audit_logs": [event]}),
    );
    for command in [
        &["cluster", "list"][..],
        &["cluster", "get", "demo"],
        &["audit", "list", "--since", "2026-01-01"],
    ] {
        for format in ["table", "json", "yaml"] {
            let output = receiver.run(&[command, &["-o", format][..]].concat()).await;
            let shown = text(&output.stdout);
            let what = format!("{command:?} -o {format}: {shown:?}");
            assert!(shown.contains("policy") && output.stderr.is_empty(), "{what}");
            let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!shown.contains(steers), "{what}");
            assert!(
                !shown
                    .lines()
                    .any(|line| line.starts_with("State        Connected")),
                "{what}"
            );
        }
    }
    let refused = json!({"code": 403, "message": evil});
    receiver.answers("GET /api/v1/clusters", 403, refused);
    let said = text(&receiver.run(&["cluster", "list"]).await.stderr);
    assert!(said.contains("policy\u{fffd}]0;owned"), "{said:?}");
}

#[tokio::test]
async fn the_remote_terminal_gets_the_size_and_ours_is_given_back() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    let says = |messages: &[(u8, &str)]| {
        let messages = messages
            .iter()
            .map(|(channel, text)| (*channel, (*text).to_owned()));
        Answer::Session(Behaviour::Says(messages.collect()))
    };
    let path = format!("{PODS}/first-abcde/exec");
    let lost = says(&[(1, "half")]);
    let ended = says(&[(1, "prompt$ "), (3, &ended_with(130))]);
    for (session, code) in [(ended, "130"), (lost, "2"), (says(&[(3, SUCCESS)]), "0")] {
        cluster.answers(&path, [session]);
        let line = "stty -g; reeve exec -it first -p robots -- bash; echo code=$?; stty -g";
        let output = text(&at_a_terminal(&receiver, line).await.stdout);
        let lines: Vec<_> = output.lines().collect();
        assert!(output.contains(&format!("code={code}\r\n")), "{output}");
        assert_eq!(lines.first(), lines.last(), "the modes of the terminal: {output}");
    }
    let call = format!("GET {path}?&stdin=true&stdout=true&tty=true&container=first&command=bash");
    assert_eq!(cluster.calls("/exec"), [call.clone(), call.clone(), call]);
}

#[tokio::test]
async fn the_size_is_told_and_a_signal_gives_the_terminal_back() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    cluster.answers(
        &format!("{PODS}/first-abcde/exec"),
        [Answer::Session(Behaviour::EchoesPort(7))],
    );
    // A new size is a signal of its own; the other asks the command to end.
    let line = "stty -g; (sleep 1; stty -F /dev/tty rows 40; sleep 1; kill -TERM $(cat $HOME/pid)) & \
                sh -c 'echo $$ >$HOME/pid; exec reeve exec -it first -p robots -- bash'; echo code=$?; stty -g";
    let output = text(&at_a_terminal(&receiver, line).await.stdout);
    let lines: Vec<_> = output.lines().collect();
    assert!(output.contains("code=2"), "{output}");
    assert_eq!(lines.first(), lines.last(), "the modes of the terminal: {output}");
    assert_eq!(
        String::from_utf8(cluster.received(4)).unwrap(),
        r#"{"Height":30,"Width":100}{"Height":40,"Width":100}"#
    );
}

#[tokio::test]
async fn an_image_without_bash_is_told_what_to_use() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    let message = "exec: \"bash\": executable file not found in $PATH: unknown";
    let status = json!({"status": "Failure", "reason": "InternalError", "message": message}).to_string();
    let session = Answer::Session(Behaviour::Says(vec![(3, status)]));
    cluster.answers(&format!("{PODS}/first-abcde/exec"), [session]);
    let output = at_a_terminal(&receiver, "reeve bash first -p robots").await;
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.contains("its image has no `bash`"), "{said}");
    assert!(
        said.contains("hint: use `reeve exec -it first -p robots -- sh`"),
        "{said}"
    );
}

#[tokio::test]
async fn attach_uses_a_terminal_where_both_sides_have_one() {
    let (receiver, cluster) = Cluster::with_a_workload().await;
    let path = format!("{PODS}/first-abcde/attach");
    cluster.answers(
        &path,
        [Answer::Session(Behaviour::Says(vec![(3, SUCCESS.to_owned())]))],
    );
    let ended = pod("first-abcde", &json!({"terminated": {"exitCode": 0}}));
    cluster.answers(&format!("{PODS}/first-abcde"), [json_answer(200, &ended)]);
    let without = at_a_terminal(&receiver, "reeve attach first -p robots --tty").await;
    assert_eq!(without.status.code(), Some(1));
    assert!(text(&without.stdout).contains("the container `first` has no terminal"));
    let mut with = pod("first-abcde", &json!({"running": {}}));
    with["spec"]["containers"][1]["tty"] = json!(true);
    with["spec"]["containers"][1]["stdin"] = json!(true);
    cluster.answers(PODS, [json_answer(200, &pods(&[with]))]);
    for flags in ["", " --no-tty", " --no-stdin --tty"] {
        let output = at_a_terminal(&receiver, &format!("reeve attach first -p robots{flags}")).await;
        assert_eq!(output.status.code(), Some(0), "{flags}: {}", text(&output.stdout));
    }
    let asked: Vec<_> = cluster
        .calls("/attach")
        .iter()
        .map(|call| call.replace(&path, ""))
        .collect();
    assert_eq!(
        asked,
        [
            "GET ?&stdin=true&stdout=true&tty=true&container=first",
            "GET ?&stdin=true&stdout=true&stderr=true&container=first",
            "GET ?&stdout=true&tty=true&container=first",
        ]
    );
}

/// Planted fault: it is asked for once.
#[tokio::test]
async fn another_password_is_asked_for_twice_at_a_terminal() {
    use tokio::io::AsyncWriteExt;

    let receiver = Receiver::start().await;
    let answer =
        json!({"accessToken": crate::receiver::TOKEN, "expiresIn": 3600, "mustChangePassword": true});
    receiver.answers("POST /api/v1/token", 200, answer);
    receiver.answers("POST /api/v1/me/password", 200, json!(null));
    let login = format!(
        "{} login user --url {} -u erin@reeve.example",
        env!("CARGO_BIN_EXE_reeve"),
        receiver.url()
    );
    let mut child = program("script")
        .args(["-qec", &login, "/dev/null"])
        .env("PATH", "/usr/bin:/bin")
        .env("SHELL", "/bin/sh")
        .env("XDG_RUNTIME_DIR", receiver.home())
        .env("REEVE_CONFIG_DIR", receiver.home().join("reeve"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let typed = async move {
        stdin
            .write_all(b"Given-1!\nChosen-1!\nOther-1!\nChosen-2!\nChosen-2!\n")
            .await
            .unwrap();
        // The terminal ends when what is typed ends.
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), typed);
    let said = text(&output.unwrap().stdout);
    assert!(
        said.contains("the two differ") && said.contains("signed in as"),
        "{said}"
    );
    let [_, change] = receiver.calls().try_into().unwrap();
    assert_eq!(
        change.body,
        json!({"currentPassword": "Given-1!", "newPassword": "Chosen-2!"})
    );
}
