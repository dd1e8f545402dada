//! A sign-in that is renewed without anybody being asked.

use reeve_types::Clock;
use serde_json::{Value, json};

use crate::receiver::{CLUSTER, Receiver, TOKEN, as_alice, text};

const GRANT: &str = "POST /api/v1/token";
const KUBERNETES: &str = "kubernetes-token";

/// Signed in with the refresh token `rt.1`, and a token that lasts so many seconds more.
async fn signed_in(seconds: i64) -> Receiver {
    let receiver = Receiver::start().await;
    let given = json!({"accessToken": TOKEN, "expiresIn": 3600, "refreshToken": "rt.1"});
    receiver.answers(GRANT, 200, given);
    let url = receiver.url();
    let login = as_alice(&url);
    let output = receiver.run_with(&login, "aA1!aA1!").await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).contains("renewed by itself"),
        "{}",
        text(&output.stdout)
    );
    receiver.calls();
    let mut kept = kept(&receiver);
    let kept_fields = kept.as_object_mut().unwrap();
    assert_eq!(kept_fields.get("refreshToken"), Some(&json!("rt.1")));
    let ends = json!(Clock::system().now().plus_seconds(seconds));
    kept_fields.insert("expiresAt".to_owned(), ends);
    std::fs::write(file(&receiver), kept.to_string()).unwrap();
    let renewed = json!({"accessToken": "the.second.one", "expiresIn": 3600, "refreshToken": "rt.2"});
    receiver.answers(GRANT, 200, renewed);
    receiver.answers(
        &format!("POST /api/v1/clusters/{CLUSTER}/kubernetes-token"),
        200,
        json!({"token": "k8s", "expirationTimestamp": "2099-01-01T00:00:00Z"}),
    );
    receiver
}

fn file(receiver: &Receiver) -> std::path::PathBuf {
    receiver.home().join("reeve/authentication.json")
}

fn kept(receiver: &Receiver) -> Value {
    serde_json::from_slice(&std::fs::read(file(receiver)).unwrap()).unwrap()
}

/// As kubectl starts them. Planted fault: without the lock, more than one of them shows the token.
#[tokio::test]
async fn of_twenty_commands_at_once_one_renews_and_all_go_on() {
    for seconds in [-3600, 30] {
        let receiver = signed_in(seconds).await;
        let commands: Vec<_> = (0..20)
            .map(|_| receiver.spawn(&[KUBERNETES, "--cluster", CLUSTER]))
            .collect();
        for command in commands {
            let output = command.wait_with_output().await.unwrap();
            assert!(output.status.success(), "{}", text(&output.stderr));
            assert!(text(&output.stdout).contains("k8s"));
        }
        let (renewals, others): (Vec<_>, Vec<_>) =
            receiver.calls().into_iter().partition(|call| call.line == GRANT);
        assert_eq!(
            renewals.len(),
            1,
            "a refresh token that is shown twice ends the sign-in"
        );
        assert_eq!(
            renewals[0].body,
            json!({"grantType": "refresh_token", "refreshToken": "rt.1", "clientId": "runai-cli"})
        );
        assert_eq!(renewals[0].authorization, None);
        assert_eq!(others.len(), 20);
        for call in others {
            assert_eq!(call.authorization.as_deref(), Some("Bearer the.second.one"));
        }
        let kept = kept(&receiver);
        assert_eq!(
            (&kept["refreshToken"], &kept["accessToken"]),
            (&json!("rt.2"), &json!("the.second.one"))
        );
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(file(&receiver)).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_token_that_lasts_is_used_and_nothing_is_renewed() {
    let receiver = signed_in(600).await;
    let output = receiver.run(&[KUBERNETES, "--cluster", CLUSTER]).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let [call] = receiver.calls().try_into().unwrap();
    assert_eq!(call.authorization.unwrap(), format!("Bearer {TOKEN}"));
}

/// Nobody asks a second time, and the next command says it without the control plane.
#[tokio::test]
async fn a_sign_in_that_has_ended_is_said_once() {
    let receiver = signed_in(-1).await;
    receiver.answers(
        GRANT,
        400,
        json!({"code": 400, "message": "the refresh token is not valid"}),
    );
    for asked in [1, 0] {
        let output = receiver.run(&["whoami"]).await;
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        assert!(
            said.contains("the sign-in of `alice@reeve.example` has ended") && said.contains("sign in again"),
            "{said}"
        );
        assert_eq!(receiver.calls().len(), asked);
    }
    assert_eq!(kept(&receiver)["refreshToken"], Value::Null);
}

/// With the token that there is, while it lasts; the next command tries again.
#[tokio::test]
async fn a_control_plane_that_cannot_renew_now_is_asked_again_later() {
    let receiver = signed_in(30).await;
    receiver.answers(GRANT, 503, json!({"code": 503, "message": "not now"}));
    for _ in 0..2 {
        let output = receiver.run(&[KUBERNETES, "--cluster", CLUSTER]).await;
        assert!(output.status.success(), "{}", text(&output.stderr));
        let calls = receiver.calls();
        assert_eq!(calls.len(), 2);
        assert_eq!(
            calls[1].authorization.as_deref(),
            Some(&*format!("Bearer {TOKEN}"))
        );
    }
    assert_eq!(kept(&receiver)["refreshToken"], "rt.1");
    let receiver = signed_in(-1).await;
    receiver.answers(GRANT, 503, json!({"code": 503, "message": "not now"}));
    let output = receiver.run(&["whoami"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("not now (503)"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(kept(&receiver)["refreshToken"], "rt.1");
}

/// Also when the token is over: it is renewed, to end the session.
#[tokio::test]
async fn signing_out_ends_the_session_and_forgets_both_tokens() {
    for seconds in [600, -3600] {
        let receiver = signed_in(seconds).await;
        receiver.answers("POST /api/v1/me/logout", 200, json!(null));
        let output = receiver.run(&["logout"]).await;
        assert!(
            text(&output.stdout).contains("the session was ended"),
            "{}",
            text(&output.stdout)
        );
        assert_eq!(receiver.calls().last().unwrap().line, "POST /api/v1/me/logout");
        assert!(!file(&receiver).exists());
    }
}
