//! A signing key that leaked.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::floods::{administrator, started, text};
use crate::keys::kid;
use crate::process::{Running, fresh, program};

/// The program with these words, over a data directory.
fn run(data: &Path, words: &[&str]) -> (i32, String) {
    let mut command = program(data);
    command.args(words).arg("--data-dir").arg(data);
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let said = [stdout, stderr].concat();
    (status.code().unwrap(), String::from_utf8(said).unwrap())
}

async fn published(running: &Running) -> Vec<String> {
    let path = "/auth/realms/runai/protocol/openid-connect/certs";
    let sent = running.client.get(running.url(path)).send().await.unwrap();
    let (_, set): (u16, Value) = text(sent).await;
    let keys = set["keys"].as_array().unwrap();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

async fn me(running: &Running, token: &str) -> u16 {
    let sent = running.client.get(running.url("/api/v1/me")).bearer_auth(token);
    sent.send().await.unwrap().status().as_u16()
}

/// As somebody does who found a token that nobody had asked for. Planted faults: `withdrawn-key-is-kept` and
/// `withdrawn-key-leaves-sessions`; the naive way, a rotation at once, leaves the key published.
#[tokio::test]
async fn a_withdrawn_key_is_believed_by_nobody_from_the_next_start_on() {
    let (_dir, data) = fresh();
    let running = started(&data, &[]).await;
    let stolen = administrator(&running).await;
    let leaked = kid(&stolen);
    let before = published(&running).await;
    assert!(before.contains(&leaked));
    let (code, said) = run(&data, &["keys", "withdraw", &leaked]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("is served by another process"), "{said}");
    running.stop().await;

    let (code, said) = run(&data, &["keys", "list"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(&format!("{leaked} current since")), "{said}");
    let (code, said) = run(&data, &["keys", "withdraw", "no-such-key"]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("`no-such-key`") && said.contains("keys list"),
        "{said}"
    );
    let (code, said) = run(&data, &["keys", "withdraw", &leaked]);
    assert_eq!(code, 0, "{said}");

    let running = started(&data, &[]).await;
    let after = published(&running).await;
    assert!(!after.contains(&leaked), "{after:?}");
    assert!(after.contains(&before[1]), "the next one is as before: {after:?}");
    assert_eq!(me(&running, &stolen).await, 401);
    let token = administrator(&running).await;
    assert_eq!(me(&running, &token).await, 200);
    assert!(
        !before.contains(&kid(&token)),
        "whoever keeps the published keys has to read them again"
    );
    running.stop().await;
    let (code, said) = run(&data, &["audit", "verify"]);
    assert_eq!(code, 0, "{said}");
}
