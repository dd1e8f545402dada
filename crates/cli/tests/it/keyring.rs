//! The tokens in a keyring, which is a real one: GNOME's, on a session bus of its own. No screen is there, so that a locked keyring stays
//! locked until the test opens it.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;

use reeve_testkit::{Keyring, keyring};
use serde_json::{Value, json};

use crate::receiver::{CLUSTER, Receiver, TOKEN, as_alice, text};

const GRANT: &str = "POST /api/v1/token";
const LOGOUT: &str = "POST /api/v1/me/logout";
const SECOND: &str = "the.second.one";
const KUBECTL: [&str; 3] = ["kubernetes-token", "--cluster", CLUSTER];

/// A keyring that is open, and a receiver whose tokens last an hour.
async fn beside_a_keyring() -> Option<(Arc<Keyring>, Receiver)> {
    let keyring = Arc::new(keyring()?);
    let receiver = Receiver::start_beside(&keyring).await;
    let given = json!({"accessToken": TOKEN, "expiresIn": 3600, "refreshToken": "rt.1"});
    receiver.answers(GRANT, 200, given);
    receiver.answers(LOGOUT, 200, json!(null));
    let token = json!({"token": "k8s", "expirationTimestamp": "2099-01-01T00:00:00Z"});
    receiver.answers(
        &format!("POST /api/v1/clusters/{CLUSTER}/kubernetes-token"),
        200,
        token,
    );
    Some((keyring, receiver))
}

async fn login(receiver: &Receiver, more: &[&str]) -> Output {
    let url = receiver.url();
    let output = receiver
        .run_with(&[&as_alice(&url)[..], more].concat(), "aA1!aA1!")
        .await;
    receiver.calls();
    output
}

/// What a command that succeeds prints.
fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// What one that fails complains of.
fn complained(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    text(&output.stderr)
}

fn file(receiver: &Receiver, name: &str) -> PathBuf {
    receiver.home().join("reeve").join(name)
}

/// Whether anything in the folder of settings, or of the keyring's own files, shows one of the tokens.
fn is_on_the_disk(keyring: &Keyring, receiver: &Receiver) -> bool {
    let tokens = [TOKEN, SECOND, "rt.1", "rt.2"];
    let in_settings = std::fs::read_dir(receiver.home().join("reeve"))
        .unwrap()
        .any(|entry| {
            let kept = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            tokens.iter().any(|token| kept.contains(token))
        });
    in_settings || tokens.iter().any(|token| keyring.shows(token).unwrap())
}

fn items(keyring: &Keyring) -> usize {
    keyring.items("application", "reeve").unwrap()
}

/// With which token `kubectl`'s plugin asks, and that nothing else is asked.
async fn used(receiver: &Receiver) -> String {
    let output = receiver.run(&KUBECTL).await;
    assert!(said(&output).contains("k8s"));
    let [call] = receiver.calls().try_into().unwrap();
    call.authorization.unwrap().replace("Bearer ", "")
}

/// Planted fault: a sign-out leaves the item.
#[tokio::test]
async fn a_sign_in_is_kept_in_a_keyring_that_is_open_and_goes_with_the_sign_out() {
    let Some((keyring, receiver)) = beside_a_keyring().await else {
        return;
    };
    let shown = said(&login(&receiver, &[]).await);
    assert!(
        shown.contains("the tokens are in the keyring of your desktop"),
        "{shown}"
    );
    assert_eq!(items(&keyring), 1);
    assert!(!file(&receiver, "authentication.json").exists());
    assert!(!is_on_the_disk(&keyring, &receiver));
    assert_eq!(used(&receiver).await, TOKEN);
    let me = json!({
        "id": "1", "username": "alice@reeve.example", "type": "user", "groups": [], "posix": null, "roles": [],
    });
    receiver.answers("GET /api/v1/me", 200, me);
    assert!(said(&receiver.run(&["whoami"]).await).contains("alice@reeve.example"));
    receiver.calls();

    // It is there for whoever logs in the next day.
    keyring.open().unwrap();
    assert_eq!(used(&receiver).await, TOKEN);

    let again = said(&login(&receiver, &["-o", "json"]).await);
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(
        (&again["tokenStore"], &again["leftInKeyring"]),
        (&json!("keyring"), &json!(false))
    );
    assert_eq!(items(&keyring), 1, "another sign-in takes the place of the first");

    let shown = said(&receiver.run(&["logout"]).await);
    assert!(shown.contains("the session was ended"), "{shown}");
    let told = receiver.calls().pop().unwrap();
    assert_eq!(
        (told.line.as_str(), told.authorization),
        (LOGOUT, Some(format!("Bearer {TOKEN}")))
    );
    assert_eq!(items(&keyring), 0);
    assert!(!file(&receiver, "keyring.json").exists());
    let output = receiver.run(&KUBECTL).await;
    assert!(
        text(&output.stderr).contains("you are not signed in"),
        "{}",
        text(&output.stderr)
    );
}

/// As kubectl starts them. Planted fault: what is renewed is not written into the keyring.
#[tokio::test]
async fn of_twenty_commands_at_once_one_renews_what_is_in_the_keyring() {
    let Some((keyring, receiver)) = beside_a_keyring().await else {
        return;
    };
    let soon = json!({"accessToken": TOKEN, "expiresIn": 30, "refreshToken": "rt.1"});
    receiver.answers(GRANT, 200, soon);
    said(&login(&receiver, &[]).await);
    let renewed = json!({"accessToken": SECOND, "expiresIn": 3600, "refreshToken": "rt.2"});
    receiver.answers(GRANT, 200, renewed);
    let commands: Vec<_> = (0..20).map(|_| receiver.spawn(&KUBECTL)).collect();
    for command in commands {
        let output = command.wait_with_output().await.unwrap();
        assert!(said(&output).contains("k8s"));
        assert_eq!(text(&output.stderr), "");
    }
    let (renewals, others): (Vec<_>, Vec<_>) =
        receiver.calls().into_iter().partition(|call| call.line == GRANT);
    assert_eq!(
        renewals.len(),
        1,
        "a refresh token that is shown twice ends the sign-in"
    );
    assert_eq!(renewals[0].body["refreshToken"], "rt.1");
    assert_eq!(others.len(), 20);
    for call in others {
        assert_eq!(call.authorization, Some(format!("Bearer {SECOND}")));
    }
    assert_eq!(items(&keyring), 1);
    assert!(!file(&receiver, "authentication.json").exists());
    keyring.open().unwrap();
    assert_eq!(used(&receiver).await, SECOND);
}

/// Nothing is asked of the control plane, and nothing changes. Planted faults: a keyring that cannot be read is taken for an empty one; the
/// sign-out succeeds.
#[tokio::test]
async fn a_keyring_that_is_locked_or_gone_says_what_to_do_and_loses_nothing() {
    let Some((keyring, receiver)) = beside_a_keyring().await else {
        return;
    };
    said(&login(&receiver, &["--token-store", "keyring"]).await);
    let place = std::fs::read(file(&receiver, "keyring.json")).unwrap();
    let (lock, end) = (|| keyring.lock().unwrap(), || keyring.end());
    let losses: [(&dyn Fn(), &str); 2] = [
        (&lock, "the keyring is locked"),
        (&end, "there is no keyring here"),
    ];
    for (loss, cause) in losses {
        loss();
        for command in [&["whoami"][..], &KUBECTL, &["logout"]] {
            let complaint = complained(&receiver.run(command).await);
            assert!(complaint.contains(cause), "{command:?}: {complaint}");
            assert!(
                complaint.contains("hint: ") && complaint.contains("`reeve login --token-store file`"),
                "{command:?}: {complaint}"
            );
        }
        assert_eq!(receiver.calls().len(), 0);
        assert_eq!(std::fs::read(file(&receiver, "keyring.json")).unwrap(), place);
        keyring.open().unwrap();
        assert_eq!(used(&receiver).await, TOKEN);
    }
    said(&receiver.run(&["logout"]).await);
    assert_eq!(items(&keyring), 0);
}

#[tokio::test]
async fn an_item_that_somebody_deleted_or_wrote_over_is_told_apart_from_a_locked_keyring() {
    let Some((_keyring, receiver)) = beside_a_keyring().await else {
        return;
    };
    said(&login(&receiver, &[]).await);
    let place = file(&receiver, "keyring.json");
    let mut other: Value = serde_json::from_slice(&std::fs::read(&place).unwrap()).unwrap();
    other["item"] = json!("of-nobody");
    std::fs::write(&place, other.to_string()).unwrap();
    let complaint = complained(&receiver.run(&["whoami"]).await);
    assert!(
        complaint.contains("the keyring does not have it any more") && complaint.contains("sign in again"),
        "{complaint}"
    );
    // Nobody has the token, and nobody could be told.
    let shown = said(&receiver.run(&["logout"]).await);
    assert!(shown.contains("could not be told"), "{shown}");
    assert_eq!(receiver.calls().len(), 0);
}

/// Planted faults: the file stays when the sign-in moves into the keyring; the item stays when it moves into the file.
#[tokio::test]
async fn a_sign_in_that_moves_leaves_no_token_behind() {
    let Some((keyring, receiver)) = beside_a_keyring().await else {
        return;
    };
    let shown = said(&login(&receiver, &["--token-store", "file"]).await);
    let kept = file(&receiver, "authentication.json");
    let sentence = format!("the tokens are in `{}`, which you alone can read", kept.display());
    assert!(shown.trim_end().ends_with(&sentence), "{shown}");
    assert_eq!(items(&keyring), 0);
    assert_eq!(
        std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777,
        0o600
    );
    for _ in 0..2 {
        said(&login(&receiver, &["--token-store", "keyring"]).await);
        assert!(!kept.exists() && !is_on_the_disk(&keyring, &receiver));
        assert_eq!(items(&keyring), 1);
        assert_eq!(used(&receiver).await, TOKEN);

        said(&login(&receiver, &["--token-store", "file"]).await);
        assert!(kept.exists());
        assert_eq!(items(&keyring), 0);
        assert!(!file(&receiver, "keyring.json").exists());
        assert_eq!(used(&receiver).await, TOKEN);
    }
}

/// Planted fault: what is left over is read again.
#[tokio::test]
async fn what_cannot_be_taken_out_of_a_keyring_is_said_never_read_and_taken_out_later() {
    let Some((keyring, receiver)) = beside_a_keyring().await else {
        return;
    };
    said(&login(&receiver, &[]).await);
    keyring.end();
    let others = json!({"accessToken": SECOND, "expiresIn": 3600, "refreshToken": "rt.2"});
    receiver.answers(GRANT, 200, others);
    let shown = said(&login(&receiver, &[]).await);
    assert!(
        shown.contains("and not in a keyring: there is no keyring here")
            && shown.contains("an earlier sign-in is still in the keyring"),
        "{shown}"
    );
    assert_eq!(used(&receiver).await, SECOND);
    let shown = said(&receiver.run(&["logout"]).await);
    assert!(
        shown.contains("the session was ended")
            && shown.contains("an earlier sign-in is still in the keyring"),
        "{shown}"
    );
    receiver.calls();

    keyring.open().unwrap();
    assert_eq!(items(&keyring), 1);
    let output = receiver.run(&KUBECTL).await;
    assert!(
        text(&output.stderr).contains("you are not signed in"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(receiver.calls().len(), 0, "the earlier one is not used");
    let shown = said(&receiver.run(&["logout"]).await);
    assert_eq!(shown, "you were not signed in\n");
    assert_eq!(items(&keyring), 0);
    assert!(!file(&receiver, "keyring.json").exists());
}

/// The old refresh token is worth nothing then, and the new one is nowhere else. Planted fault: it is dropped.
#[tokio::test]
async fn a_keyring_that_goes_between_a_renewals_question_and_its_answer_loses_nothing() {
    let Some((keyring, receiver)) = beside_a_keyring().await else {
        return;
    };
    let soon = json!({"accessToken": TOKEN, "expiresIn": 30, "refreshToken": "rt.1"});
    receiver.answers(GRANT, 200, soon);
    said(&login(&receiver, &[]).await);
    let renewed = json!({"accessToken": SECOND, "expiresIn": 3600, "refreshToken": "rt.2"});
    receiver.answers(GRANT, 200, renewed);
    let ended = Arc::clone(&keyring);
    receiver.does(GRANT, move || ended.end());
    let output = receiver.run(&KUBECTL).await;
    assert!(said(&output).contains("k8s"), "{}", text(&output.stdout));
    let kept = file(&receiver, "authentication.json");
    let note = text(&output.stderr);
    assert!(
        note.contains(&format!("the renewed tokens are in `{}`", kept.display()))
            && note.contains("there is no keyring here"),
        "{note}"
    );
    assert_eq!(
        std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(std::fs::read_to_string(&kept).unwrap().contains("rt.2"));
    receiver.calls();

    keyring.open().unwrap();
    assert_eq!(used(&receiver).await, SECOND);
    said(&receiver.run(&["logout"]).await);
    assert_eq!(items(&keyring), 0);
    assert!(!kept.exists() && !file(&receiver, "keyring.json").exists());
}

/// Before a password is sent anywhere, and what was there stays. Planted fault: who asks for the keyring gets a file.
#[tokio::test]
async fn without_a_keyring_that_is_open_a_file_is_used_and_said_and_who_insists_is_refused() {
    let receiver = Receiver::start().await;
    let shown = said(&login(&receiver, &[]).await);
    let kept = file(&receiver, "authentication.json");
    let sentence = format!(
        "the tokens are in `{}`, which you alone can read, and not in a keyring: there is no keyring here",
        kept.display()
    );
    assert!(shown.contains(&sentence), "{shown}");
    let before = std::fs::read(&kept).unwrap();
    let insisting = [
        "login",
        "user",
        "-u",
        "bob@reeve.example",
        "--password-stdin",
        "--token-store",
        "keyring",
    ];
    let complaint = complained(&receiver.run_with(&insisting, "hunter2").await);
    assert!(
        complaint.contains("there is no keyring here")
            && complaint.contains("`reeve login --token-store file`"),
        "{complaint}"
    );
    assert_eq!(receiver.calls().len(), 0);
    assert_eq!(std::fs::read(&kept).unwrap(), before);

    let Some((keyring, receiver)) = beside_a_keyring().await else {
        return;
    };
    keyring.lock().unwrap();
    let shown = said(&login(&receiver, &[]).await);
    assert!(
        shown.contains("the keyring is locked") && shown.contains("`reeve login --token-store keyring`"),
        "{shown}"
    );
    assert!(file(&receiver, "authentication.json").exists());
    let complaint = complained(&receiver.run_with(&insisting, "hunter2").await);
    assert!(complaint.contains("the keyring is locked"), "{complaint}");
    assert_eq!(receiver.calls().len(), 0);
}
